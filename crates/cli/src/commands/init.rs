//! `muster init`: a workspace from a folder of files, guessed and said why; or an empty one, to fill in.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use muster_catalog::{Timestamp, parse};
use muster_ingest::guess::{ColumnGuess, Guess, LeftOut, Said, TableGuess, candidates, guess};
use muster_segment::Scoring;
use serde_json::{Value, json};

use crate::arguments::{Arguments, Init};
use crate::exit::Exit;
use crate::output;
use crate::workspace::{DEFINITION, Workspace};

const TEMPLATE: &str = include_str!("muster.toml.template");
/// Times without a zone are read in it until somebody says otherwise; it has no gaps.
const TIME_ZONE: &str = "UTC";

/// Begins a workspace.
///
/// # Errors
/// If there is one already, a file cannot be read, or the folder cannot be written.
pub fn run(arguments: &Arguments, init: &Init) -> Result<Exit> {
    let folder = &init.folder;
    if folder.join(DEFINITION).exists() {
        bail!("{} is a workspace already", folder.display());
    }
    if init.from.is_empty() { empty(arguments, folder) } else { guessed(arguments, folder, &init.from) }
}

fn empty(arguments: &Arguments, folder: &Path) -> Result<Exit> {
    make_folders(folder, &["files", "queries", "campaigns", "templates"])?;
    write(&folder.join(DEFINITION), &TEMPLATE.replace("{name}", &name_of(folder)))?;
    Workspace::read(folder.to_owned(), None)?.open()?;
    if arguments.json {
        output::document(&json!({ "workspace": folder, "tables": [], "left_out": [], "doubtful": [] }))?;
        return Ok(Exit::Done);
    }
    output::text(&format!(
        "{} is a workspace. Put your customers' file at files/customers.csv, say in {DEFINITION} what it and the others are, then run `muster load`.",
        folder.display()
    ))?;
    Ok(Exit::Done)
}

/// Nothing is written before all files were read.
fn guessed(arguments: &Arguments, folder: &Path, from: &[PathBuf]) -> Result<Exit> {
    let (found, left_out) = candidates(folder, from)?;
    if found.is_empty() {
        bail!("there is no table among the files{}", listed(&left_out));
    }
    let now = now()?;
    let mut guess = guess(&found, now)?;
    if !arguments.json && io::stdin().is_terminal() {
        guess.confirm(&mut |doubt| asked(&doubt.to_string(), &mut io::stdin().lock(), &mut io::stderr()));
        guess.doubt_again(now);
    }
    make_folders(folder, &["queries", "campaigns", "templates"])?;
    write(&folder.join(DEFINITION), &guess.definition(&name_of(folder), TIME_ZONE))?;
    if arguments.json {
        output::document(&document(folder, &guess, &left_out))?;
    } else {
        output::text(&told(folder, &guess, &left_out))?;
    }
    if !guess.has_root() {
        return Ok(Exit::Problems);
    }
    Workspace::read(folder.to_owned(), None)?.open()?;
    Ok(Exit::Done)
}

/// The present; the only clock that ticks belongs to a workspace.
fn now() -> Result<Timestamp> {
    let text = "[workspace]\nname = \"new\"\ntime_zone = \"UTC\"\n[tables.profiles]\nsource = \"x\"\nkey = \"x\"\n";
    let catalog = parse(DEFINITION, text)?;
    Ok(Workspace { dir: PathBuf::new(), catalog, as_of: None, scoring: Scoring::default() }.clock().now())
}

/// Asks a question of yes or no; whoever does not answer says no.
fn asked(question: &str, answers: &mut dyn BufRead, screen: &mut dyn Write) -> bool {
    let _ = write!(screen, "{question}\n  take it? [y/N] ");
    let _ = screen.flush();
    let mut answer = String::new();
    let _ = answers.read_line(&mut answer);
    ["y", "yes", "j", "ja"].contains(&answer.trim().to_lowercase().as_str())
}

fn make_folders(folder: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        let made = folder.join(name);
        fs::create_dir_all(&made).with_context(|| format!("cannot create {}", made.display()))?;
    }
    let ignored = folder.join(".gitignore");
    if ignored.exists() { Ok(()) } else { write(&ignored, "/data\n") }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn name_of(folder: &Path) -> String {
    let name = fs::canonicalize(folder).ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let plain = name.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "shop".to_owned() } else { plain.to_owned() }
}

fn listed(left_out: &[LeftOut]) -> String {
    left_out.iter().map(|left| format!("\n  {}: {}", left.file, left.why)).collect()
}

/// The guesses for people: a line per table, then what is doubtful, then what was left out.
fn told(folder: &Path, guess: &Guess, left_out: &[LeftOut]) -> String {
    let lines: Vec<[String; 7]> =
        std::iter::once(HEADER.map(str::to_owned)).chain(guess.tables.iter().map(line)).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let padded = |line: &[String; 7]| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = lines.iter().map(|line| padded(line) + "\n").collect::<String>();
    if !guess.doubts.is_empty() {
        let doubts: Vec<String> = guess.doubts.iter().map(|doubt| format!("  {doubt}")).collect();
        text += &format!("\ndoubtful:\n{}\n", doubts.join("\n"));
    }
    if !left_out.is_empty() {
        text += &format!("\nno tables:{}\n", listed(left_out));
    }
    text + &ending(folder, guess)
}

const HEADER: [&str; 7] = ["table", "is", "from", "rows", "key", "below", "time"];

fn line(table: &TableGuess) -> [String; 7] {
    let shown = |said: &Option<Said<String>>| said.as_ref().map(marked).unwrap_or_default();
    let joined = |key: &Said<Vec<String>>| Said { value: key.value.join("+"), why: String::new(), sure: key.sure };
    let key = table.key.as_ref().map(|key| marked(&joined(key)));
    let below = table.parent.as_ref().map(|parent| format!("{} by {}", parent.value.table, parent.value.on));
    [
        table.name.clone(),
        table.kind.value.name().to_owned(),
        table.pattern.rsplit('/').next().unwrap_or_default().to_owned(),
        table.rows.to_string(),
        key.unwrap_or_default(),
        below.unwrap_or_default(),
        shown(&table.time),
    ]
}

/// What was not taken has a question mark.
fn marked(said: &Said<String>) -> String {
    if said.is_taken() { said.value.clone() } else { format!("{}?", said.value) }
}

fn ending(folder: &Path, guess: &Guess) -> String {
    let path = folder.join(DEFINITION);
    if guess.has_root() {
        return format!(
            "\n{} has all of it with the reasons. Look through it, then run `muster --dir {} load`.",
            path.display(),
            folder.display()
        );
    }
    format!(
        "\nno table has one row per person, and no column of a table with times names one; looked at: {}\nsay in {} which it is: [tables.profiles] is missing there",
        guess.root,
        path.display()
    )
}

fn document(folder: &Path, guess: &Guess, left_out: &[LeftOut]) -> Value {
    let doubts =
        guess.doubts.iter().map(|doubt| json!({"table": doubt.table, "column": doubt.column, "text": doubt.text}));
    let left_out = left_out.iter().map(|left| json!({"file": left.file, "why": left.why}));
    json!({
        "workspace": folder,
        "root_chosen_from": guess.root,
        "tables": guess.tables.iter().map(table).collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
        "doubtful": doubts.collect::<Vec<_>>(),
    })
}

fn table(table: &TableGuess) -> Value {
    let links = table.links.iter().map(|link| {
        let path = format!("{}.{}", link.value.from_table, link.value.from_column);
        said(&Said { value: json!({"name": link.value.name, "from": path}), why: link.why.clone(), sure: link.sure })
    });
    let parent = table.parent.as_ref().map(|parent| {
        let value = json!({"table": parent.value.table, "on": parent.value.on, "orphans": parent.value.orphans});
        said(&Said { value, why: parent.why.clone(), sure: parent.sure })
    });
    json!({
        "table": table.name,
        "file": table.file,
        "source": table.pattern,
        "files": table.files,
        "rows": table.rows,
        "misshapen": table.misshapen,
        "kind": said(&Said { value: json!(table.kind.value.name()), why: table.kind.why.clone(), sure: table.kind.sure }),
        "key": table.key.as_ref().map(|key| said(&Said { value: json!(key.value), why: key.why.clone(), sure: key.sure })),
        "parent": parent,
        "time": table.time.as_ref().map(text_said),
        "updated_at": table.updated_at.as_ref().map(text_said),
        "without_rows_lacking": table.needs.as_ref().map(text_said),
        "one_row_per_key": table.one_row_per_key,
        "links": links.collect::<Vec<_>>(),
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn column(column: &ColumnGuess) -> Value {
    let Said { value, why, sure } = &column.column_type;
    let role = column
        .role
        .as_ref()
        .map(|role| said(&Said { value: json!(role.value.to_string()), why: role.why.clone(), sure: role.sure }));
    json!({
        "column": column.name,
        "type": said(&Said { value: json!(value.to_string()), why: why.clone(), sure: *sure }),
        "format": column.format,
        "role": role,
        "null": column.null,
        "placeholder": column.placeholder,
        "rejected_rows": column.misfits.as_ref().map_or(0, |(rows, _)| *rows),
    })
}

fn text_said(text: &Said<String>) -> Value {
    said(&Said { value: json!(text.value), why: text.why.clone(), sure: text.sure })
}

fn said(said: &Said<Value>) -> Value {
    let sure = (said.sure * 100.0).round() / 100.0;
    json!({"value": said.value, "sure": sure, "taken": said.is_taken(), "why": said.why})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in [("y\n", true), (" Ja \n", true), ("\n", false), ("", false), ("maybe\n", false)] {
            let mut screen = Vec::new();
            assert_eq!(asked("orders: the key is a", &mut answer.as_bytes(), &mut screen), expected, "{answer:?}");
            assert_eq!(String::from_utf8(screen).unwrap(), "orders: the key is a\n  take it? [y/N] ");
        }
    }
}
