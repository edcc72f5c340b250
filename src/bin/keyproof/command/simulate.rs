//! `simulate`

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use keyproof::compile::{PolicySlot, SessionPolicies, Snapshot};
use keyproof::load::{self, Simulation, SimulationAnswer};
use keyproof::model::{ContextMap, ContextValue, Decision, GrantToken, PolicyKind, Readings};
use keyproof::report::reasons;

use crate::cli::Format;
use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io};
use crate::stream::{self, Answers, Rate};

/// About how much of a batch one core takes at a time, in bytes.
const SHARE: usize = 64 * 1024;

/// The longest line of a batch, in bytes.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// `simulate`
#[derive(Args, Debug)]
pub struct Simulate {
    /// Many questions: a file with one JSON object a line, or `-` for standard input; all cores
    /// answer, in the order of the lines, and the rate is told on standard error
    #[arg(long, value_name = "FILE", conflicts_with = "Question")]
    batch: Option<PathBuf>,
    /// Fill in the context keys that follow from principal, key and operation, whatever is stated of
    /// them; without it, the context is complete as given
    #[arg(long)]
    fill: bool,
    /// How to read an open point of the documentation (`keyproof readings` lists them)
    #[arg(long = "reading", value_name = "NAME=VALUE")]
    readings: Vec<String>,
    #[command(flatten)]
    question: Question,
    /// How to show the answer; a batch is always answered in lines of JSON
    #[arg(long, value_enum, default_value_t, conflicts_with = "batch")]
    format: Format,
}

/// One question by flags.
#[derive(Args, Debug)]
struct Question {
    /// Who asks: the ARN of a user, role, role session, root user or federated user, a service, or
    /// `anonymous`
    #[arg(long, value_name = "ARN", required_unless_present = "batch")]
    principal: Option<String>,
    /// The role behind a role session
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The user behind a federated user
    #[arg(long, value_name = "ARN")]
    user: Option<String>,
    /// The action, such as kms:Decrypt
    #[arg(long, value_name = "ACTION", required_unless_present = "batch")]
    action: Option<String>,
    /// The ARN of the key or alias, or `*`
    #[arg(long, value_name = "ARN", required_unless_present = "batch")]
    resource: Option<String>,
    /// A condition key the request carries; several values are several options
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// A key policy: the `default` one, and the `AWS_RAM` one
    #[arg(long, value_name = "FILE")]
    key_policy: Vec<PathBuf>,
    /// An identity policy; may be repeated
    #[arg(long, value_name = "FILE")]
    identity_policy: Vec<PathBuf>,
    /// The permissions boundary
    #[arg(long, value_name = "FILE")]
    permissions_boundary: Option<PathBuf>,
    /// A session policy; may be repeated
    #[arg(long, value_name = "FILE")]
    session_policy: Vec<PathBuf>,
    /// The SCPs of one level, separated by commas; once for each level, root first
    #[arg(long, value_name = "FILE,…")]
    scp: Vec<String>,
    /// The RCPs of one level, separated by commas; once for each level, root first
    #[arg(long, value_name = "FILE,…")]
    rcp: Vec<String>,
    /// The policy of the VPC endpoint the call comes through
    #[arg(long, value_name = "FILE")]
    vpc_endpoint_policy: Option<PathBuf>,
    /// The key's grants, as `aws kms list-grants` prints them
    #[arg(long, value_name = "FILE")]
    grants: Option<PathBuf>,
    /// The key, as `aws kms describe-key` prints it; its state and usage are not judged
    #[arg(long, value_name = "FILE")]
    describe_key: Option<PathBuf>,
    /// Which of the grants is to be retired, for kms:RetireGrant
    #[arg(long, value_name = "ID")]
    grant_id: Option<String>,
    /// A grant token of the request; may be repeated
    #[arg(long = "grant-token", value_name = "TOKEN")]
    grant_tokens: Vec<String>,
}

/// Decides without a world.
pub fn run(args: &Simulate, io: &mut Io) -> Result<Exit, CliError> {
    let mut readings = Readings::default();
    input::choose_readings(&mut readings, &args.readings)?;
    match &args.batch {
        Some(file) => batch(file, args.fill, &readings, io),
        None => single(args, &readings, io),
    }
}

fn single(args: &Simulate, readings: &Readings, io: &mut Io) -> Result<Exit, CliError> {
    let mut simulation = args.question.simulation()?;
    if args.fill {
        simulation.fill();
    }
    let answer = simulation.answer(readings);
    let side = answer.outcome.as_ref().map_err(CliError::new)?;
    match args.format {
        Format::Json => writeln!(io.out, "{}", answer.to_json())?,
        Format::Text => {
            writeln!(io.out, "{}  {} on {}", answer.decision(), side.action, side.resource)?;
            for reason in reasons(side) {
                writeln!(io.out, "    {reason}")?;
            }
            for reading in &side.explanation.trace.readings {
                let value = readings.value(*reading);
                writeln!(io.out, "  reading: {}={value}: {}", reading.name(), reading.summary())?;
            }
        }
    }
    Ok(match side.explanation.decision {
        Decision::Allow => Exit::Yes,
        Decision::ExplicitDeny | Decision::ImplicitDeny => Exit::No,
        Decision::Undetermined => Exit::NoAnswer,
    })
}

/// Answers line by line, by all cores and in the order of the lines; a line that is no question is
/// told and the run goes on.
fn batch(path: &Path, fill: bool, readings: &Readings, io: &mut Io) -> Result<Exit, CliError> {
    let input: Box<dyn Read + Send> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| CliError::at(path, error))?)
    };
    let shares = Shares { path, input: BufReader::with_capacity(SHARE, input), number: 0 };
    let mut rate = Rate::start();
    let work = |lines: Vec<Line>| {
        let mut answers = Answers { text: Vec::new(), count: 0, has_error: false };
        for Line { number, text } in lines {
            let answer = match text {
                Some(text) => SimulationAnswer::to_line(&text, path, number, fill, readings),
                None => {
                    let message = format!("the line has more than {MAX_LINE} bytes");
                    SimulationAnswer::refused(path, number, &message)
                }
            };
            answers.count += 1;
            answers.has_error |= answer.outcome.is_err();
            answers.text.extend_from_slice(answer.to_json().as_bytes());
            answers.text.push(b'\n');
        }
        answers
    };
    let has_error = stream::answer(shares, work, io, &mut rate)?;
    if rate.is_empty() {
        return Err(CliError::at(path, "has no question: one JSON object a line"));
    }
    rate.tell(io, "answers")?;
    Ok(if has_error { Exit::NoAnswer } else { Exit::Yes })
}

/// A line that is not empty.
struct Line {
    number: usize,
    /// `None` when it is too long.
    text: Option<Vec<u8>>,
}

/// The lines of a batch, as many at a time as are there without waiting for more.
struct Shares<'p> {
    path: &'p Path,
    input: BufReader<Box<dyn Read + Send>>,
    number: usize,
}

impl Shares<'_> {
    /// The next line, `None` at the end.
    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        self.number += 1;
        let number = self.number;
        if (&mut self.input).take(MAX_LINE + 1).read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        if text.len() as u64 > MAX_LINE && text.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line { number, text: None }));
        }
        Ok(Some(Line { number, text: Some(text) }))
    }
}

impl Iterator for Shares<'_> {
    type Item = Result<Vec<Line>, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut lines = Vec::new();
        loop {
            match self.line() {
                Ok(Some(line)) => {
                    let is_empty =
                        line.text.as_ref().is_some_and(|text| text.trim_ascii().is_empty());
                    if !is_empty {
                        lines.push(line);
                    }
                }
                Ok(None) => return (!lines.is_empty()).then_some(Ok(lines)),
                Err(error) => return Some(Err(CliError::at(self.path, error))),
            }
            let has_more = self.input.buffer().contains(&b'\n');
            if !has_more && !lines.is_empty() {
                return Some(Ok(lines));
            }
        }
    }
}

impl Question {
    fn simulation(&self) -> Result<Simulation, CliError> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (role, user) = (self.role.as_deref(), self.user.as_deref());
        let world = Snapshot::builder().build();
        let principal = load::caller_principal(&text(&self.principal), role, user, &world)
            .map_err(CliError::new)?;
        let mut simulation = Simulation::new(principal, &text(&self.action), &text(&self.resource))
            .map_err(CliError::new)?;
        simulation.context = self.context()?;
        simulation.key_policies = policies(&self.key_policy, PolicyKind::Key)?;
        simulation.identity = policies(&self.identity_policy, PolicyKind::Identity)?;
        let boundary = self.permissions_boundary.as_deref();
        simulation.boundary =
            boundary.map(|path| policy(path, PolicyKind::Boundary)).transpose()?;
        if !self.session_policy.is_empty() {
            let session = policies(&self.session_policy, PolicyKind::Session)?;
            simulation.session = SessionPolicies::Some(session);
        }
        simulation.service_control = levels(&self.scp, PolicyKind::ServiceControl)?;
        simulation.resource_control = levels(&self.rcp, PolicyKind::ResourceControl)?;
        let endpoint = self.vpc_endpoint_policy.as_deref();
        simulation.endpoint =
            endpoint.map(|path| policy(path, PolicyKind::Endpoint)).transpose()?;
        if let Some(path) = &self.describe_key {
            let key = load::described_key(path).map_err(CliError::new)?;
            simulation.describe(key).map_err(|error| CliError::at(path, error))?;
        }
        if let Some(path) = &self.grants {
            simulation.add_grants(path).map_err(CliError::new)?;
        }
        if let Some(id) = &self.grant_id {
            simulation.retire(id).map_err(CliError::new)?;
        }
        for token in &self.grant_tokens {
            simulation.grant_tokens.push(GrantToken::new(token).map_err(CliError::new)?);
        }
        Ok(simulation)
    }

    fn context(&self) -> Result<ContextMap, CliError> {
        let mut context = ContextMap::new().complete();
        for pair in &self.context {
            let (key, value) = input::split(pair, "a condition key with its value")?;
            let stated = match context.stated(&keyproof::model::lower(key)) {
                None => ContextValue::One(value.to_owned()),
                Some(ContextValue::One(first)) => {
                    ContextValue::Many(vec![first.clone(), value.to_owned()])
                }
                Some(ContextValue::Many(values)) => {
                    let mut values = values.clone();
                    values.push(value.to_owned());
                    ContextValue::Many(values)
                }
                Some(ContextValue::Absent) => continue,
            };
            context.set(key, stated);
        }
        Ok(context)
    }
}

fn policy(path: &Path, kind: PolicyKind) -> Result<PolicySlot, CliError> {
    load::policy(path, kind).map_err(CliError::new)
}

fn policies(paths: &[PathBuf], kind: PolicyKind) -> Result<Vec<PolicySlot>, CliError> {
    paths.iter().map(|path| policy(path, kind)).collect()
}

fn levels(levels: &[String], kind: PolicyKind) -> Result<Option<Vec<Vec<PolicySlot>>>, CliError> {
    if levels.is_empty() {
        return Ok(None);
    }
    let level =
        |files: &String| files.split(',').map(|file| policy(Path::new(file), kind)).collect();
    levels.iter().map(level).collect::<Result<_, _>>().map(Some)
}
