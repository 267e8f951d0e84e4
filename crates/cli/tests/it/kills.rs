//! The sender is killed, again and again, while twenty thousand messages go out; then everything must add up.
//!
//! The mail server is a process of its own and lives on: its journal is the truth about what left. A kill is timed by
//! what is on disk: it comes when so many of its lines are new, or the state has changed, whatever the machine's speed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use muster_demo::sink::{Entry, read_journal, wait_for_port};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{done, json, muster, muster_in};
use crate::world::workspace_of;

const MESSAGES: usize = 20_000;
const CONNECTIONS: usize = 4;
const KILLS: usize = 30;
/// Every fifth kill comes with the first word that a sender writes: it is still clearing up after the one before.
const EARLY: usize = 5;
const SIGKILL: i32 = 9;

const DEFINITION: &str = r#"
[workspace]
name = "kills"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "customer_id"

[tables.profiles.columns]
customer_id = { type = "id" }
email = { type = "text", role = "email" }
agreed = { type = "bool", true = ["J"], false = ["N"], role = "consent.email" }

[channels.email]
kind = "smtp"
host = "127.0.0.1"
port = PORT
from = "Shop <news@shop.example>"
connections = CONNECTIONS
"#;

const CAMPAIGN: &str = r#"
objective = "retain"
purpose = "marketing"
enter = { segment = "everyone" }

[[steps]]
id = "news"
send = { email = "news" }
then = "end"
"#;

const TEMPLATE: &str =
    "---\nsubject: News\n---\nHello {{ profile.customer_id }}, no more of this: {{ links.unsubscribe }}\n";

/// The mail server; it ends with the test.
struct Sink {
    child: Child,
    folder: TempDir,
}

impl Sink {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let child = muster()
            .args(["sink".as_ref(), "--journal".as_ref(), at("journal").as_os_str()])
            .args(["--port-file".as_ref(), at("port").as_os_str()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn port(&self) -> u16 {
        wait_for_port(&self.folder.path().join("port"), Duration::from_secs(60)).unwrap()
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// How many lines the journal has, read on from where the last look ended.
struct Lines {
    file: File,
    count: usize,
}

impl Lines {
    fn of(journal: &Path) -> Self {
        Self { file: File::open(journal).unwrap(), count: 0 }
    }

    fn count(&mut self) -> usize {
        let mut new = Vec::new();
        self.file.read_to_end(&mut new).unwrap();
        self.count += new.iter().filter(|byte| **byte == b'\n').count();
        self.count
    }
}

fn world(port: u16) -> TempDir {
    let customer = |number: usize| format!("K{number:05},k{number:05}@shop.example,J\n");
    let customers: String = (0..MESSAGES).map(customer).collect();
    let definition = DEFINITION.replace("PORT", &port.to_string()).replace("CONNECTIONS", &CONNECTIONS.to_string());
    let folder = workspace_of(&[
        ("muster.toml", &definition),
        ("customers.csv", &format!("customer_id,email,agreed\n{customers}")),
        ("queries/everyone.sql", "CREATE SEGMENT everyone AS WHERE email IS NOT NULL;\n"),
        ("campaigns/news.toml", CAMPAIGN),
        ("templates/news.nl.txt", TEMPLATE),
    ]);
    for arguments in [&["load"][..], &["apply"], &["campaign", "publish", "news"]] {
        done(folder.path(), arguments);
    }
    folder
}

fn send(dir: &Path) -> Child {
    muster_in(dir).args(["campaign", "run-due", "news"]).stdout(Stdio::null()).spawn().unwrap()
}

/// Kills the sender once `is_time`. Whether it did: the sender may have come to its end before.
fn kill_when(mut sender: Child, mut is_time: impl FnMut() -> bool) -> bool {
    while !is_time() && sender.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    // One that has ended meanwhile cannot be killed, and says so by how it ended.
    let _ = sender.kill();
    sender.wait().unwrap().signal() == Some(SIGKILL)
}

/// Kills one sender after the other; how many of them were at work.
fn kill_and_start_again(dir: &Path, journal: &Path) -> usize {
    let (mut lines, state) = (Lines::of(journal), dir.join("data/state.db-wal"));
    let written = || fs::metadata(&state).and_then(|file| file.modified()).ok();
    let mut at_work = 0;
    for kill in 1..=KILLS {
        let is_early = kill % EARLY == 0;
        let (before, goal) = (written(), lines.count() + MESSAGES / (KILLS + 10) + kill);
        let is_time = || if is_early { written() != before } else { lines.count() >= goal };
        assert!(kill_when(send(dir), is_time), "the sender was done before kill {kill}");
        at_work += usize::from(!is_early);
    }
    at_work
}

#[test]
fn thirty_kills_lose_nobody_and_mail_nobody_twice() {
    let sink = Sink::start();
    let world = world(sink.port());
    let at_work = kill_and_start_again(world.path(), &sink.journal());
    let summaries = json(world.path(), &["campaign", "run-due", "news"]);
    let ledger = json(world.path(), &["campaign", "ledger", "news"]);
    let ledger = Ledger::of(ledger.as_array().unwrap());
    assert!(at_work >= 20, "{at_work} kills hit a sender at work");
    assert_eq!(summaries[0]["finished"], true, "{summaries}");
    everyone_is_accounted_for_once(&ledger);
    let journal = read_journal(&sink.journal()).unwrap();
    assert_eq!(complaints(&ledger, &journal), [""; 0]);
    println!(
        "{MESSAGES} messages, {KILLS} kills ({at_work} while the journal grew): {} sent, {} uncertain, of which {} had left",
        ledger.sent.len(),
        ledger.uncertain.len(),
        journal.len() - ledger.sent.len()
    );
}

/// The ids of the messages by what became of them.
struct Ledger {
    profiles: BTreeSet<String>,
    sent: BTreeSet<String>,
    uncertain: BTreeSet<String>,
}

impl Ledger {
    fn of(entries: &[Value]) -> Self {
        let texts = |status: Option<&str>, column: &str| {
            let wanted = entries.iter().filter(|entry| status.is_none_or(|status| entry["status"] == status));
            wanted.map(|entry| entry[column].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(entries.len(), MESSAGES, "one decision each");
        Self {
            profiles: texts(None, "profile"),
            sent: texts(Some("sent"), "message_id"),
            uncertain: texts(Some("uncertain"), "message_id"),
        }
    }
}

/// Nobody was skipped, failed or held out, so all are sent or uncertain; the kills did meet messages on their way, and
/// not more of them than there were connections.
fn everyone_is_accounted_for_once(Ledger { profiles, sent, uncertain }: &Ledger) {
    assert_eq!(profiles.len(), MESSAGES);
    assert_eq!(sent.len() + uncertain.len(), MESSAGES);
    assert!(sent.is_disjoint(uncertain));
    assert!((1..=CONNECTIONS * KILLS).contains(&uncertain.len()), "{} uncertain", uncertain.len());
}

/// What is wrong between the ledger and the server: what it accepted must be what was sent, and some of the uncertain.
fn complaints(Ledger { sent, uncertain, .. }: &Ledger, journal: &[Entry]) -> Vec<String> {
    let accepted: BTreeSet<&str> = journal.iter().map(|entry| entry.message_id.trim_matches(['<', '>'])).collect();
    let recipients: BTreeSet<&str> = journal.iter().map(|entry| entry.recipient.as_str()).collect();
    let mut complaints = Vec::new();
    if accepted.len() < journal.len() || recipients.len() < journal.len() {
        complaints.push("somebody was mailed twice".to_owned());
    }
    let lost = sent.iter().filter(|id| !accepted.contains(id.as_str()));
    complaints.extend(lost.map(|id| format!("{id} was sent and never accepted")));
    let unknown = accepted.iter().filter(|id| !sent.contains(**id) && !uncertain.contains(**id));
    complaints.extend(unknown.map(|id| format!("{id} was accepted and never sent")));
    complaints
}

#[test]
fn a_message_too_many_or_too_few_is_found() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let ledger = Ledger { profiles: ids(&[]), sent: ids(&["a", "b"]), uncertain: ids(&["c", "d"]) };
    let entry = |(sequence, message): (u64, &&str)| Entry {
        sequence,
        message_id: format!("<{message}>"),
        recipient: format!("{message}@shop.example"),
        sha256: "0".repeat(64),
        bytes: 1,
    };
    for (accepted, expected) in [
        (&["a", "c", "b"][..], &[][..]),
        (&["a", "b", "a"], &["somebody was mailed twice"]),
        (&["b", "c"], &["a was sent and never accepted"]),
        (&["a", "b", "e"], &["e was accepted and never sent"]),
    ] {
        let journal: Vec<Entry> = (1..).zip(accepted).map(entry).collect();
        assert_eq!(complaints(&ledger, &journal), expected, "{accepted:?}");
    }
}
