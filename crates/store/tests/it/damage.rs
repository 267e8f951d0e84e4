//! Bits that flip and files that end early: found when they are read, or never read. Never another answer.
//!
//! The shop has every kind of file: blocks, a dictionary, rows that wait, an overlay with its places, and changes. What is
//! damaged is what the disk answers, so that every case begins from the same whole files.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow_array::ArrayRef;
use muster_catalog::{Catalog, Timestamp, parse};
use muster_state::{Mode, State};
use muster_store::{Bytes, Disk, Error, FileDisk, MIGRATIONS, Snapshot, Store, Upkeep};
use tempfile::TempDir;

use crate::fixture::{Rows, input};
use crate::memory::MemoryDisk;

const CUSTOMERS: &[(&str, &str)] = &[("id", "id"), ("name", "text"), ("born", "date")];
const ORDERS: &[(&str, &str)] = &[
    ("order_id", "id"),
    ("customer", "id"),
    ("placed_at", "timestamp"),
    ("status", "text"),
    ("total", "decimal(12,2)"),
];
const TABLES: [(&str, &[(&str, &str)]); 2] = [("profiles", CUSTOMERS), ("orders", ORDERS)];

const SHOP: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"
[tables.profiles]
source = "customers.csv"
key = "id"
[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
"#;

/// Small changes stay beside their blocks, however many they are.
const EDITS_STAY: Upkeep =
    Upkeep { remake_percent: 60, fold_percent: 100, fold_at_once_percent: 13, undo_loads: 30, undo_percent: 100 };

/// What happens to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip { place: u64, bit: u8 },
    Cut { length: u64 },
}

/// A folder of which one file is not what was written.
#[derive(Debug)]
struct DamagedDisk {
    whole: FileDisk,
    damage: Mutex<Option<(String, Damage)>>,
}

impl DamagedDisk {
    fn set(&self, damage: Option<(String, Damage)>) {
        *self.damage.lock().unwrap() = damage;
    }

    fn of(&self, name: &str) -> Option<Damage> {
        self.damage.lock().unwrap().as_ref().filter(|(damaged, _)| damaged == name).map(|(_, damage)| *damage)
    }
}

impl Disk for DamagedDisk {
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.whole.write(name, content)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.whole.rename(from, to)
    }

    fn sync(&self) -> io::Result<()> {
        self.whole.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.whole.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.whole.names()
    }

    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes> {
        let bytes = self.whole.read(name, start, length)?;
        let end = start + length as u64;
        match self.of(name) {
            Some(Damage::Cut { length }) if end > length => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(Damage::Flip { place, bit }) if (start..end).contains(&place) => {
                let mut bytes = bytes.to_vec();
                bytes[(place - start) as usize] ^= 1 << bit;
                Ok(bytes.into())
            }
            _ => Ok(bytes),
        }
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        match self.of(name) {
            Some(Damage::Cut { length }) => Ok(length),
            _ => self.whole.size(name),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.whole.path(name)
    }
}

type Answer = (String, Vec<ArrayRef>);

/// A shop on a disk that can be damaged.
struct Shop {
    state: State,
    disk: Arc<DamagedDisk>,
    catalog: Catalog,
    /// Every file with its bytes.
    files: BTreeMap<String, u64>,
    _dir: TempDir,
}

impl Shop {
    /// So many customers with twice as many orders; then another name for every tenth, another status for every twelfth,
    /// and a few new orders, two of which wait for their customer.
    fn of(customers: usize) -> Self {
        let dir = TempDir::new().unwrap();
        let state = State::open(dir.path(), MIGRATIONS, Mode::Create).unwrap();
        let whole = FileDisk::at(&dir.path().join("blocks"));
        let disk = Arc::new(DamagedDisk { whole, damage: Mutex::default() });
        let mut shop =
            Self { state, disk, catalog: parse("muster.toml", SHOP).unwrap(), files: BTreeMap::new(), _dir: dir };
        shop.load(
            1,
            (0..customers).map(customer),
            (0..2 * customers).map(|number| order(number, number % customers, "open")),
        );
        shop.load(
            2,
            (0..customers).step_by(10).map(|number| customer(number).replace("name", "renamed")),
            (0..2 * customers)
                .step_by(12)
                .map(|number| order(number, number % customers, "sent"))
                .chain((0..5).map(|number| order(10_000_000 + number, 3 * number, "new")))
                .chain((0..2).map(|number| order(20_000_000 + number, 10_000_000, "lost"))),
        );
        let names = shop.disk.names().unwrap();
        shop.files = names.into_iter().map(|name| (name.clone(), shop.disk.size(&name).unwrap())).collect();
        shop
    }

    fn load(&self, at: i64, customers: impl Iterator<Item = String>, orders: impl Iterator<Item = String>) {
        let rows = [customers.collect::<Vec<_>>(), orders.collect::<Vec<_>>()];
        let inputs = TABLES.iter().zip(&rows).map(|((table, columns), rows)| {
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            input(table, &[&Rows(columns, &rows)])
        });
        let store = self.store();
        let prepared = store.prepare(&self.catalog, inputs.collect(), Timestamp::from_micros(at)).unwrap();
        self.state.write(|tx| prepared.commit(tx, "{}", &[])).unwrap();
    }

    fn store(&self) -> Store {
        let disk: Arc<dyn Disk> = Arc::clone(&self.disk) as Arc<dyn Disk>;
        self.state.read(|tx| Store::open_on(disk, EDITS_STAY, tx)).unwrap()
    }

    /// What a process that opens the shop now reads of one table: all rows, also those that wait, as a digest, and the
    /// columns of those that do not.
    fn answer(&self, table: &str) -> Result<Answer, Error> {
        let digest = self.store().snapshot().unwrap().digest(table)?;
        Ok((digest, self.columns(table)?))
    }

    fn answers(&self) -> Vec<Answer> {
        TABLES.iter().map(|(table, _)| self.answer(table).unwrap()).collect()
    }

    /// Every column of every block, now and as of before the second load.
    fn columns(&self, table: &str) -> Result<Vec<ArrayRef>, Error> {
        let present = self.store().snapshot().unwrap();
        let mut columns = columns(&present, table)?;
        let past = present.as_of(Timestamp::from_micros(1))?;
        columns.extend(self::columns(&past, table)?);
        Ok(columns)
    }

    /// What becomes of a damage: whether a reader found it. A reader that does not must get the right answer, and the
    /// check of every byte finds it in any case.
    fn is_found(&self, right: &[Answer], name: &str, damage: Damage) -> bool {
        self.disk.set(Some((name.to_owned(), damage)));
        let mut is_found = false;
        for ((table, _), right) in TABLES.iter().zip(right) {
            match self.answer(table) {
                Ok(answer) => assert_eq!(answer, *right, "{name} {damage:?} changed an answer"),
                Err(error) => {
                    is_found = true;
                    assert!(error.to_string().contains(name), "{name} {damage:?}: {error}");
                }
            }
        }
        let faults = self.state.read(|tx| self.store().verify(tx)).unwrap();
        assert_eq!(faults.len(), 1, "{name} {damage:?}: {faults:?}");
        self.disk.set(None);
        is_found
    }
}

impl Shop {
    /// As [`Shop::is_found`], where there are many cases: only the columns of the table of the file are read.
    fn is_found_in_columns(&self, right: &BTreeMap<&str, Vec<ArrayRef>>, name: &str, damage: Damage) -> bool {
        let table = name.split('.').next().unwrap();
        self.disk.set(Some((name.to_owned(), damage)));
        let answer = self.columns(table);
        self.disk.set(None);
        match answer {
            Ok(answer) => assert!(answer == right[table], "{name} {damage:?} changed an answer"),
            Err(error) => {
                assert!(error.to_string().contains(name), "{name} {damage:?}: {error}");
                return true;
            }
        }
        false
    }

    fn all_columns(&self) -> BTreeMap<&'static str, Vec<ArrayRef>> {
        TABLES.iter().map(|(table, _)| (*table, self.columns(table).unwrap())).collect()
    }
}

fn customer(number: usize) -> String {
    format!("c{number} name{:016x} 19{:02}-0{}-1{}", mixed(number), 40 + number % 50, 1 + number % 9, number % 10)
}

/// Digits that no compression makes smaller.
fn mixed(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn order(number: usize, customer: usize, status: &str) -> String {
    format!(
        "o{number} c{customer} 2025-0{}-1{}T0{}:00:00 {status} {}.50",
        1 + number % 9,
        number % 10,
        number % 9,
        number % 700
    )
}

fn columns(snapshot: &Snapshot, table: &str) -> Result<Vec<ArrayRef>, Error> {
    let names: Vec<&str> = snapshot.schema(table).unwrap().columns.iter().map(|column| column.name.as_str()).collect();
    let mut columns = Vec::new();
    for block in 0..snapshot.block_count(table) {
        columns.extend(snapshot.scan(table, block, &names)?);
    }
    Ok(columns)
}

fn kind(name: &str) -> &str {
    let part = name.split('.').nth(1).unwrap();
    if part.starts_with(|letter: char| letter.is_ascii_digit()) { "block" } else { part.split('-').next().unwrap() }
}

#[test]
fn every_byte_of_a_small_block_that_flips_is_found_when_it_is_read() {
    let shop = Shop::of(20);
    let right = shop.all_columns();
    let (name, bytes) = shop.files.iter().find(|(name, _)| name.starts_with("profiles.00000.")).unwrap();
    let unread: Vec<u64> = (0..*bytes)
        .filter(|place| !shop.is_found_in_columns(&right, name, Damage::Flip { place: *place, bit: (place % 8) as u8 }))
        .collect();
    // Nobody reads the four letters at the beginning.
    assert!(unread.iter().all(|place| *place < 4), "{unread:?} of {bytes}");
}

#[test]
fn flips_and_cuts_in_every_kind_of_file_are_found_or_harmless() {
    let shop = Shop::of(40);
    let right = shop.answers();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, bytes) in &shop.files {
        for place in (0..*bytes).step_by(127) {
            let flip = Damage::Flip { place, bit: (place % 8) as u8 };
            *found.entry(kind(name)).or_default() += usize::from(shop.is_found(&right, name, flip));
        }
        for length in [0, 1, bytes / 2, bytes - 1] {
            *found.entry(kind(name)).or_default() += usize::from(shop.is_found(&right, name, Damage::Cut { length }));
        }
    }
    for kind in ["block", "texts", "orphans", "came", "places", "changes"] {
        assert!(found.get(kind).is_some_and(|found| *found > 4), "{kind}: {found:?}");
    }
}

/// The next number of a sequence that looks random (xorshift, after Marsaglia 2003).
fn chance(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
#[ignore = "ten thousand cases in files of megabytes; minutes, and of use in a release build only"]
fn ten_thousand_flips_and_cuts_in_large_files_are_found_or_harmless() {
    let shop = Shop::of(130_000);
    let right = shop.all_columns();
    let files: Vec<(&String, &u64)> = shop.files.iter().collect();
    let (mut seed, mut found, mut harmless) = (0x9E37_79B9_7F4A_7C15, 0, 0);
    let total: u64 = shop.files.values().sum();
    println!(
        "{} files of {} to {} bytes",
        files.len(),
        files.iter().map(|file| file.1).min().unwrap(),
        files.iter().map(|file| file.1).max().unwrap()
    );
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    let cases = cases();
    for case in 0..cases {
        // Half of the cases by size, half by file, so that small files get their share.
        let (name, bytes) = if case % 2 == 0 {
            by_size(&files, chance(&mut seed) % total)
        } else {
            files[chance(&mut seed) as usize % files.len()]
        };
        let place = chance(&mut seed) % bytes;
        let damage = if case % 5 == 0 {
            Damage::Cut { length: place }
        } else {
            Damage::Flip { place, bit: (chance(&mut seed) % 8) as u8 }
        };
        *by_kind.entry(kind(name)).or_default() += 1;
        if shop.is_found_in_columns(&right, name, damage) { found += 1 } else { harmless += 1 }
    }
    println!("{cases} cases: {found} found when read, {harmless} harmless, 0 wrong answers; {by_kind:?}");
}

/// Those of `MUSTER_DAMAGE_CASES`, else ten thousand.
fn cases() -> usize {
    std::env::var("MUSTER_DAMAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

fn by_size<'a>(files: &[(&'a String, &'a u64)], mut place: u64) -> (&'a String, &'a u64) {
    for file in files {
        if place < *file.1 {
            return *file;
        }
        place -= file.1;
    }
    files[0]
}

#[test]
fn a_disk_that_cannot_sync_changes_nothing_and_the_same_load_works_on_the_next_try() {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path(), MIGRATIONS, Mode::Create).unwrap();
    let (disk, catalog) = (Arc::new(MemoryDisk::default()), parse("muster.toml", SHOP).unwrap());
    let store = state.read(|tx| Store::open_on(Arc::clone(&disk) as Arc<dyn Disk>, Upkeep::default(), tx)).unwrap();
    let rows = || vec![input("profiles", &[&Rows(CUSTOMERS, &["c1 Ann 1980-01-01", "c2 Bob 1981-01-01"])])];
    let prepare = || store.prepare(&catalog, rows(), Timestamp::from_micros(1));
    let mut failures = 0;
    let prepared = loop {
        disk.fail_after(failures);
        match prepare() {
            Ok(prepared) => break prepared,
            Err(error) => assert!(matches!(error, Error::File { .. }), "{error}"),
        }
        assert!(store.snapshot().is_none());
        disk.crash();
        failures += 1;
    };
    // A write and a rename for each of two files, and a sync.
    assert!(failures >= 3, "{failures} operations failed");
    state.write(|tx| prepared.commit(tx, "{}", &[])).unwrap();
    assert_eq!(store.adopt(prepared).row_count("profiles"), 2);
}
