//! Tables of scores as they are kept in the state file: for each the instant that it is of, the snapshot, definition and model
//! that it comes from, what it says of itself, and the values of each profile, block by block.
//!
//! A table is written whole, in the transaction that names it. A query as of an instant reads the newest table that is not of
//! a later one.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_cast::cast;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat;
use muster_catalog::Timestamp;
use muster_state::{Row, SqlError, SqlResult, SqlType, Tx, params};
use muster_store::LoadRecord;

use super::Column;
use super::report::Report;
use crate::Error;

/// Tables of a score that are kept: the newest, and as many before it.
const KEPT: i64 = 8;

/// Profiles of a block.
const BLOCK: u32 = 1 << 16;

/// The column of profiles in a block.
const ROW: &str = "row";

/// A score of everybody, as it was computed.
pub(crate) struct Scored {
    /// The profiles that have the score, by the numbers of their rows, ascending.
    pub(crate) rows: Vec<u32>,
    /// Its columns, with a value for each of them.
    pub(crate) columns: Vec<Column>,
    /// What it was computed with, as readable JSON.
    pub(crate) model: Option<String>,
    /// What it says of itself.
    pub(crate) report: Report,
}

/// A table of a score that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTable {
    /// The score.
    pub score: String,
    /// The instant as of which everything was known.
    pub as_of: Timestamp,
    /// The number of the snapshot that it was computed from.
    pub snapshot: u64,
    /// The digest of what muster.toml said of it.
    pub definition: String,
    /// When it was computed.
    pub computed_at: Timestamp,
    /// How many profiles have it; of an affinity how many rules.
    pub profiles: u64,
    /// What it was computed with, as readable JSON.
    pub model: Option<String>,
    /// What it says of itself.
    pub report: Report,
}

/// Why a score could not be computed when it was last tried, and nothing newer was kept since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreFailure {
    /// The score.
    pub score: String,
    /// When it was tried.
    pub failed_at: Timestamp,
    /// Why it failed.
    pub message: String,
}

/// Which table of a score it is: another one of the same instant was computed at another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edition {
    score: String,
    as_of: Timestamp,
    computed_at: Timestamp,
}

impl Edition {
    /// All that are kept.
    pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Self>, Error> {
        let sql = "SELECT score, as_of, computed_at FROM score_tables ORDER BY score, as_of";
        Ok(tx.all(sql, [], |row| {
            Ok(Self { score: row.get(0)?, as_of: instant(row, 1)?, computed_at: instant(row, 2)? })
        })?)
    }
}

impl ScoreTable {
    /// The newest table of a score that is not of a later instant.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn newest(tx: &Tx<'_>, score: &str, as_of: Timestamp) -> Result<Option<Self>, Error> {
        let sql = "SELECT score, as_of, snapshot, definition, computed_at, profiles, model, report FROM score_tables
                   WHERE score = ?1 AND as_of <= ?2 ORDER BY as_of DESC LIMIT 1";
        Ok(tx.maybe(sql, params![score, as_of.micros()], |row| {
            let report: String = row.get(7)?;
            let no_report = |error| SqlError::FromSqlConversionFailure(7, SqlType::Text, Box::new(error));
            Ok(Self {
                score: row.get(0)?,
                as_of: instant(row, 1)?,
                snapshot: row.get::<_, i64>(2)?.cast_unsigned(),
                definition: row.get(3)?,
                computed_at: instant(row, 4)?,
                profiles: row.get::<_, i64>(5)?.cast_unsigned(),
                model: row.get(6)?,
                report: serde_json::from_str(&report).map_err(no_report)?,
            })
        })?)
    }

    /// Keeps it with its values, in the place of one of the same instant; what is oldest goes where there are many.
    pub(crate) fn keep(&self, tx: &Tx<'_>, rows: &[u32], columns: &[Column]) -> Result<(), Error> {
        let Self { score, as_of, .. } = self;
        forget(tx, "score = ?1 AND as_of = ?2", params![score, as_of.micros()])?;
        tx.execute(
            "INSERT INTO score_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                score,
                as_of.micros(),
                self.snapshot.cast_signed(),
                self.definition,
                self.computed_at.micros(),
                self.profiles.cast_signed(),
                self.model,
                serde_json::to_string(&self.report).expect("texts and finite numbers are JSON"),
            ],
        )?;
        for (block, bytes) in blocks(rows, columns)? {
            let values = params![score, as_of.micros(), block, bytes];
            tx.execute("INSERT INTO score_values VALUES (?1, ?2, ?3, ?4)", values)?;
        }
        // One of long ago that was asked for just now stays, too.
        let older = "score = ?1 AND as_of <> ?3 AND as_of < (SELECT as_of FROM score_tables WHERE score = ?1
                     ORDER BY as_of DESC LIMIT 1 OFFSET ?2)";
        forget(tx, older, params![score, KEPT - 1, as_of.micros()])?;
        tx.execute("DELETE FROM score_failures WHERE score = ?1", [score])?;
        Ok(())
    }
}

impl ScoreFailure {
    /// The failure of a score, where the last try failed.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn of(tx: &Tx<'_>, score: &str) -> Result<Option<Self>, Error> {
        let sql = "SELECT score, failed_at, message FROM score_failures WHERE score = ?1";
        Ok(tx.maybe(sql, [score], |row| {
            Ok(Self { score: row.get(0)?, failed_at: instant(row, 1)?, message: row.get(2)? })
        })?)
    }

    pub(crate) fn keep(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.execute(
            "INSERT INTO score_failures VALUES (?1, ?2, ?3)
             ON CONFLICT (score) DO UPDATE SET failed_at = ?2, message = ?3",
            params![self.score, self.failed_at.micros(), self.message],
        )?;
        Ok(())
    }
}

/// The instant of the newest table of a score that is not of a later one.
pub(crate) fn instant_of(tx: &Tx<'_>, score: &str, as_of: Timestamp) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT max(as_of) FROM score_tables WHERE score = ?1 AND as_of <= ?2";
    let found = tx.one(sql, params![score, as_of.micros()], |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.map(Timestamp::from_micros))
}

/// A column of the table of a score that is of exactly this instant.
pub(crate) fn column(tx: &Tx<'_>, score: &str, as_of: Timestamp, column: &str) -> Result<(Vec<u32>, ArrayRef), Error> {
    let (mut rows, mut parts) = (Vec::new(), Vec::new());
    let sql = "SELECT rows FROM score_values WHERE score = ?1 AND as_of = ?2 ORDER BY block";
    tx.each(sql, params![score, as_of.micros()], |row| {
        let bytes: Vec<u8> = row.get(0).map_err(muster_state::Error::from)?;
        let batch = read(&bytes, [ROW, column]).map_err(muster_store::Error::from)?;
        let numbers = batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<UInt32Type>());
        let lacks = || muster_store::Error::from(ArrowError::SchemaError(format!("{score} was kept without {column}")));
        rows.extend_from_slice(numbers.ok_or_else(lacks)?.values());
        parts.push(Arc::clone(batch.column_by_name(column).ok_or_else(lacks)?));
        Ok::<(), Error>(())
    })?;
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok((rows, arrow_array::new_null_array(&DataType::Null, 0)));
    }
    Ok((rows, concat(&parts).map_err(muster_store::Error::from)?))
}

/// Forgets the tables that come from a load that is taken back: their rows may be others' from now on. To be called in the
/// transaction that takes it back.
pub(crate) fn take_back(tx: &Tx<'_>, load: &LoadRecord) -> Result<(), Error> {
    forget(tx, "snapshot >= ?1", params![load.snapshot.cast_signed()])
}

fn forget(tx: &Tx<'_>, which: &str, values: &[&dyn muster_state::ToSql]) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM score_values WHERE (score, as_of) IN (SELECT score, as_of FROM score_tables WHERE {which})"
    );
    tx.execute(&sql, values)?;
    tx.execute(&format!("DELETE FROM score_tables WHERE {which}"), values)?;
    Ok(())
}

/// The values of each block as an Arrow stream.
fn blocks(rows: &[u32], columns: &[Column]) -> Result<Vec<(u32, Vec<u8>)>, Error> {
    let mut blocks = Vec::new();
    let mut begin = 0;
    for of_block in rows.chunk_by(|one, next| one / BLOCK == next / BLOCK) {
        let rows: ArrayRef = Arc::new(UInt32Array::from(of_block.to_vec()));
        let part = |values: &ArrayRef| values.slice(begin, of_block.len());
        let parts = columns.iter().map(|(name, values)| Ok((*name, packed(part(values))?)));
        let parts = parts.collect::<Result<Vec<_>, ArrowError>>().map_err(muster_store::Error::from)?;
        let all: Vec<(&str, ArrayRef)> = std::iter::once((ROW, rows)).chain(parts).collect();
        let fields: Vec<Field> =
            all.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
        let values = all.into_iter().map(|(_, values)| values).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), values).map_err(muster_store::Error::from)?;
        blocks.push((of_block[0] / BLOCK, written(&batch).map_err(muster_store::Error::from)?));
        begin += of_block.len();
    }
    Ok(blocks)
}

/// Texts as codes: few of them differ.
fn packed(values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    match values.data_type() {
        DataType::Utf8 => cast(&values, &DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))),
        _ => Ok(values),
    }
}

fn written(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema())?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

/// Some columns of a block, as far as it has them; texts as they were.
fn read<const N: usize>(bytes: &[u8], wanted: [&str; N]) -> Result<RecordBatch, ArrowError> {
    let schema = StreamReader::try_new(Cursor::new(bytes), None)?.schema();
    let places = wanted.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let mut reader = StreamReader::try_new(Cursor::new(bytes), Some(places))?;
    let batch = reader.next().ok_or_else(|| ArrowError::IpcError("a block of scores has no rows".to_owned()))??;
    let unpacked = |values: &ArrayRef| match values.data_type() {
        DataType::Dictionary(..) => cast(values, &DataType::Utf8View),
        _ => Ok(Arc::clone(values)),
    };
    let columns = batch.columns().iter().map(unpacked).collect::<Result<Vec<_>, _>>()?;
    let names = batch.schema();
    let fields: Vec<Field> = names
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, values)| Field::new(field.name(), values.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn instant(row: &Row<'_>, column: usize) -> SqlResult<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}
