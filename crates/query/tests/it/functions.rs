//! The functions of the language's own over a shop whose answers are counted by hand; digests are counted by Python's hashlib.

use crate::world::{Files, World, check_each};

#[track_caller]
/// Customers without a country, or of these, in the order of their keys `a`, `b`, ….
fn shop_of(countries: &[&str]) -> World {
    let customer = |(place, country): (usize, &&str)| {
        let key = char::from(b'a' + u8::try_from(place).unwrap());
        format!("{key} 2024-01-01T00:00:00Z {country} - - - -")
    };
    World::of(&Files { customers: countries.iter().enumerate().map(customer).collect(), ..Files::default() })
}

/// Ann's lines are of a sofa, a lamp, a lamp and a vase, in quantities of 1, 2, 4 and 1.
#[test]
fn the_most_frequent_value_of_a_history_is_the_smallest_of_ties() {
    check_each("mode(lines.sku)", ["lamp", "sofa", "-"]);
    check_each("mode(lines.quantity)", ["1", "1", "-"]);
    check_each("mode(orders.total)", ["3.30", "50.00", "-"]);
    check_each("mode(orders.placed_at)", ["2024-12-24T11:00:00+01:00", "2025-03-01T11:00:00+01:00", "-"]);
    check_each("mode(lines.sku) FILTER (WHERE lines.quantity = 1)", ["sofa", "sofa", "-"]);
    // The vase has no category.
    check_each("mode(products.category)", ["Lighting", "Sofas", "-"]);
    check_each("mode(o => orders, mode(lines.quantity))", ["1", "1", "-"]);
}

#[test]
fn the_most_frequent_value_of_a_group_skips_what_is_missing() {
    let shop = shop_of(&["NL", "-", "BE", "-", "BE", "-", "NL", "FR"]);
    shop.check("SELECT mode(country) AS m, mode(income) AS i FROM profiles", &["BE -"]);
    shop.check("SELECT mode(country) FILTER (WHERE id > 'c') AS m FROM profiles", &["BE"]);
    shop.check("SELECT mode(country) AS m FROM profiles WHERE id > 'z'", &["-"]);
    shop.check(
        "SELECT country IS NULL AS missing, mode(country) AS m FROM profiles GROUP BY country IS NULL ORDER BY missing",
        &["false BE", "true -"],
    );
    // Bytewise a capital is before a small letter, and a byte of two before one above it.
    shop_of(&["é", "z", "Z", "z", "Z", "é"]).check("SELECT mode(country) AS m FROM profiles", &["Z"]);
    shop_of(&["é", "z", "é", "z"]).check("SELECT mode(country) AS m FROM profiles", &["z"]);
}

/// So many groups that they are counted in several parts, which are put together: profile n bought of 3 products, of the
/// second twice.
#[test]
fn the_most_frequent_values_of_many_groups_are_put_together() {
    let customers = (0..3000).map(|n| format!("c{n:04} 2024-01-01T00:00:00Z NL - - - -"));
    let orders = (0..12_000).map(|n| {
        let (customer, place) = (n % 3000, n / 3000);
        format!("o{n:05} c{customer:04} 2025-01-01T10:00:00Z {}.00", [30, 20, 10, 20][place] + customer)
    });
    let shop = World::of(&Files { customers: customers.collect(), orders: orders.collect(), ..Files::default() });
    shop.check(
        "WITH each AS (SELECT id, mode(orders.total) AS usual FROM profiles)
         SELECT count(*) AS n, sum(CAST(usual AS BIGINT) - CAST(right(id, 4) AS BIGINT)) AS s, min(usual) AS first FROM each",
        &["3000 60000 20.00"],
    );
}

#[test]
fn an_address_has_one_name_and_a_domain_of_labels() {
    let right = [
        "a@b.nl",
        "first.last+tag@sub.example.co.uk",
        "o'neil@example.org",
        "x_!#$%&*/=?^`{|}~-@1.2",
        "UPPER@EXAMPLE.NL",
    ];
    let wrong = [
        "",
        "a",
        "@b.nl",
        "a@",
        "a@b",
        "a@@b.nl",
        "a@b@c.nl",
        ".a@b.nl",
        "a.@b.nl",
        "a..b@b.nl",
        "a b@b.nl",
        "a@b.nl ",
        "a@-b.nl",
        "a@b-.nl",
        "a@b..nl",
        "a@.b.nl",
        "a@b.nl.",
        "a@b_c.nl",
        "jörg@b.nl",
        "a@bücher.nl",
        "\"a\"@b.nl",
        "a@[127.0.0.1]",
        "a@b.nl\n",
        "a,b@c.nl",
    ];
    let shop = shop_of(&["NL"]);
    let check = |text: &str, expected: &str| {
        let quoted = text.replace('\'', "''");
        shop.check(&format!("SELECT is_email('{quoted}') AS x FROM profiles"), &[expected]);
    };
    right.iter().for_each(|text| check(text, "true"));
    wrong.iter().for_each(|text| check(text, "false"));
    check(&format!("{}@b.nl", "a".repeat(64)), "true");
    check(&format!("{}@b.nl", "a".repeat(65)), "false");
    check(&format!("a@{}.nl", "b".repeat(63)), "true");
    check(&format!("a@{}.nl", "b".repeat(64)), "false");
    // 84 labels of two letters with points between them are 251 characters.
    check(&format!("a@{}", ["bc"; 84].join(".")), "true");
    check(&format!("ab@{}", ["bc"; 84].join(".")), "true");
    check(&format!("abc@{}", ["bc"; 84].join(".")), "false");
    shop.check("SELECT is_email(country) AS x, is_email(NULL) AS n FROM profiles", &["false -"]);
}

#[test]
fn a_value_is_double_where_another_profile_has_it_too() {
    let shop = shop_of(&["NL", "-", "BE", "-", "NL", "FR", "NL"]);
    shop.check(
        "SELECT id, is_double(country) AS d, is_first_of(country) AS f FROM profiles ORDER BY id",
        &["a true true", "b - -", "c false true", "d - -", "e true false", "f false true", "g true false"],
    );
    assert_eq!(shop.members("is_double(country) AND NOT is_first_of(country)"), [4, 6]);
    shop.check(
        "SELECT is_double(lower(country)) AS d, count(*) AS n FROM profiles GROUP BY is_double(lower(country)) ORDER BY d",
        &["false 2", "true 3", "- 2"],
    );
}

/// Bob is there from 2025 on, Cas from June.
#[test]
fn profiles_are_compared_as_far_as_they_exist() {
    let shop = World::shop();
    let query = "SELECT id, is_double(country) AS d, is_first_of(country) AS f FROM profiles ORDER BY id";
    shop.check(query, &["ann true true", "bob false true", "cas true false"]);
    shop.check(&format!("AS OF '2025-05-01T12:00:00' {query}"), &["ann false true", "bob false true"]);
}

#[test]
fn profiles_are_compared_by_what_their_history_says_and_seen_from_it() {
    // Ann bought three times, Bob once, Cas never.
    check_each("is_double(count(orders))", ["false", "false", "false"]);
    check_each("is_double(has(orders))", ["true", "true", "false"]);
    check_each("is_first_of(has(orders))", ["true", "false", "true"]);
    check_each("count(orders) FILTER (WHERE is_double(country))", ["3", "0", "0"]);
    World::shop().check(
        "SELECT order_id, is_double(country) AS d FROM orders ORDER BY order_id",
        &["o1 true", "o2 true", "o3 true", "o4 false"],
    );
}

/// Of the seed `wave 1`, a zero byte and the key the first eight bytes are 8762102971446960485, 16098509629829909909 and
/// 1745897524405700189; as shares of 2⁶⁴ 0.475, 0.873 and 0.095.
#[test]
fn buckets_are_remainders_of_a_digest_of_seed_and_key() {
    check_each("bucket(10, 'wave 1')", ["5", "9", "9"]);
    check_each("bucket(16, 'wave 1')", ["5", "5", "13"]);
    check_each("bucket(1000003, 'wave 1')", ["904837", "906574", "840005"]);
    check_each("bucket(36028797018963968, 'wave 1')", ["7105295838716261", "29666159371980181", "16515267495429725"]);
    check_each("bucket(1, 'wave 1')", ["0", "0", "0"]);
    check_each("bucket(7, '')", ["2", "5", "6"]);
}

#[test]
fn a_unit_takes_the_place_of_the_key() {
    check_each("bucket(10, 'wave 1', country)", ["6", "6", "6"]);
    check_each("bucket(1000003, 'wave 1', country)", ["106857", "872785", "106857"]);
    check_each("bucket(10, 'wave 1', children)", ["8", "9", "-"]);
    check_each("bucket(1, 'wave 1', children)", ["0", "0", "-"]);
    check_each("sample(0.5, 'wave 1', children)", ["false", "false", "-"]);
    check_each("sample(1, 'wave 1', children)", ["true", "true", "-"]);
    World::shop().check("SELECT bucket(10, 'wave 1', order_id) AS b FROM orders WHERE order_id = 'o1'", &["8"]);
}

#[test]
fn a_sample_is_who_lies_below_the_fraction() {
    let of = |fraction: &str| World::shop().members(&format!("sample({fraction}, 'wave 1')"));
    assert_eq!(of("0"), [] as [u32; 0]);
    assert_eq!(of("0.09"), [] as [u32; 0]);
    assert_eq!(of("0.1"), [2]);
    assert_eq!(of("0.5"), [0, 2]);
    assert_eq!(of("0.9"), [0, 1, 2]);
    assert_eq!(of("1"), [0, 1, 2]);
    // To the last digit: of Ann 8762102971446960485 is above one of these times 2⁶⁴, and below the other.
    assert_eq!(of("0.474994553859224419"), [2]);
    assert_eq!(of("0.474994553859224420"), [0, 2]);
}

#[test]
fn chance_is_the_profiles_wherever_it_is_asked() {
    check_each("count(orders) FILTER (WHERE sample(0.5, 'wave 1'))", ["3", "0", "0"]);
    World::shop().check(
        "SELECT order_id, bucket(10, 'wave 1') AS b FROM orders ORDER BY order_id",
        &["o1 5", "o2 5", "o3 5", "o4 9"],
    );
    World::shop().check(
        "SELECT bucket(10, 'wave 1') AS b, count(*) AS n FROM profiles GROUP BY bucket(10, 'wave 1') ORDER BY b",
        &["5 1", "9 2"],
    );
    World::shop().check(
        "SELECT o.order_id, sample(0.5, 'wave 1') AS s FROM profiles AS p JOIN orders AS o ON o.customer = p.id ORDER BY o.order_id",
        &["o1 true", "o2 true", "o3 true", "o4 false"],
    );
}
