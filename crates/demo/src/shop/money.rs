//! Money as whole cents; nothing here is ever a float.

use std::iter::Sum;
use std::ops::{Add, Sub};

/// An amount in euro cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cents(pub i64);

impl Cents {
    pub(super) fn times(self, quantity: i64) -> Cents {
        Cents(self.0 * quantity)
    }

    /// So many percent of it, rounded down to a cent.
    pub(super) fn percent(self, percent: i64) -> Cents {
        Cents(self.0 * percent / 100)
    }
}

impl Add for Cents {
    type Output = Cents;

    fn add(self, other: Cents) -> Cents {
        Cents(self.0 + other.0)
    }
}

impl Sub for Cents {
    type Output = Cents;

    fn sub(self, other: Cents) -> Cents {
        Cents(self.0 - other.0)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Cents>>(amounts: I) -> Cents {
        amounts.fold(Cents(0), Add::add)
    }
}
