//! When a customer buys: everyone at their own pace, faster in the season, until they stop.
//!
//! The model behind BG/NBD with more regular gaps: a customer has a mean gap between purchases,
//! drawn once; the gaps are gamma (Erlang) around it; after each purchase the customer leaves for
//! good with a probability of their own. A share of the customers only looks around.

use super::calendar::{Day, Demand, LAST_DAY};
use super::chance::Chance;

/// Of all customers: who never buys.
pub(super) const PROSPECTS: f64 = 0.18;
/// Of all customers: who was there before the history begins.
const FROM_BEFORE: f64 = 0.45;
/// Days over which those from before signed up: since the beginning of 2015.
const DAYS_BEFORE: i64 = 2738;

/// When someone signed up, bought, and lost interest.
#[derive(Debug)]
pub(super) struct Rhythm {
    /// The day on which they signed up; a newcomer who buys does so on the day of the first purchase.
    pub since: Day,
    /// In order; a day stands there as often as they bought on it.
    pub purchases: Vec<Day>,
    /// The last day on which they were interested.
    pub until: Day,
    /// Days between purchases on average, of those who buy and have not left.
    pub mean_gap: Option<f64>,
}

impl Rhythm {
    pub(super) fn drawn(demand: &Demand, chance: &mut Chance) -> Rhythm {
        let start = Start::drawn(demand, chance);
        if chance.happens(PROSPECTS) { start.only_looks(chance) } else { start.buys(demand, chance) }
    }
}

/// How someone came to the shop.
struct Start {
    since: Day,
    /// The clock of demand when they came, for those who came during the history.
    joined: Option<f64>,
}

impl Start {
    fn drawn(demand: &Demand, chance: &mut Chance) -> Start {
        if chance.happens(FROM_BEFORE) {
            return Start { since: Day(0).plus(-chance.between(1, DAYS_BEFORE)), joined: None };
        }
        let joined = chance.unit() * demand.end();
        Start { since: demand.day(joined), joined: Some(joined) }
    }

    fn only_looks(self, chance: &mut Chance) -> Rhythm {
        let days = 20 + chance.exponential(300.0) as i64;
        let from = if self.joined.is_some() { self.since } else { Day(chance.between(0, 1000) as i32) };
        Rhythm { since: self.since, purchases: Vec::new(), until: from.plus(days).min(LAST_DAY), mean_gap: None }
    }

    fn buys(self, demand: &Demand, chance: &mut Chance) -> Rhythm {
        let pace = Pace::drawn(chance);
        // Those from before are somewhere within a gap; newcomers come because they buy.
        let first = self.joined.unwrap_or_else(|| (pace.mean_gap * chance.unit()).min(demand.end() - 1.0));
        let (purchases, left) = pace.purchases(first, demand, chance);
        let until = purchases.last().copied().filter(|_| left).unwrap_or(LAST_DAY);
        Rhythm { since: self.since, purchases, until, mean_gap: (!left).then_some(pace.mean_gap) }
    }
}

/// How often someone buys, and how likely each purchase is the last.
struct Pace {
    /// Days of average demand.
    mean_gap: f64,
    leaves: f64,
}

impl Pace {
    fn drawn(chance: &mut Chance) -> Pace {
        Pace { mean_gap: mean_gap(chance), leaves: 0.008 + 0.1 * chance.unit() * chance.unit() }
    }

    /// The days of the purchases from the first one on, and whether they left before the end.
    fn purchases(&self, first: f64, demand: &Demand, chance: &mut Chance) -> (Vec<Day>, bool) {
        let mut days = Vec::new();
        let mut clock = first;
        while clock < demand.end() {
            days.push(demand.day(clock));
            if chance.happens(self.leaves) {
                return (days, true);
            }
            clock += chance.gamma(3, self.mean_gap);
        }
        (days, false)
    }
}

/// Days of average demand between purchases, of someone who buys.
pub(super) fn mean_gap(chance: &mut Chance) -> f64 {
    13.0 + chance.gamma(2, 52.2)
}
