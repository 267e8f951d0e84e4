//! How old the data of a table are: its newest time, from the column with the time alone.

use chrono_tz::Tz;
use muster_catalog::{Timestamp, parse_local};
use muster_store::TableSchema;

use crate::cells::{Line, ask};
use crate::describe::{qualified, quoted};
use crate::{Error, Evaluator};

/// The newest time of a table that has one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The newest time that is not later than the instant; of profiles, when the youngest began to exist.
    pub newest: Option<Timestamp>,
    /// Rows that are stored and not there yet: their time is later, or their profile's is.
    pub later: u64,
}

impl Freshness {
    /// The freshness of `table` as of an instant; none of a table without a time of its own.
    ///
    /// # Errors
    /// If the query passes a limit, or the store cannot be read.
    pub fn of(
        evaluator: &Evaluator<'_>,
        table: &TableSchema,
        as_of: Timestamp,
        zone: Tz,
    ) -> Result<Option<Self>, Error> {
        let Some(time) = table.time.as_ref().or(table.created_at.as_ref()) else { return Ok(None) };
        let time = qualified(&table.name, time);
        let text =
            format!("SELECT count(*) AS counted, CAST(max({time}) AS VARCHAR) AS newest FROM {}", quoted(&table.name));
        let mut line = Line::of(ask(evaluator, &text, as_of)?);
        let later = evaluator.snapshot().row_count(&table.name).saturating_sub(line.count()?);
        // What the engine printed is RFC 3339, so it reads back.
        let newest = line.text()?.and_then(|text| parse_local(&text, zone).ok());
        Ok(Some(Self { newest, later }))
    }
}
