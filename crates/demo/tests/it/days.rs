//! The days after the first files: what a plain model makes of them is how the shop says that it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use muster_demo::shop::{AS_OF, DaySummary, Format, Shop, TABLES, date_of, taken_at};
use tempfile::TempDir;

use crate::tables::{Table, Written, cents, digest, write};

const SMALL: Shop = Shop { customers: 520, seed: 11 };
const DAYS: u32 = 45;
/// The tables whose rows have a key, with it; a cart's lines have none.
const KEYS: [(&str, &str); 7] = [
    ("customers", "customer_id"),
    ("orders", "order_id"),
    ("order_lines", "line_id"),
    ("carts", "cart_id"),
    ("web_visits", "visit_id"),
    ("messages", "message_id"),
    ("responses", "response_id"),
];
/// Each table with the one below which it stands, and the column that says where.
const PARENTS: [(&str, &str, &str); 7] = [
    ("orders", "customers", "customer_id"),
    ("order_lines", "orders", "order_id"),
    ("carts", "customers", "customer_id"),
    ("cart_lines", "carts", "cart_id"),
    ("web_visits", "customers", "customer_id"),
    ("messages", "customers", "customer_id"),
    ("responses", "messages", "message_id"),
];

static BASE: LazyLock<Written> = LazyLock::new(|| write(SMALL, Format::Csv));
static LATER: LazyLock<Days> = LazyLock::new(|| write_days(SMALL, DAYS, Format::Csv));

struct Days {
    folder: TempDir,
    summaries: Vec<DaySummary>,
}

impl Days {
    fn table(&self, name: &str, nth: u32) -> Table {
        Table::of_csv(&self.path(name, nth, Format::Csv))
    }

    fn path(&self, table: &str, nth: u32, format: Format) -> std::path::PathBuf {
        let date = date_of(nth);
        self.folder.path().join(&date).join(format!("{table}_{date}.{}", format.ending()))
    }

    fn digests(&self, nth: u32, format: Format) -> Vec<String> {
        TABLES[2..].iter().map(|table| digest(&self.path(table, nth, format))).collect()
    }
}

fn write_days(shop: Shop, days: u32, format: Format) -> Days {
    let folder = tempfile::tempdir().unwrap();
    let summaries = shop.write_days(days, folder.path(), format, &|_| ()).unwrap();
    Days { folder, summaries }
}

/// A row by the names of its columns.
type Row = BTreeMap<String, String>;

fn rows(table: &Table) -> Vec<Row> {
    let columns: Vec<Vec<&str>> = table.names().iter().map(|name| table.column(name)).collect();
    let cell = |row: usize| move |(name, column): (&String, &Vec<&str>)| (name.clone(), column[row].to_owned());
    (0..table.len()).map(|row| table.names().iter().zip(&columns).map(cell(row)).collect()).collect()
}

/// The slow, obvious store: rows by key, or by all that they say where they have none.
#[derive(Default, Clone)]
struct Model {
    tables: BTreeMap<&'static str, BTreeMap<String, Row>>,
}

impl Model {
    /// Takes the rows of one file; how many of them changed nothing.
    fn load(&mut self, name: &'static str, table: &Table) -> usize {
        let key = KEYS.iter().find(|(table, _)| *table == name).map(|(_, key)| *key);
        let kept = self.tables.entry(name).or_default();
        let mut same = 0;
        for row in rows(table) {
            let key = key.map_or_else(|| format!("{row:?}"), |key| row[key].clone());
            same += usize::from(kept.get(&key) == Some(&row));
            match row.get("deleted").map(String::as_str) {
                Some("J") => kept.remove(&key),
                _ => kept.insert(key, row),
            };
        }
        same
    }

    fn load_day(&mut self, days: &Days, nth: u32) {
        for name in &TABLES[2..] {
            assert_eq!(self.load(name, &days.table(name, nth)), 0, "{name} of day {nth} repeats what is known");
        }
    }

    /// What is left when whatever has lost its parent goes too.
    fn standing(mut self) -> BTreeMap<&'static str, BTreeSet<Row>> {
        for (name, parent, on) in PARENTS {
            let parents: BTreeSet<String> = self.tables[parent].keys().cloned().collect();
            let table = self.tables.get_mut(name).unwrap();
            table.retain(|_, row| parents.contains(&row[on]));
        }
        self.tables.into_iter().map(|(name, rows)| (name, rows.into_values().collect())).collect()
    }
}

fn first_files() -> Model {
    let mut model = Model::default();
    for name in &TABLES[2..] {
        assert_eq!(model.load(name, &BASE.table(name)), 0, "{name}");
    }
    model
}

fn state_on(nth: u32) -> (Written, BTreeMap<&'static str, BTreeSet<Row>>) {
    let folder = tempfile::tempdir().unwrap();
    let summary = SMALL.write_state_on(nth, folder.path(), Format::Csv, &|_| ()).unwrap();
    let written = Written { folder, summary };
    let tables = TABLES[2..].iter().map(|name| (*name, rows(&written.table(name)).into_iter().collect())).collect();
    (written, tables)
}

#[test]
fn the_first_files_and_the_days_in_order_make_the_state_of_every_day() {
    let mut model = first_files();
    for nth in 1..=DAYS {
        model.load_day(&LATER, nth);
        if [1, 2, DAYS].contains(&nth) {
            let (_, expected) = state_on(nth);
            for (name, rows) in model.clone().standing() {
                let (missing, spare) =
                    (expected[name].difference(&rows).count(), rows.difference(&expected[name]).count());
                assert_eq!((missing, spare), (0, 0), "{name} after day {nth}");
            }
        }
    }
}

#[test]
fn a_day_that_is_left_out_is_missed() {
    let mut model = first_files();
    (2..=3).for_each(|nth| model.load_day(&LATER, nth));
    let (_, expected) = state_on(3);
    let standing = model.standing();
    for name in ["orders", "order_lines", "carts", "web_visits", "messages", "responses"] {
        assert!(standing[name] != expected[name], "{name}");
    }
}

#[test]
fn before_the_first_day_the_shop_stands_as_it_was_written() {
    let (state, _) = state_on(0);
    assert_eq!(state.summary, BASE.summary);
    for table in TABLES {
        let file = format!("{table}.csv");
        assert_eq!(digest(&state.path(&file)), digest(&BASE.path(&file)), "{table}");
    }
}

#[test]
fn the_same_seed_gives_the_same_days_as_ever() {
    let days = write_days(Shop { customers: 300, seed: 42 }, 2, Format::Csv);
    let digests: Vec<(&str, String)> = TABLES[2..].iter().copied().zip(days.digests(2, Format::Csv)).collect();
    let expected = [
        ("customers", "716195b7541c49dd"),
        ("orders", "84d356184c50ce1a"),
        ("order_lines", "c7606c26fc4381b2"),
        ("carts", "b47c1d28b83661da"),
        ("cart_lines", "40dd10ea2d73a294"),
        ("web_visits", "c4dd44368118c65e"),
        ("messages", "241dca275f5d6b31"),
        ("responses", "37ca9cedeba800b9"),
    ];
    assert_eq!(digests, expected.map(|(table, digest)| (table, digest.to_owned())));
}

#[test]
fn one_thread_and_three_write_the_same_days() {
    for format in [Format::Csv, Format::Parquet] {
        let written = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| write_days(Shop { customers: 1_020, seed: 5 }, 3, format))
        });
        assert_eq!(written[0].summaries, written[1].summaries);
        for nth in 1..=3 {
            assert_eq!(written[0].digests(nth, format), written[1].digests(nth, format), "{format:?}, day {nth}");
        }
    }
}

#[test]
fn a_days_files_are_the_same_however_many_days_are_written() {
    // More than are open at the same time.
    let shop = Shop { customers: 150, seed: 5 };
    let (few, many) = (write_days(shop, 3, Format::Csv), write_days(shop, 53, Format::Csv));
    assert_eq!((few.summaries.len(), many.summaries.len()), (3, 53));
    assert_eq!(few.summaries, many.summaries[..3]);
    for nth in 1..=3 {
        assert_eq!(few.digests(nth, Format::Csv), many.digests(nth, Format::Csv), "day {nth}");
    }
    let longer = write_days(shop, 52, Format::Csv);
    assert_eq!(longer.digests(52, Format::Csv), many.digests(52, Format::Csv));
}

#[test]
fn parquet_and_gzip_hold_what_csv_holds_of_a_day() {
    let [gzip, parquet] = [Format::CsvGz, Format::Parquet].map(|format| write_days(SMALL, 2, format));
    assert_eq!((&gzip.summaries[..], &parquet.summaries[..]), (&LATER.summaries[..2], &LATER.summaries[..2]));
    for table in &TABLES[2..] {
        let expected = LATER.table(table, 2);
        assert!(expected == Table::of_csv(&gzip.path(table, 2, Format::CsvGz)), "{table} in gzip");
        assert!(expected == Table::of_parquet(&parquet.path(table, 2, Format::Parquet)), "{table} in Parquet");
    }
}

#[test]
fn the_files_of_the_days_come_after_the_first_ones_in_the_order_of_names() {
    let names = |folder: &Path| -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut together = names(BASE.folder.path());
    [1, 2].iter().for_each(|nth| together.extend(names(&LATER.folder.path().join(date_of(*nth)))));
    together.sort();
    let orders: Vec<&String> = together.iter().filter(|name| name.starts_with("orders")).collect();
    assert_eq!(orders, ["orders.csv", "orders_2025-07-01.csv", "orders_2025-07-02.csv"]);
    assert_eq!(together.len(), TABLES.len() + 2 * TABLES[2..].len());
}

#[test]
fn what_happened_on_a_day_lies_between_its_noon_and_the_one_before() {
    assert_eq!((taken_at(0).as_str(), taken_at(1).as_str()), (AS_OF, "2025-07-01T12:00:00"));
    for nth in 1..=DAYS {
        let (from, until) = (taken_at(nth - 1), taken_at(nth));
        for (table, time) in [
            ("customers", "updated_at"),
            ("orders", "updated_at"),
            ("carts", "updated_at"),
            ("web_visits", "visited_at"),
            ("messages", "sent_at"),
            ("responses", "responded_at"),
        ] {
            let table = LATER.table(table, nth);
            for at in table.column(time) {
                assert!(*from <= *at && *at <= *until, "{time} {at} in the files of {until}");
                assert!(!("02".."06").contains(&&at[11..13]), "{at} is at night");
            }
        }
    }
}

/// What happened to a row from one day to the next.
fn happenings() -> BTreeMap<String, usize> {
    let (mut model, mut counts) = (first_files(), BTreeMap::new());
    for nth in 1..=DAYS {
        for (name, key) in KEYS {
            let known = &model.tables[name];
            for row in rows(&LATER.table(name, nth)) {
                let before = known.get(&row[key]);
                changes(name, before, &row).into_iter().for_each(|what| *counts.entry(what).or_insert(0) += 1);
            }
        }
        model.load_day(&LATER, nth);
    }
    counts
}

fn changes(table: &str, before: Option<&Row>, row: &Row) -> Vec<String> {
    if row.get("deleted").is_some_and(|deleted| deleted == "J") {
        return vec![format!("{table} deleted")];
    }
    let Some(before) = before else { return vec![format!("{table} new")] };
    let other = row.keys().filter(|column| before[*column] != row[*column] && *column != "updated_at");
    let change = |column: &String| match column.as_str() {
        "status" => format!("{table} {} → {}", before[column], row[column]),
        _ => format!("{table} {column}"),
    };
    other.map(change).collect()
}

#[test]
fn everything_that_can_happen_does_and_nothing_else() {
    let counts = happenings();
    let expected = [
        "carts deleted",
        "carts new",
        "carts open → abandoned",
        "carts open → ordered",
        "carts order_id",
        "customers city",
        "customers deleted",
        "customers email",
        "customers email_consent",
        "customers home_store",
        "customers household_id",
        "customers income",
        "customers latitude",
        "customers longitude",
        "customers mobile",
        "customers new",
        "customers postcode",
        "customers province",
        "customers country",
        "customers sms_consent",
        "customers tier",
        "order_lines new",
        "order_lines quantity",
        "orders deleted",
        "orders delivered → returned",
        "orders expected_at",
        "orders new",
        "orders open → cancelled",
        "orders open → shipped",
        "orders shipped → delivered",
        "orders total",
        "messages new",
        "responses new",
        "web_visits new",
    ];
    let happened: BTreeSet<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(happened, expected.into_iter().collect(), "{counts:?}");
}

/// Customer, channel, and when they wanted no more of it or could no longer be reached.
fn ended(model: &Model) -> BTreeMap<(&String, &String), &String> {
    let ends = |row: &&Row| ["unsubscribe", "spam_complaint"].contains(&row["kind"].as_str()) || row["class"] == "hard";
    let mut ended = BTreeMap::new();
    for response in model.tables["responses"].values().filter(ends) {
        let message = &model.tables["messages"][&response["message_id"]];
        let end = ended.entry((&message["customer_id"], &message["channel"])).or_insert(&response["responded_at"]);
        *end = (*end).min(&response["responded_at"]);
    }
    ended
}

#[test]
fn on_the_days_too_only_those_are_written_to_who_agree_and_want_more() {
    let (mut model, mut new) = (first_files(), Vec::new());
    for nth in 1..=DAYS {
        model.load_day(&LATER, nth);
        let of_today = rows(&LATER.table("messages", nth));
        for message in &of_today {
            let customer = &model.tables["customers"][&message["customer_id"]];
            let consent = if message["channel"] == "sms" { "sms_consent" } else { "email_consent" };
            assert_eq!(customer[consent], "J", "{message:?}");
            assert!(customer["created_at"] < message["sent_at"], "{message:?}");
        }
        new.extend(of_today);
    }
    let ended = ended(&model);
    for message in &new {
        let end = ended.get(&(&message["customer_id"], &message["channel"]));
        assert!(end.is_none_or(|end| message["sent_at"] <= **end), "{message:?}");
    }
    assert!(new.len() > 600 && ended.len() > 8, "{} messages, {} who want no more", new.len(), ended.len());
}

#[test]
fn what_was_sent_before_a_day_may_be_answered_on_it() {
    let sent: BTreeSet<String> = BASE.table("messages").column("message_id").into_iter().map(str::to_owned).collect();
    let of = |nth: u32| LATER.table("responses", nth).column("message_id").into_iter().map(str::to_owned).collect();
    let answered: Vec<String> = (1..=14).flat_map(|nth| -> Vec<String> { of(nth) }).collect();
    assert!(answered.iter().any(|message| sent.contains(message)) && answered.iter().any(|it| !sent.contains(it)));
}

#[test]
fn a_day_has_the_orders_of_an_ordinary_day() {
    let rows = |table: &str| -> u64 {
        let of = |day: &DaySummary| day.rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
        LATER.summaries.iter().map(of).sum()
    };
    let placed: usize = (1..=DAYS)
        .map(|nth| {
            LATER.table("orders", nth).column("placed_at").into_iter().filter(|at| **at >= *taken_at(nth - 1)).count()
        })
        .sum();
    // Of 520 customers the first files have 4.6 orders a day.
    let per_day = placed as f64 / f64::from(DAYS);
    assert!((3.6..6.6).contains(&per_day), "{per_day} orders a day");
    let all: u64 = TABLES[2..].iter().map(|table| rows(table)).sum();
    let base: u64 = BASE.summary.rows.iter().map(|(_, rows)| rows).sum();
    let share = all as f64 / f64::from(DAYS) / base as f64 * 100.0;
    assert!((0.2..0.6).contains(&share), "a day is {share} % of the rows");
}

#[test]
fn after_the_days_orders_still_cost_their_lines_and_everything_leads_somewhere() {
    let (state, tables) = state_on(DAYS);
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &tables["order_lines"] {
        *totals.entry(&line["order_id"]).or_default() +=
            line["quantity"].parse::<i64>().unwrap() * cents(&line["price"]);
    }
    let stated: BTreeMap<&str, i64> = tables["orders"]
        .iter()
        .map(|order| (order["order_id"].as_str(), cents(&order["total"]) + cents(&order["discount"])))
        .collect();
    assert!(stated == totals);
    for (name, parent, on) in PARENTS {
        let known: BTreeSet<&String> = tables[parent].iter().map(|row| &row[on]).collect();
        assert!(tables[name].iter().all(|row| known.contains(&row[on])), "{name}.{on}");
    }
    for (name, key) in KEYS {
        let keys: BTreeSet<&String> = tables[name].iter().map(|row| &row[key]).collect();
        assert_eq!(keys.len(), state.table(name).len(), "{name}.{key}");
    }
}
