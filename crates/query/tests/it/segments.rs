//! Segments as columns of truth values, over profiles and everything below them.

use crate::world::World;

#[test]
fn a_segment_is_true_or_false_for_each_profile_and_never_neither() {
    let shop = World::shop().with_segment("vip", &[0, 2]);
    shop.check("SELECT id, segments.vip FROM profiles ORDER BY id", &["ann true", "bob false", "cas true"]);
    shop.check(
        "SELECT count(*) FILTER (WHERE segments.vip) AS inside, count(*) FILTER (WHERE NOT segments.vip) AS outside,
                count(*) FILTER (WHERE segments.vip IS NULL) AS neither
         FROM profiles",
        &["2 1 0"],
    );
}

#[test]
fn a_history_row_is_in_the_segments_of_its_profile() {
    let shop = World::shop().with_segment("vip", &[1]).with_segment("none", &[]);
    shop.check("SELECT order_id FROM orders WHERE segments.vip", &["o4"]);
    shop.check("SELECT sum(quantity) AS n FROM lines WHERE NOT segments.vip", &["8"]);
    shop.check("SELECT count(*) AS n FROM lines WHERE segments.none", &["0"]);
}

#[test]
fn a_segment_of_segments_is_an_algebra_of_sets() {
    let shop = World::shop().with_segment("vip", &[0, 2]).with_segment("buyers", &[0, 1]);
    assert_eq!(shop.members("segments.vip AND segments.buyers"), [0]);
    assert_eq!(shop.members("segments.vip OR segments.buyers"), [0, 1, 2]);
    assert_eq!(shop.members("segments.vip AND NOT segments.buyers"), [2]);
}

#[test]
fn a_segment_holds_the_rows_for_which_its_condition_is_true() {
    let shop = World::shop();
    assert_eq!(shop.members("income > 0"), [0]);
    assert_eq!(shop.members("NOT (income > 0)"), [2]);
    assert_eq!(shop.members("(income > 0) IS NULL"), [1]);
    assert_eq!(shop.members("NOT has(orders)"), [2]);
    assert!(shop.members("FALSE").is_empty());
}
