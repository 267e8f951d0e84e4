//! `muster score churn --why KEY`: what each characteristic of a profile adds to its score.

use anyhow::{Result, bail};
use chrono_tz::Tz;
use muster_segment::{Fact, Reason, Reasons, Session};
use serde::Serialize;

use crate::arguments::{Arguments, Score};
use crate::exit::Exit;
use crate::output;
use crate::width::width;
use crate::workspace::{PATIENT, Workspace, engine};

/// The score that is a sum of what characteristics add.
const CHURN: &str = "churn";

/// Why a profile has its score, as one document.
#[derive(Serialize)]
struct Document<'r> {
    score: &'static str,
    key: &'r str,
    as_of: String,
    learner: &'r str,
    characteristics: Vec<Line<'r>>,
    base: f64,
    log_odds: f64,
    told: f64,
    kept: Option<f64>,
}

#[derive(Serialize)]
struct Line<'r> {
    name: &'r str,
    expression: &'r str,
    value: Value<'r>,
    bin: &'r str,
    contribution: f64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'r> {
    Number(f64),
    Text(&'r str),
    Nothing(()),
}

/// Says why a profile has its score of leaving, from the kept model.
///
/// # Errors
/// If another score is named, none is kept, or the profile has none.
pub fn run(arguments: &Arguments, wanted: &Score, key: &str) -> Result<Exit> {
    if !matches!(&wanted.names[..], [name] if name.eq_ignore_ascii_case(CHURN)) {
        bail!("--why says what adds up to a score of churn; name that one: muster score churn --why KEY")
    }
    let workspace = Workspace::find(arguments)?;
    let (opened, clock, engine) = (workspace.open_reading()?, workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(&workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let reasons = session.churn_reasons(key)?;
    let zone = workspace.catalog.workspace.time_zone;
    if arguments.json {
        output::document(&document(&reasons, zone))?;
    } else {
        output::verbatim(&text(&reasons, zone))?;
    }
    Ok(Exit::Done)
}

fn document(reasons: &Reasons, zone: Tz) -> Document<'_> {
    Document {
        score: CHURN,
        key: &reasons.key,
        as_of: reasons.as_of.rfc3339(zone),
        learner: &reasons.learner,
        characteristics: reasons.characteristics.iter().map(line).collect(),
        base: reasons.base,
        log_odds: reasons.log_odds,
        told: reasons.score,
        kept: reasons.kept,
    }
}

fn line(reason: &Reason) -> Line<'_> {
    Line {
        name: &reason.name,
        expression: &reason.expression,
        value: match &reason.value {
            Fact::Number(number) => Value::Number(*number),
            Fact::Text(text) => Value::Text(text),
            Fact::Nothing => Value::Nothing(()),
        },
        bin: &reason.bin,
        contribution: reason.contribution,
    }
}

/// A line for each characteristic, what everybody has, the sum, and the score.
fn text(reasons: &Reasons, zone: Tz) -> String {
    let added = |log_odds: f64| format!("{log_odds:+.4}");
    let mut lines: Vec<[String; 4]> = vec![["", "value", "bin", "adds"].map(str::to_owned)];
    lines.extend(
        reasons
            .characteristics
            .iter()
            .map(|reason| [reason.name.clone(), value(&reason.value), reason.bin.clone(), added(reason.contribution)]),
    );
    let alone = |name: &str, figure: String| [name.to_owned(), String::new(), String::new(), figure];
    lines.push(alone("base", added(reasons.base)));
    lines.push(alone("log odds", added(reasons.log_odds)));
    lines.push(alone("score", format!("{:.4}", reasons.score)));
    let widths = [0, 1, 2, 3].map(|column| lines.iter().map(|line| width(&line[column])).max().unwrap_or_default());
    let mut text = format!(
        "churn of {} as of {}, by the {} model of then\n",
        reasons.key,
        reasons.as_of.rfc3339(zone),
        reasons.learner
    );
    for line in &lines {
        let [name, value, bin, figure] = [0, 1, 2, 3].map(|column| &line[column]);
        let blank = |column: usize| " ".repeat(widths[column] - width(&line[column]));
        text += &format!("  {name}{}  {value}{}  {bin}{}  {}{figure}\n", blank(0), blank(1), blank(2), blank(3));
    }
    text + &remark(reasons)
}

/// A kept score is that of what was loaded then; rows of before may have come since.
fn remark(reasons: &Reasons) -> String {
    match reasons.kept {
        Some(kept) if kept.to_bits() == reasons.score.to_bits() => String::new(),
        Some(kept) => {
            format!("! the score that is kept is {kept:.4}: what was known of then was loaded or changed since\n")
        }
        None => "! no score is kept: it came into the base by rows that were loaded since\n".to_owned(),
    }
}

fn value(known: &Fact) -> String {
    match known {
        Fact::Number(number) => {
            let rounded = format!("{number:.4}");
            if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
        }
        Fact::Text(text) => text.clone(),
        Fact::Nothing => "-".to_owned(),
    }
}
