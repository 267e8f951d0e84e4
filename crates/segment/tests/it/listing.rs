//! SHOW, and DESCRIBE of a segment.

use muster_segment::Outcome;

use crate::world::Shop;

#[test]
fn tables_with_their_kinds_and_rows() {
    assert_eq!(
        Shop::open().rows("SHOW TABLES"),
        [
            "table | kind | below | key | time | rows | waiting",
            "stores | lookup | - | store_id | - | 2 | 0",
            "profiles | root | - | id | - | 4 | 0",
            "orders | history | profiles | order_id | placed_at | 4 | 0",
        ]
    );
}

#[test]
fn segments_with_their_counts_and_age() {
    let shop = Shop::open();
    assert_eq!(shop.rows("SHOW SEGMENTS"), ["segment | profiles | as_of | evaluated_at | comment"]);
    shop.define("CREATE SEGMENT rich COMMENT 'More than most' AS WHERE income > 5");
    shop.session_as_of("2025-02-01")
        .define_all(crate::world::definitions(&["CREATE SEGMENT buyers AS WHERE has(orders)"]), false)
        .unwrap();
    assert_eq!(
        shop.rows("SHOW SEGMENTS"),
        [
            "segment | profiles | as_of | evaluated_at | comment",
            "buyers | 1 | 2025-02-01T00:00:00+01:00 | 2025-06-30T12:00:00+02:00 | -",
            "rich | 2 | 2025-06-30T12:00:00+02:00 | 2025-06-30T12:00:00+02:00 | More than most",
        ]
    );
}

#[test]
fn a_segment_with_its_definition_and_its_users() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS where   country='NL'");
    shop.define("CREATE SEGMENT b AS WHERE segments.dutch AND income > 5");
    shop.define("CREATE SEGMENT a AS WHERE NOT segments.dutch");
    assert_eq!(
        shop.rows("DESCRIBE SEGMENT Dutch"),
        [
            "segment | profiles | as_of | evaluated_at | definition | refresh | used_by | comment",
            "dutch | 2 | 2025-06-30T12:00:00+02:00 | 2025-06-30T12:00:00+02:00 | SELECT * FROM profiles WHERE country = 'NL' | - | a, b | -",
        ]
    );
}

#[test]
fn a_query_is_explained_as_plain_sql() {
    let explained = Shop::open().run("EXPLAIN SQL SELECT count(*) AS n FROM profiles WHERE country = 'NL'");
    let Ok(Outcome::Text(sql)) = explained else { panic!("{explained:?}") };
    assert!(sql.contains("count(*) AS \"n\"") && sql.contains("\"profiles\".\"country\" = 'NL'"), "{sql}");
    assert!(!sql.contains("kernel"), "{sql}");
    let joined = "EXPLAIN SQL SELECT count(*) AS n FROM profiles JOIN orders ON orders.customer = profiles.id";
    let Ok(Outcome::Text(sql)) = Shop::open().run(joined) else { panic!("{joined}") };
    assert!(sql.starts_with("-- not in the history kernel: a FROM without a grain is for plain SQL\nSELECT"), "{sql}");
}

#[test]
fn a_segment_is_explained_condition_by_condition() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT some AS WHERE has(orders) AND segments.dutch AND (income > 5 OR income IS NULL)");
    assert_eq!(
        shop.rows("EXPLAIN SEGMENT Some"),
        [
            "condition | remain | removes",
            "- | 4 | -",
            "has(orders) | 3 | 1",
            "segments.dutch | 2 | 2",
            "(income > 5 OR income IS NULL) | 2 | 1",
        ]
    );
    // What is neither TRUE nor FALSE is taken away as well.
    shop.define("CREATE SEGMENT rich AS WHERE income > 5");
    assert_eq!(shop.rows("EXPLAIN SEGMENT rich"), ["condition | remain | removes", "- | 4 | -", "income > 5 | 2 | 2"]);
}

#[test]
fn what_chooses_among_the_rows_is_the_last_line_of_an_explanation() {
    let shop = Shop::open();
    shop.define(
        "CREATE SEGMENT best AS SELECT * FROM profiles WHERE has(orders) ORDER BY sum(orders.total) DESC LIMIT 2",
    );
    assert_eq!(
        shop.rows("EXPLAIN SEGMENT best"),
        [
            "condition | remain | removes",
            "- | 4 | -",
            "has(orders) | 3 | 1",
            "ORDER BY sum(orders.total) DESC LIMIT 2 | 2 | -",
        ]
    );
    shop.define("CREATE SEGMENT everyone AS WHERE TRUE");
    assert_eq!(shop.rows("EXPLAIN SEGMENT everyone"), ["condition | remain | removes", "- | 4 | -", "true | 4 | 0"]);
    assert!(shop.error("EXPLAIN SEGMENT bests").contains("did you mean `best`?"));
}

#[test]
fn a_definition_that_is_not_stored_is_counted_condition_by_condition() {
    let shop = Shop::open();
    let text = "PREVIEW WHERE has(orders) AND country = 'NL' AND (income > 5 OR income IS NULL)";
    let counted = [
        "condition | alone | remain",
        "- | - | 4",
        "has(orders) | 3 | 3",
        "country = 'NL' | 2 | 2",
        "(income > 5 OR income IS NULL) | 3 | 2",
    ];
    assert_eq!(shop.rows(text), counted);
    // A second time in the same session nothing is asked again, and the answer is the same.
    assert_eq!(shop.rows(&format!("{text}; {text}")), counted);
    assert_eq!(
        shop.rows("PREVIEW SELECT * FROM profiles WHERE has(orders) ORDER BY sum(orders.total) DESC LIMIT 2"),
        [
            "condition | alone | remain",
            "- | - | 4",
            "has(orders) | 3 | 3",
            "ORDER BY sum(orders.total) DESC LIMIT 2 | - | 2"
        ]
    );
}
