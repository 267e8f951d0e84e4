//! `muster score`: scores that are learnt from everybody, computed and kept, and how good they are.

use std::path::Path;

use anyhow::{Context, Result, bail};
use muster_segment::{Error, RANKS, ScoreStanding, ScoreTable, Session};
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{Arguments, Score, Scores};
use crate::exit::Exit;
use crate::handover::{self, Writing};
use crate::workspace::{Opened, PATIENT, Workspace, engine};
use crate::{output, page};

mod drawing;

mod words;

mod why;

/// What is said of a score, as one document.
#[derive(Serialize)]
struct Document {
    score: String,
    as_of: String,
    snapshot: u64,
    computed_at: String,
    profiles: u64,
    stale: Option<String>,
    report: muster_segment::Report,
    model: Option<Value>,
}

/// Has scores computed, by a running `muster serve` or here, and shows what is said of them.
///
/// # Errors
/// If there is no such score, or one cannot be computed.
pub fn run(arguments: &Arguments, wanted: &Score) -> Result<Exit> {
    if let Some(key) = &wanted.why {
        return why::run(arguments, wanted, key);
    }
    let is_quiet = arguments.json || wanted.report.is_some() || wanted.model.is_some();
    // Ranks are counted when they are asked for.
    let learnt = |name: &&String| !name.eq_ignore_ascii_case(RANKS);
    let names: Vec<String> = wanted.names.iter().filter(learnt).cloned().collect();
    if !wanted.kept && (wanted.names.is_empty() || !names.is_empty()) {
        let scores = Scores { names, is_quiet };
        let exit = handover::carry_out(arguments, &Writing::Score(scores))?;
        if exit != Exit::Done || !is_quiet {
            return Ok(exit);
        }
    }
    show(arguments, wanted)
}

/// Computes the named scores, or all that the workspace has; one that cannot be computed does not hold up the others.
///
/// # Errors
/// As [`run`], after the others are computed.
pub fn perform(workspace: &Workspace, opened: &Opened, wanted: &Scores) -> Result<Exit> {
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let wanted_scores = match wanted.names.is_empty() {
        true => all(session.scores()?),
        false => wanted.names.iter().map(|name| Wanted { name: name.clone(), is_needed: true }).collect(),
    };
    if wanted_scores.is_empty() && !wanted.is_quiet {
        output::text("there are no scores: no table says which of its rows are purchases, and none holds messages")?;
    }
    compute(workspace, &session, &wanted_scores, wanted.is_quiet)
}

/// A score that is to be computed.
pub struct Wanted {
    /// The score.
    pub name: String,
    /// Whether it is a fault if it cannot be computed: not where nobody asked for it, by name or in muster.toml.
    pub is_needed: bool,
}

/// All of these scores.
pub fn all(standing: Vec<ScoreStanding>) -> Vec<Wanted> {
    let wanted = |standing: ScoreStanding| Wanted { name: standing.score, is_needed: standing.is_declared };
    standing.into_iter().map(wanted).collect()
}

/// Computes scores one after the other.
pub fn compute(workspace: &Workspace, session: &Session<'_>, wanted: &[Wanted], is_quiet: bool) -> Result<Exit> {
    let mut failed = Vec::new();
    for Wanted { name, is_needed } in wanted {
        let progress = |step: &str| tracing::info!(score = name, "{step}");
        match session.score(name, &progress) {
            Ok(table) if is_quiet => tracing::info!(score = name, profiles = table.profiles, "kept"),
            Ok(table) => output::text(&words::line(&table, workspace.catalog.workspace.time_zone))?,
            Err(error) if *is_needed => failed.push(format!("score {name}: {:#}", anyhow::Error::new(error))),
            Err(error) if is_quiet => tracing::warn!(score = name, "not computed: {:#}", anyhow::Error::new(error)),
            Err(error) => output::text(&format!("{name}: not computed, {:#}", anyhow::Error::new(error)))?,
        }
    }
    if failed.is_empty() { Ok(Exit::Done) } else { bail!("{}", failed.join("\n")) }
}

/// Shows what is kept of the wanted scores.
fn show(arguments: &Arguments, wanted: &Score) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(&workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let all = session.ranks()?.into_iter().chain(session.scores()?).collect();
    let standing = wanted_of(all, &wanted.names)?;
    let zone = workspace.catalog.workspace.time_zone;
    if let Some(file) = &wanted.model {
        write_model(&standing, file)?;
    }
    if let Some(Some(file)) = &wanted.report {
        let name = &workspace.catalog.workspace.name;
        page::write(&drawing::page(name, &standing, zone), file)?;
    }
    if arguments.json {
        let documents: Vec<Document> = standing.iter().filter_map(|standing| document(standing, zone)).collect();
        output::document(&documents)?;
    } else {
        for standing in &standing {
            output::verbatim(&words::report(standing, zone))?;
        }
        if let Some(Some(file)) = &wanted.report {
            output::text(&format!("{}: the same to look at", file.display()))?;
        }
    }
    Ok(Exit::Done)
}

fn wanted_of(all: Vec<ScoreStanding>, names: &[String]) -> Result<Vec<ScoreStanding>> {
    let known: Vec<String> = all.iter().map(|standing| standing.score.clone()).collect();
    let is_known = |name: &&String| known.iter().any(|score| score.eq_ignore_ascii_case(name));
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        let nearest = muster_catalog::nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(Error::UnknownScore { name: name.clone(), nearest }.into());
    }
    let is_wanted = |score: &str| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(score));
    Ok(all.into_iter().filter(|standing| is_wanted(&standing.score)).collect())
}

/// Writes the model of the one score that is wanted.
fn write_model(standing: &[ScoreStanding], file: &Path) -> Result<()> {
    let [one] = standing else {
        bail!("--model writes the model of one score; name it: muster score churn --model FILE")
    };
    let model = one.newest.as_ref().and_then(|table| table.model.as_ref());
    let model = model.with_context(|| format!("the score {} was not computed yet", one.score))?;
    page::write(&format!("{model}\n"), file)
}

fn document(standing: &ScoreStanding, zone: chrono_tz::Tz) -> Option<Document> {
    let table: &ScoreTable = standing.newest.as_ref()?;
    Some(Document {
        score: table.score.clone(),
        as_of: table.as_of.rfc3339(zone),
        snapshot: table.snapshot,
        computed_at: table.computed_at.rfc3339(zone),
        profiles: table.profiles,
        stale: words::stale(standing, zone),
        report: table.report.clone(),
        model: table.model.as_ref().and_then(|model| serde_json::from_str(model).ok()),
    })
}
