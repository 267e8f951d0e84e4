//! What looks like a mistake is refused, with the figure and the way to have it done all the same.

use anyhow::Result;
use muster_catalog::{Catalog, Mode, Table};
use muster_ingest::Error as IngestError;
use muster_store::{Error as StoreError, PublishReport, Snapshot, TableCounts};

use super::reading::Reading;
use crate::arguments::Guard;
use crate::commands::load::thousands;
use crate::exit::Refused;

/// A table that loses more than this share of its rows, in percent, loses them by mistake.
const MOST_LOST: u64 = 30;

/// Nothing is broken and nothing was changed; `hint` is how to mend it, or to have it done.
pub(super) fn refused(what: &str, hint: &str) -> anyhow::Error {
    Refused(format!("{what}\n  hint: {hint}")).into()
}

const ACCEPT_LOSS: &str = "if the rest is really gone, load with --accept loss";

/// Refuses files of a table that is replaced if they hold far fewer rows than the ones before.
///
/// # Errors
/// A refusal.
pub(super) fn shrinking(readings: &[Reading<'_>], accepted: &[Guard]) -> Result<()> {
    if accepted.contains(&Guard::Loss) {
        return Ok(());
    }
    for reading in readings {
        let (Some(last), Some(now)) = (&reading.work.last_full, reading.full()) else { continue };
        let emptied = reading.is_empty() && reading.work.table.allow_empty;
        let missing = last.rows.saturating_sub(now.rows);
        if is_too_much(missing, last.rows) && !emptied {
            return Err(shrunk(&reading.work.table.name, now.rows, last.rows));
        }
    }
    Ok(())
}

fn shrunk(table: &str, now: u64, before: u64) -> anyhow::Error {
    let what = format!(
        "{table}: its files have {} rows, {} % fewer than the {} of the last full load; nothing was changed",
        thousands(now),
        percent(before - now, before),
        thousands(before)
    );
    refused(&what, &format!("is the file whole? {ACCEPT_LOSS}"))
}

/// Refuses a load that deletes a large part of a table.
///
/// # Errors
/// A refusal.
pub(super) fn losses(
    catalog: &Catalog,
    before: Option<&Snapshot>,
    report: &PublishReport,
    accepted: &[Guard],
) -> Result<()> {
    let Some(before) = before.filter(|_| !accepted.contains(&Guard::Loss)) else { return Ok(()) };
    for table in catalog.parents_first() {
        let Some(counts) = report.tables.get(&table.name) else { continue };
        let (lost, rows) = (lost(table, counts), before.row_count(&table.name));
        let emptied = table.mode == Mode::Replace && table.allow_empty && counts.incoming == 0;
        if is_too_much(lost, rows) && !emptied {
            return Err(mostly_gone(&table.name, lost, rows));
        }
    }
    Ok(())
}

/// Rows below a parent that is replaced go and come at once; elsewhere who is gone is gone.
fn lost(table: &Table, counts: &TableCounts) -> u64 {
    match table.mode {
        Mode::ReplaceByParent => counts.deleted.saturating_sub(counts.new),
        Mode::Merge | Mode::Replace => counts.deleted,
    }
}

fn mostly_gone(table: &str, lost: u64, rows: u64) -> anyhow::Error {
    let what = format!(
        "{table}: {} of {} rows ({} %) would be deleted; nothing was changed",
        thousands(lost),
        thousands(rows),
        percent(lost, rows)
    );
    refused(&what, ACCEPT_LOSS)
}

fn is_too_much(lost: u64, of: u64) -> bool {
    lost * 100 > of * MOST_LOST
}

fn percent(part: u64, of: u64) -> u64 {
    part * 100 / of.max(1)
}

/// A column that the store has and the files no longer have.
pub(super) fn vanished(table: &Table, column: &str, declared: bool, error: &IngestError) -> anyhow::Error {
    let section = format!("[tables.{}.columns]", table.name);
    let accept = "--accept columns empties it in every row of the files";
    let hint = if declared {
        format!(
            "rows loaded before have values in it; if it is gone for good, say `optional = true` of it in {section}"
        )
    } else {
        format!("rows loaded before have values in `{column}`; {accept}")
    };
    refused(&format!("{error}\n  nothing was changed"), &hint)
}

/// What the store refuses, with what can be done about it.
pub(super) fn told(error: StoreError) -> anyhow::Error {
    let StoreError::TypeChanged { table, column, stored, incoming } = &error else { return error.into() };
    let hint = format!(
        "what is stored keeps its type; in [tables.{table}.columns] declare {column} = {{ type = \"{stored}\" }}, \
         and what is new beside it: {column}_2 = {{ from = \"{column}\", type = \"{incoming}\" }}"
    );
    refused(&format!("{error}; nothing was changed"), &hint)
}
