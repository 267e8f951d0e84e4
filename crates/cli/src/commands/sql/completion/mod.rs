//! What could stand at the cursor: keywords, tables, columns, segments, lists, scores, functions, and values of a column.
//!
//! A pure function of the text, the names and a source of values, so that it needs no terminal. [`words`] reads the text,
//! [`scope`] says which rows the cursor is about, [`known`] what has a name.

pub mod known;
pub mod samples;
mod scope;
mod words;

use muster_catalog::{ColumnType, LISTS, TableNames};

use self::known::Known;
use self::scope::{Scope, is_in_from};
use self::words::{Open, Word, is_name_part, last_statement, rest_of_statement};

/// Something that could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is written in the place of what stands there.
    pub text: String,
    /// What it is: a type, or a kind of thing.
    pub what: String,
}

/// What could stand from the byte `start` of the text to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where it begins.
    pub start: usize,
    /// The choice.
    pub candidates: Vec<Candidate>,
}

/// Where the most frequent values of a column come from; none where they are not known, or not shown.
pub trait Values {
    /// Values of the column, which is one of the table's.
    fn of(&self, table: &str, column: &str) -> Vec<String>;
}

/// How statements begin, word by word; `…` is any name.
const PHRASES: [&[&str]; 14] = [
    &["SELECT"],
    &["WITH"],
    &["AS", "OF", "…", "SELECT"],
    &["CREATE", "SEGMENT", "…", "AS", "WHERE"],
    &["CREATE", "SEGMENT", "…", "AS", "SELECT"],
    &["CREATE", "OR", "REPLACE", "SEGMENT", "…", "AS", "WHERE"],
    &["REFRESH", "SEGMENT"],
    &["DROP", "SEGMENT"],
    &["SHOW", "TABLES"],
    &["SHOW", "SEGMENTS"],
    &["DESCRIBE", "SEGMENT"],
    &["EXPLAIN", "SQL", "SELECT"],
    &["EXPLAIN", "SQL", "AS", "OF", "…", "SELECT"],
    &["SET", "as_of", "="],
];

/// Keywords inside a query.
const KEYWORDS: [&str; 44] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COMMENT",
    "CROSS JOIN",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FILTER",
    "FROM",
    "GROUP BY",
    "HAVING",
    "ILIKE",
    "IN",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "QUALIFY",
    "SELECT",
    "THEN",
    "TRUE",
    "UNION",
    "WHEN",
    "WHERE",
];

/// What could stand at the byte `cursor` of `text`.
pub fn complete(text: &str, cursor: usize, known: &Known, values: &dyn Values) -> Completion {
    let read = last_statement(&text[..cursor]);
    let after = rest_of_statement(behind_open(read.open, &text[cursor..]));
    let place = Place { known, words: &read.words, scope: Scope::of(known, &read.words, &after) };
    match read.open {
        Open::Comment => Completion::default(),
        Open::Text(start) => place.value(text, start, cursor, values),
        Open::Name(start) => place.name(&text[start + 1..cursor], start, true),
        Open::Word(start) => place.name(&text[start..cursor], start, false),
        Open::Nothing => place.name("", cursor, false),
    }
}

/// The text behind the cursor without the rest of what stands open there.
fn behind_open(open: Open, after: &str) -> &str {
    match open {
        Open::Text(_) => after.split_once('\'').map_or("", |(_, rest)| rest),
        Open::Name(_) => after.split_once('"').map_or("", |(_, rest)| rest),
        _ => after,
    }
}

/// A place between words.
struct Place<'a> {
    known: &'a Known,
    words: &'a [Word<'a>],
    scope: Scope<'a>,
}

impl Place<'_> {
    /// Names and keywords that begin with `prefix`, in the place of it.
    fn name(&self, prefix: &str, start: usize, quoted: bool) -> Completion {
        let wanted = prefix.to_lowercase();
        let mut candidates = Vec::new();
        for candidate in self.names(prefix) {
            let is_fitting = candidate.text.trim_matches('"').to_lowercase().starts_with(&wanted);
            if is_fitting && !candidates.iter().any(|there: &Candidate| there.text == candidate.text) {
                candidates.push(candidate);
            }
        }
        if quoted {
            candidates.iter_mut().for_each(|candidate| candidate.text = always_quoted(&candidate.text));
        }
        Completion { start, candidates }
    }

    /// All that could stand here, the likeliest first.
    fn names(&self, prefix: &str) -> Vec<Candidate> {
        if let [.., qualifier, Word::Sign('.')] = self.words {
            return qualifier.name().map(|name| self.qualified(name)).unwrap_or_default();
        }
        if is_in_from(self.words) {
            let affinities = self.known.affinities().map(|name| candidate(&format!("affinity('{name}')"), "affinity"));
            return self.tables().into_iter().chain(affinities).collect();
        }
        match self.words {
            [.., verb, noun] if noun.is("SEGMENT") && !verb.is("CREATE") => return self.segments(),
            [first] | [first, Word::Bare("TABLE" | "table")] if first.is("DESCRIBE") || first.is("DESC") => {
                let lists = self.known.lists().map(|list| candidate(&format!("{LISTS}.{list}"), "list"));
                return phrases(self.words, prefix).into_iter().chain(self.tables()).chain(lists).collect();
            }
            _ => {}
        }
        let begun = phrases(self.words, prefix);
        if is_inside(self.words) { begun.into_iter().chain(self.expression(prefix)).collect() } else { begun }
    }

    /// Behind `name.`: columns of a table with the links from it, segments, lists.
    fn qualified(&self, name: &str) -> Vec<Candidate> {
        if name.eq_ignore_ascii_case("segments") {
            return self.segments();
        }
        if name.eq_ignore_ascii_case(LISTS) {
            return self.known.lists().map(|list| named(list, "list")).collect();
        }
        let Some(table) = self.scope.qualified(name) else {
            // A table of the name of a score is meant before it.
            let score = self.known.scores().find(|score| score.name.eq_ignore_ascii_case(name));
            let columns = score.into_iter().flat_map(|score| &score.columns);
            return columns
                .map(|column| candidate(&as_written(&column.name), column.column_type.to_string()))
                .collect();
        };
        let links = table.links.iter().map(|(link, _, target)| candidate(&as_written(link), format!("{target} of it")));
        columns(table).chain(links).collect()
    }

    fn segments(&self) -> Vec<Candidate> {
        self.known.segments().map(|segment| named(segment, "segment")).collect()
    }

    fn tables(&self) -> Vec<Candidate> {
        self.known.tables().map(|table| named(&table.name, "table")).collect()
    }

    /// Where a value could stand. Functions and keywords are many, so they are there from the first letter on.
    fn expression(&self, prefix: &str) -> Vec<Candidate> {
        let columns = self.scope.seen().into_iter().flat_map(columns);
        let aliases = self.scope.aliases().map(|alias| candidate(alias, "alias"));
        let mut all: Vec<Candidate> = columns.chain(aliases).chain(self.tables()).collect();
        all.extend(self.known.segments().next().map(|_| candidate("segments.", "segments")));
        all.extend(self.known.lists().next().map(|_| candidate(&format!("{LISTS}."), "lists")));
        all.extend(self.known.scores().map(|score| candidate(&format!("{}.", score.name), "score")));
        if !prefix.is_empty() {
            all.extend(self.known.functions().map(|(function, kind)| candidate(&called(function), kind)));
            all.extend(KEYWORDS.iter().map(|keyword| candidate(&cased(keyword, prefix), "")));
        }
        all
    }

    /// Values of the column that is compared with the text that begins at the byte `start`.
    fn value(&self, text: &str, start: usize, cursor: usize, values: &dyn Values) -> Completion {
        let Some((table, column)) = self.compared() else { return Completion::default() };
        let typed = text[start + 1..cursor].replace("''", "'");
        let close = if text[cursor..].starts_with('\'') { "" } else { "'" };
        let fitting = values.of(table, column).into_iter().filter(|value| value.starts_with(&typed));
        let quoted = fitting.map(|value| candidate(&format!("'{}{close}", value.replace('\'', "''")), ""));
        Completion { start, candidates: quoted.collect() }
    }

    /// The text column before `=`, `<>`, `!=` or inside `IN (`, with its table.
    fn compared(&self) -> Option<(&str, &str)> {
        let path = compared_path(self.words)?;
        let (column, before) = path.split_last()?;
        let name = column.name()?;
        let tables = match before {
            [.., qualifier, Word::Sign('.')] => vec![self.scope.qualified(qualifier.name()?)?],
            _ => self.scope.seen(),
        };
        tables.into_iter().find_map(|table| {
            let column = table.column(name).filter(|column| column.column_type == ColumnType::Text)?;
            Some((table.name.as_str(), column.name.as_str()))
        })
    }
}

/// The words up to the column that is compared with what follows `words`.
fn compared_path<'a, 'b>(words: &'b [Word<'a>]) -> Option<&'b [Word<'a>]> {
    if let [path @ .., Word::Sign('<'), Word::Sign('>')] | [path @ .., Word::Sign('!'), Word::Sign('=')] = words {
        return Some(path);
    }
    if let [path @ .., Word::Sign('=')] = words {
        return Some(path);
    }
    let list = words.iter().rposition(|word| !matches!(word, Word::Text | Word::Sign(',')))?;
    match &words[..=list] {
        [path @ .., not, within, Word::Sign('(')] if within.is("IN") && not.is("NOT") => Some(path),
        [path @ .., within, Word::Sign('(')] if within.is("IN") => Some(path),
        _ => None,
    }
}

/// The next words of the statements that begin with `words`.
fn phrases(words: &[Word<'_>], prefix: &str) -> Vec<Candidate> {
    let fits = |phrase: &&&[&str]| {
        let mut pairs = words.iter().zip(phrase.iter());
        phrase.len() > words.len() && pairs.all(|(word, wanted)| *wanted == "…" || word.is(wanted))
    };
    let next = PHRASES.iter().filter(fits).map(|phrase| phrase[words.len()]).filter(|word| *word != "…");
    let single = (words.is_empty()).then_some("DESCRIBE");
    next.chain(single).map(|word| candidate(&cased(word, prefix), "")).collect()
}

/// Whether the words are somewhere inside a query, where expressions stand.
fn is_inside(words: &[Word<'_>]) -> bool {
    words.iter().any(|word| word.is("SELECT") || word.is("WHERE") || word.is("WITH"))
}

fn columns(table: &TableNames) -> impl Iterator<Item = Candidate> {
    table.columns.iter().map(|column| named(&column.name, column.column_type.to_string()))
}

fn candidate(text: &str, what: impl Into<String>) -> Candidate {
    Candidate { text: text.to_owned(), what: what.into() }
}

/// A name as it is written in a statement.
fn named(name: &str, what: impl Into<String>) -> Candidate {
    Candidate { text: as_written(name), what: what.into() }
}

/// A name with double quotes where it needs them.
pub fn as_written(name: &str) -> String {
    let is_plain = name.chars().all(is_name_part) && !name.starts_with(|first: char| first.is_ascii_digit());
    let is_keyword =
        KEYWORDS.iter().any(|keyword| keyword.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(name)));
    if is_plain && !is_keyword { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn always_quoted(text: &str) -> String {
    if text.starts_with('"') { text.to_owned() } else { format!("\"{text}\"") }
}

/// A function up to its arguments, of which these have none.
fn called(function: &str) -> String {
    if function.starts_with("current_") { function.to_owned() } else { format!("{function}(") }
}

/// A keyword in small letters where it was begun with them.
fn cased(keyword: &str, prefix: &str) -> String {
    let is_small = prefix.starts_with(|first: char| first.is_lowercase());
    if is_small { keyword.to_lowercase() } else { keyword.to_owned() }
}

#[cfg(test)]
mod tests;
