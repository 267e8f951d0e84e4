//! `was(condition, instant)`, and audiences as they were stored.

use muster_language::ErrorKind;

use crate::errors::check;
use crate::world::resolved;

#[test]
fn a_condition_of_the_past_is_a_column_of_its_table() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE was(segments.unsubscribed, now() - INTERVAL '1 year') AND NOT segments.unsubscribed",
        "SELECT count(carts) FILTER (WHERE was(carts.status = 'open', '2025-06-01')) AS n FROM profiles",
        "SELECT was(count(orders) > 2, DATE '2025-01-01') AS before, count(*) AS n FROM profiles GROUP BY before",
    ]);
}

#[test]
fn the_condition_is_resolved_as_of_its_own_instant() {
    let query = resolved("SELECT * FROM profiles WHERE was(max(orders.placed_at) < now(), '2024-03-01')").unwrap();
    assert_eq!(query.past.len(), 1);
    assert_eq!((query.past[0].column.as_str(), query.past[0].rows.grain.as_str()), ("__was_1", "profiles"));
    check_snapshot!(query.past[0].rows.query.to_pretty_sql());
}

#[test]
fn the_same_condition_is_asked_once_and_names_are_seen() {
    let text =
        "SELECT has(o => orders) FILTER (WHERE was(o.total > 5 AND NOT segments.unsubscribed, '2024-03-01')) AS a,
                was(income > 5, now()) AS b, was(income > 5, now()) AS c FROM profiles";
    let query = resolved(text).unwrap();
    let of = |place: usize| (query.past[place].column.as_str(), query.past[place].rows.grain.as_str());
    assert_eq!((query.past.len(), of(0), of(1)), (2, ("__was_1", "orders"), ("__was_2", "profiles")));
    // What a condition of the past names is its own: it is evaluated for another instant.
    assert!(query.segments_used.is_empty());
    assert_eq!(query.past[0].rows.query.segments_used, ["unsubscribed"]);
}

#[test]
fn a_row_of_a_sequence_is_asked_for_its_past_by_its_table() {
    let text = "SELECT email FROM profiles WHERE has_sequence(orders, was(orders.total > 5, '2024-03-01'), was(total > 5, now()))";
    let query = resolved(text).unwrap();
    let of = |place: usize| query.past[place].rows.query.to_sql();
    assert_eq!(query.past.len(), 2);
    assert!(of(0).contains("\"orders\".\"total\" > 5"), "{}", of(0));
    assert!(of(1).contains("\"orders\".\"total\" > 5"), "{}", of(1));
}

#[test]
fn an_instant_that_is_not_the_same_for_all_rows_is_refused() {
    let hint = Some("was(segments.vip, now() - INTERVAL '1 year')");
    check(
        "SELECT was(consent, «birth_date) FROM profiles",
        ErrorKind::NotAllowed,
        "`was` needs an instant that is the same for every row, and `birth_date` is none",
        hint,
    );
    check(
        "SELECT was(consent, «7) FROM profiles",
        ErrorKind::NotAllowed,
        "`was` needs an instant that is the same for every row, and `7` is none",
        hint,
    );
    check(
        "SELECT «was(consent) FROM profiles",
        ErrorKind::NotAllowed,
        "`was` takes a condition and an instant, and 1 arguments are given",
        hint,
    );
    check(
        "SELECT was(consent, «'2025-13-01') FROM profiles",
        ErrorKind::Literal,
        "'2025-13-01' is not an instant; expected YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.ffffff]], or the same with Z or an offset",
        None,
    );
    check(
        "SELECT «was(TRUE, now()) FROM products",
        ErrorKind::Position,
        "`was` needs the row that it is about",
        Some("use it FROM profiles or a history"),
    );
    check(
        "SELECT has(orders) FILTER (WHERE has(carts) FILTER (WHERE was(«orders.total > 5, now()))) FROM profiles",
        ErrorKind::Level,
        "`orders.total` has many values for one row of carts",
        Some("reduce them to one: max(orders.total), or has(orders) FILTER (WHERE …)"),
    );
}

#[test]
fn a_stored_audience_is_a_column_of_the_rows_profile() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE audiences.unsubscribed AND NOT segments.unsubscribed",
        "SELECT count(orders) FILTER (WHERE audiences.open_carts) AS n FROM profiles",
    ]);
    let query = resolved("SELECT audiences.Unsubscribed FROM orders").unwrap();
    assert_eq!((query.audiences_used, query.segments_used), (vec!["unsubscribed".to_owned()], Vec::new()));
    check(
        "SELECT audiences.«unsub FROM profiles",
        ErrorKind::UnknownName,
        "unknown segment `unsub`",
        Some("segments: unsubscribed, open_carts"),
    );
}
