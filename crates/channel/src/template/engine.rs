//! The template engine within its limits; the only door to minijinja.
//!
//! A template gets so many steps, so much depth and so much output, and then it has run away: nobody is sent half a
//! message. Undefined values cannot be printed. There is no loader: what was not added up front does not exist, though
//! templates may include each other by path. Data are values and never parsed.
//!
//! Not bounded is the memory of a single value that a template builds by itself; templates are written by the owners
//! of a workspace, not by its customers.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use muster_catalog::{Place, Problem, nearest};

use super::context::{ROOTS, Variables};
use super::file::Part;
use crate::Error;

/// Steps of the template machine: some ten thousand rows of a table, some tens of milliseconds.
const FUEL: u64 = 1_000_000;

/// Nested includes, macros and loops.
const DEPTH: usize = 100;

/// Octets that one part of a message may have.
const LONGEST_OUTPUT: usize = 1 << 20;

/// Every part of every template, compiled.
#[derive(Debug)]
pub(super) struct Engine {
    environment: Environment<'static>,
    parts: BTreeMap<String, Part>,
}

impl Engine {
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_syntax(tidy_blocks());
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment
            .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        // Only in debug mode does a failure know which name was undefined. It then also holds a copy of the data, so no
        // failure of the engine's own leaves this file. `debug()` would print the data into the message.
        environment.set_debug(true);
        environment.remove_global("debug");
        Self { environment, parts: BTreeMap::new() }
    }

    /// Compiles a part.
    pub fn add(&mut self, part: Part) -> Result<(), Problem> {
        let added = self.environment.add_template_owned(part.name.clone(), part.source().to_owned());
        let name = part.name.clone();
        self.parts.insert(name.clone(), part);
        added.map_err(|error| Problem { place: self.place(&name, &error), message: explained(&error), hint: None })
    }

    /// Renders a part.
    pub fn render(&self, name: &str, variables: &Variables<'_>) -> Result<String, Failure> {
        let mut page = Page { text: Vec::new(), full: false };
        let template = self.environment.get_template(name);
        let rendered =
            template.and_then(|template| template.render_captured_to(variables.value(), &mut page).map(drop));
        match rendered {
            Ok(()) => Ok(String::from_utf8(page.text).expect("the engine writes whole strings")),
            Err(error) => Err(self.failure(name, first_cause(&error), page.full, variables)),
        }
    }

    /// The variables that a part reads, with their attributes: `profile.first_name`. Sorted; without what the template
    /// itself or the engine defines.
    pub fn reads(&self, name: &str) -> BTreeSet<String> {
        let template = self.environment.get_template(name).ok();
        let paths = template.map(|template| template.undeclared_variables(true)).unwrap_or_default();
        let is_ours = |path: &String| self.environment.globals().all(|(global, _)| global != path);
        paths.into_iter().filter(is_ours).collect()
    }

    /// The part with this name.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.get(name)
    }

    fn failure(&self, name: &str, error: &minijinja::Error, full: bool, variables: &Variables<'_>) -> Failure {
        let place = self.place(name, error);
        if let Some(message) = exceeded(error, full) {
            return Failure::Runaway(Problem { place, message, hint: None });
        }
        match undefined(error) {
            Some(path) => Failure::Missing { path: path.to_owned(), problem: missing(path, &variables.known(), place) },
            None => Failure::Other(Problem { place, message: explained(error), hint: None }),
        }
    }

    /// Where an error stands: it may be in another template than `name`, which included it.
    fn place(&self, name: &str, error: &minijinja::Error) -> Place {
        let part = error.name().and_then(|name| self.parts.get(name)).or_else(|| self.parts.get(name));
        let part = part.expect("only parts that were added are rendered");
        part.place(error.range().map_or(0, |range| range.start))
    }
}

/// Why a part could not be rendered.
#[derive(Debug)]
pub(super) enum Failure {
    /// A name without a value was printed or used.
    Missing { path: String, problem: Problem },
    /// The template does something that these values do not allow.
    Other(Problem),
    /// A limit was exceeded.
    Runaway(Problem),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing { problem, .. } | Failure::Other(problem) => Self::Render(problem),
            Failure::Runaway(problem) => Self::Runaway(problem),
        }
    }
}

/// The limit that the template exceeded, if that is what went wrong.
fn exceeded(error: &minijinja::Error, full: bool) -> Option<String> {
    let too_deep = error.detail().is_some_and(|detail| detail.starts_with("recursion limit exceeded"));
    match error.kind() {
        _ if full => Some(format!("the template writes more than {LONGEST_OUTPUT} octets for one part of a message")),
        ErrorKind::OutOfFuel => Some(format!("the template takes more than {FUEL} steps; look for loops within loops")),
        _ if too_deep => {
            Some(format!("the template goes deeper than {DEPTH} levels; look for a macro that calls itself"))
        }
        _ => None,
    }
}

/// Where it really went wrong: an error in an included template is wrapped in one of the template that includes it.
fn first_cause(error: &minijinja::Error) -> &minijinja::Error {
    let inner = error.source().and_then(|source| source.downcast_ref::<minijinja::Error>());
    inner.map_or(error, first_cause)
}

/// Lines that hold only a block tag leave no trace in the text.
fn tidy_blocks() -> SyntaxConfig {
    let builder = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    builder.expect("the default delimiters are valid")
}

/// The path that an error says is undefined: minijinja words it "`profile.first_name` is undefined".
fn undefined(error: &minijinja::Error) -> Option<&str> {
    let (before, _) = error.detail()?.split_once("` is undefined")?;
    before.rsplit_once('`').map(|(_, path)| path)
}

/// A name that is not there: an empty field, or a slip of the pen.
fn missing(path: &str, known: &[String], place: Place) -> Problem {
    if known.iter().any(|name| name == path) {
        let hint = format!("write {{{{ {path} | default(\"…\") }}}} if it may be empty");
        return Problem { place, message: format!("{path} is empty"), hint: Some(hint) };
    }
    unknown(path, known.iter().map(String::as_str), place)
}

/// A name that nobody knows, with the nearest that somebody does.
pub(super) fn unknown<'a>(path: &str, known: impl Iterator<Item = &'a str>, place: Place) -> Problem {
    let hint = nearest(path, known.chain(ROOTS)).map(|near| format!("did you mean {near}?"));
    Problem {
        place,
        message: format!("there is no {path}; a template sees profile, journey, campaign and links"),
        hint,
    }
}

fn explained(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// A sheet of limited size.
struct Page {
    text: Vec<u8>,
    full: bool,
}

impl io::Write for Page {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.full |= self.text.len() + octets.len() > LONGEST_OUTPUT;
        if self.full {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
