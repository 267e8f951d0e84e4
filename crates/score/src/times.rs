//! The different times of many histories, ascending, and the place of each among them.
//!
//! Times are days, or hours, counted in some unit, so that a base has few of them: 495,000 histories by the day over two
//! years have 729. Few are found by hashing; where every time is its own, they are sorted.

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use crate::alive::History;

/// Histories that one task reads.
const CHUNK: usize = 1 << 15;
/// Different times of one such chunk above which they are not few: hours of two years are 17,520.
const FEW: usize = 1 << 14;

/// Different times, ascending.
pub(crate) struct Times {
    /// Their values.
    pub(crate) ascending: Vec<f64>,
    /// The place of each by its bits; of none where they are many.
    places: HashMap<u64, u32>,
}

impl Times {
    /// All times of the histories.
    pub(crate) fn of(histories: &[History]) -> Self {
        Self::few(histories).unwrap_or_else(|| Self::many(histories))
    }

    /// The same, or `None` where they are many: who can do without saves the sorting.
    pub(crate) fn few(histories: &[History]) -> Option<Self> {
        let parts: Option<Vec<HashSet<u64>>> = histories.par_chunks(CHUNK).map(few_bits).collect();
        let mut different = HashSet::new();
        for part in parts? {
            different.extend(part);
        }
        let mut ascending: Vec<f64> = different.into_iter().map(f64::from_bits).collect();
        ascending.sort_unstable_by(f64::total_cmp);
        let places = ascending.iter().map(|time| time.to_bits()).zip(0..).collect();
        Some(Self { ascending, places })
    }

    fn many(histories: &[History]) -> Self {
        let mut ascending: Vec<f64> =
            histories.par_iter().flat_map_iter(|history| [history.last + 0.0, history.age + 0.0]).collect();
        ascending.par_sort_unstable_by(f64::total_cmp);
        ascending.dedup();
        Self { ascending, places: HashMap::new() }
    }

    /// The places of a history's last time and of its age.
    pub(crate) fn places(&self, history: &History) -> [u32; 2] {
        [history.last, history.age].map(|time| match self.places.get(&bits(time)) {
            Some(place) => *place,
            None => self.ascending.partition_point(|other| *other < time) as u32,
        })
    }
}

fn few_bits(histories: &[History]) -> Option<HashSet<u64>> {
    let mut different = HashSet::new();
    for history in histories {
        different.insert(bits(history.last));
        different.insert(bits(history.age));
        if different.len() > FEW {
            return None;
        }
    }
    Some(different)
}

/// Adding 0 makes −0 the same as 0.
fn bits(time: f64) -> u64 {
    (time + 0.0).to_bits()
}
