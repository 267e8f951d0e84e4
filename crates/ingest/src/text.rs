//! One chunk of text becomes raw rows: the fast way if it is clean, else record by record.
//!
//! A chunk is clean if it has no quotes, as many delimiters as its lines must have, no line that is far too long, and
//! is UTF-8. Then Polars splits it. Everything else is read by the strict reader, which knows the line of every
//! defect and tells an empty field from an empty text. Both ways give the same rows.

use std::borrow::Cow;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_select::concat::concat;
use memchr::{memchr, memchr_iter};
use muster_catalog::{Damaged, Dialect, Encoding, ShortRows, StrayQuotes};
use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, DataType, Schema, SerReader};

use crate::bridge;
use crate::layout::Layout;
use crate::overlong::Overlong;
use crate::raw::{Fault, Lines, RawRows};
use crate::records::{Defect, Field, Marks, Record, Records, Separator};
use crate::report::Reason;

/// A field longer than this is a mistake, and so is a line in the fast way.
const LONGEST_FIELD: usize = 1 << 20;

/// How the records of a file are read.
#[derive(Debug, Clone)]
pub(crate) struct TextShape {
    pub marks: Marks,
    /// How the file was written before it was decoded, for messages.
    pub encoding: Encoding,
    /// What becomes of what is not written so.
    pub dialect: Dialect,
    /// All columns of the file.
    pub names: Vec<String>,
    /// The numbers of the columns that are wanted, ascending.
    pub wanted: Vec<usize>,
}

impl TextShape {
    pub fn of(layout: &Layout, dialect: &Dialect, wanted: &[usize]) -> Self {
        let Layout { encoding, marks, names, .. } = layout;
        let (names, wanted) = (names.clone(), wanted.to_vec());
        Self { marks: *marks, encoding: *encoding, dialect: dialect.clone(), names, wanted }
    }

    /// The rows of a chunk that begins and ends between records.
    pub fn rows(&self, chunk: &[u8]) -> RawRows {
        self.clean_rows(chunk).unwrap_or_else(|| self.rows_by_record(chunk))
    }

    fn clean_rows(&self, chunk: &[u8]) -> Option<RawRows> {
        let Separator::Delimiter(delimiter) = self.marks.separator else { return None };
        let records = clean_records(chunk, delimiter, self.marks.quote, self.names.len())?;
        let frame = self.split(chunk, delimiter)?;
        // Polars has the last word on its own view of the lines; where it differs, the strict reader decides.
        if frame.height() != records {
            return None;
        }
        let fields = self.wanted.iter().map(|&column| texts_of(&frame, column)).collect::<Option<Vec<_>>>()?;
        Some(RawRows {
            fields,
            count: records,
            lines: Lines::From(0),
            line_ends: newlines(chunk) as u64,
            faults: Vec::new(),
        })
    }

    /// All columns, not only the wanted ones: Polars counts the fields of a line only where it reads them all.
    fn split(&self, chunk: &[u8], delimiter: u8) -> Option<DataFrame> {
        let schema: Schema =
            (0..self.names.len()).map(|column| (column.to_string().into(), DataType::String)).collect();
        let text = CsvParseOptions::default().with_separator(delimiter).with_quote_char(None);
        CsvReadOptions::default()
            .with_has_header(false)
            .with_schema(Some(Arc::new(schema)))
            .with_n_threads(Some(1))
            .with_rechunk(false)
            .with_parse_options(text)
            .into_reader_with_file_handle(Cursor::new(chunk))
            .finish()
            .ok()
    }

    fn rows_by_record(&self, chunk: &[u8]) -> RawRows {
        let mut records = Records::new(chunk, self.marks);
        let mut builders: Vec<StringViewBuilder> = self.wanted.iter().map(|_| StringViewBuilder::new()).collect();
        let (mut lines, mut faults) = (Vec::new(), Vec::new());
        while let Some(record) = records.next() {
            match self.fields_of(&records, &record) {
                Ok(texts) => {
                    lines.push(record.line);
                    builders.iter_mut().zip(texts).for_each(|(builder, text)| builder.append_option(text));
                }
                Err(fault) => faults.push(fault),
            }
        }
        let fields = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        RawRows { fields, count: lines.len(), lines: Lines::Listed(lines), line_ends: records.lines(), faults }
    }

    /// The wanted fields of a record, or what is wrong with it.
    fn fields_of<'a>(&self, records: &Records<'a>, record: &Record) -> Result<Vec<Option<Cow<'a, str>>>, Fault> {
        match self.misshapen(records, record) {
            Some(fault) => Err(fault),
            None => self.wanted.iter().map(|&column| self.field_of(records, record, column)).collect(),
        }
    }

    /// What is wrong with the quotes of a record, or with the number of its fields.
    fn misshapen(&self, records: &Records<'_>, record: &Record) -> Option<Fault> {
        let (expected, found) = (self.names.len(), records.fields().len());
        let keeps_stray = self.dialect.stray_quotes == StrayQuotes::Keep;
        let pads = self.dialect.short_rows == ShortRows::Pad;
        let (column, reason) = match record.defect {
            Some(Defect::Unclosed(column)) => (Some(column), Reason::UnclosedQuote { lines: records.lines_of(record) }),
            Some(Defect::Stray(column)) if !keeps_stray => (Some(column), Reason::StrayQuote),
            _ if found < expected && !pads => (Some(found), Reason::MissingColumns { expected, found }),
            _ if found > expected => (None, Reason::TooManyColumns { expected, found }),
            _ => return None,
        };
        let name = column.and_then(|column| self.names.get(column)).map(String::as_str);
        Some(Fault::of_record(record.line, name, &records.lossy(record.span.clone()), reason))
    }

    fn field_of<'a>(
        &self,
        records: &Records<'a>,
        record: &Record,
        column: usize,
    ) -> Result<Option<Cow<'a, str>>, Fault> {
        // Only a row that was padded ends before the column.
        let Some(field) = records.fields().get(column) else { return Ok(None) };
        let fault = |reason| {
            let value = records.lossy(record.span.clone());
            Fault::of_record(record.line, Some(&self.names[column]), &value, reason)
        };
        if records.length(field) > LONGEST_FIELD {
            return Err(fault(Reason::FieldTooLong { limit: LONGEST_FIELD }));
        }
        self.text_of(records, field).map_err(fault)
    }

    fn text_of<'a>(&self, records: &Records<'a>, field: &Field) -> Result<Option<Cow<'a, str>>, Reason> {
        match records.text(field) {
            Ok(text) => Ok(text),
            Err(_) if self.dialect.damaged == Damaged::Replace => Ok(records.text_or_replaced(field)),
            Err(error) if self.encoding == Encoding::Utf8 => Err(Reason::Encoding { byte: error.valid_up_to() + 1 }),
            Err(_) => Err(Reason::Undecodable { encoding: self.encoding.name() }),
        }
    }

    /// The one row, rejected, that a record becomes which is longer than any real one.
    pub fn passed_over(&self, overlong: &Overlong) -> RawRows {
        let Overlong { head, line_ends, lines, unclosed, limit } = overlong;
        let reason = match unclosed {
            true => Reason::UnclosedQuote { lines: *lines },
            false => Reason::RecordTooLong { limit: *limit },
        };
        let fields = self.wanted.iter().map(|_| Arc::new(StringViewArray::new_null(0)) as ArrayRef).collect();
        let faults = vec![Fault::of_record(0, None, &String::from_utf8_lossy(head), reason)];
        RawRows { fields, count: 0, lines: Lines::From(0), line_ends: *line_ends, faults }
    }
}

/// How many records a clean chunk has; `None` if it is not clean.
///
/// A file of one column is never clean: its empty lines are no records, and only the strict reader knows that.
fn clean_records(chunk: &[u8], delimiter: u8, quote: Option<u8>, columns: usize) -> Option<usize> {
    let has_quotes = quote.is_some_and(|quote| memchr(quote, chunk).is_some());
    let clean = columns > 1 && !has_quotes && std::str::from_utf8(chunk).is_ok();
    if !clean || has_lone_return(chunk) || has_endless_line(chunk) {
        return None;
    }
    let open_line = chunk.last().is_some_and(|byte| *byte != b'\n');
    let records = newlines(chunk) + usize::from(open_line);
    (records > 0 && occurrences(delimiter, chunk) == records * (columns - 1)).then_some(records)
}

fn newlines(chunk: &[u8]) -> usize {
    occurrences(b'\n', chunk)
}

/// A plain count over bytes: the compiler makes it as fast as memory.
fn occurrences(wanted: u8, bytes: &[u8]) -> usize {
    bytes
        .chunks(u8::MAX.into())
        .map(|part| usize::from(part.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>()))
        .sum()
}

fn has_lone_return(chunk: &[u8]) -> bool {
    memchr_iter(b'\r', chunk).any(|at| chunk.get(at + 1) != Some(&b'\n'))
}

fn has_endless_line(chunk: &[u8]) -> bool {
    // A line longer than the limit covers a whole half of it that begins at a multiple of that half.
    const HALF: usize = LONGEST_FIELD / 2;
    chunk.chunks_exact(HALF).any(|part| memchr(b'\n', part).is_none())
}

fn texts_of(frame: &DataFrame, column: usize) -> Option<ArrayRef> {
    let arrays = bridge::texts(frame.columns().get(column)?).ok()?;
    match <[StringViewArray; 1]>::try_from(arrays) {
        Ok([array]) => Some(Arc::new(array)),
        Err(arrays) => concat(&arrays.iter().map(|array| array as &dyn Array).collect::<Vec<_>>()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;

    fn shape(columns: usize) -> TextShape {
        let names = (0..columns).map(|column| format!("c{column}")).collect();
        let marks = Marks { separator: Separator::Delimiter(b','), quote: Some(b'"') };
        let dialect = Dialect::default();
        TextShape { marks, encoding: Encoding::Utf8, dialect, names, wanted: (0..columns).collect() }
    }

    fn texts(rows: &RawRows) -> Vec<Vec<Option<String>>> {
        let column = |array: &ArrayRef| array.as_string_view().iter().map(|text| text.map(str::to_owned)).collect();
        rows.fields.iter().map(column).collect()
    }

    #[test]
    fn a_clean_chunk_goes_the_fast_way() {
        let rows = shape(2).clean_rows(b"a,b\r\n,d\nlonger than twelve bytes,\n").unwrap();
        let expected = [[Some("a"), None, Some("longer than twelve bytes")], [Some("b"), Some("d"), None]];
        assert_eq!(texts(&rows), expected.map(|column| column.map(|text| text.map(str::to_owned)).to_vec()));
        assert_eq!((rows.count, rows.line_ends), (3, 3));
    }

    #[test]
    fn what_is_not_clean_does_not() {
        for chunk in ["a,\"b\"\n", "a\n", "a,b,c\n\n", "a,b\rc,d\n", "a,b\n\nc,d\n", ""] {
            assert!(shape(2).clean_rows(chunk.as_bytes()).is_none(), "{chunk:?}");
        }
        assert!(shape(2).clean_rows(b"a,\xff\n").is_none());
        assert!(shape(2).clean_rows(b"a,b,c\nd\n").is_none(), "a long and a short record that make up for each other");
    }

    #[test]
    fn a_line_of_more_than_a_megabyte_is_not_clean() {
        let long = format!("a,{}\n", "b".repeat(LONGEST_FIELD + 1));
        assert!(shape(2).clean_rows(long.as_bytes()).is_none());
        assert_eq!(shape(2).rows(long.as_bytes()).faults[0].reason, Reason::FieldTooLong { limit: LONGEST_FIELD });
    }

    proptest! {
        /// The strict reader is the slow, obvious twin of the fast way.
        #[test]
        fn both_ways_give_the_same(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z #'0é]{0,15}", 3), 1..30),
            crlf: bool,
            last_line_ends: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let lines: Vec<String> = rows.iter().map(|fields| fields.join(",")).collect();
            let text = lines.join(end) + if last_line_ends { end } else { "" };
            let fast = shape(3).clean_rows(text.as_bytes()).expect("the chunk is clean");
            let slow = shape(3).rows_by_record(text.as_bytes());
            prop_assert_eq!(texts(&fast), texts(&slow));
            prop_assert_eq!(fast.line_ends, slow.line_ends);
        }
    }
}
