//! What is refused, with the whole message; nothing is changed then.

use muster_language::parse;
use muster_segment::{Access, Definition, Error, NewDefinition, Session, Workbench};

use crate::world::{Shop, definitions, instant, run};

#[test]
fn a_segment_that_others_use_is_not_dropped() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT rich AS WHERE segments.Dutch AND income > 5");
    shop.define("CREATE SEGMENT others AS WHERE NOT segments.dutch");
    shop.define("CREATE SEGMENT bystanders AS WHERE country IS NULL");
    assert_eq!(shop.error("DROP SEGMENT dutch"), "`dutch` is used by others, rich; drop or change those first");
    shop.run("DROP SEGMENT rich; DROP SEGMENT others; DROP SEGMENT dutch").unwrap();
    assert_eq!(shop.kept("dutch"), None);
}

/// A column that a later load no longer brings leaves definitions behind that nobody can resolve.
#[test]
fn a_definition_that_no_longer_resolves_does_not_hold_the_others() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT rich AS WHERE income > 5");
    let texts = ["CREATE SEGMENT old AS WHERE gone = 1", "CREATE SEGMENT older AS WHERE gone = 2 AND segments.dutch"];
    for parsed in definitions(&texts) {
        let NewDefinition::Segment(segment) = parsed else { panic!("a segment was defined") };
        let definition = Definition::new(segment, instant("2025-01-01"));
        shop.state.write(|tx| definition.save(tx)).unwrap();
    }
    shop.run("DROP SEGMENT rich").unwrap();
    assert_eq!(shop.error("DROP SEGMENT dutch"), "`dutch` is used by older; drop or change those first");
    shop.run("DROP SEGMENT older; DROP SEGMENT old; DROP SEGMENT dutch").unwrap();
}

#[test]
fn a_cycle_is_printed_the_way_round() {
    let shop = Shop::open();
    let texts = [
        "CREATE SEGMENT a AS WHERE segments.b",
        "CREATE SEGMENT b AS WHERE NOT segments.c",
        "CREATE SEGMENT c AS WHERE segments.b OR income > 0",
    ];
    let error = shop.session().define_all(definitions(&texts), false).unwrap_err();
    assert_eq!(error.to_string(), "these are defined by each other: b → c → b");
    shop.define("CREATE SEGMENT first AS WHERE income > 0");
    shop.define("CREATE SEGMENT second AS WHERE segments.first");
    assert_eq!(
        shop.error("CREATE OR REPLACE SEGMENT first AS WHERE segments.second"),
        "these are defined by each other: first → second → first"
    );
    assert_eq!(shop.kept("first").unwrap(), ["ann", "bob"]);
}

#[test]
fn unknown_names_come_with_the_nearest_spelling() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    for (text, expected) in [
        ("REFRESH SEGMENT duch", "there is no segment `duch`; did you mean `dutch`?"),
        ("DROP SEGMENT belgian", "there is no segment `belgian`"),
        ("DESCRIBE SEGMENT dutsch", "there is no segment `dutsch`; did you mean `dutch`?"),
        ("DESCRIBE order", "there is no table `order`; did you mean `orders`?"),
        ("DESCRIBE warehouses", "there is no table `warehouses`"),
        (
            "SELECT count(*) FROM profiles WHERE segments.duch",
            "line 1, column 46: unknown segment `duch`\n  SELECT count(*) FROM profiles WHERE segments.duch\n                                               ^\n  hint: did you mean `dutch`?",
        ),
    ] {
        assert_eq!(shop.error(text), expected, "{text}");
    }
}

#[test]
fn a_query_that_fails_while_it_runs_stores_nothing() {
    let shop = Shop::open();
    let error = shop.run("CREATE SEGMENT odd AS WHERE country + income > 0").unwrap_err();
    assert!(matches!(error, Error::Query(_)), "{error:?}");
    assert_eq!(shop.rows("SHOW SEGMENTS").len(), 1);
}

#[test]
fn before_the_first_load_there_is_nothing_to_ask() {
    let shop = Shop::empty();
    let Err(error) = Session::new(shop.bench(), None) else { panic!("there is no data") };
    assert_eq!(error.to_string(), "there is no data yet; load some with `muster load`");
}

#[test]
fn a_session_that_reads_writes_nothing() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    let reader = shop.state.reader().unwrap();
    let bench = Workbench { access: Access::Read(&reader), ..shop.bench() };
    let mut session = Session::new(bench, None).unwrap();
    let commits = shop.state.commit_count();
    for text in [
        "CREATE SEGMENT other AS WHERE income > 0",
        "CREATE OR REPLACE SEGMENT dutch AS WHERE income > 0",
        "REFRESH SEGMENT dutch",
        "DROP SEGMENT dutch",
    ] {
        assert!(Session::writes(&parse(text).unwrap()), "{text}");
        let error = run(&mut session, text).unwrap_err();
        assert_eq!(error.to_string(), "this statement writes, and the workspace was opened for reading", "{text}");
    }
    for text in ["SELECT count(*) FROM profiles", "SHOW SEGMENTS", "DESCRIBE SEGMENT dutch", "SET as_of = '2025-01-01'"]
    {
        assert!(!Session::writes(&parse(text).unwrap()), "{text}");
        run(&mut session, text).unwrap();
    }
    assert_eq!(shop.state.commit_count(), commits);
    assert_eq!(shop.kept("dutch").unwrap(), ["ann", "cas"]);
}
