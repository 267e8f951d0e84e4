//! Loads that are taken back: the newest first, whole, and never what somebody relies on.

use std::fs;
use std::path::Path;

use muster_campaign::consent::{self, Statement};
use muster_catalog::Timestamp;
use muster_state::{Mode, State};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::{digests, own_corner_shop, shipped_segments, workspace_of, write_corner_shop};

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
deleted = "gone"

[tables.profiles.columns]
agreed = { type = "bool", role = "consent.email" }

[tables.orders]
source = "files/orders*.csv"
key = "order_id"
parent = "profiles"
on = "id"
time = "placed_at"
"#;

const CUSTOMERS: &str = "id,name,agreed,gone\n1,Ann,1,0\n2,Bo,0,0\n3,Cy,,0\n4,Di,1,0\n";
const ORDERS: &str =
    "order_id,id,placed_at,total\na,1,2025-01-01,10\nb,2,2025-01-02,20\nd,3,2025-01-04,40\ne,4,2025-01-05,50\n";

fn shop() -> TempDir {
    workspace_of(&[("muster.toml", SHOP), ("files/customers.csv", CUSTOMERS), ("files/orders.csv", ORDERS)])
}

fn add(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join("files").join(file), text).unwrap();
}

fn state(dir: &Path) -> State {
    let migrations = [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat();
    State::open(&dir.join("data"), &migrations, Mode::Existing).unwrap()
}

/// Who may be written to.
fn agreeing(dir: &Path) -> String {
    let state = state(dir);
    let allowed = |id: &&str| state.read(|tx| consent::allows(tx, id, "email", None)).unwrap();
    ["1", "2", "3", "4", "5"].into_iter().filter(allowed).collect()
}

fn says(dir: &Path, id: &str, agreed: bool) {
    let at = Timestamp::from_micros(i64::MAX / 2);
    let statement =
        Statement { profile_key: id, channel: "email", topic: None, agreed, at, source: "form", wording: None };
    state(dir).write(|tx| consent::record(tx, &statement)).unwrap();
}

#[test]
fn a_load_is_taken_back_with_all_its_tables_and_again_the_one_before() {
    let shop = shop();
    let dir = shop.path();
    done(dir, &["load"]);
    let first = digests(dir);
    add(dir, "customers-2.csv", "id,name,agreed,gone\n2,Bob,,0\n5,Ed,1,0\n");
    add(dir, "orders-2.csv", "order_id,id,placed_at,total\nb,2,2025-01-02,25\nc,5,2025-01-03,30\n");
    done(dir, &["load"]);
    let second = digests(dir);
    add(dir, "customers-3.csv", "id,name,agreed,gone\n5,,,1\n");
    done(dir, &["load"]);
    assert_eq!(rows(dir, "SELECT order_id FROM orders ORDER BY order_id"), ["a", "b", "d", "e"]);
    let report = json(dir, &["load", "--undo"]);
    assert_eq!((&report["snapshot"], &report["taken_back"]), (&json!(4), &json!(3)));
    assert_eq!(report["files"], json!([{"table": "profiles", "name": "files/customers-3.csv"}]));
    assert_eq!(digests(dir), second);
    assert_eq!(rows(dir, "SELECT order_id FROM orders ORDER BY order_id"), ["a", "b", "c", "d", "e"]);
    let said = done(dir, &["load", "--undo"]);
    for part in [
        "(snapshot 2):\n",
        "  profiles: 1 new, 1 changed\n",
        "  orders: 1 new, 1 changed\n",
        "is taken back; snapshot 5 is as it was before\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(digests(dir), first);
    done(dir, &["load", "--undo"]);
    assert_eq!(digests(dir), [].into());
    let none = call(dir, ["load", "--undo"]).ended_with(4).stderr;
    assert_eq!(none, "error: no load is left that could be taken back\n");
    let history = json(dir, &["status", "--loads"]);
    assert!(history.as_array().unwrap().iter().all(|load| load["undone"].is_string()), "{history}");
}

#[test]
fn files_that_were_taken_back_are_new_again() {
    let shop = shop();
    let dir = shop.path();
    done(dir, &["load"]);
    add(dir, "customers-2.csv", "id,name,agreed,gone\n5,Ed,1,0\n");
    done(dir, &["load"]);
    let both = digests(dir);
    let said = done(dir, &["load", "--undo"]);
    assert!(
        said.ends_with("the next load takes its files again, unless they go or change:\n  files/customers-2.csv\n")
    );
    let report = json(dir, &["load"]);
    assert_eq!((&report["tables"][0]["files"], &report["tables"][0]["known_files"]), (&json!(1), &json!(1)));
    assert_eq!(digests(dir), both);
}

#[test]
fn a_rehearsed_undo_changes_nothing() {
    let shop = shop();
    let dir = shop.path();
    done(dir, &["load"]);
    let before = (digests(dir), json(dir, &["status"]));
    assert!(done(dir, &["load", "--undo", "--dry-run"]).contains("\ndry run: nothing was changed\n"));
    assert_eq!((digests(dir), json(dir, &["status"])), before);
    for arguments in [&["load", "--undo", "orders"][..], &["load", "--undo", "--accept", "loss"]] {
        call(dir, arguments).ended_with(2);
    }
}

#[test]
fn what_only_that_load_agreed_to_ends_and_what_it_refused_stays_refused() {
    let shop = shop();
    let dir = shop.path();
    done(dir, &["load"]);
    assert_eq!(agreeing(dir), "14");
    // A no becomes a yes, silence a yes, a yes a no; somebody new agrees.
    add(dir, "customers-2.csv", "id,name,agreed,gone\n2,Bo,1,0\n3,Cy,1,0\n4,Di,0,0\n5,Ed,1,0\n");
    done(dir, &["load"]);
    assert_eq!(agreeing(dir), "1235");
    let said = done(dir, &["load", "--undo"]);
    assert!(said.contains("  3 agreements to be written to\n"), "{said}");
    assert_eq!(agreeing(dir), "1");
    // Whom no later file names, is not asked again.
    add(dir, "customers-2.csv", "id,name,agreed,gone\n1,Anna,1,0\n");
    done(dir, &["load"]);
    assert_eq!(agreeing(dir), "1");
    add(dir, "customers-3.csv", "id,name,agreed,gone\n4,Di,1,0\n");
    done(dir, &["load"]);
    assert_eq!(agreeing(dir), "14");
}

#[test]
fn what_a_person_said_is_not_touched_by_an_undo() {
    let shop = shop();
    let dir = shop.path();
    done(dir, &["load"]);
    add(dir, "customers-2.csv", "id,name,agreed,gone\n2,Bo,1,0\n3,Cy,1,0\n");
    done(dir, &["load"]);
    says(dir, "2", false);
    says(dir, "3", true);
    says(dir, "1", false);
    assert_eq!(agreeing(dir), "34");
    done(dir, &["load", "--undo"]);
    assert_eq!(agreeing(dir), "34");
    done(dir, &["load", "--undo"]);
    assert_eq!(agreeing(dir), "3");
}

#[test]
fn a_load_that_sends_used_is_not_taken_back_and_one_after_them_is() {
    let shop = tempfile::tempdir().unwrap();
    let dir = shop.path();
    write_corner_shop(dir);
    let campaign = dir.join("campaigns/winback.toml");
    let text = fs::read_to_string(&campaign).unwrap();
    fs::write(&campaign, text.replace("send = { email =", "send = { console =")).unwrap();
    done(dir, &["load"]);
    done(dir, &["apply", dir.join("queries/lifecycle/lapsed.sql").to_str().unwrap()]);
    done(dir, &["campaign", "publish", "winback"]);
    done(dir, &["campaign", "run-due"]);
    let sent = digests(dir);
    let stores = dir.join("files/stores.csv");
    let text = fs::read_to_string(&stores).unwrap();
    fs::write(&stores, format!("{text}S099,Terschelling,Terschelling,53.36,5.22,8881\n")).unwrap();
    done(dir, &["load"]);
    done(dir, &["load", "--undo"]);
    assert_eq!(digests(dir), sent);
    let used = call(dir, ["load", "--undo"]).ended_with(4).stderr;
    let what = "(snapshot 1) cannot be taken back: campaign winback used it, with an audience of 436\n  hint: what was sent stays sent";
    assert!(used.contains(what), "{used}");
    assert_eq!(digests(dir), sent);
    assert!(done(dir, &["status"]).contains("; taken back "));
}

#[test]
fn audiences_hold_up_nothing() {
    let shop = own_corner_shop();
    let dir = shop.path();
    done(dir, &["load", "--undo"]);
    assert_eq!(digests(dir), [].into());
    let segments: Value = json(dir, &["segments"]);
    assert_eq!(segments.as_array().unwrap().len(), shipped_segments());
}
