//! Bins of numbers against all ways to cut, categories by their texts.

use muster_score::Error;
use muster_score::binning::{Binning, Characteristic, Settings, UNKNOWN, Values, fit};
use proptest::prelude::*;

fn numbers(values: &[f64]) -> Characteristic<'_> {
    Characteristic { name: "age", values: Values::Numbers(values) }
}

fn fitted(values: &[f64], is_leaver: &[bool], settings: Settings) -> Vec<f64> {
    match fit(numbers(values), is_leaver, settings).expect("the settings have a meaning") {
        Binning::Numbers { up_to } => up_to,
        Binning::Categories { .. } => panic!("numbers were made categories"),
    }
}

/// The information value, but for what is the same in all ways to cut, and whether the odds rise or fall throughout.
fn judged(values: &[f64], is_leaver: &[bool], up_to: &[f64], settings: Settings) -> Option<f64> {
    let total = |leaves: bool| is_leaver.iter().filter(|is_leaver| **is_leaver == leaves).count().max(1) as f64;
    let (all_left, all_stayed) = (total(true), total(false));
    let least = (settings.minimum_share * values.len() as f64).ceil().max(1.0);
    let (mut information, mut odds) = (0.0, Vec::new());
    for bin in 0..=up_to.len() {
        let its = |leaves: bool| {
            let inside = |value: f64| up_to.iter().filter(|point| value > **point).count() == bin;
            values.iter().zip(is_leaver).filter(|row| inside(*row.0) && *row.1 == leaves).count() as f64
        };
        let (left, stayed) = (its(true), its(false));
        if left + stayed < least {
            return None;
        }
        odds.push((left + settings.smoothing) / (stayed + settings.smoothing));
        information += (left / all_left - stayed / all_stayed) * odds[bin].ln();
    }
    let rises = odds.windows(2).all(|pair| pair[0] <= pair[1]);
    let falls = odds.windows(2).all(|pair| pair[0] >= pair[1]);
    (rises || falls).then_some(information)
}

proptest! {
    #[test]
    fn the_merge_is_the_best_of_all_ways_to_cut(
        rows in prop::collection::vec((0..9_u32, any::<bool>()), 1..60),
        most_bins in 1..6_usize,
        share in prop_oneof![Just(0.0), Just(0.1), Just(0.3)],
    ) {
        let values: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
        let is_leaver: Vec<bool> = rows.iter().map(|row| row.1).collect();
        // More quantiles than values: every value may be a cut.
        let settings = Settings { pre_bins: 100, most_bins, minimum_share: share, ..Settings::default() };
        let ours = fitted(&values, &is_leaver, settings);
        let largest = values.iter().copied().fold(f64::MIN, f64::max);
        let points: Vec<f64> = (0..9).map(f64::from).filter(|p| values.contains(p) && *p < largest).collect();
        let best = (0..1_u32 << points.len())
            .map(|chosen| (0..points.len()).filter(|nth| chosen >> nth & 1 == 1).map(|nth| points[nth]).collect::<Vec<_>>())
            .filter(|up_to| up_to.len() < most_bins)
            .filter_map(|up_to| judged(&values, &is_leaver, &up_to, settings))
            .fold(f64::MIN, f64::max);
        let found = judged(&values, &is_leaver, &ours, settings).expect("our way to cut is allowed");
        prop_assert!((found - best).abs() < 1e-9, "{found} by {ours:?}, but {best} can be had");
    }

    #[test]
    fn every_double_falls_into_a_bin(values in prop::collection::vec(any::<f64>(), 1..50), seed in any::<u64>()) {
        let is_leaver: Vec<bool> = (0..values.len()).map(|row| seed >> (row % 64) & 1 == 1).collect();
        let binning = fit(numbers(&values), &is_leaver, Settings::default()).unwrap();
        let codes = binning.codes(numbers(&values)).unwrap();
        for (code, value) in codes.iter().zip(&values) {
            prop_assert!((*code as usize) < binning.bins());
            prop_assert_eq!(*code as usize + 1 == binning.bins(), !value.is_finite());
        }
    }
}

#[test]
fn a_value_on_a_point_belongs_to_the_bin_below_and_the_unknown_to_the_last() {
    let binning = Binning::Numbers { up_to: vec![1.0, 5.0] };
    let values = [0.0, 1.0, 1.5, 5.0, 6.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    assert_eq!(binning.codes(numbers(&values)).unwrap(), [0, 0, 1, 1, 2, 3, 3, 3]);
}

#[test]
fn what_cannot_be_told_apart_is_one_bin() {
    let is_leaver = [true, false, true, false];
    assert!(fitted(&[7.0; 4], &is_leaver, Settings::default()).is_empty());
    assert!(fitted(&[f64::NAN; 4], &is_leaver, Settings::default()).is_empty());
    assert!(fitted(&[], &[], Settings::default()).is_empty());
    let all_needed = Settings { minimum_share: 1.0, ..Settings::default() };
    assert!(fitted(&[1.0, 2.0, 3.0, 4.0], &is_leaver, all_needed).is_empty());
}

#[test]
fn one_leaver_among_many_does_not_break_the_bins() {
    let values: Vec<f64> = (0..1000).map(f64::from).collect();
    let is_leaver: Vec<bool> = (0..1000).map(|row| row == 990).collect();
    for smoothing in [0.0, 0.5] {
        let up_to = fitted(&values, &is_leaver, Settings { smoothing, ..Settings::default() });
        assert!(up_to.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn rare_and_unseen_categories_are_others() {
    let texts = ["web", "shop", "fax", "never"];
    let codes: Vec<u32> = (0..100).map(|row| [0, 1, 1, 1, UNKNOWN][row % 5]).chain([2]).collect();
    let channel = Characteristic { name: "channel", values: Values::Categories { codes: &codes, texts: &texts } };
    let binning = fit(channel, &[false; 101], Settings::default()).unwrap();
    assert_eq!(binning, Binning::Categories { kept: vec!["shop".to_owned(), "web".to_owned()] });
    // Another snapshot, with other codes for the same texts.
    let texts = ["app", "web", "shop"];
    let other = Values::Categories { codes: &[0, 1, 2, UNKNOWN], texts: &texts };
    assert_eq!(binning.codes(Characteristic { name: "channel", values: other }).unwrap(), [2, 1, 0, 3]);
}

#[test]
fn ten_thousand_categories_leave_those_that_hold_a_hundredth() {
    let names: Vec<String> = (0..10_000).map(|code| format!("postcode {code}")).collect();
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let codes: Vec<u32> = (0..30_000).map(|row| if row % 3 == 0 { 17 } else { row % 10_000 }).collect();
    let postcode = Characteristic { name: "postcode", values: Values::Categories { codes: &codes, texts: &texts } };
    let binning = fit(postcode, &[false; 30_000], Settings::default()).unwrap();
    assert_eq!(binning, Binning::Categories { kept: vec!["postcode 17".to_owned()] });
}

#[test]
fn settings_codes_and_kinds_without_a_meaning_are_refused() {
    let standard = Settings::default();
    for wrong in [
        Settings { pre_bins: 0, ..standard },
        Settings { pre_bins: 101, ..standard },
        Settings { most_bins: 0, ..standard },
        Settings { minimum_share: f64::NAN, ..standard },
        Settings { rare_share: 1.5, ..standard },
        Settings { smoothing: f64::INFINITY, ..standard },
    ] {
        assert!(matches!(fit(numbers(&[1.0]), &[true], wrong), Err(Error::Setting { .. })));
    }
    assert!(matches!(fit(numbers(&[1.0]), &[], standard), Err(Error::Lengths { .. })));
    let foreign = Characteristic { name: "channel", values: Values::Categories { codes: &[0, 9], texts: &["web"] } };
    assert!(matches!(fit(foreign, &[true, false], standard), Err(Error::Code { row: 1, found: 9, .. })));
    let binning = Binning::Numbers { up_to: vec![] };
    assert!(matches!(binning.codes(foreign), Err(Error::Kind { .. })));
}
