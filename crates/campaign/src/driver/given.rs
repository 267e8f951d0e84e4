//! What the driver is given by the binary: who, what is known of them, and where links lead.

use muster_catalog::Timestamp;
use muster_channel::MessageId;
use serde_json::{Map, Value};

/// A failure inside something that the driver was given.
pub type GivenError = Box<dyn std::error::Error + Send + Sync>;

/// The members of a segment at one instant, frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Their keys, sorted bytewise, each once.
    pub keys: Vec<String>,
    /// The snapshot on which the segment was evaluated.
    pub snapshot: u64,
    /// As of when.
    pub as_of: Timestamp,
    /// Digest of the segment's definition.
    pub definition: String,
}

/// Answers who is in a segment.
pub trait Audiences: Sync {
    /// The members of `segment`, now.
    ///
    /// # Errors
    /// Where the segment does not exist or cannot be evaluated.
    fn audience(&self, segment: &str) -> Result<Audience, GivenError>;
}

/// What is known of a profile that is to be written to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recipient {
    /// Its address for the channel, as it stands in the data.
    pub address: Option<String>,
    /// Its language, where it is known.
    pub language: Option<String>,
    /// Its fields by name, for templates.
    pub fields: Map<String, Value>,
}

/// Answers what is known of profiles.
pub trait Profiles: Sync {
    /// One answer per key, in the order of `keys`, some hundreds at a time; `None` for a profile that is gone. `role` is
    /// that of the column that holds the address: `email`.
    ///
    /// # Errors
    /// Where the profiles cannot be read.
    fn fetch(&self, role: &str, keys: &[&str]) -> Result<Vec<Option<Recipient>>, GivenError>;
}

/// The message for which a link is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRequest<'a> {
    /// The campaign.
    pub campaign: &'a str,
    /// The profile.
    pub profile_key: &'a str,
    /// The message's id.
    pub message: &'a MessageId,
}

/// Answers where the links of a message lead; the same for every attempt at it.
pub trait Links: Sync {
    /// The links of one message.
    fn links(&self, request: &LinkRequest<'_>) -> muster_channel::Links;
}

impl<F: Fn(&LinkRequest<'_>) -> muster_channel::Links + Sync> Links for F {
    fn links(&self, request: &LinkRequest<'_>) -> muster_channel::Links {
        self(request)
    }
}
