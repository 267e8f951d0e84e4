//! The tests of `muster-score`: published figures to their digits, and a slow twin beside every kernel.

mod affinity;
mod alive;
mod engagement;
mod itemsets;
mod offers;
mod online_retail;
mod real_baskets;
