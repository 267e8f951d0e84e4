//! Which items are closest to each item, from the pairs of [`crate::affinity`].

use rayon::prelude::*;

use crate::affinity::Pairs;

/// How the closeness of two items is measured. Both are higher the more often both are bought, and the less otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Likeness {
    /// both / √(one · other), 0 to 1.
    Cosine,
    /// Lift, drawn towards 0 where it comes from few baskets: lift · both / (both + shrink).
    ShrunkLift {
        /// How many baskets halve the lift.
        shrink: f64,
    },
}

impl Likeness {
    fn of(self, both: u32, one: u32, other: u32, baskets: usize) -> f64 {
        let (both, one, other) = (f64::from(both), f64::from(one), f64::from(other));
        match self {
            Self::Cosine => both / (one * other).sqrt(),
            Self::ShrunkLift { shrink } => both * baskets as f64 / (one * other) * (both / (both + shrink.max(0.0))),
        }
    }
}

/// The closest items of each item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbours {
    /// Item i has the entries from `offsets[i]` to `offsets[i + 1]`.
    pub offsets: Vec<usize>,
    /// The neighbours; ascending for each item.
    pub items: Vec<u32>,
    /// How close each is; above 0.
    pub weights: Vec<f64>,
}

impl Neighbours {
    /// The `most` closest of each item; ties by key.
    pub fn of<'k>(pairs: &Pairs, likeness: Likeness, most: usize, key: impl Fn(u32) -> &'k [u8] + Sync) -> Self {
        let close = |one: u32, other: u32, both: u32| {
            let count = |item: u32| pairs.item_baskets[item as usize];
            likeness.of(both, count(one), count(other), pairs.baskets)
        };
        let mut all = ByItem::of(pairs, close);
        let kept: Vec<usize> = all.rows().into_par_iter().map(|row| keep_closest(row, most, &key)).collect();
        let mut neighbours = Self { offsets: vec![0], ..Self::default() };
        for (item, kept) in kept.into_iter().enumerate() {
            for (other, weight) in &all.entries[all.offsets[item]..all.offsets[item] + kept] {
                neighbours.items.push(*other);
                neighbours.weights.push(*weight);
            }
            neighbours.offsets.push(neighbours.items.len());
        }
        neighbours
    }

    /// The neighbours of an item with their weights, by item.
    pub fn of_item(&self, item: u32) -> impl Iterator<Item = (u32, f64)> {
        let range = self.offsets[item as usize]..self.offsets[item as usize + 1];
        self.items[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    /// How close `other` is to `item`; 0 where it is no neighbour.
    pub fn weight(&self, item: u32, other: u32) -> f64 {
        let from = self.offsets[item as usize];
        let place = self.items[from..self.offsets[item as usize + 1]].binary_search(&other);
        place.map_or(0.0, |place| self.weights[from + place])
    }
}

/// Brings the closest to the front, by item; returns how many.
fn keep_closest<'k>(row: &mut [(u32, f64)], most: usize, key: &impl Fn(u32) -> &'k [u8]) -> usize {
    if row.len() > most {
        // Which they are, not in which order.
        row.select_nth_unstable_by(most, |one, other| {
            other.1.total_cmp(&one.1).then_with(|| key(one.0).cmp(key(other.0)))
        });
    }
    let kept = row.len().min(most);
    row[..kept].sort_unstable_by_key(|entry| entry.0);
    kept
}

/// Pairs from both sides.
struct ByItem {
    offsets: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl ByItem {
    fn of(pairs: &Pairs, close: impl Fn(u32, u32, u32) -> f64) -> Self {
        let mut offsets = vec![0_usize; pairs.item_baskets.len() + 1];
        pairs.rarer.iter().chain(&pairs.commoner).for_each(|item| offsets[*item as usize + 1] += 1);
        for item in 1..offsets.len() {
            offsets[item] += offsets[item - 1];
        }
        let mut free = offsets.clone();
        let mut entries = vec![(0, 0.0); 2 * pairs.len()];
        for ((rarer, commoner), both) in pairs.rarer.iter().zip(&pairs.commoner).zip(&pairs.counts) {
            let weight = close(*rarer, *commoner, *both);
            for (item, other) in [(rarer, commoner), (commoner, rarer)] {
                entries[free[*item as usize]] = (*other, weight);
                free[*item as usize] += 1;
            }
        }
        Self { offsets, entries }
    }

    fn rows(&mut self) -> Vec<&mut [(u32, f64)]> {
        let mut rest = &mut self.entries[..];
        let mut rows = Vec::with_capacity(self.offsets.len());
        for ends in self.offsets.windows(2) {
            let (row, behind) = rest.split_at_mut(ends[1] - ends[0]);
            rows.push(row);
            rest = behind;
        }
        rows
    }
}
