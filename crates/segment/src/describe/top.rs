//! The most frequent values of a column.
//!
//! One query per column: a grouping by each of them in one pass would make a row per row and column, and still keep every
//! column's groups.

use std::collections::{BTreeSet, HashMap};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use muster_catalog::{ColumnType, Timestamp};
use muster_query::Answer;
use muster_store::TableSchema;

use super::{ColumnDescription, Distinct, MOST_FREQUENT, MOST_GROUPS, qualified, quoted};
use crate::cells::{ask, counts, texts};
use crate::{Error, Evaluator};

/// Adds the most frequent values to what is known of a column with `filled` values, and of a set its distinct members.
pub(super) fn add(
    evaluator: &Evaluator<'_>,
    table: &TableSchema,
    described: &mut ColumnDescription,
    filled: u64,
    as_of: Timestamp,
) -> Result<(), Error> {
    if described.schema.column_type == ColumnType::Set {
        let members = members(&ask(evaluator, &groups(table, described), as_of)?)?;
        described.distinct = Some(Distinct::Exact(members.len() as u64));
        described.top = if described.is_shown() { most_frequent(members) } else { Vec::new() };
        return Ok(());
    }
    let has_too_many = matches!(described.distinct, Some(Distinct::Estimate(number)) if number > MOST_GROUPS);
    if !described.is_shown() || has_too_many {
        return Ok(());
    }
    let is_unique = described.distinct == Some(Distinct::Exact(filled));
    let text = if is_unique { smallest(table, described) } else { largest_groups(table, described) };
    let answer = ask(evaluator, &text, as_of)?;
    described.top = texts(&answer, 0)?.into_iter().flatten().zip(counts(&answer, 1)?).collect();
    Ok(())
}

/// Where no value comes twice the most frequent ones are the first in order, and nothing has to be grouped.
fn smallest(table: &TableSchema, described: &ColumnDescription) -> String {
    let column = qualified(&table.name, &described.schema.name);
    let table = quoted(&table.name);
    format!(
        "SELECT CAST({column} AS VARCHAR) AS written, 1 AS counted FROM {table}
         WHERE {column} IS NOT NULL ORDER BY {column} LIMIT {MOST_FREQUENT}"
    )
}

fn largest_groups(table: &TableSchema, described: &ColumnDescription) -> String {
    let groups = groups(table, described);
    format!(
        "SELECT CAST(found.value AS VARCHAR) AS written, found.times AS counted FROM ({groups}) AS found
         ORDER BY found.times DESC, found.value LIMIT {MOST_FREQUENT}"
    )
}

/// Every value with the number of its rows.
fn groups(table: &TableSchema, described: &ColumnDescription) -> String {
    let column = qualified(&table.name, &described.schema.name);
    let table = quoted(&table.name);
    format!("SELECT {column} AS value, count(*) AS times FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}")
}

/// The members of sets with the rows that have them. The engine groups equal sets; taking them apart is done here, because
/// the language has no rows of members.
fn members(sets: &Answer) -> Result<HashMap<String, u64>, Error> {
    let times = counts(sets, 1)?;
    let lists = sets.batches.iter().flat_map(|batch| {
        let lists = batch.column(0).as_list::<i32>();
        (0..lists.len()).map(|row| lists.value(row)).collect::<Vec<_>>()
    });
    let mut members: HashMap<String, u64> = HashMap::new();
    for (list, times) in lists.zip(times) {
        let once: BTreeSet<&str> = list.as_string_view().iter().flatten().collect();
        for member in once {
            *members.entry(member.to_owned()).or_default() += times;
        }
    }
    Ok(members)
}

fn most_frequent(members: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut members: Vec<(String, u64)> = members.into_iter().collect();
    members.sort_unstable_by(|(a, few), (b, many)| many.cmp(few).then_with(|| a.cmp(b)));
    members.truncate(MOST_FREQUENT);
    members
}
