//! Which columns hold keys of other tables, from how many of their values are found there.

use super::pass::{ColumnFacts, TableFacts};
use super::words::{Agreement, agreement};
use super::{ColumnGuess, TableGuess};
use muster_catalog::{ColumnType, Role};

/// A column that seems to hold the key of another table.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// Table and column that hold the key, by number.
    pub from: (usize, usize),
    /// Table and column whose key it is, by number.
    pub to: (usize, usize),
    /// Rows whose value is not found.
    pub orphans: u64,
    pub sure: f64,
    pub why: String,
}

/// All references between different tables, the surest first.
pub(crate) fn find(facts: &[TableFacts], tables: &[TableGuess]) -> Vec<Reference> {
    let keys: Vec<(usize, usize)> = columns(facts).filter(|place| could_be_key(at(facts, tables, *place))).collect();
    let holders: Vec<(usize, usize)> = columns(facts).filter(|place| could_hold(at(facts, tables, *place))).collect();
    let mut references: Vec<Reference> = Vec::new();
    for from in holders {
        let others = keys.iter().filter(|to| to.0 != from.0);
        references.extend(others.filter_map(|to| reference(facts, tables, from, *to)));
    }
    references.sort_by(|one, other| other.sure.total_cmp(&one.sure));
    references
}

fn columns(facts: &[TableFacts]) -> impl Iterator<Item = (usize, usize)> {
    facts.iter().enumerate().flat_map(|(table, facts)| (0..facts.columns.len()).map(move |column| (table, column)))
}

fn at<'a>(
    facts: &'a [TableFacts],
    tables: &'a [TableGuess],
    (table, column): (usize, usize),
) -> (&'a ColumnFacts, &'a ColumnGuess) {
    (&facts[table].columns[column], &tables[table].columns[column])
}

/// Whether a column could be the key of its table: every row has its own value, and it is no measure and no instant.
pub(crate) fn could_be_key((facts, guess): (&ColumnFacts, &ColumnGuess)) -> bool {
    facts.is_unique() && could_hold((facts, guess))
}

fn could_hold((facts, guess): (&ColumnFacts, &ColumnGuess)) -> bool {
    let kind = matches!(guess.column_type.value, ColumnType::Id | ColumnType::Text | ColumnType::Int);
    let addresses = [Role::Email, Role::Mobile, Role::Postcode];
    let address = guess.role.as_ref().is_some_and(|role| addresses.contains(&role.value));
    kind && !address && facts.looks.values > 0 && facts.looks.with_blanks * 2 <= facts.looks.values
}

fn reference(
    facts: &[TableFacts],
    tables: &[TableGuess],
    from: (usize, usize),
    to: (usize, usize),
) -> Option<Reference> {
    let ((holder, _), (key, _)) = (at(facts, tables, from), at(facts, tables, to));
    if !alike(holder, key) {
        return None;
    }
    let agreement = agreement(&holder.name, &tables[to.0].name, &key.name);
    let (there, back) = (holder.values.found_in(&key.values), key.values.found_in(&holder.values));
    let sure = sureness(Seen { there: there.of_values(), back: back.of_values(), agreement, telling: tells(holder) });
    let orphans = (holder.rows - holder.absent).saturating_sub(there.rows_found);
    let why = format!(
        "{} of its {} distinct values are keys of {}{}",
        there.values_found,
        there.values,
        facts[to.0].candidate.name,
        if agreement == Agreement::Full { ", and it has the name" } else { "" }
    );
    (sure > 0.0).then_some(Reference { from, to, orphans, sure, why })
}

/// Numbers are not found among codes.
fn alike(holder: &ColumnFacts, key: &ColumnFacts) -> bool {
    let digits = |column: &ColumnFacts| column.looks.numbers.digits.share() > 0.5;
    digits(holder) == digits(key)
}

/// Whether values are so much their own that being found elsewhere is no accident: codes, or numbers of five digits and
/// more. Small numbers are found everywhere.
fn tells(column: &ColumnFacts) -> bool {
    let looks = &column.looks;
    if looks.numbers.digits.share() > 0.5 { looks.shortest >= 5 && looks.values >= 20 } else { looks.shortest >= 2 }
}

struct Seen {
    /// The share of the values that are keys there.
    there: f64,
    /// The share of the keys that occur here.
    back: f64,
    agreement: Agreement,
    telling: bool,
}

/// 0 where it is no reference.
fn sureness(seen: Seen) -> f64 {
    let Seen { there, back, agreement, telling } = seen;
    match (agreement, telling) {
        (Agreement::Full, _) if there >= 0.95 => 0.97,
        (Agreement::Full, _) if there >= 0.3 || back >= 0.8 => 0.85,
        (Agreement::Full, _) if there > 0.0 => 0.45,
        (_, true) if there >= 0.95 => 0.9,
        (Agreement::Some, true) if there >= 0.5 => 0.75,
        (Agreement::None, true) if there >= 0.5 => 0.5,
        (Agreement::Some, false) if there >= 0.95 => 0.8,
        (Agreement::Some, false) if there >= 0.5 => 0.5,
        (Agreement::None, false) if there >= 0.99 && back >= 0.5 => 0.4,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_need_a_name_and_codes_do_not() {
        let sure = |there, back, agreement, telling| sureness(Seen { there, back, agreement, telling });
        assert_eq!(sure(1.0, 1.0, Agreement::None, true), 0.9);
        assert_eq!(sure(1.0, 1.0, Agreement::None, false), 0.4);
        assert_eq!(sure(1.0, 0.1, Agreement::None, false), 0.0);
        assert_eq!(sure(0.34, 1.0, Agreement::Full, false), 0.85);
        assert_eq!(sure(0.01, 0.01, Agreement::Full, false), 0.45);
        assert_eq!(sure(0.4, 0.4, Agreement::None, true), 0.0);
    }
}
