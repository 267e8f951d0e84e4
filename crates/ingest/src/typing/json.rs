//! Columns of NDJSON: a value's kind says more than its text.
//!
//! Texts and numbers are judged like fields of a CSV file. True and false are what they are, whatever words the column
//! has for them; a list is a set; an object is nothing that a column takes.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray};
use arrow_schema::ArrowError;
use arrow_select::zip::zip;
use muster_catalog::ColumnType;

use super::{ColumnReader, Form, Typed, ValueFault, set};
use crate::invisible::has_control_in_text;
use crate::ndjson::{FieldKind, Fields, members, written_out};
use crate::report::Reason;

pub(super) fn read(reader: &ColumnReader, fields: &Fields<'_>) -> Result<Typed, ArrowError> {
    let mut faults = misfits(reader, fields);
    let mut typed = by_text(reader, fields)?;
    match &reader.form {
        Form::Bool(_) if fields.has(&[FieldKind::Bool]) => typed.array = with_words_of_json(fields, &typed.array)?,
        Form::Set { .. } if fields.has(&[FieldKind::List]) => {
            typed.array = with_lists(fields, &typed.array, &mut faults)?;
        }
        _ => {}
    }
    typed.faults.extend(faults);
    typed.faults.sort_by_key(|fault| fault.row);
    Ok(typed)
}

/// The fields whose texts decide. JSON has one way to write a number; what the column says of others holds for texts.
fn by_text(reader: &ColumnReader, fields: &Fields<'_>) -> Result<Typed, ArrowError> {
    if !fields.has(&[FieldKind::Number]) {
        return reader.read_texts(&texts(reader, fields, FieldKind::Text));
    }
    let mut typed = reader.read_plain_texts(&texts(reader, fields, FieldKind::Number))?;
    if fields.has(&[FieldKind::Text, FieldKind::Bool]) {
        let others = reader.read_texts(&texts(reader, fields, FieldKind::Text))?;
        typed.array = zip(&rows_of(fields, FieldKind::Number), &typed.array, &others.array)?;
        typed.faults.extend(others.faults);
        typed.placeholders += others.placeholders;
        typed.remarks = typed.remarks.and(others.remarks);
    }
    Ok(typed)
}

/// The texts of one kind of field; the others have none here. Numbers that are counted with have no exponent, and true
/// and false are texts to a column of texts.
fn texts(reader: &ColumnReader, fields: &Fields<'_>, wanted: FieldKind) -> StringViewArray {
    let is_exact = matches!(reader.form, Form::Int | Form::Decimal { .. });
    let mut texts = StringViewBuilder::with_capacity(fields.len());
    for (row, text) in fields.texts.iter().enumerate() {
        match (fields.kind(row), text) {
            (Some(FieldKind::Number), Some(text)) if wanted == FieldKind::Number && is_exact => {
                texts.append_value(written_out(text));
            }
            (Some(FieldKind::Bool), text) if wanted == FieldKind::Text && matches!(reader.form, Form::Text) => {
                texts.append_option(text);
            }
            (Some(kind), text) if kind == wanted => texts.append_option(text),
            _ => texts.append_null(),
        }
    }
    texts.finish()
}

/// The values of a kind that the column does not take.
fn misfits(reader: &ColumnReader, fields: &Fields<'_>) -> Vec<ValueFault> {
    if !fields.has(&[FieldKind::Bool, FieldKind::List, FieldKind::Object]) {
        return Vec::new();
    }
    let takes = |kind| match kind {
        None | Some(FieldKind::Text | FieldKind::Number) => true,
        Some(FieldKind::Bool) => matches!(reader.form, Form::Bool(_) | Form::Text),
        Some(FieldKind::List) => matches!(reader.form, Form::Set { .. }),
        Some(FieldKind::Object) => false,
    };
    let rows = (0..fields.len()).filter(|row| !takes(fields.kind(*row)));
    rows.map(|row| misfit(fields, row, reader.column_type)).collect()
}

fn misfit(fields: &Fields<'_>, row: usize, column_type: ColumnType) -> ValueFault {
    let found = match fields.kind(row) {
        Some(FieldKind::Bool) => "true or false",
        Some(FieldKind::List) if column_type == ColumnType::Set => "a list of other things than texts and numbers",
        Some(FieldKind::List) => "a list",
        _ => "an object",
    };
    let value = fields.texts.is_valid(row).then(|| fields.texts.value(row));
    ValueFault::of(row, value, Reason::Nested { column_type, found })
}

fn with_words_of_json(fields: &Fields<'_>, typed: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let truths: BooleanArray = fields.texts.iter().map(|text| Some(text == Some("true"))).collect();
    zip(&rows_of(fields, FieldKind::Bool), &truths, typed)
}

fn with_lists(fields: &Fields<'_>, typed: &ArrayRef, faults: &mut Vec<ValueFault>) -> Result<ArrayRef, ArrowError> {
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    let is_list = rows_of(fields, FieldKind::List);
    for row in 0..fields.len() {
        let found = if is_list.value(row) { members(fields.texts.value(row)) } else { Some(Vec::new()) };
        match &found {
            None => faults.push(misfit(fields, row, ColumnType::Set)),
            Some(members) if members.iter().any(|member| has_control_in_text(member)) => {
                faults.push(ValueFault::of(row, Some(fields.texts.value(row)), Reason::ControlCharacter));
            }
            Some(members) => members.iter().for_each(|member| lists.values().append_value(member)),
        }
        lists.append(true);
    }
    let sets: ArrayRef = Arc::new(set::from_lists(&lists.finish()));
    zip(&is_list, &sets, typed)
}

fn rows_of(fields: &Fields<'_>, kind: FieldKind) -> BooleanArray {
    (0..fields.len()).map(|row| Some(fields.kind(row) == Some(kind))).collect()
}
