//! Numbers with an exponent, written out: `1.5E3` is 1500 to whoever wants digits. No digit is lost on the way.

use std::borrow::Cow;

/// Exponents past this are no figures of a business; they stay as they are.
const LARGEST_EXPONENT: usize = 64;

/// A JSON number without exponent, as exact as it was; unchanged where it has none, or a very large one.
pub(crate) fn written_out(number: &str) -> Cow<'_, str> {
    match without_exponent(number) {
        Some(text) => text.into(),
        None => number.into(),
    }
}

fn without_exponent(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E'])?;
    let exponent: i64 = exponent.parse().ok()?;
    let shift = usize::try_from(exponent.unsigned_abs()).ok().filter(|shift| *shift <= LARGEST_EXPONENT)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) =
        if exponent < 0 { moved_left(whole, fraction, shift) } else { moved_right(whole, fraction, shift) };
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn moved_right(whole: &str, fraction: &str, by: usize) -> (String, String) {
    let filled = format!("{fraction:0<by$}");
    let (moved, left) = filled.split_at(by);
    (format!("{whole}{moved}"), left.to_owned())
}

fn moved_left(whole: &str, fraction: &str, by: usize) -> (String, String) {
    let filled = format!("{whole:0>width$}", width = by + 1);
    let (left, moved) = filled.split_at(filled.len() - by);
    (left.to_owned(), format!("{moved}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_moves_and_no_digit_goes() {
        for (number, expected) in [
            ("1.5E3", "1500"),
            ("1.5e+1", "15"),
            ("12.3456e2", "1234.56"),
            ("1e-05", "0.00001"),
            ("-120.50e-2", "-1.205"),
            ("0e5", "0"),
            ("10E0", "10"),
            ("1e400", "1e400"),
            ("1e-99999999999999999999", "1e-99999999999999999999"),
            ("2.50", "2.50"),
            ("0.10000000000000000000000000000001e1", "1.0000000000000000000000000000001"),
        ] {
            assert_eq!(written_out(number), expected, "{number}");
        }
    }
}
