//! The functions of the language's own: how they print, and what they cannot be given.

use muster_language::ErrorKind;

use crate::errors::check;
use crate::world::{deep_names, expression, sql, transcript};

#[test]
fn the_most_frequent_value_is_the_first_of_ties_in_order() {
    check_transcript!(&[
        "SELECT mode(orders.channel) AS usual, count(orders) AS n FROM profiles",
        "SELECT mode(orders.channel) FILTER (WHERE orders.total > 10) AS usual FROM profiles",
        "SELECT country, mode(store_id) AS store, mode(mode(orders.channel)) AS usual FROM profiles GROUP BY country",
    ]);
}

#[test]
fn an_address_is_matched_as_a_whole_and_measured() {
    assert_eq!(
        expression("is_email(email)"),
        "((\"profiles\".\"email\") ~ '^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+([.][A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*\
         @([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$' \
         AND length((\"profiles\".\"email\")) <= 254 AND strpos((\"profiles\".\"email\"), '@') <= 65)"
    );
}

const DIGEST: &str = "sha256('wave 1' || chr(0) || \"profiles\".\"profile_id\")";

#[test]
fn a_sample_compares_sixteen_digits_of_a_digest() {
    for (fraction, digits) in [
        ("0.5", "< '8000000000000000'"),
        ("0.1", "< '199999999999999a'"),
        ("0", "< '0000000000000000'"),
        ("1", "<= 'ffffffffffffffff'"),
    ] {
        let printed = expression(&format!("sample({fraction}, 'wave 1')"));
        assert_eq!(printed, format!("(substr({DIGEST}, 1, 16) {digits})"), "{fraction}");
    }
}

#[test]
fn a_bucket_is_the_remainder_of_a_sum_over_the_digits() {
    let digit = |place: u32| format!("strpos('123456789abcdef', substr({DIGEST}, {place}, 1))");
    assert_eq!(expression("bucket(16, 'wave 1')"), format!("(({} * 1) % 16)", digit(16)));
    assert_eq!(
        expression("bucket(1000, 'wave 1')").matches(" * ").count(),
        16,
        "sixteen to any power has a remainder by a thousand"
    );
    assert!(expression("bucket(1000, 'wave 1')").contains(&format!("{} * 576 ", digit(11))), "16⁵ is 1,048,576");
    assert_eq!(expression("bucket(1, 'wave 1')"), format!("CASE WHEN {DIGEST} IS NOT NULL THEN 0 END"));
}

#[test]
fn chance_is_of_the_profile_or_of_a_unit() {
    check_transcript!(&[
        "SELECT order_id FROM orders WHERE sample(0.25, 'x')",
        "SELECT profile_id FROM profiles WHERE has(orders) FILTER (WHERE sample(0.25, 'x'))",
        "SELECT sample(0.25, 'x', store_id || country) AS s, bucket(4, 'x', income) AS b FROM profiles",
        "SELECT count(*) AS n FROM profiles AS p JOIN orders AS o ON p.profile_id = o.profile_id WHERE sample(0.5, 'x')",
    ]);
}

#[test]
fn a_value_is_compared_with_that_of_all_other_profiles() {
    check_transcript!(&[
        "SELECT email, is_double(lower(email)) AS d, is_first_of(lower(email)) AS f FROM profiles",
        "SELECT p.email FROM profiles AS p WHERE is_double(p.email)",
        "SELECT order_id FROM orders WHERE is_double(email)",
        "SELECT email FROM profiles WHERE has(o => orders) FILTER (WHERE is_double(profiles.email))",
        "SELECT is_double(count(orders)) AS same, count(*) AS n FROM profiles GROUP BY is_double(count(orders))",
    ]);
}

#[test]
fn a_query_inside_a_history_aggregate_is_made_beside_it() {
    check_transcript!(&[
        "SELECT count(orders) FILTER (WHERE orders.total > (SELECT avg(total) FROM orders)) AS n FROM profiles",
        "SELECT count(order_lines) FILTER (WHERE order_lines.product_id IN (SELECT product_id FROM products WHERE category = 'Sofas')) AS n FROM profiles",
        "SELECT has(orders) FILTER (WHERE NOT EXISTS (SELECT 1 FROM carts WHERE status = 'open')) AS h FROM profiles",
        "WITH large AS (SELECT order_id FROM orders WHERE total > 100) SELECT sum(orders.total) FILTER (WHERE order_id NOT IN (SELECT order_id FROM large)) AS s FROM profiles",
    ]);
}

#[test]
fn a_query_in_a_condition_stays_where_finding_a_value_is_all_that_is_asked() {
    let listed = "(SELECT profile_id FROM orders)";
    for condition in [
        format!("profile_id IN {listed}"),
        format!("profile_id NOT IN {listed} AND country = 'NL'"),
        format!("NOT (profile_id IN {listed})"),
        format!("country = 'NL' AND (income > 5 OR profile_id IN {listed})"),
        format!("country = 'NL' OR EXISTS {listed}"),
        format!("consent GROUP BY email HAVING email IN {listed} AND count(*) > 1"),
    ] {
        let printed = sql(&format!("SELECT email FROM profiles WHERE {condition}"));
        assert!(!printed.contains("__listed") && !printed.contains("__found"), "{printed}");
    }
    for condition in [
        format!("profile_id NOT IN {listed} OR country = 'NL'"),
        format!("NOT (profile_id IN {listed} AND country = 'NL')"),
        format!("(profile_id IN {listed}) IS NULL"),
        format!("CASE WHEN profile_id IN {listed} THEN 1 END = 1"),
    ] {
        let printed = sql(&format!("SELECT email FROM profiles WHERE {condition}"));
        assert!(printed.contains("LEFT JOIN \"__listed\""), "{printed}");
    }
    let grouped = "SELECT country IN (SELECT city FROM sites) AS k, count(*) AS n FROM profiles GROUP BY country IN (SELECT city FROM sites)";
    assert!(!sql(grouped).contains("__listed_2"), "{}", sql(grouped));
}

#[test]
fn a_query_that_cannot_say_what_is_unknown_is_refused() {
    for (marked, written) in [
        (
            "SELECT p.email FROM profiles AS p JOIN orders AS o ON p.profile_id = o.profile_id WHERE «o.site_id NOT IN (SELECT site_id FROM sites) OR o.total > 5",
            "o.site_id IN (SELECT site_id FROM sites)",
        ),
        (
            "SELECT «p.country IN (SELECT o.channel FROM orders AS o WHERE o.profile_id = p.profile_id) AS x FROM profiles AS p",
            "p.country IN (SELECT o.channel FROM orders AS o WHERE o.profile_id = p.profile_id)",
        ),
        (
            "SELECT country, count(*) AS n FROM profiles GROUP BY country HAVING count(*) > 5 OR «country NOT IN (SELECT city FROM sites)",
            "country IN (SELECT city FROM sites)",
        ),
    ] {
        let message = format!("`{written}` has to say here whether that is unknown");
        let hint = Some("join it to others by AND only, or write EXISTS (SELECT … WHERE …)");
        check(marked, ErrorKind::Position, &message, hint);
    }
}

#[test]
fn such_a_query_may_reduce_histories_itself() {
    let text = "SELECT has(returns) FILTER (WHERE returns.return_id IN (SELECT return_id FROM returns AS r WHERE count(refunds) > 1)) AS h FROM profiles";
    check_snapshot!(transcript(&[text], &deep_names()));
}

#[test]
fn one_table_beside_the_rows_serves_equal_comparisons() {
    let printed = sql("SELECT is_double(email) AS d, is_first_of(email) AS f FROM profiles WHERE NOT is_double(email)");
    assert_eq!(printed.matches("LEFT JOIN \"__alike\"").count(), 1, "{printed}");
    assert!(!printed.contains("__alike_2"), "{printed}");
}

#[test]
fn what_such_a_function_is_given_is_said_with_its_place() {
    let sample = "sample(0.1, 'a seed'); at most 18 digits stand behind the point";
    for (marked, kind, message, hint) in [
        (
            "SELECT sample(«1.5, 'x') FROM profiles",
            ErrorKind::Literal,
            "`sample` takes a fraction from 0 to 1 that is written out, found `1.5`",
            Some(sample),
        ),
        (
            "SELECT sample(-«0.1, 'x') FROM profiles",
            ErrorKind::Literal,
            "`sample` takes a fraction from 0 to 1 that is written out, found `-0.1`",
            Some(sample),
        ),
        (
            "SELECT sample(«income, 'x') FROM profiles",
            ErrorKind::Literal,
            "`sample` takes a fraction from 0 to 1 that is written out, found `income`",
            Some(sample),
        ),
        (
            "SELECT sample(0.5, «email) FROM profiles",
            ErrorKind::Literal,
            "the seed of `sample` is a text that is written out, found `email`",
            Some("sample(…, 'a seed')"),
        ),
        (
            "SELECT «sample(0.5) FROM profiles",
            ErrorKind::NotAllowed,
            "`sample` takes a number, a seed and perhaps a unit, and 1 are given",
            Some("sample(0.1, 'a seed')"),
        ),
        (
            "SELECT bucket(«0, 'x') FROM profiles",
            ErrorKind::Literal,
            "`bucket` takes a number of buckets from 1 on that is written out, found `0`",
            Some("bucket(10, 'a seed'); at most 36028797018963968"),
        ),
        (
            "SELECT bucket(«2.5, 'x') FROM profiles",
            ErrorKind::Literal,
            "`bucket` takes a number of buckets from 1 on that is written out, found `2.5`",
            Some("bucket(10, 'a seed'); at most 36028797018963968"),
        ),
        (
            "SELECT bucket(-«3, 'x') FROM profiles",
            ErrorKind::Literal,
            "`bucket` takes a number of buckets from 1 on that is written out, found `-3`",
            Some("bucket(10, 'a seed'); at most 36028797018963968"),
        ),
        (
            "SELECT bucket(3, 'x', «placed_at) FROM orders",
            ErrorKind::NotAllowed,
            "the unit of `bucket` is a text, a whole number or a date, and `placed_at` is none",
            None,
        ),
        ("SELECT «bucket(3, 'x') OVER () FROM profiles", ErrorKind::Position, "`bucket` cannot have OVER", None),
        (
            "SELECT is_email(«birth_date) FROM profiles",
            ErrorKind::NotAllowed,
            "`is_email` takes a text, and `birth_date` is none",
            None,
        ),
        (
            "SELECT «is_email(email, country) FROM profiles",
            ErrorKind::NotAllowed,
            "`is_email` takes one text, and 2 are given",
            None,
        ),
        (
            "SELECT «age(birth_date) FILTER (WHERE consent) FROM profiles",
            ErrorKind::Position,
            "`age` is no aggregate: DISTINCT, ORDER BY and FILTER mean nothing here",
            None,
        ),
        (
            "SELECT «mode(DISTINCT country) FROM profiles",
            ErrorKind::Position,
            "`mode` takes one value, and FILTER only",
            None,
        ),
        (
            "SELECT «mode(country) OVER () FROM profiles",
            ErrorKind::Position,
            "`mode` cannot have OVER",
            Some("compute it in a CTE with GROUP BY"),
        ),
        (
            "SELECT «mode(orders) FROM profiles",
            ErrorKind::Level,
            "`mode` needs a value of each row of orders: mode(orders.…)",
            None,
        ),
        (
            "SELECT «mode(DISTINCT orders.channel) FROM profiles",
            ErrorKind::Level,
            "`mode` over history takes no DISTINCT",
            None,
        ),
    ] {
        check(marked, kind, message, hint);
    }
}

#[test]
fn what_reduces_a_history_needs_one() {
    for (marked, name, hint) in [
        ("SELECT «first(country) FROM profiles", "first", "first(orders.…), or first(o => orders, …)"),
        ("SELECT «every(consent) FROM profiles", "every", "every(orders.…), or every(o => orders, …)"),
    ] {
        let message = format!("`{name}` reduces a history, and nothing in it mentions one");
        check(marked, ErrorKind::Position, &message, Some(hint));
    }
}

#[test]
fn only_values_of_profiles_are_compared_with_one_another() {
    for (marked, kind, message, hint) in [
        (
            "SELECT is_double(«total) FROM orders",
            ErrorKind::UnknownName,
            "unknown column `total`",
            Some("`total` is a column of orders; reduce it to one value: max(orders.total)"),
        ),
        (
            "SELECT is_double(«orders.total) FROM orders",
            ErrorKind::Level,
            "`orders.total` has many values for one row of profiles",
            Some("reduce them to one: max(orders.total), or has(orders) FILTER (WHERE …)"),
        ),
        (
            "SELECT «is_double(email, country) FROM profiles",
            ErrorKind::NotAllowed,
            "`is_double` takes one value of a profile, and 2 are given",
            Some("is_double(profiles.…)"),
        ),
        (
            "SELECT is_double(«count(*)) FROM profiles",
            ErrorKind::Position,
            "`is_double` compares one value of each profile, and `count(*)` is none",
            None,
        ),
        (
            "SELECT is_double(«interests) FROM profiles",
            ErrorKind::Position,
            "`is_double` compares one value of each profile, and `interests` is none",
            None,
        ),
        (
            "SELECT «is_first_of(p.email) FROM profiles AS p JOIN orders AS o ON p.profile_id = o.profile_id",
            ErrorKind::Position,
            "`is_first_of` needs one profile for each row",
            Some("use it FROM profiles or a history, alone; then join that as a CTE"),
        ),
    ] {
        check(marked, kind, message, hint);
    }
}

#[test]
fn a_query_inside_a_history_aggregate_cannot_see_the_rows_around_it() {
    let hint = Some("a query inside a history aggregate sees its own rows only; name its tables: FROM orders AS o");
    for (marked, name) in [
        (
            "SELECT count(orders) FILTER (WHERE orders.total > (SELECT max(price) FROM products WHERE product_id = «orders.order_id)) FROM profiles",
            "orders.order_id",
        ),
        (
            "SELECT count(orders) FILTER (WHERE EXISTS (SELECT 1 FROM products WHERE product_id = «channel)) FROM profiles",
            "channel",
        ),
        (
            "SELECT count(orders) FILTER (WHERE 'a' IN (SELECT page FROM web_visits WHERE «profiles.country = 'NL')) FROM profiles",
            "profiles.country",
        ),
        (
            "SELECT count(a => orders) FILTER (WHERE has(carts) FILTER (WHERE EXISTS (SELECT 1 FROM products WHERE price > «a.total))) FROM profiles",
            "a.total",
        ),
    ] {
        check(marked, ErrorKind::NotAllowed, &format!("`{name}` is of a row around this query"), hint);
    }
}
