//! Instants, dates and intervals while a query is resolved: reading literals, and adding on the local calendar.
//!
//! `now()` and `today()` are literals by the time anything is printed, and so is every sum of a literal and an interval:
//! engines disagree about calendars, so this room does that arithmetic itself.

use chrono::{DateTime, Datelike, Duration, Months, NaiveDate};
use chrono_tz::Tz;
use muster_catalog::{LocalTimeError, Timestamp, local_midnight, parse_local};
use sqlparser::ast::{DataType, DateTimeField, Expr, Interval, Value};
use sqlparser::tokenizer::Span;

use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A value that is known while the query is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    /// An instant.
    Instant(Timestamp),
    /// A calendar day.
    Date(NaiveDate),
    /// A span of time.
    Interval(CalendarSpan),
}

impl Constant {
    /// The literal that every engine reads as this value.
    ///
    /// # Errors
    /// An instant outside the years 1678 to 2261, which engines that count nanoseconds cannot hold.
    pub(crate) fn literal(self, span: Span) -> Result<Expr, Fault> {
        match self {
            Self::Instant(instant) => instant_literal(instant, span),
            Self::Date(date) => Ok(sql::typed_text(DataType::Date, &date.format("%Y-%m-%d").to_string())),
            Self::Interval(interval) => Ok(interval.literal()),
        }
    }

    /// The sum (`sign` 1) or difference (`sign` −1) with an interval; `None` if this is no point in time.
    ///
    /// # Errors
    /// A result outside the calendar.
    pub(crate) fn plus(self, interval: CalendarSpan, sign: i64, zone: Tz, span: Span) -> Result<Option<Self>, Fault> {
        let interval = interval.times(sign);
        let moved = match self {
            Self::Instant(instant) => interval.after(instant, zone).map(Self::Instant),
            Self::Date(date) if interval.micros == 0 => interval.after_date(date).map(Self::Date),
            Self::Date(date) => interval.after(local_midnight(date, zone), zone).map(Self::Instant),
            Self::Interval(_) => return Ok(None),
        };
        moved.map(Some).ok_or_else(|| Fault::new(ErrorKind::Literal, span, "outside the years 1 to 9999"))
    }
}

fn instant_literal(instant: Timestamp, span: Span) -> Result<Expr, Fault> {
    if !(1678..=2261).contains(&instant.utc().year()) {
        return Err(Fault::new(ErrorKind::Literal, span, "an instant outside the years 1678 to 2261"));
    }
    Ok(sql::instant(instant))
}

/// A span of time in the three units that do not convert into one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CalendarSpan {
    /// Months, years twelve of them.
    pub(crate) months: i64,
    /// Calendar days, weeks seven of them.
    pub(crate) days: i64,
    /// Microseconds of elapsed time.
    pub(crate) micros: i64,
}

impl CalendarSpan {
    fn times(self, sign: i64) -> Self {
        Self { months: self.months * sign, days: self.days * sign, micros: self.micros * sign }
    }

    /// Months and days step on the local calendar (a result in a gap moves forward, in a fold it is the first); hours and
    /// smaller units are elapsed time.
    pub(crate) fn after(self, instant: Timestamp, zone: Tz) -> Option<Timestamp> {
        let stepped = if self.months == 0 && self.days == 0 {
            instant
        } else {
            let local = instant.local(zone).naive_local();
            let moved = self.after_date(local.date())?.and_time(local.time());
            // Written and read again, so that gaps and folds are decided in one place only.
            parse_local(&moved.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(), zone).ok()?
        };
        let micros = stepped.micros().checked_add(self.micros)?;
        in_calendar(DateTime::from_timestamp_micros(micros)?.date_naive())?;
        Some(Timestamp::from_micros(micros))
    }

    fn after_date(self, date: NaiveDate) -> Option<NaiveDate> {
        let months = Months::new(u32::try_from(self.months.unsigned_abs()).ok()?);
        let stepped = if self.months < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) }?;
        in_calendar(stepped.checked_add_signed(Duration::try_days(self.days)?)?)
    }

    /// `INTERVAL '1 months 2 days 3.5 seconds'`: the units that every engine reads.
    fn literal(self) -> Expr {
        let seconds = self.micros / MICROS_PER_SECOND;
        let fraction = (self.micros % MICROS_PER_SECOND).abs();
        let sign = if self.micros < 0 { "-" } else { "" };
        let parts = [
            (self.months != 0).then(|| format!("{} months", self.months)),
            (self.days != 0).then(|| format!("{} days", self.days)),
            (self.micros != 0 && fraction == 0).then(|| format!("{seconds} seconds")),
            (fraction != 0).then(|| format!("{sign}{}.{fraction:06} seconds", seconds.abs())),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let text = if parts.is_empty() { "0 days".to_owned() } else { parts.join(" ") };
        Expr::Interval(Interval {
            value: Box::new(sql::text(&text)),
            leading_field: None,
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        })
    }
}

fn in_calendar(date: NaiveDate) -> Option<NaiveDate> {
    (1..=9999).contains(&date.year()).then_some(date)
}

/// The instant that a text beside an instant means.
pub(crate) fn instant_of(text: &str, zone: Tz, span: Span) -> Result<Timestamp, Fault> {
    parse_local(text, zone).map_err(|problem| unreadable(text, &problem, span))
}

/// The fault of a text that is no instant.
pub(crate) fn unreadable(text: &str, problem: &LocalTimeError, span: Span) -> Fault {
    Fault::new(ErrorKind::Literal, span, format!("'{text}' is {problem}"))
}

/// The day that a text beside a date means.
pub(crate) fn date_of(text: &str, span: Span) -> Result<NaiveDate, Fault> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().and_then(in_calendar);
    let message = || format!("'{text}' is not a date; expected a day that exists, as YYYY-MM-DD");
    date.ok_or_else(|| Fault::new(ErrorKind::Literal, span, message()))
}

/// The span that an INTERVAL literal means: `'90 days'`, `'1 year 2 months'`, `'P90D'`, `'90' DAY`, `90 DAY`.
pub(crate) fn interval_of(interval: &Interval, span: Span) -> Result<CalendarSpan, Fault> {
    let fault = || {
        let message = format!("{interval} is not an interval");
        Fault::new(ErrorKind::Literal, span, message)
            .hint("write INTERVAL '90 days', INTERVAL '1 year 6 months' or INTERVAL 'P90D'")
    };
    let Expr::Value(value) = interval.value.as_ref() else { return Err(fault()) };
    let (Value::SingleQuotedString(text) | Value::Number(text, false)) = &value.value else { return Err(fault()) };
    let qualified = interval.last_field.is_some() || interval.leading_precision.is_some();
    if qualified || interval.fractional_seconds_precision.is_some() {
        return Err(fault());
    }
    let read = match &interval.leading_field {
        Some(field) => amount_of(text.trim(), &field_unit(field)),
        None => span_of(text),
    };
    read.ok_or_else(fault)
}

/// The span that a text means by itself: `'1 hour'`, `'P1D'`.
pub(crate) fn span_of(text: &str) -> Option<CalendarSpan> {
    let text = text.trim();
    if text.trim_start_matches(['-', ' ']).starts_with(['P', 'p']) { iso_span(text) } else { worded_span(text) }
}

fn field_unit(field: &DateTimeField) -> String {
    field.to_string().to_lowercase()
}

/// `1 year 2 months`, in any order, each unit with its own sign.
fn worded_span(text: &str) -> Option<CalendarSpan> {
    let spaced = space_out(text);
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let pairs = words.chunks_exact(2);
    if words.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| amount_of(pair[0], &pair[1].to_lowercase()))
        .try_fold(CalendarSpan::default(), |sum, part| sum.plus(part?))
}

/// `90days` is `90 days`.
fn space_out(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 4);
    let mut before = ' ';
    for character in text.chars() {
        if before.is_ascii_digit() && character.is_alphabetic() {
            spaced.push(' ');
        }
        spaced.push(character);
        before = character;
    }
    spaced
}

impl CalendarSpan {
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }
}

/// So many of a unit; fractions only of seconds, where they are exact.
fn amount_of(amount: &str, unit: &str) -> Option<CalendarSpan> {
    let plain = CalendarSpan::default();
    let whole = || amount.parse::<i64>().ok().filter(|count| count.abs() <= 1_000_000_000);
    let span = match unit {
        "year" | "years" | "y" => CalendarSpan { months: whole()?.checked_mul(12)?, ..plain },
        "quarter" | "quarters" => CalendarSpan { months: whole()?.checked_mul(3)?, ..plain },
        "month" | "months" | "mon" | "mons" => CalendarSpan { months: whole()?, ..plain },
        "week" | "weeks" | "w" => CalendarSpan { days: whole()?.checked_mul(7)?, ..plain },
        "day" | "days" | "d" => CalendarSpan { days: whole()?, ..plain },
        "hour" | "hours" | "h" => CalendarSpan { micros: whole()?.checked_mul(3_600 * MICROS_PER_SECOND)?, ..plain },
        "minute" | "minutes" | "min" | "mins" => {
            CalendarSpan { micros: whole()?.checked_mul(60 * MICROS_PER_SECOND)?, ..plain }
        }
        "second" | "seconds" | "sec" | "secs" | "s" => CalendarSpan { micros: seconds(amount)?, ..plain },
        _ => return None,
    };
    Some(span)
}

/// Seconds with up to six digits of a fraction, in microseconds.
fn seconds(amount: &str) -> Option<i64> {
    let (negative, digits) = amount.strip_prefix('-').map_or((false, amount), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.is_empty() || whole.len() > 10 || fraction.len() > 6 {
        return None;
    }
    let micros = format!("{whole}{fraction:0<6}").parse::<i64>().ok()?;
    Some(if negative { -micros } else { micros })
}

/// ISO 8601: `P1Y2M10DT2H30M`, `P3W`, a sign in front for the whole.
fn iso_span(text: &str) -> Option<CalendarSpan> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let body = text.trim_start().get(1..)?.to_lowercase();
    let (days, times) = body.split_once('t').map_or((body.as_str(), ""), |(days, times)| (days, times));
    let date_units = iso_parts(days, |letter| {
        matches!(letter, 'y' | 'w' | 'd').then(|| letter.to_string()).or((letter == 'm').then(|| "months".to_owned()))
    })?;
    let time_units = iso_parts(times, |letter| {
        matches!(letter, 'h' | 's').then(|| letter.to_string()).or((letter == 'm').then(|| "minutes".to_owned()))
    })?;
    if body.is_empty() || body.ends_with('t') {
        return None;
    }
    date_units.plus(time_units).map(|span| span.times(sign))
}

fn iso_parts(text: &str, unit: impl Fn(char) -> Option<String>) -> Option<CalendarSpan> {
    let mut sum = CalendarSpan::default();
    let mut amount = String::new();
    for letter in text.chars() {
        if letter.is_alphabetic() {
            sum = sum.plus(amount_of(&amount, &unit(letter)?)?)?;
            amount.clear();
        } else {
            amount.push(letter);
        }
    }
    amount.is_empty().then_some(sum)
}
