//! `collect`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use keyproof::backend::aws::Clients;
use keyproof::collect::{self, Pace, Place, Progress, Unread};
use keyproof::load;
use keyproof::model::Region;
use serde_json::json;

use super::guarded::block_on;
use super::live;
use crate::cli::Format;
use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io, plain};

/// `collect`
#[derive(Args, Debug)]
pub struct Collect {
    /// The world folder; what it has of other accounts and Regions stays
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD", required_unless_present_any = ["commands", "print_policy"])]
    pub world: Option<PathBuf>,
    /// A profile whose account is read; may be repeated [default: the environment's credentials]
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<String>,
    /// A Region that is read; may be repeated [default: that of the environment or profile]
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// A folder with what the AWS CLI wrote of IAM and Organizations (--commands prints how)
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
    /// Take over --facts alone, and ask AWS nothing
    #[arg(long, requires = "facts")]
    pub offline: bool,
    /// The most requests a second
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub requests_per_second: u32,
    /// Print the commands that write IAM and Organizations, and do nothing
    #[arg(long, conflicts_with_all = ["print_policy", "facts", "profiles", "regions"])]
    pub commands: bool,
    /// Print the least policy that reading keys needs, and do nothing
    #[arg(long, conflicts_with_all = ["facts", "profiles", "regions"])]
    pub print_policy: bool,
    /// How to show what was read
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Reads accounts into a world folder.
pub fn run(args: &Collect, io: &mut Io) -> Result<Exit, CliError> {
    if args.commands {
        write!(io.out, "{}", collect::commands())?;
        return Ok(Exit::Yes);
    }
    if args.print_policy {
        writeln!(io.out, "{:#}", collect::policy())?;
        return Ok(Exit::Yes);
    }
    let world = args.world.as_ref().ok_or_else(|| CliError::new("the world is missing"))?;
    let facts = match &args.facts {
        Some(from) => Some(collect::facts(from, world).map_err(|error| CliError::at(from, error))?),
        None => None,
    };
    let mut read = Vec::new();
    if !args.offline {
        if args.profiles.is_empty() {
            account(args, world, None, io, &mut read)?;
        }
        for profile in &args.profiles {
            account(args, world, Some(profile), io, &mut read)?;
        }
    }
    io.done("the files were written");
    match args.format {
        Format::Text => text(&read, facts.as_ref(), io)?,
        Format::Json => {
            let places: Vec<_> = read.iter().map(Read::json).collect();
            let facts = facts.as_ref().map(|facts| {
                let left_out: Vec<_> = facts
                    .left_out
                    .iter()
                    .map(|(path, reason)| json!({"file": path, "reason": reason}))
                    .collect();
                json!({
                    "written": facts.written, "leftOut": left_out,
                    "organization": facts.organization,
                })
            });
            let all = json!({"schema": "keyproof/collect/1", "collected": places, "facts": facts});
            writeln!(io.out, "{all:#}")?;
        }
    }
    // What was written must be readable by all who judge on it.
    load::world(world).map_err(CliError::new)?;
    if facts.is_some_and(|facts| facts.is_torn) {
        return Err(CliError::new(
            "a file of --facts is not JSON, so that what it told before was kept: write it again, \
             and collect once more",
        ));
    }
    Ok(Exit::Yes)
}

/// One account and Region that was read.
struct Read {
    account: String,
    region: Region,
    collected: collect::Collected,
}

impl Read {
    fn json(&self) -> serde_json::Value {
        let unread = |one: &Unread| {
            json!({
                "key": one.key.as_ref().map(|key| key.as_str()),
                "item": one.item, "reason": one.reason,
            })
        };
        json!({
            "account": self.account,
            "region": self.region.as_str(),
            "keys": self.collected.keys,
            "resumed": self.collected.resumed,
            "unknown": self.collected.unread.iter().map(unread).collect::<Vec<_>>(),
        })
    }
}

fn account(
    args: &Collect,
    world: &Path,
    profile: Option<&str>,
    io: &mut Io,
    read: &mut Vec<Read>,
) -> Result<(), CliError> {
    let clients = live::clients(profile)?;
    let mut regions = Vec::new();
    for name in &args.regions {
        regions.push(input::parse::<Region>(name)?);
    }
    if regions.is_empty() {
        let region = clients.region().ok_or_else(|| {
            CliError::new("the Region is not known: give --region, or set AWS_REGION")
        })?;
        regions.push(region);
    }
    for region in regions {
        let collected = block_on(one(args, world, &clients, &region, io))??;
        read.push(collected);
    }
    Ok(())
}

async fn one(
    args: &Collect,
    world: &Path,
    clients: &Clients,
    region: &Region,
    io: &mut Io,
) -> Result<Read, CliError> {
    let identity = clients.identity(region).await.map_err(CliError::new)?;
    let place = Place {
        world,
        account: identity.account,
        region: region.clone(),
        identity: identity.arn,
        now: input::now(),
    };
    let mut pace = Pace::per_second(args.requests_per_second);
    let on_terminal = std::io::stderr().is_terminal();
    let what = format!("{} {region}", identity.account);
    let client = clients.of(region);
    let collected = collect::collect(&client, &place, &mut pace, |progress| {
        if on_terminal {
            // Without standard error there is nobody to tell.
            let _ = write!(io.err, "\r{}", bar(&what, progress));
            let _ = io.err.flush();
        }
    });
    let collected = collected.await;
    if on_terminal {
        let _ = writeln!(io.err);
    }
    let collected = collected.map_err(CliError::new)?;
    Ok(Read { account: identity.account.to_string(), region: region.clone(), collected })
}

/// `111122223333 eu-central-1 [=====     ] 5/10`
fn bar(what: &str, Progress { done, of }: Progress) -> String {
    const WIDTH: usize = 30;
    let filled = (done * WIDTH).checked_div(of).unwrap_or(WIDTH);
    format!("{what} [{:<WIDTH$}] {done}/{of} keys", "=".repeat(filled.min(WIDTH)))
}

fn text(read: &[Read], facts: Option<&collect::Facts>, io: &mut Io) -> Result<(), CliError> {
    for Read { account, region, collected } in read {
        write!(io.out, "{account} {region}: {} keys", collected.keys)?;
        if collected.resumed > 0 {
            write!(io.out, ", {} of them by the run before", collected.resumed)?;
        }
        writeln!(io.out)?;
        for one in &collected.unread {
            let of = one.key.as_ref().map_or("the Region", |key| key.as_str());
            let line = format!("  unknown: {} of {of}: {}", one.item, one.reason);
            writeln!(io.out, "{}", plain(&line))?;
        }
    }
    if let Some(facts) = facts {
        for path in &facts.written {
            writeln!(io.out, "{}", plain(&path.display().to_string()))?;
        }
        for (path, reason) in &facts.left_out {
            let line = format!("  left out: {}: {reason}", path.display());
            writeln!(io.out, "{}", plain(&line))?;
        }
        if let Some(reason) = &facts.organization {
            writeln!(io.out, "  unknown: organization.json: {}", plain(reason))?;
        }
    }
    Ok(())
}
