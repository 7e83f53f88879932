//! The commands, one file each.

pub mod admin;
pub mod audit;
pub mod batch;
pub mod check;
#[cfg(feature = "service")]
pub mod demo;
pub mod encode;
pub mod error;
#[cfg(feature = "service")]
pub mod evaluate;
pub mod events;
pub mod explain;
pub mod keygen;
#[cfg(feature = "service")]
pub mod link;
#[cfg(feature = "service")]
pub mod model;
#[cfg(feature = "service")]
mod offline;
pub mod questions;
pub mod registry;
pub mod review;
pub mod statements;
pub mod status;
pub mod submit;
pub mod train;
pub mod withdraw;

use crate::{
    cli::{Cli, Command},
    exit::Exit,
    failure::Failure,
    intake::rejection::Rejected,
};

/// Runs the command that the user gave.
///
/// # Errors
/// [`Failure`] says why it could not be done.
pub fn run(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Keygen(command) => command.run(cli.format),
        Command::Check(command) => command.run(cli.format),
        Command::Encode(command) => command.run(cli.format),
        #[cfg(feature = "service")]
        Command::Link(command) => command.run(cli.format),
        #[cfg(feature = "service")]
        Command::Evaluate(command) => command.run(cli.format),
        #[cfg(feature = "service")]
        Command::Model(command) => command.run(cli.format),
        Command::Submit(command) => command.run(cli.format),
        Command::Events(command) => command.run(cli.format),
        Command::Statements(command) => command.run(cli.format),
        Command::Status(command) => command.run(cli.format),
        Command::Batch(command) => command.run(cli.format),
        Command::Withdraw(command) => command.run(cli.format),
        Command::Review(command) => command.run(cli.format),
        Command::Questions(command) => command.run(cli.format),
        Command::Registry(command) => command.run(cli.format),
        Command::Explain(command) => command.run(cli.format),
        Command::Train(command) => command.run(cli.format),
        Command::Audit(command) => command.run(cli.format),
        Command::Admin(command) => command.run(cli.format),
        #[cfg(feature = "service")]
        Command::Demo(command) => command.run(cli.format),
        Command::Error(command) => command.run(),
    }
}

/// Tells where the rejected rows of a file stand.
fn report_rejected(rejected: &Rejected) {
    if let Some(path) = &rejected.path {
        eprintln!(
            "{} rejected rows are in {}: fix them there and send that file",
            rejected.n_rows,
            path.display()
        );
    }
}
