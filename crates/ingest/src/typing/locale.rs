//! How the numbers of a column are written, and what a text means by it: points, groups of digits, signs of currency.
//!
//! A text in the declared form becomes the plain one, `-1234.56`, which the readers of numbers know. What could mean two
//! numbers is rejected with both.

use std::borrow::Cow;

use muster_catalog::Column;

use crate::report::Reason;

/// How the numbers of a column are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct NumberForm {
    point: Option<char>,
    group: Option<char>,
    currency: Vec<String>,
    percent: bool,
}

/// Signs of money that are common enough to be named in a reject.
const SIGNS: [&str; 12] = ["€", "$", "£", "¥", "₹", "₺", "₽", "₩", "₴", "₪", "zł", "kr"];

impl NumberForm {
    pub fn of(column: &Column) -> Self {
        let Column { decimal, thousands, currency, percent, .. } = column;
        Self { point: *decimal, group: *thousands, currency: currency.clone(), percent: *percent }
    }

    /// Reads a text by a reader of plain numbers.
    pub fn read<T>(&self, text: &str, read: impl Fn(&str) -> Result<T, Reason>) -> Result<T, Reason> {
        let found = match self.plain(text) {
            Some(plain) => read(&plain),
            None => read(""),
        };
        found.map_err(|reason| self.explained(text, reason))
    }

    /// The text as a plain number is written, if it keeps to the declared form as far as that goes.
    pub fn plain<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let text = text.trim();
        if self.is_plain() {
            return Some(text.into());
        }
        let (sign, digits) = self.bare(text);
        let (whole, fraction) = match digits.split_once(self.point()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let whole = self.ungrouped(whole)?;
        let strange = |part: &str| part.contains(['.', ',']);
        if strange(&whole) || fraction.is_some_and(strange) {
            return None;
        }
        let point = if fraction.is_some() { "." } else { "" };
        Some(format!("{sign}{whole}{point}{}", fraction.unwrap_or_default()).into())
    }

    /// The text as a plain number, or as it is where it is none in the declared form.
    pub fn plain_or_same<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_plain() { text.into() } else { self.plain(text).unwrap_or(text.into()) }
    }

    fn is_plain(&self) -> bool {
        self.point() == '.' && self.group.is_none() && self.currency.is_empty() && !self.percent
    }

    fn point(&self) -> char {
        self.point.unwrap_or('.')
    }

    /// The sign, and the digits without the signs that may stand beside them.
    fn bare<'a>(&self, text: &'a str) -> (&'static str, &'a str) {
        let (before, text) = signed(text);
        let text = if self.percent { text.strip_suffix('%').map_or(text, str::trim_end) } else { text };
        let strip = |sign: &String| {
            let front = text.strip_prefix(sign.as_str()).map(str::trim_start);
            front.or_else(|| text.strip_suffix(sign.as_str()).map(str::trim_end))
        };
        let text = self.currency.iter().find_map(strip).unwrap_or(text);
        // Of `-€5` and `€-5` one is as good as the other.
        match before {
            "" => signed(text),
            sign => (sign, text),
        }
    }

    /// The digits before the point without what groups them; `None` if the groups are not of three.
    fn ungrouped<'a>(&self, whole: &'a str) -> Option<Cow<'a, str>> {
        if !whole.contains(|c| self.is_group(c)) {
            return Some(whole.into());
        }
        let groups: Vec<&str> = whole.split(|c| self.is_group(c)).collect();
        let (first, others) = groups.split_first()?;
        let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=3).contains(&first.len()) && others.iter().all(|group| group.len() == 3);
        (fits && groups.iter().all(digits)).then(|| groups.concat().into())
    }

    fn is_group(&self, c: char) -> bool {
        match self.group {
            Some(' ') => matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}'),
            Some('\'' | '’') => matches!(c, '\'' | '’'),
            group => group == Some(c),
        }
    }

    /// Says why a text is no number, where more can be said than that it is none.
    fn explained(&self, text: &str, reason: Reason) -> Reason {
        if !matches!(reason, Reason::NotA { .. }) {
            return reason;
        }
        let readings = self.readings(text.trim()).map(|(fraction, group)| Reason::Ambiguous { fraction, group });
        readings.or_else(|| self.money(text)).unwrap_or_else(|| self.expecting(reason))
    }

    /// The two numbers that `1,234` may mean where nobody declared the comma.
    fn readings(&self, text: &str) -> Option<(String, String)> {
        let (sign, digits) = self.bare(text);
        let at = digits.find(['.', ',']).filter(|at| (1..=3).contains(at))?;
        let (whole, fraction) = (&digits[..at], &digits[at + 1..]);
        let separator = char::from(digits.as_bytes()[at]);
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let unclear = separator != self.point() && !self.is_group(separator);
        let fits = unclear && fraction.len() == 3 && all_digits(whole) && all_digits(fraction);
        fits.then(|| (format!("{sign}{whole}.{fraction}"), format!("{sign}{whole}{fraction}")))
    }

    /// A number with a sign of money that is not declared.
    fn money(&self, text: &str) -> Option<Reason> {
        let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        let code = || {
            let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
            (letters.len() == 3 && letters.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(letters)
        };
        let sign = SIGNS.iter().find(|sign| text.contains(**sign)).map(|sign| (*sign).to_owned()).or_else(code);
        let found = sign.filter(|sign| has_digits && !self.currency.contains(sign))?;
        Some(Reason::CurrencySign { found, allowed: self.currency.clone() })
    }

    /// The same reason with an example in the declared form.
    fn expecting(&self, reason: Reason) -> Reason {
        match reason {
            Reason::NotA { column_type, .. } if !self.is_plain() => {
                let (group, point) = (self.group.map(String::from).unwrap_or_default(), self.point());
                Reason::NotA { column_type, expected: format!("a number like -1{group}234{point}50") }
            }
            reason => reason,
        }
    }
}

fn signed(text: &str) -> (&'static str, &str) {
    match text.as_bytes().first() {
        Some(b'-') => ("-", text[1..].trim_start()),
        Some(b'+') => ("", text[1..].trim_start()),
        _ => ("", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(decimal: Option<char>, thousands: Option<char>, cases: &[(&str, Option<&str>)]) {
        let column = Column { decimal, thousands, ..Column::plain("n") };
        for (text, expected) in cases {
            assert_eq!(NumberForm::of(&column).plain(text).as_deref(), *expected, "{text}");
        }
    }

    #[test]
    fn groups_are_of_three_and_the_point_is_the_declared_one() {
        let german = [("1.234,56", Some("1234.56")), ("-1.234.567", Some("-1234567")), ("12,5", Some("12.5"))];
        check(Some(','), Some('.'), &german);
        check(Some(','), Some('.'), &[("1.23", None), ("1,2,3", None), ("1234.567", None), ("1,234.5", None)]);
        check(Some(','), None, &[("1,5", Some("1.5")), ("1.5", None)]);
        let french = [("1 234", Some("1234")), ("1\u{a0}234\u{202f}567,8", None), ("1\u{2009}234.5", Some("1234.5"))];
        check(None, Some(' '), &french);
        check(None, Some('\''), &[("1'234.5", Some("1234.5")), ("1’234", Some("1234")), ("12'34", None)]);
    }

    #[test]
    fn signs_of_money_and_percent_go_where_they_are_declared() {
        let column = Column { currency: vec!["€".into(), "EUR".into()], percent: true, ..Column::plain("n") };
        let form = NumberForm::of(&column);
        for (text, expected) in
            [("€ 5", "5"), ("-€5.50", "-5.50"), ("€-5", "-5"), ("5 EUR", "5"), ("12.5 %", "12.5"), ("7", "7")]
        {
            assert_eq!(form.plain(text).as_deref(), Some(expected), "{text}");
        }
    }
}
