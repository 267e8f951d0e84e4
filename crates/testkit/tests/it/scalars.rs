//! The scalar helpers of the page, and the functions of SQL that segments use.

use muster_testkit::interpreter::Kind;

use crate::shop::{constant, each, instant, rows, shop, who, who_in, wrong};

/// Ann was born on 29 February 2000, Bob on 30 June 1990, Dee on 31 December 1985; today is 30 June 2025.
#[test]
fn ages_and_birthdays() {
    each("age(birth_date)", "25, 35, NULL, 39");
    each("days_to_anniversary(birth_date)", "243, 0, NULL, 184");
}

#[test]
fn who_was_born_on_29_february_has_a_birthday_on_28_february_in_other_years() {
    for (day, expected) in [
        ("2025-02-27T12:00", "24 1"),
        ("2025-02-28T00:00", "25 0"),
        ("2025-03-01T00:00", "25 364"),
        ("2024-02-28T12:00", "23 1"),
        ("2024-02-29T12:00", "24 0"),
        ("2023-03-01T12:00", "23 365"),
    ] {
        let query = "SELECT age(birth_date), days_to_anniversary(birth_date) FROM profiles WHERE customer_id = 'ann'";
        rows(&format!("AS OF '{day}' {query}"), expected);
    }
}

#[test]
fn days_between_are_those_of_the_local_calendar() {
    constant("days_between(DATE '2025-03-29', DATE '2025-03-31')", "2");
    constant("days_between(DATE '2025-03-31', DATE '2025-03-29')", "-2");
    constant("days_between(TIMESTAMP '2025-03-29 23:30', TIMESTAMP '2025-03-30 00:30')", "1");
    constant("days_between(TIMESTAMP '2025-06-30T21:59:00Z', TIMESTAMP '2025-06-30T22:00:00Z')", "1");
    each("days_between(max(orders.placed_at), now())", "97, 29, NULL, NULL");
}

#[test]
fn what_looks_like_an_address() {
    for (text, expected) in [
        ("ann@x.nl", "TRUE"),
        ("a.b+c@mail.x-y.example", "TRUE"),
        ("ann", "FALSE"),
        ("ann@x", "FALSE"),
        ("@x.nl", "FALSE"),
        ("ann@@x.nl", "FALSE"),
        ("ann b@x.nl", "FALSE"),
        ("ann@x..nl", "FALSE"),
        ("o''neil@x.nl", "TRUE"),
        ("an\"n@x.nl", "FALSE"),
        ("ann.@x.nl", "FALSE"),
        ("ann@-x.nl", "FALSE"),
        ("ann@x.nl.", "FALSE"),
        ("ann@müller.de", "FALSE"),
        ("", "FALSE"),
    ] {
        constant(&format!("is_email('{text}')"), expected);
    }
    for (name, labels, expected) in [(64, 62, "TRUE"), (65, 62, "FALSE"), (5, 83, "TRUE"), (6, 83, "FALSE")] {
        let address = format!("{}@{}", "a".repeat(name), vec!["xy"; labels].join("."));
        constant(&format!("is_email('{address}')"), expected);
    }
    each("is_email(email)", "TRUE, TRUE, TRUE, NULL");
}

#[test]
fn doubles_are_among_all_profiles() {
    each("is_double(email)", "TRUE, FALSE, TRUE, NULL");
    each("is_first_of(email)", "TRUE, TRUE, FALSE, NULL");
    each("is_double(upper(country))", "TRUE, FALSE, TRUE, NULL");
    each("is_double(count(orders))", "FALSE, FALSE, TRUE, TRUE");
    // Whoever else is left out, Cas still has Ann's address.
    who("customer_id = 'cas' AND is_double(email)", "cas");
    rows("SELECT cart_id, is_double(email) FROM carts", "k1 TRUE, k2 FALSE, k3 TRUE");
}

/// SHA-256 of `spring`, a zero byte and the key begins, as a share of 2^64, with 0.853 for Ann, 0.646, 0.337 and 0.961.
#[test]
fn buckets_and_samples_are_the_hash_of_seed_and_key() {
    each("bucket(10, 'spring')", "8, 7, 1, 2");
    each("sample(0.5, 'spring')", "FALSE, FALSE, TRUE, FALSE");
    each("sample(0.86, 'spring')", "TRUE, TRUE, TRUE, FALSE");
    each("sample(0, 'spring')", "FALSE, FALSE, FALSE, FALSE");
    each("sample(1, 'spring')", "TRUE, TRUE, TRUE, TRUE");
    each("bucket(1000, 'spring', 'house 7')", "21, 21, 21, 21");
    each("bucket(10, 'spring', country) IS NULL", "FALSE, FALSE, FALSE, TRUE");
    rows("SELECT cart_id, bucket(10, 'spring') FROM carts", "k1 8, k2 7, k3 1");
    wrong("bucket(0, 'spring') = 1", Kind::Arguments);
    wrong("sample(1.5, 'spring')", Kind::Arguments);
}

#[test]
fn was_asks_the_same_of_another_instant() {
    // By 1 May Ann had spent 550, and Bob nothing yet.
    each("was(segments.vip, TIMESTAMP '2025-05-01 00:00')", "TRUE, FALSE, FALSE, FALSE");
    // What was NULL then did not hold.
    each("was(sum(orders.total) >= 300, TIMESTAMP '2025-05-01 00:00')", "TRUE, FALSE, FALSE, FALSE");
    each("was(NOT sum(orders.total) >= 300, TIMESTAMP '2025-05-01 00:00')", "FALSE, FALSE, FALSE, FALSE");
    who("segments.vip AND NOT was(segments.vip, now() - INTERVAL '1 month')", "bob");
    // now() inside is that instant: on 1 March only o6 lay in the month before.
    each(
        "was(count(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '1 month') = 1, DATE '2025-03-01')",
        "TRUE, FALSE, FALSE, FALSE",
    );
    // Orders that were not there then give FALSE, also of NOT.
    rows("SELECT order_id FROM orders WHERE was(NOT has(order_lines), DATE '2025-03-01')", "");
    rows("SELECT order_id FROM orders WHERE was(has(order_lines), DATE '2025-03-01')", "o1, o6");
    wrong("was(segments.vip, birth_date)", Kind::Arguments);
    wrong("was(segments.vip)", Kind::Arguments);
}

#[test]
fn was_is_relative_to_the_as_of_instant() {
    let condition = "was(segments.vip, now() - INTERVAL '1 month')";
    assert_eq!(who_in(&shop(), condition, instant("2025-06-30T12:00")), "ann");
    assert_eq!(who_in(&shop(), condition, instant("2025-07-02T12:00")), "ann bob");
}

#[test]
fn text_functions() {
    for (expression, expected) in [
        ("lower('ÀB')", "àb"),
        ("upper('àb')", "ÀB"),
        ("length('één')", "3"),
        ("substr('abcdef', 2, 3)", "bcd"),
        ("substr('abcdef', 0, 3)", "ab"),
        ("substr('abcdef', 5)", "ef"),
        ("substring('abcdef' FROM 2 FOR 2)", "bc"),
        ("'[' || trim('  a b  ') || ']'", "[a b]"),
        ("trim(LEADING 'x' FROM 'xxaxx')", "axx"),
        ("rtrim('a  ') || '.'", "a."),
        ("concat('a', NULL, 1)", "a1"),
        ("'a' || 1", "a1"),
        ("replace('banana', 'an', 'o')", "booa"),
        ("left('abc', 2)", "ab"),
        ("right('abc', 2)", "bc"),
        ("strpos('abc', 'c')", "3"),
        ("starts_with('abc', 'ab')", "TRUE"),
    ] {
        constant(expression, expected);
    }
}

#[test]
fn number_functions() {
    for (expression, expected) in [
        ("abs(-2.50)", "2.50"),
        ("abs(-3)", "3"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2.345, 2)", "2.35"),
        ("round(1250, -2)", "1300"),
        ("floor(-2.5)", "-3"),
        ("ceil(-2.5)", "-2"),
        ("ceil(2.1)", "3"),
        ("floor(2.9)", "2"),
    ] {
        constant(expression, expected);
    }
}

#[test]
fn what_is_no_function_of_its_input_is_refused_and_what_is_unknown_is_not_guessed() {
    for expression in ["random() < 0.5", "uuid() = 'a'", "current_timestamp > now()"] {
        wrong(expression, Kind::Forbidden);
    }
    for expression in ["regexp_like(email, 'a')", "soundex(email) = 'a'", "md5(email) = 'a'"] {
        wrong(expression, Kind::Unsupported);
    }
    wrong("lower(email, country) = 'a'", Kind::Arguments);
}
