//! The functions of one row, by name. Where one is an engine's, it is what SQL and the engines agree on.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::past::Past;
use super::{calendar, casts, conditions};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::CastTo;
use crate::world::{Value, power_of_ten, rounded};

pub(super) fn call(past: &Past, function: &str, arguments: &[Value]) -> Result<Value> {
    let zone = past.zone();
    match (function, arguments) {
        ("now", _) => return Ok(Value::Instant(past.micros)),
        ("today", _) => return casts::cast(&Value::Instant(past.micros), CastTo::Date, zone),
        ("coalesce", values) => {
            return Ok(values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null));
        }
        ("nullif", [a, b]) => {
            let is_same = conditions::order(a, b, zone)?.is_some_and(|order| order.is_eq());
            return Ok(if is_same { Value::Null } else { a.clone() });
        }
        ("concat", values) => return concat(values, zone),
        ("greatest" | "least", values) => return extreme(function == "greatest", values),
        _ => {}
    }
    if arguments.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let made = of_time(past, function, arguments)
        .or_else(|| of_text(function, arguments))
        .or_else(|| of_number(function, arguments));
    made.ok_or_else(|| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Error::nowhere(Kind::Unsupported, format!("the interpreter does not know {function}({})", arguments.join(", ")))
    })
}

/// NULLs count as nothing.
fn concat(values: &[Value], zone: Tz) -> Result<Value> {
    let known = values.iter().filter(|value| !value.is_null());
    let texts = known.map(|value| casts::cast(value, CastTo::Text, zone).map(|text| text.to_string()));
    Ok(Value::Text(texts.collect::<Result<Vec<String>>>()?.concat()))
}

/// NULLs count as nothing.
fn extreme(greatest: bool, values: &[Value]) -> Result<Value> {
    let known = values.iter().filter(|value| !value.is_null()).cloned();
    let chosen = known.reduce(|a, b| if b.order(&a).is_gt() == greatest && b.order(&a).is_ne() { b } else { a });
    Ok(chosen.unwrap_or(Value::Null))
}

/// The local day of a date or an instant.
fn day(value: &Value, zone: Tz) -> Option<NaiveDate> {
    match value {
        Value::Date(days) => Value::calendar(*days),
        Value::Instant(micros) => Some(calendar::local(*micros, zone).date()),
        _ => None,
    }
}

fn of_time(past: &Past, function: &str, arguments: &[Value]) -> Option<Value> {
    let zone = past.zone();
    let today = calendar::local(past.micros, zone).date();
    match (function, arguments) {
        ("age", [born]) => calendar::age(day(born, zone)?, today).map(Value::Int),
        ("days_to_anniversary", [date]) => calendar::days_to_anniversary(day(date, zone)?, today).map(Value::Int),
        ("days_between", [a, b]) => Some(Value::Int((day(b, zone)? - day(a, zone)?).num_days())),
        ("date_trunc", [Value::Text(unit), value]) => calendar::truncated(&unit.to_lowercase(), value, zone),
        ("date_part", [Value::Text(part), value]) => calendar::part(&part.to_lowercase(), value, zone).map(Value::Int),
        _ => None,
    }
}

fn of_text(function: &str, arguments: &[Value]) -> Option<Value> {
    match (function, arguments) {
        ("lower", [Value::Text(text)]) => Some(Value::Text(text.to_lowercase())),
        ("upper", [Value::Text(text)]) => Some(Value::Text(text.to_uppercase())),
        ("length", [Value::Text(text)]) => Some(whole(text.chars().count())),
        ("substr", [Value::Text(text), Value::Int(from)]) => Some(part_of(text, *from, i64::MAX)),
        ("substr", [Value::Text(text), Value::Int(from), Value::Int(length)]) if *length >= 0 => {
            Some(part_of(text, *from, *length))
        }
        ("left", [Value::Text(text), Value::Int(length)]) if *length >= 0 => Some(part_of(text, 1, *length)),
        ("right", [Value::Text(text), Value::Int(length)]) if *length >= 0 => {
            let all = i64::try_from(text.chars().count()).ok()?;
            Some(part_of(text, (all - length).max(0) + 1, *length))
        }
        ("btrim" | "ltrim" | "rtrim", [Value::Text(text)]) => Some(trimmed(function, text, " ")),
        ("btrim" | "ltrim" | "rtrim", [Value::Text(text), Value::Text(letters)]) => {
            Some(trimmed(function, text, letters))
        }
        ("replace", [Value::Text(text), Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            Some(Value::Text(text.replace(from, to)))
        }
        ("starts_with", [Value::Text(text), Value::Text(start)]) => Some(Value::Bool(text.starts_with(start.as_str()))),
        ("ends_with", [Value::Text(text), Value::Text(end)]) => Some(Value::Bool(text.ends_with(end.as_str()))),
        ("contains", [Value::Text(text), Value::Text(part)]) => Some(Value::Bool(text.contains(part.as_str()))),
        ("strpos", [Value::Text(text), Value::Text(part)]) => {
            Some(text.find(part.as_str()).map_or(Value::Int(0), |at| whole(text[..at].chars().count() + 1)))
        }
        ("is_email", [Value::Text(text)]) => Some(Value::Bool(is_email(text))),
        ("array_has", [Value::Set(parts), Value::Text(part)]) => Some(Value::Bool(parts.contains(part))),
        ("cardinality", [Value::Set(parts)]) => Some(whole(parts.len())),
        _ => None,
    }
}

fn whole(count: usize) -> Value {
    i64::try_from(count).map_or(Value::Null, Value::Int)
}

/// The characters from place `from`, counted from 1, to `length` further; places before the first are empty.
fn part_of(text: &str, from: i64, length: i64) -> Value {
    let end = from.saturating_add(length);
    let is_inside = |place: i64| place >= from && place < end;
    Value::Text((1i64..).zip(text.chars()).filter(|(place, _)| is_inside(*place)).map(|(_, letter)| letter).collect())
}

fn trimmed(function: &str, text: &str, letters: &str) -> Value {
    let is_one = |letter: char| letters.contains(letter);
    let text = if function == "rtrim" { text } else { text.trim_start_matches(is_one) };
    let text = if function == "ltrim" { text } else { text.trim_end_matches(is_one) };
    Value::text(text)
}

/// A plain address of RFC 5321: one `@`; before it at most 64 letters of an atom, with single points between them; behind it
/// two or more labels of at most 63 letters, digits and hyphens; all of it ASCII, and at most 254 long.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let is_of_atom = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter);
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_of_atom);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 64 && name.split('.').all(is_atom);
    is_name && host.contains('.') && host.split('.').all(is_label) && text.len() <= 254
}

fn of_number(function: &str, arguments: &[Value]) -> Option<Value> {
    match (function, arguments) {
        ("abs", [Value::Int(whole)]) => Some(whole.checked_abs().map_or(Value::Null, Value::Int)),
        ("abs", [Value::Decimal { units, scale }]) => {
            Some(Value::Decimal { units: units.checked_abs()?, scale: *scale })
        }
        ("abs", [Value::Double(double)]) => Some(Value::Double(double.abs())),
        ("round" | "floor" | "ceil", [Value::Int(whole)]) => Some(Value::Int(*whole)),
        ("round", [Value::Double(double)]) => Some(Value::Double(double.round())),
        ("floor", [Value::Double(double)]) => Some(Value::Double(double.floor())),
        ("ceil", [Value::Double(double)]) => Some(Value::Double(double.ceil())),
        ("round", [number @ Value::Decimal { .. }]) => number.at_scale(0),
        ("round", [number, Value::Int(digits)]) => to_digits(number, i32::try_from(*digits).ok()?),
        ("floor", [Value::Decimal { units, scale }]) => {
            Some(Value::Decimal { units: units.div_euclid(power_of_ten(*scale)?), scale: 0 })
        }
        ("ceil", [Value::Decimal { units, scale }]) => {
            Some(Value::Decimal { units: -(-units).div_euclid(power_of_ten(*scale)?), scale: 0 })
        }
        _ => None,
    }
}

/// Half away from zero, at so many digits after the point, or before it.
fn to_digits(number: &Value, digits: i32) -> Option<Value> {
    if let Value::Double(double) = number {
        let power = 10f64.powi(digits);
        return Some(Value::Double((double * power).round() / power));
    }
    let (_, scale) = number.exact()?;
    if let Ok(digits) = u32::try_from(digits) {
        return if digits >= scale { Some(number.clone()) } else { number.at_scale(digits) };
    }
    let power = power_of_ten(digits.unsigned_abs())?;
    let (units, _) = number.at_scale(0)?.exact()?;
    Some(Value::Decimal { units: rounded(units, power).checked_mul(power)?, scale: 0 })
}
