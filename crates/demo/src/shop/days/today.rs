//! One day after the data were taken: the 24 hours up to its noon, at which its files are written.

use crate::shop::calendar::{AS_OF, DAY_SECONDS, Day, LAST_DAY, LocalTime, moment_before_noon_of};
use crate::shop::chance::Chance;

/// The `nth` day, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Today {
    pub nth: u32,
}

/// Room for so many customers in the numbers of a day, and for so many rows of each kind that a customer adds on it.
const CUSTOMERS: u64 = 100_000_000;
const ROWS: u64 = 100;

impl Today {
    /// The calendar day on which the files are written.
    pub(super) fn day(self) -> Day {
        LAST_DAY.plus(i64::from(self.nth))
    }

    /// Noon of the day before: what happened earlier is in that day's files.
    pub(super) fn from(self) -> LocalTime {
        LocalTime(self.taken_at().0 - DAY_SECONDS)
    }

    /// Noon, when the files are written; no row of them is that late.
    pub(super) fn taken_at(self) -> LocalTime {
        LocalTime(AS_OF.0 + i64::from(self.nth) * DAY_SECONDS)
    }

    /// A waking moment of the 24 hours.
    pub(super) fn moment(self, chance: &mut Chance) -> LocalTime {
        moment_before_noon_of(self.day(), chance)
    }

    /// The number of the first order, line, cart and visit that the customer adds today. It says the day and the
    /// customer, so that everyone's numbers are known without counting all the others' rows.
    pub(super) fn first_number(self, customer: u64) -> u64 {
        (u64::from(self.nth) * CUSTOMERS + customer) * ROWS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_24_hours_before_its_noon() {
        let first = Today { nth: 1 };
        assert_eq!((first.from(), first.day().date().to_string()), (AS_OF, "2025-07-01".to_owned()));
        assert_eq!(Today { nth: 2 }.from(), first.taken_at());
        let mut chance = Chance::of_day(42, 1, 0);
        let moments: Vec<LocalTime> = (0..2_000).map(|_| first.moment(&mut chance)).collect();
        assert!(moments.iter().all(|moment| (first.from()..first.taken_at()).contains(moment)));
        let evening = moments.iter().filter(|moment| moment.day() == LAST_DAY).count();
        assert!((1_000..1_600).contains(&evening), "{evening} of them in the afternoon and evening");
    }

    #[test]
    fn numbers_of_a_day_are_beyond_those_before_the_days_and_of_everyone_else() {
        let (most_lines, second) = (400_000_000, Today { nth: 2 });
        assert!(Today { nth: 1 }.first_number(0) > most_lines);
        assert_eq!(second.first_number(7) + ROWS, second.first_number(8));
        assert!(second.first_number(0) > Today { nth: 1 }.first_number(CUSTOMERS - 1));
    }
}
