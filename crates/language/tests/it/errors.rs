//! Each kind of error of a query with its whole message: place, what was expected, nearest spelling.

use muster_language::ErrorKind;

use crate::world::{error, resolved};

/// The message of what is wrong at the first `«` of the text, which is taken out before it is read.
pub fn check(marked: &str, kind: ErrorKind, message: &str, hint: Option<&str>) {
    let text = marked.replacen('«', "", 1);
    let column = marked.chars().position(|character| character == '«').expect("the place is marked") + 1;
    let caret = " ".repeat(column - 1);
    let hint = hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    assert_eq!(error(&text), format!("line 1, column {column}: {message}\n  {text}\n  {caret}^{hint}"));
    assert_eq!(resolved(&text).map_err(|error| error.kind).err(), Some(kind));
}

/// The same, whatever the hint is.
pub fn check_start(marked: &str, kind: ErrorKind, message: &str) {
    let text = marked.replacen('«', "", 1);
    let column = marked.chars().position(|character| character == '«').expect("the place is marked") + 1;
    let found = error(&text);
    assert!(found.starts_with(&format!("line 1, column {column}: {message}\n")), "{found}");
    assert_eq!(resolved(&text).map_err(|error| error.kind).err(), Some(kind));
}

fn unknown(marked: &str, message: &str, hint: &str) {
    check(marked, ErrorKind::UnknownName, message, Some(hint));
}

#[test]
fn an_unknown_name_comes_with_the_nearest_or_with_what_there_is() {
    unknown("SELECT «emial FROM profiles", "unknown column `emial`", "did you mean `email`?");
    unknown("SELECT profiles.«emial FROM profiles", "`profiles` has no column `emial`", "did you mean `email`?");
    unknown(
        "SELECT products.«label FROM order_lines",
        "`products` has no column `label`",
        "products has: product_id, category, price",
    );
    unknown("SELECT * FROM «ordrs", "unknown table `ordrs`", "did you mean `orders`?");
    unknown(
        "SELECT segments.«unsubscribd FROM profiles",
        "unknown segment `unsubscribd`",
        "did you mean `unsubscribed`?",
    );
    unknown("SELECT count(«ordrs) FROM profiles", "unknown column `ordrs`", "did you mean `orders`?");
    unknown("SELECT «\"Email\" FROM profiles", "unknown column `Email`", "did you mean `email`?");
    unknown("SELECT «oders.total FROM order_lines", "unknown name `oders`", "did you mean `orders`?");
    unknown(
        "SELECT carts.«goods.price FROM carts",
        "nothing called `goods` is reached from carts",
        "from carts lead: profiles",
    );
    unknown(
        "SELECT «x.y FROM (SELECT 1 AS z) AS w",
        "unknown name `x`",
        "known here: w, products, sites, profiles, orders, order_lines, carts, web_visits, segments",
    );
    check("SELECT email FROM profiles ORDER BY «2", ErrorKind::UnknownName, "the SELECT has no column 2", None);
}

#[test]
fn a_column_that_stands_elsewhere_says_how_to_get_it() {
    unknown(
        "SELECT «total FROM profiles",
        "unknown column `total`",
        "`total` is a column of orders; reduce it to one value: max(orders.total)",
    );
    unknown(
        "SELECT «status FROM orders",
        "unknown column `status`",
        "`status` is a column of carts; reduce it to one value: max(carts.status)",
    );
    unknown("SELECT «carts.status FROM products", "`carts` is not in FROM", "add it to FROM");
    unknown("SELECT «profiles.email FROM profiles AS p", "`profiles` is called `p` here", "write p.email");
    unknown(
        "SELECT count(orders) FILTER (WHERE «page = 'x') FROM profiles",
        "unknown column `page`",
        "`page` is a column of web_visits; it is not reached from orders",
    );
}

#[test]
fn a_file_is_no_table() {
    unknown(
        "SELECT * FROM «'customers.parquet'",
        "unknown table `customers.parquet`",
        "tables: products, sites, profiles, orders, order_lines, carts, web_visits",
    );
}

#[test]
fn an_ambiguous_name_lists_what_it_could_mean() {
    check(
        "SELECT «city FROM orders",
        ErrorKind::Ambiguous,
        "`city` is ambiguous: site.city, home_site.city",
        Some("write one of these"),
    );
    check(
        "SELECT «profile_id FROM orders JOIN carts ON TRUE",
        ErrorKind::Ambiguous,
        "`profile_id` is ambiguous: orders.profile_id, carts.profile_id",
        Some("write one of these"),
    );
    check(
        "SELECT email, «email FROM profiles",
        ErrorKind::Ambiguous,
        "a second column called `email`",
        Some("give it another name with AS"),
    );
    check(
        "SELECT 1 FROM orders, «orders",
        ErrorKind::Ambiguous,
        "a second table called `orders`",
        Some("give it another name with AS"),
    );
}

#[test]
fn an_aggregate_over_rows_that_do_not_fit_together_names_the_levels() {
    check(
        "SELECT sum(orders.total) FILTER (WHERE orders.channel = 'web' AND «products.category = 'Sofas') FROM profiles",
        ErrorKind::Level,
        "the aggregate is over orders, and this condition is about order_lines below: a row would count once for each of them",
        Some(
            "sum(orders.total) FILTER (WHERE orders.channel = 'web' AND has(order_lines) FILTER (WHERE products.category = 'Sofas')), \
             or an aggregate over order_lines",
        ),
    );
    check(
        "SELECT sum(«orders.total * carts.weight) FROM profiles",
        ErrorKind::Level,
        "carts and orders are two branches: no row of one belongs to a row of the other",
        Some("take one aggregate over carts and one over orders"),
    );
    check(
        "SELECT count(orders) FILTER (WHERE «carts.status = 'open') FROM profiles",
        ErrorKind::Level,
        "orders and carts are two branches: no row of one belongs to a row of the other",
        Some("take one aggregate over orders and one over carts"),
    );
    check(
        "SELECT email FROM profiles WHERE «orders.total > 100",
        ErrorKind::Level,
        "`orders.total` has many values for one row of profiles",
        Some("reduce them to one: max(orders.total), or has(orders) FILTER (WHERE …)"),
    );
}

#[test]
fn an_aggregate_of_the_wrong_shape_says_the_right_one() {
    let level = ErrorKind::Level;
    check("SELECT «has(order) FROM profiles", level, "`has` takes a history table", Some("did you mean `orders`?"));
    check("SELECT «has(orders.total) FROM profiles", level, "`has` takes a table: has(orders) FILTER (WHERE …)", None);
    check("SELECT «sum(orders) FROM profiles", level, "`sum` needs a value of each row of orders: sum(orders.…)", None);
    check(
        "SELECT count(«profiles) FROM profiles",
        level,
        "`profiles` is the grain: each row is one of them",
        Some("count(*) counts the rows"),
    );
    check(
        "SELECT count(«o) FROM orders o",
        level,
        "`orders` is the grain: each row is one of them",
        Some("count(*) counts the rows"),
    );
    check(
        "SELECT count(«profiles) FROM orders",
        level,
        "`profiles` is above orders: each row has exactly one",
        Some("to count rows of profiles, select FROM profiles"),
    );
    check(
        "SELECT count(«products) FROM profiles",
        level,
        "`products` is no history: it has one row for many",
        Some("count takes a history table"),
    );
}

#[test]
fn a_history_aggregate_where_it_cannot_stand_says_where_it_can() {
    let position = ErrorKind::Position;
    check(
        "SELECT country, «sum(orders.total) FROM profiles GROUP BY country",
        position,
        "`sum(orders.total)` has a value per row, and here rows are grouped",
        Some("reduce it over the group: sum(sum(orders.total)), or add it to GROUP BY"),
    );
    check(
        "SELECT «has(orders), count(*) FROM profiles",
        position,
        "`has(orders)` has a value per row, and here rows are grouped",
        Some("reduce it over the group: count(*) FILTER (WHERE has(orders)), or add it to GROUP BY"),
    );
    check(
        "SELECT «sum(orders.total) OVER () FROM profiles",
        position,
        "`sum` over history has a value per row of the grain, so it takes no OVER",
        Some("put it inside: sum(sum(…)) OVER (…), or into PARTITION BY or ORDER BY"),
    );
    check(
        "SELECT count(«order_lines) FROM orders JOIN carts ON TRUE",
        position,
        "`order_lines` is a history, and a FROM with joins has no grain",
        Some("compute it first: WITH x AS (SELECT …, count(order_lines) AS n FROM profiles) SELECT … FROM x JOIN …"),
    );
    check(
        "SELECT count(«orders) FROM products",
        position,
        "`orders` is a history, and the table in FROM has none",
        Some("a history aggregate needs FROM profiles or FROM a history table, alone"),
    );
    check(
        "SELECT count(«orders)",
        position,
        "`orders` needs rows to be taken for, and there is no FROM",
        Some("FROM profiles"),
    );
}

#[test]
fn a_comparison_that_the_parser_reads_too_widely_asks_for_brackets() {
    let brackets = Some("put brackets around the comparison: (a IS DISTINCT FROM b) AND c");
    for (text, read) in [
        ("«consent IS DISTINCT FROM TRUE AND income > 1", "`consent IS DISTINCT FROM true AND income > 1`"),
        ("«email IS NOT DISTINCT FROM 'a' OR income > 1", "`email IS NOT DISTINCT FROM 'a' OR income > 1`"),
    ] {
        let text = format!("SELECT email FROM profiles WHERE {text}");
        check(&text, ErrorKind::NotAllowed, &format!("{read} can be read in two ways"), brackets);
    }
    assert!(
        resolved("SELECT email FROM profiles WHERE income > 1 AND (consent IS DISTINCT FROM TRUE) AND income > 2")
            .is_ok()
    );
}

#[test]
fn a_group_aggregate_where_it_cannot_stand_says_where_it_can() {
    let position = ErrorKind::Position;
    check(
        "SELECT email FROM profiles WHERE «count(*) > 3",
        position,
        "`count` over the grouped rows cannot stand in WHERE",
        Some("write HAVING …"),
    );
    check(
        "SELECT «email, count(*) FROM profiles GROUP BY country",
        position,
        "`email` is neither grouped nor aggregated",
        Some("add it to GROUP BY, or reduce it: min(email)"),
    );
    check(
        "SELECT sum(«max(income)) FROM profiles",
        position,
        "`max` inside another aggregate of the same rows",
        Some("compute the inner one in a CTE"),
    );
    check("SELECT «rank() FROM profiles", position, "`rank` needs OVER (…)", None);
    check(
        "SELECT email FROM profiles WHERE «rank() OVER (ORDER BY income) < 3",
        position,
        "`rank` with OVER cannot stand in WHERE",
        Some("write QUALIFY …, or compute it in a CTE"),
    );
}

#[test]
fn modifiers_that_an_engine_would_ignore_are_refused() {
    let refused = |marked: &str, what: &str| {
        check(marked, ErrorKind::NotAllowed, &format!("{what} is not part of the segment language"), None);
    };
    refused("SELECT email FROM «profiles TABLESAMPLE (10)", "TABLESAMPLE");
    refused("«SELECT /*+ NO_INDEX */ email FROM profiles", "an optimizer hint");
    refused("SELECT email FROM «profiles WITH ORDINALITY", "WITH ORDINALITY");
    refused("«SELECT email INTO t FROM profiles", "SELECT INTO");
    refused("«SELECT email FROM profiles FOR UPDATE", "FOR UPDATE");
    refused("SELECT * FROM «profiles PIVOT (count(email) FOR country IN ('NL'))", "PIVOT");
    refused("SELECT * FROM «generate_series(1, 10)", "a table function");
    refused("SELECT «$1", "the placeholder $1");
    for text in ["SELECT * FROM orders VERSION AS OF 3", "SELECT * FROM orders FOR SYSTEM_TIME AS OF '2025-01-01'"] {
        assert!(resolved(text).is_err(), "{text}");
    }
}

#[test]
fn names_that_are_musters_or_the_catalogs_are_not_given_away() {
    check(
        "WITH «orders AS (SELECT 1) SELECT 1",
        ErrorKind::NotAllowed,
        "`orders` is the name of a table",
        Some("choose another name"),
    );
    check(
        "SELECT email AS «__x FROM profiles",
        ErrorKind::NotAllowed,
        "`__x` begins like muster's own names",
        Some("choose a name without `__` in front"),
    );
    check(
        "SELECT 1 FROM profiles AS «segments",
        ErrorKind::NotAllowed,
        "`segments` is the name under which segments are used",
        Some("choose another name"),
    );
    unknown(
        "SELECT «__row FROM profiles",
        "unknown column `__row`",
        "columns here: profile_id, email, country, birth_date, income, interests, consent, store_id, site_id, city",
    );
}

#[test]
fn what_stands_beside_the_arguments_of_latest_is_refused_and_not_read_over() {
    let message = "`latest` takes its condition as third argument, and nothing else beside";
    for marked in [
        "SELECT has(«latest(orders, 3) FILTER (WHERE orders.total > 1)) FROM profiles",
        "SELECT has(«latest(DISTINCT orders, 3)) FROM profiles",
        "SELECT has(«latest(orders, 3, by => orders.total)) FROM profiles",
        "SELECT sum(l => «latest(orders, 3) OVER (), l.total) FROM profiles",
    ] {
        check_start(marked, ErrorKind::Level, message);
    }
    for marked in ["SELECT has(«latest(orders, 0)) FROM profiles", "SELECT has(«latest(orders, 1 + 1)) FROM profiles"]
    {
        check_start(marked, ErrorKind::Level, "`latest` takes a number of rows that is written out, from 1 on");
    }
    check_start(
        "SELECT «latest(orders, 3) FROM profiles",
        ErrorKind::Position,
        "`latest` stands for rows, not for a value",
    );
    check_start(
        "SELECT «nth(orders.total, 0) FROM profiles",
        ErrorKind::Level,
        "`nth` counts from one, or from the end below zero",
    );
}

#[test]
fn names_of_rows_are_refused_where_they_say_nothing_or_two_things() {
    for (marked, kind, message) in [
        (
            "SELECT has(orders) FILTER (WHERE has(«orders)) FROM profiles",
            ErrorKind::Level,
            "`orders` is the grain: each row is one of them",
        ),
        (
            "SELECT has(order_lines) FILTER (WHERE has(«orders)) FROM profiles",
            ErrorKind::Level,
            "`orders` is above order_lines: each row has exactly one",
        ),
        (
            "SELECT has(carts) FILTER (WHERE has(orders) FILTER (WHERE has(«carts))) FROM profiles",
            ErrorKind::Level,
            "`carts` names a row around this aggregate already",
        ),
        (
            "SELECT has(a => orders) FILTER (WHERE has(«a => carts)) FROM profiles",
            ErrorKind::NotAllowed,
            "`a` is the name of a row around this one",
        ),
        ("SELECT has(«carts => orders) FROM profiles", ErrorKind::NotAllowed, "`carts` is the name of a table"),
        ("SELECT has(x => «orderz) FROM profiles", ErrorKind::UnknownName, "unknown table `orderz`"),
        (
            "SELECT has(x => «products) FROM profiles",
            ErrorKind::Level,
            "`products` is no history: it has one row for many",
        ),
        ("SELECT has(x => «b.orders) FROM profiles", ErrorKind::UnknownName, "`b` is no row around this aggregate"),
        (
            "SELECT has(a => carts) FILTER (WHERE has(x => «a.orders)) FROM profiles",
            ErrorKind::Level,
            "orders does not lie below carts",
        ),
        (
            "SELECT lower(«x => email) FROM profiles",
            ErrorKind::Position,
            "`lower` reduces no history, so it cannot name its rows",
        ),
    ] {
        check_start(marked, kind, message);
    }
}

#[test]
fn parts_of_the_language_that_are_not_there_yet_are_named() {
    let feature = "`travel_time`";
    let marked = "SELECT «travel_time('a') FROM profiles";
    check(marked, ErrorKind::NotSupportedYet { feature }, &format!("{feature}: not supported yet"), None);
}
