//! The questions that a definition puts to one row: what they print, and which conditions have deciding rows.

use muster_language::{Condition, Joined, Reasons, parse_definition, resolve};

use crate::world::{as_of, deep_names, names};

fn reasons(definition: &str, key: &str) -> Reasons {
    let query = parse_definition(definition).unwrap_or_else(|error| panic!("{error}"));
    query.reasons("unsubscribed", key, &names(), as_of()).expect("the grain has a key")
}

/// The tree, a line a condition, with the table of the deciding rows.
fn tree(condition: &Condition, depth: usize, lines: &mut Vec<String>) {
    let joined = match condition.joined {
        Joined::Alone => "",
        Joined::All => "AND: ",
        Joined::Any => "OR: ",
        Joined::Not => "NOT: ",
    };
    let inputs = condition.inputs.iter().map(|input| input.text.as_str()).collect::<Vec<_>>().join(", ");
    let table = condition.deciding.as_ref().map_or("-", |deciding| deciding.table.as_str());
    lines.push(format!("{}{joined}{} [{inputs}] {table}", "  ".repeat(depth), condition.text));
    condition.parts.iter().for_each(|part| tree(part, depth + 1, lines));
}

#[track_caller]
fn check(definition: &str, expected: &[&str]) {
    let mut lines = Vec::new();
    tree(&reasons(definition, "7").condition.expect("there is a WHERE"), 0, &mut lines);
    assert_eq!(lines, expected, "{definition}");
}

#[test]
fn a_condition_is_a_tree_of_what_is_compared() {
    check(
        "WHERE country = 'NL' AND (consent OR NOT (income > 5)) AND count(orders) BETWEEN 2 AND 3",
        &[
            "AND: country = 'NL' AND (consent OR NOT (income > 5)) AND count(orders) BETWEEN 2 AND 3 [] -",
            "  country = 'NL' [country] -",
            "  OR: consent OR NOT (income > 5) [] -",
            "    consent [] -",
            "    NOT: NOT (income > 5) [] -",
            "      income > 5 [income] -",
            "  AND: count(orders) BETWEEN 2 AND 3 [] -",
            "    count(orders) >= 2 [count(orders)] orders",
            "    count(orders) <= 3 [count(orders)] orders",
        ],
    );
}

#[test]
fn values_are_both_sides_and_the_columns_and_aggregates_in_them() {
    check(
        "WHERE age(birth_date) + 1 > sum(orders.total) / income",
        &[
            "age(birth_date) + 1 > sum(orders.total) / income [age(birth_date) + 1, birth_date, sum(orders.total) / income, sum(orders.total), income] -",
        ],
    );
    check(
        "WHERE birth_date < now() - INTERVAL '18 years'",
        &["birth_date < now() - INTERVAL '18 years' [birth_date, now() - INTERVAL '18 years'] -"],
    );
    check("WHERE array_has(interests, 'sofas')", &["array_has(interests, 'sofas') [interests] -"]);
    check(
        "WHERE has(orders) FILTER (WHERE total > 5)",
        &["has(orders) FILTER (WHERE total > 5) [count(orders) FILTER (WHERE total > 5)] orders"],
    );
}

#[test]
fn a_sequence_lists_how_many_rows_meet_each_condition_and_every_how_many_do_not() {
    check(
        "WHERE has_sequence(orders, total < 30, total > 30, within => INTERVAL '90 days') FILTER (WHERE channel = 'web')",
        &["has_sequence(orders, total < 30, total > 30, within => INTERVAL '90 days') FILTER (WHERE channel = 'web') \
             [count(orders) FILTER (WHERE (channel = 'web') AND (total < 30)), \
             count(orders) FILTER (WHERE (channel = 'web') AND (total > 30))] -"],
    );
    check(
        "WHERE every(o => orders, o.total > 5)",
        &["every(o => orders, o.total > 5) [count(o => orders, o.total > 5) FILTER (WHERE NOT (o.total > 5))] -"],
    );
}

/// The table of the deciding rows of a condition; `-` where it has none.
fn decided(condition: &str) -> String {
    let condition = reasons(&format!("WHERE {condition}"), "7").condition.expect("there is a WHERE");
    condition.deciding.map_or_else(|| "-".to_owned(), |deciding| deciding.table)
}

#[test]
fn rows_decide_a_comparison_with_one_aggregate_of_plain_rows() {
    for (condition, table) in [
        ("max(orders.total) > income", "orders"),
        ("5 <= count(order_lines)", "order_lines"),
        ("last(web_visits.page) = 'home'", "web_visits"),
        ("has(o => orders) FILTER (WHERE o.total > 5)", "orders"),
        ("has(carts) FILTER (WHERE NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at))", "carts"),
        ("max(orders.total) > min(carts.updated_at)", "-"),
        ("max(orders.total) > home_site.city", "orders"),
        ("count(DISTINCT orders.channel) > 1", "-"),
        ("has(latest(orders, 3))", "-"),
        ("sum(orders.total) > 5", "-"),
        ("count(orders) + 1 > 2", "-"),
        ("count(orders) IN (1, 2)", "-"),
    ] {
        assert_eq!(decided(condition), table, "{condition}");
    }
}

#[test]
fn rows_are_asked_for_from_their_own_table_in_row_order() {
    let condition = "count(order_lines) FILTER (WHERE products.category = 'Sofas' AND quantity > 1) >= 2";
    let condition = reasons(&format!("WHERE {condition}"), "it's").condition.expect("there is a WHERE");
    let deciding = condition.deciding.expect("a count of rows");
    assert_eq!(deciding.shown, ["products.category", "quantity"]);
    let query = resolve(&deciding.rows, &names(), as_of()).expect("the rows can be asked for");
    check_snapshot!(query.to_pretty_sql());
}

#[test]
fn conditions_may_ask_what_a_with_names() {
    let definition = "WITH big AS (SELECT profile_id AS id FROM orders WHERE total > 100)
        SELECT * FROM profiles WHERE profile_id IN (SELECT id FROM big) AND count(orders) > 1";
    let reasons = reasons(definition, "7");
    let question = resolve(&reasons.question, &names(), as_of()).map(|query| query.columns.len());
    assert_eq!(question.map_err(|error| error.to_string()), Ok(7));
    let parts = reasons.condition.expect("there is a WHERE").parts;
    let rows = &parts[1].deciding.as_ref().expect("a count of rows").rows;
    assert!(resolve(rows, &names(), as_of()).is_ok());
}

#[test]
fn a_row_of_a_history_has_deciding_rows_below_it_and_beside_it() {
    let query =
        parse_definition("SELECT * FROM orders o WHERE count(order_lines) > 1 AND has(carts)").expect("it reads");
    let names = deep_names();
    let reasons = query.reasons("open_carts", "o1", &names, as_of()).expect("orders have a key");
    let parts = reasons.condition.expect("there is a WHERE").parts;
    for (part, owner) in parts.iter().zip(["\"order_id\" = 'o1'", "\"orders\".\"order_id\" = 'o1'"]) {
        let rows = &part.deciding.as_ref().expect("both count rows").rows;
        let printed = resolve(rows, &names, as_of()).expect("the rows can be asked for").to_sql();
        assert!(printed.contains(owner) || printed.contains("\"o\".\"order_id\" = 'o1'"), "{printed}");
    }
    assert_eq!(reasons.grain, "orders");
}
