//! Days as numbers, and when they begin in a zone.
//!
//! What a local time means is the catalog's rule; here each day is asked for once, because an export holds millions of
//! instants of few distinct days.

use std::ops::RangeInclusive;

use chrono::{Datelike, LocalResult, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use muster_catalog::{local_midnight, parse_local};

/// Microseconds of a day without a change of offset.
pub(super) const DAY: i64 = 86_400_000_000;
/// 0001-01-01 to 9999-12-31: years outside have no agreed text.
pub(super) const DAYS_WITH_A_TEXT: RangeInclusive<i32> = -719_162..=2_932_896;
const EPOCH_FROM_CE: i32 = 719_163;

/// Days since 1970-01-01.
pub(super) fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH_FROM_CE
}

/// The days of a zone's calendar, each looked up once.
pub(super) struct LocalDays {
    pub zone: Tz,
    /// Where day `d` stands is `d` modulo the length; a few years of days never meet.
    seen: Vec<Option<(i32, LocalDay)>>,
    pub shifts: Shifts,
}

/// Times that the calendar skips or has twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shifts {
    /// Times in a gap, which moved forward.
    pub gaps: u64,
    /// Times that occur twice, of which the first was taken.
    pub folds: u64,
}

#[derive(Clone, Copy)]
enum LocalDay {
    /// 24 hours with one offset, from this midnight.
    Even(i64),
    /// The offset changes on this day.
    Changing,
}

impl LocalDays {
    pub fn new(zone: Tz) -> Self {
        Self { zone, seen: vec![None; 2048], shifts: Shifts::default() }
    }

    /// The instant of a time on this calendar.
    pub fn instant(&mut self, day: i32, within: i64) -> i64 {
        match self.day(day) {
            LocalDay::Even(midnight) => midnight + within,
            LocalDay::Changing => self.by_rule(day, within),
        }
    }

    fn day(&mut self, day: i32) -> LocalDay {
        let place = day.rem_euclid(2048) as usize;
        match self.seen[place] {
            Some((seen, known)) if seen == day => known,
            _ => {
                let found = self.look_up(day);
                self.seen[place] = Some((day, found));
                found
            }
        }
    }

    fn look_up(&self, day: i32) -> LocalDay {
        let midnight = |day: i32| local_midnight(date(day), self.zone).micros();
        let (begins, ends) = (midnight(day), midnight(day + 1));
        if ends - begins == DAY { LocalDay::Even(begins) } else { LocalDay::Changing }
    }

    /// The catalog's rule for gaps and doubled times takes texts.
    fn by_rule(&mut self, day: i32, within: i64) -> i64 {
        let local = date(day).and_time(NaiveTime::MIN) + chrono::Duration::microseconds(within);
        match self.zone.from_local_datetime(&local) {
            LocalResult::None => self.shifts.gaps += 1,
            LocalResult::Ambiguous(..) => self.shifts.folds += 1,
            LocalResult::Single(_) => {}
        }
        let text = local.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        parse_local(&text, self.zone).expect("a day of four-digit years in ISO 8601 is an instant").micros()
    }
}

fn date(day: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(day + EPOCH_FROM_CE).expect("days with a text, and the one after, are dates")
}
