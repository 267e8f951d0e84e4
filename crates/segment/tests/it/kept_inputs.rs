//! What scores are counted from, kept and mended: the same to the bit as asked afresh, whatever was loaded between, and less
//! work.

use muster_catalog::{Class, Timestamp};
use muster_segment::{Asked, Classes, Grants, KeptInputs, Outcome, Scoring, Session, Workbench};
use muster_store::TableInput;

use crate::world::{Shop, input, instant, rows, run};

const CATALOG: &str = r#"
[workspace]
name = "kept"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"
created_at = "joined"
deleted = "gone"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
deleted = "gone"
purchase = { value = "sum(order_lines.price) + total", when = "status <> 'returned' AND profiles.country <> 'XX'" }

[tables.order_lines]
source = "lines.csv"
key = "line_id"
parent = "orders"
on = "order_id"
deleted = "gone"

[tables.visits]
source = "visits.csv"
parent = "profiles"
on = "customer"
time = "seen_at"

[tables.kinds]
source = "kinds.csv"
key = "kind"
lookup = { kinds = "order_lines.kind" }
"#;

const CUSTOMERS: &[(&str, &str)] = &[("id", "id"), ("joined", "timestamp"), ("country", "text"), ("gone", "bool")];
const ORDERS: &[(&str, &str)] = &[
    ("order_id", "id"),
    ("customer", "id"),
    ("placed_at", "timestamp"),
    ("status", "text"),
    ("total", "decimal(12,2)"),
    ("gone", "bool"),
];
const LINES: &[(&str, &str)] =
    &[("line_id", "id"), ("order_id", "id"), ("kind", "id"), ("price", "decimal(12,2)"), ("gone", "bool")];
const VISITS: &[(&str, &str)] = &[("customer", "id"), ("seen_at", "timestamp")];
const KINDS: &[(&str, &str)] = &[("kind", "id"), ("weight", "int")];

const EVERYTHING: &str = "SELECT id, cadence.purchases, cadence.first_at, cadence.last_at, cadence.span_days,
    cadence.mean_gap_days, cadence.days_since_last, cadence.total, cadence.mean_value, reactivation.due_at, rfm.cell,
    rfm.monetary FROM profiles ORDER BY id";

/// A number that looks like chance and is always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// A shop to which things happen.
struct Story {
    shop: Shop,
    catalog: String,
    chance: Chance,
    customers: u64,
    orders: u64,
    lines: u64,
    is_begun: bool,
}

/// Days of 2025, from the first of January on: until the last of April nearly all of it happens, and the rest in the days that
/// follow, which the story reaches.
const DAYS: u64 = 119;
const LATER_DAYS: u64 = 30;

impl Story {
    fn begun(seed: u64, catalog: &str) -> Self {
        let mut shop = Shop::empty();
        shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", catalog).unwrap()).unwrap();
        let catalog = catalog.to_owned();
        let mut story =
            Self { shop, catalog, chance: Chance(seed), customers: 0, orders: 0, lines: 0, is_begun: false };
        let inputs = story.inputs(400, 900, 1500, 50);
        story.shop.load_as(&story.catalog, inputs);
        story.is_begun = true;
        story
    }

    fn at(&mut self) -> String {
        let is_later = self.chance.one_in(if self.is_begun { 6 } else { 60 });
        let day = if is_later { DAYS + self.chance.below(LATER_DAYS) } else { self.chance.below(DAYS) };
        let (day, second) = (day as i64, self.chance.below(86_400) as i64);
        let at = instant("2025-01-01T00:00:00").micros() + (day * 86_400 + second) * 1_000_000;
        chrono::DateTime::from_timestamp_micros(at).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// One that is there, or a new one.
    fn number(&mut self, known: u64, share_of_new: u64) -> u64 {
        if known == 0 || self.chance.one_in(share_of_new) { known } else { self.chance.below(known) }
    }

    fn gone(&mut self) -> &'static str {
        if self.chance.one_in(8) { "true" } else { "false" }
    }

    fn customer_rows(&mut self, count: u64, is_first: bool) -> Vec<String> {
        let row = |story: &mut Self| {
            let number = if is_first { story.customers } else { story.number(story.customers, 2) };
            story.customers = story.customers.max(number + 1);
            let (joined, country) = (story.at(), ["NL", "BE", "XX"][story.chance.below(3) as usize]);
            let gone = if is_first { "false" } else { story.gone() };
            format!("p{number} {joined} {country} {gone}")
        };
        (0..count).map(|_| row(self)).collect()
    }

    fn order_rows(&mut self, count: u64, is_first: bool) -> Vec<String> {
        let row = |story: &mut Self| {
            let number = if is_first { story.orders } else { story.number(story.orders, 2) };
            story.orders = story.orders.max(number + 1);
            // Some wait for their customer.
            let customer = story.chance.below(story.customers + 5);
            let (at, gone) = (story.at(), if is_first { "false" } else { story.gone() });
            let status = ["paid", "paid", "open", "returned"][story.chance.below(4) as usize];
            let cents = story.chance.below(90_000);
            format!("o{number} p{customer} {at} {status} {}.{:02} {gone}", cents / 100, cents % 100)
        };
        (0..count).map(|_| row(self)).collect()
    }

    fn line_rows(&mut self, count: u64, is_first: bool) -> Vec<String> {
        let row = |story: &mut Self| {
            let number = if is_first { story.lines } else { story.number(story.lines, 2) };
            story.lines = story.lines.max(number + 1);
            let (order, kind, price) =
                (story.chance.below(story.orders + 5), story.chance.below(4), story.chance.below(5000));
            let gone = if is_first { "false" } else { story.gone() };
            format!("l{number} o{order} k{kind} {}.{:02} {gone}", price / 100, price % 100)
        };
        (0..count).map(|_| row(self)).collect()
    }

    fn inputs(&mut self, customers: u64, orders: u64, lines: u64, visits: u64) -> Vec<TableInput> {
        let is_first = self.customers == 0;
        let customers = self.customer_rows(customers, is_first);
        let orders = self.order_rows(orders, is_first);
        let lines = self.line_rows(lines, is_first);
        let seen = |story: &mut Self| format!("p{} {}", story.chance.below(story.customers), story.at());
        let visits: Vec<String> = (0..visits).map(|_| seen(self)).collect();
        let kinds = if is_first { vec!["k0 1".to_owned(), "k1 2".to_owned(), "k2 3".to_owned()] } else { Vec::new() };
        let all = [
            ("profiles", CUSTOMERS, customers),
            ("orders", ORDERS, orders),
            ("order_lines", LINES, lines),
            ("visits", VISITS, visits),
            ("kinds", KINDS, kinds),
        ];
        let some = all.into_iter().filter(|(.., rows)| !rows.is_empty());
        some.map(|(table, columns, rows)| input(table, columns, &rows.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect()
    }

    /// A few rows of some tables, by one of the ways in which they come.
    fn happens(&mut self) -> &'static str {
        let [customers, orders, lines, visits] = [3, 5, 5, 4].map(|most| self.chance.below(most));
        let inputs = self.inputs(customers, orders, lines, visits);
        match self.chance.below(12) {
            0 => self.shop.make_files_as(&self.catalog, Timestamp::from_micros(1)),
            1..=4 => self.shop.load_as(&self.catalog, inputs),
            5 => {
                self.shop.load_as(&self.catalog, inputs);
                self.undone();
                return "undo";
            }
            _ if inputs.is_empty() => {}
            _ => self.shop.append_as(&self.catalog, &inputs, Timestamp::from_micros(1)),
        }
        "rows"
    }

    fn undone(&self) {
        let (catalog, now) = (muster_catalog::parse("muster.toml", &self.catalog).unwrap(), Timestamp::from_micros(1));
        let (load, prepared) = self.shop.state.read(|tx| self.shop.store.prepare_undo(&catalog, tx, now)).unwrap();
        self.shop.state.write(|tx| self.shop.store.commit_undo(tx, &load, &prepared)).unwrap();
        self.shop.store.adopt(prepared);
    }

    /// Everything as of an instant, counted from these inputs.
    fn told(&self, inputs: &KeptInputs, as_of: Timestamp) -> Vec<String> {
        let bench = Workbench { inputs, ..self.shop.bench() };
        answer(&mut Session::new(bench, Some(as_of)).unwrap(), EVERYTHING)
    }

    /// What is kept says what is asked afresh.
    #[track_caller]
    fn check(&self, as_of: Timestamp, what: &str) {
        let (kept, afresh) = (self.told(&self.shop.inputs, as_of), self.told(&KeptInputs::default(), as_of));
        let differs = kept.iter().zip(&afresh).find(|(kept, afresh)| kept != afresh);
        assert_eq!((differs, kept.len()), (None, afresh.len()), "{what}");
    }
}

fn answer(session: &mut Session<'_>, text: &str) -> Vec<String> {
    match run(session, text).unwrap() {
        Outcome::Answer(answer) => rows(&answer),
        other => panic!("{other:?}"),
    }
}

fn days_after(start: Timestamp, hours: u64) -> Timestamp {
    Timestamp::from_micros(start.micros() + hours as i64 * 3_600_000_000)
}

/// Stories of forty steps each.
const SEEDS: u64 = 3;

#[test]
fn what_is_kept_and_mended_is_what_is_asked_afresh() {
    let mut all = Asked::default();
    for seed in 0..SEEDS {
        let mut story = Story::begun(seed, CATALOG);
        let mut now = instant("2025-05-01T12:00:00");
        story.check(now, "at first");
        for step in 0..40 {
            let what = story.happens();
            match story.chance.below(6) {
                // It is asked as of earlier, too.
                0 => story.check(instant("2025-03-01T00:00:00"), "earlier"),
                1 => {}
                _ => now = days_after(now, story.chance.below(40)),
            }
            story.check(now, &format!("seed {seed}, step {step}, {what}"));
        }
        let asked = story.shop.inputs.asked();
        all = Asked { of_all: all.of_all + asked.of_all, of_each: all.of_each + asked.of_each };
    }
    // A sixth of the steps asks as of earlier, too, three times; of the others most are mended.
    assert!(all.of_all < SEEDS * 24 && all.of_each > SEEDS * 200, "{all:?}");
}

/// Which profiles are asked again: who is touched, and whose order becomes visible.
#[test]
fn only_the_touched_are_asked_again() {
    let story = Story::begun(7, CATALOG);
    let now = instant("2025-05-01T12:00:00");
    let (shop, catalog) = (&story.shop, &story.catalog);
    let asked = |as_of: Timestamp| {
        let before = shop.inputs.asked();
        story.check(as_of, "kept");
        let after = shop.inputs.asked();
        (after.of_all - before.of_all, after.of_each - before.of_each)
    };
    assert_eq!(asked(now), (1, 0));
    // The same again, by another session.
    assert_eq!(asked(now), (0, 0));
    let append = |inputs: &[TableInput]| shop.append_as(catalog, inputs, Timestamp::from_micros(1));
    append(&[input("orders", ORDERS, &["new1 p3 2025-04-30T10:00:00Z paid 5.00 false"])]);
    assert_eq!(asked(now), (0, 1));
    // A visit is no purchase.
    append(&[input("visits", VISITS, &["p4 2025-04-30T10:00:00Z"])]);
    assert_eq!(asked(now), (0, 0));
    // A line of the order, a change of the order's customer, a change of the customer, a deleted order.
    append(&[input("order_lines", LINES, &["new1 new1 k1 2.00 false"])]);
    assert_eq!(asked(now), (0, 1));
    append(&[input("orders", ORDERS, &["new1 p5 2025-04-29T10:00:00Z paid 5.00 false"])]);
    assert_eq!(asked(now), (0, 2));
    append(&[input("profiles", CUSTOMERS, &["p5 2025-01-01T00:00:00Z XX false"])]);
    assert_eq!(asked(now), (0, 1));
    append(&[input("orders", ORDERS, &["new1 p5 2025-04-29T10:00:00Z paid 5.00 true"])]);
    assert_eq!(asked(now), (0, 1));
    // What comes later than now is not there yet; the profile is looked at again when it may be.
    append(&[input("orders", ORDERS, &["new2 p6 2025-09-30T10:00:00Z paid 5.00 false"])]);
    assert_eq!(asked(now), (0, 1));
    // A lookup that nobody reads, and an earlier instant.
    append(&[input("kinds", KINDS, &["k9 1"])]);
    assert_eq!(asked(now), (0, 0));
    // Of an earlier instant nothing is kept: each of the scores asks.
    assert_eq!(asked(instant("2025-04-01T00:00:00")), (3, 0));
    assert_eq!(asked(now), (0, 0));
}

/// Of three customers one order lies ahead; when it comes, its customer is asked, and nobody else.
#[test]
fn time_alone_asks_whose_order_came() {
    let mut shop = Shop::empty();
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", CATALOG).unwrap()).unwrap();
    let customers =
        ["a 2025-01-01T00:00:00Z NL false", "b 2025-01-01T00:00:00Z NL false", "c 2025-02-01T00:00:00Z NL false"];
    let orders = ["o1 a 2025-01-02T10:00:00Z paid 1.00 false", "o2 b 2025-01-20T10:00:00Z paid 1.00 false"];
    let lines = ["l1 o1 k1 1.00 false", "l2 o2 k1 1.00 false"];
    shop.load_as(
        CATALOG,
        vec![
            input("profiles", CUSTOMERS, &customers),
            input("orders", ORDERS, &orders),
            input("order_lines", LINES, &lines),
            input("kinds", KINDS, &["k1 1"]),
        ],
    );
    let asked = |as_of: &str| {
        let before = shop.inputs.asked();
        let told =
            shop.rows(&format!("AS OF '{as_of}' SELECT id, cadence.total FROM profiles ORDER BY id"))[1..].to_vec();
        let after = shop.inputs.asked();
        (told, after.of_all - before.of_all, after.of_each - before.of_each)
    };
    let told = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
    assert_eq!(asked("2025-01-10T00:00:00"), (told(&["a | 2.00", "b | -"]), 1, 0));
    assert_eq!(asked("2025-01-11T00:00:00"), (told(&["a | 2.00", "b | -"]), 0, 2));
    assert_eq!(asked("2025-01-21T00:00:00"), (told(&["a | 2.00", "b | 2.00"]), 0, 2));
    assert_eq!(asked("2025-02-02T00:00:00"), (told(&["a | 2.00", "b | 2.00", "c | -"]), 0, 2));
    // One that comes while it still lies ahead is looked at then and when its time has come.
    let ahead = ["o3 a 2025-03-01T10:00:00Z paid 1.00 false"];
    let line = ["l3 o3 k1 1.00 false"];
    shop.append_as(
        CATALOG,
        &[input("orders", ORDERS, &ahead), input("order_lines", LINES, &line)],
        Timestamp::from_micros(1),
    );
    assert_eq!(asked("2025-02-03T00:00:00"), (told(&["a | 2.00", "b | 2.00", "c | -"]), 0, 3));
    assert_eq!(asked("2025-03-02T00:00:00"), (told(&["a | 4.00", "b | 2.00", "c | -"]), 0, 3));
}

/// What looks at the clock, at names, or at what changed since is asked of everybody; what masks hide is kept for nobody.
#[test]
fn what_cannot_be_mended_is_asked_of_everybody() {
    let day = instant("2025-05-01T12:00:00");
    for (when, is_mended) in [
        ("status <> 'returned'", true),
        ("has(order_lines) FILTER (WHERE kinds.weight > 1)", true),
        ("placed_at > now() - INTERVAL '90 days'", false),
        ("segments.dutch", false),
        ("total > (SELECT avg(total) FROM orders)", false),
    ] {
        let catalog = CATALOG.replacen("status <> 'returned' AND profiles.country <> 'XX'", when, 1);
        assert_ne!((catalog == CATALOG, when), (true, when));
        let story = Story::begun(3, &catalog);
        story.shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
        let told = |as_of: Timestamp| {
            let mut session = Session::new(story.shop.bench(), Some(as_of)).unwrap();
            run(&mut session, EVERYTHING).map(drop)
        };
        if told(day).is_err() {
            continue;
        }
        let rows = [input("orders", ORDERS, &["new1 p3 2025-04-30T10:00:00Z paid 5.00 false"])];
        story.shop.append_as(&catalog, &rows, Timestamp::from_micros(1));
        story.check(days_after(day, 1), when);
        assert_eq!(story.shop.inputs.asked().of_each > 0, is_mended, "{when}");
    }
    // A field that changed after the instant is another one then.
    let story = Story::begun(4, CATALOG);
    story.check(day, "before");
    let rows = [input("profiles", CUSTOMERS, &["p3 2025-01-01T00:00:00Z XX false"])];
    story.shop.append_as(&story.catalog, &rows, instant("2025-06-01T00:00:00"));
    story.check(day, "as it was");
    assert_eq!(story.shop.inputs.asked(), Asked { of_all: 4, of_each: 0 });
    story.check(instant("2025-06-02T00:00:00"), "as it is");
}

#[test]
fn what_masks_hide_is_neither_kept_nor_given() {
    let story = Story::begun(5, CATALOG);
    let day = instant("2025-05-01T12:00:00");
    story.check(day, "before");
    let text = format!("{CATALOG}\n[tables.orders.columns]\ntotal = {{ class = \"sensitive\" }}\n");
    let classes = Classes::declared(&muster_catalog::parse("muster.toml", &text).unwrap());
    let classes = classes.granted(Grants::of([Class::Internal, Class::Personal]));
    let mut analyst = Session::new(story.shop.bench(), Some(day)).unwrap().with_classes(classes);
    let error = run(&mut analyst, "SELECT cadence.purchases FROM profiles").unwrap_err().to_string();
    assert!(error.starts_with("`orders.total` is sensitive"), "{error}");
}
