//! What a column means to muster: addresses, days of birth, places, consent.

use muster_catalog::{ColumnType, Role};

use super::pass::{ColumnFacts, TableFacts};
use super::sketch::hash;
use super::words::{BIRTH, CONSENT, EMAIL, LANGUAGE, PUSH, SMS, has_word, words};
use super::{ColumnGuess, Said, TableGuess, TableKind, places};

const YEAR: i64 = 31_557_600;
/// Days that programs write where nobody knows the day.
const PLACEHOLDERS: [&str; 5] = ["1900-01-01", "1970-01-01", "1800-01-01", "0001-01-01", "9999-12-31"];

/// Gives roles to columns of all tables.
pub(crate) fn guess(facts: &[TableFacts], tables: &mut [TableGuess]) {
    let latest = latest(facts);
    for (facts, table) in facts.iter().zip(tables) {
        for (facts, column) in facts.columns.iter().zip(&mut table.columns) {
            column.role = address(facts, column).or_else(|| birth(facts, column, latest)).or_else(|| other(column));
            if let Some(Said { value: Role::BirthDate, .. }) = column.role {
                column.placeholder = placeholder(facts);
            }
        }
        places::guess(facts, table);
        consents(table);
        once_each(table);
        take_types(table);
    }
}

/// Roles of people stay where the people are; places may be anywhere.
pub(crate) fn keep_of_people(tables: &mut [TableGuess]) {
    for table in tables.iter_mut().filter(|table| table.kind.value != TableKind::Root) {
        for column in &mut table.columns {
            let place = |role: &Said<Role>| matches!(role.value, Role::Latitude | Role::Longitude | Role::Postcode);
            column.role = column.role.take().filter(place);
        }
    }
}

/// The last instant in any column, in seconds since 1970.
fn latest(facts: &[TableFacts]) -> i64 {
    let columns = facts.iter().flat_map(|table| &table.columns);
    let ways = columns.flat_map(|column| column.looks.days.iter().chain(&column.looks.instants));
    ways.filter(|way| way.kind.misfits == 0).map(|way| way.last).max().unwrap_or(0)
}

fn address(facts: &ColumnFacts, column: &ColumnGuess) -> Option<Said<Role>> {
    let (emails, phones) = (&facts.looks.emails, &facts.looks.phones);
    let percent = |share: f64| (share * 100.0).floor();
    if emails.share() >= 0.9 {
        let why = format!("{} of 100 values are e-mail addresses", percent(emails.share()));
        return Some(Said::new(Role::Email, 0.95, why));
    }
    let text = column.column_type.value.is_text() || column.column_type.value == ColumnType::Int;
    if phones.share() >= 0.9 && text && facts.looks.values >= 3 {
        let why = format!("{} of 100 values are telephone numbers", percent(phones.share()));
        return Some(Said::new(Role::Mobile, 0.8, why));
    }
    None
}

/// Days that are all long past, over the span of a life.
fn birth(facts: &ColumnFacts, column: &ColumnGuess, latest: i64) -> Option<Said<Role>> {
    if column.column_type.value != ColumnType::Date {
        return None;
    }
    let way = facts
        .looks
        .days
        .iter()
        .filter(|way| way.kind.misfits == 0 && way.kind.fits > 0)
        .max_by_key(|way| way.kind.fits)?;
    let years = |from: i64, to: i64| (to - from) / YEAR;
    let named = has_word(&facts.name, BIRTH);
    let of_a_life =
        years(way.first, way.last) >= 30 && years(way.last, latest) >= 10 && years(way.first, latest) <= 130;
    let why = format!(
        "days over {} years, the last {} years before the data end",
        years(way.first, way.last),
        years(way.last, latest)
    );
    match (named, of_a_life) {
        (true, true) => Some(Said::new(Role::BirthDate, 0.95, why)),
        (true, false) => Some(Said::new(Role::BirthDate, 0.8, format!("its name; {why}"))),
        (false, true) => Some(Said::new(Role::BirthDate, 0.75, why)),
        (false, false) => None,
    }
}

/// A day that is far too frequent, and that programs are known to write.
fn placeholder(facts: &ColumnFacts) -> Vec<String> {
    let (most, next) = facts.values.two_most();
    let frequent = most >= 5 && most >= 5 * next.max(1) && most * 200 >= facts.rows;
    let found = PLACEHOLDERS.iter().filter(|day| frequent && facts.values.count(hash(day)) == most);
    found.map(|day| (*day).to_owned()).collect()
}

fn other(column: &ColumnGuess) -> Option<Said<Role>> {
    let language = has_word(&column.name, LANGUAGE) && column.column_type.value == ColumnType::Text;
    language.then(|| Said::new(Role::Language, 0.8, "its name"))
}

/// Who agreed to what is never taken from values alone.
fn consents(table: &mut TableGuess) {
    let has = |role: Role| table.columns.iter().any(|column| is(column, &role));
    let channels = [("sms", has(Role::Mobile)), ("email", has(Role::Email))];
    let mut reachable: Vec<&str> = channels.iter().filter(|(_, has)| *has).map(|(channel, _)| *channel).collect();
    let people = !reachable.is_empty();
    for column in table.columns.iter_mut().filter(|column| column.column_type.value == ColumnType::Bool) {
        column.role = if has_word(&column.name, CONSENT) {
            named_consent(&column.name, people)
        } else if column.words.is_some() && people {
            reachable.pop().map(|channel| {
                consent(channel, 0.35, "yes or no beside addresses; whether it is consent, the values do not say")
            })
        } else {
            None
        };
    }
}

fn named_consent(name: &str, people: bool) -> Option<Said<Role>> {
    let of_channel = channel(name).map(|channel| consent(channel, 0.85, "its name, and yes or no"));
    of_channel.or_else(|| people.then(|| consent("email", 0.4, "its name speaks of consent but of no channel")))
}

fn consent(channel: &str, sure: f64, why: &str) -> Said<Role> {
    Said::new(Role::Consent(channel.to_owned()), sure, why)
}

fn channel(name: &str) -> Option<&'static str> {
    let of = [("email", EMAIL), ("sms", SMS), ("push", PUSH)];
    of.iter()
        .find(|(_, names)| words(name).iter().any(|word| names.contains(&word.as_str())))
        .map(|(channel, _)| *channel)
}

fn is(column: &ColumnGuess, role: &Role) -> bool {
    column.role.as_ref().is_some_and(|said| said.value == *role)
}

/// Whoever acts on a role reads one column: the first of the surest.
fn once_each(table: &mut TableGuess) {
    for at in 0..table.columns.len() {
        let Some(said) = table.columns[at].role.clone() else { continue };
        let surer = |(place, other): (usize, &ColumnGuess)| {
            let same = place != at && is(other, &said.value);
            same && other
                .role
                .as_ref()
                .is_some_and(|role| role.sure > said.sure || (role.sure == said.sure && place < at))
        };
        if table.columns.iter().enumerate().any(surer) {
            table.columns[at].role = None;
        }
    }
}

/// A role that is taken says the type more surely than the values do.
fn take_types(table: &mut TableGuess) {
    for column in &mut table.columns {
        let Some(said) = column.role.as_ref().filter(|said| said.is_taken()) else { continue };
        let column_type = match said.value {
            Role::Email | Role::Mobile | Role::Language => ColumnType::Text,
            Role::Postcode => ColumnType::Id,
            Role::Latitude | Role::Longitude => ColumnType::Float,
            _ => continue,
        };
        if column.column_type.value != column_type {
            column.column_type = Said::new(column_type, said.sure, format!("a {}: {}", said.value, said.why));
        }
    }
}
