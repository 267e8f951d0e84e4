//! The story that a newcomer sees: one command makes a shop, loads it, finds its audiences, and sends the first e-mails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use muster_demo::shop::{Format, Shop};
use muster_demo::sink::{Entry, read_journal};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Run, done, json, muster, run};
use crate::world::digests;

const CAMPAIGN: &str = "winback";

/// The demo after it ended: its workspace, and what it printed.
struct Demo {
    _folder: TempDir,
    dir: std::path::PathBuf,
    printed: String,
}

impl Demo {
    fn of(customers: &str) -> Self {
        Self::with(&["--customers", customers])
    }

    fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("shop");
        let Run { stdout, .. } = run(muster().arg("demo").args(arguments).arg("--into").arg(&dir)).ended_with(0);
        Self { _folder: folder, dir, printed: stdout }
    }

    fn ledger(&self) -> Vec<Value> {
        json(&self.dir, &["campaign", "ledger", CAMPAIGN]).as_array().unwrap().clone()
    }

    fn journal(&self) -> Vec<Entry> {
        read_journal(&self.dir.join("sink.journal")).unwrap()
    }
}

fn with_status<'a>(ledger: &'a [Value], status: &str) -> Vec<&'a Value> {
    ledger.iter().filter(|entry| entry["status"] == status).collect()
}

fn texts<'a>(entries: impl IntoIterator<Item = &'a Value>, column: &str) -> BTreeSet<String> {
    entries.into_iter().map(|entry| entry[column].as_str().unwrap().to_owned()).collect()
}

/// The id of a message without the brackets that it has in the header.
fn id(entry: &Entry) -> &str {
    entry.message_id.trim_start_matches('<').trim_end_matches('>')
}

/// What the store holds of every profile: its e-mail address, and whether it agreed.
fn profiles(dir: &Path) -> BTreeMap<String, (Option<String>, Option<bool>)> {
    let query = "SELECT customer_id, email, email_consent FROM profiles";
    let rows = json(dir, &["sql", "-c", query]);
    let profile = |row: &Value| {
        let email = row["email"].as_str().map(str::to_owned);
        (row["customer_id"].as_str().unwrap().to_owned(), (email, row["email_consent"].as_bool()))
    };
    rows.as_array().unwrap().iter().map(profile).collect()
}

#[test]
fn one_command_makes_a_shop_and_mails_exactly_those_whom_it_may() {
    let demo = Demo::of("2000");
    says_what_happened(&demo.printed);
    let (ledger, journal) = (demo.ledger(), demo.journal());
    accounts_for_the_whole_audience_once(&demo, &ledger);
    the_journal_holds_exactly_the_sent_ones(&ledger, &journal);
    nobody_is_mailed_who_did_not_agree(&demo, &ledger, &journal);
    nothing_is_sent_a_second_time(&demo, &journal);
}

fn says_what_happened(printed: &str) {
    for part in [
        "customers               2,000 rows",
        "orders: 19,377 rows read",
        "snapshot 1 is published",
        "lapsed                          436 profiles",
        "top_hundred                     100 profiles",
        "audience 436 = ",
    ] {
        assert!(printed.contains(part), "\"{part}\" is not in\n{printed}");
    }
}

/// Finished means that they add up, and that they are the segment's profiles.
fn accounts_for_the_whole_audience_once(demo: &Demo, ledger: &[Value]) {
    let members: BTreeSet<String> =
        done(&demo.dir, &["segment", "lapsed", "--members"]).lines().map(str::to_owned).collect();
    assert_eq!((ledger.len(), texts(ledger, "profile")), (436, members));
    let counts = ["sent", "skipped", "failed", "uncertain", "control"]
        .map(|status| format!("{} {status}", with_status(ledger, status).len()));
    let identity = format!("audience 436 = {}", counts.join(" + "));
    assert!(demo.printed.contains(&identity), "\"{identity}\" is not in\n{}", demo.printed);
    assert!(!with_status(ledger, "control").is_empty() && !with_status(ledger, "skipped").is_empty());
}

fn the_journal_holds_exactly_the_sent_ones(ledger: &[Value], journal: &[Entry]) {
    let sent = with_status(ledger, "sent");
    let accepted: BTreeSet<String> = journal.iter().map(|entry| id(entry).to_owned()).collect();
    let ours = texts(sent.iter().copied(), "message_id");
    let differing: Vec<&String> = accepted.symmetric_difference(&ours).collect();
    assert!(differing.is_empty(), "only one side knows {differing:?}");
    assert_eq!(accepted.len(), journal.len(), "a message was sent twice");
    let recipients: BTreeSet<String> = journal.iter().map(|entry| entry.recipient.to_lowercase()).collect();
    assert_eq!(recipients.len(), journal.len(), "somebody was written to twice");
    assert!(sent.len() > 200, "{} sent", sent.len());
}

fn nobody_is_mailed_who_did_not_agree(demo: &Demo, ledger: &[Value], journal: &[Entry]) {
    let profiles = profiles(&demo.dir);
    let recipients: BTreeMap<&str, &str> = journal.iter().map(|entry| (id(entry), entry.recipient.as_str())).collect();
    for entry in with_status(ledger, "sent") {
        let (email, agreed) = &profiles[entry["profile"].as_str().unwrap()];
        assert_eq!(*agreed, Some(true), "{entry}");
        assert_eq!(email.as_deref(), Some(recipients[entry["message_id"].as_str().unwrap()]), "{entry}");
    }
    for entry in with_status(ledger, "skipped") {
        if entry["reason"].as_str().unwrap().contains("consent") {
            assert_ne!(profiles[entry["profile"].as_str().unwrap()].1, Some(true), "{entry}");
        }
    }
    for entry in with_status(ledger, "control") {
        assert!(entry["message_id"].is_null(), "{entry}");
    }
}

fn nothing_is_sent_a_second_time(demo: &Demo, journal: &[Entry]) {
    assert_eq!(done(&demo.dir, &["campaign", "run-due"]), "nothing is due\n");
    assert_eq!(demo.journal(), journal);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let told = [Demo::of("300"), Demo::of("300")].map(|demo| {
        let outcome = |entry: &Value| ["profile", "status", "reason", "variant"].map(|column| entry[column].clone());
        let members = done(&demo.dir, &["segment", "lapsed", "--members"]);
        (members, demo.ledger().iter().map(outcome).collect::<Vec<_>>())
    });
    assert!(!told[0].1.is_empty());
    assert_eq!(told[0], told[1]);
}

/// Two shops: one lived through three days and loaded each, the other was loaded as the first then stood.
#[test]
fn after_three_days_the_store_has_every_row_as_the_shop_has_it_and_none_that_is_gone() {
    let demo = Demo::with(&["--customers", "1000", "--days", "3"]);
    let mut deleted = 0;
    for day in ["2025-07-01", "2025-07-02", "2025-07-03"] {
        let line = demo.printed.lines().find(|line| line.starts_with(&format!("  {day} "))).unwrap();
        assert!(line.contains(" new") && line.contains(" changed") && !line.contains("same"), "{line}");
        deleted += u32::from(line.contains(" deleted"));
    }
    assert!(deleted > 0, "{}", demo.printed);
    let stands = tempfile::tempdir().unwrap();
    let shop = Shop { customers: 1_000, seed: 42 };
    shop.write_state_on(3, &stands.path().join("files"), Format::Parquet, &|_| ()).unwrap();
    std::fs::copy(demo.dir.join("muster.toml"), stands.path().join("muster.toml")).unwrap();
    done(stands.path(), &["load"]);
    let (lived, stands) = (digests(&demo.dir), digests(stands.path()));
    assert_eq!(lived.len(), 10);
    assert_eq!(lived, stands);
    assert!(done(&demo.dir, &["load"]).ends_with("nothing new\n"));
}

#[test]
fn a_folder_that_holds_a_workspace_is_not_overwritten() {
    let folder = crate::world::corner_shop();
    let refused = run(muster().args(["demo", "--customers", "10", "--into"]).arg(folder)).ended_with(1);
    assert!(refused.stderr.contains("holds a loaded workspace already; name another folder"), "{}", refused.stderr);
}
