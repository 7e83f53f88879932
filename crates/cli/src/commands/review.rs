//! `waymark review`: the uncertain matches, settled by data stewards.

mod decide;
mod decisions;
mod export;
mod filter;
mod import;
mod judgment;
pub(crate) mod rows;
mod screen;
pub(crate) mod sheet;
mod statistics;
mod tasks;
pub(crate) mod verdicts;

use clap::{Args, Subcommand};

use self::{
    decide::{Ask, Decide},
    decisions::{Decisions, Undo},
    export::Export,
    filter::FilterArgs,
    import::Import,
    screen::ScreenOptions,
    statistics::{Sample, Stats},
    tasks::{List, Next, Release, Show},
};
use crate::{
    client::connection::{self, ConnectionArgs},
    exit::Exit,
    failure::Failure,
    output::Format,
};

const HELP: &str = "\
Examples:
  waymark review                                   settle one task after the other on the screen
  waymark review --reason band --blind             the same, of one reason, without the score
  waymark review list --older-than 7
  waymark review next
  waymark review decide 4k2m9x link --reason \"card seen\"
  waymark review export --out tasks.csv            settle many in a spreadsheet
  waymark review import tasks.csv

Every command needs a steward's token.";

/// Shows and settles the matches that the service is not sure of.
///
/// Without a command, interactively. A decision outranks every weight and survives retraining.
/// Reasons must not hold names, dates or numbers of a person.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Review {
    #[command(subcommand)]
    command: Option<ReviewCommand>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    blind: BlindArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Whether the score is hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
struct BlindArgs {
    /// Leave out weights, probabilities and participants; audit tasks are always shown so
    #[arg(long)]
    blind: bool,
}

#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// List the tasks, most urgent first
    List(List),
    /// Show a task with what speaks for and against the match
    Show(Show),
    /// Take the most urgent task that nobody else holds, and show it
    Next(Next),
    /// Give a task back before its lease ends
    Release(Release),
    /// Settle a task, put it off or pass it on
    Decide(Decide),
    /// Ask the agency that owns a record to check some of its fields
    Ask(Ask),
    /// Take a decision back
    Undo(Undo),
    /// List decisions, newest first
    Decisions(Decisions),
    /// Write tasks to a file to be filled in
    Export(Export),
    /// Decide the tasks of a filled-in file
    Import(Import),
    /// Draw a sample of pairs to judge without the score
    Sample(Sample),
    /// Show the workload, how stewards agree, and the estimated quality of the links
    Stats(Stats),
}

impl Review {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        match &self.command {
            None => {
                let options =
                    ScreenOptions { filter: self.filter.filter()?, blind: self.blind.blind };
                screen::run(&options, &self.connection)
            }
            Some(command) => {
                self.refuse_options_of_screen()?;
                connection::run(command.run(&self.connection, format))
            }
        }
    }

    /// A command has a filter of its own, so that one before it would be lost.
    fn refuse_options_of_screen(&self) -> Result<(), Failure> {
        if self.filter == FilterArgs::default() && self.blind == BlindArgs::default() {
            return Ok(());
        }
        let what = "a filter and --blind stand before the command";
        Err(Failure::plain(Exit::Usage, what).remedy("put them behind it"))
    }
}

impl ReviewCommand {
    async fn run(&self, connection: &ConnectionArgs, format: Format) -> Result<Exit, Failure> {
        let document = match self {
            Self::List(list) => list.run(connection).await?,
            Self::Show(show) => show.run(connection).await?,
            Self::Next(next) => next.run(connection).await?,
            Self::Release(release) => release.run(connection).await?,
            Self::Decide(decide) => decide.run(connection).await?,
            Self::Ask(ask) => ask.run(connection).await?,
            Self::Undo(undo) => undo.run(connection).await?,
            Self::Decisions(decisions) => decisions.run(connection).await?,
            Self::Export(export) => export.run(connection).await?,
            Self::Import(import) => return import.run(connection, format).await,
            Self::Sample(sample) => sample.run(connection).await?,
            Self::Stats(stats) => stats.run(connection).await?,
        };
        document.print(format)?;
        Ok(Exit::Done)
    }
}
