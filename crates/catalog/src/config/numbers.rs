//! How numbers are written: the point and the groups of digits, of a table or of one column.

use super::section::Section;
use crate::Column;

/// Characters that stand between groups of three digits somewhere; a blank means any kind of blank.
const GROUPS: [char; 6] = [',', '.', ' ', '\'', '’', '_'];

/// What stands before the fraction.
pub(super) fn decimal(section: &Section) -> Option<char> {
    let found = section.character("decimal")?;
    if !matches!(found, '.' | ',') {
        section.problem_at("decimal", format!("`decimal` in {} must be \".\" or \",\"", section.title()), None);
    }
    Some(found)
}

/// What stands between groups of three digits.
pub(super) fn thousands(section: &Section) -> Option<char> {
    let found = section.character("thousands")?;
    if !GROUPS.contains(&found) {
        let message = format!("`thousands` in {} must be one of \",\" \".\" \" \" \"'\" \"_\"", section.title());
        section.problem_at("thousands", message, None);
    }
    Some(found)
}

/// One character cannot be both the point and the group.
pub(super) fn check_differ(section: &Section, decimal: Option<char>, thousands: Option<char>) {
    let key = if section.has("thousands") { "thousands" } else { "decimal" };
    if section.has(key) && thousands.is_some_and(|thousands| thousands == decimal.unwrap_or('.')) {
        let message = format!("`decimal` and `thousands` in {} are the same character", section.title());
        section.problem_at(key, message, None);
    }
}

/// What is said of the numbers of one column.
pub(super) fn check_column(section: &Section, column: &Column) {
    check_differ(section, column.decimal, column.thousands);
    let is_sign =
        |sign: &String| !sign.trim().is_empty() && !sign.contains(|c: char| c.is_ascii_digit() || ".,+-%".contains(c));
    if section.has("currency") && !column.currency.iter().all(is_sign) {
        let message =
            format!("`currency` in {} must be signs without digits and points, as \"€\" or \"EUR\"", section.title());
        section.problem_at("currency", message, None);
    }
}
