//! The rows of a generated shop, and what they were before.
//!
//! Few values and few instants, so that there are ties everywhere: rows of one instant, keys whose bytes are in another
//! order than their numbers, days on which the clocks change, empty histories, and no value in any column that may lack one.

use std::collections::BTreeMap;

use muster_catalog::{Catalog, Timestamp};

use super::chance::Chance;
use crate::world::{Change, Value, World};

/// The rows of each table.
pub type Tables = BTreeMap<String, Vec<Vec<Value>>>;

/// A shop: what is true today, and in which steps it became so.
#[derive(Debug)]
pub struct Shop {
    /// Today's rows, what fields were before, and named conditions.
    pub world: World,
    /// What came when: each step holds new rows, and newer versions of those before.
    pub loads: Vec<Tables>,
}

/// How often a row may have changed, at most.
const VERSIONS: usize = 3;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// 2024-06-01 in UTC; everything happens in the thirteen months from then on, and little after.
const BEGIN: i64 = 1_717_200_000_000_000;

/// Days since the beginning on which things happen: some in a row, the two on which the clocks change with their
/// neighbours, the end of February, and two that lie in the future.
const DAYS: [i64; 24] =
    [0, 1, 2, 30, 61, 92, 122, 147, 148, 149, 180, 214, 245, 271, 272, 300, 301, 302, 303, 330, 360, 388, 420, 500];

/// Minutes of the day, in UTC: local midnight of summer and winter, the hours that a change of clocks skips and repeats.
const MINUTES: [i64; 7] = [0, 30, 60, 90, 600, 22 * 60, 23 * 60];

/// The shop of this seed with so many profiles; its world has no segments yet.
pub fn shop(catalog: Catalog, seed: u64, profiles: usize) -> Shop {
    let mut making = Making { chance: Chance::of(&[seed, 1]), catalog, versions: BTreeMap::new(), last: BEGIN };
    making.lookups();
    making.profiles(profiles);
    making.orders();
    making.carts();
    making.mails();
    making.done()
}

struct Making {
    chance: Chance,
    catalog: Catalog,
    /// Per table its rows, each as a list of versions.
    versions: BTreeMap<String, Vec<Vec<Vec<Value>>>>,
    /// The instant that was drawn last, for ties.
    last: i64,
}

impl Making {
    fn add(&mut self, table: &str, versions: Vec<Vec<Value>>) {
        self.versions.entry(table.to_owned()).or_default().push(versions);
    }

    fn add_once(&mut self, table: &str, row: Vec<Value>) {
        self.add(table, vec![row]);
    }

    fn lookups(&mut self) {
        for number in 1..=12 {
            let category = self.one_or_null(&["Sofas", "Chairs", "Lamps", "Beds"], 12);
            let margin = self.decimal(-5_000, 90_000, 3, 10);
            let stock = self.whole(0, 20, 10);
            self.add_once("products", vec![key("p", number), category, margin, stock]);
        }
        for number in 1..=5 {
            let city = self.one_or_null(&["Ede", "Goes", "Gent", "ede"], 10);
            let opened = self.date(18_000, 20_000, 20);
            self.add_once("stores", vec![key("s", number), city, opened]);
        }
    }

    fn profiles(&mut self, count: usize) {
        for number in 1..=count {
            let customer = key("c", number);
            let created = if self.chance.percent(12) { Value::Null } else { self.instant() };
            let email = self.email(number);
            let birth = self.date(-3_000, 14_000, 15);
            let weight = self.quarter(20);
            let changing = [self.changing_profile(), self.changing_profile(), self.changing_profile()];
            let versions = self.versions_from(&created).into_iter().zip(changing).map(|(updated, fields)| {
                let [country, tier, store, interests, points, income, consent] = fields;
                let head = [customer.clone(), created.clone(), updated, country, tier, email.clone(), birth.clone()];
                let tail = [store, interests, points, income, weight.clone(), consent];
                head.into_iter().chain(tail).collect()
            });
            let versions = versions.collect();
            self.add("profiles", versions);
            if self.chance.percent(25) {
                self.add_once("lists.staff", vec![customer]);
            }
        }
    }

    fn changing_profile(&mut self) -> [Value; 7] {
        let interests = match self.chance.below(5) {
            0 => Value::Null,
            1 => Value::Set(vec!["sofas".to_owned()]),
            2 => Value::Set(vec!["lamps".to_owned(), "sofas".to_owned()]),
            _ => Value::Set(vec!["beds".to_owned(), "lamps".to_owned()]),
        };
        [
            self.one_or_null(&["NL", "BE", "DE", "nl"], 12),
            self.one_or_null(&["gold", "silver", "Gold", "new"], 10),
            self.reference("s", 6, 15),
            interests,
            self.whole(-3, 40, 15),
            self.decimal(0, 900_000, 2, 20),
            if self.chance.percent(20) { Value::Null } else { Value::Bool(self.chance.percent(50)) },
        ]
    }

    fn orders(&mut self) {
        let (mut number, mut line) = (0, 0);
        for customer in self.keys("profiles") {
            for _ in 0..self.size(30, 4) {
                number += 1;
                let order = key("o", number);
                self.order(&customer, &order);
                for _ in 0..self.size(15, 3) {
                    line += 1;
                    // Nothing about a line's key follows from its order's.
                    self.order_line(&order, key("l", line * 7_919 % 100_003));
                }
            }
        }
    }

    fn order(&mut self, customer: &Value, order: &Value) {
        let mut placed = self.instant();
        let mut versions = Vec::new();
        for updated in self.versions_from(&placed) {
            // A few are corrected: a row stands at the time that it had.
            placed = if versions.is_empty() || self.chance.percent(85) { placed } else { self.instant() };
            let channel = self.one_or_null(&["web", "store", "app"], 8);
            let status = self.one_or_null(&["open", "paid", "sent", "back"], 8);
            let expected = self.date(19_900, 20_300, 20);
            let total = self.decimal(0, 40_000, 2, 12);
            let store = self.reference("s", 6, 20);
            let head = vec![order.clone(), customer.clone(), placed.clone(), updated];
            versions.push(head.into_iter().chain([channel, status, expected, total, store]).collect());
        }
        self.add("orders", versions);
    }

    fn order_line(&mut self, order: &Value, line: Value) {
        let product = self.reference("p", 13, 8);
        let (quantity, price) = (self.whole(0, 5, 10), self.decimal(100, 20_000, 2, 10));
        for _ in 0..self.size(70, 2) {
            let returned = self.instant();
            let (reason, pieces) = (self.one_or_null(&["broken", "late", "Late"], 15), self.whole(1, 3, 15));
            self.add_once("returns", vec![line.clone(), returned, reason, pieces]);
        }
        self.add_once("order_lines", vec![line, order.clone(), product, quantity, price]);
    }

    fn carts(&mut self) {
        let mut number = 0;
        for customer in self.keys("profiles") {
            for _ in 0..self.size(40, 2) {
                number += 1;
                self.cart(&customer, &key("k", number));
            }
        }
    }

    fn cart(&mut self, customer: &Value, cart: &Value) {
        let opened = self.instant();
        let mut versions = Vec::new();
        for updated in self.versions_from(&opened) {
            let state = self.one_or_null(&["open", "closed", "left"], 8);
            let value = self.decimal(0, 30_000, 2, 15);
            versions.push(vec![cart.clone(), customer.clone(), opened.clone(), updated, state, value]);
        }
        self.add("carts", versions);
        for _ in 0..self.size(30, 2) {
            let (product, pieces) = (self.reference("p", 13, 8), self.whole(1, 4, 15));
            self.add_once("cart_lines", vec![cart.clone(), product, pieces]);
        }
    }

    fn mails(&mut self) {
        let mut number = 0;
        for customer in self.keys("profiles") {
            for _ in 0..self.size(35, 4) {
                number += 1;
                let mail = key("m", number);
                let sent = self.instant();
                let (subject, cost) = (self.one_or_null(&["sale", "news", "Sale %"], 10), self.quarter(15));
                self.add_once("mails", vec![mail.clone(), customer.clone(), sent, subject, cost]);
                for _ in 0..self.size(50, 2) {
                    let (replied, kind) = (self.instant(), self.one_or_null(&["open", "click", "bounce"], 10));
                    self.add_once("replies", vec![mail.clone(), replied, kind]);
                }
            }
        }
    }

    /// The keys of a table's rows, in an order that is not theirs.
    fn keys(&mut self, table: &str) -> Vec<Value> {
        let mut keys: Vec<Value> = self.versions[table].iter().map(|versions| versions[0][0].clone()).collect();
        for end in (1..keys.len()).rev() {
            keys.swap(end, self.chance.below(end + 1));
        }
        keys
    }

    /// How many rows stand below one: none so many times out of a hundred, else up to `most`.
    fn size(&mut self, empty: usize, most: i64) -> i64 {
        if self.chance.percent(empty) { 0 } else { self.chance.between(1, most) }
    }

    fn instant(&mut self) -> Value {
        if !self.chance.percent(30) {
            self.last = BEGIN + self.chance.pick(&DAYS) * DAY + self.chance.pick(&MINUTES) * MINUTE;
        }
        Value::Instant(self.last)
    }

    /// The instants of a row's versions, each later than the one before.
    fn versions_from(&mut self, first: &Value) -> Vec<Value> {
        let mut instant = match first {
            Value::Instant(micros) => *micros,
            _ => BEGIN,
        };
        let count = if self.chance.percent(60) { 1 } else { 1 + self.chance.below(VERSIONS) };
        let mut instants = Vec::new();
        for _ in 0..count {
            instants.push(Value::Instant(instant));
            instant += self.chance.between(1, 90) * DAY + self.chance.pick(&MINUTES) * MINUTE;
        }
        instants
    }

    fn date(&mut self, first: i64, last: i64, nulls: usize) -> Value {
        if self.chance.percent(nulls) {
            return Value::Null;
        }
        // Few days, so that some are equal; one in seven the end of a February.
        let days = first + self.chance.between(0, 40) * ((last - first) / 40);
        // 29 February of 1980, 2000 and 2024, and the day before it in 2001.
        let end_of_february = [3_711, 11_016, 19_782, 11_381];
        let days = if self.chance.percent(15) { *self.chance.pick(&end_of_february) } else { days };
        i32::try_from(days).map_or(Value::Null, Value::Date)
    }

    fn whole(&mut self, first: i64, last: i64, nulls: usize) -> Value {
        if self.chance.percent(nulls) { Value::Null } else { Value::Int(self.chance.between(first, last)) }
    }

    /// An exact number; half of them are round ones, which are often equal.
    fn decimal(&mut self, first: i64, last: i64, scale: u32, nulls: usize) -> Value {
        if self.chance.percent(nulls) {
            return Value::Null;
        }
        let units = self.chance.between(first, last);
        let units = if self.chance.percent(50) { units / 5_000 * 5_000 } else { units };
        Value::Decimal { units: units.into(), scale }
    }

    /// A double whose sums are exact in any order.
    fn quarter(&mut self, nulls: usize) -> Value {
        if self.chance.percent(nulls) { Value::Null } else { Value::Double(self.chance.between(-4, 40) as f64 / 4.0) }
    }

    fn one_or_null(&mut self, among: &[&str], nulls: usize) -> Value {
        if self.chance.percent(nulls) { Value::Null } else { Value::text(among[self.chance.below(among.len())]) }
    }

    /// A key of a lookup, of which the last is nobody's.
    fn reference(&mut self, letter: &str, count: usize, nulls: usize) -> Value {
        if self.chance.percent(nulls) { Value::Null } else { key(letter, 1 + self.chance.below(count)) }
    }

    /// Some share one, some are no address, in some there is a blank or nothing at all.
    fn email(&mut self, number: usize) -> Value {
        match self.chance.below(8) {
            0 => Value::Null,
            1 => Value::text("home@ede.nl"),
            2 => Value::text("no address"),
            3 => Value::text(" Trim@Me.be "),
            _ => Value::text(&format!("c{number}@mail.nl")),
        }
    }

    fn done(self) -> Shop {
        let mut shop = Shop { world: World::new(self.catalog), loads: Vec::new() };
        for step in 0..VERSIONS {
            let of_step = |rows: &Vec<Vec<Vec<Value>>>| rows.iter().filter_map(|row| row.get(step).cloned()).collect();
            shop.loads.push(self.versions.iter().map(|(table, rows)| (table.clone(), of_step(rows))).collect());
        }
        for (table, rows) in &self.versions {
            for versions in rows {
                remember(&mut shop.world, table, versions);
            }
        }
        shop
    }
}

/// Puts a row into the world: its last version, and what its fields were before.
fn remember(world: &mut World, table: &str, versions: &[Vec<Value>]) {
    let of_catalog = world.catalog.table(table).expect("the shop's rows are those of its catalog");
    let updated = of_catalog.updated_at.clone();
    let rows = world.tables.get_mut(table).expect("a world has every table of its catalog");
    for pair in versions.windows(2) {
        let at = rows.columns.iter().position(|(name, _)| Some(name) == updated.as_ref()).map(|at| &pair[1][at]);
        let Some(Value::Instant(at)) = at else { continue };
        let unequal = rows.columns.iter().zip(pair[0].iter().zip(&pair[1])).filter(|(_, (old, new))| old != new);
        world.changes.extend(unequal.map(|((field, _), (old, _))| Change {
            table: table.to_owned(),
            key: vec![pair[0][0].clone()],
            field: field.clone(),
            old: old.clone(),
            at: Timestamp::from_micros(*at),
        }));
    }
    rows.rows.extend(versions.last().cloned());
}

/// A key: without leading zeros, so that `c10` stands before `c9`.
fn key(letter: &str, number: usize) -> Value {
    Value::text(&format!("{letter}{number}"))
}
