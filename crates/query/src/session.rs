//! The one kind of session that runs anything: the tables of one snapshot and pure functions; no files, no definitions, no
//! statements. Beside it those that only plan expressions, which have no tables.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono_tz::Tz;
use datafusion::catalog::memory::{MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider};
use datafusion::catalog::{CatalogProvider, SchemaProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::Error;
use crate::bucket::bucket;
use crate::calendar::LocalCalendar;
use crate::engine::Limits;
use crate::evaluation::Evaluation;
use crate::interrupt::Interruptible;
use crate::mode::mode;
use crate::patience::Patience;
use crate::sha256::sha256;
use crate::sum::exact_sum;
use crate::table::SnapshotTable;
use crate::top::ManyFirst;

const CATALOG: &str = "muster";
const SCHEMA: &str = "public";

/// What all sessions have in common: functions, and the engine's rules.
pub(crate) fn base() -> SessionState {
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_create_default_catalog_and_schema(false))
        .with_default_features()
        .build();
    let context = SessionContext::new_with_state(state);
    // Table functions make rows out of nothing (`range`) and are no part of the language.
    for function in ["range", "generate_series"] {
        context.deregister_udtf(function);
    }
    context.register_udaf(exact_sum());
    context.register_udaf(mode());
    context.register_udf(sha256());
    context.register_udf(bucket());
    context.state()
}

/// A session over the tables of `evaluation`, within `limits`, for a query with which somebody has `patience`.
pub(crate) fn open(
    base: &SessionState,
    evaluation: &Evaluation,
    limits: &Limits,
    patience: &Patience,
) -> Result<SessionContext> {
    let state = SessionStateBuilder::new_from_existing(base.clone())
        .with_config(config(evaluation.zone, limits))
        .with_runtime_env(runtime(limits)?)
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .with_physical_optimizer_rule(Arc::new(ManyFirst))
        .with_physical_optimizer_rule(Arc::new(Interruptible { patience: patience.clone() }))
        .build();
    let mut context = SessionContext::new_with_state(state);
    context.register_expr_planner(Arc::new(LocalCalendar { zone: evaluation.zone }))?;
    context.register_catalog(CATALOG, tables(evaluation, patience)?);
    Ok(context)
}

/// Sessions that plan expressions and run nothing, kept for the next query: to make one takes longer than to plan.
#[derive(Default)]
pub(crate) struct Planners {
    free: Mutex<Vec<(Tz, SessionContext)>>,
}

impl fmt::Debug for Planners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planners").finish_non_exhaustive()
    }
}

impl Planners {
    /// Plans in a session in which expressions mean what they mean in those that [`open`] gives.
    pub(crate) fn plan<T>(
        &self,
        base: &SessionState,
        zone: Tz,
        limits: &Limits,
        plan: impl FnOnce(&SessionContext) -> T,
    ) -> Result<T> {
        // A list of sessions, each whole: whoever panicked left nothing half done.
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let known = {
            let mut free = free();
            free.iter().position(|(its, _)| *its == zone).map(|place| free.swap_remove(place).1)
        };
        let context = known.map_or_else(|| planner(base, zone, limits), Ok)?;
        let planned = plan(&context);
        free().push((zone, context));
        Ok(planned)
    }
}

fn planner(base: &SessionState, zone: Tz, limits: &Limits) -> Result<SessionContext> {
    let mut state = SessionStateBuilder::new_from_existing(base.clone())
        .with_config(config(zone, limits))
        .with_runtime_env(runtime(limits)?)
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .build();
    // Functions see the options of this session, the zone among them, once it says that something begins.
    state.mark_start_execution();
    let mut context = SessionContext::new_with_state(state);
    context.register_expr_planner(Arc::new(LocalCalendar { zone }))?;
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(MemorySchemaProvider::new()))?;
    context.register_catalog(CATALOG, Arc::new(catalog));
    Ok(context)
}

fn config(zone: Tz, limits: &Limits) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(limits.threads);
    let options = config.options_mut();
    options.execution.time_zone = Some(zone.name().to_owned());
    options.execution.enable_recursive_ctes = false;
    options.sql_parser.parse_float_as_decimal = true;
    // A join tells its scans which keys it met, and where both sides have a column of the same name, as all tables here have
    // `__row`, that reaches the wrong one: rows were missing without a word.
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    // The engine takes `x IS FALSE` for never NULL in one plan and not in the other, and would refuse the query for it.
    options.execution.skip_physical_aggregate_schema_check = true;
    config
}

/// A memory pool of its own for each query, and no way to any file: what does not fit is refused and not laid out on
/// disk, and the registry forgets the local files.
fn runtime(limits: &Limits) -> Result<Arc<RuntimeEnv>> {
    let consumers = std::num::NonZeroUsize::new(3).expect("three is not zero");
    let pool: Arc<dyn MemoryPool> = Arc::new(TrackConsumersPool::new(GreedyMemoryPool::new(limits.memory), consumers));
    let stores = DefaultObjectStoreRegistry::new();
    stores.deregister_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(no_disk)
        .with_object_store_registry(Arc::new(stores))
        .build_arc()
}

fn tables(evaluation: &Evaluation, patience: &Patience) -> Result<Arc<dyn CatalogProvider>> {
    let schema = Arc::new(MemorySchemaProvider::new());
    for table in evaluation.snapshot.schemas() {
        schema.register_table(table.name.clone(), Arc::new(SnapshotTable::new(evaluation, table, patience)))?;
    }
    for (name, rows) in &evaluation.tables {
        let table = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]])?;
        schema.register_table(name.clone(), Arc::new(table))?;
    }
    let catalog = Arc::new(MemoryCatalogProvider::new());
    catalog.register_schema(SCHEMA, schema)?;
    Ok(catalog)
}

/// Refuses every plan with a node that does more than read and compute; a node that is not known does.
pub(crate) fn verify(plan: &LogicalPlan) -> std::result::Result<(), Error> {
    let mut forbidden = None;
    let walk = plan.apply_with_subqueries(|node| {
        if only_reads(node) {
            return Ok(TreeNodeRecursion::Continue);
        }
        // Behind its name an engine's node shows its workings.
        let shown = node.display().to_string();
        forbidden = Some(shown.split([':', ' ']).next().unwrap_or_default().to_owned());
        Ok(TreeNodeRecursion::Stop)
    });
    walk.map_err(|source| Error::Engine { source: Box::new(source) })?;
    forbidden.map_or(Ok(()), |what| Err(Error::NotAllowed { what }))
}

fn only_reads(node: &LogicalPlan) -> bool {
    matches!(
        node,
        LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::TableScan(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Subquery(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::Unnest(_)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use muster_catalog::Timestamp;
    use muster_state::{Mode, State};
    use muster_store::{MIGRATIONS, Store};
    use tempfile::TempDir;

    use super::*;
    use crate::Masks;
    use crate::patience::Stopper;

    const CATALOG: &str = "[workspace]\nname = \"shop\"\n[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\n";

    /// A session over a workspace of which nothing was loaded: its one table is there and has no rows.
    fn session(folder: &TempDir) -> SessionContext {
        let catalog = muster_catalog::parse("muster.toml", CATALOG).unwrap();
        let state = State::open(folder.path(), MIGRATIONS, Mode::Create).unwrap();
        let store = state.read(|tx| Store::open(folder.path(), tx)).unwrap();
        let prepared = store.prepare(&catalog, Vec::new(), Timestamp::from_micros(1)).unwrap();
        let snapshot = Arc::clone(prepared.snapshot());
        let evaluation = Evaluation {
            snapshot,
            zone: chrono_tz::UTC,
            computed: Vec::new(),
            tables: Vec::new(),
            masks: Masks::default(),
        };
        let patience = Stopper::default().patience(Duration::from_secs(10));
        open(&base(), &evaluation, &Limits::default(), &patience).unwrap()
    }

    /// What the session says to SQL that the language would never print: nothing, where it would run it.
    fn refusal(session: &SessionContext, sql: &str) -> Option<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(session.state().create_logical_plan(sql)) {
            Err(error) => Some(Error::from_engine(error, &Limits::default()).to_string()),
            Ok(plan) => verify(&plan).err().map(|error| error.to_string()),
        }
    }

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let folder = TempDir::new().unwrap();
        assert_eq!(refusal(&session(&folder), sql).as_deref(), Some(expected), "{sql}");
    }

    #[test]
    fn reading_is_allowed() {
        let folder = TempDir::new().unwrap();
        let session = session(&folder);
        for sql in [
            "SELECT count(*) FROM profiles",
            "WITH p AS (SELECT id FROM profiles) SELECT a.id FROM p AS a JOIN p AS b ON a.id = b.id ORDER BY a.id LIMIT 1",
            "SELECT id, row_number() OVER (ORDER BY id) FROM profiles WHERE id IN (SELECT id FROM profiles) UNION SELECT 'x', 1",
        ] {
            assert_eq!(refusal(&session, sql), None, "{sql}");
        }
    }

    /// What the engine does not know by name is printed as something else.
    #[test]
    fn the_engine_knows_every_function_that_is_not_the_languages_own() {
        let folder = TempDir::new().unwrap();
        let state = session(&folder).state();
        let is_known = |name: &str| {
            let (scalars, aggregates) = (state.scalar_functions(), state.aggregate_functions());
            scalars.contains_key(name) || aggregates.contains_key(name) || state.window_functions().contains_key(name)
        };
        let unknown = muster_language::functions().map(|(name, _)| name).filter(|name| !is_known(name));
        let own = [
            "affinity",
            "age",
            "bucket",
            "compare",
            "days_between",
            "days_to_anniversary",
            "earliest",
            "every",
            "first",
            "has",
            "has_sequence",
            "is_double",
            "is_email",
            "is_first_of",
            "last",
            "latest",
            "nth",
            "offer_score",
            "overlap",
            "sample",
            "venn",
            "was",
        ];
        assert_eq!(unknown.collect::<BTreeSet<&str>>(), BTreeSet::from(own));
    }

    /// The file is there and readable, so that only the session keeps it closed.
    #[test]
    fn no_file_can_be_read_or_written() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("secret.csv").display().to_string();
        std::fs::write(&file, "a\n1\n").unwrap();
        let missing = format!("the query cannot be answered: table 'muster.public.{file}' not found");
        check(&format!("SELECT * FROM '{file}'"), &missing);
        check(&format!("SELECT * FROM \"{file}\""), &missing);
        for function in ["read_csv", "read_parquet", "read_json", "parquet_metadata"] {
            let missing = format!("the query cannot be answered: table function '{function}' not found");
            check(&format!("SELECT * FROM {function}('{file}')"), &missing);
        }
        let create = format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'");
        check(&create, "a query only reads: CreateExternalTable is not allowed");
        let copy = format!("COPY profiles TO '{file}' STORED AS CSV");
        check(&copy, "a query only reads: CopyTo is not allowed");
    }

    #[test]
    fn no_rows_come_out_of_nothing() {
        check("SELECT * FROM range(9)", "the query cannot be answered: table function 'range' not found");
        check(
            "SELECT * FROM generate_series(1, 9)",
            "the query cannot be answered: table function 'generate_series' not found",
        );
        check(
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
            "the query cannot be answered: Recursive CTEs are not enabled",
        );
    }

    #[test]
    fn no_statement_changes_or_shows_the_engine() {
        for (sql, node) in [
            ("CREATE TABLE t AS SELECT 1 AS x", "CreateMemoryTable"),
            ("CREATE VIEW v AS SELECT 1 AS x", "CreateView"),
            ("CREATE SCHEMA s", "CreateCatalogSchema"),
            ("CREATE DATABASE d", "CreateCatalog"),
            ("CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN $1", "CreateFunction"),
            ("DROP TABLE profiles", "DropTable"),
            ("INSERT INTO profiles VALUES ('x', 1)", "Dml"),
            ("UPDATE profiles SET id = 'x'", "Dml"),
            ("DELETE FROM profiles", "Dml"),
            ("TRUNCATE TABLE profiles", "Dml"),
            ("SET datafusion.execution.time_zone = 'UTC'", "SetVariable"),
            ("RESET datafusion.execution.time_zone", "ResetVariable"),
            ("EXPLAIN SELECT 1", "Explain"),
            ("EXPLAIN ANALYZE SELECT 1", "Analyze"),
            ("DESCRIBE profiles", "DescribeTable"),
            ("PREPARE p AS SELECT 1", "Prepare"),
            ("EXECUTE p", "Execute"),
            ("DEALLOCATE p", "Deallocate"),
            ("COMMIT", "TransactionEnd"),
        ] {
            check(sql, &format!("a query only reads: {node} is not allowed"));
        }
        let unknown = "the query cannot be answered: table 'muster.information_schema.tables' not found";
        check("SELECT * FROM information_schema.tables", unknown);
        let one = "the query cannot be answered: The context currently only supports a single SQL statement";
        check("SELECT 1; DROP TABLE profiles", one);
    }
}
