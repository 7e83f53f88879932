//! Why a command stopped: what happened and where, what to do, and the page that says more.

use std::{fmt, io, path::Path};

use crate::{catalogue::Code, exit::Exit};

/// An error as the user sees it. Holds no identity value: no name, date, number or cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What happened, with the file, line and field.
    pub what: String,
    /// What the user can do.
    pub remedy: Option<String>,
    /// Id of the page in the error catalogue.
    pub page: Option<String>,
}

impl Failure {
    /// A failure of which the error catalogue has a page.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            exit: code.exit(),
            what: what.into(),
            remedy: None,
            page: Some(code.id().to_owned()),
        }
    }

    /// A failure without a page of its own.
    pub fn plain(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), remedy: None, page: None }
    }

    /// Adds what the user can do.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// A file that cannot be read.
    pub fn reading(path: &Path, error: &io::Error) -> Self {
        Self::new(Code::FileUnreadable, format!("{}: cannot be read: {error}", path.display()))
    }

    /// A file that cannot be written.
    pub fn writing(path: &Path, error: &io::Error) -> Self {
        Self::new(Code::FileUnwritable, format!("{}: cannot be written: {error}", path.display()))
    }

    /// Standard output failed. A reader that has seen enough (`| head`) is no failure.
    pub fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::plain(Exit::Done, ""),
            _ => Self::plain(Exit::Io, format!("standard output cannot be written: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "\n  to do: {remedy}")?;
        }
        if let Some(page) = &self.page {
            write!(f, "\n  more: waymark error {page}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_where_and_what_to_do() {
        let failure =
            Failure::new(Code::HeaderMissing, "a.csv, line 1: no column").remedy("add a header");
        assert_eq!(
            failure.to_string(),
            "error: a.csv, line 1: no column\n  to do: add a header\n  \
             more: waymark error HEADER_MISSING"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::stdout(&closed).exit, Exit::Done);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Failure::stdout(&full).exit, Exit::Io);
    }
}
