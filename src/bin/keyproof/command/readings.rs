//! `readings`

use keyproof::model::Reading;
use serde_json::json;

use crate::cli::{Format, Readings};
use crate::exit::Exit;
use crate::output::{CliError, Io};

/// Lists the readings; the first value of each is the default.
pub fn run(args: &Readings, io: &mut Io) -> Result<Exit, CliError> {
    match args.format {
        Format::Text => {
            for reading in Reading::ALL {
                writeln!(io.out, "{} = {}", reading.name(), reading.values().join(" | "))?;
                writeln!(io.out, "    {}", reading.summary())?;
            }
        }
        Format::Json => {
            let readings: Vec<_> = Reading::ALL
                .iter()
                .map(|reading| {
                    json!({
                        "name": reading.name(),
                        "default": reading.values().first(),
                        "values": reading.values(),
                        "summary": reading.summary(),
                    })
                })
                .collect();
            writeln!(
                io.out,
                "{:#}",
                json!({"schema": "keyproof/readings/1", "readings": readings})
            )?;
        }
    }
    Ok(Exit::Yes)
}
