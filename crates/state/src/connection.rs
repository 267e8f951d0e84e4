//! How a connection to `state.db` is opened: the settings on which durability rests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// The state file within the data directory.
pub(crate) const FILE: &str = "state.db";
/// "MSTR" in ASCII: what `file` and SQLite's own tools see in the header.
const APPLICATION_ID: i64 = 0x4D53_5452;
/// The format of this room's own tables (`migrations`, `epoch`); the rooms' tables have migrations.
const FORMAT: i64 = 1;
/// Before 3.51.3 a checkpoint racing with a reset could lose committed pages.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Keys that are digests land all over their index; with this much of it in memory a million of them
/// are inserted without reading each page back.
const WRITER_CACHE_KIB: i64 = 64 << 10;
/// How long opening waits for another connection that recovers the log after a crash.
const PATIENCE: Duration = Duration::from_secs(5);
/// More texts than all rooms together have, so that none is parsed twice.
const KEPT_STATEMENTS: usize = 512;

/// The path of the state file of a data directory.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Opens the state file for writing, making it where it is missing.
pub(crate) fn open_writing(path: &Path) -> Result<Connection, Error> {
    refuse_old_sqlite()?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    identify(&connection, path)?;
    keep_a_write_ahead_log(&connection)?;
    guard(&connection)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// Opens the state file for reading only.
pub(crate) fn open_reading(path: &Path) -> Result<Connection, Error> {
    refuse_old_sqlite()?;
    if !path.is_file() {
        return Err(Error::Missing { path: path.to_path_buf() });
    }
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    refuse_foreign(&connection, path)?;
    guard(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn refuse_old_sqlite() -> Result<(), Error> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::OldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

/// Signs a new file, and refuses one that is not muster's or is of a later format.
fn identify(connection: &Connection, path: &Path) -> Result<(), Error> {
    let is_new = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if is_new {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
    }
    refuse_foreign(connection, path)
}

fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), Error> {
    let found = pragma(connection, "application_id")?;
    if found != APPLICATION_ID {
        return Err(Error::Foreign { path: path.to_path_buf(), found, expected: APPLICATION_ID });
    }
    let format = pragma(connection, "user_version")?;
    if format > FORMAT {
        return Err(Error::Newer { path: path.to_path_buf(), what: format!("format {format}") });
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Error> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// FULL, not NORMAL: in WAL mode NORMAL syncs at checkpoints only, and a power cut takes commits
/// that were already acknowledged.
fn keep_a_write_ahead_log(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // SQLite swallows the error of an automatic checkpoint; the writer runs its own and sees it.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |row| row.get::<_, i64>(0))?;
    Ok(())
}

/// What every connection has: nothing in the file may make SQLite run code or leave its bounds.
fn guard(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "mmap_size", 0, |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    Ok(())
}
