//! REFRESH, and audiences that outlive the process that made them.

use muster_segment::{Audience, Outcome};

use crate::world::{Shop, instant};

fn newest(shop: &Shop, segment: &str) -> Audience {
    shop.state.read(|tx| Audience::newest(tx, segment)).unwrap().unwrap()
}

#[test]
fn a_refresh_takes_the_newest_snapshot_and_keeps_what_it_finds() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    shop.with_one_more();
    assert_eq!(shop.kept("dutch").unwrap(), ["ann", "cas"], "an audience no longer changes by itself");
    let Ok(Outcome::Refreshed(audience)) = shop.run("REFRESH SEGMENT Dutch") else { panic!("it is refreshed") };
    assert_eq!((shop.keys(&audience), audience.snapshot), (vec!["ann".into(), "cas".into(), "eva".into()], 2));
    assert_eq!(newest(&shop, "dutch"), audience);
}

#[test]
fn as_of_an_earlier_instant_it_answers_without_writing() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    let kept = newest(&shop, "buyers");
    let commits = shop.state.commit_count();
    let audience = shop.session_as_of("2025-02-01").refresh("buyers").unwrap();
    assert_eq!((shop.keys(&audience), audience.as_of), (vec!["ann".to_owned()], instant("2025-02-01")));
    assert_eq!((newest(&shop, "buyers"), shop.state.commit_count()), (kept, commits));
}

#[test]
fn as_of_the_same_or_a_later_instant_it_writes() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    for text in ["2025-06-30T12:00:00", "2026-01-01"] {
        let audience = shop.session_as_of(text).refresh("buyers").unwrap();
        assert_eq!(newest(&shop, "buyers"), audience, "{text}");
    }
}

#[test]
fn an_audience_of_another_definition_does_not_hold_back_the_new_one() {
    let shop = Shop::open();
    shop.session_as_of("2026-01-01")
        .define_all(crate::world::definitions(&["CREATE SEGMENT s AS WHERE income > 0"]), false)
        .unwrap();
    shop.define("CREATE OR REPLACE SEGMENT s AS WHERE country = 'NL'");
    assert_eq!(shop.kept("s").unwrap(), ["ann", "cas"]);
}

#[test]
fn definitions_and_audiences_survive_reopening() {
    let shop = Shop::open();
    let audience = shop.define("CREATE SEGMENT dutch COMMENT 'From home' AS WHERE country = 'NL'");
    shop.define("CREATE SEGMENT rich AS WHERE segments.dutch AND income > 5");
    let before = shop.rows("SHOW SEGMENTS");
    let shop = shop.reopened();
    assert_eq!(newest(&shop, "dutch"), audience);
    assert_eq!(shop.rows("SHOW SEGMENTS"), before);
    assert!(matches!(shop.run("REFRESH SEGMENT rich"), Ok(Outcome::Refreshed(again)) if shop.keys(&again) == ["ann"]));
}

#[test]
fn statements_after_set_as_of_look_at_that_instant() {
    let shop = Shop::open();
    let count = "SELECT count(*) AS n FROM orders";
    assert_eq!(shop.rows(&format!("SET as_of = '2025-02-01'; {count}")), ["n", "1"]);
    assert_eq!(shop.rows(&format!("SET as_of = '2025-02-01'; AS OF '2025-04-01' {count}")), ["n", "2"]);
    assert_eq!(shop.rows(count), ["n", "4"], "the next session looks at the present again");
}

#[test]
fn a_segment_is_due_when_its_span_is_over() {
    let shop = Shop::open();
    let due = |as_of: &str| shop.session_as_of(as_of).due().unwrap();
    shop.session_as_of("2025-06-01T10:00:00")
        .define_all(
            crate::world::definitions(&[
                "CREATE SEGMENT hourly WITH (refresh = '1 hour') AS WHERE income > 0",
                "CREATE SEGMENT monthly WITH (refresh = '1 month') AS WHERE income > 0",
                "CREATE SEGMENT never AS WHERE income > 0",
            ]),
            false,
        )
        .unwrap();
    assert_eq!(due("2025-06-01T10:59:59"), Vec::<String>::new());
    assert_eq!(due("2025-06-01T11:00:00"), ["hourly"]);
    assert_eq!(due("2025-07-01T10:00:00"), ["hourly", "monthly"]);
    shop.session_as_of("2025-07-01T10:00:00").refresh("hourly").unwrap();
    assert_eq!(due("2025-07-01T10:00:00"), ["monthly"]);
    assert!(shop.rows("DESCRIBE SEGMENT monthly")[1].contains("1 month"));
}
