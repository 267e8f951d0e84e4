//! The generated questions: the same for the same seed, valid, and with everything in them that the tables offer.

use std::collections::BTreeSet;

use muster_testkit::generator::functions::{AGGREGATES, SCALARS};
use muster_testkit::generator::{Shop, generated, instants, present, question};
use muster_testkit::interpreter::Reader;

fn texts(shop: &Shop, seed: u64, count: u64) -> Vec<String> {
    let instants = instants(shop, seed);
    (1..=count).map(|number| question(&shop.world, &instants, &[seed, number, 0]).text).collect()
}

#[test]
fn the_same_seed_asks_the_same_of_the_same_shop() {
    let (one, other) = (generated(7, 30), generated(7, 30));
    assert_eq!(format!("{:?}", one.loads), format!("{:?}", other.loads));
    assert_eq!(texts(&one, 7, 50), texts(&other, 7, 50));
    assert_ne!(texts(&one, 8, 50), texts(&other, 7, 50));
}

#[test]
fn every_question_has_an_answer() {
    for seed in 1..=3 {
        let shop = generated(seed, 30);
        let reader = Reader::of(&shop.world);
        for text in texts(&shop, seed, 120) {
            let answer = reader.answer(&text, present(seed));
            assert!(answer.is_ok(), "{text}\n{}", answer.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
}

#[test]
fn whatever_the_tables_offer_is_asked_for() {
    let (shop, seed) = (generated(1, 30), 1);
    let instants = instants(&shop, seed);
    let questions = (1..=4_000).map(|number| question(&shop.world, &instants, &[seed, number, 0]));
    let called: BTreeSet<String> = questions.flat_map(|question| question.mix.functions.into_keys()).collect();
    let offered = SCALARS.iter().map(|(name, ..)| *name).chain(AGGREGATES.iter().map(|(name, ..)| *name));
    let more = ["has_sequence", "latest", "earliest", "segments", "lists", "variable", "was", "rank", "dense_rank"];
    let missing: Vec<&str> = offered.chain(more).filter(|name| !called.contains(*name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// Of a version before the last the world remembers what its fields were, and the first load brings it as it was then.
#[test]
fn what_fields_were_is_what_came_before() {
    let shop = generated(2, 60);
    assert!(shop.world.changes.iter().any(|change| change.table == "orders" && change.field == "status"));
    for change in shop.world.changes.iter().filter(|change| change.field != "updated_at") {
        let columns = &shop.world.tables[&change.table].columns;
        let column = columns.iter().position(|(name, _)| *name == change.field).unwrap();
        let versions = shop.loads.iter().flat_map(|load| &load[&change.table]).filter(|row| row[0] == change.key[0]);
        assert!(versions.into_iter().any(|row| row[column] == change.old), "{change:?}");
    }
}
