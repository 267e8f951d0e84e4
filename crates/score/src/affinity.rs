//! How much each two items have to do with each other: every pair that is in enough baskets.
//!
//! Longer sets are found by [`crate::itemsets`]; what follows for a customer is said by [`crate::offers`].
//!
//! Items are numbered by how often they are bought, and an item is paired with those before it in its baskets. The pairs
//! of the most frequent items, which are most of all, are counted in a small triangle, basket by basket. Every other item
//! has its pairs counted in a row of its own, from the places where it stands; most of them are in the row's first few
//! cache lines. So no table of all pairs is needed: 20,000 items would take 800 MB of it. In memory at a time: 4 bytes for
//! each line of the baskets and 8 more for each of an item outside of the triangle, 4 bytes for each item and thread,
//! 8 MB for each of at most 8 pieces, and the answer, 12 bytes for each pair that is kept.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::baskets::Baskets;
use crate::rules::Measures;

/// The rank of an item that can be in no pair.
const NONE: u32 = u32::MAX;
/// The most frequent items, whose pairs are counted in a triangle of 8 MB. Chosen on one set of generated baskets, on a
/// machine that was not quiet; 1,024 was no better there.
const HEAD: usize = 2048;
/// Items whose pairs are one piece of work.
const ITEMS_AT_ONCE: usize = 16;
/// Pieces that the baskets are cut into at most; each has its own counts of all items.
const MOST_PIECES: usize = 8;

/// Every two items that are in enough baskets together.
///
/// Each pair is there once, at the item that is in fewer baskets (ties: the greater code). Ordered by that item, the most
/// frequent first, then by the other likewise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// How many baskets there are.
    pub baskets: usize,
    /// In how many baskets each item is.
    pub item_baskets: Vec<u32>,
    /// The item of each pair that is in fewer baskets.
    pub rarer: Vec<u32>,
    /// The other.
    pub commoner: Vec<u32>,
    /// In how many baskets both are.
    pub counts: Vec<u32>,
}

/// What one item says of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affinity {
    /// The item that is in the basket.
    pub item: u32,
    /// The item that it says something of.
    pub other: u32,
    /// What it says.
    pub measures: Measures,
}

impl Pairs {
    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Both directions of a pair, from the rarer item to the commoner one first.
    pub fn both_ways(&self, pair: usize) -> [Affinity; 2] {
        let (rarer, commoner) = (self.rarer[pair], self.commoner[pair]);
        [self.affinity(rarer, commoner, self.counts[pair]), self.affinity(commoner, rarer, self.counts[pair])]
    }

    /// Every ordered pair, in the order of the pairs.
    pub fn ordered(&self) -> impl Iterator<Item = Affinity> {
        (0..self.len()).flat_map(|pair| self.both_ways(pair))
    }

    fn affinity(&self, item: u32, other: u32, count: u32) -> Affinity {
        let (of_item, of_other) = (self.item_baskets[item as usize], self.item_baskets[other as usize]);
        Affinity { item, other, measures: Measures::of(count, of_item, of_other, self.baskets) }
    }
}

/// All pairs of items that are in at least `least_count` baskets together; 0 counts as 1.
///
/// The same pairs in the same order whatever the threads.
pub fn pairs(baskets: &Baskets<'_>, least_count: u32) -> Pairs {
    pairs_with(baskets, least_count.max(1), HEAD)
}

/// The pairs, `most_in_head` items at most being counted in the triangle.
fn pairs_with(baskets: &Baskets<'_>, least_count: u32, most_in_head: usize) -> Pairs {
    let pieces = cut(baskets);
    let item_baskets = item_baskets(baskets, &pieces);
    let ranks = Ranks::of(&item_baskets, least_count);
    let lines = Lines::of(baskets, &pieces, &ranks);
    let head = Head::of(baskets, &pieces, &lines, ranks.codes.len().min(most_in_head));
    let index = Index::of(baskets, &pieces, &lines, ranks.codes.len(), head.count);
    let blocks: Vec<Range<usize>> = (0..ranks.codes.len())
        .step_by(ITEMS_AT_ONCE)
        .map(|from| from..ranks.codes.len().min(from + ITEMS_AT_ONCE))
        .collect();
    // The items that are paired with most others come last; beginning with them keeps all threads busy to the end.
    let mut counted: Vec<Block> = blocks
        .into_par_iter()
        .rev()
        .with_max_len(1)
        .map_init(|| vec![0; ranks.codes.len()], |counts, block| index.count(block, &lines, &head, least_count, counts))
        .collect();
    counted.reverse();
    ranks.named(&counted, baskets.len(), item_baskets)
}

/// The baskets in about equal pieces of work.
fn cut(baskets: &Baskets<'_>) -> Vec<Range<usize>> {
    let worth = (baskets.line_count() / baskets.item_count().max(1) / 4).clamp(1, MOST_PIECES);
    let size = baskets.len().div_ceil(worth).max(1);
    (0..baskets.len()).step_by(size).map(|from| from..baskets.len().min(from + size)).collect()
}

fn item_baskets(baskets: &Baskets<'_>, pieces: &[Range<usize>]) -> Vec<u32> {
    let counted: Vec<Vec<u32>> = pieces.par_iter().map(|piece| baskets.item_baskets_of(piece.clone())).collect();
    let mut sums = vec![0; baskets.item_count()];
    for counts in counted {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}

/// The items that can be in a pair, the most frequent first.
struct Ranks {
    /// The item of each rank.
    codes: Vec<u32>,
    /// The rank of each item, or [`NONE`] where it can be in no pair.
    of_item: Vec<u32>,
}

impl Ranks {
    fn of(item_baskets: &[u32], least_count: u32) -> Self {
        let mut codes: Vec<u32> =
            (0_u32..).zip(item_baskets).filter(|(_, count)| **count >= least_count).map(|(code, _)| code).collect();
        codes.sort_unstable_by_key(|code| (std::cmp::Reverse(item_baskets[*code as usize]), *code));
        let mut of_item = vec![NONE; item_baskets.len()];
        (0_u32..).zip(&codes).for_each(|(rank, code)| of_item[*code as usize] = rank);
        Self { codes, of_item }
    }

    fn named(&self, counted: &[Block], baskets: usize, item_baskets: Vec<u32>) -> Pairs {
        let count = counted.iter().map(|block| block.counts.len()).sum();
        let mut pairs = Pairs {
            baskets,
            item_baskets,
            rarer: Vec::with_capacity(count),
            commoner: Vec::with_capacity(count),
            counts: Vec::with_capacity(count),
        };
        for block in counted {
            let mut start = 0;
            for (rank, end) in (block.first..).zip(&block.ends) {
                pairs.rarer.resize(pairs.rarer.len() + end - start, self.codes[rank]);
                start = *end;
            }
            pairs.commoner.extend(block.others.iter().map(|rank| self.codes[*rank as usize]));
            pairs.counts.extend_from_slice(&block.counts);
        }
        pairs
    }
}

/// The baskets in ranks, ascending, each where its lines were.
struct Lines {
    ranks: Vec<u32>,
    /// How many ranks each basket has.
    lengths: Vec<u32>,
}

impl Lines {
    fn of(baskets: &Baskets<'_>, pieces: &[Range<usize>], ranks: &Ranks) -> Self {
        let mut lines = Self { ranks: vec![0; baskets.line_count()], lengths: vec![0; baskets.len()] };
        let (mut free, mut free_lengths) = (&mut lines.ranks[..], &mut lines.lengths[..]);
        let mut work = Vec::new();
        for piece in pieces {
            let line_count = piece.clone().map(|basket| baskets.of(basket).len()).sum();
            let (own, rest) = free.split_at_mut(line_count);
            let (own_lengths, rest_lengths) = free_lengths.split_at_mut(piece.len());
            (free, free_lengths) = (rest, rest_lengths);
            work.push((piece.clone(), own, own_lengths));
        }
        work.into_par_iter().for_each(|(piece, own, lengths)| {
            let mut start = 0;
            for (basket, length) in piece.zip(lengths) {
                let items = baskets.of(basket);
                *length = renumber(items, &ranks.of_item, &mut own[start..start + items.len()]) as u32;
                start += items.len();
            }
        });
        lines
    }

    /// Calls `visit` with the first line and the ranks of each basket of a piece.
    fn each_basket(&self, baskets: &Baskets<'_>, piece: &Range<usize>, mut visit: impl FnMut(usize, &[u32])) {
        for basket in piece.clone() {
            let start = baskets.line_of(basket);
            visit(start, &self.ranks[start..start + self.lengths[basket] as usize]);
        }
    }

    /// Calls `visit` with the place and the rank of each line outside of the head that has others before it.
    fn each_outside(&self, baskets: &Baskets<'_>, piece: &Range<usize>, head: usize, mut visit: impl FnMut(u64, u32)) {
        self.each_basket(baskets, piece, |start, ranks| {
            let from = ranks.partition_point(|rank| (*rank as usize) < head).max(1);
            for (before, rank) in ranks.iter().enumerate().skip(from) {
                visit((start as u64) << 32 | (start + before) as u64, *rank);
            }
        });
    }
}

/// Writes the ranks of the items, each once, ascending; returns how many.
fn renumber(items: &[u32], of_item: &[u32], ranks: &mut [u32]) -> usize {
    let mut known = 0;
    for item in items {
        ranks[known] = of_item[*item as usize];
        known += usize::from(ranks[known] != NONE);
    }
    let ranks = &mut ranks[..known];
    ranks.sort_unstable();
    let mut kept = 0;
    for place in 0..ranks.len() {
        if place == 0 || ranks[place] != ranks[kept - 1] {
            ranks[kept] = ranks[place];
            kept += 1;
        }
    }
    kept
}

/// The pairs among the most frequent items.
struct Head {
    /// How many they are.
    count: usize,
    /// Row r, of r counts, begins at r (r − 1)/2.
    triangle: Vec<u32>,
}

impl Head {
    fn of(baskets: &Baskets<'_>, pieces: &[Range<usize>], lines: &Lines, count: usize) -> Self {
        let counted: Vec<Vec<u32>> = pieces
            .par_iter()
            .map(|piece| {
                let mut triangle = vec![0; row_of(count)];
                lines.each_basket(baskets, piece, |_, ranks| {
                    let head = &ranks[..ranks.partition_point(|rank| (*rank as usize) < count)];
                    for (before, rank) in head.iter().enumerate() {
                        let row = &mut triangle[row_of(*rank as usize)..][..*rank as usize];
                        head[..before].iter().for_each(|other| row[*other as usize] += 1);
                    }
                });
                triangle
            })
            .collect();
        let mut triangle = vec![0; row_of(count)];
        for counts in counted {
            triangle.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Self { count, triangle }
    }

    fn row(&self, rank: usize) -> &[u32] {
        &self.triangle[row_of(rank)..][..rank]
    }
}

fn row_of(rank: usize) -> usize {
    rank * rank.saturating_sub(1) / 2
}

/// Where each rank outside of the head stands behind others in a basket.
struct Index {
    starts: Vec<usize>,
    /// Where its basket begins in the lines, and where it stands itself: from the 32nd bit on, and below. Both, so that
    /// what is fetched from afar need not be looked at to know where it ends. Atomic, so that all pieces can write theirs;
    /// nobody writes where another does.
    places: Vec<AtomicU64>,
}

impl Index {
    fn of(baskets: &Baskets<'_>, pieces: &[Range<usize>], lines: &Lines, rank_count: usize, head: usize) -> Self {
        let mut free: Vec<Vec<u32>> = pieces
            .par_iter()
            .map(|piece| {
                let mut counts = vec![0; rank_count];
                lines.each_outside(baskets, piece, head, |_, rank| counts[rank as usize] += 1);
                counts
            })
            .collect();
        let mut starts = Vec::with_capacity(rank_count + 1);
        let mut sum = 0;
        for rank in 0..rank_count {
            starts.push(sum as usize);
            for counts in &mut free {
                sum += std::mem::replace(&mut counts[rank], sum);
            }
        }
        starts.push(sum as usize);
        let places: Vec<AtomicU64> = std::iter::repeat_with(AtomicU64::default).take(sum as usize).collect();
        pieces.par_iter().zip(&mut free).for_each(|(piece, free)| {
            lines.each_outside(baskets, piece, head, |place, rank| {
                let free = &mut free[rank as usize];
                places[*free as usize].store(place, Ordering::Relaxed);
                *free += 1;
            });
        });
        Self { starts, places }
    }

    /// The pairs of the items of a block with those before them; `counts` are 0 before and after.
    fn count(&self, block: Range<usize>, lines: &Lines, head: &Head, least_count: u32, counts: &mut [u32]) -> Block {
        let mut found = Block { first: block.start, ends: Vec::new(), others: Vec::new(), counts: Vec::new() };
        for rank in block {
            if rank < head.count {
                found.take(head.row(rank), least_count);
                continue;
            }
            for place in &self.places[self.starts[rank]..self.starts[rank + 1]] {
                let place = place.load(Ordering::Relaxed);
                let (start, end) = ((place >> 32) as usize, place as u32 as usize);
                lines.ranks[start..end].iter().for_each(|other| counts[*other as usize] += 1);
            }
            found.take(&counts[..rank], least_count);
            counts[..rank].fill(0);
        }
        found
    }
}

/// The pairs of a few items, in ranks.
struct Block {
    first: usize,
    /// Where the pairs of each item end.
    ends: Vec<usize>,
    others: Vec<u32>,
    counts: Vec<u32>,
}

impl Block {
    fn take(&mut self, counts: &[u32], least_count: u32) {
        for (other, count) in (0_u32..).zip(counts).filter(|(_, count)| **count >= least_count) {
            self.others.push(other);
            self.counts.push(*count);
        }
        self.ends.push(self.counts.len());
    }
}

#[cfg(test)]
mod tests {
    use super::{Baskets, pairs_with};

    #[test]
    fn pairs_are_the_same_inside_and_outside_of_the_triangle() {
        let items: Vec<u32> = (0_u32..6000).map(|line| (line * line + line / 7) % 97 * (line % 5) / 4).collect();
        let offsets: Vec<usize> = (0..=600).map(|basket| 10 * basket).collect();
        let baskets = Baskets::new(&offsets, &items, 97).expect("baskets");
        let inside = pairs_with(&baskets, 2, 97);
        assert!(inside.len() > 100);
        assert!([0, 1, 2, 13, 60].into_iter().all(|head| pairs_with(&baskets, 2, head) == inside));
    }
}
