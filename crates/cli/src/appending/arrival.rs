//! A batch that was read: its rows, and what is answered to whoever sent it.

use std::collections::HashSet;
use std::io;

use muster_ingest::{Observer, Reject, TableLoad};
use muster_server::{Appended, Batch, RejectedRow};
use serde_json::{Map, Value};

use super::columns::Columns;

/// A batch that was read.
pub struct Arrival {
    /// Its rows.
    pub load: TableLoad,
    /// The answer so far.
    pub answer: Appended,
    /// Rows that the store refused.
    pub parentless: u64,
}

/// Collects every reject, by the place of its row.
#[derive(Default)]
pub struct Watch {
    rejected: Vec<RejectedRow>,
}

impl Observer for Watch {
    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        // Line 1 names the columns and is no row; line 2 is row 0.
        let Some(row) = reject.line.checked_sub(2) else { return Ok(()) };
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
        let filtered: u64 = load.report.filtered.iter().map(|part| part.rows).sum();
        let left_out = filtered - u64::from(columns.names_fail_at().is_some());
        let rejected = self.rejected;
        let committed = load.report.read - 1 - left_out - rejected.len() as u64;
        let answer = Appended { committed, filtered: left_out, rejected, snapshot: None };
        Arrival { load, answer, parentless: 0 }
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
