//! What a line that begins with a backslash asks for; such a line is no statement and ends with itself.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use muster_catalog::nearest;

use crate::arguments::RowFormat;

/// What is asked of the prompt itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortcut {
    /// The tables.
    Tables,
    /// One table's columns, or one segment.
    Describe(String),
    /// A query as plain SQL.
    Explain(String),
    /// Whether the time of each statement is said; without a word the other way round.
    Timing(Option<bool>),
    /// How rows are written; without a name the present way is said.
    Format(Option<RowFormat>),
    /// The file for the rows of the next query; without one they are shown.
    Into(Option<PathBuf>),
    /// The instant of later statements; without one that of the workspace.
    AsOf(Option<String>),
    /// What there is.
    Help,
    /// Leave.
    Quit,
}

/// A shortcut as a person writes it: its name, what follows it, and what it does.
const ALL: [(&str, &str, &str); 9] = [
    ("d", "[TABLE]", "the tables; the columns of a table; with segments.NAME a segment"),
    ("explain", "QUERY", "the query as plain SQL that another engine runs"),
    ("format", "[FORMAT]", "how rows are written: table, csv, json, arrow, parquet"),
    ("o", "[FILE]", "the rows of the next query into a file, by its ending .csv, .json, .arrow, .parquet"),
    ("as_of", "[INSTANT]", "what now() means from here on; without an instant as at the start"),
    ("timing", "[on|off]", "say how long each statement took"),
    ("?", "", "this list"),
    ("q", "", "leave; Ctrl-D does too"),
    ("quit", "", ""),
];

/// Words that people type to leave or to be helped.
const BARE: [(&str, Shortcut); 3] = [("exit", Shortcut::Quit), ("quit", Shortcut::Quit), ("help", Shortcut::Help)];

/// What `line` asks for, if it asks for anything of the prompt.
///
/// # Errors
/// If it begins with a backslash and is none of what there is, or has what does not belong there.
pub fn read(line: &str) -> Result<Option<Shortcut>> {
    let line = line.trim();
    let bare = line.trim_end_matches(';');
    if let Some((_, shortcut)) = BARE.iter().find(|(word, _)| bare.eq_ignore_ascii_case(word)) {
        return Ok(Some(shortcut.clone()));
    }
    let Some(rest) = line.strip_prefix('\\') else { return Ok(None) };
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    shortcut(name.trim_end_matches(';'), argument.trim().trim_end_matches(';').trim_end()).map(Some)
}

fn shortcut(name: &str, argument: &str) -> Result<Shortcut> {
    let given = (!argument.is_empty()).then_some(argument);
    match name {
        "d" => Ok(given.map_or(Shortcut::Tables, |name| Shortcut::Describe(name.to_owned()))),
        "explain" => match given {
            Some(query) => Ok(Shortcut::Explain(query.to_owned())),
            None => bail!("\\explain needs a query: \\explain SELECT …"),
        },
        "format" => Ok(Shortcut::Format(given.map(format).transpose()?)),
        "o" => Ok(Shortcut::Into(given.map(PathBuf::from))),
        "as_of" => Ok(Shortcut::AsOf(given.map(|instant| instant.trim_matches('\'').to_owned()))),
        "timing" => Ok(Shortcut::Timing(given.map(on_or_off).transpose()?)),
        "?" | "h" | "help" => Ok(Shortcut::Help),
        "q" | "quit" => Ok(Shortcut::Quit),
        _ => Err(unknown(name)),
    }
}

fn format(name: &str) -> Result<RowFormat> {
    RowFormat::from_str(name, true).map_err(|_| {
        let expected = format!("expected {}", formats().join(", "));
        anyhow!("there is no format `{name}`{}", did_you_mean(nearest(name, formats()), &expected))
    })
}

/// The formats by name.
pub fn formats() -> Vec<&'static str> {
    vec!["table", "csv", "json", "arrow", "parquet"]
}

/// The name of a format.
pub fn format_name(format: RowFormat) -> &'static str {
    match format {
        RowFormat::Table => "table",
        RowFormat::Csv => "csv",
        RowFormat::Json => "json",
        RowFormat::Arrow => "arrow",
        RowFormat::Parquet => "parquet",
    }
}

fn on_or_off(word: &str) -> Result<bool> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => bail!("`{word}` is neither on nor off"),
    }
}

fn unknown(name: &str) -> anyhow::Error {
    let near = nearest(name, names()).map(|name| format!("\\{name}"));
    anyhow!("there is no \\{name}{}", did_you_mean(near.as_deref(), "\\? lists what there is"))
}

/// `; did you mean this?` before another sentence, or the sign that separates it.
fn did_you_mean(near: Option<&str>, next: &str) -> String {
    match near {
        Some(near) => format!("; did you mean {near}? {next}"),
        None => format!("; {next}"),
    }
}

/// The names, without their backslash.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, ..)| *name)
}

/// What there is, a line each.
pub fn help() -> String {
    let mut text =
        "A statement ends with ; and may go over several lines. Tab completes, Ctrl-C stops, Ctrl-D leaves.\n"
            .to_owned();
    for (name, argument, what) in ALL.iter().filter(|(.., what)| !what.is_empty()) {
        let call = format!("\\{name} {argument}");
        text.push_str(&format!("  {call:<20} {what}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Shortcut) {
        assert_eq!(read(line).unwrap(), Some(expected), "{line}");
    }

    #[test]
    fn a_shortcut_is_read_with_what_follows_it() {
        check("\\d", Shortcut::Tables);
        check("  \\d orders; ", Shortcut::Describe("orders".to_owned()));
        check("\\explain SELECT 1 ;", Shortcut::Explain("SELECT 1".to_owned()));
        check("\\timing", Shortcut::Timing(None));
        check("\\timing off", Shortcut::Timing(Some(false)));
        check("\\format CSV", Shortcut::Format(Some(RowFormat::Csv)));
        check("\\o my file.parquet", Shortcut::Into(Some(PathBuf::from("my file.parquet"))));
        check("\\o", Shortcut::Into(None));
        check("\\as_of '2025-01-01'", Shortcut::AsOf(Some("2025-01-01".to_owned())));
        check("\\q;", Shortcut::Quit);
        check("exit", Shortcut::Quit);
        check("HELP;", Shortcut::Help);
        check("\\?", Shortcut::Help);
    }

    #[test]
    fn a_statement_is_no_shortcut() {
        for line in ["SELECT 1;", "SELECT '\\d'", "", "quit smoking"] {
            assert_eq!(read(line).unwrap(), None, "{line}");
        }
    }

    #[test]
    fn what_there_is_not_gets_the_nearest_spelling() {
        for (line, expected) in [
            ("\\timng", "there is no \\timng; did you mean \\timing? \\? lists what there is"),
            ("\\dance", "there is no \\dance; \\? lists what there is"),
            ("\\format cvs", "there is no format `cvs`; did you mean csv? expected table, csv, json, arrow, parquet"),
            ("\\timing maybe", "`maybe` is neither on nor off"),
            ("\\explain", "\\explain needs a query: \\explain SELECT …"),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_list_names_every_shortcut_once() {
        for name in names().filter(|name| *name != "quit") {
            assert_eq!(help().matches(&format!("  \\{name} ")).count(), 1, "{name}");
            let line = if name == "explain" { "\\explain SELECT 1".to_owned() } else { format!("\\{name}") };
            assert!(read(&line).unwrap().is_some(), "{name}");
        }
    }
}
