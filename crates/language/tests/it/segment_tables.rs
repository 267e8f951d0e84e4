//! `venn`, `overlap` and `compare`: the queries that they stand for, where they may stand, and what is wrong with a call.

use muster_catalog::{Names, SegmentNames};
use muster_language::ErrorKind;

use crate::world::{names, resolved_with, transcript};

/// The shop with three segments of profiles.
fn shop() -> Names {
    let mut names = names();
    let segment = |name: &str| SegmentNames { name: name.to_owned(), grain: "profiles".to_owned() };
    names.segments.extend(["vip", "Café \"Zuid\"", "profiles"].map(segment));
    names
}

#[test]
fn a_call_in_from_is_a_query_over_profiles() {
    let printed = transcript(
        &[
            "SELECT * FROM venn('vip', 'unsubscribed')",
            "SELECT * FROM overlap('vip', 'unsubscribed')",
            "SELECT * FROM compare('vip', 'unsubscribed', country)",
        ],
        &shop(),
    );
    check_snapshot!(printed);
}

fn columns(text: &str) -> Vec<String> {
    let query = resolved_with(text, &shop()).unwrap_or_else(|error| panic!("{text}\n{error}"));
    query.columns.into_iter().map(|column| column.name).collect()
}

#[test]
fn its_columns_are_those_of_any_table() {
    let all = ["column", "category", "segment_profiles", "base_profiles", "segment_share", "base_share", "index"];
    for (text, expected) in [
        ("SELECT * FROM venn('VIP', 'café \"zuid\"')", vec!["vip", "Café \"Zuid\"", "profiles"]),
        ("SELECT v.profiles FROM venn('vip') AS v WHERE v.vip ORDER BY profiles", vec!["profiles"]),
        ("SELECT venn.vip FROM venn('vip')", vec!["vip"]),
        ("SELECT b FROM venn('vip') AS v (a, b)", vec!["b"]),
        (
            "SELECT segment_b FROM overlap('vip', 'unsubscribed') WHERE segment_a = 'vip' AND profiles > 0",
            vec!["segment_b"],
        ),
        (
            "SELECT * FROM compare('vip', 'unsubscribed', country, profiles.email, count(orders), home_site.city)",
            [all.as_slice(), &["z", "woe"]].concat(),
        ),
        ("WITH kinds AS (SELECT * FROM overlap('vip')) SELECT segment_a FROM kinds", vec!["segment_a"]),
        (
            "SELECT a.profiles, b.profiles AS other FROM venn('vip') AS a JOIN venn('unsubscribed') AS b ON TRUE",
            vec!["profiles", "other"],
        ),
    ] {
        assert_eq!(columns(text), expected, "{text}");
    }
}

#[test]
fn the_segments_are_those_of_the_query() {
    let query = resolved_with("SELECT * FROM overlap('vip', 'unsubscribed', 'VIP ')", &shop());
    assert_eq!(query.map_err(|error| error.message), Err("unknown segment `VIP `".to_owned()));
    let query =
        resolved_with("SELECT count(*) AS n FROM overlap('vip', 'unsubscribed')", &shop()).expect("both are there");
    assert_eq!(query.segments_used, ["unsubscribed", "vip"]);
}

#[test]
fn an_overlap_takes_two_hundred_segments_and_no_more() {
    let mut names = names();
    let segment = |number| SegmentNames { name: format!("s{number}"), grain: "profiles".to_owned() };
    names.segments.extend((1..=201).map(segment));
    let overlap = |count: usize| {
        let segments = (1..=count).map(|number| format!("'s{number}'")).collect::<Vec<_>>().join(", ");
        resolved_with(&format!("SELECT * FROM overlap({segments})"), &names)
    };
    assert_eq!(overlap(200).map(|query| query.segments_used.len()).map_err(|error| error.message), Ok(200));
    let message = overlap(201).map(|query| query.to_sql()).map_err(|error| error.message);
    assert_eq!(message, Err("`overlap` takes one to 200 segments; here are 201".to_owned()));
}

/// What is wrong stands behind `«`.
#[track_caller]
fn check(marked: &str, kind: ErrorKind, message: &str) {
    let text = marked.replace('«', "");
    let column = marked.chars().take_while(|character| *character != '«').count() + 1;
    let error = resolved_with(&text, &shop()).expect_err(&text);
    assert_eq!((error.kind, error.message.as_str(), error.place.column), (kind, message, column), "{text}\n{error}");
}

#[test]
fn what_is_wrong_with_a_call_is_said_at_its_place() {
    for (marked, kind, message) in [
        ("SELECT * FROM venn('vip', «'vipp')", ErrorKind::UnknownName, "unknown segment `vipp`"),
        ("SELECT * FROM venn('vip', «'VIP')", ErrorKind::Ambiguous, "the segment `vip` a second time"),
        (
            "SELECT * FROM venn(«'profiles')",
            ErrorKind::Ambiguous,
            "`venn` has a column `profiles` already, so it cannot show a segment of that name",
        ),
        (
            "SELECT * FROM venn('vip', «unsubscribed)",
            ErrorKind::Syntax,
            "expected the name of a segment in single quotes, found `unsubscribed`",
        ),
        ("SELECT * FROM «venn()", ErrorKind::NotAllowed, "`venn` takes one to 8 segments; here are 0"),
        (
            "SELECT * FROM «venn('a','b','c','d','e','f','g','h','i')",
            ErrorKind::NotAllowed,
            "`venn` takes one to 8 segments; here are 9",
        ),
        ("SELECT * FROM «overlap(a => 'vip')", ErrorKind::Syntax, "`overlap` cannot take `a => 'vip'`"),
        (
            "SELECT * FROM «compare('vip')",
            ErrorKind::NotAllowed,
            "`compare` takes a segment, a base, and what they are compared by",
        ),
        (
            "SELECT * FROM «compare('vip', 'unsubscribed')",
            ErrorKind::NotAllowed,
            "`compare` needs a column to compare by",
        ),
        ("SELECT * FROM compare('vip', 'unsubscribed', «contry)", ErrorKind::UnknownName, "unknown column `contry`"),
        (
            "SELECT * FROM compare('vip', 'unsubscribed', «interests)",
            ErrorKind::NotAllowed,
            "`interests` is a set, and a row of `compare` is about one value",
        ),
        ("SELECT «venn('vip') FROM profiles", ErrorKind::Position, "`venn` gives rows, so it stands in FROM"),
        ("SELECT * FROM venn('vip') AS «orders", ErrorKind::NotAllowed, "`orders` is the name of a table"),
    ] {
        check(marked, kind, message);
    }
}
