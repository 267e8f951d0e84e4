//! Templates: what a campaign sends, as text in files.
//!
//! `templates/<name>.<language>.<kind>` with kind `txt` (always there) and `html` (optional). A file may begin with a
//! head between two lines `---` that holds `subject` and `preheader`, templates themselves. The language is Jinja
//! (minijinja) without any access to files, network or clock; what it sees is a [`Context`].
//!
//! All files are read up front and compiled once, by [`Templates::read`] or [`Templates::from_texts`]; rendering only
//! looks up. `file.rs` takes a file apart, `engine.rs` runs the parts within limits, `check.rs` looks for trouble
//! before anything goes live.

use std::collections::BTreeMap;
use std::path::Path;

use muster_catalog::{Problem, Problems, nearest};

use crate::{Error, NoLanguage};

mod context;
use context::Variables;
pub use context::{Context, Links};

mod file;
use file::{File, Kind};

mod engine;
use engine::{Engine, Failure};

mod check;
pub use check::Check;

/// All templates of a workspace.
#[derive(Debug)]
pub struct Templates {
    engine: Engine,
    by_name: BTreeMap<String, BTreeMap<String, Letter>>,
    default_language: Option<String>,
}

/// One template in one language: the names of its parts in the engine.
#[derive(Debug, Clone, Default)]
struct Letter {
    subject: Option<String>,
    preheader: Option<String>,
    text: Option<String>,
    html: Option<String>,
}

impl Letter {
    fn parts(&self) -> impl Iterator<Item = &str> {
        [&self.subject, &self.preheader].into_iter().flatten().map(String::as_str).chain(self.bodies())
    }

    fn bodies(&self) -> impl Iterator<Item = &str> {
        [&self.text, &self.html].into_iter().flatten().map(String::as_str)
    }
}

/// What a template says to one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without blanks around it.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML, where the template has one; values from data are escaped in it.
    pub html: Option<String>,
}

impl Templates {
    /// Reads every template below `folder`, subfolders included, in the order of their names. Hidden files and
    /// `README.md` are left alone; a folder that does not exist holds no templates.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if a folder or file cannot be read; [`Error::Templates`] with every problem of every file.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::from_texts(file::texts(folder)?)
    }

    /// The same from texts in memory: pairs of path (relative, with `/`) and content.
    ///
    /// # Errors
    /// [`Error::Templates`] with every problem of every text.
    pub fn from_texts(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut templates = Self { engine: Engine::new(), by_name: BTreeMap::new(), default_language: None };
        let mut problems = Vec::new();
        for (path, text) in texts {
            match File::parse(&path, &text) {
                Ok(file) => templates.add(file, &mut problems),
                Err(problem) => problems.push(problem),
            }
        }
        templates.check_whole(&mut problems);
        if problems.is_empty() { Ok(templates) } else { Err(Error::Templates(Problems(problems))) }
    }

    /// The language of profiles whose own is unknown or not written for.
    #[must_use]
    pub fn with_default_language(mut self, language: &str) -> Self {
        self.default_language = Some(language.to_owned());
        self
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Renders `name` in the best language: the wanted one, else its main language (`nl` for `nl-BE`), else the default
    /// language, else the only one there is.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], [`Error::NoLanguage`]; [`Error::Render`] if these data do not suffice (an empty field
    /// without a default); [`Error::Runaway`] if the template exceeds its limits.
    pub fn render(&self, name: &str, language: Option<&str>, context: &Context) -> Result<Rendered, Error> {
        let letter = self.letter(name, language)?;
        Ok(self.render_letter(letter, context)?)
    }

    /// The head first: the bodies may show `subject` and `preheader`.
    fn render_letter(&self, letter: &Letter, context: &Context) -> Result<Rendered, Failure> {
        let mut variables = Variables::of(context);
        let subject = self.render_part(letter.subject.as_deref(), &variables)?.trim().to_owned();
        variables.add("subject", &subject);
        let preheader = self.render_part(letter.preheader.as_deref(), &variables)?;
        variables.add("preheader", preheader.trim());
        let text = self.render_part(letter.text.as_deref(), &variables)?;
        let html = letter.html.as_deref().map(|html| self.engine.render(html, &variables)).transpose()?;
        Ok(Rendered { subject, text, html })
    }

    fn render_part(&self, part: Option<&str>, variables: &Variables<'_>) -> Result<String, Failure> {
        part.map_or(Ok(String::new()), |part| self.engine.render(part, variables))
    }

    fn letter(&self, name: &str, language: Option<&str>) -> Result<&Letter, Error> {
        let letters = self.letters(name)?;
        let main = language.and_then(|language| language.split('-').next());
        let wanted = [language, main, self.default_language.as_deref()];
        let only = letters.values().next().filter(|_| letters.len() == 1);
        wanted.into_iter().flatten().find_map(|language| letters.get(language)).or(only).ok_or_else(|| {
            NoLanguage {
                template: name.to_owned(),
                language: language.map(str::to_owned),
                known: letters.keys().cloned().collect(),
            }
            .into()
        })
    }

    fn letters(&self, name: &str) -> Result<&BTreeMap<String, Letter>, Error> {
        self.by_name.get(name).ok_or_else(|| Error::NoTemplate {
            name: name.to_owned(),
            nearest: nearest(name, self.names()).map(str::to_owned),
        })
    }

    fn add(&mut self, file: File, problems: &mut Vec<Problem>) {
        let letter = self.by_name.entry(file.name.clone()).or_default().entry(file.language.clone()).or_default();
        let body = match file.kind {
            Kind::Text => &mut letter.text,
            Kind::Html => &mut letter.html,
        };
        *body = Some(file.body.name.clone());
        for (slot, part) in [(&mut letter.subject, &file.subject), (&mut letter.preheader, &file.preheader)] {
            match (&slot, part) {
                (_, None) => {}
                (Some(first), Some(second)) => problems.push(second.given_twice(first)),
                (None, Some(part)) => *slot = Some(part.name.clone()),
            }
        }
        for part in [Some(file.body), file.subject, file.preheader].into_iter().flatten() {
            problems.extend(self.engine.add(part).err());
        }
    }

    /// What only shows when all files of a template are there: a letter has a text and a subject.
    fn check_whole(&self, problems: &mut Vec<Problem>) {
        for (name, letters) in &self.by_name {
            for (language, letter) in letters {
                problems.extend(file::missing_parts(name, language, letter));
            }
        }
    }
}
