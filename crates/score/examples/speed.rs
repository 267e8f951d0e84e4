//! How long the scores take, on made and on given numbers: `cargo run --release -p muster-score --example speed PART`.
//!
//! | part | what it times |
//! |---|---|
//! | `ranks` | RFM of a million profiles |
//! | `rhythms` | cadence and days due of a million profiles |
//! | `weights` | evidence of twenty coded columns of a million profiles |
//! | `models` | logistic and boosted models of twenty columns of a million profiles |
//! | `alive [FILE]` | BG/NBD of the customers of a CDNOW file, or of a million simulated ones |
//! | `pairs [FOLDER]` | pairs of three million baskets of 20,000 items |
//! | `offers [FOLDER]` | offers for a million customers with 30 lines each |
//! | `sets FILE SUPPORT…` | frequent sets of baskets, separated by blanks or commas |
//!
//! Made numbers are the same in every run; with a folder, they are also written there for others to read. Printed is the
//! fastest of five runs, but for `models`, which run once.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use muster_score::affinity::pairs;
use muster_score::alive::{BgNbd, Histories, History, fit};
use muster_score::baskets::{Baskets, least_count};
use muster_score::binning::{Characteristic, Values};
use muster_score::boosted;
use muster_score::cadence::{Occurrences, cadence, due_days, median_gap_days};
use muster_score::evidence::{Coded, counts, evidence};
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::item_to_item;
use muster_score::itemsets::{Wanted, itemsets};
use muster_score::model::{LearnerSettings, Model, Settings};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Sellers, Shop, Terms, offers};
use muster_score::quality::quality;
use muster_score::rfm::{Base, Method, rfm};

type Outcome = Result<(), Box<dyn Error>>;

const PROFILES: usize = 1_000_000;
const ITEMS: usize = 20_000;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.get(1).map(Path::new);
    match (arguments.first().map(String::as_str), path) {
        (Some("ranks"), _) => time_ranks(),
        (Some("rhythms"), _) => time_rhythms(),
        (Some("weights"), _) => time_weights(),
        (Some("models"), _) => time_models(),
        (Some("alive"), path) => time_alive(path),
        (Some("pairs"), path) => time_pairs(path),
        (Some("offers"), path) => time_offers(path),
        (Some("sets"), Some(path)) => time_sets(path, &arguments[2..]),
        _ => Err("expected ranks, rhythms, weights, models, alive, pairs, offers or sets FILE SUPPORT…".into()),
    }
}

/// The shortest of five runs, in seconds, and what the last one returned.
fn best<T>(run: impl Fn() -> T) -> (f64, T) {
    let (mut shortest, mut value) = once(&run);
    for _ in 1..5 {
        // What a run returned is dropped before the next one starts.
        drop(value);
        let (seconds, next) = once(&run);
        (shortest, value) = (shortest.min(seconds), next);
    }
    (shortest, value)
}

/// What takes long is taken once.
fn once<T>(run: impl Fn() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed().as_secs_f64(), value)
}

/// Chance that is the same in every run (Steele, Lea and Flood 2014: SplitMix64).
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1, both left out.
    fn part(&mut self) -> f64 {
        ((self.number() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

/// A number that belongs to a row.
fn mixed(row: u64) -> u64 {
    Chance(row).number()
}

fn time_ranks() -> Outcome {
    let keys: Vec<String> = (0..PROFILES).map(|row| format!("C{:07}", row * 7_919 % 10_000_000)).collect();
    let rows = || 0..PROFILES as u64;
    let recency_days: Vec<i64> = rows().map(|row| (mixed(row) % 1_500) as i64).collect();
    let frequency: Vec<i64> = rows().map(|row| i64::from(mixed(row + 1).trailing_zeros()) + 1).collect();
    let monetary: Vec<i128> = rows().map(|row| skewed(mixed(row + 2))).collect();
    let base = Base { recency_days: &recency_days, frequency: &frequency, monetary: &monetary };
    for (name, method) in [("ntile", Method::Ntile), ("quantile", Method::Quantile)] {
        let (seconds, found) = best(|| rfm(base, method, 5, |row| keys[row].as_bytes()));
        println!("rfm of {} profiles, {name}, in {seconds:.4} s", found?.r.len());
    }
    Ok(())
}

/// Values of purchases as they are: many small, few very large.
fn skewed(chance: u64) -> i128 {
    let share = (chance >> 11) as f64 / (1_u64 << 53) as f64;
    (500.0 / (1.0 - share).powf(1.2)) as i128
}

fn time_rhythms() -> Outcome {
    let rows = || 0..PROFILES as u64;
    let counts: Vec<i64> = rows().map(|row| i64::from(mixed(row).trailing_zeros()) + 1).collect();
    let first_days: Vec<i32> = rows().map(|row| (mixed(row + 1) % 1_000) as i32).collect();
    let last_days: Vec<i32> = rows().map(|row| 1_000 + (mixed(row + 2) % 1_000) as i32).collect();
    let occurrences = Occurrences { counts: &counts, first_days: &first_days, last_days: &last_days };
    let (seconds, due) = best(|| {
        let cadence = cadence(occurrences, 2_000)?;
        due_days(occurrences, &cadence.mean_gap_days, 2.0, median_gap_days(&cadence.mean_gap_days))
    });
    println!("cadence and days due of {} profiles in {seconds:.4} s", due?.len());
    Ok(())
}

fn time_weights() -> Outcome {
    let is_leaver: Vec<bool> = (0..PROFILES as u64).map(|row| mixed(row).is_multiple_of(5)).collect();
    let coded = |column: u64| {
        let code = |row: u64| mixed(row + column * 7) as u32 % (3 + column as u32);
        (0..PROFILES as u64).map(code).collect()
    };
    let columns: Vec<Vec<u32>> = (0..20).map(coded).collect();
    let named = columns.iter().zip(3..);
    let all: Vec<Coded<'_>> = named.map(|(codes, categories)| Coded { name: "", codes, categories }).collect();
    let (seconds, found) = best(|| {
        let counted = counts(&all, &is_leaver)?;
        counted.iter().map(|counts| evidence(counts, 0.5)).collect::<Result<Vec<_>, _>>()
    });
    println!("evidence of {} columns in {seconds:.4} s", found?.len());
    Ok(())
}

fn time_models() -> Outcome {
    let column = |column: u64| (0..PROFILES as u64).map(|row| (mixed(row + column * 7) % 10_007) as f64).collect();
    let numbers: Vec<Vec<f64>> = (0..20).map(column).collect();
    let leaves = |row: usize| numbers[0][row] + numbers[1][row] + (mixed(row as u64 + 99) % 20_000) as f64 > 25_000.0;
    let is_leaver: Vec<bool> = (0..PROFILES).map(leaves).collect();
    let characteristic = |values| Characteristic { name: "", values: Values::Numbers(values) };
    let its: Vec<Characteristic<'_>> = numbers.iter().map(|values| characteristic(values)).collect();
    let trees = LearnerSettings::Boosted(boosted::Settings::default());
    for (name, learner) in [("logistic", LearnerSettings::Logistic(1.0)), ("boosted", trees)] {
        let settings = Settings { learner, ..Settings::default() };
        let (fitting, model) = once(|| Model::fit(&its, &is_leaver, settings));
        let model = model?;
        let (scoring, scores) = once(|| model.probabilities(&its, PROFILES));
        let (explaining, explained) = once(|| model.contributions(&its, PROFILES));
        explained?;
        let (judging, judged) = once(|| quality(scores.as_deref().unwrap_or_default(), &is_leaver));
        println!(
            "{name}, 20 columns: fit in {fitting:.3} s, scores in {scoring:.3} s, contributions in {explaining:.3} s"
        );
        println!("{name}: quality in {judging:.3} s, AUC {:.4}", judged?.auc.estimate);
    }
    Ok(())
}

/// Items whose chance falls with their number as 1/(number + 10).
fn zipf(items: usize) -> Vec<f64> {
    let mut sums: Vec<f64> = (0..items)
        .scan(0.0, |sum, item| {
            *sum += 1.0 / (item as f64 + 10.0);
            Some(*sum)
        })
        .collect();
    let all = sums[items - 1];
    sums.iter_mut().for_each(|sum| *sum /= all);
    sums
}

fn time_pairs(folder: Option<&Path>) -> Outcome {
    let (mut chance, sums) = (Chance(6), zipf(ITEMS));
    let (mut offsets, mut items) = (vec![0_usize], Vec::new());
    for _ in 0..3_000_000 {
        let size = 1 + (-9.5 * chance.part().ln()) as usize;
        for _ in 0..size {
            let part = chance.part();
            // Codes are not in the order of frequency.
            items.push(((sums.partition_point(|sum| *sum < part) * 7919) % ITEMS) as u32);
        }
        offsets.push(items.len());
    }
    if let Some(folder) = folder {
        write_numbers(&folder.join("offsets.u64"), offsets.iter().flat_map(|offset| (*offset as u64).to_le_bytes()))?;
        write_numbers(&folder.join("items.u32"), items.iter().flat_map(|item| item.to_le_bytes()))?;
    }
    let baskets = Baskets::new(&offsets, &items, ITEMS)?;
    for least in [1, 5, 100] {
        let (seconds, found) = best(|| pairs(&baskets, least));
        let sum: u64 = found.counts.iter().map(|count| u64::from(*count)).sum();
        println!("{} lines, at least {least}: {} pairs (sum {sum}) in {seconds:.3} s", items.len(), found.len());
    }
    Ok(())
}

/// Offers for a million customers with 30 lines each of 20,000 items.
fn time_offers(folder: Option<&Path>) -> Outcome {
    let (mut chance, sums) = (Chance(7), zipf(ITEMS));
    let offsets: Vec<usize> = (0..=1_000_000).map(|customer| 30 * customer).collect();
    let line = |_| ((sums.partition_point(|sum| *sum < chance.part()) * 7919) % ITEMS) as u32;
    let items: Vec<u32> = (0..30_000_000).map(line).collect();
    let days: Vec<i32> = items.iter().zip(0_u64..).map(|(_, line)| (Chance(line).number() % 365) as i32).collect();
    if let Some(folder) = folder {
        write_numbers(&folder.join("bought.u32"), items.iter().flat_map(|item| item.to_le_bytes()))?;
    }
    let purchases = Purchases { offsets: &offsets, items: &items, days: &days, item_count: ITEMS };
    let keys: Vec<String> = (0..ITEMS).map(|item| format!("{item:05}")).collect();
    let key = |item: u32| keys[item as usize].as_bytes();
    let (putting, habits) = best(|| Habits::of(&purchases));
    let habits = habits?;
    let baskets = Baskets::new(&offsets, &items, ITEMS)?;
    let (pairing, found) = best(|| pairs(&baskets, 5));
    println!("habits in {putting:.3} s; {} pairs in {pairing:.3} s", found.len());
    let sellers = Sellers::of(&habits, &vec![0; habits.len()], 1, 0, 50, key)?;
    let popularity = habits.popularity(300);
    for most in [20, 50] {
        let (nearing, neighbours) = best(|| Neighbours::of(&found, Likeness::Cosine, most, key));
        let terms = Terms { today: 365, ..Terms::default() };
        let shop = Shop { habits: &habits, neighbours: &neighbours, popularity: &popularity, sellers: &sellers, terms };
        let (offering, made) = best(|| offers(&shop, |_, _| true, key));
        println!("{most} neighbours in {nearing:.3} s; {} offers in {offering:.3} s", made?.offers.len());
        let all = |_: usize, _: u32| true;
        let (simply, made) = best(|| item_to_item(&habits, &neighbours, 3, all, key));
        println!("{} by item-item cosine alone in {simply:.3} s", made.offers.len());
    }
    Ok(())
}

fn write_numbers(path: &Path, bytes: impl Iterator<Item = u8>) -> Outcome {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for byte in bytes {
        file.write_all(&[byte])?;
    }
    Ok(file.flush()?)
}

fn time_sets(path: &Path, supports: &[String]) -> Outcome {
    let text = std::fs::read_to_string(path)?;
    let separator = if path.extension().is_some_and(|ending| ending == "csv") { ',' } else { ' ' };
    let mut names: Vec<&str> = text.lines().flat_map(|line| line.trim().split(separator)).collect();
    names.sort_unstable();
    names.dedup();
    let (mut offsets, mut items) = (vec![0], Vec::new());
    for line in text.lines() {
        let codes = line.trim().split(separator).map(|name| names.partition_point(|other| *other < name) as u32);
        items.extend(codes);
        offsets.push(items.len());
    }
    let baskets = Baskets::new(&offsets, &items, names.len())?;
    for support in supports {
        let least_count = least_count(support.parse()?, baskets.len())?;
        let wanted = Wanted { least_count, longest: usize::MAX, most: usize::MAX };
        let (seconds, found) = best(|| itemsets(&baskets, &wanted));
        println!("{} at {support}: {} sets in {:.3} ms", path.display(), found.len(), seconds * 1e3);
    }
    Ok(())
}

/// The customers of a CDNOW file up to 1997-09-30, or a million simulated ones.
fn time_alive(master: Option<&Path>) -> Outcome {
    let histories = match master {
        Some(path) => cdnow(&std::fs::read_to_string(path)?)?,
        None => simulated(1_000_000),
    };
    let (together, grouped) = best(|| Histories::of(&histories));
    let grouped = grouped?;
    let (fitting, fitted) = best(|| fit(&grouped));
    let fitted = fitted?;
    println!("{} customers, {} histories: {together:.4} s together", histories.len(), grouped.distinct.len());
    println!("fit in {fitting:.4} s: {fitted:?}");
    let (each, expected) = best(|| grouped.each(|history| fitted.model.expected_further(history, 39.0)));
    println!("expected purchases in {each:.4} s, {:.3} in all", expected.iter().sum::<f64>());
    Ok(())
}

fn cdnow(text: &str) -> Result<Vec<History>, Box<dyn Error>> {
    let mut customers = std::collections::BTreeMap::<&str, std::collections::BTreeSet<chrono::NaiveDate>>::new();
    let end = chrono::NaiveDate::from_ymd_opt(1997, 9, 30).ok_or("a day")?;
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let day = chrono::NaiveDate::parse_from_str(fields[1], "%Y%m%d")?;
        if day <= end {
            customers.entry(fields[0]).or_default().insert(day);
        }
    }
    let weeks = |from: chrono::NaiveDate, to: chrono::NaiveDate| (to - from).num_days() as f64 / 7.0;
    let of = |days: &std::collections::BTreeSet<chrono::NaiveDate>| {
        let first = *days.first()?;
        let last = weeks(first, *days.last()?);
        Some(History { repeats: days.len() as u32 - 1, last, age: weeks(first, end) })
    };
    Ok(customers.values().filter_map(of).collect())
}

/// Customers of the model itself, by days of two years.
fn simulated(customers: usize) -> Vec<History> {
    let mut chance = Chance(3);
    let model = BgNbd { r: 0.8, alpha: 10.0, a: 1.0, b: 4.0 };
    let customer = |_| {
        let rate = gamma(&mut chance, model.r) / model.alpha;
        let (leaves, stays) = (gamma(&mut chance, model.a), gamma(&mut chance, model.b));
        let leaving = leaves / (leaves + stays);
        let age = (1.0 + chance.part() * 728.0).floor() / 7.0;
        let (mut at, mut history) = (0.0, History { repeats: 0, last: 0.0, age });
        loop {
            at += -chance.part().ln() / rate;
            if at > age || chance.part() < leaving && history.repeats > 0 {
                return history;
            }
            history = History { repeats: history.repeats + 1, last: (at * 7.0).floor() / 7.0, age };
        }
    };
    (0..customers).map(customer).collect()
}

/// Marsaglia and Tsang (2000), with the boost for shapes below 1.
fn gamma(chance: &mut Chance, shape: f64) -> f64 {
    let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = (-2.0 * chance.part().ln()).sqrt() * (std::f64::consts::TAU * chance.part()).cos();
        let cube = (1.0 + c * normal).powi(3);
        if cube > 0.0 && chance.part().ln() < 0.5 * normal * normal + d - d * cube + d * cube.ln() {
            let boost = if shape < 1.0 { chance.part().powf(1.0 / shape) } else { 1.0 };
            return d * cube * boost;
        }
    }
}
