//! Everything else is SQL: joins, CTEs, subqueries, set operations, windows, and names that are bound like SQL's.

use crate::world::{expression, resolved, sql};

#[test]
fn bare_names_bind_to_the_row_then_to_what_it_sees() {
    check_transcript!(&[
        "SELECT quantity, total, email, category FROM order_lines",
        "SELECT order_lines.products.category, orders.site.city AS shop, home_site.city AS home FROM order_lines",
        "SELECT EMAIL, \"email\" AS again FROM Profiles",
    ]);
}

#[test]
fn a_star_is_written_out_without_the_hidden_columns() {
    check_transcript!(&[
        "SELECT * FROM carts",
        "SELECT c.*, c.profiles.email FROM carts AS c",
        "SELECT * EXCLUDE (profile_id) FROM carts",
        "SELECT * FROM sites JOIN orders USING (site_id)",
    ]);
}

#[test]
fn joins_ctes_and_set_operations_pass_through() {
    check_transcript!(&[
        "SELECT o.order_id, p.email FROM orders o LEFT JOIN profiles p ON o.profile_id = p.profile_id",
        "WITH spent AS (SELECT profile_id, sum(orders.total) AS total FROM profiles) SELECT * FROM spent WHERE total > 100",
        "SELECT email FROM profiles WHERE count(orders) > 3 UNION ALL SELECT page FROM web_visits ORDER BY email",
        "SELECT s.n FROM (SELECT count(orders) AS n FROM profiles) AS s",
        "SELECT x FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y)",
        "SELECT channel, country, count(*) AS n FROM orders GROUP BY CUBE (channel, country)",
        "SELECT lag(total) OVER w AS before FROM orders WINDOW w AS (PARTITION BY profile_id ORDER BY placed_at)",
    ]);
}

#[test]
fn the_name_of_an_outer_row_is_meant_before_the_way_to_an_ancestor() {
    check_transcript!(&[
        "SELECT email FROM profiles WHERE EXISTS (SELECT 1 FROM orders WHERE orders.profile_id = profiles.profile_id)",
        "SELECT email FROM profiles WHERE profile_id IN (SELECT profile_id FROM orders WHERE count(order_lines) > 2)",
    ]);
}

#[test]
fn an_order_with_a_limit_is_completed_by_keys_never_by_internal_ids() {
    check_transcript!(&[
        "SELECT email FROM profiles ORDER BY sum(orders.total) DESC LIMIT 10",
        "SELECT total FROM orders ORDER BY total LIMIT 10",
        "SELECT quantity FROM order_lines ORDER BY quantity DESC NULLS FIRST LIMIT 10 OFFSET 5",
        "SELECT channel, count(*) AS n FROM orders GROUP BY channel ORDER BY n DESC FETCH FIRST 3 ROWS ONLY",
    ]);
}

#[test]
fn without_a_limit_an_order_is_left_as_it_is_with_nulls_last() {
    assert!(sql("SELECT email FROM profiles ORDER BY income").ends_with("ORDER BY \"profiles\".\"income\" NULLS LAST"));
    assert!(sql("SELECT email FROM profiles ORDER BY income NULLS FIRST").ends_with("NULLS FIRST"));
}

#[test]
fn histories_have_different_names_wherever_they_stand_in_a_statement() {
    let printed = sql(
        "SELECT email FROM profiles WHERE has(orders) AND profile_id IN (SELECT profile_id FROM profiles WHERE count(orders) > 1)",
    );
    assert!(printed.contains("WITH \"__orders\" AS"), "{printed}");
    assert!(printed.contains("WITH \"__orders_2\" AS"), "{printed}");
}

#[test]
fn the_columns_of_the_result_are_told() {
    let query =
        resolved("SELECT email, count(orders), count(carts) AS carts, placed FROM (SELECT 1) AS x(placed), profiles");
    assert!(query.is_err(), "a join has no grain");
    let query =
        resolved("SELECT email, count(orders), max(orders.placed_at) AS last FROM profiles").expect("it resolves");
    let columns: Vec<_> =
        query.columns.iter().map(|column| (&*column.name, column.holds.map(|it| it.to_string()))).collect();
    let told = |holds: &str| Some(holds.to_owned());
    assert_eq!(columns, [("email", told("text")), ("count(orders)", told("int")), ("last", told("timestamp"))]);
}

/// Which five would otherwise depend on the threads of the engine.
#[test]
fn a_limit_alone_takes_the_first_in_the_order_of_keys() {
    assert_eq!(
        sql("SELECT email FROM profiles LIMIT 5"),
        sql("SELECT email FROM profiles ORDER BY profile_id LIMIT 5"),
    );
    assert_eq!(
        sql("SELECT country, count(*) AS n FROM profiles GROUP BY country LIMIT 5"),
        sql("SELECT country, count(*) AS n FROM profiles GROUP BY country ORDER BY country, n LIMIT 5"),
    );
}

#[test]
fn a_backslash_in_a_pattern_takes_the_next_character_its_meaning_on_every_engine() {
    assert!(expression(r"email LIKE '50\%%'").contains(r"LIKE '50\%%' ESCAPE '\'"));
    assert!(expression("email ILIKE country").contains(r"ESCAPE '\'"));
    assert!(!expression("email LIKE 'a%'").contains("ESCAPE"));
}
