//! Where the statements of before are kept: with the user's other state, never in a workspace.

use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rustyline::Editor;
use rustyline::history::FileHistory;

use super::line::Line;

/// The history of all prompts of a user.
pub struct History {
    /// None where the user has no folder for it.
    file: Option<PathBuf>,
    /// Whether it was said already that it cannot be kept.
    is_told: bool,
}

impl History {
    /// Reads what was kept into `editor`. What cannot be read is not there.
    pub fn open(editor: &mut Editor<Line, FileHistory>) -> Self {
        let file = file(env::var_os("XDG_STATE_HOME").map(PathBuf::from), env::home_dir());
        if let Some(file) = file.as_ref().filter(|file| file.exists())
            && let Err(error) = editor.load_history(file)
        {
            eprintln!("the history in {} cannot be read: {error}", file.display());
        }
        Self { file, is_told: false }
    }

    /// Keeps a line; that it cannot be kept is said once and ends nothing.
    pub fn keep(&mut self, editor: &mut Editor<Line, FileHistory>, line: &str) {
        if let Err(error) = self.try_keep(editor, line)
            && !self.is_told
        {
            eprintln!("the history is not kept: {error:#}");
            self.is_told = true;
        }
    }

    fn try_keep(&self, editor: &mut Editor<Line, FileHistory>, line: &str) -> Result<()> {
        let is_new = editor.add_history_entry(line)?;
        let Some(file) = self.file.as_ref().filter(|_| is_new) else { return Ok(()) };
        if let Some(folder) = file.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("cannot make {}", folder.display()))?;
        }
        editor.append_history(file).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// `$XDG_STATE_HOME/muster/history`, else `~/.local/state/muster/history`; a relative folder counts as none, as the
/// specification has it.
fn file(state: Option<PathBuf>, own: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.filter(|folder| folder.is_absolute());
    let own = own.filter(|folder| folder.is_absolute()).map(|folder| folder.join(".local/state"));
    state.or(own).map(|folder| folder.join("muster/history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_lies_in_the_users_state_folder() {
        let path = |text: &str| Some(PathBuf::from(text));
        for (state, own, expected) in [
            (path("/s"), path("/u"), path("/s/muster/history")),
            (None, path("/u"), path("/u/.local/state/muster/history")),
            (path("s"), path("/u"), path("/u/.local/state/muster/history")),
            (path(""), path("u"), None),
            (None, None, None),
        ] {
            assert_eq!(file(state, own), expected);
        }
    }
}
