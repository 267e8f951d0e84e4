//! The ways out: templates, and the connectors that carry what they render.
//!
//! A [`Channel`] composes a [`Message`] from a [`Draft`] (a template, one profile's data, an address, an id) and opens
//! [`Connection`]s that hand messages over. Every hand-over ends as exactly one [`Outcome`], and the one distinction
//! that the whole send protocol rests on is made here: a message that provably was not accepted is *deferred*, one
//! whose fate nobody can know is *uncertain*.
//!
//! Everything is synchronous and reads no clock but the timers of a conversation; threads, retries, consent, caps and
//! the ledger belong to `campaign`. No value from data can add a header, a recipient or a line to a protocol: what
//! reaches a wire goes through [`EmailAddress`], [`HeaderValue`], [`MessageId`] or an encoded body.

mod channel;
pub use channel::{Channel, Connection, Kind};

mod message;
pub use message::{ComposeError, Draft, Message, Skip};

mod outcome;
pub use outcome::{Cause, Concern, Lost, Outcome, Pace, Phase, Trouble};

mod reply;
pub use reply::{EnhancedStatus, Reply};

mod address;
pub use address::{AddressError, EmailAddress, Mailbox, MailboxError};

mod header;
pub use header::{HeaderError, HeaderValue, LinkError, MessageId, MessageIdError, UnsubscribeLink};

mod template;
pub use template::{Check, Context, Links, Rendered, Templates};

mod mime;

mod console;
pub use console::Console;

mod smtp;
pub use smtp::{Login, Password, Smtp, SmtpSettings, Timers};

mod error;
pub use error::{Error, NoLanguage};
