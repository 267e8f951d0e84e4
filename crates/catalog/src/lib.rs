//! The ground of the house: what a workspace is, said once, for every room above it.
//!
//! Reads the *text* of `muster.toml` into a [`Catalog`] of tables, relations, roles and zones, and holds the small
//! values that all rooms speak in: [`Timestamp`], [`Clock`], [`ProfileId`], [`RowSet`], [`ColumnType`]. It opens no
//! file, knows no engine, and its clock never ticks by itself; who reads the file is the binary, who fills the
//! tables is `ingest` and `store`.

mod time;
pub use time::{Clock, FixedClock, LocalTimeError, Timestamp, local_midnight, parse_local};

mod rows;
pub use rows::{ProfileId, RowSet};

mod types;
pub use types::ColumnType;

mod column;
pub use column::{Class, Column, Owner, Pick, Role, Unit};

mod dialect;
pub use dialect::{Damaged, Dialect, Encoding, ShortRows, StrayQuotes, Unnamed};

mod table;
pub use table::{
    Catalog, Channel, Kind, LISTS, Link, MissingParent, Mode, Purchase, SmtpChannel, Source, Table, Tls, Workspace,
};

mod scores;
pub use scores::{
    Affinity, Alive, Basket, Churn, CutPoints, Engagement, Expression, Learner, NextOffer, Reactivation, Rfm, RfmGroup,
    RfmMethod, Scores,
};

mod names;
pub use names::{ColumnNames, Names, ScoreNames, SegmentNames, TableNames};

mod condition;
pub use condition::{Condition, Literal, Operator, Verdict, parse_conditions};

mod config;
pub use config::parse;

mod problem;
pub use problem::{Place, Problem, Problems};

mod spelling;
pub use spelling::nearest;
