//! `muster load`: files into the store, and what became of every row.

use std::fmt::Write;

use anyhow::Result;

use crate::arguments::{Arguments, Load};
use crate::exit::Exit;
use crate::loading::{LoadReport, TableReport, load};
use crate::output;
use crate::workspace::Workspace;

/// Loads what is new.
///
/// # Errors
/// If a file cannot be read, has too many rejects, or does not fit what is stored; nothing was changed then.
pub fn run(arguments: &Arguments, wanted: &Load) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let opened = workspace.open()?;
    let report = load(&workspace, &opened, wanted)?;
    if arguments.json {
        output::document(&report)?;
    } else {
        output::text(&text(&report))?;
    }
    Ok(if report.has_rejects() { Exit::Rejects } else { Exit::Done })
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
    let TableReport { table: name, files, known_files, read, stored, .. } = table;
    if *files == 0 {
        let _ = writeln!(text, "{name}: {} known already", count(*known_files as u64, "file"));
        return;
    }
    let known = if *known_files > 0 { format!(", {known_files} more known already") } else { String::new() };
    let _ = writeln!(text, "{name}: {} rows read from {}{known}", thousands(*read), count(*files as u64, "file"));
    for (condition, rows) in table.filtered.iter().filter(|(_, rows)| *rows > 0) {
        let _ = writeln!(text, "  {:>12} filtered, not {condition}", thousands(*rows));
    }
    for (kind, rows) in &table.rejected {
        let _ = writeln!(text, "  {:>12} rejected: {kind}", thousands(*rows));
    }
    for reject in &table.first_rejects {
        let _ = writeln!(text, "               {reject}");
    }
    for (rows, what) in [
        (table.merged, "went into another row of their key"),
        (stored.new, "new"),
        (stored.changed, "changed"),
        (stored.same, "same"),
        (stored.older, "older than the stored row"),
        (stored.refused, "refused"),
        (stored.created, "made because a row names them"),
        (stored.orphans, "wait for their parent"),
    ] {
        if rows > 0 {
            let _ = writeln!(text, "  {:>12} {what}", thousands(rows));
        }
    }
    let _ = writeln!(text, "  {:>12} rows now", thousands(stored.rows));
    for (column, column_type, why) in &table.inferred {
        let _ = writeln!(text, "  {column} is taken for {column_type}: {why}");
    }
    for (column, why) in &table.ignored {
        let _ = writeln!(text, "  {column} is left out: {why}");
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
