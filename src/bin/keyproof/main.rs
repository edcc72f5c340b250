//! The `keyproof` program: reads words, calls the library, shows the answer. It decides nothing.

mod cli;
mod command;
mod exit;
mod input;
mod output;
mod table;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use exit::Exit;
use output::Io;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A help text is an answer; anything else is a usage error.
            let exit = if error.use_stderr() { Exit::NoAnswer } else { Exit::Yes };
            let _ = error.print();
            return exit.into();
        }
    };
    let mut io = Io::new(cli.color);
    let exit = match command::run(cli.command, &mut io) {
        Ok(exit) => exit,
        // A reader that has seen enough, as in `| head`, is no failure.
        Err(error) if error.is_closed_pipe() => return Exit::Yes.into(),
        Err(error) => {
            io.error(&error);
            error.exit()
        }
    };
    match io.finish() {
        Ok(()) => exit.into(),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit.into(),
        Err(_) => Exit::NoAnswer.into(),
    }
}
