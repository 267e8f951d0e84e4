//! The sink's journal: what was accepted, on disk before anyone is told.
//!
//! One thread writes for all connections and syncs once per batch (group commit), so that a disk
//! that takes milliseconds per sync still carries thousands of messages a second. A failed write
//! or sync is never retried: the writer ends, and every reply that waited for it is withheld.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// Lines that one sync covers at most; more connections than that do not exist.
const BATCH: usize = 1024;

/// One accepted message, for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without gaps, in the order of acceptance.
    pub sequence: u64,
    /// The `Message-ID` header with its angle brackets; empty where the message had none.
    pub message_id: String,
    /// The envelope's recipient, without brackets, as the client wrote it.
    pub recipient: String,
    /// SHA-256, in hexadecimal, of the content: header and body after dot-unstuffing, with CRLF.
    pub sha256: String,
    /// Length of that content in bytes.
    pub bytes: u64,
}

/// What the sink has accepted, in order: one line per message and recipient.
///
/// The lines hold `sequence`, `message id`, `recipient`, `sha256` and `bytes` between tabs. A last
/// line without its line end was being written when the machine or the sink died; it was never
/// acknowledged and is left out. A file that does not exist is an empty journal.
///
/// # Errors
/// `File`, or `Journal` with the first complete line that is none.
pub fn read_journal(path: &Path) -> Result<Vec<Entry>, Error> {
    Ok(read_complete_lines(path)?.0)
}

/// The entries, and how many bytes of the file their lines take.
fn read_complete_lines(path: &Path) -> Result<(Vec<Entry>, u64), Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(Error::file("read", path)(source)),
    };
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let entries = bytes[..complete]
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| entry(line).ok_or_else(|| Error::Journal { path: path.to_path_buf(), line: index + 1 }))
        .collect::<Result<Vec<Entry>, Error>>()?;
    Ok((entries, complete as u64))
}

fn entry(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\n');
    let mut fields = line.split('\t');
    let entry = Entry {
        sequence: fields.next()?.parse().ok()?,
        message_id: fields.next()?.to_owned(),
        recipient: fields.next()?.to_owned(),
        sha256: fields.next().filter(|digest| digest.len() == 64)?.to_owned(),
        bytes: fields.next()?.parse().ok()?,
    };
    fields.next().is_none().then_some(entry)
}

/// One message that waits for its line.
#[derive(Debug)]
pub(super) struct Accepted {
    pub message_id: String,
    pub recipients: Vec<String>,
    pub sha256: String,
    pub bytes: u64,
}

#[derive(Debug)]
struct Request {
    accepted: Accepted,
    durable: Sender<()>,
}

/// The connections' end of the journal.
#[derive(Debug)]
pub(super) struct Journal {
    requests: Mutex<Option<SyncSender<Request>>>,
}

impl Journal {
    /// Returns once the lines of `accepted` are on disk: TRUE then, and FALSE if they never will be.
    pub(super) fn record(&self, accepted: Accepted) -> bool {
        let Some(requests) = self.sender() else {
            return false;
        };
        let (durable, waiting) = channel();
        requests.send(Request { accepted, durable }).is_ok() && waiting.recv().is_ok()
    }

    /// No more requests: lets the writer end when it has written what waits.
    pub(super) fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn sender(&self) -> Option<SyncSender<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The one thread's end of the journal.
#[derive(Debug)]
pub(super) struct JournalWriter {
    path: PathBuf,
    file: File,
    next_sequence: u64,
    requests: Receiver<Request>,
}

/// Opens `path` for appending, after its last complete line.
pub(super) fn open(path: &Path) -> Result<(JournalWriter, Journal), Error> {
    let (entries, complete) = read_complete_lines(path)?;
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(Error::file("open", path))?;
    file.try_lock().map_err(std::io::Error::from).map_err(Error::file("lock", path))?;
    file.set_len(complete).map_err(Error::file("shorten", path))?;
    file.sync_all().map_err(Error::file("sync", path))?;
    let next_sequence = entries.last().map_or(1, |last| last.sequence + 1);
    let (sender, requests) = sync_channel(BATCH);
    let writer = JournalWriter { path: path.to_path_buf(), file, next_sequence, requests };
    Ok((writer, Journal { requests: Mutex::new(Some(sender)) }))
}

impl JournalWriter {
    /// Writes until the journal is closed; dropping a request unanswered tells its connection.
    pub(super) fn run(mut self) -> Result<(), Error> {
        while let Ok(first) = self.requests.recv() {
            let mut batch = vec![first];
            batch.extend(self.requests.try_iter().take(BATCH - 1));
            self.commit(&batch).map_err(|source| Error::JournalLost { path: self.path.clone(), source })?;
            for request in batch {
                // The connection may have been cut while it waited; the line stands all the same.
                let _ = request.durable.send(());
            }
        }
        Ok(())
    }

    fn commit(&mut self, batch: &[Request]) -> std::io::Result<()> {
        let mut lines = Vec::new();
        for Request { accepted, .. } in batch {
            for recipient in &accepted.recipients {
                let Accepted { message_id, sha256, bytes, .. } = accepted;
                writeln!(lines, "{}\t{message_id}\t{recipient}\t{sha256}\t{bytes}", self.next_sequence)?;
                self.next_sequence += 1;
            }
        }
        self.file.write_all(&lines)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_whose_line_cannot_be_written_is_never_acknowledged_nor_any_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.tsv");
        let (mut writer, journal) = open(&path).unwrap();
        writer.file = File::open(&path).unwrap();
        let writing = std::thread::spawn(move || writer.run());
        let accepted = || Accepted {
            message_id: String::new(),
            recipients: vec!["ann@x.example".to_owned()],
            sha256: "0".repeat(64),
            bytes: 1,
        };
        assert!(!journal.record(accepted()));
        assert!(!journal.record(accepted()));
        assert!(matches!(writing.join().unwrap(), Err(Error::JournalLost { .. })));
        assert_eq!(read_journal(&path).unwrap(), []);
    }
}
