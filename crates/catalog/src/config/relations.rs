//! What can only be checked over all tables: parents that exist, no circle, links that lead from somewhere, names that
//! mean one thing.

use super::fitting;
use super::section::Section;
use crate::{ColumnType, Kind, Link, Table, nearest};

pub(super) fn check(top: &Section, tables: &[Table]) {
    if !tables.iter().any(|table| table.name == "profiles") {
        top.problem("[tables.profiles] is missing; the root of a workspace is always called profiles");
    }
    let workspace = Tables { top, tables };
    for (place, table) in tables.iter().enumerate() {
        workspace.check_parent(place, table);
        workspace.check_columns(table);
        workspace.check_links(table);
    }
}

struct Tables<'a> {
    top: &'a Section<'a>,
    tables: &'a [Table],
}

impl<'a> Tables<'a> {
    fn named(&self, name: &str) -> Option<&'a Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    fn check_parent(&self, place: usize, table: &Table) {
        // An empty name, and a root with a parent, were reported where they stand.
        let Some(parent) = table.parent().filter(|parent| !parent.is_empty() && table.name != "profiles") else {
            return;
        };
        let below = format!("`parent` of [tables.{}] is \"{parent}\"", table.name);
        let at = ["tables", table.name.as_str()];
        match self.named(parent) {
            None => self.unknown(&at, "parent", &below, parent),
            Some(found) if found.kind == Kind::Lookup => {
                let message = format!("{below}, which is a lookup; history stands below profiles or other history");
                self.report(&at, "parent", message, None);
            }
            Some(found) if found.key.is_none() && found.name != "profiles" => {
                self.report(&at, "parent", format!("{below}, which has no `key` to refer to"), None);
            }
            Some(found) => {
                self.check_parts(table, found);
                self.check_circle(place, table);
            }
        }
    }

    /// Parts of a parent's key are found by their order, so there must be as many.
    fn check_parts(&self, table: &Table, parent: &Table) {
        let (here, there) = (table.on_parts.len(), parent.key_parts.len());
        if here != there && here > 0 && there > 0 {
            let message = format!(
                "`on` of [tables.{}] has {here} columns, and the key of `{}` has {there}: {}",
                table.name,
                parent.name,
                parent.key_parts.join(", ")
            );
            self.report(&["tables", &table.name], "on", message, None);
        }
    }

    /// A circle is reported once, at the first of its tables.
    fn check_circle(&self, place: usize, table: &Table) {
        let above = |below: &&'a Table| self.named(below.parent()?);
        let path: Vec<&Table> =
            std::iter::successors(self.named(&table.name), above).take(self.tables.len() + 1).collect();
        let Some(back) = path.iter().skip(1).position(|above| above.name == table.name) else { return };
        let circle = &path[..=back + 1];
        if self.tables[..place].iter().any(|earlier| circle.iter().any(|on_it| on_it.name == earlier.name)) {
            return;
        }
        let names: Vec<&str> = circle.iter().map(|table| table.name.as_str()).collect();
        let message = format!("[tables.{}] is below itself: {}", table.name, names.join(" → "));
        self.report(&["tables", &table.name], "parent", message, None);
    }

    /// A bare name in a query is a column before it is a table, so a column must not hide a history.
    fn check_columns(&self, table: &Table) {
        let history = |name: &str| self.tables.iter().any(|table| table.parent().is_some() && table.name == name);
        for column in table.columns.iter().filter(|column| history(&column.name.to_lowercase())) {
            let message = format!(
                "the column `{}` of [tables.{}] has the name of a history table; give it another",
                column.name, table.name
            );
            let hint = format!("number_of_{0} = {{ from = \"{0}\" }} reads the same column of the file", column.from);
            let at = ["tables", table.name.as_str(), "columns"];
            self.report(&at, &column.name, message, Some(hint));
        }
    }

    fn check_links(&self, lookup: &Table) {
        let at = ["tables", lookup.name.as_str(), "lookup"];
        if !lookup.lookup.is_empty() && lookup.key_parts.len() > 1 {
            let message =
                format!("a lookup with a key of several columns, as [tables.{}], is not supported yet", lookup.name);
            self.report(&["tables", &lookup.name], "key", message, None);
        }
        let mut reported = None;
        for (place, link) in lookup.lookup.iter().enumerate() {
            if reported != Some(&link.name)
                && let Some(fault) = self.name_fault(lookup, link)
            {
                reported = Some(&link.name);
                self.report(&at, &link.name, fault, None);
            }
            if lookup.lookup[..place].iter().any(|other| other.name == link.name && other.from_table == link.from_table)
            {
                let message =
                    format!("the link `{}` leads twice from `{}`; give each a name", link.name, link.from_table);
                self.report(&at, &link.name, message, None);
            }
            self.check_start(lookup, link);
        }
    }

    /// What is wrong with the name of a link.
    fn name_fault(&self, lookup: &Table, link: &Link) -> Option<String> {
        let earlier = || self.tables.iter().take_while(|other| other.name != lookup.name);
        if self.tables.iter().any(|other| other.name == link.name && other.name != lookup.name) {
            return Some(format!("the link `{}` has the name of another table", link.name));
        }
        let to = earlier().find(|other| other.lookup.iter().any(|taken| taken.name == link.name));
        to.map(|to| format!("the link `{}` leads to `{}` already", link.name, to.name))
            .or_else(|| fitting::name_fault(&link.name, "link"))
    }

    /// A link starts at a text column of a table that there is.
    fn check_start(&self, lookup: &Table, link: &Link) {
        let at = ["tables", lookup.name.as_str(), "lookup"];
        let Some(from) = self.named(&link.from_table) else {
            let message = format!("the link `{}` leads from \"{}\"", link.name, link.from_table);
            return self.unknown(&at, &link.name, &message, &link.from_table);
        };
        let Some(place) = self.top.descendant(&["tables", &from.name]) else { return };
        let part = format!("link `{}`", link.name);
        fitting::check_type(&place, from, &part, Some(&link.from_column), "\"id\" or \"text\"", ColumnType::is_text);
    }

    fn unknown(&self, at: &[&str], key: &str, what: &str, name: &str) {
        let names = || self.tables.iter().map(|table| table.name.as_str());
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("tables: {}", names().collect::<Vec<_>>().join(", ")),
        };
        self.report(at, key, format!("{what}, and there is no such table"), Some(hint));
    }

    fn report(&self, at: &[&str], key: &str, message: String, hint: Option<String>) {
        if let Some(section) = self.top.descendant(at) {
            section.problem_at(key, message, hint);
        }
    }
}
