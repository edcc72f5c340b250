//! Behaviour, tested by data.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod architecture;
mod cli;
mod docs;
mod executor;
mod kms_vectors;
mod oracle;
mod properties;
mod remedy;
mod scenarios;
mod vectors;
mod world;
