//! `explain`

use keyproof::authorize::{Authorizer, PreflightAnswer};
use keyproof::{remedy, report};

use crate::cli::{Explain, Format};
use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io};

/// Decides one request, shows everything that was judged, and what would have to change for an
/// allow.
pub fn run(args: &Explain, io: &mut Io) -> Result<Exit, CliError> {
    let world = &args.world;
    let loaded =
        input::world(&world.world, world.keystore.as_ref(), &world.root_key, &world.readings)?;
    let caller = input::caller(&loaded, &args.caller)?;
    let question = input::preflight(&args.request, &loaded.snapshot)?;
    let answer = Authorizer::new(&loaded.snapshot)
        .preflight(question.clone(), &caller)
        .map_err(CliError::new)?;
    let remedies = remedy::remedies(&loaded.snapshot, &caller, &question, &answer);
    let readings = loaded.snapshot.readings();
    match args.format {
        Format::Text => {
            writeln!(io.out, "{} by {}: {}", answer.operation, caller.principal, answer.outcome())?;
            let style = io.style;
            io.report(|out| report::explanation(out, &answer, &remedies, readings, style))?;
        }
        Format::Json => {
            let json = report::explanation_json(&answer, &caller.principal, readings, &remedies);
            writeln!(io.out, "{json:#}")?;
        }
    }
    Ok(exit(&answer))
}

/// What an answer means to a script.
pub fn exit(answer: &PreflightAnswer) -> Exit {
    match (answer.outcome(), answer.decision().is_allow()) {
        ("allow", _) => Exit::Yes,
        ("undetermined", _) => Exit::NoAnswer,
        _ => Exit::No,
    }
}
