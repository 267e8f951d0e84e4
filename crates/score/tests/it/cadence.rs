//! Rhythms of buying, and the day of silence for too long.

use muster_score::Error;
use muster_score::cadence::{Occurrences, cadence, due_days, mean_values, median_gap_days};
use proptest::prelude::*;

/// Days since 1970-01-01 of a day of 2024.
const JANUARY_1: i32 = 19_723;
const MARCH_1: i32 = JANUARY_1 + 60;
const JUNE_1: i32 = JANUARY_1 + 152;

#[test]
fn three_purchases_of_the_design_have_the_figures_of_the_design() {
    let occurrences = Occurrences { counts: &[3], first_days: &[JANUARY_1], last_days: &[MARCH_1] };
    let cadence = cadence(occurrences, JUNE_1).unwrap();
    assert_eq!(cadence.span_days, [Some(60)]);
    assert_eq!(cadence.mean_gap_days, [Some(30.0)]);
    assert_eq!(cadence.days_since_last, [Some(92)]);
}

#[test]
fn who_never_bought_has_no_cadence_and_who_bought_once_no_gap() {
    let occurrences = Occurrences { counts: &[0, 1, 2], first_days: &[9, 5, 7], last_days: &[0, 5, 7] };
    let cadence = cadence(occurrences, 10).unwrap();
    assert_eq!(cadence.span_days, [None, Some(0), Some(0)]);
    assert_eq!(cadence.mean_gap_days, [None, None, Some(0.0)]);
    assert_eq!(cadence.days_since_last, [None, Some(5), Some(3)]);
}

#[test]
fn the_widest_days_do_not_overflow() {
    let occurrences = Occurrences { counts: &[2], first_days: &[i32::MIN], last_days: &[i32::MAX] };
    let cadence = cadence(occurrences, i32::MIN).unwrap();
    assert_eq!(cadence.span_days, [Some(4_294_967_295)]);
    assert_eq!(cadence.days_since_last, [Some(-4_294_967_295)]);
    let due = due_days(occurrences, &cadence.mean_gap_days, 2.0, None).unwrap();
    assert_eq!(due, [None]);
}

#[test]
fn days_that_are_turned_around_and_slices_of_other_lengths_are_said() {
    let turned = Occurrences { counts: &[1, 2], first_days: &[1, 9], last_days: &[1, 8] };
    assert!(matches!(cadence(turned, 10), Err(Error::FirstAfterLast { row: 1, first: 9, last: 8 })));
    let short = Occurrences { counts: &[1, 2], first_days: &[1], last_days: &[1, 8] };
    assert!(matches!(cadence(short, 10), Err(Error::Lengths { what: "first_days", expected: 2, found: 1 })));
    assert!(matches!(mean_values(&[1], &[]), Err(Error::Lengths { .. })));
}

#[test]
fn mean_values_are_rounded_to_the_unit_with_halves_away_from_zero() {
    let means = mean_values(&[1000, 5, -5, 5, -5, 7, 0, 9], &[3, 2, 2, 3, 3, 0, 4, -1]).unwrap();
    assert_eq!(means, [Some(333), Some(3), Some(-3), Some(2), Some(-2), None, Some(0), None]);
    assert_eq!(mean_values(&[i128::MAX, i128::MIN], &[1, 1]).unwrap(), [Some(i128::MAX), Some(i128::MIN)]);
}

#[test]
fn the_median_gap_is_that_of_those_who_came_back() {
    assert_eq!(median_gap_days(&[]), None);
    assert_eq!(median_gap_days(&[None, Some(0.0), Some(f64::NAN), Some(f64::INFINITY)]), None);
    assert_eq!(median_gap_days(&[Some(7.0), None, Some(0.0)]), Some(7.0));
    assert_eq!(median_gap_days(&[Some(9.0), Some(1.0), Some(4.0)]), Some(4.0));
    assert_eq!(median_gap_days(&[Some(9.0), Some(1.0), Some(4.0), Some(5.0)]), Some(4.5));
}

#[test]
fn silence_for_longer_than_twice_the_gap_is_due_on_the_first_day_that_is_longer() {
    let occurrences = Occurrences { counts: &[3, 1, 2, 0], first_days: &[0, 60, 60, 0], last_days: &[60, 60, 60, 0] };
    let gaps = cadence(occurrences, 100).unwrap().mean_gap_days;
    let due = due_days(occurrences, &gaps, 2.0, Some(10.5)).unwrap();
    // 60 days of silence are not yet longer than 2 · 30, and 21 not yet longer than 2 · 10.5.
    assert_eq!(due, [Some(121), Some(82), Some(82), None]);
    assert_eq!(due_days(occurrences, &gaps, 2.0, None).unwrap(), [Some(121), None, None, None]);
}

#[test]
fn a_multiple_that_is_no_positive_number_is_refused() {
    let occurrences = Occurrences { counts: &[], first_days: &[], last_days: &[] };
    for multiple in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(due_days(occurrences, &[], multiple, None), Err(Error::Setting { .. })));
    }
    assert!(due_days(occurrences, &[], 2.0, None).unwrap().is_empty());
}

proptest! {
    #[test]
    fn the_median_equals_that_of_sorting(gaps in prop::collection::vec(prop::option::of(0_u32..50), 0..60)) {
        let gaps: Vec<Option<f64>> = gaps.into_iter().map(|gap| gap.map(|gap| f64::from(gap) / 7.0)).collect();
        let mut sorted: Vec<f64> = gaps.iter().flatten().copied().filter(|gap| *gap > 0.0).collect();
        sorted.sort_by(f64::total_cmp);
        let expected = match sorted.len() {
            0 => None,
            length if length % 2 == 1 => Some(sorted[length / 2]),
            length => Some((sorted[length / 2 - 1] + sorted[length / 2]) / 2.0),
        };
        match (median_gap_days(&gaps), expected) {
            (Some(median), Some(expected)) => prop_assert!((median - expected).abs() < 1e-12),
            (median, expected) => prop_assert_eq!(median, expected),
        }
    }

    #[test]
    fn the_due_day_is_the_first_on_which_the_condition_holds(
        last in -1000..1000_i32,
        span in 0..400_i32,
        count in 1..9_i64,
        multiple in 0.1..5.0_f64,
        base in 1.0..90.0_f64,
    ) {
        let occurrences = Occurrences { counts: &[count], first_days: &[last - span], last_days: &[last] };
        let gap = cadence(occurrences, last).unwrap().mean_gap_days;
        let due = due_days(occurrences, &gap, multiple, Some(base)).unwrap()[0].unwrap();
        let measured = gap[0].filter(|gap| *gap > 0.0).unwrap_or(base);
        let holds = |day: &i32| f64::from(day - last) > multiple * measured;
        prop_assert_eq!((last..).find(holds), Some(due));
    }
}
