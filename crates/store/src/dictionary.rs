//! One dictionary per text column, over all blocks, so that codes compare across them.
//!
//! It only grows: a code once given keeps its text. A column with more distinct texts than [`LIMIT`] keeps its texts
//! themselves.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow_array::builder::UInt32Builder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StringViewArray, UInt32Array};
use arrow_schema::ArrowError;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use muster_catalog::ColumnType;

use crate::column::sets_of_codes;

/// So many distinct texts a dictionary holds.
pub(crate) const LIMIT: usize = 1_000_000;

/// The texts of a column that grows a dictionary.
struct Growing<'a> {
    hasher: FixedState,
    codes: HashTable<u32>,
    texts: Vec<&'a str>,
}

impl<'a> Growing<'a> {
    fn from(dictionary: Option<&'a StringViewArray>) -> Self {
        let mut growing = Self { hasher: FixedState::with_seed(0), codes: HashTable::new(), texts: Vec::new() };
        dictionary.into_iter().flatten().flatten().for_each(|text| {
            growing.code(text);
        });
        growing
    }

    fn code(&mut self, text: &'a str) -> u32 {
        let Self { hasher, codes, texts } = self;
        let place = |code: &u32| hasher.hash_one(texts[*code as usize]);
        match codes.entry(hasher.hash_one(text), |code| texts[*code as usize] == text, place) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let code = texts.len() as u32;
                entry.insert(code);
                texts.push(text);
                code
            }
        }
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
    let sets: Option<&ListArray> = (column_type == ColumnType::Set).then(|| column.as_list());
    let texts = sets.map_or(column, ListArray::values).as_string_view();
    let mut growing = Growing::from(before);
    let Some(codes) = codes(texts, &mut growing) else { return Ok(None) };
    let dictionary = Arc::new(StringViewArray::from_iter_values(growing.texts));
    let codes =
        sets.map_or_else(|| Ok(Arc::new(codes.clone()) as ArrayRef), |sets| sets_of_codes(sets, codes.clone()))?;
    Ok(Some(Encoded { codes, dictionary }))
}

/// The dictionary with the texts of `column` that it does not have yet, in order of first mention.
pub(crate) fn extended(
    column_type: ColumnType,
    column: &ArrayRef,
    before: &Arc<StringViewArray>,
) -> Arc<StringViewArray> {
    let texts = texts_of(column_type, column);
    let mut growing = Growing::from(Some(before));
    texts.iter().flatten().for_each(|text| {
        growing.code(text);
    });
    if growing.texts.len() == before.len() {
        Arc::clone(before)
    } else {
        Arc::new(StringViewArray::from_iter_values(growing.texts))
    }
}

/// Encodes a column whose texts the dictionary has.
pub(crate) fn encode_known(
    column_type: ColumnType,
    column: &ArrayRef,
    dictionary: &StringViewArray,
) -> Result<ArrayRef, ArrowError> {
    let mut growing = Growing::from(Some(dictionary));
    let texts = texts_of(column_type, column);
    let codes: UInt32Array = texts.iter().map(|text| text.map(|text| growing.code(text))).collect();
    if column_type == ColumnType::Set { Ok(sets_of_codes(column.as_list(), codes)?) } else { Ok(Arc::new(codes)) }
}

fn texts_of(column_type: ColumnType, column: &ArrayRef) -> &StringViewArray {
    if column_type == ColumnType::Set {
        column.as_list::<i32>().values().as_string_view()
    } else {
        column.as_string_view()
    }
}

fn codes<'a>(texts: &'a StringViewArray, growing: &mut Growing<'a>) -> Option<UInt32Array> {
    let mut codes = UInt32Builder::with_capacity(texts.len());
    for text in texts {
        codes.append_option(text.map(|text| growing.code(text)));
        if growing.texts.len() > LIMIT {
            return None;
        }
    }
    Some(codes.finish())
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
