//! Variables: defined as an expression over a profile, read as a column of it.

use muster_catalog::{ColumnNames, ColumnType, Names};
use muster_language::{Error, ResolvedQuery, Statement, parse, resolve_variable};

use crate::world::{as_of, names, resolved_with, transcript};

/// The shop with a variable.
fn with_spent() -> Names {
    let holds = ColumnType::Decimal { precision: 38, scale: 2 };
    names().with_variable(ColumnNames { name: "spent".to_owned(), column_type: holds, role: None })
}

fn defined(text: &str) -> Result<ResolvedQuery, Error> {
    match parse(text)? {
        Statement::CreateVariable(variable) => resolve_variable(&variable, &with_spent(), as_of()),
        other => panic!("{other:?} is no variable"),
    }
}

fn error(text: &str) -> String {
    defined(text).expect_err("a fault").to_string()
}

#[test]
fn a_variable_is_a_column_of_the_profile_wherever_that_is_seen() {
    let queries = [
        "SELECT email, spent FROM profiles WHERE spent > 100",
        "SELECT total FROM orders WHERE total > profiles.spent / 2",
        "SELECT count(orders) FILTER (WHERE orders.total > spent) AS n FROM profiles",
        "SELECT country, sum(spent) AS all_of_it FROM profiles GROUP BY country",
    ];
    check_snapshot!(transcript(&queries, &with_spent()));
}

#[test]
fn a_query_says_which_variables_it_reads() {
    for text in [
        "SELECT spent FROM profiles",
        "SELECT * FROM profiles",
        "SELECT has(orders) FILTER (WHERE has(carts) FILTER (WHERE carts.status = 'open' AND profiles.spent > 1)) FROM profiles",
        "SELECT p.email FROM profiles p JOIN sites s ON s.site_id = p.store_id WHERE p.spent > 1",
        "WITH rich AS (SELECT email FROM profiles WHERE spent > 1) SELECT count(*) FROM rich",
        "SELECT email FROM profiles WHERE income > (SELECT avg(spent) FROM profiles)",
        "SELECT last(orders.total) FILTER (WHERE orders.total > spent) FROM profiles",
        "SELECT has(latest(orders, 3, total > spent)) FROM profiles",
    ] {
        let query = resolved_with(text, &with_spent()).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(query.variables_used, ["spent"], "{text}");
    }
    let query = resolved_with("SELECT email FROM profiles WHERE has(orders)", &with_spent()).unwrap();
    assert!(query.variables_used.is_empty());
}

#[test]
fn a_definition_resolves_to_ids_and_values() {
    let definitions = [
        "CREATE VARIABLE orders_in_all AS count(orders)",
        "CREATE OR REPLACE VARIABLE Rich COMMENT 'who spends' AS spent > 1000 AND NOT segments.unsubscribed",
        "CREATE VARIABLE days_since AS days_between(CAST(max(orders.placed_at) AS DATE), today())",
    ];
    let texts = definitions.map(|text| format!("{text}\n\n{}\n", defined(text).unwrap().to_pretty_sql()));
    check_snapshot!(texts.join("\n"));
    let Ok(Statement::CreateVariable(variable)) = parse(definitions[1]) else { panic!("it is read") };
    assert_eq!((variable.name.as_str(), variable.or_replace), ("rich", true));
    assert_eq!(variable.comment.as_deref(), Some("who spends"));
    assert_eq!(variable.expression(), "spent > 1000 AND NOT segments.unsubscribed");
}

#[test]
fn an_expression_without_a_value_per_profile_is_refused() {
    assert_eq!(
        error("CREATE VARIABLE v AS count(*)"),
        "line 1, column 22: a variable has a value per profile, and this aggregates over all of them
  CREATE VARIABLE v AS count(*)
                       ^
  hint: reduce a history of the profile: sum(orders.total)"
    );
    assert_eq!(
        error("CREATE VARIABLE v AS incme"),
        "line 1, column 22: unknown column `incme`
  CREATE VARIABLE v AS incme
                       ^
  hint: did you mean `income`?"
    );
    assert_eq!(
        parse("CREATE VARIABLE v AS 1 FROM profiles").unwrap_err().to_string(),
        "line 1, column 24: expected the end; found `FROM`
  CREATE VARIABLE v AS 1 FROM profiles
                         ^"
    );
}

#[test]
fn variables_are_shown_and_dropped_by_name() {
    assert_eq!(parse("SHOW VARIABLES").unwrap(), Statement::ShowVariables);
    assert_eq!(parse("DROP VARIABLE Spent;").unwrap(), Statement::DropVariable { name: "spent".to_owned() });
}
