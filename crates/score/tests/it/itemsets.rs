//! Frequent sets and rules beside published counts and beside all sets that there are.

use std::collections::BTreeMap;

use muster_score::Error;
use muster_score::baskets::{Baskets, least_count};
use muster_score::itemsets::{Itemsets, Wanted, itemsets};
use muster_score::rules::rules;
use proptest::prelude::*;

use crate::real_baskets::real_baskets;

fn all(least_count: u32) -> Wanted {
    Wanted { least_count, longest: usize::MAX, most: usize::MAX }
}

fn sets_at(baskets: &Baskets<'_>, support: f64) -> Itemsets {
    itemsets(baskets, &all(least_count(support, baskets.len()).expect("a part")))
}

#[test]
fn groceries_have_410_rules() {
    let Some(groceries) = real_baskets("groceries.csv") else { return };
    let baskets = groceries.baskets();
    assert_eq!((baskets.len(), baskets.item_count()), (9835, 169));
    let sets = sets_at(&baskets, 0.001);
    let rules = rules(&sets, 0.8);
    let of_length = |length: usize| rules.iter().filter(|rule| rule.left.len() + 1 == length).count();
    assert_eq!(rules.len(), 410);
    assert_eq!([3, 4, 5, 6].map(of_length), [29, 229, 140, 12]);
    let named = |left: [&str; 2], right: &str| {
        let mut left = left.map(|name| groceries.code(name)).to_vec();
        left.sort_unstable();
        let right = groceries.code(right);
        rules.iter().find(|rule| rule.left == left && rule.right == right).expect("the rule is there").measures
    };
    let beer = named(["liquor", "red/blush wine"], "bottled beer");
    assert_eq!(beer.count, 19);
    assert!((beer.confidence - 0.904_761_9).abs() < 5e-8 && (beer.lift - 11.235_269).abs() < 5e-7, "{beer:?}");
    let milk = named(["rice", "sugar"], "whole milk");
    assert_eq!((milk.count, milk.confidence), (12, 1.0));
    assert!((milk.lift - 3.913_649).abs() < 5e-7, "{milk:?}");
}

#[test]
fn generated_baskets_have_the_published_number_of_sets() {
    let Some(generated) = real_baskets("T10I4D100K.dat") else { return };
    let baskets = generated.baskets();
    assert_eq!([0.01, 0.005].map(|support| sets_at(&baskets, support).len()), [385, 1073]);
}

#[test]
fn mushrooms_have_the_published_number_of_sets() {
    let Some(mushrooms) = real_baskets("mushroom.dat") else { return };
    let baskets = mushrooms.baskets();
    assert_eq!([0.5, 0.4, 0.3].map(|support| sets_at(&baskets, support).len()), [153, 565, 2735]);
}

/// Every subset of every basket, counted.
fn brute_force(baskets: &[Vec<u32>], least: u32) -> BTreeMap<Vec<u32>, u32> {
    let mut counts = BTreeMap::new();
    for basket in baskets {
        let mut items = basket.clone();
        items.sort_unstable();
        items.dedup();
        for chosen in 1_u32..1 << items.len() {
            let set = (0..items.len()).filter(|place| chosen >> place & 1 == 1).map(|place| items[place]).collect();
            *counts.entry(set).or_insert(0) += 1;
        }
    }
    counts.retain(|_, count| *count >= least);
    counts
}

fn laid_out(baskets: &[Vec<u32>]) -> (Vec<usize>, Vec<u32>) {
    let ends = baskets.iter().scan(0, |end, basket| {
        *end += basket.len();
        Some(*end)
    });
    (std::iter::once(0).chain(ends).collect(), baskets.concat())
}

fn as_map(sets: &Itemsets) -> BTreeMap<Vec<u32>, u32> {
    (0..sets.len()).map(|set| (sets.of(set).to_vec(), sets.counts[set])).collect()
}

/// Items of baskets that are made up.
const ITEMS: usize = 120;

/// Baskets with and without a common core: the sets of those with one lose few baskets, so that lists are used too. Those
/// of few among many items are not laid out as bits at once.
fn many_baskets() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let some = proptest::collection::vec(proptest::collection::vec(0_u32..12, 0..8), 0..200);
    let core = |missing: Vec<u32>| -> Vec<u32> { (0..10).filter(|item| !missing.contains(item)).collect() };
    let dense = proptest::collection::vec(proptest::collection::vec(0_u32..10, 0..3).prop_map(core), 100..400);
    let few = || proptest::collection::vec(0..ITEMS as u32, 0..5);
    let sparse = proptest::collection::vec(few(), 0..400);
    let around_the_core = proptest::collection::vec(0_u32..7, 0..2).prop_map(core);
    let mixed = proptest::collection::vec(prop_oneof![9 => few(), 1 => around_the_core], 200..600);
    prop_oneof![some, dense, sparse, mixed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn sets_are_those_of_brute_force(baskets in many_baskets(), part in prop_oneof![0.002_f64..0.02, 0.01_f64..1.0]) {
        let least = least_count(part, baskets.len()).expect("a part");
        let (offsets, items) = laid_out(&baskets);
        let sets = itemsets(&Baskets::new(&offsets, &items, ITEMS).expect("baskets"), &all(least));
        prop_assert!(!sets.truncated);
        let found = as_map(&sets);
        prop_assert_eq!(found.len(), sets.len(), "a set came twice");
        prop_assert_eq!(found, brute_force(&baskets, least));
    }

    #[test]
    fn limits_cut_off_and_say_so(baskets in many_baskets(), most in 0_usize..40, longest in 0_usize..4) {
        let (offsets, items) = laid_out(&baskets);
        let baskets_given = Baskets::new(&offsets, &items, ITEMS).expect("baskets");
        let expected: BTreeMap<_, _> =
            brute_force(&baskets, 2).into_iter().filter(|(set, _)| set.len() <= longest).collect();
        let sets = itemsets(&baskets_given, &Wanted { least_count: 2, longest, most });
        prop_assert_eq!(sets.len(), expected.len().min(most));
        prop_assert_eq!(sets.truncated, expected.len() > most);
        prop_assert!(as_map(&sets).iter().all(|(set, count)| expected.get(set) == Some(count)));
    }
}

#[test]
fn sets_come_in_the_same_order_with_one_thread_and_with_many() {
    for (name, least_count) in [("groceries.csv", 10), ("mushroom.dat", 2438)] {
        let Some(real) = real_baskets(name) else { return };
        let run = |threads: usize, most: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| itemsets(&real.baskets(), &Wanted { least_count, longest: 4, most }))
        };
        assert_eq!(run(1, usize::MAX), run(4, usize::MAX));
        assert_eq!(run(1, 777), run(4, 777));
    }
}

#[test]
fn thresholds_count_as_the_next_whole_number_without_the_errors_of_rounding() {
    let least = |support: f64, count: usize| least_count(support, count).expect("a part");
    assert_eq!(least(0.001, 9835), 10);
    assert_eq!(least(0.07, 100), 7);
    assert_eq!(least(0.01, 100_000), 1000);
    assert_eq!(least(0.5, 8124), 4062);
    assert_eq!(least(0.5, 0), 1);
    assert!((1..=1000).all(|part| least(f64::from(part) / 1000.0, 1000) == part));
    assert!(matches!(least_count(f64::NAN, 9), Err(Error::Setting { .. })));
    assert!(matches!(least_count(0.0, 9), Err(Error::Setting { .. })));
}

#[test]
fn baskets_that_are_none_are_named() {
    assert!(Baskets::new(&[], &[], 0).expect("no baskets").is_empty());
    assert!(itemsets(&Baskets::new(&[], &[], 0).expect("no baskets"), &all(0)).is_empty());
    assert!(matches!(Baskets::new(&[0, 2], &[0], 1), Err(Error::Offsets { place: 1, .. })));
    assert!(matches!(Baskets::new(&[0, 2, 1], &[0], 1), Err(Error::Offsets { place: 2, .. })));
    assert!(matches!(Baskets::new(&[0, 1], &[7], 7), Err(Error::Code { found: 7, row: 0, .. })));
}
