//! Instants, and the clock as an input.
//!
//! No rule reads the wall clock: whoever needs to know what time it is takes a [`Clock`]. The one that ticks is made
//! by the binary.

use std::fmt;

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc,
};
use chrono_tz::Tz;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies `microseconds` after 1970-01-01T00:00:00Z.
    pub const fn from_micros(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same instant as a calendar time in UTC; years past chrono's range end at its border.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The same instant on the calendar of `zone`.
    pub fn local(self, zone: Tz) -> DateTime<Tz> {
        self.utc().with_timezone(&zone)
    }

    /// So many months and then days later on the calendar of `zone`, earlier below zero, at the same time of day.
    ///
    /// The 31st of a shorter month is its last day; a time in a gap moves forward by the gap, of a time that occurs twice it is
    /// the first. `None` outside the years 1 to 9999.
    pub fn stepped(self, months: i32, days: i32, zone: Tz) -> Option<Self> {
        let local = self.local(zone).naive_local();
        let (by_months, by_days) = (Months::new(months.unsigned_abs()), Days::new(days.unsigned_abs().into()));
        let date = local.date();
        let date = if months < 0 { date.checked_sub_months(by_months) } else { date.checked_add_months(by_months) }?;
        let date = if days < 0 { date.checked_sub_days(by_days) } else { date.checked_add_days(by_days) }?;
        in_range(date).ok()?;
        Some(resolve(date.and_time(local.time()), zone))
    }

    /// How far the clocks of `zone` are ahead of UTC at this instant, in microseconds; `None` outside the years 1 to 9999.
    pub fn offset_micros(self, zone: Tz) -> Option<i64> {
        let utc = DateTime::from_timestamp_micros(self.0)?;
        in_range(utc.date_naive()).ok()?;
        let offset = chrono::Offset::fix(utc.with_timezone(&zone).offset());
        Some(i64::from(offset.local_minus_utc()) * 1_000_000)
    }

    /// RFC 3339 in `zone`, with as many digits of a second as it has: `2025-06-30T12:00:00+02:00`.
    pub fn rfc3339(self, zone: Tz) -> String {
        self.local(zone).to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl<Z: TimeZone> From<DateTime<Z>> for Timestamp {
    fn from(instant: DateTime<Z>) -> Self {
        Self(instant.timestamp_micros())
    }
}

/// Says what time it is. Given to whoever needs it, never found.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still: a workspace's `as_of`, `--as-of`, and the tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Why a text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// The text has none of the accepted forms.
    #[error("not an instant; expected YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.ffffff]], or the same with Z or an offset")]
    Unreadable,
}

/// The instant of a calendar time in `zone`: a time in a gap moves forward by the gap, of a time that occurs twice it is
/// the first.
fn resolve(local: NaiveDateTime, zone: Tz) -> Timestamp {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.into(),
        LocalResult::None => after_gap(local, zone),
    }
}

/// A gap is at most a day long (zones that crossed the date line), so the offset of a day before is the one that held
/// when the gap began; reading the time with it moves forward by exactly the gap.
fn after_gap(local: NaiveDateTime, zone: Tz) -> Timestamp {
    let day_before = Utc.from_utc_datetime(&(local - chrono::Duration::days(1))).with_timezone(&zone);
    let offset = chrono::Offset::fix(day_before.offset()).local_minus_utc();
    Utc.from_utc_datetime(&(local - chrono::Duration::seconds(offset.into()))).into()
}

/// The instant at which the day `date` begins in `zone`.
pub fn local_midnight(date: NaiveDate, zone: Tz) -> Timestamp {
    resolve(date.and_time(NaiveTime::MIN), zone)
}

/// Reads an instant as a person writes it: a date (its midnight), or a date and time with `T` or a blank between them,
/// seconds and up to six digits of a fraction optional; without `Z` or an offset it is read in `zone`, a time in a gap
/// moved forward, of a time that occurs twice the first.
///
/// # Errors
/// [`LocalTimeError::Unreadable`] if the text has none of these forms or names no day or time that exists.
pub fn parse_local(text: &str, zone: Tz) -> Result<Timestamp, LocalTimeError> {
    let text = text.trim();
    if !has_whole_year(text) {
        return Err(LocalTimeError::Unreadable);
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return in_range(date).map(|date| local_midnight(date, zone));
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return in_range(instant.date_naive()).map(|_| instant.into());
    }
    let separated = text.replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&separated, format).ok())
        .ok_or(LocalTimeError::Unreadable)
        .and_then(|local| in_range(local.date()).map(|_| resolve(local, zone)))
}

/// Four digits and a hyphen: the year 25 is nobody's, and 25-06-30 may be another day.
fn has_whole_year(text: &str) -> bool {
    let year = text.split_once('-').map_or("", |(year, _)| year);
    year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit())
}

/// Years outside 1..=9999 have no agreed text and would leave the range of microseconds.
fn in_range(date: NaiveDate) -> Result<NaiveDate, LocalTimeError> {
    if (1..=9999).contains(&date.year()) { Ok(date) } else { Err(LocalTimeError::Unreadable) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMSTERDAM: Tz = chrono_tz::Europe::Amsterdam;

    #[test]
    fn calendar_steps_keep_the_time_of_day_where_there_is_one() {
        let step = |text: &str, months: i32, days: i32| {
            let from = parse_local(text, AMSTERDAM).ok()?;
            Some(from.stepped(months, days, AMSTERDAM)?.rfc3339(AMSTERDAM))
        };
        assert_eq!(step("2025-02-28T12:00", 1, 0).as_deref(), Some("2025-03-28T12:00:00+01:00"));
        assert_eq!(step("2025-01-31T12:00", 1, 1).as_deref(), Some("2025-03-01T12:00:00+01:00"));
        assert_eq!(step("2025-03-31T12:00", -1, -1).as_deref(), Some("2025-02-27T12:00:00+01:00"));
        // The gap of March, and the first of two half past two in October.
        assert_eq!(step("2025-03-29T02:30", 0, 1).as_deref(), Some("2025-03-30T03:30:00+02:00"));
        assert_eq!(step("2024-10-28T02:30", 0, -1).as_deref(), Some("2024-10-27T02:30:00+02:00"));
        assert_eq!(step("9999-12-31T12:00", 0, 1), None);
    }

    fn check(text: &str, utc: &str) {
        let instant = parse_local(text, AMSTERDAM).map(|instant| instant.to_string());
        assert_eq!(instant.as_deref(), Ok(utc), "{text}");
    }

    #[test]
    fn an_instant_without_zone_is_read_in_the_workspaces() {
        check("2025-06-30T12:00:00", "2025-06-30T10:00:00Z");
        check("2025-01-30 12:00", "2025-01-30T11:00:00Z");
        check("2025-06-30", "2025-06-29T22:00:00Z");
        check("2025-06-30T12:00:00.250", "2025-06-30T10:00:00.250Z");
    }

    #[test]
    fn an_offset_wins_over_the_workspaces_zone() {
        check("2025-06-30T12:00:00Z", "2025-06-30T12:00:00Z");
        check("2025-06-30 12:00:00-05:00", "2025-06-30T17:00:00Z");
    }

    #[test]
    fn a_time_in_the_gap_moves_forward_and_of_a_doubled_one_it_is_the_first() {
        check("2025-03-30T02:30", "2025-03-30T01:30:00Z");
        check("2025-10-26T02:30", "2025-10-26T00:30:00Z");
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for text in ["2025-02-30", "2025-06-30T25:00", "next week", "30-06-2025", "20250630", "12025-01-01"] {
            assert_eq!(parse_local(text, AMSTERDAM), Err(LocalTimeError::Unreadable), "{text}");
        }
    }

    #[test]
    fn a_year_has_four_digits() {
        for text in ["25-06-30", "25-06-30T12:00", "25-06-30 12:00:00", "+2025-06-30", "202-06-30", "-025-06-30"] {
            assert_eq!(parse_local(text, AMSTERDAM), Err(LocalTimeError::Unreadable), "{text}");
        }
    }
}
