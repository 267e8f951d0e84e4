//! What holds of every text: no panic, and printed SQL that a stock parser reads back.

use muster_language::{Statement, parse, resolve};
use proptest::prelude::*;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::world::{as_of, names};

/// The words of which random texts are made: the grammar's own, and the shop's.
const WORDS: [&str; 62] = [
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "FILTER",
    "(WHERE",
    "OVER",
    "DISTINCT",
    "JOIN",
    "ON",
    "USING",
    "AS",
    "WITH",
    "UNION",
    "IN",
    "BETWEEN",
    "IS NULL",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "INTERVAL",
    "QUALIFY",
    "(",
    ")",
    ",",
    ".",
    "*",
    "=",
    "<",
    "+",
    "-",
    "/",
    "1",
    "'2025-01-01'",
    "'1 day'",
    "count",
    "sum",
    "has",
    "avg",
    "max",
    "now()",
    "orders",
    "order_lines",
    "profiles",
    "products",
    "carts",
    "segments",
    "unsubscribed",
    "total",
    "placed_at",
    "email",
    "x",
    "\"x\"",
    "count(orders)",
    "products.category",
];

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS.to_vec()), 0..24).prop_map(|words| words.join(" "))
}

/// Parts that fit together, so that many of the texts resolve.
fn query() -> impl Strategy<Value = String> {
    let value = proptest::sample::select(vec![
        "email",
        "income / 2",
        "count(orders)",
        "sum(orders.total)",
        "avg(order_lines.price)",
        "max(orders.placed_at)",
        "age(birth_date)",
        "home_site.city",
        "count(orders) FILTER (WHERE site.city = 'Ede')",
        "segments.unsubscribed",
        "count(*)",
        "country",
    ]);
    let condition = proptest::sample::select(vec![
        "TRUE",
        "has(carts)",
        "country = 'NL'",
        "max(orders.placed_at) < now() - INTERVAL '9 days'",
        "NOT segments.unsubscribed",
        "profile_id IN (SELECT profile_id FROM orders WHERE count(order_lines) > 1)",
        "products.price > 3",
    ]);
    let tail =
        proptest::sample::select(vec!["", "ORDER BY 1", "GROUP BY country", "ORDER BY 1 DESC LIMIT 3", "GROUP BY 1"]);
    (value, condition, tail)
        .prop_map(|(value, condition, tail)| format!("SELECT {value} AS v FROM profiles WHERE {condition} {tail}"))
}

fn outcome(text: &str) -> Option<String> {
    let (query, _) = match parse(text).ok()? {
        Statement::Query { query, as_of } => (query, as_of),
        _ => return None,
    };
    let resolved = resolve(&query, &names(), as_of()).ok()?;
    Some(resolved.to_sql())
}

/// How many random cases a property is tried with; `MUSTER_LANGUAGE_CASES=10000` makes it long.
pub fn cases() -> u32 {
    std::env::var("MUSTER_LANGUAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn no_text_makes_the_resolver_panic(text in soup()) {
        let _any = outcome(&format!("SELECT {text}"));
        let _any = outcome(&format!("SELECT email FROM profiles WHERE {text}"));
        let _any = outcome(&text);
    }

    #[test]
    fn printed_sql_parses_again_and_is_the_same_each_time(text in query()) {
        if let Some(printed) = outcome(&text) {
            let parsed = Parser::parse_sql(&GenericDialect, &printed);
            prop_assert!(parsed.is_ok(), "{printed}\n{parsed:?}");
            let again = parsed.map(|statements| statements[0].to_string());
            prop_assert_eq!(again.ok(), Some(printed.clone()));
            prop_assert_eq!(outcome(&text), Some(printed));
        }
    }
}

#[test]
fn most_of_the_texts_that_fit_together_resolve() {
    let texts = [
        "SELECT count(orders) AS v FROM profiles WHERE has(carts) ORDER BY 1 DESC LIMIT 3",
        "SELECT country AS v FROM profiles WHERE TRUE GROUP BY 1",
    ];
    assert!(texts.iter().all(|text| outcome(text).is_some()));
}
