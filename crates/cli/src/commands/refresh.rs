//! `muster refresh`: segments are evaluated again, and their audiences kept; scores that are learnt are computed again.

use anyhow::{Result, bail};
use muster_segment::{Outcome, Session};

use crate::arguments::{Arguments, Refresh, RowFormat};
use crate::commands::score;
use crate::exit::Exit;
use crate::handover::{self, Writing};
use crate::output;
use crate::workspace::{Opened, PATIENT, Workspace, engine};

/// Has segments or scores refreshed, by a running `muster serve` or here.
///
/// # Errors
/// If there is no such segment, or one cannot be evaluated.
pub fn run(arguments: &Arguments, wanted: &Refresh) -> Result<Exit> {
    handover::carry_out(arguments, &Writing::Refresh(wanted.clone()))
}

/// Refreshes the named segments or scores, or all, or those that are due; one that cannot be evaluated does not hold up the
/// others. Scores come before segments, which may name them.
///
/// # Errors
/// As [`run`], after the others are refreshed.
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Refresh) -> Result<Exit> {
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let mut failed = Vec::new();
    if wanted.scores || wanted.due {
        let names = scores(&session, wanted)?;
        failed.extend(score::compute(workspace, &session, &names, false).err().map(|error| error.to_string()));
        if wanted.scores && names.is_empty() {
            output::text(if wanted.due { "no score is due" } else { "there are no scores" })?;
        }
    }
    if !wanted.scores {
        let names = segments(&session, wanted)?;
        if names.is_empty() {
            output::text(if wanted.due { "no segment is due" } else { "there are no segments" })?;
        }
        for name in names {
            match session.refresh(&name) {
                Ok(audience) => super::sql::print(&Outcome::Refreshed(audience), RowFormat::Table, workspace)?,
                Err(error) => failed.push(format!("segment {name}: {error}")),
            }
        }
    }
    if failed.is_empty() { Ok(Exit::Done) } else { bail!("{}", failed.join("\n")) }
}

fn segments(session: &Session<'_>, wanted: &Refresh) -> Result<Vec<String>> {
    Ok(match wanted {
        Refresh { due: true, .. } => session.due()?,
        Refresh { names, .. } if !names.is_empty() => names.clone(),
        Refresh { .. } => session.evaluator()?.definitions().map(|definition| definition.name.clone()).collect(),
    })
}

fn scores(session: &Session<'_>, wanted: &Refresh) -> Result<Vec<score::Wanted>> {
    if !wanted.names.is_empty() {
        let needed = |name: &String| score::Wanted { name: name.clone(), is_needed: true };
        return Ok(wanted.names.iter().map(needed).collect());
    }
    Ok(score::all(session.scores()?.into_iter().filter(|standing| standing.is_due || !wanted.due).collect()))
}
