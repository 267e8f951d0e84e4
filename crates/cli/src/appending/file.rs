//! A batch as the reader of files wants it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use muster_ingest::SourceFile;
use muster_server::Batch;
use serde_json::{Map, Value};

/// A batch as a file, which goes when it was read. Its first line names every column and is no row.
pub struct Written {
    /// The file.
    pub source: SourceFile,
}

impl Written {
    /// Writes the batch into `folder`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(folder: &Path, names: &[String], batch: &Batch) -> Result<Self> {
        let path = folder.join("rows.ndjson");
        let source = SourceFile { name: "rows.ndjson".to_owned(), path };
        let written = Self { source };
        written.write(names, batch).with_context(|| format!("cannot write {}", written.source.path.display()))?;
        Ok(written)
    }

    fn write(&self, names: &[String], batch: &Batch) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(&self.source.path)?);
        let empty: Map<String, Value> = names.iter().map(|name| (name.clone(), Value::Null)).collect();
        writeln!(file, "{}", Value::Object(empty))?;
        for row in batch.rows() {
            // Ends of lines can only stand between the parts of a row.
            writeln!(file, "{}", row.replace(['\r', '\n'], " "))?;
        }
        file.flush()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // What stays is overwritten by the next batch.
        let _ = fs::remove_file(&self.source.path);
    }
}
