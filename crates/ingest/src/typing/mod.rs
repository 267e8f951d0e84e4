//! Texts become values of a column's type; what is none of them is a fault with its reason.
//!
//! One [`ColumnReader`] per column, made once per load. Nulls and placeholders are taken out first, so that the
//! readers of the single types see values only.

mod days;
mod id;
mod instant;
mod json;
mod locale;
mod native;
mod number;
mod plausible;
mod set;
mod word;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};
use arrow_select::nullif::nullif;
use chrono_tz::Tz;
use muster_catalog::{Column, ColumnType};

use crate::invisible::has_control_in_text;
use crate::ndjson::Fields;
use crate::report::Reason;
use days::Shifts;
pub(crate) use instant::BadFormat;
use instant::{DateForm, InstantForm};
pub(crate) use locale::NumberForm;
pub(crate) use plausible::Plausible;
use word::Words;

/// Reads the fields of one column.
pub(crate) struct ColumnReader {
    column_type: ColumnType,
    nulls: Vec<String>,
    placeholders: Vec<String>,
    form: Form,
    numbers: NumberForm,
    plausible: Plausible,
}

/// How the values of a column are written.
enum Form {
    Id { integral: bool },
    Text,
    Int,
    Decimal { precision: u8, scale: i8 },
    Float,
    Bool(Words),
    Date(DateForm),
    Instant(InstantForm),
    Set { separator: char },
}

/// A column of typed values. Where there is a fault the array holds a value of no meaning.
pub(crate) struct Typed {
    pub array: ArrayRef,
    /// In the order of the rows.
    pub faults: Vec<ValueFault>,
    /// Values that stood for "not known".
    pub placeholders: u64,
    pub remarks: Remarks,
}

impl Typed {
    /// Values with which nothing is wrong.
    pub fn of(array: ArrayRef) -> Self {
        Self { array, faults: Vec::new(), placeholders: 0, remarks: Remarks::default() }
    }
}

/// What is odd about values that were taken all the same.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Remarks {
    pub shifts: Shifts,
    /// Ids written with characters that nobody sees, or not composed.
    pub normalized: u64,
}

impl Remarks {
    /// Those on other values of the same column as well.
    fn and(self, other: Self) -> Self {
        let shifts =
            Shifts { gaps: self.shifts.gaps + other.shifts.gaps, folds: self.shifts.folds + other.shifts.folds };
        Self { shifts, normalized: self.normalized + other.normalized }
    }
}

/// A value that is none of its column's type.
#[derive(Debug, PartialEq)]
pub(crate) struct ValueFault {
    pub row: usize,
    pub value: String,
    pub reason: Reason,
}

impl ColumnReader {
    /// A reader of `column`, which is of type `column_type`; `nulls` are the texts that mean "no value" in the whole
    /// table.
    pub fn new(column: &Column, column_type: ColumnType, nulls: &[String], zone: Tz) -> Result<Self, BadFormat> {
        let form = match column_type {
            ColumnType::Id => Form::Id { integral: column.integral },
            ColumnType::Text => Form::Text,
            ColumnType::Int => Form::Int,
            ColumnType::Decimal { precision, scale } => Form::Decimal { precision, scale },
            ColumnType::Float => Form::Float,
            ColumnType::Bool => Form::Bool(Words::of(column)),
            ColumnType::Date => Form::Date(DateForm::of(column)?),
            ColumnType::Timestamp => Form::Instant(InstantForm::of(column, zone)?),
            ColumnType::Set => Form::Set { separator: column.separator },
        };
        let nulls = nulls.iter().chain(&column.null).cloned().collect();
        Ok(Self {
            column_type,
            nulls,
            placeholders: column.placeholder.clone(),
            form,
            numbers: NumberForm::of(column),
            plausible: Plausible::default(),
        })
    }

    /// The same, its instants within other bounds.
    pub fn within(self, plausible: Plausible) -> Self {
        Self { plausible, ..self }
    }

    /// Types the fields of a column as they come from a file.
    pub fn read(&self, fields: &ArrayRef) -> Result<Typed, ArrowError> {
        let mut typed = match (fields.as_string_view_opt(), Fields::of(fields)) {
            (Some(texts), _) => self.read_texts(texts),
            (None, Some(fields)) => json::read(self, &fields),
            (None, None) => native::read(self, fields),
        }?;
        self.plausible.check(fields, &mut typed)?;
        Ok(typed)
    }

    fn read_texts(&self, texts: &StringViewArray) -> Result<Typed, ArrowError> {
        self.read_texts_as(texts, &self.numbers)
    }

    /// Texts that stand for numbers of the file itself: they are plain, whatever the column says of written ones.
    fn read_plain_texts(&self, texts: &StringViewArray) -> Result<Typed, ArrowError> {
        self.read_texts_as(texts, &NumberForm::default())
    }

    fn read_texts_as(&self, texts: &StringViewArray, numbers: &NumberForm) -> Result<Typed, ArrowError> {
        let (texts, _) = without(texts, &self.nulls)?;
        let (texts, placeholders) = without(&texts, &self.placeholders)?;
        let mut remarks = Remarks::default();
        let (array, faults): (ArrayRef, _) = match &self.form {
            Form::Text => (Arc::new(texts.clone()), controls(&texts)),
            Form::Id { integral } => {
                let (array, faults, normalized) = id::read(texts, *integral);
                remarks.normalized = normalized;
                (array, faults)
            }
            Form::Int => erase(number::ints(&texts, numbers)),
            Form::Decimal { precision, scale } => erase(number::decimals(&texts, numbers, *precision, *scale)),
            Form::Float => erase(number::floats(&texts, numbers)),
            Form::Bool(words) => words.read(&texts),
            Form::Date(form) => erase(form.read(&texts)),
            Form::Instant(form) => {
                let (array, faults, shifts) = form.read(&texts);
                remarks.shifts = shifts;
                (Arc::new(array), faults)
            }
            Form::Set { separator } => (set::read(&texts, *separator).0, controls(&texts)),
        };
        Ok(Typed { array, faults, placeholders, remarks })
    }

    fn takes_values_out(&self) -> bool {
        !self.nulls.is_empty() || !self.placeholders.is_empty()
    }
}

/// Texts with control characters: they spoil terminals, messages and every file that they are written to.
fn controls(texts: &StringViewArray) -> Vec<ValueFault> {
    let rows = texts.iter().enumerate().filter(|(_, text)| text.is_some_and(has_control_in_text));
    rows.map(|(row, text)| ValueFault::of(row, text, Reason::ControlCharacter)).collect()
}

/// Whether `text` is one of the texts that mean "no value"; blanks around it aside.
pub(crate) fn is_listed(text: &str, list: &[String]) -> bool {
    list.iter().any(|listed| listed == text || listed == text.trim())
}

/// The column without the values that `list` names, and how many those were.
fn without(texts: &StringViewArray, list: &[String]) -> Result<(StringViewArray, u64), ArrowError> {
    if list.is_empty() {
        return Ok((texts.clone(), 0));
    }
    let listed: BooleanArray = texts.iter().map(|text| Some(text.is_some_and(|text| is_listed(text, list)))).collect();
    let left = nullif(texts, &listed)?;
    Ok((left.as_string_view().clone(), listed.true_count() as u64))
}

/// Any array as texts, for conditions and for types that a file holds in other words.
///
/// An instant past every calendar has no text; its column is shown as the numbers that the file holds.
pub(crate) fn as_texts(fields: &ArrayRef) -> Result<StringViewArray, ArrowError> {
    if let Some(texts) = fields.as_string_view_opt() {
        return Ok(texts.clone());
    }
    if let Some(fields) = Fields::of(fields) {
        return Ok(fields.texts.clone());
    }
    let text = cast(fields, &DataType::Utf8).or_else(|_| cast(&cast(fields, &DataType::Int64)?, &DataType::Utf8))?;
    Ok(cast(&text, &DataType::Utf8View)?.as_string_view().clone())
}

/// Reads value by value into an array of numbers.
fn primitives<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    mut read: impl FnMut(&str) -> Result<T::Native, Reason>,
) -> (PrimitiveArray<T>, Vec<ValueFault>) {
    let mut faults = Vec::new();
    let mut values = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        values.push(match text.map(&mut read) {
            None => T::Native::default(),
            Some(Ok(value)) => value,
            Some(Err(reason)) => {
                faults.push(ValueFault::of(row, text, reason));
                T::Native::default()
            }
        });
    }
    (PrimitiveArray::new(values.into(), texts.nulls().cloned()), faults)
}

fn erase<T: ArrowPrimitiveType>((array, faults): (PrimitiveArray<T>, Vec<ValueFault>)) -> (ArrayRef, Vec<ValueFault>) {
    (Arc::new(array), faults)
}

impl ValueFault {
    fn of(row: usize, value: Option<&str>, reason: Reason) -> Self {
        Self { row, value: crate::report::excerpt(value.unwrap_or_default()), reason }
    }
}

/// "Not a value of this type", with how it is written.
fn not_a(column_type: ColumnType, expected: impl Into<String>) -> Reason {
    Reason::NotA { column_type, expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `texts` as a column and compares with the values as Arrow prints them; `!` marks the kind of a fault.
    #[track_caller]
    pub(super) fn check(column: &Column, cases: &[(&str, &str)]) {
        let column_type = column.column_type.expect("the column of a test has a type");
        let reader = ColumnReader::new(column, column_type, &[], chrono_tz::Europe::Amsterdam).unwrap();
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter(cases.iter().map(|(text, _)| Some(*text))));
        let typed = reader.read(&texts).unwrap();
        assert_eq!(typed.array.data_type(), &column_type.arrow());
        for (row, (text, expected)) in cases.iter().enumerate() {
            let fault = typed.faults.iter().find(|fault| fault.row == row);
            let value = arrow_cast::display::array_value_to_string(&typed.array, row).unwrap();
            let found = fault.map_or(value, |fault| format!("!{}", fault.reason.kind()));
            assert_eq!(&found, expected, "{text}");
        }
    }

    #[test]
    fn declared_texts_become_no_value_and_placeholders_are_counted() {
        let column = Column {
            null: vec!["N/A".into()],
            placeholder: vec!["-1".into()],
            ..Column::typed("age", ColumnType::Int)
        };
        let reader = ColumnReader::new(&column, ColumnType::Int, &["-".into()], Tz::UTC).unwrap();
        let texts: ArrayRef =
            Arc::new(StringViewArray::from(vec![Some("7"), Some(" - "), Some("N/A"), Some("-1"), None]));
        let typed = reader.read(&texts).unwrap();
        assert_eq!((typed.array.null_count(), typed.placeholders, typed.faults.len()), (4, 1, 0));
    }

    #[test]
    fn text_stays_as_it_is() {
        check(&Column::typed("name", ColumnType::Text), &[(" Ann ", " Ann "), ("", ""), ("007", "007")]);
        let odd = [("a\tb\nc", "a\tb\nc"), ("a\u{202e}b", "a\u{202e}b"), ("a\u{1b}[1m", "!control character")];
        check(&Column::typed("name", ColumnType::Text), &odd);
    }
}
