//! Pages that a person opens in a browser, without a network: markup that cannot be anything else, in one style.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub mod markup;

/// Writes a page to `file`, which appears whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn write(page: &str, file: &Path) -> Result<()> {
    let unfinished = file.with_added_extension("unfinished");
    fs::write(&unfinished, page).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, file).with_context(|| format!("cannot write {}", file.display()))
}
