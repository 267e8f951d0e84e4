//! Consent: who may be written to, and whose word counts.

use std::time::Instant;

use muster_campaign::consent::{Statement, agreed_by_load, allows, end_agreement, record, write_from_load};
use muster_campaign::{AddressKey, Error, Secret, suppression};
use muster_catalog::Timestamp;

use crate::shop::Shop;

fn on_day(day: i64) -> Timestamp {
    Timestamp::from_micros(day * 86_400_000_000)
}

/// What is said about one profile, in order.
enum Said {
    Load(i64, bool),
    Person(i64, bool),
    OnTopic(i64, &'static str, bool),
}

use Said::{Load, OnTopic, Person};

fn after(said: &[Said], topic: Option<&str>) -> bool {
    let shop = Shop::of(0, 1);
    let person = |day, topic, agreed| Statement {
        profile_key: "C1",
        channel: "email",
        topic,
        agreed,
        at: on_day(day),
        source: "form",
        wording: None,
    };
    let allowed = shop.state().write(|tx| {
        for statement in said {
            match *statement {
                Load(day, agreed) => write_from_load(tx, "email", on_day(day), [("C1", agreed)]).map(drop)?,
                Person(day, agreed) => record(tx, &person(day, None, agreed))?,
                OnTopic(day, topic, agreed) => record(tx, &person(day, Some(topic), agreed))?,
            }
        }
        allows(tx, "C1", "email", topic)
    });
    allowed.unwrap()
}

#[test]
fn without_a_word_there_is_no_consent() {
    assert!(!after(&[], None));
}

#[test]
fn a_load_is_believed_both_ways_until_the_person_speaks() {
    assert!(after(&[Load(1, true)], None));
    assert!(!after(&[Load(1, true), Load(2, false)], None));
    assert!(after(&[Load(1, false), Load(2, true)], None));
}

#[test]
fn an_opt_out_of_the_person_is_never_reversed_by_a_load() {
    assert!(!after(&[Load(1, true), Person(2, false), Load(3, true)], None));
    assert!(after(&[Load(1, true), Person(2, false), Load(3, true), Person(4, true)], None));
}

#[test]
fn a_load_may_still_say_that_someone_who_agreed_no_longer_does() {
    assert!(!after(&[Person(1, true), Load(2, false)], None));
}

#[test]
fn of_what_the_person_said_the_newest_counts_and_the_refusal_at_the_same_instant() {
    assert!(!after(&[Person(2, false), Person(1, true)], None));
    assert!(after(&[Person(1, false), Person(2, true)], None));
    assert!(!after(&[Person(1, false), Person(1, true)], None));
    assert!(!after(&[Person(1, true), Person(1, false)], None));
}

#[test]
fn a_topic_can_be_agreed_to_alone_and_refused_alone() {
    assert!(after(&[OnTopic(1, "offers", true)], Some("offers")));
    assert!(!after(&[OnTopic(1, "offers", true)], Some("news")));
    assert!(!after(&[OnTopic(1, "offers", true)], None));
    assert!(!after(&[Load(1, true), OnTopic(2, "offers", false)], Some("offers")));
    assert!(after(&[Load(1, true), OnTopic(2, "offers", false)], Some("news")));
    assert!(!after(&[OnTopic(1, "offers", true), Person(2, false)], Some("offers")));
}

/// Who may be written to after the load of day 2 was taken back; `before` is what loads said of everybody before it.
fn after_undo(said: &[Said], before: Option<bool>) -> bool {
    let shop = Shop::of(0, 1);
    let allowed = shop.state().write(|tx| {
        for statement in said {
            match *statement {
                Load(day, agreed) => write_from_load(tx, "email", on_day(day), [("C1", agreed)]).map(drop)?,
                Person(day, agreed) => {
                    let (profile_key, channel, at) = ("C1", "email", on_day(day));
                    let (topic, source, wording) = (None, "form", None);
                    record(tx, &Statement { profile_key, channel, topic, agreed, at, source, wording })?;
                }
                OnTopic(..) => unreachable!("no undo is about a topic"),
            }
        }
        for agreement in agreed_by_load(tx, on_day(2))? {
            end_agreement(tx, &agreement, before, on_day(9))?;
        }
        allows(tx, "C1", "email", None)
    });
    allowed.unwrap()
}

#[test]
fn a_yes_that_only_the_undone_load_brought_goes() {
    assert!(!after_undo(&[Load(2, true)], None));
    assert!(!after_undo(&[Load(1, false), Load(2, true)], Some(false)));
    assert!(after_undo(&[Load(1, true), Load(2, true)], Some(true)));
    assert!(after_undo(&[Load(1, true)], None), "another load brought it");
}

#[test]
fn an_undo_never_turns_a_no_into_a_yes_and_leaves_what_the_person_said() {
    assert!(!after_undo(&[Load(1, true), Load(2, false)], Some(true)));
    assert!(!after_undo(&[Load(2, true), Person(3, false)], None));
    assert!(after_undo(&[Load(2, true), Person(3, true)], None));
    assert!(after_undo(&[Load(2, false), Person(3, true)], Some(true)));
}

#[test]
fn a_second_load_of_the_same_file_writes_nothing() {
    let shop = Shop::of(0, 1);
    let load = |day| {
        let keys = (0..1_000).map(|number| (format!("C{number:04}"), number % 3 == 0));
        shop.state().write(|tx| write_from_load(tx, "email", on_day(day), keys)).unwrap()
    };
    assert_eq!((load(1), load(2)), (1_000, 0));
}

#[test]
fn a_hundred_thousand_statements_are_written_in_seconds_even_unoptimised() {
    let shop = Shop::of(0, 1);
    let keys: Vec<(String, bool)> = (0..100_000).map(|number| (format!("C{number:07}"), true)).collect();
    let began = Instant::now();
    shop.state().write(|tx| write_from_load(tx, "email", on_day(1), keys)).unwrap();
    let took = began.elapsed();
    assert!(took.as_secs() < 10, "{took:?}");
    println!("100,000 statements in {took:?}");
}

#[test]
fn a_suppressed_address_stays_so_under_every_spelling() {
    let shop = Shop::of(0, 1);
    let secret = shop.state().read(Secret::read).unwrap();
    let key = |address| AddressKey::of(&secret, "email", address);
    let suppressed = shop.state().write(|tx| {
        suppression::suppress(tx, "email", &key("Ann@people.example"), "550 5.1.1", on_day(1))?;
        suppression::suppress(tx, "email", &key("ann@people.example"), "again", on_day(2))?;
        let ann = suppression::is_suppressed(tx, "email", &key("ANN@people.example"))?;
        let bob = suppression::is_suppressed(tx, "email", &key("bob@people.example"))?;
        Ok::<_, Error>((ann, bob))
    });
    assert_eq!(suppressed.unwrap(), (true, false));
}
