//! How the scores are computed, as far as the workspace says: `[scores]`.

use std::ops::RangeInclusive;

use crate::Place;

/// How the scores are computed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    /// Recency, frequency, money.
    pub rfm: Rfm,
    /// Who is due to be won back.
    pub reactivation: Reactivation,
    /// Who is about to leave.
    pub churn: Churn,
    /// Who is still a customer, and what that is worth.
    pub alive: Alive,
    /// What each profile wants next; absent: nothing says what an item is.
    pub next_offer: Option<NextOffer>,
    /// How each profile responds to messages.
    pub engagement: Engagement,
    /// What is bought together, by name.
    pub affinities: Vec<Affinity>,
    /// The scores that the file says anything of.
    pub declared: Vec<String>,
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

impl RfmMethod {
    /// How it is written.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ntile => "ntile",
            Self::Quantile => "quantile",
            Self::Fixed(_) => "fixed",
        }
    }
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
    /// The histories right below profiles whose rows are signs of life of who never bought: visits.
    pub visits: Vec<String>,
}

impl Default for Reactivation {
    fn default() -> Self {
        Self { multiple: 2.0, visits: Vec::new() }
    }
}

/// An expression of the segment language, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// Where that begins.
    pub place: Place,
}

/// Who is about to leave: has no purchase within a window of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Churn {
    /// The length of the window in days, 1 to 3660.
    pub window_days: u16,
    /// Who can leave at all, as an expression of a profile; absent: who bought within two windows before.
    pub base: Option<Expression>,
    /// What learns.
    pub learner: Learner,
    /// What is known of each profile, by name; absent: the cadence and sums of its purchases.
    pub characteristics: Vec<(String, Expression)>,
    /// How often it is to be computed again, as a span of the segment language.
    pub refresh: Option<Expression>,
}

impl Default for Churn {
    fn default() -> Self {
        Self { window_days: 90, base: None, learner: Learner::default(), characteristics: Vec::new(), refresh: None }
    }
}

/// What learns who leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Learner {
    /// A sum of the evidence of all characteristics: what anyone can read.
    #[default]
    Logistic,
    /// Gradient-boosted trees.
    Boosted,
}

impl Learner {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Boosted => "boosted",
        }
    }
}

/// Who is still a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// Purchases are expected of so many days from now on, 1 to 3660.
    pub horizon_days: u16,
    /// How often it is to be computed again.
    pub refresh: Option<Expression>,
}

impl Default for Alive {
    fn default() -> Self {
        Self { horizon_days: 90, refresh: None }
    }
}

/// What each profile wants next.
#[derive(Debug, Clone, PartialEq)]
pub struct NextOffer {
    /// The table whose rows are single items of purchases: that of the purchases, or one below it.
    pub table: String,
    /// What the item of a row is, as an expression over it.
    pub item: Expression,
    /// What a row says of whether its item may be offered, as an expression over it; absent: all may.
    pub when: Option<Expression>,
    /// Which group a profile is in, as an expression over it: who never bought gets what sells best there.
    pub group: Option<Expression>,
    /// What was bought less than so many days ago is not offered, 0 to 3660.
    pub quiet_days: u16,
    /// Whether nothing is offered that the profile ever bought.
    pub only_new: bool,
    /// Days after which a purchase tells half as much; above 0.
    pub half_life_days: f64,
    /// Baskets that two items must be in together to be close to each other, 1 or more.
    pub least_baskets: u32,
    /// How often it is to be computed again.
    pub refresh: Option<Expression>,
}

/// How each profile responds to messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engagement {
    /// The table of messages, below profiles.
    pub messages: String,
    /// The table of responses, below that of messages.
    pub responses: String,
    /// Which messages count, as an expression over one; absent: all.
    pub when: Option<Expression>,
    /// How many different links a message has, as an expression over it; absent: that is not known.
    pub links: Option<Expression>,
    /// What a response is, as an expression over it: `open`, `click`, or anything else, which is no sign of life; absent: its
    /// column `kind`.
    pub kind: Option<Expression>,
    /// Which link was followed, as an expression over a response; absent: that is not known.
    pub link: Option<Expression>,
    /// The zone of a profile, as an expression over it; absent: its column with the role `zone`, or the workspace's.
    pub zone: Option<Expression>,
    /// How often it is to be computed again.
    pub refresh: Option<Expression>,
}

impl Default for Engagement {
    fn default() -> Self {
        Self {
            messages: "messages".to_owned(),
            responses: "responses".to_owned(),
            when: None,
            links: None,
            kind: None,
            link: None,
            zone: None,
            refresh: None,
        }
    }
}

/// What is bought together: `affinity('product')`.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinity {
    /// Its name.
    pub name: String,
    /// The table whose rows are single items of purchases: that of the purchases, or one below it.
    pub table: String,
    /// What the item of a row is, as an expression over it.
    pub item: Expression,
    /// Which rows count, as an expression over one; absent: all.
    pub when: Option<Expression>,
    /// What holds items that are together.
    pub basket: Basket,
    /// Only purchases of the last so many days count, 1 to 3660; absent: all.
    pub window_days: Option<u16>,
    /// Baskets that items must be in together, 1 or more.
    pub least_baskets: u32,
    /// Items of a rule at most, both sides together, 2 to 6.
    pub longest: u8,
    /// The confidence that a rule has at least, 0 to 1.
    pub least_confidence: f64,
    /// How often it is to be computed again.
    pub refresh: Option<Expression>,
}

/// What holds items that are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basket {
    /// A purchase.
    #[default]
    Purchase,
    /// All purchases of a profile.
    Profile,
}
