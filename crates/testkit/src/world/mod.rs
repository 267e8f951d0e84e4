//! A small world in plain values: a catalog, the rows of its tables, what their fields were, and the named conditions.
//!
//! It is what the interpreter reads. Nothing is indexed and nothing is typed beyond [`Value`]; whoever makes a world may
//! do so by hand ([`World::add`]) or fill [`Rows`] from anywhere.

mod value;
pub use value::Value;
pub(crate) use value::{power_of_ten, rounded};

use std::collections::BTreeMap;

use muster_catalog::{Catalog, ColumnType, Table, Timestamp, parse_local};

/// Everything that a query can see.
#[derive(Debug, Clone)]
pub struct World {
    /// The tables, the zone, the relations.
    pub catalog: Catalog,
    /// The rows of each table, by its name; of a list (`lists.staff`) too.
    pub tables: BTreeMap<String, Rows>,
    /// What fields were before they changed.
    pub changes: Vec<Change>,
    /// The definitions of the segments, by name: `SELECT …` or `WHERE …`.
    pub segments: BTreeMap<String, String>,
    /// The expressions of the variables, by name: columns of profiles.
    pub variables: BTreeMap<String, String>,
}

/// The rows of a table, as they are today.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Its columns in catalog order.
    pub columns: Vec<(String, ColumnType)>,
    /// The rows, in no order; each has a value per column.
    pub rows: Vec<Vec<Value>>,
}

/// A field of a keyed row had another value before an instant.
#[derive(Debug, Clone)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The key of the row, part by part.
    pub key: Vec<Value>,
    /// The column.
    pub field: String,
    /// Its value before.
    pub old: Value,
    /// From when on it has the next value.
    pub at: Timestamp,
}

impl World {
    /// A world of this catalog without rows. Columns are those that the catalog declares; a column without a type is
    /// text.
    pub fn new(catalog: Catalog) -> Self {
        let rows = |table: &Table| {
            let column_type = |column: &muster_catalog::Column| column.column_type.unwrap_or(ColumnType::Text);
            let columns = table.columns.iter().map(|column| (column.name.clone(), column_type(column))).collect();
            (table.name.clone(), Rows { columns, rows: Vec::new() })
        };
        let tables = catalog.tables.iter().map(rows).collect();
        Self { catalog, tables, changes: Vec::new(), segments: BTreeMap::new(), variables: BTreeMap::new() }
    }

    /// Adds rows to a table, a line each, fields between `|` in the order of the columns; `-` is NULL, and blanks around
    /// a field do not count. An instant without zone is one of the workspace's.
    ///
    /// # Panics
    /// If the table, the number of fields or a value is not what the catalog says: the world of a test must not be
    /// another than the one that is read.
    pub fn add(&mut self, table: &str, lines: &str) {
        let zone = self.catalog.workspace.time_zone;
        let rows = self.tables.get_mut(table).unwrap_or_else(|| panic!("there is no table `{table}`"));
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            assert_eq!(fields.len(), rows.columns.len(), "fields of `{table}` in: {line}");
            let value = |(field, (name, column_type)): (&&str, &(String, ColumnType))| match *field {
                "-" => Value::Null,
                text => Value::read(text, *column_type, zone)
                    .unwrap_or_else(|| panic!("`{table}.{name}` is {column_type}, and no \"{text}\"")),
            };
            rows.rows.push(fields.iter().zip(&rows.columns).map(value).collect());
        }
    }

    /// Says that a field of the row with this key was `old` (`-` for NULL) until the instant `at`.
    ///
    /// # Panics
    /// As [`World::add`].
    pub fn change(&mut self, table: &str, key: &str, field: &str, old: &str, at: &str) {
        let zone = self.catalog.workspace.time_zone;
        let columns = &self.tables[table].columns;
        let column = columns.iter().find(|(name, _)| name == field);
        let (_, column_type) = column.unwrap_or_else(|| panic!("`{table}` has no column `{field}`"));
        let old = if old == "-" { Some(Value::Null) } else { Value::read(old, *column_type, zone) };
        self.changes.push(Change {
            table: table.to_owned(),
            key: vec![Value::text(key)],
            field: field.to_owned(),
            old: old.unwrap_or_else(|| panic!("`{table}.{field}` cannot have been that")),
            at: parse_local(at, zone).unwrap_or_else(|error| panic!("{at}: {error}")),
        });
    }

    /// Keeps a segment under its name.
    pub fn segment(&mut self, name: &str, definition: &str) {
        self.segments.insert(name.to_owned(), definition.to_owned());
    }

    /// The rows of the table at this place of the catalog.
    pub(crate) fn rows(&self, table: usize) -> &Rows {
        &self.tables[&self.catalog.tables[table].name]
    }

    /// The place of a column in the rows of a table.
    pub(crate) fn column(&self, table: usize, name: &str) -> Option<usize> {
        self.rows(table).columns.iter().position(|(column, _)| column == name)
    }

    /// The table above.
    pub(crate) fn parent(&self, table: usize) -> Option<usize> {
        let parent = self.catalog.tables[table].parent()?;
        self.catalog.tables.iter().position(|table| table.name == parent)
    }

    /// The table itself and those above it, up to the root.
    pub(crate) fn chain(&self, table: usize) -> Vec<usize> {
        std::iter::successors(Some(table), |below| self.parent(*below)).collect()
    }

    /// Whether rows of `below` stand below rows of `above`.
    pub(crate) fn is_below(&self, below: usize, above: usize) -> bool {
        below != above && self.chain(below).contains(&above)
    }
}
