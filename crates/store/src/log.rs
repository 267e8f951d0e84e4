//! The log of record: rows that are true before any file has them, as Arrow streams in the state file.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, FieldRef, Schema};
use arrow_select::concat::concat_batches;
use muster_catalog::{Catalog, Timestamp};

use crate::catalogue::LogEntry;
use crate::incoming::{Batch, TableInput};
use crate::schema::{ColumnSchema, TableSchema};
use crate::{Error, Snapshot};

/// The entries that these inputs make, one per file, numbered from behind `applied`.
pub(crate) fn entries(
    inputs: &[TableInput],
    applied: i64,
    snapshot: u64,
    at: Timestamp,
) -> Result<Vec<LogEntry>, Error> {
    let files = inputs
        .iter()
        .flat_map(|input| input.batches.chunk_by(|a, b| a.file == b.file).map(move |batches| (input, batches)));
    let entry = |(seq, (input, batches)): (i64, (&TableInput, &[Batch]))| {
        let rows = concat_batches(&batches[0].rows.schema(), batches.iter().map(|batch| &batch.rows))?;
        Ok(LogEntry { seq, snapshot, at, table: input.table.clone(), rows: written(&typed(&rows, input)?)? })
    };
    (applied + 1..).zip(files).map(entry).collect()
}

/// The rows, with their columns saying which type they have: a table may get its columns from them.
fn typed(rows: &RecordBatch, input: &TableInput) -> Result<RecordBatch, Error> {
    let typed = |field: &FieldRef| {
        let column = input.columns.iter().find(|column| column.name == *field.name());
        let said = column.map(|column| (TYPE.to_owned(), column.column_type.to_string()));
        field.as_ref().clone().with_metadata(said.into_iter().collect())
    };
    let fields: Vec<Field> = rows.schema().fields().iter().map(typed).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), rows.columns().to_vec())?)
}

/// What a group of entries brings in. Every entry counts as a file of its own, so that the later of two rows wins.
pub(crate) fn inputs(catalog: &Catalog, before: &Snapshot, group: &[LogEntry]) -> Result<Vec<TableInput>, Error> {
    let mut inputs: Vec<TableInput> = Vec::new();
    for entry in group.iter().filter(|entry| catalog.table(&entry.table).is_some()) {
        let rows = read(&entry.rows)?;
        let input = match inputs.iter_mut().find(|input| input.table == entry.table) {
            Some(input) => input,
            None => {
                let columns = columns(catalog, before.schema(&entry.table), &entry.table, &rows)?;
                inputs.push(TableInput { table: entry.table.clone(), columns, batches: Vec::new() });
                inputs.last_mut().expect("it was just put there")
            }
        };
        input.batches.push(Batch { file: input.batches.len(), rows });
    }
    Ok(inputs)
}

/// The columns of a batch with what the table says of them; one that it does not know yet comes with the batch.
fn columns(
    catalog: &Catalog,
    known: Option<&TableSchema>,
    table: &str,
    rows: &RecordBatch,
) -> Result<Vec<ColumnSchema>, Error> {
    let column = |field: &FieldRef| {
        let known = known.and_then(|known| known.columns.iter().find(|column| column.name == *field.name()));
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let column_type = field.metadata().get(TYPE).and_then(|text| text.parse().ok());
        let column_type =
            column_type.ok_or_else(|| Error::Catalogue { what: format!("the log has no type of {}", field.name()) })?;
        let declared = catalog.table(table).and_then(|table| table.column(field.name()));
        let role = declared.and_then(|column| column.role.clone());
        Ok(ColumnSchema { name: field.name().clone(), column_type, role })
    };
    rows.schema().fields().iter().map(column).collect()
}

/// Where a field says which type its column has.
const TYPE: &str = "muster.type";

fn written(rows: &RecordBatch) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &rows.schema())?;
    writer.write(rows)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

pub(crate) fn read(bytes: &[u8]) -> Result<RecordBatch, Error> {
    let mut reader = StreamReader::try_new(Cursor::new(bytes), None)?;
    let unreadable = || ArrowError::IpcError("an entry of the log has no rows".to_owned());
    Ok(reader.next().ok_or_else(unreadable)??)
}
