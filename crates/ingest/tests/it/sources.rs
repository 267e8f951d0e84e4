//! Several sources of one table, and keys of several columns.

use muster_ingest::{belongs_to, source_files};

use crate::world::{World, assert_adds_up, column, lines, types};

const SOURCES: &str = r#"
[tables.profiles]
key = "id"
[tables.profiles.columns]
born = { type = "date" }
[[tables.profiles.sources]]
source = "in/*.csv"
match = ["Kundennr", "geboren"]
priority = 5
columns = { id = { from = "Kundennr" }, born = { from = "geboren", format = "%d.%m.%Y" }, phone = { type = "text" } }
[[tables.profiles.sources]]
source = "in/*.csv"
"#;

fn world() -> World {
    World::new(SOURCES)
        .file("in/1-web.csv", "id,born,city\nw1,1980-12-31,Delft\n")
        .file("in/2-crm.csv", "Kundennr;geboren;phone\nc1;31.12.1980;0123\nc2;1980-12-31;0124\n")
}

#[test]
fn a_file_is_read_in_the_words_of_the_source_whose_header_it_has() {
    let (load, rejects) = world().load_watched("profiles");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(types(&load), ["id id", "born date", "city text", "phone text"]);
    assert_eq!(column(&load, "id"), ["w1", "c1"]);
    assert_eq!(column(&load, "born"), ["1980-12-31", "1980-12-31"]);
    assert_eq!((column(&load, "city"), column(&load, "phone")), (strings(["Delft", ""]), strings(["", "0123"])));
    assert_eq!(lines(&rejects), ["in/2-crm.csv line 3, geboren: \"1980-12-31\" is not a date; expected DD.MM.YYYY"]);
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn a_file_that_no_source_matches_is_refused_with_its_columns() {
    let strict = SOURCES.replace("[[tables.profiles.sources]]\nsource = \"in/*.csv\"\n\"#", "");
    let only_crm = strict.rsplit_once("[[tables.profiles.sources]]").unwrap().0;
    let message = World::new(only_crm).file("in/1.csv", "id,born\n").failure("profiles").to_string();
    assert_eq!(
        message,
        "in/1.csv: none of the table's sources matches its header\n  hint: its columns: id, born; a source without `match` takes any"
    );
}

#[test]
fn what_a_source_declares_is_needed_in_its_files_only() {
    let world = World::new(SOURCES).file("in/2-crm.csv", "Kundennr,geboren\nc1,31.12.1980\n");
    assert!(world.failure("profiles").to_string().starts_with("in/2-crm.csv: no column `phone`, which is declared"));
    let world = World::new(SOURCES).file("in/1-web.csv", "id,born\nw1,1980-12-31\n");
    assert_eq!(column(&world.load("profiles"), "phone"), [""]);
}

#[test]
fn the_files_of_all_sources_come_once_in_the_order_of_their_names() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for name in ["in/b.csv", "in/a.csv"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let catalog = muster_catalog::parse("muster.toml", &format!("[workspace]\nname = \"shop\"\n{SOURCES}")).unwrap();
    let names =
        |folder| source_files(folder, catalog.root()).map(|files| files.into_iter().map(|file| file.name).collect());
    assert_eq!(names(folder.path()).unwrap(), strings(["in/a.csv", "in/b.csv"]));
    let missing: Result<Vec<String>, _> = names(&folder.path().join("in"));
    assert!(missing.unwrap_err().to_string().starts_with("no file matches `in/*.csv`"));
    assert!(belongs_to(catalog.root(), "in/c.csv") && !belongs_to(catalog.root(), "out/c.csv"));
}

const COMPOSITE: &str = r#"
[tables.profiles]
source = "c.csv"
key = ["country", "number"]
[tables.orders]
source = "o.csv"
key = "order"
parent = "profiles"
on = ["land", "customer"]
"#;

#[test]
fn a_key_of_several_columns_is_one_text_made_of_its_parts() {
    let world = World::new(COMPOSITE)
        .file("c.csv", "country,number,name\nNL,007,Ann\nN|L,7,Bob\n,8,Eve\n")
        .file("o.csv", "order,land,customer\no1, NL ,007\no2,NL,\n");
    let (load, rejects) = world.load_watched("profiles");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(types(&load), ["country id", "number id", "name text", "country+number id"]);
    assert_eq!(column(&load, "country+number"), ["NL|007", "N\\|L|7"]);
    assert_eq!(lines(&rejects), ["c.csv line 4, country: \"\" is no key; every row needs one"]);
    let (orders, rejects) = world.load_watched("orders");
    assert_eq!(column(&orders.unwrap(), "land+customer"), ["NL|007"]);
    assert_eq!(lines(&rejects), ["o.csv line 3, customer: \"\" is no parent key; every row needs one"]);
}

#[test]
fn one_row_per_key_goes_by_all_parts_of_the_key() {
    let tables = COMPOSITE.replace("source = \"c.csv\"\n", "source = \"c.csv\"\none_row_per_key = true\n");
    let load =
        World::new(&tables).file("c.csv", "country,number,name\nNL,1,Ann\nDE,1,Bob\nNL,1,Eve\n").load("profiles");
    assert_adds_up(&load);
    assert_eq!(column(&load, "country+number"), ["NL|1", "DE|1"]);
}
