//! The answer to a query: which rows, in groups or alone, in which order.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::past::Past;
use super::{Group, Row, Sight, Worlds};
use crate::interpreter::error::Result;
use crate::interpreter::meaning::{Expr, Grouping, OrderKey, Ranking, Select, Window};
use crate::world::Value;

/// The rows of the grain that a query without groups selects, in its order: "ORDER BY and LIMIT give top-N (NULLS LAST,
/// then key)".
pub(super) fn rows<'w>(worlds: &Worlds<'w>, past: &Past<'w>, query: &Select) -> Result<Vec<Row>> {
    let found = found(worlds, past, query)?;
    let sights: Vec<Sight> = found.iter().map(|row| of_answer(worlds, past, *row, &found)).collect();
    let sights = shown(sights, query.qualify.as_ref())?;
    let sights = in_order(sights, &query.order)?;
    let rows = sights.into_iter().map(|sight| sight.rows[0]);
    Ok(limited(rows.collect(), query))
}

/// The values that a query shows.
pub(super) fn answer<'w>(worlds: &Worlds<'w>, past: &Past<'w>, query: &Select) -> Result<Vec<Vec<Value>>> {
    let found = found(worlds, past, query)?;
    let groups = query.grouping.as_ref().map(|grouping| groups(worlds, past, grouping, &found)).transpose()?;
    let sights: Vec<Sight> = match &groups {
        None => found.iter().map(|row| of_answer(worlds, past, *row, &found)).collect(),
        Some(groups) => groups.iter().map(|group| of_group(worlds, past, group)).collect(),
    };
    let having = query.grouping.as_ref().and_then(|grouping| grouping.having.as_ref());
    let sights = shown(shown(sights, having)?, query.qualify.as_ref())?;
    let sights = in_order(sights, &query.order)?;
    let mut answer = Vec::new();
    for sight in &sights {
        let row = query.output.iter().map(|(_, expr)| sight.value(expr)).collect::<Result<Vec<Value>>>()?;
        if !query.distinct || !answer.iter().any(|other: &Vec<Value>| is_same(other, &row)) {
            answer.push(row);
        }
    }
    Ok(limited(answer, query))
}

/// The rows for which WHERE is TRUE, by profile key, then in row order.
fn found<'w>(worlds: &Worlds<'w>, past: &Past<'w>, query: &Select) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for row in past.rows(query.grain) {
        if Sight::of_row(worlds, past, row).holds(query.condition.as_ref())? {
            found.push(row);
        }
    }
    Ok(found)
}

fn of_answer<'a, 'w>(worlds: &'a Worlds<'w>, past: &'a Past<'w>, row: Row, answer: &'a [Row]) -> Sight<'a, 'w> {
    Sight { answer, ..Sight::of_row(worlds, past, row) }
}

/// Over a group an expression sees no row, only keys and aggregates.
fn of_group<'a, 'w>(worlds: &'a Worlds<'w>, past: &'a Past<'w>, group: &'a Group) -> Sight<'a, 'w> {
    Sight { worlds, past, rows: Vec::new(), group: Some(group), answer: &[] }
}

/// Rows with the same keys, NULL being a value; without keys all rows, and if there are none.
fn groups<'w>(worlds: &Worlds<'w>, past: &Past<'w>, grouping: &Grouping, rows: &[Row]) -> Result<Vec<Group>> {
    if grouping.keys.is_empty() {
        return Ok(vec![Group { keys: Vec::new(), rows: rows.to_vec() }]);
    }
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let sight = Sight::of_row(worlds, past, *row);
        let keys = grouping.keys.iter().map(|key| sight.value(key)).collect::<Result<Vec<Value>>>()?;
        match groups.iter_mut().find(|group| is_same(&group.keys, &keys)) {
            Some(group) => group.rows.push(*row),
            None => groups.push(Group { keys, rows: vec![*row] }),
        }
    }
    Ok(groups)
}

fn is_same(a: &[Value], b: &[Value]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.order(b).is_eq())
}

fn shown<'a, 'w>(sights: Vec<Sight<'a, 'w>>, condition: Option<&Expr>) -> Result<Vec<Sight<'a, 'w>>> {
    let mut shown = Vec::new();
    for sight in sights {
        if sight.holds(condition)? {
            shown.push(sight);
        }
    }
    Ok(shown)
}

/// Rows come by profile key and in row order, and the sort is stable: that breaks all ties.
fn in_order<'a, 'w>(sights: Vec<Sight<'a, 'w>>, order: &[OrderKey]) -> Result<Vec<Sight<'a, 'w>>> {
    let mut keyed = Vec::new();
    for sight in sights {
        keyed.push((keys(&sight, order)?, sight));
    }
    keyed.sort_by(|(a, _), (b, _)| compare(a, b, order));
    Ok(keyed.into_iter().map(|(_, sight)| sight).collect())
}

fn keys(sight: &Sight, order: &[OrderKey]) -> Result<Vec<Value>> {
    order.iter().map(|key| sight.value(&key.by)).collect()
}

/// "ORDER BY puts NULLs last unless written otherwise", also where it descends.
fn compare(a: &[Value], b: &[Value], order: &[OrderKey]) -> Ordering {
    let of_key = |((a, b), key): ((&Value, &Value), &OrderKey)| match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if key.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if key.nulls_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, false) => {
            if key.descending {
                b.order(a)
            } else {
                a.order(b)
            }
        }
    };
    a.iter().zip(b).zip(order).map(of_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn limited<T>(rows: Vec<T>, query: &Select) -> Vec<T> {
    rows.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect()
}

impl<'a, 'w> Sight<'a, 'w> {
    /// The place of the row among those of its partition.
    pub(super) fn window(&self, window: &Window) -> Result<Value> {
        let which = std::ptr::from_ref(window) as usize;
        if !self.worlds.windows.borrow().contains_key(&which) {
            let places = self.places(window)?;
            self.worlds.windows.borrow_mut().insert(which, places);
        }
        let windows = self.worlds.windows.borrow();
        Ok(windows[&which].get(&self.rows[0]).map_or(Value::Null, |place| Value::Int(*place)))
    }

    /// The places of all rows of the answer: by partition, then in the window's order, ties as they come.
    fn places(&self, window: &Window) -> Result<HashMap<Row, i64>> {
        let mut placed = Vec::new();
        for row in self.answer {
            let sight = Sight::of_row(self.worlds, self.past, *row);
            let partition = window.partition.iter().map(|key| sight.value(key)).collect::<Result<Vec<Value>>>()?;
            placed.push((partition, keys(&sight, &window.order)?, *row));
        }
        placed.sort_by(|(a, mine, _), (b, theirs, _)| parts(a, b).then_with(|| compare(mine, theirs, &window.order)));
        let mut places = HashMap::new();
        let (mut place, mut behind) = (0, 0);
        for (number, (partition, by, row)) in placed.iter().enumerate() {
            let before = number.checked_sub(1).map(|before| &placed[before]);
            let before = before.filter(|(other, ..)| is_same(other, partition));
            let is_peer = before.is_some_and(|(_, other, _)| compare(other, by, &window.order).is_eq());
            behind = if before.is_some() { behind + 1 } else { 1 };
            place = match window.rank {
                _ if before.is_none() => 1,
                Ranking::RowNumber => behind,
                _ if is_peer => place,
                Ranking::Rank => behind,
                Ranking::Dense => place + 1,
            };
            places.insert(*row, place);
        }
        Ok(places)
    }
}

fn parts(a: &[Value], b: &[Value]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
