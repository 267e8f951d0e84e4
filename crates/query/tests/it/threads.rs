//! The same rows, however many threads share the work, over tables of more than one block.

use muster_query::Limits;

use crate::world::{Files, World, limits};

/// More profiles than a block holds, each with an order.
fn two_blocks(threads: usize) -> World {
    let customer =
        |n: usize| format!("c{n:05} 2024-01-01T00:00:00Z {} - {n}.25 {} 0.1", ["NL", "BE", "DE"][n % 3], n % 7);
    let order = |n: usize| format!("o{n:05} c{n:05} 2025-01-01T00:00:00Z {n}.10");
    World::within(
        Limits { threads, ..limits() },
        &Files {
            customers: (0..70_000).map(customer).collect(),
            orders: (0..70_000).map(order).collect(),
            ..Files::default()
        },
    )
}

const QUERIES: [&str; 6] = [
    "SELECT id FROM profiles ORDER BY id LIMIT 5",
    "SELECT id FROM profiles LIMIT 5",
    "SELECT country, children, count(*) AS n, sum(income) AS s FROM profiles GROUP BY country, children ORDER BY country, children",
    "SELECT id, sum(orders.total) AS s FROM profiles ORDER BY s DESC LIMIT 5",
    "SELECT country, sum(children) AS s FROM profiles GROUP BY country ORDER BY country",
    "SELECT sum(total) AS s, count(DISTINCT customer) AS n FROM orders",
];

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let (one, four) = (two_blocks(1), two_blocks(4));
    for query in QUERIES {
        assert_eq!(one.answer(query), four.answer(query), "{query}");
    }
    let condition = "children = 3 AND sum(orders.total) > 60000 OR id IN ('c00001', 'c69999')";
    assert_eq!(one.members(condition), four.members(condition));
    assert_eq!(one.members("id >= 'c65535' AND id < 'c65538'"), [65_535, 65_536, 65_537]);
}
