//! `muster init` on files that it has not seen: what it guesses is counted against truth tables that were written before
//! it was, and what it writes is loaded without an edit.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use muster_testkit::real_data;
use serde_json::{Value, json};
use tempfile::TempDir;
use toml_edit::{DocumentMut, Item, Table};

use crate::binary::{call, json, muster, rows, run};
use crate::world::project;

/// A workspace that `muster init` began from these files, and the document that it printed.
#[track_caller]
fn begun(files: &Path) -> (TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    let document = run(muster().arg("--json").arg("init").arg(&dir).arg("--from").arg(files)).ended_with(0).document();
    (folder, document)
}

fn dir(folder: &TempDir) -> PathBuf {
    folder.path().join("shop")
}

fn truth(dataset: &str) -> DocumentMut {
    fs::read_to_string(project().join("datasets").join(dataset).join("truth.toml")).unwrap().parse().unwrap()
}

fn renamed_demo() -> PathBuf {
    project().join("datasets/renamed-demo/files")
}

/// The guess of the table that is read from a file of this name.
fn guessed<'a>(document: &'a Value, file: &str) -> &'a Value {
    let tables = document["tables"].as_array().unwrap();
    tables.iter().find(|table| table["file"] == file).unwrap_or_else(|| panic!("no guess for {file}"))
}

/// How many guesses are right, of each kind, and what is wrong with the others.
#[derive(Default)]
struct Score {
    right: u32,
    all: u32,
    /// Right guesses that were written as comments, because they were not sure enough.
    commented: u32,
    wrong: Vec<String>,
}

impl Score {
    fn count(&mut self, what: &str, expected: &Value, found: &Value, taken: bool, fits: bool) {
        self.all += 1;
        if fits {
            self.right += 1;
            self.commented += u32::from(!taken);
        } else {
            self.wrong.push(format!("{what}: is {expected}, guessed {found}"));
        }
    }

    fn percent(&self) -> f64 {
        f64::from(self.right) * 100.0 / f64::from(self.all)
    }
}

/// Scores by kind of guess, in the order of the truth.
struct Scores {
    types: Score,
    keys: Score,
    parents: Score,
    times: Score,
    kinds: Score,
    links: Score,
    roles: Score,
}

impl Scores {
    fn of(document: &Value, truth: &DocumentMut) -> Self {
        let [types, keys, parents, times, kinds, links, roles] = Default::default();
        let mut scores = Self { types, keys, parents, times, kinds, links, roles };
        for (file, table) in truth.iter() {
            scores.add(document, file, table.as_table().unwrap());
        }
        scores
    }

    fn add(&mut self, document: &Value, file: &str, truth: &Table) {
        let guess = guessed(document, file);
        let text = |key: &str| truth.get(key).and_then(Item::as_str).map_or(Value::Null, |text| json!(text));
        exact(&mut self.kinds, &format!("{file} kind"), &text("kind"), &guess["kind"]);
        exact(&mut self.keys, &format!("{file} key"), &list(truth, "key"), &guess["key"]);
        if truth["kind"].as_str() != Some("lookup") {
            exact(&mut self.times, &format!("{file} time"), &text("time"), &guess["time"]);
        }
        let parent = &guess["parent"]["value"];
        let above = |name: &Value| document["tables"].as_array().unwrap().iter().find(|table| table["table"] == *name);
        let found = above(&parent["table"]).map_or(json!(null), |above| json!([above["file"], parent["on"]]));
        let expected = truth.get("parent").map_or(json!(null), |parent| json!([parent.as_str(), text("on")]));
        if expected != Value::Null || found != Value::Null {
            let fits = expected == found;
            self.parents.count(&format!("{file} parent"), &expected, &found, taken(&guess["parent"]), fits);
        }
        self.add_columns(guess, file, truth);
        self.add_links(document, guess, file, truth);
    }

    fn add_columns(&mut self, guess: &Value, file: &str, truth: &Table) {
        let roles = truth.get("roles").and_then(Item::as_table);
        for (name, expected) in truth["columns"].as_table().unwrap().iter() {
            let column = guess["columns"].as_array().unwrap().iter().find(|column| column["column"] == name).unwrap();
            let (expected, found) = (expected.as_str().unwrap(), column["type"]["value"].as_str().unwrap());
            let fits = is_of_type(expected, found);
            let what = format!("{file}.{name}");
            self.types.count(&what, &json!(expected), &json!(found), taken(&column["type"]), fits);
            let role =
                roles.and_then(|roles| roles.get(name)).and_then(Item::as_str).map_or(json!(null), |role| json!(role));
            if role != Value::Null || column["role"] != Value::Null {
                exact(&mut self.roles, &what, &role, &column["role"]);
            }
        }
    }

    fn add_links(&mut self, document: &Value, guess: &Value, file: &str, truth: &Table) {
        let file_of = |link: &Value| {
            let (table, column) = link["value"]["from"].as_str().unwrap().split_once('.').unwrap();
            let from = document["tables"].as_array().unwrap().iter().find(|found| found["table"] == table).unwrap();
            format!("{}.{column}", from["file"].as_str().unwrap())
        };
        let found: Vec<String> = guess["links"].as_array().unwrap().iter().map(file_of).collect();
        let expected = list(truth, "links");
        let expected: Vec<&str> =
            expected.as_array().map(|links| links.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        for link in &expected {
            let fits = found.iter().any(|found| found == link);
            self.links.count(&format!("{file} link"), &json!(link), &json!(found), true, fits);
        }
        for link in found.iter().filter(|link| !expected.contains(&link.as_str())) {
            self.links.count(&format!("{file} link"), &json!(null), &json!(link), true, false);
        }
    }

    /// Types, keys, parents and times together; right where written as more than a comment, too.
    fn promised(&self) -> (u32, u32, u32) {
        let promised = [&self.types, &self.keys, &self.parents, &self.times];
        let sum = |figure: fn(&Score) -> u32| promised.iter().map(|score| figure(score)).sum();
        (sum(|score| score.right), sum(|score| score.all), sum(|score| score.commented))
    }

    fn report(&self, dataset: &str) -> String {
        let mut text = format!("{dataset}\n");
        let all = [
            ("types", &self.types),
            ("keys", &self.keys),
            ("parents", &self.parents),
            ("times", &self.times),
            ("kinds", &self.kinds),
            ("links", &self.links),
            ("roles", &self.roles),
        ];
        for (name, score) in all {
            let _ = write!(text, "  {name:<8} {:>3} of {:>3} right", score.right, score.all);
            let _ = writeln!(text, ", {} of them as comments", score.commented);
            score.wrong.iter().for_each(|wrong| text.push_str(&format!("    {wrong}\n")));
        }
        let (right, all, commented) = self.promised();
        let _ =
            writeln!(text, "  types, keys, parents, times: {right} of {all} right, {commented} of them as comments");
        text
    }
}

fn exact(score: &mut Score, what: &str, expected: &Value, guess: &Value) {
    let found = guess.get("value").unwrap_or(&Value::Null);
    score.count(what, expected, found, taken(guess), expected == found);
}

/// What is not guessed is not taken either, and that counts as written.
fn taken(guess: &Value) -> bool {
    guess.get("taken").is_none_or(|taken| taken == true)
}

fn list(truth: &Table, key: &str) -> Value {
    let texts = |list: &toml_edit::Array| list.iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    truth.get(key).and_then(Item::as_array).map_or(Value::Null, |list| json!(texts(list)))
}

/// Of decimals the same scale, and at least as many digits.
fn is_of_type(expected: &str, found: &str) -> bool {
    let digits = |text: &str| {
        let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
        Some((precision.parse::<u32>().ok()?, scale.parse::<u32>().ok()?))
    };
    match (digits(expected), digits(found)) {
        (Some((needed, scale)), Some((precision, found))) => scale == found && precision >= needed,
        _ => expected == found,
    }
}

#[track_caller]
fn assert_good(dataset: &str, scores: &Scores) {
    let report = scores.report(dataset);
    eprintln!("{report}");
    for (name, score) in
        [("types", &scores.types), ("keys", &scores.keys), ("parents", &scores.parents), ("times", &scores.times)]
    {
        assert!(score.percent() >= 90.0, "{name} of {report}");
    }
    assert!(scores.kinds.wrong.is_empty(), "{report}");
}

/// The rows of each table that a load stored, by its name.
fn stored(load: &Value) -> Vec<(String, u64)> {
    let tables = load["tables"].as_array().unwrap().iter();
    tables
        .map(|table| (table["table"].as_str().unwrap().to_owned(), table["stored"]["rows"].as_u64().unwrap()))
        .collect()
}

fn count(stored: &[(String, u64)], table: &str) -> u64 {
    stored.iter().find(|(name, _)| name == table).unwrap_or_else(|| panic!("{table} in {stored:?}")).1
}

#[test]
fn a_shop_whose_names_say_nothing_is_guessed_from_its_values_and_loaded_without_an_edit() {
    let (folder, document) = begun(&renamed_demo());
    assert_good("renamed-demo", &Scores::of(&document, &truth("renamed-demo")));
    let dir = dir(&folder);
    let check = json(&dir, &["check"]);
    assert_eq!((&check["problems"], &check["inferred"]), (&json!([]), &json!([])));
    let stored = stored(&json(&dir, &["load"]));
    for (table, rows) in [
        ("profiles", 500),
        ("koolmees", 4_867),
        ("winterkoning", 14_718),
        ("roodborst", 385),
        ("spreeuw", 1_147),
        ("kievit", 4_171),
        ("grutto", 400),
        ("tureluur", 12),
    ] {
        assert_eq!(count(&stored, table), rows, "{table}");
    }
    // A link that was guessed leads from the order line's product to its brand, and the values are whole.
    let brands = "SELECT count(DISTINCT grutto.kreek) FROM winterkoning";
    assert_eq!(rows(&dir, brands), ["16"]);
    // 23 customers have no day of birth, and 10 the one that programs write where nobody knows it.
    assert_eq!(rows(&dir, "SELECT count(*) FROM profiles WHERE lis IS NULL"), ["33"]);
}

#[test]
fn complete_journey_is_guessed_and_every_household_that_bought_becomes_a_profile() {
    let Some(files) = real_data("complete-journey") else { return };
    let (folder, document) = begun(&files);
    assert_good("complete-journey", &Scores::of(&document, &truth("complete-journey")));
    let dir = dir(&folder);
    // 801 households are described, 1,578 others only bought or received something. One sales value was written as
    // 4.440892e-16, one product as 9e+05 and one basket as 4.0128e+10: their rows are rejected.
    let load = call(&dir, ["--json", "load"]).ended_with(3).document();
    let stored = stored(&load);
    for (table, rows) in [
        ("profiles", 2_379),
        ("transactions_sample_75k", 74_998),
        ("campaigns", 6_589),
        ("coupon_redemptions", 2_102),
        ("campaign_descriptions", 27),
        ("products", 92_330),
    ] {
        assert_eq!(count(&stored, table), rows, "{table}");
    }
    assert_eq!(rows(&dir, "SELECT count(*) FROM profiles WHERE count(coupon_redemptions) > 0"), ["410"]);
}

/// A guesser that leans on nothing would be counted as right by a count that cannot fail.
#[test]
fn a_wrong_guess_lowers_the_score() {
    let (_folder, document) = begun(&renamed_demo());
    let truth = truth("renamed-demo");
    let mut wrong = document.clone();
    let tables = wrong["tables"].as_array_mut().unwrap();
    let orders = tables.iter_mut().find(|table| table["file"] == "koolmees").unwrap();
    orders["time"]["value"] = json!("bever");
    orders["parent"]["value"]["on"] = json!("bunzing");
    orders["key"] = Value::Null;
    orders["columns"][7]["type"]["value"] = json!("float");
    let (before, after) = (Scores::of(&document, &truth), Scores::of(&wrong, &truth));
    let figures =
        |scores: &Scores| [&scores.types, &scores.keys, &scores.parents, &scores.times].map(|score| score.right);
    assert_eq!(figures(&after), figures(&before).map(|right| right - 1));
    assert!(after.report("").contains("koolmees time: is \"hermelijn\", guessed \"bever\""), "{}", after.report(""));
}

/// The files of a folder, by their names.
fn folder_of(files: &[(&str, &str)]) -> TempDir {
    crate::world::workspace_of(files)
}

#[test]
fn without_a_table_of_persons_profiles_are_made_from_the_column_that_names_them() {
    let sales: String = (0..200)
        .map(|row| {
            let customer = if row % 10 == 9 { String::new() } else { format!("{}", row % 30) };
            format!("{row},{customer},2024-01-{:02} 10:00,{}.50\n", row % 28 + 1, row % 7)
        })
        .collect();
    let calls: String = (0..80).map(|row| format!("{},2024-02-01\n", 20 + row % 40)).collect();
    let files = folder_of(&[
        ("calls.csv", &format!("customer_id,called\n{calls}")),
        ("sales.csv", &format!("sale,customer_id,sold_at,amount\n{sales}")),
    ]);
    let (folder, document) = begun(files.path());
    let root = &document["tables"][0];
    assert_eq!(
        (&root["table"], &root["one_row_per_key"], &root["key"]["value"]),
        (&json!("profiles"), &json!(true), &json!(["customer_id"]))
    );
    let dir = dir(&folder);
    let stored = stored(&json(&dir, &["load"]));
    // The calls name 40 customers, 20 to 59. The sales name 27, because of 200 rows 20 name nobody and are left out by
    // `where`: those that would name 9, 19 and 29; 18 of the 27 are below 20 and get a profile all the same.
    let rows = ["profiles", "calls", "sales"].map(|table| count(&stored, table));
    assert_eq!(rows, [58, 80, 180]);
}

#[test]
fn files_in_which_nobody_is_named_are_said_so_with_what_was_looked_at() {
    let files = folder_of(&[("weather.csv", "day,rain\n2024-01-01,1.5\n2024-01-01,2.5\n2024-01-02,2.5\n")]);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    let told = run(muster().arg("init").arg(&dir).arg("--from").arg(files.path())).ended_with(1).stdout;
    assert!(
        told.contains("no table has one row per person") && told.contains("weather has no key of one column"),
        "{told}"
    );
    let text = fs::read_to_string(dir.join("muster.toml")).unwrap();
    assert!(text.contains("# [tables.weather]") && !text.contains("\n[tables."), "{text}");
}

#[test]
fn what_is_no_table_is_told_and_the_rest_is_guessed() {
    let people: String = (1..40).map(|row| format!("{row:03},p{row}@shop.example\n")).collect();
    let files = folder_of(&[
        ("customers.csv", &format!("id,email\n{people}")),
        ("notes.docx", "PK\u{3}\u{4}"),
        ("empty.csv", ""),
    ]);
    let (folder, document) = begun(files.path());
    let left: Vec<&str> = document["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["file"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(left, ["empty.csv", "notes.docx"]);
    assert_eq!(document["tables"].as_array().unwrap().len(), 1);
    assert_eq!(count(&stored(&json(&dir(&folder), &["load"])), "profiles"), 39);
}

#[test]
fn check_lists_what_is_doubtful_and_writes_what_it_inferred() {
    let shop = folder_of(&[
        (
            "muster.toml",
            "# mine\n[workspace]\nname = \"x\"\ntime_zone = \"UTC\"\nas_of = \"2024-06-01\"\n\n[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\" # ours\n\n[tables.orders]\nsource = \"o.csv\"\nparent = \"profiles\"\non = \"customer\"\ntime = \"at\"\n",
        ),
        ("c.csv", "id,name\n1,Ann\n1,Bo\n2,Cy\n"),
        ("o.csv", "customer,at,total\n1,2024-01-01,1.50\n9,2024-01-02,2.00\n2,2034-01-01,3.00\n"),
    ]);
    let before = fs::read_to_string(shop.path().join("muster.toml")).unwrap();
    let check = json(shop.path(), &["check"]);
    let told = |doubt: &Value| {
        let text = |key: &str| doubt[key].as_str().unwrap_or_default().to_owned();
        format!("{}.{}: {}", text("table"), text("column"), text("text"))
    };
    let doubts: Vec<String> = check["doubtful"].as_array().unwrap().iter().map(told).collect();
    for part in [
        "profiles.id: 1 of 2 keys occur more than once",
        "orders.customer: 1 of 3 distinct values are no key of profiles, in 1 rows",
        "orders.at: 1 rows lie after the present, the last at 2034-01-01",
        "orders.total: taken for decimal(18,2) because of 3 values only",
    ] {
        assert!(doubts.iter().any(|doubt| doubt.starts_with(part)), "{part} in {doubts:#?}");
    }
    assert_eq!(fs::read_to_string(shop.path().join("muster.toml")).unwrap(), before);
    let written = json(shop.path(), &["check", "--write"]);
    assert_eq!(written["written"], check["inferred"].as_array().unwrap().len());
    let after = fs::read_to_string(shop.path().join("muster.toml")).unwrap();
    assert!(after.starts_with("# mine\n") && after.contains("key = \"id\" # ours\n"), "{after}");
    assert!(after.contains("[tables.orders.columns]\ncustomer = { type = \"id\" } # the key of profiles\n"), "{after}");
    assert_eq!(json(shop.path(), &["check"])["inferred"], json!([]));
}
