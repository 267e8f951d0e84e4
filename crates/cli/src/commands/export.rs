//! `muster export`: a segment's profiles, or all tables, into files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};
use muster_catalog::{ColumnType, Names, Timestamp};
use muster_language::parse;
use muster_query::{Answer, Computed};
use muster_segment::{Evaluator, Outcome, Session};
use muster_store::{Snapshot, SystemColumn, TableSchema};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::arguments::{Arguments, Export};
use crate::exit::Exit;
use crate::output;
use crate::workspace::{PATIENT, Workspace, engine};

/// What an exported file holds: stands beside it as FILE.manifest.json.
#[derive(Serialize)]
struct Manifest {
    segment: String,
    definition: String,
    snapshot: u64,
    as_of: String,
    rows: usize,
    columns: Vec<String>,
    sha256: String,
}

/// Exports what the arguments name.
///
/// # Errors
/// If there is no such segment or column, or a file cannot be written.
pub fn run(arguments: &Arguments, wanted: &Export) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    if let Some(folder) = &wanted.tables {
        tables(&workspace, folder)?;
        return Ok(Exit::Done);
    }
    let segment = wanted.segment.as_deref().context("the name of a segment is missing")?;
    let file = wanted.to.as_deref().context("--to FILE is missing")?;
    let manifest = export(&workspace, segment, &wanted.columns, file)?;
    if arguments.json {
        output::document(&manifest)?;
    } else {
        output::text(&format!("{}: {} rows of {segment}", file.display(), manifest.rows))?;
    }
    Ok(Exit::Done)
}

fn export(workspace: &Workspace, segment: &str, columns: &[String], file: &Path) -> Result<Manifest> {
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let evaluator = session.evaluator()?;
    let definition = evaluator.definition(segment)?.clone();
    let grain = evaluator.grain(&definition);
    let key = evaluator.snapshot().schema(grain).and_then(|table| table.key.clone());
    let key = key.with_context(|| format!("{grain} has no key"))?;
    let columns = if columns.is_empty() {
        "*".to_owned()
    } else {
        columns.iter().map(|name| selected(evaluator.names(), name)).collect::<Vec<_>>().join(", ")
    };
    let (from, name) = (quoted(grain), quoted(&definition.name));
    let text = format!("SELECT {columns} FROM {from} WHERE segments.{name} ORDER BY {}", quoted(&key));
    let Outcome::Answer(answer) = session.execute(parse(&text)?)? else { unreachable!("a SELECT has an answer") };
    output::file(&answer, file)?;
    let manifest = Manifest {
        segment: definition.name.clone(),
        definition: definition.text(),
        snapshot: evaluator.snapshot().number(),
        as_of: session.as_of().rfc3339(workspace.catalog.workspace.time_zone),
        rows: answer.row_count(),
        columns: answer.schema.fields().iter().map(|field| field.name().clone()).collect(),
        sha256: Sha256::digest(fs::read(file)?).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let beside = file.with_added_extension("manifest.json");
    fs::write(&beside, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    Ok(manifest)
}

/// A column as it is asked for: one of the table, or `score.column` under that name.
fn selected(names: &Names, name: &str) -> String {
    match name.split_once('.').filter(|(score, _)| names.score(score).is_some()) {
        Some((score, column)) => format!("{}.{} AS {}", quoted(score), quoted(column), quoted(name)),
        None => quoted(name),
    }
}

/// A name as the language reads it, whatever its characters are.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every table as one Parquet file, fields as they were as of the workspace's instant, system columns last, behind them what
/// queries may name beside what is stored (segments, audiences, lists, variables, scores), instants in UTC, and what is bought
/// together in tables of its own: what SQL that was printed as of the same instant runs on elsewhere.
fn tables(workspace: &Workspace, folder: &Path) -> Result<()> {
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let evaluator = session.evaluator()?;
    let snapshot = evaluator.snapshot_as_of(session.as_of())?;
    let computed = computed(&evaluator, session.as_of());
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for table in snapshot.schemas() {
        let of_table: Vec<&Computed> = computed.iter().filter(|computed| computed.table == table.name).collect();
        let block = |block| whole_block(&snapshot, table, block, &of_table);
        let batches = (0..snapshot.block_count(&table.name)).map(block).collect::<Result<Vec<_>>>()?;
        let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let file = folder.join(format!("{}.parquet", table.name));
        output::file(&Answer { schema, batches }, &file)?;
        output::text(&format!("{}: {} rows", file.display(), snapshot.row_count(&table.name)))?;
    }
    for (name, rows) in evaluator.affinity_tables(session.as_of())? {
        let file = folder.join(format!("{name}.parquet"));
        let count = rows.num_rows();
        output::file(&Answer { schema: rows.schema(), batches: vec![rows] }, &file)?;
        output::text(&format!("{}: {count} rows", file.display()))?;
    }
    Ok(())
}

/// What queries may name beside what is stored. What has no answer is said: the tables are whole without it.
fn computed(evaluator: &Evaluator<'_>, as_of: Timestamp) -> Vec<Computed> {
    let (columns, without) = evaluator.all_columns(as_of);
    for (item, error) in without {
        eprintln!("without {item}: {error}");
    }
    columns
}

fn whole_block(snapshot: &Snapshot, table: &TableSchema, block: usize, computed: &[&Computed]) -> Result<RecordBatch> {
    let own = table.columns.iter().map(|column| column.name.as_str());
    let system = snapshot.system_columns(&table.name);
    let names: Vec<&str> = own.chain(system.iter().map(|column| column.name())).collect();
    let stored = names.iter().copied().zip(snapshot.scan(&table.name, block, &names)?);
    let mut columns: Vec<(&str, ArrayRef)> = stored.collect();
    if !computed.is_empty() {
        let rows = snapshot.scan(&table.name, block, &[SystemColumn::Row.name()])?.remove(0);
        let numbers = rows.as_primitive::<Int64Type>().values();
        for Computed { column, content, .. } in computed {
            columns.push((column, in_utc(content.of(numbers)?)?));
        }
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

/// Instants have the workspace's zone inside the engine, and in files UTC.
fn in_utc(column: ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Timestamp(..) => Ok(arrow_cast::cast(&column, &ColumnType::Timestamp.arrow())?),
        _ => Ok(column),
    }
}
