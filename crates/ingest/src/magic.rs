//! What a file is by its bytes, whatever its name says.
//!
//! Kinds whose marks are letters, so that a header of a CSV file could begin with them, are told by more than the mark.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// How much of either end of a file is looked at.
const LOOK: u64 = 64 << 10;

/// A kind of file that gives itself away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gzip,
    Parquet,
    Json,
    /// Excel's or OpenDocument's, of any age.
    Spreadsheet,
    Zip,
    ArrowFile,
    ArrowStream,
    /// Roads of OpenStreetMap.
    Roads,
    /// Packed by a program other than gzip.
    OtherCompression,
    Orc,
    Avro,
    Database,
    Pdf,
}

impl Kind {
    /// For messages, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Parquet => "Parquet",
            Self::Json => "JSON",
            Self::Spreadsheet => "a spreadsheet",
            Self::Zip => "a zip archive",
            Self::ArrowFile => "an Arrow file",
            Self::ArrowStream => "an Arrow stream",
            Self::Roads => "a road network",
            Self::OtherCompression => "compressed by another program than gzip",
            Self::Orc => "an ORC file",
            Self::Avro => "an Avro file",
            Self::Database => "a SQLite database",
            Self::Pdf => "a PDF document",
        }
    }

    /// What to do with it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Gzip | Self::Parquet | Self::Json => "give the file the extension of what it is",
            Self::Spreadsheet => "save the sheet as CSV (UTF-8)",
            Self::Zip => "unpack it; single files may be compressed as .csv.gz",
            Self::ArrowFile | Self::ArrowStream | Self::Orc | Self::Avro => "write it as Parquet",
            Self::Roads => "roads come in by `muster network import`",
            Self::OtherCompression => "unpack it, or compress it with gzip",
            Self::Database => "export the table as CSV or Parquet",
            Self::Pdf => "get the data as CSV or Parquet from where it came",
        }
    }
}

/// The two ends of a file.
pub(crate) struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Ends {
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        file.by_ref().take(LOOK).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(length.saturating_sub(LOOK)))?;
        file.take(LOOK).read_to_end(&mut tail)?;
        Ok(Self { head, tail })
    }

    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// What the marks say; `None` where there are none, as in text.
    pub fn kind(&self) -> Option<Kind> {
        let marked = MARKS.iter().find(|(mark, _)| self.head.starts_with(mark)).map(|(_, kind)| *kind);
        match marked {
            Some(Kind::Zip) if self.is_sheet() => Some(Kind::Spreadsheet),
            None if self.head.get(4..).is_some_and(|head| head.starts_with(b"\x0a\x09OSMHeader")) => Some(Kind::Roads),
            None if begins_json(&self.head) => Some(Kind::Json),
            marked => marked,
        }
    }

    /// The beginning of what a gzip file unpacks to, as far as its own beginning can be unpacked.
    pub fn inside(&self) -> Self {
        let mut text = Vec::new();
        // A file that cannot be unpacked shows no mark here and tells its damage when it is read.
        let _ = MultiGzDecoder::new(self.head.as_slice()).take(LOOK).read_to_end(&mut text);
        Self { tail: text.clone(), head: text }
    }

    /// Whether it begins with Parquet's mark, sound or not.
    pub fn is_marked_parquet(&self) -> bool {
        self.head.starts_with(b"PAR1")
    }

    /// Whether it is text as far as was looked, for messages.
    pub fn looks_like_text(&self) -> bool {
        let odd = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        !self.head.iter().any(odd)
    }

    /// The first line that is not blank is nothing but the beginning of a larger JSON document.
    pub fn is_json_document(&self) -> bool {
        let mut lines = unmarked(&self.head).split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
        matches!(first, b"{" | b"[") || first.starts_with(b"[{")
    }

    /// Spreadsheets are zip archives; the names of their parts stand in both ends of the file.
    fn is_sheet(&self) -> bool {
        let says = |name: &[u8]| [&self.head, &self.tail].iter().any(|end| memchr::memmem::find(end, name).is_some());
        says(b"xl/work") || says(b"application/vnd.oasis.opendocument.spreadsheet")
    }
}

const MARKS: [(&[u8], Kind); 20] = [
    (b"\x1f\x8b", Kind::Gzip),
    // The mark, and the byte with which every page and every footer begins.
    (b"PAR1\x15", Kind::Parquet),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x07\x08", Kind::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Spreadsheet),
    (b"\x09\x08\x10\x00\x00\x06", Kind::Spreadsheet),
    (b"ARROW1\0\0", Kind::ArrowFile),
    (b"FEA1\0", Kind::ArrowFile),
    (b"\xff\xff\xff\xff", Kind::ArrowStream),
    (b"\x28\xb5\x2f\xfd", Kind::OtherCompression),
    (b"\xfd7zXZ\0", Kind::OtherCompression),
    (b"BZh91AY&SY", Kind::OtherCompression),
    (b"7z\xbc\xaf\x27\x1c", Kind::OtherCompression),
    (b"Rar!\x1a\x07", Kind::OtherCompression),
    (b"\x04\x22\x4d\x18", Kind::OtherCompression),
    (b"ORC\x0a", Kind::Orc),
    (b"Obj\x01", Kind::Avro),
    (b"SQLite format 3\0", Kind::Database),
    (b"%PDF-1.", Kind::Pdf),
];

/// No header of delimited text begins with a brace and a quoted name, or with a bracket and a brace.
fn begins_json(head: &[u8]) -> bool {
    let head: Vec<u8> = unmarked(head).iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(2).collect();
    matches!(head.as_slice(), b"{\"" | b"[{")
}

fn unmarked(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], kind: Option<Kind>) {
        let ends = Ends { head: head.to_vec(), tail: head.to_vec() };
        assert_eq!(ends.kind(), kind, "{:?}", String::from_utf8_lossy(head));
    }

    #[test]
    fn a_mark_of_letters_alone_is_no_mark() {
        check(b"PAR1,PAR2\n", None);
        check(b"PARENT,NAME\n", None);
        check(b"PAR1\x15\x04", Some(Kind::Parquet));
        check(b"ORC,ELF\n", None);
        check(b"ARROW1,ARROW2\n", None);
        check(b"ARROW1\0\0\xff\xff\xff\xff", Some(Kind::ArrowFile));
        check(b"PK,name\n", None);
        check(b"BZh,name\n", None);
        check(b"{id},name\n", None);
        check(b" {\"id\": 1}\n", Some(Kind::Json));
        check(b"", None);
    }

    #[test]
    fn a_sheet_is_told_from_an_archive_by_the_names_of_its_parts() {
        check(b"PK\x03\x04\x14\0\0\0readme.txt", Some(Kind::Zip));
        check(b"PK\x03\x04\x14\0\0\0[Content_Types].xml PK\x03\x04 xl/workbook.xml", Some(Kind::Spreadsheet));
        check(b"PK\x03\x04\x0a\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK", Some(Kind::Spreadsheet));
    }
}
