//! What can be wrong with the numbers that are handed in.

/// The answer of a function of this crate that cannot do with all input.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // Cadence, ranks, evidence and churn.
    /// Two slices that speak of the same rows have different lengths.
    #[error("{what} has {found} rows; expected {expected}, as many as the others")]
    Lengths {
        /// The slice that differs.
        what: &'static str,
        /// The length of the first slice.
        expected: usize,
        /// Its own length.
        found: usize,
    },
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
    /// A value that must be a number is not.
    #[error("{what}, row {row}: {found} is not a finite number")]
    NotFinite {
        /// The slice.
        what: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The value.
        found: f64,
    },
    /// The first purchase of a profile comes after its last.
    #[error("row {row}: the first day {first} comes after the last day {last}")]
    FirstAfterLast {
        /// The row, counted from 0.
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
    /// A category's code is not one of those that there are.
    #[error("{what}, row {row}: code {found} is not below {categories}, the number of categories")]
    Code {
        /// The characteristic.
        what: String,
        /// The row, counted from 0.
        row: usize,
        /// The code.
        found: u32,
        /// How many categories there are.
        categories: usize,
    },
    /// A characteristic has numbers where the model learnt categories, or the other way round.
    #[error("{what}: numbers and categories are not one kind; expected the kind that the model was fitted on")]
    Kind {
        /// The characteristic.
        what: String,
    },
    /// A probability lies outside 0 to 1, or is no number.
    #[error("row {row}: {found} is not a probability; expected 0 to 1")]
    Probability {
        /// The row, counted from 0.
        row: usize,
        /// The value.
        found: f64,
    },
    /// No weights were found that fit: the numbers of a column are too far apart for doubles.
    #[error("no weights fit {columns} columns of {rows} rows; expected columns of similar sizes and a penalty above 0")]
    NoFit {
        /// How many columns there are.
        columns: usize,
        /// How many rows there are.
        rows: usize,
    },
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
    /// The library of boosted trees gave up.
    #[error("the boosted trees could not be grown")]
    Boosted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is nobody who left, or nobody who stayed: nothing tells the one from the other.
    #[error("{leavers} leavers and {stayers} stayers; expected at least one of each")]
    OneClass {
        /// Those who left.
        leavers: u64,
        /// Those who stayed.
        stayers: u64,
    },
}

/// Says that `found` is not `expected` long, if so.
pub(crate) fn same_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Lengths { what, expected, found }) }
}
