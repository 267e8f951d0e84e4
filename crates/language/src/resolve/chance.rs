//! Seeded chance: `sample` and `bucket`, which are the same for the same row whenever, wherever and how often they are asked.
//!
//! Both read one number: the first 8 bytes, the highest first, of SHA-256 over the seed, a zero byte, and the profile's key or
//! another unit. Engines give that digest as 64 hexadecimal digits and have no unsigned arithmetic in common, so the number
//! stays text: its first 16 digits compare as it does, and its remainder is that of a sum over them ([`crate::remainder`]).

use muster_catalog::{ColumnType, Kind};
use sqlparser::ast::{BinaryOperator, DataType, Expr, Spanned, Value};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::operator::truth;
use super::scope::Typed;
use crate::error::ErrorKind;
use crate::remainder::{DIGITS, MOST_BUCKETS, bucket};
use crate::source::Fault;
use crate::sql;

/// How many digits behind the point a fraction may have: 2⁶⁴ times as many units still fit 128 bits.
const FINEST: usize = 18;

impl Resolver<'_> {
    /// `sample(fraction, 'seed' [, unit])` and `bucket(n, 'seed' [, unit])`.
    pub(super) fn chance(&mut self, function: &str, arguments: &[&Expr], span: Span) -> Option<Result<Typed, Fault>> {
        match function {
            "sample" => Some(self.sample(arguments, span)),
            "bucket" => Some(self.bucket(arguments, span)),
            _ => None,
        }
    }

    /// Whether the number is below `fraction` · 2⁶⁴.
    fn sample(&mut self, arguments: &[&Expr], span: Span) -> Result<Typed, Fault> {
        let (share, seed, unit) = share_seed_and_unit("sample", arguments, span)?;
        let limit = limit(share)?;
        let number = first_digits(sql::call("sha256", [self.seeded("sample", seed, unit, span)?]));
        let (op, digits) = match u64::try_from(limit) {
            Ok(limit) => (BinaryOperator::Lt, format!("{limit:016x}")),
            // 2⁶⁴ itself has a digit more; everybody is below it.
            Err(_) => (BinaryOperator::LtEq, format!("{:016x}", u64::MAX)),
        };
        Ok(truth(sql::nested(sql::binary(number, op, sql::text(&digits)))))
    }

    /// The remainder of the number and `n`.
    fn bucket(&mut self, arguments: &[&Expr], span: Span) -> Result<Typed, Fault> {
        let (share, seed, unit) = share_seed_and_unit("bucket", arguments, span)?;
        let buckets = buckets(share)?;
        let text = self.seeded("bucket", seed, unit, span)?;
        Ok(Typed::new(bucket(text, buckets), Some(ColumnType::Int)))
    }

    /// `'seed' || chr(0) || unit`: what a digest is made of; NULL where the unit is.
    fn seeded(&mut self, function: &str, seed: &Expr, unit: Option<&Expr>, span: Span) -> Result<Expr, Fault> {
        let Some(text) = self.expression(seed)?.text else {
            let message = format!("the seed of `{function}` is a text that is written out, found `{seed}`");
            return Err(Fault::new(ErrorKind::Literal, seed.span(), message).hint(format!("{function}(…, 'a seed')")));
        };
        let unit = match unit {
            Some(unit) => {
                let typed = self.expression(unit)?;
                unit_text(typed, function, unit)?
            }
            None => self.profile_key(span)?,
        };
        let joined = |left: Expr, right: Expr| sql::binary(left, BinaryOperator::StringConcat, right);
        let zero = sql::call("chr", [sql::number(0)]);
        Ok(joined(joined(sql::text(&text), zero), unit))
    }

    /// The key of the row's profile, as text.
    fn profile_key(&mut self, span: Span) -> Result<Expr, Fault> {
        let names = self.names;
        let root = names.tables.iter().find(|table| table.kind == Kind::Root);
        let Some((root, key)) = root.and_then(|root| Some((root, root.key.as_ref()?))) else {
            return Err(Fault::new(ErrorKind::UnknownName, span, "profiles have no key"));
        };
        let holds = root.column(key).map(|column| column.column_type);
        let column = (key.as_str(), holds.unwrap_or(ColumnType::Id));
        let bound = self.of_row(root, column, (span, format!("{}.{key}", root.name)))?;
        Ok(as_text(bound.sql, holds))
    }
}

/// The arguments of either function.
fn share_seed_and_unit<'e>(
    function: &str,
    arguments: &[&'e Expr],
    span: Span,
) -> Result<(&'e Expr, &'e Expr, Option<&'e Expr>), Fault> {
    match arguments {
        [share, seed] => Ok((share, seed, None)),
        [share, seed, unit] => Ok((share, seed, Some(unit))),
        other => {
            let message =
                format!("`{function}` takes a number, a seed and perhaps a unit, and {} are given", other.len());
            let hint = if function == "sample" { "sample(0.1, 'a seed')" } else { "bucket(10, 'a seed')" };
            Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(hint))
        }
    }
}

/// `fraction` · 2⁶⁴, rounded up: whole numbers below either are the same ones.
fn limit(fraction: &Expr) -> Result<u128, Fault> {
    let exact = digits(fraction).and_then(|digits| {
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let scale = u32::try_from(part.len()).ok().filter(|_| part.len() <= FINEST)?;
        let one = 10u128.pow(scale);
        let units = format!("0{whole}{part}").parse::<u128>().ok()?;
        (units <= one).then(|| (units << 64).div_ceil(one))
    });
    exact.ok_or_else(|| {
        let message = format!("`sample` takes a fraction from 0 to 1 that is written out, found `{fraction}`");
        Fault::new(ErrorKind::Literal, fraction.span(), message)
            .hint(format!("sample(0.1, 'a seed'); at most {FINEST} digits stand behind the point"))
    })
}

fn buckets(count: &Expr) -> Result<u64, Fault> {
    let whole = digits(count).and_then(|digits| digits.parse::<u64>().ok());
    whole.filter(|whole| (1..=MOST_BUCKETS).contains(whole)).ok_or_else(|| {
        let message = format!("`bucket` takes a number of buckets from 1 on that is written out, found `{count}`");
        let most = format!("bucket(10, 'a seed'); at most {MOST_BUCKETS}");
        Fault::new(ErrorKind::Literal, count.span(), message).hint(most)
    })
}

/// The digits of a number that is written out without an exponent.
fn digits(expr: &Expr) -> Option<&str> {
    let Expr::Value(value) = expr else { return None };
    match &value.value {
        Value::Number(digits, _) if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => Some(digits),
        _ => None,
    }
}

/// A unit as text; of numbers with fractions and of instants engines have different texts.
fn unit_text(typed: Typed, function: &str, unit: &Expr) -> Result<Expr, Fault> {
    match typed.holds {
        Some(ColumnType::Float | ColumnType::Timestamp | ColumnType::Set) => {
            let message = format!("the unit of `{function}` is a text, a whole number or a date, and `{unit}` is none");
            Err(Fault::new(ErrorKind::NotAllowed, unit.span(), message))
        }
        holds => Ok(as_text(sql::nested(typed.sql), holds)),
    }
}

fn as_text(expr: Expr, holds: Option<ColumnType>) -> Expr {
    match holds {
        Some(ColumnType::Text | ColumnType::Id) => expr,
        _ => sql::cast(expr, DataType::Varchar(None)),
    }
}

fn first_digits(digest: Expr) -> Expr {
    sql::call("substr", [digest, sql::number(1), sql::number(DIGITS.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: &str) -> Expr {
        Expr::value(Value::Number(number.to_owned(), false))
    }

    #[test]
    fn a_limit_is_exact_and_rounded_up() {
        for (fraction, expected) in [
            ("0", 0),
            ("0.5", 1 << 63),
            ("0.25000", 1 << 62),
            (".75", 3 << 62),
            ("1", 1 << 64),
            ("1.0", 1 << 64),
            // 2⁶⁴ is 18446744073709551616, so a tenth of it is not whole.
            ("0.1", 1_844_674_407_370_955_162),
            ("0.000000000000000001", 19),
        ] {
            assert_eq!(limit(&written(fraction)).ok(), Some(expected), "{fraction}");
        }
    }

    #[test]
    fn only_fractions_from_nothing_to_all_have_a_limit() {
        for fraction in ["1.5", "2", "1.000000000000000001", "1e-1", "0.0000000000000000001", "0.1.2"] {
            assert!(limit(&written(fraction)).is_err(), "{fraction}");
        }
    }
}
