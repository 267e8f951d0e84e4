//! The segment language from the outside: text in, plain SQL or an error out.

#[macro_use]
mod world;

mod errors;
mod functions;
mod history;
mod lists;
mod past;
mod plain;
mod printed;
mod property;
mod reasons;
mod round_trip;
mod scores;
mod segment_tables;
mod segments;
mod statements;
mod time;
mod values;
mod variables;
