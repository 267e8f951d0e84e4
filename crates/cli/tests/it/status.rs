//! How a workspace stands: ages, loads, what is stuck, and the page of the data's health. Figures are counted by hand from
//! the few rows below.

use std::fs;
use std::path::Path;

use muster_state::{Mode, State, Tx};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::{own_corner_shop, shipped_segments, workspace_of};

const DEFINITION: &str = r#"
[workspace]
name = "<script>alert('w')</script>"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30T12:00:00"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
created_at = "joined"
error_budget = 5

[tables.profiles.columns]
id = { type = "id" }
joined = { type = "timestamp" }
email = { type = "text", role = "email" }
mobile = { type = "id", role = "mobile" }
"<script>alert('c')</script>" = { type = "text" }

[tables.orders]
source = "files/orders*.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
where = "status <> 'test'"

[tables.orders.columns]
order_id = { type = "id" }
customer = { type = "id" }
placed_at = { type = "timestamp" }
total = { type = "decimal(12,2)" }

[tables.visits]
source = "files/visits*.csv"
parent = "profiles"
on = "customer"
time = "seen_at"

[tables.visits.columns]
customer = { type = "id" }
seen_at = { type = "timestamp" }
page = { type = "text" }
"#;

const CUSTOMERS: &str = "id,joined,email,mobile,<script>alert('c')</script>
p1,2024-01-10T10:00:00,a@x.example,31,<script>alert('v')</script>
p2,2024-02-10T10:00:00,a@x.example,,b
p3,2024-02-11T10:00:00,b@x.example,31,
p4,never,d@x.example,,c
p5,2025-07-15T10:00:00,,,d
";

const MORE_CUSTOMERS: &str = "id,joined,email,mobile,<script>alert('c')</script>
p1,2024-01-10T10:00:00,a@x.example,31,<script>alert('v')</script>
p2,2024-02-10T10:00:00,new@x.example,,b
p6,2025-06-29T10:00:00,f@x.example,,f
";

const ORDERS: &str = "order_id,customer,placed_at,total,status
o1,p1,2024-03-01T10:00:00,5.00,open
o2,p1,2025-08-01T10:00:00,7.00,open
o3,p9,2024-05-01T10:00:00,1.00,open
o4,p1,2024-05-01T10:00:00,1.00,test
";

const VISITS: &str = "customer,seen_at,page
p1,2024-06-01T10:00:00,home
p1,2024-06-01T10:00:00,home
p1,2024-06-01T10:00:00,home
p2,2024-06-02T10:00:00,home
";

/// Loaded twice; the second time one customer is new, one changed and one the same.
fn planted() -> TempDir {
    let workspace = workspace_of(&[
        ("muster.toml", DEFINITION),
        ("files/customers <script>.csv", CUSTOMERS),
        ("files/orders.csv", ORDERS),
        ("files/visits.csv", VISITS),
    ]);
    call(workspace.path(), ["load"]).ended_with(3);
    fs::write(workspace.path().join("files/customers-2.csv"), MORE_CUSTOMERS).unwrap();
    done(workspace.path(), &["load"]);
    workspace
}

#[test]
fn data_with_their_rows_and_their_age() {
    let workspace = planted();
    let status = json(workspace.path(), &["status"]);
    let table = |place: usize| {
        let table = &status["snapshot"]["tables"][place];
        ["table", "rows", "waiting", "blocks", "newest", "age_days", "later"].map(|name| table[name].clone())
    };
    // p5 joins in July and o2 is placed in August: they are stored, and do not make the data young.
    assert_eq!(
        table(0),
        [json!("profiles"), json!(5), json!(0), json!(1), json!("2025-06-29T10:00:00+02:00"), json!(1), json!(1)]
    );
    assert_eq!(
        table(1),
        [json!("orders"), json!(2), json!(1), json!(1), json!("2024-03-01T10:00:00+01:00"), json!(486), json!(1)]
    );
    assert_eq!(table(2)[..2], [json!("visits"), json!(4)]);
    assert!(status["snapshot"]["bytes"].as_u64().unwrap() > 1_000 && status["state_bytes"].as_u64().unwrap() > 1_000);
    assert_eq!(
        status["stuck"],
        json!([{
            "what": "rows without their parent", "name": "orders", "count": 1,
            "hint": "they are attached when their parent is loaded"
        }])
    );
    let text = done(workspace.path(), &["status"]);
    for line in [
        "  orders                      2 rows, newest 2024-03-01T10:00:00+01:00 (486 days), 1 wait for their parent, 1 in the future\n",
        "load of 2025-06-30T12:00:00+02:00 made snapshot 2: 3 rows from 1 file, 1 new\n",
        "load of 2025-06-30T12:00:00+02:00 made snapshot 1: 13 rows from 3 files, 11 new, 1 rejected\n",
        "stuck: rows without their parent in orders: 1; they are attached when their parent is loaded\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn earlier_loads_with_what_became_of_their_rows_and_their_files() {
    let workspace = planted();
    let loads = json(workspace.path(), &["status", "--loads"]);
    assert_eq!(loads.as_array().unwrap().len(), 2);
    let names = ["read", "new", "changed", "same", "older", "refused", "orphans", "rows"];
    let counts = |load: usize, table: usize| names.map(|name| loads[load]["tables"][table][name].as_u64().unwrap());
    assert_eq!(counts(0, 0), [3, 1, 1, 1, 0, 0, 0, 5]);
    assert_eq!(counts(1, 0), [5, 4, 0, 0, 0, 0, 0, 4]);
    assert_eq!(counts(1, 1), [4, 3, 0, 0, 0, 0, 1, 2]);
    assert_eq!(counts(1, 2), [4, 4, 0, 0, 0, 0, 0, 4]);
    let rejected: u64 = loads[1]["tables"][0]["rejected"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(rejected, 1);
    assert_eq!(loads[1]["tables"][1]["filtered"], json!({"status <> 'test'": 1}));
    assert_eq!(
        loads[1]["sources"],
        json!([
            {"table": "orders", "name": "files/orders.csv", "bytes": ORDERS.len()},
            {"table": "profiles", "name": "files/customers <script>.csv", "bytes": CUSTOMERS.len()},
            {"table": "visits", "name": "files/visits.csv", "bytes": VISITS.len()},
        ])
    );
    assert_eq!(json(workspace.path(), &["status", "--loads", "1"]), json!([loads[0]]));
    let text = done(workspace.path(), &["status", "--loads", "1"]);
    assert_eq!(
        text,
        format!(
            "snapshot 2 of 2025-06-30T12:00:00+02:00\n  \
             profiles: 3 read, 1 new, 1 changed, 1 same; 5 rows then\n           {} B files/customers-2.csv\n",
            MORE_CUSTOMERS.len()
        )
    );
    let refused = call(workspace.path(), ["status", "--loads", "0"]).ended_with(2).stderr;
    assert!(refused.contains("0 is not in 1.."), "{refused}");
}

fn page(dir: &Path, name: &str) -> String {
    let file = dir.join(name);
    let said = json(dir, &["status", "--html", file.to_str().unwrap()]);
    let page = fs::read_to_string(&file).unwrap();
    assert_eq!(said, json!({"html": file.to_str().unwrap(), "bytes": page.len()}));
    page
}

/// The cells of each row of the section with this heading, separated by ` | `.
fn cells(page: &str, heading: &str) -> Vec<String> {
    let section = page.split("<section>").find(|section| section.starts_with(&format!("<h2>{heading}</h2>"))).unwrap();
    let rows = section.split("<tr>").skip(1).filter(|row| row.starts_with("<td"));
    let cell = |cell: &str| cell.split_once('>').unwrap().1.split("</td>").next().unwrap().to_owned();
    rows.map(|row| row.split("<td").skip(1).map(cell).collect::<Vec<_>>().join(" | ")).collect()
}

#[test]
fn the_page_counts_what_was_planted() {
    let workspace = planted();
    let page = page(workspace.path(), "health.html");
    assert_eq!(
        cells(&page, "Tables"),
        [
            "profiles |  | id | 5 | 5 | 0",
            "orders | profiles | order_id | 2 | 5 | 1",
            "visits | profiles | none | 4 | 3 | 0",
        ]
    );
    let nulls = cells(&page, "Empty cells and ranges");
    for row in [
        "id | id | key | internal | 0 | 0.0 % | p1 | p6",
        "joined | timestamp | created_at | internal | 0 | 0.0 % | 2024-01-10T10:00:00+01:00 | 2025-07-15T10:00:00+02:00",
        "email | text |  | personal | 1 | 20.0 % |  | ",
        "mobile | id |  | personal | 3 | 60.0 % |  | ",
        "&lt;script&gt;alert(&#39;c&#39;)&lt;/script&gt; | text |  | internal | 1 | 20.0 % | &lt;script&gt;alert(&#39;v&#39;)&lt;/script&gt; | f",
        "total | decimal(12,2) |  | internal | 0 | 0.0 % | 5.00 | 7.00",
    ] {
        assert!(nulls.contains(&row.to_owned()), "{row}\n{nulls:#?}");
    }
    // p2 has another address since the second load; p1 and p3 share a number; one visit stands there three times.
    assert_eq!(
        cells(&page, "Doubles"),
        ["profiles | values of email | 0 | 0", "profiles | values of mobile | 1 | 2", "visits | whole rows | 1 | 3",]
    );
    assert_eq!(
        cells(&page, "Dates later than the instant above"),
        ["profiles | joined | created_at | 1", "orders | placed_at | time | 1"]
    );
    assert_eq!(cells(&page, "Rows without their parent"), ["orders | profiles | 1 | 33.3 %"]);
    for bar in [
        "2025-06-30T12:00:00+02:00: 11 rows",
        "2025-06-30T12:00:00+02:00: 1 rows",
        "2024-01: 1 rows",
        "2024-02: 2 rows",
        "2025-08: 1 rows",
        "2024-06: 4 rows",
    ] {
        assert!(page.contains(&format!("<title>{bar}</title>")), "{bar}");
    }
}

#[test]
fn the_page_tells_loads_and_rejects_by_kind() {
    let workspace = planted();
    let page = page(workspace.path(), "health.html");
    let loads = cells(&page, "Last loads");
    for row in [
        "2025-06-30T12:00:00+02:00 | 2 | profiles | 3 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0",
        "2025-06-30T12:00:00+02:00 | 1 | profiles | 5 | 4 | 0 | 0 | 0 | 0 | 0 | 1 | 0 | 0",
        "2025-06-30T12:00:00+02:00 | 1 | orders | 4 | 3 | 0 | 0 | 0 | 0 | 1 | 0 | 0 | 1",
        "2025-06-30T12:00:00+02:00 | orders | filtered, not | status &lt;&gt; &#39;test&#39; | 1",
        &format!("2025-06-30T12:00:00+02:00 | profiles | files/customers &lt;script&gt;.csv | {} B", CUSTOMERS.len()),
    ] {
        assert!(loads.contains(&row.to_owned()), "{row}\n{loads:#?}");
    }
    let rejected = loads.iter().filter(|row| row.contains(" | profiles | rejected | ") && row.ends_with(" | 1"));
    assert_eq!(rejected.count(), 1, "{loads:#?}");
}

#[test]
fn the_page_needs_nothing_and_runs_nothing() {
    let workspace = planted();
    let first = page(workspace.path(), "health.html");
    for part in ["<script", "javascript:", "http://", "https://", "//", "src=", "href=", "onload", "@import", "url("] {
        assert!(!first.contains(part), "{part}");
    }
    assert!(first.contains("default-src 'none'"));
    // Personal values stay where they are.
    for value in ["a@x.example", "b@x.example", "new@x.example", "d@x.example"] {
        assert!(!first.contains(value), "{value}");
    }
    assert_eq!(page(workspace.path(), "again.html"), first);
    let as_of =
        done(workspace.path(), &["--as-of", "2025-12-31", "status", "--html", &in_folder(&workspace, "later.html")]);
    assert!(as_of.contains("later.html: the health of the data of "), "{as_of}");
    let later = fs::read_to_string(workspace.path().join("later.html")).unwrap();
    assert!(later.contains("No date and no instant is later than that.") && later != first);
}

fn in_folder(workspace: &TempDir, name: &str) -> String {
    workspace.path().join(name).display().to_string()
}

#[test]
fn a_page_before_the_first_load_says_so() {
    let workspace = workspace_of(&[("muster.toml", DEFINITION), ("files/customers.csv", "id,joined\np1,never\n")]);
    let refused = call(workspace.path(), ["status", "--html", "x.html"]).ended_with(1).stderr;
    assert_eq!(refused, "error: there is no data yet; load some with `muster load`\n");
    call(workspace.path(), ["load", "profiles"]);
    let file = in_folder(&workspace, "empty.html");
    done(workspace.path(), &["status", "--html", &file]);
    assert!(fs::read_to_string(file).unwrap().contains("<p>Nothing is loaded yet.</p>"));
    assert_eq!(done(workspace.path(), &["status", "--loads"]), "nothing is loaded yet\n");
}

#[test]
fn a_description_is_rows_in_every_format() {
    let workspace = planted();
    let dir = workspace.path();
    let described = json(dir, &["sql", "-c", "DESCRIBE visits.page"]);
    assert_eq!(
        described,
        json!([{
            "column": "page", "type": "text", "part": null, "role": null, "class": "internal", "rows": 4, "nulls": 0,
            "null_share": 0.0, "distinct": 1, "min": "home", "max": "home", "top": ["home"], "top_rows": [4], "note": null
        }])
    );
    assert_eq!(
        rows(dir, "DESCRIBE orders"),
        [
            "*,history below profiles,\"key order_id, time placed_at\",,,1,,,,2024-03-01T10:00:00+01:00,2024-03-01T10:00:00+01:00,,,1 wait for their parent; 1 later than 2025-06-30T12:00:00+02:00",
            "order_id,id,key,,internal,1,0,0.0,1,o1,o1,o1,1,",
            "customer,id,parent's key,,internal,1,0,0.0,1,p1,p1,p1,1,",
            "placed_at,timestamp,time,,internal,1,0,0.0,1,2024-03-01T10:00:00+01:00,2024-03-01T10:00:00+01:00,2024-03-01T10:00:00+01:00,1,",
            "total,\"decimal(12,2)\",,,internal,1,0,0.0,1,5.00,5.00,5.00,1,",
            "status,text,,,internal,1,0,0.0,1,open,open,open,1,",
        ]
    );
    assert!(done(dir, &["sql", "-c", "DESCRIBE profiles"]).contains("values are hidden"));
    let unknown = call(dir, ["sql", "-c", "DESCRIBE visits.pages"]).ended_with(1).stderr;
    assert_eq!(unknown, "error: there is no column `pages` in `visits`; did you mean `page`?\n");
}

/// Decisions of a run, planted as the ledger keeps them: one sent, one uncertain, two deferred, one ready.
fn plant_decisions(dir: &Path) {
    let migrations = [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat();
    let state = State::open(&dir.join("data"), &migrations, Mode::Existing).unwrap();
    state.write(plant).unwrap();
}

fn plant(tx: &Tx<'_>) -> Result<(), muster_state::Error> {
    tx.execute("INSERT INTO runs VALUES (1, 'winback', 1, 'lapsed', 'x', 1, 0, 5, 0, 'dispatching', 0, NULL)", [])?;
    let decisions = [
        ("sent", None),
        ("uncertain", None),
        ("deferred", Some(1_751_284_800_000_000_i64)),
        ("deferred", Some(1_751_281_200_000_000)),
        ("ready", None),
    ];
    for (number, (status, due)) in (1_u8..).zip(decisions) {
        tx.execute(
            "INSERT INTO journeys VALUES (?1, 1, 'winback', ?2, 1, 0, 'invite', NULL, NULL)",
            muster_state::params![number, format!("k{number}")],
        )?;
        tx.execute(
            "INSERT INTO decisions (run, journey, step, channel, dedupe, status, variant, probability, due_at, decided_at, changed_at)
             VALUES (1, ?1, 'invite', 'email', ?2, ?3, 'treated', 1.0, ?4, 0, 0)",
            muster_state::params![number, vec![number; 32], status, due],
        )?;
    }
    Ok(())
}

#[test]
fn what_goes_out_next_and_what_does_not_move() {
    let shop = own_corner_shop();
    let dir = shop.path();
    done(dir, &["campaign", "publish", "winback"]);
    let quiet = json(dir, &["status"]);
    assert_eq!((&quiet["campaigns"][0]["enters"], &quiet["stuck"]), (&json!("lapsed"), &json!([])));
    assert_eq!(quiet["segments"].as_array().unwrap().len(), shipped_segments());
    assert!(done(dir, &["status"]).contains("campaign winback: version 1 is live; next: whoever is new in lapsed\n"));
    plant_decisions(dir);
    let status = json(dir, &["status"]);
    assert_eq!(
        status["campaigns"][0],
        json!({
            "campaign": "winback", "version": 1, "standing": "live", "enters": "lapsed", "ready": 1, "deferred": 2,
            "next_due": "2025-06-30T13:00:00+02:00", "dispatching": 0, "uncertain": 1, "entering": 0
        })
    );
    let stuck = |status: &Value| {
        let stuck = status["stuck"].as_array().unwrap();
        stuck.iter().map(|one| format!("{} {}", one["count"], one["what"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(stuck(&status), ["2 deferred decisions", "1 uncertain decisions"]);
    done(dir, &["campaign", "pause", "winback"]);
    let paused = json(dir, &["status"]);
    assert_eq!(stuck(&paused), ["3 decisions of a paused campaign", "2 deferred decisions", "1 uncertain decisions"]);
    assert_eq!(paused["campaigns"][0]["enters"], Value::Null);
}

#[test]
fn a_segment_that_is_older_than_the_data_says_so() {
    let workspace = planted();
    let dir = workspace.path();
    done(dir, &["sql", "-c", "CREATE SEGMENT buyers AS WHERE has(orders)"]);
    let older = || json(dir, &["status"])["segments"][0]["older_than_data"].clone();
    assert_eq!(older(), json!(false));
    fs::write(dir.join("files/customers-3.csv"), MORE_CUSTOMERS.replace("p6", "p7")).unwrap();
    done(dir, &["--as-of", "2025-07-01", "load"]);
    assert_eq!(older(), json!(true));
    assert!(done(dir, &["status"]).contains("; data were loaded since\n"));
}
