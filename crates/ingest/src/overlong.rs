//! A record that is longer than any real one is passed over in constant memory: only its first bytes are kept, for its
//! reject, and where it ends is found byte by byte, by the same rule of quotes as everywhere.

use crate::records::{Marks, Separator};

/// Bytes that are kept for the reject.
const KEPT: usize = 1 << 10;

/// What is left of a record that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overlong {
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Lines that end in it, its own end among them.
    pub line_ends: u64,
    /// Lines that it covers, the one that the file ends included.
    pub lines: u64,
    /// Whether the file ended inside its quotes.
    pub unclosed: bool,
    /// How many bytes a record may have.
    pub limit: usize,
}

/// Looks for the end of a record that comes in stretches.
pub(crate) struct Skipper {
    marks: Marks,
    place: Place,
    head: Vec<u8>,
    line_ends: u64,
    /// The byte before the present one.
    last: u8,
}

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Bare,
    Quoted,
    /// Behind a quote inside quotes: closed, unless another one follows.
    MaybeClosed,
    /// Behind a return that ends the record, alone or with the feed that follows.
    Returned,
}

impl Skipper {
    pub fn new(marks: Marks) -> Self {
        Self { marks, place: Place::FieldStart, head: Vec::new(), line_ends: 0, last: 0 }
    }

    /// Reads on; where in `bytes` the next record begins, if this one ends here.
    pub fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let room = KEPT.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        for (at, &byte) in bytes.iter().enumerate() {
            if self.place == Place::Returned {
                return Some(at + usize::from(byte == b'\n'));
            }
            if self.ends_behind(byte) {
                return Some(at + 1);
            }
        }
        None
    }

    /// What was passed over; `limit` is how many bytes a record may have.
    pub fn passed(self, limit: usize) -> Overlong {
        let unclosed = self.place == Place::Quoted;
        let lines = self.line_ends + u64::from(!matches!(self.last, b'\r' | b'\n'));
        Overlong { head: self.head, line_ends: self.line_ends, lines, unclosed, limit }
    }

    fn ends_behind(&mut self, byte: u8) -> bool {
        let is_quote = Some(byte) == self.marks.quote;
        if self.place == Place::Quoted || (self.place == Place::MaybeClosed && is_quote) {
            self.inside(byte, is_quote);
            return false;
        }
        self.line_ends += u64::from(matches!(byte, b'\r' | b'\n'));
        self.last = byte;
        self.place = match byte {
            b'\n' => return true,
            b'\r' => Place::Returned,
            _ if self.marks.separator == Separator::Delimiter(byte) => Place::FieldStart,
            _ if self.place == Place::FieldStart && is_quote => Place::Quoted,
            _ => Place::Bare,
        };
        false
    }

    fn inside(&mut self, byte: u8, is_quote: bool) {
        self.place = if is_quote && self.place == Place::Quoted { Place::MaybeClosed } else { Place::Quoted };
        let half_of_two = byte == b'\n' && self.last == b'\r';
        self.line_ends += u64::from(matches!(byte, b'\r' | b'\n') && !half_of_two);
        self.last = byte;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::{Defect, Records};

    const COMMA: Marks = Marks { separator: Separator::Delimiter(b','), quote: Some(b'"') };

    proptest! {
        /// The strict reader, which has it all in memory, is the slow, obvious twin.
        #[test]
        fn a_record_ends_where_the_strict_reader_ends_it(
            first in proptest::sample::select(b"a\",".to_vec()),
            rest in proptest::collection::vec(proptest::sample::select(b"a\",\n\r".to_vec()), 0..40),
            size in 1_usize..7,
        ) {
            let text: Vec<u8> = std::iter::once(first).chain(rest).collect();
            let mut records = Records::new(&text, COMMA);
            let record = records.next().unwrap();
            let mut skipper = Skipper::new(COMMA);
            let found = text.chunks(size).enumerate().find_map(|(number, stretch)| {
                skipper.end_in(stretch).map(|end| number * size + end)
            });
            prop_assert_eq!(found.unwrap_or(text.len()), records.position());
            let passed = skipper.passed(9);
            prop_assert_eq!(passed.line_ends, records.lines());
            prop_assert_eq!(passed.unclosed, matches!(record.defect, Some(Defect::Unclosed(_))));
        }
    }
}
