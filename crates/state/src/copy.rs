//! A copy of the state while others write, and what SQLite finds wrong with a state file.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// More faults than this are not told: a file with so many is not mended by reading about them.
const MOST_FAULTS: u32 = 100;

/// Copies what `from` sees now into the new file `to`, which is on disk when this returns.
///
/// All pages in one step: that reads one consistent state beside the writer, and a step that began again whenever
/// somebody commits might never end.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    target.pragma_update(None, "synchronous", "FULL")?;
    let step = Backup::new(from, &mut target)?.step(-1)?;
    target.close().map_err(|(_, failure)| failure)?;
    match step {
        StepResult::Done => Ok(()),
        _ => Err(Error::NotCopied { path: to.to_path_buf() }),
    }
}

/// What is wrong with the file behind `connection`, a line for each fault: damaged pages and indexes, and rows that refer
/// to rows that are not there.
pub(crate) fn faults(connection: &Connection) -> Vec<String> {
    let mut faults = damage(connection).unwrap_or_else(|failure| vec![failure.to_string()]);
    faults.extend(lost_references(connection).unwrap_or_else(|failure| vec![failure.to_string()]));
    faults
}

fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let lines: Vec<String> = lines.collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

fn lost_references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY \"table\", parent ORDER BY 1, 2",
    )?;
    let line = |row: &rusqlite::Row<'_>| {
        let (table, parent, rows) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?);
        Ok(format!("{rows} rows of {table} refer to rows of {parent} that are not there"))
    };
    statement.query_map([], line)?.collect()
}
