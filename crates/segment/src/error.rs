//! Why a statement was not executed.

use crate::Item;

/// Why a statement was not executed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not in order.
    #[error(transparent)]
    Language(#[from] muster_language::Error),
    /// The query has no answer.
    #[error(transparent)]
    Query(#[from] muster_query::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] muster_store::Error),
    /// The state file cannot be read or written.
    #[error(transparent)]
    State(#[from] muster_state::Error),
    /// Nothing was loaded yet.
    #[error("there is no data yet; load some with `muster load`")]
    NoData,
    /// There is no such segment.
    #[error("there is no segment `{name}`{}", did_you_mean(nearest))]
    UnknownSegment {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// There is no such variable.
    #[error("there is no variable `{name}`{}", did_you_mean(nearest))]
    UnknownVariable {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// There is no such table.
    #[error("there is no table `{name}`{}", did_you_mean(nearest))]
    UnknownTable {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// The table has no such column.
    #[error("there is no column `{name}` in `{table}`{}", did_you_mean(nearest))]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// There is no such row as of the instant.
    #[error("there is no row of `{table}` with the key `{key}` as of {instant}")]
    UnknownRow {
        /// The table.
        table: String,
        /// The key that was asked for.
        key: String,
        /// The instant, in the workspace's zone.
        instant: String,
    },
    /// The name is taken.
    #[error("there is a {} already; CREATE OR REPLACE {} takes its place", with_kind(item), keyword(item))]
    Exists {
        /// What is there.
        item: Item,
    },
    /// Two definitions that come together have one name.
    #[error("there are two definitions of the {}; keep one, or rename the other", with_kind(item))]
    Twice {
        /// What they define.
        item: Item,
    },
    /// A variable cannot have the name of what profiles have already.
    #[error("`{name}` is {taken}, so a variable cannot have this name; choose another one")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        taken: String,
    },
    /// A variable's value cannot be a column.
    #[error("the variable `{name}` would hold {found}, which no column can; cast it: CAST(… AS VARCHAR)")]
    NoColumn {
        /// The variable.
        name: String,
        /// What the engine computes.
        found: String,
    },
    /// Others are built on it.
    #[error("`{name}` is used by {}; drop or change those first", users.join(", "))]
    InUse {
        /// The segment or variable.
        name: String,
        /// The segments and variables that name it.
        users: Vec<String>,
    },
    /// Segments and variables that are defined by each other.
    #[error("these are defined by each other: {}", cycle.join(" → "))]
    Cycle {
        /// The way round; first and last are the same.
        cycle: Vec<String>,
    },
    /// What muster.toml says of purchases is no expression over their table.
    #[error("{place}: the purchases of {table} cannot be read")]
    Purchases {
        /// The file and the line.
        place: String,
        /// The table.
        table: String,
        /// What is wrong; its places are those of the question that was made of it.
        #[source]
        source: Box<muster_language::Error>,
    },
    /// What purchases are worth is not exact.
    #[error(
        "{place}: the value of a purchase is a whole number or a decimal, and this is {found}; cast it: CAST(… AS DECIMAL(18, 2))"
    )]
    Worth {
        /// The file and the line.
        place: String,
        /// What the engine computes.
        found: String,
    },
    /// What muster.toml says of a score is no expression.
    #[error("{place}: `{text}` of the score {score} cannot be read")]
    Expression {
        /// The file and the line.
        place: String,
        /// The score.
        score: String,
        /// The expression.
        text: String,
        /// What is wrong; its places are those of the question that was made of it.
        #[source]
        source: Box<muster_language::Error>,
    },
    /// A characteristic is nothing that a model can learn from.
    #[error("{place}: the characteristic {name} is {found}; expected a number, a text, yes or no, a day or an instant")]
    Characteristic {
        /// The file and the line.
        place: String,
        /// The characteristic.
        name: String,
        /// What the engine computes.
        found: String,
    },
    /// What should say how often a score is computed again does not.
    #[error("{place}: \"{text}\" is no span of time; expected one such as \"1 day\" or \"PT6H\"")]
    Span {
        /// The file and the line.
        place: String,
        /// What is written there.
        text: String,
    },
    /// There is no such score that is kept.
    #[error("there is no score `{name}` that is computed now and then{}", did_you_mean(nearest))]
    UnknownScore {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// A score was not computed yet as of an instant.
    #[error("the score {score} was not computed by {instant}; `muster score {score}` computes it")]
    NotScored {
        /// The score.
        score: String,
        /// The instant, in the workspace's zone.
        instant: String,
    },
    /// No profile has the key.
    #[error("no profile has the key `{key}` in `{column}`{}", did_you_mean(nearest))]
    UnknownProfile {
        /// The key that was asked for.
        key: String,
        /// The column that holds keys.
        column: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// A profile that could not leave, so that it has no score of leaving.
    #[error("`{key}` has no churn.score as of {instant}: it is not in the base, which is who meets `{base}`")]
    OutsideBase {
        /// The key of the profile.
        key: String,
        /// The instant, in the workspace's zone.
        instant: String,
        /// The condition.
        base: String,
    },
    /// Nobody had bought an item by an instant.
    #[error("nobody had bought the item `{item}` by {instant}")]
    UnknownItem {
        /// The item.
        item: String,
        /// The instant, in the workspace's zone.
        instant: String,
    },
    /// A score cannot be computed from the numbers that there are.
    #[error("the score {score} cannot be computed")]
    Score {
        /// The score.
        score: String,
        /// Why.
        #[source]
        source: muster_score::Error,
    },
    /// A statement that writes, in a session that only reads.
    #[error("this statement writes, and the workspace was opened for reading")]
    ReadOnly,
}

impl Error {
    /// Whether somebody stopped the work, or a limit ended it: to try it in another way would take no notice.
    pub(crate) fn is_of_patience(&self) -> bool {
        use muster_query::Error as Query;
        matches!(self, Self::Query(Query::Stopped | Query::Time { .. } | Query::Memory { .. }))
    }
}

fn keyword(item: &Item) -> &'static str {
    match item {
        Item::Segment(_) => "SEGMENT",
        Item::Variable(_) => "VARIABLE",
        Item::Score(_) => "SCORE",
    }
}

fn with_kind(item: &Item) -> String {
    match item {
        Item::Segment(name) => format!("segment `{name}`"),
        Item::Variable(name) => format!("variable `{name}`"),
        Item::Score(name) => format!("score `{name}`"),
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
