//! Who wins between files and rows that came through the socket: in the table, in the report, and in the ledger of consent.

use std::fs;
use std::path::Path;

use muster_campaign::consent::{self, Statement};
use muster_catalog::Timestamp;
use muster_state::{Mode, State};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{done, json, rows};
use crate::serve::Serve;
use crate::world::workspace_of;

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
updated_at = "changed"

[tables.profiles.columns]
id = { type = "id" }
changed = { type = "timestamp" }
name = { type = "text" }
nick = { type = "text", owner = "muster" }
city = { type = "text", owner = "latest" }
"#;

fn shop(definition: &str, customers: &str) -> TempDir {
    let shop = workspace_of(&[("muster.toml", definition), ("files/customers-1.csv", customers)]);
    done(shop.path(), &["load"]);
    shop
}

fn add(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join("files").join(file), text).unwrap();
}

fn stored<const N: usize>(report: &Value, counts: [&str; N]) -> [u64; N] {
    counts.map(|count| report["tables"][0]["stored"][count].as_u64().unwrap())
}

const ALL: &str = "SELECT id, name, nick, city FROM profiles ORDER BY id";

/// Ann and Bo from a file; then Ann's row and a new one of Cy through the socket.
fn told() -> (TempDir, Serve) {
    let file = "id,changed,name,nick,city\n1,2025-01-01,Ann,,Delft\n2,2025-01-01,Bo,,Delft\n";
    let shop = shop(SHOP, file);
    let serve = Serve::start(shop.path());
    let answer = serve.send(
        "profiles",
        &json!([
            {"id": "1", "changed": "2025-02-01", "name": "Ann", "nick": "An", "city": "Gouda"},
            {"id": "3", "changed": "2025-02-01", "name": "Cy", "nick": "C", "city": "Breda"},
        ]),
    );
    assert_eq!(answer["answer"]["rows"]["committed"], 2, "{answer}");
    (shop, serve)
}

const MARCH: &str = "id,changed,name,nick,city\n\
    1,2025-03-01,Anna,x,Gouda\n2,2025-03-01,Bob,x,Leiden\n3,2025-02-01,Cy,x,Leiden\n4,2025-03-01,Di,x,Leiden\n";
const AFTER_MARCH: [&str; 4] = ["1,Anna,An,Gouda", "2,Bob,x,Leiden", "3,Cy,C,Breda", "4,Di,x,Leiden"];

#[test]
fn a_load_beside_a_serve_keeps_what_muster_owns_and_says_how_much() {
    let (shop, _serve) = told();
    let dir = shop.path();
    add(dir, "customers-2.csv", MARCH);
    let rehearsed = json(dir, &["load", "--dry-run"]);
    assert_eq!(stored(&rehearsed, ["kept"]), [3]);
    let said = done(dir, &["load"]);
    assert!(said.contains("\n          kept 3 fields that muster owns\n"), "{said}");
    assert_eq!(rows(dir, ALL), AFTER_MARCH);
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
    // What was older than March has nothing to say any more; later files win where the latest does.
    add(dir, "customers-3.csv", "id,changed,name,nick,city\n1,2025-02-15,A,y,Y\n3,2025-04-01,Cyd,y,Zwolle\n");
    let report = json(dir, &["load"]);
    let counts = ["incoming", "new", "changed", "same", "older", "refused", "kept"];
    assert_eq!(stored(&report, counts), [2, 0, 1, 0, 1, 0, 1]);
    assert_eq!(rows(dir, ALL)[2], "3,Cyd,C,Zwolle");
}

#[test]
fn a_row_that_says_nothing_else_than_what_is_kept_is_the_same() {
    let (shop, _serve) = told();
    add(shop.path(), "customers-2.csv", "id,changed,name,nick,city\n3,2025-02-01,Cy,x,Leiden\n");
    let report = json(shop.path(), &["load"]);
    assert_eq!(stored(&report, ["incoming", "changed", "same", "kept"]), [1, 0, 1, 2]);
}

#[test]
fn a_process_that_is_killed_between_row_and_load_changes_nothing_about_it() {
    let (shop, serve) = told();
    let dir = shop.path();
    drop(serve);
    add(dir, "customers-2.csv", MARCH);
    assert_eq!(stored(&json(dir, &["load"]), ["kept"]), [3]);
    assert_eq!(rows(dir, ALL), AFTER_MARCH);
}

#[test]
fn a_load_that_is_taken_back_gives_fields_back_to_muster() {
    let (shop, _serve) = told();
    let dir = shop.path();
    let before = rows(dir, ALL);
    add(dir, "customers-2.csv", "id,changed,name,nick,city\n1,2025-03-01,Anna,x,Leiden\n");
    done(dir, &["load"]);
    assert_eq!(rows(dir, ALL)[0], "1,Anna,An,Leiden");
    done(dir, &["load", "--undo"]);
    assert_eq!(rows(dir, ALL), before);
    // At the instant at which muster had set the city.
    add(dir, "customers-2.csv", "id,changed,name,nick,city\n1,2025-02-01,Anne,y,Leiden\n");
    done(dir, &["load"]);
    assert_eq!(rows(dir, ALL)[0], "1,Anne,An,Gouda");
}

#[test]
fn files_that_are_known_stay_known_when_a_column_gets_an_owner() {
    let (shop, _serve) = told();
    let dir = shop.path();
    fs::write(
        dir.join("muster.toml"),
        SHOP.replace("name = { type = \"text\" }", "name = { type = \"text\", owner = \"muster\" }"),
    )
    .unwrap();
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
    add(dir, "customers-2.csv", MARCH);
    done(dir, &["load"]);
    // That Cy's row was muster's in all of its fields was known; that Ann's name was not changed by it, too.
    assert_eq!(rows(dir, "SELECT name FROM profiles ORDER BY id"), ["Anna", "Bob", "Cy", "Di"]);
}

/// Profiles by what a row says, and what a file says after it: yes, no or nothing. `p` says no in a form, `q` yes.
const CONSENTS: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }
agreed = { type = "bool", role = "consent.email", owner = "OWNER" }
"#;

const WHO: [&str; 8] = ["yy", "yn", "y-", "ny", "nn", "n-", "p", "q"];

fn state(dir: &Path) -> State {
    let migrations = [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat();
    State::open(&dir.join("data"), &migrations, Mode::Existing).unwrap()
}

fn in_a_form(dir: &Path, id: &str, agreed: bool) {
    let at = Timestamp::from_micros(1_751_300_000_000_000);
    let said = Statement { profile_key: id, channel: "email", topic: None, agreed, at, source: "form", wording: None };
    state(dir).write(|tx| consent::record(tx, &said)).unwrap();
}

/// Who may be written to, and whose field says yes, after rows and then a file of this instant.
fn agreeing(owner: &str, loaded: &str) -> (Vec<&'static str>, Vec<String>) {
    let silent: String = WHO.iter().map(|id| format!("{id},\n")).collect();
    let shop = shop(&CONSENTS.replace("OWNER", owner), &format!("id,agreed\n{silent}"));
    let dir = shop.path();
    let serve = Serve::start(dir);
    let said = |id: &&&str| id.starts_with(['y', 'n', 'p']);
    let sent: Vec<Value> =
        WHO.iter().filter(said).map(|id| json!({"id": id, "agreed": !id.starts_with('n')})).collect();
    assert_eq!(serve.send("profiles", &json!(sent))["answer"]["rows"]["committed"], sent.len());
    drop(serve);
    in_a_form(dir, "p", false);
    in_a_form(dir, "q", true);
    add(dir, "customers-2.csv", "id,agreed\nyy,yes\nyn,no\ny-,\nny,yes\nnn,no\nn-,\np,yes\nq,no\n");
    done(dir, &["--as-of", loaded, "load"]);
    let state = state(dir);
    let allowed = |id: &&'static str| state.read(|tx| consent::allows(tx, id, "email", None)).unwrap();
    let allowed = WHO.into_iter().filter(allowed).collect();
    drop(state);
    let query = "SELECT id FROM profiles WHERE agreed ORDER BY id";
    let csv = done(dir, &["--as-of", "2025-07-02", "sql", "--format", "csv", "-c", query]);
    (allowed, csv.lines().skip(1).map(str::to_owned).collect())
}

#[test]
fn a_no_counts_whoever_owns_the_consent_and_the_owner_decides_what_a_yes_of_a_file_does() {
    let later = "2025-07-01";
    for (owner, loaded, ledger, fields) in [
        ("source", later, &["yy", "y-", "ny"][..], &["ny", "p", "yy"][..]),
        ("muster", later, &["yy", "y-"], &["p", "y-", "yy"]),
        ("latest", later, &["yy", "y-", "ny"], &["ny", "p", "yy"]),
        ("latest", "2025-06-30", &["yy", "y-"], &["p", "y-", "yy"]),
        ("latest", "2025-06-29", &["yy", "y-"], &["p", "y-", "yy"]),
    ] {
        let found = agreeing(owner, loaded);
        assert_eq!(found.0, ledger, "who may be written to: {owner}, loaded {loaded}");
        assert_eq!(found.1, fields, "whose field says yes: {owner}, loaded {loaded}");
    }
}
