//! CREATE and DROP SEGMENT, one by one and several at once.

use muster_segment::Outcome;

use crate::world::{Shop, definitions, instant};

#[test]
fn a_definition_is_stored_and_evaluated_at_once() {
    let shop = Shop::open();
    let audience = shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    assert_eq!(shop.keys(&audience), ["ann", "cas"]);
    assert_eq!((audience.snapshot, audience.as_of), (1, instant("2025-06-30T12:00:00")));
    assert_eq!(shop.kept("dutch").as_deref(), Some(["ann".to_owned(), "cas".to_owned()].as_slice()));
}

#[test]
fn a_view_of_the_schema_segments_is_the_same() {
    let shop = Shop::open();
    let view = shop.define("CREATE VIEW segments.dutch AS SELECT * FROM profiles WHERE country = 'NL'");
    let short = shop.define("CREATE OR REPLACE SEGMENT dutch AS WHERE country = 'NL'");
    assert_eq!(view.definition, short.definition);
}

#[test]
fn a_taken_name_is_replaced_only_where_that_is_said() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    assert_eq!(
        shop.error("CREATE SEGMENT Dutch AS WHERE country = 'BE'"),
        "there is a segment `dutch` already; CREATE OR REPLACE SEGMENT takes its place"
    );
    assert_eq!(shop.kept("dutch").unwrap(), ["ann", "cas"]);
    let Ok(Outcome::Defined { audience, before, changed }) =
        shop.run("CREATE OR REPLACE SEGMENT dutch AS WHERE income = 10")
    else {
        panic!("it is replaced")
    };
    assert_eq!((audience.rows.len(), before, changed), (1, Some(2), true));
    assert_eq!(shop.kept("dutch").unwrap(), ["ann"]);
}

#[test]
fn the_same_definition_in_another_layout_is_no_change() {
    let shop = Shop::open();
    let first = shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL' -- the Netherlands");
    let again = shop.run("create or replace segment dutch as\n  select *\n  from profiles\n  where country='NL'");
    let Ok(Outcome::Defined { audience, before, changed }) = again else { panic!("{again:?}") };
    assert_eq!((audience.definition, before, changed), (first.definition, Some(2), false));
}

#[test]
fn a_top_n_goes_to_the_lower_key_where_values_are_equal() {
    let shop = Shop::open();
    let audience = shop.define("CREATE SEGMENT top AS SELECT * FROM profiles ORDER BY count(orders) DESC LIMIT 2");
    assert_eq!(shop.keys(&audience), ["ann", "bob"]);
}

#[test]
fn definitions_may_name_each_other_in_any_order() {
    let shop = Shop::open();
    let texts = [
        "CREATE SEGMENT best AS WHERE segments.dutch AND segments.buyers",
        "CREATE SEGMENT buyers AS WHERE has(orders) AND NOT segments.small",
        "CREATE SEGMENT dutch AS WHERE country = 'NL'",
        "CREATE SEGMENT small AS WHERE sum(orders.total) < 5",
    ];
    let outcomes = shop.session().define_all(definitions(&texts), false).unwrap();
    let counts: Vec<(String, u64)> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Defined { audience, before: None, changed: true } => {
                (audience.segment.clone(), audience.rows.len())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("best", 1), ("buyers", 2), ("dutch", 2), ("small", 1)];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(shop.kept("best").unwrap(), ["ann"]);
}

#[test]
fn several_definitions_are_stored_all_or_none() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT old AS WHERE country = 'NL'");
    let texts = ["CREATE SEGMENT fine AS WHERE income > 0", "CREATE SEGMENT old AS WHERE incme > 0"];
    let error = shop.session().define_all(definitions(&texts), true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 29: unknown column `incme`\n  CREATE SEGMENT old AS WHERE incme > 0\n                              ^\n  hint: did you mean `income`?"
    );
    assert_eq!(shop.kept("fine"), None);
    assert_eq!(shop.kept("old").unwrap(), ["ann", "cas"]);
    assert_eq!(shop.rows("SHOW SEGMENTS").len(), 2, "a header and `old`");
}

#[test]
fn two_definitions_of_one_name_are_refused_together() {
    let shop = Shop::open();
    let texts = ["CREATE SEGMENT a AS WHERE income > 0", "CREATE SEGMENT A AS WHERE income < 0"];
    let expected = "there are two definitions of the segment `a`; keep one, or rename the other";
    assert_eq!(shop.session().define_all(definitions(&texts), true).unwrap_err().to_string(), expected);
    assert_eq!(shop.session().problems(definitions(&texts)), [expected]);
}

#[test]
fn problems_tells_of_all_definitions_and_stores_none() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    let texts = [
        "CREATE SEGMENT a AS WHERE segments.dutch",
        "CREATE SEGMENT b AS WHERE segments.duthc",
        "CREATE SEGMENT c AS WHERE segments.c",
    ];
    assert_eq!(
        shop.session().problems(definitions(&texts)),
        [
            "segment b: line 1, column 36: unknown segment `duthc`\n  CREATE SEGMENT b AS WHERE segments.duthc\n                                     ^\n  hint: did you mean `dutch`?",
            "segment c: these are defined by each other: c → c",
        ]
    );
    assert_eq!(shop.kept("a"), None);
}

#[test]
fn a_dropped_segment_is_gone_with_its_audience() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    assert!(matches!(shop.run("DROP SEGMENT DUTCH"), Ok(Outcome::Dropped(item)) if item.name() == "dutch"));
    assert_eq!(shop.kept("dutch"), None);
    assert_eq!(shop.error("DROP SEGMENT dutch"), "there is no segment `dutch`");
}
