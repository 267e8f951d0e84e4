//! Which columns tell the rows of a table apart: one, else the fewest together.

use muster_catalog::{ColumnType, Role};

use super::pass::{TableFacts, unique_sets};
use super::references::{Reference, could_be_key};
use super::words::{Agreement, agreement, names_an_id};
use super::{ColumnGuess, Said, TAKEN_FROM, TableGuess};
use crate::error::Error;

/// Columns that are tried together.
const TRIED_COLUMNS: usize = 6;
const TOGETHER: [usize; 2] = [2, 3];
const FEW_ROWS: u64 = 20;

/// Gives keys to all tables.
pub(crate) fn guess(facts: &[TableFacts], references: &[Reference], tables: &mut [TableGuess]) -> Result<(), Error> {
    for (number, (facts, table)) in facts.iter().zip(tables).enumerate() {
        table.key = match single(number, facts, references, table) {
            Some(key) => Some(key),
            None => several(number, facts, references, table)?,
        };
    }
    Ok(())
}

/// The column that is unique, and looks most like a key.
fn single(
    number: usize,
    facts: &TableFacts,
    references: &[Reference],
    table: &TableGuess,
) -> Option<Said<Vec<String>>> {
    let unique = (0..facts.columns.len()).filter(|at| could_be_key((&facts.columns[*at], &table.columns[*at])));
    let referred = |at: usize| references.iter().any(|found| found.to == (number, at) && found.sure >= TAKEN_FROM);
    let rated = unique.map(|at| (at, rating(at, facts, &table.columns[at], referred(at))));
    let (at, rating) = rated.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    let column = &facts.columns[at];
    let sure = match rating {
        ..1.0 => 0.4,
        _ if facts.rows < FEW_ROWS => 0.7,
        1.0..3.0 => 0.75,
        _ => 0.95,
    };
    let seen = if column.values.is_exact() { "all".to_owned() } else { format!("{} drawn ones", column.values.kept()) };
    let also = if referred(at) { ", and other tables hold its values" } else { "" };
    let why = format!("{seen} of its {} values are different and none is missing{also}", facts.rows);
    Some(Said::new(vec![column.name.clone()], sure, why))
}

fn rating(at: usize, facts: &TableFacts, column: &ColumnGuess, referred: bool) -> f64 {
    let looks = &facts.columns[at].looks;
    let named = agreement(&column.name, &facts.candidate.name, "id") != Agreement::None;
    let is_id = column.column_type.value == ColumnType::Id;
    let address = matches!(column.role.as_ref().map(|role| &role.value), Some(Role::Email | Role::Postcode));
    let points = [
        (is_id, 2.0),
        (names_an_id(&column.name), 1.0),
        (named && is_id, 1.0),
        (at == 0, 1.0),
        (referred, 3.0),
        (column.column_type.value == ColumnType::Int, 0.5),
        (looks.with_blanks > 0, -2.0),
        (address, -2.0),
    ];
    points.iter().filter(|(holds, _)| *holds).map(|(_, points)| points).sum()
}

/// The fewest columns that together are unique; never all of a wide table, which would say nothing.
fn several(
    number: usize,
    facts: &TableFacts,
    references: &[Reference],
    table: &TableGuess,
) -> Result<Option<Said<Vec<String>>>, Error> {
    let weights: Vec<i32> =
        (0..facts.columns.len()).map(|at| weight(table, at, holds_key(references, (number, at)))).collect();
    let tried = tried(facts, table, &weights);
    for count in TOGETHER {
        let sets = sets_of(&tried, count).into_iter().filter(|set| count < 3 || set.len() < facts.columns.len());
        let possible: Vec<Vec<usize>> = sets.filter(|set| could_tell_apart(facts, set)).collect();
        let unique = if possible.is_empty() { possible } else { unique_sets(&facts.candidate, &possible)? };
        let weight_of = |set: &Vec<usize>| set.iter().map(|at| weights[*at]).sum::<i32>();
        // The first of the heaviest: `max_by_key` would take the last.
        if let Some(set) = unique.iter().rev().max_by_key(|set| weight_of(set)) {
            return Ok(Some(said(facts, set, unique.len())));
        }
    }
    Ok(None)
}

fn holds_key(references: &[Reference], place: (usize, usize)) -> bool {
    references.iter().any(|found| found.from == place && found.sure >= TAKEN_FROM)
}

/// Ids make better keys than words and numbers.
fn weight(table: &TableGuess, at: usize, holds_key: bool) -> i32 {
    if holds_key || table.columns[at].column_type.value == ColumnType::Id { 3 } else { 1 }
}

/// The columns that are worth trying together, in their order.
fn tried(facts: &TableFacts, table: &TableGuess, weights: &[i32]) -> Vec<usize> {
    let mut tried: Vec<usize> = (0..facts.columns.len()).filter(|at| can_take_part(facts, table, *at)).collect();
    tried.sort_by_key(|at| std::cmp::Reverse((weights[*at], facts.columns[*at].values.distinct())));
    tried.truncate(TRIED_COLUMNS);
    tried.sort_unstable();
    tried
}

fn said(facts: &TableFacts, set: &[usize], unique: usize) -> Said<Vec<String>> {
    let names: Vec<String> = set.iter().map(|at| facts.columns[*at].name.clone()).collect();
    let others = if unique > 1 { format!("; so are {} other sets of columns", unique - 1) } else { String::new() };
    let why = format!("no single column is unique, and these together are in {} rows{others}", facts.rows);
    Said::new(names, 0.55, why)
}

fn can_take_part(facts: &TableFacts, table: &TableGuess, at: usize) -> bool {
    let kind = table.columns[at].column_type.value;
    let whole = matches!(kind, ColumnType::Id | ColumnType::Text | ColumnType::Int | ColumnType::Date);
    whole && facts.columns[at].absent == 0 && facts.columns[at].values.distinct() > 1
}

fn could_tell_apart(facts: &TableFacts, set: &[usize]) -> bool {
    facts.rows > 0
        && set.iter().map(|at| facts.columns[*at].values.distinct() as f64).product::<f64>() >= facts.rows as f64
}

/// All sets of so many of these, in their order.
fn sets_of(columns: &[usize], count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let with = |at: usize| sets_of(&columns[at + 1..], count - 1).into_iter().map(move |rest| (at, rest));
    (0..columns.len()).flat_map(with).map(|(at, rest)| [&[columns[at]], rest.as_slice()].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_columns_come_in_their_order() {
        assert_eq!(sets_of(&[1, 3, 5], 2), [[1, 3], [1, 5], [3, 5]]);
        assert_eq!(sets_of(&[1, 3, 5], 3), [[1, 3, 5]]);
        assert_eq!(sets_of(&[1], 2), [[0; 2]; 0]);
    }
}
