//! Exit codes: the one table.

use std::process::ExitCode;

/// What a command's end means to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Yes, clean, done.
    Yes,
    /// The answer is no: denied, or an expectation was not met.
    No,
    /// There is no answer: usage, bad input, a missing fact, I/O.
    NoAnswer,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::NoAnswer => Self::from(2),
        }
    }
}
