//! What the kernel does by itself, and what it leaves to plain SQL; that both say the same, every other test checks.

use crate::world::{ANN, World, check_each, rows};

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

/// The engine's own reductions take it that each group has a row.
#[test]
fn nobody_without_history_has_a_largest_double() {
    check_each("min(CAST(orders.total AS DOUBLE))", ["3.3", "50.0", "-"]);
    check_each("max(CAST(orders.total AS DOUBLE) * 2)", ["200.2", "100.0", "-"]);
    check_each("median(CAST(orders.total AS DOUBLE))", ["20.2", "50.0", "-"]);
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

#[test]
fn groups_are_counted_in_the_kernel_where_their_keys_can_be_told_apart() {
    let shop = World::shop();
    for (text, cubes) in [
        ("SELECT count(*) AS n FROM profiles WHERE has(orders)", 1),
        ("SELECT country, count(*), sum(count(orders)), max(born) FROM profiles GROUP BY country", 1),
        ("SELECT date_trunc('month', orders.placed_at), count(DISTINCT profiles.id) FROM lines GROUP BY 1", 1),
        ("SELECT income > 1, count(*) FILTER (WHERE country = 'NL') FROM profiles GROUP BY 1 HAVING count(*) > 0", 1),
        ("SELECT avg(spent) FROM (SELECT sum(sum(orders.total)) AS spent FROM profiles GROUP BY country) AS s", 1),
        // Doubles are summed in an order that is the engine's; sets of values that are no rows are its own, too.
        ("SELECT sum(score) FROM profiles", 0),
        ("SELECT count(DISTINCT country) FROM profiles", 0),
        ("SELECT country, median(income) FROM profiles GROUP BY country", 0),
        ("SELECT score, count(*) FROM profiles GROUP BY score", 0),
    ] {
        assert_eq!(shop.cubes(text), cubes, "{text}");
    }
}

/// Where a condition leaves few of many rows, histories are taken for these alone; no answer depends on it.
#[test]
fn histories_of_few_are_those_of_all() {
    let mut files = World::shop_files_with(ANN);
    files.customers = (0..2_000).map(|n| format!("c{n:04} 2024-01-01T00:00:00Z NL - - {} 0.1", n % 50)).collect();
    files.orders = (0..6_000)
        .map(|n| format!("o{n:04} c{:04} 2025-0{}-02T00:00:00Z {}.50", n * 7 % 1_900, n / 1_900 + 1, n % 90))
        .collect();
    files.lines =
        (0..9_000).map(|n| format!("o{:04} {} {} 2.00", n * 5 % 5_500, ["sofa", "lamp", "x"][n % 3], n % 4)).collect();
    let shop = World::of(&files);
    let histories = [
        "count(orders) >= 3",
        "NOT has(orders)",
        "sum(orders.total) FILTER (WHERE orders.placed_at >= '2025-03-01') > 60",
        "first(orders.total) < last(orders.total)",
        "avg(l => latest(orders, 2, l.total > 20), l.total) > 40",
        "count(orders) FILTER (WHERE count(lines) FILTER (WHERE quantity > 1) >= 1) >= 2",
        "has(lines) FILTER (WHERE products.category = 'Sofas' AND orders.total > 50)",
        "has(a => lines) FILTER (WHERE a.sku = 'sofa' AND has(b => lines) \
         FILTER (WHERE b.sku = 'lamp' AND b.orders.placed_at > a.orders.placed_at))",
        "nth(orders.placed_at, 2) < '2025-04-01'",
        "max(CAST(orders.total AS DOUBLE)) IS NULL",
        "stddev(CAST(orders.total AS DOUBLE)) > 1",
    ];
    for history in histories {
        let all = shop.members(history);
        assert!(!all.is_empty(), "{history}");
        let few: Vec<u32> = all.iter().copied().filter(|n| n % 50 == 7).collect();
        assert_eq!(shop.members(&format!("children = 7 AND {history}")), few, "{history}");
        let others: Vec<u32> = (0..2_000).filter(|n| n % 50 == 7 && !few.contains(n)).collect();
        assert_eq!(shop.members(&format!("children = 7 AND ({history}) IS NOT TRUE")), others, "{history}");
    }
}

/// What compares with an enclosing row by time alone is a range of a slice: its ends, equal instants, and instants that do not
/// come in order.
#[test]
fn rows_before_and_after_an_instant_are_those_that_pairs_would_find() {
    let mut files = World::shop_files_with(ANN);
    files.customers =
        rows(&["ann 2025-03-01T10:00:00Z NL - - 0 -", "bob - NL - - 0 -", "cas 2025-01-01T00:00:00Z NL - - 0 -"]);
    files.orders = rows(&[
        "o1 ann 2025-03-01T10:00:00Z 1.00",
        "o2 ann 2025-03-01T10:00:00Z 2.00",
        "o3 ann 2025-03-05T10:00:00Z 3.00",
        "o4 bob 2025-03-01T10:00:00Z 4.00",
    ]);
    files.lines = rows(&["o1 sofa 1 1.00", "o2 lamp 1 1.00", "o3 lamp 1 1.00", "o3 sofa 1 1.00", "o4 lamp 1 1.00"]);
    let shop = World::of(&files);
    // Of Ann's rows two stand at the same instant and one is later: how many pairs are there, and how many rows have one?
    for (comparison, pairs, with_one) in [
        ("b.placed_at > a.placed_at", 2, 2),
        ("a.placed_at < b.placed_at", 2, 2),
        ("b.placed_at >= a.placed_at", 7, 3),
        ("b.placed_at < a.placed_at", 2, 1),
        ("b.placed_at <= a.placed_at", 7, 3),
        ("b.placed_at > a.placed_at AND b.placed_at <= a.placed_at + INTERVAL '4 days'", 2, 2),
        ("b.placed_at > a.placed_at AND b.placed_at < a.placed_at + INTERVAL '4 days'", 0, 0),
        ("b.placed_at BETWEEN a.placed_at AND a.placed_at + INTERVAL '3 days'", 5, 3),
        ("b.placed_at >= a.placed_at AND b.total > 1 AND a.total < 3", 4, 2),
        ("b.placed_at > profiles.since", 3, 3),
    ] {
        let counted = format!(
            "SELECT sum(a => orders, count(b => orders) FILTER (WHERE {comparison})) AS pairs,
                    count(a => orders) FILTER (WHERE has(b => orders) FILTER (WHERE {comparison})) AS rows
             FROM profiles WHERE id = 'ann'"
        );
        shop.check(&counted, &[&format!("{pairs} {with_one}")]);
    }
    // The instant is that of the order above; Cas bought nothing, and of Bob nothing is later.
    let lines = "has(x => lines) FILTER (WHERE x.sku = 'sofa' AND has(y => lines) FILTER (WHERE y.orders.placed_at > x.orders.placed_at))";
    assert_eq!(shop.members(lines), [0]);
    // Whose own instant is not known has no row behind it.
    assert_eq!(shop.members("has(orders) FILTER (WHERE orders.placed_at >= profiles.since)"), [0]);
}

/// Over two blocks: keys with texts, dates, truths and no value; groups that one block alone has.
#[test]
fn groups_of_all_blocks_are_one() {
    let mut files = World::shop_files_with(ANN);
    let country = |n: usize| if n < 65_536 { ["NL", "BE", "-"][n % 3] } else { ["NL", "DE"][n % 2] };
    let income = |n: usize| if n.is_multiple_of(5) { "-".to_owned() } else { format!("{n}.25") };
    files.customers = (0..70_000)
        .map(|n| {
            format!("c{n:05} 2024-01-01T00:00:00Z {} 1980-0{}-01 {} {} 0.1", country(n), n % 9 + 1, income(n), n % 7)
        })
        .collect();
    let order = |n: usize| format!("o{n:05} c{:05} 2025-0{}-02T00:00:00Z {n}.50", n / 2 * 5, n / 4 % 6 + 1);
    files.orders = (0..9_999).map(order).collect();
    files.lines =
        (0..20_000).map(|n| format!("o{:05} {} {} 2.00", n / 3, ["sofa", "lamp", "x"][n % 5 % 3], n % 4)).collect();
    let shop = World::of(&files);
    shop.check(
        "SELECT country, count(*), count(income), min(income), max(income), sum(children), min(born) FROM profiles \
         GROUP BY country ORDER BY country",
        &[
            "BE 21845 17476 1.25 65533.25 65534 1980-02-01",
            "DE 2232 1786 65537.25 69999.25 6698 1980-01-01",
            "NL 24078 19262 3.25 69998.25 72236 1980-01-01",
            "- 21845 17476 2.25 65534.25 65532 1980-03-01",
        ],
    );
    shop.check(
        "SELECT products.category, CAST(date_trunc('month', orders.placed_at) AS DATE) AS month, count(*), \
         count(DISTINCT profiles.id), count(DISTINCT orders.order_id), sum(quantity * price) FROM lines WHERE quantity > 0 AND children > 0 \
         GROUP BY 1, 2 HAVING count(*) > 700 AND products.category = 'Sofas' ORDER BY 1, 2",
        &[
            "Sofas 2025-01-01 857 476 761 3428.00",
            "Sofas 2025-02-01 859 477 764 3438.00",
            "Sofas 2025-03-01 859 477 764 3436.00",
            "Sofas 2025-04-01 856 476 761 3424.00",
            "Sofas 2025-05-01 856 476 761 3424.00",
            "Sofas 2025-06-01 854 475 759 3418.00",
        ],
    );
    shop.check("SELECT count(*), sum(income), max(born) FROM profiles WHERE id = 'nobody'", &["0 - -"]);
    shop.check("SELECT country, count(*) FROM profiles WHERE id = 'nobody' GROUP BY country", &[]);
}

/// Above a few thousand the first rows are chosen, not kept in a heap.
#[test]
fn the_first_of_many_rows_stand_in_order() {
    let mut files = World::shop_files_with(ANN);
    files.customers = (0..70_000)
        .map(|n| format!("c{n:05} 2024-01-01T00:00:00Z NL - {} {} 0.1", if n % 3 == 0 { "-" } else { "1.00" }, n % 7))
        .collect();
    let shop = World::of(&files);
    let mut rows: Vec<(bool, usize, usize)> = (0..70_000).map(|n| (n % 3 == 0, n % 7, n)).collect();
    rows.sort_by_key(|(no_income, children, n)| (*no_income, std::cmp::Reverse(*children), *n));
    let expected: Vec<String> = rows[100..5_100].iter().map(|(_, children, n)| format!("c{n:05} {children}")).collect();
    let text = "SELECT id, children FROM profiles ORDER BY income, children DESC, id LIMIT 5000 OFFSET 100";
    shop.check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}
