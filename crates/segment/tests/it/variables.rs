//! Variables: defined, typed, read wherever a profile is seen, as of any instant.

use muster_segment::Outcome;

use crate::world::{Shop, definitions};

#[test]
fn a_variable_is_a_column_of_profiles_with_the_type_of_its_expression() {
    let shop = Shop::open();
    shop.run("CREATE VARIABLE spent COMMENT 'in euro' AS sum(orders.total)").unwrap();
    shop.run("CREATE VARIABLE last_order AS max(orders.placed_at)").unwrap();
    shop.run("CREATE VARIABLE upper_country AS upper(country)").unwrap();
    shop.run("CREATE VARIABLE buys AS has(orders)").unwrap();
    assert_eq!(
        shop.rows("SHOW VARIABLES"),
        [
            "variable | type | definition | used_by | comment",
            "buys | bool | has(orders) | - | -",
            "last_order | timestamp | max(orders.placed_at) | - | -",
            "spent | decimal(22,2) | sum(orders.total) | - | in euro",
            "upper_country | text | upper(country) | - | -",
        ]
    );
    assert_eq!(
        shop.rows("SELECT id, spent, buys, upper_country FROM profiles ORDER BY id"),
        [
            "id | spent | buys | upper_country",
            "ann | 20.00 | true | NL",
            "bob | 50.00 | true | BE",
            "cas | 1.00 | true | NL",
            "dan | - | false | -"
        ]
    );
    assert_eq!(
        shop.rows("SELECT order_id FROM orders WHERE total < profiles.spent AND profiles.last_order > '2025-06-01'"),
        ["order_id", "o1", "o2"]
    );
    assert_eq!(
        shop.rows("SELECT id FROM profiles WHERE has(orders) FILTER (WHERE orders.total * 2 > spent) ORDER BY id"),
        ["id", "ann", "bob", "cas"]
    );
}

#[test]
fn a_variable_is_what_it_was_as_of_the_querys_instant() {
    let shop = Shop::open();
    shop.run("CREATE VARIABLE spent AS sum(orders.total)").unwrap();
    let question = "SELECT id, spent FROM profiles WHERE spent > 4 ORDER BY id";
    assert_eq!(shop.rows(question), ["id | spent", "ann | 20.00", "bob | 50.00"]);
    assert_eq!(shop.rows(&format!("AS OF '2025-02-01' {question}")), ["id | spent", "ann | 5.00"]);
}

#[test]
fn definitions_name_each_other_in_any_order() {
    let shop = Shop::open();
    let texts = [
        "CREATE SEGMENT best AS WHERE rank_of > 10 AND segments.dutch",
        "CREATE VARIABLE rank_of AS spent / 2",
        "CREATE VARIABLE spent AS sum(orders.total) FILTER (WHERE NOT segments.small)",
        "CREATE SEGMENT dutch AS WHERE country = 'NL'",
        "CREATE SEGMENT small AS WHERE count(orders) < 2",
    ];
    let outcomes = shop.session().define_all(definitions(&texts), false).unwrap();
    let names = outcomes.iter().map(|outcome| match outcome {
        Outcome::Defined { audience, .. } => format!("{} {}", audience.segment, audience.rows.len()),
        Outcome::DefinedVariable { variable, changed: true } => format!("{} {}", variable.name(), variable.holds),
        other => panic!("{other:?}"),
    });
    let expected = ["best 0", "rank_of decimal(26,6)", "spent decimal(22,2)", "dutch 2", "small 3"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let shown = shop.rows("SHOW VARIABLES");
    assert_eq!(shown[1], "rank_of | decimal(26,6) | spent / 2 | best | -");
    assert!(shown[2].ends_with(" | variable rank_of | -"), "{shown:?}");
    assert_eq!(shop.error("DROP VARIABLE spent"), "`spent` is used by variable rank_of; drop or change those first");
    assert_eq!(shop.error("DROP SEGMENT small"), "`small` is used by variable spent; drop or change those first");
    shop.run("DROP SEGMENT best; DROP VARIABLE rank_of; DROP VARIABLE Spent; DROP SEGMENT small").unwrap();
    assert_eq!(shop.rows("SHOW VARIABLES").len(), 1, "only the header is left");
}

#[test]
fn a_cycle_through_a_variable_is_printed() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.run("CREATE VARIABLE v AS segments.dutch").unwrap();
    assert_eq!(
        shop.error("CREATE OR REPLACE SEGMENT dutch AS WHERE v"),
        "these are defined by each other: dutch → variable v → dutch"
    );
}

#[test]
fn a_name_that_profiles_have_already_is_refused_and_so_is_a_value_without_a_type() {
    let shop = Shop::open();
    for (name, taken) in [
        ("Country", "a column of profiles"),
        ("orders", "a table"),
        ("stores", "a table"),
        ("__x", "one of muster's own names"),
    ] {
        let name = name.to_lowercase();
        assert_eq!(
            shop.error(&format!("CREATE VARIABLE {name} AS 1")),
            format!("`{name}` is {taken}, so a variable cannot have this name; choose another one")
        );
    }
    assert_eq!(
        shop.error("CREATE VARIABLE v AS NULL"),
        "the variable `v` would hold Null, which no column can; cast it: CAST(… AS VARCHAR)"
    );
    shop.run("CREATE VARIABLE v AS income").unwrap();
    assert_eq!(
        shop.error("CREATE VARIABLE v AS income"),
        "there is a variable `v` already; CREATE OR REPLACE VARIABLE takes its place"
    );
    assert_eq!(shop.error("DROP VARIABLE w"), "there is no variable `w`; did you mean `v`?");
}
