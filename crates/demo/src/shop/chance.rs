//! Seeded chance: one ChaCha8 stream per subject, and the few distributions that the shop needs.
//!
//! Two things make the same seed give the same bytes on every machine and with any number of
//! threads: a subject's stream depends on the seed and its number only, and every distribution is
//! plain arithmetic. The system's `ln` and `exp` differ in the last bit between C libraries, so
//! the two that are needed are written out here.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What a stream is for; two purposes of one subject never share numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Identity,
    Life,
    Assortment,
    Stores,
}

/// A stream of chance.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of the subject `number` for `purpose`: always the same one.
    pub(super) fn of(seed: u64, purpose: Purpose, number: u64) -> Chance {
        let mut key = *b"........ muster demo shop, v. 1 ";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(number * 4 + purpose as u64);
        Chance(stream)
    }

    /// The stream of the subject `number` on the `nth` day after the data were taken.
    pub(super) fn of_day(seed: u64, nth: u32, number: u64) -> Chance {
        let mut key = *b"........ muster demo days v1....";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[28..].copy_from_slice(&nth.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(number);
        Chance(stream)
    }

    /// The stream of what is written to the subject `number` on the `nth` day after the data were taken; day 0 is all before.
    pub(super) fn of_mail(seed: u64, nth: u32, number: u64) -> Chance {
        let mut key = *b"........ muster demo mail v1....";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[28..].copy_from_slice(&nth.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(number);
        Chance(stream)
    }

    /// The stream of what is written to everyone.
    pub(super) fn of_mailings(seed: u64) -> Chance {
        Chance::of_mail(seed, 0, u64::MAX)
    }

    /// Uniform in [0, 1), in steps of 2⁻⁵³.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..count`; the bias, below `count` · 2⁻⁶⁴, is nothing here.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(count)) >> 64) as u64
    }

    /// Uniform from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// TRUE with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `choices`, each as likely as another.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// Exponential with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * ln(1.0 - self.unit())
    }

    /// Gamma with a whole shape (Erlang) and this mean: the larger the shape, the more regular.
    pub(super) fn gamma(&mut self, shape: u32, mean: f64) -> f64 {
        (0..shape).map(|_| self.exponential(mean / f64::from(shape))).sum()
    }

    /// Nearly normal, mean 0 and deviation 1: the sum of twelve uniforms, within ±6.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Log-normal with this median; `spread` is the deviation of its logarithm.
    pub(super) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * exp(spread * self.normal())
    }
}

/// How likely each of a few choices is, as whole weights.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    /// `cumulative[i]` is the sum of the weights up to and with `i`.
    cumulative: Vec<u64>,
}

impl Weights {
    /// One choice per weight, in order; at least one weight is positive.
    pub(super) fn new(weights: impl IntoIterator<Item = u64>) -> Weights {
        let running = weights.into_iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Weights { cumulative: running.collect() }
    }

    /// Zipf's law over `count` ranks, the first one the most likely; flattened at the top, so
    /// that one product does not sell a tenth of everything.
    pub(super) fn zipf(count: usize) -> Weights {
        Weights::new((0..count as u64).map(|rank| 1_000_000_000 / (rank + 8)))
    }

    /// The number of one choice.
    pub(super) fn pick(&self, chance: &mut Chance) -> usize {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let drawn = chance.below(total);
        self.cumulative.partition_point(|sum| *sum <= drawn)
    }
}

/// Natural logarithm of `x` > 0: exponent and mantissa apart, then the series of artanh.
fn ln(x: f64) -> f64 {
    const LN_2: f64 = std::f64::consts::LN_2;
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let mantissa = f64::from_bits((x.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let series = (0..16).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * LN_2 + 2.0 * ratio * series
}

/// e to the `x`, for |x| ≤ 30: a short series at x/64, squared six times.
fn exp(x: f64) -> f64 {
    let small = x / 64.0;
    let series = (1..=12).rev().fold(1.0, |sum, k| 1.0 + sum * small / f64::from(k));
    (0..6).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_and_exp_agree_with_the_libraries_to_eleven_digits() {
        for step in 1..2000 {
            let x = f64::from(step) / 100.0;
            assert!((ln(x) - x.ln()).abs() < 1e-11, "ln {x}: {} and {}", ln(x), x.ln());
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-11, "exp {x}");
            assert!((exp(-x) * x.exp() - 1.0).abs() < 1e-11, "exp -{x}");
        }
    }

    #[test]
    fn a_stream_is_its_seed_its_purpose_and_its_number() {
        let first = |seed, purpose, number| Chance::of(seed, purpose, number).below(u64::MAX);
        let drawn = [
            first(1, Purpose::Life, 7),
            first(2, Purpose::Life, 7),
            first(1, Purpose::Identity, 7),
            first(1, Purpose::Life, 8),
            Chance::of_day(1, 1, 7).below(u64::MAX),
            Chance::of_mail(1, 0, 7).below(u64::MAX),
            Chance::of_mail(1, 1, 7).below(u64::MAX),
            Chance::of_mailings(1).below(u64::MAX),
        ];
        assert_eq!(drawn[0], first(1, Purpose::Life, 7));
        let distinct: std::collections::BTreeSet<u64> = drawn.into_iter().collect();
        assert_eq!(distinct.len(), 8);
    }

    #[test]
    fn the_distributions_have_their_means() {
        let mut chance = Chance::of(42, Purpose::Life, 0);
        let mut mean =
            |draw: &mut dyn FnMut(&mut Chance) -> f64| (0..50_000).map(|_| draw(&mut chance)).sum::<f64>() / 50_000.0;
        for (name, expected, drawn) in [
            ("unit", 0.5, mean(&mut |chance| chance.unit())),
            ("between", 3.0, mean(&mut |chance| chance.between(1, 5) as f64)),
            ("exponential", 10.0, mean(&mut |chance| chance.exponential(10.0))),
            ("gamma", 10.0, mean(&mut |chance| chance.gamma(3, 10.0))),
            ("normal", 0.0, mean(&mut |chance| chance.normal())),
            ("weights", 1.25, mean(&mut |chance| Weights::new([1, 1, 2]).pick(chance) as f64)),
        ] {
            assert!((drawn - expected).abs() < 0.02 * (1.0 + expected), "{name}: {drawn}");
        }
    }
}
