//! `waymark registry`: checks the pathway registry, and proposes rows for it.

mod check;
pub(crate) mod suggest;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use pathways::DEFAULT_REGISTRY;

use crate::{exit::Exit, failure::Failure, output::Format};

/// Checks the pathway registry, or proposes rows for it.
#[derive(Debug, Args)]
pub struct RegistryCommand {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Check a registry, with the rule profiles and calendars that go with it
    Check(check::Check),
    /// Propose component rows for the programs, courses, classes and services of a catalogue
    Suggest(suggest::Suggest),
}

/// Which registry.
#[derive(Debug, Args)]
struct RegistryArgs {
    /// Folder of the registry's .toml files, if not the registry that Waymark ships
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,
}

impl RegistryCommand {
    /// Checks or proposes.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or used.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        match &self.command {
            Subcommands::Check(command) => command.run(format),
            Subcommands::Suggest(command) => command.run(format),
        }
    }
}

impl RegistryArgs {
    /// Name and text of the registry's files, in the order of their names.
    fn files(&self) -> Result<Vec<(String, String)>, Failure> {
        let Some(folder) = &self.registry else {
            let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
            return Ok(DEFAULT_REGISTRY.map(owned).into());
        };
        let entries = fs::read_dir(folder).map_err(|error| Failure::reading(folder, &error))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Failure::reading(folder, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(named_file(&path)?);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The path as messages name it, and the text of the file.
fn named_file(path: &Path) -> Result<(String, String), Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
    Ok((path.display().to_string(), text))
}
