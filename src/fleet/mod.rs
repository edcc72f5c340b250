//! F7: many ciphertexts moved to another key.
//!
//! - [`plan()`] decides every item; no ciphertext leaves the machine.
//! - [`run()`] moves them, with a journal: killed at any moment, it goes on where it was, loses no
//!   item and writes none twice.
//! - [`status()`] reads the journal.
//!
//! Any [`crate::execute::KmsBackend`] can do the work whose errors tell by
//! [`crate::execute::ClassifyFailure`] whether a repetition makes sense.

mod error;
mod input;
mod job;
mod journal;
mod line;
mod output;
mod pace;
mod plan;
mod run;
mod slots;
mod worker;

pub use error::FleetError;
pub use input::Input;
pub use job::{Defaults, Item, Job, Output, Selection};
pub use journal::{Problem, State, Status, Tally, status};
pub use pace::{Driver, Pace};
pub use plan::{KeyPair, Plan, Refusal, Verdict, plan};
pub use run::{End, Fleet, Options, Report, Snap, run};
