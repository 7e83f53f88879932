//! `waymark error`: prints a page of the error catalogue.

use std::io::Write;

use clap::Args;

use crate::{catalogue, exit::Exit, failure::Failure};

/// Prints what an error code means, why it happens and what to do.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  waymark error COLUMN_UNKNOWN\n  waymark error")]
pub struct ErrorPage {
    /// The code, as a message names it; without one, all codes are listed
    code: Option<String>,
}

impl ErrorPage {
    /// Prints the page.
    ///
    /// # Errors
    /// [`Failure`] when there is no such page.
    pub fn run(&self) -> Result<Exit, Failure> {
        let text = match &self.code {
            None => catalogue::ids().join("\n"),
            Some(code) => match catalogue::page(&code.to_uppercase()) {
                Some(page) => page.trim_end().to_owned(),
                None => {
                    let what = "the error catalogue has no page of that name";
                    return Err(
                        Failure::plain(Exit::Usage, what).remedy("waymark error lists the codes")
                    );
                }
            },
        };
        writeln!(std::io::stdout(), "{text}").map_err(|error| Failure::stdout(&error))?;
        Ok(Exit::Done)
    }
}
