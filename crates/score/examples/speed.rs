//! Times the kernels on generated and given data: `speed pairs|sets|alive|offers …` prints seconds, best of three.
//!
//! `speed sets FILE SUPPORT…` reads baskets, separated by blanks or commas; the others make their own numbers from a
//! fixed seed and can write them to a folder for others to read: `speed pairs [FOLDER]`.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use muster_score::affinity::pairs;
use muster_score::alive::{BgNbd, Histories, History, fit};
use muster_score::baskets::{Baskets, least_count};
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::item_to_item;
use muster_score::itemsets::{Wanted, itemsets};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Sellers, Shop, Terms, offers};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("pairs") => time_pairs(arguments.get(1).map(Path::new)),
        Some("sets") => time_sets(Path::new(&arguments[1]), &arguments[2..]),
        Some("alive") => time_alive(arguments.get(1).map(Path::new)),
        Some("offers") => time_offers(arguments.get(1).map(Path::new)),
        _ => Err("expected pairs, sets, alive or offers".into()),
    }
}

/// The shortest of three runs, in seconds, and what the last one returned.
fn best<T>(run: impl Fn() -> T) -> (f64, T) {
    let timed = || {
        let start = Instant::now();
        let value = run();
        (start.elapsed().as_secs_f64(), value)
    };
    let (first, second, (third, value)) = (timed().0, timed().0, timed());
    (first.min(second).min(third), value)
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
    const ITEMS: usize = 20_000;
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
    const ITEMS: usize = 20_000;
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
