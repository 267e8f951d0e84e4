//! A block as it stands in memory, for who computes over its places: columns no wider than they are kept, and where the rows
//! of each parent begin. The places of deleted profiles are among them.

use std::sync::Arc;

use arrow_array::{StringViewArray, UInt32Array};

use crate::Error;
use crate::column::ColumnData;
use crate::published::PublishedTable;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Whether it is a view of the past in which fields may differ from how rows were laid out.
    pub fn is_past(&self) -> bool {
        self.past.is_some()
    }

    /// How many places a block of a table has.
    pub fn place_count(&self, table: &str, block: usize) -> usize {
        self.table(table).map_or(0, |table| table.rows_in(block))
    }

    /// The number of the row at the first place of a block.
    ///
    /// # Panics
    /// If the table has no such block: names are resolved before.
    pub fn first_row(&self, table: &str, block: usize) -> i64 {
        self.named(table).first_rows[block]
    }

    /// Of profiles: the places of a block that hold one; `None` where all do.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If there is no such table: names are resolved before.
    pub fn living_places(&self, table: &str, block: usize) -> Result<Option<UInt32Array>, Error> {
        self.named(table).living(block)
    }

    /// Of profiles: whether a place of a block holds one.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If there is no such table or place: names are resolved before.
    pub fn is_living(&self, table: &str, block: usize, place: usize) -> Result<bool, Error> {
        self.named(table).is_living(block, place)
    }

    /// A column of the table itself for every place of a block.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If the table has no such block or column: names are resolved before.
    pub fn packed(&self, table: &str, block: usize, column: &str) -> Result<Arc<ColumnData>, Error> {
        let table = self.named(table);
        let schema = &table.manifest.schema;
        let place = schema.position(column).expect("a resolved query names only columns of the table");
        if self.past.is_none()
            && schema.on_position() != Some(place)
            && let Some(packed) = table.column(block, place)?
        {
            return Ok(packed);
        }
        Ok(Arc::new(ColumnData::Plain(self.own_column(table, block, column)?)))
    }

    /// The texts that the codes of a column mean, in every block; `None` where it has no codes.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If there is no such table: names are resolved before.
    pub fn texts(&self, table: &str, column: &str) -> Result<Option<Arc<StringViewArray>>, Error> {
        let table = self.named(table);
        match table.manifest.schema.position(column) {
            Some(place) if self.past.is_none() => table.dictionary(place),
            _ => Ok(None),
        }
    }

    /// Of a history: for each place of a block that of its parent's row.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If there is no such history: names are resolved before.
    pub fn parent_places(&self, table: &str, block: usize) -> Result<UInt32Array, Error> {
        let table = self.named(table);
        table.parents(block, self.parent_of(table))
    }

    /// Of a history: for each place of its parent in a block where the rows below it begin, and one more for the end.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If there is no such history: names are resolved before.
    pub fn offsets(&self, table: &str, block: usize) -> Result<Arc<[u32]>, Error> {
        let table = self.named(table);
        table.offsets(block, self.parent_of(table))
    }

    /// The column that says when rows of a table are, where one of its own does.
    pub fn time_column(&self, table: &str) -> Option<&str> {
        self.named(table).own_time()
    }

    fn named(&self, table: &str) -> &PublishedTable {
        self.table(table).expect("a resolved query names only published tables")
    }
}
