//! Pairs beside counting every two items of every basket.

use std::collections::{BTreeMap, BTreeSet};

use muster_score::affinity::{Pairs, pairs};
use muster_score::baskets::Baskets;
use muster_score::itemsets::{Wanted, itemsets};
use muster_score::rules::Measures;
use proptest::prelude::*;

use crate::real_baskets::real_baskets;

/// Every two different items of every basket, counted both ways.
fn two_by_two(baskets: &Baskets<'_>, least: u32) -> BTreeMap<(u32, u32), u32> {
    let mut counts = BTreeMap::new();
    for basket in baskets.iter() {
        let items: BTreeSet<u32> = basket.iter().copied().collect();
        for one in &items {
            for other in items.iter().filter(|other| *other != one) {
                *counts.entry((*one, *other)).or_insert(0) += 1;
            }
        }
    }
    counts.retain(|_, count| *count >= least.max(1));
    counts
}

fn both_ways(pairs: &Pairs) -> BTreeMap<(u32, u32), u32> {
    let ordered: Vec<_> = pairs.ordered().collect();
    let map: BTreeMap<_, _> = ordered.iter().map(|pair| ((pair.item, pair.other), pair.measures.count)).collect();
    assert_eq!(map.len(), ordered.len(), "a pair came twice");
    map
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pairs_are_those_of_counting_two_by_two(
        baskets in proptest::collection::vec(proptest::collection::vec(0_u32..15, 0..12), 0..300),
        least in 0_u32..6,
    ) {
        let mut offsets = vec![0];
        baskets.iter().for_each(|basket| offsets.push(offsets[offsets.len() - 1] + basket.len()));
        let items = baskets.concat();
        let baskets = Baskets::new(&offsets, &items, 15).expect("baskets");
        let found = pairs(&baskets, least);
        prop_assert_eq!(both_ways(&found), two_by_two(&baskets, least));
        prop_assert_eq!(&found.item_baskets, &baskets.item_baskets());
    }
}

#[test]
fn pairs_of_groceries_are_their_sets_of_two() {
    let Some(groceries) = real_baskets("groceries.csv") else { return };
    let baskets = groceries.baskets();
    let pairs = pairs(&baskets, 10);
    let sets = itemsets(&baskets, &Wanted { least_count: 10, longest: 2, most: usize::MAX });
    let of_two = (0..sets.len()).filter(|set| sets.of(*set).len() == 2);
    let of_two: BTreeMap<_, _> = of_two.map(|set| ((sets.of(set)[0], sets.of(set)[1]), sets.counts[set])).collect();
    let found = both_ways(&pairs).into_iter().filter(|((one, other), _)| one < other).collect();
    assert_eq!(of_two, found);
}

#[test]
fn measures_are_those_of_the_counts() {
    // Of 4 baskets, 2 have the left side, 3 the right one, 2 both.
    let measures = Measures::of(2, 2, 3, 4);
    assert_eq!(measures, Measures { count: 2, support: 0.5, confidence: 1.0, lift: 4.0 / 3.0, leverage: 0.125 });
}

#[test]
fn pairs_come_in_the_same_order_with_one_thread_and_with_many() {
    let Some(groceries) = real_baskets("groceries.csv") else { return };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| pairs(&groceries.baskets(), 1))
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn no_baskets_and_lonely_items_have_no_pairs() {
    assert!(pairs(&Baskets::new(&[], &[], 10_000).expect("no baskets"), 1).is_empty());
    let lonely = Baskets::new(&[0, 2, 2, 3], &[4, 4, 7], 10_000).expect("baskets");
    assert!(pairs(&lonely, 1).is_empty());
}
