//! The binary: arguments, configuration, wiring. Every rule of the domain lives in a room below.

mod arguments;

mod exit;

mod workspace;

mod output;

mod progress;

mod loading;

mod queries;

mod campaigns;

mod sending;

mod commands;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.start_log();
    match commands::run(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error),
    }
}
