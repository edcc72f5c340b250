//! One file a command: load, call one library function, show.

#[cfg(feature = "aws")]
pub mod aws;
pub mod backend;
pub mod check;
#[cfg(feature = "aws")]
pub mod collect;
pub mod completions;
pub mod demo;
pub mod explain;
pub mod fleet;
pub mod guarded;
pub mod keys;
pub mod lint;
#[cfg(feature = "aws")]
pub mod live;
mod matrix;
pub mod readings;
pub mod rules;
pub mod simulate;

use crate::cli::Command;
use crate::exit::Exit;
use crate::output::{CliError, Io};

/// Runs a command.
pub fn run(command: Command, io: &mut Io) -> Result<Exit, CliError> {
    match command {
        Command::Check(args) => check::run(&args, io),
        Command::Explain(args) => explain::run(&args, io),
        Command::ReEncrypt(args) => guarded::re_encrypt(&args, io),
        Command::Encrypt(args) => guarded::encrypt(&args, io),
        Command::Decrypt(args) => guarded::decrypt(&args, io),
        Command::Fleet(args) => fleet::run(&args, io),
        Command::Keys(args) => keys::run(&args, io),
        Command::Simulate(args) => simulate::run(&args, io),
        Command::Lint(args) => lint::run(&args, io),
        Command::Rules(args) => rules::run(&args, io),
        Command::Readings(args) => readings::run(&args, io),
        #[cfg(feature = "aws")]
        Command::Collect(args) => collect::run(&args, io),
        Command::Demo(args) => demo::run(&args, io),
        Command::Completions(args) => completions::run(&args, io),
        Command::Man => completions::man(io),
    }
}
