//! One column file of the store: a Parquet file of which the catalogue holds a digest for every part.
//!
//! A part is a column chunk, the magic bytes before the first, or everything behind the last (footer included): parts cover
//! the file without a gap. A part is checked when it is read, so damage is an error and never another answer; whole files
//! are checked by [`FileRecord::verify`].

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::disk::Disk;

/// The parent of each row, as its place among the parents of the block: grows slowly, so its differences are tiny.
pub(crate) const PARENT_COLUMN: &str = "__parent";

/// Rows that are unpacked together where a column goes by: their values stay in the processor's cache.
const PIECE_ROWS: usize = 1 << 14;

/// The folder of the store's files.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<dyn Disk>);

/// A file that is on disk, and what the catalogue says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// Its parts in order, together the whole file.
    pub(crate) parts: Vec<Part>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) start: u64,
    pub(crate) length: u64,
    /// `blake3:` and BLAKE3 in hexadecimal; of files of before, SHA-256 in hexadecimal.
    pub(crate) digest: String,
}

impl Folder {
    pub(crate) fn on(disk: Arc<dyn Disk>) -> Self {
        Self(disk)
    }

    /// Writes the columns as the Parquet file `name`; durable only after [`Folder::sync`].
    pub(crate) fn write(&self, name: &str, columns: &[(&str, ArrayRef)], rows: usize) -> Result<Written, Error> {
        let path = self.0.path(name);
        let (content, metadata) = parquet(columns, rows).map_err(Error::unreadable(&path))?;
        let temporary = format!("{name}.tmp");
        self.0.write(&temporary, &content).map_err(Error::file("write", &path))?;
        self.0.rename(&temporary, name).map_err(Error::file("rename", &path))?;
        let parts = parts(&content, &metadata);
        Ok(Written { name: name.to_owned(), bytes: content.len() as u64, rows: rows as u64, parts })
    }

    /// Makes every rename so far durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.0.sync().map_err(Error::file("sync", &self.0.path("")))
    }

    /// Removes a file that no catalogue names any more; one that is gone already is fine.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        self.0.remove(name).map_err(Error::file("remove", &self.0.path(name)))
    }

    /// The names of all files; none before the first is written.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        self.0.names().map_err(Error::file("list", &self.0.path("")))
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.0
    }
}

fn parquet(columns: &[(&str, ArrayRef)], rows: usize) -> Result<(Vec<u8>, ParquetMetaData), ParquetError> {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
    let mut content = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut content, Arc::clone(&schema), Some(properties(&schema)))?;
    writer.write(&batch)?;
    let metadata = writer.close()?;
    Ok((content, metadata))
}

/// Plain pages: codes have done a dictionary's work already, and building a second one took half of the write. Instants
/// hardly shrink, and to unpack them again took as long as anything else.
fn properties(schema: &Schema) -> WriterProperties {
    let instants = schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::Timestamp(..)));
    let plain = instants.fold(WriterProperties::builder(), |properties, field| {
        properties.set_column_compression(ColumnPath::from(field.name().as_str()), Compression::UNCOMPRESSED)
    });
    plain
        .set_dictionary_enabled(false)
        .set_compression(Compression::LZ4_RAW)
        .set_column_encoding(ColumnPath::from(PARENT_COLUMN), Encoding::DELTA_BINARY_PACKED)
        .set_max_row_group_row_count(Some(1 << 22))
        .build()
}

fn parts(content: &[u8], metadata: &ParquetMetaData) -> Vec<Part> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let mut chunks: Vec<Range<u64>> = chunks.map(|chunk| range(chunk.byte_range())).collect();
    chunks.sort_by_key(|chunk| chunk.start);
    let first = chunks.first().map_or(0, |chunk| chunk.start);
    let last = chunks.last().map_or(0, |chunk| chunk.end);
    let all = std::iter::once(0..first).chain(chunks).chain(std::iter::once(last..content.len() as u64));
    all.map(|part| {
        let bytes = &content[part.start as usize..part.end as usize];
        Part { start: part.start, length: bytes.len() as u64, digest: digest(bytes) }
    })
    .collect()
}

fn range((start, length): (u64, u64)) -> Range<u64> {
    start..start + length
}

/// What a digest begins with that is BLAKE3's, several times as fast as SHA-256, which files of before have.
const BLAKE3: &str = "blake3:";

fn digest(bytes: &[u8]) -> String {
    format!("{BLAKE3}{}", hexadecimal(blake3::hash(bytes).as_bytes()))
}

/// Whether these bytes are those that have this digest.
fn are_as_written(bytes: &[u8], written: &str) -> bool {
    match written.starts_with(BLAKE3) {
        true => digest(bytes) == written,
        false => hexadecimal(&Sha256::digest(bytes)) == written,
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that columns are read from; what it consists of is read once.
#[derive(Debug)]
pub(crate) struct ColumnFile {
    folder: Folder,
    written: Written,
    metadata: OnceLock<ArrowReaderMetadata>,
}

impl ColumnFile {
    pub(crate) fn new(folder: &Folder, written: Written) -> Self {
        Self { folder: folder.clone(), written, metadata: OnceLock::new() }
    }

    /// What the catalogue says of it.
    pub(crate) fn written(&self) -> &Written {
        &self.written
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.written.rows as usize
    }

    /// Reads the column `name`, checking the digest of what it reads.
    pub(crate) fn column(&self, name: &str) -> Result<ArrayRef, Error> {
        let found = self.column_if_there(name)?;
        found.ok_or_else(|| self.damaged(format!("it has no column {name}")))
    }

    /// Reads the column `name`; `None` where the file was written before there was such a column.
    pub(crate) fn column_if_there(&self, name: &str) -> Result<Option<ArrayRef>, Error> {
        let Some(reading) = self.reading(name)? else { return Ok(None) };
        let rows = self.rows();
        self.read_whole(reading.with_batch_size(rows.max(1)), rows).map(Some)
    }

    /// Reads some rows of the column `name`: those at these places, which ascend. What stands between them is not unpacked.
    pub(crate) fn rows_if_there(&self, name: &str, places: &[u32]) -> Result<Option<ArrayRef>, Error> {
        let Some(reading) = self.reading(name)? else { return Ok(None) };
        let runs = places.chunk_by(|a, b| a + 1 == *b).map(|run| run[0] as usize..run[0] as usize + run.len());
        let selection = RowSelection::from_consecutive_ranges(runs, self.rows());
        let reading = reading.with_batch_size(places.len().max(1)).with_row_selection(selection);
        self.read_whole(reading, places.len()).map(Some)
    }

    /// Calls `visit` with the column `name`, some rows at a time, so that never all of them are unpacked; not at all where
    /// the file was written before there was such a column.
    pub(crate) fn each_piece(
        &self,
        name: &str,
        mut visit: impl FnMut(ArrayRef) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(reading) = self.reading(name)? else { return Ok(()) };
        let reader = reading.with_batch_size(PIECE_ROWS).build().map_err(|error| self.unreadable(error))?;
        let mut rows = 0;
        for batch in reader {
            let batch = batch.map_err(|error| self.unreadable(error.into()))?;
            rows += batch.num_rows();
            visit(Arc::clone(batch.column(0)))?;
        }
        self.checked_count(rows, self.rows())
    }

    /// Between what the texts of the column `name` stand, if the file says it.
    pub(crate) fn text_bounds(&self, name: &str) -> Result<Option<TextBounds>, Error> {
        let metadata = self.metadata()?;
        let Ok(place) = metadata.schema().index_of(name) else { return Ok(None) };
        let groups = metadata.metadata().row_groups().iter();
        Ok(groups.map(|group| TextBounds::of(group.column(place))).reduce(TextBounds::both).flatten())
    }

    /// The column `name`, checked and about to be read.
    fn reading(&self, name: &str) -> Result<Option<ParquetRecordBatchReaderBuilder<Chunks>>, Error> {
        let metadata = self.metadata()?;
        let Ok(place) = metadata.schema().index_of(name) else { return Ok(None) };
        let chunks = metadata.metadata().row_groups().iter().map(|group| range(group.column(place).byte_range()));
        let chunks = chunks.map(|chunk| Ok((chunk.start, self.part(&chunk)?))).collect::<Result<_, Error>>()?;
        let input = Chunks { length: self.written.bytes, chunks };
        let mask = ProjectionMask::roots(metadata.parquet_schema(), [place]);
        let reading = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata.clone());
        Ok(Some(reading.with_projection(mask)))
    }

    fn read_whole(&self, reading: ParquetRecordBatchReaderBuilder<Chunks>, rows: usize) -> Result<ArrayRef, Error> {
        let reader = reading.build().map_err(|error| self.unreadable(error))?;
        let batches = reader.map(|batch| batch.map(|batch| Arc::clone(batch.column(0))));
        let batches = batches.collect::<Result<Vec<ArrayRef>, _>>().map_err(|error| self.unreadable(error.into()))?;
        let column = joined(batches)?.ok_or_else(|| self.damaged("it is empty"))?;
        self.checked_count(column.len(), rows).map(|()| column)
    }

    fn checked_count(&self, found: usize, expected: usize) -> Result<(), Error> {
        if found == expected {
            return Ok(());
        }
        Err(self.damaged(format!("it has {found} rows where the catalogue says {expected}")))
    }

    fn metadata(&self) -> Result<&ArrowReaderMetadata, Error> {
        if let Some(known) = self.metadata.get() {
            return Ok(known);
        }
        let tail = self.written.parts.last().ok_or_else(|| self.damaged("the catalogue knows no parts of it"))?;
        let bytes = self.part(&(tail.start..tail.start + tail.length))?;
        // The last eight bytes are the length of the footer and the magic.
        let footer = bytes.len().checked_sub(8).and_then(|end| {
            let length = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?) as usize;
            Some(bytes.slice(end.checked_sub(length)?..end))
        });
        let footer = footer.ok_or_else(|| self.damaged("its footer is cut off"))?;
        let metadata = ParquetMetaDataReader::decode_metadata(&footer).map_err(|error| self.unreadable(error))?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new());
        let metadata = metadata.map_err(|error| self.unreadable(error))?;
        Ok(self.metadata.get_or_init(|| metadata))
    }

    /// The bytes of a part, if they are what was written.
    fn part(&self, range: &Range<u64>) -> Result<Bytes, Error> {
        // Files of before there were parts are one whole part.
        let holds = |part: &&Part| part.start <= range.start && range.end <= part.start + part.length;
        let part = self.written.parts.iter().find(holds);
        let part = part.ok_or_else(|| self.damaged(format!("it has no part at byte {}", range.start)))?;
        let disk = self.folder.disk();
        let bytes =
            disk.read(&self.written.name, part.start, part.length as usize).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.damaged(format!("it ends before byte {}", range.end)),
                _ => self.not_read(error),
            })?;
        if are_as_written(&bytes, &part.digest) {
            Ok(bytes.slice((range.start - part.start) as usize..(range.end - part.start) as usize))
        } else {
            Err(self.damaged(format!("bytes {} to {} are not what was written", range.start, range.end)))
        }
    }

    /// Checks every byte.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let size = self.folder.disk().size(&self.written.name).map_err(|error| self.not_read(error))?;
        if size != self.written.bytes {
            return Err(self.damaged(format!("it has {size} bytes where the catalogue says {}", self.written.bytes)));
        }
        self.written.parts.iter().try_for_each(|part| self.part(&(part.start..part.start + part.length)).map(drop))
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::damaged(&self.folder.disk().path(&self.written.name), what)
    }

    fn not_read(&self, error: io::Error) -> Error {
        let path = self.folder.disk().path(&self.written.name);
        match error.kind() {
            io::ErrorKind::NotFound => Error::Missing { path, bytes: self.written.bytes },
            _ => Error::file("read", &path)(error),
        }
    }

    fn unreadable(&self, error: ParquetError) -> Error {
        Error::unreadable(&self.folder.disk().path(&self.written.name))(error)
    }
}

/// What no text of a column is below or above, bytewise.
#[derive(Debug, Clone)]
pub(crate) struct TextBounds {
    least: Vec<u8>,
    most: Vec<u8>,
}

impl TextBounds {
    fn of(chunk: &ColumnChunkMetaData) -> Option<Self> {
        let said = chunk.statistics()?;
        Some(Self { least: said.min_bytes_opt()?.to_vec(), most: said.max_bytes_opt()?.to_vec() })
    }

    fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (one, other) = (one?, other?);
        Some(Self { least: one.least.min(other.least), most: one.most.max(other.most) })
    }

    /// Whether the text can be in the column.
    pub(crate) fn hold(&self, text: &str) -> bool {
        self.least.as_slice() <= text.as_bytes() && text.as_bytes() <= self.most.as_slice()
    }
}

fn joined(mut batches: Vec<ArrayRef>) -> Result<Option<ArrayRef>, Error> {
    if batches.len() <= 1 {
        return Ok(batches.pop());
    }
    let parts: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
    Ok(Some(concat(&parts)?))
}

/// The checked chunks of one column, where the reader looks for them.
struct Chunks {
    length: u64,
    chunks: Vec<(u64, Bytes)>,
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.length
    }
}

impl Chunks {
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let chunk = self.chunks.iter().find(|(first, bytes)| (*first..first + bytes.len() as u64).contains(&start));
        let (first, bytes) = chunk.ok_or_else(|| ParquetError::EOF(format!("byte {start} was not asked for")))?;
        Ok(bytes.slice((start - first) as usize..))
    }
}

impl ChunkReader for Chunks {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(bytes::Buf::reader(self.from(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let rest = self.from(start)?;
        if length <= rest.len() { Ok(rest.slice(..length)) } else { Err(ParquetError::EOF(format!("byte {start}"))) }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringViewArray;
    use tempfile::TempDir;

    use super::*;
    use crate::disk::FileDisk;

    #[test]
    fn digests_of_before_are_still_known_and_both_kinds_see_damage() {
        let of_before = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for written in [of_before, &digest(b"abc")] {
            assert!(are_as_written(b"abc", written) && !are_as_written(b"abd", written), "{written}");
        }
    }

    #[test]
    fn a_file_says_between_what_its_texts_stand() {
        let folder = TempDir::new().unwrap();
        let folder = Folder::on(Arc::new(FileDisk::at(folder.path())));
        let texts = |texts: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringViewArray::from(texts.to_vec())) };
        let long = "k".repeat(200);
        let columns = [
            ("some", texts([Some("b"), None, Some("d")])),
            ("empty", texts([Some(""), None, Some("a")])),
            ("long", texts([Some(&long), None, None])),
            ("none", texts([None, None, None])),
        ];
        let file = ColumnFile::new(&folder, folder.write("t.parquet", &columns, 3).unwrap());
        let holds = |name: &str, text: &str| file.text_bounds(name).unwrap().is_none_or(|bounds| bounds.hold(text));
        assert!(["b", "c", "d"].iter().all(|text| holds("some", text)));
        assert!(["", "a", "da", "e"].iter().all(|text| !holds("some", text)));
        assert!(holds("empty", "") && holds("empty", "a") && !holds("empty", "b"));
        assert!(holds("long", &long), "what is cut off is still between");
        assert!(holds("none", "x") && holds("not there", "x"), "where nothing is said nothing is ruled out");
    }
}
