//! The server with a desk that only counts: what arrives, what is answered, and what the limits keep out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod desk;
mod served;

mod ending;
mod health;
mod http;
mod lines;
mod previews;
mod rows;
