//! The binary: arguments, configuration, wiring. Every rule of the domain lives in a room below.

mod arguments;

mod width;

mod pointing;

mod exit;

mod workspace;

mod output;
mod page;

mod archive;

mod progress;

mod phases;

mod loading;

mod appending;

mod queries;

mod campaigns;

mod sending;

mod handover;

mod holder;

mod previewing;

mod desk;

mod commands;

use std::panic;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use mimalloc::MiMalloc;
use muster_language::STACK_BYTES;

use crate::arguments::Arguments;

/// Loads take and give back gigabytes in large pieces on several threads: with the system's allocator one of 52 million rows
/// peaked at 5.5 GB, with this one at 3.7 GB, and took no longer.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.start_log();
    keep_guarded_panics_silent();
    let command = thread::Builder::new().name("muster".to_owned()).stack_size(STACK_BYTES);
    let command = command.spawn(move || match commands::run(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error),
    });
    match command.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => panic::resume_unwind(panic),
        Err(error) => exit::report(&anyhow::Error::new(error).context("no thread to run the command on")),
    }
}

/// A panic of a foreign reader over a damaged file is caught and told as a damaged file; printed, it would look like a crash.
fn keep_guarded_panics_silent() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !muster_ingest::is_guarded() {
            print(panic);
        }
    }));
}
