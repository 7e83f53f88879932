//! `waymark`: the command line of agencies, stewards and operators.
//!
//! Reads the agency's files, encodes them and talks to the service. What it prints on standard
//! output is data; everything else goes to standard error.
//!
//! A library, so that what reads files can be given anything by tests; the binary calls [`main`].

mod catalogue;
mod cli;
mod client;
mod commands;
#[cfg(feature = "service")]
mod demo;
mod exit;
pub mod failure;
pub mod intake;
mod output;
pub mod readers;
mod secret;
mod settings;

use std::process::ExitCode;

use clap::Parser;

pub use crate::exit::Exit;

/// Does what the arguments of the process say; errors go to standard error.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let exit = commands::run(&cli).unwrap_or_else(|failure| {
        if failure.exit != Exit::Done {
            eprintln!("{failure}");
        }
        failure.exit
    });
    exit.into()
}
