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
use muster_query::Answer;
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

/// Writes rows to stdout.
///
/// # Errors
/// If stdout is gone, or a binary format would go to a terminal.
pub fn rows(answer: &Answer, format: RowFormat) -> Result<()> {
    if matches!(format, RowFormat::Arrow | RowFormat::Parquet) && io::stdout().is_terminal() {
        bail!("this format is not for a terminal; send it to a file with >");
    }
    let mut target = stdout();
    match format {
        RowFormat::Table => table(answer, &mut target)?,
        RowFormat::Csv => csv(answer, &mut target)?,
        RowFormat::Json => json_array(answer, &mut target)?,
        RowFormat::Arrow => arrow(&in_utc(answer)?, &mut target)?,
        RowFormat::Parquet => parquet(&in_utc(answer)?, &mut target)?,
    }
    Ok(target.flush()?)
}

/// Writes rows to a file whose name says how: .csv, .ndjson, .parquet. The file appears whole or not at all.
///
/// # Errors
/// If the name says nothing, or the file cannot be written.
pub fn file(answer: &Answer, path: &Path) -> Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    let file = File::create(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    let mut writer = BufWriter::new(file);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => csv(answer, &mut writer)?,
        Some("ndjson") => ndjson(answer, &mut writer)?,
        Some("parquet") => parquet(&in_utc(answer)?, &mut writer)?,
        _ => {
            std::fs::remove_file(&unfinished)?;
            bail!("{} must end in .csv, .ndjson or .parquet", path.display());
        }
    }
    let file = writer.into_inner().context("the file is not whole")?;
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

fn csv(answer: &Answer, target: impl Write) -> Result<()> {
    let mut writer = arrow_csv::WriterBuilder::new().with_header(true).build(target);
    let schema = flat_schema(&answer.schema);
    if answer.batches.is_empty() {
        writer.write(&RecordBatch::new_empty(schema))?;
        return Ok(());
    }
    for batch in &answer.batches {
        let columns = batch.columns().iter().map(flat).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
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

fn json_array(answer: &Answer, mut target: impl Write) -> Result<()> {
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::JsonArray>(&mut target);
    answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()?;
    Ok(writeln!(target)?)
}

fn ndjson(answer: &Answer, target: impl Write) -> Result<()> {
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(target);
    answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
    Ok(writer.finish()?)
}

fn arrow(answer: &Answer, target: impl Write) -> Result<()> {
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(target, &answer.schema)?;
    answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
    Ok(writer.finish()?)
}

fn parquet(answer: &Answer, target: impl Write + Send) -> Result<()> {
    let mut writer = ArrowWriter::try_new(target, Arc::clone(&answer.schema), None)?;
    answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.close()?;
    Ok(())
}

/// Arrow and Parquet keep instants in UTC; the zone is for people.
pub fn in_utc(answer: &Answer) -> Result<Answer> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Timestamp(_, Some(_)) => Arc::new(field.as_ref().clone().with_data_type(utc.clone())),
        _ => Arc::clone(field),
    };
    let schema = Arc::new(Schema::new(answer.schema.fields().iter().map(field).collect::<Vec<_>>()));
    let batch = |batch: &RecordBatch| {
        let pairs = batch.columns().iter().zip(schema.fields());
        let columns =
            pairs.map(|(column, field)| arrow_cast::cast(column, field.data_type())).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    };
    let batches = answer.batches.iter().map(batch).collect::<Result<Vec<_>>>()?;
    Ok(Answer { schema, batches })
}
