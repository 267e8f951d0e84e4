//! Files into the store: which are new, what they hold, and what became of their rows.
//!
//! `files` finds what is to be read (`known` which files look as they did), `reading` reads it, `batches` makes of it what the store takes, and `consents` says who
//! agreed to what. `guards` and `memory` hold up what looks like a mistake; `undo` takes a load back.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use muster_catalog::{Catalog, Clock};
use muster_store::{Incoming, Prepared, Snapshot, SourceRecord, TableInput};

use crate::arguments::Load;
use crate::phases;
use crate::workspace::{Opened, Workspace};

mod files;

mod known;

mod reading;

mod rejects;

mod batches;

mod consents;
pub use consents::Consents;

mod guards;

mod memory;

mod report;
pub use report::{LoadReport, TableReport};

mod undo;
pub use undo::{UndoReport, undo};

use consents::Named;
use files::{Search, Work};
use known::KnownFiles;
use reading::Reading;
use rejects::Rejects;
use report::table_report;

/// Loads what the arguments name.
///
/// # Errors
/// If a file cannot be read, has too many rejects, or does not fit what is stored; if a guard refuses it.
/// Nothing was changed then.
pub fn load(workspace: &Workspace, opened: &Opened, arguments: &Load) -> Result<LoadReport> {
    let clock = workspace.clock();
    let mut catalog = workspace.catalog.clone();
    // What is plausible depends on what time it is.
    catalog.workspace.as_of.get_or_insert(clock.now());
    let (work, known) = Search { workspace, opened, arguments }.work()?;
    Loader { workspace, opened, catalog: &catalog, clock: clock.as_ref(), arguments }.run(&work, known)
}

/// The tables' files, read when the store asks for their rows.
struct Arriving<'a, 'w> {
    loader: &'a Loader<'a>,
    work: &'w [Work<'w>],
    before: Option<Arc<Snapshot>>,
    rejects: Rejects,
    readings: Vec<Reading<'w>>,
    /// The profiles that the files name.
    named: Named,
    /// How long it took to read them.
    reading: Duration,
    /// Why the rows of a table did not come.
    failed: Option<anyhow::Error>,
}

impl Incoming for Arriving<'_, '_> {
    fn rows(&mut self, table: &str) -> Result<Option<TableInput>, Box<dyn Error + Send + Sync>> {
        let Some(work) = self.work.iter().find(|work| work.table.name == table) else { return Ok(None) };
        match self.read(work) {
            Ok(input) => Ok(input),
            Err(error) => {
                let told = error.to_string();
                self.failed = Some(error);
                Err(told.into())
            }
        }
    }
}

impl<'w> Arriving<'_, 'w> {
    fn read(&mut self, work: &'w Work<'w>) -> Result<Option<TableInput>> {
        let started = Instant::now();
        let Loader { catalog, arguments, .. } = self.loader;
        let mut reading = Reading::of(work, catalog, self.before.as_deref(), &mut self.rejects, &arguments.accept)?;
        self.reading += started.elapsed();
        let input = reading.input.take();
        input.iter().for_each(|input| self.named.add(catalog, input));
        self.readings.push(reading);
        Ok(input)
    }

    fn read_all(&mut self) -> Result<()> {
        self.work.iter().try_for_each(|work| self.read(work).map(drop))
    }

    /// What was read, in the order of the work.
    fn finished(self) -> (Vec<Reading<'w>>, Rejects, Named) {
        let Self { work, mut readings, rejects, named, .. } = self;
        readings.sort_by_key(|reading| work.iter().position(|work| std::ptr::eq(work, reading.work)));
        (readings, rejects, named)
    }
}

struct Loader<'a> {
    workspace: &'a Workspace,
    opened: &'a Opened,
    /// The workspace's, with an instant for `now()`.
    catalog: &'a Catalog,
    clock: &'a dyn Clock,
    arguments: &'a Load,
}

impl Loader<'_> {
    fn run(&self, work: &[Work<'_>], known: KnownFiles) -> Result<LoadReport> {
        memory::check(work, &self.arguments.accept)?;
        let mut report = LoadReport { dry_run: self.arguments.dry_run, ..LoadReport::default() };
        let before = self.opened.store.snapshot();
        let mut arriving = Arriving {
            loader: self,
            work,
            before: before.clone(),
            rejects: Rejects::new((!report.dry_run).then(|| self.workspace.data().join("rejects"))),
            readings: Vec::new(),
            named: Named::beside(before.as_deref()),
            reading: Duration::ZERO,
            failed: None,
        };
        let prepared = match self.prepare(&mut arriving, &mut report.seconds) {
            Ok(prepared) => prepared,
            Err(error) => {
                // What cannot be removed now goes when the store is opened next; why the load failed is worth more.
                let _ = self.collect_garbage();
                return Err(arriving.rejects.named_in(error));
            }
        };
        report.seconds.read = in_seconds(arriving.reading);
        let (readings, rejects, named) = arriving.finished();
        if let Err(error) = self.keep(prepared, before.as_deref(), (&readings, &named), &mut report) {
            return Err(rejects.named_in(error));
        }
        report.reject_file = rejects.finish()?;
        if !report.dry_run {
            let read: Vec<SourceRecord> = readings.iter().flat_map(Reading::sources).collect();
            known.keep(&self.opened.state, read.iter(), arguments_name_all(self.arguments))?;
        }
        Ok(report)
    }

    /// The next snapshot, not true yet, of what the files have; none where there is no file to read.
    fn prepare(&self, arriving: &mut Arriving<'_, '_>, seconds: &mut report::Seconds) -> Result<Option<Prepared>> {
        let started = Instant::now();
        if arriving.work.iter().all(|work| work.files.is_empty()) {
            return arriving.read_all().map(|()| None);
        }
        let prepared = self.opened.store.prepare_from(&self.workspace.catalog, arriving, self.clock.now());
        if let Some(failed) = arriving.failed.take() {
            return Err(failed);
        }
        let prepared = prepared.map_err(guards::told)?;
        seconds.write = in_seconds(prepared.writing());
        seconds.merge = in_seconds(started.elapsed().saturating_sub(prepared.writing() + arriving.reading));
        Ok(Some(prepared))
    }

    /// Makes the next snapshot true, if there is one and no guard holds it up.
    fn keep(
        &self,
        prepared: Option<Prepared>,
        before: Option<&Snapshot>,
        (readings, named): (&[Reading<'_>], &Named),
        report: &mut LoadReport,
    ) -> Result<()> {
        let stored = prepared.as_ref().map(|prepared| prepared.report().clone()).unwrap_or_default();
        let guarded = guards::shrinking(readings, &self.arguments.accept)
            .and_then(|()| guards::losses(self.catalog, before, &stored, &self.arguments.accept));
        report.tables = readings.iter().map(|reading| table_report(reading, &stored)).collect();
        report.refusals = stored.refusals.into_iter().take(100).collect();
        let kept = prepared.filter(|_| guarded.is_ok() && !report.dry_run && readings.iter().any(Reading::comes));
        let Some(prepared) = kept else {
            self.collect_garbage()?;
            return guarded;
        };
        let started = Instant::now();
        let sources: Vec<SourceRecord> = readings.iter().flat_map(Reading::sources).collect();
        report.snapshot = Some(self.commit(prepared, named, &report.tables, &sources)?);
        report.seconds.commit = in_seconds(started.elapsed());
        Ok(())
    }

    /// Makes it true, and in the same commit writes down who agreed to what.
    fn commit(
        &self,
        prepared: Prepared,
        named: &Named,
        tables: &[TableReport],
        sources: &[SourceRecord],
    ) -> Result<u64> {
        let Opened { state, store, .. } = self.opened;
        let at = prepared.snapshot().at();
        let consents = named.consents(prepared.snapshot())?;
        let kept = serde_json::to_string(tables)?;
        phases::committing();
        state.write(|tx| -> Result<()> {
            prepared.commit(tx, &kept, sources)?;
            for Consents { channel, statements } in &consents {
                let statements = statements.iter().map(|(key, agreed)| (key, *agreed));
                muster_campaign::consent::write_from_load(tx, channel, at, statements)?;
            }
            Ok(())
        })?;
        let snapshot = store.adopt(prepared).number();
        tracing::info!(snapshot, "published");
        self.collect_garbage()?;
        Ok(snapshot)
    }

    fn collect_garbage(&self) -> Result<()> {
        let Opened { state, store, .. } = self.opened;
        Ok(state.write(|tx| store.collect_garbage(tx))?)
    }
}

fn arguments_name_all(arguments: &Load) -> bool {
    arguments.tables.is_empty() && arguments.file.is_none()
}

/// To the millisecond; more is noise.
fn in_seconds(elapsed: Duration) -> f64 {
    elapsed.as_millis() as f64 / 1e3
}
