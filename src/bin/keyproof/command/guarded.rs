//! `re-encrypt`, `encrypt`, `decrypt`: judged, recorded, and run on an embedded keystore or AWS KMS.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use keyproof::audit::JsonLines;
use keyproof::authorize::{
    Authorizer, DecryptRequest, Denied, EncryptRequest, KeyFault, Operation, PreflightAnswer,
    ReEncryptRequest, ResolveError, Side,
};
use keyproof::compile::Caller;
use keyproof::execute::{
    AuditError, AuditLog, AuditRecord, ExecuteError, Executor, LiveWorld, TimeSource,
};
use keyproof::model::{CiphertextBlob, Decision, Plaintext, Readings, Region, Timestamp};
use keyproof::remedy::Remedies;
use keyproof::report;
use serde_json::{Value, json};

#[cfg(feature = "aws")]
use super::backend::BackendName;
use super::backend::{Backend, BackendArgs, BackendError, BackendFiles, Reader, Repeats};
use crate::cli::{CallerArgs, Format};
use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io, Target};
use crate::place;

/// What every guarded operation takes.
#[derive(Args, Debug)]
pub struct Common {
    /// The world folder: IAM, organization and callers
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD")]
    pub world: PathBuf,
    #[command(flatten)]
    pub backend: BackendArgs,
    /// How to read an open point of the documentation (`keyproof readings` lists them)
    #[arg(long = "reading", value_name = "NAME=VALUE")]
    pub readings: Vec<String>,
    #[command(flatten)]
    pub caller: CallerArgs,
    /// A grant token of the request; may be repeated
    #[arg(long = "grant-token", value_name = "TOKEN")]
    pub grant_tokens: Vec<String>,
    /// The Region the request is sent to [default: that of a key named by ARN, else the
    /// keystore's only one]
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub region: Option<String>,
    /// Where the result goes: a file, written whole or not at all, or - [default: standard output].
    /// A decrypted text in a new file is readable by its owner alone
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Judge only: nothing is run, recorded or written
    #[arg(long)]
    pub dry_run: bool,
    /// How to show the answer; json goes to standard output and holds the result in base64, or
    /// with --output the name of the file that the result itself is written to
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `re-encrypt`
#[derive(Args, Debug)]
pub struct ReEncrypt {
    #[command(flatten)]
    pub common: Common,
    /// AWS: ask KMS the same as a dry run first, under the caller's own credentials, and run only
    /// if it agrees
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub verify_live: bool,
    /// The ciphertext: a file, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub ciphertext_blob: PathBuf,
    /// The key that made the ciphertext [default: the one a symmetric ciphertext of the embedded
    /// KMS names]
    #[arg(long, value_name = "KEY")]
    pub source_key_id: Option<String>,
    /// The key to encrypt under
    #[arg(long, value_name = "KEY")]
    pub destination_key_id: String,
    /// A pair of the ciphertext's encryption context; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub source_encryption_context: Vec<String>,
    /// A pair of the new encryption context; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub destination_encryption_context: Vec<String>,
    /// How the ciphertext was made
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub source_encryption_algorithm: String,
    /// How to encrypt
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub destination_encryption_algorithm: String,
}

/// `encrypt`
#[derive(Args, Debug)]
pub struct Encrypt {
    #[command(flatten)]
    pub common: Common,
    /// The key
    #[arg(long, value_name = "KEY")]
    pub key_id: String,
    /// What to encrypt: a file, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub plaintext: PathBuf,
    /// A pair of the encryption context; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub encryption_context: Vec<String>,
    /// How to encrypt
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub encryption_algorithm: String,
}

/// `decrypt`
#[derive(Args, Debug)]
pub struct Decrypt {
    #[command(flatten)]
    pub common: Common,
    /// The ciphertext: a file, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub ciphertext_blob: PathBuf,
    /// The key that made the ciphertext [default: the one a symmetric ciphertext names]
    #[arg(long, value_name = "KEY")]
    pub key_id: Option<String>,
    /// A pair of the encryption context; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub encryption_context: Vec<String>,
    /// How the ciphertext was made
    #[arg(long, value_name = "NAME", default_value = "SYMMETRIC_DEFAULT")]
    pub encryption_algorithm: String,
}

/// Runs `re-encrypt`.
pub fn re_encrypt(args: &ReEncrypt, io: &mut Io) -> Result<Exit, CliError> {
    let files = refuse_overwriting(&args.common, &args.ciphertext_blob)?;
    let blob = ciphertext(&args.ciphertext_blob)?;
    let guard = Guard::open(&args.common, &files)?;
    let destination_key = input::key_identifier(&args.destination_key_id)?;
    let source_key = args.source_key_id.as_deref().map(input::key_identifier).transpose()?;
    let named =
        destination_key.region().or_else(|| source_key.as_ref().and_then(|key| key.region()));
    let request = ReEncryptRequest {
        region: guard.region(named)?,
        ciphertext: Some(blob),
        source_key,
        source_algorithm: input::algorithm(&args.source_encryption_algorithm)?,
        source_context: input::encryption_context(&args.source_encryption_context)?,
        destination_key,
        destination_algorithm: input::algorithm(&args.destination_encryption_algorithm)?,
        destination_context: input::encryption_context(&args.destination_encryption_context)?,
        grant_tokens: input::grant_tokens(&args.common.grant_tokens)?,
    };
    let Guard { world, caller, executor, .. } = &guard;
    let snapshot = &*world.current();
    #[cfg(feature = "aws")]
    if args.verify_live {
        let exit = verify_live(args, &guard, &request, io)?;
        if args.common.dry_run || exit != Exit::Yes {
            return Ok(exit);
        }
    }
    if args.common.dry_run {
        let authorizer = Authorizer::new(snapshot);
        let operation = authorizer
            .resolve_re_encrypt(request, caller, executor.backend())
            .map_err(|error| unresolved(&error))?;
        return dry_run(&authorizer, operation, caller, args.common.format, io);
    }
    let target = Target::open(args.common.output.as_ref(), false)?;
    let run = executor.guarded(world, caller, request, executor.backend());
    let done = match block_on(run)? {
        Ok(done) => done,
        Err(error) => return refused(error, snapshot.readings(), args.common.format, io),
    };
    finish(
        &args.common,
        target,
        io,
        ("CiphertextBlob", done.ciphertext.as_bytes()),
        &format!("re-encrypted from {} to {}", done.source_key, done.destination_key),
        json!({
            "SourceKeyId": done.source_key.as_str(),
            "KeyId": done.destination_key.as_str(),
            "SourceEncryptionAlgorithm": done.source_algorithm.as_str(),
            "DestinationEncryptionAlgorithm": done.destination_algorithm.as_str(),
            "SourceKeyMaterialId": done.source_material,
            "DestinationKeyMaterialId": done.destination_material,
        }),
    )
}

/// Runs `encrypt`.
pub fn encrypt(args: &Encrypt, io: &mut Io) -> Result<Exit, CliError> {
    let files = refuse_overwriting(&args.common, &args.plaintext)?;
    let bytes = input::read_bytes(&args.plaintext)?;
    let plaintext = Plaintext::new(bytes).map_err(|error| CliError::at(&args.plaintext, error))?;
    let guard = Guard::open(&args.common, &files)?;
    let key = input::key_identifier(&args.key_id)?;
    let request = EncryptRequest {
        region: guard.region(key.region())?,
        key,
        plaintext: Some(plaintext),
        algorithm: input::algorithm(&args.encryption_algorithm)?,
        context: input::encryption_context(&args.encryption_context)?,
        grant_tokens: input::grant_tokens(&args.common.grant_tokens)?,
    };
    let Guard { world, caller, executor, .. } = &guard;
    let snapshot = &*world.current();
    if args.common.dry_run {
        let authorizer = Authorizer::new(snapshot);
        let operation =
            authorizer.resolve_encrypt(request, caller).map_err(|error| unresolved(&error))?;
        return dry_run(&authorizer, operation, caller, args.common.format, io);
    }
    let target = Target::open(args.common.output.as_ref(), false)?;
    let done = match block_on(executor.guarded(world, caller, request, executor.backend()))? {
        Ok(done) => done,
        Err(error) => return refused(error, snapshot.readings(), args.common.format, io),
    };
    finish(
        &args.common,
        target,
        io,
        ("CiphertextBlob", done.ciphertext.as_bytes()),
        &format!("encrypted under {}", done.key),
        json!({
            "KeyId": done.key.as_str(),
            "EncryptionAlgorithm": done.algorithm.as_str(),
        }),
    )
}

/// Runs `decrypt`.
pub fn decrypt(args: &Decrypt, io: &mut Io) -> Result<Exit, CliError> {
    let files = refuse_overwriting(&args.common, &args.ciphertext_blob)?;
    let blob = ciphertext(&args.ciphertext_blob)?;
    let guard = Guard::open(&args.common, &files)?;
    let key = args.key_id.as_deref().map(input::key_identifier).transpose()?;
    let request = DecryptRequest {
        region: guard.region(key.as_ref().and_then(|key| key.region()))?,
        ciphertext: Some(blob),
        key,
        algorithm: input::algorithm(&args.encryption_algorithm)?,
        context: input::encryption_context(&args.encryption_context)?,
        grant_tokens: input::grant_tokens(&args.common.grant_tokens)?,
    };
    let Guard { world, caller, executor, .. } = &guard;
    let snapshot = &*world.current();
    if args.common.dry_run {
        let authorizer = Authorizer::new(snapshot);
        let operation = authorizer
            .resolve_decrypt(request, caller, executor.backend())
            .map_err(|error| unresolved(&error))?;
        return dry_run(&authorizer, operation, caller, args.common.format, io);
    }
    let target = Target::open(args.common.output.as_ref(), true)?;
    let run = executor.guarded(world, caller, request, executor.backend());
    let done = match block_on(run)? {
        Ok(done) => done,
        Err(error) => return refused(error, snapshot.readings(), args.common.format, io),
    };
    finish(
        &args.common,
        target,
        io,
        ("Plaintext", done.plaintext.expose()),
        &format!("decrypted under {}", done.key),
        json!({
            "KeyId": done.key.as_str(),
            "EncryptionAlgorithm": done.algorithm.as_str(),
            "KeyMaterialId": done.material,
        }),
    )
}

/// The records; none in a dry run, which runs nothing.
struct Log(Option<JsonLines>);

impl AuditLog for Log {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        match &self.0 {
            Some(lines) => lines.record(record),
            None => Err(AuditError("a dry run records nothing".into())),
        }
    }
}

/// Decides without the data, asks KMS the same with it, and tells whether they agree.
#[cfg(feature = "aws")]
fn verify_live(
    args: &ReEncrypt,
    guard: &Guard,
    request: &ReEncryptRequest,
    io: &mut Io,
) -> Result<Exit, CliError> {
    use keyproof::authorize::{Preflight, PreflightKey, PreflightOperation};

    if args.common.backend.backend != BackendName::Aws {
        return Err(CliError::new("--verify-live would be ignored: it belongs to --backend aws"));
    }
    let source = request.source_key.clone().ok_or_else(|| unresolved(&ResolveError::Opaque))?;
    let question = Preflight {
        operation: PreflightOperation::ReEncrypt {
            source: PreflightKey {
                name: source,
                context: request.source_context.clone(),
                algorithm: request.source_algorithm,
            },
            destination: PreflightKey {
                name: request.destination_key.clone(),
                context: request.destination_context.clone(),
                algorithm: request.destination_algorithm,
            },
        },
        region: Some(request.region.clone()),
        grant_tokens: request.grant_tokens.clone(),
        dry_run: false,
    };
    let snapshot = guard.world.current();
    let answer = Authorizer::new(&snapshot)
        .preflight(question.clone(), &guard.caller)
        .map_err(CliError::new)?;
    show(&answer, args.common.format, io)?;
    let profile = args.common.backend.aws.profile.as_deref();
    let blob = request.ciphertext.as_ref();
    let live = super::live::verify(profile, &question, &answer, &guard.caller, blob)?;
    super::live::show_aside(&live, io);
    Ok(live.exit(&answer))
}

/// Refuses an output and an audit file that would destroy what the command reads or keeps.
fn refuse_overwriting(args: &Common, data: &Path) -> Result<BackendFiles, CliError> {
    let standard_input = Path::new("/dev/stdin");
    let data = ("the input", if data.as_os_str() == "-" { standard_input } else { data });
    let files = args.backend.files(&args.world, &[data])?;
    if !args.dry_run {
        Target::check(args.output.as_ref())?;
    }
    if let Some(path) = args.output.as_ref().filter(|path| path.as_os_str() != "-") {
        let mut used = files.keys();
        used.extend([data, ("the audit file", &files.audit)]);
        place::refuse_used(path, "the output", &used, Some(&args.world))?;
    }
    Ok(files)
}

/// The system's clock.
pub struct Clock;

impl TimeSource for Clock {
    fn now(&self) -> Timestamp {
        input::now()
    }
}

/// A caller before an executor.
struct Guard {
    world: Arc<LiveWorld<Reader>>,
    caller: Caller,
    executor: Executor<Backend, Log, Clock>,
    region: Option<Region>,
}

impl Guard {
    fn open(args: &Common, files: &BackendFiles) -> Result<Self, CliError> {
        let loaded = args.backend.world(files, &args.world, &args.readings)?;
        let caller = input::caller(&loaded, &args.caller)?;
        let region = input::region(args.region.as_deref(), &loaded.snapshot)?;
        let (world, backend, freshness) = args.backend.open(loaded, Repeats::Backend)?;
        let audit = if args.dry_run { Log(None) } else { Log(Some(files.audit_log()?)) };
        let executor = Executor::new(backend, audit, Clock).with_freshness(freshness);
        Ok(Self { world, caller, executor, region })
    }

    fn region(&self, named: Option<Region>) -> Result<Region, CliError> {
        input::known_region(self.region.clone().or(named))
    }
}

fn ciphertext(path: &Path) -> Result<CiphertextBlob, CliError> {
    let bytes = input::read_bytes(path)?;
    CiphertextBlob::new(bytes)
        .map_err(|error| CliError::at(path, format_args!("InvalidCiphertextException: {error}")))
}

/// Runs a future on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CliError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build().map_err(CliError::new)?.block_on(future))
}

fn unresolved(error: &ResolveError) -> CliError {
    match error.code() {
        Some(code) if matches!(error, ResolveError::Opaque) => CliError::new(format_args!(
            "{code}: the ciphertext does not name its key, as those of RSA keys never do: name the key with \
             --key-id, or --source-key-id of re-encrypt, and the algorithm"
        )),
        Some(code @ "AccessDeniedException") => CliError::denied(format_args!("{code}: {error}")),
        Some(code) => CliError::new(format_args!("{code}: {error}")),
        None => CliError::new(error),
    }
}

fn dry_run<O: keyproof::authorize::Judged + fmt::Debug>(
    authorizer: &Authorizer<'_>,
    operation: O,
    caller: &Caller,
    format: Format,
    io: &mut Io,
) -> Result<Exit, CliError> {
    match authorizer.authorize(operation, caller) {
        Ok(proof) => {
            let sides = authorizer.explain(&*proof, caller);
            show(&PreflightAnswer { operation: O::NAME, sides, fault: None }, format, io)?;
            Ok(Exit::Yes)
        }
        Err(denied) => show_denied(*denied, format, io),
    }
}

fn refused<O: Operation + fmt::Debug>(
    error: ExecuteError<O, BackendError>,
    readings: &Readings,
    format: Format,
    io: &mut Io,
) -> Result<Exit, CliError> {
    match error {
        ExecuteError::Denied(denied) => show_denied(*denied, format, io),
        ExecuteError::Disagreement { .. } => {
            let message = error.to_string();
            let ExecuteError::Disagreement { side, sides, .. } = error else {
                return Err(CliError::new(message));
            };
            let answer = PreflightAnswer { operation: O::NAME, sides, fault: None };
            disagreed(&answer, side.map(Side::as_str), &message, readings, format, io)
        }
        ExecuteError::Resolve(error) => Err(unresolved(&error)),
        ExecuteError::Backend(error) => match error.unsaid_code() {
            Some(code) => Err(CliError::new(format_args!("{code}: {error}"))),
            None => Err(CliError::new(error)),
        },
        other => Err(CliError::new(other)),
    }
}

/// Shows what was decided here, with everything that was judged, beside what the backend says.
fn disagreed(
    answer: &PreflightAnswer,
    side: Option<&str>,
    message: &str,
    readings: &Readings,
    format: Format,
    io: &mut Io,
) -> Result<Exit, CliError> {
    match format {
        Format::Text => {
            let (style, none) = (io.style, Remedies { sides: Vec::new(), fixed: None });
            let _ = io.report_aside(|out| report::explanation(out, answer, &none, readings, style));
        }
        Format::Json => {
            let sides: Vec<Value> =
                answer.sides.iter().map(|side| report::side_json(side, Some(readings))).collect();
            let json = json!({
                "schema": "keyproof/disagreement/1", "operation": answer.operation,
                "refusedSide": side, "message": message, "sides": sides,
            });
            writeln!(io.out, "{json:#}")?;
        }
    }
    Err(CliError::denied(format_args!("{}: {message}; nothing was written", answer.operation)))
}

fn show_denied<O: Operation>(
    denied: Denied<O>,
    format: Format,
    io: &mut Io,
) -> Result<Exit, CliError> {
    let (code, decision) = (denied.code(), denied.decision());
    let answer = PreflightAnswer { operation: O::NAME, sides: denied.sides, fault: denied.fault };
    show(&answer, format, io)?;
    let no = match (&answer.fault, decision) {
        // The blob or a flag is wrong; nothing is denied.
        (Some(fault), _)
            if matches!(fault.code, "IncorrectKeyException" | "InvalidCiphertextException") =>
        {
            Exit::NoAnswer
        }
        (None, Decision::Undetermined) => Exit::NoAnswer,
        _ => Exit::No,
    };
    let _ = writeln!(io.err, "{code}: {} was not executed and nothing was written", O::NAME);
    Ok(no)
}

/// Judgements go to standard error: standard output is for the result.
fn show(answer: &PreflightAnswer, format: Format, io: &mut Io) -> Result<(), CliError> {
    let PreflightAnswer { operation, sides, fault } = answer;
    match format {
        Format::Text => {
            // Without standard error there is nobody to tell.
            let style = io.style;
            let _ = io.report_aside(|out| report::answer(out, sides, fault.as_ref(), style));
        }
        Format::Json => {
            let sides: Vec<Value> =
                sides.iter().map(|side| report::side_json(side, None)).collect();
            let fault = fault.as_ref().map(|KeyFault { side, code, message }| {
                json!({"side": side.as_str(), "code": code, "message": message})
            });
            let answer = json!({
                "schema": "keyproof/refusal/1", "operation": operation, "sides": sides, "fault": fault,
            });
            writeln!(io.out, "{answer:#}")?;
        }
    }
    Ok(())
}

/// Writes the result; what ran is told even if that fails.
fn finish(
    args: &Common,
    target: Target,
    io: &mut Io,
    (name, bytes): (&str, &[u8]),
    message: &str,
    mut json: Value,
) -> Result<Exit, CliError> {
    io.done(message);
    let file = match &target {
        Target::File(_) => args.output.as_ref(),
        Target::Out => None,
    };
    let written = match (args.format, file) {
        (Format::Text, _) | (Format::Json, Some(_)) => target.write(io, bytes),
        (Format::Json, None) => Ok(()),
    };
    written.map_err(|error| error.after(message))?;
    match args.format {
        Format::Text => {
            let _ = writeln!(io.err, "{message}");
        }
        Format::Json => {
            let shown = match file {
                Some(path) => ("Output", path.display().to_string()),
                None => (name, STANDARD.encode(bytes)),
            };
            if let Some(object) = json.as_object_mut() {
                object.insert(shown.0.to_owned(), shown.1.into());
            }
            writeln!(io.out, "{json:#}")?;
        }
    }
    Ok(Exit::Yes)
}
