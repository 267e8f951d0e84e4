//! `purchase` of a table: which of its rows are purchases, and what each is worth.

use super::section::{Keys, Section};
use crate::{Kind, Purchase, Table};

const KEYS: Keys = Keys { known: &["value", "when"], later: &[] };

/// `purchase = { value = "total", when = "status NOT IN ('cancelled')" }`
pub(super) fn read(section: &Section) -> Purchase {
    section.only(&KEYS);
    let when = section.word("when");
    Purchase {
        value: section.required_word("value"),
        value_place: section.place_inside("value"),
        when_place: when.as_ref().map(|_| section.place_inside("when")),
        when,
    }
}

/// Purchases are rows of one history in time: scores count them, and reckon from when they were.
pub(super) fn check(top: &Section, tables: &[Table]) {
    let mut first: Option<&Table> = None;
    for table in tables.iter().filter(|table| table.purchase.is_some()) {
        if let Some((message, hint)) = fault(tables, table, first)
            && let Some(section) = top.descendant(&["tables", &table.name])
        {
            section.problem_at("purchase", message, Some(hint.to_owned()));
        }
        first = first.or(Some(table));
    }
}

/// What is wrong with the purchases of this table, and what to do; `first` is a table before it that has some.
fn fault(tables: &[Table], table: &Table, first: Option<&Table>) -> Option<(String, &'static str)> {
    let title = table.title();
    if let Some(first) = first {
        let message = format!("`purchase` in {title} is the second one; {} has it already", first.title());
        return Some((message, "one table says which rows are purchases"));
    }
    if !matches!(table.kind, Kind::History { .. }) {
        let message = format!("`purchase` in {title} needs `parent`: only a history table has it");
        return Some((message, "the rows of orders below profiles can be purchases"));
    }
    if is_without_time(tables, table) {
        let message = format!("`purchase` in {title} needs to know when: neither it nor a table above has `time`");
        return Some((message, "time = \"placed_at\" names the column with the instant of a row"));
    }
    None
}

/// Whether neither the table nor one above it says when its rows were; where what is above is not known, nothing is said.
pub(super) fn is_without_time(tables: &[Table], table: &Table) -> bool {
    let above = |below: &&Table| tables.iter().find(|table| below.parent() == Some(&table.name));
    // A circle of parents has no end.
    let path: Vec<&Table> = std::iter::successors(Some(table), above).take(tables.len()).collect();
    let is_whole = path.last().is_some_and(|last| last.kind == Kind::Root);
    is_whole && path.iter().all(|table| table.time.is_none())
}
