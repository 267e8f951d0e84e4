//! There and back: what is stored reads as the same query, and what is printed reads as the syntax that was meant.
//!
//! Plain SQL names hidden columns, so it is no text of the language. That it says what was resolved is shown on the
//! syntax itself: the parser makes of each printed part the very tree that the resolver built.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

use std::convert::Infallible;
use std::ops::ControlFlow;

use muster_language::{Body, History, Query, ResolvedQuery, Statement, parse, resolve};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sqlparser::ast::{self, VisitMut, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::world::{as_of, names};

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec!["email", "country", "income", "birth_date", "consent", "profiles.store_id"])
            .prop_map(str::to_owned),
        proptest::sample::select(vec!["home_site.city", "segments.unsubscribed", "now()", "today()", "NULL", "TRUE"])
            .prop_map(str::to_owned),
        (0..1_000_u32).prop_map(|number| number.to_string()),
        (0..1_000_u32, 0..100_u32).prop_map(|(whole, part)| format!("{whole}.{part:02}")),
        "[a'\\\\ %\"é-]{0,6}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        (1..28_u32, 1..12_u32).prop_map(|(day, month)| format!("DATE '2024-{month:02}-{day:02}'")),
        proptest::sample::select(vec![
            "count(orders)",
            "sum(orders.total)",
            "has(carts)",
            "max(orders.placed_at)",
            "first(orders.channel)",
            "every(orders.total > 3)",
            "avg(order_lines.price * order_lines.quantity)",
            "count(latest(orders, 2))",
        ])
        .prop_map(str::to_owned),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let pair = || (inner.clone(), inner.clone());
        let operators = vec!["+", "-", "*", "/", "%", "=", "<>", "<", ">=", "AND", "OR", "||", "IS DISTINCT FROM"];
        prop_oneof![
            (pair(), proptest::sample::select(operators)).prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.clone().prop_map(|a| format!("- {a}")),
            inner.clone().prop_map(|a| format!("{a} IS NOT NULL")),
            pair().prop_map(|(a, b)| format!("{a} BETWEEN 1 AND {b}")),
            pair().prop_map(|(a, b)| format!("{a} NOT IN ({b}, 3)")),
            pair().prop_map(|(a, b)| format!("CASE WHEN {a} THEN {b} ELSE 1 END")),
            pair().prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            inner.clone().prop_map(|a| format!("CAST({a} AS TEXT)")),
            inner.clone().prop_map(|a| format!("{a} LIKE 'a%'")),
            inner.clone().prop_map(|a| format!("{a} + INTERVAL '2 days'")),
            inner.clone().prop_map(|a| format!("country IN (SELECT country FROM profiles WHERE {a})")),
            Just(
                "sum(orders.total) FILTER (WHERE orders.total - (orders.total - 1) > 2 * (3 + orders.total))"
                    .to_owned()
            ),
        ]
    })
}

fn query() -> impl Strategy<Value = String> {
    let tail = proptest::sample::select(vec!["", "ORDER BY 1", "ORDER BY 1 DESC NULLS FIRST LIMIT 3 OFFSET 1"]);
    (expression(), expression(), tail, 0..6_u32).prop_map(|(shown, condition, tail, form)| match form {
        0 => format!("WITH x AS (SELECT {shown} AS v FROM profiles) SELECT v FROM x WHERE v = 1 {tail}"),
        1 => format!("SELECT count(*) AS v FROM profiles WHERE {condition} GROUP BY country {tail}"),
        2 => format!(
            "SELECT v FROM (SELECT {shown} AS v FROM profiles UNION ALL SELECT NULL AS v FROM carts) AS x {tail}"
        ),
        _ => format!("SELECT {shown} AS v FROM profiles WHERE {condition} {tail}"),
    })
}

fn parsed(text: &str) -> Query {
    match parse(text) {
        Ok(Statement::Query { query, .. }) => query,
        other => panic!("{text}\n{other:?}"),
    }
}

fn resolved(query: &Query) -> Option<ResolvedQuery> {
    resolve(query, &names(), as_of()).ok()
}

/// The parser makes the same tree of the printed syntax.
#[track_caller]
fn check_query(meant: &ast::Query) {
    let printed = meant.to_string();
    let parsed = Parser::new(&GenericDialect).with_recursion_limit(1_000).try_with_sql(&printed).unwrap().parse_query();
    let read = without_doubling(&parsed.unwrap_or_else(|error| panic!("{printed}\n{error}")).to_string());
    assert_eq!(read, without_doubling(&printed));
}

/// The same of an expression, as a tree with all of its brackets.
#[track_caller]
fn check_expression(meant: &ast::Expr) {
    let printed = meant.to_string();
    let parsed = Parser::new(&GenericDialect).with_recursion_limit(1_000).try_with_sql(&printed).unwrap().parse_expr();
    let mut read = parsed.unwrap_or_else(|error| panic!("{printed}\n{error}"));
    let ControlFlow::Continue(()) = read.visit(&mut Doubling);
    assert_eq!(read, *meant, "{printed}");
}

/// Doubles the quotes in texts: so they stand in syntax that is to be printed.
struct Doubling;

impl VisitorMut for Doubling {
    type Break = Infallible;

    fn pre_visit_value(&mut self, value: &mut ast::ValueWithSpan) -> ControlFlow<Infallible> {
        if let ast::Value::SingleQuotedString(text) = &mut value.value {
            *text = text.replace('\'', "''");
        }
        ControlFlow::Continue(())
    }
}

/// A printed text in which every quote stands once: doubled ones look the same to the printer as those it doubles itself.
fn without_doubling(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    letters.dedup_by(|letter, before| *letter == '\'' && *before == '\'');
    letters.into_iter().collect()
}

fn check_history(history: &History) {
    let parts = history.aggregates.iter().flat_map(|aggregate| aggregate.argument.iter().chain(&aggregate.filter));
    parts.for_each(check_expression);
    history.rows.histories.iter().for_each(check_history);
}

fn check(text: &str) -> bool {
    let query = parsed(text);
    let Some(meant) = resolved(&query) else { return false };
    let stored = parsed(&query.digest_text());
    assert_eq!(resolved(&stored).as_ref(), Some(&meant), "{text}");
    match &meant.body {
        Body::Plain(plain) => check_query(plain),
        Body::Grain(grain) => {
            check_query(&grain.rest);
            grain.rows.histories.iter().for_each(check_history);
            let selection = match grain.rest.body.as_ref() {
                ast::SetExpr::Select(select) => select.selection.as_ref(),
                _ => None,
            };
            selection.into_iter().for_each(check_expression);
        }
    }
    let printed = meant.to_sql();
    let read = Parser::parse_sql(&GenericDialect, &printed).unwrap_or_else(|error| panic!("{printed}\n{error}"));
    assert_eq!(without_doubling(&read[0].to_string()), without_doubling(&printed));
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(crate::property::cases()) })]

    #[test]
    fn a_query_reads_back_as_itself_and_prints_as_it_is_meant(text in query()) {
        check(&text);
    }
}

#[test]
fn most_random_queries_resolve() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts = (0..200).map(|_| query().new_tree(&mut runner).unwrap().current());
    let resolve = texts.filter(|text| check(text)).count();
    assert!(resolve > 100, "{resolve} of 200");
}
