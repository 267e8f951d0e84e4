//! What can be named at the prompt: tables with their columns, segments, lists, scores, functions.

use muster_catalog::{Kind, Names, ScoreNames, TableNames};
use muster_language::{Use, functions};

/// The names of the newest snapshot; before the first load there are only functions.
#[derive(Debug, Default)]
pub struct Known {
    names: Option<Names>,
}

impl Known {
    /// These names.
    pub fn of(names: Names) -> Self {
        Self { names: Some(names) }
    }

    fn all(&self) -> impl Iterator<Item = &TableNames> {
        self.names.iter().flat_map(|names| &names.tables)
    }

    /// The tables, lists not among them.
    pub fn tables(&self) -> impl Iterator<Item = &TableNames> {
        self.all().filter(|table| table.kind != Kind::List)
    }

    /// The table of this name, capitals aside.
    pub fn table(&self, name: &str) -> Option<&TableNames> {
        self.tables().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The table from which a query selects that names none: the root.
    pub fn root(&self) -> Option<&TableNames> {
        self.tables().find(|table| table.kind == Kind::Root)
    }

    /// The names of the segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flat_map(|names| &names.segments).map(|segment| segment.name.as_str())
    }

    /// The names of the lists, without what they all begin with.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(TableNames::list_name)
    }

    /// The scores.
    pub fn scores(&self) -> impl Iterator<Item = &ScoreNames> {
        self.names.iter().flat_map(|names| &names.scores)
    }

    /// What is bought together, by name.
    pub fn affinities(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flat_map(|names| &names.affinities).map(String::as_str)
    }

    /// What a row of `table` sees: its own table first, then those above it, then the lookups of all of these.
    pub fn seen_from<'a>(&'a self, table: &'a TableNames) -> Vec<&'a TableNames> {
        let above = self.names.iter().flat_map(|names| names.ancestors(table));
        let mut seen: Vec<&TableNames> = std::iter::once(table).chain(above).collect();
        let targets = seen.iter().flat_map(|table| &table.links).filter_map(|(.., target)| self.table(target));
        let lookups: Vec<&TableNames> = targets.collect();
        for lookup in lookups {
            if !seen.iter().any(|known| known.name == lookup.name) {
                seen.push(lookup);
            }
        }
        seen
    }

    /// The lookup that a link of this name leads to, from whichever table.
    pub fn linked(&self, link: &str) -> Option<&TableNames> {
        let target = |table: &TableNames| {
            let found = table.links.iter().find(|(name, ..)| name.eq_ignore_ascii_case(link));
            found.map(|(.., target)| target.clone())
        };
        self.tables().find_map(target).and_then(|target| self.table(&target))
    }

    /// The functions with what they are.
    pub fn functions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        functions().map(|(name, used)| (name, kind(used)))
    }
}

fn kind(used: Use) -> &'static str {
    match used {
        Use::Scalar => "function",
        Use::Aggregate => "aggregate",
        Use::Window => "window",
        Use::Table => "table of segments",
    }
}
