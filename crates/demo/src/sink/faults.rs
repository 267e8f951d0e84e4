//! The fault script: which recipients meet which bad manners of a mail server.
//!
//! A script is text, one rule per line: a pattern of recipients (`*` stands for any run of
//! characters), blanks, and a behaviour. The first rule that matches a recipient holds.
//!
//! ```text
//! # who                behaviour
//! gone*@*              refuse 550 5.1.1 No such user
//! big@*                refuse-content 552 5.3.4 Too big
//! *@grey.example       greylist
//! cut@*                hang-up before-terminator
//! lost@*               hang-up after-terminator
//! kept@*               hang-up after-journal
//! slow@*               drip 1000
//! endless@*            endless
//! ```

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Error;

/// The rules in the order of the script; none for a friendly server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    rules: Vec<Rule>,
}

/// One line of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Recipients that the rule is for; `*` stands for any run of characters, capitals do not matter.
    pub recipients: String,
    /// What happens to a message for them.
    pub behaviour: Behaviour,
}

/// What a server may do to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers RCPT with this code (400 to 599) and text.
    Refuse {
        /// The reply code.
        code: u16,
        /// The text after it, with its enhanced status code.
        text: String,
    },
    /// Takes the whole content, and answers its terminator with this code (400 to 599) and text.
    RefuseContent {
        /// The reply code.
        code: u16,
        /// The text after it, with its enhanced status code.
        text: String,
    },
    /// Answers the first RCPT for this recipient with 451 4.7.1, and later ones with 250.
    Greylist,
    /// Closes the connection.
    HangUp(Phase),
    /// Sends what follows RCPT one byte at a time, with this pause before each.
    Drip(Duration),
    /// Answers the terminator with continuation lines that do not end, until the client leaves.
    Endless,
}

/// Where in the hand-over of a message the server hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// After the first line of content: the terminator was not read and nothing is accepted.
    BeforeTerminator,
    /// After the terminator: nothing is accepted, and nothing is said.
    AfterTerminator,
    /// After the journal's line: the message is accepted, and nothing is said.
    AfterJournal,
}

const RULE: &str = "a pattern of recipients, a blank and a behaviour";
const BEHAVIOUR: &str = "refuse, refuse-content, greylist, hang-up, drip or endless after the pattern of recipients";
const CODE: &str = "a code from 400 to 599 and a text after refuse or refuse-content";
const PHASE: &str = "before-terminator, after-terminator or after-journal after hang-up";
const PAUSE: &str = "a pause in milliseconds after drip";

impl Faults {
    /// Rules in the order in which they are tried.
    pub fn new(rules: Vec<Rule>) -> Faults {
        Faults { rules }
    }

    /// What happens to messages for `recipient`; `None` is good manners.
    pub fn behaviour(&self, recipient: &str) -> Option<&Behaviour> {
        let recipient = recipient.to_ascii_lowercase();
        self.rules
            .iter()
            .find(|rule| matches(&rule.recipients.to_ascii_lowercase(), &recipient))
            .map(|rule| &rule.behaviour)
    }
}

impl FromStr for Faults {
    type Err = Error;

    /// Reads a script; empty lines and lines that start with `#` are left out.
    fn from_str(script: &str) -> Result<Faults, Error> {
        let is_rule = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let rules = script
            .lines()
            .map(str::trim)
            .enumerate()
            .filter(|(_, line)| is_rule(line))
            .map(|(index, text)| {
                rule(text).map_err(|expected| Error::FaultRule { line: index + 1, text: text.to_owned(), expected })
            })
            .collect::<Result<Vec<Rule>, Error>>()?;
        Ok(Faults { rules })
    }
}

fn rule(text: &str) -> Result<Rule, &'static str> {
    let (recipients, behaviour) = text.split_once(char::is_whitespace).ok_or(RULE)?;
    Ok(Rule { recipients: recipients.to_owned(), behaviour: self::behaviour(behaviour.trim())? })
}

fn behaviour(text: &str) -> Result<Behaviour, &'static str> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    match (verb, rest.trim()) {
        ("refuse", reply) => refusal(reply).map(|(code, text)| Behaviour::Refuse { code, text }),
        ("refuse-content", reply) => refusal(reply).map(|(code, text)| Behaviour::RefuseContent { code, text }),
        ("greylist", "") => Ok(Behaviour::Greylist),
        ("hang-up", "before-terminator") => Ok(Behaviour::HangUp(Phase::BeforeTerminator)),
        ("hang-up", "after-terminator") => Ok(Behaviour::HangUp(Phase::AfterTerminator)),
        ("hang-up", "after-journal") => Ok(Behaviour::HangUp(Phase::AfterJournal)),
        ("hang-up", _) => Err(PHASE),
        ("drip", pause) => pause.parse().map(|pause| Behaviour::Drip(Duration::from_millis(pause))).map_err(|_| PAUSE),
        ("endless", "") => Ok(Behaviour::Endless),
        _ => Err(BEHAVIOUR),
    }
}

fn refusal(reply: &str) -> Result<(u16, String), &'static str> {
    let (code, text) = reply.split_once(' ').ok_or(CODE)?;
    let code = code.parse().ok().filter(|code| (400..600).contains(code)).ok_or(CODE)?;
    Ok((code, text.trim().to_owned()))
}

/// Whether `text` is `pattern`, where each `*` stands for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(after, &rest[at..]))
}

/// Recipients who were already asked to come back later.
#[derive(Debug, Default)]
pub(super) struct Greylist {
    seen: Mutex<BTreeSet<String>>,
}

impl Greylist {
    /// Whether this is the first time that `recipient` is asked for.
    pub(super) fn is_first(&self, recipient: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(recipient.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, expected) in [
            ("a@b.nl", "a@b.nl", true),
            ("a@b.nl", "a@b.nll", false),
            ("*", "", true),
            ("*@b.nl", "a@b.nl", true),
            ("*@b.nl", "a@c.nl", false),
            ("gone*@*", "gone17@c.nl", true),
            ("gone*@*", "agone@c.nl", false),
            ("a*a*a", "aa", false),
            ("a*a*a", "aba-a", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} and {text}");
        }
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named_with_what_was_expected() {
        for (script, message) in [
            (
                "alone",
                "fault script line 1: \"alone\" is not a rule; expected a pattern of recipients, a blank and a behaviour",
            ),
            (
                "\n* vanish",
                "fault script line 2: \"* vanish\" is not a rule; expected refuse, refuse-content, greylist, hang-up, drip or endless after the pattern of recipients",
            ),
            (
                "* refuse 250 no",
                "fault script line 1: \"* refuse 250 no\" is not a rule; expected a code from 400 to 599 and a text after refuse or refuse-content",
            ),
            (
                "* hang-up",
                "fault script line 1: \"* hang-up\" is not a rule; expected before-terminator, after-terminator or after-journal after hang-up",
            ),
            (
                "* drip slowly",
                "fault script line 1: \"* drip slowly\" is not a rule; expected a pause in milliseconds after drip",
            ),
        ] {
            let error = script.parse::<Faults>().expect_err(script);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn the_first_rule_that_matches_holds() {
        let faults: Faults = "# who\nann@* greylist\n*@* endless\n".parse().unwrap();
        assert_eq!(faults.behaviour("Ann@shop.example"), Some(&Behaviour::Greylist));
        assert_eq!(faults.behaviour("bob@shop.example"), Some(&Behaviour::Endless));
        assert_eq!(faults.behaviour("nobody"), None);
    }
}
