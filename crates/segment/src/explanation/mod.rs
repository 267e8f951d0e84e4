//! Why a row is in a segment or not: each condition with its truth, the values that went in, and the rows that decide it.

mod asking;

mod turning;

mod words;

use muster_catalog::Timestamp;
use muster_language::Joined;

/// Why a row is in a segment or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The segment.
    pub segment: String,
    /// The table whose rows it selects.
    pub table: String,
    /// The key of the row.
    pub key: String,
    /// The instant at which the definition looks at the world.
    pub as_of: Timestamp,
    /// Whether the row is in the segment.
    pub is_member: bool,
    /// What must be TRUE; `None` where the definition has no WHERE.
    pub condition: Option<ExplainedCondition>,
    /// What chooses among the rows that meet the condition, as it is written.
    pub choice: Option<String>,
}

impl Explanation {
    /// Whether the row was chosen among those that meet the condition; `None` where it does not meet it, or nothing is
    /// chosen.
    pub fn is_chosen(&self) -> Option<bool> {
        let meets = self.condition.as_ref().is_none_or(|condition| condition.truth == Some(true));
        (self.choice.is_some() && meets).then_some(self.is_member)
    }
}

/// A condition, and how it came to its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedCondition {
    /// As it is written.
    pub text: String,
    /// How its parts make it.
    pub joined: Joined,
    /// TRUE, FALSE or NULL.
    pub truth: Option<bool>,
    /// What went in: as it is written, and its value as text.
    pub values: Vec<(String, Option<String>)>,
    /// What would turn it between TRUE and not TRUE, where rows of one history decide it.
    pub turning: Option<Turning>,
    /// Its parts.
    pub parts: Vec<ExplainedCondition>,
    /// Of a segment in it: why the same row is in that.
    pub definition: Option<Box<Explanation>>,
}

/// What would turn a condition between TRUE and not TRUE: that the rows go, and that what is missing comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turning {
    /// The table of the rows.
    pub table: String,
    /// The rows that make it what it is, in row order.
    pub rows: Vec<DecidingRow>,
    /// What is not there.
    pub missing: Option<Missing>,
}

/// A row of a history that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidingRow {
    /// Its key, where the table has one.
    pub key: Option<String>,
    /// Its time, its own or inherited.
    pub time: Option<String>,
    /// What the comparison is about: each column with its value.
    pub values: Vec<(String, Option<String>)>,
}

/// Rows that are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub rows: u64,
    /// Of which table.
    pub table: String,
    /// What each of them would meet, all together.
    pub conditions: Vec<String>,
    /// Where it would stand among the others, where that matters.
    pub place: Option<MissingPlace>,
}

/// Where a row would stand in the order of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingPlace {
    /// Before all others.
    First,
    /// After all others.
    Last,
}
