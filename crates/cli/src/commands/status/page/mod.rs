//! `muster status --html FILE`: the health of the data as one page that needs nothing beside it.
//!
//! `sections` says what stands on it, `chart` draws growth. The page depends on
//! the stored data, the loads and the instant given alone: the same again is the same bytes.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use muster_segment::{Classes, Health};
use serde::Serialize;

use super::loads::{self, PastLoad};
use super::{local, with_session};
use crate::exit::Exit;
use crate::workspace::Workspace;
use crate::{output, page};

mod sections;

mod chart;

/// How many loads the page tells.
const LOADS: u32 = 30;

/// What the page tells.
struct Findings {
    workspace: String,
    /// What the future is later than.
    now: String,
    snapshot: Option<(u64, String)>,
    health: Option<Health>,
    /// The newest first.
    loads: Vec<PastLoad>,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    html: String,
    bytes: usize,
}

/// Writes the page to `file`.
///
/// # Errors
/// If there is nothing yet, the data cannot be read, or the file cannot be written.
pub fn write(workspace: &Workspace, file: &Path, json: bool) -> Result<Exit> {
    let page = sections::page(&findings(workspace)?);
    page::write(&page, file)?;
    let written = Written { html: file.display().to_string(), bytes: page.len() };
    if json {
        output::document(&written)?;
    } else {
        output::text(&format!("{}: the health of the data of {}", written.html, workspace.catalog.workspace.name))?;
    }
    Ok(Exit::Done)
}

fn findings(workspace: &Workspace) -> Result<Findings> {
    let opened = workspace.open_reading()?;
    let zone = workspace.catalog.workspace.time_zone;
    let classes = Classes::declared(&workspace.catalog);
    let looked_at = with_session(workspace, &opened, |session| {
        let evaluator = session.evaluator()?;
        let snapshot = Arc::clone(evaluator.snapshot());
        let health = Health::of(&evaluator, session.as_of(), zone, &classes)?;
        Ok(((snapshot.number(), local(workspace, snapshot.at())), health))
    })?;
    let (snapshot, health) = looked_at.unzip();
    let loads = opened.reader.read(|tx| loads::read(tx, LOADS, workspace))?;
    let now = health.as_ref().map_or_else(|| workspace.clock().now(), |health: &Health| health.now);
    let now = local(workspace, now);
    Ok(Findings { workspace: workspace.catalog.workspace.name.clone(), now, snapshot, health, loads })
}
