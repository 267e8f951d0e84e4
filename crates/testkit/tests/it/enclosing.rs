//! Rules 3 and 4: aggregates inside aggregates, and which rows they see.

use muster_testkit::interpreter::Kind;

use crate::shop::{each, fails, rows, who, wrong};

/// o1 has two lines with sofas, o6 one, o4 one.
#[test]
fn inside_an_aggregate_over_orders_the_current_row_is_an_order() {
    each(
        "count(orders) FILTER (WHERE count(order_lines) FILTER (WHERE products.category = 'Sofas') >= 1)",
        "2, 1, 0, 0",
    );
    each(
        "count(orders) FILTER (WHERE count(order_lines) FILTER (WHERE products.category = 'Sofas') >= 2)",
        "1, 0, 0, 0",
    );
    who("count(orders) FILTER (WHERE count(order_lines) FILTER (WHERE products.category = 'Sofas') >= 3) >= 2", "");
    who("count(orders) FILTER (WHERE sum(order_lines.price) = orders.total) >= 2", "ann");
}

/// Ann's cart of 20 March was followed by o3; Bob's of 20 June by nothing.
#[test]
fn another_table_ranges_over_the_nearest_shared_ancestor() {
    who(
        "has(carts) FILTER (WHERE carts.status = 'open' AND NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at))",
        "bob",
    );
    rows("SELECT cart_id, count(x => orders) FROM carts", "k1 4, k2 2, k3 0");
}

/// Ann bought A on 10 January and B on 10 March, 59 days later at the same hour.
#[test]
fn one_thing_and_then_another_within_a_span() {
    let within = |days: u32| {
        format!(
            "has(a => order_lines) FILTER (WHERE a.product_id = 'A' AND has(b => order_lines) FILTER (
               WHERE b.product_id = 'B' AND b.orders.placed_at > a.orders.placed_at
                 AND b.orders.placed_at <= a.orders.placed_at + INTERVAL '{days} days'))"
        )
    };
    let sequence = |days: u32| {
        format!("has_sequence(order_lines, product_id = 'A', product_id = 'B', within => INTERVAL '{days} days')")
    };
    for (days, expected) in [(30, ""), (58, ""), (59, "ann"), (60, "ann")] {
        who(&within(days), expected);
        who(&sequence(days), expected);
    }
}

#[test]
fn a_sequence_has_any_number_of_conditions_and_a_filter_for_every_row() {
    who("has_sequence(order_lines, product_id = 'A')", "ann bob");
    who("has_sequence(order_lines, product_id = 'A', product_id = 'C', product_id = 'B', quantity = 4)", "ann");
    who("has_sequence(order_lines, product_id = 'B', product_id = 'A')", "");
    who("has_sequence(order_lines, product_id = 'A', product_id = 'B') FILTER (WHERE quantity < 3)", "ann");
    who("has_sequence(order_lines, product_id = 'A', product_id = 'B') FILTER (WHERE quantity < 2)", "");
    // Bob's A and X are of one instant, and Ann's A and first C too; her second C is later.
    who("has_sequence(order_lines, product_id = 'A', product_id = 'X')", "");
    who("has_sequence(order_lines, product_id = 'A', product_id = 'C')", "ann");
    who("has_sequence(order_lines, product_id = 'A', product_id = 'C') FILTER (WHERE orders.order_id = 'o1')", "");
    who("has_sequence(x => order_lines, x.quantity = 1, x.orders.channel = 'store')", "ann");
    // Never NULL: nobody without orders is unknown.
    who("has_sequence(orders, total > 1) IS NULL", "");
    who("NOT has_sequence(orders, total > 1000)", "ann bob cas dee");
    // Each step is at most the span later than the one before: 31, 28 and 15 days.
    let steps = |days: u32| {
        format!(
            "has_sequence(orders, order_id = 'o1', order_id = 'o6', order_id = 'o2', order_id = 'o3', within => INTERVAL '{days} days')"
        )
    };
    who(&steps(31), "ann");
    who(&steps(30), "");
}

#[test]
fn a_table_on_the_path_needs_a_name_and_is_the_whole_profiles() {
    rows(
        "SELECT order_id FROM orders WHERE NOT has(x => orders) FILTER (WHERE x.placed_at > orders.placed_at)",
        "o3, o4, o5",
    );
    rows("SELECT line_id, count(x => order_lines) FROM order_lines WHERE quantity > 2", "l4 5, l6 2");
    rows("SELECT order_id, count(x => profiles) FROM orders WHERE channel = 'app'", "o5 1");
    fails("SELECT order_id FROM orders WHERE has(orders)", Kind::Level);
    fails("SELECT order_id FROM orders WHERE has(profiles)", Kind::Level);
    wrong("has(orders) FILTER (WHERE has(orders))", Kind::Level);
    wrong("has(orders) FILTER (WHERE has(latest(orders, 1)))", Kind::Level);
    wrong("has(order_lines) FILTER (WHERE has(orders))", Kind::Level);
    // Without a name it is no history, and no group is there.
    wrong("has(orders) FILTER (WHERE max(orders.total) > 1)", Kind::Aggregate);
}

#[test]
fn a_row_and_a_table_are_the_rows_below_that_row() {
    rows("SELECT line_id FROM order_lines WHERE count(x => orders.order_lines) > 1", "l1, l2");
    who("has(a => orders) FILTER (WHERE count(x => a.order_lines) > 1)", "ann");
    each("max(a => orders, sum(x => a.order_lines, x.quantity))", "4, 3, NULL, NULL");
    each("max(a => orders, count(x => latest(a.order_lines, 1)))", "1, 1, NULL, NULL");
    wrong("has(x => orders.order_lines)", Kind::Level);
    wrong("has(x => profiles.products)", Kind::Level);
    wrong("has(carts) FILTER (WHERE has(x => carts.order_lines))", Kind::Level);
}

#[test]
fn a_name_that_fits_two_rows_is_an_error() {
    let lines = |condition: &str| {
        format!("has(a => order_lines) FILTER (WHERE has(b => order_lines) FILTER (WHERE {condition}))")
    };
    wrong(&lines("orders.channel = 'web'"), Kind::AmbiguousName);
    wrong(&lines("products.category = 'Sofas'"), Kind::AmbiguousName);
    who(&lines("a.orders.channel = 'web' AND b.orders.channel = 'app'"), "bob");
    who(&lines("a.products.category = 'Sofas' AND b.products.category = 'Cushions'"), "ann");
    // All rows of a person have one profile.
    who(&lines("profiles.country = 'BE'"), "bob");
}

#[test]
fn bare_columns_are_never_those_of_an_enclosing_row_beside() {
    wrong("has(carts) FILTER (WHERE has(orders) FILTER (WHERE status = 'open'))", Kind::UnknownName);
    who("has(carts) FILTER (WHERE has(orders) FILTER (WHERE carts.status = 'open'))", "ann bob");
    who("has(order_lines) FILTER (WHERE has(cart_lines) FILTER (WHERE category = 'Cushions'))", "bob");
    wrong("has(o => orders) FILTER (WHERE orders.total > 1)", Kind::Level);
}
