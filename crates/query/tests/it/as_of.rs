//! What became known later is not there, in any table, at any depth.

use crate::world::World;

#[test]
fn rows_of_later_are_hidden_at_every_depth() {
    let shop = World::shop();
    let rows = "SELECT id, count(orders) AS orders, count(lines) AS lines FROM profiles ORDER BY id";
    shop.check(rows, &["ann 3 4", "bob 1 1", "cas 0 0"]);
    shop.check(&format!("AS OF '2025-06-01T02:00' {rows}"), &["ann 2 3", "bob 1 1", "cas 0 0"]);
    shop.check(&format!("AS OF '2025-02-01' {rows}"), &["ann 1 2", "bob 0 0"]);
    shop.check("AS OF '2025-02-01' SELECT count(*) AS n FROM lines", &["2"]);
}

#[test]
fn a_row_is_there_from_its_own_instant_on() {
    let shop = World::shop();
    let orders = "SELECT count(*) AS n FROM orders";
    shop.check(&format!("AS OF '2025-06-29T23:29:59.999999Z' {orders}"), &["3"]);
    shop.check(&format!("AS OF '2025-06-29T23:30:00Z' {orders}"), &["4"]);
}

#[test]
fn a_profile_does_not_exist_before_it_was_created() {
    let shop = World::shop();
    shop.check("AS OF '2024-12-31' SELECT id FROM profiles ORDER BY id", &["ann"]);
    shop.check("AS OF '2023-12-31' SELECT count(*) AS n FROM profiles", &["0"]);
}

#[test]
fn now_and_today_are_those_of_the_instant() {
    let shop = World::shop();
    shop.check("SELECT DISTINCT now() AS n, today() AS t FROM profiles", &["2025-06-30T12:00:00+02:00 2025-06-30"]);
    shop.check(
        "AS OF '2025-03-30T00:30:00+01:00' SELECT id FROM profiles WHERE max(orders.placed_at) >= today() - INTERVAL '29 days' ORDER BY id",
        &["ann", "bob"],
    );
    shop.check("AS OF '2025-06-28T22:30:00Z' SELECT DISTINCT today() AS t FROM profiles", &["2025-06-29"]);
}
