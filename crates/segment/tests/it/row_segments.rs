//! Segments of rows of a history: used at their grain and below, kept as the profiles that own them.

use crate::world::Shop;

#[test]
fn a_row_segment_holds_rows_and_its_audience_their_owners() {
    let shop = Shop::open();
    let audience = shop.define("CREATE SEGMENT large AS SELECT * FROM orders WHERE total >= 15");
    assert_eq!(
        (shop.keys(&audience), shop.kept("large").unwrap()),
        (vec!["ann".to_owned(), "bob".to_owned()], vec!["ann".to_owned(), "bob".to_owned()])
    );
    assert_eq!(
        shop.rows("SELECT order_id FROM orders WHERE segments.large ORDER BY order_id"),
        ["order_id", "o2", "o3"]
    );
    assert_eq!(
        shop.rows("SELECT id, count(orders) FILTER (WHERE NOT segments.large) AS small FROM profiles ORDER BY id"),
        ["id | small", "ann | 1", "bob | 0", "cas | 1", "dan | 0"]
    );
    assert_eq!(shop.rows("SELECT count(*) AS n FROM profiles WHERE audiences.large"), ["n", "2"]);
    let hint = "has(orders) FILTER (WHERE segments.large)";
    assert!(shop.error("SELECT id FROM profiles WHERE segments.large").ends_with(hint));
    shop.define(&format!("CREATE SEGMENT rich AS WHERE {hint}"));
    assert_eq!(shop.kept("rich").unwrap(), ["ann", "bob"]);
}

#[test]
fn a_row_segment_looks_at_the_querys_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT recent AS SELECT * FROM orders WHERE placed_at >= now() - INTERVAL '60 days'");
    let count = "SELECT count(*) AS n FROM orders WHERE segments.recent";
    assert_eq!(shop.rows(count), ["n", "2"]);
    assert_eq!(shop.rows(&format!("AS OF '2025-02-01' {count}")), ["n", "1"]);
}
