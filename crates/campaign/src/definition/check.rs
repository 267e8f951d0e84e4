//! A definition held against the workspace that it is to run in.

use muster_catalog::{Problem, nearest};

use super::{Definition, Mention, Purpose};

/// What a workspace has that a campaign can name.
#[derive(Debug, Clone, Default)]
pub struct Surroundings<'a> {
    /// The names of its segments.
    pub segments: Vec<&'a str>,
    /// Its channels.
    pub channels: Vec<KnownChannel<'a>>,
    /// The names of its templates, without language and kind.
    pub templates: Vec<&'a str>,
}

/// A channel of the workspace, as far as a campaign must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownChannel<'a> {
    /// Its name in `muster.toml`.
    pub name: &'a str,
    /// The role of its addresses: `email`.
    pub role: &'a str,
    /// Whether a column of profiles has the role `consent.<role>`.
    pub has_consent: bool,
}

impl Definition {
    /// Everything that it names and the workspace lacks, in the order of the text; empty where all is there.
    pub fn check(&self, surroundings: &Surroundings<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(unknown("segment", &self.segment, surroundings.segments.iter().copied()));
        for send in self.steps.iter().map(|step| &step.send) {
            problems.extend(self.check_channel(&send.channel, surroundings));
            problems.extend(unknown("template", &send.template, surroundings.templates.iter().copied()));
        }
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems
    }

    fn check_channel(&self, mention: &Mention, surroundings: &Surroundings<'_>) -> Option<Problem> {
        let channels = &surroundings.channels;
        match channels.iter().find(|channel| channel.name == mention.name) {
            None => unknown("channel", mention, channels.iter().map(|channel| channel.name)),
            Some(channel) if self.purpose == Purpose::Marketing && !channel.has_consent => {
                Some(without_consent(mention, channel))
            }
            Some(_) => None,
        }
    }
}

fn without_consent(mention: &Mention, channel: &KnownChannel<'_>) -> Problem {
    let KnownChannel { name, role, .. } = channel;
    Problem {
        place: mention.place.clone(),
        message: format!(
            "marketing over \"{name}\" needs consent, and no column of profiles has the role consent.{role}"
        ),
        hint: Some(format!("give the column that says who agreed role = \"consent.{role}\" in muster.toml")),
    }
}

fn unknown<'a>(kind: &str, mention: &Mention, known: impl Iterator<Item = &'a str> + Clone) -> Option<Problem> {
    if known.clone().any(|name| name == mention.name) {
        return None;
    }
    let hint = match nearest(&mention.name, known.clone()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("{kind}s: {}", list(known)),
    };
    let message = format!("there is no {kind} \"{}\"", mention.name);
    Some(Problem { place: mention.place.clone(), message, hint: Some(hint) })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
}
