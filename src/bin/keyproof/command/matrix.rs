//! `check --matrix`

use keyproof::authorize::Authorizer;
use keyproof::compile::Caller;
use keyproof::model::EncryptionContext;
use serde_json::json;

use crate::cli::{Check, CheckFormat};
use crate::exit::Exit;
use crate::output::{CliError, Io, plain};
use crate::stream::{self, Answers, Rate};
use crate::{flags, input};

/// Rows that one core takes at a time.
const SHARE: usize = 32;

/// Tells for every caller and key which operations come out how, a line for each outcome.
pub fn run(args: &Check, io: &mut Io) -> Result<Exit, CliError> {
    flags::refuse_in_matrix(&args.request)?;
    if !matches!(args.format, CheckFormat::Text | CheckFormat::Json) {
        return Err(CliError::new("a matrix is shown as text or json"));
    }
    let loaded = input::optional_world(&args.world)?;
    let context = input::encryption_context(&args.request.encryption_context)?;
    let names: Vec<String> = match &args.caller.caller {
        Some(name) => vec![name.clone()],
        None => loaded.world.callers().map(str::to_owned).collect(),
    };
    if names.is_empty() {
        return Err(CliError::new(
            "the world names no callers: add [callers.<name>] to world.toml, or give --caller",
        ));
    }
    let callers = names
        .into_iter()
        .map(|name| input::caller_named(&loaded, &name, &args.caller).map(|caller| (name, caller)))
        .collect::<Result<Vec<_>, _>>()?;
    let keys = loaded.snapshot.keys();
    let authorizer = Authorizer::new(&loaded.snapshot);
    let rows = callers.len() * keys.len();
    let shares = (0..rows).step_by(SHARE).map(|start| Ok(start..(start + SHARE).min(rows)));
    let mut rate = Rate::start();
    let work = |rows: std::ops::Range<usize>| {
        let mut answers = Answers { text: Vec::new(), count: 0, has_error: false };
        for row in rows {
            let at = (callers.get(row / keys.len()), keys.get(row % keys.len()));
            if let (Some((name, caller)), Some(entry)) = at {
                let row = Row::new(&authorizer, entry, &context, caller);
                answers.count += row.count;
                row.write(name, entry.key.arn.as_str(), args.format, &mut answers.text);
            }
        }
        answers
    };
    stream::answer(shares, work, io, &mut rate)?;
    rate.tell(io, "decisions")?;
    Ok(Exit::Yes)
}

/// One caller and one key.
struct Row {
    count: u64,
    /// Outcomes in the order they first occur, each with its operations.
    outcomes: Vec<(&'static str, Vec<&'static str>)>,
}

impl Row {
    fn new(
        authorizer: &Authorizer<'_>,
        entry: &keyproof::compile::KeyEntry,
        context: &EncryptionContext,
        caller: &Caller,
    ) -> Self {
        let mut row = Self { count: 0, outcomes: Vec::new() };
        for cell in authorizer.cells(entry, context, caller) {
            row.count += 1;
            let outcome = cell.outcome();
            match row.outcomes.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, names)) => names.push(cell.action.name()),
                None => row.outcomes.push((outcome, vec![cell.action.name()])),
            }
        }
        row.outcomes.sort_unstable();
        row
    }

    fn write(&self, caller: &str, key: &str, format: CheckFormat, text: &mut Vec<u8>) {
        for (outcome, names) in &self.outcomes {
            let line = match format {
                CheckFormat::Json => {
                    json!({"caller": caller, "key": key, "outcome": outcome, "operations": names})
                        .to_string()
                }
                _ => format!("{}  {key}  {outcome:<13}  {}", plain(caller), names.join(" ")),
            };
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
    }
}
