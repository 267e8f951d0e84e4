//! `muster apply`: what queries/ defines becomes what muster knows.

use anyhow::Result;
use muster_segment::Session;

use crate::arguments::{Apply, Arguments, RowFormat};
use crate::exit::Exit;
use crate::queries;
use crate::workspace::{PATIENT, Workspace, engine};

/// Creates or replaces every segment of the files, all or none, and says how definition and count differ.
///
/// # Errors
/// If a file or definition is not in order.
pub fn run(arguments: &Arguments, wanted: &Apply) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let definitions = queries::definitions(&workspace, &wanted.paths)?;
    let opened = workspace.open()?;
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(&workspace, &engine, clock.as_ref()), workspace.as_of)?;
    for outcome in session.define_all(definitions, true)? {
        super::sql::print(&outcome, RowFormat::Table, &workspace)?;
    }
    Ok(Exit::Done)
}
