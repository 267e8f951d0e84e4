//! `venn`, `overlap` and `compare` over a published shop: the counts that were built in, and the measures worked by hand.

use crate::world::{CATALOG, CUSTOMERS, Shop, input};

/// A shop with as many customers of each income as it says.
fn shop_of(incomes: &[(&str, usize)]) -> Shop {
    let shop = Shop::empty();
    let customers = incomes.iter().flat_map(|(income, count)| (0..*count).map(move |number| (income, number)));
    let rows: Vec<String> = customers.map(|(income, number)| format!("p{income}-{number} - NL {income} -")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.load_as(CATALOG, vec![input("profiles", CUSTOMERS, &rows)]);
    shop
}

/// How many customers are in a alone, b alone, a and b, c alone, a and c, b and c, all, and none of three segments.
const REGIONS: [(&str, usize); 8] =
    [("1", 4_001), ("2", 3_000), ("3", 1_800), ("4", 2_500), ("5", 1_234), ("6", 825), ("7", 500), ("0", 5_000)];

/// 18,860 customers whose income says in binary which segments they are in.
fn regions() -> Shop {
    let shop = shop_of(&REGIONS);
    shop.define("CREATE SEGMENT a AS WHERE income IN (1, 3, 5, 7)");
    shop.define("CREATE SEGMENT b AS WHERE income IN (2, 3, 6, 7)");
    shop.define("CREATE SEGMENT c AS WHERE income >= 4");
    shop
}

#[test]
fn the_regions_of_a_venn_are_those_that_were_built_in() {
    let shop = regions();
    assert_eq!(REGIONS.iter().map(|(_, count)| count).sum::<usize>(), 18_860);
    assert_eq!(
        shop.rows("SELECT * FROM venn('a', 'b', 'c') ORDER BY profiles DESC"),
        [
            "a | b | c | profiles",
            "true | false | false | 4001",
            "false | true | false | 3000",
            "false | false | true | 2500",
            "true | true | false | 1800",
            "true | false | true | 1234",
            "false | true | true | 825",
            "true | true | true | 500",
        ]
    );
    let some = "SELECT sum(v.profiles) AS n FROM venn('a', 'b', 'c') AS v WHERE v.a AND NOT v.b AND profiles > 2000";
    assert_eq!(shop.rows(some), ["n", "4001"]);
}

#[test]
fn an_overlap_has_each_pair_both_ways_and_each_segment_itself() {
    let shop = regions();
    shop.define("CREATE SEGMENT nobody AS WHERE income > 100");
    assert_eq!(
        shop.rows("SELECT * FROM overlap('a', 'b', 'c', 'nobody') WHERE segment_a <= segment_b ORDER BY 1, 2"),
        [
            "segment_a | segment_b | profiles",
            "a | a | 7535",
            "a | b | 2300",
            "a | c | 1734",
            "a | nobody | 0",
            "b | b | 6125",
            "b | c | 1325",
            "b | nobody | 0",
            "c | c | 5059",
            "c | nobody | 0",
            "nobody | nobody | 0",
        ]
    );
    let asymmetric = "SELECT count(*) AS n FROM overlap('a', 'b', 'c', 'nobody') AS one
        JOIN overlap('a', 'b', 'c', 'nobody') AS other
        ON one.segment_a = other.segment_b AND one.segment_b = other.segment_a AND one.profiles = other.profiles";
    assert_eq!(shop.rows(asymmetric), ["n", "16"]);
}

/// Each segment is of those whose number it divides.
#[test]
fn forty_segments_overlap_as_their_numbers_say() {
    let shop = Shop::empty();
    let rows: Vec<String> = (1..=2_000).map(|number| format!("p{number} - NL {number} -")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.load_as(CATALOG, vec![input("profiles", CUSTOMERS, &rows)]);
    let define = |number: usize| format!("CREATE SEGMENT s{number} AS WHERE income % {number} = 0");
    let texts: Vec<String> = (1..=40).map(define).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    shop.session().define_all(crate::world::definitions(&texts), false).unwrap();
    let names: Vec<String> = (1..=40).map(|number| format!("'s{number}'")).collect();
    let overlap = format!("SELECT * FROM overlap({})", names.join(", "));
    let rows = shop.rows(&overlap);
    assert_eq!(rows.len(), 1 + 1_600);
    for row in &rows[1..] {
        let cells: Vec<&str> = row.split(" | ").collect();
        let number = |cell: &str| cell.trim_start_matches('s').parse::<u64>().unwrap();
        let (one, other) = (number(cells[0]), number(cells[1]));
        let both = (1..=2_000).filter(|profile| profile % one == 0 && profile % other == 0).count() as u64;
        assert_eq!(number(cells[2]), both, "{row}");
    }
}

/// Of 1,000 customers 300 opened nothing, and of the 200 who left 120: the figures of the page on scores.
#[test]
fn a_comparison_measures_as_the_scores_do() {
    let shop = shop_of(&[("1", 120), ("2", 80), ("3", 180), ("4", 620), ("9", 77)]);
    shop.define("CREATE SEGMENT base AS WHERE income < 5");
    shop.define("CREATE SEGMENT leavers AS WHERE income < 3 OR income = 9");
    let measures = "SELECT \"column\", category, segment_profiles, base_profiles, segment_share, base_share,
            round(index, 6) AS index, round(z, 3) AS z, round(woe, 6) AS woe
        FROM compare('leavers', 'base', income IN (1, 3)) ORDER BY category DESC";
    assert_eq!(
        shop.rows(measures),
        [
            "column | category | segment_profiles | base_profiles | segment_share | base_share | index | z | woe",
            "income IN (1, 3) | true | 120 | 300 | 0.6 | 0.3 | 200.0 | 8.66 | 0.978475",
            "income IN (1, 3) | false | 80 | 700 | 0.4 | 0.7 | 57.142857 | -5.669 | -0.659712",
        ]
    );
}

#[test]
fn categories_are_values_of_each_column_and_an_empty_cell_has_a_finite_weight() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT everybody AS WHERE TRUE");
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    let compared = "SELECT \"column\", category, segment_profiles, base_profiles, index, woe IS NULL AS weightless
        FROM compare('dutch', 'everybody', country, stores.city, count(orders)) ORDER BY 1, 2";
    assert_eq!(
        shop.rows(compared),
        [
            "column | category | segment_profiles | base_profiles | index | weightless",
            "count(orders) | 0 | 0 | 1 | 0.0 | false",
            "count(orders) | 1 | 1 | 2 | 100.0 | false",
            "count(orders) | 2 | 1 | 1 | 200.0 | false",
            "country | BE | 0 | 1 | 0.0 | false",
            "country | NL | 2 | 2 | 200.0 | false",
            "country | - | 0 | 1 | 0.0 | false",
            "stores.city | Delft | 1 | 2 | 100.0 | false",
            "stores.city | Gent | 0 | 1 | 0.0 | false",
            "stores.city | - | 1 | 1 | 200.0 | false",
        ]
    );
    let whole = "SELECT z, segment_share FROM compare('everybody', 'everybody', country) WHERE category = 'NL'";
    assert_eq!(shop.rows(whole), ["z | segment_share", "- | 0.5"]);
    let none = "SELECT segment_share, index FROM compare('nobody', 'dutch', country)";
    shop.define("CREATE SEGMENT nobody AS WHERE income > 100");
    assert_eq!(shop.rows(none), ["segment_share | index", "- | -"]);
}

#[test]
fn they_look_at_the_world_as_of_the_querys_instant() {
    let shop = Shop::open();
    shop.define("CREATE SEGMENT buyers AS WHERE has(orders)");
    shop.define("CREATE SEGMENT dutch AS WHERE country = 'NL'");
    let count = "SELECT sum(profiles) AS n FROM venn('buyers', 'dutch') WHERE buyers";
    assert_eq!(shop.rows(count), ["n", "3"]);
    assert_eq!(shop.rows(&format!("AS OF '2025-02-01' {count}")), ["n", "1"]);
}
