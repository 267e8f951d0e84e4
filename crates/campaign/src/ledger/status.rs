//! What a decision can be, and why one that is not sent is not.

use std::fmt;

use muster_state::{FromSql, FromSqlError, FromSqlResult, SqlResult, ToSql, ToSqlOutput, ValueRef};

/// Where a decision stands: `planned → ready → dispatching → sent`, or one of the other ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its audience is still entering.
    Planned,
    /// May be claimed by a sender.
    Ready,
    /// A sender claimed it and is handing it over, or died doing so.
    Dispatching,
    /// Provably not accepted; ready again when it is due.
    Deferred,
    /// The other side took responsibility.
    Sent,
    /// A rule held it back.
    Skipped,
    /// It was refused for good, or tried often enough.
    Failed,
    /// It may or may not have arrived, and nobody here can know.
    Uncertain,
    /// The profile is held out for comparison.
    Control,
}

impl Status {
    const WORDS: [(Self, &'static str); 9] = [
        (Self::Planned, "planned"),
        (Self::Ready, "ready"),
        (Self::Dispatching, "dispatching"),
        (Self::Deferred, "deferred"),
        (Self::Sent, "sent"),
        (Self::Skipped, "skipped"),
        (Self::Failed, "failed"),
        (Self::Uncertain, "uncertain"),
        (Self::Control, "control"),
    ];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        word(&Self::WORDS, self)
    }

    /// True for the five ends, of which every decision comes to exactly one.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Sent | Self::Skipped | Self::Failed | Self::Uncertain | Self::Control)
    }
}

/// The rule that skipped a decision, or the class of what failed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Skipped: marketing, and the profile did not agree.
    NoConsent,
    /// Skipped: nothing goes to this address.
    Suppressed,
    /// Skipped: the profile has no address.
    NoAddress,
    /// Skipped: the address is none.
    InvalidAddress,
    /// Skipped: the address needs internationalised mail.
    InternationalAddress,
    /// Skipped: another profile of this run has the same address.
    DuplicateAddress,
    /// Skipped: the profile is gone.
    NotEligible,
    /// Skipped: the template is not written in a language of the profile.
    Language,
    /// Skipped: the template cannot be rendered with the profile's data.
    Render,
    /// Skipped: the campaign was ended before.
    Halted,
    /// Failed: the address does not exist; it is suppressed from now on.
    AddressRefused,
    /// Failed: we are refused, not the person.
    SenderRefused,
    /// Failed: the message is refused.
    ContentRefused,
    /// Failed: refused without a class.
    Refused,
    /// Failed: deferred too often.
    GaveUp,
}

impl Reason {
    const WORDS: [(Self, &'static str); 15] = [
        (Self::NoConsent, "no consent"),
        (Self::Suppressed, "suppressed"),
        (Self::NoAddress, "no address"),
        (Self::InvalidAddress, "invalid address"),
        (Self::InternationalAddress, "eai"),
        (Self::DuplicateAddress, "duplicate address"),
        (Self::NotEligible, "not eligible"),
        (Self::Language, "language"),
        (Self::Render, "render"),
        (Self::Halted, "halted"),
        (Self::AddressRefused, "address refused"),
        (Self::SenderRefused, "sender refused"),
        (Self::ContentRefused, "content refused"),
        (Self::Refused, "refused"),
        (Self::GaveUp, "gave up"),
    ];

    /// The words in the ledger.
    pub fn as_str(self) -> &'static str {
        word(&Self::WORDS, self)
    }
}

fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], meaning: T) -> &'static str {
    let found = words.iter().find(|(candidate, _)| *candidate == meaning);
    found.expect("every variant has its word").1
}

fn meaning<T: Copy>(words: &[(T, &'static str)], value: ValueRef<'_>) -> FromSqlResult<T> {
    let word = value.as_str()?;
    let found = words.iter().find(|(_, candidate)| *candidate == word);
    found.map(|(meaning, _)| *meaning).ok_or(FromSqlError::InvalidType)
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ToSql for Status {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        meaning(&Self::WORDS, value)
    }
}

impl ToSql for Reason {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Reason {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        meaning(&Self::WORDS, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_thing() {
        let mut words: Vec<&str> = Status::WORDS.iter().map(|(_, word)| *word).collect();
        words.extend(Reason::WORDS.iter().map(|(_, word)| *word));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
