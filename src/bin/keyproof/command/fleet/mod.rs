//! `fleet …`: many ciphertexts moved to another key.

mod plan;
mod run;
mod status;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use keyproof::compile::Caller;
use keyproof::fleet::{Defaults, Input, Item, Job, Plan, Refusal, Selection};
use keyproof::model::Timestamp;
use serde_json::{Value, json};

use crate::cli::{CallerArgs, Format};
use crate::exit::Exit;
use crate::help;
use crate::input::{self, Loaded};
use crate::output::{CliError, Io, plain};
use crate::place::{self, Pending, Used};

/// `fleet`
#[derive(Debug, Subcommand)]
pub enum Fleet {
    /// Decide every item; nothing is sent anywhere
    #[command(after_help = help::fleet::PLAN)]
    Plan(Box<plan::Plan>),
    /// Move the items; goes on where an earlier run ended
    #[command(after_help = help::fleet::RUN)]
    Run(Box<run::Run>),
    /// Tell how far a run has come, also while it runs
    #[command(after_help = help::fleet::STATUS)]
    Status(status::Status),
}

/// Runs `fleet …`.
pub fn run(command: &Fleet, io: &mut Io) -> Result<Exit, CliError> {
    match command {
        Fleet::Plan(args) => plan::run(args, io),
        Fleet::Run(args) => run::run(args, io),
        Fleet::Status(args) => status::run(args, io),
    }
}

/// What is to be done.
#[derive(Args, Debug)]
pub struct JobArgs {
    /// The ciphertexts: JSON lines, a .csv file with a heading, or a folder in which every file is
    /// a ciphertext
    #[arg(long, value_name = "PATH")]
    pub input: PathBuf,
    /// The world folder: IAM, organization and callers
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD")]
    pub world: PathBuf,
    /// How to read an open point of the documentation (`keyproof readings` lists them)
    #[arg(long = "reading", value_name = "NAME=VALUE")]
    pub readings: Vec<String>,
    #[command(flatten)]
    pub caller: CallerArgs,
    /// A grant token of the requests; may be repeated
    #[arg(long = "grant-token", value_name = "TOKEN")]
    pub grant_tokens: Vec<String>,
    /// The Region the requests are sent to [default: that of a key named by ARN, else the only one]
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub region: Option<String>,
    /// The key that made the ciphertexts of items that name none [default: the one a symmetric
    /// ciphertext names]
    #[arg(long, value_name = "KEY")]
    pub source_key_id: Option<String>,
    /// The key to encrypt under, where an item names none
    #[arg(long, value_name = "KEY")]
    pub destination_key_id: String,
    /// A pair of the encryption context of items that have none; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub source_encryption_context: Vec<String>,
    /// A pair of the new encryption context of items that have none; may be repeated [default: the
    /// item's source context]
    #[arg(long, value_name = "NAME=VALUE")]
    pub destination_encryption_context: Vec<String>,
    /// How the ciphertexts were made
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub source_encryption_algorithm: String,
    /// How to encrypt
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub destination_encryption_algorithm: String,
    /// Only items whose source key is this one
    #[arg(long, value_name = "KEY")]
    pub only_key: Option<String>,
    /// Only items whose key material was made before this date (2026-01-31), or of which that is
    /// not known
    #[arg(long, value_name = "DATE")]
    pub only_material_older_than: Option<String>,
    /// A new file for all refusals, one JSON object a line; without it the first 20 are shown
    #[arg(long, value_name = "FILE")]
    pub refusals: Option<PathBuf>,
}

impl JobArgs {
    fn job(&self, loaded: &Loaded) -> Result<Job, CliError> {
        let destination_key = input::key_identifier(&self.destination_key_id)?;
        let key = |name: &Option<String>| name.as_deref().map(input::key_identifier).transpose();
        let source_key = key(&self.source_key_id)?;
        let named = || {
            let source = source_key.as_ref().and_then(|key| key.region());
            destination_key.region().or(source)
        };
        let region = input::region(self.region.as_deref(), &loaded.snapshot)?;
        let region = input::known_region(region.or_else(named))?;
        let destination_context = match self.destination_encryption_context.as_slice() {
            [] => None,
            pairs => Some(input::encryption_context(pairs)?),
        };
        let before = self.only_material_older_than.as_deref().map(input::parse::<Timestamp>);
        Ok(Job {
            input: Input::find(&self.input).map_err(CliError::new)?,
            defaults: Defaults {
                region,
                source_context: input::encryption_context(&self.source_encryption_context)?,
                destination_context,
                source_algorithm: input::algorithm(&self.source_encryption_algorithm)?,
                destination_algorithm: input::algorithm(&self.destination_encryption_algorithm)?,
                grant_tokens: input::grant_tokens(&self.grant_tokens)?,
                source_key,
                destination_key,
            },
            selection: Selection {
                key: key(&self.only_key)?,
                material_before: before.transpose()?,
            },
        })
    }

    /// Refuses a selection that a world without a keystore cannot make.
    fn refuse_unknown_material(&self, loaded: &Loaded) -> Result<(), CliError> {
        if loaded.keystore.is_some() || self.only_material_older_than.is_none() {
            return Ok(());
        }
        Err(CliError::new(
            "--only-material-older-than would select every item: only ciphertexts of an embedded \
             keystore tell their key material",
        ))
    }

    fn caller(&self, loaded: &Loaded) -> Result<Caller, CliError> {
        input::caller(loaded, &self.caller)
    }

    /// Refuses to write into the input, the world and what else is in use.
    fn refuse_overwriting(
        &self,
        path: &Path,
        what: &'static str,
        used: &[Used<'_>],
    ) -> Result<(), CliError> {
        place::refuse_used(path, what, used, Some(&self.world))?;
        place::refuse_used(path, what, &[("the input", &self.input)], None)?;
        self.refuse_inside_input(path, what)
    }

    /// What is inside the input folder is a ciphertext of it.
    fn refuse_inside_input(&self, path: &Path, what: &'static str) -> Result<(), CliError> {
        if self.input.is_dir() && place::is_inside(path, &self.input) {
            let message = format!("{what} would be inside the input folder: name one elsewhere");
            return Err(CliError::at(path, message));
        }
        Ok(())
    }
}

/// Keeps the first refusals for the screen, and writes all to a file where one is named.
struct Refusals {
    file: Option<Pending>,
    buffer: Vec<u8>,
    first: Vec<Value>,
}

impl Refusals {
    fn open(args: &JobArgs, used: &[Used<'_>]) -> Result<Self, CliError> {
        let file = match &args.refusals {
            Some(path) => {
                args.refuse_overwriting(path, "the file of refusals", used)?;
                if path.exists() {
                    let message = "exists already: name a new file for the refusals";
                    return Err(CliError::at(path, message));
                }
                Some(Pending::open(path, false)?)
            }
            None => None,
        };
        Ok(Self { file, buffer: Vec::new(), first: Vec::new() })
    }

    fn add(&mut self, item: &Item, refusal: &Refusal) -> Result<(), keyproof::fleet::FleetError> {
        let line = || {
            json!({
                "position": item.position + 1,
                "id": item.id,
                "code": refusal.code,
                "reason": refusal.reason,
                "sourceKeyId": refusal.pair.as_ref().map(|pair| pair.source.as_str()),
                "destinationKeyId": refusal.pair.as_ref().map(|pair| pair.destination.as_str()),
            })
        };
        if self.first.len() < SHOWN {
            self.first.push(line());
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        self.buffer.extend_from_slice(line().to_string().as_bytes());
        self.buffer.push(b'\n');
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        let written = file.append(&std::mem::take(&mut self.buffer));
        written.map_err(|source| keyproof::fleet::FleetError::Io {
            action: "write the refusals",
            path: file.path().to_owned(),
            source,
        })
    }

    fn finish(self) -> Result<Vec<Value>, CliError> {
        if let Some(file) = self.file {
            file.finish(&self.buffer)?;
        }
        Ok(self.first)
    }
}

const SHOWN: usize = 20;
const BUFFER: usize = 64 * 1024;

fn show_plan(
    plan: &Plan,
    refusals: &[Value],
    format: Format,
    io: &mut Io,
    aside: bool,
) -> Result<(), CliError> {
    let out = if aside { &mut io.err } else { &mut io.out };
    if format == Format::Json {
        if !aside {
            writeln!(out, "{:#}", plan_json(plan, refusals))?;
        }
        return Ok(());
    }
    writeln!(
        out,
        "{} items: {} may be moved, {} refused, {} not selected, {} moved already",
        plan.total, plan.allowed, plan.refused, plan.not_selected, plan.done
    )?;
    for (pair, (allowed, refused)) in &plan.pairs {
        writeln!(out, "{allowed} may be moved, {refused} refused")?;
        writeln!(out, "    from {}\n    to   {}", pair.source, pair.destination)?;
    }
    if plan.refused == 0 {
        return Ok(());
    }
    writeln!(out, "reasons:")?;
    let mut reasons: Vec<_> = plan.reasons.iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
    for ((code, reason), count) in reasons.iter().take(SHOWN) {
        writeln!(out, "{count:>8}  {code}: {}", plain(reason))?;
    }
    let others: u64 = reasons.iter().skip(SHOWN).map(|(_, count)| **count).sum();
    if others + plan.other_reasons > 0 {
        writeln!(out, "{:>8}  other reasons", others + plan.other_reasons)?;
    }
    writeln!(out, "refused:")?;
    for refusal in refusals {
        let text = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
        let position = refusal["position"].as_u64().unwrap_or_default();
        writeln!(out, "    item {position} `{}`: {}", plain(&text("id")), text("code"))?;
    }
    if plan.refused > refusals.len() as u64 {
        let more = plan.refused - refusals.len() as u64;
        writeln!(out, "    and {more} more: --refusals FILE lists all")?;
    }
    Ok(())
}

fn plan_json(plan: &Plan, refusals: &[Value]) -> Value {
    let pairs: Vec<Value> = plan
        .pairs
        .iter()
        .map(|(pair, (allowed, refused))| {
            json!({
                "sourceKeyId": pair.source.as_str(), "destinationKeyId": pair.destination.as_str(),
                "allowed": allowed, "refused": refused,
            })
        })
        .collect();
    let reasons: Vec<Value> = plan
        .reasons
        .iter()
        .map(|((code, reason), count)| json!({"code": code, "reason": reason, "items": count}))
        .collect();
    json!({
        "schema": "keyproof/fleet-plan/1",
        "items": plan.total, "allowed": plan.allowed, "refused": plan.refused,
        "undetermined": plan.open, "notSelected": plan.not_selected, "moved": plan.done,
        "pairs": pairs, "reasons": reasons, "otherReasons": plan.other_reasons,
        "firstRefusals": refusals,
    })
}

/// How a plan ends the command.
fn verdict(plan: &Plan) -> Exit {
    match (plan.refused, plan.open) {
        (0, _) => Exit::Yes,
        (refused, open) if refused == open => Exit::NoAnswer,
        _ => Exit::No,
    }
}
