//! What would turn a comparison between TRUE and not TRUE: rows that would have to go, a row that would have to come.
//!
//! Counting and order alone, over rows whose side of the bound is known. A comparison that is TRUE is turned by the rows
//! that make it so, where there are some; one that is not, by what is missing, where that is enough.

use std::cmp::Ordering;

use muster_language::{Comparison, Reduced};

/// A row that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Side {
    /// Whether its value is NULL.
    pub(super) is_null: bool,
    /// Where its value lies, seen from the bound; `None` where one of both is NULL.
    pub(super) of_bound: Option<Ordering>,
}

/// What turns it: all of this together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Turn {
    /// The rows that would have to go, by their places, in row order.
    pub(super) gone: Vec<usize>,
    /// What would have to come.
    pub(super) missing: Option<MissingRows>,
}

/// Rows that would have to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MissingRows {
    pub(super) count: u64,
    /// How the value of each would have to lie; of a count it only has to be there.
    pub(super) value: Option<Comparison>,
    /// Whether the row would have to be the first or last.
    pub(super) at_end: bool,
}

/// What turns a comparison with `bound`, which is known where rows are counted.
pub(super) fn turn(reduced: Reduced, comparison: Comparison, bound: Option<f64>, rows: &[Side]) -> Option<Turn> {
    let valued = || rows.iter().enumerate().filter(|(_, row)| !row.is_null);
    match reduced {
        Reduced::Count => of_count(comparison, bound?, &valued().map(|(place, _)| place).collect::<Vec<_>>()),
        Reduced::Max => Some(of_largest(comparison, &sides(valued(), false)?)),
        Reduced::Min => Some(turned_back(of_largest(comparison.turned(), &sides(valued(), true)?))),
        Reduced::First => Some(of_first(comparison, rows.iter().enumerate())),
        Reduced::Last => Some(in_order(of_first(comparison, rows.iter().enumerate().rev()))),
    }
}

fn of_count(comparison: Comparison, bound: f64, counted: &[usize]) -> Option<Turn> {
    let count = counted.len() as u64;
    let is_true = |count: u64| (count as f64).partial_cmp(&bound).is_some_and(|side| comparison.holds(side));
    let turns = |other: &u64| is_true(*other) != is_true(count);
    let fewer = Some(0).filter(turns).or_else(|| (0..count).rev().find(turns));
    let around = [bound.floor(), bound.floor() + 1.0].map(|near| near.max(0.0) as u64);
    let more = around.into_iter().chain([count + 1]).filter(|more| *more > count).filter(turns).min();
    let gone = fewer.map(|fewer| Turn { gone: counted[fewer as usize..].to_vec(), missing: None });
    let missing = |more: u64| MissingRows { count: more - count, value: None, at_end: false };
    let come = more.map(|more| Turn { gone: Vec::new(), missing: Some(missing(more)) });
    if is_true(count) { gone.or(come) } else { come.or(gone) }
}

/// Places and sides; of the smallest value the sides are exchanged, so that it is the largest. `None` where a value is
/// neither below nor above.
fn sides<'s>(rows: impl Iterator<Item = (usize, &'s Side)>, exchanged: bool) -> Option<Vec<(usize, Ordering)>> {
    rows.map(|(place, row)| {
        let side = row.of_bound?;
        Some((place, if exchanged { side.reverse() } else { side }))
    })
    .collect()
}

fn of_largest(comparison: Comparison, rows: &[(usize, Ordering)]) -> Turn {
    // Nothing is less than any value.
    let largest = rows.iter().map(|(_, side)| *side).max();
    let is_true = |side: Option<Ordering>| side.is_some_and(|side| comparison.holds(side));
    let above = |side: Option<Ordering>| {
        let gone = rows.iter().filter(|(_, of_row)| Some(*of_row) > side).map(|(place, _)| *place);
        Turn { gone: gone.collect(), missing: None }
    };
    let has = |side: &Option<Ordering>| rows.iter().any(|(_, of_row)| Some(*of_row) == *side);
    let lower = [Some(Ordering::Equal), Some(Ordering::Less)].into_iter().filter(|side| *side < largest && has(side));
    let mut lower = lower.chain([None]);
    let missing = |comparison: Comparison| MissingRows { count: 1, value: Some(comparison), at_end: false };
    if is_true(largest) {
        // Below a bound it stays until something passes it, however many rows go.
        if matches!(comparison, Comparison::Less | Comparison::LessOrEqual) {
            return Turn { gone: Vec::new(), missing: Some(missing(comparison.opposite())) };
        }
        return above(lower.find(|side| !is_true(*side)).flatten());
    }
    let higher = [Ordering::Less, Ordering::Equal, Ordering::Greater].map(Some);
    if higher.into_iter().any(|side| side > largest && is_true(side)) {
        let comparison = if largest == Some(Ordering::Equal) { Comparison::Greater } else { comparison };
        return Turn { gone: Vec::new(), missing: Some(missing(comparison)) };
    }
    match lower.find(|side| is_true(*side)) {
        Some(side) => above(side),
        None => Turn { missing: Some(missing(comparison)), ..above(None) },
    }
}

fn turned_back(turn: Turn) -> Turn {
    let missing = turn.missing.map(|missing| MissingRows { value: missing.value.map(Comparison::turned), ..missing });
    Turn { missing, ..turn }
}

/// Of rows whose first one counts.
fn of_first<'s>(comparison: Comparison, rows: impl Iterator<Item = (usize, &'s Side)>) -> Turn {
    let holds = |row: &Side| row.of_bound.is_some_and(|side| comparison.holds(side));
    let rows: Vec<(usize, bool)> = rows.map(|(place, row)| (place, holds(row))).collect();
    let is_true = rows.first().is_some_and(|(_, holds)| *holds);
    if is_true || rows.iter().any(|(_, holds)| *holds) {
        let alike = rows.iter().take_while(|(_, holds)| *holds == is_true);
        return Turn { gone: alike.map(|(place, _)| *place).collect(), missing: None };
    }
    let missing = MissingRows { count: 1, value: Some(comparison), at_end: true };
    Turn { gone: Vec::new(), missing: Some(missing) }
}

fn in_order(mut turn: Turn) -> Turn {
    turn.gone.sort_unstable();
    turn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(of_bound: Option<i8>) -> Side {
        Side { is_null: of_bound.is_none(), of_bound: of_bound.map(|side| side.cmp(&0)) }
    }

    /// The value of the comparison over rows, as the language defines it.
    fn truth(reduced: Reduced, comparison: Comparison, bound: f64, rows: &[Side]) -> bool {
        let valued = || rows.iter().filter(|row| !row.is_null);
        let value = match reduced {
            Reduced::Count => (valued().count() as f64).partial_cmp(&bound),
            Reduced::Min => valued().filter_map(|row| row.of_bound).min(),
            Reduced::Max => valued().filter_map(|row| row.of_bound).max(),
            Reduced::First => rows.first().and_then(|row| row.of_bound),
            Reduced::Last => rows.last().and_then(|row| row.of_bound),
        };
        value.is_some_and(|side| comparison.holds(side))
    }

    const REDUCED: [Reduced; 5] = [Reduced::Count, Reduced::Min, Reduced::Max, Reduced::First, Reduced::Last];
    const COMPARISONS: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    /// The rows after what would turn them happened.
    fn turned(reduced: Reduced, turn: &Turn, rows: &[Side]) -> Vec<Side> {
        let stay = rows.iter().enumerate().filter(|(place, _)| !turn.gone.contains(place)).map(|(_, row)| *row);
        let mut rows: Vec<Side> = stay.collect();
        if let Some(MissingRows { count, value, .. }) = turn.missing {
            let sides = [-1, 0, 1].map(|of_bound| side(Some(of_bound)));
            let meets = |row: &Side| value.is_none_or(|value| row.of_bound.is_some_and(|side| value.holds(side)));
            let row = *sides.iter().find(|row| meets(row)).expect("each comparison holds on some side");
            let place = if reduced == Reduced::First { 0 } else { rows.len() };
            (0..count).for_each(|_| rows.insert(place, row));
        }
        rows
    }

    /// All histories of up to five rows, all comparisons.
    #[test]
    fn what_turns_a_comparison_turns_it() {
        let values = [None, Some(-1), Some(0), Some(1)];
        let mut checked = 0;
        for length in 0..=5_u32 {
            for number in 0..values.len().pow(length) {
                let row = |place: u32| side(values[number / values.len().pow(place) % values.len()]);
                let rows: Vec<Side> = (0..length).map(row).collect();
                for (reduced, comparison) in
                    REDUCED.into_iter().flat_map(|reduced| COMPARISONS.map(|comparison| (reduced, comparison)))
                {
                    for bound in [-1.0, 0.0, 0.5, 1.0, 3.0, 7.0] {
                        let before = truth(reduced, comparison, bound, &rows);
                        let after = turn(reduced, comparison, Some(bound), &rows)
                            .map(|turn| truth(reduced, comparison, bound, &turned(reduced, &turn, &rows)));
                        // No number of rows is below none, and none is no fraction.
                        let is_fixed = reduced == Reduced::Count
                            && (0..20)
                                .all(|count| truth(reduced, comparison, bound, &vec![side(Some(0)); count]) == before);
                        let expected = (!is_fixed).then_some(!before);
                        assert_eq!(after, expected, "{reduced:?} {comparison:?} {bound} of {rows:?}");
                        checked += 1;
                    }
                }
            }
        }
        assert_eq!(checked, 1_365 * 30 * 6);
    }

    #[test]
    fn a_value_that_has_no_side_turns_nothing() {
        let unknown = Side { is_null: false, of_bound: None };
        assert_eq!(turn(Reduced::Max, Comparison::Less, None, &[unknown]), None);
        assert_eq!(turn(Reduced::Count, Comparison::Less, None, &[]), None);
    }
}
