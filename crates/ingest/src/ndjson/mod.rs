//! NDJSON: one JSON object a line, its keys the columns.
//!
//! [`file`] looks through a file for its keys, [`lines`] cuts it between lines, [`line`] reads one of them strictly, and
//! [`rows`] makes raw rows of many. A field keeps what kind of JSON value it was ([`field`]), so that the text `"007"`
//! and the number 7 stay apart; what a kind means for a column's type is `typing`'s. A key that a line does not have is
//! `null`; a key that no line of a file has is no column of it.

mod fault;
mod field;
mod file;
mod line;
mod lines;
mod number;
mod rows;

pub use fault::JsonFault;
pub(crate) use field::{FieldKind, Fields};
pub(crate) use file::JsonFile;
pub(crate) use line::members;
pub(crate) use lines::LineChunks;
pub(crate) use number::written_out;
pub(crate) use rows::JsonShape;
