//! What the state file says of the store: which files make which snapshot, and what was loaded.

use std::collections::{BTreeMap, HashSet};

use muster_catalog::Timestamp;
use muster_state::{Migration, Tx, params};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::files::{Part, Written};
use crate::schema::TableSchema;

/// The store's tables in the state file.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
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
    },
    // Files belong to many snapshots now (an undone load gives back those of before), have a digest per part, and small
    // changes stand in a log of rows first.
    Migration {
        room: "store",
        number: 2,
        sql: "
CREATE TABLE store_parts (
    name       TEXT    PRIMARY KEY,
    table_name TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    part       INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    parts      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO store_parts
    SELECT name, table_name, kind, part, rows, bytes,
           json_array(json_object('start', 0, 'length', bytes, 'digest', digest))
    FROM store_files;
CREATE TABLE store_snapshot_files (
    snapshot INTEGER NOT NULL REFERENCES store_snapshots (number),
    name     TEXT    NOT NULL REFERENCES store_parts (name),
    PRIMARY KEY (snapshot, name)
) STRICT, WITHOUT ROWID;
INSERT INTO store_snapshot_files
    SELECT snapshots.number, files.name
    FROM store_snapshots AS snapshots
    JOIN store_files AS files
        ON files.since <= snapshots.number AND (files.until IS NULL OR files.until > snapshots.number)
    WHERE snapshots.number >= (SELECT max(number) - 1 FROM store_snapshots);
DELETE FROM store_parts WHERE name NOT IN (SELECT name FROM store_snapshot_files);
DROP TABLE store_files;
CREATE TABLE store_log (
    seq        INTEGER PRIMARY KEY,
    snapshot   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    table_name TEXT    NOT NULL,
    rows       BLOB    NOT NULL
) STRICT;
ALTER TABLE store_snapshots ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store_loads ADD COLUMN before INTEGER;
ALTER TABLE store_loads ADD COLUMN undone INTEGER;
UPDATE store_loads SET before = snapshot - 1;
CREATE INDEX store_snapshot_files_name ON store_snapshot_files (name);
",
    },
    // Source files that look as they did when they were read need not be read again to be known.
    Migration {
        room: "store",
        number: 3,
        sql: "
CREATE TABLE store_looks (
    name   TEXT PRIMARY KEY,
    look   TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
    },
];

/// How a source file looked when its content was digested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// All by which it would be known again, as whoever looked says it.
    pub look: String,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

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

/// A source file, and the load that read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedSource {
    /// The number of the load.
    pub load: i64,
    /// The snapshot that the load made.
    pub snapshot: u64,
    /// The table that the file went into.
    pub table: String,
    /// How the user calls it.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// What is kept of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRecord {
    /// Its number.
    pub id: i64,
    /// The snapshot that it made.
    pub snapshot: u64,
    /// When.
    pub at: Timestamp,
    /// Its report, as JSON.
    pub report: String,
    /// The snapshot that was there before; 0 for the first load.
    pub before: u64,
    /// When it was taken back, if it was.
    pub undone: Option<Timestamp>,
}

/// A snapshot as the catalogue keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) tables: Vec<ManifestTable>,
}

/// One table of a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManifestTable {
    pub(crate) schema: TableSchema,
    /// The rows in the file of each block.
    pub(crate) block_rows: Vec<u32>,
    /// The rows of each block with its overlay, tombstones of profiles among them; empty: as in the files.
    #[serde(default)]
    pub(crate) final_rows: Vec<u32>,
    /// Of profiles: how many of each block are deleted; empty: none.
    #[serde(default)]
    pub(crate) tombstones: Vec<u32>,
    /// Rows that wait for their parent.
    pub(crate) orphans: u64,
    /// Rows that came or went since the blocks were written.
    #[serde(default)]
    pub(crate) overlay_rows: u64,
}

impl ManifestTable {
    /// A table that has no rows yet.
    pub(crate) fn without_rows(schema: TableSchema) -> Self {
        Self {
            schema,
            block_rows: Vec::new(),
            final_rows: Vec::new(),
            tombstones: Vec::new(),
            orphans: 0,
            overlay_rows: 0,
        }
    }
}

/// What a file of the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    /// The rows of a block.
    Block(usize),
    /// The texts of a column.
    Dictionary(usize),
    /// Rows that wait for their parent.
    Orphans,
    /// Rows that came since the blocks were written, by the snapshot that brought them.
    Came(u64),
    /// Where they stand, and which rows of blocks are gone.
    Places,
    /// What keyed rows were before, by the snapshot that changed them.
    Changes(u64),
}

impl FileKind {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Block(block) => ("block", block as i64),
            Self::Dictionary(column) => ("dictionary", column as i64),
            Self::Orphans => ("orphans", 0),
            Self::Came(snapshot) => ("came", snapshot as i64),
            Self::Places => ("places", 0),
            Self::Changes(snapshot) => ("changes", snapshot as i64),
        }
    }

    fn read(kind: &str, part: i64) -> Result<Self, Error> {
        Ok(match kind {
            "block" => Self::Block(part as usize),
            "dictionary" => Self::Dictionary(part as usize),
            "orphans" => Self::Orphans,
            "came" => Self::Came(part as u64),
            "places" => Self::Places,
            "changes" => Self::Changes(part as u64),
            other => return Err(Error::Catalogue { what: format!("there is no kind of file called {other}") }),
        })
    }
}

/// A file of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct FileRecord {
    pub(crate) table: String,
    pub(crate) kind: FileKind,
    pub(crate) file: Written,
}

/// A snapshot as it is kept: number, instant, manifest and files.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) manifest: Manifest,
    pub(crate) files: Vec<FileRecord>,
    /// The last entry of the log that is in it.
    pub(crate) applied: i64,
}

/// The newest snapshot.
pub(crate) fn latest(tx: &Tx<'_>) -> Result<Option<Kept>, Error> {
    latest_number(tx)?.map_or(Ok(None), |number| snapshot(tx, number))
}

/// The number of the newest snapshot that has files.
pub(crate) fn latest_number(tx: &Tx<'_>) -> Result<Option<u64>, Error> {
    let newest = "SELECT max(number) FROM store_snapshots WHERE manifest <> ''";
    let number = tx.one(newest, [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(number.map(i64::cast_unsigned))
}

/// The snapshot of this number, if it is still kept.
pub(crate) fn snapshot(tx: &Tx<'_>, number: u64) -> Result<Option<Kept>, Error> {
    let sql = "SELECT at, manifest, applied FROM store_snapshots WHERE number = ?1 AND manifest <> ''";
    let found = tx.maybe(sql, [number as i64], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let Some((at, manifest, applied)) = found else { return Ok(None) };
    let manifest = serde_json::from_str(&manifest).map_err(|error| Error::Catalogue { what: error.to_string() })?;
    Ok(Some(Kept { number, at: Timestamp::from_micros(at), manifest, files: files(tx, number)?, applied }))
}

fn files(tx: &Tx<'_>, snapshot: u64) -> Result<Vec<FileRecord>, Error> {
    let sql = "SELECT table_name, kind, part, name, bytes, rows, parts
               FROM store_snapshot_files JOIN store_parts USING (name) WHERE snapshot = ?1 ORDER BY name";
    let mut files = Vec::new();
    tx.each(sql, [snapshot as i64], |row| {
        files.push(record(row)?);
        Ok::<(), Error>(())
    })?;
    Ok(files)
}

fn record(row: &muster_state::Row<'_>) -> Result<FileRecord, Error> {
    let read = || -> muster_state::SqlResult<(String, String, i64, String, i64, i64, String)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
    };
    let (table, kind, part, name, bytes, rows, parts) = read().map_err(muster_state::Error::from)?;
    let parts: Vec<Part> =
        serde_json::from_str(&parts).map_err(|error| Error::Catalogue { what: error.to_string() })?;
    let file = Written { name, bytes: bytes as u64, rows: rows as u64, parts };
    Ok(FileRecord { table, kind: FileKind::read(&kind, part)?, file })
}

/// All files that any kept snapshot has.
pub(crate) fn all_files(tx: &Tx<'_>) -> Result<Vec<FileRecord>, Error> {
    let sql = "SELECT table_name, kind, part, name, bytes, rows, parts FROM store_parts ORDER BY name";
    let mut files = Vec::new();
    tx.each(sql, [], |row| {
        files.push(record(row)?);
        Ok::<(), Error>(())
    })?;
    Ok(files)
}

/// Makes a snapshot true; `fresh` are those of its files that the catalogue does not know yet.
pub(crate) fn commit(tx: &Tx<'_>, kept: &Kept, fresh: &[FileRecord]) -> Result<(), Error> {
    let number = kept.number as i64;
    let manifest = serde_json::to_string(&kept.manifest).expect("a manifest has only texts and numbers");
    tx.execute(
        "INSERT INTO store_snapshots (number, at, manifest, applied) VALUES (?1, ?2, ?3, ?4)",
        params![number, kept.at.micros(), manifest, kept.applied],
    )?;
    for FileRecord { table, kind, file } in fresh {
        let (kind, part) = kind.columns();
        let parts = serde_json::to_string(&file.parts).expect("parts have only texts and numbers");
        tx.execute(
            "INSERT INTO store_parts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![file.name, table, kind, part, file.rows as i64, file.bytes as i64, parts],
        )?;
    }
    for FileRecord { file, .. } in &kept.files {
        tx.execute("INSERT INTO store_snapshot_files VALUES (?1, ?2)", params![number, file.name])?;
    }
    Ok(())
}

/// Keeps what a load read and reported, and which snapshot it found.
pub(crate) fn record_load(
    tx: &Tx<'_>,
    snapshot: u64,
    before: u64,
    at: Timestamp,
    report: &str,
    sources: &[SourceRecord],
) -> Result<(), Error> {
    let id = tx.insert(
        "INSERT INTO store_loads (snapshot, at, report, before) VALUES (?1, ?2, ?3, ?4)",
        params![snapshot as i64, at.micros(), report, before as i64],
    )?;
    for source in sources {
        tx.execute(
            "INSERT INTO store_sources VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            params![source.table, source.digest, source.definition, source.name, source.bytes as i64, id],
        )?;
    }
    Ok(())
}

/// Marks a load as taken back; its files may come again.
pub(crate) fn undo_load(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE store_loads SET undone = ?2 WHERE id = ?1", params![id, at.micros()])?;
    tx.execute("DELETE FROM store_sources WHERE load = ?1", [id])?;
    Ok(())
}

/// The digests of the files that went into `table` under this definition.
pub(crate) fn known_sources(tx: &Tx<'_>, table: &str, definition: &str) -> Result<HashSet<String>, Error> {
    let sql = "SELECT digest FROM store_sources WHERE table_name = ?1 AND definition = ?2";
    Ok(tx.all(sql, [table, definition], |row| row.get(0))?.into_iter().collect())
}

/// How source files looked when their digests were taken.
pub(crate) fn looks(tx: &Tx<'_>) -> Result<BTreeMap<String, KnownFile>, Error> {
    let look = |row: &muster_state::Row<'_>| Ok((row.get(0)?, KnownFile { look: row.get(1)?, digest: row.get(2)? }));
    Ok(tx.all("SELECT name, look, digest FROM store_looks", [], look)?.into_iter().collect())
}

/// Keeps `now` in the place of `before`.
pub(crate) fn keep_looks(
    tx: &Tx<'_>,
    before: &BTreeMap<String, KnownFile>,
    now: &BTreeMap<String, KnownFile>,
) -> Result<(), Error> {
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        tx.execute("DELETE FROM store_looks WHERE name = ?1", [name])?;
    }
    for (name, look) in now.iter().filter(|(name, look)| before.get(*name) != Some(look)) {
        let row = params![name, look.look, look.digest];
        tx.execute("INSERT OR REPLACE INTO store_looks VALUES (?1, ?2, ?3)", row)?;
    }
    Ok(())
}

/// The files that loads since snapshot `oldest` read first, by snapshot, table and name.
pub(crate) fn sources(tx: &Tx<'_>, oldest: u64) -> Result<Vec<LoadedSource>, Error> {
    let sql = "SELECT load, snapshot, table_name, name, bytes
               FROM store_sources JOIN store_loads ON id = load
               WHERE snapshot >= ?1
               ORDER BY snapshot, table_name, name, digest, definition";
    let source = |row: &muster_state::Row<'_>| {
        let (snapshot, bytes) = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(4)? as u64);
        Ok(LoadedSource { load: row.get(0)?, snapshot, table: row.get(2)?, name: row.get(3)?, bytes })
    };
    Ok(tx.all(sql, [oldest as i64], source)?)
}

/// The newest loads first, those that were taken back among them.
pub(crate) fn loads(tx: &Tx<'_>, most: u32) -> Result<Vec<LoadRecord>, Error> {
    let sql = "SELECT id, snapshot, at, report, before, undone FROM store_loads ORDER BY id DESC LIMIT ?1";
    Ok(tx.all(sql, [most], load)?)
}

/// The newest load that stands.
pub(crate) fn latest_load(tx: &Tx<'_>) -> Result<Option<LoadRecord>, Error> {
    let sql = "SELECT id, snapshot, at, report, before, undone FROM store_loads WHERE undone IS NULL
               ORDER BY id DESC LIMIT 1";
    Ok(tx.maybe(sql, [], load)?)
}

fn load(row: &muster_state::Row<'_>) -> muster_state::SqlResult<LoadRecord> {
    let (snapshot, at) = (row.get::<_, i64>(1)? as u64, Timestamp::from_micros(row.get(2)?));
    let before = row.get::<_, Option<i64>>(4)?.unwrap_or_default() as u64;
    let undone = row.get::<_, Option<i64>>(5)?.map(Timestamp::from_micros);
    Ok(LoadRecord { id: row.get(0)?, snapshot, at, report: row.get(3)?, before, undone })
}

/// The snapshots whose files are kept, with the bytes of each, newest first.
pub(crate) fn kept_snapshots(tx: &Tx<'_>) -> Result<Vec<u64>, Error> {
    let sql = "SELECT number FROM store_snapshots WHERE manifest <> '' ORDER BY number DESC";
    Ok(tx.all(sql, [], |row| Ok(row.get::<_, i64>(0)? as u64))?)
}

/// The snapshots to which the newest loads that stand can be taken back.
pub(crate) fn undo_points(tx: &Tx<'_>, most: u32) -> Result<Vec<u64>, Error> {
    let sql = "SELECT before FROM store_loads WHERE undone IS NULL AND before > 0 ORDER BY id DESC LIMIT ?1";
    Ok(tx.all(sql, [most], |row| Ok(row.get::<_, i64>(0)? as u64))?)
}

/// The names of a snapshot's files with their bytes.
pub(crate) fn file_sizes(tx: &Tx<'_>, snapshot: u64) -> Result<Vec<(String, u64)>, Error> {
    let sql = "SELECT name, bytes FROM store_snapshot_files JOIN store_parts USING (name) WHERE snapshot = ?1";
    Ok(tx.all(sql, [snapshot as i64], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?)
}

/// Forgets the files of a snapshot; its number and instant stay.
pub(crate) fn forget_snapshot(tx: &Tx<'_>, number: u64) -> Result<(), Error> {
    tx.execute("DELETE FROM store_snapshot_files WHERE snapshot = ?1", [number as i64])?;
    tx.execute("UPDATE store_snapshots SET manifest = '' WHERE number = ?1", [number as i64])?;
    Ok(())
}

/// Forgets the files that no snapshot has.
pub(crate) fn forget_files(tx: &Tx<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM store_parts WHERE name NOT IN (SELECT name FROM store_snapshot_files)", [])?;
    Ok(())
}

/// The names of all files that the catalogue knows.
pub(crate) fn file_names(tx: &Tx<'_>) -> Result<HashSet<String>, Error> {
    Ok(tx.all("SELECT name FROM store_parts", [], |row| row.get(0))?.into_iter().collect())
}

/// An entry of the log: rows of one table that are true and not yet in a file.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    /// Its number; the first is 1.
    pub(crate) seq: i64,
    /// The snapshot that it made, with the other entries of its group.
    pub(crate) snapshot: u64,
    pub(crate) at: Timestamp,
    pub(crate) table: String,
    /// The rows, as [`crate::log`] writes them.
    pub(crate) rows: Vec<u8>,
}

/// Makes a group of entries true, and the snapshot that they made, which has no files of its own.
pub(crate) fn append(tx: &Tx<'_>, number: u64, at: Timestamp, entries: &[LogEntry]) -> Result<(), Error> {
    let applied = entries.last().map_or(0, |entry| entry.seq);
    tx.execute(
        "INSERT INTO store_snapshots (number, at, manifest, applied) VALUES (?1, ?2, '', ?3)",
        params![number as i64, at.micros(), applied],
    )?;
    for LogEntry { seq, snapshot, at, table, rows } in entries {
        tx.execute(
            "INSERT INTO store_log (seq, snapshot, at, table_name, rows) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![seq, *snapshot as i64, at.micros(), table, rows],
        )?;
    }
    Ok(())
}

/// The entries after `applied`, in their order.
pub(crate) fn log_after(tx: &Tx<'_>, applied: i64) -> Result<Vec<LogEntry>, Error> {
    let sql = "SELECT seq, snapshot, at, table_name, rows FROM store_log WHERE seq > ?1 ORDER BY seq";
    let entry = |row: &muster_state::Row<'_>| {
        let (snapshot, at) = (row.get::<_, i64>(1)? as u64, Timestamp::from_micros(row.get(2)?));
        Ok(LogEntry { seq: row.get(0)?, snapshot, at, table: row.get(3)?, rows: row.get(4)? })
    };
    Ok(tx.all(sql, [applied], entry)?)
}

/// The last entry of the log, where it has one.
pub(crate) fn last_in_log(tx: &Tx<'_>) -> Result<Option<i64>, Error> {
    Ok(tx.one("SELECT max(seq) FROM store_log", [], |row| row.get(0))?)
}

/// The last entry that was let go of; all after it are still there.
pub(crate) fn trimmed_up_to(tx: &Tx<'_>) -> Result<i64, Error> {
    let sql = "SELECT coalesce((SELECT min(seq) - 1 FROM store_log), (SELECT max(applied) FROM store_snapshots), 0)";
    Ok(tx.one(sql, [], |row| row.get(0))?)
}

/// Lets go of the entries that the newest kept snapshot has in its files, unless taking back the newest load needs them.
/// Snapshots that had no files and that nothing refers to are forgotten with them.
pub(crate) fn trim_log(tx: &Tx<'_>) -> Result<(), Error> {
    let newest = "SELECT applied FROM store_snapshots WHERE manifest <> '' ORDER BY number DESC LIMIT 1";
    let undo = "SELECT coalesce((SELECT applied FROM store_snapshots WHERE number = before), 0)
                FROM store_loads WHERE undone IS NULL ORDER BY id DESC LIMIT 1";
    tx.execute(
        &format!("DELETE FROM store_log WHERE seq <= min(coalesce(({newest}), 0), coalesce(({undo}), ({newest}), 0))"),
        [],
    )?;
    tx.execute(
        "DELETE FROM store_snapshots
         WHERE manifest = '' AND number < (SELECT max(number) FROM store_snapshots WHERE manifest <> '')
             AND number NOT IN (SELECT snapshot FROM store_loads)
             AND number NOT IN (SELECT before FROM store_loads WHERE before IS NOT NULL)",
        [],
    )?;
    Ok(())
}
