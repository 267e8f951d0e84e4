//! `muster sql`: statements from an argument, a file, or standard input.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};
use muster_language::{Statement, parse_piece, split_statements};
use muster_query::Engine;
use muster_segment::{Outcome, Session, Workbench};

use crate::arguments::{Arguments, RowFormat, Sql};
use crate::exit::Exit;
use crate::output;
use crate::workspace::{Workspace, engine};

/// Runs statements one by one; the first that fails ends it.
///
/// # Errors
/// If a statement is not in order or fails.
pub fn run(arguments: &Arguments, wanted: &Sql) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let desk = Desk {
        engine: engine(wanted.timeout)?,
        format: if arguments.json { RowFormat::Json } else { wanted.format },
        workspace,
    };
    match text(wanted)? {
        Some(text) => desk.run(&text)?,
        None => desk.prompt()?,
    }
    Ok(Exit::Done)
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

struct Desk {
    workspace: Workspace,
    engine: Engine,
    format: RowFormat,
}

impl Desk {
    /// All statements are parsed before the first runs, so that a slip in the last changes nothing.
    fn run(&self, text: &str) -> Result<()> {
        let statements = split_statements(text).iter().map(parse_piece).collect::<Result<Vec<_>, _>>()?;
        let clock = self.workspace.clock();
        let as_of = self.workspace.as_of;
        if statements.iter().any(Session::writes) {
            let opened = self.workspace.open()?;
            self.execute(opened.workbench(&self.workspace, &self.engine, clock.as_ref()), as_of, statements)
        } else {
            let opened = self.workspace.open_reading()?;
            self.execute(opened.workbench(&self.workspace, &self.engine, clock.as_ref()), as_of, statements)
        }
    }

    fn execute(
        &self,
        bench: Workbench<'_>,
        as_of: Option<muster_catalog::Timestamp>,
        statements: Vec<Statement>,
    ) -> Result<()> {
        let mut session = Session::new(bench, as_of)?;
        for statement in statements {
            print(&session.execute(statement)?, self.format, &self.workspace)?;
        }
        Ok(())
    }

    /// Reads lines until a statement ends with a semicolon, runs it, and goes on; a failure is shown, not fatal.
    fn prompt(&self) -> Result<()> {
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
        if pending.trim().is_empty() { Ok(()) } else { self.run(&pending) }
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
