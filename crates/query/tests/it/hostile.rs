//! The statements of `queries/checks/hostile.sql`, each of which must end as its record says: refused, stopped within a
//! second of a limit, or answered, and never with a value of a masked column in it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use muster_language::ErrorKind;
use muster_query::{Error, Limits};

use crate::world::{Ended, Files, World, limits};

const TIME: Duration = Duration::from_secs(2);

/// How long after its time a query may still be on its way. The machine of a gate does other work too.
const LATE: Duration = Duration::from_secs(1);

/// How often a statement is asked before it counts as late.
const ATTEMPTS: usize = 3;

/// A statement, and what must become of it.
struct Record {
    line: usize,
    expected: String,
    text: String,
}

fn records(group: &str) -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries/checks/hostile.sql");
    let text = fs::read_to_string(path).unwrap();
    let mut records = Vec::new();
    let (mut in_group, mut line) = (false, 1);
    for paragraph in text.split("\n\n") {
        if let Some(name) = paragraph.strip_prefix("-- # ") {
            in_group = name == group;
        } else if in_group && let Some((expected, statement)) = paragraph.split_once('\n') {
            let expected = expected.strip_prefix("-- ").unwrap().to_owned();
            records.push(Record { line, expected, text: written_out(statement.trim_end()) });
        }
        line += paragraph.matches('\n').count() + 2;
    }
    assert!(!records.is_empty(), "no group {group}");
    records
}

/// The text with `⟨1000×text⟩` written out, inner ones first; `@` in it is the number of the repetition.
fn written_out(text: &str) -> String {
    let Some(end) = text.find('⟩') else { return text.to_owned() };
    let start = text[..end].rfind('⟨').unwrap();
    let (times, repeated) = text[start + '⟨'.len_utf8()..end].split_once('×').unwrap();
    let times: usize = times.parse().unwrap();
    let repetitions: String = (0..times).map(|number| repeated.replace('@', &number.to_string())).collect();
    written_out(&format!("{}{repetitions}{}", &text[..start], &text[end + '⟩'.len_utf8()..]))
}

/// Three thousand customers, of whom three bought; nobody may see incomes and birthdays, which are these.
fn crowd(income: &str, born: &str) -> World {
    let customers = (0..3_000).map(|n| format!("c{n:04} 2024-01-01T00:00:00Z NL {born} {income} {n} -"));
    let orders = (0..3).map(|n| format!("o{n} c000{n} 2025-01-01T10:00:00Z {n}.50"));
    let lines = (0..3).map(|n| format!("o{n} sofa {n} 1.00"));
    let files =
        Files { customers: customers.collect(), orders: orders.collect(), lines: lines.collect(), ..Files::default() };
    let limits =
        Limits { time: TIME, memory: 64 << 20, rows: 10_000, bytes: 4 << 20, process: Some(512 << 20), ..limits() };
    World::within(limits, &files).masked(&[("born", "personal"), ("income", "sensitive")])
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Syntax => "syntax",
        ErrorKind::TooLarge => "too large",
        ErrorKind::UnknownName => "unknown name",
        ErrorKind::Ambiguous => "ambiguous",
        ErrorKind::Level => "level",
        ErrorKind::Position => "position",
        ErrorKind::Literal => "literal",
        ErrorKind::NotAllowed => "not allowed",
        ErrorKind::NotSupportedYet { .. } => "not yet",
    }
}

/// What became of a statement in a word, and all that was told of it.
fn outcome(crowd: &World, text: &str) -> (&'static str, String) {
    match crowd.ended(text) {
        Ended::Unread(error) => (word(error.kind), error.message),
        Ended::Answered(answer) => ("answers", format!("{:?}", answer.batches)),
        Ended::Failed(error) => {
            let word = match &error {
                Error::Time { .. } => "time",
                Error::Memory { .. } => "memory",
                Error::Rows { .. } => "rows",
                Error::Bytes { .. } => "bytes",
                _ => "engine",
            };
            (word, error.to_string())
        }
    }
}

fn is_expected(found: &str, expected: &str) -> bool {
    let stops = ["time", "memory", "rows", "bytes"];
    found == expected || (expected == "stopped" && stops.contains(&found))
}

/// Asks something harmless, which must be answered as if nothing else ran; else for how long it was tried.
fn next_one(crowd: &World) -> Result<(), Duration> {
    let start = Instant::now();
    match outcome(crowd, "SELECT count(*) AS n FROM profiles WHERE id = 'c0001'") {
        ("answers", _) => Ok(()),
        _ => Err(start.elapsed()),
    }
}

/// What becomes of a statement, and how long that takes: at best, where a machine that is busy with other things makes it late.
fn asked(crowd: &World, text: &str) -> (&'static str, String, Duration) {
    let attempts = std::iter::repeat_with(|| {
        let start = Instant::now();
        let (found, told) = outcome(crowd, text);
        (found, told, start.elapsed())
    });
    let mut late = None;
    for (found, told, taken) in attempts.take(ATTEMPTS) {
        if taken <= TIME + LATE {
            return (found, told, taken);
        }
        late = Some((found, told, taken));
    }
    late.expect("it was asked")
}

/// Runs a group; after each statement the engine must be there for the next one.
fn check(group: &str) {
    let (crowd, other) = (crowd("31415.92", "1961-07-13"), crowd("27182.81", "1955-05-05"));
    let mut wrong = Vec::new();
    for Record { line, expected, text } in records(group) {
        let (found, told, taken) = asked(&crowd, &text);
        let shown =
            |what: &str| format!("line {line}: {what}: {found}: {}", told.chars().take(300).collect::<String>());
        if !is_expected(found, &expected) {
            wrong.push(shown(&format!("expected {expected}")));
        }
        if taken > TIME + LATE {
            wrong.push(shown(&format!("took {taken:?}")));
        }
        if ["31415", "1961-07"].into_iter().any(|secret| told.contains(secret) && !text.contains(secret)) {
            wrong.push(shown("tells a masked value"));
        }
        if group == "masked" && outcome(&other, &text).1 != told {
            wrong.push(shown("another answer where the masked values are others"));
        }
        if let Err(waited) = next_one(&crowd) {
            wrong.push(shown(&format!("held the engine up for {waited:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A test for each group of the file.
macro_rules! groups {
    ($($test:ident: $group:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check($group);
            }
        )*

        #[test]
        fn every_group_of_the_file_is_tested() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries/checks/hostile.sql");
            let text = fs::read_to_string(path).unwrap();
            let named: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("-- # ")).collect();
            assert_eq!(named, [$($group),*]);
            let statements: usize = named.iter().map(|group| records(group).len()).sum();
            assert!(statements >= 300, "{statements} statements");
        }
    };
}

groups! {
    no_file_is_read_or_written: "files",
    the_engine_is_not_shown_or_changed: "engine",
    nothing_is_changed: "changes",
    one_statement_at_a_time: "several statements",
    comments_hide_nothing: "comments",
    quotes_end_where_they_end: "quotes",
    letters_that_look_alike_are_others: "letters",
    hidden_names_stay_hidden: "hidden",
    modifiers_that_an_engine_would_ignore_are_refused: "modifiers",
    nothing_depends_on_chance: "chance",
    nothing_grows_beyond_the_limits: "growth",
    nothing_is_nested_too_deeply: "depth",
    nothing_calls_itself: "recursion",
    too_many_rows_are_stopped: "many rows",
    patterns_cost_what_they_say: "patterns",
    numbers_end_somewhere: "numbers",
    masked_columns_tell_nothing: "masked",
}
