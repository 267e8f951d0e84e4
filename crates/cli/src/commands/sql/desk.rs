//! The workspace as a prompt works with it: kept open between statements, at its newest snapshot.

use anyhow::Result;
use muster_catalog::{Clock, Timestamp, nearest};
use muster_language::Statement;
use muster_query::{Answer, Engine};
use muster_segment::{Classes, Error as SegmentError, Session, part};
use muster_store::TableSchema;

use super::showing::{Showing, Shown};
use super::{classes, session};
use crate::arguments::{Arguments, RowFormat, Sql};
use crate::commands::listing;
use crate::handover::{self, Caller, Statements, Writing};
use crate::holder;
use crate::workspace::{OpenedReading, Workspace, engine_alone};

/// A workspace, open for reading, and what runs its queries.
pub struct Desk {
    workspace: Workspace,
    clock: Box<dyn Clock>,
    /// The instant that the command line names.
    given: Option<String>,
    caller: Caller,
    engine: Engine,
    timeout: u64,
    /// The classes of columns that may be seen here, where these are not all.
    grant: Option<Vec<String>>,
    /// None before there are data.
    opened: Option<OpenedReading>,
}

impl Desk {
    /// A desk at which queries take and see what `wanted` says.
    ///
    /// # Errors
    /// If the engine cannot start.
    pub fn at(workspace: Workspace, arguments: &Arguments, wanted: &Sql) -> Result<Self> {
        let (timeout, grant) = (wanted.timeout, wanted.grant.clone());
        let (caller, given, clock) = (Caller::of(arguments), arguments.as_of.clone(), workspace.clock());
        let engine = engine_alone(timeout)?.with_back(wanted.back());
        Ok(Self { workspace, clock, given, caller, engine, timeout, grant, opened: None })
    }

    /// From now on Ctrl-C stops what runs at this desk, and not the process.
    ///
    /// # Errors
    /// If the system does not tell of signals.
    pub fn stop_at_interrupt(&self) -> Result<()> {
        Ok(self.engine.stopper().stop_at_interrupt()?)
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// An instant as it is written in this workspace.
    pub fn written(&self, instant: Timestamp) -> String {
        instant.rfc3339(self.workspace.catalog.workspace.time_zone)
    }

    /// Opens what was published since; what was read of it already stays where nothing was.
    ///
    /// # Errors
    /// If there are no data yet, or the definition or the data cannot be read.
    pub fn look_again(&mut self) -> Result<()> {
        let is_newest = |opened: &OpenedReading| opened.reader.read(|tx| opened.store.is_newest(tx));
        if !self.opened.as_ref().map(is_newest).transpose()?.unwrap_or(false) {
            self.workspace = Workspace::read(self.workspace.dir.clone(), self.given.as_deref())?;
            self.clock = self.workspace.clock();
            self.opened = Some(self.workspace.open_reading()?);
        }
        Ok(())
    }

    /// A session over what was opened last.
    ///
    /// # Errors
    /// [`SegmentError::NoData`] before the first load.
    pub fn session(&self, as_of: Option<Timestamp>) -> Result<Session<'_>> {
        let opened = self.opened.as_ref().ok_or(SegmentError::NoData)?;
        let bench = opened.workbench(&self.workspace, &self.engine, self.clock.as_ref());
        session(bench, &self.workspace, as_of, self.classes())
    }

    /// The classes of columns for whoever sits here.
    pub fn classes(&self) -> Classes {
        classes(&self.workspace, self.grant.as_deref())
    }

    /// Runs a statement that writes, `text` by itself: a running serve does it, and says what it did, or this process does.
    ///
    /// # Errors
    /// If it is not in order or fails.
    pub fn write(&self, text: &str, statement: Statement, as_of: Option<Timestamp>) -> Result<Option<Shown>> {
        // It has no rows, and a running serve refuses formats that are no text.
        let format = RowFormat::Table;
        let at = as_of.map(|instant| self.written(instant));
        let (timeout, grant) = (self.timeout, self.grant.clone());
        let statements = Statements { text: text.to_owned(), format, timeout, as_of: at, grant };
        if handover::carry_out_elsewhere(&self.workspace, &self.caller, &Writing::Sql(statements))?.is_some() {
            return Ok(None);
        }
        let opened = self.workspace.open().map_err(holder::named)?;
        let bench = opened.workbench(&self.workspace, &self.engine, self.clock.as_ref());
        let mut session = session(bench, &self.workspace, as_of, self.classes())?;
        Showing::here(format).statement(&mut session, statement, &self.workspace).map(Some)
    }

    /// The columns of a table: what each is, without a look at its values.
    ///
    /// # Errors
    /// If there is no such table.
    pub fn columns_of(&self, name: &str) -> Result<Answer> {
        let opened = self.opened.as_ref().ok_or(SegmentError::NoData)?;
        let snapshot = opened.store.snapshot().ok_or(SegmentError::NoData)?;
        let found = snapshot.schemas().find(|table| table.name.eq_ignore_ascii_case(name));
        let unknown = || {
            let nearest = nearest(name, snapshot.schemas().map(|table| table.name.as_str())).map(str::to_owned);
            SegmentError::UnknownTable { name: name.to_owned(), nearest }
        };
        columns(found.ok_or_else(unknown)?)
    }
}

fn columns(table: &TableSchema) -> Result<Answer> {
    let each = |text: &dyn Fn(&muster_store::ColumnSchema) -> Option<String>| table.columns.iter().map(text).collect();
    listing::answer(&[
        ("column", each(&|column| Some(column.name.clone()))),
        ("type", each(&|column| Some(column.column_type.to_string()))),
        ("part", each(&|column| part(table, &column.name))),
        ("role", each(&|column| column.role.as_ref().map(ToString::to_string))),
    ])
}
