//! What can go wrong around campaigns, told to the person who can mend it.
//!
//! What becomes of one message is never an error: it is a status in the ledger.

use muster_catalog::{Problems, Timestamp};

use crate::driver::GivenError;

/// A failure of the campaign room. The variants differ in what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A definition is not one; the author mends the text. Every problem with its place.
    #[error("{0}")]
    Definition(Problems),
    /// Nobody published a campaign of this name.
    #[error("campaign \"{name}\" was never published{}", nearest.as_ref().map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default())]
    Unpublished {
        /// The name that was asked for.
        name: String,
        /// The nearest name that was published.
        nearest: Option<String>,
    },
    /// The campaign has ended, and what ended does not go live again.
    #[error("campaign \"{name}\" has ended; publish it under another name to send again")]
    Ended {
        /// The campaign.
        name: String,
    },
    /// Every send is stopped until a person releases it.
    #[error("every send is halted since {since}; `muster halt --release` lets them go on")]
    Halted {
        /// Since when.
        since: Timestamp,
    },
    /// A published step names a channel that the workspace no longer has.
    #[error(
        "campaign \"{campaign}\", step \"{step}\": no channel \"{channel}\" in muster.toml; it has {}",
        or_none(known)
    )]
    NoChannel {
        /// The campaign.
        campaign: String,
        /// The step that sends over it.
        step: String,
        /// The channel's name.
        channel: String,
        /// The channels that there are.
        known: Vec<String>,
    },
    /// The workspace was never given its secret.
    #[error("the state holds no workspace secret; `muster init` makes one")]
    NoSecret,
    /// The audience of a segment cannot be had.
    #[error("campaign \"{campaign}\": the audience of segment \"{segment}\" cannot be had")]
    Audience {
        /// The campaign that wants it.
        campaign: String,
        /// The segment.
        segment: String,
        /// Why.
        #[source]
        source: GivenError,
    },
    /// The profiles of an audience cannot be read.
    #[error("the profiles to be written to cannot be read")]
    Profiles(#[source] GivenError),
    /// A finished run whose decisions do not add up: a broken invariant of this room.
    #[error("run {run} of campaign \"{campaign}\" does not add up: {detail}")]
    Identity {
        /// The run.
        run: i64,
        /// Its campaign.
        campaign: String,
        /// The two sides that differ.
        detail: String,
    },
    /// The state failed.
    #[error(transparent)]
    State(#[from] muster_state::Error),
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
