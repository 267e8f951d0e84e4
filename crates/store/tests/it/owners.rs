//! Who wins between loads and muster's own changes, column by column: each case however the store keeps its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_catalog::{Catalog, Timestamp, parse};
use muster_state::{Mode, State};
use muster_store::{Error, FileDisk, MIGRATIONS, PublishReport, Store, TableInput, Upkeep};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::fixture::{Rows, input, texts};

/// `name` is the source's, `mood` muster's, `state` whose is the latest.
const OWNERS: &str = "
[tables.profiles.columns]
name = { owner = \"source\" }
mood = { owner = \"muster\" }
state = { owner = \"latest\" }
";

fn shop(table: &str, columns: &str) -> Catalog {
    let text = format!(
        "[workspace]\nname = \"shop\"\ntime_zone = \"Europe/Amsterdam\"\n
[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\n{table}\n{columns}"
    );
    parse("muster.toml", &text).unwrap()
}

type Columns = &'static [(&'static str, &'static str)];

const PLAIN: Columns = &[("id", "id"), ("name", "text"), ("mood", "text"), ("state", "text")];
const DATED: Columns = &[("id", "id"), ("seen", "timestamp"), ("name", "text"), ("mood", "text"), ("state", "text")];
const MORTAL: Columns = &[("id", "id"), ("name", "text"), ("mood", "text"), ("state", "text"), ("gone", "bool")];

/// How a store keeps its rows, and what happens to it between any two steps.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Every load makes its table anew.
    Remade,
    /// Every load is an edit of blocks that stay.
    Edited,
    /// Every load is an edit, and blocks are folded at once.
    Folded,
    /// The process ends after every step, and what came through the log is brought in again.
    Reopened,
    /// Files are made of everything after every step.
    Filed,
}

const WAYS: [Way; 5] = [Way::Remade, Way::Edited, Way::Folded, Way::Reopened, Way::Filed];

impl Way {
    fn upkeep(self) -> Upkeep {
        let (remake_percent, fold_percent) = match self {
            Self::Remade | Self::Reopened => (0, 12),
            Self::Edited | Self::Filed => (1_000_000, 1_000_000),
            Self::Folded => (1_000_000, 0),
        };
        Upkeep { remake_percent, fold_percent, fold_at_once_percent: 100, undo_percent: 1_000_000, ..Upkeep::default() }
    }
}

struct World {
    dir: TempDir,
    state: State,
    store: Store,
    catalog: Catalog,
    way: Way,
}

fn store_in(dir: &TempDir, state: &State, catalog: &Catalog, way: Way) -> Store {
    let disk = Arc::new(FileDisk::at(&dir.path().join("blocks")));
    let store = state.read(|tx| Store::open_on(disk, way.upkeep(), tx)).unwrap();
    state.read(|tx| store.catch_up(catalog, tx)).unwrap();
    store
}

impl World {
    fn new(catalog: Catalog, way: Way) -> Self {
        let dir = TempDir::new().unwrap();
        let state = State::open(dir.path(), MIGRATIONS, Mode::Create).unwrap();
        let store = store_in(&dir, &state, &catalog, way);
        Self { dir, state, store, catalog, way }
    }

    fn between_steps(self) -> Self {
        match self.way {
            Way::Reopened => self.reopened(),
            Way::Filed => {
                self.load(0, Vec::new(), false);
                self
            }
            _ => self,
        }
    }

    fn reopened(self) -> Self {
        let Self { dir, state, catalog, way, .. } = self;
        drop(state);
        let state = State::open(dir.path(), MIGRATIONS, Mode::Existing).unwrap();
        let store = store_in(&dir, &state, &catalog, way);
        Self { dir, state, store, catalog, way }
    }

    fn load(&self, at: i64, inputs: Vec<TableInput>, is_load: bool) -> PublishReport {
        let prepared = self.store.prepare(&self.catalog, inputs, Timestamp::from_micros(at)).unwrap();
        let report = prepared.report().clone();
        self.state
            .write(|tx| match is_load {
                true => prepared.commit(tx, "{}", &[]),
                false => self.store.commit_files(tx, &prepared),
            })
            .unwrap();
        self.store.adopt(prepared);
        self.state.write(|tx| self.store.collect_garbage(tx)).unwrap();
        report
    }

    fn rows(&self, at: i64, inputs: &[TableInput]) -> PublishReport {
        let prepared = self.store.prepare_rows(&self.catalog, inputs, Timestamp::from_micros(at)).unwrap();
        self.state.write(|tx| prepared.commit(tx)).unwrap();
        let report = prepared.report().clone();
        self.store.adopt_rows(prepared);
        report
    }

    fn undo(&self, at: i64) -> Result<(), Error> {
        let prepared = self.state.read(|tx| self.store.prepare_undo(&self.catalog, tx, Timestamp::from_micros(at)));
        let (load, prepared) = prepared?;
        self.state.write(|tx| self.store.commit_undo(tx, &load, &prepared)).unwrap();
        self.store.adopt(prepared);
        Ok(())
    }

    /// The rows of a table, by their first column.
    fn all(&self, table: &str, columns: Columns, as_of: Option<i64>) -> Vec<String> {
        let snapshot = self.store.snapshot().unwrap();
        let snapshot = as_of
            .map_or_else(|| Arc::clone(&snapshot), |instant| snapshot.as_of(Timestamp::from_micros(instant)).unwrap());
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let blocks = 0..snapshot.block_count(table);
        let mut rows: Vec<String> =
            blocks.flat_map(|block| texts(&snapshot.scan(table, block, &names).unwrap())).collect();
        rows.retain(|row| !row.starts_with('-'));
        rows.sort();
        rows
    }
}

/// What happens: a load or rows of the socket at an instant, or the newest load is taken back.
enum Step {
    Load(i64, &'static [&'static [&'static str]]),
    Rows(i64, &'static [&'static str]),
    Undo,
}
use Step::{Load, Undo};

/// Plays the steps in every way, and checks the rows at the end and the counts of the last load:
/// new, changed, same, older, refused, and fields kept.
#[track_caller]
fn check(catalog: &Catalog, columns: Columns, steps: &[Step], counts: [u64; 6], rows: &[&str]) {
    for way in WAYS {
        let (world, report) = played(catalog, columns, steps, way);
        assert_eq!(world.all("profiles", columns, None), rows, "{way:?}");
        let found = &report.tables["profiles"];
        assert_eq!(
            [found.new, found.changed, found.same, found.older, found.refused, found.kept],
            counts,
            "{way:?}: new, changed, same, older, refused, kept"
        );
        assert_eq!(found.incoming, found.new + found.changed + found.same + found.older + found.refused, "{way:?}");
    }
}

/// The world after these steps, and the report of the last load.
fn played(catalog: &Catalog, columns: Columns, steps: &[Step], way: Way) -> (World, PublishReport) {
    let (mut world, mut report) = (World::new(catalog.clone(), way), PublishReport::default());
    for step in steps {
        match step {
            Load(at, files) => {
                let files: Vec<Rows> = files.iter().map(|rows| Rows(columns, rows)).collect();
                let files = input("profiles", &files.iter().collect::<Vec<_>>());
                report = world.load(*at, vec![files], true);
            }
            Step::Rows(at, rows) => drop(world.rows(*at, &[input("profiles", &[&Rows(columns, rows)])])),
            Undo => world.undo(1_000).unwrap(),
        }
        world = world.between_steps();
    }
    (world, report)
}

fn dated() -> Catalog {
    shop("updated_at = \"seen\"", OWNERS)
}

#[test]
fn each_owner_decides_for_its_own_column() {
    let steps = [Load(1, &[&["1 Ann a x"]]), Step::Rows(2, &["1 Ann b y"]), Load(3, &[&["1 Anna c z"]])];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 1], &["1 Anna b z"]);
    // The negative control: without owners the file has the last word on everything.
    check(&shop("", ""), PLAIN, &steps, [0, 1, 0, 0, 0, 0], &["1 Anna c z"]);
}

#[test]
fn what_is_said_at_one_instant_is_musters() {
    let steps = [Load(1, &[&["1 Ann a x"]]), Step::Rows(2, &["1 Ann b y"]), Load(2, &[&["1 Anna c z"]])];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 2], &["1 Anna b y"]);
}

#[test]
fn a_row_that_differs_in_kept_fields_only_is_the_same() {
    let steps = [Load(1, &[&["1 Ann a x"]]), Step::Rows(2, &["1 Ann b x"]), Load(3, &[&["1 Ann a x", "2 Bo c x"]])];
    check(&shop("", OWNERS), PLAIN, &steps, [1, 0, 1, 0, 0, 1], &["1 Ann b x", "2 Bo c x"]);
}

#[test]
fn a_field_that_a_row_left_as_it_was_is_not_musters() {
    let steps = [Load(1, &[&["1 Ann a x"]]), Step::Rows(2, &["1 Anna a y"]), Load(2, &[&["1 Ann c z"]])];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 1], &["1 Ann c y"]);
}

#[test]
fn muster_may_empty_a_field_and_fill_an_empty_one() {
    let steps = [
        Load(1, &[&["1 Ann a -", "2 Bo - -"]]),
        Step::Rows(2, &["1 Ann - -", "2 Bo b -"]),
        Load(3, &[&["1 Ann a x", "2 Bo - x"]]),
    ];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 2, 0, 0, 0, 2], &["1 Ann - x", "2 Bo b x"]);
}

#[test]
fn a_row_that_muster_brought_is_musters_in_all_of_its_fields() {
    let steps = [
        Load(1, &[&["1 Ann a x"]]),
        Step::Rows(2, &["2 Bo b -"]),
        Load(2, &[&["2 Bob c z"]]),
        Load(3, &[&["2 Bobby d w"]]),
    ];
    check(&shop("", OWNERS), PLAIN, &steps[..3], [0, 1, 0, 0, 0, 2], &["1 Ann a x", "2 Bob b -"]);
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 1], &["1 Ann a x", "2 Bobby b w"]);
}

#[test]
fn a_row_that_muster_brought_and_changed_at_once_is_musters() {
    // Two rows of one group, then a third, and a load.
    let steps = [Step::Rows(2, &["1 Ann a x"]), Step::Rows(3, &["1 Ann b x"]), Load(3, &[&["1 Ann c z"]])];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 1], &["1 Ann b z"]);
}

#[test]
fn rows_of_one_group_count_as_if_they_had_come_one_by_one() {
    for way in WAYS {
        let world = World::new(shop("", OWNERS), way);
        let (first, second) = (Rows(PLAIN, &["1 Ann a x"]), Rows(PLAIN, &["1 Ann b y"]));
        world.rows(2, &[input("profiles", &[&first, &second])]);
        let world = world.between_steps();
        world.load(2, vec![input("profiles", &[&Rows(PLAIN, &["1 Anna c z"])])], true);
        assert_eq!(world.all("profiles", PLAIN, None), ["1 Anna b y"], "{way:?}");
    }
}

#[test]
fn what_a_load_took_is_the_sources_again() {
    let steps = [
        Load(1, &[&["1 Ann a x"]]),
        Step::Rows(5, &["1 Ann a y"]),
        Load(6, &[&["1 Ann a z"]]),
        // Older than what muster said, which is no longer there.
        Load(4, &[&["1 Ann a w"]]),
    ];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 0], &["1 Ann a w"]);
}

#[test]
fn several_files_of_one_load_meet_muster_one_after_the_other() {
    let steps = [
        Load(1, &[&["1 Ann a x"]]),
        Step::Rows(2, &["1 Ann b y"]),
        Load(2, &[&["1 Ann c z"], &["1 Anna d w"], &["1 Anna b y"]]),
    ];
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 2, 0, 0, 4], &["1 Anna b y"]);
}

#[test]
fn a_row_that_files_say_is_deleted_goes_whoever_owns_its_fields_and_returns_as_another() {
    let mortal = shop("deleted = \"gone\"", OWNERS);
    let steps = [
        Load(1, &[&["1 Ann a x false", "2 Bo a x false"]]),
        Step::Rows(2, &["1 Ann b y false"]),
        Load(2, &[&["1 Ann a x true"]]),
        Load(2, &[&["1 Anna c z false"]]),
        Load(2, &[&["1 Anna d w false"]]),
    ];
    check(&mortal, MORTAL, &steps[..3], [0, 1, 0, 0, 0, 0], &["2 Bo a x false"]);
    check(&mortal, MORTAL, &steps[..4], [1, 0, 0, 0, 0, 0], &["1 Anna c z false", "2 Bo a x false"]);
    check(&mortal, MORTAL, &steps, [0, 1, 0, 0, 0, 0], &["1 Anna d w false", "2 Bo a x false"]);
}

#[test]
fn a_row_that_muster_brought_and_deleted_returns_as_another() {
    let mortal = shop("deleted = \"gone\"", OWNERS);
    let steps = [
        Load(1, &[&["2 Bo a x false"]]),
        Step::Rows(2, &["1 Ann b y false"]),
        Step::Rows(3, &["1 Ann b y true"]),
        Load(3, &[&["1 Anna c z false"]]),
        Load(3, &[&["1 Anna d w false"]]),
    ];
    check(&mortal, MORTAL, &steps, [0, 1, 0, 0, 0, 0], &["1 Anna d w false", "2 Bo a x false"]);
}

#[test]
fn deleted_and_back_in_one_load_is_as_in_two() {
    let mortal = shop("deleted = \"gone\"", OWNERS);
    let steps = [
        Load(1, &[&["1 Ann a x false"]]),
        Step::Rows(2, &["1 Ann b y false"]),
        Load(2, &[&["1 Ann a x true"], &["1 Anna c z false"]]),
    ];
    check(&mortal, MORTAL, &steps, [0, 2, 0, 0, 0, 0], &["1 Anna c z false"]);
}

#[test]
fn a_load_of_all_there_is_keeps_fields_and_deletes_what_it_does_not_name() {
    let replaced = shop("mode = \"replace\"", OWNERS);
    let steps = [
        Load(1, &[&["1 Ann a x", "2 Bo a x"]]),
        Step::Rows(2, &["1 Ann b y", "2 Bo a x"]),
        Load(2, &[&["1 Anna c z", "2 Bo a x"]]),
        Load(2, &[&["2 Bo a x"]]),
        Load(2, &[&["1 Anna c z", "2 Bo a x"]]),
    ];
    check(&replaced, PLAIN, &steps[..3], [0, 1, 1, 0, 0, 2], &["1 Anna b y", "2 Bo a x"]);
    check(&replaced, PLAIN, &steps[..4], [0, 0, 1, 0, 0, 0], &["2 Bo a x"]);
    check(&replaced, PLAIN, &steps, [1, 0, 1, 0, 0, 0], &["1 Anna c z", "2 Bo a x"]);
}

#[test]
fn an_undo_brings_back_the_values_and_whose_they_are() {
    let steps = [
        Load(1, &[&["1 Ann a x"]]),
        Step::Rows(5, &["1 Ann b y"]),
        Load(6, &[&["1 Anna c z"]]),
        Undo,
        // At the very instant at which muster set it.
        Load(5, &[&["1 Anne d w"]]),
    ];
    check(&shop("", OWNERS), PLAIN, &steps[..4], [0, 1, 0, 0, 0, 1], &["1 Ann b y"]);
    check(&shop("", OWNERS), PLAIN, &steps, [0, 1, 0, 0, 0, 2], &["1 Anne b y"]);
    let again = [Load(1, &[&["1 Ann a x"]]), Step::Rows(5, &["1 Ann b y"]), Load(6, &[&["1 Anna c z"]]), Undo];
    let again: Vec<Step> = again.into_iter().chain([Load(6, &[&["1 Anna c z"]])]).collect();
    check(&shop("", OWNERS), PLAIN, &again, [0, 1, 0, 0, 0, 1], &["1 Anna b z"]);
}

#[test]
fn rows_that_came_after_a_load_that_is_taken_back_are_musters_all_the_same() {
    let steps = [
        Load(1, &[&["1 Ann a x", "2 Bo a x"]]),
        Load(2, &[&["1 Ann c x"]]),
        Step::Rows(3, &["1 Ann b x", "3 Cy b y"]),
        Undo,
        Load(3, &[&["1 Ann d x", "3 Cy d z"]]),
    ];
    let files_of_rows_are_final = |way: &&Way| **way != Way::Filed;
    for way in WAYS.iter().filter(files_of_rows_are_final) {
        let (world, report) = played(&shop("", OWNERS), PLAIN, &steps, *way);
        assert_eq!(world.all("profiles", PLAIN, None), ["1 Ann b x", "2 Bo a x", "3 Cy b y"], "{way:?}");
        assert_eq!(report.tables["profiles"].kept, 3, "{way:?}");
    }
}

#[test]
fn rows_say_themselves_when_they_changed() {
    let steps = [
        Load(100, &[&["1 1970-01-01T00:00:10Z Ann a x"]]),
        Step::Rows(200, &["1 1970-01-01T00:00:20Z Ann b y"]),
        Load(300, &[&["1 1970-01-01T00:00:15Z Anna c z"]]),
        Load(300, &[&["1 1970-01-01T00:00:20Z Anna c z"]]),
        Load(300, &[&["1 1970-01-01T00:00:30Z Anna c z"]]),
    ];
    // An older row is older, and keeps nothing because it takes nothing.
    check(&dated(), DATED, &steps[..3], [0, 0, 0, 1, 0, 0], &["1 1970-01-01T00:00:20Z Ann b y"]);
    check(&dated(), DATED, &steps[..4], [0, 1, 0, 0, 0, 2], &["1 1970-01-01T00:00:20Z Anna b y"]);
    check(&dated(), DATED, &steps, [0, 1, 0, 0, 0, 1], &["1 1970-01-01T00:00:30Z Anna b z"]);
}

#[test]
fn a_row_that_does_not_say_when_it_changed_changed_when_it_came() {
    const LATE: i64 = 40_000_000;
    let steps = [
        Load(1, &[&["1 1970-01-01T00:00:10Z Ann a x"], &["1 - Ann a x"]]),
        // The stored row has an instant; the next has none, so it comes after all that have.
        Step::Rows(LATE, &["2 - Bo b y"]),
        Load(50_000_000, &[&["2 1970-01-01T00:00:20Z Bob c z"]]),
        Load(50_000_000, &[&["2 1970-01-01T00:00:45Z Bob c z"]]),
    ];
    let ann = "1 1970-01-01T00:00:10Z Ann a x";
    check(&dated(), DATED, &steps[..3], [0, 1, 0, 0, 0, 2], &[ann, "2 1970-01-01T00:00:20Z Bob b y"]);
    check(&dated(), DATED, &steps, [0, 1, 0, 0, 0, 1], &[ann, "2 1970-01-01T00:00:45Z Bob b z"]);
}

const SECOND: i64 = 1_000_000;

#[test]
fn a_load_that_comes_late_tells_what_was_and_not_whose_it_is() {
    let steps = [
        Load(100, &[&["1 1970-01-01T00:00:10Z Ann a x"]]),
        Step::Rows(200, &["1 1970-01-01T00:00:20Z Ann b x"]),
        Load(300, &[&["1 1970-01-01T00:00:40Z Anna c x"]]),
        Load(400, &[&["1 1970-01-01T00:00:30Z Ann d x"], &["1 1970-01-01T00:00:15Z Ann e x"]]),
        Load(500, &[&["1 1970-01-01T00:00:50Z Anna f x"]]),
    ];
    check(&dated(), DATED, &steps[..4], [0, 0, 0, 2, 0, 0], &["1 1970-01-01T00:00:40Z Anna b x"]);
    check(&dated(), DATED, &steps, [0, 1, 0, 0, 0, 1], &["1 1970-01-01T00:00:50Z Anna b x"]);
    for way in WAYS {
        let (world, _) = played(&dated(), DATED, &steps, way);
        let mood_at = |second: i64| {
            let rows = world.all("profiles", DATED, Some(second * SECOND));
            rows[0].split(' ').nth(3).unwrap().to_owned()
        };
        // Before muster set it, the late file tells; since then, muster.
        let moods: String = [12, 17, 22, 32, 42, 52].into_iter().map(mood_at).collect();
        assert_eq!(moods, "aebbbb", "{way:?}");
    }
}

#[test]
fn muster_holds_a_field_also_where_a_late_load_had_said_the_same_before() {
    let steps = [
        Load(100, &[&["1 1970-01-01T00:00:05Z Ann a x"]]),
        Step::Rows(200, &["1 1970-01-01T00:00:20Z Ann b y", "2 1970-01-01T00:00:20Z Bo b y"]),
        Load(300, &[&["1 1970-01-01T00:00:10Z Ann b y", "2 1970-01-01T00:00:10Z Bo b y"]]),
        Load(400, &[&["1 1970-01-01T00:00:20Z Ann c z", "2 1970-01-01T00:00:20Z Bo c z"]]),
    ];
    let held = ["1 1970-01-01T00:00:20Z Ann b y", "2 1970-01-01T00:00:20Z Bo b y"];
    check(&dated(), DATED, &steps, [0, 0, 2, 0, 0, 4], &held);
}

#[test]
fn a_row_that_muster_brought_stays_musters_when_a_version_comes_in_between() {
    let steps = [
        Step::Rows(100, &["1 1970-01-01T00:00:10Z Ann b y"]),
        Load(200, &[&["1 1970-01-01T00:00:30Z Anna b y"]]),
        Load(300, &[&["1 1970-01-01T00:00:20Z Anne c y"]]),
        Load(400, &[&["1 1970-01-01T00:00:40Z Anna d y"]]),
    ];
    check(&dated(), DATED, &steps, [0, 1, 0, 0, 0, 1], &["1 1970-01-01T00:00:40Z Anna b y"]);
}

#[test]
fn a_late_version_of_a_row_that_had_gone_and_returned_stood_until_the_next() {
    const WORDS: Columns = &[("id", "id"), ("seen", "timestamp"), ("name", "text"), ("gone", "bool")];
    let catalog = shop("updated_at = \"seen\"\ndeleted = \"gone\"", "");
    let steps = [
        Load(1, &[&["1 1970-01-01T00:00:10Z Ann false", "2 1970-01-01T00:00:10Z Bo false"]]),
        Load(15 * SECOND, &[&["1 1970-01-01T00:00:12Z Anna false"]]),
        // What makes forget is of this instant, and is no version.
        Load(25 * SECOND, &[&["1 1970-01-01T00:00:20Z Anna true"]]),
        Load(26 * SECOND, &[&["1 1970-01-01T00:00:22Z Bea false"]]),
        Load(40 * SECOND, &[&["1 1970-01-01T00:00:40Z Cleo false"]]),
        Load(41 * SECOND, &[&["1 1970-01-01T00:00:24Z Dora false"]]),
    ];
    for way in WAYS {
        let (world, _) = played(&catalog, WORDS, &steps, way);
        let name_at = |second: i64| world.all("profiles", WORDS, Some(second * SECOND))[0].clone();
        let names = [23, 24, 30, 40].map(|second| name_at(second).split(' ').nth(2).unwrap().to_owned());
        assert_eq!(names, ["Bea", "Dora", "Dora", "Cleo"], "{way:?}");
    }
}

const CONSENT: Columns = &[("id", "id"), ("agreed", "bool")];

fn consenting(owner: &str) -> Catalog {
    let column = format!("agreed = {{ type = \"bool\", role = \"consent.email\", owner = \"{owner}\" }}");
    shop("", &format!("[tables.profiles.columns]\n{column}\n"))
}

/// What stands after muster said one thing at 5 and a load another at an instant.
#[track_caller]
fn consent(owner: &str, muster: &'static str, at: i64, load: &'static str, expected: &str) {
    for way in WAYS {
        let world = World::new(consenting(owner), way);
        world.load(1, vec![input("profiles", &[&Rows(CONSENT, &["1 -"])])], true);
        let world = world.between_steps();
        world.rows(5, &[input("profiles", &[&Rows(CONSENT, &[muster])])]);
        let world = world.between_steps();
        world.load(at, vec![input("profiles", &[&Rows(CONSENT, &[load])])], true);
        assert_eq!(world.all("profiles", CONSENT, None), [expected], "{owner}, {muster}, {load} at {at}, {way:?}");
    }
}

#[test]
fn a_no_of_a_load_is_taken_whoever_owns_the_field() {
    for (owner, at) in [("source", 6), ("muster", 6), ("latest", 6), ("latest", 5), ("latest", 4)] {
        consent(owner, "1 true", at, "1 false", "1 false");
    }
}

#[test]
fn a_yes_of_a_load_against_a_no_of_muster_is_the_owners_to_decide() {
    for (owner, at, expected) in [
        ("source", 6, "1 true"),
        ("muster", 6, "1 false"),
        ("latest", 6, "1 true"),
        ("latest", 5, "1 false"),
        ("latest", 4, "1 false"),
    ] {
        consent(owner, "1 false", at, "1 true", expected);
    }
}

#[test]
fn a_silence_of_a_load_takes_nothing_back_that_muster_keeps() {
    for (owner, at, yes, no) in [
        ("source", 6, "1 -", "1 -"),
        ("muster", 6, "1 true", "1 false"),
        ("latest", 6, "1 -", "1 -"),
        ("latest", 5, "1 true", "1 false"),
    ] {
        consent(owner, "1 true", at, "1 -", yes);
        consent(owner, "1 false", at, "1 -", no);
    }
}

#[test]
fn a_no_that_was_taken_is_the_loads_also_for_the_files_behind_it() {
    for files in [&[&["1 false"] as &[&str], &["1 -"]] as &[&[&str]], &[&["1 false"], &["1 true"]]] {
        let (at_once, one_by_one) =
            (World::new(consenting("muster"), Way::Edited), World::new(consenting("muster"), Way::Edited));
        for world in [&at_once, &one_by_one] {
            world.load(1, vec![input("profiles", &[&Rows(CONSENT, &["1 -"])])], true);
            world.rows(5, &[input("profiles", &[&Rows(CONSENT, &["1 true"])])]);
        }
        let files: Vec<Rows> = files.iter().map(|rows| Rows(CONSENT, rows)).collect();
        at_once.load(6, vec![input("profiles", &files.iter().collect::<Vec<_>>())], true);
        files.iter().for_each(|file| drop(one_by_one.load(6, vec![input("profiles", &[file])], true)));
        let rows = at_once.all("profiles", CONSENT, None);
        assert_eq!(rows, one_by_one.all("profiles", CONSENT, None));
        assert!(["1 -", "1 true"].contains(&rows[0].as_str()), "{rows:?}");
    }
}

#[test]
fn what_was_taken_last_counts_and_not_what_is_of_the_latest_instant() {
    for way in WAYS {
        let mut world = World::new(consenting("latest"), way);
        let said = |agreed| vec![input("profiles", &[&Rows(CONSENT, &[agreed])])];
        world.load(1, said("1 -"), true);
        world = world.between_steps();
        world.rows(5, &said("1 true"));
        world = world.between_steps();
        // A no is taken although what muster said is the later; from then on the field is the source's.
        for agreed in ["1 false", "1 true"] {
            world.load(4, said(agreed), true);
            assert_eq!(world.all("profiles", CONSENT, None), [agreed], "{way:?}");
            world = world.between_steps();
        }
    }
}

const ORDERS: Columns = &[("order", "id"), ("customer", "id"), ("at", "timestamp"), ("status", "text")];

fn with_orders(missing_parent: &str) -> Catalog {
    let orders = format!(
        "[tables.orders]\nsource = \"o.csv\"\nkey = \"order\"\nparent = \"profiles\"\non = \"customer\"\ntime = \"at\"
missing_parent = \"{missing_parent}\"\n[tables.orders.columns]\nstatus = {{ owner = \"muster\" }}\n"
    );
    shop("", &orders)
}

const CUSTOMER: Columns = &[("id", "id")];

#[test]
fn a_row_that_waits_for_its_parent_has_fields_of_its_own() {
    let open = "o1 1 1970-01-01T00:00:01Z open";
    for way in WAYS {
        let world = World::new(with_orders("hold"), way);
        world.load(1, vec![input("profiles", &[&Rows(CUSTOMER, &["2"])])], true);
        world.rows(2, &[input("orders", &[&Rows(ORDERS, &[open])])]);
        let world = world.between_steps();
        let said = || Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z sent"]);
        let report = world.load(3, vec![input("orders", &[&said()])], true);
        assert_eq!((report.tables["orders"].kept, report.tables["orders"].orphans), (1, 1), "{way:?}");
        let world = world.between_steps();
        world.load(4, vec![input("profiles", &[&Rows(CUSTOMER, &["1"])]), input("orders", &[&said()])], true);
        assert_eq!(world.all("orders", ORDERS, None), [open], "{way:?}");
    }
}

#[test]
fn rows_below_a_parent_of_histories_keep_fields_too() {
    for way in WAYS {
        let world = World::new(with_orders("hold"), way);
        let orders = Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z open", "o2 2 1970-01-01T00:00:02Z open"]);
        world.load(1, vec![input("profiles", &[&Rows(CUSTOMER, &["1", "2"])]), input("orders", &[&orders])], true);
        let world = world.between_steps();
        world.rows(2, &[input("orders", &[&Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z sent"])])]);
        let world = world.between_steps();
        // Another customer and another time, and the status is muster's all the same.
        let moved = Rows(ORDERS, &["o1 2 1970-01-01T00:00:09Z open", "o2 2 1970-01-01T00:00:02Z paid"]);
        world.load(3, vec![input("orders", &[&moved])], true);
        let expected = ["o1 2 1970-01-01T00:00:09Z sent", "o2 2 1970-01-01T00:00:02Z paid"];
        assert_eq!(world.all("orders", ORDERS, None), expected, "{way:?}");
    }
}

#[test]
fn a_row_that_was_refused_left_nothing_of_musters() {
    for way in WAYS {
        let world = World::new(with_orders("reject"), way);
        world.load(1, vec![input("profiles", &[&Rows(CUSTOMER, &["2"])])], true);
        let report = world.rows(2, &[input("orders", &[&Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z open"])])]);
        assert_eq!(report.tables["orders"].refused, 1, "{way:?}");
        let world = world.between_steps();
        let said = Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z sent"]);
        world.load(3, vec![input("profiles", &[&Rows(CUSTOMER, &["1"])]), input("orders", &[&said])], true);
        let world = world.between_steps();
        let paid = "o1 1 1970-01-01T00:00:01Z paid";
        let report = world.load(4, vec![input("orders", &[&Rows(ORDERS, &[paid])])], true);
        assert_eq!(world.all("orders", ORDERS, None), [paid], "{way:?}");
        assert_eq!((report.tables["orders"].kept, report.tables["orders"].changed), (0, 1), "{way:?}");
    }
}

#[test]
fn a_profile_that_an_order_named_has_no_fields_of_musters() {
    for way in WAYS {
        let world = World::new(with_orders("create"), way);
        let world = World { catalog: with_mood(world.catalog.clone()), ..world };
        const MOODY: Columns = &[("id", "id"), ("mood", "text")];
        world.load(1, vec![input("profiles", &[&Rows(MOODY, &["2 a"])])], true);
        world.rows(2, &[input("orders", &[&Rows(ORDERS, &["o1 1 1970-01-01T00:00:01Z open"])])]);
        let world = world.between_steps();
        world.load(3, vec![input("profiles", &[&Rows(MOODY, &["1 b"])])], true);
        assert_eq!(world.all("profiles", MOODY, None), ["1 b", "2 a"], "{way:?}");
    }
}

/// The same with a column of profiles that is muster's.
fn with_mood(mut catalog: Catalog) -> Catalog {
    let moody = shop("", "[tables.profiles.columns]\nmood = { owner = \"muster\" }\n");
    let profiles = catalog.tables.iter_mut().find(|table| table.name == "profiles").unwrap();
    profiles.columns = moody.tables[0].columns.clone();
    catalog
}

#[test]
fn a_column_that_comes_later_is_the_sources_until_muster_sets_it() {
    const SHORT: Columns = &[("id", "id"), ("name", "text")];
    for way in WAYS {
        let world = World::new(shop("", OWNERS), way);
        world.load(1, vec![input("profiles", &[&Rows(SHORT, &["2 Bo"])])], true);
        world.rows(2, &[input("profiles", &[&Rows(SHORT, &["1 Ann"])])]);
        let world = world.between_steps();
        let report = world.load(2, vec![input("profiles", &[&Rows(PLAIN, &["1 Anna a x"])])], true);
        assert_eq!(report.tables["profiles"].kept, 0, "{way:?}");
        let world = world.between_steps();
        world.rows(3, &[input("profiles", &[&Rows(PLAIN, &["1 Anna b x"])])]);
        let world = world.between_steps();
        world.load(3, vec![input("profiles", &[&Rows(PLAIN, &["1 Anna c z"])])], true);
        assert_eq!(world.all("profiles", PLAIN, None), ["1 Anna b z", "2 Bo - -"], "{way:?}");
    }
}

#[test]
fn rows_of_a_lookup_have_owners_too() {
    const PRODUCTS: Columns = &[("sku", "id"), ("price", "text")];
    let products = "[tables.products]\nsource = \"p.csv\"\nkey = \"sku\"\nlookup = { products = \"profiles.name\" }
[tables.products.columns]\nprice = { owner = \"muster\" }\n";
    for way in WAYS {
        let world = World::new(shop("", products), way);
        let customers = input("profiles", &[&Rows(&[("id", "id"), ("name", "text")], &["1 lamp"])]);
        world.load(1, vec![customers, input("products", &[&Rows(PRODUCTS, &["lamp 5", "sofa 9"])])], true);
        let world = world.between_steps();
        world.rows(2, &[input("products", &[&Rows(PRODUCTS, &["lamp 4", "bed 7"])])]);
        let world = world.between_steps();
        let report = world.load(3, vec![input("products", &[&Rows(PRODUCTS, &["lamp 6", "bed 8", "sofa 8"])])], true);
        assert_eq!(world.all("products", PRODUCTS, None), ["bed 7", "lamp 4", "sofa 8"], "{way:?}");
        assert_eq!(report.tables["products"].kept, 2, "{way:?}");
    }
}

#[test]
fn a_table_that_asks_for_no_owner_tells_nothing_of_new_rows() {
    let unwritten = |columns: &str| {
        let world = World::new(shop("", columns), Way::Edited);
        world.load(1, vec![input("profiles", &[&Rows(PLAIN, &["1 Ann a x"])])], true);
        world.rows(2, &[input("profiles", &[&Rows(PLAIN, &["2 Bo b y"])])]);
        world.store.unwritten_rows()
    };
    assert_eq!((unwritten(""), unwritten(OWNERS)), (1, 2));
}

/// What may happen to three keys, with values of three words.
#[derive(Debug, Clone)]
enum Event {
    Load(Vec<(u8, [u8; 3], u8)>, u8),
    Rows(Vec<(u8, [u8; 3])>),
    Undo,
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    let (key, values) = (0..3u8, [0..3u8, 0..3u8, 0..3u8]);
    let said = (key.clone(), values.clone(), 0..12u8);
    prop_oneof![
        4 => (vec(said, 1..4), 0..3u8).prop_map(|(rows, back)| Event::Load(distinct(rows), back)),
        4 => vec((key, values), 1..3).prop_map(Event::Rows),
        1 => Just(Event::Undo),
        1 => Just(Event::Reopen),
    ]
}

/// One row per key: a file does not contradict itself here.
fn distinct(rows: Vec<(u8, [u8; 3], u8)>) -> Vec<(u8, [u8; 3], u8)> {
    rows.into_iter().map(|row| (row.0, row)).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// A row as it stands: its instant, and for each field its value and since when muster holds it.
#[derive(Debug, Clone)]
struct Kept {
    seen: i64,
    fields: [(u8, Option<i64>); 3],
}

/// What an event says at an instant: rows with their own instants, and whether they come from a file.
#[derive(Debug, Clone)]
struct Said {
    at: i64,
    rows: Vec<(u8, [u8; 3], i64)>,
    is_load: bool,
}

/// The slow twin: everything that was said, from the beginning, row by row.
fn twin(said: &[Said], dated: bool) -> BTreeMap<u8, Kept> {
    let mut world: BTreeMap<u8, Kept> = BTreeMap::new();
    for Said { at, rows, is_load } in said {
        for (key, values, seen) in rows {
            let instant = if dated { *seen } else { *at };
            match world.get_mut(key) {
                None => {
                    let since = (!is_load).then_some(instant);
                    world.insert(*key, Kept { seen: *seen, fields: values.map(|value| (value, since)) });
                }
                Some(kept) if dated && *seen < kept.seen => {}
                Some(kept) => {
                    kept.seen = *seen;
                    for (column, value) in values.iter().enumerate() {
                        let (stands, since) = &mut kept.fields[column];
                        let keeps = match (column, *since) {
                            (1, Some(_)) => *is_load,
                            (2, Some(since)) => *is_load && since >= instant,
                            _ => false,
                        };
                        if *stands != *value && !keeps {
                            (*stands, *since) = (*value, (!is_load).then_some(instant));
                        }
                    }
                }
            }
        }
    }
    world
}

fn line(key: u8, values: [u8; 3], seen: Option<i64>) -> String {
    let seen = seen.map(|seen| format!("1970-01-01T00:{:02}:{:02}Z ", seen / 60, seen % 60)).unwrap_or_default();
    let [name, mood, state] = values.map(|value| (b'a' + value) as char);
    format!("k{key} {seen}{name} {mood} {state}")
}

fn play_and_compare(events: Vec<Event>, dated_rows: bool, way: Way) {
    let (catalog, columns) = if dated_rows { (dated(), DATED) } else { (shop("", OWNERS), PLAIN) };
    let mut world = World::new(catalog, way);
    let mut said: Vec<Said> = Vec::new();
    for (number, event) in events.into_iter().enumerate() {
        // Later than everything that rows said of themselves before; in seconds.
        let now = 20 * (number as i64 + 1);
        let next = match event {
            Event::Load(rows, back) => {
                let rows = rows.into_iter().map(|(key, values, ago)| (key, values, now - 5 * i64::from(ago).min(3)));
                Some(Said { at: now - 20 * i64::from(back), rows: rows.collect(), is_load: true })
            }
            Event::Rows(rows) => {
                let rows = rows.into_iter().map(|(key, values)| (key, values, now)).collect();
                Some(Said { at: now, rows, is_load: false })
            }
            Event::Undo => {
                if world.store.snapshot().is_some() && world.undo(now * SECOND).is_ok() {
                    let newest = said.iter().rposition(|said| said.is_load).unwrap();
                    said.remove(newest);
                }
                None
            }
            Event::Reopen => {
                world = world.reopened();
                None
            }
        };
        if let Some(next) = next {
            tell(&world, columns, &next, dated_rows);
            said.push(next);
        }
        world = world.between_steps();
        let expected: Vec<String> = twin(&said, dated_rows)
            .into_iter()
            .map(|(key, kept)| line(key, kept.fields.map(|(value, _)| value), dated_rows.then_some(kept.seen)))
            .collect();
        let found = world.store.snapshot().map(|_| world.all("profiles", columns, None)).unwrap_or_default();
        assert_eq!(found, expected, "{way:?} after {said:?}");
    }
}

fn tell(world: &World, columns: Columns, said: &Said, dated_rows: bool) {
    let lines: Vec<String> =
        said.rows.iter().map(|(key, values, seen)| line(*key, *values, dated_rows.then_some(*seen))).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    if said.is_load {
        world.load(said.at * SECOND, vec![input("profiles", &[&Rows(columns, &lines)])], true);
        return;
    }
    // Each row for itself: of two with one key the later wins.
    let files: Vec<Rows> = lines.chunks(1).map(|line| Rows(columns, line)).collect();
    world.rows(said.at * SECOND, &[input("profiles", &files.iter().collect::<Vec<_>>())]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_fields_are_whose_the_slow_twin_says(
        events in vec(event(), 1..14),
        dated_rows: bool,
        way in 0..WAYS.len(),
    ) {
        play_and_compare(events, dated_rows, WAYS[way]);
    }
}
