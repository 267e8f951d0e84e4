//! Section 3: the as-of instant, the local calendar. In Amsterdam the clock went from 02:00 to 03:00 on 30 March 2025, and
//! from 03:00 back to 02:00 on 26 October.

use muster_testkit::interpreter::Kind;

use crate::shop::{constant, fails, rows, wrong};

#[test]
fn now_and_today_are_the_as_of_instant_in_the_workspaces_zone() {
    constant("now()", "2025-06-30T10:00:00Z");
    constant("today()", "2025-06-30");
    constant("current_date", "2025-06-30");
    rows("AS OF '2025-06-30T22:30:00Z' SELECT today() FROM profiles LIMIT 1", "2025-07-01");
    rows("as of '2025-01-15' SELECT now() FROM profiles LIMIT 1", "2025-01-14T23:00:00Z");
    fails("AS OF 'yesterday' SELECT 1 FROM profiles", Kind::Type);
}

#[test]
fn a_date_beside_an_instant_is_its_local_midnight() {
    constant("TIMESTAMP '2025-06-30 00:00' = DATE '2025-06-30'", "TRUE");
    constant("TIMESTAMP '2025-06-29T22:00:00Z' = DATE '2025-06-30'", "TRUE");
    constant("DATE '2025-06-30' > TIMESTAMP '2025-06-29T21:59:59Z'", "TRUE");
    constant("now() > today()", "TRUE");
    constant("now() >= '2025-06-30'", "TRUE");
    constant("today() = '2025-06-30'", "TRUE");
    constant("CAST(DATE '2025-01-01' AS TIMESTAMP)", "2024-12-31T23:00:00Z");
    constant("CAST(TIMESTAMP '2025-06-30T22:30:00Z' AS DATE)", "2025-07-01");
    constant("coalesce(NULL, DATE '2025-06-30', now()) = TIMESTAMP '2025-06-30 00:00'", "TRUE");
}

#[test]
fn intervals_follow_the_local_calendar() {
    for (expression, expected) in [
        ("TIMESTAMP '2025-03-29 12:00' + INTERVAL '1 day'", "2025-03-30T10:00:00Z"),
        ("TIMESTAMP '2025-03-31 12:00' - INTERVAL '2 days'", "2025-03-29T11:00:00Z"),
        ("TIMESTAMP '2025-01-31 12:00' + INTERVAL '1 month'", "2025-02-28T11:00:00Z"),
        ("TIMESTAMP '2025-03-31 12:00' - INTERVAL '1 month'", "2025-02-28T11:00:00Z"),
        ("TIMESTAMP '2024-02-29 12:00' + INTERVAL '1 year'", "2025-02-28T11:00:00Z"),
        ("TIMESTAMP '2025-06-30 12:00' - INTERVAL '1 year 2 months 3 days'", "2024-04-27T10:00:00Z"),
        ("TIMESTAMP '2025-06-30 12:00' - INTERVAL '2 weeks'", "2025-06-16T10:00:00Z"),
        ("TIMESTAMP '2025-06-30 12:00' - INTERVAL '7' DAY", "2025-06-23T10:00:00Z"),
        ("DATE '2025-01-31' + INTERVAL '1 month'", "2025-02-28"),
        ("INTERVAL '1 day' + DATE '2025-03-29'", "2025-03-30"),
        ("DATE '2025-06-30' - INTERVAL '12 hours'", "2025-06-29T10:00:00Z"),
    ] {
        constant(expression, expected);
    }
}

#[test]
fn a_result_in_a_gap_moves_forward_and_in_a_fold_it_is_the_first() {
    constant("TIMESTAMP '2025-03-29 02:30' + INTERVAL '1 day'", "2025-03-30T01:30:00Z");
    constant("TIMESTAMP '2025-10-25 02:30' + INTERVAL '1 day'", "2025-10-26T00:30:00Z");
    constant("TIMESTAMP '2025-10-27 02:30' - INTERVAL '1 day'", "2025-10-26T00:30:00Z");
    constant("TIMESTAMP '2025-10-26T01:30:00Z' + INTERVAL '0 days'", "2025-10-26T01:30:00Z");
}

#[test]
fn hours_are_elapsed_time() {
    constant("TIMESTAMP '2025-03-29 12:00' + INTERVAL '24 hours'", "2025-03-30T11:00:00Z");
    constant("TIMESTAMP '2025-10-26T00:30:00Z' + INTERVAL '60 minutes'", "2025-10-26T01:30:00Z");
    constant("now() - INTERVAL '90 seconds'", "2025-06-30T09:58:30Z");
}

#[test]
fn truncation_and_parts_are_local() {
    for (expression, expected) in [
        ("date_trunc('year', now())", "2024-12-31T23:00:00Z"),
        ("date_trunc('quarter', now())", "2025-03-31T22:00:00Z"),
        ("date_trunc('month', now())", "2025-05-31T22:00:00Z"),
        ("date_trunc('week', TIMESTAMP '2025-03-30 12:00')", "2025-03-23T23:00:00Z"),
        ("date_trunc('day', TIMESTAMP '2025-06-30T22:30:00Z')", "2025-06-30T22:00:00Z"),
        ("date_trunc('hour', TIMESTAMP '2025-10-26T01:30:00Z')", "2025-10-26T01:00:00Z"),
        ("date_trunc('minute', TIMESTAMP '2025-06-30 12:34:56')", "2025-06-30T10:34:00Z"),
        ("date_trunc('month', DATE '2025-06-30') = DATE '2025-06-01'", "TRUE"),
        ("EXTRACT(HOUR FROM TIMESTAMP '2025-06-30T22:30:00Z')", "0"),
        ("EXTRACT(DAY FROM TIMESTAMP '2025-06-30T22:30:00Z')", "1"),
        ("EXTRACT(YEAR FROM TIMESTAMP '2024-12-31T23:30:00Z')", "2025"),
        ("date_part('quarter', now())", "2"),
        ("date_part('dow', DATE '2025-06-29')", "0"),
        ("date_part('doy', DATE '2024-12-31')", "366"),
        ("EXTRACT(WEEK FROM DATE '2024-12-31')", "1"),
        ("CAST(now() AS TEXT)", "2025-06-30T12:00:00+02:00"),
    ] {
        constant(expression, expected);
    }
}

#[test]
fn what_is_not_known_of_time_is_not_guessed() {
    wrong("now() - TIMESTAMP '2025-06-30 10:00' > INTERVAL '1 hour'", Kind::Unsupported);
    wrong("date_part('epoch', now()) > 1", Kind::Unsupported);
    wrong("date_trunc('fortnight', now()) = now()", Kind::Unsupported);
    wrong("now() - INTERVAL '1 blink' > now()", Kind::Unsupported);
    wrong("DATE '2025-02-30' < now()", Kind::Type);
}
