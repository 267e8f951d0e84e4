//! The bytes of a text file, unpacked and digested on the way.

use std::fs::File;
use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::error::{Damage, Error};
use crate::source::{Digest, Format, SourceFile};

/// Compressed text may be this many times smaller; real exports stay below 30.
const LARGEST_RATIO: u64 = 100;
/// Below this many bytes the ratio says nothing.
const RATIO_COUNTS_FROM: u64 = 1 << 20;

/// An open text file: what comes out is the text, what is digested is what lies on disk.
pub(crate) struct TextStream {
    file: String,
    source: Source,
    unpacked: u64,
}

enum Source {
    Plain(Digesting<File>),
    Gzip(MultiGzDecoder<BufReader<Digesting<File>>>),
}

impl TextStream {
    pub fn open(file: &SourceFile, format: Format) -> Result<Self, Error> {
        let opened = File::open(&file.path).map_err(|source| unreadable(&file.name, source))?;
        let digesting = Digesting { inner: opened, hasher: Sha256::new(), bytes: 0 };
        let source = match format {
            Format::GzippedText => Source::Gzip(MultiGzDecoder::new(BufReader::with_capacity(1 << 18, digesting))),
            Format::Text | Format::Parquet => Source::Plain(digesting),
        };
        Ok(Self { file: file.name.clone(), source, unpacked: 0 })
    }

    /// Appends text to `buffer` until it holds `length` bytes or the file ends; whether it ended.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, length: usize) -> Result<bool, Error> {
        let wanted = length.saturating_sub(buffer.len()) as u64;
        let read = match &mut self.source {
            Source::Plain(plain) => plain.take(wanted).read_to_end(buffer),
            Source::Gzip(gzip) => gzip.take(wanted).read_to_end(buffer),
        };
        let read = read.map_err(|source| self.failure(source))? as u64;
        self.unpacked += read;
        self.check_ratio()?;
        Ok(read < wanted)
    }

    /// Bytes read so far, as they lie on disk.
    pub fn bytes_on_disk(&self) -> u64 {
        self.digesting().bytes
    }

    /// The digest of everything that was read so far: of the file, once [`fill`](Self::fill) said that it ended.
    pub fn digest(&self) -> Digest {
        Digest(self.digesting().hasher.clone().finalize().into())
    }

    fn digesting(&self) -> &Digesting<File> {
        match &self.source {
            Source::Plain(plain) => plain,
            Source::Gzip(gzip) => gzip.get_ref().get_ref(),
        }
    }

    fn failure(&self, source: io::Error) -> Error {
        let broken = matches!(
            source.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        );
        match self.source {
            Source::Gzip(_) if broken => damaged(&self.file, Damage::Compression(source)),
            _ => unreadable(&self.file, source),
        }
    }

    fn check_ratio(&self) -> Result<(), Error> {
        let bomb = self.unpacked > RATIO_COUNTS_FROM && self.unpacked / LARGEST_RATIO > self.bytes_on_disk();
        if bomb { Err(damaged(&self.file, Damage::Bomb { limit: LARGEST_RATIO })) } else { Ok(()) }
    }
}

pub(crate) fn unreadable(file: &str, source: io::Error) -> Error {
    Error::Unreadable { file: file.to_owned(), source }
}

pub(crate) fn damaged(file: &str, damage: Damage) -> Error {
    Error::Damaged { file: file.to_owned(), damage }
}

/// Digests and counts what passes.
struct Digesting<R> {
    inner: R,
    hasher: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
