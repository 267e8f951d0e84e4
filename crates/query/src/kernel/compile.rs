//! From a resolved query to what the kernel computes: names become domains and fields, expressions become the engine's.
//!
//! What the kernel cannot do yet is said by [`NotHere`]; such a query runs as plain SQL.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast;
use muster_language::{
    self as language, Body, Function, GrainQuery, GroupKey, Overlap, Part, Relation, ResolvedQuery, Rows, flat,
};

use super::building::{Building, is_above, parent_of};
use super::nth::text_of_one;
use super::placed::{Input, Numbers, Placed, place};
use super::plan::{Aggregate, Chosen, Filter, History, Reduction, Scope, Source, Step, TUPLE};
use super::planner::{Planner, ROWS};
use crate::evaluation::Evaluation;

/// What tables of pairs of segments are called.
const OVERLAP: &str = "__overlap";

/// Why a query does not run in the kernel.
#[derive(Debug)]
pub(crate) enum NotHere {
    /// It has something that the kernel does not know.
    Shape(&'static str),
    /// It is to be asked of one profile and needs others.
    Others(&'static str),
    /// The engine refuses an expression; as plain SQL it says why.
    Engine(DataFusionError),
}

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(what) => write!(f, "{what} is for plain SQL"),
            Self::Others(why) => f.write_str(why),
            Self::Engine(error) => write!(f, "{error}"),
        }
    }
}

impl From<DataFusionError> for NotHere {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

/// A query of which the kernel does what it can.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// What is left to the engine, over the flat tables.
    pub(crate) statement: ast::Query,
    /// The flat tables, by name; that of the statement itself first, where it has one.
    pub(crate) tables: Vec<(String, Arc<CompiledRows>)>,
    /// The tables of pairs of segments, by name.
    pub(crate) overlaps: Vec<(String, Arc<CompiledOverlap>)>,
    /// Numbers for more expressions about them.
    pub(crate) numbers: Numbers,
}

impl Compiled {
    /// The rows of the statement itself, where no condition on them is left to the engine.
    pub(crate) fn all_rows(&self) -> Option<&Arc<CompiledRows>> {
        self.tables.first().map(|(_, rows)| rows).filter(|rows| rows.is_whole)
    }
}

/// The rows of one table that a SELECT ranges over: which of them, and what is read of each.
#[derive(Debug)]
pub(crate) struct CompiledRows {
    pub(super) scope: Scope,
    pub(super) conditions: Filter,
    /// Each field of the scope, for the rows of the answer; where no flat table is made of them, what is shown.
    pub(super) outputs: Vec<Placed>,
    /// The table above all others, whose rows are the profiles.
    pub(super) root: String,
    /// Whether the conditions are all that a row must meet.
    pub(crate) is_whole: bool,
}

/// Segments of which each two are to be compared.
#[derive(Debug)]
pub(crate) struct CompiledOverlap {
    /// The profiles.
    pub(super) profiles: Arc<CompiledRows>,
    /// The names of the segments.
    pub(super) segments: Vec<String>,
    /// Whether a profile is in each.
    pub(super) members: Vec<Placed>,
}

/// Compiles the SELECTs over the rows of one table that a query is, or has in it.
///
/// # Errors
/// If it is one and the kernel cannot do it, or if it has none that the kernel can do.
pub(crate) fn compile(
    query: &ResolvedQuery,
    evaluation: &Evaluation,
    context: &SessionContext,
) -> Result<Compiled, NotHere> {
    let planner = &Planner::new(context);
    let mut compiler = Compiler { evaluation, planner, numbers: Numbers::default(), histories: 0 };
    let mut tables = Vec::new();
    let mut statement = match &query.body {
        Body::Grain(grain) => compiler.table(grain, &mut tables)?,
        Body::Plain(plain) => plain.as_ref().clone(),
    };
    let mut overlaps = Vec::new();
    query.replace_parts(&mut statement, &mut |part| match part {
        Part::Rows(grain) => compiler.table(grain, &mut tables).ok(),
        Part::Overlap(overlap) => compiler.overlap(overlap, &mut overlaps).ok(),
    });
    if tables.is_empty() && overlaps.is_empty() {
        return Err(NotHere::Shape("a FROM without a grain"));
    }
    Ok(Compiled { statement, tables, overlaps, numbers: compiler.numbers })
}

/// Compiles a definition or a variable to be asked of one profile at a time.
///
/// # Errors
/// If it looks at more than one, or the kernel cannot do it.
pub(crate) fn compile_each(
    query: &ResolvedQuery,
    evaluation: &Evaluation,
    context: &SessionContext,
) -> Result<CompiledRows, NotHere> {
    let Body::Grain(grain) = &query.body else { return Err(NotHere::Others("its FROM is no table of people or rows")) };
    if !grain.answers_each_row() {
        return Err(NotHere::Others("what chooses (QUALIFY, LIMIT, DISTINCT) and groups compare them with others"));
    }
    let planner = &Planner::new(context);
    let mut compiler = Compiler { evaluation, planner, numbers: Numbers::default(), histories: 0 };
    let (building, conditions, left) = compiler.rows(grain)?;
    let shown = grain.shown();
    let reaches_beyond = |expr: &&ast::Expr| flat::reaches_beyond(expr, &BTreeSet::new());
    if !left.is_empty() || !grain.rows.asides.is_empty() || shown.iter().any(reaches_beyond) {
        return Err(NotHere::Others("a query inside, or a window, looks at others"));
    }
    let planned = building.plan(planner, shown.into_iter().cloned())?;
    let outputs = compiler.placed(&building.scope, &planned)?;
    let root = building.root_table().to_owned();
    Ok(CompiledRows { scope: building.scope, conditions, outputs, root, is_whole: true })
}

struct Compiler<'q> {
    evaluation: &'q Evaluation,
    planner: &'q Planner<'q>,
    numbers: Numbers,
    histories: usize,
}

impl<'q> Compiler<'q> {
    /// Compiles the rows of a SELECT into a flat table; what is left of the statement.
    fn table(
        &mut self,
        grain: &GrainQuery,
        tables: &mut Vec<(String, Arc<CompiledRows>)>,
    ) -> Result<ast::Query, NotHere> {
        let (building, conditions, left) = self.rows(grain)?;
        let outputs = building.outputs(&mut self.numbers)?;
        let name = format!("{ROWS}_{}", tables.len());
        let rest = grain.over(&name, left.iter().copied().cloned());
        let (is_whole, root) = (left.is_empty(), building.root_table().to_owned());
        tables.push((name, Arc::new(CompiledRows { scope: building.scope, conditions, outputs, root, is_whole })));
        Ok(rest)
    }

    /// What a SELECT ranges over, which rows of it, and the conditions that are left to the engine.
    fn rows<'g>(&mut self, grain: &'g GrainQuery) -> Result<(Building<'q>, Filter, Vec<&'g ast::Expr>), NotHere> {
        let building = self.scope(&grain.rows, &[], &BTreeSet::new())?;
        let asides = grain.rows.asides.iter().map(|aside| aside.name.as_str()).collect();
        let (left, own): (Vec<&ast::Expr>, Vec<&ast::Expr>) =
            grain.conditions().into_iter().partition(|condition| flat::reaches_beyond(condition, &asides));
        let planned = building.plan(self.planner, own.into_iter().cloned())?;
        let conditions = self.filter(&building.scope, &planned)?;
        Ok((building, conditions, left))
    }

    /// Compiles a table of pairs of segments; what reads it.
    fn overlap(
        &mut self,
        overlap: &Overlap,
        overlaps: &mut Vec<(String, Arc<CompiledOverlap>)>,
    ) -> Result<ast::Query, NotHere> {
        let (building, conditions, left) = self.rows(&overlap.members)?;
        if !left.is_empty() {
            return Err(NotHere::Shape("a condition beyond the profiles"));
        }
        let planned = building.plan(self.planner, overlap.members.shown().into_iter().cloned())?;
        let members = self.placed(&building.scope, &planned)?;
        let root = building.root_table().to_owned();
        let profiles = CompiledRows { scope: building.scope, conditions, outputs: Vec::new(), root, is_whole: true };
        let name = format!("{OVERLAP}_{}", overlaps.len());
        let rest = overlap.over(&name);
        let (profiles, segments) = (Arc::new(profiles), overlap.segments.clone());
        overlaps.push((name, Arc::new(CompiledOverlap { profiles, segments, members })));
        Ok(rest)
    }

    /// The scope of rows, beside which stand enclosing rows; those of `components` are components of its tuples.
    fn scope(
        &mut self,
        rows: &Rows,
        enclosing: &[Relation],
        components: &BTreeSet<&str>,
    ) -> Result<Building<'q>, NotHere> {
        let mut building = Building::of(&rows.relations[0], self.evaluation);
        rows.relations.iter().skip(1).try_for_each(|relation| building.relate(relation))?;
        building.enclose(enclosing, components)?;
        rows.relations.iter().chain(enclosing).try_for_each(|relation| building.add_columns(relation))?;
        for history in &rows.histories {
            self.history(&mut building, history)?;
        }
        building.scope.schema = building.schema();
        Ok(building)
    }

    fn history(&mut self, around: &mut Building<'q>, history: &language::History) -> Result<(), NotHere> {
        if !history.rows.asides.is_empty() {
            return Err(NotHere::Shape("a table beside the rows of a history"));
        }
        let is_beside = |alias: &str| history.enclosing.iter().any(|relation| relation.alias == alias);
        let (components, own): (Vec<&GroupKey>, Vec<&GroupKey>) =
            history.keys.iter().partition(|key| is_beside(&key.inner.0));
        let beside = components.iter().map(|key| around.row_of(&key.outer)).collect::<Result<Vec<_>, _>>()?;
        let names = components.iter().map(|key| key.inner.0.as_str()).collect();
        let mut inside = self.scope(&history.rows, &history.enclosing, &names)?;
        let of = match own.first() {
            Some(key) => around.row_of(&key.outer)?,
            None => {
                let (first, domain) = inside.entered_from(history)?;
                let component = components.iter().position(|key| key.inner.0 == first);
                let component = component.ok_or(NotHere::Shape("an enclosing row that is no component"))?;
                around.climb_to(beside[component], &domain)?
            }
        };
        let chosen = history.among.as_deref().map(|chosen| self.chosen(&mut inside, history, chosen)).transpose()?;
        let aggregates = self.aggregates(&inside, history)?;
        self.histories += 1;
        let (number, place) = (self.histories, around.scope.histories.len());
        let is_correlated = !beside.is_empty();
        for (index, (aggregate, written)) in aggregates.iter().zip(&history.aggregates).enumerate() {
            let mut source = Source::Reduced { history: place, aggregate: index };
            let mut domain = if is_correlated { TUPLE } else { of };
            if let (false, None, Some(texts)) = (is_correlated, &chosen, text_of_one(&inside.scope, aggregate)) {
                source = Source::Text;
                domain = around.reached(of, Step::OneText { history: place, aggregate: index }, texts);
            }
            around.add(flat::column(&history.name, &written.name), domain, source, aggregate.data_type.clone());
        }
        around.known.insert(history.name.clone());
        let (scope, shared) = (inside.scope, history.shared.clone());
        around.scope.histories.push(History { number, scope, shared, of, beside, chosen, aggregates });
        Ok(())
    }

    fn chosen(
        &mut self,
        inside: &mut Building<'q>,
        history: &language::History,
        chosen: &language::Chosen,
    ) -> Result<Chosen, NotHere> {
        if !chosen.rows.asides.is_empty() {
            return Err(NotHere::Shape("a table beside the rows of a history"));
        }
        let components = chosen.keys.iter().map(|key| key.inner.0.as_str()).collect();
        let building = self.scope(&chosen.rows, &chosen.enclosing, &components)?;
        let beside = chosen.keys.iter().map(|key| inside.component(&key.outer)).collect::<Result<_, _>>()?;
        let conditions: Vec<ast::Expr> = chosen.condition.iter().flat_map(flat::conjuncts).cloned().collect();
        let (count, order) = (conditions.len(), self.order_needed(history, &chosen.order));
        let planned = building.plan(self.planner, conditions.into_iter().chain(order))?;
        let condition = self.filter(&building.scope, &planned[..count])?;
        let order = self.placed(&building.scope, &planned[count..])?;
        let count = usize::try_from(chosen.count).unwrap_or(usize::MAX);
        Ok(Chosen { scope: building.scope, beside, condition, order, last: chosen.last, count })
    }

    fn aggregates(&mut self, inside: &Building<'q>, history: &language::History) -> Result<Vec<Aggregate>, NotHere> {
        let parts = history.aggregates.iter().map(|aggregate| {
            let filter: Vec<ast::Expr> = aggregate.filter.iter().flat_map(flat::conjuncts).cloned().collect();
            (aggregate.value(), filter, self.order_needed(history, &aggregate.order))
        });
        let parts: Vec<_> = parts.collect();
        let all = parts.iter().flat_map(|(value, filter, order)| value.iter().chain(filter).chain(order).cloned());
        let mut planned = inside.plan(self.planner, all)?.into_iter();
        let mut aggregates = Vec::with_capacity(parts.len());
        for (aggregate, (value, filter, order)) in history.aggregates.iter().zip(parts) {
            let value = value.and_then(|_| planned.next());
            let filter: Vec<_> = planned.by_ref().take(filter.len()).collect();
            let order: Vec<_> = planned.by_ref().take(order.len()).collect();
            aggregates.push(self.aggregate(&inside.scope, aggregate, value, &filter, &order)?);
        }
        Ok(aggregates)
    }

    fn aggregate(
        &mut self,
        scope: &Scope,
        aggregate: &language::Aggregate,
        value: Option<Arc<dyn PhysicalExpr>>,
        filter: &[Arc<dyn PhysicalExpr>],
        order: &[Arc<dyn PhysicalExpr>],
    ) -> Result<Aggregate, NotHere> {
        let value = value.map(|value| widened(value, scope, aggregate.function)).transpose()?;
        let held = value.as_ref().map(|value| value.data_type(&scope.schema)).transpose()?;
        let reduction = self.reduction(aggregate, held.as_ref())?;
        let data_type = match (&reduction, held) {
            (Reduction::Count, _) => DataType::Int64,
            (Reduction::Has, _) => DataType::Boolean,
            (Reduction::Engine { engines, .. }, _) => engines.field().data_type().clone(),
            (Reduction::Nth(_), held) => held.ok_or(NotHere::Shape("the n-th of nothing"))?,
        };
        let argument = value.map(|value| place(scope, &value, &mut self.numbers)).transpose()?;
        let (filter, order) = (self.filter(scope, filter)?, self.placed(scope, order)?);
        Ok(Aggregate { reduction, argument, filter, order, data_type })
    }

    fn reduction(&self, aggregate: &language::Aggregate, held: Option<&DataType>) -> Result<Reduction, NotHere> {
        let engines = match aggregate.function {
            Function::Count if !aggregate.distinct => return Ok(Reduction::Count),
            Function::Has => return Ok(Reduction::Has),
            Function::Nth(place) => return Ok(Reduction::Nth(place)),
            Function::Stddev => "stddev_samp",
            other => other.name(),
        };
        let Some(held) = held else { return Err(NotHere::Shape("a reduction of nothing")) };
        let function = self.planner.aggregate(engines)?;
        let value: Arc<dyn PhysicalExpr> = Arc::new(Column::new("value", 0));
        let schema = Arc::new(Schema::new(vec![ArrowField::new("value", held.clone(), true)]));
        let engines = AggregateExprBuilder::new(function, vec![value]).schema(schema).alias("reduced");
        let engines = Arc::new(engines.with_distinct(aggregate.distinct).build()?);
        Ok(Reduction::Engine { function: aggregate.function, engines })
    }

    /// What rows must be sorted by, where they do not stand in that order below the row that they share.
    ///
    /// They stand by the times of the rows above them first; a time of their own comes last.
    fn order_needed(&self, history: &language::History, order: &[ast::Expr]) -> Vec<ast::Expr> {
        let snapshot = &self.evaluation.snapshot;
        let mut timed = history.level.as_str();
        while snapshot.time_column(timed).is_none() {
            match parent_of(self.evaluation, timed) {
                Some(parent) => timed = parent,
                None => break,
            }
        }
        let above = |table: &str| table == history.shared || is_above(self.evaluation, table, &history.shared);
        let stand = !snapshot.is_past() && (above(timed) || parent_of(self.evaluation, timed) == Some(&history.shared));
        if stand { Vec::new() } else { order.to_vec() }
    }

    fn filter(&mut self, scope: &Scope, conditions: &[Arc<dyn PhysicalExpr>]) -> Result<Filter, NotHere> {
        for condition in conditions {
            if !matches!(condition.data_type(&scope.schema)?, DataType::Boolean | DataType::Null) {
                return Err(NotHere::Shape("a condition that is no truth value"));
            }
        }
        let placed = self.placed(scope, conditions)?;
        let (then, mut first): (Vec<_>, Vec<_>) =
            placed.into_iter().partition(|condition| needs_tuples(scope, condition));
        first.sort_by_key(|condition| !condition.is_cheap);
        Ok(Filter { first, then })
    }

    fn placed(&mut self, scope: &Scope, expressions: &[Arc<dyn PhysicalExpr>]) -> Result<Vec<Placed>, NotHere> {
        Ok(expressions.iter().map(|expr| place(scope, expr, &mut self.numbers)).collect::<Result<_, _>>()?)
    }
}

/// Whether an expression reads a history that is taken for each tuple.
fn needs_tuples(scope: &Scope, placed: &Placed) -> bool {
    placed.inputs.iter().any(|input| match input {
        Input::Carried(inner) => needs_tuples(scope, inner),
        Input::Field(field) => match scope.fields[*field].source {
            Source::Reduced { history, .. } => scope.histories[history].is_correlated(),
            _ => false,
        },
    })
}

/// Functions of numbers take the widest of their kind, as the engine coerces them.
fn widened(value: Arc<dyn PhysicalExpr>, scope: &Scope, function: Function) -> Result<Arc<dyn PhysicalExpr>, NotHere> {
    if !matches!(function, Function::Sum | Function::Median | Function::Stddev) {
        return Ok(value);
    }
    let wide = match value.data_type(&scope.schema)? {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            DataType::Int64
        }
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) => return Ok(value),
        _ => return Err(NotHere::Shape("a sum of what is no number")),
    };
    Ok(Arc::new(CastExpr::new(value, wide, None)))
}
