//! Rule 7 and section 1: what a name means.

use muster_testkit::interpreter::Kind;

use crate::shop::{each, fails, rows, who, wrong};

#[test]
fn a_bare_column_is_the_current_rows_else_that_of_an_ancestor_or_a_lookup() {
    rows("SELECT order_id, channel, country, product_id FROM order_lines WHERE line_id = 'l4'", "o3 store NL B");
    rows("SELECT line_id FROM order_lines WHERE category = 'Cushions'", "l3, l4");
    // The row's own `order_id` and `store_id` come before an ancestor's.
    rows("SELECT store_id FROM orders WHERE order_id = 'o2'", "s2");
    who("has(orders) FILTER (WHERE country = 'NL')", "ann");
}

#[test]
fn a_name_of_several_things_is_ambiguous() {
    fails("SELECT city FROM orders", Kind::AmbiguousName);
    rows("SELECT site.city, home_site.city FROM orders WHERE order_id = 'o2'", "Gent Utrecht");
    each("city", "Utrecht, Gent, NULL, NULL");
    fails("SELECT customer_id FROM order_lines GROUP BY store_id", Kind::AmbiguousName);
}

#[test]
fn a_name_of_nothing_comes_with_the_nearest_spelling() {
    let message = fails("SELECT customer_id FROM profiles WHERE contry = 'NL'", Kind::UnknownName);
    assert!(message.contains("did you mean `country`?"), "{message}");
    let message = wrong("ordrs.total > 1", Kind::UnknownName);
    assert!(message.contains("did you mean `orders`?"), "{message}");
    wrong("sum(orders.totals) > 1", Kind::UnknownName);
    wrong("sum(totals) > 1", Kind::UnknownName);
    wrong("segments.vips", Kind::UnknownName);
    wrong("lists.stop", Kind::UnknownName);
    fails("SELECT 1 FROM customers", Kind::UnknownName);
}

#[test]
fn an_error_has_a_position() {
    let error = muster_testkit::interpreter::answer(
        &crate::shop::shop(),
        "SELECT customer_id\nFROM profiles WHERE contry = 'NL'",
        crate::shop::now(),
    );
    assert_eq!(error.unwrap_err().position, (2, 21));
}

#[test]
fn history_outside_an_aggregate_is_out_of_sight() {
    wrong("orders.total > 1", Kind::Level);
    wrong("lower(orders.channel) = 'web'", Kind::Level);
    wrong("products.category = 'Sofas'", Kind::Level);
    wrong("orders", Kind::Level);
}

#[test]
fn capitals_do_not_matter_unless_in_quotes() {
    who("COUNTRY = 'BE' AND Profiles.Country = 'BE'", "bob");
    who("\"country\" = 'BE'", "bob");
    wrong("\"Country\" = 'BE'", Kind::UnknownName);
    who("Count(ORDERS) > 0", "ann bob");
    who("Segments.VIP AND Lists.Staff IS NOT NULL", "ann bob");
}

#[test]
fn the_grain_may_have_another_name() {
    rows("SELECT p.email FROM profiles AS p WHERE p.country = 'BE' AND has(orders)", "bob@x.be");
    fails("SELECT profiles.email FROM profiles AS p", Kind::Level);
    rows(
        "SELECT o.order_id FROM orders o WHERE NOT has(x => orders) FILTER (WHERE x.placed_at < o.placed_at)",
        "o1, o4, o5",
    );
}

/// Dee's store s9 is none, and the line l6 is of a product X that is none.
#[test]
fn a_key_without_its_row_gives_nulls() {
    each("home_site.city", "Utrecht, Gent, NULL, NULL");
    each("count(order_lines.products.category)", "5, 1, 0, 0");
    who("has(order_lines) FILTER (WHERE products.category IS NULL)", "bob");
}

#[test]
fn a_lookup_on_two_ways_is_reached_over_the_way_that_is_written() {
    who(
        "has(order_lines) FILTER (WHERE has(cart_lines) FILTER (WHERE order_lines.products.category = cart_lines.products.category))",
        "ann",
    );
    rows("SELECT line_id FROM order_lines WHERE order_lines.orders.site.city = 'Gent'", "l3");
    rows("SELECT line_id FROM order_lines WHERE order_lines.products.category = 'Cushions'", "l3, l4");
}

#[test]
fn a_list_is_true_or_false_and_belongs_to_the_profile() {
    each("lists.staff", "FALSE, FALSE, TRUE, FALSE");
    rows("SELECT cart_id, lists.staff FROM carts", "k1 FALSE, k2 FALSE, k3 TRUE");
    who("NOT lists.staff", "ann bob dee");
    rows("SELECT customer_id FROM lists.staff", "cas");
}

#[test]
fn a_variable_is_a_column_of_profiles() {
    each("spent", "550.00, 300.00, 0.00, 0.00");
    who("profiles.spent > 300", "ann");
    rows("SELECT cart_id, spent FROM carts", "k1 550.00, k2 300.00, k3 0.00");
    who("has(orders) FILTER (WHERE total * 2 > spent)", "bob");
}

#[test]
fn a_set_is_asked_for_its_parts() {
    who("array_has(interests, 'sofas')", "ann");
    who("NOT array_has(interests, 'sofas')", "bob");
    who("array_has(interests, 'sofas') IS NULL", "cas dee");
}

#[test]
fn what_a_small_world_does_not_have_is_not_guessed() {
    for condition in ["churn.probability > 0.5", "audiences.vip", "nearest_site.minutes < 20", "travel_time('s1') < 20"]
    {
        wrong(condition, Kind::Unsupported);
    }
}
