//! One table's rows in one block: a file, of which a column is read when it is first asked for.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_schema::DataType;
use muster_catalog::ColumnType;

use crate::Error;
use crate::column::{ColumnData, absent, detached};
use crate::files::{ColumnFile, PARENT_COLUMN, TextBounds};
use crate::keys::KeyIndex;
use crate::published::counted_up;
use crate::schema::ColumnSchema;

/// The rows of one table in one block, as its file has them. Snapshots share it.
#[derive(Debug)]
pub(crate) struct BlockTable {
    file: ColumnFile,
    columns: Vec<OnceLock<Arc<ColumnData>>>,
    parents: OnceLock<UInt32Array>,
    offsets: OnceLock<Arc<[u32]>>,
    by_key: OnceLock<KeyIndex>,
}

impl BlockTable {
    pub(crate) fn new(file: ColumnFile, columns: usize) -> Self {
        let columns = std::iter::repeat_with(OnceLock::new).take(columns).collect();
        Self { file, columns, parents: OnceLock::new(), offsets: OnceLock::new(), by_key: OnceLock::new() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.file.rows()
    }

    /// The column at `place`, kept from then on.
    pub(crate) fn column(
        &self,
        place: usize,
        column: &ColumnSchema,
        dictionary: Option<&Arc<StringViewArray>>,
    ) -> Result<Arc<ColumnData>, Error> {
        // A table that got a column later shares its old blocks, which have no place for it.
        let Some(kept) = self.columns.get(place) else {
            return Ok(Arc::new(ColumnData::Plain(absent(column.column_type, self.rows()))));
        };
        if let Some(known) = kept.get() {
            return Ok(Arc::clone(known));
        }
        let packed = Arc::new(packed(column.column_type, detached(&self.read(column)?), dictionary)?);
        Ok(Arc::clone(kept.get_or_init(|| packed)))
    }

    /// The values at these places, which ascend, as they are at the border; what stands between them is not unpacked, and
    /// nothing is kept. `texts` are those of the files.
    pub(crate) fn values_at(
        &self,
        place: usize,
        column: &ColumnSchema,
        texts: Option<&Arc<StringViewArray>>,
        places: &[u32],
    ) -> Result<ArrayRef, Error> {
        if places.is_empty() {
            return Ok(absent(column.column_type, 0));
        }
        if self.is_kept(place) {
            return Ok(self.column(place, column, texts)?.taken(&places.to_vec().into())?);
        }
        let found = self.file.rows_if_there(&column.name, places)?;
        let found = found.unwrap_or_else(|| absent(column.column_type, places.len()));
        // The pages around a few rows would stay with them.
        let found = found.as_string_view_opt().map(|texts| Arc::new(texts.gc()) as ArrayRef).unwrap_or(found);
        Ok(packed(column.column_type, found, texts)?.arrow()?)
    }

    /// Whether the column at `place` need not be read any more.
    pub(crate) fn is_kept(&self, place: usize) -> bool {
        self.columns.get(place).is_none_or(|kept| kept.get().is_some())
    }

    /// Calls `visit` with the texts of a column without codes, some rows at a time; nothing is kept.
    pub(crate) fn each_piece(
        &self,
        column: &ColumnSchema,
        mut visit: impl FnMut(&StringViewArray),
    ) -> Result<(), Error> {
        self.file.each_piece(&column.name, |piece| {
            visit(at_border(piece, column.column_type, false)?.as_string_view());
            Ok(())
        })
    }

    /// Between what the texts of a column stand, if its file says it.
    pub(crate) fn text_bounds(&self, column: &ColumnSchema) -> Result<Option<TextBounds>, Error> {
        self.file.text_bounds(&column.name)
    }

    /// Its rows by their keys, `keys` being the column of them; made once, for who looks often.
    pub(crate) fn by_key(&self, keys: &StringViewArray) -> &KeyIndex {
        self.by_key.get_or_init(|| KeyIndex::of(keys))
    }

    /// Whether somebody has looked for keys often.
    pub(crate) fn has_index(&self) -> bool {
        self.by_key.get().is_some()
    }

    fn read(&self, column: &ColumnSchema) -> Result<ArrayRef, Error> {
        let found = self.file.column_if_there(&column.name)?;
        Ok(found.unwrap_or_else(|| absent(column.column_type, self.rows())))
    }

    /// For each row the place of its parent among the parents of the block, as they stood when the file was written.
    pub(crate) fn parents(&self) -> Result<&UInt32Array, Error> {
        if let Some(known) = self.parents.get() {
            return Ok(known);
        }
        let stored = self.file.column(PARENT_COLUMN)?;
        let parents = self.row_numbers(&stored)?.clone();
        Ok(self.parents.get_or_init(|| parents))
    }
}

impl BlockTable {
    /// Where the rows of each parent begin, as they stood when the file was written; behind the last that has any, the end.
    pub(crate) fn offsets(&self) -> Result<&Arc<[u32]>, Error> {
        if let Some(known) = self.offsets.get() {
            return Ok(known);
        }
        let offsets = match self.parents.get() {
            Some(parents) => counted_up(parents.values(), parents.values().last().map_or(0, |last| *last as usize + 1)),
            None => self.counted_piecewise()?,
        };
        Ok(self.offsets.get_or_init(|| offsets))
    }

    /// The offsets, without a number for each row in memory.
    fn counted_piecewise(&self) -> Result<Arc<[u32]>, Error> {
        let mut offsets: Vec<u32> = Vec::new();
        let mut row = 0;
        self.file.each_piece(PARENT_COLUMN, |piece| {
            for parent in self.row_numbers(&piece)?.values() {
                // The rows of all parents before have begun; those without any begin where the next ones do.
                offsets.resize(offsets.len().max(*parent as usize + 1), row);
                row += 1;
            }
            Ok(())
        })?;
        if row as usize != self.rows() {
            return Err(self.file.damaged(format!("it tells the parents of {row} of its rows")));
        }
        offsets.push(row);
        Ok(offsets.into())
    }

    fn row_numbers<'a>(&self, stored: &'a ArrayRef) -> Result<&'a UInt32Array, Error> {
        stored.as_primitive_opt::<UInt32Type>().ok_or_else(|| self.file.damaged("its parents are no row numbers"))
    }

    /// The places of the rows below a parent, by its place when the file was written.
    pub(crate) fn family(&self, parent: u32) -> Result<Range<u32>, Error> {
        let offsets = self.offsets()?;
        let begin = |parent: usize| offsets.get(parent).or(offsets.last()).copied().unwrap_or_default();
        Ok(begin(parent as usize)..begin((parent as usize).saturating_add(1)))
    }

    /// The parent of the row at a place of the file; `None` past its end.
    pub(crate) fn parent_of(&self, place: u32) -> Result<Option<u32>, Error> {
        let begun = self.offsets()?.partition_point(|offset| *offset <= place);
        Ok((place < self.rows() as u32).then(|| begun as u32 - 1))
    }
}

/// Packs what a file holds: codes where it holds codes, else values.
pub(crate) fn packed(
    column_type: ColumnType,
    stored: ArrayRef,
    dictionary: Option<&Arc<StringViewArray>>,
) -> Result<ColumnData, Error> {
    let dictionary = dictionary.filter(|_| is_coded(&stored));
    let stored = at_border(stored, column_type, dictionary.is_some())?;
    Ok(ColumnData::pack(column_type, &stored, dictionary))
}

/// Whether a stored text or set column holds codes.
pub(crate) fn is_coded(stored: &ArrayRef) -> bool {
    match stored.data_type() {
        DataType::List(member) => *member.data_type() == DataType::UInt32,
        other => *other == DataType::UInt32,
    }
}

/// Parquet gives back the Arrow type that was written; codes are what the dictionary makes of them.
pub(crate) fn at_border(stored: ArrayRef, column_type: ColumnType, coded: bool) -> Result<ArrayRef, Error> {
    let wanted = column_type.arrow();
    if coded || *stored.data_type() == wanted {
        return Ok(stored);
    }
    // Codes without a dictionary are all absent.
    if is_coded(&stored) { Ok(absent(column_type, stored.len())) } else { Ok(arrow_cast::cast(&stored, &wanted)?) }
}
