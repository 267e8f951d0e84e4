//! The segment language from the outside: text in, plain SQL or an error out.

#[macro_use]
mod world;

mod errors;
mod history;
mod lists;
mod plain;
mod property;
mod reasons;
mod segment_tables;
mod segments;
mod statements;
mod time;
mod values;
