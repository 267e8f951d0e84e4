//! GROUP BY over the rows of the kernel: aggregates of a plan whose groups are few become tables of groups, counted block by
//! block in arrays with a place for each ([`super::cells`]). What is not known here stays the engine's.

use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan};
use datafusion::physical_expr::expressions::{Column as PhysicalColumn, Literal};
use rayon::ThreadPool;

use super::cells::counted;
use super::codes::{Codes, can_be_coded};
use super::placed::{Input, Numbers, Placed, place};
use super::plan::{DomainId, LEVEL, RowsOf, Scope, Source, Step};
use super::planner::physical;
use super::rows::KernelRows;
use super::whole::{Content, Whole};

/// Groups of a flat table's rows, with what is counted of each.
#[derive(Debug)]
pub(super) struct Cube {
    /// The rows.
    pub(super) rows: KernelRows,
    /// What they are grouped by; nothing where all are one group.
    pub(super) keys: Vec<Key>,
    /// What is counted.
    pub(super) measures: Vec<Measure>,
    /// The keys, then the measures.
    pub(super) schema: SchemaRef,
}

/// A key of groups.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) value: Placed,
    /// Its values, where they are the same in every block.
    pub(super) everywhere: OnceLock<Codes>,
}

/// What is counted of the rows of a group that meet a condition.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) counts: Counts,
    pub(super) filter: Option<Placed>,
}

/// How.
#[derive(Debug)]
pub(super) enum Counts {
    /// The rows.
    Rows,
    /// The rows with a value.
    Values(Placed),
    /// The different rows of a domain above them.
    Different(DomainId),
    /// The sum of the values.
    Sum(Placed),
    /// The smallest value.
    Least(Placed),
    /// The largest.
    Greatest(Placed),
}

/// The plan with tables of groups in the place of the aggregates that are counted here.
///
/// # Errors
/// If the engine cannot read the plan.
pub(crate) fn with_cubes(
    plan: LogicalPlan,
    state: &SessionState,
    numbers: &mut Numbers,
    pool: &Arc<ThreadPool>,
) -> Result<LogicalPlan> {
    if !has_aggregates(&plan)? {
        return Ok(plan);
    }
    let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?;
    let with_cubes = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else { return Ok(Transformed::no(node)) };
        // What cannot be compiled is left to the engine, which says why if it cannot do it either.
        match Cube::of(&aggregate, state, numbers) {
            Ok(Some(cube)) => Ok(Transformed::yes(cube.in_place_of(&aggregate, pool)?)),
            Ok(None) | Err(_) => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
        }
    });
    Ok(with_cubes?.data)
}

/// How many tables of groups a plan reads.
///
/// # Errors
/// If the engine cannot walk the plan.
pub(crate) fn cubes_of(plan: &LogicalPlan) -> Result<usize> {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        count += usize::from(matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == GROUPS));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(count)
}

fn has_aggregates(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::Aggregate(aggregate) if kernel_rows(aggregate).is_some());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// The rows of the kernel that are aggregated, where they come as they are.
fn kernel_rows(aggregate: &Aggregate) -> Option<KernelRows> {
    let LogicalPlan::TableScan(TableScan { source, projection: None, filters, fetch: None, .. }) =
        aggregate.input.as_ref()
    else {
        return None;
    };
    let provider = source_as_provider(source).ok()?;
    provider.downcast_ref::<KernelRows>().filter(|_| filters.is_empty()).cloned()
}

impl Cube {
    /// The aggregate as a cube; `None` where it is none.
    fn of(aggregate: &Aggregate, state: &SessionState, numbers: &mut Numbers) -> Result<Option<Self>> {
        let Some(rows) = kernel_rows(aggregate) else { return Ok(None) };
        let mut compiler = Compiler { rows: &rows, schema: aggregate.input.schema(), state, numbers };
        let mut keys = Vec::with_capacity(aggregate.group_expr.len());
        for key in &aggregate.group_expr {
            let Some(value) = compiler.key(key)? else { return Ok(None) };
            keys.push(Key { value, everywhere: OnceLock::new() });
        }
        let mut measures = Vec::with_capacity(aggregate.aggr_expr.len());
        for measure in &aggregate.aggr_expr {
            let Some(measure) = compiler.measure(measure)? else { return Ok(None) };
            measures.push(measure);
        }
        // Fields are told apart by their place alone; the plan gives them back their names.
        let fields = aggregate.schema.fields().iter().enumerate();
        let fields = fields
            .map(|(place, field)| ArrowField::new(place.to_string(), field.data_type().clone(), field.is_nullable()));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Some(Self { rows, keys, measures, schema }))
    }

    /// The plan that reads the groups, with the columns that the aggregate has.
    fn in_place_of(self, aggregate: &Aggregate, pool: &Arc<ThreadPool>) -> Result<LogicalPlan> {
        let names: Vec<String> = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        let source = provider_as_source(Arc::new(Whole::new(self, pool)));
        let renamed = names.iter().zip(aggregate.schema.iter()).map(|(own, (qualifier, field))| {
            let column = Expr::Column(Column::new(Some(GROUPS), own));
            column.alias_qualified(qualifier.cloned(), field.name())
        });
        LogicalPlanBuilder::scan(GROUPS, source, None)?.project(renamed.collect::<Vec<_>>())?.build()
    }
}

/// What plans call a table of groups.
const GROUPS: &str = "__groups";

struct Compiler<'c> {
    rows: &'c KernelRows,
    schema: &'c Arc<DFSchema>,
    state: &'c SessionState,
    numbers: &'c mut Numbers,
}

impl<'c> Compiler<'c> {
    fn scope(&self) -> &'c Scope {
        &self.rows.compiled.scope
    }

    fn placed(&mut self, expr: &Expr) -> Result<Placed> {
        place(self.scope(), &physical(self.state, self.schema, expr.clone())?, self.numbers)
    }

    fn data_type(&self, placed: &Placed) -> Result<DataType> {
        placed.expr.data_type(&placed.schema)
    }

    fn key(&mut self, key: &Expr) -> Result<Option<Placed>> {
        if matches!(key, Expr::GroupingSet(_)) {
            return Ok(None);
        }
        let value = self.placed(key)?;
        let can_be_coded = can_be_coded(&self.data_type(&value)?);
        Ok(can_be_coded.then_some(value))
    }

    fn measure(&mut self, measure: &Expr) -> Result<Option<Measure>> {
        let AggregateFunction { func, params } = match measure {
            Expr::AggregateFunction(function) => function,
            Expr::Alias(alias) => return self.measure(&alias.expr),
            _ => return Ok(None),
        };
        let [argument] = params.args.as_slice() else { return Ok(None) };
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Ok(None);
        }
        let value = self.placed(argument)?;
        let counts = match (func.name(), params.distinct) {
            ("count", true) => self.row_named(&value).map(Counts::Different),
            ("count", false) if value.expr.downcast_ref::<Literal>().is_some_and(|one| !one.value().is_null()) => {
                Some(Counts::Rows)
            }
            ("count", false) => Some(Counts::Values(value)),
            ("sum", false) => {
                let is_exact = matches!(self.data_type(&value)?, DataType::Int64 | DataType::Decimal128(..));
                is_exact.then_some(Counts::Sum(value))
            }
            ("min", _) if has_order(&self.data_type(&value)?) => Some(Counts::Least(value)),
            ("max", _) if has_order(&self.data_type(&value)?) => Some(Counts::Greatest(value)),
            _ => None,
        };
        let filter = params.filter.as_ref().map(|filter| self.placed(filter)).transpose()?;
        Ok(counts.map(|counts| Measure { counts, filter }))
    }

    /// The domain of the block whose rows a bare column names, each another one, and none is NULL.
    fn row_named(&self, value: &Placed) -> Option<DomainId> {
        value.expr.downcast_ref::<PhysicalColumn>()?;
        let (scope, Input::Field(field)) = (self.scope(), value.inputs.first()?) else { return None };
        let RowsOf::Block(table) = &scope.domains[value.domain].rows else { return None };
        let key = self.rows.evaluation.snapshot.schema(table).and_then(|schema| schema.key.as_ref());
        let names_rows = match &scope.fields[*field].source {
            Source::Row => true,
            Source::Column(column) => key == Some(column),
            _ => false,
        };
        let mut above = value.domain;
        while scope.domains[above].step == Step::Parent {
            above = scope.domains[above].from;
        }
        (names_rows && above == LEVEL).then_some(value.domain)
    }
}

/// Whether values of a type are numbers or instants, which are compared here as whole numbers.
fn has_order(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int64 | DataType::Decimal128(..) | DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _)
    )
}

impl Content for Cube {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn batch(&self, memory: &MemoryReservation) -> Result<RecordBatch> {
        counted(self, memory)
    }
}
