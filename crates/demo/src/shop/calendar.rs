//! The shop's three years: days, local times, and when people buy.
//!
//! Time is local to Europe/Amsterdam and has no zone, as most shops write it. Nothing happens
//! between two and six at night, so no time falls into the hour that is skipped in March or
//! doubled in October.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};

use super::chance::{Chance, Weights};

/// Days from 2022-07-01, the first day of the history, which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(pub i32);

/// Seconds from the start of day 0, local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LocalTime(pub i64);

/// 2022-07-01 as days from 1970-01-01.
const FIRST_DAY_SINCE_1970: i32 = 19_174;
pub(super) const DAY_SECONDS: i64 = 86_400;

/// The last day: 2025-06-30, of which the shop has seen the morning.
pub(super) const LAST_DAY: Day = Day(1095);
/// 2025-06-30T12:00:00, the instant at which the data were taken; no row is later.
pub(super) const AS_OF: LocalTime = LocalTime(LAST_DAY.0 as i64 * DAY_SECONDS + 12 * 3600);

impl Day {
    /// The day of a calendar date.
    pub(super) fn of(year: i32, month: u32, day: u32) -> Day {
        let date = NaiveDate::from_ymd_opt(year, month, day).expect("dates in this room are written by hand");
        Day::of_date(date)
    }

    pub(super) fn of_date(date: NaiveDate) -> Day {
        Day(date.to_epoch_days() - FIRST_DAY_SINCE_1970)
    }

    /// Days from 1970-01-01.
    pub(super) fn since_1970(self) -> i32 {
        self.0 + FIRST_DAY_SINCE_1970
    }

    pub(super) fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.since_1970()).expect("the shop's days are within a few centuries")
    }

    /// Days from Monday, 0 to 6.
    pub(super) fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.since_1970() + 3).rem_euclid(7) as u8
    }

    /// Months from January, 0 to 11.
    pub(super) fn month0(self) -> usize {
        self.date().month0() as usize
    }

    pub(super) fn at(self, seconds: i64) -> LocalTime {
        LocalTime(i64::from(self.0) * DAY_SECONDS + seconds)
    }

    pub(super) fn plus(self, days: i64) -> Day {
        Day(self.0 + days as i32)
    }

    /// A waking moment of this day, and on the last day one before noon.
    pub(super) fn moment(self, chance: &mut Chance) -> LocalTime {
        let hour = if self < LAST_DAY { HOURS.pick(chance) as i64 } else { chance.between(7, 11) };
        self.at(hour * 3600 + chance.below(3600) as i64)
    }
}

/// A waking moment of the 24 hours before the noon of `day`.
pub(super) fn moment_before_noon_of(day: Day, chance: &mut Chance) -> LocalTime {
    let hour = HOURS.pick(chance) as i64;
    let day = if hour < 12 { day } else { day.plus(-1) };
    day.at(hour * 3600 + chance.below(3600) as i64)
}

impl LocalTime {
    pub(super) fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_SECONDS) as i32)
    }

    /// Seconds since midnight, 0 to 86,399.
    pub(super) fn second_of_day(self) -> u32 {
        self.0.rem_euclid(DAY_SECONDS) as u32
    }

    /// Seconds since 1970-01-01T00:00:00 of the same clock.
    pub(super) fn since_1970(self) -> i64 {
        self.0 + i64::from(FIRST_DAY_SINCE_1970) * DAY_SECONDS
    }

    /// The moment itself, or six o'clock where that is in the night.
    pub(super) fn awake(self) -> LocalTime {
        let hour = self.second_of_day() / 3600;
        if (2..6).contains(&hour) { self.day().at(6 * 3600) } else { self }
    }
}

/// How many of a hundred orders are placed in each hour of a day.
static HOURS: LazyLock<Weights> =
    LazyLock::new(|| Weights::new([1, 0, 0, 0, 0, 0, 1, 2, 3, 5, 6, 7, 6, 6, 6, 6, 6, 5, 5, 8, 10, 10, 5, 2]));

/// Demand of each month in percent of an average one: the January sale, the garden in spring,
/// quiet summers, and everyone indoors from October.
const MONTHS: [f64; 12] = [115., 92., 95., 100., 106., 95., 88., 84., 100., 110., 122., 93.];
/// Demand of each weekday from Monday, in percent of an average one.
const WEEKDAYS: [f64; 7] = [95., 88., 90., 92., 98., 118., 119.];

/// When people buy: a clock that runs fast in the season and slowly outside it.
///
/// A personal rhythm is a gap in the time of this clock; reading it back as a day gives the
/// season to everyone without taking anybody's rhythm away.
#[derive(Debug)]
pub(super) struct Demand {
    /// `until[d]` is the clock at the end of day `d`; a day takes 1 on average.
    until: Vec<f64>,
}

impl Demand {
    pub(super) fn new() -> Demand {
        let weights: Vec<f64> = (0..=LAST_DAY.0).map(|day| demand(Day(day))).collect();
        let average = weights.iter().sum::<f64>() / weights.len() as f64;
        let running = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight / average;
            Some(*sum)
        });
        Demand { until: running.collect() }
    }

    /// The clock at the end of the history.
    pub(super) fn end(&self) -> f64 {
        self.until[LAST_DAY.0 as usize]
    }

    /// The day at which the clock shows `instant`, from 0 to below [`Demand::end`].
    pub(super) fn day(&self, instant: f64) -> Day {
        Day(self.until.partition_point(|until| *until <= instant) as i32).min(LAST_DAY)
    }
}

fn demand(day: Day) -> f64 {
    let date = day.date();
    let morning_only = if day == LAST_DAY { 0.35 } else { 1.0 };
    let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
    MONTHS[day.month0()] * weekday * sale(date).demand * morning_only
}

/// A sale: how much more is bought, and how often a price is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale {
    /// Times the demand of an ordinary day.
    pub demand: f64,
    /// Probability that a line is sold below its price.
    pub cut: f64,
}

/// The sale on that day, or the ordinary state of things.
pub(super) fn sale(date: NaiveDate) -> Sale {
    match (date.month(), date.day()) {
        (11, 22..=30) => Sale { demand: 1.8, cut: 0.45 },
        (1, 2..=20) | (7, 5..=25) => Sale { demand: 1.25, cut: 0.35 },
        _ => Sale { demand: 1.0, cut: 0.04 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_runs_from_july_2022_to_noon_of_30_june_2025() {
        assert_eq!(Day(0), Day::of(2022, 7, 1));
        assert_eq!(LAST_DAY, Day::of(2025, 6, 30));
        assert_eq!(AS_OF.day().date().to_string(), "2025-06-30");
        assert_eq!(AS_OF.second_of_day(), 12 * 3600);
    }

    #[test]
    fn a_weekday_is_that_of_its_date() {
        for day in (-3000..3000).map(Day) {
            assert_eq!(u32::from(day.weekday()), day.date().weekday().num_days_from_monday());
        }
    }

    #[test]
    fn the_clock_of_demand_runs_fast_at_black_friday_and_takes_one_a_day_on_average() {
        let demand = Demand::new();
        assert!((demand.end() - 1096.0).abs() < 1e-6);
        let took = |day: Day| demand.until[day.0 as usize] - demand.until[day.0 as usize - 1];
        // Both are Tuesdays.
        assert!(took(Day::of(2023, 11, 28)) > 2.0 * took(Day::of(2023, 8, 29)));
        assert_eq!(demand.day(0.0), Day(0));
        assert_eq!(demand.day(demand.end() - 1e-9), LAST_DAY);
    }

    #[test]
    fn nobody_is_awake_when_the_clocks_change() {
        let mut chance = Chance::of(1, super::super::chance::Purpose::Life, 1);
        for day in [Day::of(2024, 3, 31), Day::of(2024, 10, 27), LAST_DAY] {
            for _ in 0..1000 {
                let before = chance.between(0, 40_000);
                let moment = LocalTime(day.moment(&mut chance).0 - before).awake();
                assert!(!(2..6).contains(&(moment.second_of_day() / 3600)));
            }
        }
    }
}
