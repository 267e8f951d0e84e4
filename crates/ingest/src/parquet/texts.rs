//! Texts of a Parquet file that are not UTF-8: Arrow refuses their whole batch, and here only their rows are rejected.
//!
//! Such a row group is read a second time with its texts as plain bytes, and each is looked at.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, ListArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field};
use arrow_select::filter::filter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataBuilder};
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use crate::raw::{Fault, Lines, RawRows};
use crate::report::Reason;

/// The same metadata, in which nothing is said to be text.
pub(super) fn with_texts_as_bytes(metadata: &ParquetMetaData) -> Result<ArrowReaderMetadata, ParquetError> {
    let found = metadata.file_metadata();
    let schema = SchemaDescriptor::new(without_texts(found.schema_descr().root_schema())?);
    let (version, rows) = (found.version(), found.num_rows());
    let file = FileMetaData::new(version, rows, None, None, Arc::new(schema), None);
    let rebuilt = ParquetMetaDataBuilder::new(file).set_row_groups(metadata.row_groups().to_vec()).build();
    ArrowReaderMetadata::try_new(Arc::new(rebuilt), ArrowReaderOptions::new().with_skip_arrow_metadata(true))
}

fn without_texts(node: &Type) -> Result<TypePtr, ParquetError> {
    let info = node.get_basic_info();
    let id = info.has_id().then(|| info.id());
    if node.is_primitive() {
        if node.get_physical_type() != PhysicalType::BYTE_ARRAY {
            return Ok(Arc::new(node.clone()));
        }
        let bytes = Type::primitive_type_builder(info.name(), PhysicalType::BYTE_ARRAY);
        return bytes.with_repetition(info.repetition()).with_id(id).build().map(Arc::new);
    }
    let fields = node.get_fields().iter().map(|field| without_texts(field)).collect::<Result<Vec<_>, _>>()?;
    let group = Type::group_type_builder(info.name())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields)
        .with_id(id);
    let group = if info.has_repetition() { group.with_repetition(info.repetition()) } else { group };
    group.build().map(Arc::new)
}

/// A column of bytes as texts, and the rows in which they are none.
pub(super) struct Decoded {
    pub array: ArrayRef,
    pub bad: Vec<BadText>,
}

/// A row with bytes that are no text.
pub(super) struct BadText {
    pub row: usize,
    pub value: String,
    /// The first byte that is wrong, from one.
    pub byte: usize,
}

/// Decodes bytes, or lists of bytes.
pub(super) fn decode(array: &ArrayRef) -> Result<Decoded, ArrowError> {
    match array.as_list_opt::<i32>() {
        Some(lists) => decode_lists(lists),
        None => {
            let bytes = cast(array, &DataType::Binary)?;
            let (texts, bad) = decode_bytes(bytes.as_binary());
            Ok(Decoded { array: Arc::new(texts), bad })
        }
    }
}

fn decode_bytes(bytes: &BinaryArray) -> (StringViewArray, Vec<BadText>) {
    let mut bad = Vec::new();
    let mut texts = StringViewBuilder::with_capacity(bytes.len());
    for (row, value) in bytes.iter().enumerate() {
        match value.map(std::str::from_utf8).transpose() {
            Ok(text) => texts.append_option(text),
            Err(error) => {
                let value = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
                bad.push(BadText { row, value, byte: error.valid_up_to() + 1 });
                texts.append_null();
            }
        }
    }
    (texts.finish(), bad)
}

fn decode_lists(lists: &ListArray) -> Result<Decoded, ArrowError> {
    let members = cast(lists.values(), &DataType::Binary)?;
    let (texts, bad) = decode_bytes(members.as_binary());
    let member = Arc::new(Field::new_list_field(DataType::Utf8View, true));
    let array = ListArray::try_new(member, lists.offsets().clone(), Arc::new(texts), lists.nulls().cloned())?;
    // Offsets ascend, so the list of a member is the last that begins at or before it.
    let offsets = lists.offsets();
    let list_of = |member: usize| offsets.partition_point(|offset| *offset as usize <= member).saturating_sub(1);
    let bad = bad.into_iter().map(|bad| BadText { row: list_of(bad.row), ..bad }).collect();
    Ok(Decoded { array: Arc::new(array), bad })
}

/// Raw rows without those that hold bytes that are no text; `bad` are these, each with the name of its column.
pub(super) fn without_bad(
    fields: Vec<ArrayRef>,
    count: usize,
    bad: Vec<(String, BadText)>,
) -> Result<RawRows, ArrowError> {
    let mut good = vec![true; count];
    bad.iter().for_each(|(_, bad)| good[bad.row] = false);
    let lines = (0..).zip(&good).filter(|(_, good)| **good).map(|(row, _)| row).collect();
    let good = BooleanArray::from(good);
    let fields: Vec<ArrayRef> = fields.iter().map(|field| filter(field, &good)).collect::<Result<_, _>>()?;
    let mut faults: Vec<Fault> = bad.into_iter().map(fault).collect();
    faults.sort_by_key(|fault| fault.line);
    faults.dedup_by_key(|fault| fault.line);
    Ok(RawRows { fields, count: good.true_count(), lines: Lines::Listed(lines), line_ends: count as u64, faults })
}

fn fault((column, bad): (String, BadText)) -> Fault {
    Fault::of_record(bad.row as u64, Some(&column), &bad.value, Reason::Encoding { byte: bad.byte })
}
