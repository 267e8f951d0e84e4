//! How long the scores of a million profiles take: `cargo run --release -p muster-score --example speed`, or of one part
//! with its name behind: `ranks`, `rhythms`, `weights`, `models`.
//!
//! Columns are made by a mixing function, not drawn: every run measures the same work. Ranks, rhythms and evidence are the fastest of nine runs.

use std::time::Instant;

use muster_score::binning::{Characteristic, Values};
use muster_score::boosted;
use muster_score::cadence::{Occurrences, cadence, due_days, median_gap_days};
use muster_score::evidence::{Coded, counts, evidence};
use muster_score::model::{LearnerSettings, Model, Settings};
use muster_score::quality::quality;
use muster_score::rfm::{Base, Method, rfm};

const PROFILES: usize = 1_000_000;

fn main() {
    let parts: [(&str, fn()); 4] = [("ranks", ranks), ("rhythms", rhythms), ("weights", weights), ("models", models)];
    let wanted = std::env::args().nth(1);
    for (_, part) in parts.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name)) {
        part();
    }
}

fn ranks() {
    let keys: Vec<[u8; 8]> =
        (0..PROFILES as u64).map(|row| format!("C{:07}", row * 7_919 % 10_000_000).into_bytes()).map(eight).collect();
    let recency_days: Vec<i64> = (0..PROFILES as u64).map(|row| (mixed(row) % 1_500) as i64).collect();
    let frequency: Vec<i64> = (0..PROFILES as u64).map(|row| i64::from(mixed(row + 1).trailing_zeros()) + 1).collect();
    let monetary: Vec<i128> = (0..PROFILES as u64).map(|row| skewed(mixed(row + 2))).collect();
    let base = Base { recency_days: &recency_days, frequency: &frequency, monetary: &monetary };
    for (name, method) in [("ntile", Method::Ntile), ("quantile", Method::Quantile)] {
        fastest(&format!("rfm, {name}"), || rfm(base, method, 5, |row| &keys[row]).expect("the base is whole"));
    }
}

fn rhythms() {
    let counts: Vec<i64> = (0..PROFILES as u64).map(|row| i64::from(mixed(row).trailing_zeros()) + 1).collect();
    let first_days: Vec<i32> = (0..PROFILES as u64).map(|row| (mixed(row + 1) % 1_000) as i32).collect();
    let last_days: Vec<i32> = (0..PROFILES as u64).map(|row| 1_000 + (mixed(row + 2) % 1_000) as i32).collect();
    let occurrences = Occurrences { counts: &counts, first_days: &first_days, last_days: &last_days };
    fastest("cadence and days due", || {
        let cadence = cadence(occurrences, 2_000).expect("the days are in order");
        let median = median_gap_days(&cadence.mean_gap_days);
        let due = due_days(occurrences, &cadence.mean_gap_days, 2.0, median).expect("the days are in order");
        (cadence, due)
    });
}

fn weights() {
    let is_leaver: Vec<bool> = (0..PROFILES as u64).map(|row| mixed(row).is_multiple_of(5)).collect();
    let columns: Vec<Vec<u32>> = (0..20_u64).map(|column| coded(column, 3 + column as u32)).collect();
    let all: Vec<Coded<'_>> = columns
        .iter()
        .zip(0..)
        .map(|(codes, column)| Coded { name: "characteristic", codes, categories: 3 + column })
        .collect();
    fastest("evidence, 20 coded columns", || {
        let counted = counts(&all, &is_leaver).expect("the codes are below");
        counted.iter().map(|counts| evidence(counts, 0.5).expect("some leave")).collect::<Vec<_>>()
    });
}

fn coded(column: u64, categories: u32) -> Vec<u32> {
    (0..PROFILES as u64).map(|row| mixed(row + column * 7) as u32 % categories).collect()
}

fn models() {
    let numbers: Vec<Vec<f64>> = (0..20_u64)
        .map(|column| (0..PROFILES as u64).map(|row| (mixed(row + column * 7) % 10_007) as f64).collect())
        .collect();
    let leaves = |row: usize| numbers[0][row] + numbers[1][row] + (mixed(row as u64 + 99) % 20_000) as f64 > 25_000.0;
    let is_leaver: Vec<bool> = (0..PROFILES).map(leaves).collect();
    let characteristics: Vec<Characteristic<'_>> = numbers
        .iter()
        .map(|values| Characteristic { name: "characteristic", values: Values::Numbers(values) })
        .collect();
    let learner = LearnerSettings::Boosted(boosted::Settings::default());
    for (name, learner) in [("logistic", LearnerSettings::Logistic(1.0)), ("boosted", learner)] {
        println!("{name}, 20 columns of numbers:");
        let settings = Settings { learner, ..Settings::default() };
        let model = once("fit", || Model::fit(&characteristics, &is_leaver, settings).expect("some leave"));
        let scores = once("score", || model.probabilities(&characteristics, PROFILES).expect("they are the same"));
        once("contributions", || model.contributions(&characteristics, PROFILES).expect("they are the same"));
        once("quality", || quality(&scores, &is_leaver).expect("some leave"));
    }
}

/// What takes long is taken once.
fn once<T>(name: &str, work: impl Fn() -> T) -> T {
    let start = Instant::now();
    let answer = work();
    println!("{name}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    answer
}

fn fastest<T>(name: &str, work: impl Fn() -> T) {
    let once = || {
        let start = Instant::now();
        let answer = work();
        let taken = start.elapsed();
        drop(answer);
        taken
    };
    let best = (0..9).map(|_| once()).min().unwrap_or_default();
    println!("{name}: {:.1} ms", best.as_secs_f64() * 1e3);
}

/// Values of purchases as they are: many small, few very large.
fn skewed(chance: u64) -> i128 {
    let share = (chance >> 11) as f64 / (1_u64 << 53) as f64;
    (500.0 / (1.0 - share).powf(1.2)) as i128
}

fn eight(key: Vec<u8>) -> [u8; 8] {
    key.try_into().expect("the key has eight bytes")
}

fn mixed(row: u64) -> u64 {
    let row = (row ^ 0x5851_F42D_4C95_7F2D).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let row = (row ^ (row >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    row ^ (row >> 31)
}
