//! What the kernel does by itself, and what it leaves to plain SQL; that both say the same, every other test checks.

use crate::world::{ANN, World, rows};

#[test]
fn histories_of_every_shape_run_in_the_kernel() {
    let shop = World::shop();
    for text in [
        "SELECT id FROM profiles WHERE country IN ('NL', 'BE') AND income IS NOT NULL",
        "SELECT id, count(orders), sum(orders.total), max(orders.placed_at), avg(orders.total) FROM profiles",
        "SELECT id, median(orders.total), stddev(orders.total), mode(lines.sku), nth(orders.total, -2) FROM profiles",
        "SELECT count(*) FROM profiles WHERE has(lines) FILTER (WHERE products.category = 'Sofas')",
        "SELECT id FROM profiles WHERE count(orders) FILTER (WHERE count(lines) FILTER (WHERE quantity > 1) >= 1) >= 1",
        "SELECT id FROM profiles WHERE sum(l => latest(orders, 2, l.total > 5), l.total) > 20",
        "SELECT order_id FROM orders WHERE total > 10 AND has(parcels) AND profiles.country = 'NL'",
        "SELECT id FROM profiles WHERE has(a => lines) FILTER (WHERE a.sku = 'sofa' AND has(b => lines) \
         FILTER (WHERE b.sku = 'lamp' AND b.orders.placed_at > a.orders.placed_at))",
        "SELECT id FROM profiles WHERE has_sequence(lines, sku = 'sofa', sku = 'lamp', within => INTERVAL '90 days')",
        "SELECT country, count(*), sum(sum(orders.total)) FROM profiles GROUP BY country",
        "SELECT id FROM profiles WHERE id IN (SELECT customer FROM orders) ORDER BY sum(orders.total) DESC LIMIT 2",
        "SELECT id FROM profiles WHERE is_double(country) AND count(orders) > 0",
        "SELECT avg(spent) FROM (SELECT sum(orders.total) AS spent FROM profiles ORDER BY spent DESC LIMIT 2) AS top",
        "WITH bought AS (SELECT id, count(orders) AS n FROM profiles) SELECT a.id FROM bought AS a JOIN bought AS b ON a.n = b.n",
    ] {
        assert_eq!(shop.refusal(text), None, "{text}");
    }
}

#[test]
fn what_the_kernel_cannot_do_says_why() {
    let shop = World::shop();
    for (text, why) in [
        ("SELECT count(*) FROM profiles JOIN orders ON orders.customer = profiles.id", "a FROM without a grain"),
        (
            "SELECT id FROM profiles WHERE has(orders) FILTER (WHERE is_double(profiles.country))",
            "a table beside the rows of a history",
        ),
    ] {
        let expected = format!("{why} is for plain SQL");
        assert_eq!(shop.refusal(text).as_deref(), Some(expected.as_str()), "{text}");
    }
}

/// The first and the last rows of blocks, and rows that have nothing below them, are where passes over slices go wrong.
#[test]
fn slices_end_where_they_end() {
    let mut files = World::shop_files_with(ANN);
    files.customers = (0..70_000).map(|n| format!("c{n:05} 2024-01-01T00:00:00Z NL - {n}.25 {} 0.1", n % 7)).collect();
    let bought = [0, 1, 63, 64, 65_534, 65_535, 65_536, 65_537, 69_999];
    let order = |n: &usize| {
        let order = |part: usize| format!("o{n:05}{part} c{n:05} 2025-01-0{}T00:00:00Z {n}.{part}0", part + 1);
        (0..=n % 3).map(order).collect::<Vec<_>>()
    };
    files.orders = bought.iter().flat_map(order).collect();
    files.lines = rows(&["o000000 sofa 1 2.00", "o655350 lamp 3 1.00", "o655360 lamp 2 1.00"]);
    let shop = World::of(&files);
    assert_eq!(shop.members("has(orders)"), bought.map(|n| n as u32));
    assert_eq!(shop.members("count(orders) = 2"), [1, 64, 65_536]);
    assert_eq!(shop.members("has(lines) FILTER (WHERE products.category = 'Lighting')"), [65_535, 65_536]);
    shop.check(
        "SELECT id, count(orders) AS n, last(orders.total) AS latest FROM profiles WHERE has(lines) ORDER BY id",
        &["c00000 1 0.00", "c65535 1 65535.00", "c65536 2 65536.10"],
    );
    assert_eq!(shop.members("NOT has(orders) AND id >= 'c69998'"), [69_998]);
}
