//! What is printed says what was written: no text in quotes ends early, no name becomes another.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

use muster_language::{ErrorKind, Statement, parse};
use proptest::prelude::*;
use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement as Syntax, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::world::{names_with_created_at, resolved, resolved_with};

/// The values that the SELECT of a printed query shows, and their names, as a stock parser reads them.
fn read_back(printed: &str) -> Vec<(Option<String>, String)> {
    let parsed = Parser::parse_sql(&GenericDialect, printed).unwrap_or_else(|error| panic!("{printed}\n{error}"));
    let [Syntax::Query(query)] = parsed.as_slice() else { panic!("{printed} is not one query") };
    let SetExpr::Select(select) = query.body.as_ref() else { panic!("{printed} is no SELECT") };
    let item = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr: Expr::Value(value), alias } => match &value.value {
            Value::SingleQuotedString(text) => (Some(text.clone()), alias.value.clone()),
            _ => (None, alias.value.clone()),
        },
        other => panic!("{other} in {printed}"),
    };
    select.projection.iter().map(item).collect()
}

fn in_quotes(text: &str, quote: &str) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &quote.repeat(2)))
}

/// A text in quotes comes out as the value that it is, once through the plain SQL and once through the stored form.
#[track_caller]
fn check_text(text: &str) {
    let query = format!("SELECT {} AS x FROM profiles", in_quotes(text, "'"));
    let expected = vec![(Some(text.to_owned()), "x".to_owned())];
    assert_eq!(read_back(&resolved(&query).unwrap().to_sql()), expected, "{query}");
    let stored = stored_form(&query);
    assert_eq!(read_back(&resolved(&stored).unwrap().to_sql()), expected, "{stored}");
}

fn stored_form(query: &str) -> String {
    match parse(query) {
        Ok(Statement::Query { query, .. }) => query.digest_text(),
        other => panic!("{query} is no query: {other:?}"),
    }
}

#[test]
fn a_text_in_quotes_stays_that_text() {
    for text in ["O'Brien", "''", "a''b", "'", "\\", "\\'", "\\''", "'\\'", "\"", "a\nb", "--", "/*", "; DROP", "$$"] {
        check_text(text);
    }
}

/// What stands behind `\'` was printed as SQL once.
#[test]
fn a_text_in_quotes_cannot_end_before_its_end() {
    check_text("\\' , random() AS y --");
    check_text("\\' AS a, (SELECT max(\"__row\") FROM \"profiles\") AS b -- ");
}

#[test]
fn a_name_that_would_be_printed_as_another_is_refused() {
    for name in ["a\"\"b", "\\\"", "\\\" , random() AS \"y"] {
        for query in [
            "SELECT 1 AS @ FROM profiles",
            "SELECT @.email FROM profiles AS @",
            "WITH @ AS (SELECT 1 AS x) SELECT x FROM @",
        ] {
            let query = query.replace('@', &in_quotes(name, "\""));
            assert_eq!(
                resolved(&query).map(|query| query.to_sql()).map_err(|error| error.kind),
                Err(ErrorKind::NotAllowed),
                "{query}"
            );
        }
    }
    for query in ["SELECT 1 AS 'a''''b' FROM profiles", "SELECT email FROM profiles '\\''x'"] {
        assert_eq!(
            resolved(query).map(|query| query.to_sql()).map_err(|error| error.kind),
            Err(ErrorKind::NotAllowed),
            "{query}"
        );
    }
    let one_quote = resolved("SELECT 'a' AS \"x\"\"y\" FROM profiles").unwrap().to_sql();
    assert_eq!(read_back(&one_quote), [(Some("a".to_owned()), "x\"y".to_owned())]);
}

/// A header of a file may be anything.
#[test]
fn a_column_whose_name_looks_like_sql_is_still_a_name() {
    let mut names = names_with_created_at();
    let nasty = "n\\\" , random() AS \"\"y";
    let profiles = names.tables.iter_mut().find(|table| table.name == "profiles").unwrap();
    profiles.columns.iter_mut().find(|column| column.name == "country").unwrap().name = nasty.to_owned();
    let printed = resolved_with("SELECT * FROM profiles", &names).unwrap().to_sql();
    let tokens = Tokenizer::new(&GenericDialect, &printed).tokenize().unwrap();
    let is_it = |token: &&Token| matches!(token, Token::Word(word) if word.value == nasty);
    assert!(tokens.iter().filter(is_it).count() >= 2, "{printed}");
    assert!(!tokens.iter().any(|token| token.to_string() == "random"), "{printed}");
}

/// Two of them begin a comment.
#[test]
fn a_minus_before_a_minus_stands_apart() {
    let printed = resolved("SELECT - - income AS x, 1 - -1 AS y, - - -1 AS z FROM profiles").unwrap().to_sql();
    let shown = printed.split(" FROM ").next().unwrap();
    assert_eq!(shown, "SELECT -(-\"profiles\".\"income\") AS \"x\", 1 - -1 AS \"y\", -(-(-1)) AS \"z\"");
    assert_eq!(stored_form("SELECT - - income AS x FROM profiles"), "SELECT -(-income) AS x FROM profiles");
}

#[test]
fn what_is_no_expression_holds_no_text_either() {
    for (query, kind) in [
        ("SELECT email LIKE 'a' ESCAPE '\\'' , random() --' AS x FROM profiles", ErrorKind::Literal),
        ("SELECT email LIKE 'a' ESCAPE '' AS x FROM profiles", ErrorKind::Literal),
        ("SELECT EXTRACT('\\'' , random() --' FROM birth_date) AS x FROM profiles", ErrorKind::NotAllowed),
    ] {
        assert_eq!(resolved(query).map(|query| query.to_sql()).map_err(|error| error.kind), Err(kind), "{query}");
    }
    assert!(resolved("SELECT email LIKE 'a!%' ESCAPE '!' AS x, email LIKE 'a' ESCAPE '''' AS y FROM profiles").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(crate::property::cases()) })]

    #[test]
    fn any_text_in_quotes_stays_that_text(text in "[a'\"\\\\ \n;%é-]{0,12}") {
        check_text(&text);
    }
}
