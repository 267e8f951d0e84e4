//! What SHOW and DESCRIBE answer, as rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use chrono_tz::Tz;
use muster_catalog::{Kind, Timestamp};
use muster_query::Answer;
use muster_store::{Snapshot, TableSchema};

use crate::{Definition, Error};

/// A column of a listing.
enum Cells {
    Text(Vec<Option<String>>),
    Count(Vec<Option<i64>>),
}

fn answer(columns: Vec<(&str, Cells)>) -> Result<Answer, Error> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|(name, cells)| match cells {
            Cells::Text(texts) => {
                (Field::new(name, DataType::Utf8, true), Arc::new(StringArray::from(texts)) as ArrayRef)
            }
            Cells::Count(counts) => {
                (Field::new(name, DataType::Int64, true), Arc::new(Int64Array::from(counts)) as ArrayRef)
            }
        })
        .unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("a listing's columns are of one length");
    Ok(Answer { schema, batches: vec![batch] })
}

fn texts<'a, T: 'a>(of: impl Iterator<Item = T>, text: impl Fn(T) -> Option<String>) -> Cells {
    Cells::Text(of.map(text).collect())
}

/// One row per table: what it is and how many rows it has.
pub(crate) fn tables(snapshot: &Snapshot) -> Result<Answer, Error> {
    let all = || snapshot.schemas();
    answer(vec![
        ("table", texts(all(), |table| Some(table.name.clone()))),
        ("kind", texts(all(), |table| Some(kind(table).to_owned()))),
        ("below", texts(all(), |table| table.parent().map(str::to_owned))),
        ("key", texts(all(), |table| table.key.clone())),
        ("time", texts(all(), |table| table.time.clone())),
        ("rows", Cells::Count(all().map(|table| Some(snapshot.row_count(&table.name) as i64)).collect())),
        ("waiting", Cells::Count(all().map(|table| Some(snapshot.orphan_count(&table.name) as i64)).collect())),
    ])
}

fn kind(table: &TableSchema) -> &'static str {
    match table.kind {
        Kind::Root => "root",
        Kind::History { .. } => "history",
        Kind::Lookup => "lookup",
    }
}

/// One row per column of a table.
pub(crate) fn columns(table: &TableSchema) -> Result<Answer, Error> {
    let part = |name: &str| {
        let parts = [
            (&table.key, "key"),
            (&table.time, "time"),
            (&table.updated_at, "updated_at"),
            (&table.created_at, "created_at"),
        ];
        let part =
            parts.into_iter().find(|(column, _)| column.as_deref() == Some(name)).map(|(_, part)| part.to_owned());
        let on = matches!(&table.kind, Kind::History { on, .. } if on == name).then(|| "parent's key".to_owned());
        let link = table.links.iter().find(|(_, column, _)| column == name).map(|(link, ..)| format!("link {link}"));
        part.or(on).or(link)
    };
    let all = || table.columns.iter();
    answer(vec![
        ("column", texts(all(), |column| Some(column.name.clone()))),
        ("type", texts(all(), |column| Some(column.column_type.to_string()))),
        ("part", texts(all(), |column| part(&column.name))),
        ("role", texts(all(), |column| column.role.as_ref().map(ToString::to_string))),
    ])
}

/// Segment, profiles, as of, evaluated at.
type Count = (String, u64, Timestamp, Timestamp);

/// One row per segment: its newest count and the age of it.
pub(crate) fn segments(definitions: &[Definition], counts: &[Count], zone: Tz) -> Result<Answer, Error> {
    let all = || definitions.iter();
    let count = |definition: &Definition| counts.iter().find(|(name, ..)| *name == definition.name);
    answer(vec![
        ("segment", texts(all(), |definition| Some(definition.name.clone()))),
        ("profiles", Cells::Count(all().map(|definition| count(definition).map(|found| found.1 as i64)).collect())),
        ("as_of", texts(all(), |definition| count(definition).map(|found| found.2.rfc3339(zone)))),
        ("evaluated_at", texts(all(), |definition| count(definition).map(|found| found.3.rfc3339(zone)))),
        ("comment", texts(all(), |definition| definition.comment.clone())),
    ])
}

/// One row: everything about a segment.
pub(crate) fn segment(definition: &Definition, counts: &[Count], users: &[String], zone: Tz) -> Result<Answer, Error> {
    let count = counts.iter().find(|(name, ..)| *name == definition.name);
    let one = |text: Option<String>| Cells::Text(vec![text]);
    answer(vec![
        ("segment", one(Some(definition.name.clone()))),
        ("profiles", Cells::Count(vec![count.map(|found| found.1 as i64)])),
        ("as_of", one(count.map(|found| found.2.rfc3339(zone)))),
        ("evaluated_at", one(count.map(|found| found.3.rfc3339(zone)))),
        ("definition", one(Some(definition.text()))),
        ("used_by", one((!users.is_empty()).then(|| users.join(", ")))),
        ("comment", one(definition.comment.clone())),
    ])
}
