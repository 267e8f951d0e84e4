//! `muster segment`: one segment, the keys of its profiles or rows, who came and who went, what each condition leaves, and
//! why somebody is in it.

mod document;
mod of;

use anyhow::{Context, Result};
use muster_language::{Statement, parse, parse_definition};
use muster_segment::{Definition, Difference, Evaluator, Outcome, Session};

use super::export::quoted;
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
    if let Some(difference) = difference(wanted, &session, &workspace)? {
        return moves(arguments, wanted, &difference, &workspace);
    }
    if !wanted.of.is_empty() {
        return of::run(arguments, wanted, &session);
    }
    if let (Some(key), true) = (&wanted.for_key, arguments.json) {
        let why = session.explanation(&wanted.name, key)?;
        output::document(&document::explanation(&why, &workspace))?;
        return Ok(Exit::Done);
    }
    if wanted.members {
        return members(arguments, wanted, &mut session, &workspace);
    }
    let name = wanted.name.clone();
    let shown = match (&wanted.for_key, wanted.history, wanted.explain) {
        (Some(key), ..) => session.execute(Statement::ExplainSegmentFor { name, key: key.clone() })?,
        (None, true, _) => Outcome::Answer(session.history_rows(&name)?),
        (None, _, true) => session.execute(Statement::ExplainSegment { name })?,
        _ => session.execute(Statement::DescribeSegment { name })?,
    };
    super::sql::print(&shown, format(arguments), &workspace)?;
    Ok(Exit::Done)
}

fn format(arguments: &Arguments) -> RowFormat {
    if arguments.json { RowFormat::Json } else { RowFormat::Table }
}

fn members(arguments: &Arguments, wanted: &Segment, session: &mut Session<'_>, workspace: &Workspace) -> Result<Exit> {
    let evaluator = session.evaluator()?;
    let definition = evaluator.definition(&wanted.name)?;
    if evaluator.grain(definition) != "profiles" {
        let query = rows_of(&evaluator, definition)?;
        let format = if arguments.json { RowFormat::Json } else { RowFormat::Csv };
        super::sql::print(&session.execute(query)?, format, workspace)?;
        return Ok(Exit::Done);
    }
    let keys = evaluator.keys(evaluator.rows(&wanted.name, session.as_of())?.as_ref())?;
    if arguments.json {
        output::document(&keys)?
    } else {
        output::text(&keys.join("\n"))?
    }
    Ok(Exit::Done)
}

/// Of a segment of rows: their keys, each with the key of the profile that owns it.
fn rows_of(evaluator: &Evaluator<'_>, definition: &Definition) -> Result<Statement> {
    let grain = evaluator.grain(definition);
    let key = |table: &str| {
        let key = evaluator.snapshot().schema(table).and_then(|schema| schema.key.clone());
        key.map(|key| quoted(&key)).with_context(|| format!("{table} has no key"))
    };
    let (row, owner) = (key(grain)?, key("profiles")?);
    let (grain, name) = (quoted(grain), quoted(&definition.name));
    let text = format!("SELECT {row}, profiles.{owner} AS profile FROM {grain} WHERE segments.{name} ORDER BY 1");
    Ok(parse(&text)?)
}

/// How its members differ, where that is asked for.
fn difference(wanted: &Segment, session: &Session<'_>, workspace: &Workspace) -> Result<Option<Difference>> {
    if let Some(definition) = &wanted.with_definition {
        return Ok(Some(session.difference_with(&wanted.name, parse_definition(definition)?)?));
    }
    let Some(from) = &wanted.from else { return Ok(None) };
    let instant = |text: &str| super::sql::instant(text, workspace);
    let to = wanted.to.as_deref().map_or_else(|| Ok(session.as_of()), instant)?;
    Ok(Some(session.difference_between(&wanted.name, instant(from)?, to)?))
}

fn moves(arguments: &Arguments, wanted: &Segment, difference: &Difference, workspace: &Workspace) -> Result<Exit> {
    if arguments.json {
        output::document(&document::difference(difference))?;
        return Ok(Exit::Done);
    }
    let rows = if wanted.members { difference.listed()? } else { difference.counted()? };
    super::sql::print(&Outcome::Answer(rows), RowFormat::Table, workspace)?;
    Ok(Exit::Done)
}
