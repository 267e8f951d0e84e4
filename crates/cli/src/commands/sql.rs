//! `muster sql`: statements from an argument, a file, or standard input.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};
use muster_language::{Statement, parse_piece, split_statements};
use muster_query::Engine;
use muster_segment::{Classes, Outcome, Session, Workbench};

use crate::arguments::{Arguments, RowFormat, Sql};
use crate::exit::Exit;
use crate::handover::{self, Caller, Statements, Writing};
use crate::output;
use crate::workspace::{Opened, Workspace, engine};

/// Runs statements one by one; the first that fails ends it.
///
/// # Errors
/// If a statement is not in order or fails.
pub fn run(arguments: &Arguments, wanted: &Sql) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let desk = Desk {
        caller: Caller::of(arguments),
        engine: engine(wanted.timeout)?,
        timeout: wanted.timeout,
        format: if arguments.json { RowFormat::Json } else { wanted.format },
        workspace,
    };
    match text(wanted)? {
        Some(text) => desk.run(&text),
        None => desk.prompt(),
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

/// Runs statements of which some write.
///
/// # Errors
/// If a statement is not in order or fails; those before it stay done.
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Statements) -> Result<Exit> {
    let statements = split_statements(&wanted.text).iter().map(parse_piece).collect::<Result<Vec<_>, _>>()?;
    let (clock, engine) = (workspace.clock(), engine(wanted.timeout)?);
    execute(opened.workbench(workspace, &engine, clock.as_ref()), workspace, wanted.format, statements)
}

fn execute(bench: Workbench<'_>, workspace: &Workspace, format: RowFormat, statements: Vec<Statement>) -> Result<Exit> {
    let classes = Classes::declared(&workspace.catalog);
    let mut session = Session::new(bench, workspace.as_of)?.with_classes(classes);
    for statement in statements {
        print(&session.execute(statement)?, format, workspace)?;
    }
    Ok(Exit::Done)
}

struct Desk {
    workspace: Workspace,
    caller: Caller,
    engine: Engine,
    timeout: u64,
    format: RowFormat,
}

impl Desk {
    /// All statements are parsed before the first runs, so that a slip in the last changes nothing.
    fn run(&self, text: &str) -> Result<Exit> {
        let statements = split_statements(text).iter().map(parse_piece).collect::<Result<Vec<_>, _>>()?;
        if statements.iter().any(Session::writes) {
            let (text, format, timeout) = (text.to_owned(), self.format, self.timeout);
            return handover::carry_out_in(
                &self.workspace,
                &self.caller,
                &Writing::Sql(Statements { text, format, timeout }),
            );
        }
        let (opened, clock) = (self.workspace.open_reading()?, self.workspace.clock());
        let bench = opened.workbench(&self.workspace, &self.engine, clock.as_ref());
        execute(bench, &self.workspace, self.format, statements)
    }

    /// Reads lines until a statement ends with a semicolon, runs it, and goes on; a failure is shown, not fatal.
    fn prompt(&self) -> Result<Exit> {
        eprintln!("Statements end with ; and Ctrl-D leaves.");
        let mut pending = String::new();
        for line in io::stdin().lock().lines() {
            pending.push_str(&line?);
            pending.push('\n');
            let pieces = split_statements(&pending);
            if !pieces.is_empty() && pieces.iter().all(|piece| piece.ended) {
                if let Err(error) = self.run(&pending) {
                    crate::exit::report(&error);
                }
                pending.clear();
            }
        }
        if pending.trim().is_empty() { Ok(Exit::Done) } else { self.run(&pending) }
    }
}

/// What a statement did.
pub fn print(outcome: &Outcome, format: RowFormat, workspace: &Workspace) -> Result<()> {
    let zone = workspace.catalog.workspace.time_zone;
    match outcome {
        Outcome::Answer(answer) => output::rows(answer, format),
        Outcome::Text(text) => output::text(text),
        Outcome::Defined { audience, before, changed } => {
            let count = super::load::thousands(audience.rows.len());
            let before =
                before.map(|before| format!(", before {}", super::load::thousands(before))).unwrap_or_default();
            let what = if *changed { "defined" } else { "unchanged" };
            output::text(&format!("{}: {what}, {count} profiles{before}", audience.segment))
        }
        Outcome::Refreshed(audience) => {
            let count = super::load::thousands(audience.rows.len());
            output::text(&format!("{}: {count} profiles as of {}", audience.segment, audience.as_of.rfc3339(zone)))
        }
        Outcome::Dropped(name) => output::text(&format!("{name}: dropped")),
        Outcome::AsOf(instant) => output::text(&format!("as of {}", instant.rfc3339(zone))),
    }
}
