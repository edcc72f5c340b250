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
    /// A new folder for the demo's files [default: one in the temporary folder]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

const SECRET: &str = "the order of the blue tenant\n";
/// What the steps make; removed at the end, so that the steps can be typed again.
const MADE: &[&str] = &[
    "blue.bin",
    "demo.redb",
    "demo.redb.audit.jsonl",
    "demo.redb.root-key",
    "moved.bin",
    "opened.txt",
];

struct Step {
    about: &'static str,
    ends: Exit,
    words: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        about: "Make the keys of the demo world in a keystore, with real key material.",
        ends: Exit::Yes,
        words: "keys import --keystore demo.redb --world world",
    },
    Step {
        about: "The orders service encrypts for the tenant blue.",
        ends: Exit::Yes,
        words: "encrypt --world world --keystore demo.redb --region eu-central-1 --caller orders --key-id alias/orders \
                --plaintext secret.txt --encryption-context tenant=blue --output blue.bin",
    },
    Step {
        about: "May it move that to the partner's key, in another account? Both keys must agree.",
        ends: Exit::Yes,
        words: "check --world world --keystore demo.redb --region eu-central-1 --caller orders \
                --source-key-id alias/orders --source-encryption-context tenant=blue \
                --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \
                --destination-encryption-context tenant=blue",
    },
    Step {
        about: "It may. So it is judged again, recorded, and done.",
        ends: Exit::Yes,
        words: "re-encrypt --world world --keystore demo.redb --region eu-central-1 --caller orders \
                --ciphertext-blob blue.bin --source-encryption-context tenant=blue \
                --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \
                --destination-encryption-context tenant=blue --output moved.bin",
    },
    Step {
        about: "Reporting may take from the source key, but not put under the destination key.",
        ends: Exit::No,
        words: "re-encrypt --world world --keystore demo.redb --region eu-central-1 --caller reporting \
                --ciphertext-blob blue.bin --source-encryption-context tenant=blue \
                --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \
                --destination-encryption-context tenant=blue --output denied.bin",
    },
    Step {
        about: "The contractor is allowed by IAM, and stopped by a Deny of the source key's policy.",
        ends: Exit::No,
        words: "re-encrypt --world world --keystore demo.redb --region eu-central-1 --caller contractor \
                --ciphertext-blob blue.bin --source-encryption-context tenant=blue \
                --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \
                --destination-encryption-context tenant=blue --output denied.bin",
    },
    Step {
        about: "The partner opens what was moved to its key.",
        ends: Exit::Yes,
        words: "decrypt --world world --keystore demo.redb --region eu-central-1 --caller partner \
                --ciphertext-blob moved.bin --encryption-context tenant=blue --output opened.txt",
    },
];

/// Runs the demo.
pub fn run(args: &Demo, io: &mut Io) -> Result<Exit, CliError> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("keyproof-demo-{}", std::process::id())),
    };
    if folder.exists() {
        return Err(CliError::at(&folder, "exists already: name a new folder"));
    }
    for (name, text) in WORLD {
        write(&folder.join("world").join(name), text)?;
    }
    write(&folder.join("secret.txt"), SECRET)?;
    // The steps are typed in the folder, so that they are short and can be typed again.
    std::env::set_current_dir(&folder).map_err(|error| CliError::at(&folder, error))?;
    let mut session = io.session();
    if let Some(program) =
        std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned))
    {
        writeln!(session.out, "$ export PATH={}:$PATH", quoted(&program))?;
    }
    writeln!(session.out, "$ cd {}", quoted(&folder))?;
    let done = steps(&mut session);
    for name in MADE {
        let _ = std::fs::remove_file(name);
    }
    done?;
    writeln!(
        session.out,
        "# Keys and results are gone; every step can be typed again in {}.",
        folder.display()
    )?;
    Ok(Exit::Yes)
}

fn steps(io: &mut Io) -> Result<(), CliError> {
    for Step { about, ends, words } in STEPS {
        let words: Vec<&str> = words.split_whitespace().collect();
        writeln!(io.out, "\n# {about}")?;
        writeln!(io.out, "$ keyproof {}", words.join(" "))?;
        if command(&words, io)? != *ends {
            return Err(CliError::new(format_args!(
                "the demo did not come out as it should: {about}"
            )));
        }
    }
    let opened = std::fs::read_to_string("opened.txt").map_err(CliError::new)?;
    if opened != SECRET {
        return Err(CliError::new("what came out is not what went in"));
    }
    writeln!(io.out, "\n$ cat opened.txt\n{opened}")?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::at(path, error);
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    std::fs::write(path, text).map_err(failed)
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
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
