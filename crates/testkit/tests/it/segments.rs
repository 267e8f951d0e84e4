//! Segments: inside conditions, of rows, in circles, and what their queries may be.

use muster_testkit::interpreter::{Kind, members};

use crate::shop::{each, fails, now, rows, shop, who, who_in, wrong};

#[test]
fn a_segment_is_true_or_false_for_every_row() {
    each("segments.vip", "TRUE, TRUE, FALSE, FALSE");
    who("segments.vip AND country = 'NL'", "ann");
    rows("SELECT cart_id, segments.vip FROM carts", "k1 TRUE, k2 TRUE, k3 FALSE");
    who("has(carts) FILTER (WHERE NOT segments.vip)", "cas");
}

#[test]
fn a_row_segment_is_used_at_its_grain_and_below() {
    rows("SELECT cart_id FROM carts WHERE segments.open_carts", "k1, k2");
    rows("SELECT product_id FROM cart_lines WHERE segments.open_carts", "A, B");
    who("has(carts) FILTER (WHERE segments.open_carts)", "ann bob");
    who("has(carts) FILTER (WHERE NOT segments.open_carts)", "cas");
    let message = wrong("segments.open_carts", Kind::Level);
    assert!(message.contains("has(carts) FILTER (WHERE segments.open_carts)"), "{message}");
    wrong("has(orders) FILTER (WHERE segments.open_carts)", Kind::Level);
}

#[test]
fn order_and_limit_give_the_top() {
    who("SELECT * FROM profiles ORDER BY points DESC LIMIT 2", "cas dee");
    each("segments.top", "FALSE, FALSE, TRUE, TRUE");
    who("SELECT * FROM profiles ORDER BY country LIMIT 3", "bob ann cas");
    who("SELECT * FROM profiles WHERE has(orders) ORDER BY sum(orders.total) LIMIT 1", "bob");
    who("SELECT * FROM orders ORDER BY channel LIMIT 3", "o5 o3 o1");
}

#[test]
fn segments_within_segments() {
    let mut world = shop();
    world.segment("dutch_vip", "WHERE segments.vip AND country = 'NL'");
    world.segment("others", "WHERE NOT segments.dutch_vip");
    assert_eq!(who_in(&world, "segments.dutch_vip", now()), "ann");
    assert_eq!(
        who_in(&world, "segments.others AND NOT was(segments.dutch_vip, DATE '2025-01-01')", now()),
        "bob cas dee"
    );
}

#[test]
fn a_circle_is_an_error_that_prints_it() {
    let mut world = shop();
    world.segment("a", "WHERE segments.b");
    world.segment("b", "WHERE NOT segments.a");
    let error = members(&world, "WHERE segments.a", now()).unwrap_err();
    assert_eq!(error.kind, Kind::Cycle);
    assert!(error.message.contains("a → b → a"), "{error}");
}

#[test]
fn what_cannot_be_a_segments_query() {
    let kind = |query: &str| members(&shop(), query, now()).map_err(|error| error.kind);
    for query in [
        "SELECT country FROM profiles GROUP BY country",
        "SELECT DISTINCT country FROM profiles",
        "SELECT count(*) FROM profiles",
        "SELECT profiles.* FROM profiles JOIN orders ON TRUE",
    ] {
        assert_eq!(kind(query), Err(Kind::Segment), "{query}");
    }
    for query in ["SELECT * FROM cart_lines", "SELECT * FROM products", "SELECT * FROM lists.staff"] {
        assert_eq!(kind(query), Err(Kind::Grain), "{query}");
    }
    assert!(kind("SELECT * FROM carts").is_ok());
}

#[test]
fn modifiers_that_would_be_ignored_in_silence_are_errors() {
    fails("SELECT customer_id FROM profiles TABLESAMPLE (10)", Kind::Forbidden);
}

#[test]
fn what_is_not_read_is_said() {
    for query in [
        "SELECT 1 FROM profiles JOIN orders ON TRUE",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SELECT 1 FROM profiles UNION SELECT 2 FROM profiles",
        "SELECT 1 FROM profiles WHERE customer_id IN (SELECT customer_id FROM orders)",
        "SELECT 1 FROM profiles GROUP BY CUBE (country)",
        "SELECT * EXCLUDE (email) FROM profiles",
        "SELECT home_site.* FROM profiles",
        "SELECT a FROM profiles AS p (a)",
    ] {
        fails(query, Kind::Unsupported);
    }
    fails("SELECT (1 FROM profiles", Kind::Syntax);
    fails("SELECT sum(points) OVER () FROM profiles", Kind::Unsupported);
    fails("SELECT 1 FROM profiles; SELECT 2 FROM profiles", Kind::Syntax);
}
