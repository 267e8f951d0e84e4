//! `muster sink`: a mail server that keeps a journal and delivers nothing; for the demo and the tests.

use anyhow::Result;
use muster_demo::sink::{Options, Sink};

use crate::arguments::Sink as Arguments;
use crate::exit::Exit;

/// Answers clients until the process is ended.
///
/// # Errors
/// If the address or the journal cannot be used.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    let sink = Sink::bind(arguments.listen, &arguments.journal, Options::default())?;
    if let Some(path) = &arguments.port_file {
        sink.write_port(path)?;
    }
    sink.run()?;
    Ok(Exit::Done)
}
