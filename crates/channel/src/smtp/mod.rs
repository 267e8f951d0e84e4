//! E-mail over SMTP.
//!
//! The conversation is our own, not lettre's. It has to tell a message that provably was not accepted from one whose
//! fate is unknown, bound every phase by one deadline (a peer that drips a byte a second must not hold a sender for
//! ever), keep the whole reply, and refuse what arrives unasked for; lettre's client does none of these, and 0.11.23 is
//! under advisory RUSTSEC-2026-0561. Its client is therefore not even compiled in; `mime.rs` keeps lettre for building
//! messages, and what it builds is checked octet by octet before it may reach a wire.
//!
//! `settings.rs` says where and how, `wire.rs` is a socket with a deadline, `session.rs` is one conversation in its
//! phases. Here is the policy around it: when a conversation is begun, kept, given up, or begun again.

use std::fmt;
use std::sync::Arc;

use crate::{
    Cause, Channel, ComposeError, Connection, Draft, Error, Kind, Lost, Mailbox, Message, Outcome, Phase, Templates,
    Trouble, message,
};

mod settings;
pub use settings::{Login, Password, SmtpSettings, Timers};

mod session;
use session::Session;

mod wire;

/// E-mail through one SMTP server.
pub struct Smtp {
    name: String,
    sender: Mailbox,
    templates: Arc<Templates>,
    server: settings::Server,
}

impl Smtp {
    /// A channel called `name` that renders from `templates`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::Sender`], [`Error::PasswordInPlain`], [`Error::Host`] or [`Error::Authority`] for settings that cannot
    /// work.
    pub fn new(name: &str, settings: SmtpSettings, templates: Arc<Templates>) -> Result<Self, Error> {
        let sender = Mailbox::parse(&settings.from).map_err(|source| Error::Sender {
            channel: name.to_owned(),
            from: settings.from.clone(),
            source,
        })?;
        Ok(Self { name: name.to_owned(), sender, templates, server: settings::Server::new(name, settings)? })
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("name", &self.name)
            .field("settings", &self.server.settings)
            .finish_non_exhaustive()
    }
}

impl Channel for Smtp {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> Kind {
        Kind::Email
    }

    fn connections(&self) -> usize {
        self.server.settings.connections.max(1)
    }

    fn domain(&self) -> &str {
        self.sender.address.domain()
    }

    fn compose(&self, draft: &Draft<'_>) -> Result<Message, ComposeError> {
        message::email(&self.templates, &self.sender, draft)
    }

    fn open(&self) -> Box<dyn Connection + Send + '_> {
        Box::new(Mailer { smtp: self, session: None })
    }
}

/// Sends one message after the other, over one conversation as long as that is healthy.
struct Mailer<'a> {
    smtp: &'a Smtp,
    session: Option<Session<'a>>,
}

impl Connection for Mailer<'_> {
    /// A server may hang up between two messages at any time; that is found out at the next MAIL, before anything of the
    /// message has left, and a fresh conversation is tried at once.
    fn send(&mut self, message: &Message) -> Outcome {
        let kept = self.session.is_some();
        let outcome = self.attempt(message);
        if kept && had_gone_stale(&outcome) { self.attempt(message) } else { outcome }
    }

    fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit();
        }
    }
}

impl Mailer<'_> {
    fn attempt(&mut self, message: &Message) -> Outcome {
        let kept = self.session.take().and_then(Session::cleared);
        let mut session = match kept.map_or_else(|| Session::begin(&self.smtp.server), Ok) {
            Ok(session) => session,
            Err(trouble) => return trouble.into(),
        };
        let outcome = session.deliver(&self.smtp.sender.address, message.to(), message.content());
        self.session = Some(session).filter(|_| can_go_on(&outcome));
        outcome
    }
}

fn had_gone_stale(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Deferred { trouble: Trouble::Lost(Lost { phase, cause }), .. } => {
            *phase == Phase::Sender && matches!(cause, Cause::Closed | Cause::Io(_))
        }
        Outcome::Deferred { trouble: Trouble::Replied { phase, reply }, .. } => {
            *phase == Phase::Sender && reply.code() == 421
        }
        _ => false,
    }
}

/// After 421 the server closes; after a lost conversation there is nothing to go on with.
fn can_go_on(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Sent { .. } | Outcome::Refused { .. } => true,
        Outcome::Deferred { trouble: Trouble::Replied { reply, .. }, .. } => reply.code() != 421,
        Outcome::Deferred { trouble: Trouble::Lost(_), .. } | Outcome::Uncertain { .. } => false,
    }
}
