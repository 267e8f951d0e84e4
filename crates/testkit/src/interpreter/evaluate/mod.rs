//! From meaning to rows: every expression for every row, by walking all rows each time.
//!
//! The only thing that is remembered is the world as of an instant and the rows of a segment in it.

mod aggregates;
mod arithmetic;
mod calendar;
mod casts;
mod chance;
mod conditions;
mod history;
mod past;
mod scalars;
mod select;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use chrono_tz::Tz;

use super::error::{Error, Kind, Result};
use super::meaning::{Expr, Place, Select};
use crate::world::{Value, World};
use past::Past;
pub(super) use past::Row;

/// The rows of a query as of an instant.
pub(super) fn rows(worlds: &Worlds<'_>, query: &Select, micros: i64) -> Result<Vec<Vec<Value>>> {
    worlds.windows.borrow_mut().clear();
    let past = worlds.as_of(micros);
    select::answer(worlds, &past, query)
}

/// The keys of the rows of a segment as of an instant, in the order of the answer.
pub(super) fn keys(world: &World, query: &Select, micros: i64) -> Result<Vec<Vec<Value>>> {
    let worlds = Worlds::new(world);
    let past = worlds.as_of(micros);
    let rows = select::rows(&worlds, &past, query)?;
    Ok(rows.into_iter().map(|row| past.key(row)).collect())
}

/// The rows of a segment as of an instant.
type Members = Rc<Vec<Row>>;

/// The world at the instants that a query speaks of, and the segments in it.
pub(super) struct Worlds<'w> {
    world: &'w World,
    pasts: RefCell<BTreeMap<i64, Rc<Past<'w>>>>,
    segments: RefCell<BTreeMap<(i64, String), Members>>,
    /// The places of the rows of the answer, by where its query's windows stand in memory; of one query at a time.
    windows: RefCell<BTreeMap<usize, HashMap<Row, i64>>>,
}

impl<'w> Worlds<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world, pasts: RefCell::default(), segments: RefCell::default(), windows: RefCell::default() }
    }

    fn as_of(&self, micros: i64) -> Rc<Past<'w>> {
        let known = self.pasts.borrow().get(&micros).cloned();
        known.unwrap_or_else(|| {
            let past = Rc::new(Past::new(self.world, micros));
            self.pasts.borrow_mut().insert(micros, Rc::clone(&past));
            past
        })
    }

    /// "The definition evaluated on the same snapshot and as-of instant as the query" (section 1).
    fn members(&self, name: &str, definition: &Select, past: &Past<'w>) -> Result<Members> {
        let at = (past.micros, name.to_owned());
        if let Some(known) = self.segments.borrow().get(&at) {
            return Ok(Rc::clone(known));
        }
        let members = Rc::new(select::rows(self, past, definition)?);
        self.segments.borrow_mut().insert(at, Rc::clone(&members));
        Ok(members)
    }
}

/// What an expression sees: the world as of an instant, the current and enclosing rows, and its group.
#[derive(Clone)]
struct Sight<'a, 'w> {
    worlds: &'a Worlds<'w>,
    past: &'a Past<'w>,
    /// The grain's row first, the innermost last.
    rows: Vec<Row>,
    group: Option<&'a Group>,
    /// The rows of the answer, for windows.
    answer: &'a [Row],
}

/// Rows with the same keys.
struct Group {
    keys: Vec<Value>,
    rows: Vec<Row>,
}

impl<'a, 'w> Sight<'a, 'w> {
    fn of_row(worlds: &'a Worlds<'w>, past: &'a Past<'w>, row: Row) -> Self {
        Self { worlds, past, rows: vec![row], group: None, answer: &[] }
    }

    fn zone(&self) -> Tz {
        self.past.zone()
    }

    /// The same with one more row inside.
    fn inside(&self, row: Row) -> Self {
        let mut inside = self.clone();
        inside.rows.push(row);
        inside
    }

    /// The row at a place; `None` where a lookup has no row with the key.
    fn row(&self, place: &Place) -> Option<Row> {
        match place {
            Place::Row { scope, table } => self.past.ancestor(self.rows[*scope], *table),
            Place::Lookup { from, column, table } => {
                let key = self.past.field(self.row(from)?, *column);
                self.past.row_of_key(*table, std::slice::from_ref(key))
            }
        }
    }

    /// The profile of the innermost row.
    fn profile(&self) -> Result<Row> {
        let innermost = *self.rows.last().expect("an expression stands in a row");
        let owner = self.past.profile(innermost);
        owner.ok_or_else(|| Error::nowhere(Kind::Grain, "the row belongs to no profile"))
    }

    /// Whether a condition is TRUE; NULL is not.
    fn holds(&self, condition: Option<&Expr>) -> Result<bool> {
        condition.map_or(Ok(true), |condition| conditions::is_true(&self.value(condition)?))
    }

    fn value(&self, expr: &Expr) -> Result<Value> {
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::Column { place, column } => {
                Ok(self.row(place).map_or(Value::Null, |row| self.past.field(row, *column).clone()))
            }
            Expr::Not(inner) => conditions::not(self.value(inner)?),
            Expr::And(a, b) => conditions::and(&self.value(a)?, &self.value(b)?),
            Expr::Or(a, b) => conditions::or(&self.value(a)?, &self.value(b)?),
            Expr::Compare(how, a, b) => conditions::compare(*how, &self.value(a)?, &self.value(b)?, self.zone()),
            Expr::Distinct(a, b) => conditions::distinct(&self.value(a)?, &self.value(b)?, self.zone()),
            Expr::Is(inner, value) => Ok(Value::Bool(self.value(inner)? == *value)),
            Expr::In(inner, list) => {
                let list = list.iter().map(|item| self.value(item)).collect::<Result<Vec<Value>>>()?;
                conditions::is_in(&self.value(inner)?, &list, self.zone())
            }
            Expr::Like { text, pattern, escape, any_case } => {
                conditions::like(&self.value(text)?, &self.value(pattern)?, *escape, *any_case)
            }
            Expr::Negate(inner) => arithmetic::negated(self.value(inner)?),
            Expr::Arithmetic(how, a, b) => arithmetic::result(*how, &self.value(a)?, &self.value(b)?, self.zone()),
            Expr::Case { arms, otherwise } => self.case(arms, otherwise),
            Expr::Cast(inner, to) => casts::cast(&self.value(inner)?, *to, self.zone()),
            Expr::Call { function, arguments } => {
                let arguments =
                    arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<Value>>>()?;
                scalars::call(self.past, function, &arguments)
            }
            Expr::Aggregate(aggregate) => self.history_aggregate(aggregate),
            Expr::Sequence(sequence) => self.sequence(sequence),
            Expr::Segment { definition, name, place } => {
                let members = self.worlds.members(name, definition, self.past)?;
                Ok(Value::Bool(self.row(place).is_some_and(|row| members.contains(&row))))
            }
            Expr::Listed { list } => {
                let key = self.past.key(self.profile()?);
                Ok(Value::Bool(self.past.row_of_key(*list, &key).is_some()))
            }
            Expr::OfProfile(inner) => Sight::of_row(self.worlds, self.past, self.profile()?).value(inner),
            Expr::IsDouble(value) => self.is_double(value),
            Expr::IsFirstOf(value) => self.is_first_of(value),
            Expr::Was { condition, instant } => self.was(condition, instant),
            Expr::Sample { fraction, seed, unit } => self.sample(fraction, seed, unit.as_deref()),
            Expr::Bucket { count, seed, unit } => self.bucket(*count, seed, unit.as_deref()),
            Expr::Key(place) => Ok(self.group.map_or(Value::Null, |group| group.keys[*place].clone())),
            Expr::Group(aggregate) => self.group_aggregate(aggregate),
            Expr::Window(window) => self.window(window),
        }
    }

    fn case(&self, arms: &[(Expr, Expr)], otherwise: &Expr) -> Result<Value> {
        for (condition, result) in arms {
            if self.holds(Some(condition))? {
                return self.value(result);
            }
        }
        self.value(otherwise)
    }

    /// "Whether the condition held for the row at that instant, with the fields and the `now()` of then": a condition that
    /// is NULL did not hold, and "FALSE where the row was not there".
    fn was(&self, condition: &Expr, instant: &Expr) -> Result<Value> {
        let instant = casts::cast(&self.value(instant)?, super::meaning::CastTo::Instant, self.zone())?;
        let Value::Instant(micros) = instant else {
            return Err(Error::nowhere(Kind::Arguments, "was() takes an instant, and this is none"));
        };
        let past = self.worlds.as_of(micros);
        let row = *self.rows.last().expect("an expression stands in a row");
        let held = past.is_visible(row) && Sight::of_row(self.worlds, &past, row).holds(Some(condition))?;
        Ok(Value::Bool(held))
    }
}
