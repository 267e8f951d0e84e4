//! Logistic regression and its calibration: gradients against finite differences, and classes that are separated.

use muster_score::Error;
use muster_score::calibration::{Platt, platt};
use muster_score::classifier::Classifier;
use muster_score::logistic::{Logistic, fit, loss_and_gradient, probability};
use proptest::prelude::*;

/// Numbers from −1 to 1 that every run has.
fn noise(row: usize, column: u64) -> f64 {
    let mixed = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (column + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn columns(rows: usize) -> Vec<Vec<f64>> {
    (0..3).map(|column| (0..rows).map(|row| noise(row, column)).collect()).collect()
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

/// Who leaves, with the probability of `−1 + 2 · first − second`.
fn leavers(columns: &[Vec<f64>]) -> Vec<bool> {
    let leaves =
        |row: usize| (noise(row, 99) + 1.0) / 2.0 < probability(-1.0 + 2.0 * columns[0][row] - columns[1][row]);
    (0..columns[0].len()).map(leaves).collect()
}

proptest! {
    #[test]
    fn the_gradient_equals_finite_differences(
        rows in prop::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64, any::<bool>()), 1..40),
        at in (-1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64),
        penalty in 0.1..5.0_f64,
    ) {
        let columns = [rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| row.1).collect()];
        let is_leaver: Vec<bool> = rows.iter().map(|row| row.2).collect();
        let loss = |at: [f64; 3]| {
            let model = Logistic { intercept: at[0], weights: at[1..].to_vec() };
            loss_and_gradient(&model, &slices(&columns), &is_leaver, penalty).unwrap()
        };
        let at = [at.0, at.1, at.2];
        let gradient = loss(at).1;
        for place in 0..3 {
            let shifted = |by: f64| {
                let mut shifted = at;
                shifted[place] += by;
                loss(shifted).0
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            prop_assert!((gradient[place] - difference).abs() < 1e-5 * (1.0 + difference.abs()));
        }
    }

    #[test]
    fn contributions_add_up_to_the_log_odds(
        weights in prop::collection::vec(-3.0..3.0_f64, 3),
        intercept in -2.0..2.0_f64,
    ) {
        let columns = columns(50);
        let model = Logistic { intercept, weights };
        let log_odds = model.log_odds(&slices(&columns), 50).unwrap();
        let parts = model.contributions(&slices(&columns), 50).unwrap();
        for (row, log_odds) in log_odds.iter().enumerate() {
            let sum: f64 = parts.base + parts.columns.iter().map(|column| column[row]).sum::<f64>();
            prop_assert!((sum - log_odds).abs() < 1e-9);
        }
    }
}

#[test]
fn weights_that_made_the_rows_are_found_again_at_the_bottom_of_the_loss() {
    let columns = columns(40_000);
    let is_leaver = leavers(&columns);
    let model = fit(&slices(&columns), &is_leaver, 1.0).unwrap();
    let truth = [(model.intercept, -1.0), (model.weights[0], 2.0), (model.weights[1], -1.0), (model.weights[2], 0.0)];
    assert!(truth.iter().all(|(found, truth)| (found - truth).abs() < 0.1), "{model:?}");
    let (_, gradient) = loss_and_gradient(&model, &slices(&columns), &is_leaver, 1.0).unwrap();
    assert!(gradient.iter().all(|slope| slope.abs() < 1e-6), "{gradient:?}");
}

#[test]
fn the_fit_is_the_same_to_the_bit_with_one_thread_and_with_two() {
    let columns = columns(40_000);
    let is_leaver = leavers(&columns);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&slices(&columns), &is_leaver, 1.0).unwrap())
    };
    assert_eq!(with(1), with(2));
}

#[test]
fn separated_classes_and_constant_columns_end_with_bounded_weights() {
    let first: Vec<f64> = (0..100).map(|row| if row < 30 { 3.0 } else { -3.0 }).collect();
    let is_leaver: Vec<bool> = (0..100).map(|row| row < 30).collect();
    let model = fit(&[&first, &[1.0; 100], &[0.0; 100]], &is_leaver, 1.0).unwrap();
    assert!(model.weights[0] > 0.5 && model.weights[0] < 10.0, "{model:?}");
    assert!(model.weights[2] == 0.0 && model.weights[1].abs() < 5.0, "{model:?}");
    assert!(model.log_odds(&[&first, &[1.0; 100], &[0.0; 100]], 100).unwrap().iter().all(|odds| odds.is_finite()));
}

#[test]
fn without_columns_everyone_gets_the_share_of_all() {
    let model = fit(&[], &[true, false, false, false], 1.0).unwrap();
    assert!((probability(model.intercept) - 0.25).abs() < 1e-12);
    assert_eq!(model.log_odds(&[], 2).unwrap(), [model.intercept; 2]);
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let column: &[f64] = &[1.0, 2.0];
    assert!(matches!(fit(&[column], &[true, true], 1.0), Err(Error::OneClass { leavers: 2, stayers: 0 })));
    assert!(matches!(fit(&[], &[], 1.0), Err(Error::OneClass { .. })));
    assert!(matches!(fit(&[&[1.0, f64::NAN]], &[true, false], 1.0), Err(Error::Number { row: 1, .. })));
    assert!(matches!(fit(&[column], &[true], 1.0), Err(Error::Lengths { .. })));
    for penalty in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(fit(&[column], &[true, false], penalty), Err(Error::Setting { .. })));
    }
    let vast = fit(&[&[1e300, -1e300]], &[true, false], 1.0);
    assert!(matches!(vast, Err(Error::NoFit { .. }) | Ok(_)), "the vast end in an outcome");
    if let Ok(model) = vast {
        assert!(model.intercept.is_finite() && model.weights[0].is_finite());
    }
}

#[test]
fn a_calibration_finds_the_line_that_was_bent() {
    let log_odds: Vec<f64> = (0..20_000).map(|row| 3.0 * noise(row, 1)).collect();
    let leaves = |row: usize| (noise(row, 7) + 1.0) / 2.0 < probability(0.5 * log_odds[row] - 1.0);
    let is_leaver: Vec<bool> = (0..20_000).map(leaves).collect();
    let line = platt(&log_odds, &is_leaver).unwrap();
    assert!((line.slope - 0.5).abs() < 0.05 && (line.intercept + 1.0).abs() < 0.05, "{line:?}");
}

#[test]
fn a_calibration_is_bounded_never_turns_the_order_around_and_needs_both_kinds() {
    let separated = platt(&[-1.0, -1.0, 1.0, 1.0], &[false, false, true, true]).unwrap();
    assert!(separated.slope > 0.0 && separated.slope < 100.0, "{separated:?}");
    let backwards = platt(&[1.0, 2.0, -1.0, -2.0], &[false, false, true, true]).unwrap();
    assert_eq!(backwards.slope, 0.0);
    assert!((backwards.probability(5.0) - 0.5).abs() < 1e-9);
    let constant = platt(&[1.0; 4], &[true, false, false, false]).unwrap();
    assert!((constant.probability(1.0) - (0.6667 + 3.0 * 0.2) / 4.0).abs() < 0.01, "{constant:?}");
    assert!(matches!(platt(&[1.0], &[true]), Err(Error::OneClass { .. })));
    assert!(matches!(platt(&[f64::NAN], &[true]), Err(Error::Number { .. })));
    assert!(matches!(platt(&[], &[]), Err(Error::OneClass { .. })));
    assert_eq!(Platt::default().log_odds(1.25), 1.25);
}
