//! What the ways out promise, each file one promise.
//!
//! `contract` holds every channel to the same cases; `smtp` breaks conversations in every phase; `smuggling` sends what
//! must not break out of a message; `letter` looks at the bytes; `templates` at what is rendered. `fake` is an SMTP
//! server that follows a script, `world` the templates and profiles of all of them.

mod contract;
mod fake;
mod letter;
mod smtp;
mod smuggling;
mod templates;
mod world;
