//! The exit codes of `waymark`, as `--help` documents them.

use std::process::ExitCode;

/// How a command ended. The numbers follow `sysexits.h` where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Done, but rows were rejected or work remains.
    WorkRemains,
    /// The command line is wrong.
    Usage,
    /// An input file is wrong.
    BadInput,
    /// The server cannot be reached.
    Unreachable,
    /// A bug in Waymark.
    Bug,
    /// A file cannot be read or written.
    Io,
    /// The server cannot do it now; the same command may succeed later.
    TryLater,
    /// The caller may not do this.
    NotPermitted,
    /// A key, a schema, a mapping or another setting is wrong.
    BadConfig,
    /// Interrupted by the user.
    Interrupted,
}

/// The section of `--help` that lists the exit codes.
pub const HELP: &str = "\
Exit codes:
    0  done
    1  done, but rows were rejected or work remains
    2  the command line is wrong
   65  an input file is wrong
   69  the server cannot be reached
   70  a bug in Waymark
   74  a file cannot be read or written
   75  not now: try the same command later
   77  not permitted
   78  a key, schema, mapping or other setting is wrong
  130  interrupted

Data goes to standard output, everything else to standard error. Every error names a page of the
error catalogue: `waymark error CODE` prints it.";

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WorkRemains => 1,
            Self::Usage => 2,
            Self::BadInput => 65,
            Self::Unreachable => 69,
            Self::Bug => 70,
            Self::Io => 74,
            Self::TryLater => 75,
            Self::NotPermitted => 77,
            Self::BadConfig => 78,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_code() {
        use Exit::*;
        for exit in [
            Done,
            WorkRemains,
            Usage,
            BadInput,
            Unreachable,
            Bug,
            Io,
            TryLater,
            NotPermitted,
            BadConfig,
            Interrupted,
        ] {
            let line = format!("\n  {:>3}  ", exit.code());
            assert!(HELP.contains(&line), "{exit:?}");
        }
    }
}
