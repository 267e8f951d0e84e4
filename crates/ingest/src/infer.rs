//! What a column looks like: its type from the first values, and the reason in words.

use chrono::Datelike;
use muster_catalog::ColumnType;

use crate::error::shortened;

/// Values that are looked at, at most.
pub(crate) const SAMPLED_ROWS: usize = 10_000;
const PRECISION: u8 = 18;
const LARGEST_SCALE: usize = 9;

/// The narrowest type that all values fit, and why. Text where they have nothing in common, or where there are none.
pub(crate) fn infer<'a>(values: impl Iterator<Item = &'a str> + Clone) -> (ColumnType, String) {
    let count = values.clone().count();
    if count == 0 {
        return (ColumnType::Text, "no value in the first rows".to_owned());
    }
    if values.clone().all(is_bool) {
        return (ColumnType::Bool, format!("true or false in the first {count} values"));
    }
    if values.clone().all(is_int) {
        return (ColumnType::Int, format!("whole numbers in the first {count} values"));
    }
    if let Some(scale) = common_scale(values.clone()) {
        let why = format!("numbers with at most {scale} digits after the point in the first {count} values");
        return (ColumnType::Decimal { precision: PRECISION, scale }, why);
    }
    if values.clone().all(is_date) {
        return (ColumnType::Date, format!("dates in the first {count} values"));
    }
    if values.clone().all(is_instant) {
        return (ColumnType::Timestamp, format!("dates with times in the first {count} values"));
    }
    (ColumnType::Text, text_reason(values))
}

fn text_reason<'a>(mut values: impl Iterator<Item = &'a str> + Clone) -> String {
    if values.clone().all(|value| value.bytes().all(|byte| byte.is_ascii_digit())) {
        return "digits, but with leading zeros or too many for a number".to_owned();
    }
    match values.find(|value| common_scale(std::iter::once(*value)).is_none()) {
        Some(odd) => format!("values like \"{}\"", shortened(odd, 40)),
        None => "numbers that together need more digits than one type has".to_owned(),
    }
}

fn is_bool(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

/// Digits that lose nothing as a number: no plus, no leading zero.
fn is_int(value: &str) -> bool {
    is_number_text(value) && !value.contains('.') && value.parse::<i64>().is_ok()
}

fn is_number_text(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0')) && value != "-0"
}

/// The digits after the point that hold all values exactly, if they are numbers of few enough digits.
fn common_scale<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<i8> {
    let (whole, scale) = values.try_fold((0, 0), |(whole, scale), value| {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        is_number_text(value).then_some((before.len().max(whole), after.len().max(scale)))
    })?;
    let fits = scale <= LARGEST_SCALE && whole + scale <= usize::from(PRECISION);
    fits.then_some(i8::try_from(scale).ok()?)
}

fn is_date(value: &str) -> bool {
    value.len() == "YYYY-MM-DD".len() && is_instant(value)
}

/// Years that stand for "not known" are no dates: as such they would be rejected.
fn is_instant(value: &str) -> bool {
    let years = 1800..2200;
    muster_catalog::parse_local(value, chrono_tz::Tz::UTC).is_ok_and(|instant| years.contains(&instant.utc().year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: &str) {
        assert_eq!(infer(values.iter().copied()).0.to_string(), expected, "{values:?}");
    }

    #[test]
    fn a_type_is_inferred_only_where_nothing_is_lost() {
        check(&["1", "-20", "0"], "int");
        check(&["1", "007"], "text");
        check(&["+316", "12"], "text");
        check(&["9223372036854775808"], "text");
        check(&["1.5", "2", "-0.25"], "decimal(18,2)");
        check(&["0.0000000001"], "text");
        check(&["01.5"], "text");
        check(&["1e5"], "text");
        check(&["2025-06-30", "2024-02-29"], "date");
        check(&["2025-06-30", "2025-06-30 12:00"], "timestamp");
        check(&["2025-02-30"], "text");
        check(&["2025-02-28", "9999-12-31"], "text");
        check(&["true", "FALSE"], "bool");
        check(&["1", "0"], "int");
        check(&["Y", "N"], "text");
        check(&[], "text");
    }

    #[test]
    fn the_reason_names_what_was_seen() {
        let why = |values: &[&str]| infer(values.iter().copied()).1;
        assert_eq!(why(&["1", "007"]), "digits, but with leading zeros or too many for a number");
        assert_eq!(why(&["12", "n/a"]), "values like \"n/a\"");
        assert_eq!(why(&["1.25"]), "numbers with at most 2 digits after the point in the first 1 values");
    }
}
