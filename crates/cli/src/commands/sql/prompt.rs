//! The prompt: statements and shortcuts from a person at a terminal, one after the other, until they leave.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;
use muster_catalog::Timestamp;
use muster_language::{Piece, Statement, parse, parse_piece, split_statements};
use muster_segment::{Outcome, Session};
use muster_store::Snapshot;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Behavior, CompletionType, Config, Editor};

use super::completion::known::Known;
use super::completion::samples::Samples;
use super::desk::Desk;
use super::history::History;
use super::line::Line;
use super::shortcut::{self, Shortcut};
use super::showing::{Showing, Shown};
use super::{instant, timing};
use crate::arguments::{Arguments, RowFormat, Sql};
use crate::exit::{self, Exit};
use crate::output;
use crate::workspace::Workspace;

/// So many statements of before are kept.
const REMEMBERED: usize = 10_000;

/// More possibilities than this are shown only when they are asked for.
const CHOICE: usize = 200;

/// Reads and runs statements until the person leaves; a failure is shown, and ends nothing.
///
/// # Errors
/// If the terminal cannot be used.
pub fn run(workspace: Workspace, arguments: &Arguments, format: RowFormat, wanted: &Sql) -> Result<Exit> {
    let desk = Desk::at(workspace, arguments, wanted)?;
    desk.stop_at_interrupt()?;
    let mut editor = editor().context("cannot use the terminal")?;
    let mut history = History::open(&mut editor);
    eprintln!("{}: statements end with ;   \\? helps, Ctrl-D leaves", desk.workspace().catalog.workspace.name);
    let mut prompt = Prompt { desk, format, is_timed: true, into: None, as_of: None, sampled: None };
    prompt.converse(&mut editor, &mut history)
}

/// An editor on the terminal itself, so that what is printed can go elsewhere.
fn editor() -> rustyline::Result<Editor<Line, FileHistory>> {
    let config = Config::builder()
        .max_history_size(REMEMBERED)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_prompt_limit(CHOICE)
        .completion_show_all_if_ambiguous(true)
        .completion_type(CompletionType::List)
        .behavior(Behavior::PreferTerm)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Line::default()));
    Ok(editor)
}

/// The desk, and what a person changed about the prompt.
struct Prompt {
    desk: Desk,
    format: RowFormat,
    is_timed: bool,
    /// Where the rows of the next query go.
    into: Option<PathBuf>,
    /// The instant of statements, where it is another one than the workspace's.
    as_of: Option<Timestamp>,
    /// Of what the values are that completion offers.
    sampled: Option<(Arc<Snapshot>, Option<Timestamp>)>,
}

/// Whether the conversation goes on.
#[derive(PartialEq)]
enum Next {
    Line,
    Leave,
}

impl Prompt {
    fn converse(&mut self, editor: &mut Editor<Line, FileHistory>, history: &mut History) -> Result<Exit> {
        loop {
            if let Some(line) = editor.helper_mut() {
                // What keeps the names from being known is told by the statement that needs them.
                let _ = self.tell(line);
            }
            match editor.readline(&self.invitation()) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    history.keep(editor, text.trim_end());
                    if self.take(&text) == Next::Leave {
                        return Ok(Exit::Done);
                    }
                }
                Err(ReadlineError::Eof) => return Ok(Exit::Done),
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
                Err(error) => return Err(error).context("cannot read from the terminal"),
            }
        }
    }

    /// What stands before the cursor; another instant than the present is not to be forgotten.
    fn invitation(&self) -> String {
        let as_of = self.as_of.map(|instant| format!(" as of {}", self.desk.written(instant)));
        format!("muster{}> ", as_of.unwrap_or_default())
    }

    /// Tells the editor what can be named now.
    fn tell(&mut self, line: &mut Line) -> Result<()> {
        self.desk.look_again()?;
        let session = self.desk.session(self.as_of)?;
        let evaluator = session.evaluator()?;
        line.known = Known::of(evaluator.names().clone());
        let is_same = |(snapshot, as_of): &(Arc<Snapshot>, Option<Timestamp>)| {
            Arc::ptr_eq(snapshot, evaluator.snapshot()) && *as_of == self.as_of
        };
        if !self.sampled.as_ref().is_some_and(is_same) {
            let snapshot = evaluator.snapshot();
            let (catalog, classes) = (self.desk.workspace().catalog.clone(), self.desk.classes());
            line.samples = Some(Samples::of(Arc::clone(snapshot), catalog, session.as_of(), classes));
            self.sampled = Some((Arc::clone(snapshot), self.as_of));
        }
        Ok(())
    }

    /// Does what a person typed; what goes wrong is told.
    fn take(&mut self, text: &str) -> Next {
        match shortcut::read(text) {
            Ok(Some(Shortcut::Quit)) => return Next::Leave,
            Ok(Some(shortcut)) => told(self.shortcut(shortcut)),
            Ok(None) => told(self.statements(text)),
            Err(error) => told(Err(error)),
        }
        Next::Line
    }

    /// All statements are read before the first runs, so that a slip in the last changes nothing.
    fn statements(&mut self, text: &str) -> Result<()> {
        let pieces = split_statements(text);
        let statements = pieces.iter().map(parse_piece).collect::<Result<Vec<_>, _>>()?;
        let mut each = pieces.iter().zip(statements);
        each.try_for_each(|(piece, statement)| self.timed(|prompt| prompt.statement(piece, text, statement)))
    }

    /// Says how long something took, also where it failed.
    fn timed(&mut self, work: impl FnOnce(&mut Self) -> Result<Option<Shown>>) -> Result<()> {
        let start = Instant::now();
        let done = work(self);
        if self.is_timed {
            eprintln!("{}", timing::told(done.as_ref().ok().and_then(Option::as_ref), start.elapsed()));
        }
        done.map(drop)
    }

    /// Runs a statement, which is a piece of `text`; what a running serve does is shown already.
    fn statement(&mut self, piece: &Piece<'_>, text: &str, statement: Statement) -> Result<Option<Shown>> {
        if Session::writes(&statement) {
            return self.desk.write(&alone(piece, text), statement, self.as_of);
        }
        self.desk.look_again()?;
        let mut session = self.desk.session(self.as_of)?;
        let shown = match (&self.into, &statement) {
            (Some(file), Statement::Query { .. }) => {
                let showing = Showing::here(ending(file).unwrap_or(self.format));
                showing.write_to(&session, statement, file)?
            }
            _ => Showing::here(self.format).statement(&mut session, statement, self.desk.workspace())?,
        };
        match &shown {
            Shown::Other(Outcome::AsOf(instant)) => self.as_of = Some(*instant),
            Shown::Rows(_) => self.into = None,
            Shown::Other(_) => {}
        }
        Ok(Some(shown))
    }

    fn shortcut(&mut self, shortcut: Shortcut) -> Result<()> {
        match shortcut {
            Shortcut::Tables => self.run("SHOW TABLES"),
            Shortcut::Describe(name) => self.describe(&name),
            Shortcut::Explain(query) => self.run(&format!("EXPLAIN SQL {query}")),
            Shortcut::Timing(wanted) => {
                self.is_timed = wanted.unwrap_or(!self.is_timed);
                output::text(if self.is_timed { "times are said" } else { "times are not said" })
            }
            Shortcut::Format(wanted) => {
                self.format = wanted.unwrap_or(self.format);
                output::text(&format!("rows are written as {}", shortcut::format_name(self.format)))
            }
            Shortcut::Into(file) => self.next_into(file),
            Shortcut::AsOf(instant) => self.look_at(instant.as_deref()),
            Shortcut::Help => output::text(&shortcut::help()),
            Shortcut::Quit => unreachable!("whoever leaves has left"),
        }
    }

    fn run(&mut self, text: &str) -> Result<()> {
        parse(text)?;
        self.statements(text)
    }

    fn describe(&mut self, name: &str) -> Result<()> {
        if let Some(segment) = name.strip_prefix("segments.") {
            return self.run(&format!("DESCRIBE SEGMENT {segment}"));
        }
        self.desk.look_again()?;
        Showing::here(self.format).answer(&self.desk.columns_of(name.trim_matches('"'))?)
    }

    fn next_into(&mut self, file: Option<PathBuf>) -> Result<()> {
        self.into = file;
        match &self.into {
            Some(file) => output::text(&format!("the rows of the next query go into {}", file.display())),
            None => output::text("rows are shown"),
        }
    }

    fn look_at(&mut self, text: Option<&str>) -> Result<()> {
        self.as_of = text.map(|text| instant(text, self.desk.workspace())).transpose()?;
        match self.as_of.or(self.desk.workspace().as_of) {
            Some(instant) => output::text(&format!("as of {}", self.desk.written(instant))),
            None => output::text("as of the present"),
        }
    }
}

/// What went wrong is told, and the conversation goes on.
fn told(done: Result<()>) {
    if let Err(error) = done {
        exit::report(&error);
    }
}

/// A piece of `text` by itself, at its place: what stands before it is blank.
fn alone(piece: &Piece<'_>, text: &str) -> String {
    let before = text[..piece.offset].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' });
    before.chain(piece.text.chars()).collect()
}

/// The format that the ending of a file's name says.
fn ending(file: &Path) -> Option<RowFormat> {
    RowFormat::from_str(file.extension()?.to_str()?, true).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_by_itself_stands_where_it_stood() {
        let text = "SELECT 'é';\n DROP SEGMENT x;";
        let pieces = split_statements(text);
        assert_eq!(alone(&pieces[1], text), "           \n DROP SEGMENT x");
        let place = |text: &str| parse(text).unwrap_err().place;
        assert_eq!(place(&alone(&split_statements("SHOW TABLES; SELEC")[1], "SHOW TABLES; SELEC")).column, 14);
    }

    #[test]
    fn the_ending_of_a_file_says_how_it_is_written() {
        for (file, expected) in [
            ("a.csv", Some(RowFormat::Csv)),
            ("a/b.PARQUET", Some(RowFormat::Parquet)),
            ("a.arrow", Some(RowFormat::Arrow)),
            ("a.json", Some(RowFormat::Json)),
            ("a.txt", None),
            ("csv", None),
        ] {
            assert_eq!(ending(Path::new(file)), expected, "{file}");
        }
    }
}
