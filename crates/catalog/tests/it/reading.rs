//! How files are read and what a load means: dialects, numbers, sources, keys of several columns.

use muster_catalog::{
    Catalog, Class, Column, ColumnType, Damaged, Dialect, Encoding, Kind, Mode, Owner, Role, ShortRows, StrayQuotes,
    Table, Unit, Unnamed,
};

use crate::world::{check, check_columns, check_orders, completed, read};

fn catalog(text: &str) -> Catalog {
    read(&completed(text)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The table `orders` with these lines.
fn orders(lines: &str) -> Table {
    let text = format!("[tables.orders]\nsource = \"o.csv\"\nparent = \"profiles\"\non = \"customer\"\n{lines}");
    catalog(&text).table("orders").unwrap().clone()
}

/// The column `c` of profiles.
fn column(settings: &str) -> Column {
    let text = format!(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\n[tables.profiles.columns]\nc = {{ {settings} }}\n"
    );
    catalog(&text).root().column("c").unwrap().clone()
}

#[test]
fn a_dialect_is_strict_unless_it_is_told_otherwise() {
    assert_eq!(orders("").dialect, Dialect::default());
    let told = "quote = \"'\"\nencoding = \"windows-1252\"\ndamaged = \"replace\"\nshort_rows = \"pad\"\n\
                stray_quotes = \"keep\"\nunnamed = \"number\"\ndecimal = \",\"\nthousands = \".\"\n";
    let expected = Dialect {
        quote: Some('\''),
        encoding: Some(Encoding::Windows1252),
        damaged: Damaged::Replace,
        short_rows: ShortRows::Pad,
        stray_quotes: StrayQuotes::Keep,
        unnamed: Unnamed::Number,
        decimal: Some(','),
        thousands: Some('.'),
    };
    assert_eq!(orders(told).dialect, expected);
    assert_eq!(orders("quote = \"\"").dialect.quote, None);
}

#[test]
fn a_dialect_that_contradicts_itself_is_refused() {
    check_orders(
        "quote = \";\"\ndelimiter = \";\"",
        "muster.toml line 5, column 1: `quote` in [tables.orders] must be an ASCII sign other than the delimiter, or \"\" for none",
    );
    check_orders(
        "quote = \"''\"",
        "muster.toml line 5, column 1: `quote` in [tables.orders] must be an ASCII sign other than the delimiter, or \"\" for none",
    );
    check_orders(
        "encoding = \"latin1\"",
        "muster.toml line 5, column 1: `encoding` in [tables.orders] is \"latin1\"; expected one of utf-8, utf-16, utf-16le, utf-16be, windows-1252",
    );
    check_orders(
        "damaged = \"replce\"",
        "muster.toml line 5, column 1: `damaged` in [tables.orders] is \"replce\"; expected one of reject, replace\n  hint: did you mean \"replace\"?",
    );
    check_orders(
        "decimal = \";\"",
        "muster.toml line 5, column 1: `decimal` in [tables.orders] must be \".\" or \",\"",
    );
    check_orders(
        "decimal = \",\"\nthousands = \",\"",
        "muster.toml line 6, column 1: `decimal` and `thousands` in [tables.orders] are the same character",
    );
    check_orders(
        "thousands = \".\"",
        "muster.toml line 5, column 1: `decimal` and `thousands` in [tables.orders] are the same character",
    );
    check_orders(
        "thousands = \"x\"",
        "muster.toml line 5, column 1: `thousands` in [tables.orders] must be one of \",\" \".\" \" \" \"'\" \"_\"",
    );
}

#[test]
fn a_column_says_how_its_numbers_are_written() {
    let c = column(
        "type = \"decimal(12,2)\", decimal = \",\", thousands = \".\", currency = [\"€\", \"EUR\"], currency_from = \"cur\", percent = true",
    );
    assert_eq!((c.decimal, c.thousands, c.percent), (Some(','), Some('.'), true));
    assert_eq!((c.currency, c.currency_from.as_deref()), (vec!["€".to_owned(), "EUR".to_owned()], Some("cur")));
    check_columns(
        "c = { decimal = \",\" }",
        "muster.toml line 5, column 7: `decimal` in [tables.profiles.columns.c] needs type = \"int\", \"decimal(p,s)\" or \"float\"",
    );
    check_columns(
        "c = { type = \"id\", percent = true }",
        "muster.toml line 5, column 20: `percent` in [tables.profiles.columns.c] needs type = \"int\", \"decimal(p,s)\" or \"float\"",
    );
    check_columns(
        "c = { type = \"float\", currency = \"5\" }",
        "muster.toml line 5, column 23: `currency` in [tables.profiles.columns.c] must be signs without digits and points, as \"€\" or \"EUR\"",
    );
}

#[test]
fn an_instant_is_a_text_of_one_format_or_a_number_of_one_unit() {
    assert_eq!(column("type = \"timestamp\", unit = \"ms\"").unit, Some(Unit::Milliseconds));
    assert_eq!(column("type = \"date\", format = \"%d.%m.%y\", window = 1930").window, Some(1930));
    check_columns(
        "c = { type = \"timestamp\", unit = \"ms\", format = \"%Y\" }",
        "muster.toml line 5, column 27: `unit` and `format` in [tables.profiles.columns.c] exclude each other",
    );
    check_columns(
        "c = { type = \"timestamp\", unit = \"min\" }",
        "muster.toml line 5, column 27: `unit` in [tables.profiles.columns.c] is \"min\"; expected one of s, ms",
    );
    check_columns(
        "c = { type = \"date\", format = \"%d.%m.%y\" }",
        "muster.toml line 5, column 22: a year of two digits in `format` of [tables.profiles.columns.c] needs `window`, its first year\n  hint: window = 1930 reads 30 to 99 as 1930 to 1999, and 00 to 29 as 2000 to 2029",
    );
    check_columns(
        "c = { type = \"date\", window = 1930 }",
        "muster.toml line 5, column 22: `window` in [tables.profiles.columns.c] needs a `format` with %y",
    );
}

#[test]
fn a_column_says_who_sees_and_who_owns_it() {
    let c = column("class = \"sensitive\", owner = \"latest\", optional = true");
    assert_eq!((c.class(), c.owner, c.optional), (Class::Sensitive, Owner::Latest, true));
    assert_eq!((column("").class(), column("").owner), (Class::Internal, Owner::Source));
    let email = Column { role: Some(Role::Email), ..Column::plain("mail") };
    assert_eq!(email.class(), Class::Personal);
    check_columns(
        "c = { class = \"secret\" }",
        "muster.toml line 5, column 7: `class` in [tables.profiles.columns.c] is \"secret\"; expected one of public, internal, personal, sensitive",
    );
    check_columns(
        "c = { owner = \"me\" }",
        "muster.toml line 5, column 7: `owner` in [tables.profiles.columns.c] is \"me\"; expected one of source, muster, latest",
    );
}

#[test]
fn what_tells_rows_apart_or_which_of_them_counts_is_the_sources() {
    let profiles = "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\nupdated_at = \"seen\"\ndeleted = \"gone\"\n";
    for (column, part) in [("id", "key"), ("seen", "updated_at"), ("gone", "deleted")] {
        check(
            &format!("{profiles}[tables.profiles.columns]\n{column} = {{ owner = \"muster\" }}\n"),
            &format!(
                "muster.toml line 7, column {}: `owner` in [tables.profiles.columns.{column}] cannot be: it is the `{part}` of [tables.profiles], which only its source knows",
                column.len() + 6
            ),
        );
    }
    check_orders(
        "[tables.orders.columns]\nstate = { owner = \"latest\" }",
        "muster.toml line 6, column 11: `owner` in [tables.orders.columns.state] needs `key` in [tables.orders]: rows without one never change",
    );
}

#[test]
fn a_key_of_several_columns_is_one_combined_column() {
    let catalog = catalog(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = [\"country\", \"number\"]\n\
         [tables.orders]\nsource = \"o.csv\"\nparent = \"profiles\"\non = [\"land\", \"customer\"]\n",
    );
    let root = catalog.root();
    assert_eq!((root.key.as_deref(), root.key_parts.len()), (Some("country+number"), 2));
    let orders = catalog.table("orders").unwrap();
    assert_eq!(orders.kind, Kind::History { parent: "profiles".to_owned(), on: "land+customer".to_owned() });
    assert_eq!(orders.combined(), [("land+customer", ["land".to_owned(), "customer".to_owned()].as_slice())]);
    check(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = [\"country\", \"number\"]\n[tables.profiles.columns]\nnumber = { type = \"int\" }\n",
        "muster.toml line 5, column 12: `number` is the `key` of [tables.profiles], which needs type = \"id\" or \"text\", not \"int\"",
    );
    check(
        "[tables.products]\nsource = \"p.csv\"\nkey = [\"a\", \"b\"]\nlookup = { products = \"profiles.a\" }\n",
        "muster.toml line 3, column 1: a lookup with a key of several columns, as [tables.products], is not supported yet",
    );
}

#[test]
fn what_a_load_means_is_said_of_the_table() {
    assert_eq!((orders("").mode, orders("").allow_empty), (Mode::Merge, false));
    let replacing = orders("mode = \"replace\"\nallow_empty = true\nkey = \"id\"\ndeleted = \"gone\"");
    assert_eq!(
        (replacing.mode, replacing.allow_empty, replacing.deleted.as_deref()),
        (Mode::Replace, true, Some("gone"))
    );
    assert_eq!(orders("replace = \"by_parent\"").mode, Mode::ReplaceByParent);
    check_orders(
        "mode = \"merge\"\nreplace = \"by_parent\"",
        "muster.toml line 6, column 1: `replace` and mode = \"merge\" in [tables.orders] exclude each other",
    );
    check_orders(
        "allow_empty = true",
        "muster.toml line 5, column 1: `allow_empty` in [tables.orders] needs mode = \"replace\"",
    );
    check_orders(
        "deleted = \"gone\"",
        "muster.toml line 5, column 1: `deleted` in [tables.orders] needs `key`: nothing else says which row is gone",
    );
    check(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\nreplace = \"by_parent\"\n",
        "muster.toml line 4, column 1: replace = \"by_parent\" in [tables.profiles] needs `parent`: only a history table has it",
    );
    check_orders(
        "key = \"id\"\ndeleted = \"gone\"\n[tables.orders.columns]\ngone = { type = \"text\" }",
        "muster.toml line 8, column 10: `gone` is the `deleted` of [tables.orders], which needs type = \"bool\", not \"text\"",
    );
}

const TWO_SOURCES: &str = "[tables.profiles]\nkey = \"id\"\n[tables.profiles.columns]\nborn = { type = \"date\", role = \"birth_date\" }\n\
    [[tables.profiles.sources]]\nsource = \"crm/*.csv\"\nmatch = \"Kundennr\"\npriority = 5\n\
    columns = { id = { from = \"Kundennr\" }, born = { format = \"%d.%m.%Y\" } }\n\
    [[tables.profiles.sources]]\nsource = \"**/*.csv\"\n";

#[test]
fn several_sources_have_their_own_words_for_the_columns() {
    let catalog = catalog(TWO_SOURCES);
    let root = catalog.root();
    assert_eq!(root.patterns(), ["crm/*.csv", "**/*.csv"]);
    let [crm, other] = root.sources.as_slice() else { panic!("two sources") };
    assert_eq!((crm.priority, other.priority), (5, 0));
    assert_eq!((crm.header.as_slice(), other.header.len()), (["Kundennr".to_owned()].as_slice(), 0));
    let born = crm.column("born").unwrap();
    assert_eq!((born.column_type, born.role.clone()), (Some(ColumnType::Date), Some(Role::BirthDate)));
    assert_eq!(born.format.as_deref(), Some("%d.%m.%Y"));
    assert_eq!(crm.column("id").unwrap().from, "Kundennr");
    assert_eq!(other.columns, root.columns);
    assert_eq!((crm.own.len(), other.own.len()), (2, 0));
}

#[test]
fn sources_that_contradict_the_table_are_refused() {
    check(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\nsources = [{ source = \"d.csv\" }]\n",
        "muster.toml line 2, column 1: `source` and `sources` in [tables.profiles] exclude each other",
    );
    check(
        "[tables.profiles]\nkey = \"id\"\nsources = [\"d.csv\"]\n",
        "muster.toml line 3, column 1: `sources` in [tables.profiles] must be a list of sections: [[tables.profiles.sources]]",
    );
    check(
        "[tables.profiles]\nkey = \"id\"\n[[tables.profiles.sources]]\nmatch = \"x\"\n",
        "muster.toml line 3, column 1: `source` is missing in [tables.profiles.sources]",
    );
    check(
        "[tables.profiles]\nkey = \"id\"\n[[tables.profiles.sources]]\nsource = \"c.csv\"\n[tables.profiles.sources.columns]\nmail = { role = \"email\" }\n",
        "muster.toml line 6, column 10: unknown key `role` in [tables.profiles.sources.columns.mail]\n  hint: known keys: from, optional, type, format, window, zone, unit, null, placeholder, true, false, separator, integral, decimal, thousands, currency, currency_from, percent",
    );
    check(
        &TWO_SOURCES.replace("format = \"%d.%m.%Y\"", "type = \"text\""),
        "muster.toml line 9, column 50: `type` in [tables.profiles.sources.columns.born] is \"text\", and the table declares \"date\"",
    );
    check(
        &TWO_SOURCES.replace("from = \"Kundennr\"", "type = \"int\""),
        "muster.toml line 9, column 20: `id` is the `key` of [tables.profiles], which needs type = \"id\" or \"text\", not \"int\"",
    );
}
