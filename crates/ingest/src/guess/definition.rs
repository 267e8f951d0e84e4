//! A guess as the text of a `muster.toml`: readable, with the reasons, and with what is doubtful as comments.

use std::fmt::Write;

use muster_catalog::{ColumnType, Role, parse};

use super::{ColumnGuess, Guess, LinkGuess, Said, TableGuess, TableKind};

/// A reason stands behind what it is the reason of, from this column on.
const REASONS_FROM: usize = 44;

/// The whole text.
pub(crate) fn text(guess: &Guess, workspace: &str, time_zone: &str) -> String {
    let mut text = Text::default();
    text.line(
        "# Guessed by `muster init` from the files, with the reasons. What it was not sure of stands behind a #.",
    );
    text.line("# `muster check` lists what is doubtful, `muster load` reads the files.");
    text.line("");
    text.line("[workspace]");
    text.said(&format!("name = {}", quoted(workspace)), "");
    text.said(
        &format!("time_zone = {}", quoted(time_zone)),
        "the meaning of now(), today() and of times without a zone",
    );
    text.said("# currency = \"EUR\"", "three capitals; EUR where it is not said");
    if let Some(last) = guess.last {
        let day = last.utc().format("%Y-%m-%dT%H:%M:%S");
        text.said(
            &format!("# as_of = \"{day}\""),
            "the data end here; for data of the past it is what now() should mean",
        );
    }
    for table in &guess.tables {
        text.line("");
        one_table(guess, table, &mut text);
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.0, "{line}");
    }

    fn said(&mut self, line: &str, why: &str) {
        // A reason with a line end in it (a name of a file may have one) would end the comment.
        let why = why.replace(|letter: char| letter.is_control(), " ");
        let _ = match why.is_empty() {
            true => writeln!(self.0, "{line}"),
            false => writeln!(self.0, "{line:<REASONS_FROM$} # {why}"),
        };
    }

    /// A guess as it stands, or behind a # where it is not sure enough.
    fn guessed<T>(&mut self, line: &str, said: &Said<T>) {
        if said.is_taken() {
            self.said(line, &said.why)
        } else {
            self.said(&format!("# {line}"), &format!("perhaps: {}", said.why))
        }
    }
}

fn one_table(guess: &Guess, table: &TableGuess, text: &mut Text) {
    if table.kind.value == TableKind::Unplaced {
        return left_out(table, text);
    }
    text.said(&format!("[tables.{}]", table.name), &format!("{}: {}", table.kind.value.name(), table.kind.why));
    let files = if table.files == 1 { "file".to_owned() } else { format!("{} files", table.files) };
    text.said(&format!("source = {}", quoted(&table.pattern)), &format!("{files}, {} rows", table.rows));
    if table.blanks {
        text.said("blanks = true", "fields are separated by runs of blanks");
    }
    key(guess, table, text);
    if table.one_row_per_key {
        text.said("one_row_per_key = true", "the file has a row per event");
    }
    relations(guess, table, text);
    links(guess, table, text);
    columns(guess, table, text);
}

/// A table that hangs on nothing stands there as comments, to be placed by hand.
fn left_out(table: &TableGuess, text: &mut Text) {
    text.line(&format!(
        "# {} ({} rows) is left out: nothing leads from its rows to a profile, and nothing leads to it.",
        one_line(&table.file),
        table.rows
    ));
    text.line(&format!("# [tables.{}]", table.name));
    text.line(&format!("# source = {}", quoted(&table.pattern)));
    if let Some(key) = &table.key {
        text.said(&format!("# key = {}", key_text(&key.value)), &key.why);
    }
    for column in &table.columns {
        text.said(&format!("#   {} {}", one_line(&column.name), column.column_type.value), &column.column_type.why);
    }
}

fn one_line(name: &str) -> String {
    name.replace(|letter: char| letter.is_control(), " ")
}

fn key(guess: &Guess, table: &TableGuess, text: &mut Text) {
    let Some(key) = &table.key else {
        return text.line("# no key: no column is unique, nor two or three together; equal rows are several rows");
    };
    let names: Vec<String> = key.value.iter().map(|column| guess.name_of(column)).collect();
    text.guessed(&format!("key = {}", key_text(&names)), key);
}

fn key_text(columns: &[String]) -> String {
    match columns {
        [one] => quoted(one),
        several => format!("[{}]", several.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")),
    }
}

fn relations(guess: &Guess, table: &TableGuess, text: &mut Text) {
    if let Some(parent) = &table.parent {
        text.said(&format!("parent = {}", quoted(&parent.value.table)), &parent.why);
        text.line(&format!("on = {}", quoted(&guess.name_of(&parent.value.on))));
        if parent.value.orphans > 0 && parent.value.table == "profiles" {
            text.said(
                "missing_parent = \"create\"",
                &format!("{} rows name a profile that has no row of its own", parent.value.orphans),
            );
        }
    }
    if let Some(time) = &table.time {
        let key = if table.kind.value == TableKind::Root { "created_at" } else { "time" };
        text.guessed(&format!("{key} = {}", quoted(&guess.name_of(&time.value))), time);
    }
    if let Some(changed) = &table.updated_at {
        text.guessed(&format!("updated_at = {}", quoted(&guess.name_of(&changed.value))), changed);
    }
    if let Some(needs) = &table.needs {
        text.said(&format!("where = {}", quoted(&format!("{} IS NOT NULL", needs.value))), &needs.why);
    }
}

fn links(guess: &Guess, table: &TableGuess, text: &mut Text) {
    let mut names: Vec<&str> = table.links.iter().map(|link| link.value.name.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        return;
    }
    let path = |link: &LinkGuess| quoted(&format!("{}.{}", link.from_table, guess.name_of(&link.from_column)));
    let one = |name: &&str| {
        let paths: Vec<String> =
            table.links.iter().filter(|link| link.value.name == *name).map(|link| path(&link.value)).collect();
        if paths.len() == 1 { format!("{name} = {}", paths[0]) } else { format!("{name} = [{}]", paths.join(", ")) }
    };
    let whys: Vec<&str> = table.links.iter().map(|link| link.why.as_str()).collect();
    text.said(&format!("lookup = {{ {} }}", names.iter().map(one).collect::<Vec<_>>().join(", ")), &whys.join("; "));
}

fn columns(guess: &Guess, table: &TableGuess, text: &mut Text) {
    text.line("");
    text.line(&format!("[tables.{}.columns]", table.name));
    for column in &table.columns {
        let name = guess.name_of(&column.name);
        let line = column_line(column, &name);
        text.guessed(&line, &column.column_type);
        if let Some(role) = column.role.as_ref().filter(|role| !role.is_taken()) {
            text.line(&format!("# `{}` may have role = \"{}\": {}", one_line(&name), role.value, role.why));
        }
    }
}

/// `email = { type = "text", role = "email" }`
fn column_line(column: &ColumnGuess, name: &str) -> String {
    let mut parts = Vec::new();
    if name != column.name {
        parts.push(format!("from = {}", quoted(&column.name)));
    }
    parts.push(format!("type = \"{}\"", column.column_type.value));
    parts.extend(column.format.as_ref().map(|format| format!("format = {}", quoted(format))));
    if let Some(groups) = column.comma {
        parts.push(if groups { "decimal = \",\", thousands = \".\"".to_owned() } else { "decimal = \",\"".to_owned() });
    }
    if column.integral {
        parts.push("integral = true".to_owned());
    }
    if let Some((yes, no)) = &column.words {
        parts.push(format!("true = [{}], false = [{}]", quoted(yes), quoted(no)));
    }
    if let Some(separator) = column.separator {
        parts.push(format!("separator = {}", quoted(&separator.to_string())));
    }
    parts.extend(list("null", &column.null));
    parts.extend(list("placeholder", &column.placeholder));
    if let Some(role) =
        column.role.as_ref().filter(|role| role.is_taken() && fits(&role.value, column.column_type.value))
    {
        parts.push(format!("role = \"{}\"", role.value));
    }
    format!("{} = {{ {} }}", key_name(name), parts.join(", "))
}

/// Consent is yes or no, whatever its column was called.
fn fits(role: &Role, column_type: ColumnType) -> bool {
    !matches!(role, Role::Consent(_)) || column_type == ColumnType::Bool
}

fn list(key: &str, values: &[String]) -> Option<String> {
    let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    (!quoted.is_empty()).then(|| format!("{key} = [{}]", quoted.join(", ")))
}

impl Guess {
    /// The name of a column in queries: its own, unless a history has it or muster's own begin so.
    fn name_of(&self, column: &str) -> String {
        let history = |table: &TableGuess| table.parent.is_some() && table.name == column.to_lowercase();
        if self.tables.iter().any(history) {
            return format!("number_of_{column}");
        }
        if column.starts_with("__") { format!("column{column}") } else { column.to_owned() }
    }
}

/// A key of TOML: bare where it can be.
pub(crate) fn key_name(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted + "\""
}

/// Small letters, digits and `_`, a letter first.
pub(crate) fn plain_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('_').to_owned();
    if name.starts_with(|letter: char| letter.is_ascii_lowercase()) { name } else { format!("t_{name}") }
}

/// A name for a table that no other has and that is none of muster's own.
pub(crate) fn free_name(file: &str, taken: &[String]) -> String {
    let plain = plain_name(file);
    let numbered = (2_u32..).map(|number| format!("{plain}_{number}"));
    let is_free = |name: &String| !taken.contains(name) && is_allowed(name);
    std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or(plain)
}

/// The catalog has the last word on names.
fn is_allowed(name: &str) -> bool {
    let lookup = format!("[tables.{name}]\nsource = \"x\"\nkey = \"x\"\nlookup = {{ leads_there = \"profiles.y\" }}\n");
    let head = "[workspace]\nname = \"x\"\ntime_zone = \"UTC\"\n[tables.profiles]\nsource = \"x\"\nkey = \"x\"\n";
    parse("names.toml", &format!("{head}{lookup}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_tables() {
        for (file, expected) in [
            ("Orders 2024", "orders_2024"),
            ("2024-orders", "t_2024_orders"),
            ("orders", "orders_2"),
            ("decisions", "decisions_2"),
            ("messages", "messages"),
            ("größe", "gr__e"),
        ] {
            assert_eq!(free_name(file, &["orders".to_owned()]), expected, "{file}");
        }
    }

    #[test]
    fn any_text_can_be_quoted() {
        for text in ["plain", "a \"b\" \\ c", "tab\tand\nline", "é"] {
            let catalog = format!(
                "[workspace]\nname = {}\ntime_zone = \"UTC\"\n[tables.profiles]\nsource = \"x\"\nkey = \"x\"\n",
                quoted(text)
            );
            assert_eq!(parse("x", &catalog).unwrap().workspace.name, text);
        }
    }
}
