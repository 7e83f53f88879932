//! `waymark model`: what a linkage model says, and what another one would change.

mod compare;
mod interval;
mod page;
mod show;
mod weights;

use clap::{Args, Subcommand};

use crate::{exit::Exit, failure::Failure, output::Format};

pub use weights::weights;

/// Shows linkage models, which `waymark train` writes.
#[derive(Debug, Args)]
pub struct ModelCommand {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Show the match weights, cut-offs and calibration of a model
    Show(show::Show),
    /// Link files under two models and show what would change
    Compare(compare::Compare),
}

impl ModelCommand {
    /// Shows what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or written, or a model does not fit the schema.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        match &self.command {
            Subcommands::Show(command) => command.run(format),
            Subcommands::Compare(command) => command.run(format),
        }
    }
}
