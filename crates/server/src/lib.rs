//! The running process: decode, ask, encode.
//!
//! Two doors: HTTP for machines that ask how it stands ([`app`]: `livez`, `readyz`), and the write socket in the data
//! directory, on which commands and rows arrive as lines of JSON (`protocol`). Rows of all connections wait in one
//! bounded queue and go to the workspace in groups, each group one commit (`queue`, `writer`). What a table, a load or
//! a campaign is, knows whoever implements [`Desk`]; here are only lines, limits and the order of things.
//!
//! The only door to axum.

mod desk;
pub use desk::{
    Appended, Batch, Check, Command, Desk, Failure, PreviewRequest, Previewed, PreviewedCondition, Refusal,
    RejectedRow, Report,
};

mod limits;
pub use limits::Limits;

mod service;
pub use service::Service;

mod standing;
pub use standing::{Phase, Standing};

mod health;
pub use health::app;

mod http;

mod socket;
pub use socket::connect;

mod client;
pub use client::Client;

mod conversation;

mod lines;

mod protocol;
pub use protocol::{VERSION, Wrong};

mod json;

mod queue;

mod writer;

mod error;
pub use error::Error;
