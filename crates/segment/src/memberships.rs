//! Who came into a segment and who went, refresh by refresh: the history of its audiences.
//!
//! A refresh that finds something new is a row with two bitmaps of profile ids, who came and who went; one that finds what
//! was known is counted on the row before. Ids, not keys: a million members are 125 KB and a few milliseconds, and what is
//! deleted leaves no key behind here. They are good for that because an id never means another profile later; only a load
//! that is taken back frees its ids again, and with it goes what these rows say of them ([`take_back`]).
//!
//! The newest audience is stored whole, so older ones are found by walking back from it.

use muster_catalog::{RowSet, Timestamp};
use muster_state::{Row, SqlError, SqlResult, SqlType, Tx, params};
use muster_store::LoadRecord;

use crate::{Audience, Error, scores};

/// What a refresh found that was not known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Its number among those of its segment; the first is 1.
    pub number: u64,
    /// Why the members are others than before.
    pub cause: Cause,
    /// The digest of the segment's definition.
    pub definition: String,
    /// The number of the snapshot.
    pub snapshot: u64,
    /// The instant at which the definition looked at the world.
    pub as_of: Timestamp,
    /// When it was evaluated.
    pub evaluated_at: Timestamp,
    /// How many refreshes after it found the same.
    pub again: u64,
    /// The instant of the last one that did; its own without one.
    pub last_as_of: Timestamp,
    /// How many profiles are in the segment since.
    pub profiles: u64,
    /// How many of them were not before.
    pub came: u64,
    /// How many were before and are no longer.
    pub went: u64,
}

/// Why the members of a segment are others than before, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There was no segment of this name before.
    First,
    /// Its definition, or one that it is built on, is another; or it was dropped and is defined again.
    Definition,
    /// The data are others, and maybe the instant.
    Data,
    /// Only the instant is another.
    Time,
    /// The segment was dropped: everybody went.
    Dropped,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::First, Self::Definition, Self::Data, Self::Time, Self::Dropped];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Definition => "definition",
            Self::Data => "data",
            Self::Time => "time",
            Self::Dropped => "dropped",
        }
    }
}

impl Refresh {
    /// The refreshes of `segment` that found something new, oldest first; also of one that was dropped.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn all(tx: &Tx<'_>, segment: &str) -> Result<Vec<Self>, Error> {
        Ok(tx.all(
            "SELECT number, cause, definition, snapshot, as_of, evaluated_at, again, last_as_of, profiles, came, went
             FROM segment_memberships WHERE segment = ?1 ORDER BY number",
            [segment],
            Self::read,
        )?)
    }

    fn read(row: &Row<'_>) -> SqlResult<Self> {
        let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok(Self {
            number: count(0)?,
            cause: cause(&row.get::<_, String>(1)?)?,
            definition: row.get(2)?,
            snapshot: count(3)?,
            as_of: Timestamp::from_micros(row.get(4)?),
            evaluated_at: Timestamp::from_micros(row.get(5)?),
            again: count(6)?,
            last_as_of: Timestamp::from_micros(row.get(7)?),
            profiles: count(8)?,
            came: count(9)?,
            went: count(10)?,
        })
    }
}

fn cause(word: &str) -> SqlResult<Cause> {
    let unknown = || format!("there is no cause called {word}");
    let found = Cause::ALL.into_iter().find(|cause| cause.word() == word);
    found.ok_or_else(|| SqlError::FromSqlConversionFailure(1, SqlType::Text, unknown().into()))
}

/// The name under which refreshes are kept, capitals aside.
pub(crate) fn name(tx: &Tx<'_>, name: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT segment FROM segment_memberships WHERE segment = ?1 COLLATE NOCASE
               ORDER BY segment = ?1 DESC, segment LIMIT 1";
    Ok(tx.maybe(sql, [name], |row| row.get(0))?)
}

/// Keeps an audience as the newest of its segment, and who came and who went with it. `meaning` is the digest of all
/// definitions that it comes from.
pub(crate) fn keep(tx: &Tx<'_>, audience: &Audience, meaning: &str) -> Result<(), Error> {
    let before = Audience::newest(tx, &audience.segment)?;
    let cause = cause_of(tx, audience, before.as_ref(), meaning)?;
    let known = before.map(|before| before.rows).unwrap_or_default();
    let (came, went) = (audience.rows.minus(&known), known.minus(&audience.rows));
    let is_new = !came.is_empty() || !went.is_empty() || !matches!(cause, Cause::Data | Cause::Time);
    if is_new {
        append(tx, audience, cause, meaning, &came, &went)?;
    } else {
        count_again(tx, audience)?;
    }
    audience.save(tx)
}

/// Keeps that everybody went when a segment was dropped.
pub(crate) fn keep_dropped(tx: &Tx<'_>, audience: &Audience) -> Result<(), Error> {
    let Some(before) = Audience::newest(tx, &audience.segment)? else { return Ok(()) };
    append(tx, audience, Cause::Dropped, &audience.definition, &RowSet::empty(), &before.rows)
}

fn cause_of(tx: &Tx<'_>, audience: &Audience, before: Option<&Audience>, meaning: &str) -> Result<Cause, Error> {
    let sql = "SELECT coalesce(meaning = ?2, definition = ?3) FROM segment_memberships
               WHERE segment = ?1 ORDER BY number DESC LIMIT 1";
    let same = tx.maybe(sql, params![audience.segment, meaning, audience.definition], |row| row.get::<_, bool>(0))?;
    Ok(match (same, before) {
        (None, _) => Cause::First,
        (Some(true), Some(before)) if before.snapshot == audience.snapshot => Cause::Time,
        (Some(true), Some(_)) => Cause::Data,
        _ => Cause::Definition,
    })
}

fn append(
    tx: &Tx<'_>,
    audience: &Audience,
    cause: Cause,
    meaning: &str,
    came: &RowSet,
    went: &RowSet,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO segment_memberships
         SELECT ?1, coalesce(max(number), 0) + 1, 'profiles', ?2, ?3, ?4, ?5, ?6, ?7, 0, ?6, ?8, ?9, ?10, ?11, ?12
         FROM segment_memberships WHERE segment = ?1",
        params![
            audience.segment,
            cause.word(),
            audience.definition,
            meaning,
            audience.snapshot.cast_signed(),
            audience.as_of.micros(),
            audience.evaluated_at.micros(),
            audience.rows.len().cast_signed(),
            came.len().cast_signed(),
            went.len().cast_signed(),
            bytes(came),
            bytes(went),
        ],
    )?;
    Ok(())
}

fn count_again(tx: &Tx<'_>, audience: &Audience) -> Result<(), Error> {
    tx.execute(
        "UPDATE segment_memberships SET again = again + 1, last_as_of = ?2
         WHERE segment = ?1 AND number = (SELECT max(number) FROM segment_memberships WHERE segment = ?1)",
        params![audience.segment, audience.as_of.micros()],
    )?;
    Ok(())
}

/// Who was in `segment` by the last refresh that was not later than `instant`; `None` where there was none, or the segment
/// had been dropped. Of definitions that looked at one instant the last one counts.
///
/// Profiles that were deleted since are among them ([`crate::Evaluator::living`]).
///
/// # Errors
/// If the state cannot be read.
pub fn members_as_of(tx: &Tx<'_>, segment: &str, instant: Timestamp) -> Result<Option<RowSet>, Error> {
    moment(tx, segment, instant)?.map(|moment| members_at(tx, segment, moment.number)).transpose()
}

/// Which members were the last ones by an instant: the same members as long as it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The number of the refresh that found them.
    pub(crate) number: i64,
    /// That of the newest one.
    newest: i64,
    /// When the newest audience was evaluated; none where it was dropped.
    evaluated_at: Option<i64>,
}

/// The last refresh of a segment by an instant; `None` where it had none by then.
pub(crate) fn moment(tx: &Tx<'_>, segment: &str, instant: Timestamp) -> Result<Option<Moment>, Error> {
    let sql = "SELECT number, cause,
                      (SELECT max(number) FROM segment_memberships WHERE segment = ?1),
                      (SELECT evaluated_at FROM segment_audiences WHERE segment = ?1)
               FROM segment_memberships WHERE segment = ?1 AND as_of <= ?2 ORDER BY number DESC LIMIT 1";
    let found = tx.maybe(sql, params![segment, instant.micros()], |row| {
        let moment = Moment { number: row.get(0)?, newest: row.get(2)?, evaluated_at: row.get(3)? };
        Ok((moment, cause(&row.get::<_, String>(1)?)?))
    })?;
    Ok(found.filter(|(_, cause)| *cause != Cause::Dropped).map(|(moment, _)| moment))
}

/// The members after the refresh with this number; none after number 0.
pub(crate) fn members_at(tx: &Tx<'_>, segment: &str, number: i64) -> Result<RowSet, Error> {
    let mut members = Audience::newest(tx, segment)?.map(|newest| newest.rows).unwrap_or_default();
    let sql = "SELECT came_rows, went_rows FROM segment_memberships
               WHERE segment = ?1 AND number > ?2 ORDER BY number DESC";
    tx.each(sql, params![segment, number], |row| {
        let (came, went) = both(row).map_err(muster_state::Error::from)?;
        members = members.minus(&came).or(&went);
        Ok::<(), Error>(())
    })?;
    Ok(members)
}

/// Forgets what was found since a load that is taken back: audiences are those of before it, and whoever gets
/// the ids that it gave away begins anew. To be called in the transaction that takes `load` back.
///
/// # Errors
/// If the state cannot be written.
pub fn take_back(tx: &Tx<'_>, load: &LoadRecord) -> Result<(), Error> {
    scores::take_back(tx, load)?;
    let made = load.snapshot.cast_signed();
    let since = "SELECT DISTINCT segment FROM segment_memberships WHERE snapshot >= ?1";
    for segment in tx.all(since, [made], |row| row.get::<_, String>(0))? {
        let last = "SELECT coalesce(max(number), 0) FROM segment_memberships WHERE segment = ?1 AND snapshot < ?2";
        let last = tx.one(last, params![segment, made], |row| row.get(0))?;
        let members = members_at(tx, &segment, last)?;
        let all_but_that_it_was_dropped = "DELETE FROM segment_memberships WHERE segment = ?1 AND number > ?2
             AND (cause <> 'dropped' OR number < (SELECT max(number) FROM segment_memberships WHERE segment = ?1))";
        tx.execute(all_but_that_it_was_dropped, params![segment, last])?;
        drop_from(tx, &segment, last, &members)?;
        restore_audience(tx, &segment, last, &members)?;
    }
    Ok(())
}

/// A segment that was dropped since stays so: then those went who were in it before.
fn drop_from(tx: &Tx<'_>, segment: &str, last: i64, members: &RowSet) -> Result<(), Error> {
    tx.execute(
        "UPDATE segment_memberships SET number = ?2 + 1, went = ?3, went_rows = ?4 WHERE segment = ?1 AND number > ?2",
        params![segment, last, members.len().cast_signed(), bytes(members)],
    )?;
    Ok(())
}

/// A dropped segment has no audience, and neither has one without an earlier refresh.
fn restore_audience(tx: &Tx<'_>, segment: &str, last: i64, members: &RowSet) -> Result<(), Error> {
    tx.execute("DELETE FROM segment_audiences WHERE segment = ?1", [segment])?;
    tx.execute(
        "INSERT INTO segment_audiences
         SELECT segment, refreshes.definition, snapshot, last_as_of, evaluated_at, profiles, ?3
         FROM segment_memberships AS refreshes JOIN segment_definitions ON segment = name
         WHERE segment = ?1 AND number = ?2 AND cause <> 'dropped'",
        params![segment, last, members.to_bytes()],
    )?;
    Ok(())
}

/// Nobody is no bitmap.
fn bytes(rows: &RowSet) -> Option<Vec<u8>> {
    (!rows.is_empty()).then(|| rows.to_bytes())
}

/// Who came and who went, from the first two columns.
fn both(row: &Row<'_>) -> SqlResult<(RowSet, RowSet)> {
    Ok((rows(row, 0)?, rows(row, 1)?))
}

fn rows(row: &Row<'_>, column: usize) -> SqlResult<RowSet> {
    let Some(bytes) = row.get::<_, Option<Vec<u8>>>(column)? else { return Ok(RowSet::empty()) };
    let no_bitmap = |error: std::io::Error| SqlError::FromSqlConversionFailure(column, SqlType::Blob, Box::new(error));
    RowSet::from_bytes(&bytes).map_err(no_bitmap)
}
