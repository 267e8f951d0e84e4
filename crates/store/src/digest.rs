//! What a snapshot says, as one number per table: the same however it came to be.

use arrow_array::Array;
use arrow_row::{RowConverter, SortField};
use sha2::{Digest, Sha256};

use crate::files::hexadecimal;
use crate::merge::Rows;
use crate::{Error, Snapshot};

impl Snapshot {
    /// SHA-256 over the rows of a table in the order of their content, in hexadecimal; rows that wait for their parent
    /// count, too. Neither load times nor the order of loads nor the places of rows are in it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn digest(&self, table: &str) -> Result<String, Error> {
        let rows = self.living_rows(table)?;
        let mut digests = row_digests(&rows)?;
        digests.sort_unstable();
        let mut digest = Sha256::new();
        digests.iter().for_each(|row| digest.update(row));
        Ok(hexadecimal(&digest.finalize()))
    }

    fn living_rows(&self, table: &str) -> Result<Rows, Error> {
        let rows = self.rows(table)?;
        let key = self.schema(table).and_then(crate::TableSchema::key_position);
        let Some(key) = key.filter(|key| rows.columns[*key].null_count() > 0) else { return Ok(rows) };
        let living = (0..rows.count as u32).filter(|row| rows.columns[key].is_valid(*row as usize)).collect::<Vec<_>>();
        Ok(rows.take(living.into_iter())?)
    }
}

/// SHA-256 of each row. Columns go in by name, so that their order does not matter.
fn row_digests(rows: &Rows) -> Result<Vec<[u8; 32]>, Error> {
    let fields = rows.columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let contents = RowConverter::new(fields)?.convert_columns(&rows.columns)?;
    Ok(contents.iter().map(|row| Sha256::digest(row.as_ref()).into()).collect())
}
