//! A small shop with planted oddities: empty cells, doubles, times that have not come, orders whose customer is missing.

use muster_store::TableInput;

use crate::world::{Shop, input};

pub const CATALOG: &str = r#"
[workspace]
name = "planted"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"
created_at = "joined"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[tables.visits]
source = "visits.csv"
parent = "profiles"
on = "customer"
time = "seen_at"

[tables.stores]
source = "stores.csv"
key = "store_id"
lookup = { store = "orders.shop" }
"#;

/// The shop's clock says noon of 30 June 2025. Then p5 has not joined, o3 is not placed, and o4 waits for p9. Two profiles
/// share an address, two a number; of the visits one comes three times and one twice. o2 was placed when it was April in
/// Amsterdam and still March in Greenwich.
pub fn shop() -> Shop {
    let shop = Shop::empty();
    shop.load_as(CATALOG, tables());
    shop
}

fn tables() -> Vec<TableInput> {
    let customers = [
        ("id", "id"),
        ("joined", "timestamp"),
        ("email", "text"),
        ("mobile", "id"),
        ("country", "text"),
        ("interests", "set"),
        ("income", "decimal(12,2)"),
    ];
    let orders = [
        ("order_id", "id"),
        ("customer", "id"),
        ("placed_at", "timestamp"),
        ("total", "decimal(12,2)"),
        ("paid", "bool"),
        ("expected", "date"),
        ("shop", "id"),
    ];
    let visits = [("customer", "id"), ("seen_at", "timestamp"), ("page", "text")];
    vec![
        input(
            "profiles",
            &customers,
            &[
                "p1 2024-01-10T10:00:00Z a@x.example 31 NL lamps;sofas 10.00",
                "p2 2024-02-10T10:00:00Z a@x.example - NL sofas 20.00",
                "p3 2024-02-11T10:00:00Z b@x.example 31 BE - 20.00",
                "p4 2025-01-05T10:00:00Z - - - beds;lamps -",
                "p5 2025-07-15T10:00:00Z c@x.example 32 DE sofas 5.00",
                "p6 2024-01-20T10:00:00Z A@x.example - NL - 30.00",
            ],
        ),
        input(
            "orders",
            &orders,
            &[
                "o1 p1 2024-03-01T10:00:00Z 5.00 true 2024-03-04 s1",
                "o2 p1 2024-03-31T22:30:00Z 7.00 false 2025-07-01 s1",
                "o3 p3 2025-08-01T10:00:00Z 7.00 true 2025-06-30 -",
                "o4 p9 2024-05-01T10:00:00Z 1.00 true - s1",
                "o5 p5 2024-05-05T10:00:00Z 2.00 true - s2",
            ],
        ),
        input(
            "visits",
            &visits,
            &[
                "p1 2024-06-01T10:00:00Z home",
                "p1 2024-06-01T10:00:00Z home",
                "p1 2024-06-01T10:00:00Z home",
                "p2 2024-06-02T10:00:00Z -",
                "p2 2024-06-02T10:00:00Z -",
                "p3 2024-06-03T10:00:00Z home",
            ],
        ),
        input("stores", &[("store_id", "id"), ("city", "text")], &["s1 Delft", "s2 Gent"]),
    ]
}
