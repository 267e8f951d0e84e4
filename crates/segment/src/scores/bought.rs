//! Every purchase by itself: whose it is, on which day, and what it was worth.
//!
//! The question goes to the engine, which knows what a purchase is; whose a row is, and below which other row it stands, the
//! store says by the numbers of rows.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use muster_catalog::{Expression, Timestamp};
use muster_language::{Statement, VariableDefinition, parse, parse_definition, resolve_variable};
use muster_query::Answer;
use muster_store::SystemColumn;

use super::purchases::{exact, time_of_rows};
use crate::describe::quoted;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// Purchases of an instant, profile by profile and for each in the order of time.
pub(super) struct Bought {
    /// The profiles that there are, by the numbers of their rows, ascending.
    pub(super) profiles: Vec<u32>,
    /// The purchases of the profile at place p stand from `offsets[p]` to `offsets[p + 1]`.
    pub(super) offsets: Vec<usize>,
    /// The number of the row of each purchase.
    pub(super) rows: Vec<u32>,
    /// The day of each in the workspace's zone, since 1970-01-01.
    pub(super) days: Vec<i32>,
    /// The instant of each, in microseconds since 1970-01-01 UTC.
    pub(super) at: Vec<i64>,
    /// What each was worth, in units of `10^-scale`.
    pub(super) values: Vec<i128>,
    pub(super) scale: i8,
}

impl Bought {
    /// The places of the purchases of the profile at a place.
    pub(super) fn of(&self, profile: usize) -> std::ops::Range<usize> {
        self.offsets[profile]..self.offsets[profile + 1]
    }
}

/// Whose a row is: a place in a list of profiles.
pub(super) const NOBODY: u32 = u32::MAX;

impl Evaluator<'_> {
    /// The purchases of all profiles as of an instant.
    pub(super) fn bought(&self, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Bought, Error> {
        let scoring = self.scoring();
        let purchases = scoring.purchases.as_ref().expect("scores have names where there are purchases");
        let time = time_of_rows(self.snapshot(), &purchases.table).ok_or(Error::NoData)?;
        purchases.check()?;
        let when = purchases.purchase.when.as_deref().map(|when| format!(" WHERE {when}")).unwrap_or_default();
        let text = format!(
            "SELECT ({}) AS value, CAST({time} AS DATE) AS day, {time} AS at FROM {}{when}",
            purchases.purchase.value,
            quoted(&purchases.table)
        );
        let question = question(&text).map_err(|error| purchases.fault(error))?;
        let answer = self.rows_and_values(&question, as_of, path, |error| purchases.fault(error))?;
        let profiles = self.profiles_there(as_of, path)?;
        let owners = self.owners_of_rows(&purchases.table, SystemColumn::Profile)?;
        let place = places(&profiles);
        let mut found = Vec::with_capacity(answer.row_count());
        let mut scale = None;
        for batch in &answer.batches {
            let (values, of_batch) = exact(batch.column(1), purchases)?;
            scale = Some(of_batch);
            let days = batch.column(2).as_primitive::<Date32Type>();
            let instants = batch.column(3).as_primitive::<TimestampMicrosecondType>();
            for (at, row) in numbers(batch).enumerate() {
                let owner = owners.get(row as usize).and_then(|owner| place.get(*owner as usize)).copied();
                if let Some(owner) = owner.filter(|owner| *owner != NOBODY) {
                    found.push((owner, row, days.value(at), instants.value(at), values[at]));
                }
            }
        }
        // Rows stand in the order of time below their parent, which may be a visit and not the profile.
        if !found.is_sorted_by_key(|(owner, row, _, at, _)| (*owner, *at, *row)) {
            found.sort_unstable_by_key(|(owner, row, _, at, _)| (*owner, *at, *row));
        }
        Ok(Bought {
            offsets: offsets(profiles.len(), found.iter().map(|(owner, ..)| *owner)),
            rows: found.iter().map(|(_, row, ..)| *row).collect(),
            days: found.iter().map(|(_, _, day, ..)| *day).collect(),
            at: found.iter().map(|(.., at, _)| *at).collect(),
            values: found.iter().map(|(.., value)| *value).collect(),
            scale: scale.unwrap_or_default(),
            profiles,
        })
    }

    /// The profiles that are there as of an instant, by the numbers of their rows, ascending.
    pub(super) fn profiles_there(&self, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Vec<u32>, Error> {
        let question = question("SELECT 1 AS one FROM profiles")?;
        let answer = self.rows_and_values(&question, as_of, path, Error::from)?;
        let mut rows: Vec<u32> = answer.batches.iter().flat_map(numbers).collect();
        rows.sort_unstable();
        Ok(rows)
    }

    /// The answer to a question of which the first column is the number of each row.
    pub(super) fn rows_and_values(
        &self,
        question: &VariableDefinition,
        as_of: Timestamp,
        path: &mut Vec<Item>,
        fault: impl Fn(muster_language::Error) -> Error,
    ) -> Result<Answer, Error> {
        let resolved = resolve_variable(question, self.names(), as_of).map_err(fault)?;
        let evaluation = self.whole_evaluation(&resolved, path)?;
        Ok(self.engine().all(&resolved, &evaluation)?)
    }

    /// For each row of a history by its number: its profile's row, or that of its parent.
    pub(super) fn owners_of_rows(&self, table: &str, owner: SystemColumn) -> Result<Vec<u32>, Error> {
        let mut owners = Vec::new();
        for block in 0..self.snapshot().block_count(table) {
            let columns = self.snapshot().scan(table, block, &[SystemColumn::Row.name(), owner.name()])?;
            let [rows, above] = [0, 1].map(|column| columns[column].as_primitive::<Int64Type>().values().iter());
            for (row, above) in rows.zip(above) {
                let row = *row as usize;
                if owners.len() <= row {
                    owners.resize(row + 1, NOBODY);
                }
                owners[row] = *above as u32;
            }
        }
        Ok(owners)
    }
}

/// The numbers of the rows of a part of an answer.
pub(super) fn numbers(batch: &RecordBatch) -> impl Iterator<Item = u32> {
    batch.column(0).as_primitive::<Int64Type>().values().iter().map(|row| *row as u32)
}

/// For each number of a row its place in a list of numbers, [`NOBODY`] for those that are not in it.
pub(super) fn places(rows: &[u32]) -> Vec<u32> {
    let mut places = vec![NOBODY; rows.iter().max().map_or(0, |last| *last as usize + 1)];
    rows.iter().zip(0..).for_each(|(row, place)| places[*row as usize] = place);
    places
}

/// Where the entries of each of `count` owners begin, of entries that stand in the order of their owners.
pub(super) fn offsets(count: usize, owners: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut offsets = vec![0; count + 1];
    owners.for_each(|owner| offsets[owner as usize + 1] += 1);
    for place in 0..count {
        offsets[place + 1] += offsets[place];
    }
    offsets
}

/// A SELECT as a question of which each row has a number.
pub(super) fn question(text: &str) -> Result<VariableDefinition, muster_language::Error> {
    match parse(text)? {
        Statement::Query { query, .. } => {
            Ok(VariableDefinition { name: "question".to_owned(), or_replace: false, comment: None, query })
        }
        _ => unreachable!("a SELECT is a query"),
    }
}

/// Refuses what is no expression of its own: one that closes a bracket which it did not open.
pub(super) fn check(score: &str, expression: &Expression) -> Result<(), Error> {
    let read = parse_definition(&format!("WHERE {}", expression.text)).map(drop);
    read.map_err(|error| fault(score, expression, error))
}

/// What is wrong with an expression of muster.toml, with its place.
pub(super) fn fault(score: &str, expression: &Expression, source: muster_language::Error) -> Error {
    let place = format!("{} line {}", expression.place.file, expression.place.line);
    Error::Expression { place, score: score.to_owned(), text: expression.text.clone(), source: Box::new(source) }
}
