//! The segment language from the outside: text in, plain SQL or an error out.

#[macro_use]
mod world;

mod errors;
mod history;
mod lists;
mod plain;
mod printed;
mod property;
mod round_trip;
mod segments;
mod statements;
mod time;
mod values;
