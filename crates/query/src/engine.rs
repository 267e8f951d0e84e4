//! Runs plain SQL over a snapshot, within limits.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, new_empty_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use muster_catalog::RowSet;
use muster_language::{Body, ResolvedQuery, ResolvedSegment, STACK_BYTES};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::evaluation::{Evaluation, Values};
use crate::kernel::{self, Compiled, CompiledRows, KernelRows};
use crate::patience::{Patience, Stopper};
use crate::running::{Part, Running};
use crate::session::Planners;
use crate::{EachProfile, Error, meaning, session, size};

/// What one query may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From its text to its last row.
    pub time: Duration,
    /// Bytes that its operators may hold.
    pub memory: usize,
    /// Rows of its answer.
    pub rows: u64,
    /// Bytes of its answer.
    pub bytes: u64,
    /// Bytes by which the process may grow while it runs, beside what the store reads for it; none where the process does
    /// other work at the same time.
    pub process: Option<usize>,
    /// How many threads work on it.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            time: Duration::from_secs(30),
            memory: 4 << 30,
            rows: 10_000_000,
            bytes: 2 << 30,
            process: None,
            threads,
        }
    }
}

/// The rows of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, in order.
    pub batches: Vec<RecordBatch>,
}

impl Answer {
    /// How many rows it has.
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Runs queries: threads of its own, and the limits of each query.
#[derive(Debug)]
pub struct Engine {
    /// Always there, but for the moment in which the engine ends.
    runtime: Option<Runtime>,
    /// The threads of linear passes, which never wait.
    pool: Arc<ThreadPool>,
    limits: Limits,
    stopper: Stopper,
    back: Back,
    /// What the session of each query begins as.
    base: Arc<SessionState>,
    planners: Arc<Planners>,
}

/// What computes histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Back {
    /// Linear passes over the blocks; what they cannot do is plain SQL.
    #[default]
    Kernel,
    /// Always the plain SQL that any other engine could run, too.
    PlainSql,
}

impl Engine {
    /// An engine whose queries stay within `limits`.
    ///
    /// # Errors
    /// If its threads cannot be started.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(limits.threads)
            .thread_name(|number| format!("kernel {number}"))
            .stack_size(STACK_BYTES)
            .build()
            .map_err(|error| Error::Threads(io::Error::other(error)))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.threads)
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .build();
        let runtime = Some(runtime.map_err(Error::Threads)?);
        let (pool, base) = (Arc::new(pool), Arc::new(session::base()));
        let planners = Arc::default();
        Ok(Self { runtime, pool, limits, stopper: Stopper::default(), back: Back::default(), base, planners })
    }

    /// The same engine with another back.
    pub fn with_back(self, back: Back) -> Self {
        let mut engine = self;
        engine.back = back;
        engine
    }

    /// What stops its queries from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The rows of `query`.
    ///
    /// # Errors
    /// If it passes a limit, or the engine refuses it.
    pub fn answer(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<Answer, Error> {
        self.begin(query, evaluation)?.collected()
    }

    /// Begins to answer `query`; its rows are given as they come.
    ///
    /// # Errors
    /// As [`Engine::answer`], as far as it shows before the first row; the rest comes with the rows.
    pub fn begin(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<Running, Error> {
        let run = self.run(query, evaluation);
        let (patience, masks) = (run.patience.clone(), run.evaluation.masks.clone());
        let (mut run, pool) = match self.counted(run)? {
            Ok(count) => return Running::of_one(count, patience, &masks),
            Err(run) => (run, Arc::clone(&self.pool)),
        };
        // Without a bound: the answer's rows are bounded, and a slow reader must not make a query late.
        let (parts, coming) = channel();
        let task = self.runtime().spawn(async move {
            if let Err(error) = run.send(&parts, &pool).await {
                // Whoever asked may have stopped waiting.
                let _ = parts.send(Err(error));
            }
        });
        Running::begun(coming, patience, self.runtime().handle().clone(), task, &masks)
    }

    /// All rows of `query`, however many: for the house's own work, which reads each of them once.
    ///
    /// # Errors
    /// If it passes a limit of time or memory, or the engine refuses it.
    pub fn all(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<Answer, Error> {
        let (mut run, pool) = match self.counted(self.run(query, evaluation))? {
            Ok(count) => return Ok(Answer { schema: count.schema(), batches: vec![count] }),
            Err(run) => (run, Arc::clone(&self.pool)),
        };
        self.within(&run.patience.clone(), async move {
            let mut stream = run.stream(&pool).await?;
            let (schema, mut batches) = (stream.schema(), Vec::new());
            while let Some(batch) = stream.next().await {
                batches.push(batch.map_err(|error| run.engine_error(error))?);
            }
            Ok(Answer { schema, batches })
        })
    }

    /// The rows of the table that `segment` selects from, by number.
    ///
    /// # Errors
    /// If it passes a limit (of time and memory; sets of rows are small), or the engine refuses it.
    pub fn rows(&self, segment: &ResolvedSegment, evaluation: &Evaluation) -> Result<RowSet, Error> {
        let run = self.run(&segment.query, evaluation);
        let of_kernel = if run.is_of_rows() { self.by_kernel(run, Run::numbers)? } else { Err(Box::new(run)) };
        let (mut run, pool) = match of_kernel {
            Ok(rows) => return Ok(rows),
            Err(run) => (run, Arc::clone(&self.pool)),
        };
        self.within(&run.patience.clone(), async move {
            let mut stream = run.stream(&pool).await?;
            let mut rows = Vec::new();
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| run.engine_error(error))?;
                let numbers = batch.column(0).as_primitive::<Int64Type>();
                rows.extend(numbers.values().iter().map(|row| *row as u32));
            }
            rows.sort_unstable();
            Ok(rows.into_iter().collect())
        })
    }

    /// A segment or a variable, compiled once to be asked of one profile at a time.
    ///
    /// # Errors
    /// [`Error::Others`] if it looks at more than one profile, or at what the kernel does not know.
    pub fn each_profile(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<EachProfile, Error> {
        let run = self.run(query, evaluation);
        let compiled = run.planning(|context| kernel::compile_each(query, evaluation, context))?;
        let compiled = compiled.map_err(|refusal| Error::Others { why: refusal.to_string() })?;
        Ok(EachProfile::of(compiled, run.evaluation, query.as_of, self.stopper(), self.limits))
    }

    /// Why the kernel leaves all of `query` to plain SQL; `None` where it does not.
    ///
    /// # Errors
    /// If no session can be made.
    pub fn refusal(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<Option<String>, Error> {
        let run = self.run(query, evaluation);
        let compiled = run.planning(|context| kernel::compile(query, evaluation, context))?;
        Ok(compiled.err().map(|refusal| refusal.to_string()))
    }

    /// How many aggregates over groups of rows the kernel counts itself, of those that `query` has.
    ///
    /// # Errors
    /// As [`Engine::begin`].
    pub fn cubes(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Result<usize, Error> {
        let (mut run, pool) = (self.run(query, evaluation), Arc::clone(&self.pool));
        self.within(&run.patience.clone(), async move {
            let (context, compiled) = (run.context()?, run.compiled()?);
            let plan = run.planned(compiled, &context, &pool).await?;
            kernel::cubes_of(&plan).map_err(|error| run.engine_error(error))
        })
    }

    /// What a variable is for each profile.
    ///
    /// # Errors
    /// If it passes a limit of time or memory, or the engine refuses it.
    pub fn values(&self, variable: &ResolvedQuery, evaluation: &Evaluation) -> Result<Values, Error> {
        let (mut run, pool) = (self.run(variable, evaluation), Arc::clone(&self.pool));
        self.within(&run.patience.clone(), async move {
            let mut stream = run.stream(&pool).await?;
            let (mut rows, mut values) = (Vec::new(), vec![new_empty_array(stream.schema().field(1).data_type())]);
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| run.engine_error(error))?;
                let numbers = batch.column(0).as_primitive::<Int64Type>();
                rows.extend(numbers.values().iter().map(|row| *row as u32));
                values.push(ArrayRef::clone(batch.column(1)));
            }
            let parts: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
            let values = concat(&parts).map_err(|error| run.engine_error(error.into()))?;
            Ok(Values::new(&rows, values))
        })
    }

    fn run(&self, query: &ResolvedQuery, evaluation: &Evaluation) -> Run {
        let patience = self.stopper.patience(self.limits.time).in_a_process(self.limits.process);
        let (back, limits) = (self.back, self.limits);
        let (base, planners) = (Arc::clone(&self.base), Arc::clone(&self.planners));
        let (query, evaluation) = (query.clone(), evaluation.clone());
        Run { query, back, evaluation, limits, patience, base, planners, compiled: None }
    }

    /// The answer to a query that only counts rows, if the kernel can count them; else the query back.
    fn counted(&self, run: Run) -> Result<Result<RecordBatch, Box<Run>>, Error> {
        if run.is_a_count() { self.by_kernel(run, Run::count) } else { Ok(Err(Box::new(run))) }
    }

    /// What the kernel does of a query without the engine, on the kernel's own threads: to hand a small query over from
    /// thread to thread takes as long as to answer it. Where that is nothing, the query comes back. The time is kept here.
    fn by_kernel<T: Send + 'static>(
        &self,
        mut run: Run,
        work: impl FnOnce(&mut Run) -> Result<Option<T>, Error> + Send + 'static,
    ) -> Result<Result<T, Box<Run>>, Error> {
        let patience = run.patience.clone();
        let (done, outcome) = sync_channel(1);
        self.pool.spawn(move || {
            let worked = catch_unwind(AssertUnwindSafe(|| work(&mut run)));
            // Whoever asked may have stopped waiting.
            let _ = done.send(worked.map(|worked| worked.map(|found| found.ok_or_else(|| Box::new(run)))));
        });
        match patience.next(&outcome)? {
            Some(Ok(worked)) => worked,
            Some(Err(panic)) => resume_unwind(panic),
            None => unreachable!("work ends with an answer or a panic"),
        }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the engine has not ended")
    }

    /// The work runs on the engine's threads, and the time is kept on the caller's: an operator that does not yield holds up
    /// its own thread, timers of the runtime included, and must not hold up the answer that it took too long.
    fn within<T: Send + 'static>(
        &self,
        patience: &Patience,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, outcome) = sync_channel(1);
        let task = self.runtime().spawn(async move {
            // Whoever asked may have stopped waiting.
            let _ = done.send(work.await);
        });
        match patience.next(&outcome) {
            Ok(Some(done)) => done,
            Err(over) => {
                task.abort();
                Err(over)
            }
            Ok(None) => match self.runtime().block_on(task) {
                Err(broken) if broken.is_panic() => resume_unwind(broken.into_panic()),
                _ => unreachable!("work ends with an answer or a panic"),
            },
        }
    }
}

impl Drop for Engine {
    /// Does not wait for what was stopped and has not noticed yet.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One query on its way.
struct Run {
    query: ResolvedQuery,
    back: Back,
    evaluation: Evaluation,
    limits: Limits,
    patience: Patience,
    base: Arc<SessionState>,
    planners: Arc<Planners>,
    /// What the kernel does of it, once somebody asked, until it is done.
    compiled: Option<Option<Compiled>>,
}

impl Run {
    async fn stream(&mut self, pool: &Arc<ThreadPool>) -> Result<SendableRecordBatchStream, Error> {
        let compiled = self.compiled()?;
        let context = self.context()?;
        let plan = self.planned(compiled, &context, pool).await?;
        let frame = context.execute_logical_plan(plan).await.map_err(|error| self.engine_error(error))?;
        frame.execute_stream().await.map_err(|error| self.engine_error(error))
    }

    /// What the engine is to do, within what a query may.
    async fn planned(
        &self,
        compiled: Option<Compiled>,
        context: &SessionContext,
        pool: &Arc<ThreadPool>,
    ) -> Result<LogicalPlan, Error> {
        let plan = self.plan(context, compiled.as_ref(), pool).await.map_err(|error| self.engine_error(error))?;
        session::verify(&plan)?;
        let plan = meaning::meant(plan);
        let plan = plan.and_then(|plan| match compiled {
            Some(mut compiled) => kernel::with_cubes(plan, &context.state(), &mut compiled.numbers, pool),
            None => Ok(plan),
        });
        plan.map_err(|error| self.engine_error(error))
    }

    /// What the engine is to do: all of the query, or what the kernel leaves of it.
    async fn plan(
        &self,
        context: &SessionContext,
        compiled: Option<&Compiled>,
        pool: &Arc<ThreadPool>,
    ) -> Result<LogicalPlan, DataFusionError> {
        let Some(compiled) = compiled else {
            return context.state().create_logical_plan(&self.query.to_sql()).await;
        };
        for (name, rows) in &compiled.tables {
            context.register_table(name.as_str(), Arc::new(self.kernel_rows(rows)))?;
        }
        for (name, overlap) in &compiled.overlaps {
            let pairs = kernel::Pairs::table(overlap, |profiles| self.kernel_rows(profiles), pool);
            context.register_table(name.as_str(), Arc::new(pairs))?;
        }
        context.state().statement_to_plan(kernel::statement(compiled.statement.clone())).await
    }

    /// Whether it only asks how many rows there are.
    fn is_a_count(&self) -> bool {
        matches!(&self.query.body, Body::Grain(grain) if grain.counts_rows().is_some())
    }

    /// Whether it only asks which rows there are.
    fn is_of_rows(&self) -> bool {
        matches!(&self.query.body, Body::Grain(grain) if grain.answers_each_row())
    }

    /// How many rows there are, where that is all of the query: there is nothing to plan.
    fn count(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(rows) = self.all_rows()? else { return Ok(None) };
        let Body::Grain(grain) = &self.query.body else { return Ok(None) };
        let Some(column) = grain.counts_rows() else { return Ok(None) };
        let count = rows.count().map_err(|error| self.engine_error(error))?;
        let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Int64, false)]));
        let count = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![count as i64]))]);
        count.map(Some).map_err(|error| self.engine_error(error.into()))
    }

    /// The rows of a segment, where the kernel finds them without the engine.
    fn numbers(&mut self) -> Result<Option<RowSet>, Error> {
        let Some(rows) = self.all_rows()? else { return Ok(None) };
        rows.numbers().map(Some).map_err(|error| self.engine_error(error))
    }

    /// The rows that the query is about, where the kernel finds all of them; what else it does is kept for the engine.
    fn all_rows(&mut self) -> Result<Option<KernelRows>, Error> {
        let compiled = self.compiled()?;
        let rows = compiled.as_ref().and_then(Compiled::all_rows).map(|rows| self.kernel_rows(rows));
        self.compiled = Some(compiled);
        Ok(rows)
    }

    fn kernel_rows(&self, compiled: &Arc<CompiledRows>) -> KernelRows {
        let (evaluation, patience) = (self.evaluation.clone(), self.patience.clone());
        KernelRows { compiled: Arc::clone(compiled), evaluation, as_of: self.query.as_of, patience }
    }

    /// What the kernel does of the query, if it can.
    fn compiled(&mut self) -> Result<Option<Compiled>, Error> {
        if let Some(known) = self.compiled.take() {
            return Ok(known);
        }
        if self.back != Back::Kernel {
            return Ok(None);
        }
        self.planning(|context| kernel::compile(&self.query, &self.evaluation, context).ok())
    }

    fn planning<T>(&self, plan: impl FnOnce(&SessionContext) -> T) -> Result<T, Error> {
        let planned = self.planners.plan(&self.base, self.evaluation.zone, &self.limits, plan);
        planned.map_err(|error| self.engine_error(error))
    }

    fn context(&self) -> Result<SessionContext, Error> {
        session::open(&self.base, &self.evaluation, &self.limits, &self.patience)
            .map_err(|error| self.engine_error(error))
    }

    /// Sends the columns and then the rows, as long as somebody waits for them.
    async fn send(&mut self, parts: &Sender<Result<Part, Error>>, pool: &Arc<ThreadPool>) -> Result<(), Error> {
        let mut stream = self.stream(pool).await?;
        let mut waited_for = parts.send(Ok(Part::Columns(stream.schema()))).is_ok();
        let (mut rows, mut bytes) = (0, 0);
        while waited_for && let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| self.engine_error(error))?;
            rows += batch.num_rows() as u64;
            if rows > self.limits.rows {
                return Err(Error::Rows { rows: self.limits.rows });
            }
            bytes += size::bytes(&batch);
            if bytes > self.limits.bytes {
                return Err(Error::Bytes { bytes: self.limits.bytes });
            }
            waited_for = parts.send(Ok(Part::Rows(batch))).is_ok();
        }
        Ok(())
    }

    fn engine_error(&self, error: DataFusionError) -> Error {
        Error::from_engine(error, &self.limits)
    }
}
