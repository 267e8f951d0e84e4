//! The flat table of a query as the engine sees it: the rows that met the kernel's conditions, with what the rest of the
//! statement reads of them.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use muster_catalog::{RowSet, Timestamp};
use rayon::prelude::*;

use super::block::Block;
use super::compile::CompiledRows;
use super::tuples::{Tuples, positions};
use super::visible::there;
use crate::evaluation::Evaluation;
use crate::patience::Patience;
use crate::table::slices;

/// The rows of a compiled query.
#[derive(Debug, Clone)]
pub(crate) struct KernelRows {
    pub(crate) compiled: Arc<CompiledRows>,
    pub(crate) evaluation: Evaluation,
    pub(crate) as_of: Timestamp,
    pub(crate) patience: Patience,
}

#[async_trait]
impl TableProvider for KernelRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.compiled.scope.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = (0..self.compiled.outputs.len()).collect();
        let fields = projection.cloned().unwrap_or(all);
        let schema = Arc::new(self.compiled.scope.schema.project(&fields)?);
        let options = state.config().options();
        let stripes = options.execution.target_partitions.max(1);
        let blocks = self.block_count();
        let stripe = |first: usize| -> Arc<dyn PartitionStream> {
            let reader = Reader { rows: self.clone(), fields: fields.clone(), schema: Arc::clone(&schema) };
            let batch_rows = options.execution.batch_size.get();
            Arc::new(Stripe { reader, blocks: (first..blocks).step_by(stripes).collect(), batch_rows })
        };
        let partitions = (0..stripes).map(stripe).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}

/// Every n-th block: the share of one thread.
#[derive(Debug)]
struct Stripe {
    reader: Reader,
    blocks: Vec<usize>,
    batch_rows: usize,
}

impl PartitionStream for Stripe {
    fn schema(&self) -> &SchemaRef {
        &self.reader.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (reader, batch_rows) = (self.reader.clone(), self.batch_rows);
        let batches = self.blocks.clone().into_iter().flat_map(move |block| match reader.block(block) {
            Ok(batch) => slices(&batch, batch_rows).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.reader.schema), futures::stream::iter(batches)))
    }
}

/// Reads the wanted fields of a block.
#[derive(Debug, Clone)]
struct Reader {
    rows: KernelRows,
    fields: Vec<usize>,
    schema: Arc<Schema>,
}

/// The rows of a block that meet the conditions of a query; `None`: all of them.
pub(super) fn passing(compiled: &CompiledRows, all: &Tuples<'_>) -> Result<Option<BooleanBuffer>> {
    let (block, scope) = (all.block, &compiled.scope);
    let mut rows = there(block, &scope.table, &scope.visible)?;
    if let Some(living) = block.living(&scope.table)? {
        rows = Some(rows.map_or_else(|| living.clone(), |rows| &rows & &living));
    }
    all.passing(&compiled.conditions, rows)
}

impl KernelRows {
    /// The rows that meet the conditions, by number; blocks side by side on the threads around.
    pub(crate) fn numbers(&self) -> Result<RowSet> {
        let snapshot = &self.evaluation.snapshot;
        let table = &self.compiled.scope.table;
        let of_block = |number: usize| {
            let block = self.block(number);
            let all = Tuples::all(&block, &self.compiled.scope)?;
            let passing = passing(&self.compiled, &all)?;
            let first = u32::try_from(snapshot.first_row(table, number)).map_err(|error| external_number(&error))?;
            Ok(RowSet::from_marks(first, &passing.unwrap_or_else(|| BooleanBuffer::new_set(all.count))))
        };
        let blocks = (0..self.block_count()).into_par_iter().map(of_block);
        Ok(RowSet::union(blocks.collect::<Result<Vec<_>>>()?))
    }

    /// How many rows meet the conditions.
    pub(crate) fn count(&self) -> Result<usize> {
        let of_block = |number: usize| {
            let block = self.block(number);
            let all = Tuples::all(&block, &self.compiled.scope)?;
            Ok(passing(&self.compiled, &all)?.map_or(all.count, |passing| passing.count_set_bits()))
        };
        (0..self.block_count()).into_par_iter().map(of_block).sum()
    }

    pub(super) fn block_count(&self) -> usize {
        self.evaluation.snapshot.block_count(&self.compiled.scope.table)
    }

    pub(super) fn block(&self, number: usize) -> Block<'_> {
        Block::new(&self.evaluation, &self.patience, self.as_of, number)
    }
}

fn external_number(error: &std::num::TryFromIntError) -> DataFusionError {
    DataFusionError::Internal(format!("a row number past four bytes: {error}"))
}

impl Reader {
    /// The rows of a block that meet the conditions.
    fn block(&self, number: usize) -> Result<RecordBatch> {
        let (block, compiled) = (self.rows.block(number), &self.rows.compiled);
        let all = Tuples::all(&block, &compiled.scope)?;
        let options = |count: usize| RecordBatchOptions::new().with_row_count(Some(count));
        let passing = passing(compiled, &all)?;
        if self.fields.is_empty() {
            let count = passing.map_or(all.count, |passing| passing.count_set_bits());
            return Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), Vec::new(), &options(count))?);
        }
        let answer = match passing {
            None => all,
            Some(passing) => all.some(&positions(Some(&passing), all.count)),
        };
        let outputs = self.fields.iter().map(|field| answer.value(&compiled.outputs[*field]));
        let outputs = outputs.collect::<Result<_>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), outputs, &options(answer.count))?)
    }
}
