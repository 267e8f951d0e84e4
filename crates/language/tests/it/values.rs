//! Numbers, casts and functions: what is made total, what is let through, what is refused.

use crate::world::{error, expression};

#[test]
fn anything_divided_by_zero_is_null() {
    assert_eq!(expression("income / income"), "\"profiles\".\"income\" / nullif(\"profiles\".\"income\", 0)");
    assert_eq!(expression("income % (1 - 1)"), "\"profiles\".\"income\" % nullif((1 - 1), 0)");
    assert_eq!(expression("income / 12"), "\"profiles\".\"income\" / 12");
    assert_eq!(expression("income / 0"), "\"profiles\".\"income\" / nullif(0, 0)");
}

#[test]
fn a_failed_cast_is_null() {
    assert_eq!(expression("CAST(email AS BIGINT)"), "TRY_CAST(\"profiles\".\"email\" AS BIGINT)");
    assert_eq!(expression("email::date"), "TRY_CAST(\"profiles\".\"email\" AS DATE)");
    assert_eq!(expression("TRY_CAST(email AS INT)"), "TRY_CAST(\"profiles\".\"email\" AS INT)");
}

#[test]
fn an_average_is_an_exact_sum_over_a_count() {
    assert_eq!(
        expression("avg(income)"),
        "(CAST(sum(\"profiles\".\"income\") AS DOUBLE) / nullif(count(\"profiles\".\"income\"), 0))"
    );
    assert_eq!(
        expression("avg(income) FILTER (WHERE consent) OVER (PARTITION BY country)"),
        "(CAST(sum(\"profiles\".\"income\") FILTER (WHERE \"profiles\".\"consent\") OVER (PARTITION BY \"profiles\".\"country\") AS DOUBLE) \
         / nullif(count(\"profiles\".\"income\") FILTER (WHERE \"profiles\".\"consent\") OVER (PARTITION BY \"profiles\".\"country\"), 0))"
    );
}

#[test]
fn the_ways_of_sql_to_write_an_expression_pass_through() {
    for text in [
        "CASE country WHEN 'NL' THEN 1 ELSE 2 END",
        "email LIKE '%@%' ESCAPE '!'",
        "email ILIKE 'a%'",
        "email ~ '^a'",
        "consent IS NOT TRUE",
        "email IS DISTINCT FROM country",
        "country NOT IN ('NL', 'BE')",
        "income BETWEEN 1 AND 2.5",
        "EXTRACT(YEAR FROM birth_date)",
        "SUBSTRING(email FROM 2 FOR 3)",
        "TRIM(BOTH 'x' FROM email)",
        "POSITION('@' IN email)",
        "CEIL(income)",
        "email || '!'",
        "NOT (income IS NULL)",
        "-income",
    ] {
        let printed = expression(text);
        let bare = printed.replace("\"profiles\".", "").replace('"', "");
        assert_eq!(bare, text);
    }
    assert_eq!(expression("array_has(interests, 'sofas')"), "array_has(\"profiles\".\"interests\", 'sofas')");
    assert_eq!(expression("['a', 'b']"), "ARRAY['a', 'b']");
    assert_eq!(expression("Lower(email)"), "lower(\"profiles\".\"email\")");
}

#[test]
fn chance_and_the_wall_clock_are_refused() {
    assert_eq!(
        error("SELECT random() FROM profiles"),
        "line 1, column 8: `random` gives another value each time, so a query cannot use it\n  SELECT random() FROM profiles\n         ^"
    );
    assert_eq!(
        error("SELECT localtimestamp FROM profiles"),
        "line 1, column 8: `localtimestamp` gives another value each time, so a query cannot use it
  SELECT localtimestamp FROM profiles
         ^
  hint: now() and today() mean the as-of instant of the query"
    );
    for function in ["uuid()", "gen_random_uuid()", "rand()", "newid()", "current_time", "timeofday()"] {
        let message = error(&format!("SELECT {function} AS x FROM profiles"));
        assert!(message.contains("gives another value each time"), "{message}");
    }
}

#[test]
fn a_function_that_is_not_on_the_list_is_refused_with_the_nearest() {
    assert_eq!(
        error("SELECT lenght(email) FROM profiles"),
        "line 1, column 8: unknown function `lenght`\n  SELECT lenght(email) FROM profiles\n         ^\n  hint: did you mean `length`?"
    );
    for function in [
        "repeat(email, 1000000000)",
        "lpad(email, 9)",
        "read_csv('x')",
        "version()",
        "arrow_typeof(email)",
        "pg_sleep(1)",
    ] {
        let message = error(&format!("SELECT {function} AS x FROM profiles"));
        assert!(message.contains("unknown function"), "{message}");
    }
}
