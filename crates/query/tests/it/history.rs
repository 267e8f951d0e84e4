//! Aggregates over each profile's own rows, and what rows see above and beside them.

use crate::world::World;

#[test]
fn each_profile_is_reduced_over_its_own_history() {
    World::shop().check(
        "SELECT id, count(orders) AS n, sum(orders.total) AS spent, min(orders.total) AS least, max(orders.placed_at) AS last,
                has(orders) AS bought
         FROM profiles ORDER BY id",
        &[
            "ann 3 123.60 3.30 2025-06-30T01:30:00+02:00 true",
            "bob 1 50.00 50.00 2025-03-01T11:00:00+01:00 true",
            "cas 0 - - - false",
        ],
    );
}

#[test]
fn a_deeper_level_counts_its_rows_and_a_filter_sees_their_lookups() {
    World::shop().check(
        "SELECT id, count(lines) AS n, sum(lines.quantity * lines.price) AS worth, count(DISTINCT lines.sku) AS things,
                count(lines) FILTER (WHERE products.category = 'Sofas') AS sofas
         FROM profiles ORDER BY id",
        &["ann 4 123.60 3 1", "bob 1 50.00 1 1", "cas 0 - 0 0"],
    );
}

#[test]
fn conditions_over_history_choose_profiles() {
    let shop = World::shop();
    assert_eq!(shop.members("count(orders) FILTER (WHERE orders.total > 10) >= 2"), [0]);
    assert_eq!(shop.members("max(orders.placed_at) < now() - INTERVAL '90 days'"), [1]);
    assert_eq!(shop.members("has(lines) FILTER (WHERE products.category = 'Sofas')"), [0, 1]);
    assert_eq!(shop.members("country = 'NL' AND NOT has(orders)"), [2]);
}

#[test]
fn a_row_sees_its_ancestors_and_the_lookups_on_its_way() {
    World::shop().check(
        "SELECT order_id, sku, category, country, placed_at FROM lines ORDER BY order_id, sku",
        &[
            "o1 lamp Lighting NL 2024-12-24T11:00:00+01:00",
            "o1 sofa Sofas NL 2024-12-24T11:00:00+01:00",
            "o2 lamp Lighting NL 2025-03-01T11:00:00+01:00",
            "o3 vase - NL 2025-06-30T01:30:00+02:00",
            "o4 sofa Sofas BE 2025-03-01T11:00:00+01:00",
        ],
    );
}

#[test]
fn groups_average_over_profiles_what_each_has_in_its_history() {
    let shop = World::shop();
    shop.check(
        "SELECT country, count(*) AS profiles, avg(sum(orders.total)) AS per_buyer, sum(count(orders)) AS orders
         FROM profiles GROUP BY country ORDER BY country",
        &["BE 1 50.0 1", "NL 2 123.6 3"],
    );
    shop.check(
        "SELECT count(orders) AS bought, count(*) AS profiles FROM profiles GROUP BY count(orders) ORDER BY bought",
        &["0 1", "1 1", "3 1"],
    );
}

#[test]
fn the_rest_is_sql() {
    let shop = World::shop();
    shop.check(
        "WITH large AS (SELECT customer, total FROM orders WHERE total > 10)
         SELECT customer, sum(total) AS spent FROM large GROUP BY customer ORDER BY customer",
        &["ann 120.30", "bob 50.00"],
    );
    shop.check(
        "SELECT a.order_id, b.sku FROM orders a JOIN lines b ON a.order_id = b.order_id WHERE b.quantity > 1 ORDER BY b.sku, a.order_id",
        &["o1 lamp", "o2 lamp"],
    );
    shop.check(
        "SELECT order_id, row_number() OVER (PARTITION BY customer ORDER BY placed_at DESC) AS nth FROM orders ORDER BY order_id",
        &["o1 3", "o2 2", "o3 1", "o4 1"],
    );
    shop.check(
        "SELECT country, sum(total) AS spent FROM orders GROUP BY CUBE (country) ORDER BY country",
        &["BE 50.00", "NL 123.60", "- 173.60"],
    );
    shop.check("SELECT id FROM profiles WHERE income = (SELECT max(income) FROM profiles)", &["ann"]);
    shop.check(
        "SELECT country FROM profiles UNION SELECT category FROM products ORDER BY country",
        &["BE", "Lighting", "NL", "Sofas"],
    );
    shop.check("SELECT count(*) AS n FROM products", &["2"]);
}

#[test]
fn ties_of_a_top_n_go_to_the_lower_key_and_no_value_comes_last() {
    let shop = World::shop();
    shop.check("SELECT id FROM profiles ORDER BY income DESC", &["ann", "cas", "bob"]);
    shop.check("SELECT order_id FROM orders ORDER BY date_trunc('day', placed_at) LIMIT 2", &["o1", "o2"]);
    shop.check("SELECT id FROM profiles LIMIT 2", &["ann", "bob"]);
}
