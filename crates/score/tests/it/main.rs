//! The tests of `muster-score`: published figures to their digits, and a slow twin beside every kernel.

mod binning;
mod cadence;
mod evidence;
mod rfm;
