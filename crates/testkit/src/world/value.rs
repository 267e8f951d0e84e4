//! The plain values of the small world: what a field can hold, their order, and how a test writes them.

use std::cmp::Ordering;
use std::fmt;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use muster_catalog::{ColumnType, Timestamp, parse_local};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact number: `units` · 10^−`scale`.
    Decimal {
        /// The number without its point.
        units: i128,
        /// Digits after the point.
        scale: u32,
    },
    /// A double.
    Double(f64),
    /// Text; compares bytewise.
    Text(String),
    /// A calendar day: days since 1970-01-01.
    Date(i32),
    /// An instant: microseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// Several texts.
    Set(Vec<String>),
    /// A span of the calendar.
    Interval {
        /// Calendar months.
        months: i32,
        /// Calendar days.
        days: i32,
        /// Elapsed microseconds.
        micros: i64,
    },
}

impl Value {
    /// Text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The day of a calendar date.
    pub fn day(date: NaiveDate) -> Self {
        Self::Date(date.num_days_from_ce() - DAYS_BEFORE_1970)
    }

    /// The calendar date of days since 1970-01-01.
    pub fn calendar(days: i32) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(days.checked_add(DAYS_BEFORE_1970)?)
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A field as a test or a file writes it; an instant without zone is read in `zone`, a set has its parts between `;`.
    /// `None` where the text is no value of this type.
    pub fn read(text: &str, column_type: ColumnType, zone: Tz) -> Option<Self> {
        match column_type {
            ColumnType::Id | ColumnType::Text => Some(Self::text(text)),
            ColumnType::Int => text.parse().ok().map(Self::Int),
            ColumnType::Decimal { scale, .. } => Self::decimal(text)?.at_scale(u32::try_from(scale).ok()?),
            ColumnType::Float => text.parse().ok().map(Self::Double),
            ColumnType::Bool => text.parse().ok().map(Self::Bool),
            ColumnType::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::day),
            ColumnType::Timestamp => parse_local(text, zone).ok().map(|instant| Self::Instant(instant.micros())),
            ColumnType::Set => Some(Self::Set(text.split(';').map(str::to_owned).collect())),
        }
    }

    /// An exact number as it is written: its scale is the number of digits after the point.
    pub fn decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        let plain = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
        if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) || fraction.starts_with(['-', '+']) {
            return None;
        }
        Some(Self::Decimal { units: digits.parse().ok()?, scale: fraction.len().try_into().ok()? })
    }

    /// The same exact number with another number of digits; half rounds away from zero. `None` for what is no exact
    /// number, and where 128 bits are too few.
    pub fn at_scale(&self, scale: u32) -> Option<Self> {
        let (units, from) = self.exact()?;
        let units = match scale.checked_sub(from) {
            Some(more) => units.checked_mul(power_of_ten(more)?)?,
            None => rounded(units, power_of_ten(from - scale)?),
        };
        Some(Self::Decimal { units, scale })
    }

    /// Units and scale of an exact number.
    pub fn exact(&self) -> Option<(i128, u32)> {
        match self {
            Self::Int(whole) => Some((i128::from(*whole), 0)),
            Self::Decimal { units, scale } => Some((*units, *scale)),
            _ => None,
        }
    }

    /// The nearest double of a number.
    pub fn double(&self) -> Option<f64> {
        match self {
            Self::Double(double) => Some(*double),
            _ => self.exact().map(|(units, scale)| units as f64 / 10f64.powi(scale.cast_signed())),
        }
    }

    /// The order of values wherever rows are put in order or told apart: NULL is a value and the last; numbers compare as
    /// numbers, text bytewise. Values that have nothing in common are ordered by their kind.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Set(a), Self::Set(b)) => a.cmp(b),
            (Self::Interval { months: m, days: d, micros: u }, Self::Interval { months, days, micros }) => {
                (m, d, u).cmp(&(months, days, micros))
            }
            _ if self.rank() == other.rank() => number_order(self, other),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Decimal { .. } | Self::Double(_) => 1,
            Self::Text(_) => 2,
            Self::Date(_) => 3,
            Self::Instant(_) => 4,
            Self::Interval { .. } => 5,
            Self::Set(_) => 6,
            Self::Null => 7,
        }
    }
}

/// Days from the first day of the year 1 to 1970-01-01, as chrono counts them.
const DAYS_BEFORE_1970: i32 = 719_163;

/// 10 to this power, where 128 bits hold it.
pub(crate) fn power_of_ten(power: u32) -> Option<i128> {
    10i128.checked_pow(power)
}

/// `units / divisor`, half away from zero.
pub(crate) fn rounded(units: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (units / divisor, units % divisor);
    if rest.abs() >= divisor - rest.abs() { quotient + units.signum() } else { quotient }
}

/// Exact numbers compare exactly, a double with anything as doubles; NULLs are equal.
fn number_order(a: &Value, b: &Value) -> Ordering {
    let (Some((left, left_scale)), Some((right, right_scale))) = (a.exact(), b.exact()) else {
        let doubles = a.double().zip(b.double());
        // -0 is 0 and any NaN is one value above all others.
        return doubles.map_or(Ordering::Equal, |(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
    };
    let scale = left_scale.max(right_scale);
    let scaled = |units: i128, from: u32| units.checked_mul(power_of_ten(scale - from)?);
    match scaled(left, left_scale).zip(scaled(right, right_scale)) {
        Some((left, right)) => left.cmp(&right),
        None => a.double().zip(b.double()).map_or(Ordering::Equal, |(a, b)| a.total_cmp(&b)),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(truth) => write!(f, "{}", if *truth { "TRUE" } else { "FALSE" }),
            Self::Int(whole) => write!(f, "{whole}"),
            Self::Decimal { units, scale } => f.write_str(&point(*units, *scale)),
            Self::Double(double) => write!(f, "{double}"),
            Self::Text(text) => f.write_str(text),
            Self::Date(days) => match Self::calendar(*days) {
                Some(date) => write!(f, "{date}"),
                None => write!(f, "day {days}"),
            },
            Self::Instant(micros) => write!(f, "{}", Timestamp::from_micros(*micros)),
            Self::Set(parts) => write!(f, "{{{}}}", parts.join(", ")),
            Self::Interval { months, days, micros } => write!(f, "{months} months {days} days {micros} µs"),
        }
    }
}

fn point(units: i128, scale: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
