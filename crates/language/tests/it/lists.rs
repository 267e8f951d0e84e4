//! Lists of profile keys: a column of the profile that says who is on one, and a table of the keys.

use muster_language::{ErrorKind, ResolvedQuery, Statement, parse};

use crate::world::{names_with_lists, resolved, resolved_with, transcript};

fn on_lists(text: &str) -> ResolvedQuery {
    resolved_with(text, &names_with_lists()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The whole message of what is wrong at `place`, a part of the text.
#[track_caller]
fn check(text: &str, kind: ErrorKind, place: &str, message: &str) {
    let error = resolved_with(text, &names_with_lists()).expect_err("nothing is wrong with it");
    assert_eq!(error.kind, kind, "{error}");
    let column = text.find(place).expect("the place is in the text") + 1;
    let caret = " ".repeat(column - 1);
    let (message, hint) = message.split_once('|').expect("a hint stands behind |");
    assert_eq!(error.to_string(), format!("line 1, column {column}: {message}\n  {text}\n  {caret}^\n  hint: {hint}"));
}

#[test]
fn a_list_is_a_column_of_the_rows_profile() {
    check_snapshot!(transcript(
        &[
            "SELECT email FROM profiles WHERE NOT lists.staff AND country = 'NL'",
            "SELECT lists.staff, count(*) AS n FROM orders GROUP BY lists.staff",
            "SELECT has(orders) FILTER (WHERE lists.stop) AS bought FROM profiles",
            "SELECT o.total FROM orders o JOIN profiles p ON p.profile_id = o.profile_id WHERE lists.stop",
            "CREATE SEGMENT a AS WHERE lists.staff OR NOT (lists.stop OR segments.unsubscribed)",
        ],
        &names_with_lists()
    ));
}

#[test]
fn a_query_says_which_lists_it_reads() {
    let query = on_lists("SELECT Lists.STAFF AS a, lists.staff AS b, lists.\"stop\" AS c FROM order_lines");
    assert_eq!((query.lists_used, query.segments_used), (vec!["staff".to_owned(), "stop".to_owned()], Vec::new()));
    assert!(query.tables_used.contains(&"profiles".to_owned()));
}

#[test]
fn the_keys_of_a_list_are_a_table() {
    check_snapshot!(transcript(
        &[
            "SELECT count(*) AS n FROM lists.staff",
            "SELECT l.customer FROM lists.staff AS l LEFT JOIN profiles p ON p.profile_id = l.customer WHERE p.profile_id IS NULL",
            "SELECT lists.Staff.customer FROM lists.staff WHERE customer IN (SELECT customer FROM Lists.Stop)",
        ],
        &names_with_lists()
    ));
    assert!(on_lists("SELECT * FROM lists.staff").lists_used.is_empty());
}

#[test]
fn a_list_that_is_not_there_comes_with_the_nearest() {
    use ErrorKind::UnknownName;
    check("SELECT lists.staf FROM profiles", UnknownName, "staf", "unknown list `staf`|did you mean `staff`?");
    check("SELECT lists.vips FROM profiles", UnknownName, "vips", "unknown list `vips`|lists: staff, stop");
    check(
        "SELECT lists.\"Staff\" FROM profiles",
        UnknownName,
        "\"Staff\"",
        "unknown list `Staff`|did you mean `staff`?",
    );
    check("SELECT * FROM lists.stopp", UnknownName, "stopp", "unknown list `stopp`|did you mean `stop`?");
    check("SELECT list.staff FROM profiles", UnknownName, "list.", "unknown name `list`|did you mean `lists`?");
    let nothing_loaded = resolved("SELECT lists.staff FROM profiles").map_err(|error| error.to_string());
    let hint = "hint: no list is loaded; [lists.NAME] of muster.toml says where its files are";
    assert!(nothing_loaded.is_err_and(|message| message.ends_with(hint)));
}

#[test]
fn a_list_needs_the_profile_that_it_is_about() {
    check(
        "SELECT lists.staff FROM lists.stop",
        ErrorKind::Position,
        "staff",
        "lists.staff needs the one row of profiles it is about|use it FROM profiles or a history below, or with profiles once in FROM",
    );
    check(
        "CREATE SEGMENT a AS SELECT * FROM lists.staff",
        ErrorKind::NotAllowed,
        "SELECT",
        "a segment selects rows of profiles or of one history table|SELECT * FROM profiles WHERE …",
    );
    let message = "`lists` is the name under which lists are used|choose another name";
    check("SELECT * FROM orders AS lists", ErrorKind::NotAllowed, "lists", message);
}

#[test]
fn a_description_of_a_list_has_two_names_before_the_column() {
    let described = |text: &str| match parse(text) {
        Ok(Statement::DescribeTable { name, column }) => (name, column),
        other => panic!("{text} is read as {other:?}"),
    };
    assert_eq!(described("DESCRIBE Lists.Staff"), ("lists.staff".to_owned(), None));
    assert_eq!(described("DESC TABLE lists.staff.Id"), ("lists.staff".to_owned(), Some("id".to_owned())));
    assert_eq!(described("DESCRIBE orders.total"), ("orders".to_owned(), Some("total".to_owned())));
}
