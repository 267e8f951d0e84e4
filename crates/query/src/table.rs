//! A table of a snapshot as DataFusion sees it: the columns that are asked for, block by block.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use muster_catalog::ColumnType;
use muster_store::{Snapshot, SystemColumn, TableSchema};

use crate::evaluation::{Computed, Content, Evaluation};

use crate::patience::Patience;

/// One table, with its system columns and what is computed for the query.
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    evaluation: Evaluation,
    table: String,
    schema: SchemaRef,
    patience: Patience,
}

impl SnapshotTable {
    pub(crate) fn new(evaluation: &Evaluation, table: &TableSchema, patience: &Patience) -> Self {
        let zone: Arc<str> = evaluation.zone.name().into();
        let own = table.columns.iter().map(|column| Field::new(&column.name, exposed(column.column_type, &zone), true));
        let system =
            evaluation.snapshot.system_columns(&table.name).into_iter().map(|column| system_field(column, &zone));
        let computed = computed(evaluation, &table.name).map(computed_field);
        let schema = Arc::new(Schema::new(own.chain(system).chain(computed).collect::<Vec<_>>()));
        let (evaluation, patience) = (evaluation.clone(), patience.clone());
        Self { evaluation, table: table.name.clone(), schema, patience }
    }
}

/// The columns that a table has for this query only.
fn computed<'e>(evaluation: &'e Evaluation, table: &str) -> impl Iterator<Item = &'e Computed> {
    evaluation.computed.iter().filter(move |computed| computed.table == table)
}

fn computed_field(computed: &Computed) -> Field {
    let is_value = matches!(computed.content, Content::Values(_));
    Field::new(&computed.column, computed.content.data_type(), is_value)
}

/// Instants carry the workspace's zone inside the engine, so that its calendar arithmetic is the local one.
pub(crate) fn exposed(column_type: ColumnType, zone: &Arc<str>) -> DataType {
    match column_type {
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))),
        other => other.arrow(),
    }
}

fn system_field(column: SystemColumn, zone: &Arc<str>) -> Field {
    match column {
        SystemColumn::Time => Field::new(column.name(), exposed(ColumnType::Timestamp, zone), true),
        _ => Field::new(column.name(), DataType::Int64, false),
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
        let schema = match projection {
            Some(places) => Arc::new(self.schema.project(places)?),
            None => Arc::clone(&self.schema),
        };
        let wanted = schema.fields().iter().map(|field| field.name().as_str());
        self.evaluation.masks.note(&self.table, wanted)?;
        let options = state.config().options();
        let stripes = options.execution.target_partitions.max(1);
        let stripe = |first: usize| -> Arc<dyn PartitionStream> {
            Arc::new(Stripe {
                evaluation: self.evaluation.clone(),
                table: self.table.clone(),
                schema: Arc::clone(&schema),
                patience: self.patience.clone(),
                blocks: (first..self.evaluation.snapshot.block_count(&self.table)).step_by(stripes).collect(),
                batch_rows: options.execution.batch_size.get(),
            })
        };
        let partitions = (0..stripes).map(stripe).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}

/// Every n-th block of a table: the share of one thread.
#[derive(Debug)]
struct Stripe {
    evaluation: Evaluation,
    table: String,
    schema: SchemaRef,
    patience: Patience,
    blocks: Vec<usize>,
    batch_rows: usize,
}

impl PartitionStream for Stripe {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reader = BlockReader {
            evaluation: self.evaluation.clone(),
            table: self.table.clone(),
            schema: Arc::clone(&self.schema),
            patience: self.patience.clone(),
        };
        let batch_rows = self.batch_rows;
        let batches = self.blocks.clone().into_iter().flat_map(move |block| match reader.block(block) {
            Ok(batch) => slices(&batch, batch_rows).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

pub(crate) fn slices(batch: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(rows);
    starts.map(|start| batch.slice(start, rows.min(batch.num_rows() - start))).collect()
}

/// Reads the wanted columns of a block.
struct BlockReader {
    evaluation: Evaluation,
    table: String,
    schema: SchemaRef,
    patience: Patience,
}

impl BlockReader {
    fn block(&self, block: usize) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().map(|field| self.column(field, block)).collect::<Result<_>>()?;
        let rows = self.snapshot().block_rows(&self.table, block);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    fn column(&self, field: &Field, block: usize) -> Result<ArrayRef> {
        if let Some(computed) = self.computed(field.name()) {
            let rows = self.stored(SystemColumn::Row.name(), block)?;
            return Ok(computed.content.of(rows.as_primitive::<Int64Type>().values())?);
        }
        if self.evaluation.masks.covers(&self.table, field.name()) {
            let rows = self.snapshot().block_rows(&self.table, block);
            return Ok(new_null_array(field.data_type(), rows));
        }
        let column = self.stored(field.name(), block)?;
        if column.data_type() == field.data_type() {
            Ok(column)
        } else {
            Ok(arrow_cast::cast(&column, field.data_type())?)
        }
    }

    fn stored(&self, name: &str, block: usize) -> Result<ArrayRef> {
        let mut columns = self.snapshot().scan(&self.table, block, &[name]).map_err(external)?;
        let column = columns.pop().expect("one column was asked for");
        self.patience.bring(&self.table, block, name, column.get_array_memory_size());
        Ok(column)
    }

    fn computed(&self, column: &str) -> Option<&Computed> {
        computed(&self.evaluation, &self.table).find(|computed| computed.column == column)
    }

    fn snapshot(&self) -> &Snapshot {
        &self.evaluation.snapshot
    }
}

pub(crate) fn external(error: muster_store::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
