//! `completions` and `man`.

use std::io;

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

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

/// Prints the manual page: one page, on which every command has a section.
pub fn man(io: &mut Io) -> Result<Exit, CliError> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let page = Man::new(program.clone());
    let mut text = Vec::new();
    page.render_title(&mut text).map_err(CliError::new)?;
    page.render_name_section(&mut text).map_err(CliError::new)?;
    page.render_synopsis_section(&mut text).map_err(CliError::new)?;
    page.render_description_section(&mut text).map_err(CliError::new)?;
    page.render_options_section(&mut text).map_err(CliError::new)?;
    sections(&program, "keyproof", &mut text).map_err(CliError::new)?;
    after(&program, &mut text);
    io.out.write_all(&text)?;
    Ok(Exit::Yes)
}

/// A section of each command below one.
fn sections(above: &Command, path: &str, text: &mut Vec<u8>) -> io::Result<()> {
    for command in above.get_subcommands() {
        let path = format!("{path} {}", command.get_name());
        let page = Man::new(command.clone());
        let mut body = Vec::new();
        page.render_description_section(&mut body)?;
        page.render_synopsis_section(&mut body)?;
        if !command.has_subcommands() {
            page.render_options_section(&mut body)?;
        }
        text.extend(format!(".SH \"{}\"\n", path.to_uppercase()).bytes());
        let body = String::from_utf8_lossy(&body);
        let body = body.lines().filter(|line| *line != ".SH DESCRIPTION");
        for line in body {
            text.extend(line.replace(".SH ", ".SS ").bytes());
            text.push(b'\n');
        }
        after(command, text);
        sections(command, &path, text)?;
    }
    Ok(())
}

/// What stands under a command's help, line by line as it is.
fn after(command: &Command, text: &mut Vec<u8>) {
    let Some(help) = command.get_after_help() else { return };
    text.extend(b".PP\n.nf\n");
    for line in help.to_string().lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        text.extend(line.bytes());
        text.push(b'\n');
    }
    text.extend(b".fi\n");
}
