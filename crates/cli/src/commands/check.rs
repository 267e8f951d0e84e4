//! `muster check`: reads everything, changes nothing; with `--write` the types that it found are declared.

use std::fs;

use anyhow::{Context, Result};
use muster_catalog::{ColumnNames, Kind, Table};
use muster_ingest::guess::{Declaration, Doubt, Examination, declare};
use muster_ingest::{Intake, Origin, TableLoad, read, source_files};
use muster_segment::{NewDefinition, Session};
use serde_json::{Value, json};

use crate::arguments::{Arguments, Check};
use crate::campaigns;
use crate::exit::Exit;
use crate::output;
use crate::queries;
use crate::sending::{channels, templates};
use crate::workspace::{DEFINITION, PATIENT, Workspace, engine};

/// Lists every problem of sources, queries, campaigns and templates, and what is doubtful in the data; a muster.toml that
/// is not in order ends it.
///
/// # Errors
/// If there is no workspace, its muster.toml is not in order, or what was inferred cannot be written into it.
pub fn run(arguments: &Arguments, check: &Check) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let mut findings = tables(&workspace);
    findings.problems.extend(query_problems(&workspace));
    findings.problems.extend(score_problems(&workspace).unwrap_or_else(|error| vec![format!("{error:#}")]));
    findings.problems.extend(campaign_problems(&workspace));
    if check.write {
        findings.written = written(&workspace, &mut findings)?;
    }
    tell(arguments, &findings)?;
    Ok(if findings.problems.is_empty() { Exit::Done } else { Exit::Problems })
}

/// What was found.
#[derive(Default)]
struct Findings {
    problems: Vec<String>,
    doubts: Vec<Doubt>,
    inferred: Vec<Declaration>,
    /// How many of the inferred types were written down.
    written: usize,
}

fn tell(arguments: &Arguments, findings: &Findings) -> Result<()> {
    if arguments.json {
        return output::document(&document(findings));
    }
    let mut lines = findings.problems.clone();
    if lines.is_empty() {
        lines.push("everything is in order".to_owned());
    }
    if !findings.doubts.is_empty() {
        lines.push("doubtful:".to_owned());
        lines.extend(findings.doubts.iter().map(|doubt| format!("  {doubt}")));
    }
    if findings.written > 0 {
        lines.push(format!("{} types were written into {DEFINITION}", findings.written));
    }
    output::text(&lines.join("\n"))
}

fn document(findings: &Findings) -> Value {
    let doubt = |doubt: &Doubt| json!({"table": doubt.table, "column": doubt.column, "text": doubt.text});
    let inferred = |found: &Declaration| {
        let column_type = found.column_type.to_string();
        json!({"table": found.table, "column": found.column, "type": column_type, "why": found.why})
    };
    json!({
        "problems": findings.problems,
        "doubtful": findings.doubts.iter().map(doubt).collect::<Vec<_>>(),
        "inferred": findings.inferred.iter().map(inferred).collect::<Vec<_>>(),
        "written": findings.written,
    })
}

/// Reads the files of all tables as a load would, and keeps nothing.
fn tables(workspace: &Workspace) -> Findings {
    let mut findings = Findings::default();
    let mut examination = Examination::default();
    let now = workspace.clock().now();
    for table in workspace.catalog.parents_first() {
        match load(workspace, table) {
            Err(error) => findings.problems.push(format!("{}: {error:#}", table.title())),
            Ok(load) => {
                examination.note(&workspace.catalog, table, &load, now);
                findings.doubts.extend(rejected(table, &load));
                // A list has no columns to declare: its key is what the profiles' key is.
                if table.kind != Kind::List {
                    findings.inferred.extend(inferred(table, &load));
                }
            }
        }
    }
    findings.doubts.extend(examination.doubts());
    findings
}

fn load(workspace: &Workspace, table: &Table) -> Result<TableLoad> {
    let files = source_files(&workspace.dir, table)?;
    let known = known(workspace, table).unwrap_or_default();
    let intake = Intake { catalog: &workspace.catalog, table, known: &known };
    Ok(read(&intake, &files, &mut ())?)
}

/// The columns that an earlier load found.
fn known(workspace: &Workspace, table: &Table) -> Option<Vec<ColumnNames>> {
    let opened = workspace.open_reading().ok()?;
    let snapshot = opened.store.snapshot()?;
    Some(snapshot.schema(&table.name)?.names().columns)
}

fn rejected(table: &Table, load: &TableLoad) -> Option<Doubt> {
    let kinds: Vec<String> = load.report.rejected.iter().map(|kind| format!("{} {}", kind.rows, kind.kind)).collect();
    let rows = load.report.rejected_rows();
    let first = load.report.rejects.first().map(ToString::to_string).unwrap_or_default();
    let text = format!("{rows} of {} rows are rejected: {}; the first is {first}", load.report.read, kinds.join(", "));
    (rows > 0).then(|| Doubt { table: table.name.clone(), column: None, text })
}

fn inferred(table: &Table, load: &TableLoad) -> Vec<Declaration> {
    let inferred = load.report.columns.iter().filter_map(|column| match &column.origin {
        Origin::Inferred(why) => Some(Declaration {
            table: table.name.clone(),
            column: column.name.clone(),
            column_type: column.column_type,
            why: why.clone(),
        }),
        _ => None,
    });
    inferred.collect()
}

/// Puts the inferred types into muster.toml; those for which it has no place become problems.
fn written(workspace: &Workspace, findings: &mut Findings) -> Result<usize> {
    let path = workspace.dir.join(DEFINITION);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (changed, left) = declare(&text, &findings.inferred);
    findings.problems.extend(left.iter().map(|left| {
        format!("[tables.{}.columns]: no place to write that `{}` is {}", left.table, left.column, left.column_type)
    }));
    if changed != text {
        let unfinished = path.with_added_extension("unfinished");
        fs::write(&unfinished, &changed).with_context(|| format!("cannot write {}", unfinished.display()))?;
        fs::rename(&unfinished, &path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(findings.inferred.len() - left.len())
}

/// Definitions are resolved against what is loaded; before the first load only their texts can be checked.
fn query_problems(workspace: &Workspace) -> Vec<String> {
    if !workspace.dir.join("queries").is_dir() {
        return Vec::new();
    }
    let definitions = match queries::definitions(workspace, &[]) {
        Ok(definitions) => definitions,
        Err(error) => return vec![format!("{error:#}")],
    };
    resolved(workspace, definitions).unwrap_or_else(|error| vec![format!("{error:#}")])
}

fn resolved(workspace: &Workspace, definitions: Vec<NewDefinition>) -> Result<Vec<String>> {
    over_what_is_loaded(workspace, |session| Ok(session.problems(definitions)))
}

fn score_problems(workspace: &Workspace) -> Result<Vec<String>> {
    let told = |error| format!("{:#}", anyhow::Error::new(error));
    over_what_is_loaded(workspace, |session| Ok(session.score_faults()?.into_iter().map(told).collect()))
}

/// What `look` finds over the newest snapshot; nothing where there is none.
fn over_what_is_loaded(
    workspace: &Workspace,
    look: impl FnOnce(&Session<'_>) -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    if !workspace.data().is_dir() {
        return Ok(Vec::new());
    }
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    if opened.store.snapshot().is_none() {
        return Ok(Vec::new());
    }
    look(&Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?)
}

fn campaign_problems(workspace: &Workspace) -> Vec<String> {
    let mut problems = Vec::new();
    let templates = match templates(workspace) {
        Ok(templates) => templates,
        Err(error) => return vec![format!("{error:#}")],
    };
    problems.extend(channels(workspace, &templates).err().map(|error| format!("{error:#}")));
    for name in campaigns::names(workspace) {
        problems.extend(campaigns::problems(workspace, &templates, &name));
    }
    problems
}
