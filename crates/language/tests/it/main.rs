//! The segment language from the outside: text in, plain SQL or an error out.

#[macro_use]
mod world;

mod errors;
mod functions;
mod history;
mod lists;
mod plain;
mod property;
mod segments;
mod statements;
mod time;
mod values;
