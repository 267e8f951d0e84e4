//! Rule 2: rows, expressions of rows, the last and the first of them.

use muster_testkit::interpreter::Kind;

use crate::shop::{each, who, wrong};

#[test]
fn rows_are_counted_and_so_are_different_values() {
    each("count(orders)", "4, 2, 0, 0");
    each("count(DISTINCT order_lines.product_id)", "3, 2, 0, 0");
    each("count(orders.total)", "4, 1, 0, 0");
    each("count(o => orders, o.total)", "4, 1, 0, 0");
    each("sum(DISTINCT order_lines.quantity)", "7, 4, NULL, NULL");
}

/// Ann's last two orders are o2 and o3, her first two o1 and o6.
#[test]
fn latest_and_earliest_are_the_ends_of_the_row_order() {
    each("sum(l => latest(orders, 2), l.total)", "280.00, 300.00, NULL, NULL");
    each("sum(l => earliest(orders, 2), l.total)", "270.00, 300.00, NULL, NULL");
    each("count(latest(orders, 3))", "3, 2, 0, 0");
    each("first(l => latest(orders, 3), l.order_id)", "o6, o4, NULL, NULL");
    each("nth(l => latest(orders, 3), l.order_id, 2)", "o2, o5, NULL, NULL");
}

/// Ann's last three e-mails are m2, m4 and m5, none of them opened; Bob opened his only one.
#[test]
fn the_third_argument_selects_before_and_the_filter_after() {
    who(
        "NOT has(m => latest(messages, 3, channel = 'email')) FILTER (WHERE has(responses) FILTER (WHERE responses.kind = 'open'))",
        "ann cas dee",
    );
    // Of her last three messages the first is m3, a text message that she opened.
    who("has(m => latest(messages, 3)) FILTER (WHERE has(responses))", "ann bob");
    who("has(latest(messages, 3)) FILTER (WHERE channel = 'email' AND has(responses))", "bob");
    each("count(latest(orders, 1, channel = 'web'))", "1, 1, 0, 0");
    each("count(latest(orders, 1)) FILTER (WHERE channel = 'web')", "0, 0, 0, 0");
    each("last(l => latest(orders, 1, l.channel = 'web'), l.order_id)", "o2, o4, NULL, NULL");
}

#[test]
fn arguments_that_a_function_does_not_take_are_refused() {
    for condition in [
        "has(latest(orders, 0))",
        "has(latest(orders, -1))",
        "has(latest(orders))",
        "has(latest(orders, points))",
        "sum(latest(orders, 3), total) > 1",
        "sum(orders) > 1",
        "has(orders.total)",
        "has(orders, total > 1)",
        "has(x => orders, x.total > 1)",
        "count(DISTINCT orders) > 1",
        "nth(orders.total, 0) > 1",
        "nth(orders.total, points) > 1",
        "has_sequence(order_lines)",
        "min(orders.total, 2) > 1",
    ] {
        wrong(condition, Kind::Arguments);
    }
}
