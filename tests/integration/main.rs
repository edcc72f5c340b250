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
mod coverage;
mod docs;
mod executor;
mod fleet;
mod kms_vectors;
mod operations;
mod oracle;
mod properties;
mod remedy;
mod scenarios;
mod vectors;
mod world;
