//! `muster segment NAME --of KEY…`: whether single profiles are in a segment, asked of each of them alone.

use std::time::{Duration, Instant};

use anyhow::Result;
use muster_segment::Session;
use serde_json::{Map, Value};

use crate::arguments::{Arguments, Segment};
use crate::commands::sql::time;
use crate::exit::Exit;
use crate::output;

/// Prints a line per key: whether the profile is in the segment; of a key that nobody has, that nobody has it.
///
/// # Errors
/// If there is no such segment, or it looks at more than one profile.
pub fn run(arguments: &Arguments, wanted: &Segment, session: &Session<'_>) -> Result<Exit> {
    let evaluator = session.evaluator()?;
    let start = Instant::now();
    let each = evaluator.each_profile(&evaluator.definition(&wanted.name)?.query, session.as_of())?;
    let compiled = start.elapsed();
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    for profile in evaluator.profiles_with_keys(&wanted.of)? {
        let Some(profile) = profile else {
            answers.push(None);
            continue;
        };
        let start = Instant::now();
        answers.push(Some(each.selects(profile)?));
        times.push(start.elapsed());
    }
    let answers = wanted.of.iter().zip(answers);
    if arguments.json {
        let member = |(key, is): (&String, Option<bool>)| (key.clone(), is.map_or(Value::Null, Value::Bool));
        output::document(&answers.map(member).collect::<Map<String, Value>>())?;
    } else {
        let said = |is: Option<bool>| is.map_or("no such profile", |is| if is { "in" } else { "not in" });
        output::text(&answers.map(|(key, is)| format!("{key}  {}", said(is))).collect::<Vec<_>>().join("\n"))?;
    }
    if wanted.timing {
        eprintln!("{}", told(compiled, times));
    }
    Ok(Exit::Done)
}

fn told(compiled: Duration, mut times: Vec<Duration>) -> String {
    let first = times.first().copied().unwrap_or_default();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    let at = |share: usize| time(at(share).copied().unwrap_or_default());
    format!("(compiled in {}, the first in {}, median {}, p95 {})", time(compiled), time(first), at(50), at(95))
}
