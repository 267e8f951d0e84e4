//! How a hand-over ended, and what follows from the other side's answer.
//!
//! The classes of RFC 3463 status codes are read here and nowhere else: [`Outcome::of_reply`] is the table.

use std::fmt;
use std::io;

use crate::Reply;

/// How one hand-over ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The other side took responsibility for the message.
    Sent {
        /// What it said.
        reply: Reply,
    },
    /// The other side refused for good. Never tried again.
    Refused {
        /// Where in the conversation.
        phase: Phase,
        /// What it said.
        reply: Reply,
        /// Whom the refusal is about.
        concerns: Concern,
    },
    /// Provably not accepted: the message may be tried again later.
    Deferred {
        /// What came in between.
        trouble: Trouble,
        /// How soon, and for whom.
        pace: Pace,
    },
    /// The end of the message may have left and no readable answer came: nobody here can know whether it was accepted.
    Uncertain {
        /// What broke.
        lost: Lost,
    },
}

/// Whom a permanent refusal is about, and so what has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The address does not exist or was closed (5.1.1, 5.1.2, 5.1.10, 5.2.1): suppress it.
    Address,
    /// We are refused (5.7.x, 530, 535): never suppress the person; open the circuit and alert.
    Us,
    /// The message or the conversation is wrong (5.3.4, 5.5.x, 5.6.x): stop the step.
    Content,
    /// The reply does not say: this message has failed, and nothing else follows from it.
    Unsaid,
}

/// How soon a deferred message may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Later, with backoff and jitter (450, 451, 454, 4.7.x, a lost connection).
    BackOff,
    /// Later, and fewer at once to this destination (421, 4.4.x).
    SlowDown,
    /// Not before a person has acted: no conversation at all can be had (password, certificate, no STARTTLS, banned).
    Halt,
}

/// What kept a message from being accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The other side said so.
    Replied {
        /// Where in the conversation.
        phase: Phase,
        /// What it said.
        reply: Reply,
    },
    /// The conversation broke off.
    Lost(Lost),
}

/// A conversation that broke off.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// Where in the conversation.
    pub phase: Phase,
    /// What broke it.
    pub cause: Cause,
}

/// What breaks a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The other side hung up.
    Closed,
    /// The phase's timer ran out.
    TimedOut,
    /// The operating system reported an error.
    Io(io::ErrorKind),
    /// The host has no address, or none answers.
    Unreachable(io::ErrorKind),
    /// An answer came that is none: too long, not of the form, or unasked for.
    Garbled,
    /// STARTTLS is demanded by the configuration and not offered by the server.
    NoStartTls,
    /// None of the server's ways to sign in is PLAIN or LOGIN.
    NoLogin,
    /// The TLS handshake failed: certificate, name or version.
    Tls(rustls::Error),
}

/// Where in a conversation something happened, in the order of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Reaching the server.
    Connect,
    /// Its first words.
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS and the handshake.
    StartTls,
    /// Signing in.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The message, without its terminator.
    Content,
    /// From the first byte of the terminator to the answer.
    Terminator,
}

impl Outcome {
    /// What follows from an answer that was not the hoped-for one.
    ///
    /// Before [`Phase::Sender`] the answer is about the conversation and not about this message, so even a permanent
    /// refusal leaves the message untouched.
    pub(crate) fn of_reply(phase: Phase, reply: Reply) -> Self {
        if reply.is_permanent() && phase >= Phase::Sender {
            let concerns = concern(&reply);
            return Self::Refused { phase, reply, concerns };
        }
        let pace = if reply.is_permanent() { Pace::Halt } else { pace(&reply) };
        Self::Deferred { trouble: Trouble::Replied { phase, reply }, pace }
    }

    /// What follows from a conversation that broke off: only from the terminator on is anything uncertain.
    pub(crate) fn of_lost(lost: Lost) -> Self {
        if lost.phase == Phase::Terminator {
            return Self::Uncertain { lost };
        }
        let pace = match lost.cause {
            Cause::NoStartTls | Cause::NoLogin | Cause::Tls(_) => Pace::Halt,
            _ => Pace::BackOff,
        };
        Self::Deferred { trouble: Trouble::Lost(lost), pace }
    }
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Replied { phase, reply } => Self::of_reply(phase, reply),
            Trouble::Lost(lost) => Self::of_lost(lost),
        }
    }
}

fn concern(reply: &Reply) -> Concern {
    match (reply.code(), reply.status().map(|status| (status.subject, status.detail))) {
        (_, Some((1, 1 | 2 | 10) | (2, 1))) => Concern::Address,
        (_, Some((7, _))) | (530 | 535, None) => Concern::Us,
        (_, Some((3, 4) | (5 | 6, _))) | (500..=504, None) => Concern::Content,
        _ => Concern::Unsaid,
    }
}

fn pace(reply: &Reply) -> Pace {
    match (reply.code(), reply.status().map(|status| status.subject)) {
        (421, _) | (_, Some(4)) => Pace::SlowDown,
        _ => Pace::BackOff,
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replied { phase, reply } => write!(f, "{phase}: {reply}"),
            Self::Lost(lost) => lost.fmt(f),
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.phase, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server hung up"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Io(kind) => write!(f, "the connection broke ({kind})"),
            Self::Unreachable(kind) => write!(f, "the server cannot be reached ({kind})"),
            Self::Garbled => f.write_str("the server's answer is not SMTP"),
            Self::NoStartTls => f.write_str("the server does not offer STARTTLS, and tls = \"starttls\" demands it"),
            Self::NoLogin => f.write_str("the server offers neither AUTH PLAIN nor AUTH LOGIN"),
            Self::Tls(error) => write!(f, "TLS failed: {error}"),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Login => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "sending the message",
            Self::Terminator => "waiting for the answer to the message",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> Reply {
        Reply::parse(&[line.to_owned()]).expect("the case is a reply")
    }

    #[test]
    fn a_permanent_reply_says_whom_it_is_about() {
        let check = |line: &str, concerns: Concern| {
            let outcome = Outcome::of_reply(Phase::Recipient, reply(line));
            assert!(
                matches!(outcome, Outcome::Refused { concerns: got, .. } if got == concerns),
                "{line}: {outcome:?}"
            );
        };
        check("550 5.1.1 no such mailbox", Concern::Address);
        check("550 5.1.2 no such domain", Concern::Address);
        check("556 5.1.10 the domain has a null MX", Concern::Address);
        check("550 5.2.1 mailbox disabled", Concern::Address);
        check("552 5.2.2 mailbox full", Concern::Unsaid);
        check("550 5.7.1 listed as a spam source", Concern::Us);
        check("550 5.7.26 unauthenticated", Concern::Us);
        check("530 sign in first", Concern::Us);
        check("552 5.3.4 message too big", Concern::Content);
        check("501 5.5.4 invalid arguments", Concern::Content);
        check("554 5.6.0 malformed", Concern::Content);
        check("503 bad sequence", Concern::Content);
        check("550 no", Concern::Unsaid);
        check("550 4.1.1 a status of another class is no status", Concern::Unsaid);
    }

    #[test]
    fn a_temporary_reply_says_how_soon() {
        let check = |line: &str, pace: Pace| {
            let outcome = Outcome::of_reply(Phase::Recipient, reply(line));
            assert!(matches!(outcome, Outcome::Deferred { pace: got, .. } if got == pace), "{line}: {outcome:?}");
        };
        check("421 too many connections", Pace::SlowDown);
        check("451 4.4.2 connection dropped", Pace::SlowDown);
        check("450 greylisted", Pace::BackOff);
        check("451 4.7.1 try again later", Pace::BackOff);
        check("454 temporary authentication failure", Pace::BackOff);
    }

    #[test]
    fn a_refused_conversation_does_not_fail_the_message() {
        for phase in [Phase::Greeting, Phase::Hello, Phase::StartTls, Phase::Login] {
            let outcome = Outcome::of_reply(phase, reply("535 5.7.8 wrong password"));
            assert!(matches!(outcome, Outcome::Deferred { pace: Pace::Halt, .. }), "{phase}: {outcome:?}");
        }
    }

    #[test]
    fn only_the_terminator_makes_a_lost_conversation_uncertain() {
        let lost = |phase| Outcome::of_lost(Lost { phase, cause: Cause::Closed });
        assert!(matches!(lost(Phase::Content), Outcome::Deferred { pace: Pace::BackOff, .. }));
        assert!(matches!(lost(Phase::Terminator), Outcome::Uncertain { .. }));
    }
}
