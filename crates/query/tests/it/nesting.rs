//! Aggregates inside aggregates, rows with names, and functions of row order: each answer is counted by hand.

use crate::world::{Files, World, check_each, rows};

#[track_caller]
#[test]
fn an_aggregate_inside_another_is_taken_for_each_of_its_rows() {
    check_each("count(orders) FILTER (WHERE count(lines) FILTER (WHERE lines.quantity > 1) >= 1)", ["2", "0", "0"]);
    check_each("max(o => orders, count(lines))", ["2", "1", "-"]);
    check_each("sum(o => orders, count(lines))", ["4", "1", "-"]);
    check_each(
        "sum(orders.total) FILTER (WHERE has(lines) FILTER (WHERE products.category = 'Sofas'))",
        ["100.10", "50.00", "-"],
    );
    check_each("count(orders) FILTER (WHERE sum(lines.quantity * lines.price) = orders.total)", ["3", "1", "0"]);
}

#[test]
fn rows_with_names_compare_rows_of_one_table() {
    let again = |days: u32| {
        format!(
            "has(a => lines) FILTER (WHERE a.sku = 'lamp' AND has(b => lines) FILTER (WHERE b.sku = 'lamp'
             AND b.orders.placed_at > a.orders.placed_at
             AND b.orders.placed_at <= a.orders.placed_at + INTERVAL '{days} days'))"
        )
    };
    check_each(&again(67), ["true", "false", "false"]);
    check_each(&again(66), ["false", "false", "false"]);
    check_each(
        "count(a => orders) FILTER (WHERE NOT has(b => orders) FILTER (WHERE b.total > a.total))",
        ["1", "1", "0"],
    );
    World::shop().check(
        "SELECT order_id, count(o => orders) FILTER (WHERE o.placed_at < orders.placed_at) AS before,
                sum(o => orders, o.total) AS all_of_them
         FROM orders ORDER BY order_id",
        &["o1 0 123.60", "o2 1 123.60", "o3 2 123.60", "o4 0 50.00"],
    );
}

#[test]
fn rows_range_below_the_row_that_is_said() {
    let dearer = "count(a => orders) FILTER (WHERE has(lines) FILTER (WHERE has(m => a.lines) FILTER (WHERE m.price > lines.price)))";
    check_each(dearer, ["1", "0", "0"]);
    let anywhere = dearer.replace("a.lines", "lines");
    check_each(&anywhere, ["3", "0", "0"]);
}

#[test]
fn an_enclosing_row_far_out_is_seen_with_what_is_above_it() {
    let nothing_between = "has(a => lines) FILTER (WHERE a.sku = 'sofa' AND has(b => orders) FILTER (WHERE
        b.placed_at > a.orders.placed_at AND NOT has(c => orders) FILTER (WHERE
        c.placed_at > a.orders.placed_at AND c.placed_at < b.placed_at AND c.total > a.quantity)))";
    check_each(nothing_between, ["true", "false", "false"]);
    let wide = nothing_between
        .replace("c.placed_at < b", "c.placed_at <= b")
        .replace("b.placed_at > a", "b.total < 10 AND b.placed_at > a");
    check_each(&wide, ["false", "false", "false"]);
}

/// Ann's first order had one lamp too few in its second parcel; her second order had lamps too.
#[test]
fn a_row_any_number_of_levels_down_is_compared_with_rows_of_the_ancestor_that_it_shares() {
    let shop = World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -", "bob 2025-01-01T00:00:00Z BE - - - -"]),
        orders: rows(&[
            "o1 ann 2024-12-24T10:00:00Z -",
            "o2 ann 2025-03-01T10:00:00Z -",
            "o4 bob 2025-03-01T10:00:00Z -",
        ]),
        lines: rows(&["o1 sofa 1 90.10", "o1 lamp 2 5.00", "o2 lamp 4 5.05", "o4 sofa 1 50.00"]),
        parcels: rows(&["p1 o1", "p2 o1", "p3 o2", "p4 o4"]),
        items: rows(&["i1 p1 sofa 1", "i2 p2 lamp 1", "i3 p3 lamp 4", "i4 p4 lamp 1"]),
        repairs: rows(&["r1 i2", "r2 i2", "r3 i4"]),
        ..Files::default()
    });
    shop.check(
        "SELECT item_id, sum(lines.quantity) FILTER (WHERE lines.sku = items.sku) AS ordered,
                sum(l => latest(lines, 1, l.sku = items.sku), l.quantity) AS last
         FROM items ORDER BY item_id",
        &["i1 1 1", "i2 2 2", "i3 4 4", "i4 - -"],
    );
    shop.check(
        "SELECT id, count(items) FILTER (WHERE sum(lines.quantity) FILTER (WHERE lines.sku = items.sku) > items.pieces) AS short
         FROM profiles ORDER BY id",
        &["ann 1", "bob 0"],
    );
    shop.check(
        "SELECT repair_id, sum(lines.quantity) FILTER (WHERE lines.sku = repairs.items.sku) AS ordered,
                has(o => orders) FILTER (WHERE has(lines) FILTER (WHERE lines.sku = repairs.items.sku AND lines.quantity > 2)) AS more
         FROM repairs ORDER BY repair_id",
        &["r1 2 true", "r2 2 true", "r3 - false"],
    );
}

#[test]
fn the_value_of_a_row_is_that_of_its_place_in_order() {
    check_each("first(orders.order_id)", ["o1", "o4", "-"]);
    check_each("last(orders.order_id)", ["o3", "o4", "-"]);
    check_each("nth(orders.order_id, 2)", ["o2", "-", "-"]);
    check_each("nth(orders.order_id, -3)", ["o1", "-", "-"]);
    check_each("nth(orders.order_id, -4)", ["-", "-", "-"]);
    check_each("last(orders.order_id) FILTER (WHERE orders.total > 10)", ["o2", "o4", "-"]);
    // Without a key rows of one time stand by their content: a lamp before a sofa.
    check_each("first(lines.sku)", ["lamp", "sofa", "-"]);
    check_each("nth(lines.sku, 2)", ["sofa", "-", "-"]);
    check_each("last(lines.sku)", ["vase", "sofa", "-"]);
    check_each("last(products.category)", ["-", "Sofas", "-"]);
}

#[test]
fn rows_of_one_instant_stand_by_the_keys_from_the_top() {
    let shop = World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -"]),
        orders: rows(&[
            "o2 ann 2025-01-01T10:00:00Z 2.00",
            "o10 ann 2025-01-01T10:00:00Z 10.00",
            "o1 ann 2025-01-01T10:00:00Z -",
        ]),
        lines: rows(&["o2 a 1 1.00", "o10 b 1 1.00", "o10 a 2 1.00"]),
        products: rows(&["a A"]),
        ..Files::default()
    });
    shop.check(
        "SELECT first(orders.total) AS f, nth(orders.total, 2) AS n, last(orders.order_id) AS l FROM profiles",
        &["- 10.00 o2"],
    );
    shop.check(
        "SELECT first(lines.quantity) AS f, last(lines.sku) AS l, nth(lines.sku, 2) AS n FROM profiles",
        &["2 a b"],
    );
}

#[test]
fn the_middle_is_exact_at_one_more_decimal() {
    check_each("median(orders.total)", ["20.200", "50.000", "-"]);
    check_each("median(lines.quantity)", ["1.5", "1.0", "-"]);
    check_each("median(lines.price) FILTER (WHERE lines.quantity > 1)", ["5.025", "-", "-"]);
}

#[test]
fn a_deviation_is_that_of_a_sample_and_needs_two() {
    check_each("round(stddev(orders.total), 4)", ["51.7041", "-", "-"]);
}

#[test]
fn every_is_false_for_one_false_else_unknown_for_one_unknown() {
    check_each("every(orders.total > 10)", ["false", "true", "-"]);
    check_each("every(products.category <> 'Beds')", ["-", "true", "-"]);
    check_each("every(products.category <> 'Sofas')", ["false", "false", "-"]);
    check_each("every(orders.total > 10) FILTER (WHERE orders.total <> 3.30)", ["true", "true", "-"]);
}

#[test]
fn the_last_and_first_rows_are_chosen_before_the_filter() {
    check_each("count(latest(orders, 2))", ["2", "1", "0"]);
    check_each("has(latest(orders, 2)) FILTER (WHERE orders.total >= 50)", ["false", "true", "false"]);
    check_each("sum(l => latest(orders, 2), l.total)", ["23.50", "50.00", "-"]);
    check_each("sum(l => earliest(orders, 2), l.total)", ["120.30", "50.00", "-"]);
    check_each("sum(l => latest(orders, 1, total > 10), l.total)", ["20.20", "50.00", "-"]);
    check_each("sum(l => latest(orders, 1), l.total) FILTER (WHERE l.total > 10)", ["-", "50.00", "-"]);
    check_each("count(o => latest(orders, 1, has(lines) FILTER (WHERE sku = 'lamp')))", ["1", "0", "0"]);
    check_each("count(latest(orders, 1)) FILTER (WHERE has(lines) FILTER (WHERE sku = 'vase'))", ["1", "0", "0"]);
    World::shop().check(
        "SELECT order_id, sum(o => latest(orders, 1, o.placed_at < orders.placed_at), o.total) AS before
         FROM orders ORDER BY order_id",
        &["o1 -", "o2 100.10", "o3 20.20", "o4 -"],
    );
}

#[test]
fn a_sequence_is_in_strict_order_and_within_its_span() {
    let sequence = |rest: &str| format!("has_sequence(lines, sku = 'sofa', sku = 'lamp'{rest}");
    check_each(&sequence(")"), ["true", "false", "false"]);
    check_each(&sequence(", within => INTERVAL '67 days')"), ["true", "false", "false"]);
    check_each(&sequence(", within => INTERVAL '66 days')"), ["false", "false", "false"]);
    check_each(&sequence(", sku = 'vase')"), ["true", "false", "false"]);
    check_each(&sequence(", sku = 'vase', within => INTERVAL '121 days')"), ["true", "false", "false"]);
    check_each(&sequence(", sku = 'vase', within => INTERVAL '100 days')"), ["false", "false", "false"]);
    check_each("has_sequence(lines, sku = 'lamp', sku = 'sofa')", ["false", "false", "false"]);
    check_each("has_sequence(lines, lines.sku = 'sofa', lines.sku = 'lamp')", ["true", "false", "false"]);
    check_each("has_sequence(lines, lines.sku = 'lamp', lines.sku = 'sofa')", ["false", "false", "false"]);
    check_each("has_sequence(lines, TRUE, TRUE) FILTER (WHERE quantity > 1)", ["true", "false", "false"]);
    check_each("has_sequence(lines, TRUE, TRUE) FILTER (WHERE quantity > 2)", ["false", "false", "false"]);
    // The lines of one order stand at one instant.
    World::shop().check("SELECT order_id FROM orders WHERE has_sequence(lines, TRUE, TRUE) ORDER BY order_id", &[]);
}
