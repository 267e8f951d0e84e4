//! What the state file says of the store: which files make which snapshot, and what was loaded.

use std::collections::HashSet;

use muster_catalog::Timestamp;
use muster_state::{Migration, Tx, params};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::disk::Written;
use crate::schema::TableSchema;

/// The store's tables in the state file.
pub const MIGRATIONS: &[Migration] = &[Migration {
    room: "store",
    number: 1,
    sql: "
CREATE TABLE store_snapshots (
    number   INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    manifest TEXT    NOT NULL
) STRICT;
CREATE TABLE store_files (
    name       TEXT    PRIMARY KEY,
    table_name TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('block', 'dictionary', 'orphans')),
    part       INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE store_loads (
    id       INTEGER PRIMARY KEY,
    snapshot INTEGER NOT NULL REFERENCES store_snapshots (number),
    at       INTEGER NOT NULL,
    report   TEXT    NOT NULL
) STRICT;
CREATE TABLE store_sources (
    table_name TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    definition TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    load       INTEGER NOT NULL REFERENCES store_loads (id),
    PRIMARY KEY (table_name, digest, definition)
) STRICT, WITHOUT ROWID;
",
}];

/// A source file that a load read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// The table it went into.
    pub table: String,
    /// How the user calls it.
    pub name: String,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
    /// SHA-256 of the table's definition at the time, in hexadecimal.
    pub definition: String,
    /// Its size.
    pub bytes: u64,
}

/// What is kept of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRecord {
    /// The snapshot that it made.
    pub snapshot: u64,
    /// When.
    pub at: Timestamp,
    /// Its report, as JSON.
    pub report: String,
}

/// A snapshot as the catalogue keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) tables: Vec<ManifestTable>,
}

/// One table of a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManifestTable {
    pub(crate) schema: TableSchema,
    /// The rows of each block.
    pub(crate) block_rows: Vec<u32>,
    /// Rows that wait for their parent.
    pub(crate) orphans: u64,
}

/// What a file of the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Block(usize),
    Dictionary(usize),
    Orphans,
}

impl FileKind {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Block(block) => ("block", block as i64),
            Self::Dictionary(column) => ("dictionary", column as i64),
            Self::Orphans => ("orphans", 0),
        }
    }

    fn read(kind: &str, part: i64) -> Self {
        match kind {
            "block" => Self::Block(part as usize),
            "dictionary" => Self::Dictionary(part as usize),
            _ => Self::Orphans,
        }
    }
}

/// A file of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct FileRecord {
    pub(crate) table: String,
    pub(crate) kind: FileKind,
    pub(crate) file: Written,
}

/// The newest snapshot: number, instant, manifest and files.
pub(crate) struct Latest {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) manifest: Manifest,
    pub(crate) files: Vec<FileRecord>,
}

pub(crate) fn latest(tx: &Tx<'_>) -> Result<Option<Latest>, Error> {
    let newest = "SELECT number, at, manifest FROM store_snapshots ORDER BY number DESC LIMIT 1";
    let found =
        tx.maybe(newest, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)))?;
    let Some((number, at, manifest)) = found else { return Ok(None) };
    let manifest = serde_json::from_str(&manifest).map_err(|error| Error::Catalogue { what: error.to_string() })?;
    Ok(Some(Latest { number: number as u64, at: Timestamp::from_micros(at), manifest, files: files(tx, number)? }))
}

fn files(tx: &Tx<'_>, snapshot: i64) -> Result<Vec<FileRecord>, Error> {
    let sql = "SELECT table_name, kind, part, name, bytes, rows, digest FROM store_files
               WHERE since <= ?1 AND (until IS NULL OR until > ?1) ORDER BY name";
    let record = |row: &muster_state::Row<'_>| {
        let kind = FileKind::read(&row.get::<_, String>(1)?, row.get(2)?);
        let (bytes, rows) = (row.get::<_, i64>(4)? as u64, row.get::<_, i64>(5)? as u64);
        let file = Written { name: row.get(3)?, bytes, rows, digest: row.get(6)? };
        Ok(FileRecord { table: row.get(0)?, kind, file })
    };
    Ok(tx.all(sql, [snapshot], record)?)
}

/// Makes the next snapshot true: `replaced` lists the tables whose files are all new.
pub(crate) fn commit(
    tx: &Tx<'_>,
    number: u64,
    at: Timestamp,
    manifest: &Manifest,
    replaced: &[String],
    files: &[FileRecord],
) -> Result<(), Error> {
    let number = number as i64;
    let manifest = serde_json::to_string(manifest).expect("a manifest has only texts and numbers");
    tx.execute("INSERT INTO store_snapshots VALUES (?1, ?2, ?3)", params![number, at.micros(), manifest])?;
    for table in replaced {
        tx.execute(
            "UPDATE store_files SET until = ?1 WHERE table_name = ?2 AND until IS NULL",
            params![number, table],
        )?;
    }
    for FileRecord { table, kind, file } in files {
        let (kind, part) = kind.columns();
        tx.execute(
            "INSERT INTO store_files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)",
            params![file.name, table, kind, part, file.rows as i64, file.bytes as i64, file.digest, number],
        )?;
    }
    Ok(())
}

/// Keeps what a load read and reported.
pub(crate) fn record_load(tx: &Tx<'_>, load: &LoadRecord, sources: &[SourceRecord]) -> Result<(), Error> {
    let id = tx.insert(
        "INSERT INTO store_loads (snapshot, at, report) VALUES (?1, ?2, ?3)",
        params![load.snapshot as i64, load.at.micros(), load.report],
    )?;
    for source in sources {
        tx.execute(
            "INSERT INTO store_sources VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            params![source.table, source.digest, source.definition, source.name, source.bytes as i64, id],
        )?;
    }
    Ok(())
}

/// The digests of the files that went into `table` under this definition.
pub(crate) fn known_sources(tx: &Tx<'_>, table: &str, definition: &str) -> Result<HashSet<String>, Error> {
    let sql = "SELECT digest FROM store_sources WHERE table_name = ?1 AND definition = ?2";
    Ok(tx.all(sql, [table, definition], |row| row.get(0))?.into_iter().collect())
}

/// The newest loads first.
pub(crate) fn loads(tx: &Tx<'_>, most: u32) -> Result<Vec<LoadRecord>, Error> {
    let sql = "SELECT snapshot, at, report FROM store_loads ORDER BY id DESC LIMIT ?1";
    let record = |row: &muster_state::Row<'_>| {
        let (snapshot, at) = (row.get::<_, i64>(0)? as u64, Timestamp::from_micros(row.get(1)?));
        Ok(LoadRecord { snapshot, at, report: row.get(2)? })
    };
    Ok(tx.all(sql, [most], record)?)
}

/// Forgets the files that no snapshot since `oldest` has, and says their names.
pub(crate) fn forget_files(tx: &Tx<'_>, oldest: u64) -> Result<Vec<String>, Error> {
    let names = tx.all("SELECT name FROM store_files WHERE until <= ?1", [oldest as i64], |row| row.get(0))?;
    tx.execute("DELETE FROM store_files WHERE until <= ?1", [oldest as i64])?;
    Ok(names)
}

/// The names of all files that the catalogue knows.
pub(crate) fn file_names(tx: &Tx<'_>) -> Result<HashSet<String>, Error> {
    Ok(tx.all("SELECT name FROM store_files", [], |row| row.get(0))?.into_iter().collect())
}
