//! What can be wrong with the numbers that are handed in. Whoever gathered them can put them right.

/// The answer of a function of this crate that cannot do with all input.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no answer. Rows, lines and entries are counted from 0.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // Lists that do not go together.
    /// Two slices that belong together have different lengths.
    #[error("{what}: {found}; expected {expected}, as many as the others")]
    Lengths {
        /// What the slice holds.
        what: &'static str,
        /// How many it should hold.
        expected: usize,
        /// How many it holds.
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
    #[error("{what}, row {row}: code {found} is unknown; expected a code below {count}")]
    Code {
        /// What it should stand for.
        what: String,
        /// Where it stands.
        row: usize,
        /// The code.
        found: u32,
        /// How many codes there are.
        count: usize,
    },
    /// A response names a message that its profile did not get.
    #[error("response {row}: message {found} is not one that the profile got")]
    ForeignMessage {
        /// The response.
        row: usize,
        /// The message it names.
        found: u32,
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

    // Numbers without a meaning.
    /// A number given by the workspace lies outside what has a meaning.
    #[error("{what} is {found}; expected {expected}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f64,
    },
    /// A number of a slice is outside of what its meaning allows, or is none.
    #[error("{what}, row {row}: {found}; expected {expected}")]
    Number {
        /// What the number says.
        what: &'static str,
        /// Where it stands.
        row: usize,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f64,
    },
    /// The first purchase of a profile comes after its last.
    #[error("row {row}: the first day {first} comes after the last day {last}")]
    FirstAfterLast {
        /// The profile.
        row: usize,
        /// Days since 1970-01-01.
        first: i32,
        /// Days since 1970-01-01.
        last: i32,
    },
    /// Cut points must rise, and there is one fewer than bins.
    #[error("{found} cut points for {bins} bins; expected {expected} that rise", expected = bins - 1)]
    CutPoints {
        /// How many bins there are.
        bins: usize,
        /// How many cut points were given.
        found: usize,
    },

    // Rows that a model cannot be fitted on.
    /// There is nobody who left, or nobody who stayed: nothing tells the one from the other.
    #[error("{leavers} leavers and {stayers} stayers; expected at least one of each")]
    OneClass {
        /// Those who left.
        leavers: u64,
        /// Those who stayed.
        stayers: u64,
    },
    /// No weights were found that fit: the numbers of a column are too far apart for doubles.
    #[error("no weights fit {columns} columns of {rows} rows; expected columns of similar sizes and a penalty above 0")]
    NoFit {
        /// How many columns there are.
        columns: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// The library of boosted trees gave up.
    #[error("the boosted trees could not be grown")]
    Boosted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody bought a second time, so nothing tells how often customers come back.
    #[error("no customer bought more than once; expected some who did, to fit {model}")]
    NobodyReturned {
        /// The model that was to be fitted.
        model: &'static str,
    },
    /// The likelihood has no maximum within reach: the numbers do not determine the model.
    #[error(
        "the customers do not determine {model}: no maximum of its likelihood was found in {iterations} steps; hardly anybody \
         stops buying for good in so short a time, or there are too few"
    )]
    Undetermined {
        /// The model that was to be fitted.
        model: &'static str,
        /// The steps that were tried.
        iterations: usize,
    },

    // Models that were written.
    /// A model was made by another version of the text.
    #[error("the model is written in version {found}; expected {expected}")]
    ModelVersion {
        /// The version of this crate.
        expected: u32,
        /// The version of the text.
        found: u32,
    },
    /// The text is no model.
    #[error("the text is no model")]
    ModelText(#[source] serde_json::Error),
    /// A model's parts do not fit together: the text was changed by hand.
    #[error("{what} of the model are {found}; expected {expected}, as many as the others")]
    ModelParts {
        /// The parts.
        what: &'static str,
        /// How many the others are.
        expected: usize,
        /// How many they are.
        found: usize,
    },
    /// A characteristic has numbers where the model learnt categories, or the other way round.
    #[error("{what}: numbers and categories are not one kind; expected the kind that the model was fitted on")]
    Kind {
        /// The characteristic.
        what: String,
    },
}
