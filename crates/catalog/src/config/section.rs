//! A strict reader over a TOML table: it knows the place of every key, collects problems instead of stopping at the
//! first, and always yields something, so that one slip does not hide the next.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml_edit::{Item, TableLike, Value};

use super::written;
use crate::{Place, Problem, nearest};

/// The text that is read, and what was found wrong in it.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems
    }

    fn report(&self, offset: usize, message: String, hint: Option<String>) {
        let place = Place::of(self.file, self.text, offset);
        self.problems.borrow_mut().push(Problem { place, message, hint });
    }
}

/// The keys that a section may have: those that something acts on, and those of the design that nothing does yet.
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    pub(super) later: &'static [&'static str],
}

/// One table of the document, and what it is called: `[tables.orders]`.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    /// The names from the top, quoted where TOML wants it: `tables.orders`.
    path: String,
    /// The last of them, as it is.
    name: &'a str,
    span: Option<Range<usize>>,
    /// `None` stands for a section that should be there and is not; it has no keys.
    table: Option<&'a dyn TableLike>,
}

impl<'a> Section<'a> {
    pub(super) fn top(source: &'a Source<'a>, table: &'a dyn TableLike) -> Self {
        Self { source, path: String::new(), name: "", span: Some(0..0), table: Some(table) }
    }

    /// The last part of its path.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// How messages call it.
    pub(super) fn title(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) }
    }

    fn offset(&self) -> usize {
        self.span.as_ref().map_or(0, |span| span.start)
    }

    fn offset_of(&self, key: &str) -> usize {
        let entry = self.table.and_then(|table| table.get_key_value(key));
        entry.and_then(|(key, _)| key.span()).map_or_else(|| self.offset(), |span| span.start)
    }

    fn item(&self, key: &str) -> Option<&'a Item> {
        self.table.and_then(|table| table.get(key)).filter(|item| !item.is_none())
    }

    /// The keys in the order of the file.
    pub(super) fn keys(&self) -> Vec<&'a str> {
        self.table.map(|table| table.iter().map(|(key, _)| key).collect()).unwrap_or_default()
    }

    /// Reports a problem of this section as a whole.
    pub(super) fn problem(&self, message: impl Into<String>) {
        self.problem_with(message, None);
    }

    /// Reports a problem of this section as a whole, and what to do about it; of one that is not there, it was reported
    /// that it is not.
    pub(super) fn problem_with(&self, message: impl Into<String>, hint: Option<String>) {
        if self.table.is_some() {
            self.source.report(self.offset(), message.into(), hint);
        }
    }

    /// Reports a problem at the place of `key`.
    pub(super) fn problem_at(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        self.source.report(self.offset_of(key), message.into(), hint);
    }

    /// Reports a problem inside the text value of `key`, at byte `within` of the text that it stands for.
    pub(super) fn problem_inside(&self, key: &str, within: usize, message: impl Into<String>) {
        self.source.report(self.offset_inside(key, within), message.into(), None);
    }

    /// Where the text under `key` begins, behind its quotes.
    pub(super) fn place_inside(&self, key: &str) -> Place {
        Place::of(self.source.file, self.source.text, self.offset_inside(key, 0))
    }

    fn offset_inside(&self, key: &str, within: usize) -> usize {
        self.item(key).filter(|item| item.is_str()).and_then(Item::span).map_or_else(
            || self.offset_of(key),
            |span| span.start + written::offset(&self.source.text[span.clone()], within),
        )
    }

    /// Refuses every key that is not in `keys`.
    pub(super) fn only(&self, keys: &Keys) {
        for key in self.keys() {
            if keys.later.contains(&key) {
                self.problem_at(key, format!("`{key}` in {} is not supported yet", self.title()), None);
            } else if !keys.known.contains(&key) {
                self.unknown(key, keys);
            }
        }
    }

    fn unknown(&self, key: &str, keys: &Keys) {
        let hint = nearest(key, keys.known.iter().chain(keys.later).copied());
        let hint = hint
            .map_or_else(|| format!("known keys: {}", keys.known.join(", ")), |near| format!("did you mean `{near}`?"));
        self.problem_at(key, format!("unknown key `{key}` in {}", self.title()), Some(hint));
    }

    /// The table under `key`.
    pub(super) fn section(&self, key: &str) -> Option<Self> {
        let child = self.child(key)?;
        if child.table.is_none() {
            let expected = format!("{} or {key} = {{ … }}", child.title());
            self.problem_at(key, format!("`{key}` in {} must be a section: {expected}", self.title()), None);
        }
        Some(child)
    }

    fn child(&self, key: &str) -> Option<Self> {
        let (key, item) = self.table?.get_key_value(key).filter(|(_, item)| !item.is_none())?;
        let span = key.span().or_else(|| item.span());
        let path = self.path_of(key.get());
        Some(Self { source: self.source, path, name: key.get(), span, table: item.as_table_like() })
    }

    /// The tables under `key`: `[[path.key]]`, or a list of `{ … }`.
    pub(super) fn sections(&self, key: &str) -> Vec<Self> {
        let sections = self.silent_sections(key);
        let length = self.item(key).and_then(Item::as_array).map_or(sections.len(), toml_edit::Array::len);
        if self.has(key) && (sections.is_empty() || sections.len() != length) {
            let message = format!("`{key}` in {} must be a list of sections: [[{}]]", self.title(), self.path_of(key));
            self.problem_at(key, message, None);
        }
        sections
    }

    /// The same without a word on what is none.
    pub(super) fn silent_sections(&self, key: &str) -> Vec<Self> {
        let Some((key, item)) = self.table.and_then(|table| table.get_key_value(key)) else { return Vec::new() };
        let tables: Vec<(&'a dyn TableLike, Option<Range<usize>>)> = match item {
            Item::ArrayOfTables(tables) => tables.iter().map(|one| (one as &dyn TableLike, one.span())).collect(),
            Item::Value(Value::Array(list)) => {
                list.iter().filter_map(|one| Some((one.as_inline_table()? as &dyn TableLike, one.span()))).collect()
            }
            _ => Vec::new(),
        };
        let section = |(table, span)| Self {
            source: self.source,
            path: self.path_of(key.get()),
            name: key.get(),
            span,
            table: Some(table),
        };
        tables.into_iter().map(section).collect()
    }

    fn path_of(&self, key: &str) -> String {
        let key = toml_edit::Key::new(key).to_string();
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    /// The table under `key`; where it is missing that is a problem, and the answer has no keys.
    pub(super) fn required_section(&self, key: &'static str) -> Self {
        self.section(key).unwrap_or_else(|| {
            self.problem(format!("[{key}] is missing"));
            Self { source: self.source, path: key.to_owned(), name: key, span: None, table: None }
        })
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        let item = self.item(key)?;
        if item.as_value().is_none() {
            self.wrong_kind(key, "a value");
        }
        item.as_value()
    }

    fn wrong_kind(&self, key: &str, expected: &str) {
        self.problem_at(key, format!("`{key}` in {} must be {expected}", self.title()), None);
    }

    fn read<T>(&self, key: &str, expected: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let found = read(value);
        if found.is_none() {
            self.wrong_kind(key, expected);
        }
        found
    }

    /// The text under `key`.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.read(key, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    /// The text under `key`, which says nothing if it is empty; where it is missing that is a problem.
    pub(super) fn required_word(&self, key: &str) -> String {
        self.require(key);
        self.word(key).unwrap_or_default()
    }

    fn require(&self, key: &str) {
        if self.item(key).is_none() {
            self.problem(format!("`{key}` is missing in {}", self.title()));
        }
    }

    /// The text under `key`, which says nothing if it is empty.
    pub(super) fn word(&self, key: &str) -> Option<String> {
        self.read(key, "a text in quotes that is not empty", |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
    }

    /// The columns under `key`: one, or a list of several that differ; none where there is no key, one without a name
    /// where what stands there is none.
    pub(super) fn columns(&self, key: &str) -> Vec<String> {
        if self.item(key).and_then(Item::as_array).is_none() {
            return if self.has(key) { vec![self.word(key).unwrap_or_default()] } else { Vec::new() };
        }
        let names = self.read(key, "a list of columns, each of them once", |value| {
            names_of(value).filter(|names| !names.is_empty())
        });
        names.unwrap_or_else(|| vec![String::new()])
    }

    /// The columns under `key`; where it is missing that is a problem.
    pub(super) fn required_columns(&self, key: &str) -> Vec<String> {
        self.require(key);
        self.columns(key)
    }

    /// The switch under `key`, or `default`.
    pub(super) fn switch(&self, key: &str, default: bool) -> bool {
        self.read(key, "true or false", Value::as_bool).unwrap_or(default)
    }

    /// The whole number under `key`, within `range`.
    pub(super) fn number(&self, key: &str, range: Range<i64>) -> Option<i64> {
        let expected = match range.end {
            i64::MAX => format!("a whole number, {} or more", range.start),
            end => format!("a whole number from {} to {}", range.start, end - 1),
        };
        self.read(key, &expected, |value| value.as_integer().filter(|number| range.contains(number)))
    }

    /// The whole number under `key`, whatever its size.
    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        self.read(key, "a whole number", Value::as_integer)
    }

    /// The number under `key`, if it is above 0.
    pub(super) fn positive(&self, key: &str) -> Option<f64> {
        self.read(key, "a number above 0", |value| {
            let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            number.filter(|number| number.is_finite() && *number > 0.0)
        })
    }

    /// The number under `key`, if it is from 0 to 1.
    pub(super) fn share(&self, key: &str) -> Option<f64> {
        self.read(key, "a number from 0 to 1", |value| {
            let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            number.filter(|number| (0.0..=1.0).contains(number))
        })
    }

    /// The list under `key`, each member read from how it is written in the file; `fits` says whether it is what is
    /// `expected`.
    pub(super) fn list<T>(
        &self,
        key: &str,
        expected: &str,
        member: impl Fn(&'a Value, &'a str) -> Option<T>,
        fits: impl FnOnce(&[T]) -> bool,
    ) -> Option<Vec<T>> {
        let written = |value: &Value| value.span().map_or("", |span| &self.source.text[span]);
        self.read(key, expected, |value| {
            let members = value.as_array()?.iter().map(|value| member(value, written(value)));
            members.collect::<Option<Vec<T>>>().filter(|members| fits(members))
        })
    }

    /// The list of texts under `key`, empty where there is none.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.read(key, "a list of texts", texts).unwrap_or_default()
    }

    /// The list of names under `key`, each of them once; empty where there is none.
    pub(super) fn names(&self, key: &str) -> Vec<String> {
        self.read(key, "a list of names, each of them once", names_of).unwrap_or_default()
    }

    /// The text under `key`, or the list of texts.
    pub(super) fn text_or_texts(&self, key: &str) -> Vec<String> {
        let one = |value: &Value| value.as_str().map(|text| vec![text.to_owned()]);
        self.read(key, "a text or a list of texts", |value| one(value).or_else(|| texts(value))).unwrap_or_default()
    }

    /// Whether a list without members stands under `key`.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.item(key).and_then(Item::as_array).is_some_and(toml_edit::Array::is_empty)
    }

    /// The single character under `key`.
    pub(super) fn character(&self, key: &str) -> Option<char> {
        self.read(key, "a text of one character in quotes", |value| {
            let mut characters = value.as_str()?.chars();
            characters.next().filter(|_| characters.next().is_none())
        })
    }

    /// The text under `key`, read as a `T`; what `T` says is wrong with it becomes the problem.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, key: &str) -> Option<T> {
        let text = self.text(key)?;
        text.parse().map_err(|error: T::Err| self.problem_at(key, error.to_string(), None)).ok()
    }

    /// One of the words under `key`, with what it stands for.
    pub(super) fn one_of<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = nearest(&text, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
            let message = format!("`{key}` in {} is \"{text}\"; expected one of {}", self.title(), known.join(", "));
            self.problem_at(key, message, hint);
        }
        found
    }

    /// Whether the section has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.item(key).is_some()
    }

    /// Whether `text` stands under `key`.
    pub(super) fn says(&self, key: &str, text: &str) -> bool {
        self.item(key).and_then(Item::as_str) == Some(text)
    }

    /// A descendant of this section by its names, for problems found later.
    pub(super) fn descendant(&self, names: &[&str]) -> Option<Self> {
        let (first, rest) = names.split_first()?;
        let child = self.child(first)?;
        if rest.is_empty() { Some(child) } else { child.descendant(rest) }
    }
}

/// Texts of which each says something, and none the same as another.
fn names_of(value: &Value) -> Option<Vec<String>> {
    let names = texts(value)?;
    let once = |(place, name): (usize, &String)| !name.trim().is_empty() && !names[..place].contains(name);
    names.iter().enumerate().all(once).then_some(names)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|member| member.as_str().map(str::to_owned)).collect()
}
