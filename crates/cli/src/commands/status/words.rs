//! How a workspace stands, in words.

use super::campaigns::{CampaignStatus, Stuck};
use super::loads::{PastLoad, PastTable};
use super::standing::{SegmentStatus, SnapshotStatus, TableStatus, WorkspaceStatus};
use crate::commands::load::thousands;

/// The status for people.
pub fn standing(status: &WorkspaceStatus) -> String {
    let mut lines = vec![format!("workspace {}", status.workspace)];
    match &status.snapshot {
        None => lines.push("nothing is loaded yet".to_owned()),
        Some(snapshot) => lines.extend(snapshot_lines(snapshot, status.state_bytes)),
    }
    lines.extend(status.loads.iter().map(load_line));
    lines.extend(status.segments.iter().map(segment_line));
    lines.extend(status.halted_since.iter().map(|since| format!("all sends are stopped since {since}")));
    lines.extend(status.campaigns.iter().map(campaign_line));
    lines.extend(status.stuck.iter().map(stuck_line));
    lines.join("\n")
}

fn snapshot_lines(snapshot: &SnapshotStatus, state_bytes: u64) -> Vec<String> {
    let blocks = snapshot.tables.iter().map(|table| table.blocks).sum();
    let head = format!(
        "snapshot {} of {}: {} in {} blocks on disk, and {} of state",
        snapshot.number,
        snapshot.published_at,
        size(snapshot.bytes),
        thousands(blocks),
        size(state_bytes)
    );
    std::iter::once(head).chain(snapshot.tables.iter().map(table_line)).collect()
}

/// `1.3 MB`, in powers of ten.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", thousands(bytes / 1_000_000), bytes % 1_000_000 / 100_000),
    }
}

fn table_line(table: &TableStatus) -> String {
    let newest = match (&table.newest, table.age_days) {
        (Some(newest), Some(0)) => format!(", newest {newest}"),
        (Some(newest), Some(days)) => format!(", newest {newest} ({})", count(days, "day", "days")),
        _ => String::new(),
    };
    let waiting = part(table.waiting, "wait for their parent");
    let later = part(table.later.unwrap_or(0), "in the future");
    let unknown = part(table.unknown.unwrap_or(0), "of no profile");
    format!("  {:<16} {:>12} rows{newest}{waiting}{later}{unknown}", table.table, thousands(table.rows))
}

fn part(rows: u64, what: &str) -> String {
    if rows > 0 { format!(", {} {what}", thousands(rows)) } else { String::new() }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

fn load_line(load: &PastLoad) -> String {
    let files = load.sources.len() as u64;
    format!(
        "load of {} made snapshot {}: {} from {}{}{}{}",
        load.at,
        load.snapshot,
        count(load.sum(|table| table.read), "row", "rows"),
        count(files, "file", "files"),
        part(load.sum(|table| table.new), "new"),
        part(load.sum(PastTable::rejects), "rejected"),
        taken_back(load),
    )
}

fn taken_back(load: &PastLoad) -> String {
    load.undone.as_ref().map(|at| format!("; taken back {at}")).unwrap_or_default()
}

fn segment_line(segment: &SegmentStatus) -> String {
    let stale = if segment.older_than_data { "; data were loaded since" } else { "" };
    format!("segment {}: {} profiles as of {}{stale}", segment.segment, thousands(segment.profiles), segment.as_of)
}

fn campaign_line(campaign: &CampaignStatus) -> String {
    let CampaignStatus { campaign: name, version, standing, enters, ready, next_due, .. } = campaign;
    let next = enters.as_ref().map(|segment| {
        let ready = if *ready > 0 { format!("{} and ", count(*ready, "decision", "decisions")) } else { String::new() };
        format!("; next: {ready}whoever is new in {segment}")
    });
    let due = next_due.as_ref().map(|due| format!("; deferred until {due}")).unwrap_or_default();
    format!("campaign {name}: version {version} is {standing}{}{due}", next.unwrap_or_default())
}

fn stuck_line(stuck: &Stuck) -> String {
    format!("stuck: {} in {}: {}; {}", stuck.what, stuck.name, thousands(stuck.count), stuck.hint)
}

/// The load history for people.
pub fn history(loads: &[PastLoad]) -> String {
    if loads.is_empty() {
        return "nothing is loaded yet".to_owned();
    }
    loads.iter().flat_map(past_load).collect::<Vec<_>>().join("\n")
}

fn past_load(load: &PastLoad) -> Vec<String> {
    let mut lines = vec![format!("snapshot {} of {}{}", load.snapshot, load.at, taken_back(load))];
    for table in load.tables.iter().filter(|table| table.files > 0) {
        lines.push(past_table(table));
        let named = |what: &str, rows: &u64, kind: &String| format!("    {:>12} {what} {kind}", thousands(*rows));
        lines.extend(
            table.filtered.iter().filter(|(_, rows)| **rows > 0).map(|(kind, rows)| named("filtered, not", rows, kind)),
        );
        lines.extend(table.rejected.iter().map(|(kind, rows)| named("rejected:", rows, kind)));
        let files = load.sources.iter().filter(|source| source.table == table.table);
        lines.extend(files.map(|source| format!("    {:>12} {}", size(source.bytes), source.name)));
    }
    lines
}

fn past_table(table: &PastTable) -> String {
    let parts = [
        (table.new, "new"),
        (table.changed, "changed"),
        (table.same, "same"),
        (table.older, "older"),
        (table.merged, "merged"),
        (table.left_out(), "filtered"),
        (table.rejects(), "rejected"),
        (table.refused, "refused"),
        (table.deleted, "deleted"),
        (table.created, "made as parents"),
        (table.orphans, "wait for their parent"),
    ];
    let parts: String = parts.iter().map(|(rows, what)| part(*rows, what)).collect();
    format!("  {}: {} read{parts}; {} rows then", table.table, thousands(table.read), thousands(table.rows))
}
