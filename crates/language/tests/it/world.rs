//! The shop whose names the tests use, and the two ways to ask: printed SQL, or the whole error.

use std::collections::BTreeSet;

use muster_catalog::{
    ColumnNames, ColumnType, Kind, Names, ScoreNames, SegmentNames, TableNames, Timestamp, parse_local,
};
use muster_language::{Error, ResolvedQuery, Statement, parse, resolve, resolve_segment};

/// 2025-06-30, noon in Amsterdam.
pub const AS_OF: &str = "2025-06-30T12:00:00";

const MONEY: ColumnType = ColumnType::Decimal { precision: 12, scale: 2 };

/// Profiles with orders of lines, carts of lines, and visits; products and sites beside them.
pub fn names() -> Names {
    use ColumnType::{Bool, Date, Id, Int, Set, Text};
    Names {
        zone: chrono_tz::Europe::Amsterdam,
        tables: vec![
            lookup("products", &[("product_id", Id), ("category", Text), ("price", MONEY)]),
            lookup("sites", &[("site_id", Id), ("city", Text)]),
            TableNames {
                links: vec![link("home_site", "store_id", "sites")],
                ..table(
                    "profiles",
                    Kind::Root,
                    &[
                        ("profile_id", Id),
                        ("email", Text),
                        ("country", Text),
                        ("birth_date", Date),
                        ("income", MONEY),
                        ("interests", Set),
                        ("consent", Bool),
                        ("store_id", Id),
                    ],
                )
            },
            TableNames {
                links: vec![link("site", "site_id", "sites")],
                ..history(
                    "orders",
                    "profiles",
                    &[
                        ("order_id", Id),
                        ("profile_id", Id),
                        ("placed_at", ColumnType::Timestamp),
                        ("total", MONEY),
                        ("channel", Text),
                        ("site_id", Id),
                    ],
                )
            },
            TableNames {
                key: None,
                time: None,
                links: vec![link("products", "product_id", "products")],
                ..history(
                    "order_lines",
                    "orders",
                    &[("order_id", Id), ("product_id", Id), ("quantity", Int), ("price", MONEY)],
                )
            },
            history(
                "carts",
                "profiles",
                &[("cart_id", Id), ("profile_id", Id), ("updated_at", ColumnType::Timestamp), ("status", Text)],
            ),
            TableNames {
                key: None,
                links: vec![link("goods", "product_id", "products")],
                ..history(
                    "web_visits",
                    "profiles",
                    &[("profile_id", Id), ("at", ColumnType::Timestamp), ("page", Text), ("product_id", Id)],
                )
            },
        ],
        segments: vec![
            SegmentNames { name: "unsubscribed".to_owned(), grain: "profiles".to_owned() },
            SegmentNames { name: "open_carts".to_owned(), grain: "carts".to_owned() },
        ],
        variables: BTreeSet::new(),
        scores: Vec::new(),
        affinities: Vec::new(),
    }
}

/// The same shop, where lines are returned and refunded, and orders shipped: four levels, and two branches below orders.
pub fn deep_names() -> Names {
    use ColumnType::{Id, Int};
    let mut names = names();
    names.tables.push(history("returns", "order_lines", &[("return_id", Id), ("pieces", Int)]));
    names.tables.push(history("refunds", "returns", &[("refund_id", Id), ("return_id", Id), ("amount", MONEY)]));
    names.tables.push(history("shipments", "orders", &[("shipment_id", Id), ("order_id", Id)]));
    names
}

/// The same shop, where carts have lines too, whose products go by the same name.
pub fn names_with_cart_lines() -> Names {
    use ColumnType::{Id, Int};
    let mut names = names();
    names.tables.push(TableNames {
        key: None,
        links: vec![link("products", "product_id", "products")],
        ..history("cart_lines", "carts", &[("cart_id", Id), ("product_id", Id), ("quantity", Int)])
    });
    names
}

/// The same shop with two lists of profile keys.
pub fn names_with_lists() -> Names {
    let mut names = names();
    let list = |name: &str| table(&format!("lists.{name}"), Kind::List, &[("customer", ColumnType::Id)]);
    names.tables.extend(["staff", "stop"].map(list));
    names
}

/// The same shop, with two scores of its purchases.
pub fn names_with_scores() -> Names {
    use ColumnType::{Int, Text};
    let score = |name: &str, columns: &[(&str, ColumnType)]| ScoreNames {
        name: name.to_owned(),
        columns: columns.iter().copied().map(column).collect(),
    };
    let rfm = [("recency_days", Int), ("monetary", MONEY), ("r", Int), ("f", Int), ("cell", Text), ("label", Text)];
    let scores = vec![score("rfm", &rfm), score("reactivation", &[("due_at", ColumnType::Timestamp)])];
    Names { scores, ..names() }
}

/// The same shop, where profiles exist from an instant on.
pub fn names_with_created_at() -> Names {
    let mut names = names();
    for table in names.tables.iter_mut().filter(|table| table.kind == Kind::Root) {
        table.created_at = Some("created_at".to_owned());
        table.columns.push(column(("created_at", ColumnType::Timestamp)));
    }
    names
}

fn table(name: &str, kind: Kind, columns: &[(&str, ColumnType)]) -> TableNames {
    let first_is_key = columns.first().filter(|(_, holds)| *holds == ColumnType::Id);
    let time = columns.iter().find(|(_, holds)| *holds == ColumnType::Timestamp);
    TableNames {
        name: name.to_owned(),
        kind,
        key: first_is_key.map(|(name, _)| (*name).to_owned()),
        time: time.map(|(name, _)| (*name).to_owned()),
        created_at: None,
        columns: columns.iter().copied().map(column).collect(),
        links: Vec::new(),
    }
}

fn history(name: &str, parent: &str, columns: &[(&str, ColumnType)]) -> TableNames {
    let on = format!("{}_id", parent.trim_end_matches('s'));
    table(name, Kind::History { parent: parent.to_owned(), on }, columns)
}

fn lookup(name: &str, columns: &[(&str, ColumnType)]) -> TableNames {
    table(name, Kind::Lookup, columns)
}

fn link(name: &str, from_column: &str, lookup: &str) -> (String, String, String) {
    (name.to_owned(), from_column.to_owned(), lookup.to_owned())
}

fn column((name, column_type): (&str, ColumnType)) -> ColumnNames {
    ColumnNames { name: name.to_owned(), column_type, role: None }
}

/// The instant of [`AS_OF`].
pub fn as_of() -> Timestamp {
    parse_local(AS_OF, chrono_tz::Europe::Amsterdam).expect("the tests' instant has a known form")
}

/// Parses and resolves against `names`.
pub fn resolved_with(text: &str, names: &Names) -> Result<ResolvedQuery, Error> {
    match parse(text)? {
        Statement::Query { as_of: instant, query } => {
            let instant = instant.map_or(Ok(as_of()), |instant| instant.instant(names.zone))?;
            resolve(&query, names, instant)
        }
        Statement::CreateSegment(definition) => {
            resolve_segment(&definition.query, names, as_of()).map(|segment| segment.query)
        }
        other => panic!("{other:?} has no query to resolve"),
    }
}

/// Parses and resolves against [`names`].
pub fn resolved(text: &str) -> Result<ResolvedQuery, Error> {
    resolved_with(text, &names())
}

/// The plain SQL of a query.
pub fn sql(text: &str) -> String {
    resolved(text).unwrap_or_else(|error| panic!("{text}\n{error}")).to_sql()
}

/// Compares with the snapshot of this test.
macro_rules! check_snapshot {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
            insta::assert_snapshot!($text);
        })
    };
}

/// Compares each query with its plain SQL, as the snapshot of this test has them for people to read.
macro_rules! check_transcript {
    ($queries:expr) => {
        check_snapshot!(crate::world::transcript($queries, &crate::world::names()))
    };
}

/// Each query with its plain SQL.
pub fn transcript(queries: &[&str], names: &Names) -> String {
    let printed = queries.iter().map(|text| {
        let query = resolved_with(text, names).unwrap_or_else(|error| panic!("{text}\n{error}"));
        format!("{text}\n\n{}\n", indented(&query.to_pretty_sql()))
    });
    printed.collect::<Vec<_>>().join("\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// The plain SQL of one expression over profiles.
pub fn expression(text: &str) -> String {
    let printed = sql(&format!("SELECT {text} AS x FROM profiles"));
    let selected = printed.rsplit_once("AS \"x\"").map(|(before, _)| before).expect("the expression is shown");
    selected.rsplit_once("SELECT ").map(|(_, selected)| selected.trim().to_owned()).expect("a SELECT stands before it")
}

/// The whole message of what is wrong.
pub fn error(text: &str) -> String {
    match resolved(text) {
        Ok(query) => panic!("{text}\nresolves to {}", query.to_sql()),
        Err(error) => error.to_string(),
    }
}
