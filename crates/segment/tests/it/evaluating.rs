//! Who is in a segment, each at most once per snapshot and instant.

use std::sync::Arc;

use muster_catalog::Timestamp;
use muster_segment::{Profiles, Session};

use crate::world::{Shop, definitions, instant, run, twenty_steps};

#[test]
fn a_segment_is_evaluated_once_per_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    let evaluator = shop.session().evaluator().unwrap();
    let (now, before) = (instant("2025-06-30T12:00:00"), instant("2025-02-01"));
    let rows = evaluator.rows("buyers", now).unwrap();
    assert!(Arc::ptr_eq(&rows, &evaluator.rows("BUYERS", now).unwrap()));
    assert_eq!((rows.len(), evaluator.rows("buyers", before).unwrap().len()), (3, 1));
}

#[test]
fn a_session_remembers_a_segment_until_anything_is_defined_anew() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    let (mut session, now) = (shop.session(), instant("2025-06-30T12:00:00"));
    let asked = |session: &Session<'_>| session.evaluator().unwrap().rows("buyers", now).unwrap();
    let first = asked(&session);
    assert!(Arc::ptr_eq(&first, &asked(&session)));
    run(&mut session, "CREATE OR REPLACE SEGMENT buyers AS WHERE NOT has(orders)").unwrap();
    assert_eq!(asked(&session).len() + first.len(), 4);
    assert!(!Arc::ptr_eq(&asked(&shop.session()), &asked(&session)));
}

/// What is remembered of each instant is a bitmap; of a variable a column.
#[test]
fn a_session_forgets_when_it_looked_at_many_instants() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    let session = shop.session();
    let asked = |day: i64| {
        let at = Timestamp::from_micros(instant("2025-06-01").micros() + day * 86_400_000_000);
        session.evaluator().unwrap().rows("buyers", at).unwrap()
    };
    let first = asked(0);
    assert!(Arc::ptr_eq(&first, &asked(0)));
    (1..=20).for_each(|day| drop(asked(day)));
    assert!(!Arc::ptr_eq(&first, &asked(0)));
    assert_eq!(first, asked(0));
}

/// Each of twenty steps names both segments of the step before: without memory that would be a million evaluations.
#[test]
fn a_segment_that_many_use_is_evaluated_once() {
    let shop = Shop::open();
    let texts = twenty_steps();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    shop.session().define_all(definitions(&texts), false).unwrap();
    assert_eq!(shop.kept("a20").unwrap(), ["ann", "bob"]);
    assert_eq!(shop.kept("b20").unwrap(), ["cas", "dan"]);
}

#[test]
fn a_segment_inside_a_query_looks_at_the_querys_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT recent AS WHERE max(orders.placed_at) >= now() - INTERVAL '60 days'");
    let count = "SELECT count(*) AS n FROM profiles WHERE segments.recent";
    assert_eq!(shop.rows(count), ["n", "2"]);
    assert_eq!(shop.rows(&format!("AS OF '2025-02-01' {count}")), ["n", "1"]);
    assert_eq!(shop.rows(&format!("AS OF '2025-05-15' {count}")), ["n", "0"]);
}

#[test]
fn a_query_never_uses_an_older_audience() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.with_one_more();
    assert_eq!(shop.kept("dutch").unwrap().len(), 2);
    assert_eq!(shop.rows("SELECT count(*) AS n FROM profiles WHERE segments.dutch"), ["n", "3"]);
}

/// Rule 6 of the language: true, false and neither are everybody.
#[test]
fn those_inside_those_outside_and_those_unknown_are_everybody() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    let counts = [
        ("income > 5", "2 | 1 | 1"),
        ("country = 'NL'", "2 | 1 | 1"),
        ("segments.dutch", "2 | 2 | 0"),
        ("NOT segments.dutch AND income > 5", "1 | 3 | 0"),
        ("has(orders)", "3 | 1 | 0"),
        ("max(orders.placed_at) < now() - INTERVAL '90 days'", "1 | 2 | 1"),
        ("sum(orders.total) / (income - 10) > 1", "1 | 0 | 3"),
        ("stores.city = 'Delft' OR count(orders) = 0", "3 | 0 | 1"),
        ("country IN ('NL', NULL)", "2 | 0 | 2"),
        ("NULL", "0 | 0 | 4"),
    ];
    for (condition, expected) in counts {
        let text = format!(
            "SELECT count(*) FILTER (WHERE {condition}) AS inside, count(*) FILTER (WHERE NOT ({condition})) AS outside,
                    count(*) FILTER (WHERE ({condition}) IS NULL) AS unknown
             FROM profiles"
        );
        assert_eq!(shop.rows(&text)[1], expected, "{condition}");
        let sum: u64 = expected.split(" | ").map(|count| count.parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 4, "{condition}");
        if condition != "NULL" {
            let audience = shop.define(&format!("CREATE OR REPLACE SEGMENT c AS WHERE {condition}"));
            assert_eq!(audience.rows.len().to_string(), expected.split(' ').next().unwrap(), "{condition}");
        }
    }
}

#[test]
fn single_profiles_are_found_by_their_keys() {
    let shop = Shop::open();
    let profiles = Profiles::of(shop.store.snapshot().unwrap(), chrono_tz::Europe::Amsterdam).unwrap();
    let (places, batch) = profiles.fetch(&["dan", "nobody", "ann"]).unwrap();
    assert_eq!(places.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let answer = muster_query::Answer { schema: batch.schema(), batches: vec![batch] };
    let rows = crate::world::rows(&answer);
    assert_eq!(rows[1 + places[0].unwrap()], "dan | d@x.example | - | 0.00 | s2");
    assert_eq!(rows[1 + places[2].unwrap()], "ann | a@x.example | NL | 10.00 | s1");
    let (none, batch) = profiles.fetch(&["nobody"]).unwrap();
    assert_eq!((none, batch.num_rows()), (vec![None], 0));
}
