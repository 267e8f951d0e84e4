//! Rules 5 and 6: where an aggregate may stand, and what no history gives.

use muster_testkit::interpreter::Kind;

use crate::shop::{each, fails, rows, shop, who, wrong};

#[test]
fn a_history_aggregate_is_a_key_of_a_histogram() {
    rows("SELECT count(orders) AS n, count(*) FROM profiles GROUP BY count(orders) ORDER BY n", "0 2, 2 1, 4 1");
    rows(
        "SELECT count(orders), count(*) FROM profiles GROUP BY 1 HAVING count(orders) > 0 ORDER BY count(orders) DESC",
        "4 1, 2 1",
    );
    rows("SELECT count(orders) + 1 FROM profiles GROUP BY count(orders) ORDER BY 1", "1, 3, 5");
}

#[test]
fn inside_a_group_aggregate_it_is_taken_per_profile() {
    rows(
        "SELECT country, count(*), avg(sum(orders.total)) FROM profiles GROUP BY country ORDER BY country",
        "BE 1 300, NL 2 550, NULL 1 NULL",
    );
    rows("SELECT sum(sum(orders.total)) FROM profiles", "850.00");
    rows("SELECT count(*) FILTER (WHERE count(orders) > 2) FROM profiles", "1");
    rows("SELECT country FROM profiles GROUP BY country HAVING max(count(orders)) > 2", "NL");
}

#[test]
fn beside_grouping_it_is_an_error_that_says_what_to_write() {
    let message = fails("SELECT country, sum(orders.total) FROM profiles GROUP BY country", Kind::Aggregate);
    assert!(message.contains("sum(sum("), "{message}");
    fails("SELECT count(*), count(orders) FROM profiles", Kind::Aggregate);
    fails("SELECT country FROM profiles GROUP BY country HAVING has(orders)", Kind::Aggregate);
    fails("SELECT country FROM profiles GROUP BY country ORDER BY count(orders)", Kind::Aggregate);
    fails("SELECT country, points FROM profiles GROUP BY country", Kind::Grouping);
    fails("SELECT points, count(*) FROM profiles", Kind::Grouping);
}

#[test]
fn a_group_aggregate_stands_beside_grouping_only() {
    wrong("count(*) > 1", Kind::Aggregate);
    wrong("sum(points) > 1", Kind::Aggregate);
    wrong("has(orders) FILTER (WHERE sum(orders.total) > 1)", Kind::Aggregate);
    wrong("count(count(orders)) > 1", Kind::Aggregate);
}

#[test]
fn a_window_holds_history_and_is_none_of_it() {
    rows(
        "SELECT customer_id FROM profiles
         QUALIFY row_number() OVER (PARTITION BY country ORDER BY sum(orders.total) DESC) = 1",
        "ann, bob, dee",
    );
    rows("SELECT customer_id, rank() OVER (ORDER BY count(orders)) AS r FROM profiles", "ann 4, bob 3, cas 1, dee 1");
    rows(
        "SELECT customer_id, dense_rank() OVER (ORDER BY count(orders)) AS r FROM profiles",
        "ann 3, bob 2, cas 1, dee 1",
    );
    rows(
        "SELECT customer_id, row_number() OVER (ORDER BY count(orders)) AS r FROM profiles QUALIFY r > 2",
        "ann 4, bob 3",
    );
    fails("SELECT sum(orders.total) OVER () FROM profiles", Kind::Aggregate);
    wrong("row_number() OVER (ORDER BY points) = 1", Kind::Aggregate);
}

#[test]
fn no_other_function_takes_history() {
    wrong("string_agg(orders.channel, ',') = 'web'", Kind::Level);
    wrong("lower(orders.channel) = 'web'", Kind::Level);
}

#[test]
fn no_history_is_zero_false_or_null() {
    for (aggregate, expected) in [
        ("count(orders)", "0"),
        ("count(orders.total)", "0"),
        ("count(DISTINCT orders.total)", "0"),
        ("has(orders)", "FALSE"),
        ("has(latest(orders, 3))", "FALSE"),
        ("has_sequence(orders, total > 1)", "FALSE"),
        ("sum(orders.total)", "NULL"),
        ("avg(orders.total)", "NULL"),
        ("min(orders.total)", "NULL"),
        ("max(orders.total)", "NULL"),
        ("median(orders.total)", "NULL"),
        ("stddev(orders.total)", "NULL"),
        ("every(orders.total > 1)", "NULL"),
        ("mode(orders.total)", "NULL"),
        ("first(orders.total)", "NULL"),
        ("last(orders.total)", "NULL"),
        ("nth(orders.total, 1)", "NULL"),
    ] {
        rows(&format!("SELECT {aggregate} FROM profiles WHERE customer_id = 'cas'"), expected);
    }
}

/// Each condition, and how many of the four it is TRUE, FALSE and NULL for.
#[test]
fn every_row_is_true_false_or_null() {
    for (condition, expected) in [
        ("country = 'NL'", "2 1 1 4"),
        ("sum(orders.total) > 300", "1 1 2 4"),
        ("max(orders.placed_at) < now() - INTERVAL '90 days'", "1 1 2 4"),
        ("NOT has(orders)", "2 2 0 4"),
        ("every(orders.total > 100)", "0 1 3 4"),
        ("country = 'NL' AND sum(orders.total) > 1000", "0 2 2 4"),
        ("country = 'NL' OR sum(orders.total) > 1000", "2 1 1 4"),
        ("points IN (10, NULL)", "1 0 3 4"),
        ("points NOT IN (10, 30)", "1 2 1 4"),
        ("points BETWEEN 10 AND 20", "2 1 1 4"),
        ("segments.vip", "2 2 0 4"),
        ("country IS NULL", "1 3 0 4"),
    ] {
        let parts = [condition.to_owned(), format!("NOT ({condition})"), format!("({condition}) IS NULL")];
        let counts = parts.map(|part| format!("count(*) FILTER (WHERE {part})"));
        rows(&format!("SELECT {}, count(*) FROM profiles", counts.join(", ")), expected);
        let query = format!("SELECT {} = count(*) FROM profiles", counts.join(" + "));
        assert_eq!(crate::shop::rows_in(&shop(), &query), "TRUE", "{condition}");
    }
}

#[test]
fn a_negation_of_a_segment_includes_those_without_history() {
    who("NOT segments.vip", "cas dee");
    who("NOT (sum(orders.total) >= 300)", "");
    each("segments.vip", "TRUE, TRUE, FALSE, FALSE");
}
