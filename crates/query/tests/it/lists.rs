//! Lists as columns of truth values, wherever a condition may stand.

use crate::world::World;

#[test]
fn a_profile_is_on_a_list_or_not_and_never_neither() {
    let shop = World::shop().with_list("staff", &[1]).with_list("nobody", &[]);
    shop.check("SELECT id, lists.staff FROM profiles ORDER BY id", &["ann false", "bob true", "cas false"]);
    shop.check(
        "SELECT count(*) FILTER (WHERE lists.staff) AS a, count(*) FILTER (WHERE NOT lists.staff) AS b,
                count(*) FILTER (WHERE lists.staff IS NULL) AS c, count(*) FILTER (WHERE lists.nobody) AS d
         FROM profiles",
        &["1 2 0 0"],
    );
}

#[test]
fn on_lower_rows_a_list_is_the_profiles() {
    let shop = World::shop().with_list("staff", &[1]);
    shop.check("SELECT order_id FROM orders WHERE lists.staff", &["o4"]);
    shop.check("SELECT sum(quantity) AS n FROM lines WHERE NOT lists.staff", &["8"]);
    shop.check("SELECT lists.staff, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1", &["false 3", "true 1"]);
    shop.check(
        "SELECT id FROM profiles WHERE has(orders) FILTER (WHERE total > 40 AND NOT lists.staff) ORDER BY id",
        &["ann"],
    );
}

#[test]
fn a_list_stands_in_segments_beside_segments_and_conditions() {
    let shop = World::shop().with_list("staff", &[1]).with_segment("buyers", &[0, 1]);
    assert_eq!(shop.members("segments.buyers AND NOT lists.staff"), [0]);
    assert_eq!(shop.members("lists.staff OR NOT has(orders)"), [1, 2]);
}
