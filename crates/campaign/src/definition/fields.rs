//! A strict view of one TOML table: it knows the place of every key, and collects problems instead of stopping at the
//! first, so that an author mends a text in one go.

use std::cell::RefCell;
use std::ops::Range;

use muster_catalog::{Place, Problem, Problems, nearest};
use toml_edit::{Item, TableLike, Value};

use super::Mention;

/// The text that is read, and what was found wrong in it so far.
pub(super) struct Text<'t> {
    file: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Text<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    pub(super) fn place(&self, offset: usize) -> Place {
        Place::of(self.file, self.text, offset)
    }

    fn report(&self, offset: usize, message: String, hint: Option<String>) {
        self.problems.borrow_mut().push(Problem { place: self.place(offset), message, hint });
    }

    /// Everything that was found, in the order of the text; `None` where it is all right.
    pub(super) fn into_problems(self) -> Option<Problems> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        (!problems.is_empty()).then_some(Problems(problems))
    }
}

/// The keys that a table may have: those that something acts on, and those of the design that nothing does yet.
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    pub(super) later: &'static [&'static str],
}

/// One table of the text, under the name that messages give it.
pub(super) struct Fields<'t> {
    text: &'t Text<'t>,
    table: &'t dyn TableLike,
    title: String,
    start: usize,
}

impl<'t> Fields<'t> {
    pub(super) fn top(text: &'t Text<'t>, table: &'t dyn TableLike) -> Self {
        Self { text, table, title: "the file".to_owned(), start: 0 }
    }

    /// Refuses every key that is not in `keys`.
    pub(super) fn only(&self, keys: &Keys) {
        for (key, _) in self.table.iter() {
            if keys.later.contains(&key) {
                self.problem_at(key, format!("`{key}` in {} is not supported yet", self.title), None);
            } else if !keys.known.contains(&key) {
                self.unknown(key, keys);
            }
        }
    }

    fn unknown(&self, key: &str, keys: &Keys) {
        let hint = match nearest(key, keys.known.iter().chain(keys.later).copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", keys.known.join(", ")),
        };
        self.problem_at(key, format!("unknown key `{key}` in {}", self.title), Some(hint));
    }

    /// Reports a problem of the table as a whole.
    pub(super) fn problem(&self, message: String) {
        self.text.report(self.start, message, None);
    }

    /// Reports a problem at a key.
    pub(super) fn problem_at(&self, key: &str, message: String, hint: Option<String>) {
        self.text.report(self.offset_of(key), message, hint);
    }

    /// Reports a problem at the value of a key.
    pub(super) fn problem_in(&self, key: &str, message: String, hint: Option<String>) {
        self.text.report(self.value_offset(key), message, hint);
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The keys in the order of the text.
    pub(super) fn keys(&self) -> Vec<&'t str> {
        self.table.iter().map(|(key, _)| key).collect()
    }

    /// The text under `key`; where it is there and is none, that is a problem.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.value(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// The text under `key` with its place.
    pub(super) fn mention(&self, key: &str) -> Option<Mention> {
        let name = self.text(key)?;
        Some(Mention { name, place: self.text.place(self.value_offset(key)) })
    }

    /// A key that is itself a name, with its place.
    pub(super) fn key(&self, key: &str) -> Mention {
        Mention { name: key.to_owned(), place: self.text.place(self.offset_of(key)) }
    }

    /// The text under `key` with its place; where it is missing, that is a problem.
    pub(super) fn required_mention(&self, key: &str) -> Option<Mention> {
        self.require(key);
        self.mention(key)
    }

    /// The whole number under `key`.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.value(key, "a whole number", Value::as_integer)
    }

    /// The fraction under `key`, above 0 and below 1.
    pub(super) fn share(&self, key: &str) -> Option<f64> {
        self.require(key);
        let between = |value: &Value| value.as_float().filter(|share| *share > 0.0 && *share < 1.0);
        self.value(key, "a share above 0 and below 1, as 0.1", between)
    }

    /// One of `words` under `key`, with what it stands for; where it is missing, that is a problem.
    pub(super) fn required_word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        if !self.has(key) {
            self.problem(format!("`{key}` is missing in {}; expected one of {}", self.title, known.join(", ")));
        }
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let hint = nearest(&text, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
            let message = format!("`{key}` in {} is \"{text}\"; expected one of {}", self.title, known.join(", "));
            self.problem_in(key, message, hint);
        }
        found
    }

    /// The table under `key`, written as `key = { … }` or `[key]`.
    pub(super) fn table(&self, key: &str, example: &str) -> Option<Self> {
        let item = self.table.get(key)?;
        let table = item.as_table_like();
        if table.is_none() {
            self.wrong_kind(key, example);
        }
        Some(Self {
            text: self.text,
            table: table?,
            title: format!("`{key}` of {}", self.title),
            start: self.offset_of(key),
        })
    }

    /// The tables under `[[key]]`, titled `step 1`, `step 2` after `each`.
    pub(super) fn tables(&self, key: &str, each: &str, example: &str) -> Vec<Self> {
        let Some(item) = self.table.get(key) else { return Vec::new() };
        let Some(tables) = item.as_array_of_tables() else {
            self.wrong_kind(key, example);
            return Vec::new();
        };
        let one = |(index, table): (usize, &'t toml_edit::Table)| Self {
            text: self.text,
            table,
            title: format!("{each} {}", index + 1),
            start: start(table.span()),
        };
        tables.iter().enumerate().map(one).collect()
    }

    fn require(&self, key: &str) {
        if !self.has(key) {
            self.problem(format!("`{key}` is missing in {}", self.title));
        }
    }

    fn value<T>(&self, key: &str, expected: &str, read: impl FnOnce(&'t Value) -> Option<T>) -> Option<T> {
        let item = self.table.get(key)?;
        let found = item.as_value().and_then(read);
        if found.is_none() {
            self.wrong_kind(key, expected);
        }
        found
    }

    fn wrong_kind(&self, key: &str, expected: &str) {
        self.problem_in(key, format!("`{key}` in {} must be {expected}", self.title), None);
    }

    fn offset_of(&self, key: &str) -> usize {
        let key = self.table.get_key_value(key).and_then(|(key, _)| key.span());
        key.map_or(self.start, |span| span.start)
    }

    fn value_offset(&self, key: &str) -> usize {
        self.table.get(key).and_then(Item::span).map_or_else(|| self.offset_of(key), |span| span.start)
    }
}

fn start(span: Option<Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}
