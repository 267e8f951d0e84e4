//! Ranks against sorting, groups against all cells.

use muster_score::Error;
use muster_score::groups::{GroupRule, default_groups, groups};
use muster_score::ranks::{Better, Cutting, scores};
use muster_score::rfm::{Base, CutPoints, Method, Rfm, rfm};
use proptest::prelude::*;

/// The scores of SQL's NTILE: everything is sorted by value and key, and dealt out.
fn ntile_by_sorting(values: &[i128], better: Better, bins: usize, keys: &[Vec<u8>]) -> Vec<u8> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| {
        let by_value = match better {
            Better::More => values[*left].cmp(&values[*right]),
            Better::Fewer => values[*right].cmp(&values[*left]),
        };
        by_value.then(keys[*left].cmp(&keys[*right])).then(left.cmp(right))
    });
    let mut scores = vec![0; values.len()];
    let mut rows = order.into_iter();
    for bin in 0..bins {
        let size = values.len() / bins + usize::from(bin < values.len() % bins);
        rows.by_ref().take(size).for_each(|row| scores[row] = bin as u8 + 1);
    }
    scores
}

/// One more than the quantiles, read from the sorted values, that a value lies above.
fn quantile_by_sorting(values: &[i128], better: Better, bins: usize) -> Vec<u8> {
    let good = |value: i128| if better == Better::More { value } else { -value };
    let mut sorted: Vec<i128> = values.iter().copied().map(good).collect();
    sorted.sort_unstable();
    let at = |bin: usize| sorted[(bin * sorted.len()).div_ceil(bins) - 1];
    values.iter().map(|value| 1 + (1..bins).filter(|bin| good(*value) > at(*bin)).count() as u8).collect()
}

fn columns() -> impl Strategy<Value = (Vec<i128>, Vec<Vec<u8>>)> {
    let few = -3..4_i128;
    let many = prop_oneof![-100_000..100_000_i128, Just(i128::MIN + 1), Just(i128::MAX), Just(i128::from(i64::MAX))];
    let values = prop_oneof![
        prop::collection::vec(few, 0..80),
        prop::collection::vec(-500_000..500_000_i128, 0..80),
        prop::collection::vec(many, 0..80),
    ];
    values
        .prop_flat_map(|values| {
            let rows = values.len();
            let keys = prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0_u8), Just(b'a'), any::<u8>()], 0..11),
                rows,
            );
            (Just(values), keys, any::<bool>())
        })
        .prop_map(|(values, keys, has_prefix)| {
            let prefixed = |key: Vec<u8>| if has_prefix { [b"customer-".to_vec(), key].concat() } else { key };
            (values, keys.into_iter().map(prefixed).collect())
        })
}

proptest! {
    #[test]
    fn equal_counts_equal_those_of_sorting((values, keys) in columns(), bins in 2..10_usize) {
        for better in [Better::More, Better::Fewer] {
            let ours = scores(&values, better, Cutting::Ntile, bins, |row| &keys[row]).unwrap();
            prop_assert_eq!(&ours, &ntile_by_sorting(&values, better, bins, &keys));
        }
    }

    #[test]
    fn quantiles_equal_those_of_sorting((values, keys) in columns(), bins in 2..10_usize) {
        for better in [Better::More, Better::Fewer] {
            let ours = scores(&values, better, Cutting::Quantile, bins, |row| &keys[row]).unwrap();
            prop_assert_eq!(&ours, &quantile_by_sorting(&values, better, bins));
        }
    }

    #[test]
    fn fixed_points_within_and_beyond_the_values_count_what_is_reached(
        (values, _) in columns(),
        points in prop::collection::btree_set(prop_oneof![-4..4_i128, -600_000..600_000_i128, any::<i128>()], 3),
    ) {
        let points: Vec<i128> = points.into_iter().collect();
        let more = scores(&values, Better::More, Cutting::Fixed(&points), 4, |_| &[]).unwrap();
        let fewer = scores(&values, Better::Fewer, Cutting::Fixed(&points), 4, |_| &[]).unwrap();
        for (row, value) in values.iter().enumerate() {
            prop_assert_eq!(usize::from(more[row]), 1 + points.iter().filter(|point| value >= *point).count());
            prop_assert_eq!(usize::from(fewer[row]), 1 + points.iter().filter(|point| value <= *point).count());
        }
    }

    #[test]
    fn fixed_points_count_what_is_reached(values in prop::collection::vec(-50..50_i64, 0..40)) {
        let points = [-10, 0, 5, 20];
        let more = scores(&values, Better::More, Cutting::Fixed(&points), 5, |_| &[]).unwrap();
        let fewer = scores(&values, Better::Fewer, Cutting::Fixed(&points), 5, |_| &[]).unwrap();
        for (row, value) in values.iter().enumerate() {
            prop_assert_eq!(usize::from(more[row]), 1 + points.iter().filter(|point| value >= *point).count());
            prop_assert_eq!(usize::from(fewer[row]), 1 + points.iter().filter(|point| value <= *point).count());
        }
    }
}

/// 300,000 rows of the pieces that tasks read, with few frequencies, so that cuts tear large groups.
fn large() -> (Vec<i128>, Vec<Vec<u8>>) {
    let mixed = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let values = (0..300_000).map(|row| i128::from((mixed(row) % 64).trailing_zeros())).collect();
    let keys = (0..300_000).map(|row| format!("customer-{:06}", mixed(row + 1) % 1_000_000).into_bytes()).collect();
    (values, keys)
}

#[test]
fn many_rows_equal_sorting_and_are_the_same_with_one_thread_and_with_two() {
    let (values, keys) = large();
    let ours = || scores(&values, Better::More, Cutting::Ntile, 5, |row| &keys[row]).unwrap();
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(ours);
    assert_eq!(with(1), ntile_by_sorting(&values, Better::More, 5, &keys));
    assert_eq!(with(1), with(2));
}

#[test]
fn keys_in_order_and_keys_of_which_one_begins_otherwise_equal_sorting() {
    let (values, keys) = large();
    let values = &values[..100_000];
    let mut rising = keys[..values.len()].to_vec();
    rising.sort();
    let with_one = |key: &[u8]| {
        let mut keys = rising.clone();
        keys[70_001] = key.to_vec();
        keys
    };
    let last_but_one = with_one(&rising[70_003]);
    for keys in
        [with_one(b""), with_one(b"cust"), with_one(b"zebra-000001"), with_one(b"customer-0"), last_but_one, rising]
    {
        let ours = scores(values, Better::More, Cutting::Ntile, 5, |row| &keys[row]).unwrap();
        assert_eq!(ours, ntile_by_sorting(values, Better::More, 5, &keys));
    }
}

#[test]
fn one_value_far_from_all_others_does_not_blur_the_cuts() {
    // All but one value fall into the first bucket of the histogram, and of the next one, too.
    let (_, keys) = large();
    let near = |row: i128| (row * 7_919) % 100_003;
    for far in [10_i128.pow(12), i128::MAX] {
        let values: Vec<i128> = (0..100_000).map(|row| if row == 5 { far } else { near(row) }).collect();
        for better in [Better::More, Better::Fewer] {
            let ntile = scores(&values, better, Cutting::Ntile, 5, |row| &keys[row]).unwrap();
            assert_eq!(ntile, ntile_by_sorting(&values, better, 5, &keys[..values.len()]));
            let quantile = scores(&values, better, Cutting::Quantile, 5, |row| &keys[row]).unwrap();
            assert_eq!(quantile, quantile_by_sorting(&values, better, 5));
        }
    }
}

#[test]
fn seven_profiles_fill_the_worst_bins_first_as_ntile_does() {
    let keys = ["g", "f", "e", "d", "c", "b", "a"];
    let ours = scores(&[1_i64; 7], Better::More, Cutting::Ntile, 5, |row| keys[row].as_bytes()).unwrap();
    // All are equal, so that the key alone says: a, b are 1, c, d are 2, and e, f, g are 3, 4, 5.
    assert_eq!(ours, [5, 4, 3, 2, 2, 1, 1]);
}

#[test]
fn fewer_days_are_better_and_more_purchases_are() {
    let base = Base {
        recency_days: &[5, 40, 100, 200, 400],
        frequency: &[1, 2, 3, 4, 5],
        monetary: &[-500, 0, 100, 10_000, 20_000],
    };
    let found = rfm(base, Method::Ntile, 5, |_| &[]).unwrap();
    assert_eq!(found, Rfm { r: vec![5, 4, 3, 2, 1], f: vec![1, 2, 3, 4, 5], m: vec![1, 2, 3, 4, 5] });
    assert_eq!(found.cells(), [511, 422, 333, 244, 155]);
    let points = CutPoints { recency_days: &[30, 90], frequency: &[2, 5], monetary: &[0, 10_000] };
    let fixed = rfm(base, Method::Fixed(points), 3, |_| &[]).unwrap();
    assert_eq!(fixed, Rfm { r: vec![3, 2, 1, 1, 1], f: vec![1, 2, 2, 2, 3], m: vec![1, 2, 2, 3, 3] });
}

#[test]
fn one_customer_and_none_have_a_clear_answer() {
    let one = Base { recency_days: &[3], frequency: &[1], monetary: &[-100] };
    for method in [Method::Ntile, Method::Quantile] {
        assert_eq!(rfm(one, method, 5, |_| b"a").unwrap().cells(), [111]);
        let none = Base { recency_days: &[], frequency: &[], monetary: &[] };
        assert!(rfm(none, method, 5, |_| b"a").unwrap().cells().is_empty());
    }
}

#[test]
fn a_constant_column_shares_the_worst_bin_by_quantile() {
    let ours = scores(&[7_i64; 100], Better::More, Cutting::Quantile, 5, |_| &[]).unwrap();
    assert_eq!(ours, [1; 100]);
}

#[test]
fn settings_without_a_meaning_are_refused() {
    for bins in [0, 1, 10] {
        assert!(matches!(scores(&[1_i64], Better::More, Cutting::Ntile, bins, |_| &[]), Err(Error::Setting { .. })));
    }
    for points in [&[1, 2][..], &[1, 2, 2], &[3, 2, 1]] {
        for better in [Better::More, Better::Fewer] {
            let cut = scores(&[1_i64], better, Cutting::Fixed(points), 4, |_| &[]);
            assert!(matches!(cut, Err(Error::CutPoints { bins: 4, .. })));
        }
    }
    let base = Base { recency_days: &[1], frequency: &[1, 2], monetary: &[1] };
    assert!(matches!(rfm(base, Method::Ntile, 5, |_| &[]), Err(Error::Lengths { .. })));
}

#[test]
fn the_ten_groups_hold_for_all_125_cells() {
    let cells = || (1..=5_u8).flat_map(|r| (1..=5).flat_map(move |f| (1..=5).map(move |m| (r, f, m))));
    let all = Rfm {
        r: cells().map(|cell| cell.0).collect(),
        f: cells().map(|cell| cell.1).collect(),
        m: cells().map(|cell| cell.2).collect(),
    };
    let found = groups(&all, &default_groups());
    assert_eq!(found.len(), 125);
    assert!(found.iter().all(Option::is_some));
    for place in 0..10 {
        assert!(found.contains(&Some(place)), "{} holds for no cell", default_groups()[place].label);
    }
    let without_lost = &default_groups()[..9];
    assert!(groups(&all, without_lost).contains(&None), "the control: nine groups leave cells over");
}

#[test]
fn the_first_rule_that_holds_names_the_group() {
    let rule = |label: &str, r| GroupRule { label: label.to_owned(), r, f: 1..=5, m: 1..=5 };
    let scores = Rfm { r: vec![5, 4, 1], f: vec![5, 5, 5], m: vec![1, 1, 1] };
    assert_eq!(groups(&scores, &[rule("best", 5..=5), rule("good", 3..=5)]), [Some(0), Some(1), None]);
}
