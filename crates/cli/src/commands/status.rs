//! `muster status`: what is loaded, how old it is, and what is on its way.

use anyhow::Result;
use muster_store::{LoadRecord, Store};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output;
use crate::workspace::Workspace;

/// How a workspace stands.
#[derive(Serialize)]
struct Status {
    workspace: String,
    snapshot: Option<SnapshotStatus>,
    loads: Vec<LoadStatus>,
    segments: Vec<SegmentStatus>,
    campaigns: Vec<CampaignStatus>,
}

#[derive(Serialize)]
struct SnapshotStatus {
    number: u64,
    published_at: String,
    bytes: u64,
    tables: Vec<TableStatus>,
}

#[derive(Serialize)]
struct TableStatus {
    table: String,
    rows: u64,
    waiting: u64,
}

#[derive(Serialize)]
struct LoadStatus {
    snapshot: u64,
    at: String,
}

#[derive(Serialize)]
struct SegmentStatus {
    segment: String,
    profiles: u64,
    as_of: String,
}

#[derive(Serialize)]
struct CampaignStatus {
    campaign: String,
    version: u32,
    standing: String,
}

/// Shows how the workspace stands.
///
/// # Errors
/// If there is nothing yet, or the state cannot be read.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let status = read(&workspace)?;
    if arguments.json {
        output::document(&status)?
    } else {
        output::text(&text(&status))?
    }
    Ok(Exit::Done)
}

fn read(workspace: &Workspace) -> Result<Status> {
    let opened = workspace.open_reading()?;
    let zone = workspace.catalog.workspace.time_zone;
    let snapshot = opened.store.snapshot().map(|snapshot| SnapshotStatus {
        number: snapshot.number(),
        published_at: snapshot.at().rfc3339(zone),
        bytes: snapshot.bytes(),
        tables: snapshot
            .schemas()
            .map(|table| TableStatus {
                table: table.name.clone(),
                rows: snapshot.row_count(&table.name),
                waiting: snapshot.orphan_count(&table.name),
            })
            .collect(),
    });
    opened.reader.read(|tx| {
        let load = |load: LoadRecord| LoadStatus { snapshot: load.snapshot, at: load.at.rfc3339(zone) };
        let segment =
            |(segment, profiles, as_of, _): (String, u64, muster_catalog::Timestamp, muster_catalog::Timestamp)| {
                SegmentStatus { segment, profiles, as_of: as_of.rfc3339(zone) }
            };
        let campaign = |campaign: muster_campaign::Shelved| CampaignStatus {
            campaign: campaign.name,
            version: campaign.version,
            standing: campaign.standing.to_string(),
        };
        Ok(Status {
            workspace: workspace.catalog.workspace.name.clone(),
            snapshot,
            loads: Store::loads(tx, 5)?.into_iter().map(load).collect(),
            segments: muster_segment::Audience::counts(tx)?.into_iter().map(segment).collect(),
            campaigns: muster_campaign::list(tx)?.into_iter().map(campaign).collect(),
        })
    })
}

fn text(status: &Status) -> String {
    let mut lines = vec![format!("workspace {}", status.workspace)];
    match &status.snapshot {
        None => lines.push("nothing is loaded yet".to_owned()),
        Some(snapshot) => {
            let megabytes = snapshot.bytes / 1_000_000;
            lines.push(format!("snapshot {} of {}, {megabytes} MB on disk", snapshot.number, snapshot.published_at));
            lines.extend(snapshot.tables.iter().map(table_line));
        }
    }
    lines.extend(status.loads.iter().map(|load| format!("load of {} made snapshot {}", load.at, load.snapshot)));
    lines.extend(status.segments.iter().map(|segment| {
        format!(
            "segment {}: {} profiles as of {}",
            segment.segment,
            super::load::thousands(segment.profiles),
            segment.as_of
        )
    }));
    lines.extend(status.campaigns.iter().map(|campaign| {
        format!("campaign {}: version {} is {}", campaign.campaign, campaign.version, campaign.standing)
    }));
    lines.join("\n")
}

fn table_line(table: &TableStatus) -> String {
    let waiting = if table.waiting > 0 { format!(", {} wait for their parent", table.waiting) } else { String::new() };
    format!("  {:<16} {:>12} rows{waiting}", table.table, super::load::thousands(table.rows))
}
