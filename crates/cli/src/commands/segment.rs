//! `muster segment`: one segment, the keys of its profiles, who came and who went, or what each condition leaves.

use anyhow::Result;
use muster_language::Statement;
use muster_segment::{Outcome, Session};

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
        return members(arguments, wanted, &session);
    }
    let name = wanted.name.clone();
    let shown = match (wanted.history, wanted.explain) {
        (true, _) => Outcome::Answer(session.history_rows(&name)?),
        (_, true) => session.execute(Statement::ExplainSegment { name })?,
        _ => session.execute(Statement::DescribeSegment { name })?,
    };
    let format = if arguments.json { RowFormat::Json } else { RowFormat::Table };
    super::sql::print(&shown, format, &workspace)?;
    Ok(Exit::Done)
}

fn members(arguments: &Arguments, wanted: &Segment, session: &Session<'_>) -> Result<Exit> {
    let evaluator = session.evaluator()?;
    let keys = evaluator.keys(evaluator.profiles(&wanted.name, session.as_of())?.as_ref())?;
    if arguments.json {
        output::document(&keys)?
    } else {
        output::text(&keys.join("\n"))?
    }
    Ok(Exit::Done)
}
