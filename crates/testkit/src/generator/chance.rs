//! Seeded chance: the same seed makes the same choices, on every machine.

/// A stream of choices.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream that belongs to these numbers, in this order.
    pub fn of(numbers: &[u64]) -> Self {
        let start = Self { state: 0x6d75_7374_6572 };
        numbers.iter().fold(start, |mut chance, number| {
            chance.state = chance.next() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chance
        })
    }

    /// 64 bits, after Steele, Lea and Flood (2014), OOPSLA: splitmix.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `count` − 1.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first + (self.next() % (last - first + 1).cast_unsigned()).cast_signed()
    }

    /// TRUE so many times out of a hundred.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// One of them, each as often as its weight says.
    ///
    /// # Panics
    /// If no weight is above 0.
    pub fn weighted<'a, T>(&mut self, among: &'a [(usize, T)]) -> &'a T {
        let total = among.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, one) in among {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return one,
            }
        }
        unreachable!("what is left is below the sum of the weights")
    }
}
