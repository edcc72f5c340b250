//! The `keyproof` program: reads words, calls the library, shows the answer. It decides nothing.

mod cli;
mod command;
mod exit;
mod flags;
mod help;
mod input;
mod output;
mod place;
mod stream;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::Cli;
use exit::Exit;
use output::{CliError, Io};

fn main() -> ExitCode {
    let cli = match Cli::read().or_else(asked_twice) {
        Ok(cli) => cli,
        Err(error) => return not_a_command(&error).into(),
    };
    let mut io = Io::new(cli.color);
    let ended = command::run(cli.command, &mut io);
    io.finish(ended).into()
}

/// A help text is an answer; anything else is a usage error.
fn not_a_command(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let _ = error.print();
        return Exit::NoAnswer;
    }
    let mut io = Io::new(output::Color::Auto);
    let shown = write!(io.out, "{}", error.render().ansi());
    io.finish(shown.map(|()| Exit::Yes).map_err(CliError::from))
}

/// `help --help` asks for what `help` shows.
fn asked_twice(error: clap::Error) -> Result<Cli, clap::Error> {
    let mut words: Vec<_> = std::env::args_os().collect();
    let asks = |word: &OsString| word == "--help" || word == "-h";
    match (words.pop(), words.last()) {
        (Some(last), Some(word))
            if error.kind() == ErrorKind::InvalidSubcommand && asks(&last) && word == "help" =>
        {
            Cli::try_parse_from(words)
        }
        _ => Err(error),
    }
}
