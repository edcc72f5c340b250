//! What stops a fleet.

use std::path::{Path, PathBuf};

use crate::execute::RefreshError;

/// A plan or a run that did not come to its end. What was done before is kept in the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// Occurs when the audit log cannot be written; nothing more is run.
    #[error(
        "{0}; no item is run without its record: make the audit log writable, then run the same command again"
    )]
    Audit(String),
    /// Occurs when the backend fails for every item.
    #[error(
        "the backend fails for every item: {0}; set that right, then run the same command again"
    )]
    Backend(String),
    /// Occurs when there is something already where the output would go.
    #[error("{}: exists already, and is not of this job: name another output", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Occurs when no item could be moved and many have failed.
    #[error(
        "the first {count} items failed, and none was moved: {last}; \
         set that right (encryption contexts, keys), then run the same command again"
    )]
    Hopeless {
        /// How many.
        count: u64,
        /// What the last one failed of.
        last: String,
    },
    /// Occurs when the input is another than at the beginning of the run.
    #[error(
        "{}: was changed while it was read: the output is kept as it is but not published; \
         begin again with another journal and output",
        path.display()
    )]
    InputChanged {
        /// The input.
        path: PathBuf,
    },
    /// Occurs when an item cannot be understood.
    #[error("{place}: {message}")]
    Item {
        /// File, line and column.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// Occurs when a file or folder cannot be read or written.
    #[error("{}: cannot {action}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Occurs when the journal cannot be used.
    #[error("{}: {message}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it and what to do.
        message: String,
    },
    /// Occurs when a key named for the whole job leads nowhere.
    #[error("{0}")]
    Key(String),
    /// Occurs when the facts of the keys cannot be read again; nothing more is run on old ones.
    #[error(
        "the facts of the keys cannot be read again, and nothing more is run on old ones: {0}; \
         set that right, then run the same command again"
    )]
    NotRefreshed(String),
    /// Occurs when the facts of the keys are older than they may be, and are not to be read again.
    #[error(
        "{0}, or have them read again while the run goes on (--refresh when-stale); \
         then run the same command again"
    )]
    Outdated(String),
    /// Occurs when the output is not as it was left.
    #[error(
        "{}: is not as the last run left it ({detail}): bring it back, or begin again with another journal and output",
        path.display()
    )]
    OutputChanged {
        /// The output.
        path: PathBuf,
        /// What was found.
        detail: &'static str,
    },
    /// Occurs when the plan has refusals, and they are not to be skipped.
    #[error("{refused} of {total} items are refused: nothing was run")]
    Refusals {
        /// How many.
        refused: u64,
        /// Of how many.
        total: u64,
    },
    /// Occurs when facts that were read again while the run went on refuse what was allowed.
    #[error(
        "item {item} is refused since the keys were read again: {reason}; what is moved is kept: \
         set that right, or skip refused items, and run the same command again"
    )]
    RefusedSince {
        /// Which item.
        item: String,
        /// The code, and what decided.
        reason: String,
    },
    /// Occurs when the backend has not moved an item for long.
    #[error(
        "the backend has moved no item for {seconds} s: {last}; wait, or lower the rate, \
         then run the same command again"
    )]
    Silent {
        /// For how long.
        seconds: u64,
        /// What it said last.
        last: String,
    },
    /// Occurs when the decisions no longer hold.
    #[error("{0}; run the same command again")]
    Stale(String),
    /// Occurs when the backend gave what was not asked for.
    #[error(
        "item {item}: {message}; nothing was written for it: find out what answers in the backend's \
         place before running the same command again"
    )]
    Untrustworthy {
        /// Which item.
        item: String,
        /// What it gave.
        message: String,
    },
}

impl From<RefreshError> for FleetError {
    fn from(error: RefreshError) -> Self {
        Self::NotRefreshed(error.to_string())
    }
}

impl FleetError {
    pub(super) fn reads_hang() -> Self {
        Self::NotRefreshed("no answer in time".to_owned())
    }

    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    pub(super) fn journal(path: &Path, message: impl ToString) -> Self {
        Self::Journal { path: path.to_owned(), message: message.to_string() }
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => {
            "; what is in the journal is safe: make room, then run the same command again"
        }
        _ => "",
    }
}
