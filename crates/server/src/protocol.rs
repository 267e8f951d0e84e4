//! The lines of the write socket: one request a line, one answer a line, both JSON.
//!
//! ```json
//! {"muster": 1, "request": {"ping": {}}}
//! {"muster": 1, "id": 7, "request": {"rows": {"table": "orders", "rows": [{"order_id": "O1", "total": 12.50}]}}}
//! {"muster": 1, "request": {"preview": {"editor": "ann", "definition": "WHERE tier = 'gold' AND has(orders)"}}}
//! {"muster": 1, "request": {"load": {"tables": ["orders"]}}, "json": true, "as_of": "2025-06-30"}
//! ```
//!
//! `request` has one name, that of what is asked: `ping`, `rows`, `preview`, or a command of the [`Desk`](crate::Desk) with its
//! arguments. `id`, a number or a text, comes back with the answer. An answer is `{"muster": 1, "answer": {…}}` under the
//! name that was asked, or `{"muster": 1, "error": {…}}`, a [`Wrong`].

use std::ops::Range;

use muster_catalog::nearest;
use serde::{Deserialize, Serialize};

use crate::json::{Fault, Reader, shortened};
use crate::{Appended, Batch, Command, Failure, PreviewRequest, Previewed, Refusal, Report};

/// The version of the lines. A server refuses a later one and understands all earlier ones.
pub const VERSION: u32 = 1;

/// How long an `id` may be.
const LONGEST_ID: usize = 200;
/// What every server does, beside its desk's commands.
const OWN: [&str; 3] = ["ping", "rows", "preview"];

/// A request, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// As it was written.
    pub(crate) id: Option<String>,
    pub(crate) asked: Asked,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Ping,
    Rows(Batch),
    Preview(PreviewRequest),
    Command(Command),
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// What the sender can do: `malformed`, `newer`, `unknown`, `refused` (send something else), `busy`, `unavailable`
    /// (send it again later), `superseded` (a newer request took its place), `stopping`, `failed`.
    pub kind: String,
    /// Where in what was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Wrong {
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), place: None, message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn stopping() -> Self {
        Self::new("stopping", "the running `muster serve` is ending").with_hint("send it again when it has ended")
    }

    pub(crate) fn busy(what: &str) -> Self {
        Self::new("busy", what).with_hint("nothing was done; send it again after a while")
    }

    /// Where `text`, the `line`th of its connection, is at fault.
    fn malformed(text: &str, line: u64, fault: Fault) -> Self {
        let column = text.get(..fault.at).map_or(fault.at, |before| before.chars().count()) + 1;
        Self { place: Some(format!("line {line} column {column}")), ..Self::new("malformed", fault.what) }
    }
}

impl From<Refusal> for Wrong {
    fn from(Refusal { message, hint }: Refusal) -> Self {
        Self { hint, ..Self::new("refused", message) }
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Superseded => Self::new("superseded", "a newer preview of the same editor took its place"),
            Failure::Unavailable(message) => Self::new("unavailable", message),
            Failure::Fatal(message) => Self::new("failed", message),
        }
    }
}

/// A request that could not be understood, with its id if that could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) id: Option<String>,
    pub(crate) wrong: Wrong,
}

/// Understands the `line`th line of a connection, whose desk knows `commands`.
pub(crate) fn parse(text: String, line: u64, commands: &[&str]) -> Result<Request, Unread> {
    let mut id = None;
    let read = members(&text).and_then(|members| {
        id = members.id(&text)?;
        members.version(&text).map(|version| (members, version))
    });
    let malformed = |fault| Wrong::malformed(&text, line, fault);
    let read = read.map_err(malformed).and_then(|(members, version)| {
        refuse_newer(version)?;
        let (name, arguments) = members.only_known().and_then(|()| members.asked(&text)).map_err(malformed)?;
        refuse_unknown(&name, commands)?;
        understood(&text, name, arguments, &members).map_err(malformed)
    });
    match read {
        Ok(Understood::Ping) => Ok(Request { id, asked: Asked::Ping }),
        Ok(Understood::Preview(wanted)) => Ok(Request { id, asked: Asked::Preview(wanted) }),
        Ok(Understood::Command(command)) => Ok(Request { id, asked: Asked::Command(command) }),
        Ok(Understood::Rows(table, rows)) => Ok(Request { id, asked: Asked::Rows(Batch::cut(table, text, rows)) }),
        Err(wrong) => Err(Unread { id, wrong }),
    }
}

/// Where the members of a request stand.
#[derive(Default)]
struct Members {
    muster: Option<Range<usize>>,
    id: Option<Range<usize>>,
    request: Option<Range<usize>>,
    as_of: Option<Range<usize>>,
    json: Option<Range<usize>>,
    /// The first that this version does not know.
    unknown: Option<Fault>,
}

fn members(text: &str) -> Result<Members, Fault> {
    let mut members = Members::default();
    let mut reader = Reader::at(text, 0);
    reader.object(|reader, name| {
        let unknown = reader.fault(format!("unknown name `{}`", shortened(name)));
        let place = reader.value()?;
        match name {
            "muster" => members.muster = Some(place),
            "id" => members.id = Some(place),
            "request" => members.request = Some(place),
            "as_of" => members.as_of = Some(place),
            "json" => members.json = Some(place),
            _ => members.unknown = members.unknown.take().or(Some(unknown)),
        }
        Ok(())
    })?;
    reader.end()?;
    Ok(members)
}

impl Members {
    fn version(&self, text: &str) -> Result<u64, Fault> {
        let place = required(&self.muster, text, "muster", "the version of the line")?;
        let version = text[place.clone()].parse().ok().filter(|version| *version > 0);
        version.ok_or_else(|| Fault { at: place.start, what: "expected a version: 1".to_owned() })
    }

    fn id(&self, text: &str) -> Result<Option<String>, Fault> {
        let Some(place) = &self.id else { return Ok(None) };
        let id = &text[place.clone()];
        let is_fine = id.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit());
        if is_fine && id.len() <= LONGEST_ID {
            return Ok(Some(id.to_owned()));
        }
        let what = format!("expected an id: a number or a text, of at most {LONGEST_ID} bytes");
        Err(Fault { at: place.start, what })
    }

    fn only_known(&self) -> Result<(), Fault> {
        self.unknown.clone().map_or(Ok(()), Err)
    }

    /// The one name in `request`, and where its arguments stand.
    fn asked(&self, text: &str) -> Result<(String, Range<usize>), Fault> {
        let place = required(&self.request, text, "request", "what is asked")?;
        let mut asked = None;
        Reader::at(text, place.start).object(|reader, name| {
            if asked.is_some() {
                return Err(reader.fault("a second request; expected one a line"));
            }
            reader.next();
            let arguments = reader.value()?;
            if !text[arguments.clone()].starts_with('{') {
                return Err(Fault { at: arguments.start, what: "expected an object of arguments".to_owned() });
            }
            asked = Some((name.to_owned(), arguments));
            Ok(())
        })?;
        let what = "expected one name: what is asked, as in {\"ping\": {}}";
        asked.ok_or_else(|| Fault { at: place.start, what: what.to_owned() })
    }

    fn as_of(&self, text: &str) -> Result<Option<String>, Fault> {
        match &self.as_of {
            Some(place) if &text[place.clone()] != "null" => {
                Reader::at(text, place.start).string().map(|text| Some(text.into_owned()))
            }
            _ => Ok(None),
        }
    }

    fn json(&self, text: &str) -> Result<bool, Fault> {
        self.json.as_ref().map_or(Ok(false), |place| Reader::at(text, place.start).flag())
    }
}

fn required<'a>(
    place: &'a Option<Range<usize>>,
    text: &str,
    name: &str,
    what: &str,
) -> Result<&'a Range<usize>, Fault> {
    place.as_ref().ok_or_else(|| Fault { at: text.len(), what: format!("`{name}` is missing: {what}") })
}

fn refuse_newer(version: u64) -> Result<(), Wrong> {
    if version <= u64::from(VERSION) {
        return Ok(());
    }
    let message = format!("this line has version {version}; the running `muster serve` knows up to {VERSION}");
    Err(Wrong::new("newer", message).with_hint("start `muster serve` of the later version"))
}

fn refuse_unknown(name: &str, commands: &[&str]) -> Result<(), Wrong> {
    let known = || OWN.into_iter().chain(commands.iter().copied());
    if known().any(|known| known == name) {
        return Ok(());
    }
    let wrong = Wrong::new("unknown", format!("there is no request `{}`", shortened(name)));
    let near = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
    let all = || format!("there are {}", known().collect::<Vec<_>>().join(", "));
    Err(wrong.with_hint(near.unwrap_or_else(all)))
}

/// What is asked, with rows still as places in the line.
enum Understood {
    Ping,
    Rows(String, Vec<Range<usize>>),
    Preview(PreviewRequest),
    Command(Command),
}

fn understood(text: &str, name: String, arguments: Range<usize>, members: &Members) -> Result<Understood, Fault> {
    match name.as_str() {
        "ping" => Reader::at(text, arguments.start)
            .object(|reader, _| Err(reader.fault("expected no arguments")))
            .map(|()| Understood::Ping),
        "rows" => rows(text, arguments.start),
        "preview" => preview(text, arguments.start, members.as_of(text)?),
        _ => Ok(Understood::Command(Command {
            name,
            arguments: text[arguments].to_owned(),
            as_of: members.as_of(text)?,
            json: members.json(text)?,
        })),
    }
}

fn rows(text: &str, at: usize) -> Result<Understood, Fault> {
    let (mut table, mut rows) = (None, None);
    let mut reader = Reader::at(text, at);
    reader.object(|reader, name| {
        match name {
            "table" => table = Some(reader.string()?.into_owned()),
            "rows" => rows = Some(row_places(reader)?),
            _ => return Err(reader.fault(format!("unknown name `{}`", shortened(name)))),
        }
        Ok(())
    })?;
    let missing = |what: &str| Fault { at, what: format!("`{what}` is missing") };
    Ok(Understood::Rows(table.ok_or_else(|| missing("table"))?, rows.ok_or_else(|| missing("rows"))?))
}

fn preview(text: &str, at: usize, as_of: Option<String>) -> Result<Understood, Fault> {
    let (mut editor, mut definition) = (None, None);
    Reader::at(text, at).object(|reader, name| {
        match name {
            "editor" => editor = Some(reader.string()?.into_owned()),
            "definition" => definition = Some(reader.string()?.into_owned()),
            _ => return Err(reader.fault(format!("unknown name `{}`", shortened(name)))),
        }
        Ok(())
    })?;
    let missing = |what: &str| Fault { at, what: format!("`{what}` is missing") };
    let (editor, definition) =
        (editor.ok_or_else(|| missing("editor"))?, definition.ok_or_else(|| missing("definition"))?);
    Ok(Understood::Preview(PreviewRequest { editor, definition, as_of }))
}

fn row_places(reader: &mut Reader<'_>) -> Result<Vec<Range<usize>>, Fault> {
    let mut places = Vec::new();
    reader.list(|reader| {
        places.push(reader.value()?);
        Ok(())
    })?;
    Ok(places)
}

/// The answer to a request that was done.
pub(crate) fn done(id: Option<&str>, name: &str, answer: &impl Serialize) -> String {
    let answer = serde_json::to_string(answer).expect("what the server answers is plain data");
    format!("{}\"answer\":{{{}:{answer}}}}}\n", head(id), serde_json::Value::from(name))
}

/// The answer to a request that was not.
pub(crate) fn wrong(id: Option<&str>, wrong: &Wrong) -> String {
    let wrong = serde_json::to_string(wrong).expect("a text is plain data");
    format!("{}\"error\":{wrong}}}\n", head(id))
}

fn head(id: Option<&str>) -> String {
    let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
    format!("{{\"muster\":{VERSION},{id}")
}

/// Who answers a `ping`.
#[derive(Serialize)]
pub(crate) struct Pong {
    pub(crate) process: u32,
    pub(crate) version: &'static str,
}

/// The answer to rows.
pub(crate) fn appended(id: Option<&str>, outcome: Result<Appended, Wrong>) -> String {
    outcome.map_or_else(|error| wrong(id, &error), |appended| done(id, "rows", &appended))
}

/// The answer to a preview.
pub(crate) fn previewed(id: Option<&str>, outcome: Result<Previewed, Wrong>) -> String {
    outcome.map_or_else(|error| wrong(id, &error), |previewed| done(id, "preview", &previewed))
}

/// The answer to a command.
pub(crate) fn reported(id: Option<&str>, name: &str, outcome: Result<Report, Wrong>) -> String {
    outcome.map_or_else(|error| wrong(id, &error), |report| done(id, name, &report))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Request, Unread> {
        parse(text.to_owned(), 3, &["load", "apply"])
    }

    #[track_caller]
    fn check_wrong(text: &str, kind: &str, place: Option<&str>, message: &str, hint: Option<&str>) {
        let Unread { wrong, .. } = parsed(text).unwrap_err();
        let found = (wrong.kind.as_str(), wrong.place.as_deref(), wrong.message.as_str(), wrong.hint.as_deref());
        assert_eq!(found, (kind, place, message, hint), "{text}");
    }

    #[test]
    fn rows_are_cut_out_as_they_were_written() {
        let line =
            r#"{"muster":1,"id":"a-1","request":{"rows":{"rows":[{"total": 1.10},7, {"x":"}"}],"table":"orders"}}}"#;
        let Request { id, asked: Asked::Rows(batch) } = parsed(line).unwrap() else { panic!("rows were sent") };
        assert_eq!((id.as_deref(), batch.table.as_str()), (Some("\"a-1\""), "orders"));
        assert_eq!(batch.rows().collect::<Vec<_>>(), [r#"{"total": 1.10}"#, "7", r#"{"x":"}"}"#]);
    }

    #[test]
    fn a_command_keeps_its_arguments_and_what_its_caller_wants() {
        let line = r#"{"request":{"load":{"tables":["a"]}},"as_of":"2025-06-30","json":true,"muster":1,"id":12}"#;
        let command = Command {
            name: "load".to_owned(),
            arguments: r#"{"tables":["a"]}"#.to_owned(),
            as_of: Some("2025-06-30".to_owned()),
            json: true,
        };
        assert_eq!(parsed(line), Ok(Request { id: Some("12".to_owned()), asked: Asked::Command(command) }));
        let plain = parsed(r#"{"muster":1,"as_of":null,"request":{"apply":{}}}"#).unwrap();
        assert!(matches!(plain.asked, Asked::Command(Command { as_of: None, json: false, .. })));
    }

    #[test]
    fn a_preview_says_whose_it_is_and_what_is_counted() {
        let line =
            r#"{"muster":1,"request":{"preview":{"editor":"ann","definition":"WHERE x = 'a'"}},"as_of":"2025-06-30"}"#;
        let (editor, definition) = ("ann".to_owned(), "WHERE x = 'a'".to_owned());
        let wanted = PreviewRequest { editor, definition, as_of: Some("2025-06-30".to_owned()) };
        assert_eq!(parsed(line), Ok(Request { id: None, asked: Asked::Preview(wanted) }));
    }

    #[test]
    fn malformed_lines_are_told_with_their_place() {
        for (text, column, message) in [
            ("", 1, "expected an object"),
            ("[]", 1, "expected an object"),
            ("{\"muster\":1", 12, "expected a comma or `}`"),
            ("{\"é\":tru}", 6, "expected true, false or null"),
            ("{\"muster\":1}", 13, "`request` is missing: what is asked"),
            ("{\"request\":{\"ping\":{}}}", 24, "`muster` is missing: the version of the line"),
            ("{\"muster\":\"1\",\"request\":{\"ping\":{}}}", 11, "expected a version: 1"),
            ("{\"muster\":0,\"request\":{\"ping\":{}}}", 11, "expected a version: 1"),
            ("{\"muster\":1,\"muster\":1}", 13, "the name `muster` stands here a second time"),
            ("{\"muster\":1,\"request\":{\"ping\":{}}} {}", 36, "expected nothing more"),
            ("{\"muster\":1,\"request\":{\"ping\":{\"a\":1}}}", 36, "expected no arguments"),
            ("{\"muster\":1,\"request\":{\"ping\":1}}", 31, "expected an object of arguments"),
            ("{\"muster\":1,\"request\":{}}", 23, "expected one name: what is asked, as in {\"ping\": {}}"),
            ("{\"muster\":1,\"request\":{\"ping\":{},\"rows\":{}}}", 41, "a second request; expected one a line"),
            ("{\"muster\":1,\"request\":{\"ping\":{}},\"x\":1}", 39, "unknown name `x`"),
            (
                "{\"muster\":1,\"id\":[],\"request\":{\"ping\":{}}}",
                18,
                "expected an id: a number or a text, of at most 200 bytes",
            ),
            ("{\"muster\":1,\"request\":{\"rows\":{\"rows\":[]}}}", 31, "`table` is missing"),
            ("{\"muster\":1,\"request\":{\"rows\":{\"table\":\"a\"}}}", 31, "`rows` is missing"),
            ("{\"muster\":1,\"request\":{\"rows\":{\"table\":7}}}", 40, "expected a text in double quotes"),
            ("{\"muster\":1,\"request\":{\"preview\":{\"editor\":\"a\"}}}", 34, "`definition` is missing"),
            ("{\"muster\":1,\"request\":{\"preview\":{\"definition\":\"a\"}}}", 34, "`editor` is missing"),
            ("{\"muster\":1,\"request\":{\"preview\":{\"text\":\"a\"}}}", 42, "unknown name `text`"),
            ("{\"muster\":1,\"request\":{\"load\":{}},\"json\":1}", 42, "expected true or false"),
        ] {
            check_wrong(text, "malformed", Some(&format!("line 3 column {column}")), message, None);
        }
    }

    #[test]
    fn two_equal_names_in_a_row_are_refused_however_they_are_written() {
        let line = r#"{"muster":1,"request":{"rows":{"table":"a","rows":[{"x":1,"\u0078":2}]}}}"#;
        check_wrong(line, "malformed", Some("line 3 column 59"), "the name `x` stands here a second time", None);
    }

    #[test]
    fn a_later_version_is_refused_before_what_this_one_does_not_know() {
        let message = "this line has version 2; the running `muster serve` knows up to 1";
        let hint = Some("start `muster serve` of the later version");
        check_wrong(r#"{"new":{},"request":{"fly":[]},"muster":2}"#, "newer", None, message, hint);
    }

    #[test]
    fn an_unknown_request_is_answered_with_the_nearest_or_all_names() {
        let asked = |name: &str| format!("{{\"muster\":1,\"request\":{{\"{name}\":{{}}}}}}");
        let message = |name: &str| format!("there is no request `{name}`");
        check_wrong(&asked("lod"), "unknown", None, &message("lod"), Some("did you mean `load`?"));
        check_wrong(
            &asked("fly"),
            "unknown",
            None,
            &message("fly"),
            Some("there are ping, rows, preview, load, apply"),
        );
    }

    #[test]
    fn an_id_comes_back_also_with_what_is_wrong() {
        let unread = parsed(r#"{"id":5,"muster":1,"request":{"fly":{}}}"#).unwrap_err();
        assert_eq!(unread.id.as_deref(), Some("5"));
        assert_eq!(
            wrong(Some("5"), &Wrong::new("busy", "full")),
            "{\"muster\":1,\"id\":5,\"error\":{\"kind\":\"busy\",\"message\":\"full\"}}\n"
        );
        let appended = Appended { committed: 2, ..Appended::default() };
        assert_eq!(
            done(None, "rows", &appended),
            "{\"muster\":1,\"answer\":{\"rows\":{\"committed\":2,\"filtered\":0,\"rejected\":[],\"snapshot\":null}}}\n"
        );
    }
}
