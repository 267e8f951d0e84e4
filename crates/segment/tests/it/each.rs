//! Segments that are asked of one profile at a time. That they say what they say of everybody, every definition of these
//! tests shows (`Shop::define`).

use muster_segment::Evaluator;

use crate::world::{Shop, instant, twenty_steps};

/// What a segment says of profiles, one after the other; `-` of nobody.
fn said(evaluator: &Evaluator<'_>, segment: &str, keys: &[&str]) -> Vec<String> {
    let definition = evaluator.definition(segment).unwrap();
    let each = evaluator.each_profile(&definition.query, instant("2025-06-30T12:00:00")).unwrap();
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let profiles = evaluator.profiles_with_keys(&keys).unwrap();
    let said = profiles.into_iter().map(|profile| match profile {
        None => "-".to_owned(),
        Some(profile) => each.selects(profile).unwrap().to_string(),
    });
    said.collect()
}

#[test]
fn what_a_segment_names_is_asked_of_the_same_profile() {
    let shop = Shop::open();
    shop.run("CREATE VARIABLE spent AS sum(orders.total)").unwrap();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    shop.define("CREATE SEGMENT large_orders AS SELECT * FROM orders WHERE total >= 15");
    shop.define(
        "CREATE SEGMENT good AS WHERE segments.buyers AND spent > 10 AND count(orders) FILTER (WHERE segments.large_orders) = 1
         AND was(has(orders), '2025-05-01')",
    );
    let session = shop.session();
    let evaluator = session.evaluator().unwrap();
    assert_eq!(
        said(&evaluator, "good", &["ann", "nobody", "bob", "cas", "dan", "ann"]),
        ["true", "-", "true", "false", "false", "true"]
    );
    assert_eq!(said(&evaluator, "large_orders", &["ann", "cas"]), ["true", "false"]);
}

#[test]
fn what_compares_profiles_cannot_be_asked_of_one() {
    let shop = Shop::open();
    for (definition, expected) in [
        ("SELECT * FROM profiles ORDER BY income DESC LIMIT 1", "what chooses (QUALIFY, LIMIT, DISTINCT) and groups"),
        ("SELECT * FROM profiles QUALIFY row_number() OVER (ORDER BY income) = 1", "what chooses (QUALIFY"),
        ("WHERE income > (SELECT avg(income) FROM profiles)", "a query inside, or a window, looks at others"),
        ("WHERE segments.best", "what chooses (QUALIFY, LIMIT, DISTINCT) and groups"),
    ] {
        shop.define("CREATE OR REPLACE SEGMENT best AS SELECT * FROM profiles ORDER BY income DESC LIMIT 1");
        let query = muster_language::parse_definition(definition).unwrap();
        let session = shop.session();
        let refused = session.evaluator().unwrap().each_profile(&query, instant("2025-06-30")).unwrap_err();
        let expected = format!("this cannot be asked of one profile alone: {expected}");
        assert!(refused.to_string().starts_with(&expected), "{definition}: {refused}");
    }
}

/// Each of twenty steps names both segments of the step before: asked anew each time it would be a million questions.
#[test]
fn what_many_name_is_asked_once() {
    let shop = Shop::open();
    twenty_steps().iter().for_each(|text| drop(shop.define(text)));
    let session = shop.session();
    assert_eq!(said(&session.evaluator().unwrap(), "a20", &["ann", "dan"]), ["true", "false"]);
}
