//! The first rows of an order, where they are many.
//!
//! For `LIMIT 100000` the engine keeps a heap of so many rows and lays every row that may enter it out anew. To choose among all
//! rows once they are there, and to sort those that are chosen, took a question of a million profiles from 542 ms to 112 ms.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::sorts::sort::{SortExec, sort_batch};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt};

use crate::size::bytes;
use crate::table::slices;

/// A heap of fewer rows is fast.
const MANY: usize = 4_096;

/// The rule that chooses many rows at once.
#[derive(Debug)]
pub(crate) struct ManyFirst;

impl PhysicalOptimizerRule for ManyFirst {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| match node.downcast_ref::<SortExec>() {
            Some(sort) if sort.fetch().is_some_and(|rows| rows >= MANY) => {
                Ok(Transformed::yes(Arc::new(TopExec { sort: Arc::new(sort.clone()) }) as Arc<dyn ExecutionPlan>))
            }
            _ => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }

    fn name(&self) -> &str {
        "many first"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What a sort with a limit does, by choosing.
#[derive(Debug, Clone)]
struct TopExec {
    sort: Arc<SortExec>,
}

impl DisplayAs for TopExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopExec: ")?;
        self.sort.fmt_as(format, f)
    }
}

impl ExecutionPlan for TopExec {
    fn name(&self) -> &str {
        "TopExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.sort.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.sort.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.sort.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sorted = Arc::clone(&self.sort).replace_children(children, options)?;
        let sort = sorted.downcast_ref::<SortExec>().cloned();
        let sort = sort.ok_or_else(|| DataFusionError::Internal("a sort of other rows is a sort".to_owned()))?;
        Ok(Arc::new(Self { sort: Arc::new(sort) }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.sort.input().execute(partition, Arc::clone(&context))?;
        let (sort, schema) = (Arc::clone(&self.sort), input.schema());
        let memory = MemoryConsumer::new("first rows").register(context.memory_pool());
        let batch_rows = context.session_config().batch_size();
        let chosen = async move {
            let mut batches = Vec::new();
            let mut input = input;
            while let Some(batch) = input.next().await {
                let batch = batch?;
                // Once as they come, once joined.
                memory.try_grow(2 * bytes(&batch) as usize)?;
                batches.push(batch);
            }
            let all = concat_batches(&sort.schema(), &batches)?;
            drop(batches);
            let first = if all.num_rows() == 0 { all } else { sort_batch(&all, sort.expr(), sort.fetch())? };
            Ok::<_, DataFusionError>(futures::stream::iter(
                slices(&first, batch_rows).into_iter().map(Ok::<RecordBatch, _>),
            ))
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::once(chosen).try_flatten())))
    }
}
