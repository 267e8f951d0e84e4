//! What is said of scores in a terminal.

use chrono_tz::Tz;
use muster_segment::{ReportTable, ScoreStanding, ScoreTable};

use crate::commands::load::thousands;
use crate::width::width;

/// One line about a score that was computed.
pub fn line(table: &ScoreTable, zone: Tz) -> String {
    let what = if table.score.starts_with("affinity.") { "rules" } else { "profiles" };
    format!("{}: {} {what} as of {}", table.score, thousands(table.profiles), table.as_of.rfc3339(zone))
}

/// Why a score is not what it would be now, where it is not.
pub fn stale(standing: &ScoreStanding, zone: Tz) -> Option<String> {
    standing.newest.as_ref()?;
    if let Some(failure) = &standing.failure {
        return Some(format!("stale: on {} it failed, {}", failure.failed_at.rfc3339(zone), failure.message));
    }
    if standing.is_redefined {
        return Some("stale: muster.toml says something else of it now".to_owned());
    }
    standing.is_due.then(|| "stale: it is due again".to_owned())
}

/// The report of a score.
pub fn report(standing: &ScoreStanding, zone: Tz) -> String {
    let Some(table) = &standing.newest else {
        let why = standing.failure.as_ref().map_or_else(String::new, |failure| format!(": {}", failure.message));
        return format!("{}: not computed yet{why}\n", standing.score);
    };
    let mut text = format!("{}\n", line(table, zone));
    text.extend(stale(standing, zone).map(|stale| format!("{stale}\n")));
    let widest = table.report.facts.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
    for (name, value) in &table.report.facts {
        text += &format!("  {name}{}  {value}\n", " ".repeat(widest - width(name)));
    }
    text.extend(table.report.remarks.iter().map(|remark| format!("\n! {remark}\n")));
    text.extend(table.report.tables.iter().map(figures));
    text + "\n"
}

fn figures(table: &ReportTable) -> String {
    let lines = || std::iter::once(&table.header).chain(&table.rows);
    let widest = |column: usize| lines().filter_map(|line| line.get(column)).map(|cell| width(cell)).max();
    let widths: Vec<usize> = (0..table.header.len()).map(|column| widest(column).unwrap_or_default()).collect();
    let mut text = format!("\n{}\n", table.title);
    for line in lines() {
        let cells = line.iter().zip(&widths).enumerate().map(|(place, (cell, widest))| {
            let blank = " ".repeat(widest - width(cell));
            // Names stand on the left, figures on the right.
            if is_figures(table, place) { format!("{blank}{cell}") } else { format!("{cell}{blank}") }
        });
        text += format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end();
        text += "\n";
    }
    text
}

/// Whether a column holds figures and nothing else.
pub fn is_figures(table: &ReportTable, column: usize) -> bool {
    let is_figure = |cell: &String| cell.is_empty() || cell.starts_with(|sign: char| "+-0123456789".contains(sign));
    column > 0 && table.rows.iter().filter_map(|row| row.get(column)).all(is_figure)
}
