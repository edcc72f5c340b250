//! `check`

use keyproof::authorize::Authorizer;
use keyproof::load::{CaseResult, Scenario};
use keyproof::report;

use super::explain::exit;
use super::matrix;
use crate::cli::{Check, CheckFormat};
use crate::exit::Exit;
use crate::flags;
use crate::input;
use crate::output::{CliError, Io, plain};
use crate::table;

/// Decides one request, or every case of scenario files.
pub fn run(args: &Check, io: &mut Io) -> Result<Exit, CliError> {
    #[cfg(feature = "aws")]
    if args.live.verify_live && (args.matrix || !args.scenarios.is_empty()) {
        return Err(CliError::new("--verify-live would be ignored: it asks about one request"));
    }
    if args.matrix {
        return matrix::run(args, io);
    }
    if args.scenarios.is_empty() { request(args, io) } else { scenarios(args, io) }
}

fn request(args: &Check, io: &mut Io) -> Result<Exit, CliError> {
    let loaded = input::optional_world(&args.world)?;
    let caller = input::caller(&loaded, &args.caller)?;
    let question = input::preflight(&args.request, &loaded.snapshot)?;
    let answer = Authorizer::new(&loaded.snapshot)
        .preflight(question.clone(), &caller)
        .map_err(CliError::new)?;
    #[cfg(feature = "aws")]
    let live = if args.live.verify_live {
        let profile = args.live.profile.as_deref();
        Some(super::live::verify(profile, &question, &answer, &caller, None)?)
    } else {
        None
    };
    match args.format {
        CheckFormat::Text => {
            writeln!(io.out, "{} by {}: {}", answer.operation, caller.principal, answer.outcome())?;
            let style = io.style;
            io.report(|out| report::answer(out, &answer.sides, answer.fault.as_ref(), style))?;
            #[cfg(feature = "aws")]
            if let Some(live) = &live {
                super::live::show(live, io)?;
            }
        }
        CheckFormat::Json => {
            let json = report::answer_json(&answer, &caller.principal);
            #[cfg(feature = "aws")]
            let json = with_live(json, live.as_ref());
            writeln!(io.out, "{json:#}")?;
        }
        CheckFormat::Junit | CheckFormat::Github | CheckFormat::Markdown => {
            return Err(CliError::new(
                "this format shows scenario files: name one, or use text or json",
            ));
        }
    }
    #[cfg(feature = "aws")]
    if let Some(live) = &live {
        return Ok(live.exit(&answer));
    }
    Ok(exit(&answer))
}

/// The answer with what KMS says.
#[cfg(feature = "aws")]
fn with_live(mut json: serde_json::Value, live: Option<&super::live::Live>) -> serde_json::Value {
    if let (Some(object), Some(live)) = (json.as_object_mut(), live) {
        object.insert("live".into(), live.json());
    }
    json
}

fn scenarios(args: &Check, io: &mut Io) -> Result<Exit, CliError> {
    let world = &args.world;
    flags::refuse_all(&args.request, &args.caller)?;
    let loaded = match &world.world {
        Some(folder) => Some(keyproof::load::world(folder).map_err(CliError::new)?),
        None => None,
    };
    if world.keystore.is_some() || world.root_key.root_key.is_some() || !world.readings.is_empty() {
        return Err(CliError::new(
            "scenario files bring their own keys and readings: leave --keystore, --root-key and \
             --reading out",
        ));
    }
    let scenarios = args
        .scenarios
        .iter()
        .map(|path| Scenario::read(path, loaded.as_ref()).map_err(CliError::new))
        .collect::<Result<Vec<_>, _>>()?;
    let results: Vec<(&Scenario, Vec<CaseResult<'_>>)> =
        scenarios.iter().map(|scenario| (scenario, scenario.run())).collect();
    match args.format {
        CheckFormat::Text => text(&results, io)?,
        CheckFormat::Json => {
            writeln!(io.out, "{:#}", table::json(&results))?;
        }
        CheckFormat::Junit => table::junit(&results, &mut io.out)?,
        CheckFormat::Github => table::github(&results, &mut io.out)?,
        CheckFormat::Markdown => table::markdown(&results, &mut io.out)?,
    }
    let met = results.iter().all(|(_, cases)| cases.iter().all(CaseResult::is_met));
    Ok(if met { Exit::Yes } else { Exit::No })
}

fn text(results: &[(&Scenario, Vec<CaseResult<'_>>)], io: &mut Io) -> Result<(), CliError> {
    let (mut met, mut unmet) = (0, 0);
    for (scenario, cases) in results {
        writeln!(io.out, "{}", plain(&scenario.path.display().to_string()))?;
        table::text(cases, &mut io.out)?;
        met += cases.iter().filter(|case| case.is_met()).count();
        unmet += cases.iter().filter(|case| !case.is_met()).count();
    }
    writeln!(io.out, "{met} met, {unmet} not met")?;
    Ok(())
}
