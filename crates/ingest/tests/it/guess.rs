//! A folder of files is guessed as a workspace: what is found from the values, what from names, and what is left in doubt.

use std::fs;
use std::path::Path;

use muster_catalog::{Timestamp, parse, parse_local};
use muster_ingest::guess::{Guess, TableKind, candidates, guess};
use muster_ingest::{Intake, read, source_files};
use tempfile::TempDir;

fn now() -> Timestamp {
    parse_local("2025-07-01", chrono_tz::Tz::UTC).unwrap()
}

fn folder(files: &[(&str, String)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// The guess over the files of a folder; what it writes is in order.
#[track_caller]
fn of(folder: &Path) -> Guess {
    let (candidates, _) = candidates(folder, &[folder.to_owned()]).unwrap();
    let guess = guess(&candidates, now()).unwrap();
    if guess.has_root() {
        let text = guess.definition("shop", "UTC");
        parse("muster.toml", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    }
    guess
}

/// A hundred lines.
fn lines(header: &str, line: impl Fn(usize) -> String) -> String {
    format!("{header}\n{}", (0..100).map(|row| line(row) + "\n").collect::<String>())
}

fn people() -> (&'static str, String) {
    ("people.csv", lines("code,mail", |row| format!("P{row:03},p{row}@shop.example")))
}

/// What is guessed of a column with these values, beside people.
#[track_caller]
fn check_type(name: &str, value: impl Fn(usize) -> String, expected: &str) {
    let rows = lines(&format!("code,mail,{name}"), |row| format!("P{row:03},p{row}@shop.example,{}", value(row)));
    let folder = folder(&[("people.csv", rows)]);
    let text = of(folder.path()).definition("shop", "UTC");
    let found = text.lines().find(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = {{")));
    let found = found.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    let found = found.rsplit_once('}').map(|(said, _)| said.split_once("= {").unwrap().1.trim()).unwrap();
    let commented = text.contains(&format!("\n# {name} = {{"));
    assert_eq!(format!("{}{found}", if commented { "# " } else { "" }), expected, "{name}");
}

#[test]
fn a_type_is_seen_from_the_values() {
    let day = |row: usize| format!("{:02}", row % 28 + 1);
    check_type("x", |row| row.to_string(), "type = \"int\"");
    check_type("x", |row| format!("{row}.50"), "type = \"decimal(18,2)\"");
    check_type("x", |row| format!("0.{row:06}1"), "type = \"float\"");
    check_type("x", |row| format!("2024-01-{}", day(row)), "type = \"date\"");
    check_type("x", |row| format!("2024-01-{} 10:0{}", day(row), row % 10), "type = \"timestamp\"");
    check_type("x", |row| format!("{}-01-2024", day(row)), "type = \"date\", format = \"%d-%m-%Y\"");
    check_type(
        "x",
        |row| format!("{}/31/2024 09:30", 1 + 2 * (row % 2)),
        "type = \"timestamp\", format = \"%m/%d/%Y %H:%M\"",
    );
    check_type("x", |row| ["J", "N"][row % 2].to_owned(), "type = \"bool\", true = [\"J\"], false = [\"N\"]");
    check_type("x", |row| ["yes", "no"][row % 2].to_owned(), "type = \"bool\"");
    check_type("x", |row| format!("AB-{row:04}"), "type = \"id\"");
    check_type("x", |row| format!("{row:05}"), "type = \"id\"");
    check_type("x", |row| ["a;b", "b;c", "a", "c;a;b", "a;c"][row % 5].to_owned(), "type = \"set\", separator = \";\"");
    check_type("x", |row| ["red", "green, or blue"][row % 2].to_owned(), "type = \"text\"");
    check_type("x", |row| ["25-34", "35-44", "65+"][row % 3].to_owned(), "type = \"text\"");
}

#[test]
fn an_id_is_seen_from_its_name_and_not_where_the_values_speak_against_it() {
    check_type("shop_id", |row| (row % 7).to_string(), "type = \"id\"");
    check_type("shop_id", |row| format!("{}.0", row % 7), "type = \"id\", integral = true");
    check_type("paid", |row| (row % 7).to_string(), "type = \"int\"");
    check_type("tax_code", |row| format!("{row}.25"), "type = \"decimal(18,2)\"");
}

#[test]
fn texts_that_mean_no_value_do_not_make_numbers_into_text() {
    let income = |row: usize| if row.is_multiple_of(3) { "NA".to_owned() } else { row.to_string() };
    check_type("income", income, "type = \"int\", null = [\"NA\"]");
    check_type(
        "income",
        |row| if row == 50 { "  ".to_owned() } else { row.to_string() },
        "type = \"int\", null = [\"  \"]",
    );
    // One word in a hundred is no typing error that may cost a row.
    check_type("income", |row| if row == 50 { "many".to_owned() } else { row.to_string() }, "type = \"text\"");
}

#[test]
fn a_comma_before_the_fraction_is_seen_unless_it_could_stand_between_thousands() {
    let quoted = |text: String| format!("\"{text}\"");
    check_type("x", |row| quoted(format!("{row},50")), "type = \"decimal(18,2)\", decimal = \",\"");
    let grouped = "type = \"decimal(18,2)\", decimal = \",\", thousands = \".\"";
    check_type("x", |row| quoted(format!("1.{:03},50", row)), grouped);
    check_type("x", |row| quoted(format!("{row},123")), "# type = \"decimal(18,3)\", decimal = \",\"");
}

#[test]
fn fields_between_blanks_are_seen_and_a_file_without_header_is_left_out() {
    let events = lines("who      at       pieces", |row| format!("P{row:03}   202401{:02}      {row}", row % 28 + 1));
    let folder = folder(&[
        people(),
        ("events.txt", events),
        ("more.csv", lines("7,2024-01-01", |row| format!("{row},2024-01-02"))),
    ]);
    let (found, left_out) = candidates(folder.path(), &[folder.path().to_owned()]).unwrap();
    assert_eq!((left_out.len(), left_out[0].file.as_str()), (1, "more.csv"));
    assert!(left_out[0].why.starts_with("its first line is no header but a row: 7, 2024-01-01"), "{left_out:?}");
    let guess = guess(&found, now()).unwrap();
    let text = guess.definition("shop", "UTC");
    let catalog = parse("muster.toml", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let events = catalog.table("events").unwrap();
    assert_eq!((events.parent(), events.time.as_deref()), (Some("profiles"), Some("at")));
    let intake = Intake { catalog: &catalog, table: events, known: &[] };
    let load = read(&intake, &source_files(folder.path(), events).unwrap(), &mut ()).unwrap();
    assert_eq!((load.report.rows, load.report.rejected_rows()), (100, 0));
}

#[test]
fn a_day_that_could_be_a_month_is_not_taken() {
    let ambiguous = |row: usize| format!("0{}/0{}/2024", row % 9 + 1, row % 8 + 1);
    check_type("x", ambiguous, "# type = \"date\", format = \"%d/%m/%Y\"");
}

#[test]
fn consent_is_taken_from_a_name_and_never_from_values_alone() {
    let yes_or_no = |row: usize| ["J", "N"][row % 2].to_owned();
    check_type(
        "email_consent",
        yes_or_no,
        "type = \"bool\", true = [\"J\"], false = [\"N\"], role = \"consent.email\"",
    );
    let rows = lines("code,mail,x", |row| format!("P{row:03},p{row}@shop.example,{}", yes_or_no(row)));
    let text = of(folder(&[("people.csv", rows)]).path()).definition("shop", "UTC");
    assert!(text.contains("\n# `x` may have role = \"consent.email\""), "{text}");
}

#[test]
fn a_line_belongs_to_its_order_and_not_to_the_customer_whom_it_names_too() {
    let folder = folder(&[
        people(),
        (
            "orders.csv",
            lines("number,who,at", |row| format!("N{row:04},P{:03},2024-02-01 10:{:02}", row % 50, row % 60)),
        ),
        ("lines.csv", lines("of,who,piece", |row| format!("N{:04},P{:03},{}", row % 40, row % 40 % 50, row % 3))),
    ]);
    let guess = of(folder.path());
    let parent = |table: &str| {
        guess.table(table).unwrap().parent.as_ref().map(|parent| (parent.value.table.clone(), parent.value.on.clone()))
    };
    assert_eq!(parent("lines"), Some(("orders".to_owned(), "of".to_owned())));
    assert_eq!(parent("orders"), Some(("profiles".to_owned(), "who".to_owned())));
}

#[test]
fn a_reference_that_many_rows_lack_is_no_parent() {
    let folder = folder(&[
        people(),
        ("orders.csv", lines("number,who,at", |row| format!("N{row:04},P{row:03},2024-02-01 10:{:02}", row % 60))),
        (
            "carts.csv",
            lines("cart,who,at,became", |row| {
                let became = if row % 2 == 0 { format!("N{row:04}") } else { String::new() };
                format!("K{row:04},P{row:03},2024-01-01 10:{:02},{became}", row % 60)
            }),
        ),
    ]);
    let guess = of(folder.path());
    let carts = guess.table("carts").unwrap();
    assert_eq!(carts.parent.as_ref().unwrap().value.on, "who");
    assert_eq!(carts.column("became").unwrap().column_type.value.to_string(), "id");
}

#[test]
fn what_is_referred_to_and_leads_to_nobody_is_looked_up() {
    let folder = folder(&[
        people(),
        (
            "sales.csv",
            lines("who,at,what,instead", |row| format!("P{row:03},2024-02-01,X{:02},X{:02}", row % 20, row % 10)),
        ),
        ("wares.csv", (0..20).fold("ware,label\n".to_owned(), |text, row| text + &format!("X{row:02},ware {row}\n"))),
        ("rain.csv", lines("day,fell", |row| format!("2024-01-{:02},{}", row % 28 + 1, row % 5))),
    ]);
    let guess = of(folder.path());
    let wares = guess.table("wares").unwrap();
    assert_eq!(wares.kind.value, TableKind::Lookup);
    let links: Vec<(&str, &str)> =
        wares.links.iter().map(|link| (link.value.name.as_str(), link.value.from_column.as_str())).collect();
    assert_eq!(links.len(), 2);
    assert!(links.contains(&("wares", "what")) || links.contains(&("wares", "instead")), "{links:?}");
    let text = guess.definition("shop", "UTC");
    assert_eq!(guess.table("rain").unwrap().kind.value, TableKind::Unplaced);
    assert!(text.contains("# [tables.rain]") && !text.contains("\n[tables.rain]"), "{text}");
}

#[test]
fn of_several_instants_the_first_is_the_time_and_one_that_is_sometimes_missing_is_not() {
    let folder = folder(&[
        people(),
        (
            "orders.csv",
            lines("number,who,expected,made,paid", |row| {
                let paid = if row % 4 == 0 { "" } else { "2024-02-01 08:00" };
                format!("N{row:04},P{row:03},2024-02-09 10:00,2024-02-02 10:{:02},{paid}", row % 60)
            }),
        ),
    ]);
    assert_eq!(of(folder.path()).table("orders").unwrap().time.as_ref().unwrap().value, "made");
}

#[test]
fn files_of_one_kind_are_one_table_and_a_pattern_names_no_other_file() {
    let day = |day: usize| lines("who,at", |row| format!("P{row:03},2024-01-0{day}"));
    let folder = folder(&[people(), ("sales-2024-01.csv", day(1)), ("sales-2024-02.csv", day(2))]);
    let guess = of(folder.path());
    let sales = guess.table("sales").unwrap();
    assert_eq!((sales.pattern.as_str(), sales.files, sales.rows), ("sales-*-*.csv", 2, 200));
    fs::write(folder.path().join("sales-x-y.csv"), "other\n1\n").unwrap();
    assert_eq!(of(folder.path()).table("sales_2024_01").unwrap().rows, 100);
}

#[test]
fn what_is_written_is_read_to_the_last_row() {
    let folder = folder(&[
        (
            "cust\"omers 1.csv",
            lines("Customer ID;e-mail;orders;__x", |row| format!("{row:04};p{row}@shop.example;{row};a")),
        ),
        ("orders.csv", lines("id;customer;placed", |row| format!("{row};{row:04};2024-01-{:02}", row % 28 + 1))),
    ]);
    let text = of(folder.path()).definition("a \"shop\"", "Europe/Amsterdam");
    let catalog = parse("muster.toml", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    for table in &catalog.tables {
        let intake = Intake { catalog: &catalog, table, known: &[] };
        let load = read(&intake, &source_files(folder.path(), table).unwrap(), &mut ()).unwrap();
        assert_eq!((load.report.rows, load.report.rejected_rows()), (100, 0), "{}", table.name);
    }
    assert_eq!(catalog.tables.len(), 2, "{text}");
}

#[test]
fn nothing_that_is_not_sure_stands_there_as_more_than_a_comment() {
    let folder =
        folder(&[people(), ("seen.csv", lines("who,what,at", |row| format!("P{:03},{},{}", row / 10, row % 10, "")))]);
    let guess = of(folder.path());
    let text = guess.definition("shop", "UTC");
    let seen = guess.table("seen").unwrap();
    assert!(!seen.key.as_ref().unwrap().is_taken() && !seen.column("at").unwrap().column_type.is_taken());
    assert!(text.contains("\n# key = [\"who\", \"what\"]") && text.contains("\n# at = { type = \"text\" }"), "{text}");
    for part in ["seen: perhaps the key `who`, `what`", "seen.at: perhaps text: no row has a value"] {
        assert!(guess.doubts.iter().any(|doubt| doubt.to_string().starts_with(part)), "{part} in {:?}", guess.doubts);
    }
}

#[test]
fn what_a_person_confirms_is_taken() {
    let folder =
        folder(&[people(), ("seen.csv", lines("who,what,at", |row| format!("P{:03},{},{}", row / 10, row % 10, "")))]);
    let mut guess = of(folder.path());
    let mut asked = Vec::new();
    guess.confirm(&mut |doubt| {
        asked.push(doubt.to_string());
        doubt.text.starts_with("the key is")
    });
    assert_eq!(asked.len(), 2, "{asked:?}");
    let text = guess.definition("shop", "UTC");
    assert!(text.contains("\nkey = [\"who\", \"what\"]") && text.contains("\n# at = "), "{text}");
}
