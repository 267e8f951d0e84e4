//! One table's rows in one block: a file, of which a column is read when it is first asked for.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, StringViewArray, UInt32Array};
use muster_catalog::ColumnType;

use crate::Error;
use crate::column::ColumnData;
use crate::disk::{PARENT_COLUMN, read_column};

/// The rows of one table in one block.
#[derive(Debug)]
pub(crate) struct BlockTable {
    path: PathBuf,
    rows: usize,
    columns: Vec<OnceLock<Arc<ColumnData>>>,
    parents: OnceLock<UInt32Array>,
}

impl BlockTable {
    pub(crate) fn new(path: PathBuf, rows: usize, columns: usize) -> Self {
        let columns = std::iter::repeat_with(OnceLock::new).take(columns).collect();
        Self { path, rows, columns, parents: OnceLock::new() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The column at `place`, called `name` in the file.
    pub(crate) fn column(
        &self,
        place: usize,
        name: &str,
        column_type: ColumnType,
        dictionary: Option<&Arc<StringViewArray>>,
    ) -> Result<Arc<ColumnData>, Error> {
        if let Some(known) = self.columns[place].get() {
            return Ok(Arc::clone(known));
        }
        let stored = read_column(&self.path, name, self.rows)?;
        let stored = at_border(stored, column_type, dictionary.is_some())?;
        let packed = Arc::new(ColumnData::pack(column_type, &stored, dictionary));
        Ok(Arc::clone(self.columns[place].get_or_init(|| packed)))
    }

    /// For each row the place of its parent among the parents of the block.
    pub(crate) fn parents(&self) -> Result<&UInt32Array, Error> {
        if let Some(known) = self.parents.get() {
            return Ok(known);
        }
        let stored = read_column(&self.path, PARENT_COLUMN, self.rows)?;
        let parents = stored.as_primitive_opt::<UInt32Type>();
        let parents = parents.ok_or_else(|| Error::damaged(&self.path, "its parents are no row numbers"))?.clone();
        Ok(self.parents.get_or_init(|| parents))
    }
}

/// Parquet gives back the Arrow type that was written; codes are what the dictionary makes of them.
fn at_border(stored: ArrayRef, column_type: ColumnType, coded: bool) -> Result<ArrayRef, Error> {
    let wanted = column_type.arrow();
    if coded || *stored.data_type() == wanted { Ok(stored) } else { Ok(arrow_cast::cast(&stored, &wanted)?) }
}
