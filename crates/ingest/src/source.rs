//! Which files a table is read from, what kind they are, and their digests.
//!
//! The extension says the kind and the first bytes must agree. What is no source is refused by name, with a hint.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use muster_catalog::nearest;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Refusal};
use crate::magic::{Ends, Kind};

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// Its name in messages and reports: the path relative to the workspace, with `/`; one that the source names from the
    /// root on stays so.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// SHA-256 of a file's bytes as they lie on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digest of a file, without reading it as a table: whether it is known already.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn digest(file: &SourceFile) -> Result<Digest, Error> {
    let unreadable = |source| Error::Unreadable { file: file.name.clone(), source };
    let mut opened = File::open(&file.path).map_err(unreadable)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match opened.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(Digest(hasher.finalize().into())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The files in `folder` that `pattern` names, in the order of their names.
///
/// A pattern is a path relative to `folder` in which `*` stands for any characters of one name, `?` for one, and a name
/// `**` for any folders. Wildcards pass over names that begin with a dot.
///
/// # Errors
/// [`Error::NoFiles`] if it names none; [`Error::Unreadable`] if a folder on the way cannot be listed.
pub fn expand_sources(folder: &Path, pattern: &str) -> Result<Vec<SourceFile>, Error> {
    let names: Vec<&str> = pattern.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let start = if pattern.starts_with('/') {
        SourceFile { name: "/".to_owned(), path: "/".into() }
    } else {
        SourceFile { name: String::new(), path: folder.to_owned() }
    };
    let mut found = Vec::new();
    walk(&start, &names, &mut found)?;
    found.sort();
    found.dedup();
    if found.is_empty() { Err(no_files(folder, pattern)) } else { Ok(found) }
}

/// Whether a file of this name (relative to the workspace) belongs to a source's pattern.
pub fn source_matches(pattern: &str, name: &str) -> bool {
    fn parts(path: &str) -> Vec<&str> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
    }
    pattern.starts_with('/') == name.starts_with('/') && path_matches(&parts(pattern), &parts(name))
}

fn path_matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), None) => path_matches(rest, &[]),
        (Some((&"**", rest)), Some((_, below))) => path_matches(rest, path) || path_matches(pattern, below),
        (Some((first, rest)), Some((name, below))) => name_matches(first, name) && path_matches(rest, below),
        _ => false,
    }
}

/// `*` any characters, `?` one.
fn name_matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| name_matches(rest, &name[at..])),
        '?' => name.chars().next().is_some_and(|one| name_matches(rest, &name[one.len_utf8()..])),
        _ => name.strip_prefix(first).is_some_and(|below| name_matches(rest, below)),
    }
}

fn walk(at: &SourceFile, names: &[&str], found: &mut Vec<SourceFile>) -> Result<(), Error> {
    let Some((name, rest)) = names.split_first() else {
        if at.path.is_file() {
            found.push(at.clone());
        }
        return Ok(());
    };
    if !name.contains(['*', '?']) {
        return walk(&at.join(name), rest, found);
    }
    if *name == "**" {
        walk(at, rest, found)?;
    }
    for entry in at.entries()? {
        if *name == "**" && entry.path.is_dir() {
            walk(&entry, names, found)?;
        } else if *name != "**" && name_matches(name, entry.last_name()) {
            walk(&entry, rest, found)?;
        }
    }
    Ok(())
}

impl SourceFile {
    fn join(&self, name: &str) -> Self {
        let slash = if self.name.is_empty() || self.name.ends_with('/') { "" } else { "/" };
        Self { name: format!("{}{slash}{name}", self.name), path: self.path.join(name) }
    }

    fn last_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// What lies in this folder, if it is one; names that are no text cannot be written in a pattern either.
    fn entries(&self) -> Result<Vec<Self>, Error> {
        if !self.path.is_dir() {
            return Ok(Vec::new());
        }
        let unreadable = |source| Error::Unreadable { file: self.path.display().to_string(), source };
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            if let Ok(name) = entry.map_err(unreadable)?.file_name().into_string()
                && !name.starts_with('.')
            {
                entries.push(self.join(&name));
            }
        }
        Ok(entries)
    }
}

fn no_files(folder: &Path, pattern: &str) -> Error {
    let (parent, last) = pattern.rsplit_once('/').map_or(("", pattern), |(parent, last)| (parent, last));
    let beside = SourceFile { name: parent.to_owned(), path: folder.join(parent) }.entries().unwrap_or_default();
    let near = nearest(last, beside.iter().map(SourceFile::last_name)).map(|near| match parent {
        "" => near.to_owned(),
        _ => format!("{parent}/{near}"),
    });
    Error::NoFiles { pattern: pattern.to_owned(), folder: folder.display().to_string(), nearest: near }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Delimited text.
    Text,
    /// The same, compressed.
    GzippedText,
    /// One JSON object a line.
    Json,
    /// The same, compressed.
    GzippedJson,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Whether the text in it is compressed.
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::GzippedText | Self::GzippedJson)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::GzippedText | Self::GzippedJson => "gzip",
            Self::Json => "NDJSON",
            Self::Parquet => "Parquet",
        }
    }
}

/// The kind of a file, if it is a source: the name says it, and the bytes must agree.
pub(crate) fn format_of(file: &SourceFile) -> Result<Format, Error> {
    let refused = |refusal| Error::Refused { file: file.name.clone(), refusal };
    let ends = Ends::of(&file.path).map_err(|source| Error::Unreadable { file: file.name.clone(), source })?;
    let format = match (format_by_name(&file.name.to_lowercase()), ends.kind()) {
        (Err(Refusal::UnknownExtension), Some(kind)) => Err(kind.refusal()),
        (named, _) => named,
    };
    let format = format.map_err(refused)?;
    match disagreement(format, &ends) {
        Some(refusal) => Err(refused(refusal)),
        None => Ok(format),
    }
}

/// How the bytes contradict the name. An empty file is as good as any.
fn disagreement(named: Format, ends: &Ends) -> Option<Refusal> {
    let disguised = |is, hint| Some(Refusal::Disguised { named: named.name(), is, hint });
    match (named, ends.kind()) {
        _ if ends.is_empty() => None,
        (Format::Parquet, _) if ends.is_marked_parquet() => None,
        (Format::Text, None) => None,
        (Format::Json, None | Some(Kind::Json)) => ends.is_json_document().then_some(JSON_DOCUMENT),
        (Format::GzippedText | Format::GzippedJson, Some(Kind::Gzip)) => disagreement_inside(named, ends),
        (_, Some(kind)) => disguised(kind.name(), kind.hint()),
        (_, None) if ends.looks_like_text() => disguised("text", RENAME),
        (_, None) => disguised("something else", RENAME),
    }
}

/// How the text that a gzip file unpacks to contradicts its name.
fn disagreement_inside(named: Format, ends: &Ends) -> Option<Refusal> {
    let inside = ends.inside();
    match (named, inside.kind()) {
        (Format::GzippedJson, None | Some(Kind::Json)) => inside.is_json_document().then_some(JSON_DOCUMENT),
        (_, kind) => {
            kind.map(|kind| Refusal::Disguised { named: "compressed text", is: kind.name(), hint: kind.hint() })
        }
    }
}

const RENAME: &str = "give the file the extension of what it is";

impl Kind {
    /// Why a file of this kind is refused where the name does not say what it is.
    fn refusal(self) -> Refusal {
        match self {
            Self::Gzip | Self::Parquet | Self::Json => Refusal::UnknownExtension,
            _ => Refusal::Known { kind: self.name(), hint: self.hint() },
        }
    }
}

const JSON_DOCUMENT: Refusal =
    Refusal::Known { kind: "a JSON document", hint: "write one object a line and name it .ndjson" };

fn format_by_name(name: &str) -> Result<Format, Refusal> {
    let ends = |extensions: &[&str]| extensions.iter().any(|extension| name.ends_with(extension));
    let known = |kind: Kind| Err(Refusal::Known { kind: kind.name(), hint: kind.hint() });
    if ends(&[".csv", ".txt", ".tsv"]) {
        Ok(Format::Text)
    } else if ends(&[".csv.gz", ".txt.gz", ".tsv.gz"]) {
        Ok(Format::GzippedText)
    } else if ends(&[".ndjson", ".jsonl"]) {
        Ok(Format::Json)
    } else if ends(&[".ndjson.gz", ".jsonl.gz"]) {
        Ok(Format::GzippedJson)
    } else if ends(&[".parquet"]) {
        Ok(Format::Parquet)
    } else if ends(&[".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"]) {
        known(Kind::Spreadsheet)
    } else if ends(&[".zip"]) {
        known(Kind::Zip)
    } else if ends(&[".arrow", ".arrows", ".feather", ".ipc"]) {
        known(Kind::ArrowFile)
    } else if ends(&[".pbf"]) {
        known(Kind::Roads)
    } else if ends(&[".json", ".json.gz"]) {
        Err(JSON_DOCUMENT)
    } else {
        Err(Refusal::UnknownExtension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, matches: bool) {
        assert_eq!(source_matches(pattern, name), matches, "{pattern} on {name}");
    }

    #[test]
    fn a_star_stays_within_one_name_and_two_stars_cross_folders() {
        check("orders.csv", "orders.csv", true);
        check("./orders.csv", "orders.csv", true);
        check("customers/*.csv", "customers/2025-01.csv", true);
        check("customers/*.csv", "customers/old/2025-01.csv", false);
        check("**/*.csv", "customers/old/2025-01.csv", true);
        check("**/*.csv", "orders.csv", true);
        check("day-??.csv", "day-01.csv", true);
        check("day-??.csv", "day-1.csv", false);
        check("*.csv", "orders.csv.gz", false);
    }

    #[test]
    fn a_path_from_the_root_is_another_than_one_in_the_workspace() {
        check("/in/*.csv", "/in/orders.csv", true);
        check("/in/*.csv", "in/orders.csv", false);
        check("in/*.csv", "/in/orders.csv", false);
        let folder = tempfile::TempDir::new().unwrap();
        fs::write(folder.path().join("orders.csv"), "id\n").unwrap();
        let path = folder.path().join("orders.csv").display().to_string();
        let pattern = folder.path().join("*.csv").display().to_string();
        let found = expand_sources(Path::new("elsewhere"), &pattern).unwrap();
        assert_eq!(found, [SourceFile { name: path.clone(), path: path.into() }]);
    }
}
