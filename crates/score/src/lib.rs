//! Scores: what everyone is worth, likely to do, and wants next. Mathematics on slices.
//!
//! Every function here is pure: numbers come in as slices, numbers go out. There is no engine, no clock, no file and no
//! unseeded chance; the answer does not depend on the number of threads. Where the numbers come from, and under which
//! names the answers are kept, is said by `segment`.

// Who comes back, and when.

pub mod cadence;

pub mod rfm;

pub mod ranks;

pub mod groups;

// Who leaves, and why.

pub mod model;

pub mod binning;

pub mod evidence;

pub mod classifier;

pub mod logistic;

pub mod boosted;

pub mod calibration;

pub mod quality;

// Who is still a customer, and what that is worth.

pub mod alive;

pub mod spend;

// What is bought together.

pub mod baskets;

pub mod itemsets;

pub mod rules;

pub mod affinity;

pub mod neighbours;

// What each customer wants next.

pub mod habits;

pub mod offers;

pub mod held_out;

// How each profile responds to messages.

pub mod engagement;

// What they are made of.

mod error;
pub use error::{Error, Result};

mod checks;

mod selection;

mod descent;

mod times;
