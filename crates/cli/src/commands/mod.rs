//! One file per command.

mod apply;
mod campaign;
mod check;
mod demo;
mod export;
mod init;
mod listing;
mod load;
mod segment;
mod segments;
mod sink;
mod sql;
mod status;

use anyhow::Result;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;

/// Runs the command that the arguments name.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.command {
        Command::Demo(demo) => demo::run(arguments, demo),
        Command::Init(init) => init::run(init),
        Command::Check => check::run(arguments),
        Command::Load(load) => load::run(arguments, load),
        Command::Status => status::run(arguments),
        Command::Sql(sql) => sql::run(arguments, sql),
        Command::Segments => segments::run(arguments),
        Command::Segment(segment) => segment::run(arguments, segment),
        Command::Apply(apply) => apply::run(arguments, apply),
        Command::Campaign(campaign) => campaign::run(arguments, campaign),
        Command::Export(export) => export::run(arguments, export),
        Command::Sink(sink) => sink::run(sink),
    }
}
