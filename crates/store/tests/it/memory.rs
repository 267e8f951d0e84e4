//! A disk in memory that can fail at its n-th operation, and that forgets at a crash what was not made durable.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use muster_store::Disk;

#[derive(Debug, Default)]
pub struct MemoryDisk(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    /// What a reader sees.
    seen: BTreeMap<String, Bytes>,
    /// What is there after a crash.
    durable: BTreeMap<String, Bytes>,
    /// Operations until one fails; every later one fails, too.
    left: Option<usize>,
}

impl MemoryDisk {
    /// The operation after this many more fails.
    pub fn fail_after(&self, operations: usize) {
        self.content().left = Some(operations);
    }

    /// The power goes and comes back.
    pub fn crash(&self) {
        let mut content = self.content();
        content.seen = content.durable.clone();
        content.left = None;
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }

    fn changing(&self) -> io::Result<MutexGuard<'_, Content>> {
        let mut content = self.content();
        match &mut content.left {
            Some(0) => return Err(io::Error::other("the disk is full")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(content)
    }
}

fn missing(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, name.to_owned())
}

impl Disk for MemoryDisk {
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        match self.changing() {
            Ok(mut disk) => disk.seen.insert(name.to_owned(), Bytes::copy_from_slice(content)),
            Err(error) => {
                let half = Bytes::copy_from_slice(&content[..content.len() / 2]);
                self.content().seen.insert(name.to_owned(), half);
                return Err(error);
            }
        };
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.changing()?;
        let content = disk.seen.remove(from).ok_or_else(|| missing(from))?;
        disk.seen.insert(to.to_owned(), content);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.changing()?;
        disk.durable = disk.seen.clone();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.changing()?;
        disk.seen.remove(name);
        // A removal may reach the disk at any moment.
        disk.durable.remove(name);
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.content().seen.keys().cloned().collect())
    }

    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes> {
        let content = self.content().seen.get(name).cloned().ok_or_else(|| missing(name))?;
        let end = start as usize + length;
        if end <= content.len() {
            Ok(content.slice(start as usize..end))
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(self.content().seen.get(name).ok_or_else(|| missing(name))?.len() as u64)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }
}
