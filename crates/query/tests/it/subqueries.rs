//! Queries inside expressions: in history aggregates, where each is made once beside the rows, and elsewhere.

use crate::world::{World, check_each};

#[track_caller]
/// The orders are of 100.10, 20.20 and 3.30 by Ann and of 50.00 by Bob: 43.40 in the mean.
#[test]
fn a_value_of_a_query_is_one_for_all_rows() {
    check_each("count(orders) FILTER (WHERE orders.total > (SELECT avg(total) FROM orders))", ["1", "1", "0"]);
    check_each("sum(orders.total - (SELECT min(total) FROM orders))", ["113.70", "46.70", "-"]);
    check_each(
        "count(orders) FILTER (WHERE orders.total > (SELECT total FROM orders WHERE order_id = 'o9'))",
        ["0", "0", "0"],
    );
}

#[test]
fn a_row_is_one_of_those_that_a_query_lists() {
    let of = |condition: &str| format!("count(lines) FILTER (WHERE {condition})");
    check_each(&of("lines.sku IN (SELECT sku FROM products WHERE category = 'Lighting')"), ["2", "0", "0"]);
    check_each(&of("lines.sku NOT IN (SELECT sku FROM products)"), ["1", "0", "0"]);
    // It lists the lamp twice, and counts each line once.
    check_each(&of("lines.sku IN (SELECT sku FROM lines WHERE quantity > 1)"), ["2", "0", "0"]);
    check_each(
        "sum(CASE WHEN orders.order_id IN (SELECT order_id FROM lines WHERE quantity > 1) THEN 1 ELSE 0 END)",
        ["2", "0", "-"],
    );
}

/// Incomes are 30000, none and 0; the vase has no category.
#[test]
fn what_is_missing_in_a_list_or_is_looked_for_makes_it_unknown() {
    let orders = |condition: &str| format!("count(orders) FILTER (WHERE {condition})");
    check_each(&orders("orders.total NOT IN (SELECT income FROM profiles)"), ["0", "0", "0"]);
    check_each(&orders("(orders.total IN (SELECT income FROM profiles)) IS NULL"), ["3", "1", "0"]);
    check_each(&orders("orders.total NOT IN (SELECT income FROM profiles WHERE income IS NOT NULL)"), ["3", "1", "0"]);
    check_each(&orders("orders.total - orders.total IN (SELECT income FROM profiles)"), ["3", "1", "0"]);
    let lines = |condition: &str| format!("count(lines) FILTER (WHERE {condition})");
    check_each(&lines("products.category NOT IN (SELECT category FROM products WHERE sku = 'sofa')"), ["2", "0", "0"]);
    check_each(&lines("products.category NOT IN (SELECT category FROM products WHERE sku = 'none')"), ["4", "1", "0"]);
    check_each(&lines("products.category IN (SELECT category FROM products WHERE sku = 'none')"), ["0", "0", "0"]);
}

#[test]
fn whether_a_query_has_rows_is_one_answer_for_all() {
    let of = |condition: &str| format!("has(orders) FILTER (WHERE {condition})");
    check_each(&of("EXISTS (SELECT 1 FROM lines WHERE quantity > 3)"), ["true", "true", "false"]);
    check_each(&of("NOT EXISTS (SELECT 1 FROM lines WHERE quantity > 3)"), ["false", "false", "false"]);
    check_each(&of("EXISTS (SELECT 1 FROM lines WHERE quantity > 4)"), ["false", "false", "false"]);
    check_each(&of("EXISTS (SELECT sku FROM lines ORDER BY sku LIMIT 0)"), ["false", "false", "false"]);
}

#[test]
fn such_queries_stand_in_aggregates_of_aggregates_and_reduce_histories_themselves() {
    check_each(
        "count(orders) FILTER (WHERE has(lines) FILTER (WHERE lines.sku IN (SELECT sku FROM products WHERE category = 'Sofas')))",
        ["1", "1", "0"],
    );
    check_each(
        "count(orders) FILTER (WHERE orders.customer IN (SELECT id FROM profiles WHERE count(orders) > 1))",
        ["3", "0", "0"],
    );
    check_each(
        "count(orders) FILTER (WHERE orders.total > 10 AND count(lines) IN (SELECT quantity FROM lines WHERE quantity > 1))",
        ["1", "0", "0"],
    );
    check_each(
        "sum(l => latest(orders, 1, l.order_id NOT IN (SELECT order_id FROM lines WHERE sku = 'vase')), l.total)",
        ["20.20", "50.00", "-"],
    );
}

#[test]
fn aggregates_of_one_history_keep_their_own_lists() {
    World::shop().check(
        "WITH lamps AS (SELECT order_id FROM lines WHERE sku = 'lamp')
         SELECT id, count(orders) AS n, count(orders) FILTER (WHERE order_id IN (SELECT order_id FROM lamps)) AS lamps,
                sum(orders.total) FILTER (WHERE order_id IN (SELECT order_id FROM lines WHERE sku = 'sofa')) AS sofas
         FROM profiles ORDER BY id",
        &["ann 3 2 100.10", "bob 1 0 50.00", "cas 0 0 -"],
    );
}

/// Incomes are 30000 of Ann, none of Bob and 0 of Cas. The engine by itself takes what is unknown for FALSE.
#[test]
fn what_is_unknown_stays_so_wherever_it_is_asked() {
    let shop = World::shop();
    let large = "(SELECT income FROM profiles WHERE income > 100)";
    for (condition, expected) in [
        (format!("income IN {large}"), vec![0]),
        (format!("income NOT IN {large}"), vec![2]),
        (format!("NOT (income IN {large})"), vec![2]),
        (format!("income IN {large} OR country = 'XX'"), vec![0]),
        (format!("income NOT IN {large} OR country = 'XX'"), vec![2]),
        (format!("(income IN {large}) IS NULL"), vec![1]),
        (format!("NOT (income IN {large} AND country = 'BE')"), vec![0, 2]),
        (
            format!("CASE WHEN income IN {large} THEN 'in' WHEN NOT (income IN {large}) THEN 'out' ELSE '?' END = '?'"),
            vec![1],
        ),
        (format!("income NOT IN {large} OR income NOT IN (SELECT income FROM profiles WHERE income = 0)"), vec![0, 2]),
        ("income NOT IN (SELECT income FROM profiles) OR country = 'XX'".to_owned(), vec![]),
    ] {
        assert_eq!(shop.members(&condition), expected, "{condition}");
    }
    check_each(&format!("income IN {large}"), ["true", "-", "false"]);
    check_each("country IN (SELECT sku FROM lines WHERE quantity > 9)", ["false", "false", "false"]);
}

#[test]
fn a_query_stands_in_what_is_shown_counted_and_grouped() {
    let shop = World::shop();
    check_each("EXISTS (SELECT 1 FROM lines WHERE quantity > 3)", ["true", "true", "true"]);
    check_each("NOT EXISTS (SELECT 1 FROM lines WHERE quantity > 3)", ["false", "false", "false"]);
    let bought = "id IN (SELECT customer FROM orders WHERE total < 60)";
    shop.check(
        &format!("SELECT count(*) FILTER (WHERE {bought}) AS n, count(*) FILTER (WHERE ({bought}) IS NOT TRUE) AS m FROM profiles"),
        &["2 1"],
    );
    shop.check(
        &format!("SELECT {bought} AS b, count(*) AS n FROM profiles GROUP BY {bought} ORDER BY b"),
        &["false 1", "true 2"],
    );
    shop.check(&format!("SELECT id FROM profiles ORDER BY {bought}, id DESC"), &["cas", "bob", "ann"]);
}

#[test]
fn a_query_about_the_row_around_it_is_a_condition() {
    let shop = World::shop();
    assert_eq!(shop.members("50 IN (SELECT total FROM orders WHERE customer = profiles.id)"), [1]);
    shop.check(
        "SELECT p.id FROM profiles AS p WHERE EXISTS (SELECT 1 FROM orders AS o WHERE o.customer = p.id AND o.total > 60) OR p.country = 'BE' ORDER BY p.id",
        &["ann", "bob"],
    );
}
