//! The tests of `muster-score`: published figures to their digits, and a slow twin beside every kernel.

mod binning;
mod cadence;
mod churn;
mod evidence;
mod logistic;
mod quality;
mod rfm;
