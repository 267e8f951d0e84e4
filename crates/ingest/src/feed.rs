//! Files cut into pieces of work: chunks of whole records, and row groups.
//!
//! A chunk is a stretch of text that begins and ends between two records, so chunks can be read side by side and their
//! results put together in the order of the files. Where they are cut never shows in a result.

use crate::error::{Damage, Error};
use crate::file::{Content, OpenFile};
use crate::layout::Layout;
use crate::records::{Separator, last_record_end, line_ends};
use crate::source::{self, Digest};
use crate::stream::{TextStream, damaged};

/// A piece of work: part of one file.
pub(crate) struct Piece {
    /// The number of the file.
    pub file: usize,
    pub part: Part,
    /// Bytes on disk that were read for it.
    pub bytes: u64,
    /// What the file turned out to be; comes with its last piece.
    pub ended: Option<Identity>,
}

/// Which part of a file.
pub(crate) enum Part {
    /// Whole records of text.
    Chunk(Vec<u8>),
    /// A row group of a Parquet file, by its number.
    RowGroup(usize),
    /// Nothing: a Parquet file without rows.
    Nothing,
}

/// Size and digest of a file as it lies on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub digest: Digest,
    pub bytes: u64,
}

/// How much is taken at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Text of one chunk in bytes.
    pub chunk: usize,
    /// The longest record in bytes.
    pub record: usize,
}

/// Hands out the pieces of all files, in order.
pub(crate) struct Feed<'a> {
    files: &'a [OpenFile],
    sizes: Sizes,
    next_file: usize,
    current: Option<Pieces>,
}

enum Pieces {
    Chunks(Box<Chunks>),
    Groups(Groups),
}

impl<'a> Feed<'a> {
    pub fn new(files: &'a [OpenFile], sizes: Sizes) -> Self {
        Self { files, sizes, next_file: 0, current: None }
    }

    /// The next `count` pieces; fewer at the end.
    pub fn take(&mut self, count: usize) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::with_capacity(count);
        while pieces.len() < count
            && let Some(piece) = self.next()?
        {
            pieces.push(piece);
        }
        Ok(pieces)
    }

    fn next(&mut self) -> Result<Option<Piece>, Error> {
        let mut pieces = match self.current.take() {
            Some(pieces) => pieces,
            None => match self.files.get(self.next_file) {
                None => return Ok(None),
                Some(file) => {
                    self.next_file += 1;
                    Pieces::open(file, self.sizes)?
                }
            },
        };
        let piece = pieces.next(self.next_file - 1)?;
        if piece.ended.is_none() {
            self.current = Some(pieces);
        }
        Ok(Some(piece))
    }
}

impl Pieces {
    fn open(file: &OpenFile, sizes: Sizes) -> Result<Self, Error> {
        match &file.content {
            Content::Text { format, layout } => {
                Chunks::start(&file.source.name, TextStream::open(&file.source, *format)?, layout, sizes)
                    .map(|chunks| Self::Chunks(Box::new(chunks)))
            }
            Content::Parquet(parquet) => {
                let identity = Identity { digest: source::digest(&file.source)?, bytes: parquet.bytes };
                Ok(Self::Groups(Groups { next: 0, count: parquet.groups(), identity }))
            }
        }
    }

    fn next(&mut self, file: usize) -> Result<Piece, Error> {
        match self {
            Self::Chunks(chunks) => chunks.next(file),
            Self::Groups(groups) => Ok(groups.next(file)),
        }
    }
}

/// The chunks of one text file.
struct Chunks {
    name: String,
    stream: TextStream,
    separator: Separator,
    sizes: Sizes,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    lines: u64,
    bytes_before: u64,
}

impl Chunks {
    /// Opens the file behind its header.
    fn start(name: &str, mut stream: TextStream, layout: &Layout, sizes: Sizes) -> Result<Self, Error> {
        stream.fill(&mut Vec::new(), layout.skip_bytes)?;
        let (name, separator) = (name.to_owned(), layout.separator);
        Ok(Self { name, stream, separator, sizes, rest: Vec::new(), lines: layout.skip_lines, bytes_before: 0 })
    }

    fn next(&mut self, file: usize) -> Result<Piece, Error> {
        let (chunk, last) = self.chunk()?;
        self.lines += line_ends(&chunk);
        let bytes = self.stream.bytes_on_disk() - self.bytes_before;
        self.bytes_before += bytes;
        let ended = last.then(|| Identity { digest: self.stream.digest(), bytes: self.bytes_before });
        Ok(Piece { file, part: Part::Chunk(chunk), bytes, ended })
    }

    /// The next whole records, and whether they are the last.
    fn chunk(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let mut buffer = std::mem::take(&mut self.rest);
        let mut length = self.sizes.chunk;
        loop {
            if self.stream.fill(&mut buffer, length)? {
                return Ok((buffer, true));
            }
            if let Some(end) = last_record_end(&buffer, self.separator) {
                self.rest = buffer.split_off(end);
                return Ok((buffer, false));
            }
            if length >= self.sizes.record {
                let damage = Damage::EndlessRecord { line: self.lines + 1, limit: self.sizes.record };
                return Err(damaged(&self.name, damage));
            }
            length *= 2;
        }
    }
}

/// The row groups of one Parquet file.
struct Groups {
    next: usize,
    count: usize,
    identity: Identity,
}

impl Groups {
    fn next(&mut self, file: usize) -> Piece {
        let part = if self.count == 0 { Part::Nothing } else { Part::RowGroup(self.next) };
        self.next += 1;
        let last = self.next >= self.count;
        // The file was read whole for its digest, so its bytes are spread over the groups only for progress.
        let bytes = if last { self.identity.bytes } else { 0 };
        Piece { file, part, bytes, ended: last.then_some(self.identity) }
    }
}
