//! One file per command.

pub mod apply;
mod backup;
pub mod campaign;
mod check;
mod demo;
mod doctor;
mod export;
mod init;
mod listing;
pub mod load;
pub mod refresh;
mod restore;
pub mod score;
mod segment;
mod segments;
mod serve;
mod sink;
pub mod sql;
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
        Command::Init(init) => init::run(arguments, init),
        Command::Check(check) => check::run(arguments, check),
        Command::Load(load) => load::run(arguments, load),
        Command::Status(status) => status::run(arguments, status),
        Command::Sql(sql) => sql::run(arguments, sql),
        Command::Segments => segments::run(arguments),
        Command::Segment(segment) => segment::run(arguments, segment),
        Command::Apply(apply) => apply::run(arguments, apply),
        Command::Refresh(refresh) => refresh::run(arguments, refresh),
        Command::Score(score) => score::run(arguments, score),
        Command::Campaign(campaign) => campaign::run(arguments, campaign),
        Command::Export(export) => export::run(arguments, export),
        Command::Backup(backup) => backup::run(arguments, backup),
        Command::Restore(restore) => restore::run(arguments, restore),
        Command::Doctor(doctor) => doctor::run(arguments, doctor),
        Command::Serve(serve) => serve::run(arguments, serve),
        Command::Sink(sink) => sink::run(sink),
    }
}
