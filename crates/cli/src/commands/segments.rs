//! `muster segments`: every segment with its count and age, from the state file alone.

use anyhow::Result;
use muster_language::Statement;
use muster_segment::Session;

use crate::arguments::{Arguments, RowFormat};
use crate::exit::Exit;
use crate::workspace::{PATIENT, Workspace, engine};

/// Lists the segments.
///
/// # Errors
/// If nothing was loaded yet, or the state cannot be read.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(&workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let format = if arguments.json { RowFormat::Json } else { RowFormat::Table };
    super::sql::print(&session.execute(Statement::ShowSegments)?, format, &workspace)?;
    Ok(Exit::Done)
}
