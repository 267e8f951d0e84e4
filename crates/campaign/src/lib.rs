//! Campaigns: what happens, to whom, when, and never twice.
//!
//! A campaign is text ([`Definition`]). What happens to one profile is decided by a pure function
//! ([`interpreter::step`]); every choice to write to someone, or not to, is a row of the [`ledger`] before anything
//! leaves; and the [`Driver`] carries the choices out through channels, so that a crash at any moment costs no message,
//! sends none twice, and leaves at most one of unknown fate per open connection.
//!
//! Left to others: who is in a segment ([`Audiences`]), what is known of a profile ([`Profiles`]), where a link leads
//! ([`Links`]), how a message is written and handed over ([`muster_channel::Channel`]), and what time it is
//! ([`muster_catalog::Clock`]). All of these are given by the binary.

pub mod definition;
pub use definition::{Definition, Purpose};

pub mod interpreter;

mod publishing;
pub use publishing::{Published, Shelved, Standing, halt, halted_since, list, pause, publish, release, resume, stop};

pub mod ledger;
pub use ledger::{Reason, Status, Summary};

mod identity;
pub use identity::{AddressKey, DedupeKey, Digest, Secret};

pub mod consent;
pub mod suppression;

mod driver;
pub use driver::{Audience, Audiences, Driver, GivenError, LinkRequest, Links, Profiles, Recipient};

mod error;
pub use error::Error;

/// The tables of this room, for [`muster_state::State::open`].
pub const MIGRATIONS: &[muster_state::Migration] =
    &[muster_state::Migration { room: "campaign", number: 1, sql: include_str!("tables.sql") }];
