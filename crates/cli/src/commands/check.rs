//! `muster check`: reads everything, changes nothing.

use anyhow::Result;
use muster_ingest::expand_sources;
use muster_language::SegmentDefinition;
use muster_segment::Session;

use crate::arguments::Arguments;
use crate::campaigns;
use crate::exit::Exit;
use crate::output;
use crate::queries;
use crate::sending::{channels, templates};
use crate::workspace::{PATIENT, Workspace, engine};

/// Lists every problem of sources, queries, campaigns and templates; a muster.toml that is not in order ends it.
///
/// # Errors
/// If there is no workspace, or its muster.toml is not in order.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let mut problems = Vec::new();
    for table in &workspace.catalog.tables {
        problems.extend(
            expand_sources(&workspace.dir, &table.source)
                .err()
                .map(|error| format!("[tables.{}]: {error}", table.name)),
        );
    }
    problems.extend(query_problems(&workspace));
    problems.extend(campaign_problems(&workspace));
    if arguments.json {
        output::document(&problems)?;
    } else if problems.is_empty() {
        output::text("everything is in order")?;
    } else {
        output::text(&problems.join("\n"))?;
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Problems })
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

fn resolved(workspace: &Workspace, definitions: Vec<SegmentDefinition>) -> Result<Vec<String>> {
    if !workspace.data().is_dir() {
        return Ok(Vec::new());
    }
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    if opened.store.snapshot().is_none() {
        return Ok(Vec::new());
    }
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    Ok(session.problems(definitions))
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
