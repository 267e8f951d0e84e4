//! What is offered where, over the names of a small shop.

use muster_catalog::{ColumnNames, ColumnType, Kind, Names, ScoreNames, SegmentNames, TableNames};

use super::*;

fn table(name: &str, kind: Kind, columns: &str, links: &[(&str, &str, &str)]) -> TableNames {
    let column = |text: &str| {
        let (name, column_type) = text.split_once(':').expect("a column is written as name:type");
        ColumnNames { name: name.to_owned(), column_type: column_type.parse().expect("a type"), role: None }
    };
    TableNames {
        name: name.to_owned(),
        kind,
        key: None,
        time: None,
        created_at: None,
        columns: columns.split_whitespace().map(column).collect(),
        links: links.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect(),
    }
}

fn below(parent: &str) -> Kind {
    Kind::History { parent: parent.to_owned(), on: "id".to_owned() }
}

/// Only for its zone.
const DEFINITION: &str = "[workspace]\nname = \"shop\"\n[tables.profiles]\nsource = \"a.csv\"\nkey = \"id\"\n";

fn shop() -> Known {
    let segment = |name: &str| SegmentNames { name: name.to_owned(), grain: "profiles".to_owned() };
    Known::of(Names {
        zone: muster_catalog::parse("muster.toml", DEFINITION).expect("a definition").workspace.time_zone,
        tables: vec![
            table(
                "profiles",
                Kind::Root,
                "id:id country:text city:text store:id Sinds-wanneer:date",
                &[("home", "store", "stores")],
            ),
            table("orders", below("profiles"), "order_id:id total:decimal(12,2) channel:text", &[]),
            table("lines", below("orders"), "product_id:id quantity:int", &[("products", "product_id", "products")]),
            table("products", Kind::Lookup, "product_id:id category:text order:int", &[]),
            table("stores", Kind::Lookup, "store_id:id street:text", &[]),
            table("lists.staff", Kind::List, "id:id", &[]),
        ],
        segments: vec![segment("lapsed"), segment("lapsed_vips"), segment("young")],
        variables: std::collections::BTreeSet::new(),
        scores: vec![ScoreNames {
            name: "rfm".to_owned(),
            columns: table("", Kind::Root, "r:int cell:text", &[]).columns,
        }],
        affinities: vec!["product".to_owned()],
    })
}

/// A shop whose columns hold what they are called.
struct Named;

impl Values for Named {
    fn of(&self, table: &str, column: &str) -> Vec<String> {
        vec![format!("{table} {column}"), "it's".to_owned(), "x".to_owned()]
    }
}

/// What is offered at the `|` of `text`, and the text that it takes the place of.
fn offered(text: &str) -> (String, Vec<Candidate>) {
    let cursor = text.find('|').expect("a cursor");
    let text = text.replacen('|', "", 1);
    let found = complete(&text, cursor, &shop(), &Named);
    (text[found.start..cursor].to_owned(), found.candidates)
}

fn texts(text: &str) -> Vec<String> {
    offered(text).1.into_iter().map(|candidate| candidate.text).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(texts(text), expected, "{text}");
}

#[track_caller]
fn check_first(text: &str, expected: &[&str]) {
    let found = texts(text);
    assert_eq!(found.get(..expected.len()).unwrap_or(&found), expected, "{text}: {found:?}");
}

#[test]
fn a_statement_begins_with_a_word_of_its_own() {
    check("|", &["SELECT", "WITH", "AS", "CREATE", "REFRESH", "DROP", "SHOW", "DESCRIBE", "EXPLAIN", "SET"]);
    check("s|", &["select", "show", "set"]);
    check("SELECT 1; SH|", &["SHOW"]);
    check("show |", &["TABLES", "SEGMENTS"]);
    check("EXPLAIN |", &["SQL"]);
    check("CREATE |", &["SEGMENT", "OR"]);
    check("create or r|", &["replace"]);
    check("CREATE SEGMENT spring |", &["AS"]);
    check("AS OF '2025-01-01' |", &["SELECT"]);
    check("SET |", &["as_of"]);
}

#[test]
fn tables_stand_behind_from_and_join_and_in_a_list_of_tables() {
    let all = ["profiles", "orders", "lines", "products", "stores", "affinity('product')"];
    check("SELECT * FROM |", &all);
    check("SELECT * FROM o|", &["orders"]);
    check("SELECT * FROM orders a JOIN |", &all);
    check("SELECT * FROM orders a, |", &all);
    check("SELECT (1), x FROM (SELECT 1) y, li|", &["lines"]);
    check("DESCRIBE li|", &["lines", "lists.staff"]);
    check_first("SELECT * FROM orders WHERE total IN (1, |", &["order_id", "total"]);
}

#[test]
fn behind_a_table_and_a_point_stand_its_columns_with_their_types() {
    let (replaced, candidates) = offered("SELECT sum(orders.t|");
    assert_eq!(replaced, "t");
    assert_eq!(candidates, [Candidate { text: "total".to_owned(), what: "decimal(12,2)".to_owned() }]);
    check("SELECT orders.|", &["order_id", "total", "channel"]);
    check("SELECT ORDERS.T|", &["total"]);
    check("SELECT lines.|", &["product_id", "quantity", "products"]);
    check("SELECT lines.products.|", &["product_id", "category", "\"order\""]);
    check("SELECT home.|", &["store_id", "street"]);
    check("SELECT nothing.|", &[]);
}

#[test]
fn an_alias_is_known_before_and_behind_the_cursor() {
    check("SELECT o.| FROM orders AS o", &["order_id", "total", "channel"]);
    check("SELECT o.ch| FROM orders o WHERE true", &["channel"]);
    check("SELECT a.q| FROM orders o JOIN lines a ON true", &["quantity"]);
    check("SELECT x FROM profiles WHERE has(b => lines) FILTER (WHERE b.q|", &["quantity"]);
    check_first("SELECT oo| FROM orders oo", &["oo"]);
    check("SELECT where.| FROM orders WHERE true", &[]);
}

#[test]
fn bare_columns_are_those_of_the_rows_then_what_they_see() {
    check_first("SELECT | FROM orders", &["order_id", "total", "channel", "id", "country", "city", "store"]);
    check_first("SELECT | FROM products", &["product_id", "category", "\"order\"", "profiles"]);
    check_first("CREATE SEGMENT x AS WHERE c|", &["country", "city"]);
    check_first("SELECT * FROM profiles WHERE st|", &["store", "store_id", "street", "stores"]);
    check_first("SELECT count(lines) FILTER (WHERE | FROM profiles", &["product_id", "quantity", "order_id", "total"]);
    check_first("SELECT count(lines) FILTER (WHERE true) + |", &["id", "country"]);
    check_first("SELECT sum(o => orders, 1) FILTER (WHERE t|", &["total"]);
}

#[test]
fn segments_and_lists_have_names_of_their_own() {
    check("SELECT * FROM profiles WHERE segments.l|", &["lapsed", "lapsed_vips"]);
    check("SELECT * FROM profiles WHERE NOT lists.|", &["staff"]);
    check("REFRESH SEGMENT |", &["lapsed", "lapsed_vips", "young"]);
    check("DESCRIBE SEGMENT y|", &["young"]);
    check("CREATE SEGMENT l|", &[]);
    check_first("SELECT * FROM profiles WHERE seg|", &["segments."]);
}

#[test]
fn functions_come_with_their_bracket_and_keywords_as_they_were_begun() {
    let (_, candidates) = offered("SELECT date_tr|");
    assert_eq!(candidates, [Candidate { text: "date_trunc(".to_owned(), what: "function".to_owned() }]);
    let kind = |text: &str| offered(text).1[0].what.clone();
    assert_eq!((kind("SELECT medi|"), kind("SELECT row_n|")), ("aggregate".to_owned(), "window".to_owned()));
    assert_eq!((kind("SELECT mod|"), kind("SELECT sampl|")), ("aggregate".to_owned(), "function".to_owned()));
    check("SELECT is_|", &["is_double(", "is_email(", "is_first_of("]);
    check("SELECT current_d|", &["current_date"]);
    check("SELECT x FROM orders wh|", &["when", "where"]);
    check("SELECT x FROM orders WHE|", &["WHEN", "WHERE"]);
}

#[test]
fn inside_quotes_stand_values_of_the_compared_column() {
    let value = |text: &str| texts(text).first().cloned().unwrap_or_default();
    assert_eq!(value("SELECT * FROM profiles WHERE country = '|"), "'profiles country'");
    assert_eq!(value("SELECT * FROM profiles WHERE city <> 'p|"), "'profiles city'");
    assert_eq!(value("SELECT * FROM profiles WHERE country IN ('NL', '|"), "'profiles country'");
    assert_eq!(value("SELECT * FROM profiles WHERE country NOT IN ('|"), "'profiles country'");
    assert_eq!(value("SELECT count(orders) FILTER (WHERE orders.channel = '|"), "'orders channel'");
    assert_eq!(value("SELECT count(lines) FILTER (WHERE products.category = '|"), "'products category'");
    assert_eq!(value("SELECT * FROM orders o WHERE o.channel = '|' AND true"), "'orders channel");
    check("SELECT * FROM profiles WHERE city = 'it|", &["'it''s'"]);
    check("SELECT * FROM profiles WHERE city = 'it''|", &["'it''s'"]);
    for nothing in ["SELECT '|", "SELECT * FROM orders WHERE total = '|", "SELECT id = '|", "SELECT upper('|"] {
        check(nothing, &[]);
    }
}

#[test]
fn names_are_quoted_where_they_must_be_and_where_they_were_begun_so() {
    check("SELECT Sinds|", &["\"Sinds-wanneer\""]);
    check("SELECT profiles.\"S|", &["\"store\"", "\"Sinds-wanneer\""]);
    assert_eq!(offered("SELECT profiles.\"S|").0, "\"S");
}

#[test]
fn nothing_is_offered_in_a_comment_and_nothing_fails_without_data() {
    check("SELECT 1 -- FROM |", &[]);
    check("SELECT /* o|", &[]);
    let empty = Known::default();
    for text in
        ["", "SELECT ", "SELECT x.", "SELECT * FROM ", "SELECT x = '", "SELECT count(o) FILTER (WHERE ", "(", ")"]
    {
        complete(text, text.len(), &empty, &Named);
    }
    assert_eq!(complete("SELECT cou", 10, &empty, &Named).candidates[0].text, "count(");
}

#[test]
fn every_cursor_in_a_statement_has_an_answer() {
    let text = "SELECT \"Sinds-wanneer\", 'é;' FROM profiles p WHERE (p.city IN ('x', 'y')) AND count(lines) FILTER (WHERE products.category = 'x') > 1 /* ; */; SHOW TABLES";
    for (cursor, _) in text.char_indices() {
        let found = complete(text, cursor, &shop(), &Named);
        assert!(found.start <= cursor && text.is_char_boundary(found.start), "{cursor}");
    }
}

#[test]
fn a_type_is_shown_as_it_is_written_in_the_definition() {
    let types: Vec<String> = offered("SELECT profiles.|").1.into_iter().map(|candidate| candidate.what).collect();
    let expected = [ColumnType::Id, ColumnType::Text, ColumnType::Text, ColumnType::Id, ColumnType::Date];
    assert_eq!(types[..5], expected.map(|column_type| column_type.to_string()));
}

#[test]
fn scores_stand_where_values_do_and_their_columns_behind_them() {
    check("SELECT rf|", &["rfm."]);
    check("SELECT rfm.|", &["r", "cell"]);
    check("SELECT id FROM profiles WHERE RFM.c|", &["cell"]);
}
