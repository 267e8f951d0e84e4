//! Masked columns: whichever way a query turns, it learns nothing of their values.

use muster_query::{Error, Limits};

use crate::world::{World, limits};

/// The shop of three customers, where birthdays are personal and incomes sensitive.
fn shop() -> World {
    World::shop().masked(&[("born", "personal"), ("income", "sensitive")])
}

/// Questions about `income` and `born` that tell of the values in many ways.
const QUESTIONS: &[&str] = &[
    "SELECT id, income FROM profiles ORDER BY id",
    "SELECT * FROM profiles ORDER BY id",
    "SELECT id, CASE WHEN income > 1000 THEN 'rich' ELSE 'not known' END AS x FROM profiles ORDER BY id",
    "SELECT id FROM profiles WHERE income > 1000 ORDER BY id",
    "SELECT id FROM profiles WHERE income IS NOT NULL ORDER BY id",
    "SELECT id FROM profiles WHERE CAST(born AS TEXT) LIKE '1980%'",
    "SELECT income, count(*) AS n FROM profiles GROUP BY income ORDER BY 1",
    "SELECT count(DISTINCT born) AS n, min(born) AS a, max(born) AS b, sum(income) AS s FROM profiles",
    "SELECT id FROM profiles ORDER BY income DESC, id LIMIT 1",
    "SELECT id, rank() OVER (ORDER BY income DESC, id) AS r FROM profiles ORDER BY id",
    "SELECT a.id FROM profiles a JOIN profiles b ON a.income = b.income ORDER BY 1",
    "SELECT id FROM profiles WHERE born IN (SELECT born FROM profiles)",
    "SELECT id FROM profiles WHERE EXISTS (SELECT 1 FROM profiles p WHERE p.income = 30000)",
    "SELECT order_id FROM orders WHERE profiles.income > 0 ORDER BY 1",
    "SELECT id, count(orders) FILTER (WHERE orders.total < profiles.income) AS n FROM profiles ORDER BY id",
    "SELECT sum(CAST(concat('1', income) AS DOUBLE)) AS x FROM profiles",
    "SELECT id, 1 / (income - 30000) AS x FROM profiles ORDER BY id",
    "SELECT id, age(born) AS x, days_to_anniversary(born) AS y FROM profiles ORDER BY id",
    "SELECT string_agg(CAST(born AS TEXT), ',') AS x FROM profiles",
    "WITH p AS (SELECT id, income AS i FROM profiles) SELECT id FROM p WHERE i > 0 ORDER BY id",
    "SELECT id FROM profiles QUALIFY row_number() OVER (PARTITION BY income ORDER BY id) = 1 ORDER BY id",
    "SELECT income FROM profiles UNION SELECT income FROM profiles ORDER BY 1",
    "SELECT coalesce(income, -1) AS x, nullif(born, DATE '1980-02-29') AS y FROM profiles ORDER BY 1, 2",
    "SELECT lag(income) OVER (ORDER BY id) AS x FROM profiles ORDER BY id",
    "SELECT exp(income * 1000000) AS x FROM profiles ORDER BY id",
];

/// The same shop with other values in these columns, and with none.
fn others() -> [World; 2] {
    ["ann 2024-01-01T00:00:00Z NL 1955-05-05 77.77 2 0.1", "ann 2024-01-01T00:00:00Z NL - - 2 0.1"]
        .map(|ann| World::of(&World::shop_files_with(ann)).masked(&[("born", "personal"), ("income", "sensitive")]))
}

#[test]
fn the_answer_is_the_same_whatever_the_masked_values_are() {
    let told = |world: &World, text: &str| match world.ask(text) {
        Ok(answer) => format!("{:?}", answer.batches),
        Err(error) => error.to_string(),
    };
    let shop = shop();
    for other in others() {
        for question in QUESTIONS {
            assert_eq!(told(&shop, question), told(&other, question), "{question}");
        }
    }
}

/// So that the test above can fail.
#[test]
fn without_masks_every_question_tells_something() {
    let [other, none] = others().map(|world| world.masked(&[]));
    let shop = World::shop();
    let told = |world: &World, text: &str| match world.ask(text) {
        Ok(answer) => format!("{:?}", answer.batches),
        Err(error) => error.to_string(),
    };
    for question in QUESTIONS {
        let real = told(&shop, question);
        assert!(real != told(&other, question) || real != told(&none, question), "{question}: {real}");
    }
}

#[test]
fn a_masked_column_is_null_and_is_named() {
    let shop = shop();
    shop.check(
        "SELECT id, income, born, country FROM profiles ORDER BY id",
        &["ann - - NL", "bob - - BE", "cas - - NL"],
    );
    let masked = |text: &str| {
        let running = shop.engine.begin(&shop.resolved(text), &shop.evaluation()).unwrap();
        running.masked().to_vec()
    };
    assert_eq!(masked("SELECT id FROM profiles WHERE income > 1 ORDER BY born"), ["profiles.born", "profiles.income"]);
    assert_eq!(masked("SELECT id FROM profiles"), Vec::<String>::new());
}

#[test]
fn what_would_be_wrong_without_the_column_is_refused() {
    let shop = shop();
    let mut evaluation = shop.evaluation();
    evaluation.masks = evaluation.masks.refusing();
    let error =
        shop.engine.answer(&shop.resolved("SELECT id FROM profiles WHERE income > 1"), &evaluation).unwrap_err();
    assert!(matches!(error, Error::Masked { .. }));
    assert_eq!(
        error.to_string(),
        "`profiles.income` is sensitive, which this session may not see; grant sensitive with --grant, or leave it out"
    );
    assert!(shop.engine.answer(&shop.resolved("SELECT id FROM profiles WHERE country = 'NL'"), &evaluation).is_ok());
}

#[test]
fn an_answer_of_too_many_bytes_is_refused_and_one_at_the_limit_is_not() {
    // Three rows of eight bytes each.
    let shop = |bytes: u64| World::within(Limits { bytes, ..limits() }, &World::shop_files_with(crate::world::ANN));
    let numbers = "SELECT count(orders) AS n FROM profiles";
    assert!(shop(24).ask(numbers).is_ok());
    let error = shop(23).ask(numbers).unwrap_err();
    assert!(matches!(error, Error::Bytes { bytes: 23 }));
    assert_eq!(
        error.to_string(),
        "the answer has more than 1 MiB; select fewer columns or rows, or export a segment instead"
    );
}
