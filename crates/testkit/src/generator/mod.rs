//! Random questions about random shops, for readings of the language that are to be compared.
//!
//! [`generated`] makes a shop, its named segments and variables from a seed, [`question`] a query over it that is valid by
//! construction: it goes by the grammar of the language's page, over what is in sight where an expression stands. What may
//! stand in one is a table ([`functions`]): a function is added in one line.

mod chance;
pub mod files;
pub mod functions;
mod mix;
mod questions;
mod rows;
mod sight;
mod writing;

pub use mix::Mix;
pub use questions::{Question, question};
pub use rows::{Shop, Tables};

use chance::Chance;
use muster_catalog::{ColumnType, Timestamp, parse_local};

/// The `muster.toml` of a generated shop, but for its present.
const CATALOG: &str = include_str!("shop.toml");

/// When it is now: in one shop noon in summer, in one the day on which those of 29 February have their birthday, in one half
/// past midnight, with a change of clocks in the thirty days before.
const PRESENTS: [&str; 3] = ["2025-06-30T12:00:00", "2025-02-28T12:00:00", "2025-04-28T00:30:00"];

/// The named conditions, in an order in which each needs only those before.
const SEGMENTS: [(&str, &str); 5] = [
    ("buyers", "WHERE count(orders) FILTER (WHERE orders.status IS DISTINCT FROM 'back') >= 2"),
    ("lapsed", "WHERE max(orders.placed_at) < now() - INTERVAL '120 days'"),
    ("keen", "WHERE segments.buyers AND has(replies) FILTER (WHERE replies.kind = 'click') OR tier = 'gold'"),
    ("top", "SELECT * FROM profiles ORDER BY sum(orders.total) DESC, points LIMIT 20"),
    ("unsure", "WHERE NOT segments.lapsed AND (consent IS NULL OR points > 10)"),
];

/// The named expressions over a profile, with the type that muster finds for each; a segment may be in one.
const VARIABLES: [(&str, ColumnType, &str); 4] = [
    ("spent", ColumnType::Decimal { precision: 22, scale: 2 }, "coalesce(sum(orders.total), 0.00)"),
    ("came_back", ColumnType::Int, "sum(returns.pieces)"),
    ("last_mail", ColumnType::Timestamp, "max(mails.sent_at)"),
    (
        "standing",
        ColumnType::Text,
        "CASE WHEN segments.buyers THEN 'buyer' WHEN lists.staff THEN 'staff' ELSE tier END",
    ),
];

/// The shop of this seed, with so many profiles.
///
/// # Panics
/// If the shop's own `muster.toml` is not in order.
pub fn generated(seed: u64, profiles: usize) -> Shop {
    let catalog = muster_catalog::parse("shop.toml", &catalog(seed)).expect("the shop's own catalog is in order");
    let mut shop = rows::shop(catalog, seed, profiles);
    SEGMENTS.iter().for_each(|(name, definition)| shop.world.segment(name, definition));
    shop.world.variables.extend(variables().map(|(name, _, expression)| (name.to_owned(), expression.to_owned())));
    shop
}

/// The segments' names with their definitions, each after those that it needs.
pub fn segments() -> impl Iterator<Item = (&'static str, &'static str)> {
    SEGMENTS.into_iter()
}

/// The variables' names with their types and expressions, which may need any segment.
pub fn variables() -> impl Iterator<Item = (&'static str, ColumnType, &'static str)> {
    VARIABLES.into_iter()
}

/// The `muster.toml` of the shop of this seed.
pub fn catalog(seed: u64) -> String {
    CATALOG.replace(PRESENTS[0], written_present(seed))
}

fn written_present(seed: u64) -> &'static str {
    let place = usize::try_from(seed % PRESENTS.len() as u64).expect("a place in a short list");
    PRESENTS[place]
}

/// What `now()` means in the shop of this seed.
///
/// # Panics
/// If a present is written in no known form.
pub fn present(seed: u64) -> Timestamp {
    parse_local(written_present(seed), chrono_tz::Europe::Amsterdam).expect("the presents have a known form")
}

/// The instants as of which one may ask: that of a change, that of an order, one that the clocks skip, one that they repeat,
/// and one that is still to come.
pub fn instants(shop: &Shop, seed: u64) -> Vec<Timestamp> {
    let (mut chance, present) = (Chance::of(&[seed, 2]), present(seed));
    let changes: Vec<Timestamp> =
        shop.world.changes.iter().map(|change| change.at).filter(|at| *at <= present).collect();
    let orders = &shop.world.tables["orders"].rows;
    let placed = orders.iter().filter_map(|row| match row[2] {
        crate::world::Value::Instant(micros) => Some(Timestamp::from_micros(micros)),
        _ => None,
    });
    let placed: Vec<Timestamp> = placed.filter(|at| *at <= present).collect();
    let fixed = ["2025-03-30T02:30", "2024-10-27T02:15", "2025-12-31T23:59:59"].into_iter();
    let fixed = fixed.filter_map(|text| parse_local(text, chrono_tz::Europe::Amsterdam).ok());
    let some = [&changes, &placed].into_iter().filter(|among| !among.is_empty());
    let some: Vec<Timestamp> = some.map(|among| *chance.pick(among)).collect();
    some.into_iter().chain(fixed).collect()
}
