//! Questions: whole queries over one grain, a part of them as of another instant.

use muster_catalog::Timestamp;

use super::chance::Chance;
use super::functions::GROUP_AGGREGATES;
use super::mix::Mix;
use super::sight::{Kind, Sight};
use super::writing::Writing;
use crate::world::World;

/// A query, and what is known of it.
#[derive(Debug)]
pub struct Question {
    /// The query.
    pub text: String,
    /// The instant of `AS OF`, by its place among those that may be asked for; none: the present.
    pub instant: Option<usize>,
    /// Whether the order of the answer's rows is said.
    pub is_ordered: bool,
    /// What is in it.
    pub mix: Mix,
}

/// How many times out of a hundred a question is as of another instant.
const AS_OF: usize = 22;

/// The question of this number, in a world of which one may ask as of these instants.
pub fn question(world: &World, instants: &[Timestamp], numbers: &[u64]) -> Question {
    let mut chance = Chance::of(numbers);
    let instant = chance.percent(AS_OF).then(|| chance.below(instants.len()));
    let grains = [(14, "profiles"), (3, "orders"), (2, "order_lines"), (3, "carts"), (2, "mails"), (2, "returns")];
    let grain = *chance.weighted(&grains);
    let name = chance.percent(15).then_some("g");
    let mut writing = Writing::new(world, instants, chance, Sight::of_grain(&world.catalog, grain, name));
    let from = name.map_or(grain.to_owned(), |name| format!("{grain} {name}"));
    let (query, is_ordered) = match *writing.chance.weighted(&[(10, 0), (6, 1), (3, 2), (1, 3)]) {
        0 => (members(&mut writing, &from), false),
        1 => values(&mut writing, &from),
        2 => (groups(&mut writing, &from), false),
        _ => (ranked(&mut writing, &from), false),
    };
    let mut mix = writing.mix;
    let text = match instant.map(|place| instants[place]) {
        Some(instant) => {
            mix.has("as of");
            format!("AS OF '{instant}' {query}")
        }
        None => query,
    };
    Question { text, instant, is_ordered, mix }
}

/// What tells the rows of the grain apart.
fn identity(writing: &Writing<'_>) -> Option<String> {
    writing.sight.table().key.clone()
}

/// Whom a condition holds.
fn members(writing: &mut Writing<'_>, from: &str) -> String {
    let shown = identity(writing).unwrap_or_else(|| "count(*)".to_owned());
    let condition = writing.condition(3);
    writing.mix.has("members");
    format!("SELECT {shown} AS c1 FROM {from} WHERE {condition}")
}

const SHOWN: [Kind; 7] = [Kind::Bool, Kind::Int, Kind::Decimal, Kind::Double, Kind::Text, Kind::Date, Kind::Instant];

/// Values of each row; some with an order and a limit.
fn values(writing: &mut Writing<'_>, from: &str) -> (String, bool) {
    writing.mix.has("values");
    let mut shown: Vec<String> = identity(writing).into_iter().collect();
    let mut sortable: Vec<usize> = (1..=shown.len()).collect();
    for _ in 0..2 {
        let kind = *writing.chance.pick(&SHOWN);
        // Doubles agree to nine digits, so they do not say which row comes first.
        sortable.extend((kind != Kind::Double).then_some(shown.len() + 1));
        let aggregate = if writing.chance.percent(65) { writing.aggregate_of(kind, 2) } else { None };
        shown.push(aggregate.unwrap_or_else(|| writing.value(kind, 2)));
    }
    let condition = if writing.chance.percent(30) { format!(" WHERE {}", writing.condition(2)) } else { String::new() };
    let shown: Vec<String> =
        shown.iter().enumerate().map(|(place, value)| format!("{value} AS c{}", place + 1)).collect();
    let order = if writing.chance.percent(35) { top(writing, &sortable) } else { String::new() };
    let is_ordered = !order.is_empty();
    (format!("SELECT {} FROM {from}{condition}{order}", shown.join(", ")), is_ordered)
}

/// ORDER BY and LIMIT.
fn top(writing: &mut Writing<'_>, sortable: &[usize]) -> String {
    writing.mix.has("top");
    let by = if !sortable.is_empty() && writing.chance.percent(60) {
        format!("c{}", writing.chance.pick(sortable))
    } else {
        let kind = *writing.chance.pick(&[Kind::Int, Kind::Decimal, Kind::Text, Kind::Instant]);
        writing.value(kind, 1)
    };
    let by = if by.chars().all(|letter| letter.is_ascii_digit()) { "1".to_owned() } else { by };
    let way = *writing.chance.pick(&["", " DESC", " DESC NULLS FIRST", " NULLS FIRST", " DESC"]);
    let offset = if writing.chance.percent(20) { " OFFSET 2" } else { "" };
    format!(" ORDER BY {by}{way} LIMIT {}{offset}", writing.chance.between(3, 25))
}

/// Groups, by columns or by history.
fn groups(writing: &mut Writing<'_>, from: &str) -> String {
    writing.mix.has("groups");
    let kind = *writing.chance.pick(&[Kind::Text, Kind::Int, Kind::Bool, Kind::Date]);
    let key = match writing.chance.percent(50) {
        true => writing.aggregate_of(kind, 1).unwrap_or_else(|| writing.value(kind, 1)),
        false => writing.value(kind, 1),
    };
    let mut shown = vec![format!("{key} AS c1"), "count(*) AS c2".to_owned()];
    for place in 3..=4 {
        let (name, kind) = *writing.chance.pick(GROUP_AGGREGATES);
        let argument = match writing.chance.percent(55) {
            true => writing.aggregate_of(kind, 1).unwrap_or_else(|| writing.value(kind, 1)),
            false => writing.value(kind, 0),
        };
        let filter = if writing.chance.percent(30) {
            format!(" FILTER (WHERE {})", writing.condition(1))
        } else {
            String::new()
        };
        writing.mix.calls(&format!("{name} of a group"));
        shown.push(format!("{name}({argument}){filter} AS c{place}"));
    }
    let condition = if writing.chance.percent(30) { format!(" WHERE {}", writing.condition(2)) } else { String::new() };
    let having = if writing.chance.percent(25) { " HAVING count(*) > 3" } else { "" };
    format!("SELECT {} FROM {from}{condition} GROUP BY 1{having}", shown.join(", "))
}

/// The first of each part.
fn ranked(writing: &mut Writing<'_>, from: &str) -> String {
    writing.mix.has("ranked");
    let shown = identity(writing).unwrap_or_else(|| "count(*)".to_owned());
    if shown == "count(*)" {
        return members(writing, from);
    }
    let part = writing.value(Kind::Text, 1);
    let kind = *writing.chance.pick(&[Kind::Int, Kind::Decimal, Kind::Instant]);
    let by = writing.aggregate_of(kind, 1).unwrap_or_else(|| writing.value(kind, 1));
    let function = *writing.chance.pick(&["rank", "dense_rank"]);
    writing.mix.calls(function);
    let window = format!("{function}() OVER (PARTITION BY {part} ORDER BY {by} DESC)");
    format!("SELECT {shown} AS c1, {window} AS c2 FROM {from} QUALIFY {window} <= {}", writing.chance.between(1, 3))
}
