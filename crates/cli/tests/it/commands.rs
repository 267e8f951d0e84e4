//! What a command says and how it ends: exit codes, documents, and errors that name the place and the way out.

use std::fs;
use std::path::Path;

use muster_state::{Mode, State};
use serde_json::{Value, json};

use crate::binary::{Run, call, done, json, muster, muster_in, rows, run, with_stdin};
use crate::world::{corner_shop, own_corner_shop, shipped_segments};

/// What stands on stderr, after the binary ended with `code` and printed nothing.
#[track_caller]
fn said(code: i32, dir: &Path, arguments: &[&str]) -> String {
    let Run { stdout, stderr, .. } = call(dir, arguments).ended_with(code);
    assert_eq!(stdout, "");
    stderr.replace(dir.to_str().unwrap(), "DIR")
}

#[test]
fn a_slip_on_the_command_line_ends_with_2() {
    for (arguments, part) in [
        (&["bogus"][..], "unrecognized subcommand 'bogus'"),
        (&["segment"], "<NAME>"),
        (&["export", "lapsed"], "--to <FILE>"),
        (&["sql", "--format", "xml"], "[possible values: table, csv, json, arrow, parquet]"),
        (&["demo", "--customers", "0"], "0 is not in 1..=10000000"),
    ] {
        let stderr = said(2, corner_shop(), arguments);
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_hidden_command_is_not_in_the_help() {
    let help = run(muster().arg("--help")).ended_with(0).stdout;
    assert!(help.contains("\n  campaign ") && !help.contains("\n  sink "), "{help}");
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_one() {
    // Some of these open the shop to write before they see the slip.
    let shop = own_corner_shop();
    for (arguments, expected) in [
        (&["segment", "lapsd"][..], "error: there is no segment `lapsd`; did you mean `lapsed`?\n"),
        (&["load", "prders"], "error: there is no table `prders` in muster.toml; did you mean `orders`?\n"),
        (&["export", "lapsd", "--to", "x.csv"], "error: there is no segment `lapsd`; did you mean `lapsed`?\n"),
        (
            &["campaign", "publish", "winbak"],
            "error: winbak was not published:\nthere is no campaign `winbak` in campaigns/; did you mean `winback`?\n",
        ),
        (
            &["sql", "-c", "SELECT 1 FROM profles"],
            "error: line 1, column 15: unknown table `profles`\n  SELECT 1 FROM profles\n                ^\n  hint: did you mean `profiles`?\n",
        ),
        (
            &["sql", "-c", "SELECT emial FROM profiles"],
            "error: line 1, column 8: unknown column `emial`\n  SELECT emial FROM profiles\n         ^\n  hint: did you mean `email`?\n",
        ),
        (
            &["sql", "-c", "SELECT 1; SELEC 2"],
            "error: line 1, column 11: expected a statement; found `SELEC`\n  SELECT 1; SELEC 2\n            ^\n  hint: did you mean SELECT?\n",
        ),
    ] {
        assert_eq!(said(1, shop.path(), arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_file_of_the_machine_is_not_a_table() {
    for query in ["SELECT * FROM 'muster.toml'", "SELECT * FROM \"files/products.csv\"", "COPY profiles TO 'x.csv'"] {
        let stderr = said(1, corner_shop(), &["sql", "-c", query]);
        assert!(stderr.starts_with("error: line 1, column "), "{query}: {stderr}");
    }
}

#[test]
fn a_folder_that_is_no_workspace_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(said(1, folder.path(), &["status"]), "error: DIR has no muster.toml\n");
    let stderr = run(muster().arg("status").current_dir(folder.path())).ended_with(1).stderr;
    assert!(stderr.contains("name one with --dir, or begin one with `muster init`"), "{stderr}");
}

#[test]
fn the_workspace_is_found_from_a_folder_below_it() {
    let below = corner_shop().join("queries");
    let status = run(muster().args(["--json", "status"]).current_dir(below)).ended_with(0).document();
    assert_eq!(status["workspace"], "corner-shop");
}

#[test]
fn every_listing_is_one_document() {
    let shop = corner_shop();
    let segments = json(shop, &["segments"]);
    let lapsed = segments.as_array().unwrap().iter().find(|segment| segment["segment"] == "lapsed").unwrap();
    assert_eq!((segments.as_array().unwrap().len(), &lapsed["profiles"]), (shipped_segments(), &json!(436)));
    assert_eq!(json(shop, &["segment", "lapsed"])[0]["used_by"], "lapsed_vips");
    assert_eq!(json(shop, &["segment", "lapsed", "--members"]).as_array().unwrap().len(), 436);
    assert_eq!(json(shop, &["check"]), json!({"problems": [], "doubtful": [], "inferred": [], "written": 0}));
    assert_eq!(json(shop, &["sql", "-c", "SELECT count(*) AS n FROM orders"]), json!([{"n": 19_377}]));
    assert_eq!(
        json(shop, &["campaign", "list"]),
        json!([{"campaign": "winback", "version": null, "standing": "draft"}])
    );
    let status = json(shop, &["status"]);
    let count = |table: &Value| (table["table"].as_str().unwrap().to_owned(), table["rows"].as_u64().unwrap());
    let tables: Vec<(String, u64)> = status["snapshot"]["tables"].as_array().unwrap().iter().map(count).collect();
    assert!(tables.contains(&("order_lines".to_owned(), 58_725)), "{tables:?}");
}

#[test]
fn statements_come_from_an_argument_a_file_or_standard_input() {
    let (shop, text) = (corner_shop(), "SELECT 1 AS one; -- a comment; with a semicolon\nSELECT ';' AS two");
    let expected = "one\n1\ntwo\n;\n";
    assert_eq!(done(shop, &["sql", "--format", "csv", "-c", text]), expected);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.sql");
    fs::write(&file, text).unwrap();
    assert_eq!(done(shop, &["sql", "--format", "csv", "-f", file.to_str().unwrap()]), expected);
    let typed = with_stdin(muster_in(shop).args(["sql", "--format", "csv"]), text).ended_with(0);
    assert_eq!(typed.stdout, expected);
}

#[test]
fn times_of_statements_are_told_beside_their_rows() {
    let arguments = ["sql", "--format", "csv", "-c", "SELECT 1 AS one; SELECT customer_id FROM profiles LIMIT 2"];
    let timed = call(corner_shop(), arguments.iter().chain(&["--timing"])).ended_with(0);
    let plain = call(corner_shop(), arguments).ended_with(0);
    assert_eq!((&timed.stdout, plain.stderr), (&plain.stdout, String::new()));
    let told: Vec<&str> = timed.stderr.lines().collect();
    assert!(
        matches!(told[..], [first, second] if first.starts_with("(1 row, ") && second.starts_with("(2 rows, ")),
        "{told:?}"
    );
    assert!(told.iter().all(|line| line.ends_with(" ms)") || line.ends_with(" s)")), "{told:?}");
}

#[test]
fn a_slip_in_the_last_statement_keeps_the_first_from_running() {
    let shop = own_corner_shop();
    said(1, shop.path(), &["sql", "-c", "CREATE SEGMENT everyone AS WHERE TRUE; SELEC 1"]);
    assert_eq!(json(shop.path(), &["segments"]).as_array().unwrap().len(), shipped_segments());
}

#[test]
fn as_of_another_instant_what_came_later_is_not_there() {
    let count = |as_of: &str| rows(corner_shop(), &format!("AS OF '{as_of}' SELECT count(*) FROM orders"));
    let by_option = done(
        corner_shop(),
        &["--as-of", "2024-01-01", "sql", "--format", "csv", "-c", "SELECT now() AS at, count(*) AS n FROM orders"],
    );
    // Both figures are counted from orders.csv: rows placed before that midnight, and before the first order.
    assert_eq!(by_option, "at,n\n2024-01-01T00:00:00+01:00,9064\n");
    assert_eq!((count("2024-01-01"), count("2022-06-30")), (vec!["9064".to_owned()], vec!["0".to_owned()]));
    let stderr = said(1, corner_shop(), &["--as-of", "yesterday", "sql", "-c", "SELECT 1"]);
    assert!(stderr.starts_with("error: --as-of \"yesterday\" is not an instant; expected YYYY-MM-DD"), "{stderr}");
}

#[test]
fn a_query_is_printed_as_sql_for_other_engines() {
    let printed =
        done(corner_shop(), &["sql", "-c", "EXPLAIN SQL SELECT customer_id FROM profiles WHERE count(orders) > 3"]);
    assert!(printed.contains("count(*)") && printed.contains("GROUP BY\n    \"orders\".\"__profile\""), "{printed}");
    assert!(printed.contains("TIMESTAMPTZ '2025-06-30T10:00:00Z'") && !printed.contains("now()"), "{printed}");
}

#[test]
fn a_guard_ends_with_4_and_says_what_it_guards() {
    for (query, expected) in [
        ("DROP SEGMENT lapsed", "error: `lapsed` is used by lapsed_vips; drop or change those first\n"),
        (
            "CREATE SEGMENT lapsed AS WHERE TRUE",
            "error: there is a segment `lapsed` already; CREATE OR REPLACE SEGMENT takes its place\n",
        ),
    ] {
        let shop = own_corner_shop();
        assert_eq!(said(4, shop.path(), &["sql", "-c", query]), expected);
        assert_eq!(rows(shop.path(), "SELECT count(*) FROM profiles WHERE segments.lapsed_vips"), ["43"]);
    }
}

#[test]
fn a_query_without_end_is_stopped_when_its_time_is_over() {
    for endless in [
        "SELECT count(DISTINCT a.line_id || b.line_id) FROM order_lines a CROSS JOIN order_lines b",
        "SELECT count(*) FROM order_lines a, order_lines b WHERE a.price < b.price",
    ] {
        assert_eq!(
            said(4, corner_shop(), &["sql", "--timeout", "1", "-c", endless]),
            "error: the query was stopped after 1 s; ask for less, or allow more with --timeout\n"
        );
    }
}

#[test]
fn columns_of_classes_that_are_not_granted_are_null_and_are_named() {
    let shop = corner_shop();
    let query = "SELECT count(email) AS emails, count(birth_date) AS births, count(tier) AS tiers FROM profiles";
    let asked = |grant: &[&str]| call(shop, [&["sql", "--format", "csv", "-c", query], grant].concat());
    let all = asked(&[]).ended_with(0);
    assert!(!all.stdout.contains("\n0,") && all.stderr.is_empty(), "{} {}", all.stdout, all.stderr);
    let some = asked(&["--grant", "public,internal"]).ended_with(0);
    assert!(some.stdout.contains("\n0,0,") && !some.stdout.contains(",0,0\n"), "{}", some.stdout);
    assert_eq!(some.stderr, "masked, so NULL here: profiles.birth_date, profiles.email\n");
    let probe = "CREATE SEGMENT probe AS WHERE email LIKE 'a%'";
    assert_eq!(
        said(4, own_corner_shop().path(), &["sql", "--grant", "internal", "-c", probe]),
        "error: `profiles.email` is personal, which this session may not see; grant personal with --grant, or leave it out\n"
    );
    let unknown = said(2, shop, &["sql", "--grant", "private", "-c", query]);
    assert!(unknown.contains("expected public, internal, personal or sensitive"), "{unknown}");
}

#[test]
fn one_process_writes_while_others_read() {
    let shop = own_corner_shop();
    let dir = shop.path();
    let writer = State::open(&dir.join("data"), &migrations(), Mode::Existing).unwrap();
    for arguments in [&["load"][..], &["apply"], &["campaign", "run-due"], &["sql", "-c", "REFRESH SEGMENT lapsed"]] {
        let stderr = said(4, dir, arguments);
        assert!(stderr.contains("another muster process is writing to this data directory"), "{arguments:?}: {stderr}");
    }
    assert_eq!(rows(dir, "SELECT count(*) FROM profiles WHERE segments.lapsed"), ["436"]);
    for arguments in [&["segments"][..], &["status"], &["segment", "lapsed"], &["campaign", "list"], &["check"]] {
        done(dir, arguments);
    }
    drop(writer);
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
}

fn migrations() -> Vec<muster_state::Migration> {
    [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat()
}

#[test]
fn applying_again_changes_nothing_and_a_changed_file_says_both_counts() {
    let shop = own_corner_shop();
    let dir = shop.path();
    assert!(done(dir, &["apply"]).contains("lapsed: unchanged, 436 profiles"));
    let file = dir.join("queries/lifecycle/lapsed.sql");
    let text = fs::read_to_string(&file).unwrap().replace(">= 2", ">= 1");
    fs::write(&file, text).unwrap();
    let applied = done(dir, &["apply", file.to_str().unwrap()]);
    let now = rows(dir, "SELECT count(*) FROM profiles WHERE segments.lapsed");
    assert_eq!(applied, format!("lapsed: defined, {} profiles, before 436\n", now[0]));
}

#[test]
fn a_campaign_is_published_once_and_stops_when_it_is_paused() {
    let shop = own_corner_shop();
    // The tests' own copy of a shop is a copy like any other.
    done(shop.path(), &["campaign", "take-over"]);
    let dir = shop.path();
    assert_eq!(done(dir, &["campaign", "check", "winback"]), "winback: everything is in order\n");
    assert_eq!(done(dir, &["campaign", "publish", "winback"]), "winback: version 1 is live\n");
    assert_eq!(done(dir, &["campaign", "publish", "winback"]), "winback: version 1 is unchanged\n");
    assert_eq!(done(dir, &["campaign", "pause", "winback"]), "winback: paused\n");
    assert_eq!(done(dir, &["campaign", "run-due"]), "nothing is due\n");
    assert_eq!(json(dir, &["campaign", "ledger", "winback"]), json!([]));
    assert_eq!(done(dir, &["campaign", "resume", "winback"]), "winback: live\n");
}

#[test]
fn a_campaign_with_a_wrong_name_in_it_is_not_published() {
    let shop = own_corner_shop();
    let dir = shop.path();
    let file = dir.join("campaigns/winback.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"lapsed\"", "\"lapsd\"").replace("email = \"winback\"", "email = \"winbak\""))
        .unwrap();
    let problems = call(dir, ["check"]).ended_with(1).stdout;
    for part in ["campaigns/winback.toml line ", "did you mean \"lapsed\"?", "did you mean \"winback\"?"] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    let stderr = said(1, dir, &["campaign", "publish", "winback"]);
    assert!(stderr.starts_with("error: winback was not published:\n"), "{stderr}");
    assert_eq!(json(dir, &["campaign", "list"])[0]["standing"], "draft");
}

#[test]
fn single_profiles_are_asked_for_alone() {
    let shop = own_corner_shop();
    let dir = shop.path();
    done(dir, &["apply"]);
    let members = done(dir, &["segment", "lapsed", "--members"]);
    let member = members.lines().next().unwrap();
    let answer = json(dir, &["segment", "lapsed", "--of", member, "nobody"]);
    assert_eq!(answer, json!({member: true, "nobody": null}));
    let text = done(dir, &["segment", "lapsed", "--of", member, "nobody"]);
    assert_eq!(text, format!("{member}  in\nnobody  no such profile\n"));
}
