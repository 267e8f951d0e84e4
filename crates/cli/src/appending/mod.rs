//! Rows from the write socket into the store: each batch is read as a file of NDJSON would be, all share one commit.
//!
//! A row stands for itself, however rows were grouped: of two rows with one key the later wins. It says all of its
//! columns; one that it leaves out is empty.

mod arrival;

mod columns;

mod consents;

mod file;

mod input;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use muster_catalog::{Mode, Table, nearest};
use muster_ingest::{Intake, read};
use muster_server::{Appended, Batch, Refusal};
use muster_store::{Error as StoreError, PreparedRows, PublishReport, Snapshot};

use self::arrival::{Arrival, Watch};
use self::columns::Columns;
use self::consents::consents;
use self::file::Written;
use self::input::inputs;
use crate::loading::Consents;
use crate::workspace::{Opened, Workspace};

/// Where rows lie for as long as they are read.
pub const FOLDER: &str = "arriving";

/// Keeps the rows of all batches with one commit, and answers each batch.
///
/// # Errors
/// If nothing of all this could be kept.
pub fn append(workspace: &Workspace, opened: &Opened, batches: &[Batch]) -> Result<Vec<Result<Appended, Refusal>>> {
    let desk = Arrivals::new(workspace, opened)?;
    let mut arrivals = Vec::with_capacity(batches.len());
    for batch in batches {
        arrivals.push(desk.read(batch)?);
    }
    let snapshot = desk.keep(batches, &mut arrivals)?;
    let answer = |arrival: Arrival| Appended { snapshot, ..arrival.answer };
    Ok(arrivals.into_iter().map(|arrival| arrival.map(answer)).collect())
}

/// Reads what arrives, against the newest snapshot.
struct Arrivals<'a> {
    workspace: &'a Workspace,
    opened: &'a Opened,
    before: Option<std::sync::Arc<Snapshot>>,
    folder: PathBuf,
}

impl<'a> Arrivals<'a> {
    fn new(workspace: &'a Workspace, opened: &'a Opened) -> Result<Self> {
        let folder = workspace.data().join(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self { workspace, opened, before: opened.store.snapshot(), folder })
    }

    fn read(&self, batch: &Batch) -> Result<Result<Arrival, Refusal>> {
        let table = match self.table(&batch.table) {
            Ok(table) => table,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if table.mode != Mode::Merge {
            let message = format!("a load of `{}` replaces what is there, so no rows can be added to it", table.name);
            return Ok(Err(Refusal::new(message)));
        }
        let columns = Columns::of(table, self.before.as_deref());
        if columns.are_unknown() {
            let hint = Some("load a file of it, or declare its columns in muster.toml".to_owned());
            let message = format!("nobody has said which columns `{}` has", table.name);
            return Ok(Err(Refusal { message, hint }));
        }
        let file = Written::new(&self.folder, &columns.names, batch)?;
        let mut watch = Watch::default();
        let intake = Intake { catalog: &self.workspace.catalog, table: &columns.table, known: &columns.known };
        match read(&intake, std::slice::from_ref(&file.source), &mut watch) {
            Ok(load) => Ok(columns.refuse_unknown(&load).map(|()| watch.arrival(&columns, load))),
            Err(error) => Ok(Err(Refusal::new(format!("{:#}", anyhow::Error::new(error))))),
        }
    }

    fn table(&self, name: &str) -> Result<&Table, Refusal> {
        let catalog = &self.workspace.catalog;
        catalog.table(name).ok_or_else(|| {
            let near = nearest(name, catalog.tables.iter().map(|table| table.name.as_str()));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            Refusal { message: format!("there is no table `{name}` in muster.toml"), hint }
        })
    }

    /// Makes and commits the next snapshot; where no row is left, the present one has them all.
    fn keep(&self, batches: &[Batch], arrivals: &mut [Result<Arrival, Refusal>]) -> Result<Option<u64>> {
        let Some((prepared, consents)) = self.prepare(arrivals)? else {
            return Ok(self.before.as_ref().map(|before| before.number()));
        };
        self.name_refused(prepared.report(), batches, arrivals)?;
        self.commit(&prepared, &consents)?;
        Ok(Some(self.opened.store.adopt_rows(prepared).number()))
    }

    /// The next snapshot, and who agrees to what in it. A table whose rows do not fit what is stored is refused alone.
    fn prepare(&self, arrivals: &mut [Result<Arrival, Refusal>]) -> Result<Option<(PreparedRows, Vec<Consents>)>> {
        let (catalog, at) = (&self.workspace.catalog, self.workspace.clock().now());
        loop {
            let inputs = inputs(&catalog.tables, arrivals);
            if inputs.is_empty() {
                return Ok(None);
            }
            match self.opened.store.prepare_rows(catalog, &inputs, at) {
                Ok(prepared) => {
                    let consents = consents(&inputs, prepared.snapshot())?;
                    return Ok(Some((prepared, consents)));
                }
                Err(error) => {
                    let Some(table) = at_fault(&error) else { return Err(error.into()) };
                    let misfits = arrivals.iter_mut().filter(|arrival| is_of(arrival, table));
                    misfits.for_each(|misfit| *misfit = Err(Refusal::new(error.to_string())));
                }
            }
        }
    }

    fn commit(&self, prepared: &PreparedRows, consents: &[Consents]) -> Result<()> {
        let at = prepared.snapshot().at();
        self.opened.state.write(|tx| -> Result<()> {
            prepared.commit(tx)?;
            for Consents { channel, statements } in consents {
                let statements = statements.iter().map(|(key, agreed)| (key, *agreed));
                muster_campaign::consent::write_from_load(tx, channel, at, statements)?;
            }
            Ok(())
        })
    }

    /// The store refuses rows by their parent's key; this finds which ones they are, before anything is committed.
    fn name_refused(
        &self,
        report: &PublishReport,
        batches: &[Batch],
        arrivals: &mut [Result<Arrival, Refusal>],
    ) -> Result<()> {
        for refusal in &report.refusals {
            let Some(on) = self.workspace.catalog.table(&refusal.table).and_then(on_in_rows) else { continue };
            for (batch, arrival) in batches.iter().zip(&mut *arrivals).filter(|(batch, _)| batch.table == refusal.table)
            {
                let Ok(arrival) = arrival else { continue };
                arrival.reject_parent(batch, on, &refusal.key, &refusal.reason);
            }
        }
        let refused: u64 = report.tables.values().map(|counts| counts.refused).sum();
        let named: u64 = arrivals.iter().flatten().map(|arrival| arrival.parentless).sum();
        if refused != named {
            bail!("{refused} rows have no parent and {named} of them were found; nothing was kept");
        }
        Ok(())
    }
}

/// The table whose rows the store does not take, where it is their fault.
fn at_fault(error: &StoreError) -> Option<&str> {
    match error {
        StoreError::TypeChanged { table, .. }
        | StoreError::ColumnVanished { table, .. }
        | StoreError::TooManyRows { table, .. } => Some(table),
        _ => None,
    }
}

fn is_of(arrival: &Result<Arrival, Refusal>, table: &str) -> bool {
    arrival.as_ref().is_ok_and(|arrival| arrival.load.table == table)
}

/// The name under which rows have the parent's key.
fn on_in_rows(table: &Table) -> Option<&str> {
    let on = table.on()?;
    Some(table.column(on).map_or(on, |column| column.from.as_str()))
}
