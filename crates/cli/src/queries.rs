//! The segments and variables that a workspace's folder queries/ defines, or files that are named instead.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use muster_language::{Statement, parse_piece, split_statements};
use muster_segment::NewDefinition;

use crate::workspace::Workspace;

/// What the files define, in the order of the files.
///
/// # Errors
/// If a file cannot be read, is not in order, or holds something else than definitions.
pub fn definitions(workspace: &Workspace, paths: &[PathBuf]) -> Result<Vec<NewDefinition>> {
    let mut definitions = Vec::new();
    for path in sql_files(workspace, paths)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for piece in split_statements(&text) {
            match parse_piece(&piece).map_err(|error| anyhow!("{}: {error}", path.display()))? {
                Statement::CreateSegment(definition) => definitions.push(NewDefinition::Segment(definition)),
                Statement::CreateVariable(definition) => definitions.push(NewDefinition::Variable(definition)),
                _ => bail!(
                    "{}: expected CREATE SEGMENT or CREATE VARIABLE; run other statements with `muster sql -f`",
                    path.display()
                ),
            }
        }
    }
    Ok(definitions)
}

/// The .sql files of the paths, folders with all below them, in the order of their names.
fn sql_files(workspace: &Workspace, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let queries = [workspace.dir.join("queries")];
    let paths = if paths.is_empty() { &queries[..] } else { paths };
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    let mut below = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    below.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "sql"));
    below.sort();
    below.iter().try_for_each(|path| collect(path, files))
}
