//! A batch that was read: its rows, and what is answered to whoever sent it.

use std::collections::{BTreeMap, HashSet};
use std::io;

use muster_ingest::{Observer, Reject, TableLoad};
use muster_server::{Appended, Batch, Refusal, RejectedRow};
use muster_store::PublishReport;
use serde_json::{Map, Value};

use super::columns::Columns;
use crate::loading::TableReport;

/// A batch that was read.
pub struct Arrival {
    /// Its rows.
    pub load: TableLoad,
    /// The answer so far.
    pub answer: Appended,
    /// Rows that the store refused.
    pub parentless: u64,
    /// Rejects by kind, without those.
    kinds: BTreeMap<String, u64>,
    /// Rows that each condition left out.
    filtered: Vec<(String, u64)>,
}

/// Collects every reject, by the place of its row.
#[derive(Default)]
pub struct Watch {
    rejected: Vec<RejectedRow>,
    kinds: BTreeMap<String, u64>,
}

impl Observer for Watch {
    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        // Line 1 names the columns and is no row; line 2 is row 0.
        let Some(row) = reject.line.checked_sub(2) else { return Ok(()) };
        *self.kinds.entry(reject.reason.kind()).or_default() += 1;
        self.rejected.push(RejectedRow {
            row,
            column: reject.column.clone(),
            value: Some(reject.value.clone()),
            reason: reject.reason.to_string(),
            hint: reject.hint(),
        });
        Ok(())
    }
}

impl Watch {
    /// What was read of a batch, the line with the names not counted.
    pub fn arrival(self, columns: &Columns, load: TableLoad) -> Arrival {
        let mut filtered: Vec<(String, u64)> =
            load.report.filtered.iter().map(|part| (part.condition.clone(), part.rows)).collect();
        if let Some(condition) = columns.names_fail_at() {
            filtered[condition].1 -= 1;
        }
        let left_out = filtered.iter().map(|(_, rows)| rows).sum();
        let rejected = self.rejected;
        let committed = load.report.read - 1 - left_out - rejected.len() as u64;
        let answer = Appended { committed, filtered: left_out, rejected, snapshot: None };
        Arrival { load, answer, parentless: 0, kinds: self.kinds, filtered }
    }
}

impl Arrival {
    /// Turns the rows whose `on` says `key` from committed into rejected ones.
    pub fn reject_parent(&mut self, batch: &Batch, on: &str, key: &str, reason: &str) {
        let answer = &mut self.answer;
        let known: HashSet<u64> = answer.rejected.iter().map(|rejected| rejected.row).collect();
        let found = (0..).zip(batch.rows()).filter(|(place, row)| !known.contains(place) && says(row, on, key));
        for (row, _) in found {
            let (column, value) = (Some(on.to_owned()), Some(key.to_owned()));
            answer.rejected.push(RejectedRow { row, column, value, reason: reason.to_owned(), hint: None });
            answer.committed -= 1;
            self.parentless += 1;
        }
        answer.rejected.sort_by_key(|rejected| rejected.row);
    }

    fn add_to(&self, report: &mut TableReport) {
        let Self { answer, kinds, filtered, .. } = self;
        report.read += answer.committed + answer.filtered + answer.rejected.len() as u64;
        kinds.iter().for_each(|(kind, rows)| *report.rejected.entry(kind.clone()).or_default() += rows);
        if report.filtered.is_empty() {
            report.filtered.clone_from(filtered);
        } else {
            report.filtered.iter_mut().zip(filtered).for_each(|((_, sum), (_, rows))| *sum += rows);
        }
    }
}

/// What is kept of batches beside the loads, table by table.
pub fn reports(arrivals: &[Result<Arrival, Refusal>], stored: &PublishReport) -> Vec<TableReport> {
    let mut reports: BTreeMap<&str, TableReport> = BTreeMap::new();
    for arrival in arrivals.iter().flatten() {
        let table = arrival.load.table.as_str();
        let report = reports.entry(table).or_insert_with(|| TableReport {
            table: table.to_owned(),
            stored: stored.tables.get(table).cloned().unwrap_or_default(),
            ..TableReport::default()
        });
        arrival.add_to(report);
    }
    reports.into_values().collect()
}

/// Whether a row has this value in a column, as a text or a number.
fn says(row: &str, column: &str, value: &str) -> bool {
    let row: Map<String, Value> = serde_json::from_str(row).unwrap_or_default();
    match row.get(column) {
        Some(Value::String(text)) => text.trim() == value,
        Some(Value::Number(number)) => number.to_string().as_str() == value,
        _ => false,
    }
}
