//! `[lists.NAME]`: lists of profile keys, each a table of that one column.

use super::section::{Keys, Section};
use super::{fitting, tables};
use crate::{Column, ColumnType, Kind, LISTS, Mode, Table};

const KEYS: Keys = Keys {
    known: &[
        "source",
        "key",
        "allow_empty",
        "delimiter",
        "blanks",
        "header",
        "names",
        "quote",
        "encoding",
        "damaged",
        "short_rows",
        "stray_quotes",
        "unnamed",
        "null",
        "error_budget",
    ],
    later: &[],
};

/// The lists, whose keys are those of `root`, where there is one.
pub(super) fn read(section: &Section, root: Option<&Table>) -> Vec<Table> {
    section.keys().into_iter().filter_map(|name| section.section(name)).map(|list| one(&list, root)).collect()
}

/// What the files say is the list: a key that is no longer in them is no longer on it, and one that stands in them twice
/// is on it once.
fn one(section: &Section, root: Option<&Table>) -> Table {
    section.only(&KEYS);
    if let Some(fault) = fitting::name_fault(section.name(), "list") {
        section.problem(fault);
    }
    let key_parts = section.required_columns("key");
    check_parts(section, &key_parts, root);
    let list = Table {
        source: section.required_word("source"),
        key: tables::combined(&key_parts),
        columns: columns(&key_parts, root),
        key_parts,
        one_row_per_key: true,
        mode: Mode::Replace,
        ..tables::written(section, &format!("{LISTS}.{}", section.name()), Kind::List)
    };
    fitting::check_text_format(section, &list);
    list
}

/// Parts of a profile's key are found by their order, so there must be as many.
fn check_parts(section: &Section, key_parts: &[String], root: Option<&Table>) {
    let Some(root) = root.filter(|root| !root.key_parts.is_empty() && !key_parts.is_empty()) else { return };
    if root.key_parts.len() != key_parts.len() {
        let (here, there) = (columns_of(key_parts.len()), columns_of(root.key_parts.len()));
        let message = format!(
            "`key` of {} has {here}, and the key of `{}` has {there}: {}",
            section.title(),
            root.name,
            root.key_parts.join(", ")
        );
        section.problem_at("key", message, None);
    }
}

fn columns_of(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}

/// Keys are read as those of the profiles are, or they would not be the same keys: `17850.0` is 17850 in both.
fn columns(key_parts: &[String], root: Option<&Table>) -> Vec<Column> {
    let of_root = |place: usize| root.and_then(|root| root.column(root.key_parts.get(place)?));
    let column = |(place, name): (usize, &String)| {
        let as_there = of_root(place).cloned().unwrap_or_else(|| Column::plain(name));
        Column {
            name: name.clone(),
            from: name.clone(),
            column_type: as_there.column_type.or(Some(ColumnType::Id)),
            optional: false,
            role: None,
            pick: None,
            ..as_there
        }
    };
    key_parts.iter().enumerate().map(column).collect()
}
