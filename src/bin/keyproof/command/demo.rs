//! `demo`: a guarded ReEncrypt from end to end, each step as the command a user would type.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::output::{CliError, Io};

/// The demo world, compiled in so that the program needs no files.
const WORLD: &[(&str, &str)] = &include!("demo_world.in");

/// `demo`
#[derive(Args, Debug)]
pub struct Demo {
    /// Where the demo's files go; they are kept [default: a new folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

const INBOX: &str = "arn:aws:kms:eu-central-1:444455556666:alias/inbox";

/// Runs the demo.
pub fn run(args: &Demo, io: &mut Io) -> Result<Exit, CliError> {
    let folder = match &args.keep {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("keyproof-demo-{}", std::process::id())),
    };
    if folder.exists() {
        return Err(CliError::at(&folder, "exists already: name a new folder"));
    }
    std::fs::create_dir_all(&folder).map_err(|error| CliError::at(&folder, error))?;
    let steps = steps(&folder, io);
    if args.keep.is_none() {
        std::fs::remove_dir_all(&folder).map_err(|error| CliError::at(&folder, error))?;
    }
    steps
}

fn steps(folder: &Path, io: &mut Io) -> Result<Exit, CliError> {
    let at = |name: &str| folder.join(name).display().to_string();
    let (world, keystore) = (at("world"), at("keystore.redb"));
    for (name, text) in WORLD {
        let path = folder.join("world").join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| CliError::at(parent, error))?;
        std::fs::write(&path, text).map_err(|error| CliError::at(&path, error))?;
    }
    let (secret, blue, moved, opened) =
        (at("secret.txt"), at("blue.bin"), at("moved.bin"), at("opened.txt"));
    let text = "the order of the blue tenant\n";
    std::fs::write(&secret, text).map_err(|error| CliError::at(Path::new(&secret), error))?;

    let mut step = |about: &str, expected: Exit, words: &[&str]| -> Result<(), CliError> {
        writeln!(io.out, "\n# {about}")?;
        writeln!(io.out, "$ keyproof {}", words.join(" "))?;
        io.out.flush()?;
        let found = command(words, io)?;
        if found == expected {
            Ok(())
        } else {
            Err(CliError::new(format_args!("the demo did not come out as it should: {about}")))
        }
    };
    let places = ["--world", &world, "--keystore", &keystore];
    let guarded = |operation: &'static str, caller: &'static str| -> Vec<&str> {
        let mut words = vec![operation];
        words.extend(places);
        words.extend(["--caller", caller]);
        words
    };

    step(
        "Make the keys of the demo world, with real key material, in a keystore.",
        Exit::Yes,
        &["keys", "import", "--keystore", &keystore, "--world", &world],
    )?;
    let mut words = guarded("encrypt", "orders");
    words.extend(["--key-id", "alias/orders", "--plaintext", &secret]);
    words.extend(["--encryption-context", "tenant=blue", "--output", &blue]);
    step("The orders service encrypts for the tenant blue.", Exit::Yes, &words)?;

    let mut check = vec!["check", "--world", &world, "--caller", "orders"];
    check.extend(["--source-key-id", "alias/orders", "--source-encryption-context", "tenant=blue"]);
    check.extend([
        "--destination-key-id",
        INBOX,
        "--destination-encryption-context",
        "tenant=blue",
    ]);
    step(
        "May it move that to the partner's key, in another account? Both keys must agree.",
        Exit::Yes,
        &check,
    )?;

    let re_encrypt = |caller: &'static str, output: &'static str| -> Vec<String> {
        let mut words: Vec<String> =
            guarded("re-encrypt", caller).into_iter().map(str::to_owned).collect();
        words.extend(["--ciphertext-blob".into(), blue.clone()]);
        words.extend(["--source-encryption-context".into(), "tenant=blue".into()]);
        words.extend(["--destination-key-id".into(), INBOX.into()]);
        words.extend(["--destination-encryption-context".into(), "tenant=blue".into()]);
        words.extend(["--output".into(), at(output)]);
        words
    };
    let borrowed = |words: &[String]| words.to_vec();
    let words = borrowed(&re_encrypt("orders", "moved.bin"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    step("It may: judged on both keys, recorded, and really done.", Exit::Yes, &words)?;

    let words = re_encrypt("reporting", "denied.bin");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    step(
        "Reporting may read under the source key, but not write under the destination.",
        Exit::No,
        &words,
    )?;

    let words = re_encrypt("contractor", "denied.bin");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    step("The contractor is stopped by an explicit Deny.", Exit::No, &words)?;

    let mut words = guarded("decrypt", "partner");
    words.extend(["--ciphertext-blob", &moved, "--encryption-context", "tenant=blue"]);
    words.extend(["--output", &opened]);
    step("The partner decrypts what was moved to its key.", Exit::Yes, &words)?;
    let found = std::fs::read_to_string(&opened)
        .map_err(|error| CliError::at(Path::new(&opened), error))?;
    if found != text {
        return Err(CliError::new("what came out is not what went in"));
    }
    writeln!(io.out, "\n# What came out is what went in: {found:?}")?;
    Ok(Exit::Yes)
}

/// Runs one command as if it had been typed; a refusal is an answer.
fn command(words: &[&str], io: &mut Io) -> Result<Exit, CliError> {
    let typed = std::iter::once("keyproof").chain(words.iter().copied()).map(OsString::from);
    let cli = Cli::try_parse_from(typed).map_err(CliError::new)?;
    match super::run(cli.command, io) {
        Ok(exit) => Ok(exit),
        Err(error) if error.exit() == Exit::No => {
            io.error(&error);
            Ok(Exit::No)
        }
        Err(error) => Err(error),
    }
}
