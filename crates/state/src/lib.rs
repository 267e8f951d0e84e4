//! The one SQLite file of a workspace: nothing is true until its row is committed here.
//!
//! This room opens `state.db`, brings its tables up to date, and lets one write happen at a time.
//! Writes that arrive together share one commit, and each returns only when the commit that covers
//! it is on disk. It is the only door to rusqlite.
//!
//! Left to the other rooms: every table, its SQL and its [`Migration`]s, and every instant (this room
//! reads no wall clock; an instant is an `i64` of microseconds UTC that a caller brings).
//!
//! ```no_run
//! use muster_state::{Error, Migration, Mode, State, params};
//!
//! const MIGRATIONS: &[Migration] = &[Migration {
//!     room: "pantry",
//!     number: 1,
//!     sql: "CREATE TABLE jars (label TEXT PRIMARY KEY, grams INTEGER NOT NULL) STRICT",
//! }];
//!
//! let state = State::open("data".as_ref(), MIGRATIONS, Mode::Create)?;
//! state.write(|tx| tx.execute("INSERT INTO jars VALUES (?, ?)", params!["plum", 340]))?;
//! let grams = state.read(|tx| tx.one("SELECT sum(grams) FROM jars", [], |row| row.get::<_, i64>(0)))?;
//! # Ok::<(), Error>(())
//! ```

mod connection;
mod copy;
mod error;
mod instance;
mod lock;
mod migration;
mod reader;
mod state;
mod transaction;
mod writer;

pub use error::Error;
pub use instance::Instance;
pub use migration::Migration;
pub use reader::Reader;
pub use state::{Mode, State};
pub use transaction::Tx;

pub use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type as SqlType, Value, ValueRef};
pub use rusqlite::{Error as SqlError, Params, Result as SqlResult, Row, params, params_from_iter};
