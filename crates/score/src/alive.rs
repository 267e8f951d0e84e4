//! Who is still a customer, and how often they will come back: BG/NBD.
//!
//! While alive a customer buys at a steady rate of their own; after each purchase they may leave for good. Rates follow a
//! gamma distribution over customers, the chance to leave a beta distribution (Fader, Hardie and Lee 2005, "Counting Your
//! Customers the Easy Way", Marketing Science 24(2)). What they spend is said by [`crate::spend`].
//!
//! Times are in any one unit, the same throughout; weeks are customary.

use rayon::prelude::*;
use statrs::function::beta::ln_beta;

use crate::checks::is_weight;
use crate::descent::{Lowest, REACH, Start, lowest};
use crate::error::{Error, Result};
use crate::times::Times;

/// Histories that are summed as one block: sums do not depend on who sums them.
const BLOCK: usize = 4096;
/// Factors from 1 to 2 whose product is far below the greatest double.
const FACTORS: usize = 512;
/// Parts of the longest age that a rough search tells apart, narrower where time is short. With twelve, CDNOW has 262
/// histories of returned customers instead of 8,601 and a million simulated customers 1,472 instead of 494,045.
const PARTS: usize = 12;
/// A rough search pays where it has so many times fewer histories.
const ROUGHER: usize = 4;

/// What BG/NBD must know of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Purchases after the first, those of one day counted once.
    pub repeats: u32,
    /// Time from the first to the last purchase; 0 without repeats.
    pub last: f64,
    /// Time from the first purchase to the end of observation; at least `last`.
    pub age: f64,
}

/// The histories of all customers, like ones together.
///
/// Customers with the same history count alike in every formula, so each formula is worked out once for them all: the
/// 23,570 customers of CDNOW have 8,685 histories, and a million simulated ones, by the day over two years, 493,307.
#[derive(Debug, Clone, PartialEq)]
pub struct Histories {
    /// The different histories, by repeats, last and age.
    pub distinct: Vec<History>,
    /// How many customers have each.
    pub customers: Vec<u32>,
    /// The place in `distinct` of each customer's history, in the order in which they were given.
    pub of_customer: Vec<u32>,
}

impl Histories {
    /// Puts like histories together.
    ///
    /// # Errors
    /// [`Error::Number`] where a time is negative, infinite or no number, or `last` is after `age`;
    /// [`Error::TooMany`] for more customers than 32 bits can count.
    pub fn of(histories: &[History]) -> Result<Self> {
        check(histories)?;
        Ok(match Packing::of(histories) {
            Some(packing) => packing.together(histories),
            None => sorted_together(histories),
        })
    }

    fn with_room_for(customers: usize) -> Self {
        Self { distinct: Vec::new(), customers: Vec::new(), of_customer: vec![0; customers] }
    }

    /// Notes that a customer has the history that was noted last.
    fn count(&mut self, customer: usize) {
        let place = self.distinct.len() - 1;
        self.customers[place] += 1;
        self.of_customer[customer] = place as u32;
    }

    fn begin(&mut self, history: History) {
        self.distinct.push(history);
        self.customers.push(0);
    }

    /// What `value` says of each customer, worked out once for each different history.
    pub fn each<T: Copy + Send + Sync>(&self, value: impl Fn(&History) -> T + Sync) -> Vec<T> {
        let values: Vec<T> = self.distinct.par_iter().map(&value).collect();
        self.of_customer.iter().map(|place| values[*place as usize]).collect()
    }
}

/// Customers and their histories as whole numbers of 64 bits: a million are put together in 30 ms, where sorting the
/// histories themselves takes 280.
struct Packing {
    times: Times,
    time_bits: u32,
    customer_bits: u32,
}

impl Packing {
    /// How repeats, both times and the customer fit into one number, or `None` where they do not.
    fn of(histories: &[History]) -> Option<Self> {
        let times = Times::few(histories)?;
        let most = histories.iter().map(|history| history.repeats).max().unwrap_or(0);
        let packing =
            Self { time_bits: bits_of(times.ascending.len()), customer_bits: bits_of(histories.len()), times };
        let bits = bits_of(most as usize) + 2 * packing.time_bits + packing.customer_bits;
        (bits <= u64::BITS).then_some(packing)
    }

    fn together(&self, histories: &[History]) -> Histories {
        let packed = histories.par_iter().enumerate();
        let mut packed: Vec<u64> = packed.map(|(customer, history)| self.packed(history, customer as u64)).collect();
        packed.par_sort_unstable();
        let mut together = Histories::with_room_for(histories.len());
        let mut last = None;
        for packed in packed {
            let key = packed >> self.customer_bits;
            if last.replace(key) != Some(key) {
                together.begin(self.history(key));
            }
            together.count((packed & low(self.customer_bits)) as usize);
        }
        together
    }

    fn packed(&self, history: &History, customer: u64) -> u64 {
        let [last, age] = self.times.places(history).map(u64::from);
        ((u64::from(history.repeats) << self.time_bits | last) << self.time_bits | age) << self.customer_bits | customer
    }

    fn history(&self, key: u64) -> History {
        let time = |place: u64| self.times.ascending[(place & low(self.time_bits)) as usize];
        let repeats = (key >> (2 * self.time_bits)) as u32;
        History { repeats, last: time(key >> self.time_bits), age: time(key) }
    }
}

fn bits_of(count: usize) -> u32 {
    usize::BITS - count.leading_zeros()
}

fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The same for times that are all different.
fn sorted_together(histories: &[History]) -> Histories {
    let mut order: Vec<u32> = (0..histories.len() as u32).collect();
    order.par_sort_unstable_by_key(|customer| (order_of(&histories[*customer as usize]), *customer));
    let mut together = Histories::with_room_for(histories.len());
    for customer in order {
        let history = histories[customer as usize];
        if together.distinct.last().is_none_or(|last| order_of(last) != order_of(&history)) {
            together.begin(history);
        }
        together.count(customer as usize);
    }
    together
}

/// Times are not negative, so their bits order as they do.
fn order_of(history: &History) -> (u32, u64, u64) {
    (history.repeats, (history.last + 0.0).to_bits(), (history.age + 0.0).to_bits())
}

fn check(histories: &[History]) -> Result<()> {
    if histories.len() > u32::MAX as usize {
        return Err(Error::TooMany { what: "customers", found: histories.len(), limit: u32::MAX as usize });
    }
    for (row, History { last, age, .. }) in histories.iter().enumerate() {
        if !is_weight(*age) {
            return Err(Error::Number { what: "age", row, expected: "a time of 0 or more", found: *age });
        }
        if !(0.0..=*age).contains(last) {
            return Err(Error::Number { what: "last", row, expected: "a time from 0 to the age", found: *last });
        }
    }
    Ok(())
}

/// The parameters of BG/NBD: rates are gamma(`r`, `alpha`), chances to leave beta(`a`, `b`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BgNbd {
    /// Shape of the rates; greater where customers are more alike.
    pub r: f64,
    /// Inverse scale of the rates, in units of time.
    pub alpha: f64,
    /// First shape of the chance to leave after a purchase.
    pub a: f64,
    /// Second shape of it.
    pub b: f64,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The likeliest parameters.
    pub model: BgNbd,
    /// Natural logarithm of their likelihood.
    pub log_likelihood: f64,
}

/// The parameters under which the histories are likeliest.
///
/// # Errors
/// [`Error::NobodyReturned`] without a repeat purchase (an empty base, or all purchases on one day);
/// [`Error::Undetermined`] where the likelihood has no maximum, as for a single customer, or where nobody ever leaves.
pub fn fit(histories: &Histories) -> Result<Fit> {
    if !histories.distinct.iter().any(|history| history.repeats > 0) {
        return Err(Error::NobodyReturned { model: "BG/NBD" });
    }
    let sums = Sums::of(histories);
    let start = [0.0, sums.mean_age.ln(), 0.0, 0.0];
    let rough = rough(histories);
    // A search among few costs little, and of some thirty looks at all histories it leaves five.
    let near = if rough.distinct.len() < histories.distinct.len() / ROUGHER {
        Sums::of(&rough).likeliest(start).ok()
    } else {
        None
    };
    let found = match near {
        Some(near) => sums.likeliest(near),
        None => sums.likeliest(start),
    };
    let lowest = found.map_err(|iterations| Error::Undetermined { model: "BG/NBD", iterations })?;
    let [r, alpha, a, b] = lowest.at.map(f64::exp);
    Ok(Fit { model: BgNbd { r, alpha, a, b }, log_likelihood: -lowest.value * sums.customers })
}

/// The logarithm of the likelihood of the histories under `model`, and its slope by r, alpha, a and b.
pub fn log_likelihood(model: &BgNbd, histories: &Histories) -> (f64, [f64; 4]) {
    Sums::of(histories).log_likelihood([model.r, model.alpha, model.a, model.b])
}

/// The histories by repeats and parts of the times, those of one part made one, with their mean times.
///
/// Where the histories are in order, one such part is looked at after the other.
fn rough(histories: &Histories) -> Histories {
    let longest = histories.distinct.iter().fold(0.0_f64, |longest, history| longest.max(history.age));
    let part = |time: f64| ((time / longest).sqrt() * PARTS as f64) as usize;
    let mut rough = Histories::with_room_for(0);
    let mut groups = [Group::default(); PARTS + 1];
    let mut of = None;
    for (history, customers) in histories.distinct.iter().zip(&histories.customers) {
        let key = Some((history.repeats, part(history.last)));
        if key != of {
            groups.iter_mut().for_each(|group| group.hand_over(&mut rough));
            of = key;
        }
        groups[part(history.age)].add(history, *customers);
    }
    groups.iter_mut().for_each(|group| group.hand_over(&mut rough));
    rough
}

/// Histories that are made one: sums of their times.
#[derive(Clone, Copy, Default)]
struct Group {
    repeats: u32,
    customers: u32,
    last: f64,
    age: f64,
}

impl Group {
    fn add(&mut self, history: &History, customers: u32) {
        self.repeats = history.repeats;
        self.customers += customers;
        self.last += history.last * f64::from(customers);
        self.age += history.age * f64::from(customers);
    }

    fn hand_over(&mut self, to: &mut Histories) {
        let Self { repeats, customers, last, age } = std::mem::take(self);
        if customers > 0 {
            let count = f64::from(customers);
            to.distinct.push(History { repeats, last: last / count, age: age / count });
            to.customers.push(customers);
        }
    }
}

/// The histories as the likelihood reads them.
struct Sums {
    customers: f64,
    mean_age: f64,
    /// The different times, ascending: their logarithms are taken once for each.
    times: Vec<f64>,
    /// At each time, customers of that age and their repeats together.
    of_age: Vec<[f64; 2]>,
    returned: Vec<Returned>,
    /// Customers with more than so many repeats.
    customers_above: Vec<f64>,
}

/// Customers who came back, with places in the times: of the others, age is all that counts.
struct Returned {
    repeats: u32,
    customers: u32,
    last: u32,
    age: u32,
}

impl Sums {
    fn of(histories: &Histories) -> Self {
        let times = Times::of(&histories.distinct);
        let places: Vec<[u32; 2]> = histories.distinct.par_iter().map(|history| times.places(history)).collect();
        let (mut customers, mut ages) = (0.0, 0.0);
        let mut of_age = vec![[0.0; 2]; times.ascending.len()];
        let most = histories.distinct.last().map_or(0, |history| history.repeats as usize);
        let mut customers_above = vec![0.0; most];
        let mut returned = Vec::new();
        let histories = histories.distinct.iter().zip(&histories.customers).zip(places);
        for ((history, count), [last, age]) in histories {
            let (repeats, weight) = (history.repeats, f64::from(*count));
            customers += weight;
            ages += history.age * weight;
            let of_age = &mut of_age[age as usize];
            *of_age = [of_age[0] + weight, of_age[1] + weight * f64::from(repeats)];
            if repeats > 0 {
                returned.push(Returned { repeats, customers: *count, last, age });
                customers_above[repeats as usize - 1] += weight;
            }
        }
        for repeats in (1..most).rev() {
            customers_above[repeats - 1] += customers_above[repeats];
        }
        // Any start will do where all is of one day.
        let mean_age = if ages > 0.0 { ages / customers } else { 1.0 };
        Self { customers, mean_age, times: times.ascending, of_age, returned, customers_above }
    }

    /// The logarithms of the likeliest parameters near `start`, or after how many steps none were found.
    fn likeliest(&self, start: impl Into<Start<4>>) -> std::result::Result<Lowest<4>, usize> {
        lowest(start, REACH, |logs| {
            let (value, slope) = self.log_likelihood(logs.map(f64::exp));
            // Per customer, so that flatness means the same for any base; by the logarithm of each parameter.
            let customers = self.customers;
            (-value / customers, std::array::from_fn(|place| -slope[place] * logs[place].exp() / customers))
        })
    }

    /// Value and slope by r, alpha, a and b.
    fn log_likelihood(&self, [r, alpha, a, b]: [f64; 4]) -> (f64, [f64; 4]) {
        let at_times = self.at_times(alpha);
        let all = self.by_age(r, &at_times).and(&self.by_return(r, a, b, &at_times)).and(&self.by_count(r, a, b));
        let (mut slope, log_alpha) = (all.slope, alpha.ln());
        slope[0] += self.customers * log_alpha;
        slope[1] += self.customers * r / alpha;
        (all.value + self.customers * r * log_alpha, slope)
    }

    /// The gamma functions of the likelihood. They come in pairs, x steps apart, so a pair is a product of x factors, and
    /// all customers together need each factor once.
    fn by_count(&self, r: f64, a: f64, b: f64) -> Part {
        let mut part = Part::default();
        for (repeats, customers) in self.customers_above.iter().enumerate() {
            let step = repeats as f64;
            part.value += customers * ((r + step) * (b + step) / (a + b + step)).ln();
            part.slope[0] += customers / (r + step);
            part.slope[2] -= customers / (a + b + step);
            part.slope[3] += customers * (1.0 / (b + step) - 1.0 / (a + b + step));
        }
        part
    }

    fn at_times(&self, alpha: f64) -> Vec<AtTime> {
        let at = |time: &f64| AtTime { log: (alpha + time).ln(), inverse: 1.0 / (alpha + time) };
        self.times.par_iter().with_min_len(BLOCK).map(at).collect()
    }

    /// The logarithm of the likelihood of everybody being alive, of which customers of one age have the same.
    fn by_age(&self, r: f64, at_times: &[AtTime]) -> Part {
        let mut part = Part::default();
        for (AtTime { log, inverse }, [customers, repeats]) in at_times.iter().zip(&self.of_age) {
            let powers = r * customers + repeats;
            part.value -= powers * log;
            part.slope[0] -= customers * log;
            part.slope[1] -= powers * inverse;
        }
        part
    }

    /// What the chance of having left adds to it, for those who came back.
    fn by_return(&self, r: f64, a: f64, b: f64, at_times: &[AtTime]) -> Part {
        let at = |repeats: usize| {
            let inverse = 1.0 / (b + repeats as f64 - 1.0);
            AtCount { power: r + repeats as f64, log: (a * inverse).ln(), inverse }
        };
        let at_counts: Vec<AtCount> = (0..=self.customers_above.len()).map(at).collect();
        let parts: Vec<Part> = self
            .returned
            .par_chunks(BLOCK)
            .map(|returned| Part::of_returned(returned, a, &at_counts, at_times))
            .collect();
        parts.iter().fold(Part::default(), |sum, part| sum.and(part))
    }
}

/// What customers with the same last time, or the same age, share.
#[derive(Clone, Copy)]
struct AtTime {
    /// Of alpha and the time.
    log: f64,
    /// 1/(alpha + time).
    inverse: f64,
}

/// What customers with the same number of repeats share.
#[derive(Clone, Copy)]
struct AtCount {
    /// r + repeats.
    power: f64,
    /// Of a/(b + repeats − 1).
    log: f64,
    /// 1/(b + repeats − 1).
    inverse: f64,
}

/// A part of the likelihood's logarithm and of its slope.
#[derive(Default)]
struct Part {
    value: f64,
    slope: [f64; 4],
}

impl Part {
    /// The logarithm of 1 + odds, which are those of having left against being alive, and its slope.
    fn of_returned(returned: &[Returned], a: f64, at_counts: &[AtCount], at_times: &[AtTime]) -> Self {
        let mut part = Self::default();
        for returned in returned.chunks(FACTORS) {
            // One logarithm of a product instead of many: each factor lies between 1 and 2.
            let mut product = 1.0;
            for Returned { repeats, customers, last, age } in returned {
                let (of, last, age) = (at_counts[*repeats as usize], at_times[*last as usize], at_times[*age as usize]);
                let longer = age.log - last.log;
                let odds = of.log + of.power * longer;
                // The greater of both is taken out, so that nothing overflows.
                let small = (-odds.abs()).exp();
                let p_lesser = small / (1.0 + small);
                let weight = f64::from(*customers);
                let left = weight * if odds > 0.0 { 1.0 - p_lesser } else { p_lesser };
                part.value += weight * odds.max(0.0);
                if *customers == 1 {
                    product *= 1.0 + small;
                } else {
                    part.value += weight * (1.0 + small).ln();
                }
                part.slope[0] += left * longer;
                part.slope[1] -= left * of.power * (last.inverse - age.inverse);
                part.slope[2] += left;
                part.slope[3] -= left * of.inverse;
            }
            part.value += f64::ln(product);
        }
        part.slope[2] /= a;
        part
    }

    fn and(self, other: &Self) -> Self {
        Self {
            value: self.value + other.value,
            slope: std::array::from_fn(|place| self.slope[place] + other.slope[place]),
        }
    }
}

impl BgNbd {
    /// The chance that a customer with this history will ever buy again; 1 without repeats, by the model's making.
    pub fn p_alive(&self, history: &History) -> f64 {
        if history.repeats == 0 {
            return 1.0;
        }
        let repeats = f64::from(history.repeats);
        let longer = ((self.alpha + history.age) / (self.alpha + history.last)).ln();
        let odds = (self.a / (self.b + repeats - 1.0)).ln() + (self.r + repeats) * longer;
        1.0 / (1.0 + odds.exp())
    }

    /// E[X(t)]: how often a new customer is expected to buy again in the time `horizon` after the first purchase.
    ///
    /// 0 for a horizon that is negative or no number.
    pub fn expected_purchases(&self, horizon: f64) -> f64 {
        expected(self, horizon)
    }

    /// E[Y(t) | x, t_x, T]: how often a customer with this history is expected to buy in the `horizon` that follows.
    ///
    /// A customer who is alive is like a new one whose rate and chance to leave are known better, by the history.
    pub fn expected_further(&self, history: &History, horizon: f64) -> f64 {
        let repeats = f64::from(history.repeats);
        let known = Self { r: self.r + repeats, alpha: self.alpha + history.age, a: self.a, b: self.b + repeats };
        self.p_alive(history) * expected(&known, horizon)
    }

    /// P(X(t) = x): the chance that a new customer buys again exactly `repeats` times in the time `horizon`.
    ///
    /// A horizon that is negative or no number counts as 0.
    pub fn probability_of(&self, repeats: u32, horizon: f64) -> f64 {
        let &Self { r, alpha, a, b } = self;
        let horizon = horizon.max(0.0).min(LONGEST * alpha);
        let z = part_of(horizon, alpha);
        let (mut arrivals, mut fewer) = ((-r * (horizon / alpha).ln_1p()).exp(), 0.0);
        let mut stays = 1.0;
        let mut stays_before = 1.0;
        for step in 0..repeats {
            let step = f64::from(step);
            fewer += arrivals;
            arrivals *= (r + step) / (step + 1.0) * z;
            stays_before = stays;
            stays *= (b + step) / (a + b + step);
        }
        let left = if repeats == 0 { 0.0 } else { stays_before * a / (a + b + f64::from(repeats) - 1.0) };
        stays * arrivals + left * (1.0 - fewer).max(0.0)
    }
}

/// The part of `horizon` in both times together: the argument of the hypergeometric function.
fn part_of(horizon: f64, alpha: f64) -> f64 {
    horizon / (alpha + horizon)
}

/// Above this argument the series takes longer than the integral.
const SLOW: f64 = 0.99;
/// Longer horizons, in alphas, count as this one: it is for ever.
const LONGEST: f64 = 1e100;

fn expected(model: &BgNbd, horizon: f64) -> f64 {
    if horizon.is_nan() || horizon <= 0.0 {
        return 0.0;
    }
    let horizon = horizon.min(LONGEST * model.alpha);
    if part_of(horizon, model.alpha) < SLOW { by_series(model, horizon) } else { by_integral(model, horizon) }
}

/// E[X(t)] = (a + b − 1)/(a − 1) · (1 − (1 − z)^r · ₂F₁(r, b; a + b − 1; z)), as a sum of positive terms.
///
/// Taken as it stands, the formula is 0/0 at a = 1 and at a + b = 1 and loses digits near both. Expanding (1 − z)^(−r) as
/// well and taking the difference term by term leaves (1 − z)^r · Σ_k (r)_k/k! · z^k · Σ_{j<k} (b)_j/(a + b)_j: with k
/// arrivals in the time, the customer made those before which they had not left.
fn by_series(model: &BgNbd, horizon: f64) -> f64 {
    let &BgNbd { r, alpha, a, b } = model;
    let z = part_of(horizon, alpha);
    let (mut arrivals, mut scale) = (1.0, -r * (horizon / alpha).ln_1p());
    let (mut bought, mut stays, mut sum) = (0.0, 1.0, 0.0);
    for step in 0_u32.. {
        let step = f64::from(step);
        let growth = (r + step) / (step + 1.0) * z;
        bought += stays;
        stays *= (b + step) / (a + b + step);
        arrivals *= growth;
        sum += arrivals * bought;
        // Growth falls, and bought grows by less than its part of the steps: the rest is below a geometric series.
        let next = growth.max(z) * (step + 2.0) / (step + 1.0);
        if next < 1.0 && arrivals * bought * next <= f64::EPSILON * sum * (1.0 - next) {
            break;
        }
        if arrivals > 1e200 {
            (arrivals, sum, scale) = (arrivals / 1e200, sum / 1e200, scale + 1e200_f64.ln());
        }
    }
    sum * scale.exp()
}

/// E[X(t)] = ∫ p^(a−2) (1 − p)^(b−1) / B(a, b) · (1 − (1 + p t/α)^(−r)) dp, by the trapezoid rule over ln(p/(1 − p)).
///
/// The integrand is smooth there, so equal steps of a quarter err by less than rounding, also where r is large; both
/// tails are geometric and are summed as such.
fn by_integral(model: &BgNbd, horizon: f64) -> f64 {
    const STEP: f64 = 0.25;
    const FAR: f64 = 40.0;
    let &BgNbd { r, alpha, a, b } = model;
    let times = horizon / alpha;
    let beta = ln_beta(a, b);
    let integrand = |at: f64| {
        let (log_p, log_rest) = (-softplus(-at), -softplus(at));
        let bought = -(-r * (log_p.exp() * times).ln_1p()).exp_m1();
        ((a - 1.0) * log_p + b * log_rest - beta).exp() * bought
    };
    let (from, to) = (-FAR - (1.0 + times * r.max(1.0)).ln(), FAR);
    let steps = ((to - from) / STEP).ceil() as usize;
    let inner: f64 = (1..steps).map(|step| integrand(from + step as f64 * STEP)).sum();
    let left = integrand(from) / -(-a * STEP).exp_m1();
    let right = integrand(from + steps as f64 * STEP) / -(-b * STEP).exp_m1();
    STEP * (left + inner + right)
}

/// ln(1 + e^x), without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::{BgNbd, by_integral, by_series};

    #[test]
    fn series_and_integral_agree_where_both_are_quick() {
        for (r, a, b) in
            [(0.2426, 0.7929, 2.4259), (30.0, 1.0, 0.4), (0.5, 0.3, 0.7), (5.0, 0.02, 0.05), (2.0, 4.0, 9.0)]
        {
            for horizon in [0.01, 1.0, 39.0, 400.0, 4000.0] {
                let model = BgNbd { r, alpha: 4.4136, a, b };
                let (series, integral) = (by_series(&model, horizon), by_integral(&model, horizon));
                assert!((series / integral - 1.0).abs() < 1e-11, "{model:?} {horizon}: {series} {integral}");
            }
        }
    }
}
