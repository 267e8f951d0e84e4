//! The rejects of a load, all of them, as one CSV file.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::Result;
use muster_ingest::{Reject, RejectFile};

/// All rejects of a load; the file is there only if there are any.
pub(super) struct Rejects {
    /// None where they are not to be kept.
    folder: Option<PathBuf>,
    file: Option<(PathBuf, RejectFile<BufWriter<File>>)>,
}

impl Rejects {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, file: None }
    }

    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.file.is_none() {
            fs::create_dir_all(folder)?;
            let path = next_path(folder)?;
            let file = RejectFile::new(BufWriter::new(File::create_new(&path)?))?;
            self.file = Some((path, file));
        }
        self.file.as_mut().map_or(Ok(()), |(_, file)| file.write(reject))
    }

    /// A load that failed over its rejects says where all of them are.
    pub fn named_in(self, error: anyhow::Error) -> anyhow::Error {
        match self.finish() {
            Ok(Some(path)) => error.context(format!("nothing was loaded; all rejects: {}", path.display())),
            Ok(None) | Err(_) => error,
        }
    }

    pub fn finish(self) -> Result<Option<PathBuf>> {
        let Some((path, file)) = self.file else { return Ok(None) };
        file.finish()?;
        Ok(Some(path))
    }
}

/// Numbered, so that the rejects of an earlier load stay.
fn next_path(folder: &Path) -> io::Result<PathBuf> {
    let free = (1_u32..).map(|number| folder.join(format!("rejects-{number:05}.csv"))).find(|path| !path.exists());
    free.ok_or_else(|| io::Error::other("no number is left for the reject file"))
}
