//! A slow, independent reading of the segment language: from text to rows, row by row.
//!
//! It knows no engine and shares no line with the rooms that answer queries. `resolve` is section 2 of the language's
//! page (names, grain, levels), `evaluate` is its functions and section 3 (time); every rule has its place there, so that
//! it can be checked against the page. Where there is doubt it says [`Kind::Unsupported`] and never guesses.
//!
//! What it reads: queries over one table with WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY and LIMIT, and the definitions of
//! segments. What it leaves out: subqueries, joins, CTEs, set operations, stored audiences, scores and travel times.

mod error;
mod evaluate;
mod meaning;
mod resolve;

pub use error::{Error, Kind};

use chrono_tz::Tz;
use muster_catalog::{Timestamp, parse_local};

use crate::world::{Value, World};

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows. Without ORDER BY they stand by profile key, then in row order; groups in the order of their first rows.
    pub rows: Vec<Vec<Value>>,
}

/// The answer to `SELECT …`, or to `AS OF 'instant' SELECT …`, as of `instant` where the text does not say another.
///
/// # Errors
/// That and why the query is an error, or that the interpreter does not know something in it.
pub fn answer(world: &World, text: &str, instant: Timestamp) -> Result<Answer, Error> {
    Reader::of(world).answer(text, instant)
}

/// Somebody who asks a world many questions, and remembers it as of each instant.
pub struct Reader<'w> {
    world: &'w World,
    worlds: evaluate::Worlds<'w>,
}

impl<'w> Reader<'w> {
    /// The reader of this world.
    pub fn of(world: &'w World) -> Self {
        Self { world, worlds: evaluate::Worlds::new(world) }
    }

    /// As [`answer`].
    ///
    /// # Errors
    /// As [`answer`].
    pub fn answer(&self, text: &str, instant: Timestamp) -> Result<Answer, Error> {
        let (instant, text) = as_of(text, instant, self.world.catalog.workspace.time_zone)?;
        let query = resolve::query(self.world, text)?;
        let rows = evaluate::rows(&self.worlds, &query, instant.micros())?;
        Ok(Answer { columns: query.output.into_iter().map(|(name, _)| name).collect(), rows })
    }
}

/// The keys of the rows that a segment holds as of `instant`: of `SELECT …` with a grain, or of `WHERE …` over profiles.
///
/// A key is its parts in order. Rows stand by profile key, then in row order, or as ORDER BY says.
///
/// # Errors
/// As [`answer`]; also what a segment's query must not have.
pub fn members(world: &World, definition: &str, instant: Timestamp) -> Result<Vec<Vec<Value>>, Error> {
    let query = resolve::segment(world, definition)?;
    evaluate::keys(world, &query, instant.micros())
}

/// `AS OF 'instant'` before a query.
fn as_of(text: &str, instant: Timestamp, zone: Tz) -> Result<(Timestamp, &str), Error> {
    let mut rest = text.trim_start();
    for word in ["as", "of"] {
        match rest.get(..word.len()) {
            Some(found) if found.eq_ignore_ascii_case(word) => rest = rest[word.len()..].trim_start(),
            _ => return Ok((instant, text)),
        }
    }
    let quoted = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let (written, query) = quoted.ok_or_else(|| Error::nowhere(Kind::Syntax, "AS OF takes an instant in quotes"))?;
    let instant =
        parse_local(written, zone).map_err(|error| Error::nowhere(Kind::Type, format!("{written}: {error}")))?;
    Ok((instant, query))
}
