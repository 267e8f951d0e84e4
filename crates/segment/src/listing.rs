//! What SHOW and DESCRIBE answer, as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use chrono_tz::Tz;
use muster_catalog::{ColumnNames, ColumnType, Kind, ScoreNames, nearest};
use muster_query::Answer;
use muster_store::{Snapshot, TableSchema};

use crate::audience::Count;
use crate::preview::{CountedCondition, Preview};
use crate::{
    ColumnDescription, Definition, Distinct, Error, ExplainedCondition, Explanation, Move, Moved, Refresh,
    TableDescription, Turning, Variable, class_word, part,
};

/// A column of a listing.
enum Cells {
    Text(Vec<Option<String>>),
    Count(Vec<Option<i64>>),
    Share(Vec<Option<f64>>),
    /// Several texts a row; none is no value.
    Texts(Vec<Vec<String>>),
    /// Several counts a row; none is no value.
    Counts(Vec<Vec<i64>>),
}

impl Cells {
    fn array(self) -> ArrayRef {
        match self {
            Self::Text(texts) => Arc::new(StringArray::from(texts)),
            Self::Count(counts) => Arc::new(Int64Array::from(counts)),
            Self::Share(shares) => Arc::new(Float64Array::from(shares)),
            Self::Texts(rows) => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                rows.into_iter().for_each(|row| lists.append_option(some(row)));
                Arc::new(lists.finish())
            }
            Self::Counts(rows) => {
                let mut lists = ListBuilder::new(Int64Builder::new());
                rows.into_iter().for_each(|row| lists.append_option(some(row)));
                Arc::new(lists.finish())
            }
        }
    }
}

/// The items of a row as a list's builder takes them.
fn some<T>(row: Vec<T>) -> Option<Vec<Option<T>>> {
    (!row.is_empty()).then(|| row.into_iter().map(Some).collect())
}

fn answer(columns: Vec<(&str, Cells)>) -> Result<Answer, Error> {
    let named = columns.into_iter().map(|(name, cells)| (name, cells.array()));
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) =
        named.map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("a listing's columns are of one length");
    Ok(Answer { schema, batches: vec![batch] })
}

fn texts<'a, T: 'a>(of: impl Iterator<Item = T>, text: impl Fn(T) -> Option<String>) -> Cells {
    Cells::Text(of.map(text).collect())
}

/// One row for all rows, one per condition, and one for what chooses among those that meet all.
struct Step {
    condition: Option<String>,
    remain: u64,
    alone: Option<u64>,
}

fn steps(counts: &Preview) -> Vec<Step> {
    let all = Step { condition: None, remain: counts.rows, alone: None };
    let condition = |counted: &CountedCondition| Step {
        condition: Some(counted.text.clone()),
        remain: counted.remain,
        alone: Some(counted.alone),
    };
    let choice = counts.choice.clone();
    let choice = choice.map(|choice| Step { condition: Some(choice), remain: counts.selected, alone: None });
    std::iter::once(all).chain(counts.conditions.iter().map(condition)).chain(choice).collect()
}

/// How many rows remain after each condition, and how many each takes away by itself.
pub(crate) fn waterfall(counts: &Preview) -> Result<Answer, Error> {
    let steps = steps(counts);
    let removes = |step: &Step| step.alone.map(|alone| (counts.rows - alone).cast_signed());
    answer(vec![
        ("condition", texts(steps.iter(), |step| step.condition.clone())),
        ("remain", Cells::Count(steps.iter().map(|step| Some(step.remain.cast_signed())).collect())),
        ("removes", Cells::Count(steps.iter().map(removes).collect())),
    ])
}

/// How many rows meet each condition by itself, and how many remain after it.
pub(crate) fn preview(counts: &Preview) -> Result<Answer, Error> {
    let steps = steps(counts);
    answer(vec![
        ("condition", texts(steps.iter(), |step| step.condition.clone())),
        ("alone", Cells::Count(steps.iter().map(|step| step.alone.map(u64::cast_signed)).collect())),
        ("remain", Cells::Count(steps.iter().map(|step| Some(step.remain.cast_signed())).collect())),
    ])
}

/// What stands in the place of a condition for whoever was not there.
const NOT_THERE: &str = "not there then";

/// One row per profile that is in a segment by one side alone: what became of it, and the conditions of the other side
/// that it does not meet.
pub(crate) fn moves(moves: &[Move]) -> Result<Answer, Error> {
    let by = |one: &Move| if one.by.is_empty() { NOT_THERE.to_owned() } else { one.by.join("; ") };
    answer(vec![
        ("key", texts(moves.iter(), |one| Some(one.key.clone()))),
        ("change", texts(moves.iter(), |one| Some(one.moved.word().to_owned()))),
        ("by", texts(moves.iter(), |one| Some(by(one)))),
    ])
}

/// One row per change and condition: how many profiles.
pub(crate) fn moves_by_condition(counts: &BTreeMap<(Moved, Option<&str>), u64>) -> Result<Answer, Error> {
    let all = || counts.iter();
    answer(vec![
        ("change", texts(all(), |((moved, _), _)| Some(moved.word().to_owned()))),
        ("by", texts(all(), |((_, condition), _)| Some(condition.unwrap_or(NOT_THERE).to_owned()))),
        ("profiles", Cells::Count(all().map(|(_, count)| Some(count.cast_signed())).collect())),
    ])
}

/// How many deciding rows a line names; all of them are in the explanation.
const MOST_ROWS: usize = 10;

/// One row for the segment, and one per condition below it, its parts one step in.
pub(crate) fn explanation(why: &Explanation) -> Result<Answer, Error> {
    let mut lines = Vec::new();
    explain(why, 0, &mut lines);
    let all = || lines.iter();
    answer(vec![
        ("condition", texts(all(), |line| Some(format!("{}{}", "  ".repeat(line.depth), line.text)))),
        ("truth", texts(all(), |line| Some(line.truth.to_owned()))),
        ("values", texts(all(), |line| joined(&line.values))),
        ("rows", texts(all(), |line| joined(&line.rows))),
        ("missing", texts(all(), |line| line.missing.clone())),
    ])
}

/// One line of EXPLAIN SEGMENT … FOR.
struct Reason<'a> {
    depth: usize,
    text: &'a str,
    truth: &'static str,
    values: Vec<String>,
    rows: Vec<String>,
    missing: Option<String>,
}

fn explain<'a>(why: &'a Explanation, depth: usize, lines: &mut Vec<Reason<'a>>) {
    let line = |text: &'a str, depth: usize, of: Option<bool>| {
        let (values, rows) = (Vec::new(), Vec::new());
        Reason { depth, text, truth: truth(of), values, rows, missing: None }
    };
    lines.push(line(&why.segment, depth, Some(why.is_member)));
    let condition = why.condition.iter();
    condition.for_each(|condition| explain_condition(condition, depth + 1, lines));
    lines.extend(why.choice.as_deref().map(|choice| line(choice, depth + 1, why.is_chosen())));
}

fn explain_condition<'a>(condition: &'a ExplainedCondition, depth: usize, lines: &mut Vec<Reason<'a>>) {
    let turning = condition.turning.as_ref();
    let value = |(text, value): &(String, Option<String>)| format!("{text} = {}", value.as_deref().unwrap_or("NULL"));
    lines.push(Reason {
        depth,
        text: &condition.text,
        truth: truth(condition.truth),
        values: condition.values.iter().map(value).collect(),
        rows: turning.map(deciding_rows).unwrap_or_default(),
        missing: turning.and_then(|turning| turning.missing.as_ref()).map(ToString::to_string),
    });
    condition.parts.iter().for_each(|part| explain_condition(part, depth + 1, lines));
    condition.definition.iter().for_each(|definition| explain(definition, depth + 1, lines));
}

/// The rows with their table in front, and how many more there are.
fn deciding_rows(turning: &Turning) -> Vec<String> {
    let listed = turning.rows.iter().take(MOST_ROWS).map(|row| format!("{} {row}", turning.table));
    let others = turning.rows.len().saturating_sub(MOST_ROWS);
    listed.chain((others > 0).then(|| format!("and {others} more"))).collect()
}

fn truth(truth: Option<bool>) -> &'static str {
    match truth {
        Some(true) => "TRUE",
        Some(false) => "FALSE",
        None => "NULL",
    }
}

fn joined(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join("; "))
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
        Kind::List => "list",
    }
}

/// One row per column of a score, or that one.
pub(crate) fn score(score: &ScoreNames, column: Option<&str>) -> Result<Answer, Error> {
    let is_wanted = |known: &&ColumnNames| column.is_none_or(|column| column.eq_ignore_ascii_case(&known.name));
    let wanted: Vec<&ColumnNames> = score.columns.iter().filter(is_wanted).collect();
    if let (Some(column), true) = (column, wanted.is_empty()) {
        let known = score.columns.iter().map(|known| known.name.as_str());
        return Err(Error::UnknownColumn {
            table: score.name.clone(),
            name: column.to_owned(),
            nearest: nearest(column, known).map(str::to_owned),
        });
    }
    answer(vec![
        ("column", texts(wanted.iter(), |column| Some(column.name.clone()))),
        ("type", texts(wanted.iter(), |column| Some(column.column_type.to_string()))),
    ])
}

/// One row for the table itself, called `*`, and one per column: type, part and role, and what its rows hold.
pub(crate) fn table(described: &TableDescription, as_of: String) -> Result<Answer, Error> {
    let mut lines = vec![table_line(described, &as_of)];
    lines.extend(described.columns.iter().map(|column| column_line(described, column)));
    description(&lines)
}

/// One row per column that was asked for.
pub(crate) fn columns(described: &TableDescription) -> Result<Answer, Error> {
    description(&described.columns.iter().map(|column| column_line(described, column)).collect::<Vec<_>>())
}

/// One row of DESCRIBE.
#[derive(Default)]
struct Line {
    column: String,
    what: String,
    part: Option<String>,
    role: Option<String>,
    class: Option<String>,
    rows: u64,
    nulls: Option<u64>,
    distinct: Option<u64>,
    range: Option<(String, String)>,
    top: Vec<(String, u64)>,
    notes: Vec<String>,
}

fn table_line(described: &TableDescription, as_of: &str) -> Line {
    let schema = &described.schema;
    let time = schema.time.as_ref().or(schema.created_at.as_ref());
    let its_time = described.columns.iter().find(|column| Some(&column.schema.name) == time);
    let below = schema.parent().map(|parent| format!(" below {parent}")).unwrap_or_default();
    let waiting = (described.waiting > 0).then(|| format!("{} wait for their parent", described.waiting));
    let later = (described.later > 0).then(|| format!("{} later than {as_of}", described.later));
    Line {
        column: "*".to_owned(),
        what: format!("{}{below}", kind(schema)),
        part: parts(schema),
        rows: described.rows,
        range: its_time.and_then(|column| column.range.clone()),
        notes: waiting.into_iter().chain(later).collect(),
        ..Line::default()
    }
}

/// `key order_id, time placed_at, stores by store_id`.
fn parts(schema: &TableSchema) -> Option<String> {
    let own = [("key", &schema.key), ("time", &schema.time), ("created_at", &schema.created_at)];
    let own = own.into_iter().filter_map(|(part, column)| Some(format!("{part} {}", column.as_ref()?)));
    let links = schema.links.iter().map(|(link, column, _)| format!("{link} by {column}"));
    let parts: Vec<String> = own.chain(links).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn column_line(described: &TableDescription, column: &ColumnDescription) -> Line {
    let hidden = (!column.is_shown()).then(|| "values are hidden".to_owned());
    let estimate = matches!(column.distinct, Some(Distinct::Estimate(_))).then(|| "distinct is an estimate".to_owned());
    let members = (column.schema.column_type == ColumnType::Set).then(|| "distinct and top are of members".to_owned());
    Line {
        column: column.schema.name.clone(),
        what: column.schema.column_type.to_string(),
        part: part(&described.schema, &column.schema.name),
        role: column.schema.role.as_ref().map(ToString::to_string),
        class: Some(class_word(column.class).to_owned()),
        rows: described.rows,
        nulls: Some(column.nulls),
        distinct: column.distinct.map(Distinct::number),
        range: column.range.clone(),
        top: column.top.clone(),
        notes: [hidden, estimate, members].into_iter().flatten().collect(),
    }
}

fn description(lines: &[Line]) -> Result<Answer, Error> {
    let all = || lines.iter();
    let count =
        |count: &dyn Fn(&Line) -> Option<u64>| Cells::Count(all().map(|line| Some(count(line)? as i64)).collect());
    answer(vec![
        ("column", texts(all(), |line| Some(line.column.clone()))),
        ("type", texts(all(), |line| Some(line.what.clone()))),
        ("part", texts(all(), |line| line.part.clone())),
        ("role", texts(all(), |line| line.role.clone())),
        ("class", texts(all(), |line| line.class.clone())),
        ("rows", count(&|line| Some(line.rows))),
        ("nulls", count(&|line| line.nulls)),
        ("null_share", Cells::Share(all().map(null_share).collect())),
        ("distinct", count(&|line| line.distinct)),
        ("min", texts(all(), |line| Some(line.range.as_ref()?.0.clone()))),
        ("max", texts(all(), |line| Some(line.range.as_ref()?.1.clone()))),
        ("top", Cells::Texts(all().map(|line| line.top.iter().map(|(value, _)| value.clone()).collect()).collect())),
        (
            "top_rows",
            Cells::Counts(all().map(|line| line.top.iter().map(|(_, rows)| *rows as i64).collect()).collect()),
        ),
        ("note", texts(all(), |line| (!line.notes.is_empty()).then(|| line.notes.join("; ")))),
    ])
}

/// To four places: `0.0275` is 2.75 %.
fn null_share(line: &Line) -> Option<f64> {
    let nulls = line.nulls.filter(|_| line.rows > 0)?;
    Some((nulls as f64 / line.rows as f64 * 10_000.0).round() / 10_000.0)
}

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

/// One row per variable: what it is, what it holds, and who names it.
pub(crate) fn variables(variables: &[(Variable, Vec<String>)]) -> Result<Answer, Error> {
    let all = || variables.iter();
    answer(vec![
        ("variable", texts(all(), |(variable, _)| Some(variable.name().to_owned()))),
        ("type", texts(all(), |(variable, _)| Some(variable.holds.to_string()))),
        ("definition", texts(all(), |(variable, _)| Some(variable.definition.expression()))),
        ("used_by", texts(all(), |(_, users)| (!users.is_empty()).then(|| users.join(", ")))),
        ("comment", texts(all(), |(variable, _)| variable.definition.comment.clone())),
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
        ("refresh", one(definition.refresh.as_ref().map(|every| every.text().to_owned()))),
        ("used_by", one((!users.is_empty()).then(|| users.join(", ")))),
        ("comment", one(definition.comment.clone())),
    ])
}

/// One row per refresh that found something new: since when and until when it was so, who came, who went, and why.
pub(crate) fn refreshes(refreshes: &[Refresh], zone: Tz) -> Result<Answer, Error> {
    let all = || refreshes.iter();
    let count = |count: &dyn Fn(&Refresh) -> u64| {
        Cells::Count(all().map(|refresh| Some(count(refresh).cast_signed())).collect())
    };
    answer(vec![
        ("number", count(&|refresh| refresh.number)),
        ("as_of", texts(all(), |refresh| Some(refresh.as_of.rfc3339(zone)))),
        ("last_as_of", texts(all(), |refresh| Some(refresh.last_as_of.rfc3339(zone)))),
        ("refreshes", count(&|refresh| refresh.again + 1)),
        ("profiles", count(&|refresh| refresh.profiles)),
        ("came", count(&|refresh| refresh.came)),
        ("went", count(&|refresh| refresh.went)),
        ("cause", texts(all(), |refresh| Some(refresh.cause.word().to_owned()))),
        ("snapshot", count(&|refresh| refresh.snapshot)),
        ("definition", texts(all(), |refresh| Some(refresh.definition.chars().take(12).collect()))),
        ("evaluated_at", texts(all(), |refresh| Some(refresh.evaluated_at.rfc3339(zone)))),
    ])
}
