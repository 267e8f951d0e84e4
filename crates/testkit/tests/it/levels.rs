//! Rule 1: over which table an aggregate ranges, and what else it may mention.

use muster_testkit::interpreter::Kind;

use crate::shop::{each, fails, rows, who, wrong};

/// Ann's three web orders above 100 are o1, o6 and o2; her last order is of 25 March, before 1 April.
#[test]
fn the_query_that_opens_the_page() {
    rows(
        "SELECT email, sum(orders.total) AS spent
         FROM profiles
         WHERE country IN ('NL', 'BE')
           AND count(orders) FILTER (WHERE orders.total > 100 AND orders.channel = 'web') >= 3
           AND max(orders.placed_at) < now() - INTERVAL '90 days'
           AND has(order_lines) FILTER (WHERE products.category = 'Sofas')
           AND NOT segments.unsubscribed",
        "ann@x.nl 550.00",
    );
}

#[test]
fn the_deepest_history_table_is_the_level() {
    each("sum(orders.total)", "550.00, 300.00, NULL, NULL");
    each("sum(order_lines.quantity * order_lines.price)", "550.00, 300.00, NULL, NULL");
    // 2 · 1.10 + 1 · 1.10 + 1 · 1.00 + 1 · 1.00, and o3 has no rate; 1 · 2.00 + 3 · 1.00.
    each("sum(order_lines.quantity * orders.rate)", "5.30, 5.00, NULL, NULL");
}

#[test]
fn a_lookup_stands_for_the_one_history_on_whose_path_it_is() {
    each("max(site.city)", "Utrecht, Utrecht, NULL, NULL");
    wrong("max(products.cost) > 10", Kind::AmbiguousName);
    // Beside lines of orders, products are those of the lines: 2 · 30, 1 · 10, 1 · 10, 1 · 5, 4 · 5.
    each("max(order_lines.quantity * products.cost)", "60.00, 30.00, NULL, NULL");
    each("max(cart_lines.quantity * products.cost)", "30.00, 10.00, NULL, NULL");
    // A lookup on the path of the grain stands for no history.
    rows("SELECT max(home_site.city) FROM profiles", "Utrecht");
}

#[test]
fn what_is_below_the_level_is_out_of_sight() {
    wrong("sum(orders.total) FILTER (WHERE products.category = 'Sofas') > 0", Kind::Level);
    wrong("sum(orders.total) FILTER (WHERE order_lines.quantity > 1) > 0", Kind::Level);
    // The hint: o1 and o6 have sofas, and o4.
    each(
        "sum(orders.total) FILTER (WHERE has(order_lines) FILTER (WHERE products.category = 'Sofas'))",
        "270.00, 300.00, NULL, NULL",
    );
}

#[test]
fn what_is_above_the_level_and_its_lookups_are_in_sight() {
    who("has(order_lines) FILTER (WHERE orders.channel = 'app')", "bob");
    who("has(order_lines) FILTER (WHERE profiles.country = 'NL')", "ann");
    who("has(order_lines) FILTER (WHERE site.city = 'Gent')", "ann");
    who("has(order_lines) FILTER (WHERE home_site.city = 'Gent')", "bob");
}

#[test]
fn two_branches_in_one_argument_are_an_error_that_names_both() {
    let message = wrong("count(orders.order_id || carts.cart_id) > 1", Kind::Level);
    assert!(message.contains("`orders`") && message.contains("`carts`"), "{message}");
    wrong("max(order_lines.quantity + cart_lines.quantity) > 1", Kind::Level);
}

#[test]
fn an_argument_without_history_makes_a_group_aggregate() {
    rows("SELECT max(points), count(points), count(*) FROM profiles", "30 3 4");
    rows("SELECT max(count(order_lines)) FROM profiles", "5");
    each("max(o => orders, count(order_lines))", "2, 1, NULL, NULL");
}

#[test]
fn below_another_grain_history_is_that_of_the_shared_ancestor() {
    rows("SELECT cart_id, count(orders) FROM carts", "k1 4, k2 2, k3 0");
    rows("SELECT cart_id, count(cart_lines) FROM carts", "k1 1, k2 1, k3 0");
    rows(
        "SELECT order_id, sum(order_lines.price) FROM orders",
        "o1 70.00, o6 150.00, o2 200.00, o3 20.00, o4 300.00, o5 NULL",
    );
}

#[test]
fn where_there_is_no_grain_there_is_no_history() {
    rows("SELECT product_id FROM products WHERE cost > 8", "A, C");
    fails("SELECT has(orders) FROM products", Kind::Grain);
    fails("SELECT count(orders) FROM lists.staff", Kind::Grain);
    fails("SELECT count(stores) FROM profiles", Kind::Level);
}
