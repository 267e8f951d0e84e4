//! `muster serve`: commands beside it, rows through its socket, and its ends, those by force included.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Run, call, done, json, muster, muster_in, rows, run};
use crate::world::{own_corner_shop, workspace_of};

/// A running serve; it is killed when the test ends.
pub struct Serve {
    child: Child,
    dir: PathBuf,
    address: String,
    said: Option<JoinHandle<String>>,
}

impl Serve {
    pub fn start(dir: &Path) -> Self {
        let mut serve = muster_in(dir);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = serve.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        let said = thread::spawn(move || {
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).unwrap();
            rest
        });
        Self { child, dir: dir.to_owned(), address, said: Some(said) }
    }

    /// Status and body of what HTTP answers.
    fn get(&self, path: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("data/serve.sock")
    }

    /// The answers to these lines.
    fn ask(&self, lines: &[String]) -> Vec<Value> {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        lines.iter().for_each(|line| stream.write_all(format!("{line}\n").as_bytes()).unwrap());
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    /// What becomes of rows of a table.
    pub fn send(&self, table: &str, rows: &Value) -> Value {
        let request = json!({"muster": 1, "request": {"rows": {"table": table, "rows": rows}}});
        self.ask(&[request.to_string()]).remove(0)
    }

    fn signal(&mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }

    /// What it said after it was listening, once it has ended.
    fn said(&mut self) -> String {
        self.said.take().unwrap().join().unwrap()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const DEFINITION: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
error_budget = 2

[tables.profiles.columns]
id = { type = "id" }
born = { type = "date" }
name = { type = "text" }
agreed = { type = "bool", role = "consent.email" }

[tables.orders]
source = "files/orders*.csv"
key = "order"
parent = "profiles"
on = "customer"
time = "at"
where = "channel <> 'test'"

[tables.orders.columns]
order = { type = "id" }
customer = { type = "id" }
at = { type = "timestamp" }
total = { type = "decimal(12,2)" }
channel = { type = "text" }

[tables.clicks]
source = "files/clicks*.csv"
parent = "profiles"
on = "customer"
time = "at"
missing_parent = "reject"

[tables.clicks.columns]
customer = { type = "id" }
at = { type = "timestamp" }
"#;

/// A workspace with three customers, one order and one click, loaded.
fn few() -> TempDir {
    let workspace = workspace_of(&[
        ("muster.toml", DEFINITION),
        ("files/customers.csv", "id,born,name,agreed\n1,1980-01-01,Ann,yes\n2,1990-01-01,Bo,no\n3,,Cy,\n"),
        ("files/orders.csv", "order,customer,at,total,channel\nA,1,2025-01-01 10:00:00,10.00,web\n"),
        ("files/clicks.csv", "customer,at\n1,2025-01-01 10:00:00\n"),
    ]);
    done(workspace.path(), &["load"]);
    workspace
}

#[test]
fn a_load_beside_a_running_serve_is_done_by_it_and_seen_by_a_reader() {
    let shop = own_corner_shop();
    let dir = shop.path();
    let serve = Serve::start(dir);
    assert_eq!(serve.get("/livez"), (200, json!({"status": "live"})));
    let (status, ready) = serve.get("/readyz");
    assert_eq!((status, &ready["status"]), (200, &json!("ready")), "{ready}");
    let before = json(dir, &["status"])["snapshot"]["number"].as_u64().unwrap();
    let stores = dir.join("files/stores.csv");
    let text = fs::read_to_string(&stores).unwrap() + "S099,Terschelling,Terschelling,53.36,5.22,8881\n";
    fs::write(&stores, text).unwrap();
    let report = json(dir, &["load"]);
    assert_eq!(report["snapshot"], before + 1);
    assert_eq!(rows(dir, "SELECT city FROM stores WHERE store_id = 'S099'"), ["Terschelling"]);
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
}

/// Runs the same commands in two equal workspaces, in one of them beside a serve: nobody can tell which is which.
#[test]
fn what_is_handed_over_ends_and_says_the_same_as_what_is_done_here() {
    let (alone, served) = (few(), few());
    let serve = Serve::start(served.path());
    for dir in [alone.path(), served.path()] {
        fs::create_dir(dir.join("queries")).unwrap();
        fs::write(dir.join("queries/adults.sql"), "CREATE SEGMENT adults AS WHERE born < DATE '2000-01-01';\n")
            .unwrap();
        fs::write(dir.join("files/customers-2.csv"), "id,born,name,agreed\n4,31/02/2026,Di,\n5,,Ed,\n").unwrap();
        fs::write(dir.join("files/customers-3.csv"), "id,born,name,agreed\n6,x,,\n7,x,,\n8,x,,\n").unwrap();
    }
    for (arguments, code) in [
        (&["load", "--file", "files/customers-2.csv"][..], 3),
        (&["--json", "load", "orders", "--dry-run"], 0),
        (&["load", "--file", "files/customers-3.csv"], 4),
        (&["load", "prders"], 1),
        (&["apply"], 0),
        (
            &[
                "--json",
                "sql",
                "-c",
                "CREATE SEGMENT young AS WHERE born >= DATE '1985-01-01'; SELECT count(*) AS n FROM profiles",
            ],
            0,
        ),
        (&["sql", "-c", "CREATE SEGMENT young AS WHERE name = 'Ann'"], 4),
        (&["--as-of", "1985-06-01", "sql", "-c", "CREATE SEGMENT now AS WHERE born < now()"], 0),
        (&["campaign", "pause", "nobody"], 1),
        (&["campaign", "publish", "nobody"], 1),
        (&["--json", "campaign", "run-due"], 0),
        (&["sql", "-c", "DROP SEGMENT young"], 0),
    ] {
        let [here, there] = [alone.path(), served.path()].map(|dir| {
            let Run { code, stdout, stderr } = run(muster_in(dir).args(arguments).current_dir(dir));
            let plain = |text: String| text.replace(fs::canonicalize(dir).unwrap().to_str().unwrap(), "DIR");
            (code, plain(stdout), plain(stderr))
        });
        assert_eq!(here.0, code, "{arguments:?}: {here:?}");
        assert_eq!(here, there, "{arguments:?}");
    }
    assert_eq!(json(alone.path(), &["segments"]), json(served.path(), &["segments"]));
    drop(serve);
}

#[test]
fn rows_are_visible_when_they_are_acknowledged_and_bad_ones_are_named() {
    let workspace = few();
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let sent = json!([
        {"order": "B", "customer": "1", "at": "2025-02-01T10:00:00", "total": 12.50, "channel": "web"},
        {"order": "C", "customer": "2", "at": "yesterday", "total": 1, "channel": "web"},
        7,
        {"order": "D", "customer": "2", "at": "2025-02-02T10:00:00", "channel": "test"},
        {"customer": "2", "at": "2025-02-02T10:00:00", "channel": "web"},
        {"order": "E", "customer": "3", "at": "2025-02-03T10:00:00", "channel": "shop"},
    ]);
    let answer = serve.send("orders", &sent);
    let answer = &answer["answer"]["rows"];
    let bad: Vec<(u64, &Value)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["row"].as_u64().unwrap(), &row["column"]))
        .collect();
    assert_eq!(bad, [(1, &json!("at")), (2, &Value::Null), (4, &json!("order"))], "{answer}");
    assert_eq!((&answer["committed"], &answer["filtered"], &answer["snapshot"]), (&json!(2), &json!(1), &json!(2)));
    let orders = "SELECT \"order\", total FROM orders ORDER BY \"order\"";
    assert_eq!(rows(dir, orders), ["A,10.00", "B,12.50", "E,"]);
    // What was sent before is the same; what is newer replaces it.
    serve.send("orders", &sent);
    assert_eq!(rows(dir, orders), ["A,10.00", "B,12.50", "E,"]);
    let later = json!([
        {"order": "B", "customer": "1", "at": "2025-02-01T10:00:00", "total": 13, "channel": "web"},
        {"order": "B", "customer": "1", "at": "2025-02-01T10:00:00", "total": 14.25, "channel": "web"},
    ]);
    assert_eq!(serve.send("orders", &later)["answer"]["rows"]["committed"], 2);
    assert_eq!(rows(dir, orders), ["A,10.00", "B,14.25", "E,"]);
}

#[test]
fn rows_without_a_parent_are_rejected_by_index_where_the_table_says_so() {
    let workspace = few();
    let serve = Serve::start(workspace.path());
    let at = "2025-02-01T10:00:00";
    let sent = json!([{"customer": "1", "at": at}, {"customer": "9", "at": at}, {"customer": "2", "at": at}, {"customer": "9", "at": at}]);
    let answer = serve.send("clicks", &sent);
    let answer = &answer["answer"]["rows"];
    let rejected: Vec<&Value> = answer["rejected"].as_array().unwrap().iter().map(|row| &row["row"]).collect();
    assert_eq!((&answer["committed"], rejected), (&json!(2), vec![&json!(1), &json!(3)]), "{answer}");
    assert_eq!(rows(workspace.path(), "SELECT count(*) FROM clicks"), ["3"]);
}

#[test]
fn consent_that_comes_as_a_row_is_kept_with_it() {
    let workspace = few();
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let answer = serve.send("profiles", &json!([{"id": "4", "name": "Di", "agreed": true}]));
    assert_eq!(answer["answer"]["rows"]["committed"], 1, "{answer}");
    assert_eq!(rows(dir, "SELECT id FROM profiles WHERE agreed ORDER BY id"), ["1", "4"]);
}

/// Rows without a key count as often as one batch has them, so a batch that is sent again changes nothing.
#[test]
fn a_batch_that_is_sent_again_changes_nothing() {
    let workspace = few();
    let serve = Serve::start(workspace.path());
    let twice = json!([{"customer": "2", "at": "2025-02-01T10:00:00"}, {"customer": "2", "at": "2025-02-01T10:00:00"}]);
    for _ in 0..3 {
        assert_eq!(serve.send("clicks", &twice)["answer"]["rows"]["committed"], 2);
        assert_eq!(rows(workspace.path(), "SELECT count(*) FROM clicks"), ["3"]);
    }
}

#[test]
fn rows_come_before_the_first_load_where_their_columns_are_declared() {
    let workspace = workspace_of(&[("muster.toml", DEFINITION)]);
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let order = json!([{"order": "A", "customer": "7", "at": "2025-02-01T10:00:00", "channel": "web"}]);
    assert_eq!(serve.send("orders", &order)["answer"]["rows"]["committed"], 1);
    assert_eq!(rows(dir, "SELECT count(*) FROM orders"), ["0"]);
    // It waited for its parent.
    assert_eq!(serve.send("profiles", &json!([{"id": "7"}]))["answer"]["rows"]["committed"], 1);
    assert_eq!(rows(dir, "SELECT count(*) FROM orders"), ["1"]);
}

#[test]
fn a_table_that_loads_replace_takes_no_rows() {
    let workspace =
        workspace_of(&[("muster.toml", &DEFINITION.replace("key = \"id\"", "key = \"id\"\nmode = \"replace\""))]);
    let serve = Serve::start(workspace.path());
    let refused = serve.send("profiles", &json!([{"id": "7"}]));
    let message = "a load of `profiles` replaces what is there, so no rows can be added to it";
    assert_eq!(refused["error"]["message"], message, "{refused}");
}

/// Rows from many connections beside loads: every one that was acknowledged is there, once.
#[test]
fn nothing_that_was_acknowledged_is_lost_between_rows_and_loads() {
    const SENDERS: usize = 4;
    const ROWS: usize = 10;
    let workspace = few();
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let order = |sender: usize, row: usize| json!([{"order": format!("{sender}-{row}"), "customer": "1", "at": "2025-02-01T10:00:00", "channel": "web"}]);
    let send = |sender: usize| {
        (0..ROWS).filter(|row| serve.send("orders", &order(sender, *row))["answer"]["rows"]["committed"] == 1).count()
    };
    let acknowledged: usize = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || send(sender))).collect();
        for number in 2..5 {
            fs::write(
                dir.join(format!("files/customers-{number}.csv")),
                format!("id,born,name,agreed\nX{number},,,\n"),
            )
            .unwrap();
            done(dir, &["load"]);
        }
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert_eq!(acknowledged, SENDERS * ROWS);
    assert_eq!(rows(dir, "SELECT count(*), count(DISTINCT \"order\") FROM orders"), ["41,41"]);
    assert_eq!(rows(dir, "SELECT count(*) FROM profiles"), ["6"]);
}

#[test]
fn a_table_or_column_that_there_is_not_is_refused_with_the_nearest() {
    let workspace = few();
    let serve = Serve::start(workspace.path());
    let error = |answer: &Value| {
        [&answer["error"]["kind"], &answer["error"]["message"], &answer["error"]["hint"]]
            .map(Value::to_string)
            .join(" ")
    };
    assert_eq!(
        error(&serve.send("order", &json!([{}]))),
        r#""refused" "there is no table `order` in muster.toml" "did you mean `orders`?""#
    );
    let slip = json!([{"order": "F", "customer": "1", "at": "2025-02-01T10:00:00", "totl": 1}]);
    assert_eq!(
        error(&serve.send("orders", &slip)),
        r#""refused" "`orders` has no column `totl`" "did you mean `total`?""#
    );
    assert_eq!(serve.send("orders", &json!([]))["answer"]["rows"]["committed"], 0);
}

#[test]
fn malformed_requests_are_answered_with_their_place() {
    let workspace = few();
    let serve = Serve::start(workspace.path());
    let lines = [
        "{\"muster\":1,\"request\":{\"load\":{\"tables\":[],\"tables\":[]}}}",
        "{\"muster\":1,\"request\":{\"load\":{\"table\":\"orders\"}}}",
        "{\"muster\":2,\"request\":{\"load\":{}}}",
        "{\"muster\":1,\"request\":{\"unload\":{}}}",
    ];
    let answers = serve.ask(&lines.map(str::to_owned));
    let kinds: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["kind"]).collect();
    assert_eq!(kinds, ["malformed", "refused", "newer", "unknown"]);
    assert_eq!(answers[0]["error"]["place"], "line 1 column 44");
    assert!(answers[1]["error"]["message"].as_str().unwrap().contains("unknown field `table`"), "{}", answers[1]);
    assert_eq!(answers[3]["error"]["hint"], "did you mean `load`?");
}

#[test]
fn a_change_of_the_definition_holds_from_the_next_request() {
    let workspace = few();
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let visit = json!([{"customer": "1", "at": "2025-02-01T10:00:00"}]);
    assert_eq!(serve.send("visits", &visit)["error"]["kind"], "refused");
    let added = DEFINITION.to_owned()
        + "\n[tables.visits]\nsource = \"files/visits*.csv\"\nparent = \"profiles\"\non = \"customer\"\ntime = \"at\"\n[tables.visits.columns]\ncustomer = { type = \"id\" }\nat = { type = \"timestamp\" }\n";
    fs::write(dir.join("muster.toml"), &added).unwrap();
    assert_eq!(serve.send("visits", &visit)["answer"]["rows"]["committed"], 1);
    fs::write(dir.join("muster.toml"), added + "nonsense").unwrap();
    assert_eq!(serve.send("visits", &visit)["error"]["kind"], "unavailable");
    let (status, ready) = serve.get("/readyz");
    let failing = ready["checks"].as_array().unwrap().iter().filter(|check| !check["problem"].is_null());
    let failing: Vec<&Value> = failing.map(|check| &check["check"]).collect();
    assert_eq!((status, failing), (503, vec![&json!("last_write"), &json!("definition")]));
}

#[test]
fn a_killed_serve_leaves_what_it_acknowledged_and_the_next_one_takes_its_place() {
    let workspace = few();
    let dir = workspace.path();
    let mut serve = Serve::start(dir);
    serve.send("orders", &json!([{"order": "B", "customer": "1", "at": "2025-02-01T10:00:00", "channel": "web"}]));
    assert_eq!(serve.signal("-KILL").signal(), Some(9));
    assert!(serve.socket().exists());
    // Nobody answers, so the command does it itself.
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
    let next = Serve::start(dir);
    assert_eq!(rows(dir, "SELECT \"order\" FROM orders ORDER BY \"order\""), ["A", "B"]);
    assert_eq!(next.send("orders", &json!([]))["answer"]["rows"]["committed"], 0);
}

#[test]
fn sigterm_ends_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let workspace = few();
        let dir = workspace.path();
        let mut serve = Serve::start(dir);
        serve.send("orders", &json!([{"order": "B", "customer": "1", "at": "2025-02-01T10:00:00", "channel": "web"}]));
        assert_eq!(serve.signal(signal).code(), Some(0));
        assert_eq!(serve.said(), "");
        assert!(!serve.socket().exists());
        // The log was folded into the database.
        assert!(fs::metadata(dir.join("data/state.db-wal")).map_or(0, |log| log.len()) == 0);
        assert_eq!(rows(dir, "SELECT count(*) FROM orders"), ["2"]);
    }
}

#[test]
fn row_118_a_second_one_is_refused_and_told_who_is_there() {
    let workspace = few();
    let dir = workspace.path();
    let serve = Serve::start(dir);
    let refused = call(dir, ["serve", "--listen", "127.0.0.1:0"]).ended_with(4);
    let process = serve.child.id();
    assert!(refused.stderr.starts_with(&format!("error: process {process} (`muster --dir ")), "{}", refused.stderr);
    assert!(refused.stderr.contains("another muster process is writing"), "{}", refused.stderr);
    assert_eq!(serve.get("/readyz").0, 200);
}

#[test]
fn a_command_that_finds_the_lock_taken_and_nobody_serving_says_who_has_it() {
    let workspace = few();
    let lock = File::open(workspace.path().join("data/lock")).unwrap();
    lock.lock().unwrap();
    let refused = call(workspace.path(), ["load"]).ended_with(4);
    let expected = format!("error: process {} (`", std::process::id());
    assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let workspace = few();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = call(workspace.path(), ["serve", "--listen", &address]).ended_with(1);
    assert!(refused.stderr.starts_with(&format!("error: cannot listen on {address}; ")), "{}", refused.stderr);
}

#[test]
fn a_workspace_far_down_is_served_like_any_other() {
    let workspace = few();
    let deep = workspace.path().join("d".repeat(100)).join("e".repeat(100));
    fs::create_dir_all(&deep).unwrap();
    for name in ["muster.toml", "files", "data"] {
        fs::rename(workspace.path().join(name), deep.join(name)).unwrap();
    }
    let serve = Serve::start(&deep);
    assert_eq!(serve.get("/readyz").0, 200);
    fs::write(deep.join("files/customers-2.csv"), "id,born,name,agreed\n4,,Di,\n").unwrap();
    assert_eq!(json(&deep, &["load"])["snapshot"], 2);
    assert_eq!(rows(&deep, "SELECT count(*) FROM profiles"), ["4"]);
}

#[test]
fn with_json_it_says_where_it_listens_as_a_document() {
    let workspace = few();
    let mut serve = muster();
    serve.arg("--dir").arg(workspace.path()).args(["--json", "serve", "--listen", "127.0.0.1:0"]);
    let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while serde_json::from_str::<Value>(&text).is_err() {
        assert!(stdout.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let document: Value = serde_json::from_str(&text).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(document["process"], child.id());
    assert!(document["listening"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(document["socket"].as_str().unwrap().ends_with("data/serve.sock"));
}

#[test]
fn one_connection_over_the_limit_is_told_so_by_command_and_socket() {
    let workspace = few();
    let serve = Serve::start(workspace.path());
    let held: Vec<UnixStream> = (0..64).map(|_| UnixStream::connect(serve.socket()).unwrap()).collect();
    let refused = call(workspace.path(), ["load"]).ended_with(4);
    assert_eq!(
        refused.stderr,
        "error: the running `muster serve` did not do it: too many connections\n  nothing was done; send it again after a while\n"
    );
    drop(held);
}

#[test]
fn a_query_whose_client_vanishes_is_stopped_within_a_second() {
    let shop = own_corner_shop();
    let serve = Serve::start(shop.path());
    let sql = |text: &str| {
        let statements = json!({"text": text, "format": "csv", "timeout": 600});
        json!({"muster": 1, "request": {"sql": statements}}).to_string()
    };
    let mut client = UnixStream::connect(serve.socket()).unwrap();
    let endless =
        "SELECT count(*) AS n FROM order_lines a, order_lines b, order_lines c WHERE a.price < b.price + c.price";
    client.write_all(format!("{}\n", sql(endless)).as_bytes()).unwrap();
    // It is under way by then; commands are done one after the other.
    thread::sleep(Duration::from_millis(500));
    drop(client);
    let start = Instant::now();
    let answer = serve.ask(&[sql("SELECT count(*) AS n FROM profiles WHERE FALSE")]).remove(0);
    assert_eq!(answer["answer"]["sql"]["stdout"], "n\n0\n", "{answer}");
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
}

fn preview(editor: &str, definition: &str) -> String {
    json!({"muster": 1, "request": {"preview": {"editor": editor, "definition": definition}}}).to_string()
}

#[test]
fn a_definition_is_counted_while_it_is_written_and_sees_the_rows_before_it() {
    let shop = few();
    let serve = Serve::start(shop.path());
    let definition = "WHERE agreed AND has(orders)";
    let counted = |alone: [u64; 2], remain: [u64; 2]| {
        let [agreed, bought] = ["agreed", "has(orders)"];
        json!([
            {"condition": agreed, "alone": alone[0], "remain": remain[0]},
            {"condition": bought, "alone": alone[1], "remain": remain[1]},
        ])
    };
    let first = serve.ask(&[preview("ann", definition)]).remove(0)["answer"]["preview"].clone();
    assert_eq!(first["conditions"], counted([1, 1], [1, 1]), "{first}");
    assert_eq!((&first["rows"], &first["selected"]), (&json!(3), &json!(1)));
    assert_eq!(first["as_of"], "2025-06-30T00:00:00+02:00");
    assert_eq!(rows(shop.path(), &format!("PREVIEW {definition}")), [",,3", "agreed,1,1", "has(orders),1,1"]);
    // On the same connection: the new customer and her order are there when the preview behind them is counted.
    let row = |table: &str, row: Value| {
        json!({"muster": 1, "request": {"rows": {"table": table, "rows": [row]}}}).to_string()
    };
    let answers = serve.ask(&[
        row("profiles", json!({"id": "9", "agreed": true})),
        row(
            "orders",
            json!({"order": "Z", "customer": "9", "at": "2025-02-01 10:00:00", "total": 5, "channel": "web"}),
        ),
        preview("ann", definition),
    ]);
    let after = &answers[2]["answer"]["preview"];
    assert_eq!(after["conditions"], counted([2, 2], [2, 2]), "{answers:?}");
    assert!(after["snapshot"].as_u64() > first["snapshot"].as_u64());
}

#[test]
fn of_one_editor_the_last_definition_is_counted_and_no_other_is_answered_twice() {
    let shop = own_corner_shop();
    let serve = Serve::start(shop.path());
    let asked: Vec<String> = (1..=40).map(|least| preview("ann", &format!("WHERE count(orders) >= {least}"))).collect();
    let answers = serve.ask(&asked);
    assert_eq!(answers.len(), asked.len());
    for (least, answer) in (1..).zip(&answers) {
        let condition = &answer["answer"]["preview"]["conditions"][0]["condition"];
        let is_counted = *condition == format!("count(orders) >= {least}");
        assert!(is_counted || answer["error"]["kind"] == "superseded", "{least}: {answer}");
    }
    assert!(answers[39]["error"].is_null(), "{}", answers[39]);
}

#[test]
fn what_cannot_be_counted_is_refused_with_its_place() {
    let shop = few();
    let serve = Serve::start(shop.path());
    for (definition, expected) in [
        ("WHERE colour = 'red'", "line 1, column 7"),
        ("WHERE", "the text ends"),
        ("CREATE SEGMENT a AS WHERE TRUE", "expected SELECT"),
        ("SELECT count(*) FROM profiles", "line 1"),
    ] {
        let error = &serve.ask(&[preview("ann", definition)]).remove(0)["error"];
        assert_eq!(error["kind"], "refused", "{definition}: {error}");
        assert!(error["message"].as_str().unwrap().contains(expected), "{definition}: {error}");
    }
    let late = preview("ann", "WHERE TRUE").replace("\"muster\":1", "\"muster\":1,\"as_of\":\"31/02/2026\"");
    let error = &serve.ask(&[late]).remove(0)["error"];
    assert!(error["message"].as_str().unwrap().contains("31/02/2026"), "{error}");
}

#[test]
fn without_data_there_is_nothing_to_count() {
    let empty = workspace_of(&[("muster.toml", DEFINITION)]);
    let serve = Serve::start(empty.path());
    let error = &serve.ask(&[preview("ann", "WHERE TRUE")]).remove(0)["error"];
    assert!(error["message"].as_str().unwrap().contains("no data"), "{error}");
}
