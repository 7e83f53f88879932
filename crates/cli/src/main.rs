//! `waymark`: the command line of agencies, stewards and operators.
//!
//! Reads the agency's files, encodes them and talks to the service. What it prints on standard
//! output is data; everything else goes to standard error.

mod catalogue;
mod cli;
mod client;
mod commands;
#[cfg(feature = "service")]
mod demo;
mod exit;
mod failure;
mod intake;
mod output;
mod secret;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let exit = commands::run(&cli).unwrap_or_else(|failure| {
        if failure.exit != Exit::Done {
            eprintln!("{failure}");
        }
        failure.exit
    });
    exit.into()
}
