//! Any text: what can be read is resolved against a shop's names, or refused. What resolves prints as plain SQL, and its
//! stored form resolves to the same.

#![no_main]

mod patience;
#[allow(dead_code, unused_macros)]
#[path = "../../tests/it/world.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use muster_language::{Query, Statement, parse, resolve, resolve_segment};

fuzz_target!(|text: &str| patience::in_time(|| check(text)));

fn check(text: &str) {
    match parse(text) {
        Ok(Statement::Query { query, .. } | Statement::ExplainSql { query, .. }) => check_query(&query),
        Ok(Statement::CreateSegment(definition)) => check_definition(&definition.query),
        Ok(Statement::Preview { definition, .. }) => check_definition(&definition),
        _ => {}
    }
}

fn check_query(query: &Query) {
    let names = world::names_with_lists();
    let Ok(resolved) = resolve(query, &names, world::as_of()) else { return };
    assert!(!resolved.to_sql().is_empty());
    let again = resolve(&stored(query), &names, world::as_of());
    assert_eq!(again.as_ref().map(|again| again.to_sql()).as_ref(), Ok(&resolved.to_sql()));
}

fn check_definition(query: &Query) {
    let names = world::names_with_lists();
    let _waterfall = query.waterfall();
    let Ok(segment) = resolve_segment(query, &names, world::as_of()) else { return };
    let again = resolve_segment(&stored(query), &names, world::as_of());
    assert_eq!(again.as_ref(), Ok(&segment));
}

/// The query as a stored definition reads.
fn stored(query: &Query) -> Query {
    let text = query.digest_text();
    match parse(&text) {
        Ok(Statement::Query { query, .. }) => query,
        other => panic!("{text}\n{other:?}"),
    }
}
