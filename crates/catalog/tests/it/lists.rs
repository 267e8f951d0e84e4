//! Lists of profile keys: a table each, of the one column that is the key of a profile.

use muster_catalog::{Catalog, Column, ColumnType, Kind, Mode, Table};

use crate::world::{check, completed, read};

fn catalog(text: &str) -> Catalog {
    read(&completed(text)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn list(text: &str) -> Table {
    catalog(text).table("lists.vips").unwrap().clone()
}

#[test]
fn a_list_is_a_table_of_keys_that_its_files_replace() {
    let vips = list("[lists.vips]\nsource = \"vips/*.csv\"\nkey = \"customer\"\n");
    assert_eq!((vips.kind.clone(), vips.title().as_str()), (Kind::List, "[lists.vips]"));
    assert_eq!((vips.patterns(), vips.key.as_deref()), (vec!["vips/*.csv"], Some("customer")));
    assert_eq!(vips.columns, [Column::typed("customer", ColumnType::Id)]);
    assert_eq!((vips.mode, vips.one_row_per_key, vips.allow_empty), (Mode::Replace, true, false));
    assert!(list("[lists.vips]\nsource = \"v.csv\"\nkey = \"c\"\nallow_empty = true\n").allow_empty);
}

#[test]
fn lists_stand_behind_all_tables_and_are_no_parents() {
    let text = "[lists.vips]\nsource = \"v.csv\"\nkey = \"id\"\n\
                [tables.stores]\nsource = \"s.csv\"\nkey = \"id\"\nlookup = { home = \"profiles.store\" }\n";
    let catalog = catalog(text);
    let names: Vec<&str> = catalog.parents_first().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["stores", "profiles", "lists.vips"]);
    check(
        &format!("{text}[tables.calls]\nsource = \"c.csv\"\nparent = \"lists.vips\"\non = \"id\"\n"),
        "muster.toml line 10, column 1: `parent` of [tables.calls] is \"lists.vips\", and there is no such table\n  \
         hint: tables: stores, calls, profiles",
    );
}

#[test]
fn keys_are_read_as_those_of_the_profiles() {
    let profiles = "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\n[tables.profiles.columns]\n\
                    id = { type = \"id\", integral = true, null = \"-\", from = \"number\", class = \"personal\" }\n";
    let vips = list(&format!("{profiles}[lists.vips]\nsource = \"v.csv\"\nkey = \"customer\"\n"));
    let key = &vips.columns[0];
    assert_eq!((key.name.as_str(), key.from.as_str(), key.integral), ("customer", "customer", true));
    assert_eq!((key.null.as_slice(), key.class()), (&["-".to_owned()][..], muster_catalog::Class::Personal));
}

#[test]
fn a_file_without_header_needs_the_names_of_its_columns() {
    let vips = "[lists.vips]\nsource = \"v.txt\"\nkey = \"id\"\nheader = false\n";
    assert_eq!(list(&format!("{vips}names = [\"id\"]\n")).names, ["id"]);
    check(vips, "muster.toml line 4, column 1: a file without header needs `names` in [lists.vips]");
}

#[test]
fn a_key_of_several_columns_has_as_many_as_that_of_the_profiles() {
    let profiles = "[tables.profiles]\nsource = \"c.csv\"\nkey = [\"shop\", \"number\"]\n";
    let vips = list(&format!("{profiles}[lists.vips]\nsource = \"v.csv\"\nkey = [\"store\", \"no\"]\n"));
    assert_eq!(vips.key.as_deref(), Some("store+no"));
    check(
        &format!("{profiles}[lists.vips]\nsource = \"v.csv\"\nkey = \"no\"\n"),
        "muster.toml line 6, column 1: `key` of [lists.vips] has 1 column, and the key of `profiles` has 2 columns: shop, number",
    );
}

#[test]
fn what_a_list_does_not_have_is_refused() {
    check("[lists.vips]\nsource = \"v.csv\"\n", "muster.toml line 1, column 8: `key` is missing in [lists.vips]");
    check("[lists.vips]\nkey = \"id\"\n", "muster.toml line 1, column 8: `source` is missing in [lists.vips]");
    check(
        "[lists.VIPs]\nsource = \"v.csv\"\nkey = \"id\"\n",
        "muster.toml line 1, column 8: \"VIPs\" is no list name; expected small letters, digits and _, a letter first",
    );
    check(
        "[lists.vips]\nsource = \"v.csv\"\nkey = \"id\"\nmode = \"merge\"\n",
        "muster.toml line 4, column 1: unknown key `mode` in [lists.vips]\n  hint: known keys: source, key, allow_empty, \
         delimiter, blanks, header, names, quote, encoding, damaged, short_rows, stray_quotes, unnamed, null, error_budget",
    );
}
