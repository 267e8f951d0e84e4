//! Which items are often bought together, in sets of any length: Eclat over bits, going over to differences.
//!
//! A set is followed from its rarest item on. All that is known of the baskets with that item is laid out as one row of
//! bits for each other item, as long as the item has baskets, so rows are short and dense (where all baskets are dense, rows
//! as long as there are baskets do without reading them again); a set's baskets are then the AND of rows (Zaki 2000, "Scalable Algorithms for Association Mining", IEEE TKDE 12(3)). Where few baskets can still be
//! lost, only those that are lost are listed (dEclat: Zaki and Gouda 2003, "Fast Vertical Mining Using Diffsets").
//! Rules made of the sets are in [`crate::rules`].

use rayon::prelude::*;

use crate::baskets::Baskets;

/// Baskets are laid out as bits once, for all first items, where one bit in so many is set or more: the AND of two such
/// rows then costs less than reading the baskets of one item. Of frequent mushrooms one in two is set, which takes a
/// quarter of the time; of frequent groceries one in 21 to 36, with which both ways take the same or bits five times as long.
const BITS_FOR_ONE: usize = 10;
/// First items that are followed at the same time: what is cut off does not depend on the threads.
const WAVE: usize = 256;
/// Lists pay where they are shorter than this many times the words of a row.
const LISTS_PER_WORD: usize = 2;

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Baskets that a set must be in at least ([`crate::baskets::least_count`] makes it of a part); 0 counts as 1.
    pub least_count: u32,
    /// Items that a set has at most.
    pub longest: usize,
    /// Sets that are returned at most.
    pub most: usize,
}

/// Sets of items and the number of baskets they are in.
///
/// Ordered by their rarest item (ties by code), a set before those that contain it and are found from it. The items of
/// a set ascend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Itemsets {
    /// Set s holds `items[offsets[s]..offsets[s + 1]]`.
    pub offsets: Vec<usize>,
    /// The items of all sets.
    pub items: Vec<u32>,
    /// In how many baskets each set is.
    pub counts: Vec<u32>,
    /// How many baskets there are.
    pub baskets: usize,
    /// Whether more sets were there than were to be returned.
    pub truncated: bool,
}

impl Itemsets {
    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The items of a set.
    pub fn of(&self, set: usize) -> &[u32] {
        &self.items[self.offsets[set]..self.offsets[set + 1]]
    }
}

/// All sets that are in at least so many baskets.
///
/// The same sets in the same order whatever the threads, also where they were cut off.
pub fn itemsets(baskets: &Baskets<'_>, wanted: &Wanted) -> Itemsets {
    let wanted = Wanted { least_count: wanted.least_count.max(1), ..*wanted };
    let frequent = Frequent::of(baskets, wanted.least_count);
    let mut all = Itemsets { offsets: vec![0], baskets: baskets.len(), ..Itemsets::default() };
    if wanted.longest == 0 {
        return all;
    }
    let firsts: Vec<u32> = (0..frequent.codes.len() as u32).collect();
    for wave in firsts.chunks(WAVE) {
        let found: Vec<Search<'_>> = wave.par_iter().map(|first| Search::from(&frequent, *first, wanted)).collect();
        for search in &found {
            all.append(search, wanted.most);
        }
        if all.truncated {
            break;
        }
    }
    all
}

impl Itemsets {
    fn append(&mut self, search: &Search<'_>, most: usize) {
        let taken = search.counts.len().min(most - self.len());
        self.truncated |= search.truncated || taken < search.counts.len();
        let before = self.items.len();
        self.counts.extend_from_slice(&search.counts[..taken]);
        self.offsets.extend(search.ends[..taken].iter().map(|end| before + end));
        self.items.extend_from_slice(&search.items[..taken.checked_sub(1).map_or(0, |last| search.ends[last])]);
    }
}

/// The frequent items by rank, rarest first, and their baskets.
struct Frequent {
    /// The item of each rank.
    codes: Vec<u32>,
    /// In how many baskets it is.
    counts: Vec<u32>,
    layout: Layout,
}

/// How it is known which items are in which baskets.
enum Layout {
    Lines(Lines),
    Bits(Bits),
}

impl Frequent {
    fn of(baskets: &Baskets<'_>, least_count: u32) -> Self {
        let counts = baskets.item_baskets();
        let mut codes: Vec<u32> =
            (0..baskets.item_count() as u32).filter(|code| counts[*code as usize] >= least_count).collect();
        codes.sort_unstable_by_key(|code| (counts[*code as usize], *code));
        let mut rank_of = vec![u32::MAX; baskets.item_count()];
        (0_u32..).zip(&codes).for_each(|(rank, code)| rank_of[*code as usize] = rank);
        let counts: Vec<u32> = codes.iter().map(|code| counts[*code as usize]).collect();
        let set: usize = counts.iter().map(|count| *count as usize).sum();
        let is_dense = set * BITS_FOR_ONE >= codes.len() * baskets.len();
        let layout = if is_dense {
            Layout::Bits(Bits::of(baskets, &rank_of, codes.len()))
        } else {
            Layout::Lines(Lines::of(baskets, &rank_of, &counts))
        };
        Self { codes, counts, layout }
    }
}

/// One row of bits for each rank.
struct Bits {
    /// Words of a row.
    words: usize,
    rows: Vec<u64>,
}

impl Bits {
    fn of(baskets: &Baskets<'_>, rank_of: &[u32], ranks: usize) -> Self {
        let words = baskets.len().div_ceil(64);
        // What is not frequent is noted in a row behind all others: to look whether it is takes longer.
        let mut rows = vec![0; (ranks + 1) * words];
        let starts: Vec<usize> = rank_of.iter().map(|rank| ranks.min(*rank as usize) * words).collect();
        for (basket, items) in baskets.iter().enumerate() {
            for item in items {
                rows[starts[*item as usize] + basket / 64] |= 1_u64 << (basket % 64);
            }
        }
        Self { words, rows }
    }

    fn row(&self, rank: usize) -> &[u64] {
        &self.rows[rank * self.words..][..self.words]
    }
}

/// The baskets in ranks.
#[derive(Default)]
struct Lines {
    /// The ranks of each basket, ascending.
    ranks: Vec<u32>,
    /// Where the baskets end in `ranks`.
    ends: Vec<u32>,
    /// The baskets of each rank: `of_rank[starts[rank]..starts[rank + 1]]`, and behind which of their ranks it stands.
    starts: Vec<usize>,
    of_rank: Vec<Occurrence>,
}

/// An item in a basket: what follows it there.
#[derive(Clone, Copy, Default)]
struct Occurrence {
    next: u32,
    end: u32,
}

impl Lines {
    fn of(baskets: &Baskets<'_>, rank_of: &[u32], counts: &[u32]) -> Self {
        let mut lines = Self::default();
        lines.renumber(baskets, rank_of);
        lines.index(counts);
        lines
    }

    fn renumber(&mut self, baskets: &Baskets<'_>, rank_of: &[u32]) {
        let mut basket = Vec::new();
        for items in baskets.iter() {
            basket.clear();
            basket.extend(items.iter().map(|item| rank_of[*item as usize]).filter(|rank| *rank != u32::MAX));
            basket.sort_unstable();
            basket.dedup();
            self.ranks.extend_from_slice(&basket);
            self.ends.push(self.ranks.len() as u32);
        }
    }

    fn index(&mut self, counts: &[u32]) {
        self.starts = std::iter::once(0)
            .chain(counts.iter().scan(0, |sum, count| {
                *sum += *count as usize;
                Some(*sum)
            }))
            .collect();
        let mut free = self.starts.clone();
        self.of_rank = vec![Occurrence::default(); self.ranks.len()];
        let mut start = 0;
        for end in &self.ends {
            for place in start..*end {
                let free = &mut free[self.ranks[place as usize] as usize];
                self.of_rank[*free] = Occurrence { next: place + 1, end: *end };
                *free += 1;
            }
            start = *end;
        }
    }

    /// What follows `rank` in each of its baskets.
    fn behind(&self, rank: u32) -> impl Iterator<Item = &[u32]> {
        let occurrences = &self.of_rank[self.starts[rank as usize]..self.starts[rank as usize + 1]];
        occurrences.iter().map(|occurrence| &self.ranks[occurrence.next as usize..occurrence.end as usize])
    }
}

/// A set that is one item longer than the one it was made from.
#[derive(Clone, Copy)]
struct Member {
    rank: u32,
    count: u32,
    /// Where its row of bits or its list of lost baskets begins; a list ends where `end` says.
    start: usize,
    end: usize,
}

/// The sets that begin with one item.
struct Search<'f> {
    frequent: &'f Frequent,
    wanted: Wanted,
    /// Words of a row.
    words: usize,
    /// Rows of bits of the sets that are being followed.
    rows: Vec<u64>,
    /// Lists of the baskets that each followed set lost against the one it was made from.
    lost: Vec<u32>,
    /// The codes of the set that is followed.
    path: Vec<u32>,
    items: Vec<u32>,
    ends: Vec<usize>,
    counts: Vec<u32>,
    truncated: bool,
}

impl<'f> Search<'f> {
    fn from(frequent: &'f Frequent, first: u32, wanted: Wanted) -> Self {
        let count = frequent.counts[first as usize];
        let mut search = Self {
            frequent,
            wanted,
            words: 0,
            rows: Vec::new(),
            lost: Vec::new(),
            path: vec![frequent.codes[first as usize]],
            items: Vec::new(),
            ends: Vec::new(),
            counts: Vec::new(),
            truncated: false,
        };
        search.found(count);
        if wanted.longest > 1 {
            let members = match &frequent.layout {
                Layout::Lines(lines) => search.laid_out(lines, first),
                Layout::Bits(bits) => search.masked(bits, first),
            };
            search.follow_rows(&members);
        }
        search
    }

    /// Notes the set on the path.
    fn found(&mut self, count: u32) {
        if self.counts.len() >= self.wanted.most {
            self.truncated = true;
            return;
        }
        let start = self.items.len();
        self.items.extend_from_slice(&self.path);
        self.items[start..].sort_unstable();
        self.ends.push(self.items.len());
        self.counts.push(count);
    }

    /// One row for each item that is frequent among the baskets of the first, as long as the first has baskets.
    fn laid_out(&mut self, lines: &Lines, first: u32) -> Vec<Member> {
        let from = first as usize + 1;
        let mut counts = vec![0_u32; self.frequent.codes.len() - from];
        for ranks in lines.behind(first) {
            ranks.iter().for_each(|rank| counts[*rank as usize - from] += 1);
        }
        self.words = (self.frequent.counts[first as usize] as usize).div_ceil(64);
        let mut members = Vec::new();
        let mut starts = vec![usize::MAX; counts.len()];
        for (place, count) in counts.into_iter().enumerate().filter(|(_, count)| *count >= self.wanted.least_count) {
            starts[place] = members.len() * self.words;
            members.push(Member { rank: (from + place) as u32, count, start: starts[place], end: 0 });
        }
        if members.is_empty() {
            return members;
        }
        self.rows = vec![0; members.len() * self.words];
        for (basket, ranks) in lines.behind(first).enumerate() {
            for start in ranks.iter().map(|rank| starts[*rank as usize - from]).filter(|start| *start != usize::MAX) {
                self.rows[start + basket / 64] |= 1 << (basket % 64);
            }
        }
        members
    }

    /// The same with rows as long as there are baskets.
    fn masked(&mut self, bits: &Bits, first: u32) -> Vec<Member> {
        self.words = bits.words;
        let mut members = Vec::new();
        for rank in first as usize + 1..self.frequent.codes.len() {
            let start = self.rows.len();
            self.rows.extend_from_slice(bits.row(first as usize));
            let count = keep_both(&mut self.rows[start..], bits.row(rank));
            self.keep_row(rank as u32, count, start, &mut members);
        }
        members
    }

    /// Keeps the row that begins at `start`, the last one, if it is of a frequent set.
    fn keep_row(&mut self, rank: u32, count: u32, start: usize, members: &mut Vec<Member>) {
        if count >= self.wanted.least_count {
            members.push(Member { rank, count, start, end: 0 });
        } else {
            self.rows.truncate(start);
        }
    }

    /// Follows sets whose baskets are rows of bits.
    fn follow_rows(&mut self, members: &[Member]) {
        for (place, member) in members.iter().enumerate() {
            if self.truncated {
                return;
            }
            self.path.push(self.frequent.codes[member.rank as usize]);
            self.found(member.count);
            let others = &members[place + 1..];
            if self.path.len() < self.wanted.longest && !others.is_empty() {
                let spare = (member.count - self.wanted.least_count) as usize;
                if spare * LISTS_PER_WORD < self.words {
                    self.go_over_to_lists(member, others);
                } else {
                    self.go_on_with_rows(member, others);
                }
            }
            self.path.pop();
        }
    }

    fn go_on_with_rows(&mut self, member: &Member, others: &[Member]) {
        let before = self.rows.len();
        let mut longer = Vec::new();
        for other in others {
            let start = self.rows.len();
            self.rows.extend_from_within(member.start..member.start + self.words);
            let (rows, both) = self.rows.split_at_mut(start);
            let count = keep_both(both, &rows[other.start..][..self.words]);
            self.keep_row(other.rank, count, start, &mut longer);
        }
        self.follow_rows(&longer);
        self.rows.truncate(before);
    }

    fn go_over_to_lists(&mut self, member: &Member, others: &[Member]) {
        let before = self.lost.len();
        let mut longer = Vec::new();
        for other in others {
            let start = self.lost.len();
            for word in 0..self.words {
                let mut lost = self.rows[member.start + word] & !self.rows[other.start + word];
                while lost != 0 {
                    self.lost.push(64 * word as u32 + lost.trailing_zeros());
                    lost &= lost - 1;
                }
            }
            self.keep(member, other, start, &mut longer);
        }
        self.follow_lists(&longer);
        self.lost.truncate(before);
    }

    /// Keeps what `member` and `other` make together, if it is frequent: its list begins at `start`.
    fn keep(&mut self, member: &Member, other: &Member, start: usize, longer: &mut Vec<Member>) {
        let end = self.lost.len();
        let lost = (end - start) as u32;
        if lost <= member.count - self.wanted.least_count {
            longer.push(Member { rank: other.rank, count: member.count - lost, start, end });
        } else {
            self.lost.truncate(start);
        }
    }

    /// Follows sets whose lost baskets are listed.
    fn follow_lists(&mut self, members: &[Member]) {
        for (place, member) in members.iter().enumerate() {
            if self.truncated {
                return;
            }
            self.path.push(self.frequent.codes[member.rank as usize]);
            self.found(member.count);
            if self.path.len() < self.wanted.longest {
                self.go_on_with_lists(member, &members[place + 1..]);
            }
            self.path.pop();
        }
    }

    fn go_on_with_lists(&mut self, member: &Member, others: &[Member]) {
        let before = self.lost.len();
        let mut longer = Vec::new();
        for other in others {
            let start = self.lost.len();
            self.list_difference(other, member);
            self.keep(member, other, start, &mut longer);
        }
        self.follow_lists(&longer);
        self.lost.truncate(before);
    }

    /// Appends what `other` lost and `member` did not; more than may be lost is not listed to the end.
    fn list_difference(&mut self, other: &Member, member: &Member) {
        let (mut known, start) = (member.start, self.lost.len());
        let spare = (member.count - self.wanted.least_count) as usize;
        for place in other.start..other.end {
            let lost = self.lost[place];
            while known < member.end && self.lost[known] < lost {
                known += 1;
            }
            if known == member.end || self.lost[known] != lost {
                self.lost.push(lost);
                if self.lost.len() - start > spare {
                    return;
                }
            }
        }
    }
}

/// Leaves the bits that both rows have, and counts them.
fn keep_both(row: &mut [u64], other: &[u64]) -> u32 {
    let mut count = 0;
    for (word, other) in row.iter_mut().zip(other) {
        *word &= other;
        count += word.count_ones();
    }
    count
}
