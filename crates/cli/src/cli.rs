//! The command line: every command, with the options that several commands share.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;

use crate::{commands, exit, output::Format};

/// Links the records of many agencies into one participant index, from encoded identities.
///
/// Names, dates and numbers never leave the agency: `encode` and `submit` turn them into keyed
/// encodings first.
#[derive(Debug, Parser)]
#[command(
    name = "waymark",
    version,
    after_long_help = exit::HELP,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// How data is printed on standard output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a linkage key, the secret that all agencies of one service share
    Keygen(commands::keygen::Keygen),
    /// Show the data quality of an identity file, and what would be sent, without sending it
    Check(commands::check::Check),
    /// Encode an identity file, so that it can leave the agency
    Encode(commands::encode::Encode),
    /// Link identity files offline, without a server: for pilots and evaluation
    #[cfg(feature = "service")]
    Link(commands::link::Link),
    /// Compare links with a known truth: precision, recall and F1
    #[cfg(feature = "service")]
    Evaluate(commands::evaluate::Evaluate),
    /// Show a linkage model, or what another one would change
    #[cfg(feature = "service")]
    Model(commands::model::ModelCommand),
    /// Send identity records, and events with them, to the service
    Submit(commands::submit::Submit),
    /// Send events
    Events(commands::events::Events),
    /// State how far the agency has reported, which wages are loaded, what became of an employer
    Statements(commands::statements::Statements),
    /// Show the statuses of the agency's own people
    Status(commands::status::StatusCommand),
    /// Show what was submitted and what became of it
    Batch(commands::batch::Batch),
    /// Withdraw records of the agency, or all that it has sent, and have them erased
    Withdraw(commands::withdraw::Withdraw),
    /// List and answer the questions about the quality of the agency's own records
    Questions(commands::questions::Questions),
    /// Show and settle the matches that the service is not sure of
    Review(commands::review::Review),
    /// Check the pathway registry, or propose rows for it
    Registry(commands::registry::RegistryCommand),
    /// Explain why a record belongs to its participant, or why two records do or do not match
    Explain(commands::explain::Explain),
    /// Train a linkage model, without labels
    Train(commands::train::Train),
    /// Show who did what, and who was told what
    Audit(commands::audit::Audit),
    /// Administer agencies and tokens, and show the state of the service
    Admin(commands::admin::Admin),
    /// Show the whole way on this machine: a made-up state, a real server, results
    #[cfg(feature = "service")]
    Demo(commands::demo::Demo),
    /// Print a page of the error catalogue
    Error(commands::error::ErrorPage),
}

/// How identities are encoded.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Linkage schema to encode under, if not the one that Waymark ships
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
}

/// How an identity file is read.
#[derive(Debug, Args)]
pub struct ReadingArgs {
    /// Mapping of the file's own column names to the recognised ones
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// The day that the data describe, and the version of records without one; by default the day
    /// on which the file was last changed (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub as_of: Option<Date>,
}

/// Where rejected rows go.
#[derive(Debug, Args)]
pub struct RejectedArgs {
    /// Directory for the rejected rows (NAME.rejected.csv); by default the one of the input
    #[arg(long, value_name = "DIR")]
    pub rejected_dir: Option<PathBuf>,
}

/// The recognised columns, for the help of the commands that read identity files.
pub const COLUMNS_HELP: &str = "\
The file is CSV in UTF-8 with a header row. Recognised columns:
  local_id, first_name, middle_name, last_name, name_suffix, date_of_birth, ssn, sex,
  street_address, city, state, zip, phone, email, every other field of the linkage schema,
  agency (whose record the row is) and record_version (a whole number or a date).
Other columns are named in a mapping file (--mapping):
  ignore = [\"internal_note\"]
  [columns]
  first_name = \"given_name\"
  street_address = [\"house_no\", \"street\"]   # joined with a space
A local id must not be an SSN. Where the file has no local_id column, each row's id is derived
from its encoding: the same values under the same key give the same id.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
