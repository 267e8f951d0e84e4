//! The local calendar: intervals, truncation, parts of a time, birthdays (section 3, and the scalar helpers).

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use muster_catalog::Timestamp;

use crate::world::Value;

/// The wall clock at an instant.
pub(super) fn local(micros: i64, zone: Tz) -> NaiveDateTime {
    Timestamp::from_micros(micros).local(zone).naive_local()
}

/// The instant of a local time: "in a DST gap it moves forward, in a fold it is the first".
fn instant(local: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.timestamp_micros(),
        LocalResult::None => {
            // Read with the offset that held before the gap, the time lies as far behind it as it lay inside.
            let before: DateTime<Tz> = Utc.from_utc_datetime(&(local - Days::new(1))).with_timezone(&zone);
            local.and_utc().timestamp_micros() - i64::from(before.offset().fix().local_minus_utc()) * 1_000_000
        }
    }
}

/// The day some months and days later; the 31st of a shorter month is its last day.
fn shifted_day(day: NaiveDate, months: i32, days: i32) -> Option<NaiveDate> {
    let span = Months::new(months.unsigned_abs());
    let day = if months < 0 { day.checked_sub_months(span)? } else { day.checked_add_months(span)? };
    let span = Days::new(days.unsigned_abs().into());
    if days < 0 { day.checked_sub_days(span) } else { day.checked_add_days(span) }
}

/// Months and days by the local calendar, at the same time of day; then what is shorter as elapsed time.
pub(super) fn shifted(micros: i64, months: i32, days: i32, elapsed: i64, zone: Tz) -> Option<i64> {
    if months == 0 && days == 0 {
        // The second hour of a fold stays where it is.
        return micros.checked_add(elapsed);
    }
    let from = local(micros, zone);
    let to = shifted_day(from.date(), months, days)?.and_time(from.time());
    instant(to, zone).checked_add(elapsed)
}

/// A date or an instant and an interval. A date stays a date while the interval has no time of day.
pub(super) fn plus(from: &Value, span: &Value, zone: Tz) -> Value {
    let Value::Interval { months, days, micros: elapsed } = span else { return Value::Null };
    let made = match from {
        Value::Instant(micros) => shifted(*micros, *months, *days, *elapsed, zone).map(Value::Instant),
        Value::Date(day) => Value::calendar(*day).and_then(|day| shifted_day(day, *months, *days)).and_then(|day| {
            if *elapsed == 0 {
                Some(Value::day(day))
            } else {
                midnight(day, zone).checked_add(*elapsed).map(Value::Instant)
            }
        }),
        _ => None,
    };
    made.unwrap_or(Value::Null)
}

fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    instant(day.and_time(chrono::NaiveTime::MIN), zone)
}

/// `date_trunc`, in the workspace's zone; `None` for a unit that is not known.
pub(super) fn truncated(unit: &str, value: &Value, zone: Tz) -> Option<Value> {
    match value {
        Value::Date(day) => first_day(unit, Value::calendar(*day)?).map(Value::day),
        Value::Instant(micros) => match first_day(unit, local(*micros, zone).date()) {
            Some(day) => Some(Value::Instant(midnight(day, zone))),
            None => hour_or_less(unit, *micros, zone).map(Value::Instant),
        },
        _ => None,
    }
}

/// The first day of the unit in which a day lies.
fn first_day(unit: &str, day: NaiveDate) -> Option<NaiveDate> {
    match unit {
        "year" => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        "quarter" => NaiveDate::from_ymd_opt(day.year(), (day.month0() / 3) * 3 + 1, 1),
        "month" => day.with_day(1),
        "week" => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
        "day" => Some(day),
        _ => None,
    }
}

/// Within the hour the wall clock and the elapsed time go together, so the second hour of a fold stays the second.
fn hour_or_less(unit: &str, micros: i64, zone: Tz) -> Option<i64> {
    let clock = local(micros, zone);
    let into_second = i64::from(clock.nanosecond() / 1_000);
    let into_minute = i64::from(clock.second()) * 1_000_000 + into_second;
    match unit {
        "hour" => Some(micros - i64::from(clock.minute()) * 60_000_000 - into_minute),
        "minute" => Some(micros - into_minute),
        "second" => Some(micros - into_second),
        _ => None,
    }
}

/// `EXTRACT(part FROM …)`, in the workspace's zone.
pub(super) fn part(part: &str, value: &Value, zone: Tz) -> Option<i64> {
    let clock = match value {
        Value::Instant(micros) => local(*micros, zone),
        Value::Date(day) => Value::calendar(*day)?.and_time(chrono::NaiveTime::MIN),
        _ => return None,
    };
    match part {
        "year" => Some(clock.year().into()),
        "quarter" => Some(i64::from(clock.month0() / 3 + 1)),
        "month" => Some(clock.month().into()),
        "week" => Some(clock.iso_week().week().into()),
        "day" => Some(clock.day().into()),
        "dow" => Some(clock.weekday().num_days_from_sunday().into()),
        "doy" => Some(clock.ordinal().into()),
        "hour" => Some(clock.hour().into()),
        "minute" => Some(clock.minute().into()),
        "second" => Some(clock.second().into()),
        _ => None,
    }
}

/// The day of a birthday in a year: "29 February falls on 28 February in other years".
fn anniversary(born: NaiveDate, year: i32) -> Option<NaiveDate> {
    born.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

/// Full years; "age steps on the same day" as the anniversary falls.
pub(super) fn age(born: NaiveDate, today: NaiveDate) -> Option<i64> {
    let is_before = today < anniversary(born, today.year())?;
    Some(i64::from(today.year()) - i64::from(born.year()) - i64::from(is_before))
}

/// Days to the next anniversary, 0 on the day.
pub(super) fn days_to_anniversary(born: NaiveDate, today: NaiveDate) -> Option<i64> {
    let this_year = anniversary(born, today.year())?;
    let next = if this_year < today { anniversary(born, today.year() + 1)? } else { this_year };
    Some((next - today).num_days())
}
