//! `muster refresh`: segments are evaluated again, and their audiences kept.

use anyhow::{Result, bail};
use muster_segment::{Outcome, Session};

use crate::arguments::{Arguments, Refresh, RowFormat};
use crate::exit::Exit;
use crate::handover::{self, Writing};
use crate::output;
use crate::workspace::{Opened, PATIENT, Workspace, engine};

/// Has segments refreshed, by a running `muster serve` or here.
///
/// # Errors
/// If there is no such segment, or one cannot be evaluated.
pub fn run(arguments: &Arguments, wanted: &Refresh) -> Result<Exit> {
    handover::carry_out(arguments, &Writing::Refresh(wanted.clone()))
}

/// Refreshes the named segments, or all, or those that are due; one that cannot be evaluated does not hold up the others.
///
/// # Errors
/// As [`run`], after the others are refreshed.
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Refresh) -> Result<Exit> {
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let names = match wanted {
        Refresh { due: true, .. } => session.due()?,
        Refresh { names, .. } if !names.is_empty() => names.clone(),
        Refresh { .. } => session.evaluator()?.definitions().map(|definition| definition.name.clone()).collect(),
    };
    if names.is_empty() {
        output::text(if wanted.due { "no segment is due" } else { "there are no segments" })?;
    }
    let mut failed = Vec::new();
    for name in names {
        match session.refresh(&name) {
            Ok(audience) => super::sql::print(&Outcome::Refreshed(audience), RowFormat::Table, workspace)?,
            Err(error) => failed.push(format!("segment {name}: {error}")),
        }
    }
    if failed.is_empty() { Ok(Exit::Done) } else { bail!("{}", failed.join("\n")) }
}
