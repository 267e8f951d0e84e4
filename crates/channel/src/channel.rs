//! What every way out can do; the contract suite in `tests/it/contract.rs` holds each of them to it.

use crate::{ComposeError, Draft, Message, Outcome};

/// A configured way out. One value per channel of the workspace, shared by all sending threads.
pub trait Channel: Send + Sync {
    /// Its name in campaigns, as `muster.toml` gives it: `email`.
    fn name(&self) -> &str;

    /// What it carries, and therefore what it needs of a profile.
    fn kind(&self) -> Kind;

    /// How many conversations may be open at once; at least one.
    fn connections(&self) -> usize;

    /// The right-hand side of the `Message-ID`s of what leaves here: the sender's domain.
    fn domain(&self) -> &str;

    /// Renders and checks: template, data, address and id become one message that can be handed over any number of
    /// times, byte for byte the same.
    ///
    /// # Errors
    /// [`ComposeError::Skip`] where this recipient cannot be written to and the next one may well be;
    /// [`ComposeError::Stop`] where nobody can, until the template or the configuration is mended.
    fn compose(&self, draft: &Draft<'_>) -> Result<Message, ComposeError>;

    /// A conversation for one sending thread. Nothing is connected before the first message.
    fn open(&self) -> Box<dyn Connection + Send + '_>;
}

/// One conversation, which carries one message after the other.
pub trait Connection {
    /// Hands one message over and says how that ended. Blocks until the other side has answered or a timer ran out.
    ///
    /// Never hands the same message over twice within one call, unless the first attempt provably was not accepted.
    fn send(&mut self, message: &Message) -> Outcome;

    /// Ends the conversation politely. The next `send` begins another.
    fn close(&mut self);
}

/// What a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// E-mail, to the address of the role `email`.
    Email,
}

impl Kind {
    /// The role of the profile column that holds the address, and the last part of its consent role: `email`.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Email => "email",
        }
    }
}
