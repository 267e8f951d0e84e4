//! Instants on the calendar of the workspace, over the nights on which clocks change; and counts since an instant.

use crate::world::{Files, World, check_each, rows};

/// Orders around the last Sunday of March 2025, of which 02:00 to 03:00 did not happen in Amsterdam, and of October, of
/// which it happened twice.
fn over_the_changes() -> World {
    World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -"]),
        orders: rows(&[
            "a ann 2025-03-29T22:59:59Z 1.00",
            "b ann 2025-03-29T23:00:00Z 1.00",
            "c ann 2025-03-30T00:59:59Z 1.00",
            "d ann 2025-03-30T01:00:00Z 1.00",
            "e ann 2025-03-30T21:59:59Z 1.00",
            "f ann 2025-03-30T22:00:00Z 1.00",
            "g ann 2024-10-26T22:00:00Z 1.00",
            "h ann 2024-10-27T00:30:00Z 1.00",
            "i ann 2024-10-27T01:30:00Z 1.00",
            "j ann 2024-10-27T22:59:59Z 1.00",
        ]),
        ..Files::default()
    })
}

#[test]
fn instants_are_shown_on_the_local_clock() {
    over_the_changes().check(
        "SELECT order_id, placed_at FROM orders WHERE order_id IN ('c', 'd', 'h', 'i') ORDER BY order_id",
        &[
            "c 2025-03-30T01:59:59+01:00",
            "d 2025-03-30T03:00:00+02:00",
            "h 2024-10-27T02:30:00+02:00",
            "i 2024-10-27T02:30:00+01:00",
        ],
    );
}

#[test]
fn days_are_local_days_of_23_and_of_25_hours() {
    over_the_changes().check(
        "SELECT date_trunc('day', placed_at) AS day, count(*) AS orders FROM orders GROUP BY date_trunc('day', placed_at) ORDER BY day",
        &[
            "2024-10-27T00:00:00+02:00 4",
            "2025-03-29T00:00:00+01:00 1",
            "2025-03-30T00:00:00+01:00 4",
            "2025-03-31T00:00:00+02:00 1",
        ],
    );
    over_the_changes().check(
        "SELECT placed_at::date AS day, count(*) AS orders FROM orders GROUP BY placed_at::date ORDER BY day",
        &["2024-10-27 4", "2025-03-29 1", "2025-03-30 4", "2025-03-31 1"],
    );
}

#[test]
fn longer_spans_begin_at_local_midnight_too() {
    over_the_changes().check(
        "SELECT DISTINCT date_trunc('week', placed_at) AS week, date_trunc('month', placed_at) AS month, date_trunc('year', placed_at) AS year
         FROM orders WHERE order_id IN ('d', 'f', 'h') ORDER BY week",
        &[
            "2024-10-21T00:00:00+02:00 2024-10-01T00:00:00+02:00 2024-01-01T00:00:00+01:00",
            "2025-03-24T00:00:00+01:00 2025-03-01T00:00:00+01:00 2025-01-01T00:00:00+01:00",
            "2025-03-31T00:00:00+02:00 2025-03-01T00:00:00+01:00 2025-01-01T00:00:00+01:00",
        ],
    );
}

#[test]
fn parts_of_an_instant_are_those_of_the_local_clock() {
    over_the_changes().check(
        "SELECT order_id, EXTRACT(HOUR FROM placed_at) AS hour, EXTRACT(DAY FROM placed_at) AS day, EXTRACT(DOW FROM placed_at) AS dow
         FROM orders WHERE order_id IN ('b', 'd', 'f', 'i') ORDER BY order_id",
        &["b 0 30 0", "d 3 30 0", "f 0 31 1", "i 2 27 0"],
    );
}

#[test]
fn an_interval_of_days_keeps_the_local_time_and_one_of_hours_does_not() {
    over_the_changes().check(
        "SELECT placed_at + INTERVAL '1 day' AS day_later, placed_at + INTERVAL '24 hours' AS hours_later,
                placed_at + INTERVAL '1 month' AS month_later
         FROM orders WHERE order_id = 'a'",
        &["2025-03-30T23:59:59+02:00 2025-03-31T00:59:59+02:00 2025-04-29T23:59:59+02:00"],
    );
}

#[test]
fn a_sum_in_the_hour_that_is_skipped_moves_forward_and_in_the_one_that_is_repeated_is_the_first() {
    let world = World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z NL - - - -"]),
        orders: rows(&[
            "a ann 2025-03-29T01:30:00Z 1.00",
            "b ann 2024-10-26T00:30:00Z 1.00",
            "c ann 2025-04-30T00:30:00Z 1.00",
        ]),
        ..Files::default()
    });
    world.check(
        "SELECT order_id, placed_at + INTERVAL '1 day' AS later, placed_at - INTERVAL '1 month' AS earlier FROM orders ORDER BY order_id",
        &[
            "a 2025-03-30T03:30:00+02:00 2025-02-28T02:30:00+01:00",
            "b 2024-10-27T02:30:00+02:00 2024-09-26T02:30:00+02:00",
            "c 2025-05-01T02:30:00+02:00 2025-03-30T03:30:00+02:00",
        ],
    );
    world.check(
        "SELECT order_id FROM orders WHERE has(o => orders) FILTER (WHERE o.placed_at > orders.placed_at + INTERVAL '1 day')
         ORDER BY order_id",
        &["a", "b"],
    );
}

#[test]
fn a_window_is_half_open_on_local_days() {
    over_the_changes()
        .check("SELECT count(*) AS n FROM orders WHERE placed_at >= '2025-03-30' AND placed_at < '2025-03-31'", &["4"]);
}

#[test]
fn ages_and_anniversaries_step_on_local_days() {
    World::shop().check(
        "SELECT id, age(born) AS age, days_to_anniversary(born) AS until, days_between(born, today()) AS days FROM profiles ORDER BY id",
        &["ann 45 243 16558", "bob 34 184 12600", "cas - - -"],
    );
}

/// The 30th begins at 23:00 of the 29th in UTC, before `c` and after `a`.
#[test]
fn a_date_beside_an_instant_is_its_local_midnight_also_where_it_is_computed() {
    over_the_changes().check(
        "SELECT order_id FROM orders WHERE placed_at >= CAST(TIMESTAMP '2025-03-30T12:00:00' AS DATE) AND order_id < 'f' ORDER BY order_id",
        &["b", "c", "d", "e"],
    );
    over_the_changes().check(
        "SELECT order_id, placed_at >= CAST(placed_at AS DATE) AS begun, CAST(placed_at AS DATE) BETWEEN placed_at AND now() AS midnight
         FROM orders WHERE order_id IN ('a', 'b', 'g') ORDER BY order_id",
        &["a true false", "b true true", "g true true"],
    );
}

/// At half past one in Amsterdam, which is the day before in UTC.
#[test]
fn what_a_case_gives_is_an_instant_beside_a_date() {
    let placed = "CASE WHEN orders.total > 50 THEN orders.placed_at ELSE orders.placed_at END";
    check_each(&format!("max({placed}) >= nullif(current_date, DATE '2000-01-01')"), ["true", "false", "-"]);
    let mixed = "CASE WHEN orders.total < 50 THEN orders.placed_at ELSE DATE '2025-06-30' END";
    check_each(&format!("max({mixed}) = max(orders.placed_at)"), ["true", "false", "-"]);
    check_each("CASE WHEN id = 'ann' THEN born ELSE DATE '2025-06-30' END >= '2025-06-30'", ["false", "true", "true"]);
}

/// A function that reads a text reads it on the local clock, in a condition as in a SELECT.
#[test]
fn a_text_without_an_offset_is_local_wherever_it_is_read() {
    let world = World::of(&Files {
        customers: rows(&["ann 2024-01-01T00:00:00Z 2025-06-30T12:00:00 - - - -"]),
        ..Files::default()
    });
    world.check("SELECT to_unixtime(country) AS seconds FROM profiles", &["1751277600"]);
    world.check("SELECT count(*) AS n FROM profiles WHERE to_unixtime(country) = 1751277600", &["1"]);
}

fn compares(op: &str, value: i64, constant: i64) -> bool {
    match op {
        ">=" => value >= constant,
        ">" => value > constant,
        "<" => value < constant,
        "<=" => value <= constant,
        "=" => value == constant,
        _ => value != constant,
    }
}

/// How many there are since an instant, or until one, shows in one row of each history; counted here one by one.
#[test]
fn counts_since_and_until_an_instant_are_what_counting_says() {
    let days = [("ann", 1), ("ann", 3), ("ann", 3), ("ann", 9), ("bob", 3), ("bob", 4), ("dan", 20)];
    let orders = (0..).zip(days).map(|(id, (who, day))| format!("o{id} {who} 2025-01-{day:02}T12:00:00Z 1.00"));
    let orders: Vec<String> = orders.collect();
    let orders: Vec<&str> = orders.iter().map(String::as_str).collect();
    let people = ["ann", "bob", "cas", "dan"];
    let customers = people.map(|who| format!("{who} 2024-01-01T00:00:00Z NL - - - -"));
    let customers = rows(&customers.each_ref().map(String::as_str));
    let world = World::of(&Files { customers, orders: rows(&orders), ..Files::default() });
    // Between two instants, at one that several have, before the first and behind the last.
    for (sign, edge) in [(">=", 3), (">", 3), ("<", 3), ("<=", 3), (">=", 5), ("<", 5), (">=", 1), (">", 20), ("<", 1)]
    {
        let of = |who: &str| days.iter().filter(|(its, day)| *its == who && compares(sign, *day, edge)).count() as i64;
        for count in -1..=4 {
            for op in [">=", ">", "<", "<=", "=", "<>"] {
                let expected = people.iter().filter(|who| compares(op, of(who), count)).copied();
                let among = format!("placed_at {sign} TIMESTAMPTZ '2025-01-{edge:02}T12:00:00Z'");
                let condition = format!("count(orders) FILTER (WHERE {among}) {op} {count}");
                let text = format!("SELECT id FROM profiles WHERE {condition} ORDER BY id");
                world.check(&text, &expected.collect::<Vec<_>>());
            }
        }
    }
}
