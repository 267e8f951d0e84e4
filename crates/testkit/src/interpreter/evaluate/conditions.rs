//! Truth with three values, comparison, LIKE.

use std::cmp::Ordering;

use chrono_tz::Tz;

use super::casts;
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{CastTo, Comparison};
use crate::world::Value;

fn truth(value: &Value) -> Result<Option<bool>> {
    match value {
        Value::Bool(truth) => Ok(Some(*truth)),
        Value::Null => Ok(None),
        other => Err(Error::nowhere(Kind::Type, format!("a condition is TRUE, FALSE or NULL, and no {other}"))),
    }
}

/// Whether a condition's value is TRUE.
pub(super) fn is_true(value: &Value) -> Result<bool> {
    Ok(truth(value)? == Some(true))
}

fn value_of(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Bool)
}

pub(super) fn not(value: Value) -> Result<Value> {
    Ok(value_of(truth(&value)?.map(|truth| !truth)))
}

/// FALSE beside anything is FALSE, else NULL beside anything is NULL.
pub(super) fn and(a: &Value, b: &Value) -> Result<Value> {
    let (a, b) = (truth(a)?, truth(b)?);
    let is_false = a == Some(false) || b == Some(false);
    Ok(value_of(if is_false { Some(false) } else { a.zip(b).map(|_| true) }))
}

/// TRUE beside anything is TRUE, else NULL beside anything is NULL.
pub(super) fn or(a: &Value, b: &Value) -> Result<Value> {
    let (a, b) = (truth(a)?, truth(b)?);
    let is_true = a == Some(true) || b == Some(true);
    Ok(value_of(if is_true { Some(true) } else { a.zip(b).map(|_| false) }))
}

/// NULL beside anything compares as NULL.
pub(super) fn compare(how: Comparison, a: &Value, b: &Value, zone: Tz) -> Result<Value> {
    let Some(order) = order(a, b, zone)? else { return Ok(Value::Null) };
    Ok(Value::Bool(match how {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }))
}

/// `IS DISTINCT FROM`: NULL is a value.
pub(super) fn distinct(a: &Value, b: &Value, zone: Tz) -> Result<Value> {
    let is_same = match order(a, b, zone)? {
        Some(order) => order.is_eq(),
        None => a.is_null() && b.is_null(),
    };
    Ok(Value::Bool(!is_same))
}

/// `x IN (a, b)` is `x = a OR x = b`.
pub(super) fn is_in(value: &Value, list: &[Value], zone: Tz) -> Result<Value> {
    list.iter().try_fold(Value::Bool(false), |found, item| or(&found, &compare(Comparison::Equal, value, item, zone)?))
}

/// The order of two values that go together. Text beside a date or an instant is read as one, which fails as a cast does;
/// "a date beside an instant is its local midnight" (section 3).
pub(super) fn order(a: &Value, b: &Value, zone: Tz) -> Result<Option<Ordering>> {
    let (a, b) = match (a, b) {
        (Value::Date(_), Value::Instant(_)) => (casts::cast(a, CastTo::Instant, zone)?, b.clone()),
        (Value::Instant(_), Value::Date(_)) => (a.clone(), casts::cast(b, CastTo::Instant, zone)?),
        (Value::Text(_), Value::Date(_)) => (casts::cast(a, CastTo::Date, zone)?, b.clone()),
        (Value::Date(_), Value::Text(_)) => (a.clone(), casts::cast(b, CastTo::Date, zone)?),
        (Value::Text(_), Value::Instant(_)) => (casts::cast(a, CastTo::Instant, zone)?, b.clone()),
        (Value::Instant(_), Value::Text(_)) => (a.clone(), casts::cast(b, CastTo::Instant, zone)?),
        _ => (a.clone(), b.clone()),
    };
    if a.is_null() || b.is_null() {
        return Ok(None);
    }
    if !go_together(&a, &b) {
        return Err(Error::nowhere(Kind::Type, format!("{a} and {b} do not compare")));
    }
    Ok(Some(a.order(&b)))
}

fn go_together(a: &Value, b: &Value) -> bool {
    let are_numbers = a.double().is_some() && b.double().is_some();
    are_numbers
        || matches!(
            (a, b),
            (Value::Bool(_), Value::Bool(_))
                | (Value::Text(_), Value::Text(_))
                | (Value::Date(_), Value::Date(_))
                | (Value::Instant(_), Value::Instant(_))
        )
}

/// `%` is any text, `_` any character, what follows the escape is itself.
pub(super) fn like(text: &Value, pattern: &Value, escape: char, any_case: bool) -> Result<Value> {
    match (text, pattern) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Text(text), Value::Text(pattern)) => {
            let letters = |text: &str| -> Vec<char> {
                if any_case { text.to_lowercase().chars().collect() } else { text.chars().collect() }
            };
            Ok(Value::Bool(fits(&letters(text), &letters(pattern), escape)))
        }
        _ => Err(Error::nowhere(Kind::Type, "LIKE compares text")),
    }
}

fn fits(text: &[char], pattern: &[char], escape: char) -> bool {
    match pattern {
        [] => text.is_empty(),
        [first, second, rest @ ..] if *first == escape => {
            text.first() == Some(second) && fits(&text[1..], rest, escape)
        }
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| fits(&text[skipped..], rest, escape)),
        ['_', rest @ ..] => !text.is_empty() && fits(&text[1..], rest, escape),
        [letter, rest @ ..] => text.first() == Some(letter) && fits(&text[1..], rest, escape),
    }
}
