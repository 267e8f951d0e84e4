//! The frozen answer of a segment: who was in it, on which snapshot, as of when, by which definition.

use muster_catalog::{RowSet, Timestamp};
use muster_state::{Tx, params};

use crate::Error;

/// The profiles that a segment matched. It no longer changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Audience {
    /// The segment.
    pub segment: String,
    /// The digest of its definition.
    pub definition: String,
    /// The number of the snapshot.
    pub snapshot: u64,
    /// The instant at which the definition looked at the world.
    pub as_of: Timestamp,
    /// When it was evaluated.
    pub evaluated_at: Timestamp,
    /// The profiles.
    pub rows: RowSet,
}

/// Of a kept audience: segment, how many profiles, as of when, evaluated when.
pub(crate) type Count = (String, u64, Timestamp, Timestamp);

impl Audience {
    /// Keeps it as the newest of its segment, in the place of the one before.
    pub(crate) fn save(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.execute(
            "INSERT INTO segment_audiences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (segment) DO UPDATE
             SET definition = ?2, snapshot = ?3, as_of = ?4, evaluated_at = ?5, profiles = ?6, rows = ?7",
            params![
                self.segment,
                self.definition,
                self.snapshot as i64,
                self.as_of.micros(),
                self.evaluated_at.micros(),
                self.rows.len() as i64,
                self.rows.to_bytes()
            ],
        )?;
        Ok(())
    }

    /// The newest audience of `segment`.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn newest(tx: &Tx<'_>, segment: &str) -> Result<Option<Self>, Error> {
        let sql =
            "SELECT segment, definition, snapshot, as_of, evaluated_at, rows FROM segment_audiences WHERE segment = ?1";
        Ok(tx.maybe(sql, [segment], |row| {
            let bytes: Vec<u8> = row.get(5)?;
            let rows = RowSet::from_bytes(&bytes).map_err(|error| {
                muster_state::SqlError::FromSqlConversionFailure(5, muster_state::SqlType::Blob, Box::new(error))
            })?;
            Ok(Self {
                segment: row.get(0)?,
                definition: row.get(1)?,
                snapshot: row.get::<_, i64>(2)? as u64,
                as_of: Timestamp::from_micros(row.get(3)?),
                evaluated_at: Timestamp::from_micros(row.get(4)?),
                rows,
            })
        })?)
    }

    /// For each segment with an audience: how many profiles, as of when, evaluated when; without the profiles themselves.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn counts(tx: &Tx<'_>) -> Result<Vec<Count>, Error> {
        let sql = "SELECT segment, profiles, as_of, evaluated_at FROM segment_audiences ORDER BY segment";
        Ok(tx.all(sql, [], |row| {
            let profiles = row.get::<_, i64>(1)? as u64;
            Ok((row.get(0)?, profiles, Timestamp::from_micros(row.get(2)?), Timestamp::from_micros(row.get(3)?)))
        })?)
    }
}
