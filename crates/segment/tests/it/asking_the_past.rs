//! `was(…)`: conditions as of another instant; and audiences as they were stored.

use muster_segment::Outcome;

use crate::world::{Shop, rows, run};

#[test]
fn a_condition_is_asked_of_another_instant_with_its_own_now() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT recent AS WHERE max(orders.placed_at) >= now() - INTERVAL '60 days'");
    assert_eq!(
        shop.rows("SELECT id FROM profiles WHERE was(segments.recent, '2025-02-01') ORDER BY id"),
        ["id", "ann"]
    );
    assert_eq!(
        shop.rows(
            "SELECT id FROM profiles WHERE NOT was(segments.recent, '2025-02-01') AND segments.recent ORDER BY id"
        ),
        ["id", "cas"]
    );
    assert_eq!(
        shop.rows("SELECT id, count(orders) FILTER (WHERE was(orders.total > 0, now() - INTERVAL '60 days')) AS n FROM profiles ORDER BY id"),
        ["id | n", "ann | 1", "bob | 1", "cas | 0", "dan | 0"]
    );
    // A question about the past that is asked in the past looks back from there.
    assert_eq!(
        shop.rows(
            "AS OF '2025-03-31' SELECT count(*) AS n FROM profiles WHERE was(has(orders), now() - INTERVAL '1 month')"
        ),
        ["n", "1"]
    );
}

#[test]
fn a_condition_of_the_past_is_true_or_false_and_never_unknown() {
    let shop = Shop::open();
    assert_eq!(
        shop.rows("SELECT count(*) FILTER (WHERE was(country = 'NL', now())) AS yes, count(*) FILTER (WHERE NOT was(country = 'NL', now())) AS no FROM profiles"),
        ["yes | no", "2 | 2"]
    );
}

#[test]
fn an_audience_is_what_the_last_refresh_found() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.with_one_more();
    let counts = "SELECT count(*) FILTER (WHERE audiences.dutch) AS stored, count(*) FILTER (WHERE segments.dutch) AS now FROM profiles";
    assert_eq!(shop.rows(counts), ["stored | now", "2 | 3"]);
    shop.run("REFRESH SEGMENT dutch").unwrap();
    assert_eq!(shop.rows(counts), ["stored | now", "3 | 3"]);
    // Before its first refresh a segment had no audience.
    assert_eq!(shop.rows(&format!("AS OF '2025-02-01' {counts}")), ["stored | now", "0 | 3"]);
}

/// A session remembers the audiences that it read, and not for longer than they are the last ones.
#[test]
fn an_audience_that_others_refresh_is_read_again() {
    let shop = Shop::open();
    let recent = "CREATE SEGMENT recent AS WHERE max(orders.placed_at) >= now() - INTERVAL '60 days'";
    run(&mut shop.session_as_of("2025-02-01"), recent).unwrap();
    let mut session = shop.session();
    let mut asked = || match run(&mut session, "SELECT id FROM profiles WHERE audiences.recent ORDER BY id") {
        Ok(Outcome::Answer(answer)) => rows(&answer),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(), ["id", "ann"]);
    assert_eq!(asked(), ["id", "ann"]);
    shop.run("REFRESH SEGMENT recent").unwrap();
    assert_eq!(asked(), ["id", "ann", "cas"]);
}
