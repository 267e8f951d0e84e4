//! Real files, and the figures that are known of them.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use muster_ingest::TableLoad;
use muster_testkit::real_data;

use crate::world::{World, assert_adds_up, column};

const ONLINE_RETAIL: &str = r#"
[tables.profiles]
source = "*.csv"
key = "customer"
one_row_per_key = true
where = "CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0"
[tables.profiles.columns]
customer = { from = "CustomerID", type = "id", integral = true }
country = { from = "Country", pick = "last" }

[tables.orders]
source = "*.csv"
key = "InvoiceNo"
parent = "profiles"
on = "CustomerID"
time = "InvoiceDate"
one_row_per_key = true
where = "CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0"
[tables.orders.columns]
CustomerID = { type = "id", integral = true }

[tables.order_lines]
source = "*.csv"
parent = "orders"
on = "InvoiceNo"
where = "CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0"
[tables.order_lines.columns]
StockCode = { type = "id" }
CustomerID = { type = "id", integral = true }
Quantity = { type = "int" }
UnitPrice = { type = "decimal(12,3)" }
"#;

#[track_caller]
fn load(world: &World, data: &str, table: &str) -> Option<TableLoad> {
    let folder = real_data(data)?;
    let (load, rejects) = world.load_from(table, &folder);
    let load = load.unwrap_or_else(|error| panic!("{error}"));
    assert_adds_up(&load);
    assert_eq!(rejects, []);
    Some(load)
}

fn filtered(load: &TableLoad) -> Vec<u64> {
    load.report.filtered.iter().map(|part| part.rows).collect()
}

#[test]
fn online_retail_gives_lines_orders_and_customers_exactly() {
    let world = World::new(ONLINE_RETAIL);
    let Some(lines) = load(&world, "online-retail", "order_lines") else { return };
    assert_eq!(lines.report.files.len(), 141);
    assert_eq!((lines.report.read, filtered(&lines), lines.report.rows), (209_029, vec![59_976, 3_590, 13], 145_450));
    assert_eq!(total(&lines), 3_332_591_961, "thousandths of a pound");

    let Some(orders) = load(&world, "online-retail", "orders") else { return };
    assert_eq!((orders.report.rows, orders.report.merged), (7_409, 145_450 - 7_409));
    let Some(profiles) = load(&world, "online-retail", "profiles") else { return };
    assert_eq!(profiles.report.rows, 2_718);
    assert!(column(&profiles, "customer").contains(&"17850".to_owned()));
}

/// The sum of quantity times price, in thousandths.
fn total(lines: &TableLoad) -> i128 {
    let product = |batch: &arrow_array::RecordBatch| -> i128 {
        let prices = batch.column_by_name("UnitPrice").unwrap().as_primitive::<Decimal128Type>();
        let quantities = batch.column_by_name("Quantity").unwrap().as_primitive::<arrow_array::types::Int64Type>();
        prices.values().iter().zip(quantities.values()).map(|(price, quantity)| price * i128::from(*quantity)).sum()
    };
    lines.batches.iter().map(product).sum()
}

const CDNOW: &str = r#"
[tables.orders]
source = "CDNOW_master.txt"
parent = "profiles"
on = "customer_id"
time = "date"
blanks = true
[tables.orders.columns]
date = { type = "timestamp", format = "%Y%m%d" }
dollar_value = { type = "decimal(9,2)" }
"#;

#[test]
fn cdnow_keeps_leading_zeros_equal_rows_and_every_cent() {
    let Some(orders) = load(&World::new(CDNOW), "cdnow", "orders") else { return };
    assert_eq!((orders.report.read, orders.report.rows), (69_659, 69_659));
    let values = orders.batches.iter().flat_map(|batch| {
        batch.column_by_name("dollar_value").unwrap().as_primitive::<Decimal128Type>().values().to_vec()
    });
    assert_eq!(values.sum::<i128>(), 250_031_563);
    let mut customers = column(&orders, "customer_id");
    assert_eq!(customers[0], "00001");
    customers.sort();
    customers.dedup();
    assert_eq!(customers.len(), 23_570);
}
