//! Scores: values of the row's profile that are computed before the query runs.

use muster_catalog::{ColumnType, Names, ScoreNames};
use muster_language::{
    ErrorKind, ResolvedQuery, Statement, hidden, parse, parse_definition, resolve_segment, resolve_variable,
};

use crate::world::{as_of, names, names_with_cart_lines, names_with_scores, resolved_with, transcript};

/// Resolved against the names, where that is possible.
#[track_caller]
fn resolved(text: &str, names: &Names) -> ResolvedQuery {
    resolved_with(text, names).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// `score.column`, each that the query reads.
#[track_caller]
fn used(text: &str) -> Vec<String> {
    written(&resolved(text, &names_with_scores()))
}

fn written(query: &ResolvedQuery) -> Vec<String> {
    query.scores_used.iter().map(|(score, column)| format!("{score}.{column}")).collect()
}

/// What is wrong at the first `«` of the text, which is taken out before it is read.
#[track_caller]
fn check_with(names: &Names, marked: &str, kind: ErrorKind, message: &str, hint: Option<&str>) {
    let text = marked.replacen('«', "", 1);
    let column = marked.chars().position(|character| character == '«').expect("the place is marked") + 1;
    match resolved_with(&text, names) {
        Ok(query) => panic!("{text}\nresolves to {}", query.to_sql()),
        Err(error) => {
            let found = (error.place.column, error.message.as_str(), error.hint.as_deref());
            assert_eq!((error.kind, found), (kind, (column, message, hint)), "{error}");
        }
    }
}

#[track_caller]
fn check(marked: &str, kind: ErrorKind, message: &str, hint: &str) {
    check_with(&names_with_scores(), marked, kind, message, Some(hint));
}

#[test]
fn a_score_is_columns_of_the_rows_profile() {
    check_snapshot!(transcript(
        &[
            "SELECT email, rfm.r, RFM.Label FROM profiles WHERE rfm.r >= 4 AND rfm.monetary > income",
            "SELECT total FROM orders WHERE rfm.f = 1",
            "SELECT quantity FROM order_lines WHERE price > rfm.monetary",
            "SELECT o.total FROM orders o JOIN profiles p ON p.profile_id = o.profile_id WHERE rfm.r = 5",
            "SELECT rfm.label, count(*) AS n, avg(rfm.recency_days) AS days FROM profiles GROUP BY rfm.label ORDER BY rfm.label",
            "SELECT email FROM profiles QUALIFY row_number() OVER (PARTITION BY rfm.cell ORDER BY rfm.monetary DESC) = 1",
            "SELECT email FROM profiles WHERE reactivation.due_at < '2025-07-01' ORDER BY rfm.monetary DESC LIMIT 3",
        ],
        &names_with_scores()
    ));
}

#[test]
fn inside_an_aggregate_it_is_of_the_same_profile() {
    check_snapshot!(transcript(
        &[
            "SELECT count(orders) FILTER (WHERE rfm.r > 3 AND orders.total > rfm.monetary) AS n FROM profiles",
            "SELECT sum(order_lines.price * rfm.f) AS weighed FROM profiles",
            "SELECT has(orders) FILTER (WHERE has(carts) FILTER (WHERE rfm.r > 3)) AS both FROM profiles",
            "SELECT count(*) FILTER (WHERE rfm.r = 5) AS best FROM orders",
            "SELECT has(latest(orders, 3, total > rfm.monetary)) AS well FROM profiles",
        ],
        &names_with_scores()
    ));
}

#[test]
fn definitions_and_variables_read_it() {
    check_snapshot!(transcript(
        &[
            "CREATE SEGMENT best AS WHERE rfm.r >= 4 AND NOT segments.unsubscribed",
            "CREATE SEGMENT theirs AS SELECT * FROM carts WHERE status = 'open' AND rfm.label = 'champions'",
            "CREATE SEGMENT ten AS SELECT * FROM profiles ORDER BY rfm.monetary DESC LIMIT 10",
        ],
        &names_with_scores()
    ));
    let Ok(Statement::CreateVariable(variable)) = parse("CREATE VARIABLE weight AS rfm.f * count(orders)") else {
        panic!("it is read")
    };
    let query = resolve_variable(&variable, &names_with_scores(), as_of()).unwrap();
    assert_eq!(written(&query), ["rfm.f"]);
    assert!(query.to_sql().contains("\"profiles\".\"__score_rfm_f\""), "{}", query.to_sql());
}

#[test]
fn a_query_says_which_columns_of_scores_it_reads() {
    for (text, expected) in [
        (
            "SELECT rfm.r AS a, Rfm.R AS b, reactivation.due_at, rfm.label FROM orders",
            "reactivation.due_at rfm.label rfm.r",
        ),
        ("SELECT * FROM profiles", ""),
        ("SELECT * FROM profiles WHERE country IN (SELECT country FROM profiles WHERE rfm.r = 1)", "rfm.r"),
        ("WITH best AS (SELECT email FROM profiles WHERE rfm.r = 5) SELECT count(*) AS n FROM best", "rfm.r"),
        ("SELECT email FROM profiles WHERE income > (SELECT avg(rfm.monetary) FROM profiles)", "rfm.monetary"),
        ("SELECT has(orders) FILTER (WHERE has(carts) FILTER (WHERE rfm.r > 3)) FROM profiles", "rfm.r"),
        ("SELECT has(latest(orders, 3, total > rfm.monetary)) FROM profiles", "rfm.monetary"),
        ("SELECT has_sequence(orders, rfm.f > 1, total > 5) FROM profiles", "rfm.f"),
        ("SELECT email FROM profiles WHERE is_first_of(rfm.cell)", "rfm.cell"),
        ("SELECT email FROM profiles UNION SELECT rfm.label FROM profiles", "rfm.label"),
        ("SELECT email FROM profiles ORDER BY rfm.monetary LIMIT 1", "rfm.monetary"),
        ("SELECT * FROM compare('unsubscribed', 'unsubscribed', rfm.label)", "rfm.label"),
        ("SELECT email FROM profiles p JOIN sites s ON s.site_id = p.store_id AND rfm.r > 2", "rfm.r"),
    ] {
        assert_eq!(used(text).join(" "), expected, "{text}");
    }
    let tables = resolved("SELECT rfm.r FROM order_lines", &names_with_scores()).tables_used;
    assert!(tables.contains(&"profiles".to_owned()), "{tables:?}");
}

/// What a condition of the past names is its own: it is evaluated for another instant.
#[test]
fn a_condition_of_the_past_reads_the_score_of_its_instant() {
    let text = "SELECT rfm.f FROM profiles WHERE was(rfm.r = 5, '2025-01-01')";
    let query = resolved(text, &names_with_scores());
    assert_eq!(written(&query), ["rfm.f"]);
    assert_eq!(written(&query.past[0].rows.query), ["rfm.r"]);
}

#[test]
fn its_columns_have_names_and_types() {
    let query = resolved("SELECT rfm.R, rfm.monetary AS m, reactivation.due_at FROM carts", &names_with_scores());
    let columns: Vec<_> = query.columns.iter().map(|column| (column.name.as_str(), column.holds)).collect();
    let money = ColumnType::Decimal { precision: 12, scale: 2 };
    let expected = [("r", ColumnType::Int), ("m", money), ("due_at", ColumnType::Timestamp)];
    assert_eq!(columns, expected.map(|(name, holds)| (name, Some(holds))));
    assert_eq!(hidden::score("rfm", "r"), "__score_rfm_r");
}

#[test]
fn everything_shows_no_score() {
    for text in ["SELECT * FROM profiles WHERE rfm.r = 5", "SELECT profiles.* FROM profiles ORDER BY rfm.r"] {
        let (with, without) = (resolved(text, &names_with_scores()), resolved("SELECT * FROM profiles", &names()));
        assert_eq!(with.columns, without.columns, "{text}");
    }
}

#[test]
fn a_name_that_the_from_gives_is_meant_before_a_score() {
    let shop = names_with_scores();
    for (text, read) in [
        ("SELECT rfm.total FROM orders AS rfm", "\"rfm\".\"total\""),
        ("SELECT rfm.total FROM orders AS rfm JOIN carts c ON c.profile_id = rfm.profile_id", "\"rfm\".\"total\""),
        ("WITH rfm AS (SELECT 1 AS r) SELECT rfm.r FROM rfm", "\"rfm\".\"r\""),
        ("SELECT rfm.r FROM (SELECT 1 AS r) AS rfm", "\"rfm\".\"r\""),
        ("SELECT has(rfm => orders) FILTER (WHERE rfm.total > 5) AS x FROM profiles", "\"rfm\".\"total\" > 5"),
        ("SELECT count(orders) FILTER (WHERE rfm.country = 'NL') AS x FROM profiles AS rfm", "\"country\" = 'NL'"),
        (
            "SELECT 1 AS x FROM orders AS rfm WHERE EXISTS (SELECT 1 FROM carts WHERE status = rfm.channel)",
            "\"rfm\".\"channel\"",
        ),
    ] {
        let query = resolved(text, &shop);
        assert_eq!(
            (written(&query).join(" ").as_str(), query.to_sql().contains(read)),
            ("", true),
            "{}",
            query.to_sql()
        );
    }
    check(
        "SELECT rfm.«r FROM orders AS rfm",
        ErrorKind::UnknownName,
        "`orders` has no column `r`",
        "orders has: order_id, profile_id, placed_at, total, channel, site_id",
    );
    let mut with_table = names_with_cart_lines();
    with_table.scores = shop.scores;
    with_table
        .tables
        .iter_mut()
        .filter(|table| table.name == "cart_lines")
        .for_each(|table| table.name = "rfm".to_owned());
    let query = resolved("SELECT sum(rfm.quantity) AS pieces FROM profiles", &with_table);
    assert_eq!(written(&query), [""; 0]);
}

#[test]
fn a_cte_of_its_name_that_is_not_in_the_from_hides_nothing() {
    let text = "WITH rfm AS (SELECT 1 AS r) SELECT email FROM profiles WHERE rfm.r = (SELECT max(r) FROM rfm)";
    assert_eq!(used(text), ["rfm.r"]);
}

#[test]
fn a_column_that_the_score_does_not_have_comes_with_the_nearest_and_with_all() {
    use ErrorKind::UnknownName;
    let all = "rfm has: recency_days, monetary, r, f, cell, label";
    check(
        "SELECT email FROM profiles WHERE rfm.«lable = 'x'",
        UnknownName,
        "`rfm` has no column `lable`",
        &format!("did you mean `label`? {all}"),
    );
    check("SELECT count(orders) FILTER (WHERE rfm.«x > 1) FROM profiles", UnknownName, "`rfm` has no column `x`", all);
    check("SELECT rfm.«\"R\" FROM profiles", UnknownName, "`rfm` has no column `R`", all);
}

#[test]
fn a_score_without_a_column_is_no_value() {
    let message = "`rfm` is a score, and no value: its columns are named one by one";
    let hint = "rfm.recency_days, rfm.monetary, rfm.r, rfm.f, rfm.cell, rfm.label";
    for marked in ["SELECT «rfm FROM profiles", "SELECT «rfm.* FROM profiles", "SELECT «rfm.r.x FROM profiles"] {
        check(marked, ErrorKind::UnknownName, message, hint);
    }
    check(
        "SELECT «monetary FROM profiles",
        ErrorKind::UnknownName,
        "unknown column `monetary`",
        "`monetary` is a column of rfm; write rfm.monetary",
    );
    check("SELECT «rmf.r FROM profiles", ErrorKind::UnknownName, "unknown name `rmf`", "did you mean `rfm`?");
}

#[test]
fn a_score_is_no_table() {
    let message = "`rfm` is a score: it has values of each profile, and is no table";
    let hint = "select its columns FROM profiles: SELECT rfm.recency_days, rfm.monetary FROM profiles";
    for marked in [
        "SELECT * FROM «rfm",
        "SELECT x.r FROM «RFM AS x",
        "SELECT * FROM profiles JOIN «rfm ON true",
        "CREATE SEGMENT a AS SELECT * FROM «rfm WHERE r = 5",
    ] {
        check(marked, ErrorKind::NotAllowed, message, hint);
    }
}

#[test]
fn a_score_needs_the_profile_that_it_is_about() {
    let hint = "use it FROM profiles or a history below, or with profiles once in FROM";
    check("SELECT «rfm.r FROM products", ErrorKind::Position, "rfm.r needs the one row of profiles it is about", hint);
    check(
        "SELECT country, «rfm.r FROM profiles GROUP BY country",
        ErrorKind::Position,
        "`rfm.r` is neither grouped nor aggregated",
        "add it to GROUP BY, or reduce it: min(rfm.r)",
    );
}

#[test]
fn without_purchases_there_is_no_score_of_them() {
    for score in ["rfm", "cadence", "reactivation", "RFM", "churn", "alive"] {
        let message = format!("`{score}` is a score of purchases, and no table says which rows are purchases");
        let hint = Some("write `purchase = { value = \"…\" }` into that table of muster.toml");
        for marked in [format!("SELECT «{score}.x FROM profiles"), format!("SELECT * FROM «{score}")] {
            check_with(&names(), &marked, ErrorKind::UnknownName, &message, hint);
        }
    }
}

#[test]
fn a_score_of_what_nobody_described_says_what_to_describe() {
    for (score, message, hint) in [
        (
            "next_offer",
            "`next_offer` is a score of the items that are bought, and nothing says what an item is",
            "write [scores.next_offer] with `table` and `item` into muster.toml",
        ),
        (
            "engagement",
            "`engagement` is a score of responses to messages, and no tables hold these",
            "write [scores.engagement] with `messages` and `responses` into muster.toml",
        ),
    ] {
        for marked in [format!("SELECT «{score}.x FROM profiles"), format!("SELECT * FROM «{score}")] {
            for names in [names(), names_with_scores()] {
                check_with(&names, &marked, ErrorKind::UnknownName, message, Some(hint));
            }
        }
    }
}

/// Names with a score of offers beside the others.
fn names_with_offers() -> Names {
    let mut names = names_with_scores();
    names.scores.push(ScoreNames { name: "next_offer".to_owned(), columns: Vec::new() });
    names
}

#[test]
fn an_item_is_asked_for_by_its_text() {
    let names = names_with_offers();
    let query = parse_definition("WHERE offer_score('p1') > 0.5").unwrap();
    let resolved = resolve_segment(&query, &names, as_of()).unwrap();
    assert_eq!(resolved.query.scores_used, [("next_offer".to_owned(), "offer_score(p1)".to_owned())]);
    assert_eq!(muster_language::offered_item("offer_score(p1)").as_deref(), Some("p1"));
    assert_eq!(muster_language::offered_item("offer_score(a (b))").as_deref(), Some("a (b)"));
    assert_eq!(muster_language::offered_item("first"), None);
    let one = "`offer_score` takes one item, found 0 arguments";
    let hint = Some("offer_score('an item')");
    check_with(&names, "SELECT «offer_score() FROM profiles", ErrorKind::NotAllowed, one, hint);
    let literal = "the item of `offer_score` is a text that is written out, found `city`";
    check_with(&names, "SELECT offer_score(«city) FROM profiles", ErrorKind::Literal, literal, hint);
    let nothing = "`next_offer` is a score of the items that are bought, and nothing says what an item is";
    let hint = Some("write [scores.next_offer] with `table` and `item` into muster.toml");
    let marked = "SELECT «offer_score('p1') FROM profiles";
    check_with(&names_with_scores(), marked, ErrorKind::UnknownName, nothing, hint);
}

#[test]
fn it_goes_into_the_reasons_as_any_column_does() {
    let names = names_with_scores();
    let query =
        parse_definition("WHERE rfm.r >= 4 AND count(orders) FILTER (WHERE total > rfm.monetary) > rfm.f").unwrap();
    let reasons = query.reasons("unsubscribed", "7", &names, as_of()).expect("profiles have a key");
    let question = muster_language::resolve(&reasons.question, &names, as_of()).unwrap();
    assert_eq!(written(&question), ["rfm.f", "rfm.monetary", "rfm.r"]);
    let parts = reasons.condition.expect("there is a WHERE").parts;
    let inputs = |place: usize| parts[place].inputs.iter().map(|input| input.text.as_str()).collect::<Vec<_>>();
    assert_eq!(inputs(0), ["rfm.r"]);
    assert_eq!(inputs(1), ["count(orders) FILTER (WHERE total > rfm.monetary)", "rfm.f"]);
    let deciding = parts[1].deciding.as_ref().expect("orders decide");
    assert_eq!((deciding.table.as_str(), deciding.bound.as_str()), ("orders", "rfm.f"));
    assert_eq!(deciding.shown, ["total", "rfm.monetary"]);
    let rows = muster_language::resolve(&deciding.rows, &names, as_of()).unwrap();
    assert_eq!(written(&rows), ["rfm.monetary"]);
}

#[test]
fn conditions_with_it_are_taken_apart_like_others() {
    let names = names_with_scores();
    let query = parse_definition("WHERE rfm.r >= 4 AND consent").unwrap();
    let waterfall = query.waterfall().expect("it is one SELECT");
    let texts: Vec<&str> = waterfall.conditions.iter().map(|condition| condition.text.as_str()).collect();
    assert_eq!(texts, ["rfm.r >= 4", "consent"]);
    for (condition, expected) in waterfall.conditions.iter().zip([vec!["rfm.r"], vec![]]) {
        let rows = resolve_segment(&condition.rows, &names, as_of()).unwrap();
        assert_eq!(written(&rows.query), expected, "{}", condition.text);
    }
    let unmet = query.unmet("unsubscribed", &names).expect("profiles have a key");
    assert_eq!(written(&muster_language::resolve(&unmet.asking, &names, as_of()).unwrap()), ["rfm.r"]);
}
