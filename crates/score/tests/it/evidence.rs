//! Weights of evidence: the published figures, naive counting, and input that says nothing.

use muster_score::Error;
use muster_score::evidence::{Coded, Counts, counts, evidence};
use proptest::prelude::*;

/// The last digit that a figure is given to.
fn check(ours: f64, published: f64, within: f64) {
    assert!((ours - published).abs() <= within, "{ours} is not {published}");
}

#[test]
fn internet_service_has_the_published_information_value_without_smoothing() {
    let internet = Counts { leavers: vec![113, 459, 1297], stayers: vec![1413, 1962, 1799] };
    let found = evidence(&internet, 0.0).unwrap();
    check(found.information_value, 0.617953, 5e-7);
    assert!(found.categories[2].woe.unwrap() > 0.0, "fibre is where they leave");
}

#[test]
fn a_base_of_1000_has_the_figures_of_the_design() {
    let opened = Counts { leavers: vec![120, 80], stayers: vec![180, 620] };
    let found = evidence(&opened, 0.0).unwrap();
    let silent = &found.categories[0];
    check(silent.woe.unwrap(), 0.98083, 5e-6);
    check(silent.index.unwrap(), 200.0, 1e-9);
    check(silent.z.unwrap(), 8.660, 5e-4);
}

#[test]
fn smoothing_adds_to_each_count_and_to_the_totals_of_the_categories_that_there_are() {
    let counts = Counts { leavers: vec![3, 0, 1], stayers: vec![0, 0, 4] };
    let found = evidence(&counts, 0.5).unwrap();
    check(found.categories[0].woe.unwrap(), ((3.5 / 5.0) / (0.5 / 5.0_f64)).ln(), 1e-12);
    check(found.categories[2].woe.unwrap(), ((1.5 / 5.0) / (4.5 / 5.0_f64)).ln(), 1e-12);
    assert_eq!(found.categories[1].woe, Some(0.0));
    assert_eq!((found.categories[1].index, found.categories[1].z), (None, None));
}

#[test]
fn without_smoothing_a_cell_of_one_kind_has_no_weight_and_no_information() {
    let counts = Counts { leavers: vec![3, 1], stayers: vec![0, 4] };
    let found = evidence(&counts, 0.0).unwrap();
    assert_eq!(found.categories[0].woe, None);
    assert_eq!(found.categories[0].information, 0.0);
    assert!(found.information_value.is_finite());
    assert_eq!(found.weights()[0], 0.0);
}

#[test]
fn a_constant_characteristic_says_nothing() {
    let found = evidence(&Counts { leavers: vec![20], stayers: vec![80] }, 0.5).unwrap();
    assert_eq!(found.categories[0].index, Some(100.0));
    assert_eq!(found.categories[0].z, Some(0.0));
    assert!(found.information_value.abs() < 1e-12);
    assert_eq!(evidence(&Counts { leavers: vec![20], stayers: vec![80] }, 0.0).unwrap().information_value, 0.0);
}

#[test]
fn nobody_left_nobody_stayed_and_no_rows_are_said() {
    for (leavers, stayers) in [(vec![0, 0], vec![3, 4]), (vec![3, 4], vec![0, 0]), (vec![], vec![])] {
        assert!(matches!(evidence(&Counts { leavers, stayers }, 0.5), Err(Error::OneClass { .. })));
    }
    let counts = Counts { leavers: vec![1], stayers: vec![1] };
    for smoothing in [-0.5, f64::NAN, f64::INFINITY] {
        assert!(matches!(evidence(&counts, smoothing), Err(Error::Setting { .. })));
    }
}

#[test]
fn codes_that_are_none_and_other_lengths_are_said() {
    let coded = |codes| Coded { name: "contract", codes, categories: 3 };
    let wrong = counts(&[coded(&[0, 3, 1])], &[true, false, true]);
    assert!(matches!(wrong, Err(Error::Code { row: 1, found: 3, count: 3, .. })));
    assert!(matches!(counts(&[coded(&[0])], &[true, false]), Err(Error::Lengths { .. })));
}

#[test]
fn the_first_characteristic_with_a_wrong_code_is_named() {
    let right: Vec<u32> = (0..100_000).map(|row| row % 3).collect();
    let is_leaver: Vec<bool> = right.iter().map(|code| *code == 1).collect();
    for (wrong_code, categories) in [(3, 3), (4, 3), (u32::MAX, 3), (5000, 5000), (1, 1), (0, 0)] {
        let mut wrong = vec![0; 100_000];
        wrong[70_000] = wrong_code;
        let first_row = if categories == 0 { 0 } else { 70_000 };
        let its = [
            Coded { name: "fine", codes: &right, categories: 3 },
            Coded { name: "postcode", codes: &right, categories: 3000 },
            Coded { name: "wrong", codes: &wrong, categories },
            Coded { name: "wrong as well", codes: &wrong, categories },
        ];
        match counts(&its, &is_leaver) {
            Err(Error::Code { what, row, found, count }) => {
                assert_eq!((what.as_str(), row, found, count), ("wrong", first_row, wrong_code, categories));
            }
            other => panic!("{wrong_code} of {categories}: {other:?}"),
        }
    }
}

#[test]
fn ten_thousand_categories_of_many_rows_are_counted_the_same_with_one_thread_and_with_two() {
    let codes: Vec<u32> = (0..200_000_u32).map(|row| row.wrapping_mul(2_654_435_761) % 10_000).collect();
    let is_leaver: Vec<bool> = codes.iter().map(|code| code % 7 == 3).collect();
    let coded = Coded { name: "postcode", codes: &codes, categories: 10_000 };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| counts(&[coded], &is_leaver).unwrap())
    };
    assert_eq!(with(1), with(2));
    let found = &with(2)[0];
    assert_eq!(found.leavers.iter().sum::<u64>() + found.stayers.iter().sum::<u64>(), 200_000);
    assert!(evidence(found, 0.5).unwrap().categories.iter().all(|category| category.woe.unwrap().is_finite()));
}

proptest! {
    #[test]
    fn counting_equals_naive_counting(
        categories in prop::collection::vec(prop_oneof![1..5_usize, 1..40_usize, Just(300), Just(2048), Just(2049)], 1..12),
        rows in prop::collection::vec((any::<u32>(), any::<bool>()), 0..200),
    ) {
        let is_leaver: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let codes = |(place, categories): (usize, &usize)| -> Vec<u32> {
            rows.iter().map(|(random, _)| random.rotate_left(3 * place as u32) % *categories as u32).collect()
        };
        let columns: Vec<Vec<u32>> = categories.iter().enumerate().map(codes).collect();
        let coded: Vec<Coded<'_>> = columns
            .iter()
            .zip(&categories)
            .map(|(codes, categories)| Coded { name: "", codes, categories: *categories })
            .collect();
        let found = counts(&coded, &is_leaver).unwrap();
        prop_assert_eq!(found.len(), coded.len());
        for (coded, found) in coded.iter().zip(&found) {
            let mut its = Counts { leavers: vec![0; coded.categories], stayers: vec![0; coded.categories] };
            for (code, is_leaver) in coded.codes.iter().zip(&is_leaver) {
                let counts = if *is_leaver { &mut its.leavers } else { &mut its.stayers };
                counts[*code as usize] += 1;
            }
            prop_assert_eq!(found, &its);
        }
    }

    #[test]
    fn no_answer_is_nan(cells in prop::collection::vec((0..4_u64, 0..4_u64), 1..6), smoothing in 0..3_u32) {
        let counts = Counts {
            leavers: cells.iter().map(|cell| cell.0).collect(),
            stayers: cells.iter().map(|cell| cell.1).collect(),
        };
        if let Ok(found) = evidence(&counts, f64::from(smoothing) / 2.0) {
            prop_assert!(found.information_value.is_finite());
            for category in &found.categories {
                let numbers = [category.woe, category.index, category.z, Some(category.information)];
                prop_assert!(numbers.iter().flatten().all(|number| number.is_finite()));
            }
        }
    }
}
