//! `completions` and `man`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::output::{CliError, Io};

/// `completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints a completion script.
pub fn run(args: &Completions, io: &mut Io) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyproof", &mut script);
    io.out.write_all(&script)?;
    Ok(Exit::Yes)
}

/// Prints the manual page.
pub fn man(io: &mut Io) -> Result<Exit, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    io.out.write_all(&page)?;
    Ok(Exit::Yes)
}
