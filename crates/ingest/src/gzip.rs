//! Gzip, member after member: the text of all of them, or the byte at which the file stops making sense.
//!
//! The members are told apart here, and not by a reader that joins them, because what follows a whole member is
//! either another one or garbage, and only who stands between them can say which.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// How far compressed text may swell before somebody means harm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SwellLimits {
    /// Text may be this many times larger than its compressed form; real exports stay below 30.
    pub ratio: u64,
    /// Below this many bytes of text the ratio says nothing.
    pub ratio_counts_from: u64,
    /// Bytes of text in all.
    pub total: u64,
}

/// The first byte of every member.
const MAGIC: u8 = 0x1f;
/// What every compressed source is held to.
pub(crate) const SWELL_LIMITS: SwellLimits = SwellLimits { ratio: 100, ratio_counts_from: 1 << 20, total: 256 << 30 };

/// Why compressed bytes cannot be read on, with the byte of the compressed file, counted from one.
#[derive(Debug, thiserror::Error)]
pub enum CompressionFault {
    /// The file ends inside a member.
    #[error("the compressed data are cut off: they end at byte {byte} in the middle of a member")]
    CutOff {
        /// The last byte of the file.
        byte: u64,
    },
    /// What follows a whole member is not another one.
    #[error("what follows the compressed data from byte {byte} on does not belong to them")]
    Garbage {
        /// The first byte that does not belong.
        byte: u64,
    },
    /// The bytes contradict themselves, or the text does not fit its checksum.
    #[error("the compressed data are damaged at or before byte {byte}")]
    Corrupt {
        /// How far the file had been read.
        byte: u64,
        /// What does not fit.
        source: io::Error,
    },
    /// The text is so much larger than its compressed form that somebody means harm.
    #[error("it unpacks to more than {limit} times its size, as seen at byte {byte}")]
    Bomb {
        /// The largest ratio that is accepted.
        limit: u64,
        /// How far the file had been read.
        byte: u64,
    },
    /// More text than any source may unpack to.
    #[error("it unpacks to more than {limit} bytes; split the file")]
    TooLarge {
        /// Bytes that are accepted.
        limit: u64,
    },
}

/// Reads the text of all members; a [`CompressionFault`] comes inside the `io::Error`.
pub(crate) struct Gunzip<R: BufRead> {
    /// `None` only while one member makes way for the next.
    stage: Option<Stage<R>>,
    /// Where the member begins, counted from zero.
    member_start: u64,
    limits: SwellLimits,
    unpacked: u64,
}

enum Stage<R: BufRead> {
    Member(GzDecoder<Counted<R>>),
    Ended(Counted<R>),
}

impl<R: BufRead> Stage<R> {
    fn packed(&self) -> &Counted<R> {
        match self {
            Self::Member(member) => member.get_ref(),
            Self::Ended(packed) => packed,
        }
    }

    fn into_packed(self) -> Counted<R> {
        match self {
            Self::Member(member) => member.into_inner(),
            Self::Ended(packed) => packed,
        }
    }
}

impl<R: BufRead> Gunzip<R> {
    pub fn new(packed: R, limits: SwellLimits) -> Self {
        let member = GzDecoder::new(Counted { inner: packed, taken: 0 });
        Self { stage: Some(Stage::Member(member)), member_start: 0, limits, unpacked: 0 }
    }

    /// Where the compressed bytes come from.
    pub fn packed(&self) -> &R {
        &self.stage().packed().inner
    }

    fn stage(&self) -> &Stage<R> {
        self.stage.as_ref().expect("`next_member` puts back what it takes")
    }

    fn read_text(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(Stage::Member(member)) = self.stage.as_mut() {
            match member.read(buffer) {
                Ok(0) => self.next_member()?,
                Ok(count) => return self.swollen_by(count),
                Err(error) => return Err(self.fault(error)),
            }
        }
        Ok(0)
    }

    /// Goes on behind a whole member, where the file may end.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(mut packed) = self.stage.take().map(Stage::into_packed) else { return Ok(()) };
        let next = packed.fill_buf().map(|left| left.first().copied());
        self.member_start = packed.taken;
        let is_member = matches!(next, Ok(Some(MAGIC)));
        self.stage = Some(if is_member { Stage::Member(GzDecoder::new(packed)) } else { Stage::Ended(packed) });
        match next? {
            Some(byte) if byte != MAGIC => Err(self.garbage()),
            _ => Ok(()),
        }
    }

    fn swollen_by(&mut self, count: usize) -> io::Result<usize> {
        let SwellLimits { ratio, ratio_counts_from, total } = self.limits;
        self.unpacked += count as u64;
        let byte = self.taken();
        if self.unpacked > total {
            Err(faulty(CompressionFault::TooLarge { limit: total }))
        } else if self.unpacked > ratio_counts_from && self.unpacked / ratio > byte {
            Err(faulty(CompressionFault::Bomb { limit: ratio, byte }))
        } else {
            Ok(count)
        }
    }

    fn taken(&self) -> u64 {
        self.stage().packed().taken
    }

    /// Errors of the operating system stay what they are.
    fn fault(&self, error: io::Error) -> io::Error {
        let byte = self.taken();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => faulty(CompressionFault::CutOff { byte }),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if self.is_behind_a_member() => self.garbage(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                faulty(CompressionFault::Corrupt { byte, source: error })
            }
            _ => error,
        }
    }

    /// Whether a whole member was read and what follows has not even a header.
    fn is_behind_a_member(&self) -> bool {
        let no_header = matches!(self.stage(), Stage::Member(member) if member.header().is_none());
        no_header && self.member_start > 0
    }

    fn garbage(&self) -> io::Error {
        faulty(CompressionFault::Garbage { byte: self.member_start + 1 })
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() { Ok(0) } else { self.read_text(buffer) }
    }
}

fn faulty(fault: CompressionFault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

/// Counts the bytes that were taken, which with a buffer in front are fewer than were read.
struct Counted<R> {
    inner: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.taken += count as u64;
        self.inner.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn gunzip(packed: &[u8], limits: SwellLimits) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let read = Gunzip::new(packed, limits).read_to_end(&mut text);
        read.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn text_past_the_total_is_refused_and_up_to_it_is_not() {
        let limits = SwellLimits { total: 1000, ..SWELL_LIMITS };
        assert_eq!(gunzip(&gzip(&[b'x'; 1000]), limits).map(|text| text.len()), Ok(1000));
        let message = gunzip(&gzip(&[b'x'; 1001]), limits);
        assert_eq!(message, Err("it unpacks to more than 1000 bytes; split the file".to_owned()));
    }

    #[test]
    fn a_bomb_is_stopped_soon_after_it_shows() {
        let packed = gzip(&vec![0; 64 << 20]);
        let mut bomb = Gunzip::new(packed.as_slice(), SWELL_LIMITS);
        let mut text = Vec::new();
        assert!(bomb.read_to_end(&mut text).is_err());
        assert!(text.len() < 2 << 20, "{} bytes were unpacked", text.len());
    }

    proptest! {
        /// Members joined are their texts joined; cut anywhere else than between two, it is an error with its place.
        #[test]
        fn every_cut_shows(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..4),
            cut in any::<proptest::sample::Index>(),
        ) {
            let members: Vec<Vec<u8>> = texts.iter().map(|text| gzip(text)).collect();
            let whole = members.concat();
            prop_assert_eq!(gunzip(&whole, SWELL_LIMITS), Ok(texts.concat()));
            let cut = 1 + cut.index(whole.len() - 1);
            let ends: Vec<usize> = members.iter().scan(0, |end, member| { *end += member.len(); Some(*end) }).collect();
            let expected = format!("the compressed data are cut off: they end at byte {cut} in the middle of a member");
            match gunzip(&whole[..cut], SWELL_LIMITS) {
                Ok(_) => prop_assert!(ends.contains(&cut)),
                Err(message) => prop_assert_eq!(message, expected),
            }
        }
    }
}
