//! A file cut between lines, in constant memory however long a line is.

use memchr::{memchr, memrchr};

use super::rows::LONGEST_LINE;
use crate::error::Error;
use crate::feed::{Identity, Part, Piece};
use crate::source::{Format, SourceFile};
use crate::stream::TextStream;

const MARK: &[u8] = b"\xef\xbb\xbf";
/// How much is read at once while the rest of a line that is far too long is passed over.
const PASSED_OVER: usize = 1 << 16;

/// The chunks of one NDJSON file.
pub(crate) struct LineChunks {
    stream: TextStream,
    /// Bytes of one chunk.
    size: usize,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    bytes_before: u64,
}

impl LineChunks {
    /// Opens the file behind its byte order mark.
    pub fn open(source: &SourceFile, format: Format, size: usize) -> Result<Self, Error> {
        let mut stream = TextStream::open(source, format)?;
        let mut rest = Vec::new();
        stream.fill(&mut rest, MARK.len())?;
        if rest == MARK {
            rest.clear();
        }
        Ok(Self { stream, size, rest, bytes_before: 0 })
    }

    /// The next whole lines of the file, which is the one of this number.
    pub fn next(&mut self, file: usize) -> Result<Piece, Error> {
        let (chunk, last) = self.chunk()?;
        let bytes = self.stream.bytes_on_disk() - self.bytes_before;
        self.bytes_before += bytes;
        let ended = last.then(|| Identity { digest: self.stream.digest(), bytes: self.bytes_before });
        Ok(Piece { file, part: Part::Chunk(chunk), bytes, ended })
    }

    /// The next whole lines, and whether they are the last.
    fn chunk(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let mut buffer = std::mem::take(&mut self.rest);
        let mut length = self.size;
        loop {
            if self.stream.fill(&mut buffer, length)? {
                return Ok((buffer, true));
            }
            if let Some(end) = memrchr(b'\n', &buffer) {
                self.rest = buffer.split_off(end + 1);
                return Ok((buffer, false));
            }
            if buffer.len() > LONGEST_LINE {
                return self.without_the_rest_of(buffer);
            }
            length = (length * 2).min(LONGEST_LINE + 1);
        }
    }

    /// Keeps as much of an endless line as shows that it is too long, and passes over the rest of it.
    fn without_the_rest_of(&mut self, mut line: Vec<u8>) -> Result<(Vec<u8>, bool), Error> {
        line.truncate(LONGEST_LINE + 1);
        let mut passed = Vec::new();
        loop {
            passed.clear();
            let ended = self.stream.fill(&mut passed, PASSED_OVER)?;
            if let Some(end) = memchr(b'\n', &passed) {
                line.push(b'\n');
                self.rest = passed.split_off(end + 1);
                // What is left behind the last line end is the next chunk, and that is where the file ends.
                return Ok((line, false));
            }
            if ended {
                return Ok((line, true));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// The chunks of a file of these bytes.
    fn chunks(content: &[u8], size: usize) -> Vec<Vec<u8>> {
        let folder = TempDir::new().unwrap();
        let source = SourceFile { name: "c.ndjson".into(), path: folder.path().join("c.ndjson") };
        std::fs::write(&source.path, content).unwrap();
        let mut lines = LineChunks::open(&source, Format::Json, size).unwrap();
        let mut chunks = Vec::new();
        loop {
            let piece = lines.next(0).unwrap();
            let Part::Chunk(chunk) = piece.part else { panic!("a file of lines is cut into chunks") };
            chunks.push(chunk);
            if let Some(identity) = piece.ended {
                assert_eq!(identity.bytes, content.len() as u64);
                return chunks;
            }
        }
    }

    proptest! {
        #[test]
        fn chunks_are_whole_lines_and_together_the_file(
            content in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x'), Just(0xef)], 0..80),
            size in 1_usize..40,
        ) {
            let chunks = chunks(&content, size);
            prop_assert_eq!(chunks.concat(), content);
            prop_assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk.ends_with(b"\n")));
        }
    }

    #[test]
    fn a_mark_at_the_beginning_is_no_part_of_a_line() {
        assert_eq!(chunks(b"\xef\xbb\xbfx\ny", 2).concat(), b"x\ny");
        assert_eq!(chunks(b"x\xef\xbb\xbf\n", 2).concat(), b"x\xef\xbb\xbf\n");
    }

    #[test]
    fn of_an_endless_line_no_more_is_kept_than_shows_it() {
        let endless = "x".repeat(LONGEST_LINE + (3 << 20));
        for (behind, kept) in [("\ny\n", &b"\ny\n"[..]), ("\n", b"\n"), ("", b"")] {
            let chunks = chunks(format!("a\n{endless}{behind}").as_bytes(), 1 << 20);
            let all = chunks.concat();
            let (line, rest) = all.split_at("a\n".len() + LONGEST_LINE + 1);
            assert!(rest == kept && line.ends_with(b"xx"), "{} bytes behind the line", rest.len());
        }
    }
}
