//! Where a command writes: data to standard output, messages to standard error, files whole or not
//! at all.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use keyproof::report::Style;

use crate::exit::Exit;

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The command's streams.
pub struct Io {
    /// Data.
    pub out: Box<dyn Write>,
    /// Messages.
    pub err: Box<dyn Write>,
    /// Whether data is coloured; the stream strips colour where it does not belong.
    pub style: Style,
    choice: ColorChoice,
}

impl Io {
    /// Standard output and standard error.
    pub fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let out = AutoStream::new(io::stdout(), choice);
        Self {
            out: Box::new(BufWriter::new(out)),
            err: Box::new(AutoStream::new(io::stderr(), choice)),
            style: Style::Colour,
            choice,
        }
    }

    /// Both streams into standard output, in the order written: for showing a whole session.
    pub fn session(&self) -> Self {
        let stream = || AutoStream::new(io::stdout(), self.choice);
        Self {
            out: Box::new(stream()),
            err: Box::new(stream()),
            style: self.style,
            choice: self.choice,
        }
    }

    /// Shows an error.
    pub fn error(&mut self, error: &CliError) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{}: {error}", error.prefix());
    }

    /// Writes what is left.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A command that ended without doing what was asked.
#[derive(Debug)]
pub struct CliError {
    message: String,
    exit: Exit,
    closed_pipe: bool,
}

impl CliError {
    /// There is no answer.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), exit: Exit::NoAnswer, closed_pipe: false }
    }

    /// With the file it is about.
    pub fn at(path: &Path, message: impl fmt::Display) -> Self {
        Self::new(format_args!("{}: {message}", path.display()))
    }

    /// The answer is no.
    pub fn denied(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), exit: Exit::No, closed_pipe: false }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether a reader closed standard output, as `| head` does: no failure of ours.
    pub fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    fn prefix(&self) -> &'static str {
        match self.exit {
            Exit::No => "denied",
            Exit::Yes | Exit::NoAnswer => "error",
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self { closed_pipe, ..Self::new(error) }
    }
}

/// Where bytes go: a file, or standard output for `-`.
pub fn write_bytes(io: &mut Io, target: Option<&PathBuf>, bytes: &[u8]) -> Result<(), CliError> {
    match target {
        Some(path) if path.as_os_str() != "-" => write_whole(path, bytes),
        _ => Ok(io.out.write_all(bytes)?),
    }
}

/// Writes a file whole or not at all: a temporary file beside it, synced, then renamed over it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| CliError::at(path, "is not the name of a file"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.part", std::process::id()));
    let temporary = folder.join(temporary);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        std::fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|error: io::Error| {
        let _ = std::fs::remove_file(&temporary);
        CliError::at(path, error)
    })
}

/// A file beside another: its name with a further ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
