//! The workspace behind a running `muster serve`: what is handed over is done here, with the lock held all the time.
//!
//! Every request reads muster.toml again, so a change of it holds from the next request on and needs no restart; one
//! that is not in order fails the requests that come, each with the problems, until it is mended.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, anyhow};
use muster_server::{
    Appended, Batch, Check, Client, Command, Desk, Failure, PreviewRequest, Previewed, Refusal, Report,
};

use crate::appending;
use crate::arguments::RowFormat;
use crate::handover::{Statements, Writing};
use crate::previewing::Previewer;
use crate::workspace::{DEFINITION, Opened, Workspace};
use crate::{exit, output};

/// Below this much space a publish may not find room for its blocks.
const LEAST_SPACE_KIB: u64 = 256 << 10;

/// So many rows stand in memory and in the log before files are made of them: a process that opens the store brings them
/// in again, which takes it some milliseconds per thousand.
const ROWS_IN_LOG: u64 = 20_000;

/// So many groups of rows, likewise: each is brought in on its own.
const GROUPS_IN_LOG: u32 = 64;

/// A workspace that is served.
pub struct WorkspaceDesk {
    /// First, so that it ends before what it works on is closed.
    previewer: Previewer,
    served: Arc<Served>,
    /// Commands are done one after the other, except for those that only turn a campaign on or off.
    work: Mutex<()>,
    /// One snapshot is made at a time; how many were made of rows since files were.
    publishing: Mutex<u32>,
}

/// What is served: the same for whoever works on it.
pub struct Served {
    dir: PathBuf,
    as_of: Option<String>,
    /// The state and the store.
    pub opened: Opened,
    /// The definition that was read last, and its text.
    definition: Mutex<Option<(String, Arc<Workspace>)>>,
}

impl Served {
    /// The workspace as muster.toml has it now, taken apart again only where its text is another.
    ///
    /// # Errors
    /// If it cannot be read, or is not in order.
    pub fn workspace(&self) -> Result<Arc<Workspace>> {
        let path = self.dir.join(DEFINITION);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut definition = held(&self.definition);
        if let Some((_, known)) = definition.as_ref().filter(|(known, _)| *known == text) {
            return Ok(Arc::clone(known));
        }
        let workspace = Arc::new(Workspace::read(self.dir.clone(), self.as_of.as_deref())?);
        *definition = Some((text, Arc::clone(&workspace)));
        Ok(workspace)
    }
}

impl WorkspaceDesk {
    /// The desk of the workspace in `dir`, which was opened to write.
    ///
    /// # Errors
    /// If no threads can be started.
    pub fn new(dir: PathBuf, as_of: Option<String>, opened: Opened) -> Result<Self> {
        let served = Arc::new(Served { dir, as_of, opened, definition: Mutex::new(None) });
        let previewer = Previewer::start(Arc::clone(&served))?;
        Ok(Self { previewer, served, work: Mutex::new(()), publishing: Mutex::new(0) })
    }

    fn do_in_turn(&self, workspace: &Workspace, writing: &Writing, json: bool, client: &Client) -> Result<exit::Exit> {
        let _turn = match writing {
            Writing::CampaignPause(_) | Writing::CampaignResume(_) | Writing::CampaignPublish(_) => None,
            _ => Some(held(&self.work)),
        };
        let _publishing = matches!(writing, Writing::Load(_)).then(|| held(&self.publishing));
        writing.perform(workspace, &self.served.opened, json, client)
    }

    fn keep(&self, batches: &[Batch]) -> Result<Vec<Result<Appended, Refusal>>> {
        let (workspace, opened) = (self.served.workspace()?, &self.served.opened);
        let mut groups = held(&self.publishing);
        let answers = appending::append(&workspace, opened, batches)?;
        *groups += 1;
        if *groups >= GROUPS_IN_LOG || opened.store.unwritten_rows() >= ROWS_IN_LOG {
            self.make_files(&workspace)?;
            *groups = 0;
        }
        Ok(answers)
    }

    /// Moves rows from the log into files, which changes nothing that a reader sees.
    fn make_files(&self, workspace: &Workspace) -> Result<()> {
        let Opened { state, store, .. } = &self.served.opened;
        let prepared = store.prepare(&workspace.catalog, Vec::new(), workspace.clock().now())?;
        state.write(|tx| store.commit_files(tx, &prepared))?;
        store.adopt(prepared);
        // A command that is at work may read older blocks, too.
        if let Ok(_idle) = self.work.try_lock() {
            state.write(|tx| store.collect_garbage(tx))?;
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.served.dir.join("data")
    }

    fn state_check(&self) -> Result<()> {
        self.served.opened.state.write(|_| Ok::<_, muster_state::Error>(()))?;
        self.served.opened.state.read(|tx| muster_store::Store::loads(tx, 1))?;
        Ok(())
    }
}

impl Desk for WorkspaceDesk {
    fn commands(&self) -> &'static [&'static str] {
        Writing::NAMES
    }

    fn run(&self, command: &Command, client: &Client) -> Result<Report, Failure> {
        let Command { name, arguments, as_of, json } = command;
        let writing: Writing = serde_json::from_str(&format!("{{\"{name}\":{arguments}}}"))
            .map_err(|error| Failure::Refused(Refusal::new(format!("the arguments of `{name}`: {error}"))))?;
        refuse_binary(&writing)?;
        let workspace = Workspace::read(self.served.dir.clone(), as_of.as_deref());
        let (outcome, stdout) =
            output::kept(|| workspace.and_then(|workspace| self.do_in_turn(&workspace, &writing, *json, client)));
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        match outcome {
            Ok(exit) => Ok(Report { exit: exit.code(), stdout, stderr: String::new() }),
            Err(error) if exit::is_fatal(&error) => Err(Failure::Fatal(format!("{error:#}"))),
            Err(error) => {
                let (stderr, exit) = exit::told(&error);
                Ok(Report { exit, stdout, stderr })
            }
        }
    }

    fn append(&self, batches: &[Batch]) -> Result<Vec<Result<Appended, Refusal>>, Failure> {
        self.keep(batches).map_err(|error| {
            let text = format!("{error:#}");
            if exit::is_fatal(&error) { Failure::Fatal(text) } else { Failure::Unavailable(text) }
        })
    }

    fn preview(&self, wanted: PreviewRequest, turn: u64) -> Result<Previewed, Failure> {
        self.previewer.preview(wanted, turn)
    }

    fn checks(&self) -> Vec<Check> {
        let data = self.data();
        let told = |outcome: Result<()>| outcome.map_err(|error| format!("{error:#}"));
        vec![
            Check::of("definition", told(self.served.workspace().map(drop))),
            Check::of("state", told(self.state_check())),
            Check::of("store", told(blocks_are_there(&self.served.opened, &data))),
            Check::of("writing", told(can_write(&data))),
            Check::of("disk", told(has_space(&data))),
        ]
    }
}

/// Answers are text; what is not would have to be printed by the process that makes it.
fn refuse_binary(writing: &Writing) -> Result<(), Failure> {
    match writing {
        Writing::Sql(Statements { format: RowFormat::Arrow | RowFormat::Parquet, .. }) => {
            let hint = Some("run the statements that write by themselves, then the query".to_owned());
            let message = "arrow and parquet do not go through a running `muster serve`".to_owned();
            Err(Failure::Refused(Refusal { message, hint }))
        }
        _ => Ok(()),
    }
}

/// What a lock guards.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that a panic could leave half done is kept under these locks: the state and the store are whole.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn blocks_are_there(opened: &Opened, data: &Path) -> Result<()> {
    let is_lost = opened.store.snapshot().is_some() && !data.join("blocks").is_dir();
    if is_lost { Err(anyhow!("the folder of the blocks is gone; restore it from a backup")) } else { Ok(()) }
}

/// Finds a full disk, too few inodes, a quota, a disk that became read-only, and lost permissions.
fn can_write(data: &Path) -> Result<()> {
    let path = data.join("ready.probe");
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    written.and(removed).context("the data directory cannot be written")
}

/// Whether the disk has room for another publish. Asked of `df`, which every system has: the standard library does not
/// know.
///
/// # Errors
/// If it has not.
pub fn has_space(data: &Path) -> Result<()> {
    let mut df = Program::new("df");
    let asked = df.args(["-P", "-k"]).arg(data).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let Some(free) = asked.ok().and_then(|output| free_kib(&String::from_utf8_lossy(&output.stdout))) else {
        // Where it cannot be asked, the probe of writing is what there is.
        return Ok(());
    };
    if free >= LEAST_SPACE_KIB {
        return Ok(());
    }
    Err(anyhow!(
        "{} MiB are free on the disk of the data directory; a load may need more than {} MiB",
        free >> 10,
        LEAST_SPACE_KIB >> 10
    ))
}

/// The column "Available" of the portable format: the third number from the left of the last line.
fn free_kib(df: &str) -> Option<u64> {
    let numbers = df.lines().last()?.split_whitespace().skip(1).map_while(|word| word.parse().ok());
    numbers.collect::<Vec<u64>>().get(2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_is_read_from_the_portable_format() {
        let head = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n";
        for (line, expected) in [
            ("/dev/sda1        102400000  90000000  12345678      88% /data\n", Some(12_345_678)),
            ("overlay          102400000  90000000         0     100% /my data/1 2\n", Some(0)),
            ("", None),
        ] {
            assert_eq!(free_kib(&format!("{head}{line}")), expected, "{line}");
        }
    }
}
