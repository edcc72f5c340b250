//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command::{completions, demo, fleet, guarded, keys, lint, rules, simulate};
use crate::help;
use crate::output::Color;

/// Decides, exactly and offline, who may do what with AWS KMS keys, and acts only on a yes.
#[derive(Debug, Parser)]
#[command(version, after_help = help::TOP, propagate_version = true, term_width = 80)]
pub struct Cli {
    /// When to colour text (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: Color,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the words of the command line.
    pub fn read() -> Result<Self, clap::Error> {
        if std::env::args_os().nth(1).is_some_and(|word| word == "lint") {
            let LintCli { color, command: LintCommand::Lint(args) } = LintCli::try_parse()?;
            return Ok(Self { color, command: Command::Lint(args) });
        }
        Self::try_parse()
    }
}

/// The same program with `lint` alone: to describe all commands to the parser takes longer than to
/// lint a file, and hooks and editors start it often.
#[derive(Debug, Parser)]
#[command(name = "keyproof", version, propagate_version = true, term_width = 80)]
struct LintCli {
    /// When to colour text (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t)]
    color: Color,
    #[command(subcommand)]
    command: LintCommand,
}

#[derive(Debug, Subcommand)]
enum LintCommand {
    /// Find mistakes in policies, grants and worlds
    #[command(after_help = help::LINT)]
    Lint(lint::Lint),
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide one request, or every case of scenario files
    #[command(after_help = help::CHECK)]
    Check(Check),
    /// Decide one request and show everything that was judged
    #[command(after_help = help::EXPLAIN)]
    Explain(Explain),
    /// Decide without a world: policies, grants and context are given one by one
    #[command(after_help = help::SIMULATE)]
    Simulate(simulate::Simulate),
    /// Find mistakes in policies, grants and worlds
    #[command(after_help = help::LINT)]
    Lint(lint::Lint),
    /// List the rules of the linter, or show one
    #[command(after_help = help::RULES)]
    Rules(rules::Rules),
    /// Move a ciphertext from one key to another, if the caller may on both
    #[command(after_help = help::RE_ENCRYPT)]
    ReEncrypt(guarded::ReEncrypt),
    /// Encrypt up to 4,096 bytes, if the caller may
    #[command(after_help = help::ENCRYPT)]
    Encrypt(guarded::Encrypt),
    /// Decrypt a ciphertext, if the caller may
    #[command(after_help = help::DECRYPT)]
    Decrypt(guarded::Decrypt),
    /// Move many ciphertexts to another key: decide all, then run with a journal
    #[command(subcommand, after_help = help::FLEET)]
    Fleet(fleet::Fleet),
    /// Manage the keys of an embedded keystore
    #[command(subcommand, after_help = help::KEYS)]
    Keys(keys::Keys),
    /// Read the keys of an AWS account into a world folder
    #[cfg(feature = "aws")]
    #[command(after_help = help::COLLECT)]
    Collect(crate::command::collect::Collect),
    /// List the open points of AWS's documentation and how each is read
    #[command(after_help = help::READINGS)]
    Readings(Readings),
    /// Show it all on a throw-away keystore
    #[command(after_help = help::DEMO)]
    Demo(demo::Demo),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(completions::Completions),
    /// Print the manual page, with all commands
    #[command(after_help = help::MAN)]
    Man,
}

/// The facts an answer is made from.
#[derive(Args, Debug)]
pub struct WorldArgs {
    /// The world folder: IAM, organization, callers, and keys where no keystore is given
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD")]
    pub world: PathBuf,
    /// An embedded keystore whose keys, policies, grants and aliases take the place of the folder's
    #[arg(long, value_name = "FILE", env = "KEYPROOF_KEYSTORE")]
    pub keystore: Option<PathBuf>,
    #[command(flatten)]
    pub root_key: RootKeyArgs,
    /// How to read an open point of the documentation (`keyproof readings` lists them)
    #[arg(long = "reading", value_name = "NAME=VALUE")]
    pub readings: Vec<String>,
}

/// Where the keystore's root key is.
#[derive(Args, Debug)]
pub struct RootKeyArgs {
    /// The file with the root key that seals the keystore [default: the keystore's name with
    /// `.root-key`; KEYPROOF_ROOT_KEY may hold the key itself, in base64]
    #[arg(long, value_name = "FILE")]
    pub root_key: Option<PathBuf>,
}

/// Who calls, and what is known of the call.
#[derive(Args, Debug)]
pub struct CallerArgs {
    /// A caller of world.toml, or an ARN
    #[arg(long, value_name = "NAME|ARN")]
    pub caller: Option<String>,
    /// A condition key the request carries, such as aws:SourceIp=203.0.113.7; several values are
    /// several options
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// A condition key the request does not carry
    #[arg(long, value_name = "KEY")]
    pub absent: Vec<String>,
    /// The call goes straight to KMS: through no VPC endpoint and no other service
    #[arg(long)]
    pub direct: bool,
}

/// What is asked about.
#[derive(Args, Debug)]
pub struct RequestArgs {
    /// The operation (ReEncrypt, Encrypt, Decrypt, …) or action (kms:DescribeKey, …) [default:
    /// ReEncrypt where source and destination are given]
    #[arg(long, value_name = "NAME")]
    pub operation: Option<String>,
    /// The key: key id, key ARN, alias name or alias ARN
    #[arg(long, value_name = "KEY", conflicts_with_all = ["source_key_id", "destination_key_id"])]
    pub key_id: Option<String>,
    /// ReEncrypt: the key that decrypts
    #[arg(long, value_name = "KEY", requires = "destination_key_id")]
    pub source_key_id: Option<String>,
    /// ReEncrypt: the key that encrypts
    #[arg(long, value_name = "KEY", requires = "source_key_id")]
    pub destination_key_id: Option<String>,
    /// CreateAlias, UpdateAlias, DeleteAlias: the alias
    #[arg(long, value_name = "NAME")]
    pub alias_name: Option<String>,
    /// CreateAlias, UpdateAlias: the key the alias would point to
    #[arg(long, value_name = "KEY")]
    pub target_key_id: Option<String>,
    /// CreateGrant: who may use the key, an ARN or a service
    #[arg(long, value_name = "ARN")]
    pub grantee_principal: Option<String>,
    /// CreateGrant: the service that may use the key
    #[arg(long, value_name = "SERVICE")]
    pub grantee_service_principal: Option<String>,
    /// CreateGrant: who may retire the grant, an ARN or a service; ListRetirableGrants: whose grants
    #[arg(long, value_name = "ARN")]
    pub retiring_principal: Option<String>,
    /// CreateGrant, ListRetirableGrants: the same for a service
    #[arg(long, value_name = "SERVICE")]
    pub retiring_service_principal: Option<String>,
    /// CreateGrant: what the grant allows; several are separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub operations: Vec<String>,
    /// CreateGrant: a pair of the grant's EncryptionContextEquals
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "encryption_context_subset")]
    pub encryption_context_equals: Vec<String>,
    /// CreateGrant: a pair of the grant's EncryptionContextSubset
    #[arg(long, value_name = "NAME=VALUE")]
    pub encryption_context_subset: Vec<String>,
    /// CreateGrant: the grant's SourceArn
    #[arg(long, value_name = "ARN")]
    pub source_arn: Option<String>,
    /// RetireGrant: the grant
    #[arg(long, value_name = "ID")]
    pub grant_id: Option<String>,
    /// GetKeyPolicy, PutKeyPolicy: the policy's name [default: default]
    #[arg(long, value_name = "NAME")]
    pub policy_name: Option<String>,
    /// PutKeyPolicy, CreateKey, ReplicateKey: a file with the new policy, for the lock-out check
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// PutKeyPolicy, CreateKey, ReplicateKey: the request skips the lock-out check
    #[arg(long)]
    pub bypass_policy_lockout_safety_check: bool,
    /// ReplicateKey: the Region of the replica
    #[arg(long, value_name = "REGION")]
    pub replica_region: Option<String>,
    /// UpdatePrimaryRegion: the Region of the new primary key
    #[arg(long, value_name = "REGION")]
    pub primary_region: Option<String>,
    /// CreateKey, ReplicateKey: tags are passed
    #[arg(long)]
    pub tagged: bool,
    /// The request is a dry run: where it would succeed, it is DryRunOperationException
    #[arg(long)]
    pub dry_run: bool,
    /// Decrypt, ReEncrypt: a modifier of the dry run, IGNORE_CIPHERTEXT
    #[arg(long = "dry-run-modifier", value_name = "NAME")]
    pub dry_run_modifiers: Vec<String>,
    /// A pair of the encryption context; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub encryption_context: Vec<String>,
    /// ReEncrypt: a pair of the source's encryption context
    #[arg(long, value_name = "NAME=VALUE")]
    pub source_encryption_context: Vec<String>,
    /// ReEncrypt: a pair of the destination's encryption context
    #[arg(long, value_name = "NAME=VALUE")]
    pub destination_encryption_context: Vec<String>,
    /// The encryption algorithm [default: SYMMETRIC_DEFAULT]
    #[arg(long, value_name = "NAME")]
    pub encryption_algorithm: Option<String>,
    /// ReEncrypt: how the source ciphertext was made [default: SYMMETRIC_DEFAULT]
    #[arg(long, value_name = "NAME")]
    pub source_encryption_algorithm: Option<String>,
    /// ReEncrypt: how the new ciphertext is made [default: SYMMETRIC_DEFAULT]
    #[arg(long, value_name = "NAME")]
    pub destination_encryption_algorithm: Option<String>,
    /// A grant token of the request; may be repeated. RetireGrant: the token of the grant
    #[arg(long = "grant-token", value_name = "TOKEN")]
    pub grant_tokens: Vec<String>,
    /// The Region the request is sent to [default: AWS_REGION, else that of a key named by ARN, else
    /// the world's only one]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// `check`
#[derive(Args, Debug)]
pub struct Check {
    /// Scenario files; without any, the flags describe one request
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Decide every operation on every key of the world for every caller of world.toml (or for
    /// --caller), with --encryption-context where it counts; one line for each outcome, in the
    /// order of callers and keys
    #[arg(long, conflicts_with = "scenarios")]
    pub matrix: bool,
    #[command(flatten)]
    pub world: OptionalWorldArgs,
    #[command(flatten)]
    pub caller: CallerArgs,
    #[command(flatten)]
    pub request: RequestArgs,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub live: LiveArgs,
    /// How to show the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
}

/// Asking KMS as well.
#[cfg(feature = "aws")]
#[derive(Args, Debug)]
pub struct LiveArgs {
    /// Ask KMS the same as a dry run, under the caller's own credentials, and tell whether it
    /// agrees
    #[arg(long)]
    pub verify_live: bool,
    /// The profile whose credentials are used for it [default: those of the environment]
    #[arg(long, value_name = "NAME", requires = "verify_live")]
    pub profile: Option<String>,
}

/// The facts, where a scenario file may bring its own.
#[derive(Args, Debug)]
pub struct OptionalWorldArgs {
    /// The world folder; scenario files may name their own
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD")]
    pub world: Option<PathBuf>,
    /// An embedded keystore whose keys, policies, grants and aliases take the place of the folder's
    /// [default for one request: KEYPROOF_KEYSTORE]
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,
    #[command(flatten)]
    pub root_key: RootKeyArgs,
    /// How to read an open point of the documentation (`keyproof readings` lists them)
    #[arg(long = "reading", value_name = "NAME=VALUE")]
    pub readings: Vec<String>,
}

/// `explain`
#[derive(Args, Debug)]
pub struct Explain {
    #[command(flatten)]
    pub world: WorldArgs,
    #[command(flatten)]
    pub caller: CallerArgs,
    #[command(flatten)]
    pub request: RequestArgs,
    /// How to show the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `readings`
#[derive(Args, Debug)]
pub struct Readings {
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How `check` shows its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For CI servers.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// A table for a job summary.
    Markdown,
}
