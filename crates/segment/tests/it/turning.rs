//! Explanations of random segments for random profiles, held against the interpreter: the verdict is the audience's, every
//! truth is the one that the language's page gives, AND, OR and NOT make it of their parts; and where rows decide a
//! condition, taking those away that are listed and adding what is said to be missing turns it, by doing so.
//!
//! `MUSTER_EXPLAIN_PAIRS=2000` makes it long. The shares of what was found are printed.

use std::collections::{BTreeMap, BTreeSet};

use muster_catalog::Timestamp;
use muster_language::Joined;
use muster_segment::{DecidingRow, ExplainedCondition, MissingPlace, Turning};
use muster_testkit::interpreter::{answer, members};
use muster_testkit::world::{Value, World};

use crate::world::{Shop, definitions, input, instant};

const CATALOG: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"
[tables.profiles]
source = "profiles.csv"
key = "id"
[tables.profiles.columns]
id = { type = "id" }
country = { type = "text" }
points = { type = "int" }
[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
[tables.orders.columns]
order_id = { type = "id" }
customer = { type = "id" }
placed_at = { type = "timestamp" }
total = { type = "decimal(12,2)" }
channel = { type = "text" }
[tables.order_lines]
source = "lines.csv"
key = "line_id"
parent = "orders"
on = "order_id"
[tables.order_lines.columns]
line_id = { type = "id" }
order_id = { type = "id" }
product = { type = "text" }
quantity = { type = "int" }
[tables.visits]
source = "visits.csv"
parent = "profiles"
on = "customer"
time = "seen_at"
[tables.visits.columns]
customer = { type = "id" }
seen_at = { type = "timestamp" }
page = { type = "text" }
seconds = { type = "int" }
tag = { type = "text" }
"#;

const COLUMNS: [(&str, &[(&str, &str)]); 4] = [
    ("profiles", &[("id", "id"), ("country", "text"), ("points", "int")]),
    (
        "orders",
        &[
            ("order_id", "id"),
            ("customer", "id"),
            ("placed_at", "timestamp"),
            ("total", "decimal(12,2)"),
            ("channel", "text"),
        ],
    ),
    ("order_lines", &[("line_id", "id"), ("order_id", "id"), ("product", "text"), ("quantity", "int")]),
    ("visits", &[("customer", "id"), ("seen_at", "timestamp"), ("page", "text"), ("seconds", "int"), ("tag", "text")]),
];

/// A small generator of numbers: the same for every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

/// Rows as texts, field by field; `-` is NULL.
#[derive(Clone, Default)]
struct Tables(BTreeMap<&'static str, Vec<Vec<String>>>);

impl Tables {
    fn add(&mut self, table: &'static str, fields: &[&str]) {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        self.0.entry(table).or_default().push(fields);
    }

    fn rows(&self, table: &str) -> &[Vec<String>] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    fn world(&self) -> World {
        let mut world = World::new(muster_catalog::parse("muster.toml", CATALOG).unwrap());
        for (table, rows) in &self.0 {
            world.add(table, &rows.iter().map(|row| row.join("|")).collect::<Vec<_>>().join("\n"));
        }
        world
    }

    fn load(&self, shop: &Shop) {
        let inputs = COLUMNS.iter().map(|(table, columns)| {
            let rows: Vec<String> = self.rows(table).iter().map(|row| row.join(" ")).collect();
            input(table, columns, &rows.iter().map(String::as_str).collect::<Vec<_>>())
        });
        shop.load_as(CATALOG, inputs.collect());
    }
}

/// The instants at which things happen; several may happen at one.
const TIMES: [&str; 7] = [
    "2025-01-05T09:00:00Z",
    "2025-02-10T09:00:00Z",
    "2025-03-15T09:00:00Z",
    "2025-04-20T09:00:00Z",
    "2025-05-25T09:00:00Z",
    "2025-06-20T09:00:00Z",
    "2025-06-29T09:00:00Z",
];
const DAYS: [&str; 5] = ["'2025-01-20'", "'2025-03-01'", "now() - INTERVAL '90 days'", "'2025-05-01'", "'2025-06-25'"];
const TOTALS: [&str; 7] = ["5.00", "10.00", "25.00", "50.00", "75.00", "120.00", "-"];
const CHANNELS: [&str; 4] = ["web", "store", "app", "-"];
const PRODUCTS: [&str; 3] = ["A", "B", "C"];
const PAGES: [&str; 3] = ["home", "sofas", "-"];
const PROFILES: usize = 30;

fn tables(dice: &mut Dice) -> Tables {
    let mut tables = Tables::default();
    let (mut orders, mut lines, mut visits) = (0, 0, 0);
    for profile in 0..PROFILES {
        let id = format!("p{profile}");
        tables.add("profiles", &[&id, dice.one(&["NL", "BE", "-"]), dice.one(&["5", "40", "-"])]);
        for _ in 0..[0, 0, 1, 2, 3, 5][dice.below(6)] {
            orders += 1;
            let order = format!("o{orders}");
            tables.add("orders", &[&order, &id, dice.one(&TIMES), dice.one(&TOTALS), dice.one(&CHANNELS)]);
            for _ in 0..dice.below(3) {
                lines += 1;
                let quantity = dice.one(&["1", "2", "4", "-"]);
                tables.add("order_lines", &[&format!("l{lines}"), &order, dice.one(&PRODUCTS), quantity]);
            }
        }
        for _ in 0..[0, 1, 3][dice.below(3)] {
            visits += 1;
            let (page, seconds) = (dice.one(&PAGES), dice.one(&["3", "30", "-"]));
            tables.add("visits", &[&id, dice.one(&TIMES), page, seconds, &format!("v{visits}")]);
        }
    }
    tables
}

/// The columns of a history that conditions are about, with what they are compared with.
fn compared(table: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match table {
        "orders" => &[
            ("orders.total", &["10", "50", "100.00"]),
            ("orders.channel", &["'web'", "'store'"]),
            ("orders.placed_at", &DAYS),
        ],
        "order_lines" => &[("order_lines.quantity", &["1", "2", "3"]), ("order_lines.product", &["'A'", "'B'"])],
        _ => &[("visits.seconds", &["3", "10"]), ("visits.page", &["'home'"]), ("visits.seen_at", &DAYS)],
    }
}

/// An operator that a value beside it can meet and fail to meet; nothing happens at midnight.
fn operator(dice: &mut Dice, bound: &str) -> &'static str {
    let unequal = ["<", "<=", ">", ">="];
    let any = ["<", "<=", ">", ">=", "=", "<>"];
    if DAYS.contains(&bound) { dice.one(&unequal) } else { dice.one(&any) }
}

/// ` FILTER (WHERE …)` of comparisons, none of them with the column that is reduced.
fn filter(dice: &mut Dice, table: &str, reduced: &str) -> String {
    let mut parts = Vec::new();
    for (column, bounds) in compared(table).iter().filter(|(column, _)| *column != reduced) {
        if dice.below(3) == 0 {
            let bound = dice.one(bounds);
            parts.push(format!("{column} {} {bound}", operator(dice, bound)));
        }
    }
    if parts.is_empty() { String::new() } else { format!(" FILTER (WHERE {})", parts.join(" AND ")) }
}

/// A condition that stands for itself.
fn leaf(dice: &mut Dice) -> String {
    let table = dice.one(&["orders", "orders", "order_lines", "visits"]);
    let columns = compared(table);
    let (column, bounds) = columns[dice.below(columns.len())];
    let bound = dice.one(bounds);
    let sign = operator(dice, bound);
    match dice.below(20) {
        0..=2 => format!("has({table}){}", filter(dice, table, "")),
        3..=5 => {
            let count = format!("count({table}){}", filter(dice, table, ""));
            format!("{count} {} {}", dice.one(&["<", "<=", ">", ">=", "=", "<>"]), dice.one(&["0", "1", "2", "3"]))
        }
        6 => format!("count({column}){} >= 2", filter(dice, table, column)),
        7..=9 => format!("max({column}){} {sign} {bound}", filter(dice, table, column)),
        10 | 11 => format!("min({column}){} {sign} {bound}", filter(dice, table, column)),
        12 | 13 => format!("last({column}){} {sign} {bound}", filter(dice, table, column)),
        14 => format!("{bound} {sign} first({column}){}", filter(dice, table, column)),
        15 => format!("max(orders.total){} > points", filter(dice, "orders", "orders.total")),
        16 => format!("min(orders.total){} BETWEEN 10 AND 60", filter(dice, "orders", "orders.total")),
        17 => dice.one(&["country = 'NL'", "points > 10", "country IS NULL", "points IN (5, 7)"]).to_owned(),
        18 => dice
            .one(&[
                "sum(orders.total) > 60",
                "avg(order_lines.quantity) >= 2",
                "count(DISTINCT orders.channel) = 2",
                "every(orders.channel = 'web')",
                "has(latest(orders, 2)) FILTER (WHERE orders.total > 20)",
                "has_sequence(orders, total < 30, total > 30, within => INTERVAL '90 days')",
            ])
            .to_owned(),
        _ => "has(orders) FILTER (WHERE has(order_lines) FILTER (WHERE order_lines.quantity > 1))".to_owned(),
    }
}

fn condition(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return leaf(dice);
    }
    match dice.below(6) {
        0 => format!("NOT ({})", condition(dice, depth - 1)),
        1 | 2 => format!("({} OR {})", condition(dice, depth - 1), leaf(dice)),
        3 | 4 => format!("{} AND {}", condition(dice, depth - 1), leaf(dice)),
        _ => leaf(dice),
    }
}

/// One profile in a world, and what is known of it.
struct Subject<'a> {
    tables: &'a Tables,
    world: &'a World,
    key: &'a str,
    now: Timestamp,
    tally: &'a mut BTreeMap<String, usize>,
}

/// What a condition is for the profile in a world.
fn truth(world: &World, condition: &str, key: &str, now: Timestamp) -> Option<bool> {
    let query = format!("SELECT ({condition}) AS c FROM profiles WHERE id = '{key}'");
    match answer(world, &query, now).unwrap_or_else(|error| panic!("{query}\n{error}")).rows[0][0] {
        Value::Bool(truth) => Some(truth),
        Value::Null => None,
        ref other => panic!("{query} gives {other}"),
    }
}

fn not(truth: Option<bool>) -> Option<bool> {
    truth.map(|truth| !truth)
}

fn all(mut parts: impl Iterator<Item = Option<bool>> + Clone) -> Option<bool> {
    if parts.clone().any(|part| part == Some(false)) {
        return Some(false);
    }
    parts.all(|part| part == Some(true)).then_some(true)
}

impl Subject<'_> {
    fn check(&mut self, condition: &ExplainedCondition) {
        let (text, found) = (&condition.text, condition.truth);
        assert_eq!(found, truth(self.world, text, self.key, self.now), "{text} for {}", self.key);
        let parts = condition.parts.iter().map(|part| part.truth);
        match condition.joined {
            Joined::Alone => self.check_leaf(condition),
            Joined::Not => assert_eq!(found, not(condition.parts[0].truth), "{text} for {}", self.key),
            Joined::All => assert_eq!(found, all(parts), "{text} for {}", self.key),
            Joined::Any => assert_eq!(found, not(all(parts.map(not))), "{text} for {}", self.key),
        }
        condition.parts.iter().for_each(|part| self.check(part));
    }

    fn check_leaf(&mut self, condition: &ExplainedCondition) {
        let (kind, is_listed) = kind(&condition.text);
        let turning = condition.turning.as_ref();
        let what = match turning {
            None => "values",
            Some(Turning { missing: None, .. }) => "rows go",
            Some(Turning { rows, missing: Some(_), .. }) if rows.is_empty() => "rows come",
            Some(_) => "rows go and come",
        };
        let truth = condition.truth.map_or("NULL", |truth| if truth { "TRUE" } else { "FALSE" });
        *self.tally.entry(format!("{kind}: {truth}, {what}")).or_default() += 1;
        if kind != "column" || condition.text.contains(' ') {
            assert!(!condition.values.is_empty(), "{} has no values", condition.text);
        }
        match turning {
            Some(turning) => self.turn(condition, turning),
            None if is_listed => assert!(self.is_fixed(&condition.text), "{} for {}", condition.text, self.key),
            None => {}
        }
    }

    /// A count compared with what no count can be, or anything compared with NULL.
    fn is_fixed(&self, text: &str) -> bool {
        let points = &self.tables.rows("profiles").iter().find(|row| row[0] == self.key).unwrap()[2];
        text.ends_with("< 0") || text.ends_with(">= 0") || (text.ends_with("points") && points == "-")
    }

    /// Does what is said to turn the condition.
    fn turn(&self, condition: &ExplainedCondition, turning: &Turning) {
        let mut changed = self.tables.clone();
        turning.rows.iter().for_each(|row| take_away(&mut changed, (&turning.table, self.key), row));
        if let Some(missing) = &turning.missing {
            let conditions = missing.conditions.iter().map(|one| format!(" AND ({one})")).collect::<String>();
            let wanted = format!("TRUE{conditions}");
            let whose = (missing.table.as_str(), self.key);
            let row = candidate(&changed, whose, &wanted, missing.place, self.now);
            (0..missing.rows).for_each(|number| add(&mut changed, whose, &row, number));
        }
        let after = truth(&changed.world(), &condition.text, self.key, self.now);
        let (before, after) = (condition.truth == Some(true), after == Some(true));
        assert_ne!(before, after, "{} for {} is not turned by {turning:?}", condition.text, self.key);
    }
}

/// What a condition is called in the shares, and whether the rows that decide it must be said.
fn kind(text: &str) -> (&'static str, bool) {
    let has = |part: &str| text.contains(part);
    let others = ["sum(", "avg(", "DISTINCT", "every(", "latest(", "has_sequence("];
    if others.iter().any(|other| has(other)) {
        return ("other aggregates", false);
    }
    if text.starts_with("has(orders) FILTER (WHERE has(") {
        return ("has over has", true);
    }
    let kinds = [("has(", "has"), ("count(", "count"), ("max(", "max"), ("min(", "min"), ("last(", "last")];
    let found = kinds.iter().chain(&[("first(", "first")]).find(|(part, _)| has(part));
    found.map_or(("column", false), |(_, kind)| (*kind, true))
}

fn take_away(tables: &mut Tables, (table, key): (&str, &str), row: &DecidingRow) {
    let rows = tables.0.get_mut(table).unwrap();
    let before = rows.len();
    match &row.key {
        Some(key) => rows.retain(|fields| fields[0] != *key),
        None => {
            let time = instant(row.time.as_ref().unwrap());
            let is_it = |fields: &Vec<String>| {
                let values = row.values.iter().all(|(name, value)| {
                    let place = ["visits.page", "visits.seconds"].iter().position(|known| known == name).unwrap();
                    fields[place + 2] == *value.as_deref().unwrap_or("-")
                });
                fields[0] == key && instant(&fields[1]) == time && values
            };
            let place = rows.iter().position(is_it).unwrap_or_else(|| panic!("{row} of {key} is not there"));
            rows.remove(place);
        }
    }
    assert_eq!(rows.len() + 1, before, "{row} is one row of {table}");
    if let (Some(key), "orders") = (&row.key, table) {
        tables.0.get_mut("order_lines").unwrap().retain(|fields| fields[1] != *key);
    }
}

/// The instants around those at which things happen.
fn around() -> Vec<String> {
    let micros = |text: &&str| instant(text).micros();
    let near = TIMES.iter().map(micros).flat_map(|time| [time - 1, time, time + 1]);
    near.map(|time| Timestamp::from_micros(time).to_string()).collect()
}

/// What every order among many has below it, so that it can meet a condition on its lines.
const LINE_BELOW: [&str; 2] = ["A", "4"];

/// Many rows of the profile, of one table, with a line below each order; lines are below orders without anything else. Where a place among the others
/// matters, also just before and after those.
fn many_rows(profile: &[String], table: &str, place: Option<MissingPlace>) -> Tables {
    let mut many = Tables::default();
    many.0.insert("profiles", vec![profile.to_vec()]);
    let times = around();
    let times = times.iter().enumerate().filter(|(index, _)| place.is_some() || index % 3 == 1);
    let key = profile[0].as_str();
    for (index, time) in times {
        let order = format!("t{index}");
        if table == "order_lines" {
            many.add("orders", &[&order, key, time, "-", "-"]);
        }
        let (numbers, texts) = many_values(table);
        for (number, text) in numbers.iter().flat_map(|number| texts.iter().map(move |text| (*number, *text))) {
            let id = format!("{order}-{number}-{text}");
            match table {
                "orders" => {
                    many.add("orders", &[&id, key, time, number, text]);
                    many.add("order_lines", &[&id, &id, LINE_BELOW[0], LINE_BELOW[1]]);
                }
                "order_lines" => many.add("order_lines", &[&id, &order, text, number]),
                _ => many.add("visits", &[key, time, text, number, &id]),
            }
        }
    }
    many
}

/// Numbers and texts on every side of what a table's columns are compared with.
fn many_values(table: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match table {
        "orders" => (
            &["4", "6", "9.99", "10", "11", "39", "41", "50", "51", "100", "101"],
            &["aaa", "app", "store", "web", "zzz"],
        ),
        "order_lines" => (&["0", "1", "2", "3", "4"], &["0", "A", "AA", "B", "C"]),
        _ => (&["2", "3", "4", "10", "11"], &["aaa", "home", "zzz"]),
    }
}

/// A row among many that meets the conditions, and stands where it should; its time is one of those [`around`].
fn candidate(
    tables: &Tables,
    (table, key): (&str, &str),
    wanted: &str,
    place: Option<MissingPlace>,
    now: Timestamp,
) -> Vec<String> {
    let profile = tables.rows("profiles").iter().find(|row| row[0] == key).unwrap();
    let many = many_rows(profile, table, place);
    let id = match table {
        "orders" => "order_id",
        "order_lines" => "line_id",
        _ => "tag",
    };
    let query = format!("SELECT {id} FROM {table} WHERE {wanted}");
    let found = answer(&many.world(), &query, now).unwrap_or_else(|error| panic!("{query}\n{error}")).rows;
    // Rows stand in row order.
    let found = if place == Some(MissingPlace::Last) { found.last() } else { found.first() };
    let id = found.unwrap_or_else(|| panic!("no row is: {wanted}"))[0].to_string();
    many.rows(table).iter().find(|row| row.contains(&id)).unwrap().clone()
}

/// Adds a row that was chosen among many, under a key of its own; a line with an order at its time.
fn add(tables: &mut Tables, (table, key): (&str, &str), row: &[String], number: u64) {
    let id = format!("new{number}");
    let mut row: Vec<&str> = row.iter().map(String::as_str).collect();
    match table {
        "orders" => {
            row[0] = &id;
            tables.add("orders", &row);
            tables.add("order_lines", &[&format!("below-{id}"), &id, LINE_BELOW[0], LINE_BELOW[1]]);
        }
        "order_lines" => {
            let time = &around()[row[1].trim_start_matches('t').parse::<usize>().unwrap()];
            tables.add("orders", &[&id, key, time, "-", "-"]);
            (row[0], row[1]) = (&id, &id);
            tables.add("order_lines", &row);
        }
        _ => {
            row[4] = &id;
            tables.add("visits", &row);
        }
    }
}

/// How many profiles each segment is explained for.
const PROFILES_EACH: usize = 10;

/// As many pairs as are asked for.
fn pairs() -> usize {
    std::env::var("MUSTER_EXPLAIN_PAIRS").map_or(200, |pairs| pairs.parse().unwrap())
}

#[test]
fn what_an_explanation_says_is_so() {
    let (shop, mut dice) = (Shop::empty(), Dice(7));
    let tables = tables(&mut dice);
    tables.load(&shop);
    let (world, now) = (tables.world(), instant(crate::world::NOW));
    let mut tally = BTreeMap::new();
    let mut verdicts = BTreeMap::<bool, usize>::new();
    for number in 0..pairs().div_ceil(PROFILES_EACH) {
        let condition = condition(&mut dice, number % 4);
        let text = format!("CREATE OR REPLACE SEGMENT s AS WHERE {condition}");
        let outcome = shop.session().define_all(definitions(&[&text]), true);
        outcome.unwrap_or_else(|error| panic!("{text}\n{error}"));
        let inside: BTreeSet<String> = members(&world, &format!("WHERE {condition}"), now)
            .unwrap_or_else(|error| panic!("{text}\n{error}"))
            .iter()
            .map(|key| key[0].to_string())
            .collect();
        let session = shop.session();
        let evaluator = session.evaluator().unwrap();
        for _ in 0..PROFILES_EACH {
            let key = format!("p{}", dice.below(PROFILES));
            let why = evaluator.explanation("s", &key, now).unwrap_or_else(|error| panic!("{text}\n{error}"));
            let root = why.condition.as_ref().unwrap();
            assert_eq!(why.is_member, inside.contains(&key), "{text} for {key}");
            assert_eq!(why.is_member, root.truth == Some(true), "{text} for {key}");
            *verdicts.entry(why.is_member).or_default() += 1;
            let mut subject = Subject { tables: &tables, world: &world, key: &key, now, tally: &mut tally };
            subject.check(root);
        }
    }
    let leaves: usize = tally.values().sum();
    println!("in {:?}, out {:?}", verdicts.get(&true), verdicts.get(&false));
    tally.iter().for_each(|(what, count)| println!("{:5.1} % {what}", *count as f64 * 100.0 / leaves as f64));
    let seen = |part: &str| tally.keys().any(|what| what.contains(part));
    for part in ["has: ", "count: ", "max: ", "min: ", "rows go", "rows come", "NULL"] {
        assert!(seen(part), "no condition was {part}: {tally:?}");
    }
}
