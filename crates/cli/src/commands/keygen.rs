//! `waymark keygen`: makes a linkage key.

use std::path::{Path, PathBuf};

use clap::Args;
use encoding::LinkageKey;
use serde_json::json;

use crate::{
    cli::SchemaArgs,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
    secret, settings,
};

/// Makes a linkage key from the system's random numbers, in a file that only you can read.
///
/// All agencies of one service encode under the same key; the service never sees it. Hand it on
/// sealed, and keep it as you keep the identities themselves: who holds it can test a guessed
/// person against an encoding. The key check value that is printed is no secret: an operator may
/// put it into the service's settings, so that no other key is taken.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  waymark keygen --out linkage.key")]
pub struct Keygen {
    /// File to write; refused where it exists
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Number of the key in the order of keys; raise it when a key replaces another
    #[arg(long, value_name = "N", default_value_t = 1)]
    epoch: u32,
    #[command(flatten)]
    schema: SchemaArgs,
}

impl Keygen {
    /// Makes the key.
    ///
    /// # Errors
    /// [`Failure`] when the schema is refused, or the file exists or cannot be written.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let schema = settings::schema(&self.schema)?;
        let check_value = write_key(&self.out, self.epoch)?.check_value(&schema);
        eprintln!("linkage key written to {}", self.out.display());
        let mut key = Section::new("key", &["epoch", "schema", "version", "key_check_value"]);
        let schema_version = json!(schema.version);
        key.row(vec![json!(self.epoch), text(&schema.id), schema_version, text(check_value)]);
        Document::new("waymark.keygen/1").section(key).print(format)?;
        Ok(Exit::Done)
    }
}

/// Writes a new random key, and gives it.
///
/// # Errors
/// [`Failure`] when the file exists or cannot be written.
pub fn write_key(path: &Path, epoch: u32) -> Result<LinkageKey, Failure> {
    let key = settings::random_key(epoch)?;
    secret::write_new(path, &key.to_file_text())?;
    Ok(key)
}
