//! Figures of quality against counting all pairs, and input that cannot be judged.

use muster_score::Error;
use muster_score::quality::{auc, quality};
use proptest::prelude::*;

/// The share of pairs of a leaver and a stayer that are in order, and DeLong's variance, from all pairs.
fn auc_of_all_pairs(scores: &[f64], is_leaver: &[bool]) -> (f64, f64) {
    let of = |leaves: bool| -> Vec<f64> {
        scores.iter().zip(is_leaver).filter(|row| *row.1 == leaves).map(|row| *row.0).collect()
    };
    let (leavers, stayers) = (of(true), of(false));
    let order = |leaver: f64, stayer: f64| match leaver.total_cmp(&stayer) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let variance = |values: &[f64]| {
        let mean = mean(values);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
    };
    let of_leavers: Vec<f64> = leavers
        .iter()
        .map(|leaver| mean(&stayers.iter().map(|stayer| order(*leaver, *stayer)).collect::<Vec<_>>()))
        .collect();
    let of_stayers: Vec<f64> = stayers
        .iter()
        .map(|stayer| mean(&leavers.iter().map(|leaver| order(*leaver, *stayer)).collect::<Vec<_>>()))
        .collect();
    let spread = variance(&of_leavers) / leavers.len() as f64 + variance(&of_stayers) / stayers.len() as f64;
    (mean(&of_leavers), spread)
}

proptest! {
    #[test]
    fn figures_equal_those_of_all_pairs_and_all_rows(rows in prop::collection::vec((0..12_u32, any::<bool>()), 4..80)) {
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 11.0).collect();
        let is_leaver: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let leavers = is_leaver.iter().filter(|is_leaver| **is_leaver).count();
        prop_assume!(leavers >= 2 && leavers + 2 <= rows.len());
        let (estimate, variance) = auc_of_all_pairs(&scores, &is_leaver);
        let found = quality(&scores, &is_leaver).unwrap();
        prop_assert!((found.auc.estimate - estimate).abs() < 1e-12);
        prop_assert!((found.auc.high - (estimate + 1.959_963_984_540_054 * variance.sqrt()).min(1.0)).abs() < 1e-9);
        prop_assert!((found.auc.low - (estimate - 1.959_963_984_540_054 * variance.sqrt()).max(0.0)).abs() < 1e-9);
        let target = |leaves: &bool| f64::from(u8::from(*leaves));
        let count = rows.len() as f64;
        let brier: f64 = scores.iter().zip(&is_leaver).map(|row| (row.0 - target(row.1)).powi(2)).sum::<f64>() / count;
        prop_assert!((found.brier - brier).abs() < 1e-12);
        let of_truth = |row: (&f64, &bool)| if *row.1 { *row.0 } else { 1.0 - *row.0 };
        let surprise = |row| -f64::clamp(of_truth(row), 1e-15, 1.0 - 1e-15).ln();
        let log_loss: f64 = scores.iter().zip(&is_leaver).map(surprise).sum::<f64>() / count;
        prop_assert!((found.log_loss - log_loss).abs() < 1e-9);
        prop_assert_eq!(found.deciles.iter().map(|decile| decile.rows).sum::<u64>(), rows.len() as u64);
        let all: f64 = found.deciles.iter().map(|decile| decile.leavers).sum();
        prop_assert!((all - leavers as f64).abs() < 1e-9);
        let backwards = quality(&scores.into_iter().rev().collect::<Vec<_>>(), &is_leaver.into_iter().rev().collect::<Vec<_>>());
        prop_assert_eq!(found, backwards.unwrap(), "the order of the rows changes nothing");
    }
}

#[test]
fn four_rows_that_a_reader_can_count() {
    // Of the four pairs, 0.8 > 0.2, 0.8 > 0.6, 0.6 = 0.6 and 0.6 > 0.2: three and a half are in order.
    let found = auc(&[0.8, 0.6, 0.6, 0.2], &[true, true, false, false]).unwrap();
    assert_eq!(found.estimate, 0.875);
}

#[test]
fn deciles_of_a_perfect_score_lift_and_are_calibrated() {
    let scores: Vec<f64> = (0..100).map(|row| if row < 20 { 1.0 } else { 0.0 }).collect();
    let is_leaver: Vec<bool> = (0..100).map(|row| row < 20).collect();
    let found = quality(&scores, &is_leaver).unwrap();
    assert_eq!((found.auc.estimate, found.brier, found.calibration_error), (1.0, 0.0, 0.0));
    let lifts: Vec<f64> = found.deciles.iter().map(|decile| decile.lift).collect();
    assert_eq!(lifts, [5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_constant_score_lifts_nothing() {
    let is_leaver: Vec<bool> = (0..40).map(|row| row % 4 == 0).collect();
    let found = quality(&[0.25; 40], &is_leaver).unwrap();
    assert_eq!((found.auc.estimate, found.calibration_error), (0.5, 0.0));
    assert!(found.deciles.iter().all(|decile| (decile.lift - 1.0).abs() < 1e-12 && decile.rows == 4));
}

#[test]
fn a_certainty_that_errs_costs_a_finite_surprise() {
    let found = quality(&[0.0, 1.0], &[true, false]).unwrap();
    assert!((found.log_loss - 34.5).abs() < 0.1);
    assert_eq!((found.auc.estimate, found.auc.low, found.auc.high), (0.0, 0.0, 1.0));
    assert_eq!(found.deciles.len(), 2);
}

#[test]
fn what_cannot_be_judged_is_said() {
    assert!(matches!(quality(&[], &[]), Err(Error::OneClass { leavers: 0, stayers: 0 })));
    assert!(matches!(quality(&[0.5], &[true]), Err(Error::OneClass { leavers: 1, stayers: 0 })));
    assert!(matches!(quality(&[0.5, 1.5], &[true, false]), Err(Error::Number { row: 1, .. })));
    assert!(matches!(quality(&[f64::NAN], &[true]), Err(Error::Number { row: 0, .. })));
    assert!(matches!(auc(&[f64::INFINITY], &[true]), Err(Error::Number { row: 0, .. })));
    assert!(matches!(auc(&[0.1, 0.2], &[true]), Err(Error::Lengths { .. })));
}
