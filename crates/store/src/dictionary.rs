//! One dictionary per text column, over all blocks, so that codes compare across them.
//!
//! It only grows: a code once given keeps its text. A column with more distinct texts than [`LIMIT`] keeps its texts
//! themselves.

use std::sync::Arc;

use arrow_array::builder::UInt32Builder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_schema::ArrowError;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use muster_catalog::ColumnType;

use crate::column::sets_of_codes;
use crate::views::{Hasher, are_equal, is_inline};

/// So many distinct texts a dictionary holds.
pub(crate) const LIMIT: usize = 1_000_000;

/// A text that a code stands for: its row in the dictionary of before, or in the column that comes.
#[derive(Clone, Copy)]
struct Origin {
    came: bool,
    row: u32,
    view: u128,
}

/// The texts of a column that grows a dictionary.
struct Growing<'a> {
    before: &'a StringViewArray,
    column: &'a StringViewArray,
    hasher: Hasher,
    codes: HashTable<u32>,
    origins: Vec<Origin>,
}

impl<'a> Growing<'a> {
    fn from(before: &'a StringViewArray, column: &'a StringViewArray) -> Self {
        let (codes, origins) = (HashTable::with_capacity(before.len()), Vec::with_capacity(before.len()));
        let mut growing = Self { before, column, hasher: Hasher::default(), codes, origins };
        for row in 0..before.len() as u32 {
            growing.code_of(Origin { came: false, row, view: before.views()[row as usize] });
        }
        growing
    }

    /// The code of the text in a row of the column.
    fn code(&mut self, row: usize) -> u32 {
        self.code_of(Origin { came: true, row: row as u32, view: self.column.views()[row] })
    }

    fn code_of(&mut self, text: Origin) -> u32 {
        let (before, column) = (self.before, self.column);
        let array = |origin: Origin| if origin.came { column } else { before };
        let Self { hasher, codes, origins, .. } = self;
        let hash = |origin: Origin| hasher.hash(array(origin), origin.row as usize);
        let is_it = |code: &u32| {
            let known = origins[*code as usize];
            if is_inline(text.view) {
                return text.view == known.view;
            }
            are_equal(array(text), text.row, array(known), known.row)
        };
        match codes.entry(hash(text), is_it, |code| hash(origins[*code as usize])) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let code = origins.len() as u32;
                entry.insert(code);
                origins.push(text);
                code
            }
        }
    }

    fn codes(&mut self) -> Option<UInt32Array> {
        let column = self.column;
        let mut codes = UInt32Builder::with_capacity(column.len());
        for row in 0..column.len() {
            codes.append_option(column.is_valid(row).then(|| self.code(row)));
            if self.origins.len() > LIMIT {
                return None;
            }
        }
        Some(codes.finish())
    }

    fn dictionary(&self) -> StringViewArray {
        let text = |origin: &Origin| if origin.came { self.column } else { self.before }.value(origin.row as usize);
        StringViewArray::from_iter_values(self.origins.iter().map(text))
    }
}

/// A text or set column as codes, with the dictionary that they mean.
pub(crate) struct Encoded {
    pub(crate) codes: ArrayRef,
    pub(crate) dictionary: Arc<StringViewArray>,
}

/// Encodes a column of texts or sets, going on with the dictionary `before`; `None` where it would outgrow [`LIMIT`].
pub(crate) fn encode(
    column_type: ColumnType,
    column: &ArrayRef,
    before: Option<&StringViewArray>,
) -> Result<Option<Encoded>, ArrowError> {
    let (none, texts) = (nothing(), texts_of(column_type, column));
    let mut growing = Growing::from(before.unwrap_or(&none), texts);
    let Some(codes) = growing.codes() else { return Ok(None) };
    let dictionary = Arc::new(growing.dictionary());
    Ok(Some(Encoded { codes: shaped(column_type, column, codes)?, dictionary }))
}

fn nothing() -> StringViewArray {
    StringViewArray::new_null(0)
}

/// Codes as the column has its texts: one to a row, or lists of them.
fn shaped(column_type: ColumnType, column: &ArrayRef, codes: UInt32Array) -> Result<ArrayRef, ArrowError> {
    if column_type == ColumnType::Set { sets_of_codes(column.as_list(), codes) } else { Ok(Arc::new(codes)) }
}

/// The dictionary with the texts of `column` that it does not have yet, in order of first mention.
pub(crate) fn extended(
    column_type: ColumnType,
    column: &ArrayRef,
    before: &Arc<StringViewArray>,
) -> Arc<StringViewArray> {
    let texts = texts_of(column_type, column);
    let mut growing = Growing::from(before, texts);
    (0..texts.len()).filter(|row| texts.is_valid(*row)).for_each(|row| {
        growing.code(row);
    });
    if growing.origins.len() == before.len() { Arc::clone(before) } else { Arc::new(growing.dictionary()) }
}

/// Encodes a column whose texts the dictionary has.
pub(crate) fn encode_known(
    column_type: ColumnType,
    column: &ArrayRef,
    dictionary: &StringViewArray,
) -> Result<ArrayRef, ArrowError> {
    let texts = texts_of(column_type, column);
    let mut growing = Growing::from(dictionary, texts);
    let codes = (0..texts.len()).map(|row| texts.is_valid(row).then(|| growing.code(row))).collect();
    shaped(column_type, column, codes)
}

fn texts_of(column_type: ColumnType, column: &ArrayRef) -> &StringViewArray {
    if column_type == ColumnType::Set {
        column.as_list::<i32>().values().as_string_view()
    } else {
        column.as_string_view()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_once_given_keeps_its_text() {
        let monday: ArrayRef = Arc::new(StringViewArray::from(vec![Some("sofa"), None, Some("bed"), Some("sofa")]));
        let first = encode(ColumnType::Text, &monday, None).unwrap().unwrap();
        assert_eq!(first.codes.as_ref(), &UInt32Array::from(vec![Some(0), None, Some(1), Some(0)]) as &dyn Array);

        let tuesday: ArrayRef = Arc::new(StringViewArray::from(vec!["lamp", "bed"]));
        let second = encode(ColumnType::Text, &tuesday, Some(&first.dictionary)).unwrap().unwrap();
        assert_eq!(second.codes.as_ref(), &UInt32Array::from(vec![2, 1]) as &dyn Array);
        assert_eq!(second.dictionary.iter().flatten().collect::<Vec<_>>(), ["sofa", "bed", "lamp"]);
    }

    #[test]
    fn a_column_past_the_limit_is_not_encoded() {
        let texts = (0..=LIMIT).map(|number| number.to_string());
        let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        assert!(encode(ColumnType::Text, &column, None).unwrap().is_none());
        assert!(encode(ColumnType::Text, &column.slice(0, LIMIT), None).unwrap().is_some());
    }
}
