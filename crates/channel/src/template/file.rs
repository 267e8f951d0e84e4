//! One template file: its name, its head, its body.
//!
//! ```text
//! ---
//! subject: {{ profile.first_name | default("Hello") }}, your cart is waiting
//! preheader: We kept it for you
//! ---
//! <html> …
//! ```

use std::fs;
use std::path::Path;

use muster_catalog::{Place, Problem, nearest};

use super::Letter;
use crate::Error;

const HEAD_KEYS: [&str; 2] = ["subject", "preheader"];
const FENCE: &str = "---";

/// The folder of templates in a workspace, for the places of problems.
const FOLDER: &str = "templates";

/// Designed, but no channel of today carries them.
const LATER_KINDS: [&str; 3] = ["mjml", "sms", "typ"];

/// A template file taken apart.
#[derive(Debug)]
pub(super) struct File {
    pub name: String,
    pub language: String,
    pub kind: Kind,
    pub subject: Option<Part>,
    pub preheader: Option<Part>,
    pub body: Part,
}

/// What a file's body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Html,
}

/// A piece of a file that is a template by itself.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its name in the engine: the file's path, for parts of the head with `#subject` or `#preheader`.
    pub name: String,
    /// The file as the user would name it.
    pub file: String,
    /// The file's whole text; the part is `text[start..end]`.
    pub text: String,
    pub start: usize,
    pub end: usize,
}

impl Part {
    pub fn source(&self) -> &str {
        &self.text[self.start..self.end]
    }

    /// The place of byte `offset` of this part in its file.
    pub fn place(&self, offset: usize) -> Place {
        Place::of(&self.file, &self.text, self.start + offset)
    }

    pub fn given_twice(&self, first: &str) -> Problem {
        let (file, key) = first.split_once('#').unwrap_or((first, "it"));
        Problem {
            place: self.place(0),
            message: format!("{key} is already given by {FOLDER}/{file}"),
            hint: Some("one of a template's two files carries the head".to_owned()),
        }
    }
}

impl File {
    /// Takes `text` apart, which is the content of `path`. Line ends of either kind are the same; a byte order mark
    /// is dropped.
    pub fn parse(path: &str, text: &str) -> Result<Self, Problem> {
        let file = format!("{FOLDER}/{path}");
        let (name, language, kind) = parse_path(path).map_err(|wrong| wrong.at(first_line(&file)))?;
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let part = |suffix: &str, start, end| Part {
            name: format!("{path}{suffix}"),
            file: file.clone(),
            text: text.clone(),
            start,
            end,
        };
        let head = parse_head(&file, &text)?;
        let entry = |key| {
            let mut found = head.entries.iter().filter(|(name, ..)| *name == key);
            found.next().map(|&(key, start, end)| part(&format!("#{key}"), start, end))
        };
        Ok(Self {
            name,
            language,
            kind,
            subject: entry("subject"),
            preheader: entry("preheader"),
            body: part("", head.end, text.len()),
        })
    }
}

/// The entries of a head as byte ranges, and where the body begins.
#[derive(Default)]
struct Head {
    entries: Vec<(&'static str, usize, usize)>,
    end: usize,
}

fn parse_head(file: &str, text: &str) -> Result<Head, Problem> {
    let mut head = Head::default();
    let mut lines = text.split_inclusive('\n');
    if lines.next().is_none_or(|line| line.trim_end() != FENCE) {
        return Ok(head);
    }
    let mut at = text.find('\n').map_or(text.len(), |newline| newline + 1);
    for line in lines {
        let start = at;
        at += line.len();
        if line.trim_end() == FENCE {
            head.end = at;
            return Ok(head);
        }
        if !line.trim().is_empty() {
            let entry = parse_entry(line).map_err(|wrong| wrong.at(Place::of(file, text, start)))?;
            check_first(&head, entry.0).map_err(|wrong| wrong.at(Place::of(file, text, start)))?;
            head.entries.push((entry.0, start + entry.1, start + entry.2));
        }
    }
    Err(Wrong::new("the head is not closed; expected a line --- after its entries").at(Place::of(file, text, 0)))
}

/// Key, start and end of the value in `line`.
fn parse_entry(line: &str) -> Result<(&'static str, usize, usize), Wrong> {
    let (key, value) = line.split_once(':').ok_or_else(|| Wrong::new("expected \"key: value\" in the head"))?;
    let known = HEAD_KEYS.into_iter().find(|known| *known == key.trim()).ok_or_else(|| unknown_key(key.trim()))?;
    let start = key.len() + 1 + (value.len() - value.trim_start().len());
    Ok((known, start, line.trim_end().len().max(start)))
}

fn check_first(head: &Head, key: &str) -> Result<(), Wrong> {
    let again = head.entries.iter().any(|(known, ..)| *known == key);
    if again { Err(Wrong::new(format!("{key} is given twice"))) } else { Ok(()) }
}

fn unknown_key(key: &str) -> Wrong {
    let hint = nearest(key, HEAD_KEYS).map(|near| format!("did you mean \"{near}\"?"));
    Wrong { message: format!("unknown key \"{key}\" in the head; expected subject or preheader"), hint }
}

/// Name, language and kind from `cart/still_in_cart.nl.html`.
fn parse_path(path: &str) -> Result<(String, String, Kind), Wrong> {
    let mut parts = path.rsplitn(3, '.');
    let (kind, language, name) = (parts.next(), parts.next(), parts.next());
    let kind = parse_kind(kind.unwrap_or_default())?;
    match (language, name) {
        (Some(language), Some(name)) if is_language(language) && is_name(name) => {
            Ok((name.to_owned(), language.to_owned(), kind))
        }
        _ => Err(Wrong {
            message: "not the name of a template; expected NAME.LANGUAGE.txt or NAME.LANGUAGE.html".to_owned(),
            hint: Some(
                "for instance welcome.nl.html; names are of a-z, 0-9, _ and -, languages like nl or nl-BE".to_owned(),
            ),
        }),
    }
}

fn parse_kind(kind: &str) -> Result<Kind, Wrong> {
    match kind {
        "txt" => Ok(Kind::Text),
        "html" => Ok(Kind::Html),
        later if LATER_KINDS.contains(&later) => {
            Err(Wrong::new(format!("templates of the kind {later} are not supported yet")))
        }
        other => Err(Wrong::new(format!("\"{other}\" is no kind of template; expected txt or html"))),
    }
}

fn is_name(name: &str) -> bool {
    let is_folder = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
    };
    name.split('/').all(is_folder)
}

/// The shape of BCP 47: a main language of two or three letters, then subtags.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let main =
        parts.next().is_some_and(|main| (2..=3).contains(&main.len()) && main.bytes().all(|b| b.is_ascii_lowercase()));
    main && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What a letter lacks: it always has a text and a subject.
pub(super) fn missing_parts(name: &str, language: &str, letter: &Letter) -> Vec<Problem> {
    let file = format!("{FOLDER}/{}", letter.bodies().next().unwrap_or(name));
    let problem = |message: String, hint: &str| Wrong { message, hint: Some(hint.to_owned()) }.at(first_line(&file));
    let no_text = letter.text.is_none().then(|| {
        problem(
            format!("has no {name}.{language}.txt beside it"),
            "every message carries a plain text for readers without HTML",
        )
    });
    let no_subject = letter
        .subject
        .is_none()
        .then(|| problem("has no subject".to_owned(), "begin the file with a head: ---, subject: …, ---"));
    no_text.into_iter().chain(no_subject).collect()
}

fn first_line(file: &str) -> Place {
    Place { file: file.to_owned(), line: 1, column: 1 }
}

/// What is wrong, before its place is known.
struct Wrong {
    message: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn at(self, place: Place) -> Problem {
        Problem { place, message: self.message, hint: self.hint }
    }
}

/// Path (relative to `folder`, with `/`) and content of every template file below `folder`, sorted by path.
pub(super) fn texts(folder: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut texts = Vec::new();
    if folder.exists() {
        collect(folder, "", &mut texts)?;
    }
    texts.sort();
    Ok(texts)
}

fn collect(folder: &Path, prefix: &str, texts: &mut Vec<(String, String)>) -> Result<(), Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "README.md" {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), texts)?;
        } else {
            let text = fs::read_to_string(&path).map_err(|source| Error::Unreadable { path, source })?;
            texts.push((format!("{prefix}{name}"), text));
        }
    }
    Ok(())
}
