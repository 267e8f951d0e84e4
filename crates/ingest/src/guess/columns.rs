//! The type of a column, from what its values look like.

use muster_catalog::ColumnType;

use super::looks::{Kind, Looks, SEPARATORS, Written};
use super::pass::{ColumnFacts, TableFacts};
use super::sketch::hash;
use super::words::{has_word, names_an_id};
use super::{ColumnGuess, Said, TableGuess, TableKind};

const PRECISION: u8 = 18;
/// More digits after the point are no money, but measurements.
const LARGEST_SCALE: usize = 4;
/// Ids of this many digits, always as many, are none that one counts with.
const LONG_NUMBER: usize = 9;
const FEW_VALUES: u64 = 20;
/// Texts that people write for "no value".
const NO_VALUE: [&str; 14] =
    ["NA", "N/A", "n/a", "#N/A", "NULL", "null", "nil", "NaN", "nan", "None", "none", "-", "?", "unknown"];
/// Words for true and false; the first three pairs are understood without being declared.
const TWO_WORDS: [(&str, &str); 6] =
    [("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("j", "n"), ("ja", "nee")];

/// One table per candidate, with the types of its columns and nothing else.
pub(crate) fn tables(facts: &[TableFacts]) -> Vec<TableGuess> {
    facts.iter().map(table).collect()
}

fn table(facts: &TableFacts) -> TableGuess {
    TableGuess {
        name: facts.candidate.name.clone(),
        file: facts.candidate.name.clone(),
        pattern: facts.candidate.pattern.clone(),
        files: facts.candidate.files.len(),
        rows: facts.rows,
        misshapen: facts.misshapen,
        kind: Said::new(TableKind::Unplaced, 0.0, ""),
        key: None,
        parent: None,
        time: None,
        updated_at: None,
        links: Vec::new(),
        needs: None,
        blanks: facts.candidate.blanks,
        one_row_per_key: false,
        columns: facts.columns.iter().map(column).collect(),
    }
}

/// What a column holds.
fn column(facts: &ColumnFacts) -> ColumnGuess {
    let ways = [no_value, yes_or_no, days, instants, id_by_name, numbers, codes, set];
    let mut guess = ways.iter().find_map(|way| way(facts)).unwrap_or_else(|| text(facts));
    if !guess.column_type.value.is_text() {
        guess.null.extend(facts.blanks.iter().cloned());
    }
    let seen = facts.rows - facts.absent;
    if seen > 0 && seen < 5 {
        guess.column_type.sure *= 0.6;
    } else if seen < FEW_VALUES {
        guess.column_type.sure = guess.column_type.sure.min(0.75);
    }
    guess
}

/// A column of this type and nothing special.
pub(crate) fn plain(facts: &ColumnFacts, column_type: Said<ColumnType>) -> ColumnGuess {
    ColumnGuess {
        name: facts.name.clone(),
        column_type,
        format: None,
        words: None,
        separator: None,
        integral: false,
        comma: None,
        null: Vec::new(),
        placeholder: Vec::new(),
        role: None,
        misfits: None,
    }
}

/// How the values of a column that are not of a kind can be borne.
enum Fit {
    All,
    /// All but texts that mean "no value".
    But(Vec<String>),
    /// All but a few, whose rows will be rejected.
    Mostly(u64, Vec<String>),
}

fn fit(facts: &ColumnFacts, kind: &Kind) -> Option<Fit> {
    if kind.fits == 0 {
        return None;
    }
    if kind.misfits == 0 {
        return Some(Fit::All);
    }
    let named = kind.misfits == kind.first_misfits.len() as u64;
    if named && kind.first_misfits.iter().all(|text| NO_VALUE.contains(&text.as_str())) {
        return Some(Fit::But(kind.first_misfits.clone()));
    }
    let rows: u64 = kind.first_misfits.iter().map(|text| facts.values.count(hash(text))).sum();
    let bearable = named && kind.share() >= 0.98 && rows * 200 <= facts.rows;
    bearable.then(|| Fit::Mostly(rows, kind.first_misfits.clone()))
}

impl ColumnGuess {
    fn bearing(mut self, fit: Fit) -> Self {
        match fit {
            Fit::All => {}
            Fit::But(texts) => {
                self.column_type.why += &format!(", apart from {}", texts.join(", "));
                self.null = texts;
            }
            Fit::Mostly(rows, values) => {
                self.column_type.sure = self.column_type.sure.min(0.75);
                self.misfits = Some((rows, values));
            }
        }
        self
    }
}

fn no_value(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let nothing = facts.looks.values == 0;
    nothing.then(|| plain(facts, Said::new(ColumnType::Text, 0.3, "no row has a value")))
}

fn yes_or_no(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let few = &facts.looks.few;
    let [one, other] = few.as_slice() else { return None };
    let is = |word: &str, found: &str| word.eq_ignore_ascii_case(found);
    let pair =
        TWO_WORDS.iter().position(|(yes, no)| (is(yes, one) && is(no, other)) || (is(yes, other) && is(no, one)))?;
    let (yes, no) = if is(TWO_WORDS[pair].0, one) { (one, other) } else { (other, one) };
    let why = format!("{yes} and {no} are the only values in {} rows", facts.rows);
    let mut guess = plain(facts, Said::new(ColumnType::Bool, 0.9, why));
    // The usual English words need no saying.
    guess.words = (pair > 3).then(|| (yes.clone(), no.clone()));
    Some(guess)
}

fn days(facts: &ColumnFacts) -> Option<ColumnGuess> {
    written(facts, &facts.looks.days, ColumnType::Date, "days")
}

fn instants(facts: &ColumnFacts) -> Option<ColumnGuess> {
    written(facts, &facts.looks.instants, ColumnType::Timestamp, "days with times")
}

/// The way in which all values are written; several ways are one too many.
fn written(facts: &ColumnFacts, ways: &[Written], column_type: ColumnType, what: &str) -> Option<ColumnGuess> {
    let fitting: Vec<(&Written, Fit)> = ways.iter().filter_map(|way| Some((way, fit(facts, &way.kind)?))).collect();
    let more = fitting.len().saturating_sub(1);
    let (way, fit) = fitting.into_iter().next()?;
    let as_written = if way.format.is_empty() { "YYYY-MM-DD" } else { way.format.as_str() };
    let why = format!("{what} as {as_written} in {} distinct values", way.kind.fits);
    let sure = match (way.format.as_str(), more) {
        ("", _) => 0.97,
        ("%Y%m%d", 0) if has_word(&facts.name, &["date", "day", "datum", "dob", "time"]) => 0.9,
        ("%Y%m%d", 0) => 0.65,
        (_, 0) => 0.9,
        _ => 0.4,
    };
    let why = if sure < 0.5 { format!("{why}; the day and the month could be the other way round") } else { why };
    let mut guess = plain(facts, Said::new(column_type, sure, why));
    guess.format = (!way.format.is_empty()).then(|| way.format.clone());
    Some(guess.bearing(fit))
}

/// A name of an id, and values that can be one.
fn id_by_name(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let Looks { numbers, with_blanks, longest, values, .. } = &facts.looks;
    let whole_floats = numbers.whole_floats > 0 && numbers.whole_floats == numbers.exact.fits - numbers.ints.fits;
    let fraction = numbers.exact.fits > numbers.ints.fits && !whole_floats;
    if !names_an_id(&facts.name) || *with_blanks * 10 > *values || *longest > 64 || fraction {
        return None;
    }
    let why = format!("its name, and {} distinct values without blanks", facts.values.distinct());
    let mut guess = plain(facts, Said::new(ColumnType::Id, 0.9, why));
    guess.integral = whole_floats;
    Some(guess)
}

fn numbers(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let ways = [whole_numbers, exact_numbers, comma_numbers, measures];
    ways.iter().find_map(|way| way(facts))
}

/// `1.234,50`: a comma before the fraction, and perhaps points between groups of three.
fn comma_numbers(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let comma = &facts.looks.comma;
    let fit = fit(facts, &comma.kind).filter(|_| comma.fractions > 0)?;
    let unclear = comma.scale == 3 && comma.groups == 0;
    let why = format!("numbers with a comma before at most {} digits", comma.scale);
    let (sure, why) =
        if unclear { (0.5, format!("{why}; it could as well stand between thousands")) } else { (0.85, why) };
    let column_type = ColumnType::Decimal { precision: PRECISION, scale: i8::try_from(comma.scale).ok()? };
    let mut guess = plain(facts, Said::new(column_type, sure, why)).bearing(fit);
    guess.comma = Some(comma.groups > 0);
    (comma.scale <= LARGEST_SCALE).then_some(guess)
}

fn whole_numbers(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let Looks { numbers, shortest, longest, .. } = &facts.looks;
    let fit = fit(facts, &numbers.ints)?;
    let long = shortest == longest && *longest >= LONG_NUMBER && facts.values.distinct() > 50;
    let said = if long {
        let why = format!("{} distinct numbers, always of {longest} digits", facts.values.distinct());
        Said::new(ColumnType::Id, 0.7, why)
    } else {
        let why = format!("whole numbers from {} to {}", numbers.smallest, numbers.largest);
        Said::new(ColumnType::Int, 0.9, why)
    };
    Some(plain(facts, said).bearing(fit))
}

fn exact_numbers(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let numbers = &facts.looks.numbers;
    let scale = numbers.scale();
    if scale > LARGEST_SCALE || numbers.whole_digits + scale > usize::from(PRECISION) {
        return None;
    }
    let fit = fit(facts, &numbers.exact)?;
    let why =
        format!("numbers from {} to {} with at most {scale} digits after the point", numbers.smallest, numbers.largest);
    let column_type = ColumnType::Decimal { precision: PRECISION, scale: i8::try_from(scale).ok()? };
    Some(plain(facts, Said::new(column_type, 0.9, why)).bearing(fit))
}

/// A single number that a program wrote in its own way must not make a float of money.
fn measures(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let numbers = &facts.looks.numbers;
    let fit = fit(facts, &numbers.any)?;
    if numbers.digits.fits == facts.looks.values {
        return None;
    }
    let why = format!("numbers from {} to {} with up to {} digits", numbers.smallest, numbers.largest, numbers.scale());
    Some(plain(facts, Said::new(ColumnType::Float, 0.85, why)).bearing(fit))
}

/// Letters and digits in one form, as C0000001; or digits with zeros before them, always as many.
fn codes(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let Looks { numbers, shortest, longest, with_blanks, emails, phones, values, .. } = &facts.looks;
    let (mask, share) = facts.looks.mask();
    if *with_blanks > 0 || *values < 3 || emails.share() > 0.5 || phones.share() > 0.5 {
        return None;
    }
    if fit(facts, &numbers.digits).is_some() && shortest == longest {
        let why = format!("digits, some with zeros before them, always {longest}");
        return Some(plain(facts, Said::new(ColumnType::Id, 0.7, why)));
    }
    let (digits, letters) = (mask.matches('9').count(), mask.matches('A').count());
    let is_code = share >= 0.95 && digits >= 2 && letters > 0 && mask.len() >= 3;
    let is_uuid = *shortest == 36 && *longest == 36 && facts.looks.few.iter().all(|value| is_uuid(value));
    if !is_code && !is_uuid {
        return None;
    }
    let shown = facts.looks.few.first().map_or("", String::as_str);
    let formed = if is_uuid { *values } else { (share * *values as f64).round() as u64 };
    let why = format!("codes like {shown}: {formed} of {values} distinct values have that form");
    Some(plain(facts, Said::new(ColumnType::Id, 0.85, why)))
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Short members that are used again and again.
fn set(facts: &ColumnFacts) -> Option<ColumnGuess> {
    let (members, separator) = facts.looks.members.iter().zip(SEPARATORS).find(|(members, _)| {
        let several = members.values * 10 >= facts.looks.values && members.values >= 3;
        several && !members.prose && members.reuse() >= 3.0 && members.longest <= 40
    })?;
    let why = format!(
        "{} of {} distinct values are several between \"{separator}\", with {} members in all",
        members.values,
        facts.looks.values,
        members.distinct()
    );
    let mut guess = plain(facts, Said::new(ColumnType::Set, 0.85, why));
    guess.separator = Some(separator);
    Some(guess)
}

fn text(facts: &ColumnFacts) -> ColumnGuess {
    let shown = facts.looks.few.first().map_or("", String::as_str);
    let times = &facts.looks.times_of_day;
    let what = if times.misfits == 0 && times.fits > 0 { "times of day" } else { "values" };
    let why = format!("{what} like \"{shown}\", {} distinct", facts.values.distinct());
    plain(facts, Said::new(ColumnType::Text, 0.9, why))
}
