//! Dates and instants: ISO 8601, or one declared format per column; never guessed row by row.
//!
//! An instant without offset is read in its column's zone, or the workspace's, by the catalog's rule. The usual form,
//! `YYYY-MM-DD HH:MM:SS`, has a way of its own: exports hold millions of them, of few distinct days.

use std::sync::Arc;

use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray, StringViewArray};
use chrono::format::{Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;
use muster_catalog::{Column, ColumnType, Unit, parse_local};

use super::days::{DAY, DAYS_WITH_A_TEXT, LocalDays, Shifts, day_number};
use super::{ValueFault, not_a, primitives};
use crate::report::Reason;

const SECOND: i64 = 1_000_000;
const ISO_DATE: usize = "YYYY-MM-DD".len();

/// A `format` that is none.
#[derive(Debug)]
pub(crate) struct BadFormat(pub String);

/// How the dates of a column are written.
pub(super) struct DateForm {
    format: Option<Format>,
}

impl DateForm {
    pub fn of(column: &Column) -> Result<Self, BadFormat> {
        Ok(Self { format: Format::of(column)? })
    }

    pub fn read(&self, texts: &StringViewArray) -> (PrimitiveArray<Date32Type>, Vec<ValueFault>) {
        let mut repeated = Repeated::default();
        primitives(texts, |text| repeated.or(text, |text| self.day(text)).ok_or_else(|| self.not_a_date()))
    }

    fn day(&self, text: &str) -> Option<i32> {
        match &self.format {
            Some(format) => format.read(text).map(|written| day_number(written.local.date())),
            None if text.len() == ISO_DATE => iso_day(text.as_bytes()),
            None => None,
        }
    }

    fn not_a_date(&self) -> Reason {
        not_a(ColumnType::Date, self.format.as_ref().map_or("YYYY-MM-DD".to_owned(), |format| format.shown.clone()))
    }
}

/// How the instants of a column are written.
pub(super) struct InstantForm {
    format: Option<Format>,
    unit: Option<Unit>,
    zone: Tz,
}

type Instants = PrimitiveArray<TimestampMicrosecondType>;

impl InstantForm {
    pub fn of(column: &Column, zone: Tz) -> Result<Self, BadFormat> {
        Ok(Self { format: Format::of(column)?, unit: column.unit, zone: column.zone.unwrap_or(zone) })
    }

    /// The instants, what is none, and how many times the calendar skips or has twice.
    pub fn read(&self, texts: &StringViewArray) -> (Instants, Vec<ValueFault>, Shifts) {
        let mut days = LocalDays::new(self.zone);
        let mut repeated = Repeated::default();
        let (array, faults) = match (&self.format, self.unit) {
            (_, Some(unit)) => {
                primitives(texts, |text| counted(text.trim(), unit).ok_or_else(|| self.not_an_instant()))
            }
            (None, None) => {
                primitives(texts, |text| iso_instant(text.trim(), &mut days).ok_or_else(|| self.not_an_instant()))
            }
            (Some(format), None) => primitives(texts, |text| {
                let written = repeated.or(text, |text| format.read(text)).ok_or_else(|| self.not_an_instant())?;
                Ok(written.instant(&mut days))
            }),
        };
        (array.with_timezone("UTC"), faults, days.shifts)
    }

    /// Instants that a file holds as microseconds of its own calendar.
    pub fn of_locals(&self, locals: &PrimitiveArray<TimestampMicrosecondType>) -> (ArrayRef, Vec<ValueFault>) {
        let mut days = LocalDays::new(self.zone);
        let mut faults = Vec::new();
        let mut instant = |row: usize, local: i64| {
            let day = i32::try_from(local.div_euclid(DAY)).ok().filter(|day| DAYS_WITH_A_TEXT.contains(day));
            day.map(|day| days.instant(day, local.rem_euclid(DAY))).unwrap_or_else(|| {
                let value = Some(local.to_string());
                faults.push(ValueFault::of(
                    row,
                    value.as_deref(),
                    Reason::OutOfRange { column_type: ColumnType::Timestamp },
                ));
                0
            })
        };
        let instants: PrimitiveArray<TimestampMicrosecondType> =
            locals.iter().enumerate().map(|(row, local)| local.map(|local| instant(row, local))).collect();
        (Arc::new(instants.with_timezone("UTC")), faults)
    }

    fn not_an_instant(&self) -> Reason {
        let expected = match (&self.format, self.unit) {
            (_, Some(Unit::Seconds)) => "a whole number of seconds since 1970",
            (_, Some(Unit::Milliseconds)) => "a whole number of milliseconds since 1970",
            (Some(format), None) => &format.shown,
            (None, None) => "YYYY-MM-DD hh:mm:ss, seconds and offset optional",
        };
        not_a(ColumnType::Timestamp, expected)
    }
}

/// The instant that a number stands for; `None` if it is none, or past all calendars.
fn counted(text: &str, unit: Unit) -> Option<i64> {
    let scale = match unit {
        Unit::Seconds => SECOND,
        Unit::Milliseconds => SECOND / 1000,
    };
    text.parse::<i64>().ok()?.checked_mul(scale)
}

/// A declared format.
struct Format {
    items: Vec<Item<'static>>,
    /// For people: `DD-MM-YYYY`.
    shown: String,
    /// How long every text is where numbers stand side by side: chrono would read `1997118` as 1997-11-8.
    length: Option<usize>,
    /// The first year that two digits mean; chrono's own rule where nobody says.
    window: Option<i32>,
}

/// What a text says: a time on some calendar, and how far that is ahead of UTC where the text says so.
#[derive(Clone, Copy)]
struct Written {
    local: NaiveDateTime,
    offset_seconds: Option<i32>,
}

impl Format {
    fn of(column: &Column) -> Result<Option<Self>, BadFormat> {
        let Some(format) = &column.format else { return Ok(None) };
        let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| BadFormat(format.clone()))?;
        let side_by_side = items.windows(2).any(|pair| matches!(pair, [Item::Numeric(..), Item::Numeric(..)]));
        let length = if side_by_side { items.iter().map(width).sum() } else { None };
        Ok(Some(Self { items, shown: shown(format), length, window: column.window }))
    }

    fn read(&self, text: &str) -> Option<Written> {
        let text = text.trim();
        if self.length.is_some_and(|length| length != text.len()) {
            return None;
        }
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        if let (Some(first), None, Some(two_digits)) = (self.window, parsed.year(), parsed.year_mod_100()) {
            parsed.set_year(i64::from(first + (two_digits - first).rem_euclid(100))).ok()?;
        }
        let written = match parsed.timestamp() {
            Some(seconds) => {
                Written { local: DateTime::from_timestamp(seconds, 0)?.naive_utc(), offset_seconds: Some(0) }
            }
            None => {
                let time = if parsed.hour_mod_12().is_some() { parsed.to_naive_time().ok()? } else { NaiveTime::MIN };
                Written { local: parsed.to_naive_date().ok()?.and_time(time), offset_seconds: parsed.offset() }
            }
        };
        DAYS_WITH_A_TEXT.contains(&day_number(written.local.date())).then_some(written)
    }
}

/// How many bytes an item takes, if it is always as many.
fn width(item: &Item<'_>) -> Option<usize> {
    match item {
        Item::Literal(text) | Item::Space(text) => Some(text.len()),
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => Some(text.len()),
        Item::Numeric(Numeric::Year, _) => Some(4),
        Item::Numeric(Numeric::Ordinal, _) => Some(3),
        Item::Numeric(
            Numeric::YearMod100
            | Numeric::Month
            | Numeric::Day
            | Numeric::Hour
            | Numeric::Hour12
            | Numeric::Minute
            | Numeric::Second,
            _,
        ) => Some(2),
        _ => None,
    }
}

/// `%d-%m-%Y` as people write it: `DD-MM-YYYY`.
fn shown(format: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("%Y", "YYYY"),
        ("%y", "YY"),
        ("%m", "MM"),
        ("%d", "DD"),
        ("%H", "hh"),
        ("%M", "mm"),
        ("%S", "ss"),
        ("%s", "seconds since 1970"),
    ];
    WORDS.iter().fold(format.to_owned(), |shown, (specifier, word)| shown.replace(specifier, word))
}

impl Written {
    fn instant(&self, days: &mut LocalDays) -> i64 {
        let (day, within) = (day_number(self.local.date()), microseconds_of_day(self.local.time()));
        match self.offset_seconds {
            Some(offset) => i64::from(day) * DAY + within - i64::from(offset) * SECOND,
            None => days.instant(day, within),
        }
    }
}

/// Exports repeat themselves: the same date stands in row after row, and is read once.
struct Repeated<T> {
    text: String,
    value: Option<T>,
}

impl<T> Default for Repeated<T> {
    fn default() -> Self {
        Self { text: String::new(), value: None }
    }
}

impl<T: Copy> Repeated<T> {
    fn or(&mut self, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        if self.value.is_none() || self.text != text {
            self.value = read(text.trim());
            text.clone_into(&mut self.text);
        }
        self.value
    }
}

/// `YYYY-MM-DD[(T| )hh:mm[:ss[.ffffff]]][Z]` directly; every other form as the catalog reads it.
fn iso_instant(text: &str, days: &mut LocalDays) -> Option<i64> {
    let bytes = text.as_bytes();
    let (local, utc) = match bytes.split_last() {
        Some((b'Z', local)) if local.len() > ISO_DATE => (local, true),
        _ => (bytes, false),
    };
    let day = local.get(..ISO_DATE).and_then(iso_day);
    let within = iso_time(&local[local.len().min(ISO_DATE)..]);
    match (day, within) {
        (Some(day), Some(within)) if utc => Some(i64::from(day) * DAY + within),
        (Some(day), Some(within)) => Some(days.instant(day, within)),
        _ => parse_local(text, days.zone).ok().map(|instant| instant.micros()),
    }
}

fn iso_day(text: &[u8]) -> Option<i32> {
    let separated = text.len() == ISO_DATE && text[4] == b'-' && text[7] == b'-';
    let (year, month, day) = (number(&text[..4])?, number(text.get(5..7)?)?, number(text.get(8..10)?)?);
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), month, day).filter(|_| separated && year > 0)?;
    Some(day_number(date))
}

/// Microseconds of the day in what follows a date: nothing (midnight), or a time.
fn iso_time(text: &[u8]) -> Option<i64> {
    let Some((b'T' | b' ', time)) = text.split_first() else { return text.is_empty().then_some(0) };
    let (clock, fraction) = time.split_at(time.len().min("hh:mm:ss".len()));
    let (hour, minute, second) = match clock {
        [h1, h2, b':', m1, m2, b':', s1, s2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?),
        [h1, h2, b':', m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?, 0),
        _ => return None,
    };
    let seconds = i64::from((hour * 60 + minute) * 60 + second);
    (hour < 24 && minute < 60 && second < 60).then_some(seconds * SECOND + microseconds(fraction)?)
}

/// `.5` is 500,000; digits past the sixth are left to the catalog.
fn microseconds(fraction: &[u8]) -> Option<i64> {
    let Some((b'.', digits)) = fraction.split_first() else { return fraction.is_empty().then_some(0) };
    let missing = 6_usize.checked_sub(digits.len()).filter(|_| !digits.is_empty())?;
    Some(i64::from(number(digits)?) * 10_i64.pow(u32::try_from(missing).ok()?))
}

/// A number of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

fn microseconds_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_date_is_iso_and_exists() {
        let cases = [
            ("2025-06-30", "2025-06-30"),
            ("2024-02-29", "2024-02-29"),
            ("2025-02-29", "!not a date"),
            ("2025-02-30", "!not a date"),
            ("1900-01-00", "!not a date"),
            ("0000-01-01", "!not a date"),
            ("30-06-2025", "!not a date"),
            ("20250630", "!not a date"),
            ("2025-06-30 12:00", "!not a date"),
            ("2025/06/30", "!not a date"),
            ("é025-06-3", "!not a date"),
        ];
        check(&Column::typed("day", ColumnType::Date), &cases);
    }

    #[test]
    fn a_declared_format_is_the_only_one() {
        let column = Column { format: Some("%d-%m-%Y".into()), ..Column::typed("day", ColumnType::Date) };
        let cases = [("30-06-2025", "2025-06-30"), ("31-02-2026", "!not a date"), ("2025-06-30", "!not a date")];
        check(&column, &cases);
        let column = Column { format: Some("%Y%m%d".into()), ..Column::typed("day", ColumnType::Date) };
        check(&column, &[("19970118", "1997-01-18"), ("1997118", "!not a date")]);
    }

    #[test]
    fn an_instant_without_offset_is_local_in_the_gap_forward_and_of_two_the_first() {
        let cases = [
            ("2025-06-30 12:00:00", "2025-06-30T10:00:00Z"),
            ("2025-06-30T12:00", "2025-06-30T10:00:00Z"),
            ("2025-01-30", "2025-01-29T23:00:00Z"),
            ("2025-06-30T12:00:00.25", "2025-06-30T10:00:00.250Z"),
            ("2025-06-30T12:00:00Z", "2025-06-30T12:00:00Z"),
            ("2025-06-30 12:00:00-05:00", "2025-06-30T17:00:00Z"),
            ("2025-03-30 02:30:00", "2025-03-30T01:30:00Z"),
            ("2025-10-26 02:30:00", "2025-10-26T00:30:00Z"),
            ("2025-10-26 03:30:00", "2025-10-26T02:30:00Z"),
            ("2025-06-30 24:00:00", "!not an instant"),
            ("2025-06-31 12:00:00", "!not an instant"),
            ("2025-06-30Z", "!not an instant"),
            ("30/06/2025 12:00", "!not an instant"),
            ("", "!not an instant"),
        ];
        check(&Column::typed("at", ColumnType::Timestamp), &cases);
    }

    #[test]
    fn a_declared_format_and_zone_give_instants() {
        let column = Column { format: Some("%d/%m/%Y %H:%M".into()), ..Column::typed("at", ColumnType::Timestamp) };
        check(&column, &[("30/06/2025 12:00", "2025-06-30T10:00:00Z"), ("30/06/2025", "!not an instant")]);
        let column = Column { zone: Some(Tz::America__New_York), ..column };
        check(&column, &[("30/06/2025 12:00", "2025-06-30T16:00:00Z")]);
        let column = Column { format: Some("%s".into()), ..column };
        check(&column, &[("0", "1970-01-01T00:00:00Z")]);
        let column = Column { format: Some("%Y%m%d".into()), zone: None, ..column };
        check(&column, &[("19970118", "1997-01-17T23:00:00Z")]);
    }

    #[test]
    fn two_digits_of_a_year_lie_in_the_declared_window() {
        let column =
            Column { format: Some("%d.%m.%y".into()), window: Some(1930), ..Column::typed("day", ColumnType::Date) };
        let cases = [("01.02.30", "1930-02-01"), ("01.02.99", "1999-02-01"), ("29.02.29", "!not a date")];
        check(&column, &cases);
        check(&column, &[("28.02.29", "2029-02-28"), ("01.02.00", "2000-02-01"), ("01.02.1999", "!not a date")]);
    }

    #[test]
    fn a_number_of_the_declared_unit_is_an_instant() {
        let column = Column { unit: Some(Unit::Seconds), ..Column::typed("at", ColumnType::Timestamp) };
        let cases = [
            ("1751284800", "2025-06-30T12:00:00Z"),
            ("1751284800000", "!implausible"),
            ("2025-06-30", "!not an instant"),
            ("1.5e9", "!not an instant"),
            ("9223372036854775807", "!not an instant"),
        ];
        check(&column, &cases);
        let column = Column { unit: Some(Unit::Milliseconds), ..column };
        check(&column, &[("1751284800250", "2025-06-30T12:00:00.250Z")]);
    }

    #[test]
    fn a_format_that_is_none_is_refused() {
        let column = Column { format: Some("%d-%Q".into()), ..Column::typed("day", ColumnType::Date) };
        assert!(DateForm::of(&column).is_err());
    }

    const ZONES: [Tz; 5] =
        [Tz::Europe__Amsterdam, Tz::America__Sao_Paulo, Tz::Asia__Beirut, Tz::Africa__Casablanca, Tz::UTC];

    proptest! {
        /// The catalog's own reading is the slow, obvious twin.
        #[test]
        fn the_short_way_reads_as_the_catalog_does(
            seconds in -2_208_988_800_i64..4_102_444_800,
            zone in proptest::sample::select(ZONES.to_vec()),
        ) {
            let text = DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string();
            let by_catalog = parse_local(&text, zone).ok().map(|instant| instant.micros());
            prop_assert_eq!(iso_instant(&text, &mut LocalDays::new(zone)), by_catalog);
        }
    }
}
