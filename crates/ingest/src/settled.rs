//! Files that are still being written: told by their names, or by growing between two looks.
//!
//! The loader looks twice, with as much time between as it likes; what is not settled it leaves out and names, and the
//! next load takes it.

use std::fmt;
use std::fs;
use std::time::SystemTime;

use crate::error::Error;
use crate::source::SourceFile;

/// How browsers, copying programs and mail programs call what they have not finished.
const UNFINISHED_ENDINGS: [&str; 7] = [".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download"];

/// What a file was like at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it last changed, where the file system knows.
    pub changed: Option<SystemTime>,
}

/// Why a file is left for the next load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// Its name ends like that of a file that is still being written.
    Named {
        /// The ending.
        ending: &'static str,
    },
    /// It changed between two looks.
    Changing {
        /// What it was like before.
        before: Look,
        /// What it is like now.
        now: Look,
    },
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named { ending } => write!(f, "its name ends with {ending}: it is still being written"),
            Self::Changing { before, now } if before.bytes == now.bytes => f.write_str("it is still being written"),
            Self::Changing { before, now } => {
                write!(f, "it is still being written: {} bytes, and {} a moment later", before.bytes, now.bytes)
            }
        }
    }
}

/// Looks at a file.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn look(file: &SourceFile) -> Result<Look, Error> {
    let unreadable = |source| Error::Unreadable { file: file.name.clone(), source };
    let metadata = fs::metadata(&file.path).map_err(unreadable)?;
    Ok(Look { bytes: metadata.len(), changed: metadata.modified().ok() })
}

/// Why a file is not to be read yet, if it is not; `before` is an earlier look at it.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn unfinished(file: &SourceFile, before: Look) -> Result<Option<Unfinished>, Error> {
    let name = file.name.to_lowercase();
    if let Some(ending) = UNFINISHED_ENDINGS.into_iter().find(|ending| name.ends_with(ending)) {
        return Ok(Some(Unfinished::Named { ending }));
    }
    let now = look(file)?;
    Ok((before != now).then_some(Unfinished::Changing { before, now }))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn file(folder: &TempDir, name: &str, content: &str) -> SourceFile {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        SourceFile { name: name.to_owned(), path }
    }

    #[test]
    fn row_44_a_file_that_grows_between_two_looks_or_is_named_like_it_is_left_and_named() {
        let folder = TempDir::new().unwrap();
        let growing = file(&folder, "c.csv", "id\n1\n");
        let before = look(&growing).unwrap();
        fs::write(&growing.path, "id\n1\n2\n").unwrap();
        let why = unfinished(&growing, before).unwrap().unwrap();
        assert_eq!(why.to_string(), "it is still being written: 5 bytes, and 7 a moment later");
        let part = file(&folder, "c.csv.CRDOWNLOAD", "id\n");
        let why = unfinished(&part, look(&part).unwrap()).unwrap().unwrap();
        assert_eq!(why.to_string(), "its name ends with .crdownload: it is still being written");
    }

    #[test]
    fn row_44_a_file_that_stays_as_it_is_is_settled() {
        let folder = TempDir::new().unwrap();
        let settled = file(&folder, "party.csv", "id\n1\n");
        assert_eq!(unfinished(&settled, look(&settled).unwrap()).unwrap(), None);
    }
}
