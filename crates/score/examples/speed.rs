//! How long the scores of given numbers take: `cargo run --release -p muster-score --example speed PART FOLDER [NUMBER…]`.
//!
//! | part | reads | what it times |
//! |---|---|---|
//! | `ranks FOLDER DAY` | `offsets.u64`, `days.i32`, `cents.i64`: orders, profile by profile | cadence and RFM as of a day |
//! | `alive FOLDER` | `repeats.u32`, `last.f64`, `age.f64` | BG/NBD, like histories put together first |
//! | `weights FOLDER COLUMNS` | `is_leaver.u8`, `00.u32` and so on | evidence of coded columns |
//! | `models FOLDER COLUMNS` | the same, as numbers | a logistic and a boosted model, once |
//! | `pairs FOLDER LEAST` | `offsets.u64`, `items.u32` | pairs in so many baskets at least |
//! | `sets FOLDER LEAST` | `offsets.u64`, `items.u32` | sets in so many baskets at least |
//! | `offers FOLDER NEIGHBOURS` | `offsets.u64`, `items.u32`, `days.i32` | offers for every customer |
//! | `leavers FOLDER COLUMNS` | `is_leaver.u8`, `folds.u8`, `00.f64` or `00.u32` and so on | nothing: scores of rows that a model has not seen |
//!
//! A file holds numbers of the type that it is called by, one behind the other, the lowest byte first. Answers are written
//! beside, so that others can compare theirs; times in seconds are printed by name. `benches/scores.py` does both.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use mimalloc::MiMalloc;
use muster_score::affinity::pairs;
use muster_score::alive::{Histories, History, fit};
use muster_score::baskets::Baskets;
use muster_score::binning::{Characteristic, Values};
use muster_score::boosted;
use muster_score::cadence::{Occurrences, cadence};
use muster_score::evidence::{Coded, counts, evidence};
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::item_to_item;
use muster_score::itemsets::{Wanted, itemsets};
use muster_score::model::{LearnerSettings, Model, Settings};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Offers, Sellers, Shop, Terms, offers};
use muster_score::rfm::{Base, Method, rfm};
use rayon::prelude::*;

/// That of the binary, so that memory is had as it is there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs that count, and the seconds after which no further one begins.
const RUNS: usize = 5;
const PATIENCE: f64 = 60.0;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [part, folder, numbers @ ..] = &arguments[..] else { return Err("expected PART FOLDER [NUMBER…]".into()) };
    let folder = Path::new(folder);
    let number = || numbers.first().ok_or("expected a number")?.parse::<u32>().map_err(Box::<dyn Error>::from);
    match part.as_str() {
        "ranks" => time_ranks(folder, number()? as i32),
        "alive" => time_alive(folder),
        "weights" => time_weights(folder, number()? as usize),
        "models" => time_models(folder, number()? as usize),
        "pairs" => time_pairs(folder, number()?),
        "sets" => time_sets(folder, number()?),
        "offers" => time_offers(folder, number()? as usize),
        "leavers" => score_leavers(folder, number()? as usize),
        _ => Err("expected ranks, alive, weights, models, pairs, sets, offers or leavers".into()),
    }
}

/// Prints the median of the runs after one that is not counted, and returns what the last one returned.
///
/// Where there is no time for more, the one run counts.
fn timed<T>(what: &str, run: impl Fn() -> T) -> T {
    let (first, value) = once(&run);
    let (mut value, mut times) = (Some(value), Vec::new());
    while times.len() < RUNS && first * (times.len() + 2) as f64 <= PATIENCE {
        // What a run returned is dropped before the next one starts.
        drop(value.take());
        let (seconds, next) = once(&run);
        times.push(seconds);
        value = Some(next);
    }
    times.sort_unstable_by(f64::total_cmp);
    println!("{what}: {}", times.get(times.len() / 2).unwrap_or(&first));
    value.unwrap_or_else(run)
}

fn once<T>(run: impl Fn() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed().as_secs_f64(), value)
}

fn read<const N: usize, T>(folder: &Path, name: &str, number: fn([u8; N]) -> T) -> Outcome<Vec<T>> {
    let bytes = std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| number(*bytes)).collect())
}

fn write<const N: usize, T: Copy>(folder: &Path, name: &str, numbers: &[T], bytes: fn(T) -> [u8; N]) -> Outcome<()> {
    let all: Vec<[u8; N]> = numbers.iter().map(|number| bytes(*number)).collect();
    Ok(std::fs::write(folder.join(name), all.as_flattened())?)
}

fn offsets(folder: &Path) -> Outcome<Vec<usize>> {
    read(folder, "offsets.u64", |bytes| u64::from_le_bytes(bytes) as usize)
}

fn is_leaver(folder: &Path) -> Outcome<Vec<bool>> {
    read(folder, "is_leaver.u8", |[byte]| byte != 0)
}

/// One more than the greatest code.
fn count_of(codes: &[u32]) -> usize {
    codes.iter().max().map_or(0, |most| *most as usize + 1)
}

fn time_ranks(folder: &Path, today: i32) -> Outcome<()> {
    let offsets = offsets(folder)?;
    let days = read(folder, "days.i32", i32::from_le_bytes)?;
    let cents = read(folder, "cents.i64", i64::from_le_bytes)?;
    let keys: Vec<String> = (0..offsets.len() - 1).map(|profile| format!("C{profile:09}")).collect();
    let gathered = timed("gather", || Gathered::of(&offsets, &days, &cents));
    let rhythm = timed("cadence", || cadence(gathered.occurrences(), today))?;
    let recency_days: Vec<i64> = rhythm.days_since_last.iter().map(|days| days.unwrap_or(i64::MAX)).collect();
    let base = Base { recency_days: &recency_days, frequency: &gathered.counts, monetary: &gathered.totals };
    let found = timed("rfm", || rfm(base, Method::Ntile, 5, |row| keys[row].as_bytes()))?;
    for (name, scores) in [("r.u8", &found.r), ("f.u8", &found.f), ("m.u8", &found.m)] {
        write(folder, name, scores, u8::to_le_bytes)?;
    }
    let gaps: Vec<f64> = rhythm.mean_gap_days.iter().map(|gap| gap.unwrap_or(-1.0)).collect();
    write(folder, "gaps.f64", &gaps, f64::to_le_bytes)
}

/// The orders of each profile in few numbers: what a caller of the scores keeps per profile.
struct Gathered {
    counts: Vec<i64>,
    first_days: Vec<i32>,
    last_days: Vec<i32>,
    totals: Vec<i128>,
}

impl Gathered {
    fn of(offsets: &[usize], days: &[i32], cents: &[i64]) -> Self {
        const PROFILES_AT_ONCE: usize = 4096;
        let profiles = offsets.len() - 1;
        let mut all = Self {
            counts: vec![0; profiles],
            first_days: vec![0; profiles],
            last_days: vec![0; profiles],
            totals: vec![0; profiles],
        };
        let days_of = (all.first_days.par_chunks_mut(PROFILES_AT_ONCE), all.last_days.par_chunks_mut(PROFILES_AT_ONCE));
        let sums = (all.counts.par_chunks_mut(PROFILES_AT_ONCE), all.totals.par_chunks_mut(PROFILES_AT_ONCE));
        let pieces = days_of.into_par_iter().zip(sums.into_par_iter()).enumerate();
        pieces.for_each(|(piece, ((first_days, last_days), (counts, totals)))| {
            for place in 0..counts.len() {
                let profile = piece * PROFILES_AT_ONCE + place;
                let (days, cents) = (&days[offsets[profile]..], &cents[offsets[profile]..]);
                let count = offsets[profile + 1] - offsets[profile];
                let (mut first, mut last, mut total) = (i32::MAX, i32::MIN, 0);
                for (day, cents) in days[..count].iter().zip(&cents[..count]) {
                    (first, last, total) = (first.min(*day), last.max(*day), total + i128::from(*cents));
                }
                (counts[place], totals[place]) = (count as i64, total);
                (first_days[place], last_days[place]) = (first, last);
            }
        });
        all
    }

    fn occurrences(&self) -> Occurrences<'_> {
        Occurrences { counts: &self.counts, first_days: &self.first_days, last_days: &self.last_days }
    }
}

fn time_alive(folder: &Path) -> Outcome<()> {
    let repeats = read(folder, "repeats.u32", u32::from_le_bytes)?;
    let times =
        read(folder, "last.f64", f64::from_le_bytes)?.into_iter().zip(read(folder, "age.f64", f64::from_le_bytes)?);
    let histories: Vec<History> =
        repeats.into_iter().zip(times).map(|(repeats, (last, age))| History { repeats, last, age }).collect();
    let together = timed("together", || Histories::of(&histories))?;
    let found = timed("fit", || fit(&together))?;
    println!("histories: {}", together.distinct.len());
    for (name, number) in
        [("r", found.model.r), ("alpha", found.model.alpha), ("a", found.model.a), ("b", found.model.b)]
    {
        println!("{name}: {number}");
    }
    println!("log likelihood: {}", found.log_likelihood);
    Ok(())
}

fn columns(folder: &Path, columns: usize) -> Outcome<Vec<Vec<u32>>> {
    (0..columns).map(|column| read(folder, &format!("{column:02}.u32"), u32::from_le_bytes)).collect()
}

fn time_weights(folder: &Path, count: usize) -> Outcome<()> {
    let (is_leaver, columns) = (is_leaver(folder)?, columns(folder, count)?);
    let coded = |codes| Coded { name: "", codes, categories: count_of(codes) };
    let all: Vec<Coded<'_>> = columns.iter().map(|codes| coded(codes)).collect();
    let found = timed("evidence", || {
        let counted = counts(&all, &is_leaver)?;
        counted.iter().map(|counts| evidence(counts, 0.5)).collect::<muster_score::Result<Vec<_>>>()
    })?;
    let values: Vec<f64> = found.iter().map(|evidence| evidence.information_value).collect();
    write(folder, "information.f64", &values, f64::to_le_bytes)
}

fn time_models(folder: &Path, count: usize) -> Outcome<()> {
    let (is_leaver, columns) = (is_leaver(folder)?, columns(folder, count)?);
    let numbers: Vec<Vec<f64>> =
        columns.iter().map(|codes| codes.iter().map(|code| f64::from(*code)).collect()).collect();
    let its: Vec<Characteristic<'_>> =
        numbers.iter().map(|values| Characteristic { name: "", values: Values::Numbers(values) }).collect();
    for (name, learner) in learners() {
        let (fitting, model) = once(|| Model::fit(&its, &is_leaver, Settings { learner, ..Settings::default() }));
        let model = model?;
        let (scoring, scores) = once(|| model.probabilities(&its, is_leaver.len()));
        scores?;
        let (explaining, contributions) = once(|| model.contributions(&its, is_leaver.len()));
        contributions?;
        println!("{name} fit: {fitting}\n{name} scores: {scoring}\n{name} contributions: {explaining}");
    }
    Ok(())
}

fn learners() -> [(&'static str, LearnerSettings); 2] {
    [("logistic", LearnerSettings::Logistic(1.0)), ("boosted", LearnerSettings::Boosted(boosted::Settings::default()))]
}

fn time_pairs(folder: &Path, least: u32) -> Outcome<()> {
    let (offsets, items) = (offsets(folder)?, read(folder, "items.u32", u32::from_le_bytes)?);
    let baskets = Baskets::new(&offsets, &items, count_of(&items))?;
    let found = timed("pairs", || pairs(&baskets, least));
    for (name, numbers) in
        [("rarer.u32", &found.rarer), ("commoner.u32", &found.commoner), ("counts.u32", &found.counts)]
    {
        write(folder, name, numbers, u32::to_le_bytes)?;
    }
    Ok(())
}

fn time_sets(folder: &Path, least_count: u32) -> Outcome<()> {
    let (offsets, items) = (offsets(folder)?, read(folder, "items.u32", u32::from_le_bytes)?);
    let baskets = Baskets::new(&offsets, &items, count_of(&items))?;
    let found = timed("sets", || itemsets(&baskets, &Wanted { least_count, longest: usize::MAX, most: usize::MAX }));
    write(folder, "sets.u64", &found.offsets, |end| (end as u64).to_le_bytes())?;
    write(folder, "set_items.u32", &found.items, u32::to_le_bytes)?;
    write(folder, "counts.u32", &found.counts, u32::to_le_bytes)
}

fn time_offers(folder: &Path, most: usize) -> Outcome<()> {
    let (offsets, items) = (offsets(folder)?, read(folder, "items.u32", u32::from_le_bytes)?);
    let days = read(folder, "days.i32", i32::from_le_bytes)?;
    let item_count = count_of(&items);
    let keys: Vec<String> = (0..item_count).map(|item| format!("{item:05}")).collect();
    let key = |item: u32| keys[item as usize].as_bytes();
    let purchases = Purchases { offsets: &offsets, items: &items, days: &days, item_count };
    let habits = timed("habits", || Habits::of(&purchases))?;
    let baskets = Baskets::new(&offsets, &items, item_count)?;
    let found = timed("pairs", || pairs(&baskets, 1));
    let neighbours = timed("neighbours", || Neighbours::of(&found, Likeness::Cosine, most, key));
    println!("number of pairs: {}", found.len());
    drop(found);
    let is_new = |customer: usize, item: u32| habits.habit(customer, item).is_none();
    let simple = timed("cosine alone", || item_to_item(&habits, &neighbours, 3, is_new, key));
    write_offers(folder, &simple)?;
    let today = days.iter().max().map_or(0, |last| last + 1);
    let groups = vec![0; habits.len()];
    let sellers = timed("best sellers", || Sellers::of(&habits, &groups, 1, today - 28, 50, key))?;
    let popularity = timed("popularity", || habits.popularity(today - 28));
    let terms = Terms { today, ..Terms::default() };
    let shop = Shop { habits: &habits, neighbours: &neighbours, popularity: &popularity, sellers: &sellers, terms };
    let made = timed("offers", || offers(&shop, |_, _| true, key))?;
    println!("number of offers: {}", made.offers.len());
    Ok(())
}

/// Three scores for each customer, −1 where there are fewer offers.
fn write_offers(folder: &Path, offers: &Offers) -> Outcome<()> {
    let scores = |customer: usize| {
        let of = offers.of(customer);
        [0, 1, 2].map(|place| of.get(place).map_or(-1.0, |offer| offer.score))
    };
    let all: Vec<[f64; 3]> = (0..offers.len()).map(scores).collect();
    write(folder, "offered.f64", all.as_flattened(), f64::to_le_bytes)
}

/// A column of characteristics, as numbers or as codes with texts.
enum Column {
    Numbers(Vec<f64>),
    Categories(Vec<u32>),
}

impl Column {
    fn read(folder: &Path, column: usize) -> Outcome<Self> {
        let numbers = format!("{column:02}.f64");
        if folder.join(&numbers).exists() {
            Ok(Self::Numbers(read(folder, &numbers, f64::from_le_bytes)?))
        } else {
            Ok(Self::Categories(read(folder, &format!("{column:02}.u32"), u32::from_le_bytes)?))
        }
    }

    fn only(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|row| values[*row]).collect()),
            Self::Categories(codes) => Self::Categories(rows.iter().map(|row| codes[*row]).collect()),
        }
    }
}

/// Rows of some customers: their columns, and who of them left.
struct Customers {
    columns: Vec<Column>,
    is_leaver: Vec<bool>,
}

impl Customers {
    fn only(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.only(rows)).collect();
        Self { columns, is_leaver: rows.iter().map(|row| self.is_leaver[*row]).collect() }
    }

    /// Hands the characteristics to `with`; a code is its own text.
    fn characteristics<T>(&self, with: impl FnOnce(&[Characteristic<'_>]) -> T) -> T {
        const TEXTS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let named = self.columns.iter().map(|column| match column {
            Column::Numbers(values) => Characteristic { name: "", values: Values::Numbers(values) },
            Column::Categories(codes) => {
                Characteristic { name: "", values: Values::Categories { codes, texts: &TEXTS } }
            }
        });
        with(&named.collect::<Vec<_>>())
    }

    fn fit(&self, learner: LearnerSettings) -> muster_score::Result<Model> {
        let settings = Settings { learner, ..Settings::default() };
        self.characteristics(|its| Model::fit(its, &self.is_leaver, settings))
    }

    fn calibrate(&self, model: Model) -> muster_score::Result<Model> {
        self.characteristics(|its| model.calibrated(its, &self.is_leaver))
    }

    fn probabilities(&self, model: &Model) -> muster_score::Result<Vec<f64>> {
        self.characteristics(|its| model.probabilities(its, self.is_leaver.len()))
    }
}

/// Everyone scored by models that have not seen them, for each way to deal the rows out into folds.
///
/// Plain models are fitted on all other folds; calibrated ones on seven eighths of them, and calibrated on the rest.
fn score_leavers(folder: &Path, columns: usize) -> Outcome<()> {
    let columns = (0..columns).map(|column| Column::read(folder, column)).collect::<Outcome<_>>()?;
    let customers = Customers { columns, is_leaver: is_leaver(folder)? };
    let dealt = std::fs::read(folder.join("folds.u8"))?;
    for (name, learner) in learners() {
        let (mut plain, mut calibrated) = (vec![0.0; dealt.len()], vec![0.0; dealt.len()]);
        let rows = customers.is_leaver.len();
        for (repeat, folds) in dealt.chunks(rows).enumerate() {
            for fold in 0..5 {
                let (test, training): (Vec<usize>, Vec<usize>) = (0..rows).partition(|row| folds[*row] == fold);
                let (held_out, fitted): (Vec<usize>, Vec<usize>) = training.iter().partition(|row| *row % 8 == 0);
                let model = customers.only(&training).fit(learner)?;
                let smaller = customers.only(&held_out).calibrate(customers.only(&fitted).fit(learner)?)?;
                let others = customers.only(&test);
                for (scores, model) in [(&mut plain, &model), (&mut calibrated, &smaller)] {
                    let found = others.probabilities(model)?;
                    test.iter().zip(found).for_each(|(row, score)| scores[repeat * rows + row] = score);
                }
            }
        }
        write(folder, &format!("{name}.f64"), &plain, f64::to_le_bytes)?;
        write(folder, &format!("{name} calibrated.f64"), &calibrated, f64::to_le_bytes)?;
    }
    Ok(())
}
