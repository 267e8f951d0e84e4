//! Everything that has a name and is refreshed: for now segments, their audiences, who came and went, and variables.
//!
//! [`Session`] executes statements of the language over the newest snapshot; [`Evaluator`] says who is in a segment, each
//! at most once per snapshot and instant. Definitions and audiences live in the state file. What a query means is
//! `language`'s, how it runs is `query`'s, what is done with an audience is `campaign`'s.

mod error;
pub use error::Error;

mod definition;
pub use definition::{Definition, Definitions};

mod item;
pub use item::{Item, NewDefinition};

mod variable;
pub use variable::Variable;

mod audience;
pub use audience::Audience;

mod memberships;
pub use memberships::{Cause, Refresh, members_as_of, take_back};

mod tables;
pub use tables::MIGRATIONS;

mod past;

mod computed;

mod each;

mod scores;
pub use scores::{
    Asked, Chart, Fact, KeptInputs, Reason, Reasons, Report, ReportTable, ScoreFailure, ScoreTable, Scoring,
};

mod evaluator;
pub use evaluator::Evaluator;

mod profiles;
pub use profiles::Profiles;

mod cells;

mod describe;
pub use describe::{
    Classes, ColumnDescription, Depth, Distinct, Grants, MOST_FREQUENT, TableDescription, Wanted, class_of, class_word,
    part,
};

mod preview;
pub use preview::{CountedCondition, Preview};

mod explanation;
pub use explanation::{DecidingRow, ExplainedCondition, Explanation, Missing, MissingPlace, Turning};

mod difference;
pub use difference::{Difference, Move, Moved};

mod freshness;
pub use freshness::Freshness;

mod health;
pub use health::{Double, Doubles, Future, Health, Month};

mod session;
pub use session::{Access, Outcome, RANKS, ScoreStanding, Session, Workbench};

mod listing;
