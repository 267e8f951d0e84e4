//! Lists of profile keys from end to end: loaded, replaced, held up, taken back, and used in segments.

use std::fs;
use std::path::Path;

use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::{corner_shop, workspace_of, write_corner_shop};

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id", integral = true }

[tables.orders]
source = "files/orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[lists.staff]
source = "files/staff*.csv"
key = "number"
"#;

const CUSTOMERS: &str = "id,name\n01,Ann\n2,Bob\n3,Cas\n4,Dee\n";
const ORDERS: &str = "order_id,customer,placed_at\na,01,2025-01-02\nb,2,2025-01-03\nc,2,2025-01-04\n";
const STAFF: &str = "number,since\n01,2019\n4.0,2020\n01,2021\n9,2022\n";

fn shop(staff: &str) -> TempDir {
    workspace_of(&[
        ("muster.toml", SHOP),
        ("files/customers.csv", CUSTOMERS),
        ("files/orders.csv", ORDERS),
        ("files/staff.csv", staff),
        ("queries/segments.sql", "CREATE OR REPLACE SEGMENT guests AS WHERE NOT lists.staff;\n"),
    ])
}

fn loaded() -> TempDir {
    let shop = shop(STAFF);
    done(shop.path(), &["load"]);
    shop
}

fn write(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join("files").join(file), text).unwrap();
}

fn staff(dir: &Path) -> Vec<String> {
    rows(dir, "SELECT id FROM profiles WHERE lists.staff ORDER BY id")
}

/// Loads a list of which more than the usual share is gone.
#[track_caller]
fn load_all_the_same(dir: &Path) -> String {
    done(dir, &["load", "--accept", "loss"])
}

/// What the command fails with.
#[track_caller]
fn failed(code: i32, dir: &Path, arguments: &[&str], part: &str) {
    let said = call(dir, arguments).ended_with(code).stderr;
    assert!(said.contains(part), "{part}: {said}");
}

#[test]
fn a_list_is_loaded_like_a_table_and_only_its_keys_are_kept() {
    let shop = shop(STAFF);
    let report = json(shop.path(), &["load"]);
    let list = &report["tables"][2];
    assert_eq!((&list["table"], &list["read"], &list["merged"]), (&"lists.staff".into(), &4.into(), &1.into()));
    assert_eq!((&list["stored"]["new"], &list["stored"]["refused"]), (&3.into(), &0.into()));
    // As the profiles' key is: 4.0 is 4.
    assert_eq!(staff(shop.path()), ["01", "4"]);
    assert_eq!(rows(shop.path(), "SELECT * FROM lists.staff ORDER BY number"), ["01", "4", "9"]);
    assert!(done(shop.path(), &["load"]).ends_with("lists.staff: 1 file known already\nnothing new\n"));
}

#[test]
fn status_and_check_say_which_keys_no_profile_has() {
    let shop = loaded();
    let status = json(shop.path(), &["status"]);
    let list = &status["snapshot"]["tables"][2];
    assert_eq!((&list["kind"], &list["rows"], &list["unknown"]), (&"list".into(), &3.into(), &1.into()));
    assert!(done(shop.path(), &["status"]).contains("lists.staff                 3 rows, 1 of no profile\n"));
    let checked = done(shop.path(), &["check"]);
    assert!(
        checked.contains("lists.staff.number: 1 of 3 distinct values are no key of profiles, in 1 rows"),
        "{checked}"
    );
    let page = shop.path().join("health.html");
    done(shop.path(), &["status", "--html", page.to_str().unwrap()]);
    assert!(fs::read_to_string(page).unwrap().contains("lists.staff"));
}

#[test]
fn show_and_describe_know_lists() {
    let shop = loaded();
    let tables = rows(shop.path(), "SHOW TABLES");
    assert_eq!(tables[2], "lists.staff,list,,number,,3,0");
    let described = rows(shop.path(), "DESCRIBE lists.staff");
    assert!(
        described[0].starts_with("*,list,key number") && described[1].starts_with("number,id,key"),
        "{described:?}"
    );
}

#[test]
fn a_list_is_loaded_alone_by_its_name() {
    let shop = loaded();
    write(shop.path(), "customers-2.csv", "id,name\n9,Zoe\n");
    write(shop.path(), "staff.csv", "number\n01\n9\n3\n");
    assert_eq!(json(shop.path(), &["load", "lists.staff", "--accept", "loss"])["tables"].as_array().unwrap().len(), 1);
    assert_eq!(staff(shop.path()), ["01", "3"]);
    // A key that was on the list before its profile was there.
    done(shop.path(), &["load"]);
    assert_eq!(staff(shop.path()), ["01", "3", "9"]);
    failed(
        1,
        shop.path(),
        &["load", "lists.staf"],
        "there is no table `lists.staf` in muster.toml; did you mean `lists.staff`?",
    );
}

#[test]
fn the_files_are_the_list_and_a_key_that_is_gone_there_is_gone() {
    let shop = loaded();
    write(shop.path(), "staff.csv", "number\n01\n3\n");
    write(shop.path(), "staff-2.csv", "number\n4\n");
    let said = done(shop.path(), &["load", "--accept", "loss", "--dry-run"]);
    assert!(said.contains("1 new\n") && said.contains("1 deleted\n"), "{said}");
    assert_eq!(staff(shop.path()), ["01", "4"]);
    load_all_the_same(shop.path());
    assert_eq!(staff(shop.path()), ["01", "3", "4"]);
}

#[test]
fn a_list_that_shrinks_or_is_empty_is_held_up() {
    let shop = loaded();
    write(shop.path(), "staff.csv", "number\n01\n");
    failed(
        4,
        shop.path(),
        &["load"],
        "lists.staff: its files have 1 rows, 66 % fewer than the 3 of the last full load",
    );
    write(shop.path(), "staff.csv", "number\n");
    let said = done(shop.path(), &["load"]);
    assert!(said.contains("it stays as it is: an empty file replaces it only with allow_empty = true"), "{said}");
    assert_eq!(staff(shop.path()), ["01", "4"]);
    fs::write(shop.path().join("muster.toml"), format!("{SHOP}allow_empty = true\n")).unwrap();
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM profiles WHERE NOT lists.staff"), ["4"]);
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM lists.staff"), ["0"]);
}

#[test]
fn a_list_that_was_never_loaded_is_not_taken_for_an_empty_one() {
    let shop = shop(STAFF);
    done(shop.path(), &["load", "profiles"]);
    let hint = "unknown list `staff`\n  SELECT count(*) FROM profiles WHERE NOT lists.staff\n";
    failed(1, shop.path(), &["sql", "-c", "SELECT count(*) FROM profiles WHERE NOT lists.staff"], hint);
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM profiles WHERE NOT lists.staff"), ["2"]);
}

#[test]
fn a_list_whose_keys_are_all_rejected_is_not_taken_for_an_empty_one() {
    let shop = shop("number,since\n,2019\n1e+16,2020\n");
    let said = call(shop.path(), ["load"]).ended_with(3).stdout;
    assert!(said.contains("lists.staff: 2 rows read from 1 file\n") && said.contains("it stays as it is"), "{said}");
    failed(1, shop.path(), &["sql", "-c", "SELECT id FROM profiles WHERE NOT lists.staff"], "unknown list `staff`");
    write(shop.path(), "staff.csv", STAFF);
    done(shop.path(), &["load"]);
    write(shop.path(), "staff.csv", "number\n1.5\n");
    call(shop.path(), ["load"]).ended_with(3);
    assert_eq!(staff(shop.path()), ["01", "4"]);
}

#[test]
fn the_key_of_a_list_may_be_several_columns_as_that_of_the_profiles_is() {
    let definition = "[workspace]\nname = \"two\"\n[tables.profiles]\nsource = \"c.csv\"\nkey = [\"shop\", \"number\"]\n\
                      [lists.staff]\nsource = \"staff.csv\"\nkey = [\"store\", \"no\"]\n";
    let shop = workspace_of(&[
        ("muster.toml", definition),
        ("c.csv", "shop,number\nA,1\nA,2\nB,1\n"),
        ("staff.csv", "store,no,since\nA,1,2019\nB,1,2020\nB,2,2021\n"),
    ]);
    done(shop.path(), &["check", "--write"]);
    assert_eq!(fs::read_to_string(shop.path().join("muster.toml")).unwrap().matches("store").count(), 1);
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), "SELECT shop, number FROM profiles WHERE lists.staff ORDER BY shop"), ["A,1", "B,1"]);
}

#[test]
fn a_load_of_a_list_is_taken_back() {
    let shop = loaded();
    write(shop.path(), "staff.csv", "number\n2\n3\n4\n");
    load_all_the_same(shop.path());
    assert_eq!(staff(shop.path()), ["2", "3", "4"]);
    let undone = done(shop.path(), &["load", "--undo"]);
    assert!(undone.contains("  lists.staff: 2 new, 2 deleted\n"), "{undone}");
    assert_eq!(staff(shop.path()), ["01", "4"]);
}

#[test]
fn a_refresh_sees_who_came_onto_the_list_and_who_went() {
    let shop = loaded();
    done(shop.path(), &["apply"]);
    assert_eq!(done(shop.path(), &["segment", "guests", "--members"]), "2\n3\n");
    write(shop.path(), "staff.csv", "number\n2\n3\n4\n");
    load_all_the_same(shop.path());
    done(shop.path(), &["sql", "-c", "REFRESH SEGMENT guests"]);
    assert_eq!(done(shop.path(), &["segment", "guests", "--members"]), "01\n");
    let history = json(shop.path(), &["segment", "guests", "--history"]);
    assert_eq!((&history[1]["came"], &history[1]["went"]), (&1.into(), &2.into()), "{history}");
}

#[test]
fn a_campaign_writes_to_whoever_is_not_on_the_list_when_it_is_due() {
    let shop = tempfile::tempdir().unwrap();
    let dir = shop.path();
    write_corner_shop(dir);
    let lapsed = done(corner_shop(), &["segment", "lapsed", "--members"]);
    let keys: Vec<&str> = lapsed.lines().collect();
    let definition = fs::read_to_string(dir.join("muster.toml")).unwrap();
    let list = "[lists.stop]\nsource = \"files/stop.csv\"\nkey = \"customer_id\"\n";
    fs::write(dir.join("muster.toml"), format!("{definition}\n{list}")).unwrap();
    let campaign = fs::read_to_string(dir.join("campaigns/winback.toml")).unwrap();
    fs::write(
        dir.join("campaigns/winback.toml"),
        campaign.replace("\"lapsed\"", "\"reachable\"").replace("{ email =", "{ console ="),
    )
    .unwrap();
    write(dir, "stop.csv", &format!("customer_id\n{}\n", keys[..300].join("\n")));
    done(dir, &["load"]);
    done(dir, &["apply", dir.join("queries/lifecycle/lapsed.sql").to_str().unwrap()]);
    done(dir, &["sql", "-c", "CREATE SEGMENT reachable AS WHERE segments.lapsed AND NOT lists.stop"]);
    done(dir, &["campaign", "publish", "winback"]);
    // After the campaign was published, and before it is due.
    write(dir, "stop.csv", &format!("customer_id\n{}\n", keys[..400].join("\n")));
    done(dir, &["load"]);
    done(dir, &["campaign", "run-due"]);
    let ledger = json(dir, &["campaign", "ledger", "winback"]);
    let mut entered: Vec<&str> =
        ledger.as_array().unwrap().iter().map(|line| line["profile"].as_str().unwrap()).collect();
    entered.sort_unstable();
    assert_eq!(entered, keys[400..]);
}

#[test]
fn as_of_an_earlier_instant_a_list_is_that_of_today() {
    let shop = loaded();
    let earlier = "AS OF '2025-01-03T12:00:00' SELECT lists.staff, count(*) FROM orders GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(shop.path(), earlier), ["false,1", "true,1"]);
    write(shop.path(), "staff.csv", "number\n2\n3\n4\n");
    load_all_the_same(shop.path());
    assert_eq!(rows(shop.path(), earlier), ["false,1", "true,1"]);
    let who = "AS OF '2025-01-03T12:00:00' SELECT order_id FROM orders WHERE lists.staff";
    assert_eq!(rows(shop.path(), who), ["b"]);
}

#[test]
fn a_file_without_the_column_or_with_empty_keys_says_so() {
    let missing = shop("nr\n1\n");
    failed(1, missing.path(), &["load"], "files/staff.csv: no column `number`, which is declared");
    let empty = shop("number,since\n01,2019\n,2020\n4,2021\n");
    let said = call(empty.path(), ["load"]).ended_with(3).stdout;
    assert!(said.contains("files/staff.csv line 3"), "{said}");
    assert_eq!(staff(empty.path()), ["01", "4"]);
    // A column that was there and is gone is no matter of declaring it optional.
    let shop = loaded();
    write(shop.path(), "staff.csv", "nr\n1\n4\n9\n");
    let said = call(shop.path(), ["load"]).ended_with(1).stderr;
    assert!(said.contains("no column `number`, which is declared") && !said.contains("optional"), "{said}");
}

#[test]
fn a_plain_file_of_keys_is_a_list() {
    let shop = shop("01\n4\n");
    fs::write(shop.path().join("muster.toml"), format!("{SHOP}header = false\nnames = [\"number\"]\n")).unwrap();
    done(shop.path(), &["load"]);
    assert_eq!(staff(shop.path()), ["01", "4"]);
}

#[test]
fn exported_tables_have_the_list_and_the_column_that_printed_sql_reads() {
    let shop = loaded();
    let query = "EXPLAIN SQL SELECT id FROM profiles WHERE lists.staff";
    assert!(done(shop.path(), &["sql", "-c", query]).contains("\"profiles\".\"__list_staff\""));
    let folder = tempfile::tempdir().unwrap();
    done(shop.path(), &["export", "--tables", folder.path().to_str().unwrap()]);
    let file = |name: &str| fs::File::open(folder.path().join(name)).unwrap();
    let read = |name: &str| ParquetRecordBatchReaderBuilder::try_new(file(name)).unwrap().build().unwrap();
    let profiles = read("profiles.parquet").next().unwrap().unwrap();
    let on_it: Vec<bool> = profiles["__list_staff"].as_boolean().iter().map(Option::unwrap).collect();
    assert_eq!(on_it, [true, false, false, true]);
    assert_eq!(read("lists.staff.parquet").map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);
}
