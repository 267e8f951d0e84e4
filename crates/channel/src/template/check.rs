//! What can be said about a template before it meets a profile.

use muster_catalog::Problem;
use serde_json::{Map, Value as Json};

use super::engine::{Failure, unknown};
use super::file::Part;
use super::{Context, Letter, Links, Templates};
use crate::{Error, UnsubscribeLink};

/// What a template will do, looked at from the fields that profiles have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// What is wrong for everybody: names that do not exist, limits exceeded. The template cannot go live.
    pub problems: Vec<Problem>,
    /// The places at which a profile is skipped because the field there is empty. Wanted or not: the author should know.
    pub skips: Vec<Problem>,
}

impl Templates {
    /// Looks at `name` in all its languages, for profiles that have `fields`: every variable must exist, and the
    /// template is rendered for a profile all of whose fields are empty.
    ///
    /// # Errors
    /// [`Error::NoTemplate`] if there is none of this name. What is wrong in it is in the [`Check`].
    pub fn check(&self, name: &str, fields: &[&str]) -> Result<Check, Error> {
        let mut check = Check::default();
        for letter in self.letters(name)?.values() {
            let unknown: Vec<Problem> = letter.parts().flat_map(|part| self.unknown_names(part, fields)).collect();
            if unknown.is_empty() {
                self.check_empty_profile(letter, fields, &mut check);
            }
            check.problems.extend(unknown);
        }
        Ok(check)
    }

    /// True if every text and every HTML of `name` shows `links.unsubscribe`, in all its languages.
    ///
    /// # Errors
    /// [`Error::NoTemplate`] if there is none of this name.
    pub fn can_unsubscribe(&self, name: &str) -> Result<bool, Error> {
        let shows = |part: &str| self.engine.reads(part).contains("links.unsubscribe");
        Ok(self.letters(name)?.values().all(|letter| letter.bodies().all(shows)))
    }

    fn unknown_names(&self, part: &str, fields: &[&str]) -> Vec<Problem> {
        let Some(source) = self.engine.part(part) else { return Vec::new() };
        let paths = self.engine.reads(part);
        paths.iter().filter(|path| !is_known(path, fields)).map(|path| unknown_name(source, path, fields)).collect()
    }

    /// Fills one empty field after the other, so that every place shows and not only the first.
    fn check_empty_profile(&self, letter: &Letter, fields: &[&str], check: &mut Check) {
        let mut context = self.empty_profile(letter, fields);
        for _ in 0..=fields.len() {
            match self.render_letter(letter, &context) {
                Ok(_) => return,
                Err(Failure::Runaway(problem)) => return check.problems.push(problem),
                Err(Failure::Other(problem)) => return check.skips.push(problem),
                Err(Failure::Missing { path, problem }) => {
                    check.skips.push(problem);
                    let field = path.strip_prefix("profile.").map(str::to_owned);
                    let Some(field) = field.filter(|field| fields.contains(&field.as_str())) else { return };
                    context.profile.insert(field, Json::from(FILLED));
                }
            }
        }
    }

    /// A profile without a value in any of `fields`, on a journey and in a campaign that have whatever the letter reads.
    fn empty_profile(&self, letter: &Letter, fields: &[&str]) -> Context {
        let paths: Vec<String> = letter.parts().flat_map(|part| self.engine.reads(part)).collect();
        let filled = |root: &str| -> Map<String, Json> {
            let names = paths.iter().filter_map(|path| field_of(path, root));
            names.map(|name| (name.to_owned(), Json::from(FILLED))).collect()
        };
        Context {
            profile: fields.iter().map(|field| ((*field).to_owned(), Json::Null)).collect(),
            journey: filled("journey"),
            campaign: filled("campaign"),
            links: Links { unsubscribe: UnsubscribeLink::new("https://example.invalid/").ok() },
        }
    }
}

/// Stands for any value.
const FILLED: &str = "…";

/// What a journey and a campaign know is not known here.
fn is_known(path: &str, fields: &[&str]) -> bool {
    match path.split_once('.') {
        Some(("profile", rest)) => fields.contains(&rest.split('.').next().unwrap_or(rest)),
        Some(("links", link)) => link == "unsubscribe",
        Some((root, _)) => matches!(root, "journey" | "campaign"),
        None => matches!(path, "profile" | "journey" | "campaign" | "links" | "subject" | "preheader"),
    }
}

/// The name of the field of `root` that `path` reads.
fn field_of<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let (first, rest) = path.split_once('.')?;
    (first == root).then(|| rest.split('.').next().unwrap_or(rest))
}

fn unknown_name(source: &Part, path: &str, fields: &[&str]) -> Problem {
    let known: Vec<String> = fields.iter().map(|field| format!("profile.{field}")).collect();
    let known = known.iter().map(String::as_str).chain(["links.unsubscribe"]);
    unknown(path, known, source.place(source.source().find(path).unwrap_or(0)))
}
