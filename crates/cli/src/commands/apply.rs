//! `muster apply`: what queries/ defines becomes what muster knows.

use anyhow::Result;
use muster_segment::Session;

use crate::arguments::{Apply, Arguments, RowFormat};
use crate::exit::Exit;
use crate::handover::{self, Writing, absolute};
use crate::queries;
use crate::workspace::{Opened, PATIENT, Workspace, engine};

/// Has the segments of the files created or replaced, by a running `muster serve` or here.
///
/// # Errors
/// If a file or definition is not in order.
pub fn run(arguments: &Arguments, wanted: &Apply) -> Result<Exit> {
    let paths = wanted.paths.iter().map(|path| absolute(path)).collect::<Result<_>>()?;
    handover::carry_out(arguments, &Writing::Apply(Apply { paths }))
}

/// Creates or replaces every segment of the files, all or none, and says how definition and count differ.
///
/// # Errors
/// As [`run`].
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Apply) -> Result<Exit> {
    let definitions = queries::definitions(workspace, &wanted.paths)?;
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    for outcome in session.define_all(definitions, true)? {
        super::sql::print(&outcome, RowFormat::Table, workspace)?;
    }
    Ok(Exit::Done)
}
