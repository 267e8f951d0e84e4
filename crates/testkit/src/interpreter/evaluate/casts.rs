//! CAST: what fails is NULL; dates and instants meet at local midnight, and are printed in the workspace's zone.

use chrono::NaiveDate;
use chrono_tz::Tz;
use muster_catalog::{Timestamp, parse_local};

use super::{calendar, past};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::CastTo;
use crate::world::Value;

pub(super) fn cast(value: &Value, to: CastTo, zone: Tz) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let made = match to {
        CastTo::Bool => truth(value),
        CastTo::Int => whole(value),
        CastTo::Decimal { scale, precision } => decimal(value, scale, precision),
        CastTo::Exact => value.exact().map(|(units, scale)| Value::Decimal { units, scale }),
        CastTo::Double => double(value),
        CastTo::Text => Some(Value::Text(text(value, zone)?)),
        CastTo::Date => date(value, zone),
        CastTo::Instant => instant(value, zone),
    };
    match made {
        Some(made) => Ok(made),
        // Text may say anything, and a number may be too large; what no cast could ever make is a fault of the query.
        None if matches!(value, Value::Text(_)) || value.double().is_some() => Ok(Value::Null),
        None => Err(Error::nowhere(Kind::Type, format!("{value} cannot be cast to {to:?}"))),
    }
}

fn truth(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Int(whole) => Some(Value::Bool(*whole != 0)),
        Value::Text(text) => match text.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(Value::Bool(true)),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        _ => None,
    }
}

/// What stands after the point is cut off.
fn whole(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) => Some(value.clone()),
        Value::Bool(truth) => Some(Value::Int((*truth).into())),
        Value::Decimal { units, scale } => {
            i64::try_from(units / crate::world::power_of_ten(*scale)?).ok().map(Value::Int)
        }
        // Every whole double below 2^63 is a number of 64 bits.
        Value::Double(double) => (double.abs() < 9.2e18).then(|| Value::Int(double.trunc() as i64)),
        Value::Text(text) => text.parse().ok().map(Value::Int),
        _ => None,
    }
}

fn decimal(value: &Value, scale: u32, precision: u32) -> Option<Value> {
    let made = match value {
        Value::Double(double) => Value::decimal(&format!("{double:.*}", scale as usize))?,
        Value::Text(text) => Value::decimal(text)?.at_scale(scale)?,
        exact => exact.at_scale(scale)?,
    };
    let (units, _) = made.exact()?;
    let limit = 10u128.checked_pow(precision)?;
    (units.unsigned_abs() < limit).then_some(made)
}

fn double(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) => text.parse().ok().map(Value::Double),
        number => number.double().map(Value::Double),
    }
}

fn text(value: &Value, zone: Tz) -> Result<String> {
    match value {
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Instant(micros) => Ok(Timestamp::from_micros(*micros).rfc3339(zone)),
        Value::Int(_) | Value::Decimal { .. } | Value::Double(_) | Value::Text(_) | Value::Date(_) => {
            Ok(value.to_string())
        }
        other => Err(Error::nowhere(Kind::Unsupported, format!("the interpreter does not know the text of {other}"))),
    }
}

/// The local day of an instant.
fn date(value: &Value, zone: Tz) -> Option<Value> {
    match value {
        Value::Date(_) => Some(value.clone()),
        Value::Instant(micros) => Some(Value::day(calendar::local(*micros, zone).date())),
        Value::Text(text) => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) => Some(Value::day(date)),
            Err(_) => date(&instant(value, zone)?, zone),
        },
        _ => None,
    }
}

fn instant(value: &Value, zone: Tz) -> Option<Value> {
    match value {
        Value::Text(text) => parse_local(text, zone).ok().map(|instant| Value::Instant(instant.micros())),
        other => past::calendar_instant(other, zone).map(Value::Instant),
    }
}
