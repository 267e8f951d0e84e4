//! What the values of a column look like: numbers, days, codes, addresses. Every distinct value is looked at once.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use hashbrown::HashSet;
use muster_catalog::{Timestamp, parse_local};

use super::sketch::hash;

/// Values that are kept as they are, at most.
const FEW: usize = 64;
/// Values that do not fit and are kept to be named.
const NAMED: usize = 5;
const MASKS: usize = 64;
const LONGEST_MASK: usize = 40;
const MEMBERS: usize = 4_096;
const DIGITS: usize = 18;
/// How days are written where they are not written `2025-06-30`.
pub(crate) const FORMATS: [&str; 7] =
    ["%d-%m-%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%m-%d-%Y"];
const TIMES: [&str; 2] = ["%H:%M:%S", "%H:%M"];
pub(crate) const SEPARATORS: [char; 3] = [';', '|', ','];

/// How many values are of one kind, and the first that are not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kind {
    pub fits: u64,
    pub misfits: u64,
    pub first_misfits: Vec<String>,
}

impl Kind {
    fn note(&mut self, fits: bool, value: &str) {
        if fits {
            self.fits += 1;
            return;
        }
        self.misfits += 1;
        if self.first_misfits.len() < NAMED {
            self.first_misfits.push(value.chars().take(40).collect());
        }
    }

    /// The share of values that fit, 0 to 1.
    pub fn share(&self) -> f64 {
        let all = self.fits + self.misfits;
        if all == 0 { 0.0 } else { self.fits as f64 / all as f64 }
    }

    /// Not worth trying any more.
    fn is_hopeless(&self) -> bool {
        self.misfits > 20 && self.misfits > self.fits
    }
}

/// A way to write days or instants, and how many values are written so.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// For strftime; empty for ISO 8601.
    pub format: String,
    pub kind: Kind,
    /// Seconds since 1970, over the distinct values.
    pub first: i64,
    pub last: i64,
    sum: f64,
}

impl Written {
    fn new(format: String) -> Self {
        Self { format, kind: Kind::default(), first: i64::MAX, last: i64::MIN, sum: 0.0 }
    }

    fn note(&mut self, seconds: Option<i64>, value: &str) {
        self.kind.note(seconds.is_some(), value);
        let Some(seconds) = seconds else { return };
        self.first = self.first.min(seconds);
        self.last = self.last.max(seconds);
        self.sum += seconds as f64;
    }

    /// The middle of the instants, in seconds since 1970.
    pub fn mean(&self) -> f64 {
        self.sum / (self.kind.fits.max(1)) as f64
    }
}

/// What the numbers among the values are like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    /// Whole numbers that lose nothing as a number.
    pub ints: Kind,
    /// These and numbers with a point.
    pub exact: Kind,
    /// These and numbers with an exponent.
    pub any: Kind,
    /// Digits only, leading zeros and all.
    pub digits: Kind,
    /// Whole numbers written as `17850.0`.
    pub whole_floats: u64,
    /// Values with so many digits after the point.
    pub scales: [u64; DIGITS + 1],
    pub whole_digits: usize,
    pub smallest: f64,
    pub largest: f64,
}

/// Numbers with a comma before the fraction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comma {
    /// These and whole numbers.
    pub kind: Kind,
    pub fractions: u64,
    /// Values with points between groups of three digits.
    pub groups: u64,
    /// The most digits after the comma.
    pub scale: usize,
}

impl Comma {
    fn note(&mut self, value: &str) {
        let number = value.strip_prefix('-').unwrap_or(value);
        let (whole, fraction) = number.split_once(',').map_or((number, None), |(whole, part)| (whole, Some(part)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (first, groups) = whole.split_once('.').map_or((whole, None), |(first, rest)| (first, Some(rest)));
        let in_threes = groups.is_none_or(|rest| rest.split('.').all(|group| group.len() == 3 && digits(group)));
        let fits = digits(first) && (groups.is_none() || first.len() <= 3) && in_threes && fraction.is_none_or(digits);
        self.kind.note(fits && whole.len() <= DIGITS, value);
        if fits {
            self.fractions += u64::from(fraction.is_some());
            self.groups += u64::from(groups.is_some());
            self.scale = self.scale.max(fraction.map_or(0, str::len));
        }
    }
}

/// What the values of a column look like.
#[derive(Debug, Clone)]
pub(crate) struct Looks {
    /// Distinct values that were looked at.
    pub values: u64,
    pub numbers: Numbers,
    pub comma: Comma,
    pub days: Vec<Written>,
    pub instants: Vec<Written>,
    pub times_of_day: Kind,
    pub emails: Kind,
    pub phones: Kind,
    pub with_blanks: u64,
    pub shortest: usize,
    pub longest: usize,
    /// Letters as `A`, digits as `9`: how many values have each form; the commonest forms.
    masks: BTreeMap<String, u64>,
    /// The first values, as they are.
    pub few: Vec<String>,
    pub members: [Members; SEPARATORS.len()],
}

/// What is between the separators, if it is a set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    /// Values with a separator, and the members of these.
    pub values: u64,
    pub members: u64,
    pub longest: usize,
    distinct: HashSet<u64>,
    /// Whether a blank follows a separator: then it is prose.
    pub prose: bool,
}

impl Members {
    /// How often a member is used again, on average; 0 where there are too many to know.
    pub fn reuse(&self) -> f64 {
        let known = !self.distinct.is_empty() && self.distinct.len() < MEMBERS;
        if known { self.members as f64 / self.distinct.len() as f64 } else { 0.0 }
    }

    pub fn distinct(&self) -> usize {
        self.distinct.len()
    }

    fn note(&mut self, value: &str, separator: char) {
        if !value.contains(separator) {
            return;
        }
        self.values += 1;
        self.prose |= value.split(separator).skip(1).any(|part| part.starts_with(' ') || part.is_empty());
        for part in value.split(separator) {
            self.members += 1;
            self.longest = self.longest.max(part.len());
            if self.distinct.len() < MEMBERS {
                self.distinct.insert(hash(part));
            }
        }
    }
}

impl Default for Looks {
    fn default() -> Self {
        let iso = || std::iter::once(Written::new(String::new()));
        let with_times = FORMATS.iter().flat_map(|day| TIMES.map(|time| Written::new(format!("{day} {time}"))));
        Self {
            values: 0,
            numbers: Numbers { smallest: f64::INFINITY, largest: f64::NEG_INFINITY, ..Numbers::default() },
            comma: Comma::default(),
            days: iso().chain(FORMATS.map(|format| Written::new(format.to_owned()))).collect(),
            instants: iso().chain(with_times).collect(),
            times_of_day: Kind::default(),
            emails: Kind::default(),
            phones: Kind::default(),
            with_blanks: 0,
            shortest: usize::MAX,
            longest: 0,
            masks: BTreeMap::new(),
            few: Vec::new(),
            members: Default::default(),
        }
    }
}

impl Looks {
    /// Looks at a value that was not seen before.
    pub fn note(&mut self, value: &str) {
        let value = value.trim();
        self.values += 1;
        self.shortest = self.shortest.min(value.len());
        self.longest = self.longest.max(value.len());
        self.with_blanks += u64::from(value.contains(' '));
        self.numbers.note(value);
        if !self.comma.kind.is_hopeless() {
            self.comma.note(value);
        }
        self.note_times(value);
        self.emails.note(is_email(value), value);
        self.phones.note(is_phone(value), value);
        self.note_mask(value);
        self.members.iter_mut().zip(SEPARATORS).for_each(|(members, separator)| members.note(value, separator));
        if self.few.len() < FEW {
            self.few.push(value.chars().take(60).collect());
        }
    }

    fn note_times(&mut self, value: &str) {
        let could_be = (8..=35).contains(&value.len()) && value.starts_with(|c: char| c.is_ascii_digit());
        for day in &mut self.days {
            if !day.kind.is_hopeless() {
                day.note(if could_be { day_in(value, &day.format) } else { None }, value);
            }
        }
        for instant in &mut self.instants {
            if !instant.kind.is_hopeless() {
                instant.note(if could_be { instant_in(value, &instant.format) } else { None }, value);
            }
        }
        self.times_of_day.note(is_time_of_day(value), value);
    }

    fn note_mask(&mut self, value: &str) {
        let mask = if value.len() > LONGEST_MASK { "…".to_owned() } else { mask(value) };
        let full = self.masks.len() >= MASKS;
        match self.masks.get_mut(&mask) {
            Some(count) => *count += 1,
            None if full => {}
            None => drop(self.masks.insert(mask, 1)),
        }
    }

    /// The commonest form with the share of the values that have it.
    pub fn mask(&self) -> (&str, f64) {
        let most = self.masks.iter().max_by_key(|(_, count)| **count);
        most.map_or(("", 0.0), |(mask, count)| (mask, *count as f64 / self.values.max(1) as f64))
    }
}

impl Numbers {
    fn note(&mut self, value: &str) {
        let number = value.strip_prefix('-').unwrap_or(value);
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let plain = digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits);
        let scale = fraction.map_or(0, str::len);
        self.digits.note(digits(value), value);
        self.ints.note(plain && fraction.is_none() && whole.len() <= DIGITS, value);
        self.exact.note(plain && whole.len() + scale <= DIGITS, value);
        let written = value.ends_with(|c: char| c.is_ascii_digit()) && !value.starts_with('+');
        let parsed: Option<f64> = if written { value.parse().ok() } else { None };
        self.any.note(parsed.is_some(), value);
        if plain && scale <= DIGITS {
            self.scales[scale] += 1;
            self.whole_digits = self.whole_digits.max(whole.len());
            self.whole_floats += u64::from(fraction == Some("0"));
        }
        if let Some(number) = parsed {
            self.smallest = self.smallest.min(number);
            self.largest = self.largest.max(number);
        }
    }

    /// The most digits after the point.
    pub fn scale(&self) -> usize {
        self.scales.iter().rposition(|count| *count > 0).unwrap_or(0)
    }
}

fn day_in(value: &str, format: &str) -> Option<i64> {
    if format.is_empty() {
        return if value.len() == "YYYY-MM-DD".len() { instant_in(value, "") } else { None };
    }
    if (format == "%Y%m%d") != value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let day = NaiveDate::parse_from_str(value, format).ok()?;
    in_range(day.and_hms_opt(0, 0, 0)?)
}

fn instant_in(value: &str, format: &str) -> Option<i64> {
    if format.is_empty() {
        let instant = parse_local(value, chrono_tz::Tz::UTC).ok()?;
        return in_range(Timestamp::utc(instant).naive_utc());
    }
    in_range(NaiveDateTime::parse_from_str(value, format).ok()?)
}

/// Years that a shop may mean; `%Y` also reads 25 as a year of antiquity.
fn in_range(instant: NaiveDateTime) -> Option<i64> {
    let seconds = instant.and_utc().timestamp();
    let year = 365 * 86_400;
    (-120 * year..230 * year).contains(&seconds).then_some(seconds)
}

fn is_time_of_day(value: &str) -> bool {
    matches!(value.len(), 4..=8) && TIMES.iter().any(|format| chrono::NaiveTime::parse_from_str(value, format).is_ok())
}

fn is_email(value: &str) -> bool {
    let Some((name, host)) = value.split_once('@') else { return false };
    let inner_dot = host.trim_matches('.').contains('.');
    !name.is_empty() && inner_dot && !host.contains('@') && !value.contains(' ')
}

/// International, or ten digits with a zero in front.
fn is_phone(value: &str) -> bool {
    if !value.starts_with(['+', '0', '(']) {
        return false;
    }
    let digits: String = value.chars().filter(|c| !" -()".contains(*c)).collect();
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match digits.strip_prefix('+') {
        Some(rest) => (8..=15).contains(&rest.len()) && all_digits(rest),
        None => digits.len() == 10 && digits.starts_with('0') && all_digits(&digits),
    }
}

fn mask(value: &str) -> String {
    let sign = |c: char| match c {
        c if c.is_ascii_digit() => '9',
        c if c.is_alphabetic() => 'A',
        c => c,
    };
    value.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Looks {
        let mut looks = Looks::default();
        values.iter().for_each(|value| looks.note(value));
        looks
    }

    #[test]
    fn numbers_are_told_apart_by_what_they_lose() {
        let numbers = of(&["1", "-20", "1.50", "007", "4.440892e-16", "x", "12345678901234567890"]).numbers;
        let counts = [&numbers.ints, &numbers.exact, &numbers.any, &numbers.digits].map(|kind| kind.fits);
        assert_eq!((counts, numbers.scale()), ([2, 3, 6, 3], 2));
        assert_eq!(numbers.exact.first_misfits, ["007", "4.440892e-16", "x", "12345678901234567890"]);
    }

    #[test]
    fn days_are_told_apart_by_how_they_are_written() {
        let fits = |values: &[&str]| {
            let looks = of(values);
            let all = looks.days.iter().chain(&looks.instants).filter(|way| way.kind.misfits == 0);
            all.map(|way| way.format.clone()).collect::<Vec<_>>()
        };
        assert_eq!(fits(&["2025-06-30"]), ["", ""]);
        assert_eq!(fits(&["2025-06-30T12:00:00"]), [""]);
        assert_eq!(fits(&["31-01-2025"]), ["%d-%m-%Y"]);
        assert_eq!(fits(&["01-02-2025"]), ["%d-%m-%Y", "%m-%d-%Y"]);
        assert_eq!(fits(&["20250630"]), ["%Y%m%d"]);
        assert_eq!(fits(&["12/31/2025 23:59"]), ["%m/%d/%Y %H:%M"]);
        assert_eq!(fits(&["10000001"]), [""; 0]);
        assert_eq!(fits(&["01-02-25"]), [""; 0]);
    }

    #[test]
    fn addresses_and_numbers_of_phones_are_known_by_their_form() {
        for (value, email, phone) in [
            ("a.b@shop.example", true, false),
            ("a@b", false, false),
            ("a b@c.example", false, false),
            ("a@@b.example", false, false),
            ("+31612345678", false, true),
            ("06-12345678", false, true),
            ("12345678", false, false),
        ] {
            assert_eq!((is_email(value), is_phone(value)), (email, phone), "{value}");
        }
    }

    #[test]
    fn the_commonest_form_says_how_common_it_is() {
        let looks = of(&["C001", "C002", "C003", "none"]);
        assert_eq!(looks.mask(), ("A999", 0.75));
    }

    #[test]
    fn members_of_a_set_are_used_again_and_words_of_prose_are_not() {
        let set = of(&["a;b", "b;c", "c;a", "a;b;c", "a"]);
        assert_eq!((set.members[0].values, set.members[0].distinct(), set.members[0].reuse()), (4, 3, 3.0));
        assert!(of(&["one, two"]).members[2].prose && !set.members[0].prose);
    }
}
