//! Files cut into pieces of work: chunks of whole records, and row groups.
//!
//! A chunk is a stretch of text that begins and ends between two records, so chunks can be read side by side and their
//! results put together in the order of the files. Where they are cut never shows in a result.

use crate::error::Error;
use crate::file::{Content, OpenFile};
use crate::layout::Layout;
use crate::ndjson::LineChunks;
use crate::overlong::{Overlong, Skipper};
use crate::records::{Marks, last_record_end};
use crate::source::{self, Digest};
use crate::stream::TextStream;

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
    /// Whole records of text, or whole lines of NDJSON.
    Chunk(Vec<u8>),
    /// A record that is longer than any real one.
    Overlong(Overlong),
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
    Lines(Box<LineChunks>),
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
                let stream = TextStream::open(&file.source, *format)?.decoded(layout.encoding);
                Chunks::start(stream, layout, sizes).map(|chunks| Self::Chunks(Box::new(chunks)))
            }
            Content::Json(json) => {
                LineChunks::open(&file.source, json.format, sizes.chunk).map(|lines| Self::Lines(Box::new(lines)))
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
            Self::Lines(lines) => lines.next(file),
            Self::Groups(groups) => Ok(groups.next(file)),
        }
    }
}

/// The chunks of one text file.
struct Chunks {
    stream: TextStream,
    marks: Marks,
    sizes: Sizes,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    bytes_before: u64,
}

/// How much is read at once while the rest of a record that is far too long is passed over.
const STRETCH: usize = 256 << 10;

impl Chunks {
    /// Opens the file behind its header.
    fn start(mut stream: TextStream, layout: &Layout, sizes: Sizes) -> Result<Self, Error> {
        stream.fill(&mut Vec::new(), layout.skip_bytes)?;
        Ok(Self { stream, marks: layout.marks, sizes, rest: Vec::new(), bytes_before: 0 })
    }

    fn next(&mut self, file: usize) -> Result<Piece, Error> {
        let (part, last) = self.part()?;
        let bytes = self.stream.bytes_on_disk() - self.bytes_before;
        self.bytes_before += bytes;
        let ended = last.then(|| Identity { digest: self.stream.digest(), bytes: self.bytes_before });
        Ok(Piece { file, part, bytes, ended })
    }

    /// The next whole records, and whether they are the last.
    fn part(&mut self) -> Result<(Part, bool), Error> {
        let mut buffer = std::mem::take(&mut self.rest);
        let mut length = self.sizes.chunk;
        loop {
            if self.stream.fill(&mut buffer, length)? {
                return Ok((Part::Chunk(buffer), true));
            }
            if let Some(end) = last_record_end(&buffer, self.marks) {
                self.rest = buffer.split_off(end);
                return Ok((Part::Chunk(buffer), false));
            }
            if length >= self.sizes.record {
                return self.pass_over(buffer);
            }
            length *= 2;
        }
    }

    /// Reads on to the end of the record that begins with `stretch`, keeping nothing of it.
    fn pass_over(&mut self, mut stretch: Vec<u8>) -> Result<(Part, bool), Error> {
        let mut skipper = Skipper::new(self.marks);
        let mut ended = false;
        loop {
            if let Some(end) = skipper.end_in(&stretch) {
                self.rest = stretch.split_off(end);
                return Ok((Part::Overlong(skipper.passed(self.sizes.record)), ended && self.rest.is_empty()));
            }
            if ended {
                return Ok((Part::Overlong(skipper.passed(self.sizes.record)), true));
            }
            stretch.clear();
            ended = self.stream.fill(&mut stretch, STRETCH)?;
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
        // The file was read whole for its digest; its bytes are spread over the groups to tell how much of it went by.
        let each = self.identity.bytes / self.count.max(1) as u64;
        let bytes = if last { self.identity.bytes - each * (self.next as u64 - 1) } else { each };
        Piece { file, part, bytes, ended: last.then_some(self.identity) }
    }
}
