//! Rows and documents on stdout.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::FormatOptions;
use arrow_cast::pretty::pretty_format_batches_with_options;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use muster_query::{Answer, Running};
use muster_segment::Error as SegmentError;
use parquet::arrow::ArrowWriter;
use serde::Serialize;

use crate::arguments::RowFormat;

thread_local! {
    /// What this thread prints while somebody else is to see it.
    static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Runs `work` and keeps what it would print on stdout from this thread, for whoever asked for it.
pub fn kept<T>(work: impl FnOnce() -> T) -> (T, Vec<u8>) {
    /// So that a thread that is used again prints again, also after a panic.
    struct Release;
    impl Drop for Release {
        fn drop(&mut self) {
            KEPT.take();
        }
    }
    KEPT.set(Some(Vec::new()));
    let release = Release;
    let outcome = work();
    let printed = KEPT.take().unwrap_or_default();
    drop(release);
    (outcome, printed)
}

/// Stdout, which a reader may close when it has seen enough (`| head`): that ends the process, and is no failure.
struct Stdout(io::Stdout);

fn stdout() -> BufWriter<Stdout> {
    BufWriter::new(Stdout(io::stdout()))
}

impl Stdout {
    fn quiet<T>(outcome: io::Result<T>) -> io::Result<T> {
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept = KEPT.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.extend_from_slice(bytes)));
        if kept.is_some() { Ok(bytes.len()) } else { Self::quiet(self.0.write(bytes)) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if KEPT.with_borrow(Option::is_some) { Ok(()) } else { Self::quiet(self.0.flush()) }
    }
}

/// Rows that are written as they come.
pub struct Rows<'a> {
    /// Their columns.
    pub schema: SchemaRef,
    /// The rows, in order; after an error none come any more.
    pub batches: Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>,
}

impl<'a> Rows<'a> {
    /// Those of an answer that is there.
    pub fn of(answer: &'a Answer) -> Self {
        let batches = answer.batches.iter().map(|batch| Ok(batch.clone()));
        Self { schema: Arc::clone(&answer.schema), batches: Box::new(batches) }
    }

    /// Those of an answer on its way.
    pub fn coming(running: Running) -> Rows<'static> {
        let schema = Arc::clone(running.schema());
        let batches = running.map(|batch| Ok(batch.map_err(SegmentError::Query)?));
        Rows { schema, batches: Box::new(batches) }
    }

    /// The same, of which `look` sees each batch before it is written, and nothing at the end.
    pub fn looked_at(self, mut look: impl FnMut(Option<&RecordBatch>) + 'a) -> Self {
        let mut batches = self.batches;
        let looked_at = std::iter::from_fn(move || {
            let next = batches.next();
            look(next.as_ref().and_then(|next| next.as_ref().ok()));
            next
        });
        Self { schema: self.schema, batches: Box::new(looked_at) }
    }

    /// All of them.
    ///
    /// # Errors
    /// The first error that comes.
    pub fn collected(self) -> Result<Answer> {
        Ok(Answer { schema: self.schema, batches: self.batches.collect::<Result<_>>()? })
    }

    /// Arrow and Parquet keep instants in UTC; the zone is for people.
    fn in_utc(self) -> Self {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let field = |field: &Arc<Field>| match field.data_type() {
            DataType::Timestamp(_, Some(_)) => Arc::new(field.as_ref().clone().with_data_type(utc.clone())),
            _ => Arc::clone(field),
        };
        let schema = Arc::new(Schema::new(self.schema.fields().iter().map(field).collect::<Vec<_>>()));
        let wanted = Arc::clone(&schema);
        let batch = move |batch: Result<RecordBatch>| {
            let batch = batch?;
            let pairs = batch.columns().iter().zip(wanted.fields());
            let columns =
                pairs.map(|(column, field)| arrow_cast::cast(column, field.data_type())).collect::<Result<_, _>>()?;
            Ok(RecordBatch::try_new(Arc::clone(&wanted), columns)?)
        };
        Self { schema, batches: Box::new(self.batches.map(batch)) }
    }
}

/// Writes rows to stdout.
///
/// # Errors
/// If stdout is gone, or a binary format would go to a terminal.
pub fn rows(answer: &Answer, format: RowFormat) -> Result<()> {
    print(Rows::of(answer), format)
}

/// Writes rows to stdout as they come; a table when all are there, since its columns are as wide as their widest value.
///
/// # Errors
/// If stdout is gone, a binary format would go to a terminal, or not all rows come: then some may have been written.
pub fn print(rows: Rows<'_>, format: RowFormat) -> Result<()> {
    if matches!(format, RowFormat::Arrow | RowFormat::Parquet) && io::stdout().is_terminal() {
        bail!("this format is not for a terminal; send it to a file with >");
    }
    with_stdout(|target| write(rows, format, target))
}

/// Writes to stdout.
///
/// # Errors
/// Those of `written`, and if stdout is gone.
pub fn with_stdout(written: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let mut target = stdout();
    written(&mut target)?;
    Ok(target.flush()?)
}

fn write(rows: Rows<'_>, format: RowFormat, target: impl Write + Send) -> Result<()> {
    match format {
        RowFormat::Table => table(&rows.collected()?, target),
        RowFormat::Csv => csv(rows, target),
        RowFormat::Json => json_array(rows, target),
        RowFormat::Arrow => arrow(rows.in_utc(), target),
        RowFormat::Parquet => parquet(rows.in_utc(), target),
    }
}

/// Writes rows to a file whose name says how: .csv, .ndjson, .parquet. The file appears whole or not at all.
///
/// # Errors
/// If the name says nothing, or the file cannot be written.
pub fn file(answer: &Answer, path: &Path) -> Result<()> {
    let rows = Rows::of(answer);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => whole(path, |target| csv(rows, target)),
        Some("ndjson") => whole(path, |target| ndjson(rows, target)),
        Some("parquet") => whole(path, |target| parquet(rows.in_utc(), target)),
        _ => bail!("{} must end in .csv, .ndjson or .parquet", path.display()),
    }
}

/// Writes rows to a file as they come, in the given format. The file appears whole or not at all.
///
/// # Errors
/// If the file cannot be written, or not all rows come.
pub fn file_as(rows: Rows<'_>, format: RowFormat, path: &Path) -> Result<()> {
    whole(path, |target| write(rows, format, target))
}

/// A file that appears when all of it is written.
fn whole(path: &Path, written: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    let file = File::create(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    let mut target = BufWriter::new(file);
    if let Err(error) = written(&mut target) {
        // What is left of it is of no use; that it is still there says nothing more than the error.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    let file = target.into_inner().context("the file is not whole")?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes one JSON document to stdout.
///
/// # Errors
/// If stdout is gone.
pub fn document(document: &impl Serialize) -> Result<()> {
    let mut stdout = stdout();
    serde_json::to_writer_pretty(&mut stdout, document)?;
    writeln!(stdout)?;
    Ok(stdout.flush()?)
}

/// Writes lines of text to stdout.
///
/// # Errors
/// If stdout is gone.
pub fn text(text: &str) -> Result<()> {
    let mut stdout = stdout();
    writeln!(stdout, "{}", text.trim_end())?;
    Ok(stdout.flush()?)
}

/// Writes to stdout what is ready to be printed.
///
/// # Errors
/// If stdout is gone.
pub fn verbatim(text: &str) -> Result<()> {
    let mut stdout = stdout();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

fn table(answer: &Answer, mut target: impl Write) -> Result<()> {
    let options = FormatOptions::default().with_null("NULL");
    let batches = if answer.batches.is_empty() {
        vec![RecordBatch::new_empty(Arc::clone(&answer.schema))]
    } else {
        answer.batches.clone()
    };
    Ok(writeln!(target, "{}", pretty_format_batches_with_options(&batches, &options)?)?)
}

fn csv(rows: Rows<'_>, target: impl Write) -> Result<()> {
    let mut writer = arrow_csv::WriterBuilder::new().with_header(true).build(target);
    let schema = flat_schema(&rows.schema);
    let mut is_begun = false;
    for batch in rows.batches {
        let columns = batch?.columns().iter().map(flat).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
        is_begun = true;
    }
    if !is_begun {
        writer.write(&RecordBatch::new_empty(schema))?;
    }
    Ok(())
}

/// CSV has no lists: the members of a set stand in one field, separated by semicolons.
fn flat(column: &ArrayRef) -> ArrayRef {
    let Some(sets) = column.as_list_opt::<i32>() else { return Arc::clone(column) };
    let mut texts = StringBuilder::new();
    for row in 0..sets.len() {
        let members = sets.is_valid(row).then(|| sets.value(row));
        let members = members.and_then(|members| {
            let members = arrow_cast::cast(&members, &DataType::Utf8).ok()?;
            Some(members.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(";"))
        });
        texts.append_option(members);
    }
    Arc::new(texts.finish())
}

fn flat_schema(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::List(_) => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn json_array(rows: Rows<'_>, mut target: impl Write) -> Result<()> {
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::JsonArray>(&mut target);
    for batch in rows.batches {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(writeln!(target)?)
}

fn ndjson(rows: Rows<'_>, target: impl Write) -> Result<()> {
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(target);
    for batch in rows.batches {
        writer.write(&batch?)?;
    }
    Ok(writer.finish()?)
}

fn arrow(rows: Rows<'_>, target: impl Write) -> Result<()> {
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(target, &rows.schema)?;
    for batch in rows.batches {
        writer.write(&batch?)?;
    }
    Ok(writer.finish()?)
}

fn parquet(rows: Rows<'_>, target: impl Write + Send) -> Result<()> {
    let mut writer = ArrowWriter::try_new(target, Arc::clone(&rows.schema), None)?;
    for batch in rows.batches {
        writer.write(&batch?)?;
    }
    writer.close()?;
    Ok(())
}
