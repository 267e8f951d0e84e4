//! `muster export`: a segment's profiles, or all tables, into files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::Schema;
use muster_catalog::{Kind, RowSet, TableNames, Timestamp};
use muster_language::{hidden, parse};
use muster_query::Answer;
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
        output::text(&format!("{}: {} profiles of {segment}", file.display(), manifest.rows))?;
    }
    Ok(Exit::Done)
}

fn export(workspace: &Workspace, segment: &str, columns: &[String], file: &Path) -> Result<Manifest> {
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let evaluator = session.evaluator()?;
    let definition = evaluator.definition(segment)?.clone();
    let key =
        evaluator.snapshot().schema("profiles").and_then(|root| root.key.clone()).context("profiles have a key")?;
    let columns = if columns.is_empty() {
        "*".to_owned()
    } else {
        columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
    };
    let text =
        format!("SELECT {columns} FROM profiles WHERE segments.{} ORDER BY {}", quoted(&definition.name), quoted(&key));
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

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every table as one Parquet file, fields as they are as of the workspace's instant, system columns last, of profiles behind
/// them who is on which list and in which segment, instants in UTC: what SQL that was printed as of the same instant runs on
/// elsewhere.
fn tables(workspace: &Workspace, folder: &Path) -> Result<()> {
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let as_of = clock.now();
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), Some(as_of))?;
    let evaluator = session.evaluator()?;
    let snapshot = evaluator.snapshot_as_of(as_of)?;
    let mut sets = lists(&snapshot)?;
    sets.extend(segments(&evaluator, as_of));
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for table in snapshot.schemas() {
        let sets = if table.kind == Kind::Root { sets.as_slice() } else { &[] };
        export_table(&snapshot, table, sets, folder)?;
    }
    Ok(())
}

fn export_table(snapshot: &Snapshot, table: &TableSchema, sets: &[(String, Arc<RowSet>)], folder: &Path) -> Result<()> {
    let own = table.columns.iter().map(|column| column.name.as_str());
    let system = snapshot.system_columns(&table.name);
    let names: Vec<&str> = own.chain(system.iter().map(|column| column.name())).collect();
    let block = |block: usize| -> Result<RecordBatch> {
        let stored = snapshot.scan(&table.name, block, &names)?;
        let rows = snapshot.scan(&table.name, block, &[SystemColumn::Row.name()])?.remove(0);
        let in_sets = sets.iter().map(|(name, members)| (name.as_str(), are_members(&rows, members)));
        let columns: Vec<(&str, ArrayRef)> = names.iter().copied().zip(stored).chain(in_sets).collect();
        Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
    };
    let batches = (0..snapshot.block_count(&table.name)).map(block).collect::<Result<Vec<_>>>()?;
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let file = folder.join(format!("{}.parquet", table.name));
    output::file(&Answer { schema, batches }, &file)?;
    output::text(&format!("{}: {} rows", file.display(), snapshot.row_count(&table.name)))
}

/// The column of profiles for each list, and who is on it.
fn lists(snapshot: &Snapshot) -> Result<Vec<(String, Arc<RowSet>)>> {
    let names = snapshot.schemas().map(TableSchema::names).collect::<Vec<_>>();
    let named = names.iter().filter_map(TableNames::list_name);
    named.map(|name| Ok((hidden::list(name), Arc::new(snapshot.profiles_on(name)?)))).collect()
}

/// The column of profiles for each segment, and who is in it; none of a segment that has no answer, which is said: the
/// tables are whole without it.
fn segments(evaluator: &Evaluator<'_>, as_of: Timestamp) -> Vec<(String, Arc<RowSet>)> {
    let names = evaluator.definitions().map(|definition| definition.name.as_str());
    let column = |name: &str| match evaluator.rows(name, as_of) {
        Ok(rows) => Some((hidden::segment(name), rows)),
        Err(error) => {
            eprintln!("without the segment {name}: {error}");
            None
        }
    };
    names.filter_map(column).collect()
}

fn are_members(rows: &ArrayRef, members: &RowSet) -> ArrayRef {
    let is_member = |row: &i64| Some(members.contains(u32::try_from(*row).ok()?));
    Arc::new(rows.as_primitive::<Int64Type>().values().iter().map(is_member).collect::<BooleanArray>())
}
