//! `fleet status`

use std::path::PathBuf;

use clap::Args;
use keyproof::fleet;
use serde_json::json;

use crate::cli::Format;
use crate::exit::Exit;
use crate::output::{CliError, Io, plain};

/// `fleet status`
#[derive(Args, Debug)]
pub struct Status {
    /// The journal
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// How many refused and failed items to list
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub problems: usize,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn run(args: &Status, io: &mut Io) -> Result<Exit, CliError> {
    let status = fleet::status(&args.journal, args.problems).map_err(CliError::new)?;
    let tally = &status.tally;
    let word = match (status.finished, status.running) {
        (true, _) => "finished",
        (false, true) => "running",
        (false, false) => "stopped",
    };
    if args.format == Format::Json {
        let status = json!({
            "schema": "keyproof/fleet-status/1", "state": word, "items": status.total,
            "moved": tally.moved, "refused": tally.refused, "failed": tally.failed,
            "notSelected": tally.not_selected, "job": status.settings, "problems": status.problems,
        });
        writeln!(io.out, "{status:#}")?;
        return Ok(Exit::Yes);
    }
    writeln!(
        io.out,
        "{word}: {} of {} items moved, {} refused, {} failed, {} not selected",
        tally.moved, status.total, tally.refused, tally.failed, tally.not_selected
    )?;
    for (name, value) in status.settings.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(text) => writeln!(io.out, "    {name}: {}", plain(text))?,
            None if value.is_null() => {}
            None => writeln!(io.out, "    {name}: {value}")?,
        }
    }
    for problem in &status.problems {
        let line = format!("item `{}`: {}: {}", problem.id, problem.code, problem.message);
        writeln!(io.out, "{}", plain(&line))?;
    }
    Ok(Exit::Yes)
}
