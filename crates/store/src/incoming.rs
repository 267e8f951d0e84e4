//! Where the rows of a publish come from.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use muster_catalog::{Catalog, ColumnType, Table};

use crate::Error;
use crate::column::{absent, detached};
use crate::merge::Rows;
use crate::schema::{ColumnSchema, TableSchema};

/// Typed rows of one table, as they come out of its files.
#[derive(Debug, Clone)]
pub struct TableInput {
    /// The table.
    pub table: String,
    /// The columns of every batch, in order.
    pub columns: Vec<ColumnSchema>,
    /// The rows, in the order of the files.
    pub batches: Vec<Batch>,
}

/// Rows of one file.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The place of the file among those of the load; never falls from one batch to the next.
    pub file: usize,
    /// Its rows, in the Arrow types of the columns' types.
    pub rows: RecordBatch,
}

/// Where the rows of a publish come from.
///
/// Each table is asked for once, parents before children, and let go of before the next: rows that wait would fill the
/// memory. Only tables that make their missing parents are asked for before these.
pub trait Incoming {
    /// The rows of a table; `None` where nothing comes.
    ///
    /// # Errors
    /// Whatever keeps the rows from coming; the publish ends with it.
    fn rows(&mut self, table: &str) -> Result<Option<TableInput>, Box<dyn std::error::Error + Send + Sync>>;
}

/// Rows that are all there already.
#[derive(Debug)]
pub(crate) struct Ready(BTreeMap<String, TableInput>);

impl Ready {
    pub(crate) fn of(inputs: Vec<TableInput>) -> Self {
        Self(inputs.into_iter().map(|input| (input.table.clone(), input)).collect())
    }
}

impl Incoming for Ready {
    fn rows(&mut self, table: &str) -> Result<Option<TableInput>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.remove(table))
    }
}

/// The columns of a table of which no file was read: those with a declared type, and those that relate its rows.
pub(crate) fn declared_columns(table: &Table) -> Vec<ColumnSchema> {
    let typed = |name: &str, column_type| ColumnSchema {
        name: name.to_owned(),
        column_type,
        role: table.column(name).and_then(|column| column.role.clone()),
    };
    let declared = table.columns.iter().filter_map(|column| Some(typed(&column.name, column.column_type?)));
    let mut columns: Vec<ColumnSchema> = declared.collect();
    let references = [table.key.as_deref(), table.on()].into_iter().flatten().map(|name| typed(name, ColumnType::Id));
    let instants = [table.time.as_deref(), table.created_at.as_deref()].into_iter().flatten();
    for column in references.chain(instants.map(|name| typed(name, ColumnType::Timestamp))) {
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    columns
}

/// The stored columns, then those that the files have and the store had not.
pub(crate) fn grown_schema(
    catalog: &Catalog,
    table: &Table,
    stored: Option<&TableSchema>,
    incoming: &TableInput,
) -> Result<TableSchema, Error> {
    let mut columns: Vec<ColumnSchema> = Vec::new();
    for column in stored.into_iter().flat_map(|stored| &stored.columns) {
        let Some(found) = incoming.columns.iter().find(|incoming| incoming.name == column.name) else {
            return Err(Error::ColumnVanished { table: table.name.clone(), column: column.name.clone() });
        };
        if found.column_type != column.column_type {
            return Err(Error::TypeChanged {
                table: table.name.clone(),
                column: column.name.clone(),
                stored: column.column_type.to_string(),
                incoming: found.column_type.to_string(),
            });
        }
        columns.push(found.clone());
    }
    let known: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    columns.extend(incoming.columns.iter().filter(|column| !known.contains(&column.name)).cloned());
    Ok(TableSchema::new(catalog, table, columns))
}

/// The incoming rows with their columns in the order of the schema, and for each file where its rows end.
pub(crate) fn in_order(schema: &TableSchema, incoming: TableInput) -> Result<(Rows, Vec<usize>), Error> {
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut parts = Vec::with_capacity(incoming.batches.len());
    let mut count = 0;
    for Batch { file, rows } in incoming.batches {
        count += rows.num_rows();
        ends.insert(file, count);
        let column = |column: &ColumnSchema| {
            let found = rows.column_by_name(&column.name);
            found.map_or_else(|| absent(column.column_type, rows.num_rows()), detached)
        };
        parts.push(Rows { columns: schema.columns.iter().map(column).collect(), count: rows.num_rows() });
    }
    let mut rows = Rows::joined(parts)?;
    if rows.columns.is_empty() {
        rows = Rows::none(schema);
    }
    Ok((rows, ends.into_values().collect()))
}
