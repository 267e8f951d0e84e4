//! `muster status`: what is loaded, how old it is, and what is on its way.
//!
//! `standing` reads it into one document, `loads` what earlier loads reported, `campaigns` what goes out next and what is
//! stuck, `words` says it to people; `page` writes the health of the data as a page.

use anyhow::Result;
use muster_catalog::Timestamp;
use muster_segment::Session;

use crate::arguments::{Arguments, Status};
use crate::exit::Exit;
use crate::output;
use crate::workspace::{OpenedReading, PATIENT, Workspace, engine};

mod standing;

mod loads;

mod campaigns;

pub mod words;

mod page;

/// How many loads are shown where nobody says how many.
pub const LOADS: u32 = 5;

/// Shows how the workspace stands.
///
/// # Errors
/// If there is nothing yet, or the state cannot be read.
pub fn run(arguments: &Arguments, wanted: &Status) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    if let Some(file) = &wanted.html {
        return page::write(&workspace, file, arguments.json);
    }
    match wanted.loads {
        Some(most) => history(&workspace, most, arguments.json),
        None => whole(&workspace, arguments.json),
    }
}

fn whole(workspace: &Workspace, json: bool) -> Result<Exit> {
    let standing = standing::read(workspace)?;
    if json {
        output::document(&standing)?;
    } else {
        output::text(&words::standing(&standing))?;
    }
    Ok(Exit::Done)
}

fn history(workspace: &Workspace, most: u32, json: bool) -> Result<Exit> {
    let opened = workspace.open_reading()?;
    let loads = opened.reader.read(|tx| loads::read(tx, most, workspace))?;
    if json {
        output::document(&loads)?;
    } else {
        output::text(&words::history(&loads))?;
    }
    Ok(Exit::Done)
}

/// An instant as people of the workspace write it.
fn local(workspace: &Workspace, instant: Timestamp) -> String {
    instant.rfc3339(workspace.catalog.workspace.time_zone)
}

/// Does `work` with an evaluator over the newest snapshot; nothing where there is none.
fn with_session<T>(
    workspace: &Workspace,
    opened: &OpenedReading,
    work: impl FnOnce(&Session<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if opened.store.snapshot().is_none() {
        return Ok(None);
    }
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let bench = opened.workbench(workspace, &engine, clock.as_ref());
    work(&Session::new(bench, Some(clock.now()))?).map(Some)
}
