//! How the members of a segment differ by another definition, and between two instants.

use muster_language::{ErrorKind, parse_definition};
use muster_segment::{Difference, Error, Move};

use crate::world::{CATALOG, CUSTOMERS, Shop, input, instant, rows};

/// `key change by` of everybody who moved.
fn told(difference: &Difference) -> Vec<String> {
    let line = |one: &Move| format!("{} {} by {}", one.key, one.moved.word(), one.by.join(" & "));
    difference.moves.iter().map(line).collect()
}

fn with(shop: &Shop, definition: &str) -> Difference {
    shop.session().difference_with("s", parse_definition(definition).unwrap()).unwrap()
}

fn between(shop: &Shop, from: &str, to: &str) -> Difference {
    shop.session().difference_between("S", instant(from), instant(to)).unwrap()
}

#[test]
fn another_definition_says_who_would_come_and_go_and_by_which_condition() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL' AND count(orders) >= 1");
    let difference = with(&shop, "WHERE sum(orders.total) >= 20 AND income > 5");
    assert_eq!((difference.before, difference.after), (2, 2));
    assert_eq!(told(&difference), ["bob came by country = 'NL'", "cas went by sum(orders.total) >= 20 & income > 5"]);
    assert_eq!(shop.kept("s").unwrap(), ["ann", "cas"], "nothing was stored");
    assert_eq!(
        rows(&difference.counted().unwrap()),
        [
            "change | by | profiles",
            "came | country = 'NL' | 1",
            "went | income > 5 | 1",
            "went | sum(orders.total) >= 20 | 1",
        ]
    );
    assert_eq!(rows(&difference.listed().unwrap())[1], "bob | came | country = 'NL'");
}

#[test]
fn the_same_definition_moves_nobody() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL'");
    assert_eq!(told(&with(&shop, "SELECT * FROM profiles WHERE country = 'NL'")), Vec::<String>::new());
}

#[test]
fn whoever_meets_every_condition_was_not_chosen() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS SELECT * FROM profiles WHERE has(orders) ORDER BY count(orders) DESC LIMIT 1");
    let difference = with(&shop, "SELECT * FROM profiles ORDER BY income DESC LIMIT 1");
    assert_eq!(
        told(&difference),
        ["bob came by ORDER BY count(orders) DESC LIMIT 1", "ann went by ORDER BY income DESC LIMIT 1"]
    );
}

#[test]
fn a_segment_below_moves_those_above_it() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT base AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT s AS WHERE segments.base AND has(orders)");
    let difference = with(&shop, "WHERE segments.base AND count(orders) > 1");
    assert_eq!(told(&difference), ["cas went by count(orders) > 1"]);
}

#[test]
fn two_instants_say_who_came_and_went_and_by_which_condition() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE max(orders.placed_at) >= now() - INTERVAL '60 days' AND income > 0");
    let difference = between(&shop, "2025-03-15", "2025-06-30");
    assert_eq!((difference.before, difference.after), (1, 1));
    let recent = "max(orders.placed_at) >= now() - INTERVAL '60 days'";
    assert_eq!(told(&difference), [format!("ann came by {recent}"), format!("bob went by {recent}")]);
}

#[test]
fn who_was_not_there_yet_came_by_no_condition() {
    let shop = crate::planted::shop();
    shop.define("CREATE SEGMENT s AS WHERE income > 0 AND email IS NOT NULL");
    let difference = between(&shop, "2024-01-15", "2024-02-11T00:00:00");
    assert_eq!(told(&difference), ["p2 came by ", "p6 came by "]);
    assert_eq!(rows(&difference.counted().unwrap())[1..], ["came | not there then | 2"]);
    assert_eq!(rows(&difference.listed().unwrap())[1], "p2 | came | not there then");
}

#[test]
fn fields_are_those_of_their_instants() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL'");
    let moved = vec![input("profiles", CUSTOMERS, &["ann a@x.example BE 10.00 s1"])];
    shop.load_at(CATALOG, moved, instant("2025-05-01"));
    let difference = between(&shop, "2025-04-01", "2025-06-01");
    assert_eq!(told(&difference), ["ann went by country = 'NL'"]);
}

#[test]
fn what_is_wrong_with_the_other_definition_is_said_at_its_place() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT s AS WHERE country = 'NL'");
    let error = parse_definition("WHERE").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Syntax);
    let wrong = parse_definition("WHERE contry = 'NL'").unwrap();
    match shop.session().difference_with("s", wrong).unwrap_err() {
        Error::Language(error) => assert_eq!((error.place.column, error.kind), (7, ErrorKind::UnknownName)),
        other => panic!("{other}"),
    }
    let query = parse_definition("WHERE TRUE").unwrap();
    assert!(matches!(shop.session().difference_with("t", query), Err(Error::UnknownSegment { .. })));
}
