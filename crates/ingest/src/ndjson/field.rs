//! Fields of NDJSON as columns: each value's text beside its kind.

use std::sync::Arc;

use arrow_array::builder::{StringViewBuilder, UInt8Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt8Type;
use arrow_array::{Array, ArrayRef, StringViewArray, StructArray};
use arrow_schema::{DataType, Field};

/// What kind of JSON value a field is; `null` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FieldKind {
    Text = 1,
    Number = 2,
    Bool = 4,
    List = 8,
    Object = 16,
}

impl FieldKind {
    const ALL: [Self; 5] = [Self::Text, Self::Number, Self::Bool, Self::List, Self::Object];

    /// One bit of its own.
    pub fn bit(self) -> u8 {
        self as u8
    }

    fn of(bit: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.bit() == bit)
    }
}

/// A column in the making.
pub(crate) struct FieldsBuilder {
    texts: StringViewBuilder,
    kinds: UInt8Builder,
}

impl FieldsBuilder {
    pub fn new() -> Self {
        Self { texts: StringViewBuilder::new(), kinds: UInt8Builder::new() }
    }

    pub fn append(&mut self, kind: Option<FieldKind>, text: &str) {
        self.texts.append_option(kind.map(|_| text));
        self.kinds.append_value(kind.map_or(0, FieldKind::bit));
    }

    pub fn finish(mut self) -> ArrayRef {
        let arrays: Vec<ArrayRef> = vec![Arc::new(self.texts.finish()), Arc::new(self.kinds.finish())];
        let fields = vec![Field::new("text", DataType::Utf8View, true), Field::new("kind", DataType::UInt8, false)];
        Arc::new(StructArray::new(fields.into(), arrays, None))
    }
}

/// A finished column of fields.
pub(crate) struct Fields<'a> {
    pub texts: &'a StringViewArray,
    kinds: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `None` if the array holds no fields of NDJSON.
    pub fn of(array: &'a ArrayRef) -> Option<Self> {
        let parts = array.as_struct_opt()?;
        let texts = parts.column_by_name("text")?.as_string_view_opt()?;
        let kinds = parts.column_by_name("kind")?.as_primitive_opt::<UInt8Type>()?;
        Some(Self { texts, kinds: kinds.values() })
    }

    pub fn kind(&self, row: usize) -> Option<FieldKind> {
        FieldKind::of(self.kinds[row])
    }

    /// Whether any field is of one of these kinds.
    pub fn has(&self, kinds: &[FieldKind]) -> bool {
        let wanted = kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        self.kinds.iter().any(|bit| bit & wanted != 0)
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }
}
