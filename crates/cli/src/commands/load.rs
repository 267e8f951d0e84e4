//! `muster load`: files into the store, and what became of every row.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::arguments::{Arguments, Load};
use crate::exit::Exit;
use crate::handover::{self, Writing, absolute};
use crate::loading::{LoadReport, TableReport, UndoReport, load, undo};
use crate::output;
use crate::workspace::{Opened, Workspace};

/// Has what is new loaded, by a running `muster serve` or here.
///
/// # Errors
/// If a file cannot be read, has too many rejects, or does not fit what is stored; nothing was changed then.
pub fn run(arguments: &Arguments, wanted: &Load) -> Result<Exit> {
    let file = wanted.file.as_deref().map(absolute).transpose()?;
    let wanted = Load { file, ..wanted.clone() };
    let workspace = Workspace::find(arguments)?;
    if wanted.dry_run && !workspace.data().exists() {
        return rehearse(&workspace, &wanted, arguments.json);
    }
    handover::carry_out(arguments, &Writing::Load(wanted))
}

/// A dry run where nothing was ever loaded leaves nothing behind, not even an empty data directory.
fn rehearse(workspace: &Workspace, wanted: &Load, json: bool) -> Result<Exit> {
    let folder = Rehearsal(workspace.dir.join(".dry-run"));
    perform(workspace, &workspace.open_at(&folder.0)?, wanted, json)
}

/// A data directory that goes again. Nothing in it is ever true, so one that a crash left behind does no harm.
struct Rehearsal(PathBuf);

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Loads what is new, or takes back what was loaded last.
///
/// # Errors
/// As [`run`].
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Load, json: bool) -> Result<Exit> {
    if wanted.undo {
        return take_back(workspace, opened, wanted, json);
    }
    let report = load(workspace, opened, wanted)?;
    if json {
        output::document(&report)?;
    } else {
        output::text(&text(&report))?;
    }
    Ok(if report.has_rejects() { Exit::Rejects } else { Exit::Done })
}

fn take_back(workspace: &Workspace, opened: &Opened, wanted: &Load, json: bool) -> Result<Exit> {
    if !wanted.tables.is_empty() || wanted.file.is_some() || !wanted.accept.is_empty() {
        bail!("--undo takes back a whole load; it goes with --dry-run only");
    }
    let report = undo(workspace, opened, wanted.dry_run)?;
    if json {
        output::document(&report)?;
    } else {
        output::text(&undone(&report))?;
    }
    Ok(Exit::Done)
}

/// What was taken back, for people.
fn undone(report: &UndoReport) -> String {
    let UndoReport { taken_back, loaded_at, tables, files, agreements, .. } = report;
    let mut text = format!("the load of {loaded_at} (snapshot {taken_back}):\n");
    for TableReport { table, stored, .. } in tables {
        let became = [("new", stored.new), ("changed", stored.changed), ("deleted", stored.deleted)];
        let became: Vec<String> = became
            .into_iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(what, rows)| format!("{} {what}", thousands(rows)))
            .collect();
        if !became.is_empty() {
            let _ = writeln!(text, "  {table}: {}", became.join(", "));
        }
    }
    if *agreements > 0 {
        let _ = writeln!(text, "  {} to be written to", count(*agreements as u64, "agreement"));
    }
    let _ = match report.snapshot {
        Some(number) => writeln!(text, "is taken back; snapshot {number} is as it was before"),
        None => writeln!(text, "dry run: nothing was changed"),
    };
    if !files.is_empty() && !report.dry_run {
        let _ = writeln!(text, "the next load takes its files again, unless they go or change:");
    }
    let names: std::collections::BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    for name in names.iter().take(3) {
        let _ = writeln!(text, "  {name}");
    }
    if names.len() > 3 {
        let _ = writeln!(text, "  and {}", count(names.len() as u64 - 3, "more file"));
    }
    text
}

/// The report for people.
pub fn text(report: &LoadReport) -> String {
    let mut text = String::new();
    for table in &report.tables {
        describe(table, &mut text);
    }
    for refusal in report.refusals.iter().take(3) {
        let _ = writeln!(text, "  refused: {} {}: {}", refusal.table, refusal.key, refusal.reason);
    }
    if let Some(path) = &report.reject_file {
        let _ = writeln!(text, "all rejects: {}", path.display());
    }
    let _ = match (report.snapshot, report.dry_run) {
        (Some(number), _) => writeln!(text, "snapshot {number} is published"),
        (None, true) => writeln!(text, "dry run: nothing was changed"),
        (None, false) => writeln!(text, "nothing new"),
    };
    text
}

/// Writing to a text does not fail, so what `writeln!` answers is let go.
fn describe(table: &TableReport, text: &mut String) {
    let TableReport { table: name, files, known_files, read, .. } = table;
    if *files == 0 {
        let _ = writeln!(text, "{name}: {} known already", count(*known_files as u64, "file"));
    } else {
        let known = if *known_files > 0 { format!(", {known_files} more known already") } else { String::new() };
        let _ = writeln!(text, "{name}: {} rows read from {}{known}", thousands(*read), count(*files as u64, "file"));
        describe_rows(table, text);
    }
    for (file, why) in &table.unfinished {
        let _ = writeln!(text, "  {file} is left for the next load: {why}");
    }
    if table.stays {
        let _ = writeln!(text, "  it stays as it is: an empty file replaces it only with allow_empty = true");
    }
}

fn describe_rows(table: &TableReport, text: &mut String) {
    for (condition, rows) in table.filtered.iter().filter(|(_, rows)| *rows > 0) {
        let _ = writeln!(text, "  {:>12} filtered, not {condition}", thousands(*rows));
    }
    for (kind, rows) in &table.rejected {
        let _ = writeln!(text, "  {:>12} rejected: {kind}", thousands(*rows));
    }
    for reject in &table.first_rejects {
        let _ = writeln!(text, "               {reject}");
    }
    describe_stored(table, text);
    describe_oddities(table, text);
}

fn describe_stored(table: &TableReport, text: &mut String) {
    let stored = &table.stored;
    for (rows, what) in [
        (table.merged, "went into another row of their key"),
        (stored.new, "new"),
        (stored.changed, "changed"),
        (stored.same, "same"),
        (stored.older, "older than the stored row"),
        (stored.refused, "refused"),
        (stored.deleted, "deleted"),
        (stored.created, "made because a row names them"),
        (stored.orphans, "wait for their parent"),
    ] {
        if rows > 0 {
            let _ = writeln!(text, "  {:>12} {what}", thousands(rows));
        }
    }
    if stored.kept > 0 {
        let _ = writeln!(text, "  {:>12} {} that muster owns", "kept", count(stored.kept, "field"));
    }
    if !table.stays {
        let _ = writeln!(text, "  {:>12} rows now", thousands(stored.rows));
    }
}

fn describe_oddities(table: &TableReport, text: &mut String) {
    for flagged in &table.flags {
        let column = flagged.column.as_ref().map(|column| format!(" in {column}")).unwrap_or_default();
        let _ = writeln!(text, "  {:>12} taken, and odd: {}{column}", thousands(flagged.rows), flagged.flag);
    }
    for (first, second) in table.collisions.iter().take(3) {
        let _ = writeln!(text, "               {first} and {second} may be one");
    }
    for (column, column_type, why) in &table.inferred {
        let _ = writeln!(text, "  {column} is taken for {column_type}: {why}");
    }
    for (column, why) in &table.ignored {
        let _ = writeln!(text, "  {column} is left out: {why}");
    }
    for column in &table.vanished {
        let _ = writeln!(text, "  {column} is no longer in the files: it has no value in their rows");
    }
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", thousands(number)) }
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
