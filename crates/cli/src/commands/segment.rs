//! `muster segment`: one segment, or the keys of its profiles.

use anyhow::Result;
use muster_language::Statement;
use muster_segment::Session;

use crate::arguments::{Arguments, RowFormat, Segment};
use crate::exit::Exit;
use crate::output;
use crate::workspace::{PATIENT, Workspace, engine};

/// Shows a segment.
///
/// # Errors
/// If there is no such segment, or it cannot be evaluated.
pub fn run(arguments: &Arguments, wanted: &Segment) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(&workspace, &engine, clock.as_ref()), workspace.as_of)?;
    if wanted.members {
        let evaluator = session.evaluator()?;
        let keys = evaluator.keys(evaluator.rows(&wanted.name, session.as_of())?.as_ref())?;
        if arguments.json {
            output::document(&keys)?
        } else {
            output::text(&keys.join("\n"))?
        }
        return Ok(Exit::Done);
    }
    let format = if arguments.json { RowFormat::Json } else { RowFormat::Table };
    let described = session.execute(Statement::DescribeSegment { name: wanted.name.clone() })?;
    super::sql::print(&described, format, &workspace)?;
    Ok(Exit::Done)
}
