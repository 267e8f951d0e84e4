//! Section 3: what is visible as of an instant. Eve came on 1 February 2025, Fay on 1 April, and of Gus nobody knows when.

use muster_catalog::parse;
use muster_testkit::interpreter::answer;
use muster_testkit::world::World;

use crate::shop::{instant, who_in};

const CATALOG: &str = r#"
[workspace]
name = "past"
time_zone = "Europe/Amsterdam"
[tables.profiles]
source = "p.csv"
key = "id"
created_at = "created_at"
updated_at = "updated_at"
[tables.profiles.columns]
id = { type = "id" }
created_at = { type = "timestamp" }
updated_at = { type = "timestamp" }
tier = { type = "text" }
store = { type = "id" }
[tables.orders]
source = "o.csv"
key = "order_id"
parent = "profiles"
on = "id"
time = "placed_at"
deleted = "deleted"
[tables.orders.columns]
order_id = { type = "id" }
id = { type = "id" }
placed_at = { type = "timestamp" }
status = { type = "text" }
deleted = { type = "bool" }
[tables.lines]
source = "l.csv"
key = "line_id"
parent = "orders"
on = "order_id"
[tables.lines.columns]
line_id = { type = "id" }
order_id = { type = "id" }
shipped = { type = "bool" }
[tables.parcels]
source = "s.csv"
key = "parcel_id"
parent = "orders"
on = "order_id"
time = "sent_at"
[tables.parcels.columns]
parcel_id = { type = "id" }
order_id = { type = "id" }
sent_at = { type = "timestamp" }
[tables.stores]
source = "stores.csv"
key = "store"
lookup = { stores = "profiles.store" }
[tables.stores.columns]
store = { type = "id" }
city = { type = "text" }
"#;

/// Eve was `new` until 1 March and `silver` until 1 May; since then she is `gold`. Her order o1 was `open` until 12
/// February; o2 was said to be of 20 March until 15 March, when it was put off to 20 April.
fn world() -> World {
    let mut world = World::new(parse("muster.toml", CATALOG).unwrap());
    world.add(
        "profiles",
        "eve | 2025-02-01 | 2025-05-01 | gold | s1
         fay | 2025-04-01 | 2025-04-01 | new  | s1
         gus | -          | -          | new  | -",
    );
    world.add(
        "orders",
        "o1 | eve | 2025-02-10 10:00 | paid | false
         o2 | eve | 2025-04-20 10:00 | paid | false
         o3 | eve | 2025-02-11 10:00 | paid | true
         o4 | fay | 2025-03-01 10:00 | paid | false
         o5 | gus | 2025-08-01 10:00 | open | false",
    );
    world.add("lines", "l1 | o1 | true\n l2 | o2 | true\n l3 | o3 | true\n l4 | o4 | true\n l5 | o5 | false");
    world.add("parcels", "p1 | o1 | 2025-02-20 10:00\n p2 | o2 | 2025-04-01 10:00");
    world.add("stores", "s1 | Utrecht");
    world.change("profiles", "eve", "tier", "silver", "2025-05-01");
    world.change("profiles", "eve", "tier", "new", "2025-03-01");
    world.change("orders", "o1", "status", "open", "2025-02-12");
    world.change("orders", "o2", "placed_at", "2025-03-20 10:00", "2025-03-15");
    world.change("stores", "s1", "city", "Gent", "2025-06-01");
    world.segment("gold", "WHERE tier = 'gold'");
    world
}

#[track_caller]
fn as_of(day: &str, definition: &str, expected: &str) {
    assert_eq!(who_in(&world(), definition, instant(day)), expected, "{day}: {definition}");
}

#[test]
fn a_profile_is_not_there_before_its_created_at() {
    as_of("2025-01-31", "TRUE", "gus");
    as_of("2025-02-01", "TRUE", "eve gus");
    as_of("2025-06-30", "TRUE", "eve fay gus");
}

#[test]
fn a_row_is_not_there_before_its_time_own_or_inherited() {
    as_of("2025-02-10T09:59:59", "has(orders)", "");
    as_of("2025-02-10T10:00:00", "has(orders)", "eve");
    as_of("2025-02-10T09:59:59", "has(lines)", "");
    as_of("2025-02-10T10:00:00", "has(lines)", "eve");
    as_of("2025-02-19", "has(parcels)", "");
    as_of("2025-02-20T10:00", "has(parcels)", "eve");
    as_of("2025-06-30", "SELECT * FROM lines WHERE shipped", "l1 l2 l4");
}

#[test]
fn below_a_row_that_is_not_there_is_nothing() {
    // Fay's order is older than Fay, and the parcel of o2 older than o2.
    as_of("2025-03-10", "SELECT * FROM orders WHERE TRUE", "o1");
    as_of("2025-04-10", "SELECT * FROM orders WHERE TRUE", "o1 o4");
    as_of("2025-04-10", "SELECT * FROM parcels WHERE TRUE", "p1");
    as_of("2025-04-20T10:00", "SELECT * FROM parcels WHERE TRUE", "p1 p2");
}

#[test]
fn a_field_has_the_value_that_the_changes_say_it_had() {
    for (day, tier) in [
        ("2025-02-15", "new"),
        ("2025-02-28T23:59:59", "new"),
        ("2025-03-01", "silver"),
        ("2025-04-30", "silver"),
        ("2025-05-01", "gold"),
        ("2026-01-01", "gold"),
    ] {
        as_of(day, &format!("tier = '{tier}' AND id = 'eve'"), "eve");
    }
    as_of("2025-02-11", "has(orders) FILTER (WHERE status = 'open')", "eve");
    as_of("2025-02-12", "has(orders) FILTER (WHERE status = 'open')", "");
}

/// Until 15 March o2 was to come on 20 March, which then had not come either.
#[test]
fn a_row_stands_at_the_time_it_then_had() {
    as_of("2025-03-21", "count(orders) = 2", "");
    as_of("2025-04-21", "count(orders) = 2", "eve");
    let mut world = world();
    world.change("orders", "o2", "placed_at", "2025-03-05 10:00", "2025-03-15");
    world
        .changes
        .retain(|change| change.old != muster_testkit::world::Value::Instant(instant("2025-03-20 10:00").micros()));
    assert_eq!(who_in(&world, "count(orders) = 2", instant("2025-03-10")), "eve");
    assert_eq!(who_in(&world, "count(orders) = 2", instant("2025-03-16")), "");
}

#[test]
fn a_deleted_row_is_gone_as_of_every_instant() {
    as_of("2025-02-11T10:00", "count(orders) = 1", "eve");
    as_of("2025-06-30", "has(lines) FILTER (WHERE line_id = 'l3')", "");
}

#[test]
fn lookups_are_not_versioned() {
    as_of("2025-04-01", "stores.city = 'Utrecht'", "eve fay");
}

#[test]
fn a_future_instant_says_who_will_match_if_nobody_acts() {
    as_of("2025-07-31", "has(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '1 month')", "");
    as_of("2025-08-02", "has(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '1 month')", "gus");
    as_of("2026-04-20T10:00:00", "max(orders.placed_at) <= now() - INTERVAL '1 year'", "eve fay");
}

#[test]
fn was_sees_rows_and_fields_of_then() {
    as_of("2025-06-30", "segments.gold AND NOT was(segments.gold, DATE '2025-04-01')", "eve");
    as_of("2025-06-30", "was(tier = 'new', DATE '2025-02-15')", "eve gus");
    as_of("2025-06-30", "was(tier <> 'gold', DATE '2025-01-01')", "gus");
}

#[test]
fn a_query_may_say_its_own_instant() {
    let query = "AS OF '2025-02-15' SELECT id, tier, count(orders) FROM profiles";
    let answer = answer(&world(), query, instant("2025-06-30")).unwrap();
    let rows: Vec<String> = answer.rows.iter().map(|row| format!("{} {} {}", row[0], row[1], row[2])).collect();
    assert_eq!(rows, ["eve new 1", "gus new 0"]);
}
