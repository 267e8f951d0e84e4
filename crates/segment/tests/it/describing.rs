//! DESCRIBE of tables and columns: what they hold as of an instant.

use muster_catalog::Class;
use muster_segment::{Classes, Depth, Distinct, Outcome, Session, TableDescription, Wanted};

use crate::planted;
use crate::world::{Shop, input, instant, rows, run};

const HEADER: &str =
    "column | type | part | role | class | rows | nulls | null_share | distinct | min | max | top | top_rows | note";

#[test]
fn a_table_with_its_rows_and_what_its_columns_hold() {
    assert_eq!(
        planted::shop().rows("DESCRIBE profiles"),
        [
            HEADER,
            "* | root | key id, created_at joined | - | - | 5 | - | - | - | 2024-01-10T11:00:00+01:00 | 2025-01-05T11:00:00+01:00 | - | - | 1 later than 2025-06-30T12:00:00+02:00",
            "id | id | key | - | internal | 5 | 0 | 0.0 | 5 | p1 | p6 | [p1, p2, p3, p4, p6] | [1, 1, 1, 1, 1] | -",
            "joined | timestamp | created_at | - | internal | 5 | 0 | 0.0 | 5 | 2024-01-10T11:00:00+01:00 | 2025-01-05T11:00:00+01:00 | [2024-01-10T11:00:00+01:00, 2024-01-20T11:00:00+01:00, 2024-02-10T11:00:00+01:00, 2024-02-11T11:00:00+01:00, 2025-01-05T11:00:00+01:00] | [1, 1, 1, 1, 1] | -",
            "email | text | - | email | personal | 5 | 1 | 0.2 | 3 | - | - | - | - | values are hidden",
            "mobile | id | - | mobile | personal | 5 | 3 | 0.6 | 1 | - | - | - | - | values are hidden",
            "country | text | - | - | internal | 5 | 1 | 0.2 | 2 | BE | NL | [NL, BE] | [3, 1] | -",
            "interests | set | - | - | internal | 5 | 2 | 0.4 | 3 | - | - | [lamps, sofas, beds] | [2, 2, 1] | distinct and top are of members",
            "income | decimal(12,2) | - | - | internal | 5 | 1 | 0.2 | 3 | 10.00 | 30.00 | [20.00, 10.00, 30.00] | [2, 1, 1] | -",
        ]
    );
}

#[test]
fn rows_that_wait_or_have_not_come_are_counted_apart() {
    // o1 and o2 are there; o3 is placed in August, o5 is of somebody who joins in July, o4 is of nobody.
    let described = planted::shop().rows("DESCRIBE Orders");
    assert_eq!(
        described[1],
        "* | history below profiles | key order_id, time placed_at, store by shop | - | - | 2 | - | - | - | 2024-03-01T11:00:00+01:00 | 2024-04-01T00:30:00+02:00 | - | - | 1 wait for their parent; 2 later than 2025-06-30T12:00:00+02:00"
    );
    assert_eq!(
        described[3],
        "customer | id | parent's key | - | internal | 2 | 0 | 0.0 | 1 | p1 | p1 | [p1] | [2] | -"
    );
    assert_eq!(described[8], "shop | id | link store | - | internal | 2 | 0 | 0.0 | 1 | s1 | s1 | [s1] | [2] | -");
}

#[test]
fn a_description_is_as_of_the_sessions_instant() {
    let shop = planted::shop();
    let then = shop.rows("SET as_of = '2025-12-31'; DESCRIBE orders.total");
    assert_eq!(
        then,
        [
            HEADER,
            "total | decimal(12,2) | - | - | internal | 4 | 0 | 0.0 | 3 | 2.00 | 7.00 | [7.00, 2.00, 5.00] | [2, 1, 1] | -"
        ]
    );
    let before = shop.rows("SET as_of = '2020-01-01'; DESCRIBE orders.total");
    assert_eq!(before[1], "total | decimal(12,2) | - | - | internal | 0 | 0 | - | 0 | - | - | - | - | -");
}

#[test]
fn one_column_by_a_name_whose_capitals_do_not_matter() {
    let described = planted::shop().rows("DESCRIBE Orders.Paid");
    assert_eq!(
        described,
        [HEADER, "paid | bool | - | - | internal | 2 | 0 | 0.0 | 2 | false | true | [false, true] | [1, 1] | -"]
    );
}

#[test]
fn at_most_five_values_and_equally_frequent_ones_in_their_order() {
    let shop = Shop::empty();
    let colours = ["f", "e", "d", "c", "b", "a", "g", "g"].map(|colour| format!("k{colour} {colour}"));
    let ids: Vec<String> = (0..8).map(|row| format!("{row} {}", &colours[row][3..])).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    shop.load_as(planted::CATALOG, vec![input("stores", &[("store_id", "id"), ("city", "text")], &ids)]);
    assert_eq!(
        shop.rows("DESCRIBE stores.city")[1],
        "city | text | - | - | internal | 8 | 0 | 0.0 | 7 | a | g | [g, a, b, c, d] | [2, 1, 1, 1, 1] | -"
    );
    assert_eq!(
        shop.rows("DESCRIBE stores.store_id")[1],
        "store_id | id | key | - | internal | 8 | 0 | 0.0 | 8 | 0 | 7 | [0, 1, 2, 3, 4] | [1, 1, 1, 1, 1] | -"
    );
}

/// The figures of every plain column, asked one by one.
#[test]
fn the_figures_are_those_of_plain_sql() {
    let shop = planted::shop();
    for (table, columns) in [
        ("profiles", &["id", "joined", "country", "income"][..]),
        ("orders", &["order_id", "customer", "placed_at", "total", "paid", "expected", "shop"]),
        ("visits", &["customer", "seen_at", "page"]),
        ("stores", &["store_id", "city"]),
    ] {
        for column in columns {
            let counted = shop.rows(&format!(
                "SELECT count(*), count(*) - count({column}), count(DISTINCT {column}), min({column}), max({column}) FROM {table}"
            ));
            let described = shop.rows(&format!("DESCRIBE {table}.{column}"));
            let cells: Vec<&str> = described[1].split(" | ").collect();
            let figures = [cells[5], cells[6], cells[8], cells[9], cells[10]].join(" | ");
            assert_eq!(figures, counted[1], "{table}.{column}");
            let frequent = shop.rows(&format!(
                "SELECT {column} AS v, count(*) AS n FROM {table} WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY n DESC, v LIMIT 5"
            ));
            let (values, times): (Vec<&str>, Vec<&str>) =
                frequent[1..].iter().map(|row| row.split_once(" | ").unwrap()).unzip();
            assert_eq!(cells[11], format!("[{}]", values.join(", ")), "{table}.{column}");
            assert_eq!(cells[12], format!("[{}]", times.join(", ")), "{table}.{column}");
        }
    }
}

#[test]
fn the_class_decides_whose_values_are_shown() {
    let shop = planted::shop();
    let catalog = planted::CATALOG.replace(
        "[tables.orders]",
        "[tables.profiles.columns]
         email = { role = \"email\", class = \"internal\" }
         country = { class = \"sensitive\" }
         interests = { class = \"personal\" }
         [tables.orders]",
    );
    let classes = Classes::declared(&muster_catalog::parse("muster.toml", &catalog).unwrap());
    let described = |column: &str| {
        let mut session = Session::new(shop.bench(), None).unwrap().with_classes(classes.clone());
        match run(&mut session, &format!("DESCRIBE profiles.{column}")) {
            Ok(Outcome::Answer(answer)) => rows(&answer)[1].clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        described("email"),
        "email | text | - | email | internal | 5 | 1 | 0.2 | 3 | A@x.example | b@x.example | [a@x.example, A@x.example, b@x.example] | [2, 1, 1] | -"
    );
    assert_eq!(
        described("country"),
        "country | text | - | - | sensitive | 5 | 1 | 0.2 | 2 | - | - | - | - | values are hidden"
    );
    assert_eq!(
        described("interests"),
        "interests | set | - | - | personal | 5 | 2 | 0.4 | 3 | - | - | - | - | values are hidden; distinct and top are of members"
    );
    // Not declared, so its role decides.
    assert!(described("mobile").contains(" | personal | 5 | 3 | 0.6 | 1 | - | - | - | - | "));
}

fn describe(shop: &Shop, table: &str, depth: Depth) -> TableDescription {
    let classes = Classes::default();
    let wanted = Wanted { table, column: None, as_of: instant("2025-06-30T12:00"), depth, classes: &classes };
    TableDescription::of(&shop.session().evaluator().unwrap(), &wanted).unwrap()
}

#[test]
fn beyond_the_limit_distinct_values_are_an_estimate_and_said_to_be() {
    let shop = planted::shop();
    let distinct = |exact_rows: u64| {
        let described = describe(&shop, "profiles", Depth::Values { exact_rows });
        described.columns.iter().map(|column| column.distinct.unwrap()).collect::<Vec<_>>()
    };
    use Distinct::{Estimate, Exact};
    // Six rows are stored. The key is as distinct as it is; the members of sets are always counted.
    assert_eq!(distinct(6), [5, 5, 3, 1, 2, 3, 3].map(Exact));
    assert_eq!(distinct(5), [Exact(5), Estimate(5), Estimate(3), Estimate(1), Estimate(2), Exact(3), Estimate(3)]);
}

#[test]
fn ranges_alone_leave_the_values_uncounted() {
    let described = describe(&planted::shop(), "profiles", Depth::Ranges);
    let country = &described.columns[4];
    assert_eq!((country.nulls, country.distinct, country.top.len()), (1, None, 0));
    assert_eq!(country.range, Some(("BE".to_owned(), "NL".to_owned())));
    assert_eq!(described.columns[2].class, Class::Personal);
    assert_eq!(described.columns[2].range, None);
}

#[test]
fn many_columns_with_names_that_need_quotes() {
    let shop = Shop::empty();
    let names: Vec<String> = (0..60).map(|column| format!("c \"{column}\" <b>")).collect();
    let mut columns = vec![("store_id", "id")];
    columns.extend(names.iter().map(|name| (name.as_str(), "int")));
    let row: String = (0..60).map(|column| format!(" {column}")).collect();
    let rows = [format!("s1{row}"), format!("s2{}", " -".repeat(60))];
    shop.load_as(planted::CATALOG, vec![input("stores", &columns, &[&rows[0], &rows[1]])]);
    let described = shop.rows("DESCRIBE stores");
    assert_eq!(described.len(), 1 + 1 + 61);
    for column in 0..60 {
        assert_eq!(
            described[column + 3],
            format!(
                "c \"{column}\" <b> | int | - | - | internal | 2 | 1 | 0.5 | 1 | {column} | {column} | [{column}] | [1] | -"
            )
        );
    }
    assert_eq!(shop.rows("DESCRIBE stores.\"c \"\"7\"\" <b>\"")[1], described[10]);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_one() {
    let shop = planted::shop();
    assert_eq!(shop.error("DESCRIBE oders"), "there is no table `oders`; did you mean `orders`?");
    assert_eq!(shop.error("DESCRIBE orders.totl"), "there is no column `totl` in `orders`; did you mean `total`?");
}

#[test]
fn before_the_first_load_there_is_nothing_to_describe() {
    let shop = Shop::empty();
    let refused = Session::new(shop.bench(), None).err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("there is no data yet; load some with `muster load`"));
}
