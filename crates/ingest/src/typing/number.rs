//! Whole numbers, exact decimals and doubles. Nothing is rounded: what does not fit is a fault.

use std::num::IntErrorKind;

use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{PrimitiveArray, StringViewArray};
use arrow_schema::DataType;
use muster_catalog::ColumnType;

use super::locale::NumberForm;
use super::{ValueFault, not_a, primitives};
use crate::report::Reason;

pub(super) fn ints(texts: &StringViewArray, form: &NumberForm) -> (PrimitiveArray<Int64Type>, Vec<ValueFault>) {
    primitives(texts, |text| form.read(text, int))
}

fn int(text: &str) -> Result<i64, Reason> {
    text.trim().parse::<i64>().map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => Reason::OutOfRange { column_type: ColumnType::Int },
        _ => not_a(ColumnType::Int, "digits with an optional sign"),
    })
}

pub(super) fn decimals(
    texts: &StringViewArray,
    form: &NumberForm,
    precision: u8,
    scale: i8,
) -> (PrimitiveArray<Decimal128Type>, Vec<ValueFault>) {
    let shape = DecimalShape { precision, scale, limit: 10_u128.pow(precision.into()) };
    let (array, faults) = primitives(texts, |text| form.read(text, |text| shape.read(text)));
    (array.with_data_type(DataType::Decimal128(precision, scale)), faults)
}

struct DecimalShape {
    precision: u8,
    scale: i8,
    /// Values lie below.
    limit: u128,
}

impl DecimalShape {
    fn read(&self, text: &str) -> Result<i128, Reason> {
        let text = text.trim().as_bytes();
        let (negative, digits) = match text.split_first() {
            Some((b'-', digits)) => (true, digits),
            Some((b'+', digits)) => (false, digits),
            _ => (false, text),
        };
        let point = digits.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = point.map_or((digits, &[][..]), |point| (&digits[..point], &digits[point + 1..]));
        if digits.len() == usize::from(point.is_some()) {
            return Err(self.not_a_number());
        }
        let units = self.units(whole, fraction)?;
        if units >= self.limit {
            return Err(Reason::OutOfRange { column_type: self.column_type() });
        }
        // Below 10^38, so the sign bit is free.
        let units = units as i128;
        Ok(if negative { -units } else { units })
    }

    /// All digits as one number, the fraction filled up to the scale; zeros past the scale say nothing and may go.
    fn units(&self, whole: &[u8], fraction: &[u8]) -> Result<u128, Reason> {
        let scale = usize::from(self.scale.unsigned_abs());
        let (kept, lost) = fraction.split_at(fraction.len().min(scale));
        let units = self.digits(self.digits(0, whole)?, kept)?;
        if !lost.iter().all(u8::is_ascii_digit) {
            return Err(self.not_a_number());
        }
        if lost.iter().any(|byte| *byte != b'0') {
            return Err(Reason::TooManyDecimals { scale: self.scale });
        }
        self.digits(units, &ZEROS[..scale - kept.len()])
    }

    fn digits(&self, mut units: u128, digits: &[u8]) -> Result<u128, Reason> {
        for byte in digits {
            if !byte.is_ascii_digit() {
                return Err(self.not_a_number());
            }
            // Saturating: the check against the limit comes once, at the end.
            units = units.saturating_mul(10).saturating_add(u128::from(byte - b'0'));
        }
        Ok(units)
    }

    fn column_type(&self) -> ColumnType {
        ColumnType::Decimal { precision: self.precision, scale: self.scale }
    }

    fn not_a_number(&self) -> Reason {
        not_a(self.column_type(), "digits with an optional sign and point, like -1234.50")
    }
}

const ZEROS: [u8; 38] = [b'0'; 38];

pub(super) fn floats(texts: &StringViewArray, form: &NumberForm) -> (PrimitiveArray<Float64Type>, Vec<ValueFault>) {
    primitives(texts, |text| form.read(text, float))
}

fn float(text: &str) -> Result<f64, Reason> {
    match text.trim().parse::<f64>() {
        Ok(value) => finite(value),
        Err(_) => Err(not_a(ColumnType::Float, "a number like -12.5 or 1.5e3")),
    }
}

/// Infinities and NaN compare with nothing and spoil every sum; minus zero is zero.
pub(super) fn finite(value: f64) -> Result<f64, Reason> {
    if value.is_finite() { Ok(value + 0.0) } else { Err(Reason::OutOfRange { column_type: ColumnType::Float }) }
}

#[cfg(test)]
mod tests {
    use muster_catalog::Column;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn whole_numbers_are_whole_and_fit_64_bits() {
        let cases = [
            ("42", "42"),
            (" -7 ", "-7"),
            ("+7", "7"),
            ("007", "7"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "!out of range"),
            ("3.0", "!not a whole number"),
            ("", "!not a whole number"),
            ("1e3", "!not a whole number"),
        ];
        check(&Column::typed("n", ColumnType::Int), &cases);
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        let cases = [
            ("2.55", "2.55"),
            ("-0.5", "-0.50"),
            ("12", "12.00"),
            (".5", "0.50"),
            ("5.", "5.00"),
            ("1.500", "1.50"),
            ("-0", "0.00"),
            ("1.505", "!too many decimals"),
            ("99999.99", "99999.99"),
            ("100000", "!out of range"),
            ("1e309", "!not a decimal number"),
            ("NaN", "!not a decimal number"),
            ("1,5", "!not a decimal number"),
            ("1.2.3", "!not a decimal number"),
            ("1.50x", "!not a decimal number"),
            (".", "!not a decimal number"),
            ("-", "!not a decimal number"),
            ("999999999999999999999999999999999999999999999999", "!out of range"),
        ];
        check(&Column::typed("amount", ColumnType::Decimal { precision: 7, scale: 2 }), &cases);
    }

    #[test]
    fn the_widest_decimal_holds_38_digits() {
        let nines = "9".repeat(38);
        let column = Column::typed("n", ColumnType::Decimal { precision: 38, scale: 0 });
        check(
            &column,
            &[(&nines, &nines), (&format!("-{nines}"), &format!("-{nines}")), (&format!("1{nines}"), "!out of range")],
        );
    }

    #[test]
    fn doubles_are_finite() {
        let cases = [
            ("1.5e3", "1500.0"),
            ("-0", "0.0"),
            ("1e309", "!out of range"),
            ("inf", "!out of range"),
            ("NaN", "!out of range"),
            ("x", "!not a number"),
        ];
        check(&Column::typed("x", ColumnType::Float), &cases);
    }
}
