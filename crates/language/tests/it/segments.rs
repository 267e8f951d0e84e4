//! Segments: used as a column of the profile, defined as the ids of rows.

use crate::world::{error, resolved};

#[test]
fn a_segment_is_a_column_of_the_rows_profile() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE NOT segments.unsubscribed",
        "SELECT segments.unsubscribed, count(*) AS n FROM orders GROUP BY segments.unsubscribed",
        "SELECT count(orders) FILTER (WHERE NOT segments.unsubscribed) AS n FROM profiles",
        "SELECT o.total FROM orders o JOIN profiles p ON p.profile_id = o.profile_id WHERE segments.unsubscribed",
    ]);
    let query = resolved("SELECT segments.Unsubscribed FROM orders").expect("names are read capitals aside");
    assert_eq!(query.segments_used, ["unsubscribed"]);
}

#[test]
fn a_row_segment_is_a_column_at_its_grain_and_below() {
    let names = crate::world::names_with_cart_lines();
    check_snapshot!(crate::world::transcript(
        &[
            "SELECT cart_id FROM carts WHERE segments.open_carts",
            "SELECT count(carts) FILTER (WHERE segments.open_carts) AS n FROM profiles",
            "SELECT sum(quantity) AS pieces FROM cart_lines WHERE segments.open_carts",
            "CREATE SEGMENT with_sofas AS SELECT * FROM carts WHERE segments.open_carts AND has(cart_lines)",
        ],
        &names
    ));
    assert_eq!(
        error("SELECT email FROM profiles WHERE segments.open_carts"),
        "line 1, column 43: segments.open_carts is about rows of carts, and here is a row of profiles
  SELECT email FROM profiles WHERE segments.open_carts
                                            ^
  hint: has(carts) FILTER (WHERE segments.open_carts)"
    );
}

#[test]
fn a_definition_resolves_to_the_ids_of_its_rows() {
    check_transcript!(&[
        "CREATE SEGMENT a AS WHERE count(orders) > 3",
        "CREATE SEGMENT a AS SELECT * FROM carts WHERE status = 'open'",
        "CREATE SEGMENT a AS SELECT email, sum(orders.total) AS spent FROM profiles ORDER BY spent DESC LIMIT 10",
    ]);
}

#[test]
fn a_definition_that_does_not_select_rows_of_one_table_is_refused() {
    let hint = "it selects rows of one table: SELECT * FROM profiles WHERE …";
    for (text, message) in [
        ("CREATE SEGMENT a AS SELECT country FROM profiles GROUP BY country", "a segment's query has no GROUP BY"),
        ("CREATE SEGMENT a AS SELECT DISTINCT country FROM profiles", "a segment's query has no DISTINCT"),
        ("CREATE SEGMENT a AS SELECT * FROM profiles, orders", "a segment's query has no join"),
        ("CREATE SEGMENT a AS SELECT count(*) FROM profiles", "a segment's query has no aggregate over its rows"),
    ] {
        let caret = " ".repeat(20);
        let expected = format!("line 1, column 21: {message}\n  {text}\n  {caret}^\n  hint: {hint}");
        assert_eq!(error(text), expected);
    }
    assert_eq!(
        error("CREATE SEGMENT a AS SELECT * FROM products"),
        "line 1, column 21: a segment selects rows of profiles or of one history table
  CREATE SEGMENT a AS SELECT * FROM products
                      ^
  hint: SELECT * FROM profiles WHERE …"
    );
    assert_eq!(
        error("CREATE SEGMENT a AS SELECT * FROM web_visits"),
        "line 1, column 21: rows of web_visits have no key, so a segment cannot hold them
  CREATE SEGMENT a AS SELECT * FROM web_visits
                      ^
  hint: declare `key` in muster.toml"
    );
}
