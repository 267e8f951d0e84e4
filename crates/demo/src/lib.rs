//! The demo world: a shop to look at, and a mail server to send to.
//!
//! `shop` generates a furniture shop's data of any size from a seed; `workspace` writes what a
//! person would write around them: configuration, segments, a campaign and its templates. `sink`
//! is an SMTP server on loopback that keeps an fsynced record of what it accepted; demos and tests
//! send to it and read its journal as the ground truth. Nothing here knows muster's store or its
//! campaigns: the room writes files and answers a socket, as any outsider would.

mod error;
pub mod shop;
pub mod sink;
pub mod workspace;

pub use error::Error;
