//! The strict reader of records: RFC 4180, or fields between runs of blanks.
//!
//! One rule says what a quote means, and both the reader and the splitter of chunks keep to it: a quote opens a quoted
//! field only where a field begins; inside, two quotes stand for one, and a single one closes. A quote anywhere else is
//! a defect of its record and changes nothing, so that one bad record never swallows its neighbours. Lines end with LF,
//! CRLF or a lone CR.

use std::borrow::Cow;
use std::ops::Range;
use std::str::Utf8Error;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memrchr2};

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// One character; fields may be quoted.
    Delimiter(u8),
    /// Runs of blanks and tabs; those at the ends of a line separate nothing. There are no quotes.
    Blanks,
}

impl Separator {
    /// For reports: the delimiter, or a blank.
    pub fn character(self) -> char {
        match self {
            Self::Delimiter(delimiter) => delimiter.into(),
            Self::Blanks => ' ',
        }
    }
}

/// What has a meaning of its own between the values of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub separator: Separator,
    /// What opens and closes a quoted field; there is none between runs of blanks.
    pub quote: Option<u8>,
}

impl Marks {
    /// Whether a field in quotes begins at `at`.
    fn opens(self, bytes: &[u8], at: usize) -> bool {
        self.quote.is_some() && bytes.get(at).copied() == self.quote
    }
}

/// Reads `bytes` record by record.
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    marks: Marks,
    at: usize,
    line: u64,
    fields: Vec<Field>,
}

/// Where a record stands, and what is wrong with it.
pub(crate) struct Record {
    pub span: Range<usize>,
    /// How many lines end before it in these bytes.
    pub line: u64,
    pub defect: Option<Defect>,
}

/// Where a field stands, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    span: Range<usize>,
    quoted: bool,
    doubled: bool,
}

/// What can be wrong with the quotes of a record; the number is that of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    Unclosed(usize),
    Stray(usize),
}

impl<'a> Records<'a> {
    pub fn new(bytes: &'a [u8], marks: Marks) -> Self {
        Self { bytes, marks, at: 0, line: 0, fields: Vec::new() }
    }

    /// The next record, or `None` at the end; lines without a character are no records.
    pub fn next(&mut self) -> Option<Record> {
        self.skip_empty_lines();
        if self.at == self.bytes.len() {
            return None;
        }
        let (start, line) = (self.at, self.line);
        self.fields.clear();
        let defect = match self.marks.separator {
            Separator::Delimiter(delimiter) => self.delimited(delimiter),
            Separator::Blanks => self.between_blanks(),
        };
        let span = start..self.at;
        self.end_line();
        Some(Record { span, line, defect })
    }

    /// The fields of the record that was read last.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The text of a field; `None` if it is empty and not quoted, which means that it has no value.
    pub fn text(&self, field: &Field) -> Result<Option<Cow<'a, str>>, Utf8Error> {
        if field.span.is_empty() && !field.quoted {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.bytes[field.span.clone()])?;
        Ok(Some(self.unescaped(field, text.into())))
    }

    /// The text of a field in which bytes that stand for no character are replaced.
    pub fn text_or_replaced(&self, field: &Field) -> Option<Cow<'a, str>> {
        let present = !field.span.is_empty() || field.quoted;
        present.then(|| self.unescaped(field, self.lossy(field.span.clone())))
    }

    /// Two quotes stand for one.
    fn unescaped(&self, field: &Field, text: Cow<'a, str>) -> Cow<'a, str> {
        match self.marks.quote.map(char::from).filter(|_| field.doubled) {
            Some(quote) => text.replace(&format!("{quote}{quote}"), &quote.to_string()).into(),
            None => text,
        }
    }

    /// How many bytes of the record are in this field.
    pub fn length(&self, field: &Field) -> usize {
        field.span.len()
    }

    /// Bytes of a record for a report, whatever they are.
    pub fn lossy(&self, span: Range<usize>) -> Cow<'a, str> {
        String::from_utf8_lossy(&self.bytes[span])
    }

    /// How many lines a record that was read last covers, the one that the file ends included.
    pub fn lines_of(&self, record: &Record) -> u64 {
        let span = &self.bytes[record.span.clone()];
        line_ends(span) + u64::from(!matches!(span.last(), Some(b'\r' | b'\n')))
    }

    /// How many lines have ended so far.
    pub fn lines(&self) -> u64 {
        self.line
    }

    /// Where the next record begins.
    pub fn position(&self) -> usize {
        self.at
    }

    fn skip_empty_lines(&mut self) {
        loop {
            let blanks = if self.marks.separator == Separator::Blanks { blanks(&self.bytes[self.at..]) } else { 0 };
            let ends = line_end(self.bytes, self.at + blanks) > 0 || self.at + blanks == self.bytes.len();
            if !ends || self.at == self.bytes.len() {
                return;
            }
            self.at += blanks;
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let length = line_end(self.bytes, self.at);
        self.at += length;
        self.line += u64::from(length > 0);
    }

    fn delimited(&mut self, delimiter: u8) -> Option<Defect> {
        let mut defect = None;
        loop {
            let found =
                if self.marks.opens(self.bytes, self.at) { self.quoted(delimiter) } else { self.bare(delimiter) };
            // A quote that swallows the rest is worse than one that is astray.
            defect = match found {
                Some(Defect::Unclosed(_)) => found,
                _ => defect.or(found),
            };
            if self.bytes.get(self.at) != Some(&delimiter) {
                return defect;
            }
            self.at += 1;
        }
    }

    fn bare(&mut self, delimiter: u8) -> Option<Defect> {
        let span = self.at..self.end_of_bare(delimiter);
        self.at = span.end;
        let stray = self.marks.quote.and_then(|quote| memchr(quote, &self.bytes[span.clone()]));
        let stray = stray.map(|_| Defect::Stray(self.fields.len()));
        self.fields.push(Field { span, quoted: false, doubled: false });
        stray
    }

    fn end_of_bare(&self, delimiter: u8) -> usize {
        memchr3(delimiter, b'\n', b'\r', &self.bytes[self.at..]).map_or(self.bytes.len(), |length| self.at + length)
    }

    fn quoted(&mut self, delimiter: u8) -> Option<Defect> {
        let number = self.fields.len();
        let start = self.at + 1;
        let (end, doubled) = closing_quote(self.bytes, start, self.bytes[self.at]);
        let closed = end < self.bytes.len();
        self.line += line_ends(&self.bytes[start..end]);
        self.at = (end + 1).min(self.bytes.len());
        let after = self.end_of_bare(delimiter);
        let is_stray = after > self.at;
        // Whoever keeps stray quotes wants the field as it is written.
        let span = if is_stray { start - 1..after } else { start..end };
        self.fields.push(Field { span, quoted: !is_stray, doubled: doubled && !is_stray });
        self.at = after;
        if closed { is_stray.then_some(Defect::Stray(number)) } else { Some(Defect::Unclosed(number)) }
    }

    fn between_blanks(&mut self) -> Option<Defect> {
        let length = memchr2(b'\n', b'\r', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at);
        let line = &self.bytes[self.at..self.at + length];
        let mut start = 0;
        for part in line.split(|byte| matches!(byte, b' ' | b'\t')) {
            if !part.is_empty() {
                let span = self.at + start..self.at + start + part.len();
                self.fields.push(Field { span, quoted: false, doubled: false });
            }
            start += part.len() + 1;
        }
        self.at += length;
        None
    }
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where the quoted field that starts at `start` ends (at its closing quote, or at the end of the bytes), and whether
/// it holds doubled quotes.
fn closing_quote(bytes: &[u8], start: usize, quote: u8) -> (usize, bool) {
    let (mut at, mut doubled) = (start, false);
    while let Some(length) = memchr(quote, &bytes[at..]) {
        let found = at + length;
        if bytes.get(found + 1) != Some(&quote) {
            return (found, doubled);
        }
        (at, doubled) = (found + 2, true);
    }
    (bytes.len(), doubled)
}

/// How many bytes of line end stand at `at`: none, one, or two for CRLF.
fn line_end(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => 2,
        (Some(b'\n' | b'\r'), _) => 1,
        _ => 0,
    }
}

/// How many lines end in `bytes`.
pub(crate) fn line_ends(bytes: &[u8]) -> u64 {
    let feeds = memchr_iter(b'\n', bytes).count();
    let lone_returns = memchr_iter(b'\r', bytes).filter(|at| bytes.get(at + 1) != Some(&b'\n')).count();
    (feeds + lone_returns) as u64
}

/// Where the last whole record of `bytes` ends, if one does: behind a line end outside quotes. More bytes may follow.
///
/// A return as the very last byte may be half of a CRLF, and a quote as the very last one half of a doubled one:
/// neither decides anything yet.
pub(crate) fn last_record_end(bytes: &[u8], marks: Marks) -> Option<usize> {
    let Marks { separator: Separator::Delimiter(delimiter), quote: Some(mark) } = marks else {
        return last_line_end(bytes, 0..bytes.len());
    };
    let mut last = None;
    let mut outside_from = 0;
    let mut at = 0;
    while let Some(length) = memchr(mark, &bytes[at..]) {
        let quote = at + length;
        if !begins_field(bytes, quote, delimiter) {
            at = quote + 1;
            continue;
        }
        last = last_line_end(bytes, outside_from..quote).or(last);
        let (end, _) = closing_quote(bytes, quote + 1, mark);
        if end + 1 >= bytes.len() {
            return last;
        }
        (outside_from, at) = (end + 1, end + 1);
    }
    last_line_end(bytes, outside_from..bytes.len()).or(last)
}

fn begins_field(bytes: &[u8], at: usize, delimiter: u8) -> bool {
    at == 0 || matches!(bytes[at - 1], b'\n' | b'\r') || bytes[at - 1] == delimiter
}

fn last_line_end(bytes: &[u8], within: Range<usize>) -> Option<usize> {
    let mut end = within.end;
    loop {
        let at = within.start + memrchr2(b'\n', b'\r', &bytes[within.start..end])?;
        if at + 1 < bytes.len() || bytes[at] == b'\n' {
            return Some(at + 1);
        }
        end = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Marks = Marks { separator: Separator::Delimiter(b','), quote: Some(b'"') };
    const BLANKS: Marks = Marks { separator: Separator::Blanks, quote: None };

    type Row = (u64, Vec<Option<String>>, Option<Defect>);

    fn rows(text: &[u8], marks: Marks) -> Vec<Row> {
        let mut records = Records::new(text, marks);
        let mut rows = Vec::new();
        while let Some(record) = records.next() {
            let fields = records.fields().iter().map(|field| records.text(field).unwrap().map(Cow::into_owned));
            rows.push((record.line, fields.collect(), record.defect));
        }
        rows
    }

    fn fields(texts: &[Option<&str>]) -> Vec<Option<String>> {
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn an_empty_field_has_no_value_and_a_quoted_empty_one_is_empty() {
        assert_eq!(rows(b"a,,\"\"\n", COMMA), [(0, fields(&[Some("a"), None, Some("")]), None)]);
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_quotes() {
        let text = b"\"a,b\",\"c\r\nd\",\"e\"\"f\"\nx,y,z";
        let expected = [
            (0, fields(&[Some("a,b"), Some("c\r\nd"), Some("e\"f")]), None),
            (2, fields(&[Some("x"), Some("y"), Some("z")]), None),
        ];
        assert_eq!(rows(text, COMMA), expected);
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let lines: Vec<_> = rows(b"a\nb\r\nc\r\rd", COMMA).into_iter().map(|(line, ..)| line).collect();
        assert_eq!(lines, [0, 1, 2, 4]);
    }

    #[test]
    fn a_stray_quote_spoils_its_record_only() {
        let text = b"5\" disk,\"x\ny\"\n\"a\"b,c\nd,e\n";
        let found: Vec<_> = rows(text, COMMA).into_iter().map(|(line, _, defect)| (line, defect)).collect();
        assert_eq!(found, [(0, Some(Defect::Stray(0))), (2, Some(Defect::Stray(0))), (3, None)]);
    }

    #[test]
    fn an_unclosed_quote_swallows_the_rest() {
        let found: Vec<_> =
            rows(b"a,b\nc,\"d\ne,f\n", COMMA).into_iter().map(|(line, _, defect)| (line, defect)).collect();
        assert_eq!(found, [(0, None), (1, Some(Defect::Unclosed(1)))]);
    }

    #[test]
    fn runs_of_blanks_separate_and_those_at_the_ends_do_not() {
        let expected = [(0, fields(&[Some("00001"), Some("19970101"), Some("\"x")]), None)];
        assert_eq!(rows(b" 00001 19970101 \t \"x  \r\n", BLANKS), expected);
    }

    #[test]
    fn another_quote_leaves_the_usual_one_alone_and_none_leaves_all_of_them() {
        let single = Marks { quote: Some(b'\''), ..COMMA };
        assert_eq!(rows(b"'a,\'\'b',\"c\n", single), [(0, fields(&[Some("a,'b"), Some("\"c")]), None)]);
        let none = Marks { quote: None, ..COMMA };
        assert_eq!(rows(b"\"a,'b\n", none), [(0, fields(&[Some("\"a"), Some("'b")]), None)]);
    }

    #[test]
    fn a_field_with_text_behind_its_quotes_is_kept_as_it_is_written() {
        let expected = [(0, fields(&[Some("\"a\" b"), Some("c")]), Some(Defect::Stray(0)))];
        assert_eq!(rows(b"\"a\" b,c\n", COMMA), expected);
    }

    proptest! {
        /// The slow, obvious twin of splitting is not to split.
        #[test]
        fn cutting_at_record_ends_changes_nothing(
            text in proptest::collection::vec(proptest::sample::select(b"a\",\n\r".to_vec()), 0..60),
            size in 1_usize..20,
        ) {
            let mut pieces = Vec::new();
            let (mut start, mut end, mut lines) = (0, 0, 0);
            while start < text.len() {
                end = (end.max(start) + size).min(text.len());
                let cut = if end == text.len() { Some(end - start) } else { last_record_end(&text[start..end], COMMA) };
                if let Some(cut) = cut {
                    let piece = &text[start..start + cut];
                    let moved = |(line, fields, defect)| (line + lines, fields, defect);
                    pieces.extend(rows(piece, COMMA).into_iter().map(moved));
                    let mut records = Records::new(piece, COMMA);
                    while records.next().is_some() {}
                    lines += records.lines();
                    start += cut;
                }
            }
            prop_assert_eq!(pieces, rows(&text, COMMA));
        }
    }
}
