//! Files into the store: which are new, what they hold, and what became of their rows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use indicatif::ProgressBar;
use muster_catalog::{Clock, Role, Table, nearest};
use muster_ingest::{
    Intake, Observer, Reject, RejectFile, Report, SourceFile, TableLoad, digest, expand_sources, read,
};
use muster_store::{Batch, ColumnSchema, PublishReport, Snapshot, SourceRecord, Store, TableInput};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::arguments::Load;
use crate::progress;
use crate::workspace::{Opened, Workspace};

/// What a load did, as it is printed and kept.
#[derive(Debug, Default, Serialize)]
pub struct LoadReport {
    /// The snapshot that it made; none where nothing was new.
    pub snapshot: Option<u64>,
    /// Whether it only said what it would do.
    pub dry_run: bool,
    /// Table by table, parents first.
    pub tables: Vec<TableReport>,
    /// Where the rejects are, if there are any.
    pub reject_file: Option<PathBuf>,
    /// Keys whose rows were refused because of what the store holds; the first hundred.
    pub refusals: Vec<muster_store::Refusal>,
}

/// What became of the rows of one table.
#[derive(Debug, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: String,
    /// Files that were read.
    pub files: usize,
    /// Files whose content went into this table before.
    pub known_files: usize,
    /// Rows in the files.
    pub read: u64,
    /// Rows that `where` left out, by condition, each at the first that fails.
    pub filtered: Vec<(String, u64)>,
    /// Rows that were rejected, by kind.
    pub rejected: BTreeMap<String, u64>,
    /// Rows that went into another one of their key.
    pub merged: u64,
    /// The first rejects.
    pub first_rejects: Vec<String>,
    /// Columns whose type was inferred, with the type and why.
    pub inferred: Vec<(String, String, String)>,
    /// Columns of the files that are not kept, and why.
    pub ignored: Vec<(String, String)>,
    /// What the store made of the rest.
    pub stored: muster_store::TableCounts,
}

impl LoadReport {
    /// Whether any row was rejected or refused.
    pub fn has_rejects(&self) -> bool {
        self.tables.iter().any(|table| !table.rejected.is_empty() || table.stored.refused > 0)
    }
}

/// Loads what the arguments name.
///
/// # Errors
/// If a file cannot be read, has too many rejects, or does not fit what is stored; nothing was changed then.
pub fn load(workspace: &Workspace, opened: &Opened, arguments: &Load) -> Result<LoadReport> {
    let clock = workspace.clock();
    let loader = Loader { workspace, opened, clock: clock.as_ref(), dry_run: arguments.dry_run };
    loader.run(&loader.work(arguments)?)
}

/// A table with the files that are new to it.
struct Work<'a> {
    table: &'a Table,
    files: Vec<SourceFile>,
    known_files: usize,
    definition: String,
}

struct Loader<'a> {
    workspace: &'a Workspace,
    opened: &'a Opened,
    clock: &'a dyn Clock,
    dry_run: bool,
}

impl<'a> Loader<'a> {
    fn work(&self, arguments: &Load) -> Result<Vec<Work<'a>>> {
        let known = || self.workspace.catalog.tables.iter().map(|table| table.name.as_str());
        if let Some(name) = arguments.tables.iter().find(|name| !known().any(|table| table == **name)) {
            let hint = nearest(name, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            bail!("there is no table `{name}` in muster.toml{hint}");
        }
        let wanted = |table: &&Table| arguments.tables.is_empty() || arguments.tables.contains(&table.name);
        let tables = self.workspace.catalog.parents_first().into_iter().filter(wanted);
        let mut work = Vec::new();
        for table in tables {
            work.extend(self.work_on(table, arguments.file.as_deref())?);
        }
        if work.is_empty() {
            bail!("no table's `source` matches {}", arguments.file.as_deref().unwrap_or(Path::new("")).display());
        }
        Ok(work)
    }

    fn work_on(&self, table: &'a Table, only: Option<&Path>) -> Result<Option<Work<'a>>> {
        let mut files = expand_sources(&self.workspace.dir, &table.source)?;
        if let Some(only) = only {
            let only = fs::canonicalize(only).with_context(|| format!("cannot read {}", only.display()))?;
            files.retain(|file| fs::canonicalize(&file.path).is_ok_and(|path| path == only));
            if files.is_empty() {
                return Ok(None);
            }
        }
        let definition = definition_digest(self.workspace, table);
        let known = self.opened.state.read(|tx| Store::known_sources(tx, &table.name, &definition))?;
        let found = files.len();
        if !known.is_empty() {
            let mut fresh = Vec::new();
            for file in files {
                if !known.contains(&digest(&file)?.to_string()) {
                    fresh.push(file);
                }
            }
            files = fresh;
        }
        Ok(Some(Work { table, known_files: found - files.len(), files, definition }))
    }

    fn run(&self, work: &[Work<'_>]) -> Result<LoadReport> {
        let mut rejects = Rejects::new(self.workspace.data().join("rejects"));
        let (mut inputs, mut reports, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        for work in work.iter() {
            if work.files.is_empty() {
                reports.push((work, None));
                continue;
            }
            let load = match self.read(work, &mut rejects) {
                Ok(load) => load,
                Err(error) => return Err(rejects.named_in(error)),
            };
            sources.extend(source_records(work, &load.report));
            let (input, report) = input(load);
            inputs.push(input);
            reports.push((work, Some(report)));
        }
        let mut report = LoadReport { dry_run: self.dry_run, ..LoadReport::default() };
        let stored = if inputs.is_empty() {
            PublishReport::default()
        } else {
            self.publish(inputs, &sources, &mut report, &reports)?
        };
        report.tables = reports.iter().map(|(work, read)| table_report(work, read.as_ref(), &stored)).collect();
        report.refusals = stored.refusals.into_iter().take(100).collect();
        report.reject_file = rejects.finish()?;
        Ok(report)
    }

    fn read(&self, work: &Work<'_>, rejects: &mut Rejects) -> Result<TableLoad> {
        let before = self.opened.store.snapshot();
        let schema = before.as_deref().and_then(|snapshot| snapshot.schema(&work.table.name));
        let known = schema.map(|schema| schema.names().columns).unwrap_or_default();
        let intake = Intake { catalog: &self.workspace.catalog, table: work.table, known: &known };
        let bytes = work.files.iter().filter_map(|file| fs::metadata(&file.path).ok()).map(|file| file.len()).sum();
        let mut watch = Watch { bar: progress::bytes(&work.table.name, bytes), rejects };
        let load = read(&intake, &work.files, &mut watch);
        watch.bar.finish_and_clear();
        if let Ok(TableLoad { report, .. }) = &load {
            tracing::info!(
                table = work.table.name,
                files = report.files.len(),
                read = report.read,
                kept = report.rows,
                "read"
            );
        }
        Ok(load?)
    }

    /// Makes the next snapshot, and in the same commit writes down who agreed to what.
    fn publish(
        &self,
        inputs: Vec<TableInput>,
        sources: &[SourceRecord],
        report: &mut LoadReport,
        reports: &[(&Work<'_>, Option<Report>)],
    ) -> Result<PublishReport> {
        let Opened { state, store } = self.opened;
        let at = self.clock.now();
        let with_profiles = inputs.iter().any(|input| input.table == "profiles");
        let prepared = store.prepare(&self.workspace.catalog, inputs, at)?;
        let stored = prepared.report().clone();
        if self.dry_run {
            drop(prepared);
            state.write(|tx| store.collect_garbage(tx))?;
            return Ok(stored);
        }
        let consents = if with_profiles { consents(prepared.snapshot())? } else { Vec::new() };
        let tables: Vec<TableReport> =
            reports.iter().map(|(work, read)| table_report(work, read.as_ref(), &stored)).collect();
        let kept = serde_json::to_string(&tables)?;
        state.write(|tx| -> Result<()> {
            prepared.commit(tx, kept, sources)?;
            for Consents { channel, statements } in &consents {
                let statements = statements.iter().map(|(key, agreed)| (key, *agreed));
                muster_campaign::consent::write_from_load(tx, channel, at, statements)?;
            }
            Ok(())
        })?;
        let snapshot = store.adopt(prepared).number();
        tracing::info!(snapshot, "published");
        report.snapshot = Some(snapshot);
        state.write(|tx| store.collect_garbage(tx))?;
        Ok(stored)
    }
}

/// What profiles say of one channel.
struct Consents {
    channel: String,
    statements: Vec<(String, bool)>,
}

/// What the columns with a role `consent.CHANNEL` say; a profile without a value said nothing.
fn consents(snapshot: &Snapshot) -> Result<Vec<Consents>> {
    let Some(profiles) = snapshot.schema("profiles") else { return Ok(Vec::new()) };
    let key = profiles.key.as_deref().context("profiles have a key")?;
    let mut consents = Vec::new();
    for column in &profiles.columns {
        let Some(Role::Consent(channel)) = &column.role else { continue };
        let mut statements = Vec::new();
        for block in 0..snapshot.block_count("profiles") {
            let columns = snapshot.scan("profiles", block, &[key, &column.name])?;
            let said = columns[1]
                .as_boolean_opt()
                .with_context(|| format!("`{}` has a consent role and is no bool", column.name))?;
            let keys = columns[0].as_string_view();
            let known = (0..said.len()).filter(|row| said.is_valid(*row));
            statements.extend(known.map(|row| (keys.value(row).to_owned(), said.value(row))));
        }
        consents.push(Consents { channel: channel.clone(), statements });
    }
    Ok(consents)
}

/// Another definition may read the same file otherwise, so a file is known only together with it.
fn definition_digest(workspace: &Workspace, table: &Table) -> String {
    let text = format!("{} {table:?}", workspace.catalog.workspace.time_zone);
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn source_records(work: &Work<'_>, report: &Report) -> Vec<SourceRecord> {
    let record = |file: &muster_ingest::FileReport| SourceRecord {
        table: work.table.name.clone(),
        name: file.name.clone(),
        digest: file.digest.to_string(),
        definition: work.definition.clone(),
        bytes: file.bytes,
    };
    report.files.iter().map(record).collect()
}

fn input(load: TableLoad) -> (TableInput, Report) {
    let TableLoad { table, columns, batches, report, .. } = load;
    let columns = columns.into_iter().map(|column| ColumnSchema {
        name: column.name,
        column_type: column.column_type,
        role: column.role,
    });
    let batches = by_file(batches, &report);
    (TableInput { table, columns: columns.collect(), batches }, report)
}

/// Cuts the rows where a file ends. Of a flat file's merged rows nobody asks any more which file they came from.
fn by_file(batches: Vec<RecordBatch>, report: &Report) -> Vec<Batch> {
    let rows_of = |file: &muster_ingest::FileReport| (file.read - file.filtered - file.rejected) as usize;
    let mut left: Vec<usize> = report.files.iter().map(rows_of).collect();
    if report.merged > 0 {
        return batches.into_iter().map(|rows| Batch { file: 0, rows }).collect();
    }
    let mut cut = Vec::with_capacity(batches.len());
    let mut file = 0;
    for batch in batches {
        let mut start = 0;
        while start < batch.num_rows() {
            while file + 1 < left.len() && left[file] == 0 {
                file += 1;
            }
            let count = (batch.num_rows() - start).min(left[file]).max(1);
            cut.push(Batch { file, rows: batch.slice(start, count) });
            left[file] = left[file].saturating_sub(count);
            start += count;
        }
    }
    cut
}

fn table_report(work: &Work<'_>, read: Option<&Report>, stored: &PublishReport) -> TableReport {
    let inferred = |column: &muster_ingest::ColumnReport| match &column.origin {
        muster_ingest::Origin::Inferred(why) => {
            Some((column.name.clone(), column.column_type.to_string(), why.clone()))
        }
        _ => None,
    };
    TableReport {
        table: work.table.name.clone(),
        files: work.files.len(),
        known_files: work.known_files,
        read: read.map_or(0, |report| report.read),
        filtered: read
            .map(|report| report.filtered.iter().map(|part| (part.condition.clone(), part.rows)).collect())
            .unwrap_or_default(),
        rejected: read
            .map(|report| report.rejected.iter().map(|kind| (kind.kind.clone(), kind.rows)).collect())
            .unwrap_or_default(),
        merged: read.map_or(0, |report| report.merged),
        first_rejects: read
            .map(|report| report.rejects.iter().take(3).map(ToString::to_string).collect())
            .unwrap_or_default(),
        inferred: read.map(|report| report.columns.iter().filter_map(inferred).collect()).unwrap_or_default(),
        ignored: read.map(|report| report.ignored.clone()).unwrap_or_default(),
        stored: stored.tables.get(&work.table.name).cloned().unwrap_or_default(),
    }
}

/// All rejects of a load as one CSV file, which is there only if there are any.
struct Rejects {
    folder: PathBuf,
    file: Option<(PathBuf, RejectFile<BufWriter<File>>)>,
}

impl Rejects {
    fn new(folder: PathBuf) -> Self {
        Self { folder, file: None }
    }

    fn write(&mut self, reject: &Reject) -> io::Result<()> {
        if self.file.is_none() {
            fs::create_dir_all(&self.folder)?;
            let path = self.next_path()?;
            let file = RejectFile::new(BufWriter::new(File::create_new(&path)?))?;
            self.file = Some((path, file));
        }
        self.file.as_mut().map_or(Ok(()), |(_, file)| file.write(reject))
    }

    /// Numbered, so that the rejects of an earlier load stay.
    fn next_path(&self) -> io::Result<PathBuf> {
        let free =
            (1_u32..).map(|number| self.folder.join(format!("rejects-{number:05}.csv"))).find(|path| !path.exists());
        free.ok_or_else(|| io::Error::other("no number is left for the reject file"))
    }

    /// A load that failed over its rejects says where all of them are.
    fn named_in(self, error: anyhow::Error) -> anyhow::Error {
        match self.finish() {
            Ok(Some(path)) => error.context(format!("nothing was loaded; all rejects: {}", path.display())),
            Ok(None) | Err(_) => error,
        }
    }

    fn finish(self) -> Result<Option<PathBuf>> {
        let Some((path, file)) = self.file else { return Ok(None) };
        file.finish()?;
        Ok(Some(path))
    }
}

/// Moves the bar, and keeps the rejects.
struct Watch<'a> {
    bar: ProgressBar,
    rejects: &'a mut Rejects,
}

impl Observer for Watch<'_> {
    fn advanced(&mut self, _file: &str, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        self.rejects.write(reject)
    }
}
