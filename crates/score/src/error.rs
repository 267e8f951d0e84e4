//! What can be wrong with the numbers that a score is asked of. Whoever gathered them can put them right.

use thiserror::Error;

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    // What histories, baskets and offers can have wrong.
    /// Two lists that belong together have different lengths.
    #[error("{what} has {found} entries; expected {expected}")]
    Length {
        /// The list whose length is not the expected one.
        what: &'static str,
        /// How many entries it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// Offsets do not start at 0, fall, or end elsewhere than the list that they divide.
    #[error(
        "the offsets of {what} are wrong at {place}; expected them to begin at 0, never to fall and to end at {end}"
    )]
    Offsets {
        /// What the offsets divide.
        what: &'static str,
        /// The first offset that is wrong.
        place: usize,
        /// The length of the divided list.
        end: usize,
    },
    /// A code stands for nothing.
    #[error("{what} {code} at {place} is unknown; expected a code below {count}")]
    Code {
        /// What the code should stand for.
        what: &'static str,
        /// The code.
        code: u32,
        /// Where it stands.
        place: usize,
        /// How many codes there are.
        count: usize,
    },
    /// A number is outside of what its meaning allows, or is none.
    #[error("{what} at {place} is {value}; expected {expected}")]
    Number {
        /// What the number says.
        what: &'static str,
        /// Where it stands.
        place: usize,
        /// The number.
        value: f64,
        /// What would have been right.
        expected: &'static str,
    },
    /// Nobody bought a second time, so nothing tells how often customers come back.
    #[error("no customer bought more than once; expected some who did, to fit {model}")]
    NobodyReturned {
        /// The model that was to be fitted.
        model: &'static str,
    },
    /// The likelihood has no maximum within reach: the numbers do not determine the model.
    #[error("the customers do not determine {model}: no maximum of its likelihood was found in {iterations} steps")]
    Undetermined {
        /// The model that was to be fitted.
        model: &'static str,
        /// The steps that were tried.
        iterations: usize,
    },
    /// There are more entries than the codes in which they are counted can tell apart.
    #[error("there are {found} {what}; expected at most {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}
