//! The ways to ask what is wrong with a `muster.toml`: a whole file, or a few lines of one that is else in order.

use muster_catalog::{Catalog, Problems, parse};

const WORKSPACE: &str = "\n[workspace]\nname = \"shop\"\n";

const PROFILES: &str = "\n[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\n";

/// Four lines.
const ORDERS: &str = "[tables.orders]\nsource = \"orders.csv\"\nparent = \"profiles\"\non = \"customer\"\n";

/// Four lines.
const COLUMNS: &str = "[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\n[tables.profiles.columns]\n";

/// Five lines.
const COLUMNS_PICKED: &str =
    "[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\none_row_per_key = true\n[tables.profiles.columns]\n";

/// Three lines.
const PRODUCTS: &str = "[tables.products]\nsource = \"products.csv\"\nkey = \"sku\"\n";

/// Four lines.
const SMTP: &str = "[channels.email]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nfrom = \"Shop <news@shop.example>\"\n";

/// Reads a file that stands for itself.
pub fn read(text: &str) -> Result<Catalog, Problems> {
    parse("muster.toml", text)
}

/// `text`, with the workspace and the root that every file needs behind it, so that places count from the case's start.
pub fn completed(text: &str) -> String {
    let mut whole = text.to_owned();
    for (section, lines) in [("workspace", WORKSPACE), ("tables.profiles", PROFILES)] {
        if !text.contains(&format!("[{section}]")) {
            whole.push_str(lines);
        }
    }
    whole
}

/// What is wrong with a file that stands for itself, whole.
#[track_caller]
pub fn check_whole(text: &str, expected: &str) {
    match read(text) {
        Ok(_) => panic!("nothing is wrong with:\n{text}"),
        Err(problems) => assert_eq!(problems.to_string(), expected, "in:\n{text}"),
    }
}

/// What is wrong with a file of which only the sections that matter are written.
#[track_caller]
pub fn check(text: &str, expected: &str) {
    check_whole(&completed(text), expected);
}

/// Lines of the history table `orders`, from line 5.
#[track_caller]
pub fn check_orders(lines: &str, expected: &str) {
    check(&format!("{ORDERS}{lines}"), expected);
}

/// Columns of profiles, from line 5.
#[track_caller]
pub fn check_columns(lines: &str, expected: &str) {
    check(&format!("{COLUMNS}{lines}"), expected);
}

/// Columns of profiles that come from a flat file, from line 6.
#[track_caller]
pub fn check_columns_picked(lines: &str, expected: &str) {
    check(&format!("{COLUMNS_PICKED}{lines}"), expected);
}

/// Lines of `[scores.rfm]`, from line 2.
#[track_caller]
pub fn check_rfm(lines: &str, expected: &str) {
    check(&format!("[scores.rfm]\n{lines}"), expected);
}

/// What stands behind `where = ` of orders; its first character is at line 5, column 9.
#[track_caller]
pub fn check_where(value: &str, expected: &str) {
    check_orders(&format!("where = {value}"), expected);
}

/// What stands behind `lookup = ` of products, on line 4.
#[track_caller]
pub fn check_link(value: &str, expected: &str) {
    check(&format!("{PRODUCTS}lookup = {value}"), expected);
}

/// Lines of the channel `email`, from line 5.
#[track_caller]
pub fn check_smtp(lines: &str, expected: &str) {
    check(&format!("{SMTP}{lines}"), expected);
}
