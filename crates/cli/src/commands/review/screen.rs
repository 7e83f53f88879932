//! The screen of `waymark review`: the queue and one task at a time, in the terminal.
//!
//! `state` knows what is on the screen and how keys and answers change it, `draw` puts it into a
//! frame, and `driver` carries what terminal and service say to the one and draws with the other.
//! What the steward commits to goes through `journal`, so that no decision is lost.

mod call;
mod commitment;
mod draw;
mod driver;
mod journal;
#[cfg(test)]
mod samples;
mod service;
mod state;
mod terminal;
mod words;

use std::io::{IsTerminal, stdin, stdout};

use api::review::TaskFilter;
use data_encoding::HEXLOWER;
use jiff::Timestamp;

use self::{
    draw::look::Look,
    journal::Journal,
    service::Service,
    state::{Ids, State},
};
use crate::{
    client::connection::{self, ConnectionArgs},
    exit::Exit,
    failure::Failure,
};

/// How the screen opens.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenOptions {
    /// Which tasks to list and to take.
    pub filter: TaskFilter,
    /// Whether weights, probabilities and participants are hidden.
    pub blind: bool,
}

/// Opens the screen on the most urgent task, and stays until the steward closes it.
///
/// # Errors
/// [`Failure`] when this is no terminal, the journal cannot be kept, the service cannot be reached
/// at the start, or the token opens nothing any more. A lost connection is no failure: the screen
/// waits for it.
pub fn run(options: &ScreenOptions, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    check_terminal()?;
    let journal = Journal::open(connection)?;
    let kept = journal.kept()?;
    connection::run(async {
        let caller = connection.connect().await.map_err(|failure| match kept.len() {
            0 => failure,
            n => failure.remedy(format!(
                "check that waymarkd runs there and start again: {} not lost, and sent then",
                if n == 1 { "a decision that waits is" } else { "decisions that wait are" }
            )),
        })?;
        let ids = Ids::new(session()?);
        let state = State::new(Timestamp::now(), options.filter.clone(), options.blind, ids);
        driver::run(state, &Look::of_environment(), &journal, kept, Service::start(caller)).await
    })
}

/// Refuses what can show no screen.
fn check_terminal() -> Result<(), Failure> {
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    if stdin().is_terminal() && stdout().is_terminal() && !is_dumb {
        return Ok(());
    }
    let what = "waymark review without a command is a screen, and this is no terminal for it";
    Err(Failure::plain(Exit::Usage, what).remedy(
        "use waymark review list, show and decide; waymark review --help lists all commands",
    ))
}

/// What no other run has: the time, so that ids sort, and 64 random bits.
fn session() -> Result<String, Failure> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| {
        Failure::plain(Exit::Io, format!("the system gives no random numbers: {error}"))
    })?;
    let millis = Timestamp::now().as_millisecond();
    Ok(format!("{millis:013}-{}", HEXLOWER.encode(&random)))
}
