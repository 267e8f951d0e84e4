//! The tests of `muster-score`: published figures to their digits, and a slow twin beside every kernel.

mod affinity;
mod alive;
mod binning;
mod cadence;
mod churn;
mod engagement;
mod evidence;
mod itemsets;
mod logistic;
mod offers;
mod online_retail;
mod quality;
mod real_baskets;
mod rfm;
