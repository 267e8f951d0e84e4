//! The header of an entry of a tar archive: 512 bytes, texts and octal numbers, and a sum over all of it.

use super::BLOCK;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// The name of the next entry, which has no room in its header.
    LongName,
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// As far as it has room.
    pub name: String,
    pub bytes: u64,
    pub kind: Kind,
}

/// The longest name that has room.
pub const NAME_ROOM: usize = 100;

const SUM: std::ops::Range<usize> = 148..156;
const SIZE: std::ops::Range<usize> = 124..136;
const KIND: usize = 156;

impl Header {
    /// As it stands in the archive; `seconds` is the time of the file.
    pub fn written(&self, seconds: u64) -> [u8; BLOCK as usize] {
        let mut block = [0; BLOCK as usize];
        let name = self.name.as_bytes();
        block[..name.len()].copy_from_slice(name);
        for (place, text) in [(100, "0000644"), (108, "0000000"), (116, "0000000"), (257, "ustar"), (263, "00")] {
            block[place..place + text.len()].copy_from_slice(text.as_bytes());
        }
        block[SIZE].copy_from_slice(&size(self.bytes));
        block[136..147].copy_from_slice(format!("{:011o}", seconds.min(0o777_7777_7777)).as_bytes());
        block[KIND] = match self.kind {
            Kind::File => b'0',
            Kind::LongName => b'L',
        };
        let sum = format!("{:06o}\0 ", sum(&block));
        block[SUM].copy_from_slice(sum.as_bytes());
        block
    }

    /// What a block says, if it is a header that [`Header::written`] makes; the sum covers every byte.
    pub fn read(block: &[u8; BLOCK as usize]) -> Option<Self> {
        let written = &block[SUM];
        if written != format!("{:06o}\0 ", sum(block)).as_bytes() {
            return None;
        }
        let kind = match block[KIND] {
            b'0' => Kind::File,
            b'L' => Kind::LongName,
            _ => return None,
        };
        let name = block[..NAME_ROOM].split(|byte| *byte == 0).next()?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        Some(Self { name, bytes: size_in(&block[SIZE])?, kind })
    }
}

/// Eleven octal digits, or, from 8 GiB on, the number itself behind a byte that says so.
fn size(bytes: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if bytes < 1 << 33 {
        field[..11].copy_from_slice(format!("{bytes:011o}").as_bytes());
    } else {
        field[0] = 0x80;
        field[4..].copy_from_slice(&bytes.to_be_bytes());
    }
    field
}

fn size_in(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, 0, 0, 0, number @ ..] => Some(u64::from_be_bytes(number.try_into().ok()?)),
        [digits @ .., 0] => u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok(),
        _ => None,
    }
}

/// Over all bytes, those of the sum itself counted as blanks.
fn sum(block: &[u8]) -> u64 {
    let byte = |(place, byte): (usize, &u8)| u64::from(if SUM.contains(&place) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_back_also_beyond_what_octal_digits_hold() {
        for bytes in [0, 1, 511, (1 << 33) - 1, 1 << 33, 1 << 45] {
            let header = Header { name: "data/state.db".to_owned(), bytes, kind: Kind::File };
            assert_eq!(Header::read(&header.written(1_700_000_000)), Some(header), "{bytes}");
        }
    }
}
