//! `waymark keygen`: makes a linkage key.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{exit::Exit, failure::Failure, secret, settings};

/// Makes a linkage key from the system's random numbers, in a file that only you can read.
///
/// All agencies of one service encode under the same key; the service never sees it. Hand it on
/// sealed, and keep it as you keep the identities themselves: who holds it can test a guessed
/// person against an encoding.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  waymark keygen --out linkage.key")]
pub struct Keygen {
    /// File to write; refused where it exists
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Number of the key in the order of keys; raise it when a key replaces another
    #[arg(long, value_name = "N", default_value_t = 1)]
    epoch: u32,
}

impl Keygen {
    /// Makes the key.
    ///
    /// # Errors
    /// [`Failure`] when the file exists or cannot be written.
    pub fn run(&self) -> Result<Exit, Failure> {
        write_key(&self.out, self.epoch)?;
        eprintln!("linkage key of epoch {} written to {}", self.epoch, self.out.display());
        Ok(Exit::Done)
    }
}

/// Writes a new random key.
///
/// # Errors
/// [`Failure`] when the file exists or cannot be written.
pub fn write_key(path: &Path, epoch: u32) -> Result<(), Failure> {
    secret::write_new(path, &settings::random_key(epoch)?.to_file_text())
}
