//! How the scores are computed, as far as the workspace says: `[scores]`.

use std::ops::RangeInclusive;

/// How the scores are computed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    /// Recency, frequency, money.
    pub rfm: Rfm,
    /// Who is due to be won back.
    pub reactivation: Reactivation,
}

/// How recency, frequency and money are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rfm {
    /// Into how many bins each is cut, 2 to 9; the best has the highest number.
    pub bins: u8,
    /// How they are cut.
    pub method: RfmMethod,
    /// The named groups, the first that fits counts; absent: those of the house.
    pub groups: Option<Vec<RfmGroup>>,
}

impl Default for Rfm {
    fn default() -> Self {
        Self { bins: 5, method: RfmMethod::default(), groups: None }
    }
}

/// How bins are cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RfmMethod {
    /// As many profiles in each, ties by the profile's key.
    #[default]
    Ntile,
    /// At the quantiles, equal values together.
    Quantile,
    /// At the points given.
    Fixed(CutPoints),
}

/// One cut point fewer than bins for each, every one above the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutPoints {
    /// In days since the last purchase.
    pub recency: Vec<i64>,
    /// In purchases.
    pub frequency: Vec<i64>,
    /// In the workspace's currency, as exact decimals: `99.95`.
    pub monetary: Vec<String>,
}

/// The profiles of a group, by their bins; a bin that nothing is said of may be any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfmGroup {
    /// What they are called.
    pub name: String,
    /// Bins of recency.
    pub r: RangeInclusive<u8>,
    /// Bins of frequency.
    pub f: RangeInclusive<u8>,
    /// Bins of money.
    pub m: RangeInclusive<u8>,
}

/// When a profile is due to be won back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reactivation {
    /// After how many times its mean gap between purchases; above 0.
    pub multiple: f64,
}

impl Default for Reactivation {
    fn default() -> Self {
        Self { multiple: 2.0 }
    }
}
