//! Numbers, text and three values.

use muster_testkit::interpreter::Kind;

use crate::shop::{constant, each, rows, wrong};

#[test]
fn decimals_are_exact() {
    constant("0.1 + 0.2 = 0.3", "TRUE");
    constant("1.10 * 2.5", "2.750");
    constant("1.5 - 2", "-0.5");
    constant("7.5 % 2", "1.5");
    constant("1 = 1.0", "TRUE");
    constant("-1.5 < -1", "TRUE");
    constant("0.1 + 0.2 = CAST(0.3 AS DOUBLE)", "TRUE");
}

#[test]
fn integer_division_truncates() {
    constant("7 / 2", "3");
    constant("-7 / 2", "-3");
    constant("7 % 3", "1");
    constant("7.0 / 2 = 3.5", "TRUE");
    constant("7 / 2.0 = 3.5", "TRUE");
    constant("CASE WHEN TRUE THEN 7 ELSE 1.5 END / 2 = 3.5", "TRUE");
    constant("coalesce(7, 1.5) / 2 = 3.5", "TRUE");
    constant("coalesce(7, 1) / 2", "3");
}

#[test]
fn what_fails_in_a_row_is_null() {
    for expression in [
        "1 / 0",
        "1 % 0",
        "1.0 / 0",
        "1 / 0.0",
        "CAST(1 AS DOUBLE) / 0",
        "9223372036854775807 + 1",
        "9223372036854775807 * 2",
        "-9223372036854775807 - 2",
        "90000000000000000000000000000000000000 * 10",
        "CAST('x' AS INT)",
        "CAST('1.5' AS INT)",
        "CAST('9223372036854775808' AS BIGINT)",
        "CAST('31/02/2026' AS DATE)",
        "CAST('perhaps' AS BOOLEAN)",
        "CAST(1000 AS DECIMAL(4,1))",
        "NULL + 1",
        "NULL = NULL",
        "'a' || NULL",
    ] {
        constant(expression, "NULL");
    }
}

#[test]
fn casts_that_succeed() {
    constant("CAST('12' AS INT) + 1", "13");
    constant("CAST('1.25' AS DECIMAL(6,1))", "1.3");
    constant("CAST(2.9 AS INT)", "2");
    constant("CAST(-2.9 AS INT)", "-2");
    constant("CAST('true' AS BOOLEAN)", "TRUE");
    constant("CAST(12.50 AS TEXT)", "12.50");
    constant("TRY_CAST('x' AS INT) IS NULL", "TRUE");
    constant("'5'::INT", "5");
    constant("CAST('2025-06-30' AS DATE)", "2025-06-30");
}

#[test]
fn three_values() {
    for (expression, expected) in [
        ("NULL AND FALSE", "FALSE"),
        ("NULL AND TRUE", "NULL"),
        ("NULL OR TRUE", "TRUE"),
        ("NULL OR FALSE", "NULL"),
        ("NOT NULL", "NULL"),
        ("1 IN (2, NULL)", "NULL"),
        ("1 IN (1, NULL)", "TRUE"),
        ("1 NOT IN (2, NULL)", "NULL"),
        ("NULL BETWEEN 1 AND 2", "NULL"),
        ("5 BETWEEN 6 AND NULL", "FALSE"),
        ("NULL IS NOT DISTINCT FROM NULL", "TRUE"),
        ("1 IS DISTINCT FROM NULL", "TRUE"),
        ("(1 = 2) IS FALSE", "TRUE"),
        ("(1 = NULL) IS NOT TRUE", "TRUE"),
        ("(1 = NULL) IS UNKNOWN", "TRUE"),
        ("CASE WHEN NULL THEN 1 ELSE 2 END", "2"),
        ("CASE 3 WHEN 1 THEN 'a' WHEN 3 THEN 'b' END", "b"),
        ("CASE 3 WHEN 1 THEN 'a' END", "NULL"),
        ("nullif(1, 1)", "NULL"),
        ("nullif(1, 2)", "1"),
        ("greatest(1, NULL, 2.5)", "2.5"),
        ("least(3, 2)", "2"),
    ] {
        constant(expression, expected);
    }
}

#[test]
fn text_compares_bytewise_and_empty_text_is_not_null() {
    constant("'Z' < 'a'", "TRUE");
    constant("'z' < 'é'", "TRUE");
    constant("'' IS NULL", "FALSE");
    constant("'a' = 'A'", "FALSE");
    constant("'a' = 'a '", "FALSE");
    wrong("country = 1", Kind::Type);
    wrong("country", Kind::Type);
}

#[test]
fn like() {
    each("email LIKE '%@x.nl'", "TRUE, FALSE, TRUE, NULL");
    each("email NOT LIKE 'b__@%'", "TRUE, FALSE, TRUE, NULL");
    constant("'50%' LIKE '50\\%'", "TRUE");
    constant("'500' LIKE '50\\%'", "FALSE");
    constant("'a_c' LIKE 'a!_c' ESCAPE '!'", "TRUE");
    constant("'abc' LIKE 'a!_c' ESCAPE '!'", "FALSE");
    constant("'ABC' ILIKE 'a%'", "TRUE");
    constant("'ABC' LIKE 'a%'", "FALSE");
}

#[test]
fn nulls_come_last_and_ties_by_key() {
    rows("SELECT customer_id FROM profiles ORDER BY points", "ann, dee, cas, bob");
    rows("SELECT customer_id FROM profiles ORDER BY points DESC", "cas, dee, ann, bob");
    rows("SELECT customer_id FROM profiles ORDER BY points NULLS FIRST", "bob, ann, dee, cas");
    rows("SELECT customer_id FROM profiles ORDER BY country DESC", "ann, cas, bob, dee");
    rows("SELECT order_id FROM orders ORDER BY channel DESC LIMIT 3 OFFSET 1", "o6, o2, o4");
}
