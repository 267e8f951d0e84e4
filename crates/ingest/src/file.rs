//! A source file that was looked at: what it holds, and the names of its columns.

use muster_catalog::Table;

use crate::error::Error;
use crate::layout::Layout;
use crate::parquet::ParquetFile;
use crate::source::{Format, SourceFile, format_of};

/// A file of which the head was read.
pub(crate) struct OpenFile {
    pub source: SourceFile,
    pub content: Content,
}

/// What is known of a file from its head.
pub(crate) enum Content {
    Text { format: Format, layout: Layout },
    Parquet(ParquetFile),
}

impl OpenFile {
    pub fn look_at(source: &SourceFile, table: &Table) -> Result<Self, Error> {
        let content = match format_of(source)? {
            Format::Parquet => Content::Parquet(ParquetFile::open(source)?),
            format => Content::Text { format, layout: Layout::of(source, format, table)? },
        };
        Ok(Self { source: source.clone(), content })
    }

    /// The names of its columns, in order.
    pub fn names(&self) -> &[String] {
        match &self.content {
            Content::Text { layout, .. } => &layout.names,
            Content::Parquet(parquet) => &parquet.names,
        }
    }

    /// Whether there is nothing in it, not even names of columns.
    pub fn is_blank(&self) -> bool {
        self.names().is_empty()
    }
}
