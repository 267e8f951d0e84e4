//! Scores: what everyone is worth, likely to do, and wants next. Mathematics on slices.
//!
//! Every function here is pure: numbers come in as slices, numbers go out. There is no engine, no clock, no file and no
//! unseeded chance; the answer does not depend on the number of threads. Where the numbers come from, and under which
//! names the answers are kept, is said by `segment`.

mod error;

// Who comes back, and when.
pub mod cadence;
pub mod groups;
pub mod ranks;
pub mod rfm;

// Who leaves, and why.
pub mod binning;
pub mod boosted;
pub mod calibration;
pub mod classifier;
pub mod evidence;
pub mod logistic;
pub mod model;
pub mod quality;

mod selection;

pub use error::{Error, Result};
