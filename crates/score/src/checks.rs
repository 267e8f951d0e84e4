//! What must hold of the numbers that are handed in, asked once at the door of each function.
//!
//! The first row that is wrong is named, whichever thread found one first.

use rayon::prelude::*;

use crate::error::{Error, Result};

/// Rows that one task looks at.
const CHUNK: usize = 1 << 16;

/// `what` holds `expected`.
pub(crate) fn same_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Lengths { what, expected, found }) }
}

/// Every column has so many rows.
pub(crate) fn same_rows(columns: &[&[f64]], rows: usize) -> Result<()> {
    columns.iter().try_for_each(|column| same_length("a column", rows, column.len()))
}

/// Offsets divide a list of `end` entries; no offsets divide an empty one.
pub(crate) fn offsets(what: &'static str, offsets: &[usize], end: usize) -> Result<()> {
    let wrong = |place| Err(Error::Offsets { what, place, end });
    if offsets.first().is_some_and(|first| *first != 0) {
        return wrong(0);
    }
    if let Some(place) = offsets.windows(2).position(|ends| ends[0] > ends[1]) {
        return wrong(place + 1);
    }
    if offsets.last().copied().unwrap_or(0) == end { Ok(()) } else { wrong(offsets.len().saturating_sub(1)) }
}

/// All codes are below `count`.
pub(crate) fn codes(what: &str, codes: &[u32], count: usize) -> Result<()> {
    let unknown = |row| Error::Code { what: what.to_owned(), row, found: codes[row], count };
    first_row(codes.len(), |row| codes[row] as usize >= count).map_or(Ok(()), |row| Err(unknown(row)))
}

/// All numbers are as `expected` says, which is what `is_right` asks.
pub(crate) fn numbers(
    what: &'static str,
    numbers: &[f64],
    expected: &'static str,
    is_right: impl Fn(f64) -> bool + Sync,
) -> Result<()> {
    let wrong = |row| Error::Number { what, row, expected, found: numbers[row] };
    first_row(numbers.len(), |row| !is_right(numbers[row])).map_or(Ok(()), |row| Err(wrong(row)))
}

/// All numbers are finite.
pub(crate) fn finite(what: &'static str, numbers: &[f64]) -> Result<()> {
    self::numbers(what, numbers, "a finite number", f64::is_finite)
}

/// A setting is as `expected` says.
pub(crate) fn setting(what: &'static str, is_right: bool, expected: &'static str, found: f64) -> Result<()> {
    if is_right { Ok(()) } else { Err(Error::Setting { what, expected, found }) }
}

/// Whether a number is finite and above 0.
pub(crate) fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

/// Whether a number is finite and 0 or more.
pub(crate) fn is_weight(number: f64) -> bool {
    number.is_finite() && number >= 0.0
}

/// How many left and how many stayed, at least one of each.
pub(crate) fn leavers_and_stayers(is_leaver: &[bool]) -> Result<(u64, u64)> {
    let leavers = is_leaver.iter().filter(|is_leaver| **is_leaver).count() as u64;
    both_kinds(leavers, is_leaver.len() as u64 - leavers)
}

/// The same of those who were counted already.
pub(crate) fn both_kinds(leavers: u64, stayers: u64) -> Result<(u64, u64)> {
    if leavers == 0 || stayers == 0 { Err(Error::OneClass { leavers, stayers }) } else { Ok((leavers, stayers)) }
}

/// The first row for which `is_wrong` holds.
pub(crate) fn first_row(rows: usize, is_wrong: impl Fn(usize) -> bool + Sync) -> Option<usize> {
    let first = |chunk: usize| (chunk * CHUNK..rows.min((chunk + 1) * CHUNK)).find(|row| is_wrong(*row));
    (0..rows.div_ceil(CHUNK)).into_par_iter().filter_map(first).min()
}
