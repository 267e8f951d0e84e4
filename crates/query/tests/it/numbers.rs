//! Numbers come out exact, and what cannot be computed is no value.

use crate::world::{Files, World, rows};

/// One profile with these orders' totals.
fn totals(totals: &[String]) -> World {
    World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -"]),
        orders: totals
            .iter()
            .enumerate()
            .map(|(n, total)| format!("o{n:02} ann 2025-01-01T00:00:00Z {total}"))
            .collect(),
        ..Files::default()
    })
}

#[test]
fn anything_divided_by_zero_is_no_value() {
    let shop = World::shop();
    shop.check(
        "SELECT id, children / 0 AS whole, children % 0 AS remainder, income / 0 AS money, income / 0.00 AS exact, score / 0 AS real
         FROM profiles ORDER BY id",
        &["ann - - - - -", "bob - - - - -", "cas - - - - -"],
    );
    shop.check(
        "SELECT id, children / children AS whole, income / income AS money, sum(orders.total) / count(orders) AS mean
         FROM profiles ORDER BY id",
        &["ann 1 1.000000 41.200000", "bob - - 50.000000", "cas - - -"],
    );
}

#[test]
fn whole_numbers_divide_to_whole_numbers_and_points_are_decimals() {
    World::shop().check(
        "SELECT 7 / 2 AS whole, -7 / 2 AS below, 0.1 + 0.2 AS exact, 0.1 + 0.2 = 0.3 AS equal FROM profiles WHERE id = 'ann'",
        &["3 -3 0.3 true"],
    );
}

/// As a decimal of fifteen places the double of 133.80 is 133.800000000000016, and what is past a quadrillion has no place.
#[test]
fn a_decimal_beside_a_double_is_a_double() {
    let shop = totals(&["503.85".to_owned(), "133.80".to_owned(), "0.07".to_owned()]);
    for condition in [
        "CAST(total AS DOUBLE) = total",
        "NOT total <> CAST(total AS DOUBLE)",
        "total IS NOT DISTINCT FROM CAST(total AS DOUBLE)",
        "CAST(total AS DOUBLE) BETWEEN total AND total",
        "total BETWEEN CAST(total AS DOUBLE) AND 1000.0",
        "CAST(total AS DOUBLE) IN (total, 1.5)",
        "CAST(total AS DOUBLE) IN (133.8, 503.85, 0.07)",
        "total IN (SELECT CAST(o.total AS DOUBLE) FROM orders o)",
        "CAST(total AS DOUBLE) IN (SELECT o.total FROM orders o)",
        "CASE CAST(total AS DOUBLE) WHEN total THEN TRUE ELSE FALSE END",
        "nullif(CAST(total AS DOUBLE), total) IS NULL",
        "array_has([CAST(total AS DOUBLE), 1.5], total)",
        "CAST(total AS DOUBLE) * 100000000000000000000.0 > 0.5",
        "coalesce(CAST(total AS DOUBLE) * 100000000000000000000.0, 0.5) > total",
    ] {
        shop.check(&format!("SELECT count(*) AS n FROM orders WHERE {condition}"), &["3"]);
    }
    shop.check(
        "SELECT count(*) AS n FROM orders a JOIN orders b ON a.order_id = b.order_id AND a.total = CAST(b.total AS DOUBLE)",
        &["3"],
    );
    shop.check(
        "SELECT CASE WHEN total > 1 THEN total ELSE CAST(total AS DOUBLE) END AS chosen,
                coalesce(total, CAST(0 AS DOUBLE)) AS first, greatest(total, CAST(1 AS DOUBLE)) AS most
         FROM orders ORDER BY order_id",
        &["503.85 503.85 503.85", "133.8 133.8 133.8", "0.07 0.07 1.0"],
    );
    shop.check(
        "SELECT x FROM (SELECT total AS x FROM orders WHERE total < 1 UNION ALL SELECT CAST(total AS DOUBLE) FROM orders WHERE total > 500) t
         ORDER BY x",
        &["0.07", "503.85"],
    );
    shop.check(
        "SELECT count(*) AS n FROM (SELECT total AS x FROM orders INTERSECT SELECT CAST(total AS DOUBLE) FROM orders) t",
        &["3"],
    );
    shop.check(
        "SELECT count(*) AS n FROM (SELECT order_id, coalesce(total, CAST(0 AS DOUBLE)) AS x FROM orders) t
         WHERE EXISTS (SELECT 1 FROM orders o WHERE o.total = t.x)
           AND (SELECT max(o.total) FROM orders o WHERE o.total = t.x) = t.x",
        &["3"],
    );
    shop.check(
        "SELECT count(*) AS n FROM orders WHERE CASE WHEN total > 1000 THEN 0 ELSE CAST(total AS DOUBLE) END = total",
        &["3"],
    );
    shop.check(
        "SELECT max(x) > 1000 AS large, count(*) FILTER (WHERE x = 133.80) AS n FROM (
             SELECT coalesce(total, CAST(0 AS DOUBLE)) AS x FROM orders
             UNION ALL SELECT CAST(total AS DOUBLE) * 100000000000000000000.0 FROM orders) t",
        &["true 1"],
    );
    shop.check(
        "SELECT count(*) AS n FROM (SELECT 1 AS x UNION ALL SELECT CAST(2 AS DOUBLE) UNION ALL SELECT total FROM orders) t
         WHERE x IN (133.80, 0.07, 1)",
        &["3"],
    );
    shop.check("SELECT x FROM (VALUES (coalesce(1.5, CAST(2 AS DOUBLE)))) AS t(x)", &["1.500000000000000"]);
    shop.check(
        "SELECT count(*) AS n FROM profiles WHERE avg(orders.total) > 212.57 AND avg(orders.total) < 212.58",
        &["1"],
    );
}

#[test]
fn a_cast_that_fails_is_no_value() {
    World::shop().check(
        "SELECT CAST(country AS BIGINT) AS n, CAST('12' AS BIGINT) AS twelve, '2025-02-30'::date AS day FROM profiles WHERE id = 'ann'",
        &["- 12 -"],
    );
}

/// Twelve times 9,999,999,999,999,999.99 are more hundredths than 64 bits hold.
#[test]
fn a_sum_of_decimals_past_64_bits_is_exact() {
    let shop = totals(&vec!["9999999999999999.99".to_owned(); 12]);
    shop.check("SELECT sum(total) AS s FROM orders", &["119999999999999999.88"]);
    shop.check("SELECT sum(orders.total) AS s FROM profiles", &["119999999999999999.88"]);
    shop.check("SELECT sum(total) OVER () AS s FROM orders LIMIT 1", &["119999999999999999.88"]);
}

#[test]
fn a_sum_of_cents_is_exact_where_doubles_are_not() {
    let shop = totals(&vec!["0.10".to_owned(); 10]);
    shop.check("SELECT sum(total) AS s, sum(total) = 1 AS one FROM orders", &["1.00 true"]);
    shop.check("SELECT sum(total * 1.1) AS s FROM orders", &["1.100"]);
}

/// Wrapped around, three times the largest number would be a small one.
#[test]
fn a_sum_of_whole_numbers_is_right_or_refused() {
    let large = i64::MAX;
    let shop = World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -", "bob 2024-01-01T00:00:00Z BE - - - -"]),
        orders: rows(&["o1 ann 2025-01-01T00:00:00Z 1.00", "o2 bob 2025-01-01T00:00:00Z 1.00"]),
        lines: [large, large, large, -large, -large].map(|quantity| format!("o1 sofa {quantity} 1.00")).to_vec(),
        ..Files::default()
    });
    let three_times = i128::from(large) * 3;
    let message = format!(
        "the query cannot be answered: a sum of whole numbers is {three_times}, more than 64 bits hold; \
         sum(CAST(… AS DECIMAL(38, 0))) has room for it"
    );
    let positive = "FILTER (WHERE quantity > 0)";
    assert_eq!(shop.error(&format!("SELECT sum(quantity) {positive} AS s FROM lines")), message);
    assert_eq!(shop.error("SELECT sum(lines.quantity) FILTER (WHERE lines.quantity > 0) AS s FROM profiles"), message);
    assert_eq!(shop.error(&format!("SELECT sku, sum(quantity) {positive} AS s FROM lines GROUP BY sku")), message);
    let exact = format!("SELECT sum(CAST(quantity AS DECIMAL(38, 0))) {positive} AS s FROM lines");
    shop.check(&exact, &[&three_times.to_string()]);
    // On the way there and back nothing is lost.
    shop.check(
        "SELECT sum(quantity) AS s, sum(quantity) FILTER (WHERE quantity = 0) AS none FROM lines",
        &[&format!("{large} -")],
    );
    shop.check("SELECT id, sum(lines.quantity) AS s FROM profiles ORDER BY id", &[&format!("ann {large}"), "bob -"]);
    shop.check(
        "SELECT DISTINCT sum(quantity) OVER (ORDER BY price ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS s FROM lines",
        &[&large.to_string()],
    );
}

#[test]
fn text_compares_bytewise_and_the_empty_text_is_a_value() {
    World::shop()
        .check("SELECT 'B' < 'a' AS upper, '' IS NULL AS nothing FROM profiles WHERE id = 'ann'", &["true false"]);
}

#[test]
fn a_rounded_decimal_compares_with_another() {
    World::shop().check(
        "SELECT order_id, round(total, 1) AS tenths, round(total, 1) <> 0.00 AS some, round(total, 1) <> total AS other, round(total, -1) AS tens
         FROM orders WHERE round(total, 1) > 3.25 ORDER BY order_id",
        &["o1 100.1 true false 100", "o2 20.2 true false 20", "o3 3.3 true false 0", "o4 50.0 true false 50"],
    );
}
