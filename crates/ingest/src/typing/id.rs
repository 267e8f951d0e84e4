//! Ids: texts that are never numbers. Blanks around them go, leading zeros stay.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, StringViewArray};
use muster_catalog::ColumnType;

use super::{ValueFault, not_a};
use crate::invisible::{has_control, shown};
use crate::report::Reason;

/// The ids, what is wrong with texts that are none, and how many were written with characters that nobody sees; where
/// nothing changes, which is the rule, the very same array.
pub(super) fn read(texts: StringViewArray, integral: bool) -> (ArrayRef, Vec<ValueFault>, u64) {
    let stays = |text: &str| matches!(id(text, integral), Ok(Cow::Borrowed(same)) if same.len() == text.len());
    let is_fine =
        |row: usize| is_plain(texts.views()[row]) && !integral || texts.is_null(row) || stays(texts.value(row));
    if (0..texts.len()).all(is_fine) {
        return (Arc::new(texts), Vec::new(), 0);
    }
    let normalized = texts.iter().flatten().filter(|text| shown(text) != text.trim()).count() as u64;
    let mut faults = Vec::new();
    let mut ids = StringViewBuilder::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        match text.map(|text| id(text, integral)).transpose() {
            Ok(id) => ids.append_option(id),
            Err(reason) => {
                faults.push(ValueFault::of(row, text, reason));
                ids.append_null();
            }
        }
    }
    (Arc::new(ids.finish()), faults, normalized)
}

/// Whether a view holds a short id of which nothing more need be known: every byte can be seen, and none begins an
/// exponent. Most ids are such, so all bytes are looked at together: what is added to each carries into its highest bit
/// where the byte is large enough.
fn is_plain(view: u128) -> bool {
    const INLINE: u32 = 12;
    let length = view as u32;
    if length == 0 || length > INLINE {
        return false;
    }
    let here = (1_u128 << (8 * length)) - 1;
    let each = |byte: u8| u128::from_ne_bytes([byte; 16]) & here;
    let bytes = (view >> u32::BITS) & here;
    let above_blank = bytes + each(0x7f - b' ');
    let delete = bytes + each(1);
    let no_exponent = ((bytes | each(0x20)) ^ each(b'e')) + each(0x7f);
    let seen = above_blank & no_exponent & !delete & !bytes;
    seen & each(0x80) == each(0x80)
}

fn id(text: &str, integral: bool) -> Result<Cow<'_, str>, Reason> {
    let id = shown(text);
    if id.is_empty() {
        return Err(not_a(ColumnType::Id, "at least one character"));
    }
    if is_damaged(id.as_bytes()) {
        return Err(Reason::DamagedId);
    }
    if has_control(&id) {
        return Err(Reason::ControlCharacter);
    }
    match id {
        Cow::Borrowed(id) if integral => whole_number(id),
        Cow::Owned(id) if integral => whole_number(&id).map(|id| id.into_owned().into()),
        id => Ok(id),
    }
}

/// Whether a spreadsheet wrote a long number as `1.23457E+12`. `12E5` is a fine id: no program writes a number like
/// that.
fn is_damaged(text: &[u8]) -> bool {
    let Some(exponent_at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) else { return false };
    let (mantissa, exponent) = (&text[..exponent_at], &text[exponent_at + 1..]);
    let (signed, digits) = match exponent.split_first() {
        Some((b'+' | b'-', digits)) => (true, digits),
        _ => (false, exponent),
    };
    let mantissa = mantissa.strip_prefix(b"-").unwrap_or(mantissa);
    let points = mantissa.iter().filter(|byte| matches!(byte, b'.' | b',')).count();
    let mantissa_is_number = mantissa.first().is_some_and(u8::is_ascii_digit)
        && mantissa.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && points <= 1;
    let exponent_is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    mantissa_is_number && exponent_is_number && (signed || points == 1)
}

/// `17850.0` is `17850`; a number with a fraction is no id, and what is no number stays as it is.
fn whole_number(text: &str) -> Result<Cow<'_, str>, Reason> {
    let Some((whole, fraction)) = text.split_once('.') else { return Ok(text.into()) };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return Ok(text.into());
    }
    if fraction.bytes().all(|byte| byte == b'0') {
        Ok(whole.into())
    } else {
        Err(not_a(ColumnType::Id, "a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use muster_catalog::Column;

    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_plain_id_is_one_whose_every_byte_can_be_seen_and_is_no_e() {
        for byte in 0..=127_u8 {
            let plain = byte.is_ascii_graphic() && !byte.eq_ignore_ascii_case(&b'e');
            for (before, after) in [("", ""), ("A~!", "09"), ("", "12345678901"), ("12345678901", "")] {
                let text = format!("{before}{}{after}", char::from(byte));
                let view = StringViewArray::from_iter_values([&text]).views()[0];
                assert_eq!(is_plain(view), plain, "{text:?}");
            }
        }
        for text in ["", "é", "A\u{ad}B", "1234567890123"] {
            assert!(!is_plain(StringViewArray::from_iter_values([text]).views()[0]), "{text:?}");
        }
    }

    #[test]
    fn leading_zeros_stay_and_blanks_around_go() {
        check(
            &Column::typed("id", ColumnType::Id),
            &[("007", "007"), (" 42\t", "42"), ("85123A", "85123A"), ("1.0", "1.0")],
        );
    }

    #[test]
    fn a_number_in_a_spreadsheets_short_form_is_damaged_and_a_code_with_an_e_is_not() {
        let cases = [
            ("1.23457E+12", "!damaged id"),
            ("1e+16", "!damaged id"),
            ("1,2E12", "!damaged id"),
            ("12E5", "12E5"),
            ("E-1", "E-1"),
            ("84029E", "84029E"),
            ("1-2e+3", "1-2e+3"),
            (" ", "!not an id"),
        ];
        check(&Column::typed("id", ColumnType::Id), &cases);
    }

    #[test]
    fn ids_that_look_the_same_are_the_same_and_controls_are_rejected() {
        let cases = [
            ("\u{a0}A\u{200b}1\u{feff}", "A1"),
            ("Jose\u{301}", "José"),
            ("A B", "A B"),
            ("\u{200b}", "!not an id"),
            ("a\u{0}b", "!control character"),
            ("a\tb", "!control character"),
        ];
        check(&Column::typed("id", ColumnType::Id), &cases);
    }

    #[test]
    fn an_integral_id_loses_its_empty_fraction() {
        let column = Column { integral: true, ..Column::typed("id", ColumnType::Id) };
        check(&column, &[("17850.0", "17850"), ("17850", "17850"), ("17850.5", "!not an id"), ("A.0", "A.0")]);
    }
}
