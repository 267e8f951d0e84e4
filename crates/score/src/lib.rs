//! Scores: what everyone is worth, likely to do, and wants next. Mathematics on slices.
//!
//! Every function here is pure: numbers come in as slices, numbers go out. There is no engine, no clock, no file and no
//! unseeded chance; the answer does not depend on the number of threads. Where the numbers come from, and under which
//! names the answers are kept, is said by `segment`.

pub mod alive;
pub mod engagement;
pub mod spend;

pub mod affinity;
pub mod baskets;
pub mod habits;
pub mod held_out;
pub mod itemsets;
pub mod neighbours;
pub mod offers;
pub mod rules;

mod descent;
mod error;

pub use error::Error;
