//! The generated shop: the same bytes for the same seed, exact sums, and the structure it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use muster_demo::shop::{AS_OF, Format, Progress, Shop, TABLES};

use crate::tables::{Table, Written, cents, digest, write};

/// Written in two rounds of chapters, the last of them a short one.
const SMALL: Shop = Shop { customers: 4_200, seed: 7 };

/// It as CSV, for the tests that only look.
static SHOP: LazyLock<Written> = LazyLock::new(|| write(SMALL, Format::Csv));

#[test]
fn the_same_seed_gives_the_same_bytes_as_ever() {
    let shop = write(Shop { customers: 300, seed: 42 }, Format::Csv);
    let digests: Vec<(&str, String)> =
        TABLES.iter().map(|table| (*table, digest(&shop.path(&format!("{table}.csv"))))).collect();
    let expected = [
        ("products", "3b9ce5209103020f"),
        ("stores", "18dd1a8469d9c2e7"),
        ("customers", "84cd1021756b4146"),
        ("orders", "0bf06768d9a13b25"),
        ("order_lines", "fcdd1eb12bb68b2a"),
        ("carts", "3753273133493315"),
        ("cart_lines", "9911a6479e5a7ed0"),
        ("web_visits", "717edc4e4711fbb5"),
        ("messages", "3e2f9e71dc3f4d33"),
        ("responses", "a07c0db682de44de"),
    ];
    assert_eq!(digests, expected.map(|(table, digest)| (table, digest.to_owned())));
}

#[test]
fn one_thread_and_three_write_the_same_files() {
    let written = |threads: usize, format: Format| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(SMALL, format))
    };
    for format in [Format::Csv, Format::Parquet] {
        let (alone, together) = (written(1, format), written(3, format));
        for table in TABLES {
            let file = format!("{table}.{}", format.ending());
            assert_eq!(digest(&alone.path(&file)), digest(&together.path(&file)), "{file}");
        }
    }
}

#[test]
fn another_seed_is_another_shop() {
    let shops = [1, 2].map(|seed| write(Shop { customers: 50, seed }, Format::Csv));
    for table in TABLES {
        let [one, other] = [0, 1].map(|shop| digest(&shops[shop].path(&format!("{table}.csv"))));
        assert_ne!(one, other, "{table}");
    }
}

#[test]
fn parquet_and_gzip_hold_what_csv_holds() {
    // Of two chapters.
    let shop = Shop { customers: 520, seed: 7 };
    let [csv, gzip, parquet] = [Format::Csv, Format::CsvGz, Format::Parquet].map(|format| write(shop, format));
    assert_eq!(csv.summary, gzip.summary);
    assert_eq!(csv.summary, parquet.summary);
    for table in TABLES {
        let expected = csv.table(table);
        let ending = if matches!(table, "products" | "stores") { "csv" } else { "csv.gz" };
        assert!(expected == Table::of_csv(&gzip.path(&format!("{table}.{ending}"))), "{table} in gzip");
        assert!(expected == Table::of_parquet(&parquet.path(&format!("{table}.parquet"))), "{table} in Parquet");
    }
}

#[test]
fn a_shop_without_customers_has_products_and_empty_tables() {
    let shop = write(Shop { customers: 0, seed: 1 }, Format::Parquet);
    let rows: BTreeMap<&str, u64> = shop.summary.rows.iter().copied().collect();
    assert_eq!(rows["products"], 400);
    assert_eq!(rows["orders"], 0);
    assert_eq!(Table::of_parquet(&shop.path("orders.parquet")).len(), 0);
}

#[test]
fn progress_grows_to_the_number_of_customers() {
    let heard = Mutex::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    SMALL
        .write(folder.path(), Format::Parquet, &|Progress { customers, of }| {
            assert_eq!(of, 4_200);
            heard.lock().unwrap().push(customers);
        })
        .unwrap();
    let heard = heard.into_inner().unwrap();
    assert!(heard.is_sorted() && heard.len() >= 2, "{heard:?}");
    assert_eq!(heard.last(), Some(&4_200));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let error = SMALL.write(&file.join("shop"), Format::Csv, &|_| ()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot create {}", file.join("shop").display())), "{error}");
}

#[test]
fn a_customer_has_ten_orders_and_an_order_three_lines_on_average() {
    let shop = write(Shop { customers: 8_000, seed: 3 }, Format::Parquet);
    let rows: BTreeMap<&str, u64> = shop.summary.rows.iter().copied().collect();
    let per = |table: &str, of: &str| rows[table] as f64 / rows[of] as f64;
    for (name, value, low, high) in [
        ("orders per customer", per("orders", "customers"), 9.6, 10.4),
        ("lines per order", per("order_lines", "orders"), 2.95, 3.05),
        ("carts per customer", per("carts", "customers"), 0.55, 0.85),
        ("visits per customer", per("web_visits", "customers"), 7.0, 9.0),
        ("messages per customer", per("messages", "customers"), 14.0, 18.0),
        ("responses per message", per("responses", "messages"), 0.34, 0.46),
    ] {
        assert!((low..high).contains(&value), "{name}: {value}");
    }
}

#[test]
fn an_order_costs_exactly_its_lines_less_its_discount() {
    let (orders, lines) = (SHOP.table("orders"), SHOP.table("order_lines"));
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    let of_line = lines.column("order_id").into_iter().zip(lines.column("quantity")).zip(lines.column("price"));
    for ((order, quantity), price) in of_line {
        *totals.entry(order).or_default() += quantity.parse::<i64>().unwrap() * cents(price);
    }
    let of_order = orders.column("order_id").into_iter().zip(orders.column("total")).zip(orders.column("discount"));
    let stated: BTreeMap<&str, i64> =
        of_order.map(|((order, total), discount)| (order, cents(total) + cents(discount))).collect();
    assert_eq!(stated, totals);
}

#[test]
fn every_key_is_unique_and_every_reference_leads_somewhere() {
    let tables: BTreeMap<&str, Table> = TABLES.iter().map(|table| (*table, SHOP.table(table))).collect();
    for (table, key) in [
        ("customers", "customer_id"),
        ("products", "product_id"),
        ("stores", "store_id"),
        ("orders", "order_id"),
        ("order_lines", "line_id"),
        ("carts", "cart_id"),
        ("web_visits", "visit_id"),
        ("messages", "message_id"),
        ("responses", "response_id"),
    ] {
        let keys: BTreeSet<&str> = tables[table].column(key).into_iter().collect();
        assert_eq!(keys.len(), tables[table].len(), "{table}.{key}");
    }
    for (table, column, other, key) in [
        ("customers", "home_store", "stores", "store_id"),
        ("orders", "customer_id", "customers", "customer_id"),
        ("orders", "store_id", "stores", "store_id"),
        ("order_lines", "order_id", "orders", "order_id"),
        ("order_lines", "product_id", "products", "product_id"),
        ("carts", "customer_id", "customers", "customer_id"),
        ("carts", "order_id", "orders", "order_id"),
        ("cart_lines", "cart_id", "carts", "cart_id"),
        ("cart_lines", "product_id", "products", "product_id"),
        ("web_visits", "customer_id", "customers", "customer_id"),
        ("messages", "customer_id", "customers", "customer_id"),
        ("responses", "message_id", "messages", "message_id"),
        ("products", "accessory_of", "products", "product_id"),
        ("products", "premium_of", "products", "product_id"),
    ] {
        let known: BTreeSet<&str> = tables[other].column(key).into_iter().collect();
        let stray = tables[table].column(column).into_iter().find(|key| !key.is_empty() && !known.contains(key));
        assert_eq!(stray, None, "{table}.{column}");
    }
}

#[test]
fn nothing_happens_after_the_data_were_taken_or_before_the_customer_came() {
    let customers = SHOP.table("customers");
    let since: BTreeMap<&str, &str> =
        customers.column("customer_id").into_iter().zip(customers.column("created_at")).collect();
    for (table, time) in [
        ("orders", "placed_at"),
        ("carts", "created_at"),
        ("carts", "updated_at"),
        ("web_visits", "visited_at"),
        ("messages", "sent_at"),
    ] {
        let table = SHOP.table(table);
        for (customer, at) in table.column("customer_id").into_iter().zip(table.column(time)) {
            assert!(since[customer] <= at && at <= AS_OF, "{customer} came {} and did something {at}", since[customer]);
        }
    }
}

#[test]
fn no_time_falls_into_the_hours_that_a_change_of_clocks_skips_or_doubles() {
    for (table, time) in [
        ("customers", "created_at"),
        ("orders", "placed_at"),
        ("carts", "updated_at"),
        ("web_visits", "visited_at"),
        ("messages", "sent_at"),
        ("responses", "responded_at"),
    ] {
        let table = SHOP.table(table);
        let at_night = table.column(time).into_iter().find(|at| ("T02".."T06").contains(&&at[10..13]));
        assert_eq!(at_night, None);
    }
}

#[test]
fn the_planted_oddities_are_there() {
    let customers = SHOP.table("customers");
    let share = |count: usize| count as f64 / customers.len() as f64 * 100.0;
    let missing = |column: &str| share(customers.column(column).into_iter().filter(|value| value.is_empty()).count());
    let emails = customers.counts("email");
    let valid = |email: &str| email.matches('@').count() == 1 && !email.contains(' ') && !email.ends_with('.');
    let doubles = emails.iter().filter(|(email, count)| !email.is_empty() && **count > 1).count();
    let invalid = emails.keys().filter(|email| !email.is_empty() && !valid(email)).count();
    let buyers: BTreeSet<String> = SHOP.table("orders").column("customer_id").into_iter().map(str::to_owned).collect();
    let households = customers.counts("household_id").len();
    for (oddity, percent, low, high) in [
        ("prospects who never bought", share(customers.len() - buyers.len()), 17.0, 19.5),
        ("without e-mail", missing("email"), 2.5, 3.6),
        ("invalid e-mail", share(invalid), 0.2, 0.7),
        ("doubles by e-mail", share(doubles), 0.15, 0.5),
        ("without income", missing("income"), 19.0, 21.5),
        ("without birth date", missing("birth_date"), 3.3, 4.8),
        ("placeholder birth date", share(customers.counts("birth_date")["1900-01-01"]), 1.4, 2.6),
        ("unanswered consent", missing("email_consent"), 8.5, 11.5),
        ("living with another customer", share(customers.len() - households), 11.0, 14.0),
    ] {
        assert!((low..high).contains(&percent), "{oddity}: {percent} %");
    }
}

#[test]
fn orders_are_returned_cancelled_and_open_as_promised() {
    let orders = SHOP.table("orders");
    let share = |status: &str| orders.counts("status")[status] as f64 / orders.len() as f64 * 100.0;
    for (status, low, high) in
        [("returned", 5.5, 6.5), ("cancelled", 1.7, 2.3), ("open", 0.5, 2.0), ("shipped", 0.1, 0.4)]
    {
        assert!((low..high).contains(&share(status)), "{status}: {} %", share(status));
    }
    let expected = orders.column("status").into_iter().zip(orders.column("expected_at"));
    assert!(
        expected.into_iter().all(|(status, at)| (!["open", "shipped"].contains(&status) || at > AS_OF)
            && (status != "delivered" || at <= AS_OF))
    );
    let in_store = orders.column("channel").into_iter().zip(orders.column("store_id"));
    assert!(in_store.into_iter().all(|(channel, store)| (channel == "store") != store.is_empty()));
}

#[test]
fn a_cart_was_ordered_or_left_and_is_open_only_if_it_is_a_week_old() {
    let carts = SHOP.table("carts");
    for ((status, order), at) in
        carts.column("status").into_iter().zip(carts.column("order_id")).zip(carts.column("updated_at"))
    {
        assert_eq!(status == "ordered", !order.is_empty());
        assert!(status != "open" || at >= "2025-06-23", "{at}");
        assert!(status != "abandoned" || at < "2025-06-23", "{at}");
    }
    assert_eq!(carts.counts("status").len(), 3);
}

#[test]
fn a_sofa_is_bought_with_its_cushions_more_often_than_alone() {
    let products = SHOP.table("products");
    let category: BTreeMap<&str, &str> =
        products.column("product_id").into_iter().zip(products.column("category")).collect();
    let lines = SHOP.table("order_lines");
    let mut orders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (order, product) in lines.column("order_id").into_iter().zip(lines.column("product_id")) {
        orders.entry(order).or_default().insert(category[product]);
    }
    let share = |of: &str, with: &str| {
        let all: Vec<_> = orders.values().filter(|categories| of.is_empty() || categories.contains(of)).collect();
        all.iter().filter(|categories| categories.contains(with)).count() as f64 / all.len() as f64
    };
    for (main, companion) in [
        ("Sofas", "Cushions"),
        ("Beds", "Bedding"),
        ("Dining tables", "Dining chairs"),
        ("Garden", "Garden accessories"),
    ] {
        let lift = share(main, companion) / share("", companion);
        assert!(lift > 1.5, "{companion} with {main}: lift {lift}");
    }
}

#[test]
fn a_customer_keeps_a_rhythm_until_leaving() {
    let orders = SHOP.table("orders");
    let mut days: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (customer, at) in orders.column("customer_id").into_iter().zip(orders.column("placed_at")) {
        let date: chrono::NaiveDate = at[..10].parse().unwrap();
        days.entry(customer).or_default().push(i64::from(date.to_epoch_days()));
    }
    assert!(days.values().all(|days| days.is_sorted()));
    let frequent: Vec<&Vec<i64>> = days.values().filter(|days| days.len() >= 8).collect();
    // Of gamma gaps with shape 3 the deviation is 0.58 of the mean; of a fully random one it is 1.
    let variation: f64 = frequent.iter().map(|days| variation(days)).sum::<f64>() / frequent.len() as f64;
    assert!((0.45..0.75).contains(&variation), "{variation}");
    let mean_gaps: BTreeSet<i64> =
        frequent.iter().map(|days| (days[days.len() - 1] - days[0]) / days.len() as i64).collect();
    assert!(mean_gaps.len() > 80, "people differ: {} rhythms", mean_gaps.len());
}

/// Deviation of the gaps, relative to their mean.
fn variation(days: &[i64]) -> f64 {
    let gaps: Vec<f64> = days.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len() as f64;
    variance.sqrt() / mean
}
