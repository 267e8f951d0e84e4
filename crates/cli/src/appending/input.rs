//! Rows of many batches as the store takes them.

use std::collections::HashSet;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use muster_catalog::Table;
use muster_ingest::TableLoad;
use muster_server::Refusal;
use muster_store::{Batch, ColumnSchema, TableInput};

use super::arrival::Arrival;

/// All rows, by table.
pub fn inputs(tables: &[Table], arrivals: &[Result<Arrival, Refusal>]) -> Vec<TableInput> {
    let input = |table: &Table| {
        let arrivals = arrivals.iter().flatten().filter(|arrival| arrival.load.table == table.name);
        let loads: Vec<&TableLoad> =
            arrivals.map(|arrival| &arrival.load).filter(|load| load.report.rows > 0).collect();
        let columns = loads.first()?.columns.iter().map(|column| ColumnSchema {
            name: column.name.clone(),
            column_type: column.column_type,
            role: column.role.clone(),
        });
        Some(TableInput { table: table.name.clone(), columns: columns.collect(), batches: runs(table, &loads) })
    };
    tables.iter().filter_map(input).collect()
}

/// The rows, cut wherever a key comes again: to the store each run is a file of its own, so that the later row wins.
/// Equal rows without a key count as often as they are in one batch.
fn runs(table: &Table, loads: &[&TableLoad]) -> Vec<Batch> {
    let mut cut = Vec::new();
    let mut file = 0;
    let mut seen: HashSet<String> = HashSet::new();
    for load in loads {
        for rows in &load.batches {
            let keys = table.key.as_deref().and_then(|key| rows.column_by_name(key)).map(|keys| keys.as_string_view());
            let Some(keys) = keys else {
                cut.push(Batch { file, rows: rows.clone() });
                continue;
            };
            let mut start = 0;
            for row in 0..rows.num_rows() {
                if keys.is_valid(row) && !seen.insert(keys.value(row).to_owned()) {
                    push_run(&mut cut, file, rows, start..row);
                    (start, file) = (row, file + 1);
                    seen = [keys.value(row).to_owned()].into();
                }
            }
            push_run(&mut cut, file, rows, start..rows.num_rows());
        }
        // Rows without a key are counted batch by batch.
        file += usize::from(table.key.is_none());
    }
    cut
}

fn push_run(cut: &mut Vec<Batch>, file: usize, rows: &RecordBatch, run: Range<usize>) {
    if !run.is_empty() {
        cut.push(Batch { file, rows: rows.slice(run.start, run.len()) });
    }
}
