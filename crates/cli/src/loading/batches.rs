//! What was read, as the store takes it: rows with the file that they came from, and the files themselves.

use arrow_array::RecordBatch;
use muster_catalog::ColumnNames;
use muster_ingest::{FileReport, Report, TableLoad};
use muster_store::{Batch, ColumnSchema, SourceRecord, TableInput};

use super::files::Work;

/// The files that went into a table, to know them again.
pub(super) fn source_records(work: &Work<'_>, report: &Report) -> Vec<SourceRecord> {
    let record = |file: &FileReport| SourceRecord {
        table: work.table.name.clone(),
        name: file.name.clone(),
        digest: file.digest.to_string(),
        definition: work.definition.clone(),
        bytes: file.bytes,
    };
    report.files.iter().map(record).collect()
}

/// The rows for the store; `vanished` are columns that it has and the files have not: nothing stands in them.
pub(super) fn input(load: TableLoad, vanished: Vec<ColumnNames>) -> (TableInput, Report) {
    let TableLoad { table, columns, batches, report, .. } = load;
    let columns = columns.into_iter().chain(vanished).map(|column| ColumnSchema {
        name: column.name,
        column_type: column.column_type,
        role: column.role,
    });
    let batches = by_file(batches, &report);
    (TableInput { table, columns: columns.collect(), batches }, report)
}

/// Cuts the rows where a file ends. Of a flat file's merged rows nobody asks any more which file they came from.
fn by_file(batches: Vec<RecordBatch>, report: &Report) -> Vec<Batch> {
    let rows_of = |file: &FileReport| (file.read - file.filtered - file.rejected) as usize;
    let mut left: Vec<usize> = report.files.iter().map(rows_of).collect();
    if report.merged > 0 {
        return batches.into_iter().map(|rows| Batch { file: 0, rows }).collect();
    }
    let mut cut = Vec::with_capacity(batches.len());
    let mut file = 0;
    for batch in batches {
        let mut start = 0;
        while start < batch.num_rows() {
            while file + 1 < left.len() && left[file] == 0 {
                file += 1;
            }
            let count = (batch.num_rows() - start).min(left[file]).max(1);
            cut.push(Batch { file, rows: batch.slice(start, count) });
            left[file] = left[file].saturating_sub(count);
            start += count;
        }
    }
    cut
}
