//! `muster sql`: statements from an argument, a file, or standard input; on a terminal the prompt.

mod prompt;

mod desk;

mod line;

mod history;

mod shortcut;

mod completion;

mod showing;

mod table;

mod timing;
pub use timing::time;

mod waiting;

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use muster_catalog::{Timestamp, parse_local};
use muster_language::{Statement, parse_piece, split_statements};
use muster_query::Back;
use muster_segment::{Classes, Grants, Outcome, Session, Workbench, class_of};
use muster_server::Client;

use self::showing::Showing;
use crate::arguments::{Arguments, RowFormat, Sql};
use crate::exit::Exit;
use crate::handover::{self, Caller, Statements, Writing};
use crate::workspace::{Opened, Workspace, engine, engine_alone};

/// Runs statements one by one; the first that fails ends it. Where a person will type them, until they leave.
///
/// # Errors
/// If a statement is not in order or fails.
pub fn run(arguments: &Arguments, wanted: &Sql) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let format = if arguments.json { RowFormat::Json } else { wanted.format };
    match text(wanted)? {
        Some(text) => {
            let (timeout, grant) = (wanted.timeout, wanted.grant.clone());
            let statements = Statements { text, format, timeout, as_of: None, grant };
            let showing = Showing::here(format).timed(wanted.timing);
            run_all(workspace, &Caller::of(arguments), statements, (&showing, wanted.back()))
        }
        None => prompt::run(workspace, arguments, format, wanted),
    }
}

/// The statements; none where a person will type them.
fn text(wanted: &Sql) -> Result<Option<String>> {
    if let Some(text) = &wanted.command {
        return Ok(Some(text.clone()));
    }
    if let Some(path) = &wanted.file {
        return fs::read_to_string(path).map(Some).with_context(|| format!("cannot read {}", path.display()));
    }
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("cannot read the statements")?;
    Ok(Some(text))
}

/// All statements are parsed before the first runs, so that a slip in the last changes nothing.
fn run_all(
    workspace: Workspace,
    caller: &Caller,
    wanted: Statements,
    (showing, back): (&Showing, Back),
) -> Result<Exit> {
    if parsed(&wanted.text)?.iter().any(Session::writes) {
        return handover::carry_out_in(&workspace, caller, &Writing::Sql(wanted));
    }
    let engine = engine_alone(wanted.timeout)?.with_back(back);
    let (opened, clock) = (workspace.open_reading()?, workspace.clock());
    let bench = opened.workbench(&workspace, &engine, clock.as_ref());
    let session = session(bench, &workspace, None, classes(&workspace, wanted.grant.as_deref()))?;
    execute(session, &wanted.text, showing, &workspace)
}

/// Runs statements of which some write; no longer than `client` is there.
///
/// # Errors
/// If a statement is not in order or fails; those before it stay done.
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Statements, client: &Client) -> Result<Exit> {
    parsed(&wanted.text)?;
    let (clock, engine) = (workspace.clock(), engine(wanted.timeout)?);
    let stopper = engine.stopper();
    client.when_gone(move || stopper.end());
    let as_of = wanted.as_of.as_deref().map(|text| instant(text, workspace)).transpose()?;
    let bench = opened.workbench(workspace, &engine, clock.as_ref());
    let session = session(bench, workspace, as_of, classes(workspace, wanted.grant.as_deref()))?;
    // Where it is printed is another process's to know.
    execute(session, &wanted.text, &Showing::plain(wanted.format), workspace)
}

fn parsed(text: &str) -> Result<Vec<Statement>> {
    Ok(split_statements(text).iter().map(parse_piece).collect::<Result<Vec<_>, _>>()?)
}

/// An instant as a person writes it in this workspace.
///
/// # Errors
/// If the text is none.
pub fn instant(text: &str, workspace: &Workspace) -> Result<Timestamp> {
    parse_local(text, workspace.catalog.workspace.time_zone).map_err(|error| anyhow!("\"{text}\" is {error}"))
}

/// A session that looks at `as_of`, else where the workspace does.
fn session<'a>(
    bench: Workbench<'a>,
    workspace: &Workspace,
    as_of: Option<Timestamp>,
    classes: Classes,
) -> Result<Session<'a>> {
    Ok(Session::new(bench, as_of.or(workspace.as_of))?.with_classes(classes))
}

/// The classes of the workspace's columns for somebody who may see those of these words; without, all.
fn classes(workspace: &Workspace, grant: Option<&[String]>) -> Classes {
    let declared = Classes::declared(&workspace.catalog);
    match grant {
        Some(words) => declared.granted(Grants::of(words.iter().filter_map(|word| class_of(word)))),
        None => declared,
    }
}

/// Prints what a statement did.
///
/// # Errors
/// If it cannot be printed.
pub fn print(outcome: &Outcome, format: RowFormat, workspace: &Workspace) -> Result<()> {
    Showing::plain(format).outcome(outcome, workspace)
}

/// Each statement is read once more, so that this is part of the time that is told.
fn execute(mut session: Session<'_>, text: &str, showing: &Showing, workspace: &Workspace) -> Result<Exit> {
    for piece in split_statements(text) {
        let start = Instant::now();
        let shown = showing.statement(&mut session, parse_piece(&piece)?, workspace)?;
        showing.tell_time(&shown, start.elapsed());
    }
    Ok(Exit::Done)
}
