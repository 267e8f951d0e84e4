//! Every condition is TRUE, FALSE or NULL for each row: the three counts add up to all of them.

use crate::planted;

/// Conditions over profiles of the planted shop, of which each is NULL for somebody where it can be.
const CONDITIONS: [&str; 24] = [
    "country = 'NL'",
    "country <> 'NL'",
    "country IN ('NL', 'BE')",
    "country NOT IN ('NL', 'BE')",
    "country IN ('NL', NULL)",
    "country NOT IN ('NL', NULL)",
    "country LIKE 'N%'",
    "income BETWEEN 10 AND 20",
    "income NOT BETWEEN 10 AND 20",
    "NOT (country = 'NL' AND income > 10)",
    "country = 'NL' OR income > 10",
    "country IS DISTINCT FROM 'NL'",
    "mobile = '31' AND email LIKE '%@x.example'",
    "array_has(interests, 'sofas')",
    "has(orders)",
    "count(orders) FILTER (WHERE paid) > 1",
    "max(orders.total) > 5",
    "min(orders.placed_at) < now() - INTERVAL '1 year'",
    "every(orders.paid)",
    "last(orders.expected) < today()",
    "sum(orders.total) / count(visits) > 1",
    "first(visits.page) = 'home'",
    "CASE WHEN income > 15 THEN country = 'NL' END",
    "NULL",
];

#[test]
fn true_false_and_null_add_up_to_all_rows() {
    let shop = planted::shop();
    let mut with_null = 0;
    for condition in CONDITIONS {
        let query = format!(
            "SELECT count(*) FILTER (WHERE {condition}) AS yes, count(*) FILTER (WHERE NOT ({condition})) AS no,
                    count(*) FILTER (WHERE ({condition}) IS NULL) AS unknown, count(*) AS n FROM profiles"
        );
        let counts: Vec<u64> = shop.rows(&query)[1].split(" | ").map(|count| count.parse().unwrap()).collect();
        assert_eq!(counts[0] + counts[1] + counts[2], counts[3], "{condition}: {counts:?}");
        with_null += usize::from(counts[2] > 0);
    }
    assert!(with_null >= CONDITIONS.len() / 2, "only {with_null} conditions are NULL for somebody");
}

#[test]
fn the_waterfall_of_a_condition_and_of_its_opposite_leave_out_who_has_no_answer() {
    let shop = planted::shop();
    for condition in CONDITIONS {
        let members = |text: String| shop.define(&format!("CREATE OR REPLACE SEGMENT s AS WHERE {text}")).rows;
        let (yes, no) = (members(condition.to_owned()), members(format!("NOT ({condition})")));
        let unknown = members(format!("({condition}) IS NULL"));
        assert!(yes.and(&no).is_empty() && yes.and(&unknown).is_empty() && no.and(&unknown).is_empty(), "{condition}");
        assert_eq!(yes.len() + no.len() + unknown.len(), 5, "{condition}");
    }
}
