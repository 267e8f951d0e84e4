//! The functions over many values, in row order ("History functions" and "Numbers" in section 2).

use std::cmp::Ordering;

use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::Function;
use crate::world::{Value, power_of_ten};

/// What a function says of these values.
pub(super) fn result(function: Function, distinct: bool, values: Vec<Value>) -> Result<Value> {
    let known: Vec<Value> = values.iter().filter(|value| !value.is_null()).cloned().collect();
    let known = if distinct { each_once(known) } else { known };
    match function {
        Function::Count => Ok(Value::Int(count(known.len()))),
        Function::Has => Ok(Value::Bool(!values.is_empty())),
        Function::Sum => sum(&known),
        Function::Avg => average(&known),
        Function::Min => {
            Ok(known.into_iter().reduce(|a, b| if b.order(&a).is_lt() { b } else { a }).unwrap_or(Value::Null))
        }
        Function::Max => {
            Ok(known.into_iter().reduce(|a, b| if b.order(&a).is_gt() { b } else { a }).unwrap_or(Value::Null))
        }
        Function::Median => median(known),
        Function::Stddev => deviation(&known),
        Function::Every => every(&values),
        Function::Mode => Ok(mode(known)),
        Function::First => Ok(values.first().cloned().unwrap_or(Value::Null)),
        Function::Last => Ok(values.last().cloned().unwrap_or(Value::Null)),
        Function::Nth(place) => Ok(nth(&values, place)),
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn each_once(mut values: Vec<Value>) -> Vec<Value> {
    let mut once: Vec<Value> = Vec::new();
    for value in values.drain(..) {
        if !once.iter().any(|other| other.order(&value).is_eq()) {
            once.push(value);
        }
    }
    once
}

/// What is to be summed: exact numbers at one scale, or doubles.
enum Numbers {
    Exact { units: Vec<i128>, scale: u32, is_whole: bool },
    Doubles(Vec<f64>),
}

fn numbers(values: &[Value]) -> Result<Numbers> {
    let unlike = || Error::nowhere(Kind::Type, "only numbers can be summed");
    let doubles = || values.iter().map(|value| value.double().ok_or_else(unlike)).collect::<Result<Vec<f64>>>();
    if values.iter().any(|value| matches!(value, Value::Double(_))) {
        return doubles().map(Numbers::Doubles);
    }
    let exact = values.iter().map(|value| value.exact().ok_or_else(unlike)).collect::<Result<Vec<_>>>()?;
    let scale = exact.iter().map(|(_, scale)| *scale).max().unwrap_or(0);
    let at_scale = |(units, from): &(i128, u32)| power_of_ten(scale - from)?.checked_mul(*units);
    let units = exact.iter().map(at_scale).collect::<Option<Vec<i128>>>().ok_or_else(overflow)?;
    let is_whole = values.iter().all(|value| matches!(value, Value::Int(_)));
    Ok(Numbers::Exact { units, scale, is_whole })
}

fn overflow() -> Error {
    Error::nowhere(Kind::Overflow, "a sum leaves its 128 bits")
}

fn total(units: &[i128]) -> Result<i128> {
    units.iter().try_fold(0i128, |sum, units| sum.checked_add(*units)).ok_or_else(overflow)
}

/// Exact in 128 bits, of doubles in row order; NULL of nothing. A whole sum too large for 64 bits is exact all the same.
fn sum(values: &[Value]) -> Result<Value> {
    if values.is_empty() {
        return Ok(Value::Null);
    }
    match numbers(values)? {
        Numbers::Doubles(doubles) => Ok(Value::Double(doubles.iter().sum())),
        Numbers::Exact { units, scale, is_whole } => {
            let units = total(&units)?;
            let whole = i64::try_from(units).ok().filter(|_| is_whole);
            Ok(whole.map_or(Value::Decimal { units, scale }, Value::Int))
        }
    }
}

/// A double, from an exact sum.
fn average(values: &[Value]) -> Result<Value> {
    let sum = sum(values)?;
    Ok(sum.double().map_or(Value::Null, |sum| Value::Double(sum / values.len() as f64)))
}

/// Of the sample, NULL below two; of exact numbers from exact sums, as n·Σx² − (Σx)² over n·(n − 1).
fn deviation(values: &[Value]) -> Result<Value> {
    let numbers = numbers(values)?;
    if values.len() < 2 {
        return Ok(Value::Null);
    }
    let size = values.len() as f64;
    let variance = match numbers {
        Numbers::Exact { units, scale, .. } => {
            let squares: Option<Vec<i128>> = units.iter().map(|units| units.checked_mul(*units)).collect();
            let squares = total(&squares.ok_or_else(overflow)?)?;
            let sum = total(&units)?;
            let spread = squares.checked_mul(units.len() as i128).zip(sum.checked_mul(sum)).ok_or_else(overflow)?;
            (spread.0 - spread.1) as f64 / (size * (size - 1.0)) / 10f64.powi(2 * scale.cast_signed())
        }
        Numbers::Doubles(doubles) => {
            let mean = doubles.iter().sum::<f64>() / size;
            doubles.iter().map(|double| (double - mean).powi(2)).sum::<f64>() / (size - 1.0)
        }
    };
    Ok(Value::Double(variance.sqrt()))
}

/// The middle, or between the two middle ones; "of integers and decimals exact at scale + 1".
fn median(mut values: Vec<Value>) -> Result<Value> {
    values.sort_by(Value::order);
    if values.is_empty() {
        return Ok(Value::Null);
    }
    let middle = [values[(values.len() - 1) / 2].clone(), values[values.len() / 2].clone()];
    match numbers(&middle)? {
        Numbers::Doubles(two) => Ok(Value::Double((two[0] + two[1]) / 2.0)),
        Numbers::Exact { units, scale, .. } => {
            let units = total(&units)?.checked_mul(5).ok_or_else(overflow)?;
            Ok(Value::Decimal { units, scale: scale + 1 })
        }
    }
}

/// "FALSE if any is FALSE, else NULL if any is NULL, else TRUE; NULL without rows".
fn every(values: &[Value]) -> Result<Value> {
    if values.iter().any(|value| !matches!(value, Value::Bool(_) | Value::Null)) {
        return Err(Error::nowhere(Kind::Type, "every() takes a condition"));
    }
    if values.contains(&Value::Bool(false)) {
        return Ok(Value::Bool(false));
    }
    Ok(if values.is_empty() || values.contains(&Value::Null) { Value::Null } else { Value::Bool(true) })
}

/// The most frequent value; "ties: the smallest value, text bytewise".
fn mode(values: Vec<Value>) -> Value {
    let times = |value: &Value| values.iter().filter(|other| other.order(value).is_eq()).count();
    let better = |a: &Value, b: &Value| times(a).cmp(&times(b)).then_with(|| b.order(a)) == Ordering::Greater;
    values
        .iter()
        .fold(Value::Null, |best, value| if best.is_null() || better(value, &best) { value.clone() } else { best })
}

/// "Negative n from the end; past the end NULL".
fn nth(values: &[Value], place: i64) -> Value {
    let distance = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    let index = if place > 0 { distance.checked_sub(1) } else { values.len().checked_sub(distance) };
    index.and_then(|index| values.get(index)).cloned().unwrap_or(Value::Null)
}
