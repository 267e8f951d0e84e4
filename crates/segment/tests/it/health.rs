//! The health of the planted shop, every figure counted by hand from its rows.

use muster_segment::{Classes, Double, Doubles, Freshness, Future, Health, Month};

use crate::planted;
use crate::world::{Shop, instant};

fn health(shop: &Shop, now: &str) -> Health {
    let evaluator = shop.session().evaluator().unwrap();
    Health::of(&evaluator, instant(now), chrono_tz::Europe::Amsterdam, &Classes::default()).unwrap()
}

#[test]
fn everything_stored_is_looked_at_whatever_its_time() {
    let health = health(&planted::shop(), "2025-06-30T12:00");
    let counted: Vec<(&str, u64, u64, u64)> = health
        .tables
        .iter()
        .map(|table| (table.schema.name.as_str(), table.rows, table.later, table.waiting))
        .collect();
    assert_eq!(counted, [("stores", 2, 0, 0), ("profiles", 6, 0, 0), ("orders", 4, 0, 1), ("visits", 6, 0, 0)]);
    let nulls: Vec<(&str, u64)> =
        health.tables[1].columns.iter().map(|column| (column.schema.name.as_str(), column.nulls)).collect();
    assert_eq!(
        nulls,
        [("id", 0), ("joined", 0), ("email", 1), ("mobile", 3), ("country", 1), ("interests", 2), ("income", 1)]
    );
}

#[test]
fn equal_rows_without_a_key_and_equal_addresses_are_doubles() {
    let double = |table: &str, what, groups, rows| Double { table: table.to_owned(), what, groups, rows };
    // One address of two (A@ is another one than a@), one number of two; three equal visits and two others.
    assert_eq!(
        health(&planted::shop(), "2025-06-30T12:00").doubles,
        [
            double("profiles", Doubles::Values("email".to_owned()), 1, 2),
            double("profiles", Doubles::Values("mobile".to_owned()), 1, 2),
            double("visits", Doubles::Rows, 2, 5),
        ]
    );
}

#[test]
fn what_is_later_than_now_is_the_future() {
    let future = |table: &str, column: &str, part: Option<&str>, rows| Future {
        table: table.to_owned(),
        column: column.to_owned(),
        part: part.map(str::to_owned),
        rows,
    };
    // p5 joins in July, o3 is placed in August; o2 is expected tomorrow and o3 today.
    assert_eq!(
        health(&planted::shop(), "2025-06-30T12:00").future,
        [
            future("profiles", "joined", Some("created_at"), 1),
            future("orders", "placed_at", Some("time"), 1),
            future("orders", "expected", None, 1),
        ]
    );
    assert_eq!(health(&planted::shop(), "2025-12-31").future, []);
}

#[test]
fn months_are_those_of_the_workspaces_calendar() {
    let month = |month: &str, rows| Month { month: month.to_owned(), rows };
    assert_eq!(
        health(&planted::shop(), "2025-06-30T12:00").months,
        [
            (
                "profiles".to_owned(),
                vec![month("2024-01", 2), month("2024-02", 2), month("2025-01", 1), month("2025-07", 1)]
            ),
            (
                "orders".to_owned(),
                vec![month("2024-03", 1), month("2024-04", 1), month("2024-05", 1), month("2025-08", 1)]
            ),
            ("visits".to_owned(), vec![month("2024-06", 6)]),
        ]
    );
}

#[test]
fn the_newest_time_is_the_newest_that_has_come() {
    let shop = planted::shop();
    let evaluator = shop.session().evaluator().unwrap();
    let snapshot = evaluator.snapshot();
    let freshness = |table: &str, as_of: &str| {
        let table = snapshot.schema(table).unwrap();
        Freshness::of(&evaluator, table, instant(as_of), chrono_tz::Europe::Amsterdam).unwrap()
    };
    let newest = |text: &str, later| Some(Freshness { newest: Some(instant(text)), later });
    assert_eq!(freshness("orders", "2025-06-30T12:00"), newest("2024-03-31T22:30:00Z", 2));
    assert_eq!(freshness("orders", "2025-12-31"), newest("2025-08-01T10:00:00Z", 0));
    assert_eq!(freshness("profiles", "2025-06-30T12:00"), newest("2025-01-05T10:00:00Z", 1));
    assert_eq!(freshness("visits", "2020-01-01"), Some(Freshness { newest: None, later: 6 }));
    assert_eq!(freshness("stores", "2025-06-30T12:00"), None);
}
