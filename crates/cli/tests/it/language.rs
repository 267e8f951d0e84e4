//! The language's page `queries/LANGUAGE.md` and the records that show it, in `queries/checks/language`.
//!
//! What the page says has an id, in back quotes at the beginning of a list entry or of a row of a table. Every id has a
//! record with an answer and one that is refused, but for what nobody can get wrong, and for errors, which are refused only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use muster_language::functions;

use crate::answers::Answers;
use crate::slt::{Expected, Record, failure, records};
use crate::world::{little_shop, project};

/// Records by the name of their file.
fn all_records() -> BTreeMap<String, Vec<Record>> {
    let files = fs::read_dir(project().join("queries/checks/language")).unwrap().map(|entry| entry.unwrap().path());
    let records = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let records = records(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|problem| panic!("{name} {problem}"));
        (name, records)
    });
    records.collect()
}

/// The ids of a page: what stands in back quotes at the beginning of an entry, and has a group and a dash.
fn ids(page: &str) -> Vec<String> {
    let begun = page.lines().filter_map(|line| line.strip_prefix("- `").or_else(|| line.strip_prefix("| `")));
    let quoted = begun.filter_map(|rest| rest.split_once('`')).map(|(id, _)| id.to_owned());
    quoted
        .filter(|id| {
            id.contains('-') && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
        })
        .collect()
}

/// What nobody can get wrong: there is no statement that these rules refuse.
const NEVER_REFUSED: &[&str] = &[
    "catalog-missing",
    "catalog-segment-instant",
    "row-order",
    "empty-count",
    "empty-has",
    "empty-others",
    "empty-identity",
    "time-rows",
    "time-fields",
    "time-created",
    "time-lookups",
    "time-future",
    "time-clock-change",
];

/// How page and records differ.
fn differences(ids: &[String], records: &[&Record]) -> Vec<String> {
    let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let shown = |is_refused: bool| -> BTreeSet<&str> {
        let records = records.iter().filter(|record| matches!(record.expected, Expected::Error(_)) == is_refused);
        records.flat_map(|record| record.shows.iter().map(String::as_str)).collect()
    };
    let (answered, refused) = (shown(false), shown(true));
    let is_error = |id: &str| id.starts_with("e-");
    let mut found: Vec<String> = answered
        .union(&refused)
        .filter(|id| !known.contains(*id))
        .map(|id| format!("{id} is not on the page"))
        .collect();
    if known.len() < ids.len() {
        found.extend(
            known
                .iter()
                .filter(|id| ids.iter().filter(|one| one == *id).count() > 1)
                .map(|id| format!("{id} is twice on the page")),
        );
    }
    for id in &known {
        let is_never_refused = NEVER_REFUSED.contains(id);
        found.extend((!is_error(id) && !answered.contains(id)).then(|| format!("{id} has no record with an answer")));
        found.extend((!is_never_refused && !refused.contains(id)).then(|| format!("{id} has no record of its error")));
        found.extend((is_never_refused && refused.contains(id)).then(|| format!("{id} has a record of an error")));
    }
    found.extend(NEVER_REFUSED.iter().filter(|id| !known.contains(*id)).map(|id| format!("{id} is not on the page")));
    found
}

fn page() -> String {
    fs::read_to_string(project().join("queries/LANGUAGE.md")).unwrap()
}

#[test]
fn page_and_records_name_the_same_rules_functions_statements_and_errors() {
    let files = all_records();
    let records: Vec<&Record> = files.values().flatten().collect();
    let found = differences(&ids(&page()), &records);
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

/// A function that a query may call and that the page does not name, or the other way round, is a slip.
#[test]
fn the_page_names_every_function_that_a_query_may_call() {
    let callable: BTreeSet<String> = functions().map(|(name, _)| format!("f-{name}")).collect();
    let named: BTreeSet<String> = ids(&page()).into_iter().filter(|id| id.starts_with("f-")).collect();
    let differing: Vec<&String> = callable.symmetric_difference(&named).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn every_record_of_the_language_holds() {
    let folder = little_shop();
    let shop = Answers::writing(folder.path());
    let mut failures = Vec::new();
    for (name, records) in all_records() {
        failures.extend(records.iter().filter_map(|record| Some(format!("{name} {}", failure(&shop, record)?))));
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_page_and_records_that_differ_are_told_apart() {
    let page = "- `level-1` one\n| `f-abs` | two |\n- `e-name` three\n- `plain` four\nin `a-text` five\n";
    let ids = ids(page);
    assert_eq!(ids, ["level-1", "f-abs", "e-name"]);
    let text = "# of level-1\nquery I\nSELECT 1\n----\n1\n\n# of level-1\nstatement error no\nSELECT\n\n# of f-abs f-other\nstatement ok\nSELECT 1\n";
    let records = records(text).unwrap();
    let found = differences(&ids, &records.iter().collect::<Vec<_>>());
    let expected =
        ["f-other is not on the page", "e-name has no record of its error", "f-abs has no record of its error"];
    for expected in expected {
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:?}");
    }
    assert!(!found.iter().any(|found| found.starts_with("level-1")), "{found:?}");
}
