//! Where something is: degrees north and east side by side, and a postcode beside them.

use muster_catalog::Role;

use super::pass::{ColumnFacts, TableFacts};
use super::words::{LATITUDE, LONGITUDE, POSTCODE, has_word};
use super::{Said, TableGuess};

/// Gives the roles of places to the columns of a table.
pub(crate) fn guess(facts: &TableFacts, table: &mut TableGuess) {
    let pair = (1..facts.columns.len()).find_map(|second| pair(facts, second - 1, second));
    if let Some(Pair { latitude, longitude, sure }) = pair {
        let why = |limit: i32| format!("numbers within {limit} degrees, in two columns side by side");
        table.columns[latitude].role = Some(Said::new(Role::Latitude, sure, why(90)));
        table.columns[longitude].role = Some(Said::new(Role::Longitude, sure, why(180)));
    }
    let postcode = named_postcode(facts).or_else(|| pair.and_then(|_| formed_postcode(facts)));
    if let Some((column, said)) = postcode {
        table.columns[column].role = Some(said);
    }
}

/// Two columns of degrees, by number.
#[derive(Clone, Copy)]
struct Pair {
    latitude: usize,
    longitude: usize,
    sure: f64,
}

/// North comes first unless the names say otherwise.
fn pair(facts: &TableFacts, first: usize, second: usize) -> Option<Pair> {
    let (one, other) = (&facts.columns[first], &facts.columns[second]);
    let east_first = has_word(&one.name, LONGITUDE) && has_word(&other.name, LATITUDE);
    if east_first {
        let fits = within(one, 180.0) && within(other, 90.0);
        return fits.then_some(Pair { latitude: second, longitude: first, sure: 0.95 });
    }
    let named = has_word(&one.name, LATITUDE) && has_word(&other.name, LONGITUDE);
    let fits = within(one, 90.0) && within(other, 180.0) && (named || (is_precise(one) && is_precise(other)));
    fits.then_some(Pair { latitude: first, longitude: second, sure: if named { 0.95 } else { 0.65 } })
}

fn within(column: &ColumnFacts, limit: f64) -> bool {
    let numbers = &column.looks.numbers;
    numbers.any.misfits == 0 && numbers.any.fits > 0 && numbers.smallest >= -limit && numbers.largest <= limit
}

/// Whether most values have four digits after the point and more: ten metres.
fn is_precise(column: &ColumnFacts) -> bool {
    column.looks.numbers.scales[4..].iter().sum::<u64>() * 2 >= column.looks.values
}

fn named_postcode(facts: &TableFacts) -> Option<(usize, Said<Role>)> {
    let named = facts.columns.iter().position(|column| has_word(&column.name, POSTCODE))?;
    Some((named, Said::new(Role::Postcode, 0.9, "its name")))
}

/// The only column beside degrees whose values are always four or five digits, or four and two letters.
fn formed_postcode(facts: &TableFacts) -> Option<(usize, Said<Role>)> {
    let mut formed = facts.columns.iter().enumerate().filter(|(_, column)| is_formed(column));
    let (at, column) = formed.next()?;
    let looks = &column.looks;
    let why = format!("beside degrees of a place, and always {} to {} characters", looks.shortest, looks.longest);
    formed.next().is_none().then(|| (at, Said::new(Role::Postcode, 0.65, why)))
}

fn is_formed(column: &ColumnFacts) -> bool {
    let looks = &column.looks;
    let (mask, share) = looks.mask();
    let digits = looks.numbers.ints.misfits == 0 && looks.shortest >= 4 && looks.longest <= 5;
    looks.values >= 5 && (digits || (share >= 0.95 && ["9999AA", "9999 AA"].contains(&mask)))
}
