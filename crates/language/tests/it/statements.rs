//! Statements: what is read, what is refused, and the canonical text of a definition.

use muster_language::{ErrorKind, SegmentDefinition, Statement, parse, parse_piece, split_statements};

fn definition(text: &str) -> SegmentDefinition {
    match parse(text) {
        Ok(Statement::CreateSegment(definition)) => definition,
        other => panic!("{text} is read as {other:?}"),
    }
}

fn message(text: &str) -> String {
    match parse(text) {
        Ok(statement) => panic!("{text} is read as {statement:?}"),
        Err(error) => error.to_string(),
    }
}

fn kind(text: &str) -> Option<ErrorKind> {
    parse(text).err().map(|error| error.kind)
}

#[test]
fn each_statement_is_read() {
    assert!(matches!(parse("SELECT 1;"), Ok(Statement::Query { as_of: None, .. })));
    assert!(matches!(parse("AS OF '2024-01-01' SELECT 1"), Ok(Statement::Query { as_of: Some(_), .. })));
    assert!(matches!(parse("explain sql SELECT 1"), Ok(Statement::ExplainSql { as_of: None, .. })));
    assert!(matches!(parse("preview where age > 3;"), Ok(Statement::Preview { as_of: None, .. })));
    assert!(matches!(parse("PREVIEW AS OF '2024-01-01' SELECT 1"), Ok(Statement::Preview { as_of: Some(_), .. })));
    assert!(matches!(parse("SET as_of = '2024-01-01'"), Ok(Statement::SetAsOf(_))));
    assert_eq!(parse("SHOW TABLES"), Ok(Statement::ShowTables));
    assert_eq!(parse("show segments ;"), Ok(Statement::ShowSegments));
    assert_eq!(described("DESCRIBE Orders"), ("orders".to_owned(), None));
    assert_eq!(described("DESC TABLE orders;"), ("orders".to_owned(), None));
    assert_eq!(described("DESCRIBE orders.Total"), ("orders".to_owned(), Some("total".to_owned())));
    assert_eq!(described("DESCRIBE \"Orders\".\"Total\""), ("Orders".to_owned(), Some("Total".to_owned())));
    assert_eq!(parse("DESCRIBE SEGMENT Lapsed"), Ok(Statement::DescribeSegment { name: "lapsed".to_owned() }));
    assert_eq!(parse("EXPLAIN SEGMENT Lapsed"), Ok(Statement::ExplainSegment { name: "lapsed".to_owned() }));
    assert_eq!(
        parse("explain segment Lapsed for 'It''s'"),
        Ok(Statement::ExplainSegmentFor { name: "lapsed".to_owned(), key: "It's".to_owned() })
    );
    assert_eq!(parse("REFRESH SEGMENT lapsed"), Ok(Statement::RefreshSegment { name: "lapsed".to_owned() }));
    assert_eq!(parse("DROP SEGMENT \"Lapsed\""), Ok(Statement::DropSegment { name: "Lapsed".to_owned() }));
}

/// The table and the column that a DESCRIBE asks for.
#[track_caller]
fn described(text: &str) -> (String, Option<String>) {
    match parse(text) {
        Ok(Statement::DescribeTable { name, column }) => (name, column),
        other => panic!("{text} is read as {other:?}"),
    }
}

#[test]
fn a_description_is_of_a_table_or_of_one_column() {
    assert_eq!(
        message("DESCRIBE orders."),
        "line 1, column 17: expected a name; the text ends\n  DESCRIBE orders.\n                  ^"
    );
    assert_eq!(
        message("DESCRIBE orders.total.cents"),
        "line 1, column 22: expected the end; found `.`\n  DESCRIBE orders.total.cents\n                       ^"
    );
}

#[test]
fn a_definition_has_a_name_a_comment_and_a_query() {
    let read = definition("CREATE OR REPLACE SEGMENT Lapsed COMMENT 'gone' AS WHERE count(orders) = 0");
    assert_eq!((&*read.name, read.or_replace, read.comment.as_deref()), ("lapsed", true, Some("gone")));
    assert_eq!(read.query.digest_text(), "SELECT * FROM profiles WHERE count(orders) = 0");
}

#[test]
fn a_view_of_the_schema_segments_is_the_same() {
    let view = definition("CREATE VIEW segments.lapsed AS SELECT * FROM profiles WHERE country = 'NL'");
    assert_eq!(view, definition("CREATE SEGMENT lapsed AS SELECT * FROM profiles WHERE country = 'NL'"));
}

#[test]
fn the_digest_text_is_the_same_for_every_layout_and_reads_back() {
    let text = "create segment a as select *\n  from profiles -- all\n where country='NL'   AND has( orders )";
    let digest = definition(text).query.digest_text();
    assert_eq!(digest, "SELECT * FROM profiles WHERE country = 'NL' AND has(orders)");
    assert_eq!(definition(&format!("CREATE SEGMENT a AS {digest}")).query.digest_text(), digest);
}

#[test]
fn an_instant_is_read_in_the_workspaces_zone() {
    let Ok(Statement::SetAsOf(instant)) = parse("SET as_of = '2025-06-30 12:00'") else { panic!("it is a SET") };
    let read = instant.instant(chrono_tz::Europe::Amsterdam).map(|instant| instant.to_string());
    assert_eq!(read.as_deref(), Ok("2025-06-30T10:00:00Z"));
    let Ok(Statement::SetAsOf(instant)) = parse("SET as_of = 'tomorrow'") else { panic!("it is a SET") };
    assert_eq!(
        instant.instant(chrono_tz::UTC).map_err(|error| error.to_string()),
        Err("line 1, column 13: 'tomorrow' is not an instant; expected YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.ffffff]], or the same with Z or an offset
  SET as_of = 'tomorrow'
              ^"
            .to_owned())
    );
}

#[test]
fn sql_that_is_not_part_of_the_language_is_refused_by_name() {
    for text in ["INSERT INTO profiles VALUES (1)", "DELETE FROM orders", "COPY orders TO 'x.csv'", "ATTACH 'x.db'"] {
        assert_eq!(kind(text), Some(ErrorKind::NotAllowed), "{text}");
    }
    assert_eq!(
        message("INSERT INTO profiles VALUES (1)"),
        "line 1, column 1: INSERT is not part of the segment language\n  INSERT INTO profiles VALUES (1)\n  ^"
    );
    assert_eq!(
        message("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv'"),
        "line 1, column 1: CREATE is not part of the segment language
  CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv'
  ^
  hint: CREATE SEGMENT name AS SELECT …, or CREATE VARIABLE name AS expression, stores a definition"
    );
    assert_eq!(
        message("SET datafusion.execution.batch_size = 1"),
        "line 1, column 1: SET is not part of the segment language
  SET datafusion.execution.batch_size = 1
  ^
  hint: only `SET as_of = 'instant'` can be set"
    );
    assert_eq!(
        message("EXPLAIN ANALYZE SELECT 1"),
        "line 1, column 1: EXPLAIN is not part of the segment language
  EXPLAIN ANALYZE SELECT 1
  ^
  hint: EXPLAIN SQL SELECT … shows a query as plain SQL, EXPLAIN SEGMENT name its conditions one by one"
    );
}

#[test]
fn a_definition_says_how_often_it_is_due() {
    let refresh = |option: &str| match parse(&format!("CREATE SEGMENT a COMMENT 'x' WITH {option} AS WHERE TRUE")) {
        Ok(Statement::CreateSegment(definition)) => Ok(definition.refresh.map(|every| every.text().to_owned())),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.message),
    };
    for span in ["1 hour", "90 minutes", "1 day", "P1D", "1 month 2 days"] {
        assert_eq!(refresh(&format!("(refresh = '{span}')")), Ok(Some(span.to_owned())), "{span}");
    }
    for span in ["", "soon", "-1 hour", "0 days", "1 hour -1 day"] {
        let message = format!("'{span}' is no span of time after which a segment is due again");
        assert_eq!(refresh(&format!("(refresh = '{span}')")), Err(message));
    }
    assert_eq!(refresh("(cost = '1')"), Err("expected refresh = 'span'; found `cost`".to_owned()));
    assert_eq!(refresh("(refresh = '1 hour', cost = '1')"), Err("expected ); found `,`".to_owned()));
}

#[test]
fn one_statement_at_a_time() {
    assert_eq!(
        message("SELECT 1; DROP SEGMENT a"),
        "line 1, column 11: a second statement; expected the end of the text
  SELECT 1; DROP SEGMENT a
            ^
  hint: run them one by one"
    );
}

#[test]
fn a_syntax_error_says_what_was_expected_and_where() {
    assert_eq!(
        message("SELECT email FROM profiles WHERE"),
        "line 1, column 33: expected an expression; the text ends\n  SELECT email FROM profiles WHERE\n                                  ^"
    );
    assert_eq!(
        message("SELECT email\nFROM profiles\nWHERE country == = 'NL'"),
        "line 3, column 18: expected an expression; found =\n  WHERE country == = 'NL'\n                   ^"
    );
    assert_eq!(
        message("SELEC email FROM profiles"),
        "line 1, column 1: expected a statement; found `SELEC`
  SELEC email FROM profiles
  ^
  hint: did you mean SELECT?"
    );
    assert_eq!(
        message("SELECT 'open FROM profiles"),
        "line 1, column 8: Unterminated string literal\n  SELECT 'open FROM profiles\n         ^"
    );
    assert_eq!(
        message("SELECT email FROM profiles WHERE country = ‘NL’"),
        "line 1, column 44: expected an expression; found ‘
  SELECT email FROM profiles WHERE country = ‘NL’
                                             ^
  hint: `‘` is no quote of SQL; write ' around text"
    );
    assert_eq!(
        message(" -- nothing\n"),
        "line 1, column 12: no statement; expected SELECT … or another\n   -- nothing\n             ^"
    );
}

#[test]
fn places_count_in_the_whole_file() {
    let file = "-- two segments\nSHOW TABLES; SELECT 1 FRM x;\nSELECT 2";
    let pieces = split_statements(file);
    let errors: Vec<String> =
        pieces.iter().filter_map(|piece| parse_piece(piece).err()).map(|it| it.to_string()).collect();
    assert_eq!(
        errors,
        [
            "line 2, column 27: expected the end; found `x`\n  SHOW TABLES; SELECT 1 FRM x\n                            ^"
        ]
    );
}

#[test]
fn too_large_a_statement_is_refused_before_it_is_parsed() {
    let long = format!("SELECT {}", "1, ".repeat(30_000));
    assert_eq!(kind(&long), Some(ErrorKind::TooLarge));
    let deep = format!("SELECT {}1{}", "(".repeat(201), ")".repeat(201));
    assert_eq!(
        parse(&deep).map_err(|error| error.message),
        Err("more than 200 parentheses or set operations inside one another".to_owned())
    );
    let chained = format!("SELECT 1{}", " + 1".repeat(1_001));
    assert_eq!(
        parse(&chained).map_err(|error| error.message),
        Err("more than 1000 operators in one expression".to_owned())
    );
    let set_operations = format!("SELECT 1{}", " UNION SELECT 1".repeat(250));
    assert_eq!(kind(&set_operations), Some(ErrorKind::TooLarge));
}

/// Each level would double the time: of twenty it took ten seconds.
#[test]
fn a_text_that_goes_wrong_deep_inside_is_refused_at_once() {
    for level in ["a[b.", "a.b["] {
        let text = format!("SELECT {} FROM profiles", level.repeat(90));
        assert_eq!(kind(&text), Some(ErrorKind::TooLarge), "{text}");
    }
    assert_eq!(kind("SELECT a[b.a[b.c FROM profiles"), Some(ErrorKind::Syntax));
    for level in ["((SELECT * FROM ", "x, ((SELECT * FROM ", "(((FROM (", "x JOIN ((", "(MERGE (("] {
        let text = format!("SELECT * FROM {}x", level.repeat(40));
        assert_eq!(kind(&text), Some(ErrorKind::TooLarge), "{text}");
    }
    let nested = format!("SELECT * FROM {}profiles{}", "(SELECT * FROM ".repeat(40), ") x".repeat(40));
    assert_eq!(kind(&nested), None);
    let doubled = format!("SELECT * FROM {}profiles{}", "((SELECT * FROM ".repeat(8), ") x)".repeat(8));
    assert_eq!(kind(&doubled), None);
    assert_eq!(kind(&format!("SELECT * FROM {}profiles{}", "(".repeat(150), ")".repeat(150))), None);
}

#[test]
fn the_largest_statement_that_is_read_fits_the_stack() {
    let chain = format!("country = 'NL'{}", " OR country = 'BE'".repeat(499));
    let calls = format!("{}email{}", "lower(".repeat(190), ")".repeat(190));
    let text = format!("SELECT {calls} AS x FROM profiles WHERE {}{chain}{}", "(".repeat(190), ")".repeat(190));
    assert!(crate::world::sql(&text).contains("'BE'"));
    let unions = format!("SELECT email FROM profiles{}", " UNION SELECT email FROM profiles".repeat(190));
    assert!(crate::world::sql(&unions).contains("UNION"));
    let derived = format!("{}SELECT email FROM profiles{}", "SELECT email FROM (".repeat(190), ") AS x".repeat(190));
    assert!(crate::world::sql(&derived).contains("\"x\""));
    let nested = format!("{}SELECT 1{}", "SELECT email FROM profiles WHERE 1 IN (".repeat(190), ")".repeat(190));
    assert!(crate::world::sql(&nested).contains("IN (SELECT"));
}
