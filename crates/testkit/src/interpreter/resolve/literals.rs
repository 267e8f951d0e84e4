//! Values and types as a text writes them.

use chrono::NaiveDate;
use chrono_tz::Tz;
use muster_catalog::parse_local;
use sqlparser::ast::{self, DataType, ExactNumberInfo};

use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::CastTo;
use crate::world::Value;

/// "Literals with a point are decimal".
pub(super) fn value(written: &ast::ValueWithSpan) -> Result<Value> {
    match &written.value {
        ast::Value::Number(digits, _) => {
            number(digits).ok_or_else(|| Error::unsupported(written, format!("the number {digits}")))
        }
        ast::Value::SingleQuotedString(text) => Ok(Value::text(text)),
        ast::Value::Boolean(truth) => Ok(Value::Bool(*truth)),
        ast::Value::Null => Ok(Value::Null),
        other => Err(Error::unsupported(written, format!("`{other}`"))),
    }
}

fn number(digits: &str) -> Option<Value> {
    if digits.contains(['e', 'E']) {
        return digits.parse().ok().map(Value::Double);
    }
    digits.parse().ok().map(Value::Int).or_else(|| Value::decimal(digits))
}

/// `DATE '…'` and `TIMESTAMP '…'`; one without zone is read in the workspace's.
pub(super) fn typed(written: &ast::TypedString, zone: Tz) -> Result<Value> {
    let unreadable = || Error::at(Kind::Type, &written.value, format!("`{written}` is no such value"));
    let ast::Value::SingleQuotedString(text) = &written.value.value else { return Err(unreadable()) };
    match written.data_type {
        DataType::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Value::day).ok_or_else(unreadable),
        DataType::Timestamp(..) => {
            parse_local(text, zone).map(|instant| Value::Instant(instant.micros())).map_err(|_| unreadable())
        }
        _ => Err(Error::unsupported(&written.value, format!("`{written}`"))),
    }
}

/// `INTERVAL '1 year 2 months'`, `INTERVAL '7' DAY`.
pub(super) fn interval(written: &ast::Interval) -> Result<Value> {
    let unknown = || Error::unsupported(&*written.value, format!("`{written}`"));
    if written.last_field.is_some() || written.leading_precision.is_some() {
        return Err(unknown());
    }
    let ast::Expr::Value(value) = written.value.as_ref() else { return Err(unknown()) };
    let text = match &value.value {
        ast::Value::SingleQuotedString(text) | ast::Value::Number(text, _) => text.to_lowercase(),
        _ => return Err(unknown()),
    };
    let text = written.leading_field.as_ref().map_or(text.clone(), |field| format!("{text} {field}").to_lowercase());
    span(&text).ok_or_else(unknown)
}

/// Numbers with their units, in any order.
fn span(text: &str) -> Option<Value> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (mut months, mut days, mut micros) = (0i32, 0i32, 0i64);
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return None;
    }
    for pair in words.chunks(2) {
        let count: i32 = pair[0].parse().ok()?;
        match pair[1].trim_end_matches('s') {
            "year" => months = months.checked_add(count.checked_mul(12)?)?,
            "quarter" => months = months.checked_add(count.checked_mul(3)?)?,
            "month" => months = months.checked_add(count)?,
            "week" => days = days.checked_add(count.checked_mul(7)?)?,
            "day" => days = days.checked_add(count)?,
            unit => micros = micros.checked_add(i64::from(count).checked_mul(micros_of(unit)?)?)?,
        }
    }
    Some(Value::Interval { months, days, micros })
}

fn micros_of(unit: &str) -> Option<i64> {
    match unit {
        "hour" => Some(3_600_000_000),
        "minute" => Some(60_000_000),
        "second" => Some(1_000_000),
        "millisecond" => Some(1_000),
        "microsecond" => Some(1),
        _ => None,
    }
}

/// What a type in CAST names.
pub(super) fn cast_to(whole: &ast::Expr, data_type: &DataType) -> Result<CastTo> {
    Ok(match data_type {
        DataType::Boolean | DataType::Bool => CastTo::Bool,
        DataType::Int(None) | DataType::Integer(None) | DataType::BigInt(None) | DataType::Int64 => CastTo::Int,
        DataType::Decimal(digits) | DataType::Numeric(digits) => decimal(whole, digits)?,
        DataType::Double(ExactNumberInfo::None) | DataType::DoublePrecision | DataType::Float64 => CastTo::Double,
        DataType::Text | DataType::Varchar(None) | DataType::String(None) => CastTo::Text,
        DataType::Date => CastTo::Date,
        DataType::Timestamp(None, _) => CastTo::Instant,
        other => return Err(Error::unsupported(whole, format!("the type {other}"))),
    })
}

fn decimal(whole: &ast::Expr, digits: &ExactNumberInfo) -> Result<CastTo> {
    let (precision, scale) = match digits {
        ExactNumberInfo::None => return Err(Error::unsupported(whole, "a decimal without digits")),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let fits = (1..=38).contains(&precision) && scale >= 0 && scale.cast_unsigned() <= precision;
    let both = u32::try_from(scale).ok().zip(u32::try_from(precision).ok()).filter(|_| fits);
    let (scale, precision) = both.ok_or_else(|| Error::at(Kind::Type, whole, "a decimal has 1 to 38 digits"))?;
    Ok(CastTo::Decimal { scale, precision })
}
