//! The days after the demo's first files: each comes by itself, as a shop's nightly export does.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use muster_demo::shop::{date_of, taken_at};
use muster_demo::workspace as demo_workspace;

use super::super::load::thousands;
use super::{heading, setting, timed};
use crate::arguments::{Arguments, Demo, Load};
use crate::loading::{LoadReport, TableReport};
use crate::workspace::{Opened, Workspace};
use crate::{loading, output};

/// Lets the days come, one after the other: a day's files appear, and are loaded as of that day.
///
/// # Errors
/// If a file cannot be moved, or a day cannot be loaded.
pub fn go_on(arguments: &Arguments, wanted: &Demo, dir: &Path, opened: &Opened) -> Result<()> {
    if wanted.days == 0 {
        return Ok(());
    }
    heading("The days after, each loaded by itself")?;
    for day in 1..=wanted.days {
        bring_files(dir, &date_of(day))?;
        demo_workspace::write(dir, setting(wanted, day))?;
        let workspace = Workspace::read(dir.to_owned(), arguments.as_of.as_deref())?;
        let (report, seconds) = timed(|| loading::load(&workspace, opened, &Load::default()))?;
        output::text(&day_line(&date_of(day), &report, seconds))?;
    }
    let waiting = dir.join(demo_workspace::DAYS);
    fs::remove_dir(&waiting).with_context(|| format!("cannot remove {}", waiting.display()))?;
    output::text(&format!("now() is {} from here on", taken_at(wanted.days)))
}

/// Puts a day's files beside those of the days before.
fn bring_files(dir: &Path, date: &str) -> Result<()> {
    let (from, to) = (dir.join(demo_workspace::DAYS).join(date), dir.join(demo_workspace::FILES));
    let unreadable = || format!("cannot read {}", from.display());
    for file in fs::read_dir(&from).with_context(unreadable)? {
        let file = file.with_context(unreadable)?;
        fs::rename(file.path(), to.join(file.file_name()))
            .with_context(|| format!("cannot move {} to {}", file.path().display(), to.display()))?;
    }
    fs::remove_dir(&from).with_context(|| format!("cannot remove {}", from.display()))
}

/// What became of the rows of all tables; what did not happen is left out.
fn day_line(date: &str, report: &LoadReport, seconds: f64) -> String {
    let sum = |count: fn(&TableReport) -> u64| report.tables.iter().map(count).sum::<u64>();
    let became = [
        ("new", sum(|table| table.stored.new)),
        ("changed", sum(|table| table.stored.changed)),
        ("same", sum(|table| table.stored.same)),
        ("deleted", sum(|table| table.stored.deleted)),
        ("older", sum(|table| table.stored.older)),
        ("refused", sum(|table| table.stored.refused)),
        ("rejected", sum(|table| table.rejected.values().sum())),
    ];
    let became: Vec<String> = became
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(what, rows)| format!("{:>8} {what}", thousands(rows)))
        .collect();
    let read = thousands(sum(|table| table.read));
    format!("  {date} {seconds:>8.2} s {read:>9} rows read: {}", became.join(", "))
}
