//! The history functions. Ann's quantities in row order are 2, 1, 1, 1, 4 (of A, C, C, B, B), Bob's 1, 3 (of A, X).

use muster_testkit::interpreter::Kind;

use crate::shop::{each, rows, who, wrong};

#[test]
fn sums_counts_and_means() {
    each("sum(order_lines.quantity)", "9, 4, NULL, NULL");
    each("avg(order_lines.quantity)", "1.8, 2, NULL, NULL");
    each("avg(orders.total)", "137.5, 300, NULL, NULL");
    each("min(order_lines.price)", "20.00, 300.00, NULL, NULL");
    each("max(orders.channel)", "web, web, NULL, NULL");
    each("min(orders.placed_at)", "2025-01-10T09:00:00Z, 2025-06-01T08:00:00Z, NULL, NULL");
    rows("SELECT sum(weight), avg(weight) FROM profiles", "2.75 0.9166666666666666");
}

#[test]
fn the_median_is_exact_and_has_a_digit_more() {
    each("median(order_lines.quantity)", "1.0, 2.0, NULL, NULL");
    // Of 80, 120, 150 and 200 it is between 120 and 150.
    each("median(orders.total)", "135.000, 300.000, NULL, NULL");
    rows("SELECT median(points), median(weight) FROM profiles", "20.0 0.5");
}

/// Of 2, 1, 1, 1, 4: mean 1.8, squares 0.04 + 3 · 0.64 + 4.84 = 6.8 over 4.
#[test]
fn the_deviation_is_of_the_sample_and_needs_two() {
    who("abs(stddev(order_lines.quantity) * stddev(order_lines.quantity) - 1.7) < 0.000001", "ann");
    who("abs(stddev(order_lines.quantity) * stddev(order_lines.quantity) - 2.0) < 0.000001", "bob");
    each("stddev(cart_lines.quantity)", "NULL, NULL, NULL, NULL");
    // 10, 20, 30.
    rows("SELECT stddev(points) FROM profiles", "10");
}

#[test]
fn every_is_false_then_null_then_true() {
    each("every(orders.total > 50)", "TRUE, NULL, NULL, NULL");
    each("every(orders.total > 100)", "FALSE, NULL, NULL, NULL");
    each("every(orders.total > 500)", "FALSE, FALSE, NULL, NULL");
    each("every(o => orders, o.total > 50) IS NULL", "FALSE, TRUE, TRUE, TRUE");
}

#[test]
fn the_mode_skips_null_and_of_ties_it_is_the_smallest() {
    each("mode(order_lines.quantity)", "1, 1, NULL, NULL");
    each("mode(order_lines.product_id)", "B, A, NULL, NULL");
    each("mode(orders.total)", "80.00, 300.00, NULL, NULL");
    rows("SELECT mode(country) FROM profiles", "NL");
}

/// Bob's o5 has no total, and stands behind o4 of the same instant by its key.
#[test]
fn first_last_and_nth_follow_the_row_order_and_null_is_a_value() {
    each("first(order_lines.product_id)", "A, A, NULL, NULL");
    each("last(order_lines.product_id)", "B, X, NULL, NULL");
    each("first(orders.total)", "120.00, 300.00, NULL, NULL");
    each("last(orders.total)", "80.00, NULL, NULL, NULL");
    each("last(orders.order_id)", "o3, o5, NULL, NULL");
    each("nth(orders.order_id, 2)", "o6, o5, NULL, NULL");
    each("nth(orders.order_id, -2)", "o2, o4, NULL, NULL");
    each("nth(orders.order_id, 3)", "o2, NULL, NULL, NULL");
    each("nth(orders.order_id, -9)", "NULL, NULL, NULL, NULL");
    each("first(orders.order_id) FILTER (WHERE orders.channel <> 'web')", "o3, o5, NULL, NULL");
}

#[test]
fn sums_are_exact_in_128_bits_and_more_is_an_error() {
    let huge = "sum(CASE WHEN orders.channel = 'web' THEN 90000000000000000000000000000000000000 END)";
    // Ann has three orders on the web; one alone fits, like that in the store.
    each(&huge.replace("'web'", "'store'"), "90000000000000000000000000000000000000, NULL, NULL, NULL");
    wrong(&format!("{huge} > 0"), Kind::Overflow);
    each("sum(o => orders, 9223372036854775807)", "36893488147419103228, 18446744073709551614, NULL, NULL");
    wrong("sum(orders.channel) > 1", Kind::Type);
}
