//! A walk over Thrift's compact protocol, in which footers and page headers are written.
//!
//! It only walks: every length is held against the bytes that are left, and nothing is kept, so that what passes here
//! cannot make a reader allocate more than the file is worth, or nest deeper than its stack.

/// Structs, lists and maps in one another; Parquet itself needs eight.
const DEEPEST: usize = 32;

/// The kinds of values, by the codes of the protocol.
pub(super) mod kind {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const MAP: u8 = 11;
    pub const STRUCT: u8 = 12;
    pub const UUID: u8 = 13;
}

/// Walks over bytes; `None` from any step means that they make no sense where the walk stands.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    pub at: usize,
    depth: usize,
}

/// A field of a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub id: i16,
    pub kind: u8,
}

impl<'a> Walk<'a> {
    pub fn over(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    /// Walks over a struct. `visit` walks over the value of a field and says so, or leaves it to be passed over.
    pub fn fields(&mut self, mut visit: impl FnMut(&mut Self, Field) -> Option<bool>) -> Option<()> {
        self.deeper()?;
        let mut last = 0_i16;
        while let Some(field) = self.field(last)? {
            last = field.id;
            if !visit(self, field)? {
                self.pass(field.kind)?;
            }
        }
        self.depth -= 1;
        Some(())
    }

    /// Walks over a list. `visit` walks over one element.
    pub fn elements(&mut self, kind: u8, mut visit: impl FnMut(&mut Self) -> Option<()>) -> Option<usize> {
        self.deeper()?;
        let (found, count) = self.list_header()?;
        if found != kind && count > 0 {
            return None;
        }
        (0..count).try_for_each(|_| visit(self))?;
        self.depth -= 1;
        Some(count)
    }

    /// A whole number of any width.
    pub fn number(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// The next field of a struct; `Some(None)` at its end.
    fn field(&mut self, last: i16) -> Option<Option<Field>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        let id = match i16::from(head >> 4) {
            0 => i16::try_from(self.number()?).ok()?,
            step => last.checked_add(step)?,
        };
        Some(Some(Field { id, kind: head & 0x0f }))
    }

    /// The kind of a list's elements and how many there are: never more than bytes are left, as each takes one.
    fn list_header(&mut self) -> Option<(u8, usize)> {
        let head = self.byte()?;
        let count = match usize::from(head >> 4) {
            15 => usize::try_from(self.varint()?).ok()?,
            few => few,
        };
        (count <= self.left()).then_some((head & 0x0f, count))
    }

    fn pass(&mut self, kind: u8) -> Option<()> {
        match kind {
            kind::TRUE | kind::FALSE => Some(()),
            _ => self.pass_element(kind),
        }
    }

    /// In lists and maps a truth value takes a byte, as a field it takes none.
    fn pass_element(&mut self, kind: u8) -> Option<()> {
        match kind {
            kind::TRUE | kind::FALSE | kind::BYTE => self.skip(1),
            kind::I16 | kind::I32 | kind::I64 => self.varint().map(|_| ()),
            kind::DOUBLE => self.skip(8),
            kind::UUID => self.skip(16),
            kind::BINARY => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.skip(length)
            }
            kind::LIST | kind::SET => self.pass_list(),
            kind::MAP => self.pass_map(),
            kind::STRUCT => self.fields(|_, _| Some(false)),
            _ => None,
        }
    }

    fn pass_list(&mut self) -> Option<()> {
        self.deeper()?;
        let (kind, count) = self.list_header()?;
        (0..count).try_for_each(|_| self.pass_element(kind))?;
        self.depth -= 1;
        Some(())
    }

    fn pass_map(&mut self) -> Option<()> {
        self.deeper()?;
        let count = usize::try_from(self.varint()?).ok().filter(|count| *count <= self.left())?;
        if count > 0 {
            let kinds = self.byte()?;
            (0..count).try_for_each(|_| {
                self.pass_element(kinds >> 4)?;
                self.pass_element(kinds & 0x0f)
            })?;
        }
        self.depth -= 1;
        Some(())
    }

    /// So many bytes as they are.
    pub fn taken(&mut self, count: usize) -> Option<&'a [u8]> {
        let start = self.at;
        self.skip(count)?;
        Some(&self.bytes[start..self.at])
    }

    /// A whole number that is not negative.
    pub fn unsigned(&mut self) -> Option<u64> {
        self.varint()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        (count <= self.left()).then(|| self.at += count)
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_numbered_by_steps_and_others_passed_over() {
        // 1: i32 = 7; 2: list of two i32; 5: true; 20: binary "ab"; end.
        let bytes = [0x15, 14, 0x19, 0x25, 2, 4, 0x31, 0x08, 40, 2, b'a', b'b', 0, 99];
        let mut walk = Walk::over(&bytes);
        let mut seen = Vec::new();
        let walked = walk.fields(|walk, field| {
            seen.push(field.id);
            if field.id == 1 {
                assert_eq!(walk.number(), Some(7));
            }
            Some(field.id == 1)
        });
        assert_eq!((walked, walk.at, seen), (Some(()), 13, vec![1, 2, 5, 20]));
    }

    #[test]
    fn a_list_longer_than_the_bytes_that_are_left_makes_no_sense() {
        let passes = |bytes: &[u8]| Walk::over(bytes).fields(|_, _| Some(false)).is_some();
        assert!(passes(&[0x19, 0x25, 2, 4, 0]));
        assert!(!passes(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0x7f, 2, 4, 0]));
        assert!(!passes(&[0x18, 0xff, 0xff, 0x7f, b'a', 0]));
        assert!(!passes(&[0x1b, 0xff, 0xff, 0x7f, 0x55, 0]));
    }

    #[test]
    fn structs_in_one_another_without_end_make_no_sense() {
        let nested = |depth: usize| [vec![0x1c; depth], vec![0; depth + 1]].concat();
        assert!(Walk::over(&nested(31)).fields(|_, _| Some(false)).is_some());
        assert!(Walk::over(&nested(32)).fields(|_, _| Some(false)).is_none());
        assert!(Walk::over(&nested(1_000_000)).fields(|_, _| Some(false)).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_or_not_but_never_left(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut walk = Walk::over(&bytes);
            let _ = walk.fields(|_, _| Some(false));
            prop_assert!(walk.at <= bytes.len());
        }
    }
}
