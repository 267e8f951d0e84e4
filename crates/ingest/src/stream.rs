//! The bytes of a text file, unpacked and digested on the way.

use std::fs::File;
use std::io::{self, BufReader, Read};

use muster_catalog::Encoding;
use sha2::{Digest as _, Sha256};

use crate::decoding::Decoder;
use crate::error::{Damage, Error};
use crate::gzip::{CompressionFault, Gunzip, SWELL_LIMITS};
use crate::source::{Digest, Format, SourceFile};

/// An open text file: what comes out is the text, what is digested is what lies on disk.
pub(crate) struct TextStream {
    file: String,
    source: Source,
    decoder: Option<Decoder>,
}

enum Source {
    Plain(Digesting<File>),
    Gzip(Box<Gunzip<BufReader<Digesting<File>>>>),
}

impl TextStream {
    pub fn open(file: &SourceFile, format: Format) -> Result<Self, Error> {
        let opened = File::open(&file.path).map_err(|source| unreadable(&file.name, source))?;
        let digesting = Digesting { inner: opened, hasher: Sha256::new(), bytes: 0 };
        let source = if format.is_compressed() {
            let packed = BufReader::with_capacity(1 << 18, digesting);
            Source::Gzip(Box::new(Gunzip::new(packed, SWELL_LIMITS)))
        } else {
            Source::Plain(digesting)
        };
        Ok(Self { file: file.name.clone(), source, decoder: None })
    }

    /// The same, its text decoded on the way.
    pub fn decoded(self, encoding: Encoding) -> Self {
        Self { decoder: Decoder::of(encoding), ..self }
    }

    /// Appends text to `buffer` until it holds `length` bytes or the file ends; whether it ended.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, length: usize) -> Result<bool, Error> {
        let wanted = length.saturating_sub(buffer.len());
        match self.decoder.take() {
            None => self.read(buffer, wanted),
            Some(mut decoder) => {
                let ended = decoder.fill(buffer, wanted, |count| {
                    let mut bytes = Vec::with_capacity(count);
                    self.read(&mut bytes, count).map(|_| bytes)
                });
                self.decoder = Some(decoder);
                ended
            }
        }
    }

    /// Appends bytes as they are unpacked; whether the file ended.
    fn read(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool, Error> {
        let limit = wanted as u64;
        let read = match &mut self.source {
            Source::Plain(plain) => plain.take(limit).read_to_end(buffer),
            Source::Gzip(gzip) => gzip.take(limit).read_to_end(buffer),
        };
        Ok(read.map_err(|source| self.failure(source))? < wanted)
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
            Source::Gzip(gzip) => gzip.packed().get_ref(),
        }
    }

    fn failure(&self, source: io::Error) -> Error {
        match source.downcast::<CompressionFault>() {
            Ok(fault) => damaged(&self.file, Damage::Compression(fault)),
            Err(source) => unreadable(&self.file, source),
        }
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
