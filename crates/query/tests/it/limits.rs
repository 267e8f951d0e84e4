//! Where a query stops: time, rows, memory; and what the engine says where it cannot answer.

use std::thread;
use std::time::{Duration, Instant};

use muster_query::{Error, Limits};

use crate::world::{Files, World, limits};

/// Three thousand customers: a join of three times all of them would take hours.
fn crowd(limits: Limits) -> World {
    let customers = (0..3_000).map(|n| format!("c{n:04} 2024-01-01T00:00:00Z NL - - {n} -"));
    World::within(limits, &Files { customers: customers.collect(), ..Files::default() })
}

const ENDLESS: &str = "SELECT sum(a.children * b.children % 7 + c.children) AS s FROM profiles a CROSS JOIN profiles b CROSS JOIN profiles c";

#[test]
fn a_join_without_end_is_stopped_within_a_second_of_its_time() {
    let crowd = crowd(Limits { time: Duration::from_secs(1), ..limits() });
    let query = crowd.resolved(ENDLESS);
    let start = Instant::now();
    let error = crowd.engine.answer(&query, &crowd.evaluation()).unwrap_err();
    drop(crowd);
    let taken = start.elapsed();
    assert!(matches!(error, Error::Time { .. }));
    assert_eq!(error.to_string(), "the query was stopped after 1 s; ask for less, or allow more with --timeout");
    assert!((Duration::from_secs(1)..Duration::from_secs(2)).contains(&taken), "it took {taken:?}");
}

#[test]
fn a_segment_stops_in_time_too() {
    let crowd = crowd(Limits { time: Duration::from_millis(300), ..limits() });
    let error = crowd.error("SELECT id FROM profiles WHERE EXISTS (SELECT 1 FROM profiles b CROSS JOIN profiles c WHERE b.children * c.children = profiles.children - 1)");
    assert_eq!(error, "the query was stopped after 0.3 s; ask for less, or allow more with --timeout");
}

#[test]
fn an_answer_of_too_many_rows_is_refused_and_one_at_the_limit_is_not() {
    let crowd = crowd(Limits { rows: 2_999, ..limits() });
    assert_eq!(
        crowd.error("SELECT id FROM profiles"),
        "the answer has more than 2999 rows; add a LIMIT, or export a segment instead"
    );
    assert_eq!(crowd.ask("SELECT id FROM profiles LIMIT 2999").unwrap().row_count(), 2_999);
    assert_eq!(crowd.members("children >= 0").len(), 3_000, "a set of rows is no answer");
}

#[test]
fn a_query_that_needs_too_much_memory_is_refused() {
    let crowd = crowd(Limits { memory: 2 << 20, ..limits() });
    let large = "SELECT a.id, b.id AS other, count(*) AS n FROM profiles a CROSS JOIN profiles b GROUP BY a.id, b.id ORDER BY n, a.id, other LIMIT 1";
    let error = crowd.ask(large).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the query needs more than 2 MiB of memory; ask for less at once");
    crowd.check("SELECT count(*) AS n FROM profiles", &["3000"]);
}

#[test]
fn what_the_engine_refuses_is_said_in_its_innermost_words() {
    let shop = World::shop();
    for (expression, words) in [
        ("country + born", "Cannot coerce arithmetic expression Utf8View + Date32 to valid types"),
        ("CASE WHEN income THEN 1 END", "Cannot automatically convert Decimal128(12, 2) to Boolean"),
        (
            "array_has(country, 'NL')",
            "array_has does not support type Utf8View. No function matches the given name and argument types \
             'array_has(Utf8View, Utf8)'. You might need to add explicit type casts.",
        ),
    ] {
        let message = shop.error(&format!("SELECT {expression} AS x FROM profiles"));
        assert_eq!(message, format!("the query cannot be answered: {words}"));
    }
}

#[test]
fn a_query_is_stopped_from_another_thread_and_the_next_one_runs() {
    let crowd = crowd(Limits { time: Duration::from_secs(60), ..limits() });
    let stopper = crowd.engine.stopper();
    let stop = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        stopper.stop();
    });
    let start = Instant::now();
    let error = crowd.error(ENDLESS);
    stop.join().unwrap();
    assert_eq!(error, "the query was stopped");
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    crowd.check("SELECT count(*) AS n FROM profiles", &["3000"]);
}

#[test]
fn rows_come_before_the_last_of_them_is_known() {
    let crowd = crowd(Limits { rows: 9_000_000, ..limits() });
    let query = crowd.resolved("SELECT a.id FROM profiles a CROSS JOIN profiles b");
    let mut running = crowd.engine.begin(&query, &crowd.evaluation()).unwrap();
    assert_eq!(running.schema().field(0).name(), "id");
    let first = running.next().unwrap().unwrap();
    assert!((1..9_000_000).contains(&first.num_rows()), "{} rows", first.num_rows());
    let rest: usize = running.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(first.num_rows() + rest, 9_000_000);
}

#[test]
fn after_an_error_no_rows_come_any_more() {
    let crowd = crowd(Limits { rows: 5_000, ..limits() });
    let query = crowd.resolved("SELECT a.id FROM profiles a CROSS JOIN profiles b");
    let mut running = crowd.engine.begin(&query, &crowd.evaluation()).unwrap();
    let error = running.find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Rows { rows: 5_000 }));
    assert!(running.next().is_none());
}
