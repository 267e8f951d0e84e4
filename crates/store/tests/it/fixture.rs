//! A little shop in a temporary folder: three tables, loaded from rows written as text.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringViewArray};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use muster_catalog::{Catalog, ColumnType, Timestamp, parse};
use muster_state::{Mode, State};
use muster_store::{Batch, ColumnSchema, MIGRATIONS, PublishReport, Snapshot, SourceRecord, Store, TableInput};
use tempfile::TempDir;

pub const SHOP: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"

[tables.products]
source = "products.csv"
key = "sku"
lookup = { products = "lines.sku" }
"#;

pub struct Shop {
    pub dir: TempDir,
    pub state: State,
    pub store: Store,
    pub catalog: Catalog,
}

/// Column names with types, then rows; `-` is no value.
pub struct Rows<'a>(pub &'a [(&'a str, &'a str)], pub &'a [&'a str]);

impl Shop {
    pub fn open() -> Self {
        Self::with(SHOP)
    }

    pub fn with(catalog: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let catalog = parse("muster.toml", catalog).unwrap();
        let state = State::open(dir.path(), MIGRATIONS, Mode::Create).unwrap();
        let store = state.read(|tx| Store::open(dir.path(), tx)).unwrap();
        Self { dir, state, store, catalog }
    }

    /// Closes everything and opens it again, as the next process does.
    pub fn reopened(self) -> Self {
        let Self { dir, state, catalog, .. } = self;
        drop(state);
        let state = State::open(dir.path(), MIGRATIONS, Mode::Existing).unwrap();
        let store = state.read(|tx| Store::open(dir.path(), tx)).unwrap();
        Self { dir, state, store, catalog }
    }

    /// Loads one file per table.
    pub fn load(&self, tables: &[(&str, Rows)]) -> PublishReport {
        let inputs = tables.iter().map(|(table, rows)| input(table, &[rows])).collect();
        self.publish(inputs).unwrap()
    }

    pub fn publish(&self, inputs: Vec<TableInput>) -> Result<PublishReport, muster_store::Error> {
        let prepared = self.store.prepare(&self.catalog, inputs, Timestamp::from_micros(1))?;
        let report = prepared.report().clone();
        let sources: Vec<SourceRecord> = Vec::new();
        self.state.write(|tx| prepared.commit(tx, "{}", &sources))?;
        self.store.adopt(prepared);
        self.state.write(|tx| self.store.collect_garbage(tx))?;
        Ok(report)
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.store.snapshot().unwrap()
    }

    /// All rows of a table as texts, columns separated by blanks.
    pub fn rows(&self, table: &str, columns: &[&str]) -> Vec<String> {
        let snapshot = self.snapshot();
        let blocks = 0..snapshot.block_count(table);
        blocks.flat_map(|block| texts(&snapshot.scan(table, block, columns).unwrap())).collect()
    }
}

pub fn texts(columns: &[ArrayRef]) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let formatters: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| formatters.iter().map(|cell| cell.value(row).to_string()).collect::<Vec<_>>().join(" ");
    (0..columns[0].len()).map(row).collect()
}

/// Each of `files` is one file of the table.
pub fn input(table: &str, files: &[&Rows]) -> TableInput {
    let columns = files[0].0.iter().map(|(name, column_type)| ColumnSchema {
        name: (*name).to_owned(),
        column_type: column_type.parse().unwrap(),
        role: None,
    });
    let columns: Vec<ColumnSchema> = columns.collect();
    let batches = files.iter().enumerate().map(|(file, rows)| Batch { file, rows: batch(&columns, rows.1) });
    TableInput { table: table.to_owned(), batches: batches.collect(), columns }
}

fn batch(columns: &[ColumnSchema], rows: &[&str]) -> RecordBatch {
    let fields: Vec<Vec<&str>> = rows.iter().map(|row| row.split_whitespace().collect()).collect();
    let arrays = columns.iter().enumerate().map(|(place, column)| {
        let texts = fields.iter().map(|fields| Some(fields[place]).filter(|text| *text != "-"));
        (
            column.name.clone(),
            typed(&(Arc::new(texts.collect::<StringViewArray>()) as ArrayRef), column.column_type),
            true,
        )
    });
    RecordBatch::try_from_iter_with_nullable(arrays).unwrap()
}

fn typed(texts: &ArrayRef, column_type: ColumnType) -> ArrayRef {
    cast(texts, &column_type.arrow()).unwrap()
}
