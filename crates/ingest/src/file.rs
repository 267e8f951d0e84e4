//! A source file that was looked at: what it holds, and the names of its columns.

use std::fs;

use muster_catalog::Table;

use crate::error::Error;
use crate::layout::Layout;
use crate::ndjson::JsonFile;
use crate::parquet::ParquetFile;
use crate::source::{Format, SourceFile, format_of};
use crate::wording::source_of;

/// A file of which the head was read.
pub(crate) struct OpenFile {
    pub source: SourceFile,
    pub content: Content,
    /// The number of the table's source that it belongs to; none where the table has but one.
    pub wording: Option<usize>,
}

/// What is known of a file from its head.
pub(crate) enum Content {
    Text { format: Format, layout: Layout },
    Json(JsonFile),
    Parquet(ParquetFile),
}

impl OpenFile {
    /// How large it is, if it still is there; to tell how much of it went by.
    pub fn bytes_on_disk(&self) -> u64 {
        fs::metadata(&self.source.path).map_or(0, |file| file.len())
    }

    pub fn look_at(source: &SourceFile, table: &Table) -> Result<Self, Error> {
        let content = match format_of(source)? {
            Format::Parquet => Content::Parquet(ParquetFile::open(source)?),
            format @ (Format::Json | Format::GzippedJson) => Content::Json(JsonFile::open(source, format)?),
            format => Content::Text { format, layout: Layout::of(source, format, table)? },
        };
        let mut file = Self { source: source.clone(), content, wording: None };
        file.wording = source_of(table, source, file.names())?;
        Ok(file)
    }

    /// The names of its columns, in order.
    pub fn names(&self) -> &[String] {
        match &self.content {
            Content::Text { layout, .. } => &layout.names,
            Content::Json(json) => &json.names,
            Content::Parquet(parquet) => &parquet.names,
        }
    }

    /// Whether there is nothing in it, not even names of columns.
    pub fn is_blank(&self) -> bool {
        self.names().is_empty()
    }
}
