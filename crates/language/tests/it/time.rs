//! The clock folded to literals, and intervals on the local calendar of Amsterdam.

use crate::world::{error, expression, names, resolved_with, sql};

fn check(text: &str, literal: &str) {
    assert_eq!(expression(text), literal, "{text}");
}

#[test]
fn now_is_the_as_of_instant_and_today_its_local_day() {
    check("now()", "TIMESTAMPTZ '2025-06-30T10:00:00Z'");
    check("CURRENT_TIMESTAMP", "TIMESTAMPTZ '2025-06-30T10:00:00Z'");
    check("today()", "DATE '2025-06-30'");
    check("current_date", "DATE '2025-06-30'");
    check("now()::date", "DATE '2025-06-30'");
    let late = resolved_with("AS OF '2025-06-29T22:30:00Z' SELECT today() AS x FROM profiles", &names());
    assert!(late.expect("it resolves").to_sql().starts_with("SELECT DATE '2025-06-30'"));
}

#[test]
fn days_and_months_step_on_the_local_calendar_hours_are_elapsed_time() {
    check("now() - INTERVAL '90 days'", "TIMESTAMPTZ '2025-04-01T10:00:00Z'");
    check("now() - INTERVAL '1 year 3 months'", "TIMESTAMPTZ '2024-03-30T11:00:00Z'");
    check("now() - INTERVAL '4320 hours'", "TIMESTAMPTZ '2025-01-01T10:00:00Z'");
    check("(now() - INTERVAL '1 day') + INTERVAL '90' MINUTE", "TIMESTAMPTZ '2025-06-29T11:30:00Z'");
    check("INTERVAL 'P1Y2M3DT4H5M6.5S' + now()", "TIMESTAMPTZ '2026-09-02T14:05:06.500Z'");
    check("now() - INTERVAL 2 WEEK", "TIMESTAMPTZ '2025-06-16T10:00:00Z'");
    check("TIMESTAMP '2025-03-31' - INTERVAL '1 month'", "TIMESTAMPTZ '2025-02-27T23:00:00Z'");
}

#[test]
fn a_result_in_a_gap_moves_forward_and_in_a_fold_it_is_the_first() {
    check("TIMESTAMP '2025-03-29 02:30' + INTERVAL '1 day'", "TIMESTAMPTZ '2025-03-30T01:30:00Z'");
    check("TIMESTAMP '2025-10-25 02:30' + INTERVAL '1 day'", "TIMESTAMPTZ '2025-10-26T00:30:00Z'");
    check("TIMESTAMPTZ '2025-10-26T01:30:00Z' + INTERVAL '0 days'", "TIMESTAMPTZ '2025-10-26T01:30:00Z'");
}

#[test]
fn dates_step_by_days_and_become_instants_by_hours() {
    check("today() - INTERVAL '1 month'", "DATE '2025-05-30'");
    check("today() - 30", "DATE '2025-05-31'");
    check("DATE '2024-02-29' + INTERVAL '1 year'", "DATE '2025-02-28'");
    check("today() + INTERVAL '6 hours'", "TIMESTAMPTZ '2025-06-30T04:00:00Z'");
}

#[test]
fn an_interval_beside_a_column_is_left_to_the_engine_in_the_units_that_all_read() {
    assert!(
        sql("SELECT placed_at + INTERVAL '1 year 2 weeks' AS x FROM orders").contains("+ INTERVAL '12 months 14 days'")
    );
    assert!(
        sql("SELECT placed_at + INTERVAL '-1.5 seconds' AS x FROM orders").contains("+ INTERVAL '-1.500000 seconds'")
    );
}

#[test]
fn a_text_or_date_beside_an_instant_is_its_local_instant() {
    for (condition, printed) in [
        ("placed_at >= '2025-01-01'", ">= TIMESTAMPTZ '2024-12-31T23:00:00Z'"),
        ("'2025-06-30T12:00' > placed_at", "TIMESTAMPTZ '2025-06-30T10:00:00Z' >"),
        ("placed_at < today()", "< TIMESTAMPTZ '2025-06-29T22:00:00Z'"),
        (
            "placed_at BETWEEN '2025-01-01' AND DATE '2025-02-01'",
            "BETWEEN TIMESTAMPTZ '2024-12-31T23:00:00Z' AND TIMESTAMPTZ '2025-01-31T23:00:00Z'",
        ),
        ("placed_at IN ('2025-01-01')", "IN (TIMESTAMPTZ '2024-12-31T23:00:00Z')"),
        ("date_trunc('month', placed_at) = '2025-06-01'", "= TIMESTAMPTZ '2025-05-31T22:00:00Z'"),
        ("profiles.birth_date < '1990-01-01'", "< DATE '1990-01-01'"),
    ] {
        let printed_query = sql(&format!("SELECT total FROM orders WHERE {condition}"));
        assert!(printed_query.contains(printed), "{condition}\n{printed_query}");
    }
    let over_history =
        sql("SELECT email FROM profiles WHERE coalesce(max(orders.placed_at), '1970-01-01') < '2025-01-01'");
    assert!(
        over_history.contains("TIMESTAMPTZ '1969-12-31T23:00:00Z') < TIMESTAMPTZ '2024-12-31T23:00:00Z'"),
        "{over_history}"
    );
}

#[test]
fn a_literal_that_is_no_time_is_an_error_with_its_place() {
    assert_eq!(
        error("SELECT total FROM orders WHERE placed_at > '2025-02-30'"),
        "line 1, column 44: '2025-02-30' is not an instant; expected YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.ffffff]], or the same with Z or an offset
  SELECT total FROM orders WHERE placed_at > '2025-02-30'
                                             ^"
    );
    assert_eq!(
        error("SELECT email FROM profiles WHERE birth_date = '30-06-1980'"),
        "line 1, column 47: '30-06-1980' is not a date; expected a day that exists, as YYYY-MM-DD
  SELECT email FROM profiles WHERE birth_date = '30-06-1980'
                                                ^"
    );
    assert_eq!(
        error("SELECT now() - INTERVAL '3 fortnights' AS x FROM profiles"),
        "line 1, column 25: INTERVAL '3 fortnights' is not an interval
  SELECT now() - INTERVAL '3 fortnights' AS x FROM profiles
                          ^
  hint: write INTERVAL '90 days', INTERVAL '1 year 6 months' or INTERVAL 'P90D'"
    );
    assert!(error("SELECT now() + INTERVAL '9000 years' AS x FROM profiles").contains("outside the years 1 to 9999"));
    assert!(error("SELECT TIMESTAMP '1500-01-01' AS x FROM profiles").contains("outside the years 1678 to 2261"));
}

#[test]
fn the_helpers_of_days_print_parts_of_dates() {
    assert_eq!(
        expression("age(birth_date)"),
        "CAST(2025 - date_part('year', \"profiles\".\"birth_date\") - CASE WHEN date_part('month', \"profiles\".\"birth_date\") \
         * 100 + date_part('day', \"profiles\".\"birth_date\") > 630 THEN 1 ELSE 0 END AS BIGINT)"
    );
    assert_eq!(
        expression("days_between('2025-01-01', birth_date)"),
        "CAST(date_part('epoch', \"profiles\".\"birth_date\") / 86400 - date_part('epoch', DATE '2025-01-01') / 86400 AS BIGINT)"
    );
    let leap =
        resolved_with("AS OF '2025-02-28' SELECT age(birth_date) AS x FROM profiles", &names()).expect("it resolves");
    assert!(leap.to_sql().contains("> 229 THEN 1"), "born on 29 February, one is a year older on the 28th");
    assert!(expression("days_to_anniversary(birth_date)").contains("make_date(2026,"));
}

#[test]
fn an_age_beside_a_number_is_a_day_beside_the_date_of_birth() {
    for (condition, printed) in [
        ("age(birth_date) >= 18", r#""birth_date" <= DATE '2007-06-30'"#),
        ("18 > age(birth_date)", r#""birth_date" > DATE '2007-06-30'"#),
        ("age(birth_date) <= 17", r#""birth_date" > DATE '2007-06-30'"#),
        ("17 < age(birth_date)", r#""birth_date" <= DATE '2007-06-30'"#),
        (
            "(age(birth_date)) = 17",
            r#"("profiles"."birth_date" <= DATE '2008-06-30' AND "profiles"."birth_date" > DATE '2007-06-30')"#,
        ),
        (
            "age(birth_date) NOT BETWEEN 18 AND 64",
            r#"NOT ("profiles"."birth_date" <= DATE '2007-06-30' AND "profiles"."birth_date" > DATE '1960-06-30')"#,
        ),
    ] {
        let printed_whole = sql(&format!("SELECT profile_id FROM profiles WHERE {condition}"));
        assert!(printed_whole.contains(printed), "{condition}: {printed_whole}");
        assert!(!printed_whole.contains("date_part"), "{condition}: {printed_whole}");
    }
    // What groups are made of is found again as it is written.
    let grouped =
        sql("SELECT age(birth_date) >= 18 AS adult, count(*) AS n FROM profiles GROUP BY age(birth_date) >= 18");
    assert!(grouped.contains("date_part"), "{grouped}");
}
