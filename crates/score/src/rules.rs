//! Whoever buys these buys that too: rules with one item on the right, from the sets of [`crate::itemsets`].

use hashbrown::HashMap;

use crate::itemsets::Itemsets;

/// A rule and what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The items that lead to `right`, ascending.
    pub left: Vec<u32>,
    /// The item they lead to.
    pub right: u32,
    /// How sure and how telling it is.
    pub measures: Measures,
}

/// What speaks for one item, given others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Baskets with all of them.
    pub count: u32,
    /// Their part of all baskets, 0 to 1.
    pub support: f64,
    /// The part of the baskets with the left side that also have the right side, 0 to 1.
    pub confidence: f64,
    /// How many times as often the right side is there as in all baskets; 1 where both sides have nothing to do with
    /// each other.
    pub lift: f64,
    /// The support beyond what chance would give, −0.25 to 0.25.
    pub leverage: f64,
}

impl Measures {
    /// Of the counts of baskets with both sides, with the left, with the right, and of all; none of them 0.
    pub fn of(both: u32, left: u32, right: u32, baskets: usize) -> Self {
        let (count, left, right, all) = (f64::from(both), f64::from(left), f64::from(right), baskets as f64);
        Self {
            count: both,
            support: count / all,
            confidence: count / left,
            lift: count * all / (left * right),
            leverage: count / all - left / all * (right / all),
        }
    }
}

/// All rules of the sets with at least this confidence, those of the greatest first; ties by count, then by items.
///
/// Where the sets were cut off, rules are left out whose left side is missing there.
pub fn rules(itemsets: &Itemsets, least_confidence: f64) -> Vec<Rule> {
    let counts: HashMap<&[u32], u32> =
        (0..itemsets.len()).map(|set| (itemsets.of(set), itemsets.counts[set])).collect();
    let mut rules = Vec::new();
    let mut left = Vec::new();
    for set in (0..itemsets.len()).filter(|set| itemsets.of(*set).len() > 1) {
        let items = itemsets.of(set);
        for (place, right) in items.iter().enumerate() {
            left.clear();
            left.extend_from_slice(&items[..place]);
            left.extend_from_slice(&items[place + 1..]);
            let (Some(of_left), Some(of_right)) = (counts.get(&left[..]), counts.get(&items[place..=place])) else {
                continue;
            };
            let measures = Measures::of(itemsets.counts[set], *of_left, *of_right, itemsets.baskets);
            if measures.confidence >= least_confidence {
                rules.push(Rule { left: left.clone(), right: *right, measures });
            }
        }
    }
    rules.sort_unstable_by(|one, other| {
        let confidence = other.measures.confidence.total_cmp(&one.measures.confidence);
        let count = other.measures.count.cmp(&one.measures.count);
        confidence.then(count).then_with(|| (&one.left, one.right).cmp(&(&other.left, other.right)))
    });
    rules
}
