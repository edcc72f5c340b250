//! Behaviour, tested by data.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod architecture;
#[cfg(feature = "aws")]
mod aws;
mod cli;
mod coverage;
mod docs;
mod executor;
mod fleet;
mod kms_vectors;
mod lint_command;
mod lint_fixes;
mod lint_inputs;
mod lint_other_inputs;
mod lint_rules;
mod matrix;
mod operations;
mod oracle;
mod properties;
mod remedy;
mod samples;
mod scenarios;
mod vectors;
mod world;
mod world_files;
