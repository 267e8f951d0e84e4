//! EXPLAIN SEGMENT … FOR over the shop of four customers, worked by hand.

use muster_segment::Error;

use crate::world::{Shop, run};

/// `condition | truth | values | rows | missing` of each line.
#[track_caller]
fn why(shop: &Shop, definition: &str, key: &str, expected: &[&str]) {
    shop.define(&format!("CREATE OR REPLACE SEGMENT s AS {definition}"));
    assert_eq!(shop.rows(&format!("EXPLAIN SEGMENT s FOR '{key}'"))[1..], *expected, "{definition} for {key}");
}

#[test]
fn the_columns_are_the_condition_its_truth_and_what_decides_it() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL'");
    let rows = shop.rows("EXPLAIN SEGMENT s FOR 'ann'");
    assert_eq!(rows[0], "condition | truth | values | rows | missing");
}

#[test]
fn a_tree_of_conditions_has_three_values() {
    let shop = Shop::open();
    why(
        &shop,
        "WHERE (country = 'NL' OR income > 5) AND NOT store = 's1'",
        "dan",
        &[
            "s | FALSE | - | - | -",
            "  (country = 'NL' OR income > 5) AND NOT store = 's1' | NULL | - | - | -",
            "    country = 'NL' OR income > 5 | NULL | - | - | -",
            "      country = 'NL' | NULL | country = NULL | - | -",
            "      income > 5 | FALSE | income = 0.00 | - | -",
            "    NOT store = 's1' | TRUE | - | - | -",
            "      store = 's1' | FALSE | store = s2 | - | -",
        ],
    );
}

#[test]
fn a_count_that_is_enough_names_its_rows_and_one_that_is_not_says_how_many_are_missing() {
    let shop = Shop::open();
    let definition = "WHERE count(orders) FILTER (WHERE orders.total > 3) >= 2";
    why(
        &shop,
        definition,
        "ann",
        &[
            "s | TRUE | - | - | -",
            "  count(orders) FILTER (WHERE orders.total > 3) >= 2 | TRUE | count(orders) FILTER (WHERE orders.total > 3) = 2 | \
             orders o1 at 2025-01-01T11:00:00+01:00, orders.total 5.00; orders o2 at 2025-06-01T12:00:00+02:00, orders.total 15.00 | -",
        ],
    );
    let missing = |key: &str, count: &str, missing: &str| {
        let line = "  count(orders) FILTER (WHERE orders.total > 3) >= 2 | FALSE | count(orders) FILTER (WHERE orders.total > 3)";
        let line = format!("{line} = {count} | - | {missing} of orders with orders.total > 3");
        why(&shop, definition, key, &["s | FALSE | - | - | -", &line]);
    };
    missing("bob", "1", "1 more row");
    missing("cas", "0", "2 more rows");
}

#[test]
fn extremes_name_the_rows_beyond_the_bound_or_the_row_that_is_missing() {
    let shop = Shop::open();
    why(
        &shop,
        "WHERE max(orders.placed_at) < now() - INTERVAL '90 days'",
        "ann",
        &[
            "s | FALSE | - | - | -",
            "  max(orders.placed_at) < now() - INTERVAL '90 days' | FALSE | \
             max(orders.placed_at) = 2025-06-01T12:00:00+02:00; now() - INTERVAL '90 days' = 2025-04-01T12:00:00+02:00 | \
             orders o2 at 2025-06-01T12:00:00+02:00 | -",
        ],
    );
    why(
        &shop,
        "WHERE max(orders.total) < income",
        "bob",
        &[
            "s | FALSE | - | - | -",
            "  max(orders.total) < income | FALSE | max(orders.total) = 50.00; income = 20.00 | \
             orders o3 at 2025-03-01T11:00:00+01:00, orders.total 50.00 | 1 more row of orders with orders.total < income",
        ],
    );
    why(
        &shop,
        "WHERE min(orders.total) >= 10",
        "dan",
        &[
            "s | FALSE | - | - | -",
            "  min(orders.total) >= 10 | NULL | min(orders.total) = NULL | - | 1 more row of orders with orders.total >= 10",
        ],
    );
}

#[test]
fn the_last_row_decides_what_is_last() {
    let shop = Shop::open();
    let line = |truth: &str, rest: &str| format!("  last(orders.total) > 10 | {truth} | last(orders.total) = {rest}");
    let cases = [
        ("ann", "TRUE", "15.00 | orders o2 at 2025-06-01T12:00:00+02:00, orders.total 15.00 | -"),
        ("cas", "FALSE", "1.00 | - | 1 more row of orders with orders.total > 10, after all others"),
        ("dan", "NULL", "NULL | - | 1 more row of orders with orders.total > 10, after all others"),
    ];
    for (key, truth, rest) in cases {
        let verdict = if truth == "TRUE" { "s | TRUE | - | - | -" } else { "s | FALSE | - | - | -" };
        why(&shop, "WHERE last(orders.total) > 10", key, &[verdict, &line(truth, rest)]);
    }
}

#[test]
fn a_segment_inside_is_explained_with_it() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    why(
        &shop,
        "WHERE NOT segments.dutch",
        "bob",
        &[
            "s | TRUE | - | - | -",
            "  NOT segments.dutch | TRUE | - | - | -",
            "    segments.dutch | FALSE | - | - | -",
            "      dutch | FALSE | - | - | -",
            "        country = 'NL' | FALSE | country = BE | - | -",
        ],
    );
}

#[test]
fn what_chooses_among_those_who_meet_all_is_named() {
    let shop = Shop::open();
    why(
        &shop,
        "SELECT * FROM profiles p WHERE has(orders) FILTER (WHERE orders.total > p.income) ORDER BY p.income LIMIT 1",
        "bob",
        &[
            "s | FALSE | - | - | -",
            "  has(orders) FILTER (WHERE orders.total > p.income) | TRUE | \
             count(orders) FILTER (WHERE orders.total > p.income) = 1 | \
             orders o3 at 2025-03-01T11:00:00+01:00, orders.total 50.00, p.income 20.00 | -",
            "  ORDER BY p.income LIMIT 1 | FALSE | - | - | -",
        ],
    );
}

#[test]
fn values_stand_for_what_no_single_row_decides() {
    let shop = Shop::open();
    why(
        &shop,
        "WHERE sum(orders.total) / count(orders) > 8 AND lower(email) LIKE '%@x.example'",
        "ann",
        &[
            "s | TRUE | - | - | -",
            "  sum(orders.total) / count(orders) > 8 AND lower(email) LIKE '%@x.example' | TRUE | - | - | -",
            "    sum(orders.total) / count(orders) > 8 | TRUE | sum(orders.total) / count(orders) = 10.000000; \
             sum(orders.total) = 20.00; count(orders) = 2 | - | -",
            "    lower(email) LIKE '%@x.example' | TRUE | lower(email) = a@x.example; email = a@x.example | - | -",
        ],
    );
}

#[test]
fn the_answer_is_as_of_the_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE count(orders) >= 2");
    let text = "SET as_of = '2025-03-01'; EXPLAIN SEGMENT s FOR 'ann'";
    assert_eq!(
        shop.rows(text)[1..],
        ["s | FALSE | - | - | -", "  count(orders) >= 2 | FALSE | count(orders) = 1 | - | 1 more row of orders",]
    );
}

#[test]
fn a_row_that_is_not_there_is_an_error_with_key_table_and_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL'");
    assert_eq!(
        shop.error("EXPLAIN SEGMENT s FOR 'zoe'"),
        "there is no row of `profiles` with the key `zoe` as of 2025-06-30T12:00:00+02:00"
    );
    assert_eq!(shop.error("EXPLAIN SEGMENT t FOR 'ann'"), "there is no segment `t`; did you mean `s`?");
    let planted = crate::planted::shop();
    planted.define("CREATE SEGMENT s AS WHERE income > 0");
    let outcome = run(&mut planted.session(), "EXPLAIN SEGMENT s FOR 'p5'");
    assert!(matches!(outcome, Err(Error::UnknownRow { .. })), "p5 has not joined yet");
}
