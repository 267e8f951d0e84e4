//! Many lines become raw rows.

use std::borrow::Cow;

use hashbrown::HashMap;
use memchr::memchr;

use super::fault::JsonFault;
use super::field::FieldsBuilder;
use super::line::{LineFault, Members, Value, is_blank, object};
use crate::raw::{Fault, Lines, RawRows};
use crate::report::Reason;

/// A field longer than this is a mistake.
const LONGEST_FIELD: usize = 1 << 20;
/// A line longer than this is a mistake; of a longer one no more is ever in memory.
pub(crate) const LONGEST_LINE: usize = 16 << 20;

/// How the lines of a file become rows.
#[derive(Debug, Clone)]
pub(crate) struct JsonShape {
    /// The wanted keys, in the order of the file's columns.
    wanted: Vec<String>,
    places: HashMap<String, usize>,
}

impl JsonShape {
    /// Rows of some of the keys `names`, by their numbers.
    pub fn new(names: &[String], wanted: &[usize]) -> Self {
        let wanted: Vec<String> = wanted.iter().map(|column| names[*column].clone()).collect();
        let places = wanted.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        Self { wanted, places }
    }

    /// The rows of whole lines.
    pub fn rows(&self, chunk: &[u8]) -> RawRows {
        let mut builders: Vec<FieldsBuilder> = self.wanted.iter().map(|_| FieldsBuilder::new()).collect();
        let (mut lines, mut faults) = (Vec::new(), Vec::new());
        for (number, line) in whole_lines(chunk) {
            match self.row(line) {
                Ok(row) => {
                    lines.push(number);
                    append(&mut builders, &row);
                }
                Err(bad) => faults.push(bad.fault(number, line)),
            }
        }
        RawRows {
            fields: builders.into_iter().map(FieldsBuilder::finish).collect(),
            count: lines.len(),
            lines: Lines::Listed(lines),
            line_ends: memchr::memchr_iter(b'\n', chunk).count() as u64,
            faults,
        }
    }

    /// The wanted fields of a line; `None` where it does not have the key.
    fn row<'a>(&self, line: &'a [u8]) -> Result<Vec<Option<Value<'a>>>, BadLine> {
        let mut row: Vec<Option<Value<'a>>> = self.wanted.iter().map(|_| None).collect();
        for (key, value) in object_of(line)? {
            let Some(place) = self.places.get(key.as_ref()) else { continue };
            if value.text.len() > LONGEST_FIELD {
                return Err(BadLine::Field(self.wanted[*place].clone(), value.text.into_owned()));
            }
            row[*place] = Some(value);
        }
        Ok(row)
    }
}

fn append(builders: &mut [FieldsBuilder], row: &[Option<Value<'_>>]) {
    for (builder, value) in builders.iter_mut().zip(row) {
        match value {
            Some(value) => builder.append(value.kind, &value.text),
            None => builder.append(None, ""),
        }
    }
}

/// The members of a line that is not too long.
pub(super) fn object_of(line: &[u8]) -> Result<Members<'_>, LineFault> {
    if line.len() > LONGEST_LINE {
        return Err(LineFault { byte: LONGEST_LINE + 1, fault: JsonFault::TooLong { limit: LONGEST_LINE } });
    }
    object(line)
}

/// Why a line is no row.
enum BadLine {
    Line(LineFault),
    /// The field of this key is too long.
    Field(String, String),
}

impl From<LineFault> for BadLine {
    fn from(fault: LineFault) -> Self {
        Self::Line(fault)
    }
}

impl BadLine {
    fn fault(self, number: u64, line: &[u8]) -> Fault {
        match self {
            Self::Line(LineFault { byte, fault }) => {
                Fault::of_record(number, None, &beginning(line), Reason::Json { byte, fault })
            }
            Self::Field(key, value) => {
                Fault::of_record(number, Some(&key), &value, Reason::FieldTooLong { limit: LONGEST_FIELD })
            }
        }
    }
}

/// Enough of a line for a report, whatever its bytes are.
fn beginning(line: &[u8]) -> Cow<'_, str> {
    const ENOUGH: usize = 1024;
    String::from_utf8_lossy(line[..line.len().min(ENOUGH)].trim_ascii())
}

/// The lines that hold something, each with its number in these bytes, from zero.
pub(super) fn whole_lines(chunk: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = chunk;
    let lines = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = &rest[rest.len().min(end + 1)..];
        Some(line)
    });
    (0..).zip(lines).filter(|(_, line)| !line.iter().all(|byte| is_blank(*byte)))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::super::field::Fields;
    use super::*;

    fn shape() -> JsonShape {
        JsonShape::new(&["a".into(), "b".into(), "c".into()], &[0, 2])
    }

    #[test]
    fn lines_that_hold_nothing_are_passed_over_and_numbers_stay_right() {
        let rows = shape().rows(b"{\"a\":1}\r\n\n  \nnonsense\n{\"c\":\"x\",\"b\":2}");
        let Lines::Listed(lines) = &rows.lines else { panic!("lines of NDJSON are listed") };
        assert_eq!((lines.as_slice(), rows.line_ends, rows.faults[0].line), (&[0, 4][..], 4, 3));
        let texts = |column: usize| Fields::of(&rows.fields[column]).unwrap().texts.clone();
        assert_eq!(texts(0).iter().collect::<Vec<_>>(), [Some("1"), None]);
        assert_eq!(texts(1).iter().collect::<Vec<_>>(), [None, Some("x")]);
        assert_eq!(rows.fields[0].len(), 2);
    }

    #[test]
    fn a_field_of_a_megabyte_is_read_and_a_longer_one_is_not() {
        let line = |length: usize| format!("{{\"a\":\"{}\",\"b\":\"{}\"}}\n", "x".repeat(length), "y".repeat(2 << 20));
        assert_eq!(shape().rows(line(LONGEST_FIELD).as_bytes()).count, 1);
        let fault = &shape().rows(line(LONGEST_FIELD + 1).as_bytes()).faults[0];
        assert_eq!((fault.column.as_deref(), &fault.reason), (Some("a"), &Reason::FieldTooLong { limit: 1 << 20 }));
    }
}
