//! Random loads, updates, deletions, undos, folds, crashes and reopenings against plain maps.
//!
//! Two stores run side by side: one makes every table anew, one edits as long as it can and folds in between. Both must say
//! what the maps say, now and as of every instant, and have the same digests. The number of cases is that of
//! `MUSTER_MODEL_CASES`, else 300.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use muster_catalog::{Catalog, Timestamp, parse};
use muster_state::{Mode, State};
use muster_store::{MIGRATIONS, Snapshot, Store, Upkeep};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tempfile::TempDir;

use crate::fixture::{Rows, input, texts};
use crate::memory::MemoryDisk;

const PROFILES: &[(&str, &str)] = &[("id", "id"), ("seen", "timestamp"), ("name", "text"), ("gone", "bool")];
const ORDERS: &[(&str, &str)] = &[
    ("order_id", "id"),
    ("customer", "id"),
    ("placed_at", "timestamp"),
    ("seen", "timestamp"),
    ("status", "text"),
    ("gone", "bool"),
];
const LINES: &[(&str, &str)] = &[("order_id", "id"), ("sku", "text"), ("quantity", "int")];

fn catalog(dated: bool) -> Catalog {
    let updated = if dated { "updated_at = \"seen\"" } else { "" };
    let text = format!(
        r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"
[tables.profiles]
source = "customers.csv"
key = "id"
deleted = "gone"
{updated}
[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
deleted = "gone"
{updated}
[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"
"#
    );
    parse("muster.toml", &text).unwrap()
}

/// A profile or an order: the key of its parent, its time, when it was seen, and a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    parent: u8,
    time: u8,
    seen: u8,
    word: u8,
    gone: bool,
}

/// One file per table: rows by key, and counted lines.
#[derive(Debug, Clone, Default)]
pub struct File {
    profiles: BTreeMap<u8, Row>,
    orders: BTreeMap<u8, Row>,
    lines: BTreeMap<(u8, u8), usize>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Load(Vec<File>),
    /// A load that ends at the n-th operation of the disk, and a crash.
    Cut(Vec<File>, usize),
    /// A crash right after the commit.
    Crash(Vec<File>),
    /// Rows that go into the log.
    Rows(File),
    /// Files are made of the log.
    Flush,
    Undo,
    Reopen,
}

/// A keyed row with what it was before: by instant, the newest last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    row: Row,
    versions: Vec<(u64, Row)>,
}

#[derive(Debug, Clone, Default)]
pub struct World {
    profiles: BTreeMap<u8, Kept>,
    orders: BTreeMap<u8, Kept>,
    lines: BTreeMap<(u8, u8), usize>,
}

#[derive(Debug, Clone)]
pub struct Reference {
    dated: bool,
    loads: u64,
    world: World,
    before: Vec<Before>,
    /// Whether rows stand in the log only.
    unfiled: bool,
}

/// What was there before a load, and what came after it otherwise.
#[derive(Debug, Clone)]
struct Before {
    world: World,
    rows: Vec<(File, u64)>,
    /// Whether rows of the log must be brought in again on top of the files of before.
    needs_log: bool,
    /// Whether they are needed and there was another load since: then the log no longer has them.
    is_lost: bool,
}

const DAY: i64 = 86_400_000_000;

/// Loads happen after everything that rows say of themselves, an hour apart.
fn loaded_at(load: u64) -> Timestamp {
    Timestamp::from_micros(100 * DAY + load as i64 * 3_600_000_000)
}

impl World {
    fn load(&mut self, files: &[File], dated: bool, at: Timestamp) {
        let deleted = contest(&mut self.profiles, files.iter().map(|file| &file.profiles), dated, at);
        let mut gone = contest(&mut self.orders, files.iter().map(|file| &file.orders), dated, at);
        let below: Vec<u8> =
            self.orders.iter().filter(|(_, order)| deleted.contains(&order.row.parent)).map(|(key, _)| *key).collect();
        below.iter().for_each(|key| drop(self.orders.remove(key)));
        gone.extend(below);
        for (line, count) in files.iter().flat_map(|file| &file.lines) {
            let kept = self.lines.entry(*line).or_default();
            *kept = (*kept).max(*count);
        }
        self.lines.retain(|(order, _), _| !gone.contains(order));
    }

    fn profile_rows(&self) -> Vec<String> {
        self.profiles.iter().map(|(key, kept)| profile_text(*key, &kept.row)).collect()
    }

    fn order_rows(&self) -> Vec<String> {
        self.standing_orders().map(|(key, kept)| order_text(key, &kept.row)).collect()
    }

    fn standing_orders(&self) -> impl Iterator<Item = (u8, &Kept)> {
        let stands = |(_, kept): &(&u8, &Kept)| self.profiles.contains_key(&kept.row.parent);
        self.orders.iter().filter(stands).map(|(key, kept)| (*key, kept))
    }

    fn line_rows(&self) -> Vec<String> {
        let standing: BTreeSet<u8> = self.standing_orders().map(|(key, _)| key).collect();
        let lines = self.lines.iter().filter(|((order, _), _)| standing.contains(order));
        lines.flat_map(|((order, line), count)| vec![format!("o{order} s{line} {line}"); *count]).collect()
    }

    fn waiting(&self) -> (u64, u64) {
        let lines: usize = self.lines.values().sum();
        ((self.orders.len() - self.standing_orders().count()) as u64, (lines - self.line_rows().len()) as u64)
    }
}

/// Brings the rows of all files into `kept`, file after file; the stored keys that are deleted.
fn contest<'a>(
    kept: &mut BTreeMap<u8, Kept>,
    files: impl Iterator<Item = &'a BTreeMap<u8, Row>>,
    dated: bool,
    at: Timestamp,
) -> BTreeSet<u8> {
    let stored: BTreeSet<u8> = kept.keys().copied().collect();
    let instant = |row: &Row| if dated { u64::from(row.seen) } else { at.micros() as u64 };
    for (key, row) in files.flatten() {
        let Some(known) = kept.get_mut(key) else {
            let versions =
                if row.gone { Vec::new() } else { vec![(if dated { instant(row) } else { 0 }, row.clone())] };
            kept.insert(*key, Kept { row: row.clone(), versions });
            continue;
        };
        let older = dated && row.seen < known.row.seen;
        if !older && known.row == *row {
            continue;
        }
        if !row.gone {
            known.versions.push((instant(row), row.clone()));
            known.versions.sort_by_key(|(instant, _)| *instant);
        }
        if !older {
            known.row = row.clone();
        }
    }
    let deleted: BTreeSet<u8> = kept.iter().filter(|(_, kept)| kept.row.gone).map(|(key, _)| *key).collect();
    deleted.iter().for_each(|key| drop(kept.remove(key)));
    deleted.intersection(&stored).copied().collect()
}

/// What a row was at an instant: the newest version by then, else the oldest known.
fn as_of(kept: &Kept, instant: u64) -> &Row {
    let then = kept.versions.iter().rev().find(|(at, _)| *at <= instant);
    &then.or(kept.versions.first()).unwrap().1
}

fn day(day: u8) -> String {
    format!("1970-01-{:02}T00:00:00Z", day + 1)
}

fn profile_text(key: u8, row: &Row) -> String {
    format!("p{key} {} w{} false", day(row.seen), row.word)
}

fn order_text(key: u8, row: &Row) -> String {
    format!("o{key} p{} {} {} w{} false", row.parent, day(row.time), day(row.seen), row.word)
}

fn row() -> impl Strategy<Value = Row> {
    (0_u8..6, 0_u8..4, 0_u8..5, 0_u8..4, prop::bool::weighted(0.12)).prop_map(|(parent, time, seen, word, gone)| Row {
        parent,
        time,
        seen,
        word,
        gone,
    })
}

fn file() -> impl Strategy<Value = File> {
    let profile = row().prop_map(|row| Row { parent: 0, time: 0, ..row });
    let profiles = prop::collection::btree_map(0_u8..6, profile, 0..4);
    let orders = prop::collection::btree_map(0_u8..8, row(), 0..5);
    let lines = prop::collection::btree_map((0_u8..8, 0_u8..3), 1_usize..4, 0..5);
    (profiles, orders, lines).prop_map(|(profiles, orders, lines)| File { profiles, orders, lines })
}

impl ReferenceStateMachine for Reference {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        any::<bool>()
            .prop_map(|dated| Self { dated, loads: 0, world: World::default(), before: Vec::new(), unfiled: false })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let files = || vec(file(), 1..3);
        prop_oneof![
            8 => files().prop_map(Step::Load),
            2 => (files(), 0_usize..12).prop_map(|(files, operations)| Step::Cut(files, operations)),
            1 => files().prop_map(Step::Crash),
            4 => file().prop_map(Step::Rows),
            1 => Just(Step::Flush),
            2 => Just(Step::Undo),
            1 => Just(Step::Reopen),
        ]
        .boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        !matches!(step, Step::Undo) || state.before.last().is_some_and(|before| !before.is_lost)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Load(files) | Step::Crash(files) => {
                state.loads += 1;
                if let Some(before) = state.before.last_mut() {
                    before.is_lost = before.needs_log;
                }
                let needs_log = std::mem::take(&mut state.unfiled);
                state.before.push(Before { world: state.world.clone(), rows: Vec::new(), needs_log, is_lost: false });
                state.world.load(files, state.dated, loaded_at(state.loads));
            }
            Step::Rows(file) => {
                state.loads += 1;
                state.world.load(std::slice::from_ref(file), state.dated, loaded_at(state.loads));
                let load = state.loads;
                state.unfiled = true;
                if let Some(before) = state.before.last_mut() {
                    before.rows.push((file.clone(), load));
                    before.needs_log = true;
                }
            }
            Step::Undo => {
                let Before { mut world, rows, .. } = state.before.pop().unwrap();
                for (file, load) in &rows {
                    world.load(std::slice::from_ref(file), state.dated, loaded_at(*load));
                }
                state.world = world;
                state.unfiled = false;
                if let Some(before) = state.before.last_mut() {
                    before.needs_log |= !rows.is_empty();
                    before.rows.extend(rows);
                }
            }
            Step::Flush => state.unfiled = false,
            Step::Cut(..) | Step::Reopen => {}
        }
        state
    }
}

/// One store with its disk, which outlives it.
struct Side {
    dir: TempDir,
    disk: Arc<MemoryDisk>,
    upkeep: Upkeep,
    open: Option<(State, Store)>,
}

impl Side {
    fn new(upkeep: Upkeep, catalog: &Catalog) -> Self {
        let shared = PathBuf::from("/dev/shm");
        let dir = if shared.is_dir() { TempDir::new_in(shared) } else { TempDir::new() }.unwrap();
        let mut side = Self { dir, disk: Arc::default(), upkeep, open: None };
        side.reopen(catalog);
        side
    }

    fn reopen(&mut self, catalog: &Catalog) {
        self.open = None;
        let state = State::open(self.dir.path(), MIGRATIONS, Mode::Create).unwrap();
        let store = state.read(|tx| Store::open_on(self.disk.clone(), self.upkeep, tx)).unwrap();
        state.write(|tx| store.collect_garbage(tx)).unwrap();
        state.read(|tx| store.catch_up(catalog, tx)).unwrap();
        self.open = Some((state, store));
    }

    fn crash(&mut self, catalog: &Catalog) {
        self.open = None;
        self.disk.crash();
        self.reopen(catalog);
    }

    fn open(&self) -> &(State, Store) {
        self.open.as_ref().unwrap()
    }

    fn load(&self, catalog: &Catalog, files: &[File], at: Timestamp) -> Result<(), muster_store::Error> {
        let (state, store) = self.open();
        let prepared = store.prepare(catalog, inputs(files), at)?;
        let report = prepared.report().clone();
        for (table, counts) in &report.tables {
            let accounted = counts.new + counts.changed + counts.same + counts.older + counts.refused;
            assert_eq!(counts.incoming, accounted, "{table}: {counts:?}");
        }
        state.write(|tx| prepared.commit(tx, "{}", &[]))?;
        store.adopt(prepared);
        state.write(|tx| store.collect_garbage(tx))
    }

    fn rows_come(&self, catalog: &Catalog, file: &File, at: Timestamp) {
        let (state, store) = self.open();
        let prepared = store.prepare_rows(catalog, &inputs(std::slice::from_ref(file)), at).unwrap();
        state.write(|tx| prepared.commit(tx)).unwrap();
        store.adopt_rows(prepared);
    }

    fn flush(&self, catalog: &Catalog, at: Timestamp) {
        let (state, store) = self.open();
        let prepared = store.prepare(catalog, Vec::new(), at).unwrap();
        state.write(|tx| store.commit_files(tx, &prepared)).unwrap();
        store.adopt(prepared);
        assert_eq!(store.unwritten_rows(), 0);
        state.write(|tx| store.collect_garbage(tx)).unwrap();
    }

    fn undo(&self, catalog: &Catalog, at: Timestamp) {
        let (state, store) = self.open();
        let (load, prepared) = state.read(|tx| store.prepare_undo(catalog, tx, at)).unwrap();
        state.write(|tx| store.commit_undo(tx, &load, &prepared)).unwrap();
        store.adopt(prepared);
        state.write(|tx| store.collect_garbage(tx)).unwrap();
    }

    fn rows(&self, snapshot: &Snapshot, table: &str, columns: &[(&str, &str)]) -> Vec<String> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let blocks = 0..snapshot.block_count(table);
        let mut rows: Vec<String> =
            blocks.flat_map(|block| texts(&snapshot.scan(table, block, &names).unwrap())).collect();
        assert_eq!(rows.len() as u64, snapshot.row_count(table), "{table}");
        rows.sort_unstable();
        rows
    }

    fn check(&self, reference: &Reference) {
        let world = &reference.world;
        let Some(snapshot) = self.open().1.snapshot().filter(|snapshot| snapshot.schema("profiles").is_some()) else {
            assert!(world.profiles.is_empty() && world.orders.is_empty() && world.lines.is_empty());
            return;
        };
        assert_eq!(self.rows(&snapshot, "profiles", PROFILES), world.profile_rows());
        assert_eq!(self.rows(&snapshot, "orders", ORDERS), world.order_rows());
        assert_eq!(self.rows(&snapshot, "lines", LINES), world.line_rows());
        assert_eq!((snapshot.orphan_count("orders"), snapshot.orphan_count("lines")), world.waiting());
        in_order(&snapshot);
        self.check_past(&snapshot, reference);
    }

    fn check_past(&self, snapshot: &Arc<Snapshot>, reference: &Reference) {
        let instants: Vec<(Timestamp, u64)> = if reference.dated {
            (0..5).map(|day| (Timestamp::from_micros(i64::from(day) * DAY), day as u64)).collect()
        } else {
            let loads = (0..=reference.loads).map(loaded_at);
            loads.map(|at| (at, at.micros() as u64)).collect()
        };
        for (instant, number) in instants {
            let past = snapshot.as_of(instant).unwrap();
            let world = &reference.world;
            let profiles = world.profiles.iter().map(|(key, kept)| profile_text(*key, as_of(kept, number)));
            assert_eq!(self.rows(&past, "profiles", PROFILES), profiles.collect::<Vec<_>>(), "as of {instant}");
            // Below whom an order stands is not a field of it.
            let then = |(key, kept): (u8, &Kept)| {
                order_text(key, &Row { parent: kept.row.parent, ..as_of(kept, number).clone() })
            };
            let orders: Vec<String> = world.standing_orders().map(then).collect();
            assert_eq!(self.rows(&past, "orders", ORDERS), orders, "as of {instant}");
        }
    }
}

/// Rows stand below their parents, in time.
fn in_order(snapshot: &Snapshot) {
    for block in 0..snapshot.block_count("orders") {
        let columns = snapshot.scan("orders", block, &["__parent", "placed_at", "order_id"]).unwrap();
        assert!(texts(&columns).is_sorted(), "{:?}", texts(&columns));
    }
    for block in 0..snapshot.block_count("lines") {
        let columns = snapshot.scan("lines", block, &["__parent", "sku"]).unwrap();
        assert!(texts(&columns).is_sorted(), "{:?}", texts(&columns));
    }
}

fn inputs(files: &[File]) -> Vec<muster_store::TableInput> {
    let gone = |row: &Row, text: String| if row.gone { text.replace("false", "true") } else { text };
    let table = |name: &str, columns: &[(&str, &str)], rows: &dyn Fn(&File) -> Vec<String>| {
        let texts: Vec<Vec<String>> = files.iter().map(rows).collect();
        let texts: Vec<Vec<&str>> = texts.iter().map(|rows| rows.iter().map(String::as_str).collect()).collect();
        let files: Vec<Rows<'_>> = texts.iter().map(|rows| Rows(columns, rows)).collect();
        input(name, &files.iter().collect::<Vec<_>>())
    };
    vec![
        table("profiles", PROFILES, &|file| {
            file.profiles.iter().map(|(key, row)| gone(row, profile_text(*key, row))).collect()
        }),
        table("orders", ORDERS, &|file| {
            file.orders.iter().map(|(key, row)| gone(row, order_text(*key, row))).collect()
        }),
        table("lines", LINES, &|file| {
            let lines = file.lines.iter();
            lines.flat_map(|((order, line), count)| vec![format!("o{order} s{line} {line}"); *count]).collect()
        }),
    ]
}

struct Both {
    catalog: Catalog,
    sides: [Side; 2],
    loads: u64,
}

impl StateMachineTest for Both {
    type SystemUnderTest = Self;
    type Reference = Reference;

    fn init_test(reference: &Reference) -> Self {
        let keeping = Upkeep { undo_loads: 1_000, undo_percent: 1_000_000, ..Upkeep::default() };
        let anew = Upkeep { remake_percent: 0, ..keeping };
        let edited = Upkeep { remake_percent: 1_000_000, fold_percent: 150, fold_at_once_percent: 100, ..keeping };
        let catalog = catalog(reference.dated);
        let sides = [Side::new(anew, &catalog), Side::new(edited, &catalog)];
        Self { catalog, sides, loads: 0 }
    }

    fn apply(mut both: Self, _: &Reference, step: Step) -> Self {
        if let Step::Load(_) | Step::Crash(_) | Step::Rows(_) = step {
            both.loads += 1;
        }
        let (catalog, at) = (&both.catalog, loaded_at(both.loads));
        for side in &mut both.sides {
            match &step {
                Step::Load(files) => side.load(catalog, files, at).unwrap(),
                Step::Crash(files) => {
                    side.load(catalog, files, at).unwrap();
                    side.crash(catalog);
                }
                Step::Cut(files, operations) => {
                    side.disk.fail_after(*operations);
                    let (_, store) = side.open();
                    drop(store.prepare(catalog, inputs(files), at));
                    side.crash(catalog);
                }
                Step::Rows(file) => side.rows_come(catalog, file, at),
                Step::Flush => side.flush(catalog, at),
                Step::Undo => side.undo(catalog, at),
                Step::Reopen => side.reopen(catalog),
            }
        }
        both
    }

    fn check_invariants(both: &Self, reference: &Reference) {
        both.sides.iter().for_each(|side| side.check(reference));
        let digests = both.sides.each_ref().map(|side| {
            let snapshot = side.open().1.snapshot();
            ["profiles", "orders", "lines"].map(|table| {
                let known = snapshot.as_ref().filter(|snapshot| snapshot.schema(table).is_some());
                known.map(|snapshot| snapshot.digest(table).unwrap())
            })
        });
        assert_eq!(digests[0], digests[1]);
    }
}

fn cases() -> u32 {
    std::env::var("MUSTER_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_store_says_what_plain_maps_say(sequential 1..12 => Both);
}
