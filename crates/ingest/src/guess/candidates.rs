//! Which files could be tables: one file each, or several files with the same columns and names that differ in a number.

use std::fs;
use std::path::{Path, PathBuf};

use super::pass::plain;
use crate::error::Error;
use crate::expand_sources;
use crate::file::OpenFile;
use crate::source::SourceFile;

/// One or several files that could be a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The `source`: a path or glob, relative to the workspace where the files lie in it.
    pub pattern: String,
    /// Its name without ending, in small letters: a name for the table.
    pub name: String,
    /// The files.
    pub files: Vec<SourceFile>,
    /// Their columns.
    pub columns: Vec<String>,
    /// Whether fields are separated by runs of blanks.
    pub blanks: bool,
}

/// A file that is no table, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// Why it is none.
    pub why: String,
}

/// The tables that these files could be; `paths` are files, or folders of which all files are taken. Paths in
/// `workspace` are named relative to it, others in full.
///
/// # Errors
/// [`Error::Unreadable`] if a path leads nowhere or a folder cannot be listed. A file that is no source is left out.
pub fn candidates(workspace: &Path, paths: &[PathBuf]) -> Result<(Vec<Candidate>, Vec<LeftOut>), Error> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for path in files {
        let name = name_in(workspace, &path);
        match one(&name, &path) {
            Ok(candidate) => found.push(candidate),
            Err(why) => left_out.push(LeftOut { file: name, why }),
        }
    }
    Ok((grouped(workspace, found), left_out))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |source| Error::Unreadable { file: path.display().to_string(), source };
    let whole = fs::canonicalize(path).map_err(unreadable)?;
    if !whole.is_dir() {
        files.push(whole);
        return Ok(());
    }
    for entry in fs::read_dir(&whole).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_file() && !entry.file_name().to_string_lossy().starts_with('.') {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn name_in(workspace: &Path, path: &Path) -> String {
    let workspace = fs::canonicalize(workspace).unwrap_or_else(|_| workspace.to_owned());
    path.strip_prefix(&workspace).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// A file by itself, or why it is no table.
fn one(name: &str, path: &Path) -> Result<Candidate, String> {
    if name.contains(['*', '?']) {
        return Err("its path has a * or ?, which stand for other characters in a `source`".to_owned());
    }
    let source = SourceFile { name: name.to_owned(), path: path.to_owned() };
    let (columns, blanks) = columns(&source).map_err(|error| without_place(&error, name))?;
    if columns.is_empty() {
        return Err("it is empty".to_owned());
    }
    if columns.iter().filter(|name| looks_like_a_value(name)).count() * 2 >= columns.len() {
        let first = columns.join(", ");
        return Err(format!(
            "its first line is no header but a row: {first}; header = false and `names` say what it holds"
        ));
    }
    Ok(Candidate { pattern: name.to_owned(), name: stem(name), files: vec![source], columns, blanks })
}

/// The names of the columns, and whether they are separated by blanks.
fn columns(source: &SourceFile) -> Result<(Vec<String>, bool), Error> {
    let names = |blanks: bool| {
        let opened = OpenFile::look_at(source, plain(&[], blanks).root())?;
        Ok(opened.names().to_vec())
    };
    let found: Vec<String> = names(false)?;
    match found.as_slice() {
        [one] if one.trim().contains(char::is_whitespace) => Ok((names(true)?, true)),
        _ => Ok((found, false)),
    }
}

/// Numbers and days are no names of columns.
fn looks_like_a_value(name: &str) -> bool {
    name.parse::<f64>().is_ok() || muster_catalog::parse_local(name, chrono_tz::Tz::UTC).is_ok()
}

/// The message without the name of the file, which is told beside it.
fn without_place(error: &Error, name: &str) -> String {
    let text = error.to_string();
    text.strip_prefix(name).map_or(text.as_str(), |rest| rest.trim_start_matches([':', ' '])).replace('\n', "; ")
}

fn stem(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let last = last.strip_suffix(".gz").unwrap_or(&last);
    last.rsplit_once('.').map_or(last, |(stem, _)| stem).to_owned()
}

/// Files with the same columns in one folder become one table if a pattern names them and no other file.
fn grouped(workspace: &Path, found: Vec<Candidate>) -> Vec<Candidate> {
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for candidate in found {
        let group = groups.iter_mut().find(|group| belong_together(&group[0], &candidate));
        match group {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    groups.into_iter().flat_map(|group| together(workspace, group)).collect()
}

fn belong_together(one: &Candidate, other: &Candidate) -> bool {
    one.columns == other.columns && digits_as_star(&one.pattern) == digits_as_star(&other.pattern)
}

/// `2010-12-01.csv` and `2010-12-02.csv` are both `*-*-*.csv`.
fn digits_as_star(pattern: &str) -> String {
    let (folder, name) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, name)| (folder, name));
    let mut starred = String::new();
    for letter in name.chars() {
        match letter {
            digit if digit.is_ascii_digit() && starred.ends_with('*') => {}
            digit if digit.is_ascii_digit() => starred.push('*'),
            other => starred.push(other),
        }
    }
    if folder.is_empty() { starred } else { format!("{folder}/{starred}") }
}

fn together(workspace: &Path, group: Vec<Candidate>) -> Vec<Candidate> {
    let pattern = digits_as_star(&group[0].pattern);
    let named = expand_sources(workspace, &pattern).map_or(0, |files| files.len());
    if group.len() == 1 || named != group.len() {
        return group;
    }
    let name = stem(&pattern).replace('*', "").trim_matches(['-', '_', '.', ' ']).to_owned();
    let name = if name.is_empty() { folder_of(&pattern) } else { name };
    let first = group[0].clone();
    let files = group.into_iter().flat_map(|candidate| candidate.files).collect();
    vec![Candidate { pattern, name, files, ..first }]
}

fn folder_of(pattern: &str) -> String {
    pattern.rsplit('/').nth(1).unwrap_or("rows").to_lowercase()
}
