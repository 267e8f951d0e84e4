//! Migrations: the tables of every room, brought up to date in order, each exactly once.
//!
//! The database keeps the text of every migration that it has applied, so a text that was changed
//! after its release is found, and shown, instead of guessed at from a number.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::{Error, instance};

/// One step in the making of a room's tables, as text. Released ones never change; a change is the
/// room's next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The room that owns the tables: `store`, `campaign`.
    pub room: &'static str,
    /// 1, 2, 3 … within the room.
    pub number: u32,
    /// Statements, separated by semicolons. Every `CREATE TABLE` ends in `STRICT`.
    pub sql: &'static str,
}

impl Migration {
    fn name(&self) -> String {
        format!("migration {} {}", self.room, self.number)
    }
}

/// This room's own tables, which must be there before any migration.
const GROUND: &str = "
CREATE TABLE IF NOT EXISTS migrations (
    room   TEXT    NOT NULL,
    number INTEGER NOT NULL,
    sql    TEXT    NOT NULL,
    PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO epoch VALUES (1, 0) ON CONFLICT DO NOTHING;
";

/// Applies what is missing, in the order of the list, in one transaction: all or nothing.
///
/// # Errors
/// Where the list is misnumbered, where the database knows a migration that the list does not or
/// knows another text of it, and where a migration fails.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, migrations: &[Migration]) -> Result<(), Error> {
    refuse_misnumbered(migrations)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(GROUND)?;
    transaction.execute_batch(instance::GROUND)?;
    let applied = applied(&transaction)?;
    refuse_unknown(&applied, path, migrations)?;
    for migration in missing(&applied, migrations)? {
        apply(&transaction, migration)?;
    }
    refuse_loose_tables(&transaction)?;
    Ok(transaction.commit()?)
}

/// Refuses a database that is not exactly as up to date as this binary; changes nothing.
pub(crate) fn verify(connection: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), Error> {
    refuse_misnumbered(migrations)?;
    let applied = applied(connection)?;
    refuse_unknown(&applied, path, migrations)?;
    match missing(&applied, migrations)?.first() {
        Some(first) => Err(Error::Older { path: path.to_path_buf(), what: first.name() }),
        None => Ok(()),
    }
}

type Applied = BTreeMap<(String, u32), String>;

fn applied(connection: &Connection) -> Result<Applied, Error> {
    let mut statement = connection.prepare("SELECT room, number, sql FROM migrations")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn refuse_misnumbered(migrations: &[Migration]) -> Result<(), Error> {
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    for migration in migrations {
        let number = last.entry(migration.room).or_default();
        let expected = *number + 1;
        if migration.number != expected {
            return Err(Error::Misnumbered { room: migration.room.to_string(), number: migration.number, expected });
        }
        *number = expected;
    }
    Ok(())
}

fn refuse_unknown(applied: &Applied, path: &Path, migrations: &[Migration]) -> Result<(), Error> {
    let known = |(room, number): &(String, u32)| {
        migrations.iter().any(|migration| migration.room == room && migration.number == *number)
    };
    match applied.keys().find(|key| !known(key)) {
        Some((room, number)) => {
            Err(Error::Newer { path: path.to_path_buf(), what: format!("migration {room} {number}") })
        }
        None => Ok(()),
    }
}

fn missing<'m>(applied: &Applied, migrations: &'m [Migration]) -> Result<Vec<&'m Migration>, Error> {
    let mut missing = Vec::new();
    for migration in migrations {
        match applied.get(&(migration.room.to_string(), migration.number)) {
            None => missing.push(migration),
            Some(text) if text == migration.sql => {}
            Some(_) => {
                return Err(Error::Rewritten { room: migration.room.to_string(), number: migration.number });
            }
        }
    }
    Ok(missing)
}

fn apply(transaction: &Transaction<'_>, migration: &Migration) -> Result<(), Error> {
    let failed = |source| Error::Migration { room: migration.room.to_string(), number: migration.number, source };
    transaction.execute_batch(migration.sql).map_err(failed)?;
    transaction.execute(
        "INSERT INTO migrations (room, number, sql) VALUES (?, ?, ?)",
        params![migration.room, migration.number, migration.sql],
    )?;
    Ok(())
}

fn refuse_loose_tables(connection: &Connection) -> Result<(), Error> {
    let loose = connection.query_row(
        "SELECT min(name) FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        [],
        |row| row.get::<_, Option<String>>(0),
    )?;
    match loose {
        Some(table) => Err(Error::Loose { table }),
        None => Ok(()),
    }
}
