//! History aggregates: what is reduced, and how the rows of the grain find it. Which rows those are is [`super::level`]'s.

use muster_catalog::{ColumnType, Names};
use sqlparser::ast::{BinaryOperator, DuplicateTreatment, Expr, Function as Call, FunctionArguments, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::{argument_expressions, average, misplaced};
use super::enclosing::Range;
use super::inside::{Joined, joined};
use super::level::{Level, named_rows};
use super::reach::{Reach, insert_column};
use super::scope::Typed;
use crate::error::ErrorKind;
use crate::resolved::{Aggregate, Chosen, Function, GroupKey, History, Relation};
use crate::source::Fault;
use crate::sql;

/// A history aggregate whose inside is resolved.
pub(super) struct Inside<'a> {
    pub(super) reach: Box<Reach<'a>>,
    pub(super) argument: Option<Typed>,
    pub(super) filter: Option<Expr>,
    /// What the rows stand in order by, where the function depends on it.
    pub(super) order: Vec<Expr>,
}

impl<'a> Resolver<'a> {
    /// The call as a history aggregate; `None` if it mentions no history, so that it is one of the group.
    pub(super) fn history_aggregate(&mut self, call: &Call, name: &str, whole: &Expr) -> Result<Option<Typed>, Fault> {
        self.computed_once(whole, |once| once.new_history_aggregate(call, name, whole))
    }

    /// What is written as before has its value already: a history aggregate sees no names that the SELECT gives, so it means
    /// the same in each clause. A key of GROUP BY is known again by that, whatever is nested in it.
    pub(super) fn computed_once(
        &mut self,
        whole: &Expr,
        compute: impl FnOnce(&mut Self) -> Result<Option<Typed>, Fault>,
    ) -> Result<Option<Typed>, Fault> {
        let written = sql::written(whole);
        let known = self.scope().computed.get(&written).cloned();
        let Some(typed) = known.map_or_else(|| compute(self), |known| Ok(Some(known)))? else { return Ok(None) };
        self.scope().note_loose(whole.span(), whole.to_string(), true);
        self.scope().computed.insert(written, typed.clone());
        Ok(Some(typed))
    }

    fn new_history_aggregate(&mut self, call: &Call, name: &str, whole: &Expr) -> Result<Option<Typed>, Fault> {
        let Some(level) = self.level(call, name)? else {
            return if name == "has" { Err(self.has_without_table(call)) } else { Ok(None) };
        };
        let span = whole.span();
        self.refuse_place(call, name, span)?;
        refuse_shape(call, name, &level, span)?;
        self.refuse_other_levels(call, &level)?;
        let reduction = Reduction::of(call, name, span)?;
        let inside = self.inside_of(call, &level, &reduction)?;
        self.reduced(&reduction, &level, inside, span).map(Some)
    }

    fn refuse_place(&self, call: &Call, name: &str, span: Span) -> Result<(), Fault> {
        if call.over.is_some() {
            let message = format!("`{name}` over history has a value per row of the grain, so it takes no OVER");
            return Err(
                misplaced(span, message).hint("put it inside: sum(sum(…)) OVER (…), or into PARTITION BY or ORDER BY")
            );
        }
        Ok(())
    }

    /// Resolves argument and FILTER for a row of the level.
    fn inside_of(&mut self, call: &Call, level: &Level<'a>, reduction: &Reduction<'_>) -> Result<Inside<'a>, Fault> {
        let span = call.name.span();
        let ((argument, filter), mut reach) = self.inside(level, span, |inside| {
            let argument = argument_expressions(call).next().filter(|_| !level.rows);
            let argument = argument.map(|argument| inside.expression(argument)).transpose()?;
            let filter = call.filter.as_deref().map(|filter| inside.expression(filter)).transpose()?;
            Ok((argument, filter.map(|filter| filter.sql)))
        })?;
        let order = if reduction.place.is_some() { reach.row_order() } else { Vec::new() };
        let order = order.iter().map(|(alias, column)| sql::column(alias, column)).collect();
        Ok(Inside { reach, argument, filter, order })
    }

    /// Adds what is to be computed to the histories of the rows around; the expression that reads it.
    pub(super) fn reduced(
        &mut self,
        reduction: &Reduction<'_>,
        level: &Level<'a>,
        inside: Inside<'a>,
        span: Span,
    ) -> Result<Typed, Fault> {
        let Inside { reach, argument, filter, order } = inside;
        let holds = argument.as_ref().and_then(|argument| argument.holds);
        let argument = argument.map(|argument| argument.sql);
        let history = self.history(level, *reach, span)?;
        let mut computed = |function: Function, argument: Option<Expr>, filter: Option<Expr>| {
            let (distinct, order) = (reduction.distinct, order.clone());
            let aggregate = Aggregate { name: String::new(), function, distinct, argument, filter, order };
            let column = named(history, aggregate);
            sql::column(&history.name, &column)
        };
        if reduction.name == "every" {
            let condition = argument.unwrap_or_else(sql::falsehood);
            let count = |filter: Option<Expr>| counted(computed(Function::Count, None, filter));
            return Ok(Typed::new(every(&condition, filter, count), Some(ColumnType::Bool)));
        }
        let mut column = |function: Function| computed(function, argument.clone(), filter.clone());
        Ok(match (reduction.name, reduction.place) {
            (_, Some(place)) => Typed::new(column(Function::Nth(place)), holds),
            ("count", None) => Typed::new(counted(column(Function::Count)), Some(ColumnType::Int)),
            ("has", None) => {
                let has = sql::call("coalesce", [column(Function::Has), sql::falsehood()]);
                Typed::new(has, Some(ColumnType::Bool))
            }
            ("avg", None) => {
                Typed::new(average(column(Function::Sum), column(Function::Count)), Some(ColumnType::Float))
            }
            ("min", None) => Typed::new(column(Function::Min), holds),
            ("max", None) => Typed::new(column(Function::Max), holds),
            ("mode", None) => Typed::new(column(Function::Mode), holds),
            ("median", None) => Typed::unknown(column(Function::Median)),
            ("stddev", None) => Typed::new(column(Function::Stddev), Some(ColumnType::Float)),
            _ => Typed::new(column(Function::Sum), holds.filter(|holds| *holds == ColumnType::Int)),
        })
    }

    /// The history of a level in the rows around, made if it is not there.
    fn history(&mut self, level: &Level<'a>, reach: Reach<'a>, span: Span) -> Result<&mut History, Fault> {
        let names = self.names;
        let mut made = self.new_history(level, reach, span)?;
        let chosen = made.among.iter().flat_map(|chosen| chosen.rows.relations.iter().chain(&chosen.enclosing));
        let relations = made.rows.relations.iter().chain(&made.enclosing).chain(chosen);
        self.tables_used.extend(relations.map(|relation| relation.table.clone()));
        let known = self.rows_around(span)?.rows.histories.iter().position(|known| reduces_the_same(known, &made));
        if known.is_none() {
            if let Some(chosen) = &mut made.among {
                chosen.name = self.unique_name(&format!("chosen_{}", made.level));
            }
            made.name = self.unique_name(&made.level);
        }
        let histories = &mut self.rows_around(span)?.rows.histories;
        let index = known.unwrap_or(histories.len());
        match histories.get_mut(index) {
            Some(known) => absorb(known, made, names),
            None => histories.push(made),
        }
        Ok(&mut histories[index])
    }

    fn new_history(&mut self, level: &Level<'a>, mut reach: Reach<'a>, span: Span) -> Result<History, Fault> {
        let Range { of, shared } = level.range;
        let among = level.choice.as_ref().map(|choice| self.among(level, choice, &mut reach, span)).transpose()?;
        let shared_key = reach.key_of(shared);
        let around = self.rows_around(span)?;
        let Joined { relations: enclosing, mut keys, with_own } = joined(&mut reach, level.range, around);
        // The row that the level's rows belong to tells what they have in common.
        if !with_own {
            keys.insert(0, GroupKey { inner: shared_key, outer: around.key_of_frame(of, shared) });
        }
        let (level, shared) = (level.table.name.clone(), shared.name.clone());
        let (name, among) = (String::new(), among.map(Box::new));
        Ok(History { name, level, shared, rows: reach.rows, enclosing, among, keys, aggregates: Vec::new() })
    }
}

/// What becomes of the rows, as far as the call says it by itself.
pub(super) struct Reduction<'c> {
    pub(super) name: &'c str,
    pub(super) distinct: bool,
    /// Of `first`, `last` and `nth`: whose value it is.
    pub(super) place: Option<i64>,
}

impl<'c> Reduction<'c> {
    fn of(call: &Call, name: &'c str, span: Span) -> Result<Self, Fault> {
        let place = match name {
            "first" => Some(1),
            "last" => Some(-1),
            "nth" => Some(place(call, span)?),
            _ => None,
        };
        Ok(Self { name, distinct: is_distinct(call), place })
    }
}

/// The second argument of `nth`.
fn place(call: &Call, span: Span) -> Result<i64, Fault> {
    let fault = |message: &str| {
        Err(Fault::new(ErrorKind::Level, span, message).hint("nth(orders.total, 2), or -2 for the last but one"))
    };
    let Some(written) = argument_expressions(call).nth(1) else { return fault("`nth` needs a place") };
    match written.to_string().parse::<i64>() {
        Ok(0) => fault("`nth` counts from one, or from the end below zero"),
        Ok(place) => Ok(place),
        Err(_) => fault("`nth` takes a whole number that is written out"),
    }
}

/// No group is an empty one.
fn counted(count: Expr) -> Expr {
    sql::call("coalesce", [count, sql::number(0)])
}

/// FALSE if any row's condition is FALSE, else NULL if any is NULL, else TRUE; NULL without rows.
fn every(condition: &Expr, filter: Option<Expr>, mut count: impl FnMut(Option<Expr>) -> Expr) -> Expr {
    let among = |part: Expr| match filter.clone() {
        Some(filter) => sql::binary(sql::nested(filter), BinaryOperator::And, part),
        None => part,
    };
    let untrue = count(Some(among(sql::not(condition.clone()))));
    let unknown = count(Some(among(Expr::IsNull(Box::new(sql::nested(condition.clone()))))));
    let rows = count(filter.clone());
    let any = |count: Expr| sql::binary(count, BinaryOperator::Gt, sql::number(0));
    sql::cases([(any(untrue), sql::falsehood()), (any(unknown), sql::null()), (any(rows), sql::truth())])
}

/// Whether two histories range over the same rows for the same rows around, under the same names.
fn reduces_the_same(known: &History, made: &History) -> bool {
    let alias = |history: &History| history.rows.relations[0].alias.clone();
    let unnamed = |chosen: &Chosen| Chosen { name: String::new(), ..chosen.clone() };
    let among = |history: &History| history.among.as_deref().map(unnamed);
    known.level == made.level && known.keys == made.keys && alias(known) == alias(made) && among(known) == among(made)
}

/// The column of an aggregate, added to the history unless it computes the same already.
fn named(history: &mut History, aggregate: Aggregate) -> String {
    let unnamed = |known: &Aggregate| Aggregate { name: String::new(), ..known.clone() };
    if let Some(known) = history.aggregates.iter().find(|known| unnamed(known) == aggregate) {
        return known.name.clone();
    }
    let name = format!("{}_{}", aggregate.function.name(), history.aggregates.len() + 1);
    history.aggregates.push(Aggregate { name: name.clone(), ..aggregate });
    name
}

/// Adds what one history reaches to another that reduces the same; aliases mean the same in both.
fn absorb(history: &mut History, other: History, names: &Names) {
    for relation in other.rows.relations {
        absorb_relation(&mut history.rows.relations, relation, names);
    }
    for relation in other.enclosing {
        absorb_relation(&mut history.enclosing, relation, names);
    }
    history.rows.histories.extend(other.rows.histories);
    history.rows.asides.extend(other.rows.asides);
}

fn absorb_relation(relations: &mut Vec<Relation>, relation: Relation, names: &Names) {
    match relations.iter_mut().find(|known| known.alias == relation.alias) {
        Some(known) => absorb_columns(known, &relation.columns, names),
        None => relations.push(relation),
    }
}

fn absorb_columns(relation: &mut Relation, columns: &[String], names: &Names) {
    let Some(table) = names.table(&relation.table) else { return };
    for column in columns {
        insert_column(&mut relation.columns, table, column);
    }
}

fn is_distinct(call: &Call) -> bool {
    matches!(&call.args, FunctionArguments::List(list) if list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
}

/// What a history aggregate looks like: one argument, DISTINCT or not, a FILTER or not.
fn refuse_shape(call: &Call, name: &str, level: &Level<'_>, span: Span) -> Result<(), Fault> {
    let FunctionArguments::List(list) = &call.args else { return Ok(()) };
    let table = &level.table.name;
    let fault = |message: String| Err(Fault::new(ErrorKind::Level, span, message));
    if !list.clauses.is_empty() || call.null_treatment.is_some() || !call.within_group.is_empty() {
        return fault(format!("`{name}` over history takes DISTINCT and FILTER only"));
    }
    let (values, named) = (argument_expressions(call).count(), usize::from(named_rows(call).is_some()));
    let wanted = if name == "nth" { 2 } else { 1 };
    if list.args.len() != values + named || values > wanted || values + named == 0 {
        let wanted = if name == "nth" { "a value and a place" } else { "one argument" };
        return fault(format!("`{name}` over history takes {wanted}"));
    }
    if is_distinct(call) && !["count", "sum", "avg"].contains(&name) {
        return fault(format!("`{name}` over history takes no DISTINCT"));
    }
    match (name, level.rows, is_distinct(call)) {
        ("count", true, true) => {
            fault(format!("`count(DISTINCT {table})`: its rows are distinct already; name a column"))
        }
        ("count" | "has", true, false) | ("count", false, _) => Ok(()),
        ("has", _, _) => fault(format!("`has` takes a table: has({table}) FILTER (WHERE …)")),
        (_, true, _) => fault(format!("`{name}` needs a value of each row of {table}: {name}({table}.…)")),
        (_, false, _) => Ok(()),
    }
}
