//! A table that is computed as one batch when it is read, on the threads of linear passes.

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use rayon::ThreadPool;

/// What such a table has in it.
pub(super) trait Content: Debug + Send + Sync + 'static {
    /// Its columns.
    fn schema(&self) -> &SchemaRef;

    /// Its rows; what they take beyond what a block takes is drawn from `memory`.
    fn batch(&self, memory: &MemoryReservation) -> Result<RecordBatch>;
}

/// The table.
#[derive(Debug)]
pub(crate) struct Whole<C> {
    content: Arc<C>,
    pool: Arc<ThreadPool>,
}

impl<C> Whole<C> {
    pub(super) fn new(content: C, pool: &Arc<ThreadPool>) -> Self {
        Self { content: Arc::new(content), pool: Arc::clone(pool) }
    }
}

#[async_trait]
impl<C: Content> TableProvider for Whole<C> {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.content.schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partition = Self { content: Arc::clone(&self.content), pool: Arc::clone(&self.pool) };
        let (schema, partition): (_, Arc<dyn PartitionStream>) = (TableProvider::schema(self), Arc::new(partition));
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![partition], projection, [], false, limit)?))
    }
}

impl<C: Content> PartitionStream for Whole<C> {
    fn schema(&self) -> &SchemaRef {
        self.content.schema()
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (content, pool) = (Arc::clone(&self.content), Arc::clone(&self.pool));
        let schema = Arc::clone(content.schema());
        let memory = MemoryConsumer::new("a table of the kernel").register(context.memory_pool());
        let batch = async move { pool.install(|| content.batch(&memory)) };
        Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::once(batch)))
    }
}
