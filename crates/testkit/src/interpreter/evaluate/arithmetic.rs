//! Arithmetic of one row: "a failed cast or overflow in a row expression is NULL, and so is anything divided by zero".

use chrono_tz::Tz;

use super::{calendar, casts};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Arithmetic, CastTo};
use crate::world::{Value, power_of_ten};

pub(super) fn negated(value: Value) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Int(whole) => Ok(whole.checked_neg().map_or(Value::Null, Value::Int)),
        Value::Decimal { units, scale } => {
            Ok(units.checked_neg().map_or(Value::Null, |units| Value::Decimal { units, scale }))
        }
        Value::Double(double) => Ok(Value::Double(-double)),
        Value::Interval { .. } => Ok(reversed(&value)),
        other => Err(Error::nowhere(Kind::Type, format!("{other} has no negative"))),
    }
}

fn reversed(span: &Value) -> Value {
    match span {
        Value::Interval { months, days, micros } => Value::Interval { months: -months, days: -days, micros: -micros },
        other => other.clone(),
    }
}

pub(super) fn result(how: Arithmetic, a: &Value, b: &Value, zone: Tz) -> Result<Value> {
    if a.is_null() || b.is_null() {
        return Ok(Value::Null);
    }
    match (how, a, b) {
        (Arithmetic::Concatenate, ..) => concatenated(a, b, zone),
        (Arithmetic::Plus, Value::Date(_) | Value::Instant(_), Value::Interval { .. }) => {
            Ok(calendar::plus(a, b, zone))
        }
        (Arithmetic::Plus, Value::Interval { .. }, Value::Date(_) | Value::Instant(_)) => {
            Ok(calendar::plus(b, a, zone))
        }
        (Arithmetic::Minus, Value::Date(_) | Value::Instant(_), Value::Interval { .. }) => {
            Ok(calendar::plus(a, &reversed(b), zone))
        }
        _ if a.double().is_some() && b.double().is_some() => Ok(of_numbers(how, a, b).unwrap_or(Value::Null)),
        _ => Err(Error::nowhere(Kind::Unsupported, format!("the interpreter does not know {how:?} of {a} and {b}"))),
    }
}

fn concatenated(a: &Value, b: &Value, zone: Tz) -> Result<Value> {
    match (casts::cast(a, CastTo::Text, zone)?, casts::cast(b, CastTo::Text, zone)?) {
        (Value::Text(a), Value::Text(b)) => Ok(Value::Text(a + &b)),
        _ => Ok(Value::Null),
    }
}

/// `None` where it overflows or divides by zero.
fn of_numbers(how: Arithmetic, a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => of_whole(how, *a, *b).map(Value::Int),
        (Value::Double(_), _) | (_, Value::Double(_)) => of_doubles(how, a.double()?, b.double()?).map(Value::Double),
        _ => of_exact(how, a.exact()?, b.exact()?),
    }
}

/// "Integer division truncates".
fn of_whole(how: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match how {
        Arithmetic::Plus => a.checked_add(b),
        Arithmetic::Minus => a.checked_sub(b),
        Arithmetic::Times => a.checked_mul(b),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Modulo => a.checked_rem(b),
        Arithmetic::Concatenate => None,
    }
}

fn of_doubles(how: Arithmetic, a: f64, b: f64) -> Option<f64> {
    match how {
        Arithmetic::Plus => Some(a + b),
        Arithmetic::Minus => Some(a - b),
        Arithmetic::Times => Some(a * b),
        Arithmetic::Divide => (b != 0.0).then(|| a / b),
        Arithmetic::Modulo => (b != 0.0).then(|| a % b),
        Arithmetic::Concatenate => None,
    }
}

/// How many digits a quotient of decimals has more than the dividend: the page leaves scalar types to the engine, and this
/// is what engines of Arrow do; the rest is cut off.
const DIGITS_OF_A_QUOTIENT: u32 = 4;

fn of_exact(how: Arithmetic, (a, a_scale): (i128, u32), (b, b_scale): (i128, u32)) -> Option<Value> {
    let scale = a_scale.max(b_scale);
    let left = a.checked_mul(power_of_ten(scale - a_scale)?);
    let right = b.checked_mul(power_of_ten(scale - b_scale)?);
    let (units, scale) = match how {
        Arithmetic::Plus => (left?.checked_add(right?)?, scale),
        Arithmetic::Minus => (left?.checked_sub(right?)?, scale),
        Arithmetic::Modulo => (left?.checked_rem(right?)?, scale),
        Arithmetic::Times => (a.checked_mul(b)?, a_scale + b_scale),
        Arithmetic::Divide => {
            let dividend = a.checked_mul(power_of_ten(DIGITS_OF_A_QUOTIENT + b_scale)?)?;
            (dividend.checked_div(b)?, a_scale + DIGITS_OF_A_QUOTIENT)
        }
        Arithmetic::Concatenate => return None,
    };
    Some(Value::Decimal { units, scale })
}
