//! `muster campaign …`: what is sent to whom.

use anyhow::{Context, Result, bail};
use muster_campaign::ledger::{Entry, each_decision};
use muster_campaign::{Driver, Status, Summary};
use muster_state::Instance;
use serde_json::json;

use crate::arguments::{Arguments, Campaign, RowFormat};
use crate::campaigns;
use crate::exit::Exit;
use crate::handover::{self, Due, Named, Nothing, Writing};
use crate::output;
use crate::sending::{SegmentAudiences, SnapshotProfiles, channels, links, templates};
use crate::workspace::{Opened, PATIENT, Workspace, engine};

/// Runs a campaign command.
///
/// # Errors
/// If a definition is not in order, or sending cannot begin.
pub fn run(arguments: &Arguments, wanted: &Campaign) -> Result<Exit> {
    let workspace = || Workspace::find(arguments);
    let named = |name: &str| Named { name: name.to_owned() };
    match wanted {
        Campaign::List => list(&workspace()?, arguments.json),
        Campaign::Check { name } => check(&workspace()?, name),
        Campaign::Ledger { name, format } => {
            ledger(&workspace()?, name, if arguments.json { RowFormat::Json } else { *format })
        }
        Campaign::Publish { name } => handover::carry_out(arguments, &Writing::CampaignPublish(named(name))),
        Campaign::RunDue { name } => {
            handover::carry_out(arguments, &Writing::CampaignRunDue(Due { name: name.clone() }))
        }
        Campaign::TakeOver => handover::carry_out(arguments, &Writing::CampaignTakeOver(Nothing {})),
        Campaign::Pause { name } => handover::carry_out(arguments, &Writing::CampaignPause(named(name))),
        Campaign::Resume { name } => handover::carry_out(arguments, &Writing::CampaignResume(named(name))),
    }
}

/// Makes this data directory the one that sends, where it was copied or restored.
///
/// # Errors
/// If the state cannot be written.
pub fn take_over(workspace: &Workspace, opened: &Opened) -> Result<Exit> {
    opened.state.write(|tx| Instance::take_over(tx, &workspace.data()))?;
    output::text("this workspace sends from now on; the one that it was copied from must not")?;
    Ok(Exit::Done)
}

/// A copy of a workspace might write to everybody a second time.
fn refuse_copy(workspace: &Workspace, opened: &Opened) -> Result<()> {
    let instance = opened.state.read(|tx| Instance::read(tx, &workspace.data()))?;
    Ok(instance.map_or(Ok(()), |instance| instance.refuse_copy())?)
}

/// Lets nobody enter a campaign and sends nothing of it.
///
/// # Errors
/// If there is no such campaign.
pub fn pause(opened: &Opened, name: &str) -> Result<Exit> {
    opened.state.write(|tx| muster_campaign::pause(tx, name))?;
    output::text(&format!("{name}: paused")).map(|()| Exit::Done)
}

/// Lets a campaign go on after a pause.
///
/// # Errors
/// If there is no such campaign.
pub fn resume(opened: &Opened, name: &str) -> Result<Exit> {
    opened.state.write(|tx| muster_campaign::resume(tx, name))?;
    output::text(&format!("{name}: live")).map(|()| Exit::Done)
}

fn check(workspace: &Workspace, name: &str) -> Result<Exit> {
    let problems = campaigns::problems(workspace, &templates(workspace)?, name);
    if problems.is_empty() {
        output::text(&format!("{name}: everything is in order"))?;
        return Ok(Exit::Done);
    }
    output::text(&problems.join("\n"))?;
    Ok(Exit::Problems)
}

fn list(workspace: &Workspace, json: bool) -> Result<Exit> {
    let published = match workspace.data().is_dir() {
        true => workspace.open_reading()?.reader.read(muster_campaign::list)?,
        false => Vec::new(),
    };
    let drafts: Vec<String> =
        campaigns::names(workspace).into_iter().filter(|name| !published.iter().any(|one| one.name == *name)).collect();
    if json {
        let live = published
            .iter()
            .map(|one| json!({"campaign": one.name, "version": one.version, "standing": one.standing.to_string()}));
        let drafts = drafts.iter().map(|name| json!({"campaign": name, "version": null, "standing": "draft"}));
        output::document(&live.chain(drafts).collect::<Vec<_>>())?;
    } else {
        let live = published.iter().map(|one| format!("{:<24} version {} {}", one.name, one.version, one.standing));
        let drafts = drafts.iter().map(|name| format!("{name:<24} draft"));
        output::text(&live.chain(drafts).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Publishes a definition that has no problems.
///
/// # Errors
/// If it has, or the state cannot be written.
pub fn publish(workspace: &Workspace, opened: &Opened, name: &str) -> Result<Exit> {
    let problems = campaigns::problems(workspace, &templates(workspace)?, name);
    if !problems.is_empty() {
        bail!("{name} was not published:\n{}", problems.join("\n"));
    }
    let (text, _) = campaigns::read(workspace, name)?;
    let now = workspace.clock().now();
    let file = format!("campaigns/{name}.toml");
    let published = opened.state.write(|tx| muster_campaign::publish(tx, &file, name, &text, now))?;
    let news = if published.is_new { "is live" } else { "is unchanged" };
    output::text(&format!("{name}: version {} {news}", published.version))?;
    Ok(Exit::Done)
}

/// Sends what is due, and says what became of everyone.
///
/// # Errors
/// As [`send`].
pub fn due(workspace: &Workspace, opened: &Opened, name: Option<&str>, json: bool) -> Result<Exit> {
    let summaries = send(workspace, opened, name)?;
    if json {
        output::document(&summaries.iter().map(document).collect::<Vec<_>>())?;
    } else if summaries.is_empty() {
        output::text("nothing is due")?;
    } else {
        output::text(&summaries.iter().map(text).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Done)
}

/// Sends what is due, of one campaign or of all.
///
/// # Errors
/// If a channel or template is not in order, a segment cannot be evaluated, or the ledger fails.
pub fn send(workspace: &Workspace, opened: &Opened, name: Option<&str>) -> Result<Vec<Summary>> {
    refuse_copy(workspace, opened)?;
    let templates = templates(workspace)?;
    let channels = channels(workspace, &templates)?;
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let profiles = SnapshotProfiles::of(workspace, opened)?;
    let audiences = SegmentAudiences { workspace, opened, engine: &engine, clock: clock.as_ref() };
    let mut driver = Driver {
        state: &opened.state,
        channels: &channels,
        audiences: &audiences,
        profiles: &profiles,
        links: &links(workspace),
        clock: clock.as_ref(),
    };
    Ok(match name {
        Some(name) => driver.run_one(name)?,
        None => driver.run_due()?,
    })
}

/// A run for people: who was in it, and what became of them.
pub fn text(summary: &Summary) -> String {
    let run = &summary.run;
    let mut lines = vec![format!(
        "{} run {}: segment {} had {} profiles, {} of them had travelled before",
        run.campaign, run.id, run.segment, run.audience, run.travelled
    )];
    for step in &summary.steps {
        for ((status, reason), count) in &step.counts {
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            lines.push(format!("  {:<12} {:>10} {status}{reason}", step.step, super::load::thousands(*count)));
        }
    }
    lines.push(format!("  {}", identity(summary)));
    lines.extend(summary.stopped.as_ref().map(|why| format!("  stopped: {why}")));
    if summary.open() > 0 {
        lines.push(format!("  {} wait for the next `muster campaign run-due`", summary.open()));
    }
    lines.join("\n")
}

/// The audience as the sum of what became of it; what is still open stands apart.
fn identity(summary: &Summary) -> String {
    let parts = [Status::Sent, Status::Skipped, Status::Failed, Status::Uncertain, Status::Control];
    let terms = parts.map(|status| format!("{} {status}", summary.count(status))).join(" + ");
    let open = if summary.open() > 0 { format!(" + {} not decided yet", summary.open()) } else { String::new() };
    format!("audience {} = {terms}{open}", summary.run.audience - summary.run.travelled)
}

fn document(summary: &Summary) -> serde_json::Value {
    let counts = summary.steps.iter().flat_map(|step| {
        step.counts.iter().map(|((status, reason), count)| {
            json!({"step": step.step, "status": status.to_string(), "reason": reason.map(|reason| reason.to_string()), "count": count})
        })
    });
    json!({
        "campaign": summary.run.campaign,
        "run": summary.run.id,
        "version": summary.run.version,
        "segment": summary.run.segment,
        "audience": summary.run.audience,
        "travelled": summary.run.travelled,
        "finished": summary.is_finished(),
        "stopped": summary.stopped,
        "decisions": counts.collect::<Vec<_>>(),
    })
}

fn ledger(workspace: &Workspace, name: &str, format: RowFormat) -> Result<Exit> {
    let opened = workspace.open_reading()?;
    let mut entries = Vec::new();
    opened.reader.read(|tx| {
        each_decision(tx, name, |entry| {
            entries.push(entry);
            Ok::<(), muster_state::Error>(())
        })
    })?;
    output::rows(
        &super::listing::answer(&columns(&entries, workspace)).context("the ledger cannot be shown")?,
        format,
    )?;
    Ok(Exit::Done)
}

type Texts = Vec<Option<String>>;

fn columns(entries: &[Entry], workspace: &Workspace) -> Vec<(&'static str, Texts)> {
    let zone = workspace.catalog.workspace.time_zone;
    let column = |text: &dyn Fn(&Entry) -> Option<String>| entries.iter().map(text).collect::<Texts>();
    vec![
        ("run", column(&|entry| Some(entry.run.to_string()))),
        ("version", column(&|entry| Some(entry.version.to_string()))),
        ("step", column(&|entry| Some(entry.step.clone()))),
        ("channel", column(&|entry| Some(entry.channel.clone()))),
        ("profile", column(&|entry| Some(entry.profile_key.clone()))),
        ("status", column(&|entry| Some(entry.status.to_string()))),
        ("reason", column(&|entry| entry.reason.map(|reason| reason.to_string()))),
        ("detail", column(&|entry| entry.detail.clone())),
        ("variant", column(&|entry| Some(entry.variant.clone()))),
        ("attempts", column(&|entry| Some(entry.attempts.to_string()))),
        ("message_id", column(&|entry| entry.message_id.clone())),
        ("decided_at", column(&|entry| Some(entry.decided_at.rfc3339(zone)))),
        ("changed_at", column(&|entry| Some(entry.changed_at.rfc3339(zone)))),
    ]
}
