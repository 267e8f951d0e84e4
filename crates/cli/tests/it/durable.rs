//! What outlives accidents: backups and restores, damaged and missing files, full disks, copies of a workspace, newer files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{call, done, json, muster, muster_in, rows, run};
use crate::world::workspace_of;

const DEFINITION: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }
name = { type = "text" }
email = { type = "text", role = "email" }
agreed = { type = "bool", role = "consent.email" }

[tables.orders]
source = "files/orders*.csv"
key = "order"
parent = "profiles"
on = "customer"
time = "at"

[tables.orders.columns]
order = { type = "id" }
customer = { type = "id" }
at = { type = "timestamp" }
total = { type = "decimal(12,2)" }

[channels.email]
kind = "console"
"#;

const CAMPAIGN: &str = r#"
objective = "retain"
purpose = "service"
enter = { segment = "everyone" }

[[steps]]
id = "news"
send = { email = "news" }
then = "end"
"#;

const TEMPLATE: &str = "---\nsubject: News\n---\nHello {{ profile.name }}\n";
const COUNT_ORDERS: &str = "SELECT count(*), sum(total) FROM orders";

/// A workspace of two customers and three orders, loaded.
fn shop() -> TempDir {
    shop_with(&orders(0..3))
}

fn shop_with(orders: &str) -> TempDir {
    let folder = workspace_of(&[
        ("muster.toml", DEFINITION),
        ("files/customers.csv", "id,name,email,agreed\n1,Ann,ann@shop.example,true\n2,Bob,bob@shop.example,true\n"),
        ("files/orders.csv", orders),
        ("queries/everyone.sql", "CREATE SEGMENT everyone AS WHERE email IS NOT NULL;\n"),
        ("campaigns/news.toml", CAMPAIGN),
        ("templates/news.nl.txt", TEMPLATE),
    ]);
    done(folder.path(), &["load"]);
    done(folder.path(), &["apply"]);
    folder
}

/// A file of orders; each is worth its number.
fn orders(numbers: std::ops::Range<usize>) -> String {
    let line =
        |number: usize| format!("o{number},{},2025-01-{:02} 10:00:00,{number}\n", number % 2 + 1, number % 28 + 1);
    format!("order,customer,at,total\n{}", numbers.map(line).collect::<String>())
}

fn backup_of(dir: &Path) -> PathBuf {
    let file = dir.join("backup.tar");
    done(dir, &["backup", file.to_str().unwrap()]);
    file
}

fn restore(file: &Path, into: &Path) -> crate::binary::Run {
    run(muster().arg("restore").arg(file).arg("--into").arg(into))
}

fn digests(dir: &Path) -> Value {
    json(dir, &["doctor", "--digest"])["digests"].clone()
}

/// The only file of a block of `table`.
fn block(dir: &Path, table: &str) -> PathBuf {
    let files = fs::read_dir(dir.join("data/blocks")).unwrap().map(|entry| entry.unwrap().path());
    let is_block = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{table}.00000."));
    files.into_iter().find(is_block).unwrap()
}

fn flip(file: &Path, place: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[place] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_was_backed_up_is_restored_elsewhere_with_its_texts() {
    let (shop, other) = (shop(), tempfile::tempdir().unwrap());
    let file = backup_of(shop.path());
    fs::write(shop.path().join("files/orders2.csv"), orders(3..9)).unwrap();
    done(shop.path(), &["load"]);
    let restored = restore(&file, other.path()).ended_with(0).stdout;
    assert!(restored.contains("nothing is sent from here until `muster campaign take-over`"), "{restored}");
    assert_eq!(rows(other.path(), COUNT_ORDERS), ["3,3.00"]);
    assert_eq!(done(other.path(), &["segment", "everyone", "--members"]), "1\n2\n");
    assert_eq!(fs::read_to_string(other.path().join("templates/news.nl.txt")).unwrap(), TEMPLATE);
    assert_eq!(rows(shop.path(), COUNT_ORDERS), ["9,36.00"]);
    let (from, to) = (json(shop.path(), &["doctor"]), json(other.path(), &["doctor"]));
    assert_ne!(from["instance"], to["instance"]);
    // The files that went in before the backup are known.
    fs::create_dir(other.path().join("files")).unwrap();
    fs::write(other.path().join("files/orders.csv"), orders(0..3)).unwrap();
    assert!(done(other.path(), &["load", "orders"]).contains("nothing new"));
}

#[test]
fn a_backup_can_be_opened_without_muster() {
    let (shop, out) = (shop(), tempfile::tempdir().unwrap());
    let file = backup_of(shop.path());
    let checked = Command::new("sh")
        .args(["-c", "tar xf \"$1\" -C \"$2\" && cd \"$2\" && sha256sum -c SHA256SUMS", "sh"])
        .args([&file, out.path()])
        .output()
        .unwrap();
    let lines = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{lines}");
    assert!(lines.contains("data/state.db: OK\n") && lines.contains("muster.toml: OK\n"), "{lines}");
    assert_eq!(
        fs::read(out.path().join("queries/everyone.sql")).unwrap(),
        fs::read(shop.path().join("queries/everyone.sql")).unwrap()
    );
}

#[test]
fn a_backup_never_replaces_a_file_and_a_restore_never_replaces_data() {
    let shop = shop();
    let file = backup_of(shop.path());
    let again = call(shop.path(), ["backup", file.to_str().unwrap()]).ended_with(4).stderr;
    assert!(again.contains("is there already"), "{again}");
    let refused = restore(&file, shop.path()).ended_with(4).stderr;
    assert!(refused.contains("data is not empty"), "{refused}");
    assert_eq!(rows(shop.path(), COUNT_ORDERS), ["3,3.00"]);
}

#[test]
fn a_backup_of_damaged_files_is_not_made() {
    let shop = shop();
    flip(&block(shop.path(), "orders"), 100);
    let refused = call(shop.path(), ["backup", "backup.tar"]).ended_with(1).stderr;
    assert!(refused.contains("orders.00000") && refused.contains("is damaged"), "{refused}");
    assert!(!shop.path().join("backup.tar").exists() && !shop.path().join("data/backup").exists());
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let (shop, other) = (shop(), tempfile::tempdir().unwrap());
    let file = backup_of(shop.path());
    let whole = fs::read(&file).unwrap();
    for place in (300..whole.len() - 2048).step_by(whole.len() / 12) {
        // What fills up the blocks of the archive may be anything.
        let place = (place..).find(|place| whole[*place] != 0).unwrap();
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&file, changed).unwrap();
        let refused = restore(&file, other.path()).ended_with(1).stderr;
        assert!(refused.contains("damaged") || refused.contains("no whole backup"), "byte {place}: {refused}");
        assert!(fs::read_dir(other.path()).unwrap().next().is_none(), "byte {place}");
    }
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let refused = restore(&file, other.path()).ended_with(1).stderr;
    assert!(refused.contains("is no whole backup"), "{refused}");
    fs::write(&file, whole).unwrap();
    restore(&file, other.path()).ended_with(0);
}

/// A running serve; it is killed when the test ends.
struct Serve(Child);

impl Serve {
    fn start(dir: &Path) -> Self {
        let mut serve = muster_in(dir);
        let mut child = serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "{line}");
        Self(child)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn backups_beside_a_running_serve_are_of_one_moment_each() {
    let shop = shop();
    let _serve = Serve::start(shop.path());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (over, dir) = (&is_over, shop.path());
        let sent = scope.spawn(move || send_orders(dir, over));
        for number in 0..3 {
            let (file, other) = (dir.join(format!("backup{number}.tar")), tempfile::tempdir().unwrap());
            done(dir, &["backup", file.to_str().unwrap()]);
            restore(&file, other.path()).ended_with(0);
            done(other.path(), &["doctor"]);
            // Orders come in pairs of 1 and -1, each pair with one commit.
            let found = rows(other.path(), "SELECT sum(total), count(*) % 2 FROM orders WHERE total IN (1000, -1000)");
            assert!(["0.00,0", ",0", "NULL,0"].contains(&found[0].as_str()), "{found:?}");
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(sent.join().unwrap() > 3);
    });
}

/// Sends pairs of orders until it is over; how many pairs were kept.
fn send_orders(dir: &Path, is_over: &AtomicBool) -> usize {
    let mut stream = UnixStream::connect(dir.join("data/serve.sock")).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut kept = 0;
    while !is_over.load(Ordering::Relaxed) {
        let row = |order: String, total: i32| json!({"order": order, "customer": "1", "at": "2025-02-01 10:00:00", "total": total});
        let rows = [row(format!("a{kept}"), 1000), row(format!("b{kept}"), -1000)];
        let request = json!({"muster": 1, "request": {"rows": {"table": "orders", "rows": rows}}});
        stream.write_all(format!("{request}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("answer"), "{answer}");
        kept += 1;
    }
    kept
}

#[test]
fn a_damaged_block_is_named_and_the_other_tables_are_read_on() {
    let shop = shop();
    let file = backup_of(shop.path());
    let (before, damaged) = (digests(shop.path()), block(shop.path(), "orders"));
    let name = damaged.file_name().unwrap().to_str().unwrap();
    done(shop.path(), &["doctor"]);
    flip(&damaged, fs::metadata(&damaged).unwrap().len() as usize / 2);
    let query = call(
        shop.path(),
        ["sql", "-c", "SELECT count(*), sum(total), max(at), min(\"order\"), count(DISTINCT customer) FROM orders"],
    );
    let said = query.ended_with(1).stderr;
    assert!(said.contains(name) && said.contains("doctor --mend"), "{said}");
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM profiles"), ["2"]);
    let found = call(shop.path(), ["--json", "doctor"]).ended_with(1).document();
    let problem = &found["problems"][0];
    assert_eq!((&problem["kind"], &problem["table"]), (&json!("file"), &json!("orders")), "{found}");
    assert!(problem["path"].as_str().unwrap().ends_with(name) && problem["what"].as_str().unwrap().contains("bytes"));
    assert!(problem["hint"].as_str().unwrap().contains("--mend"), "{found}");
    let mended = done(shop.path(), &["doctor", "--mend", file.to_str().unwrap()]);
    assert!(mended.contains("every byte is what was written"), "{mended}");
    assert_eq!(digests(shop.path()), before);
}

#[test]
fn what_is_put_into_quarantine_is_read_by_nobody_and_comes_back_from_a_backup() {
    let shop = shop();
    let file = backup_of(shop.path());
    let damaged = block(shop.path(), "profiles");
    flip(&damaged, 10);
    let said = call(shop.path(), ["doctor", "--quarantine"]).ended_with(1).stdout;
    assert!(said.contains("it is not there") && said.contains("1 damaged files lie in"), "{said}");
    assert!(!damaged.exists());
    let said = call(shop.path(), ["sql", "-c", "SELECT id FROM profiles"]).ended_with(1).stderr;
    assert!(said.contains("is not there") && said.contains("doctor --mend"), "{said}");
    let mended = done(shop.path(), &["doctor", "--mend", file.to_str().unwrap()]);
    assert!(mended.contains("every byte is what was written"), "{mended}");
    assert_eq!(rows(shop.path(), "SELECT id FROM profiles ORDER BY id"), ["1", "2"]);
}

#[test]
fn a_backup_of_another_time_mends_nothing_that_it_does_not_have() {
    let (shop, other) = (shop(), shop_with(&orders(3..9)));
    let stranger = backup_of(other.path());
    flip(&block(shop.path(), "orders"), 50);
    let said = call(shop.path(), ["doctor", "--mend", stranger.to_str().unwrap()]).ended_with(1);
    // It has a block of that name, with other orders.
    assert!(said.stdout.contains("1 problem"), "{}", said.stdout);
}

#[test]
fn files_of_nobody_are_told_and_are_no_fault() {
    let shop = shop();
    fs::write(shop.path().join("data/blocks/orders.00000.9.parquet.tmp"), "half").unwrap();
    let said = done(shop.path(), &["doctor"]);
    assert!(said.contains("1 files in") && said.contains("belong to no snapshot"), "{said}");
}

#[test]
fn a_damaged_state_is_found_page_by_page() {
    let shop = shop();
    let state = shop.path().join("data/state.db");
    let whole = fs::read(&state).unwrap();
    let mut changed = whole.clone();
    changed[8192..12_288].fill(0x5A);
    fs::write(&state, changed).unwrap();
    let said = call(shop.path(), ["--json", "doctor"]).ended_with(1).document();
    assert_eq!(said["problems"][0]["kind"], "state", "{said}");
    assert!(said["problems"][0]["hint"].as_str().unwrap().contains("muster restore"));
    fs::write(&state, "not a database any more").unwrap();
    let said = call(shop.path(), ["doctor"]).ended_with(1).stdout;
    assert!(said.contains("state.db") && said.contains("muster restore"), "{said}");
}

#[test]
fn the_state_of_a_newer_muster_is_refused_in_one_line_by_every_command() {
    let shop = shop();
    let state = shop.path().join("data/state.db");
    let mut bytes = fs::read(&state).unwrap();
    // The header of SQLite has the `user_version` there.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&state, &bytes).unwrap();
    for command in [&["load"][..], &["status"], &["sql", "-c", "SELECT 1"], &["doctor"], &["backup", "b.tar"]] {
        let said = call(shop.path(), command).ended_with(1).stderr;
        assert_eq!(said.lines().count(), 1, "{command:?}: {said}");
        assert!(said.contains("state.db: a newer muster wrote this (format 99"), "{command:?}: {said}");
    }
    assert_eq!(fs::read(&state).unwrap(), bytes);
}

#[test]
fn a_copied_workspace_loads_and_answers_and_sends_nothing_until_it_takes_over() {
    let shop = shop();
    done(shop.path(), &["campaign", "publish", "news"]);
    let other = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(shop.path().join(".")).arg(other.path()).status().unwrap();
    assert!(copied.success());
    fs::write(other.path().join("files/orders2.csv"), orders(3..5)).unwrap();
    done(other.path(), &["load"]);
    assert_eq!(rows(other.path(), COUNT_ORDERS), ["5,10.00"]);
    let refused = call(other.path(), ["campaign", "run-due"]).ended_with(4).stderr;
    assert!(refused.contains("is a copy of another one") && refused.contains("take-over"), "{refused}");
    assert!(done(other.path(), &["doctor"]).contains("note: this is a copy"));
    done(other.path(), &["campaign", "take-over"]);
    let sent = done(other.path(), &["campaign", "run-due"]);
    assert!(sent.contains("to ann@shop.example: News") && sent.contains("to bob@shop.example: News"), "{sent}");
    // Where it was copied from nothing has changed.
    done(shop.path(), &["campaign", "run-due"]);
}

/// `muster load` that may not write files of more bytes than this.
fn load_within(dir: &Path, kib: u32) -> crate::binary::Run {
    let line = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib * 2);
    run(Command::new("sh").args(["-c", &line, "sh", env!("CARGO_BIN_EXE_muster"), "--dir"]).arg(dir).arg("load"))
}

#[test]
fn a_load_that_finds_no_room_changes_nothing_and_works_when_there_is() {
    let shop = shop();
    let before = digests(shop.path());
    fs::write(shop.path().join("files/orders2.csv"), orders(3..20_000)).unwrap();
    let failed = load_within(shop.path(), 16).ended_with(1);
    assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
    assert!(failed.stderr.contains("File too large") || failed.stderr.contains("disk"), "{}", failed.stderr);
    assert_eq!(digests(shop.path()), before);
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM orders"), ["20000"]);
    done(shop.path(), &["doctor"]);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let shop = shop();
    // Not even root writes into what is a file.
    fs::rename(shop.path().join("data/blocks"), shop.path().join("data/aside")).unwrap();
    fs::write(shop.path().join("data/blocks"), "in the way").unwrap();
    fs::write(shop.path().join("files/orders2.csv"), orders(3..9)).unwrap();
    let failed = call(shop.path(), ["load"]).ended_with(1).stderr;
    assert!(failed.contains("data/blocks"), "{failed}");
    fs::remove_file(shop.path().join("data/blocks")).unwrap();
    fs::rename(shop.path().join("data/aside"), shop.path().join("data/blocks")).unwrap();
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), COUNT_ORDERS), ["9,36.00"]);
}
