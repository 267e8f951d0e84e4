//! Who came into a segment and who went: what each refresh adds, and who was in it at any instant.

use std::collections::BTreeSet;

use muster_catalog::{RowSet, Timestamp};
use muster_segment::{Audience, Refresh};
use muster_state::{Migration, Mode, State};

use crate::world::{CATALOG, CUSTOMERS, Shop, input, instant, run};

/// Loads customers as `id country`.
fn load(shop: &Shop, customers: &[&str]) {
    let rows: Vec<String> = customers
        .iter()
        .map(|customer| {
            let (id, country) = customer.split_once(' ').unwrap();
            format!("{id} - {country} 1.00 -")
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.load_as(CATALOG, vec![input("profiles", CUSTOMERS, &rows)]);
}

fn history(shop: &Shop, segment: &str) -> Vec<Refresh> {
    shop.session().history(segment).unwrap()
}

/// `profiles came went cause` of each refresh that found something new.
fn told(shop: &Shop, segment: &str) -> Vec<String> {
    let line = |refresh: &Refresh| {
        format!("{} +{} -{} {}", refresh.profiles, refresh.came, refresh.went, refresh.cause.word())
    };
    history(shop, segment).iter().map(line).collect()
}

/// The keys of those who were in it.
fn members(shop: &Shop, segment: &str, at: &str) -> Option<Vec<String>> {
    let session = shop.session();
    let members = session.members_as_of(segment, instant(at)).unwrap()?;
    Some(session.evaluator().unwrap().keys(&members).unwrap())
}

fn refresh(shop: &Shop, segment: &str, as_of: &str) -> Audience {
    shop.session_as_of(as_of).refresh(segment).unwrap()
}

fn keys(keys: &[&str]) -> Option<Vec<String>> {
    Some(keys.iter().map(|key| (*key).to_owned()).collect())
}

#[test]
fn each_refresh_says_who_came_who_went_and_why() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    load(&shop, &["eva NL", "ann BE"]);
    refresh(&shop, "dutch", "2025-07-01");
    shop.define("CREATE OR REPLACE SEGMENT dutch AS WHERE country IN ('NL', 'BE')");
    assert_eq!(told(&shop, "dutch"), ["2 +2 -0 first", "2 +1 -1 data", "4 +2 -0 definition"]);
    let history = history(&shop, "DUTCH");
    assert_eq!(history.iter().map(|refresh| refresh.snapshot).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!(history.iter().map(|refresh| refresh.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_ne!(history[1].definition, history[2].definition);
}

#[test]
fn only_another_instant_is_a_cause_of_its_own() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT recent AS WHERE max(orders.placed_at) >= now() - INTERVAL '60 days'");
    let later = refresh(&shop, "recent", "2025-08-15");
    assert_eq!(shop.keys(&later), ["cas"]);
    assert_eq!(told(&shop, "recent"), ["2 +2 -0 first", "1 +0 -1 time"]);
}

#[test]
fn who_was_in_it_is_what_the_last_refresh_by_then_found() {
    let shop = Shop::open();
    shop.session_as_of("2025-02-01").define_all(crate::world::definitions(&[BUYERS]), false).unwrap();
    refresh(&shop, "buyers", "2025-04-01");
    refresh(&shop, "buyers", "2025-06-30T12:00:00");
    for (at, expected) in [
        ("2025-01-31", None),
        ("2025-02-01", keys(&["ann"])),
        ("2025-03-31T23:59:59.999999", keys(&["ann"])),
        ("2025-04-01", keys(&["ann", "bob"])),
        ("2025-06-30T11:59:59", keys(&["ann", "bob"])),
        ("2025-06-30T12:00:00", keys(&["ann", "bob", "cas"])),
        ("2030-01-01", keys(&["ann", "bob", "cas"])),
    ] {
        assert_eq!(members(&shop, "Buyers", at), expected, "{at}");
    }
}

const BUYERS: &str = "CREATE SEGMENT buyers AS WHERE has(orders)";

#[test]
fn a_refresh_that_finds_the_same_is_counted_and_adds_no_row() {
    let shop = Shop::open();
    shop.define(BUYERS);
    for month in ["2025-07-01", "2025-08-01", "2025-09-01"] {
        refresh(&shop, "buyers", month);
    }
    let history = history(&shop, "buyers");
    assert_eq!((history.len(), history[0].again, history[0].last_as_of), (1, 3, instant("2025-09-01")));
}

#[test]
fn as_of_an_earlier_instant_nothing_is_added() {
    let shop = Shop::open();
    shop.define(BUYERS);
    let (before, commits) = (history(&shop, "buyers"), shop.state.commit_count());
    assert_eq!(refresh(&shop, "buyers", "2025-02-01").rows.len(), 1);
    assert_eq!((history(&shop, "buyers"), shop.state.commit_count()), (before.clone(), commits));
    shop.session_as_of("2025-02-01").define_all(crate::world::definitions(&[BUYERS]), true).unwrap();
    assert_eq!((history(&shop, "buyers"), shop.kept("buyers").unwrap().len()), (before, 3), "applied again, too");
}

#[test]
fn a_dropped_segment_keeps_its_history_and_its_name_can_come_again() {
    let shop = Shop::open();
    shop.session_as_of("2025-04-01").define_all(crate::world::definitions(&[BUYERS]), false).unwrap();
    shop.run("DROP SEGMENT buyers").unwrap();
    assert_eq!(told(&shop, "buyers"), ["2 +2 -0 first", "0 +0 -2 dropped"]);
    assert_eq!(members(&shop, "buyers", "2025-05-01"), keys(&["ann", "bob"]));
    assert_eq!(members(&shop, "buyers", "2025-06-30T12:00:00"), None);
    shop.session_as_of("2025-07-01").define_all(crate::world::definitions(&[BUYERS]), false).unwrap();
    assert_eq!(told(&shop, "buyers")[2], "3 +3 -0 definition");
    assert_eq!(members(&shop, "buyers", "2025-05-01"), keys(&["ann", "bob"]));
    assert_eq!(members(&shop, "buyers", "2025-07-01"), keys(&["ann", "bob", "cas"]));
}

#[test]
fn a_name_that_never_was_a_segments_is_unknown() {
    let shop = Shop::open();
    shop.define(BUYERS);
    let error = shop.session().history("buyer").unwrap_err().to_string();
    assert_eq!(error, "there is no segment `buyer`; did you mean `buyers`?");
    assert!(shop.session().members_as_of("buyer", instant("2025-07-01")).is_err());
}

#[test]
fn a_refresh_takes_along_what_the_segment_is_built_on() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT dutch_buyers AS WHERE segments.dutch AND has(orders)");
    load(&shop, &["eva NL"]);
    refresh(&shop, "dutch_buyers", "2025-07-01");
    assert_eq!(told(&shop, "dutch"), ["2 +2 -0 first", "3 +1 -0 data"]);
    assert_eq!(shop.kept("dutch").unwrap(), ["ann", "cas", "eva"]);
}

#[test]
fn another_definition_of_what_it_is_built_on_is_the_cause() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT local AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT local_buyers AS WHERE segments.local AND has(orders)");
    shop.define("CREATE OR REPLACE SEGMENT local AS WHERE country = 'BE'");
    shop.run("REFRESH SEGMENT local_buyers").unwrap();
    assert_eq!(told(&shop, "local_buyers"), ["2 +2 -0 first", "1 +1 -2 definition"]);
}

#[test]
fn memberships_survive_reopening() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    load(&shop, &["ann BE"]);
    refresh(&shop, "dutch", "2025-07-01");
    let before = history(&shop, "dutch");
    let shop = shop.reopened();
    assert_eq!(history(&shop, "dutch"), before);
    assert_eq!(members(&shop, "dutch", "2025-06-30T12:00:00"), keys(&["ann", "cas"]));
}

const DUTCH: &str = "CREATE SEGMENT dutch AS WHERE country = 'NL'";

fn define_as_of(shop: &Shop, as_of: &str, text: &str) {
    shop.session_as_of(as_of).define_all(crate::world::definitions(&[text]), true).unwrap();
}

/// The load that is taken back brought eva and fay; gus gets the id that was eva's and must not inherit her membership.
#[test]
fn a_load_that_is_taken_back_leaves_no_memberships_to_whoever_gets_its_ids() {
    let shop = Shop::open();
    define_as_of(&shop, "2025-07-01", DUTCH);
    load(&shop, &["eva NL", "fay NL", "ann BE"]);
    refresh(&shop, "dutch", "2025-07-02");
    assert_eq!(members(&shop, "dutch", "2025-07-02"), keys(&["cas", "eva", "fay"]));
    shop.undo();
    assert_eq!((told(&shop, "dutch"), shop.kept("dutch")), (vec!["2 +2 -0 first".to_owned()], keys(&["ann", "cas"])));
    load(&shop, &["gus BE"]);
    assert_eq!(members(&shop, "dutch", "2025-07-02"), keys(&["ann", "cas"]), "neither eva nor gus");
    refresh(&shop, "dutch", "2025-07-03");
    assert_eq!(told(&shop, "dutch"), ["2 +2 -0 first"]);
    load(&shop, &["gus NL"]);
    refresh(&shop, "dutch", "2025-07-04");
    assert_eq!(told(&shop, "dutch"), ["2 +2 -0 first", "3 +1 -0 data"]);
}

#[test]
fn what_was_found_before_a_load_that_is_taken_back_stays() {
    let shop = Shop::open();
    define_as_of(&shop, "2025-07-01", DUTCH);
    load(&shop, &["bob NL"]);
    refresh(&shop, "dutch", "2025-07-02");
    let before = (history(&shop, "dutch"), shop.kept("dutch"));
    load(&shop, &["eva NL", "cas BE"]);
    refresh(&shop, "dutch", "2025-07-03");
    define_as_of(&shop, "2025-07-04", "CREATE OR REPLACE SEGMENT dutch AS WHERE country = 'BE'");
    shop.undo();
    assert_eq!((history(&shop, "dutch"), shop.kept("dutch")), before);
    assert_eq!(members(&shop, "dutch", "2025-07-04"), keys(&["ann", "bob", "cas"]));
    assert_eq!(members(&shop, "dutch", "2025-07-01"), keys(&["ann", "cas"]));
    refresh(&shop, "dutch", "2025-07-05");
    assert_eq!(told(&shop, "dutch")[2], "0 +0 -3 definition");
}

#[test]
fn a_segment_that_was_dropped_after_a_load_that_is_taken_back_stays_dropped() {
    let shop = Shop::open();
    define_as_of(&shop, "2025-07-01", DUTCH);
    load(&shop, &["eva NL", "fay NL", "ann BE"]);
    refresh(&shop, "dutch", "2025-07-02");
    run(&mut shop.session_as_of("2025-07-03"), "DROP SEGMENT dutch").unwrap();
    shop.undo();
    assert_eq!(told(&shop, "dutch"), ["2 +2 -0 first", "0 +0 -2 dropped"]);
    assert_eq!(members(&shop, "dutch", "2025-07-02"), keys(&["ann", "cas"]));
    assert_eq!((members(&shop, "dutch", "2025-07-03"), shop.kept("dutch")), (None, None));
}

/// The shop's first load is the only one.
#[test]
fn after_the_first_load_is_taken_back_nobody_was_ever_there() {
    let shop = Shop::open();
    shop.define(DUTCH);
    shop.undo();
    assert_eq!((told(&shop, "dutch").len(), shop.kept("dutch")), (0, None));
    load(&shop, &["zoe NL"]);
    refresh(&shop, "dutch", "2025-07-01");
    assert_eq!((told(&shop, "dutch"), shop.kept("dutch")), (vec!["1 +1 -0 first".to_owned()], keys(&["zoe"])));
    assert_eq!(members(&shop, "dutch", "2025-06-30T12:00:00"), None);
}

/// An audience of a state file that knew no memberships is where they begin.
#[test]
fn memberships_begin_with_the_audience_that_was_there_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let first: Vec<Migration> = [muster_store::MIGRATIONS, &muster_segment::MIGRATIONS[..1]].concat();
    let rows: RowSet = [1, 3].into_iter().collect();
    let state = State::open(folder.path(), &first, Mode::Create).unwrap();
    let old = |tx: &muster_state::Tx<'_>| {
        tx.execute("INSERT INTO segment_definitions VALUES ('s', 'SELECT * FROM profiles', NULL, 'd', 1)", [])?;
        let audience = "INSERT INTO segment_audiences VALUES ('s', 'd', 7, 5, 6, 2, ?1)";
        tx.execute(audience, [rows.to_bytes()])
    };
    state.write(old).unwrap();
    drop(state);
    let all: Vec<Migration> = [muster_store::MIGRATIONS, muster_segment::MIGRATIONS].concat();
    let state = State::open(folder.path(), &all, Mode::Existing).unwrap();
    let history = state.read(|tx| Refresh::all(tx, "s")).unwrap();
    assert_eq!(
        history.iter().map(|first| (first.snapshot, first.profiles, first.came)).collect::<Vec<_>>(),
        [(7, 2, 2)]
    );
    let at = |micros| state.read(|tx| muster_segment::members_as_of(tx, "s", Timestamp::from_micros(micros))).unwrap();
    assert_eq!((at(4), at(5)), (None, Some(rows)));
}

/// A small generator of numbers: the same for every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What a plain reader of the story would have written down: the members by key, at each refresh.
#[derive(Default)]
struct Diary {
    pages: Vec<(Timestamp, BTreeSet<String>)>,
}

impl Diary {
    fn write(&mut self, shop: &Shop, audience: &Audience) {
        self.pages.push((audience.as_of, shop.keys(audience).into_iter().collect()));
    }

    /// Those of the last page that is not later.
    fn at(&self, instant: Timestamp) -> Option<&BTreeSet<String>> {
        self.pages.iter().rev().find(|(as_of, _)| *as_of <= instant).map(|(_, members)| members)
    }

    fn changes(&self) -> Vec<(u64, u64, u64)> {
        let mut before = &BTreeSet::new();
        let mut changes = Vec::new();
        for (_, members) in &self.pages {
            let (came, went) = (members.difference(before).count(), before.difference(members).count());
            changes.push((members.len() as u64, came as u64, went as u64));
            before = members;
        }
        changes
    }
}

const COUNTRIES: [&str; 3] = ["NL", "BE", "DE"];

/// One life of a little shop: customers come and move, the segment is refreshed and now and then defined anew.
fn live(seed: u64) {
    let (shop, mut dice, mut diary) = (Shop::open(), Dice(seed), Diary::default());
    let day = |day: i64| Timestamp::from_micros(instant("2025-07-01").micros() + day * 86_400_000_000);
    let define = |at: Timestamp, country: &str| {
        let text = format!("CREATE OR REPLACE SEGMENT s AS WHERE country = '{country}'");
        let mut session = muster_segment::Session::new(shop.bench(), Some(at)).unwrap();
        session.define_all(crate::world::definitions(&[&text]), true).unwrap();
        shop.state.read(|tx| Audience::newest(tx, "s")).unwrap().unwrap()
    };
    diary.write(&shop, &define(day(0), "NL"));
    for step in 1..=14 {
        let customer = || format!("p{}", dice.below(12));
        let mut rows: Vec<String> = std::iter::repeat_with(customer).take(3).collect();
        rows.sort();
        rows.dedup();
        let rows: Vec<String> =
            rows.into_iter().map(|id| format!("{id} {}", COUNTRIES[dice.below(3) as usize])).collect();
        load(&shop, &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let audience = match dice.below(4) {
            0 => define(day(step), COUNTRIES[dice.below(3) as usize]),
            _ => muster_segment::Session::new(shop.bench(), Some(day(step))).unwrap().refresh("s").unwrap(),
        };
        diary.write(&shop, &audience);
    }
    let session = shop.session();
    let evaluator = session.evaluator().unwrap();
    for half_days in -1..=30 {
        let at = Timestamp::from_micros(day(0).micros() + half_days * 43_200_000_000);
        let members = session.members_as_of("s", at).unwrap();
        let found = members.map(|members| evaluator.keys(&members).unwrap().into_iter().collect::<BTreeSet<_>>());
        assert_eq!(found.as_ref(), diary.at(at), "seed {seed}, half day {half_days}");
    }
    let told: Vec<(u64, u64, u64)> = session
        .history("s")
        .unwrap()
        .iter()
        .flat_map(|refresh| {
            let same = (refresh.profiles, 0, 0);
            std::iter::once((refresh.profiles, refresh.came, refresh.went))
                .chain(std::iter::repeat_n(same, refresh.again as usize))
        })
        .collect();
    assert_eq!(told, diary.changes(), "seed {seed}");
}

#[test]
fn memberships_are_what_was_written_down_at_each_refresh() {
    (1..=2).for_each(live);
}
