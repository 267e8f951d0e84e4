//! Joins that stop when their query's time is over, or when it is stopped.
//!
//! An engine of tasks stops a query where it waits, and a join of two large inputs may not wait for hours: it makes rows out
//! of rows that it already holds. So every join hands back control now and then, and every condition of a join, of which
//! millions may fail before one row comes out, looks at the clock.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};

use crate::patience::Patience;

/// What a condition says when it is asked and nobody waits any more.
#[derive(Debug, thiserror::Error)]
#[error("the query's time is over")]
pub(crate) struct TimeIsOver;

/// The rule that makes the joins of a plan stop when `patience` is over.
#[derive(Debug)]
pub(crate) struct Interruptible {
    pub(crate) patience: Patience,
}

impl PhysicalOptimizerRule for Interruptible {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| match self.interruptible(&node)? {
            Some(join) => Ok(Transformed::yes(Arc::new(CooperativeExec::new(join)) as Arc<dyn ExecutionPlan>)),
            None => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }

    fn name(&self) -> &str {
        "interruptible"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl Interruptible {
    /// The same join with a condition that watches the clock; `None` for what is no join.
    fn interruptible(&self, node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            let inputs = (Arc::clone(join.left()), Arc::clone(join.right()));
            let builder = NestedLoopJoinExecBuilder::new(inputs.0, inputs.1, *join.join_type())
                .with_projection_ref(join.projection().clone())
                .with_filter(join.filter().map(|filter| self.watched(filter)));
            return Ok(Some(Arc::new(builder.build()?)));
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let filter = join.filter().map(|filter| self.watched(filter));
            return Ok(Some(join.builder().with_filter(filter).build_exec()?));
        }
        Ok(node.downcast_ref::<CrossJoinExec>().map(|_| Arc::clone(node)))
    }

    fn watched(&self, filter: &JoinFilter) -> JoinFilter {
        let watched = Watched { condition: Arc::clone(filter.expression()), patience: self.patience.clone() };
        JoinFilter::new(Arc::new(watched), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

/// A condition that fails once its time is over.
#[derive(Debug)]
struct Watched {
    condition: Arc<dyn PhysicalExpr>,
    patience: Patience,
}

impl PhysicalExpr for Watched {
    fn data_type(&self, input_schema: &Schema) -> Result<DataType> {
        self.condition.data_type(input_schema)
    }

    fn nullable(&self, input_schema: &Schema) -> Result<bool> {
        self.condition.nullable(input_schema)
    }

    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.condition.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.patience.is_over() {
            return Err(DataFusionError::External(Box::new(TimeIsOver)));
        }
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.pop().unwrap_or_else(|| Arc::clone(&self.condition));
        Ok(Arc::new(Self { condition, patience: self.patience.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(f)
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}
