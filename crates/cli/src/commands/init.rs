//! `muster init`: the folders of a workspace, and a muster.toml to fill in.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::arguments::Init;
use crate::exit::Exit;
use crate::output;
use crate::workspace::{DEFINITION, Workspace};

const TEMPLATE: &str = include_str!("muster.toml.template");

/// Begins a workspace.
///
/// # Errors
/// If there is one already, or the folder cannot be written.
pub fn run(arguments: &Init) -> Result<Exit> {
    let folder = &arguments.folder;
    if folder.join(DEFINITION).exists() {
        bail!("{} is a workspace already", folder.display());
    }
    for name in ["files", "queries", "campaigns", "templates"] {
        let made = folder.join(name);
        fs::create_dir_all(&made).with_context(|| format!("cannot create {}", made.display()))?;
    }
    write(&folder.join(DEFINITION), &TEMPLATE.replace("{name}", &name_of(folder)))?;
    write(&folder.join(".gitignore"), "/data\n")?;
    Workspace::read(folder.clone(), None)?.open()?;
    output::text(&format!(
        "{} is a workspace. Put your customers' file at files/customers.csv, say in {DEFINITION} what it and the others are, then run `muster load`.",
        folder.display()
    ))?;
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn name_of(folder: &Path) -> String {
    let name = fs::canonicalize(folder).ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let plain = name.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if plain.is_empty() { "shop".to_owned() } else { plain }
}
