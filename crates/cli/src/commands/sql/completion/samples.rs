//! The most frequent values of text columns that have few, looked up when somebody first asks for them.
//!
//! A lookup runs on a thread of its own, within limits, while whoever asked waits for a moment only: what is not there by
//! then is there at the next key. Values of personal and sensitive columns are not even asked for.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use muster_catalog::{Catalog, Timestamp};
use muster_language::{Statement, parse};
use muster_query::{Engine, Limits};
use muster_segment::{Classes, Definitions, Evaluator};
use muster_store::Snapshot;

use super::Values;

/// So long a person does not notice that something waits.
const MOMENT: Duration = Duration::from_millis(80);

/// What one lookup may take.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(5), memory: 256 << 20, rows: 1_000, bytes: 1 << 20, process: None, threads: 1 };

/// A column with more values than this shows none: they are no choice.
const FEW: usize = 50;

/// Values that were looked up, by table and column; those that are being looked up have none yet.
type Found = HashMap<(String, String), Option<Vec<String>>>;

/// Where values are looked up: one snapshot, as of one instant.
pub struct Samples {
    snapshot: Arc<Snapshot>,
    catalog: Arc<Catalog>,
    as_of: Timestamp,
    classes: Classes,
    found: Arc<(Mutex<Found>, Condvar)>,
}

impl Samples {
    /// Values of `snapshot`, as of an instant, of the columns that `classes` let be shown.
    pub fn of(snapshot: Arc<Snapshot>, catalog: Catalog, as_of: Timestamp, classes: Classes) -> Self {
        Self { snapshot, catalog: Arc::new(catalog), as_of, classes, found: Arc::default() }
    }

    fn is_shown(&self, table: &str, column: &str) -> bool {
        let schema = self.snapshot.schema(table);
        let column = schema.and_then(|schema| schema.columns.iter().find(|known| known.name == column));
        column.is_some_and(|column| self.classes.shows(table, column))
    }

    fn look_up(&self, place: (String, String)) {
        let (snapshot, catalog, as_of) = (Arc::clone(&self.snapshot), Arc::clone(&self.catalog), self.as_of);
        let found = Arc::clone(&self.found);
        let work = move || {
            // Nobody waits for values that cannot be had.
            let values = values(snapshot, &catalog, as_of, &place).unwrap_or_default();
            held(&found.0).insert(place, Some(values));
            found.1.notify_all();
        };
        // Without a thread there are no values, and nothing else is missing.
        drop(thread::Builder::new().name("samples".to_owned()).spawn(work));
    }
}

impl Values for Samples {
    fn of(&self, table: &str, column: &str) -> Vec<String> {
        if !self.is_shown(table, column) {
            return Vec::new();
        }
        let place = (table.to_owned(), column.to_owned());
        let (found, changed) = &*self.found;
        let mut found = held(found);
        if !found.contains_key(&place) {
            found.insert(place.clone(), None);
            self.look_up(place.clone());
        }
        let is_missing = |found: &mut Found| found.get(&place).is_none_or(Option::is_none);
        let (found, _) = changed.wait_timeout_while(found, MOMENT, is_missing).unwrap_or_else(PoisonError::into_inner);
        found.get(&place).cloned().flatten().unwrap_or_default()
    }
}

fn held(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    // A value is put there whole or not at all.
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values of a column, the most frequent first; none of a column with many.
fn values(
    snapshot: Arc<Snapshot>,
    catalog: &Catalog,
    as_of: Timestamp,
    (table, column): &(String, String),
) -> anyhow::Result<Vec<String>> {
    let engine = Engine::new(LIMITS)?;
    let (table, column) = (quoted(table), quoted(column));
    let text = format!(
        "SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL
         GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT {}",
        FEW + 1
    );
    let Statement::Query { query, .. } = parse(&text)? else { unreachable!("a SELECT is a query") };
    let zone = catalog.workspace.time_zone;
    let answer = Evaluator::new(&engine, snapshot, zone, Definitions::default()).answer(&query, as_of)?;
    let mut values = Vec::new();
    for batch in &answer.batches {
        let texts = cast(batch.column(0), &DataType::Utf8)?;
        values.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    Ok(if values.len() > FEW { Vec::new() } else { values })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
