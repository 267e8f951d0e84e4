//! Named groups of profiles by their three scores: a table of rules, which the workspace may replace.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::rfm::Rfm;

/// A named group: the profiles whose three scores all lie within.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// What the group is called.
    pub label: String,
    /// Scores of recency.
    pub r: RangeInclusive<u8>,
    /// Scores of frequency.
    pub f: RangeInclusive<u8>,
    /// Scores of money.
    pub m: RangeInclusive<u8>,
}

impl GroupRule {
    fn holds_for(&self, r: u8, f: u8, m: u8) -> bool {
        self.r.contains(&r) && self.f.contains(&f) && self.m.contains(&m)
    }
}

/// The place of the first rule that holds for each profile; `None` where no rule does.
pub fn groups(scores: &Rfm, rules: &[GroupRule]) -> Vec<Option<usize>> {
    let first = |cell: usize| {
        let score = |place: u32| (cell / 10_usize.pow(place) % 10) as u8;
        rules.iter().position(|rule| rule.holds_for(score(2), score(1), score(0)))
    };
    // A thousand cells are looked up once, and not the rules for each of a million profiles.
    let firsts: Vec<Option<usize>> = (0..1000).map(first).collect();
    scores.cells().into_par_iter().map(|cell| firsts.get(usize::from(cell)).copied().flatten()).collect()
}

/// The ten groups for five bins, of which the first that holds counts. Together they hold for all 125 cells.
///
/// Money tells apart only the best buyers of now (champions) and of then (can't lose).
pub fn default_groups() -> Vec<GroupRule> {
    let rule = |label: &str, r, f, m| GroupRule { label: label.to_owned(), r, f, m };
    vec![
        rule("champions", 4..=5, 4..=5, 4..=5),
        rule("can't lose", 1..=2, 4..=5, 4..=5),
        rule("loyal", 3..=5, 4..=5, 1..=5),
        rule("new", 4..=5, 1..=1, 1..=5),
        rule("potential", 4..=5, 2..=3, 1..=5),
        rule("needs attention", 3..=3, 3..=3, 1..=5),
        rule("about to sleep", 3..=3, 1..=2, 1..=5),
        rule("at risk", 1..=2, 3..=5, 1..=5),
        rule("hibernating", 2..=2, 1..=2, 1..=5),
        rule("lost", 1..=1, 1..=2, 1..=5),
    ]
}
