//! Statements over a published shop: what is defined, evaluated, kept, shown and refused.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod world;

mod asking_the_past;

mod row_segments;

mod variables;

mod defining;

mod describing;

mod refusing;

mod refreshing;

mod learnt;
mod listing;

mod evaluating;

mod as_of;

mod memberships;

mod explaining;

mod turning;

mod segment_tables;

mod differing;

mod each;

mod three_values;

mod masked;

mod planted;
mod prospects;

mod kept_inputs;

mod health;

mod scores;
