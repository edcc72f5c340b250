//! `fleet plan`

use std::path::PathBuf;

use clap::Args;
use keyproof::authorize::{CiphertextInspector, NoInspector};
use keyproof::backend::embedded::EmbeddedKms;
use keyproof::fleet;

use super::{JobArgs, Refusals, show_plan, verdict};
use crate::cli::{Format, RootKeyArgs};
use crate::exit::Exit;
use crate::input::{self, Loaded};
use crate::output::{CliError, Io};
use crate::place::Used;

/// `fleet plan`
#[derive(Args, Debug)]
pub struct Plan {
    #[command(flatten)]
    pub job: JobArgs,
    /// An embedded keystore whose keys, policies, grants and aliases take the place of the folder's
    #[arg(long, value_name = "FILE", env = "KEYPROOF_KEYSTORE")]
    pub keystore: Option<PathBuf>,
    #[command(flatten)]
    pub root_key: RootKeyArgs,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn run(args: &Plan, io: &mut Io) -> Result<Exit, CliError> {
    let mut loaded =
        input::world(&args.job.world, args.keystore.as_ref(), &args.root_key, &args.job.readings)?;
    args.job.refuse_unknown_material(&loaded)?;
    let root_key = args.keystore.as_ref().map(|path| input::root_key_file(path, &args.root_key));
    let mut used: Vec<Used<'_>> = Vec::new();
    used.extend(args.keystore.as_ref().map(|path| ("the keystore", path.as_path())));
    used.extend(root_key.as_ref().map(|path| ("the root key", path.as_path())));
    let refusals = Refusals::open(&args.job, &used)?;
    match loaded.keystore.take() {
        Some(keystore) => {
            let kms = EmbeddedKms::new(keystore);
            decide(args, &loaded, &kms, refusals, io)
        }
        None => decide(args, &loaded, &NoInspector, refusals, io),
    }
}

fn decide(
    args: &Plan,
    loaded: &Loaded,
    inspector: &impl CiphertextInspector,
    mut refusals: Refusals,
    io: &mut Io,
) -> Result<Exit, CliError> {
    let job = args.job.job(loaded)?;
    let caller = args.job.caller(loaded)?;
    let plan = fleet::plan(&job, &loaded.snapshot, &caller, inspector, |item, refusal| {
        refusals.add(item, refusal)
    });
    let plan = plan.map_err(CliError::new)?;
    let first = refusals.finish()?;
    show_plan(&plan, &first, args.format, io, false)?;
    Ok(verdict(&plan))
}
