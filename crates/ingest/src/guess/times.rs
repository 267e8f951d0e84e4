//! When a row happened, when it last changed, and when a profile began.

use muster_catalog::{ColumnType, Role, Timestamp};

use super::looks::Written;
use super::pass::{ColumnFacts, TableFacts};
use super::words::{BEGAN, CHANGED, HAPPENED, LATER, has_word};
use super::{ColumnGuess, Said, TableGuess, TableKind};

/// Gives times to histories and to the root; the last instant of all that are times comes back.
pub(crate) fn guess(facts: &[TableFacts], tables: &mut [TableGuess]) -> Option<Timestamp> {
    let mut last: Option<i64> = None;
    for table in tables.iter_mut() {
        let Some(facts) = facts.iter().find(|facts| facts.candidate.pattern == table.pattern) else { continue };
        let time = match table.kind.value {
            TableKind::Root if !table.one_row_per_key => began(facts, table),
            TableKind::History => happened(facts, table),
            _ => None,
        };
        let Some((column, said)) = time else { continue };
        if table.kind.value == TableKind::History && said.is_taken() {
            last = last.max(span(&facts.columns[column]).map(|way| way.last));
        }
        table.updated_at = changed(facts, table, column);
        become_instant(table, &said.value);
        table.time = Some(said);
        if let Some(changed) = table.updated_at.as_ref().map(|said| said.value.clone()) {
            become_instant(table, &changed);
        }
    }
    last.map(|seconds| Timestamp::from_micros(seconds * 1_000_000))
}

/// A time is an instant, also where only days are written.
fn become_instant(table: &mut TableGuess, name: &str) {
    if let Some(column) = table.columns.iter_mut().find(|column| column.name == name)
        && column.column_type.value == ColumnType::Date
    {
        column.column_type.value = ColumnType::Timestamp;
        column.column_type.why += ", and it is the time of the row";
    }
}

/// The way in which a column's instants are written.
pub(crate) fn span(column: &ColumnFacts) -> Option<&Written> {
    let ways = column.looks.days.iter().chain(&column.looks.instants);
    ways.filter(|way| way.kind.fits > 0).max_by_key(|way| way.kind.fits)
}

/// Columns with an instant, by number; those of people's birth apart.
fn instants(table: &TableGuess) -> impl Iterator<Item = (usize, &ColumnGuess)> {
    let birth = |column: &ColumnGuess| column.role.as_ref().is_some_and(|role| role.value == Role::BirthDate);
    table.columns.iter().enumerate().filter(move |(_, column)| {
        let time = matches!(column.column_type.value, ColumnType::Date | ColumnType::Timestamp);
        time && !birth(column) && column.column_type.is_taken()
    })
}

/// The instant of an event: by its name, by being precise, and of several the earliest.
fn happened(facts: &TableFacts, table: &TableGuess) -> Option<(usize, Said<String>)> {
    let candidates: Vec<(usize, &ColumnGuess)> = instants(table).collect();
    let mean = |at: usize| span(&facts.columns[at]).map_or(f64::MAX, Written::mean);
    let first = candidates.iter().map(|(at, _)| mean(*at)).fold(f64::MAX, f64::min);
    let rated = candidates.iter().map(|(at, column)| (*at, rating(&facts.columns[*at], column, mean(*at) <= first)));
    let (at, _) = rated.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    Some((at, said(&facts.columns[at], candidates.len() == 1)))
}

fn rating(facts: &ColumnFacts, column: &ColumnGuess, earliest: bool) -> f64 {
    let points = [
        (has_word(&column.name, HAPPENED), 2.0),
        (has_word(&column.name, LATER), -2.0),
        (column.column_type.value == ColumnType::Timestamp, 1.0),
        (earliest, 1.5),
        (facts.absent > 0, -4.0),
    ];
    points.iter().filter(|(holds, _)| *holds).map(|(_, points)| points).sum()
}

fn said(column: &ColumnFacts, alone: bool) -> Said<String> {
    let sure = match (column.absent, alone) {
        (0, true) => 0.95,
        (0, false) if has_word(&column.name, HAPPENED) => 0.9,
        (0, false) => 0.75,
        _ => 0.4,
    };
    let which = if alone { "the only instant" } else { "on the whole the earliest of several instants" };
    let absent = match column.absent {
        0 => "no row is without".to_owned(),
        absent => format!("{absent} of {} rows have none", column.rows),
    };
    Said::new(column.name.clone(), sure, format!("{which}, and {absent}; {}", from_to(column)))
}

/// Since when a profile is there.
fn began(facts: &TableFacts, table: &TableGuess) -> Option<(usize, Said<String>)> {
    let whole: Vec<(usize, &ColumnGuess)> = instants(table).filter(|(at, _)| facts.columns[*at].absent == 0).collect();
    let named = whole.iter().find(|(_, column)| has_word(&column.name, BEGAN) && !has_word(&column.name, LATER));
    let precise = |(_, column): &&(usize, &ColumnGuess)| column.column_type.value == ColumnType::Timestamp;
    let alone = whole.iter().find(precise).filter(|_| whole.len() == 1);
    let (at, sure) = named.map(|(at, _)| (*at, 0.85)).or(alone.map(|(at, _)| (*at, 0.65)))?;
    let found = &facts.columns[at];
    let what = if sure > 0.8 { "its name" } else { "the only instant that every profile has" };
    Some((at, Said::new(found.name.clone(), sure, format!("{what}; {}", from_to(found)))))
}

/// A second instant, never before the first, that says by its name that it is of the last change.
fn changed(facts: &TableFacts, table: &TableGuess, time: usize) -> Option<Said<String>> {
    let keyed = table.key.as_ref().is_some_and(|key| key.is_taken() && key.value.len() == 1);
    let of_change = instants(table)
        .find(|(at, column)| *at != time && facts.columns[*at].absent == 0 && has_word(&column.name, CHANGED));
    let (at, column) = of_change.filter(|_| keyed)?;
    Some(Said::new(column.name.clone(), 0.85, format!("its name; {}", from_to(&facts.columns[at]))))
}

fn from_to(column: &ColumnFacts) -> String {
    let Some(way) = span(column) else { return String::new() };
    let day =
        |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000)).utc().format("%Y-%m-%d").to_string();
    format!("{} to {}", day(way.first), day(way.last))
}
