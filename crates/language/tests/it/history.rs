//! History aggregates: level, shared ancestor, FILTER, and where they may stand.

use muster_catalog::{ColumnNames, ColumnType};
use muster_language::{Body, Function, Reached};

use crate::world::{
    deep_names, names_with_cart_lines, names_with_created_at, resolved, resolved_with, sql, transcript,
};

#[test]
fn the_query_of_the_languages_page_prints_as_one_join_per_history() {
    check_transcript!(&["SELECT email, sum(orders.total) AS spent
FROM profiles
WHERE country IN ('NL', 'BE')
  AND count(orders) FILTER (WHERE orders.total > 100 AND orders.channel = 'web') >= 3
  AND max(orders.placed_at) < now() - INTERVAL '90 days'
  AND has(order_lines) FILTER (WHERE products.category = 'Sofas')
  AND NOT segments.unsubscribed"]);
}

#[test]
fn every_history_aggregate_reads_an_absent_group_as_an_empty_one() {
    check_transcript!(&[
        "SELECT count(orders) AS n, has(orders) AS any_order FROM profiles",
        "SELECT sum(orders.total) AS s, avg(orders.total) AS a, min(orders.total) AS lo, max(orders.total) AS hi FROM profiles",
        "SELECT count(DISTINCT order_lines.product_id) AS n FROM profiles",
    ]);
}

#[test]
fn functions_of_row_order_take_rows_by_time_then_keys_from_the_top() {
    check_transcript!(&[
        "SELECT first(orders.channel) AS first_channel, last(orders.total) AS last_total, nth(orders.total, 2) AS second FROM profiles",
        "SELECT last(order_lines.product_id) FILTER (WHERE products.category = 'Sofas') AS newest FROM profiles",
    ]);
}

#[test]
fn middles_deviations_and_every_are_expressions_of_what_engines_have() {
    check_transcript!(&[
        "SELECT median(orders.total) AS m, stddev(orders.total) AS s FROM profiles",
        "SELECT email FROM profiles WHERE every(orders.total > 10) FILTER (WHERE channel = 'web')",
    ]);
}

#[test]
fn a_filter_that_all_aggregates_share_is_applied_before_grouping() {
    check_transcript!(&[
        "SELECT count(orders) FILTER (WHERE channel = 'web') AS n, sum(orders.total) FILTER (WHERE channel = 'web') AS s FROM profiles",
        "SELECT count(orders) FILTER (WHERE channel = 'web') AS n, count(orders) AS all_orders FROM profiles",
    ]);
}

#[test]
fn the_argument_sees_the_levels_ancestors_and_lookups() {
    check_transcript!(&[
        "SELECT sum(order_lines.quantity * orders.total) AS s FROM profiles",
        "SELECT sum(order_lines.quantity * order_lines.price) FILTER (WHERE products.category = 'Sofas' AND country = 'NL') AS s FROM profiles",
        "SELECT max(products.price) AS dearest FROM profiles",
        "SELECT count(orders) FILTER (WHERE orders.total > p.income / 12) AS n FROM profiles p",
    ]);
}

#[test]
fn a_sibling_is_reduced_over_the_nearest_shared_ancestor() {
    check_transcript!(&[
        "SELECT cart_id FROM carts WHERE NOT has(orders)",
        "SELECT product_id, count(carts) AS n FROM order_lines",
        "SELECT order_id, sum(order_lines.quantity) AS n FROM orders",
    ]);
}

#[test]
fn a_filter_may_compare_with_the_row_of_the_grain() {
    check_transcript!(&[
        "SELECT cart_id FROM carts WHERE status = 'open' AND NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at)",
    ]);
}

#[test]
fn aggregates_nest_and_are_taken_for_each_row_of_the_level_around_them() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE count(orders) FILTER (WHERE count(order_lines) FILTER (WHERE products.category = 'Sofas') >= 3) >= 2",
        "SELECT max(o => orders, count(order_lines)) AS most_lines FROM profiles",
        "SELECT sum(orders.total) FILTER (WHERE has(order_lines) FILTER (WHERE products.category = 'Sofas')) AS s FROM profiles",
    ]);
}

#[test]
fn a_sibling_inside_an_aggregate_is_compared_with_the_row_around_it() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE has(carts) FILTER (WHERE carts.status = 'open' AND NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at))",
        "SELECT email FROM profiles WHERE has(carts) FILTER (WHERE NOT has(orders))",
    ]);
}

#[test]
fn rows_with_names_range_over_the_whole_profile_or_below_the_row_that_is_said() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE has(a => order_lines) FILTER (WHERE a.product_id = 'A' AND has(b => order_lines) FILTER (WHERE b.product_id = 'B' AND b.orders.placed_at > a.orders.placed_at AND b.orders.placed_at <= a.orders.placed_at + INTERVAL '30 days'))",
        "SELECT email FROM profiles WHERE has(a => orders) FILTER (WHERE has(order_lines) FILTER (WHERE has(o => a.order_lines) FILTER (WHERE o.price > order_lines.price)))",
        "SELECT order_id FROM orders WHERE has(o => orders) FILTER (WHERE o.placed_at < orders.placed_at AND o.total > orders.total)",
        "SELECT email FROM profiles WHERE has(a => carts) FILTER (WHERE has(b => orders) FILTER (WHERE b.placed_at > a.updated_at AND NOT has(c => orders) FILTER (WHERE c.placed_at > a.updated_at AND c.placed_at < b.placed_at AND c.site.city = b.site.city)))",
    ]);
}

#[test]
fn the_last_or_first_rows_are_chosen_before_they_are_reduced() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE has(latest(orders, 3)) FILTER (WHERE orders.channel = 'web')",
        "SELECT sum(l => latest(orders, 3), l.total) AS s FROM profiles",
        "SELECT email FROM profiles WHERE NOT has(o => earliest(orders, 2, has(order_lines) FILTER (WHERE products.category = 'Sofas'))) FILTER (WHERE o.total > 10)",
        "SELECT cart_id FROM carts WHERE sum(o => latest(orders, 1, o.placed_at < carts.updated_at), o.total) > 100",
    ]);
}

#[test]
fn a_sequence_is_has_in_has() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE has_sequence(order_lines, product_id = 'A', product_id = 'B', within => INTERVAL '30 days')",
    ]);
}

#[test]
fn a_sequence_may_name_its_table_wherever_it_stands() {
    let among = |condition: &str| {
        format!(
            "SELECT email FROM profiles WHERE has(orders) FILTER (WHERE has_sequence(order_lines, {condition}, TRUE))"
        )
    };
    let [long, short] = ["order_lines.quantity > 1", "quantity > 1"].map(|condition| resolved(&among(condition)));
    assert_eq!(long.map(|query| query.to_sql()), short.map(|query| query.to_sql()));
    assert!(resolved(&among("order_lines.quantity > 1")).is_ok());
}

#[test]
fn history_aggregates_stand_inside_group_aggregates_keys_and_windows() {
    check_transcript!(&[
        "SELECT country, count(*) AS n, avg(sum(orders.total)) AS mean FROM profiles GROUP BY country",
        "SELECT count(orders) AS orders_each, count(*) AS n FROM profiles GROUP BY count(orders) ORDER BY 1",
        "SELECT CASE WHEN count(orders) = 0 THEN 'none' ELSE 'some' END AS kind, count(*) AS n FROM profiles GROUP BY kind",
        "SELECT count(*) FILTER (WHERE has(carts)) AS n FROM profiles",
        "SELECT email, rank() OVER (PARTITION BY country ORDER BY sum(orders.total) DESC) AS place FROM profiles QUALIFY place <= 3",
    ]);
}

#[test]
fn a_key_is_known_again_whatever_is_nested_in_it() {
    let bought_again = "has_sequence(orders, total > 1, total > 2)";
    let many_lines = "count(orders) FILTER (WHERE count(order_lines) > 2)";
    let of_some = "sum(orders.total) FILTER (WHERE orders.channel IN (SELECT city FROM sites))";
    for key in [bought_again, many_lines, of_some] {
        let by_place =
            sql(&format!("SELECT {key} AS k, count(*) AS n FROM profiles GROUP BY 1 HAVING {key} IS NOT NULL"));
        let by_name = sql(&format!("SELECT {key} AS k, count(*) AS n FROM profiles GROUP BY k HAVING k IS NOT NULL"));
        let written =
            sql(&format!("SELECT {key} AS k, count(*) AS n FROM profiles GROUP BY {key} HAVING {key} IS NOT NULL"));
        assert_eq!(by_place, written);
        assert_eq!(by_name, written);
        let computed = |text: &str| text.matches("\" AS (SELECT").count();
        assert_eq!(computed(&written), computed(&sql(&format!("SELECT {key} AS k FROM profiles"))), "{written}");
    }
}

#[test]
fn what_is_no_key_needs_one_even_where_a_part_of_it_is_known() {
    let fault = |text: &str| resolved(text).map(|_| ()).map_err(|error| error.to_string());
    let text = "SELECT count(orders) AS n, sum(orders.total) AS s FROM profiles WHERE sum(orders.total) > 1 GROUP BY 1";
    assert!(fault(text).is_err_and(|error| error.contains("`sum(orders.total)` has a value per row")));
}

#[test]
fn a_table_of_the_path_that_lies_below_the_innermost_row_ranges_over_that_rows() {
    let of_each = "SELECT count(*) AS n FROM order_lines WHERE has(o => orders) FILTER (WHERE count(l => WHICH) > 2)";
    let by_name = sql(&of_each.replace("WHICH", "o.order_lines"));
    assert_eq!(sql(&of_each.replace("WHICH", "order_lines")), by_name);
}

#[test]
fn rows_three_levels_down_reach_every_level_above() {
    let texts = [
        "SELECT pieces, orders.total, country FROM returns",
        "SELECT sum(returns.pieces * orders.total) AS s FROM profiles",
        "SELECT return_id FROM returns WHERE has(shipments)",
        "SELECT sum(returns.pieces) AS n FROM orders",
    ];
    check_snapshot!(transcript(&texts, &deep_names()));
}

#[test]
fn a_sibling_is_compared_with_a_row_any_number_of_levels_below_the_one_above_both() {
    let texts = [
        "SELECT profile_id FROM profiles WHERE has(returns) FILTER (WHERE has(shipments) FILTER (WHERE shipments.shipment_id = returns.return_id))",
        "SELECT refund_id FROM refunds WHERE has(s => shipments) FILTER (WHERE s.shipment_id = refunds.refund_id AND refunds.returns.pieces > 1)",
        "SELECT refund_id FROM refunds WHERE has(latest(shipments, 1, shipments.shipment_id < refunds.refund_id))",
    ];
    check_snapshot!(transcript(&texts, &deep_names()));
}

#[test]
fn a_lookup_that_two_histories_reach_is_the_one_of_the_aggregates_level() {
    let names = names_with_cart_lines();
    for (short, long) in [
        (
            "SELECT email FROM profiles WHERE has(cart_lines) FILTER (WHERE products.category = 'Sofas')",
            "SELECT email FROM profiles WHERE has(cart_lines) FILTER (WHERE cart_lines.products.category = 'Sofas')",
        ),
        (
            "SELECT sum(order_lines.quantity * products.price) AS worth FROM profiles",
            "SELECT sum(order_lines.quantity * order_lines.products.price) AS worth FROM profiles",
        ),
    ] {
        let [short, long] = [short, long].map(|text| resolved_with(text, &names).map(|query| query.to_sql()));
        assert!(short.is_ok(), "{short:?}");
        assert_eq!(short, long);
    }
    let unsettled = resolved_with("SELECT count(DISTINCT products.category) AS n FROM profiles", &names);
    let message = unsettled.expect_err("nothing says which").message;
    assert_eq!(message, "`products` is ambiguous: order_lines.products, cart_lines.products");
    let below =
        resolved_with("SELECT sum(orders.total) FILTER (WHERE products.category = 'x') AS n FROM profiles", &names);
    let hint = below.expect_err("lines are below orders").hint.unwrap_or_default();
    assert!(hint.contains("has(order_lines) FILTER (WHERE products.category = 'x')"), "{hint}");
}

#[test]
fn profiles_that_do_not_exist_yet_are_left_out_with_their_history() {
    let names = names_with_created_at();
    let texts = ["SELECT email FROM profiles WHERE has(orders)", "SELECT count(*) AS n FROM orders"];
    let printed =
        texts.map(|text| resolved_with(text, &names).expect("both are queries of the language").to_pretty_sql());
    check_snapshot!(printed.join("\n\n"));
}

#[test]
fn the_resolved_query_is_a_structure_that_another_back_end_can_run() {
    let query = resolved("SELECT avg(order_lines.price) AS mean FROM profiles WHERE has(carts)").expect("it resolves");
    let Body::Grain(grain) = query.body else { panic!("a SELECT from profiles has a grain") };
    let levels: Vec<_> = grain.rows.histories.iter().map(|history| (&*history.level, &*history.shared)).collect();
    assert_eq!(levels, [("carts", "profiles"), ("order_lines", "profiles")]);
    let functions = grain.rows.histories.iter().flat_map(|history| &history.aggregates).map(|one| one.function);
    assert_eq!(functions.collect::<Vec<_>>(), [Function::Has, Function::Sum, Function::Count]);
    assert_eq!(grain.rows.relations[0].reached, Reached::Itself);
    assert_eq!(query.tables_used, ["carts", "order_lines", "profiles"]);
    assert!(query.segments_used.is_empty());
    assert!(!grain.grouped);
}

#[test]
fn equal_aggregates_are_computed_once() {
    let query = resolved("SELECT count(orders) AS a, count(orders) + 1 AS b FROM profiles").expect("it resolves");
    let Body::Grain(grain) = query.body else { panic!("a SELECT from profiles has a grain") };
    assert_eq!(grain.rows.histories.len(), 1);
    assert_eq!(grain.rows.histories[0].aggregates.len(), 1);
}

#[test]
fn the_rows_of_a_sequence_are_called_as_their_table_is() {
    let bare = "SELECT email FROM profiles WHERE has_sequence(orders, total > 5, channel = 'web')";
    let called = "SELECT email FROM profiles WHERE has_sequence(orders, orders.total > 5, orders.channel = 'web')";
    assert_eq!(sql(called), sql(bare));
    let compared = "SELECT email FROM profiles
        WHERE has_sequence(carts, carts.status = 'open', has(orders) FILTER (WHERE orders.placed_at > carts.updated_at))";
    assert!(sql(compared).contains(r#""orders"."placed_at" > "__step_2"."updated_at""#), "{}", sql(compared));
}

#[test]
fn what_a_sequence_mentions_is_no_part_of_the_aggregate_around_it() {
    let text = "SELECT count(carts) FILTER (WHERE has_sequence(orders, orders.total > 1, orders.total > 2)) AS n FROM profiles";
    assert!(sql(text).contains("\"__step_2\""), "{}", sql(text));
}

#[test]
fn the_rows_of_a_sequence_inside_a_step_of_another_have_aliases_of_their_own() {
    let text = "SELECT email FROM profiles WHERE has_sequence(orders, total > 1, has_sequence(carts, status = 'open', status = 'left'))";
    let printed = sql(text);
    for alias in ["__step_1", "__step_2", "__step_3", "__step_4"] {
        assert!(printed.contains(&format!("AS \"{alias}\"")), "{alias} in {printed}");
    }
}

#[test]
fn a_row_that_has_an_instant_of_its_own_is_there_only_with_the_rows_above_it() {
    let mut names = deep_names();
    let returns = names.tables.iter_mut().find(|table| table.name == "returns").unwrap();
    returns.columns.push(ColumnNames { name: "at".to_owned(), column_type: ColumnType::Timestamp, role: None });
    returns.time = Some("at".to_owned());
    let printed = |text: &str| resolved_with(text, &names).unwrap().to_sql();
    let with_line = r#"AND "__parent" IN (SELECT "__row" FROM "order_lines" WHERE "__time" <= "#;
    assert!(printed("SELECT count(returns) AS n FROM profiles").contains(with_line));
    assert!(printed("SELECT return_id FROM returns").contains(with_line));
    // A line has no instant of its own, so it never comes before its order.
    assert!(!printed("SELECT count(order_lines) AS n FROM profiles").contains("__parent\" IN"));
}
