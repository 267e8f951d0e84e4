//! Scores as columns of profiles, over shops counted by hand.

use muster_segment::Scoring;

use crate::world::{CATALOG, CUSTOMERS, ORDERS, Shop, input, run};

/// The catalog of the shop, in which `purchase` says what its orders are worth; more of muster.toml behind it.
fn with_purchases(purchase: &str, more: &str) -> String {
    let orders = "[tables.orders]\n";
    CATALOG.replacen(orders, &format!("{orders}purchase = {purchase}\n"), 1) + more
}

/// The shop of four customers, with scores of its purchases.
fn shop(purchase: &str, more: &str) -> Shop {
    let catalog = muster_catalog::parse("muster.toml", &with_purchases(purchase, more)).unwrap();
    let mut shop = Shop::open();
    shop.scoring = Scoring::of(&catalog).unwrap();
    shop
}

/// Every order is a purchase of what it was in all.
const ALL: &str = "{ value = \"total\" }";

#[test]
fn the_cadence_of_three_purchases_is_counted_in_days() {
    let catalog = with_purchases(ALL, "");
    let mut shop = Shop::empty();
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", &catalog).unwrap()).unwrap();
    let orders =
        ["a ann 2024-01-01T09:00:00Z 1.00", "b ann 2024-01-31T23:30:00Z 2.00", "c ann 2024-03-01T00:00:00Z 3.01"];
    let customers = ["ann a@x.example NL 10.00 s1", "bob b@x.example NL 10.00 s1"];
    shop.load_as(&catalog, vec![input("profiles", CUSTOMERS, &customers), input("orders", ORDERS, &orders)]);
    let columns = "id, cadence.purchases, cadence.span_days, cadence.mean_gap_days, cadence.days_since_last";
    // In Amsterdam the second was on the first of February, half an hour past midnight.
    assert_eq!(
        shop.rows(&format!(
            "AS OF '2024-06-01' SELECT {columns}, cadence.total, cadence.mean_value FROM profiles ORDER BY id"
        ))[1..],
        ["ann | 3 | 60 | 30.0 | 92 | 6.01 | 2.00", "bob | 0 | - | - | - | - | -"]
    );
    // Nothing that came later is counted.
    assert_eq!(
        shop.rows(&format!("AS OF '2024-02-01T12:00:00' SELECT {columns} FROM profiles ORDER BY id"))[1..],
        ["ann | 2 | 31 | 31.0 | 0", "bob | 0 | - | - | -"]
    );
    // Twice the mean gap of thirty days after the first of March, and one day.
    assert_eq!(
        shop.rows("SELECT reactivation.due_at FROM profiles WHERE id = 'ann'")[1..],
        ["2024-05-01T00:00:00+02:00"]
    );
}

/// Ann bought for 20 in two orders, the latest on June 1st; Bob for 50 in March, Cas for 1 in June; Dan never.
#[test]
fn who_bought_is_ranked_and_nobody_else() {
    let shop = shop(ALL, "");
    let ranks = "SELECT id, rfm.recency_days, rfm.frequency, rfm.monetary, rfm.r, rfm.f, rfm.m, rfm.cell, rfm.label
                 FROM profiles ORDER BY id";
    // Of three buyers in five bins each has a bin of its own, the worst first; Bob and Cas bought once and stand by their keys.
    assert_eq!(
        shop.rows(ranks)[1..],
        [
            "ann | 29 | 2 | 20.00 | 2 | 3 | 2 | 232 | at risk",
            "bob | 121 | 1 | 50.00 | 1 | 1 | 3 | 113 | lost",
            "cas | 1 | 1 | 1.00 | 3 | 2 | 1 | 321 | about to sleep",
            "dan | - | - | - | - | - | - | - | -",
        ]
    );
}

#[test]
fn only_what_the_workspace_calls_a_purchase_counts() {
    let shop = shop("{ value = \"total * 2\", when = \"total > 1 AND profiles.country <> 'BE'\" }", "");
    assert_eq!(
        shop.rows("SELECT id, cadence.purchases AS n, cadence.total AS total FROM profiles ORDER BY id")[1..],
        ["ann | 2 | 40.00", "bob | 0 | -", "cas | 0 | -", "dan | 0 | -"]
    );
}

/// Orders of half a cent's fraction before 1970: no digit and no day is lost.
#[test]
fn money_keeps_its_places_and_days_may_lie_before_1970() {
    let purchase = "{ value = \"total * 0.0625\" }";
    let catalog = with_purchases(purchase, "");
    let mut shop = Shop::empty();
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", &catalog).unwrap()).unwrap();
    let orders = ["a ann 1965-01-01T12:00:00Z 1.01", "b ann 1965-01-11T12:00:00Z 1.01"];
    let customers = ["ann a@x.example NL 10.00 s1"];
    shop.load_as(&catalog, vec![input("profiles", CUSTOMERS, &customers), input("orders", ORDERS, &orders)]);
    let asked =
        "SELECT cadence.total, cadence.mean_value, rfm.monetary, CAST(reactivation.due_at AS DATE) FROM profiles";
    assert_eq!(shop.rows(asked)[1..], ["0.126250 | 0.063125 | 0.126250 | 1965-02-01"]);
}

#[test]
fn a_score_is_a_column_wherever_one_stands() {
    let shop = shop(ALL, "");
    shop.define("CREATE SEGMENT best AS WHERE rfm.r >= 2 AND cadence.purchases > 1");
    shop.run("CREATE VARIABLE value_per_day AS cadence.total / (cadence.span_days + 1)").unwrap();
    for (query, expected) in [
        ("SELECT id FROM profiles WHERE segments.best", &["ann"][..]),
        ("SELECT id FROM profiles WHERE value_per_day > 1 ORDER BY id", &["bob"]),
        (
            "SELECT rfm.label AS label, count(*) AS n FROM profiles GROUP BY rfm.label ORDER BY n DESC, label LIMIT 1",
            &["about to sleep | 1"],
        ),
        ("SELECT order_id FROM orders WHERE rfm.m = 3", &["o3"]),
        ("SELECT id FROM profiles WHERE has(orders) FILTER (WHERE total = cadence.total) ORDER BY id", &["bob", "cas"]),
        ("SELECT id FROM profiles ORDER BY rfm.monetary DESC LIMIT 1", &["bob"]),
        ("SELECT id FROM profiles WHERE was(cadence.purchases = 1, '2025-02-01')", &["ann"]),
    ] {
        assert_eq!(shop.rows(query)[1..], *expected, "{query}");
    }
    let everything = shop.rows("SELECT * FROM profiles LIMIT 1");
    assert!(!everything[0].contains("rfm") && !everything[0].contains("score"), "{everything:?}");
    // As plain SQL, which another engine runs over exported tables, it is a hidden column.
    let sql = run(&mut shop.session(), "EXPLAIN SQL SELECT rfm.r FROM profiles").unwrap();
    assert!(format!("{sql:?}").contains("__score_rfm_r"));
}

#[test]
fn the_workspace_says_how_ranks_are_cut_and_what_groups_are_called() {
    let more = "[scores.rfm]\nbins = 2\nmethod = \"fixed\"\nrecency = [30]\nfrequency = [2]\nmonetary = [\"19.999\"]\n
                [[scores.rfm.groups]]\nname = \"dear\"\nm = [2, 2]\n[[scores.rfm.groups]]\nname = \"others\"\n
                [scores.reactivation]\nmultiple = 0.5\n";
    let shop = shop(ALL, more);
    assert_eq!(
        shop.rows("SELECT id, rfm.cell, rfm.label FROM profiles WHERE cadence.purchases > 0 ORDER BY id")[1..],
        ["ann | 222 | dear", "bob | 112 | dear", "cas | 211 | others"]
    );
    // Half of Ann's gap of 151 days is that of the base, too: she alone came back.
    assert_eq!(
        shop.rows("SELECT id, CAST(reactivation.due_at AS DATE) AS due FROM profiles ORDER BY id")[1..],
        ["ann | 2025-08-16", "bob | 2025-05-16", "cas | 2025-09-13", "dan | -"]
    );
}

#[test]
fn what_cannot_be_scored_says_where_muster_toml_is_wrong() {
    for (purchase, expected) in [
        ("{ value = \"totl\" }", "muster.toml line 14: the purchases of orders cannot be read"),
        (
            "{ value = \"total\", when = \"total > 1) OR (TRUE\" }",
            "muster.toml line 14: the purchases of orders cannot be read",
        ),
        ("{ value = \"CAST(total AS DOUBLE)\" }", "and this is Float64; cast it: CAST(… AS DECIMAL(18, 2))"),
    ] {
        let error = shop(purchase, "").error("SELECT rfm.r FROM profiles");
        assert!(error.contains(expected), "{purchase}: {error}");
    }
    let error = Shop::open().error("SELECT rfm.r FROM profiles");
    assert!(error.contains("purchase = { value = \"…\" }"), "{error}");
}

#[test]
fn an_audience_of_a_score_is_another_when_the_score_is() {
    let mut shop = shop(ALL, "");
    shop.define("CREATE SEGMENT top AS WHERE rfm.m = 3");
    assert_eq!(shop.kept("top").unwrap(), ["bob"]);
    let catalog = with_purchases(ALL, "[scores.rfm]\nbins = 2\n");
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", &catalog).unwrap()).unwrap();
    run(&mut shop.session(), "REFRESH SEGMENT top").unwrap();
    assert_eq!(shop.kept("top").unwrap(), Vec::<String>::new());
}

#[test]
fn a_score_of_purchases_that_hang_on_it_goes_round_in_circles() {
    let shop = shop("{ value = \"total\", when = \"rfm.r > 1\" }", "");
    let error = shop.error("SELECT rfm.r FROM profiles");
    assert!(error.contains("score rfm → score rfm"), "{error}");
}
