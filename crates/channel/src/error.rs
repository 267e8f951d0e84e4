//! What can go wrong for the person who configures a channel or writes a template.
//!
//! What goes wrong with one recipient is a [`Skip`](crate::Skip), and how a hand-over ends is an
//! [`Outcome`](crate::Outcome): both are values.

use std::io;
use std::path::PathBuf;

use muster_catalog::{Problem, Problems};

use crate::MailboxError;

/// Why a channel or a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of templates cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Templates are wrong as they stand; every problem with its place.
    #[error("{0}")]
    Templates(Problems),
    /// Nobody wrote such a template.
    #[error("there is no template \"{name}\"{}", nearest.as_ref().map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default())]
    NoTemplate {
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// The template exists, but in no language that fits.
    #[error(transparent)]
    NoLanguage(#[from] NoLanguage),
    /// The template cannot be rendered with these data; with others it may.
    #[error("{0}")]
    Render(Problem),
    /// The template ran out of steps or wrote more than a message may hold, whatever the data.
    #[error("{0}")]
    Runaway(Problem),
    /// The sender is no mailbox.
    #[error(
        "channels.{channel}: from = {from:?} is not a sender: {source}; expected like \"Shop <news@shop.example>\""
    )]
    Sender {
        /// The channel.
        channel: String,
        /// What stands there.
        from: String,
        /// What is wrong with it.
        source: MailboxError,
    },
    /// A password would travel in plain text.
    #[error(
        "channels.{channel}: a password would go to {host} unencrypted; set tls = \"starttls\" or \"tls\" (\"none\" is for this machine only)"
    )]
    PasswordInPlain {
        /// The channel.
        channel: String,
        /// The server.
        host: String,
    },
    /// The environment variable that should hold the password is not set.
    #[error("channels.{channel}: the environment variable {variable} (password_env) is not set or not Unicode")]
    NoPassword {
        /// The channel.
        channel: String,
        /// The variable.
        variable: String,
    },
    /// `user` without `password_env`, or the other way round.
    #[error("channels.{channel}: user and password_env belong together; give both or neither")]
    HalfLogin {
        /// The channel.
        channel: String,
    },
    /// The server's name is no name that a certificate could carry.
    #[error("channels.{channel}: host = {host:?} is neither a host name nor an address")]
    Host {
        /// The channel.
        channel: String,
        /// What stands there.
        host: String,
    },
    /// A given certificate authority is no certificate.
    #[error("channels.{channel}: a certificate authority cannot be used")]
    Authority {
        /// The channel.
        channel: String,
        /// What TLS says about it.
        source: rustls::Error,
    },
}

/// A template is not written in the language that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template \"{template}\" is not written in {}; it is in {}", language.as_deref().unwrap_or("an unknown language"), known.join(", "))]
pub struct NoLanguage {
    /// The template.
    pub template: String,
    /// The language asked for, if any.
    pub language: Option<String>,
    /// The languages in which it exists, in the order of their tags.
    pub known: Vec<String>,
}
