//! Where a command writes: data to standard output, messages to standard error, files whole or not
//! at all.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(unix)]
use anstream::adapter::StripBytes;
use anstream::{AutoStream, ColorChoice};
use keyproof::backend::embedded::KeystoreError;
use keyproof::report::Style;

use crate::exit::Exit;
use crate::place::{self, Pending};

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
    done: Option<String>,
}

impl Io {
    /// Standard output and standard error.
    pub fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            out: Box::new(AtEnd { bytes: Vec::new(), to: stdout(choice) }),
            err: Box::new(AutoStream::new(io::stderr(), choice)),
            style: Style::Colour,
            choice,
            done: None,
        }
    }

    /// Both streams into standard output, in the order written: for showing a whole session.
    pub fn session(&self) -> Self {
        Self {
            out: stdout(self.choice),
            err: stdout(self.choice),
            style: self.style,
            choice: self.choice,
            done: None,
        }
    }

    /// Remembers what the command has done, for the case that its answer cannot be written.
    pub fn done(&mut self, what: impl fmt::Display) {
        self.done = Some(what.to_string());
    }

    /// Shows as data what the library writes of names and texts that others chose.
    pub fn report(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut text = Vec::new();
        write(&mut text)?;
        self.out.write_all(reported(&String::from_utf8_lossy(&text)).as_bytes())
    }

    /// The same as messages.
    pub fn report_aside(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        write(&mut text)?;
        self.err.write_all(reported(&String::from_utf8_lossy(&text)).as_bytes())
    }

    /// Shows an error.
    pub fn error(&mut self, error: &CliError) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{}: {error}", error.prefix());
    }

    /// Ends the command: writes what is left, and tells what did not work.
    pub fn finish(&mut self, ended: Result<Exit, CliError>) -> Exit {
        let (exit, error) = match ended {
            Ok(exit) => match self.out.flush() {
                Ok(()) => return exit,
                Err(error) => (exit, CliError::from(error)),
            },
            Err(error) => (Exit::Yes, error),
        };
        match (&error.output, self.done.take()) {
            (Some(_), Some(done)) => {
                let _ =
                    writeln!(self.err, "error: {done}; the answer could not be written: {error}");
                Exit::NoAnswer
            }
            // A reader that has seen enough, as in `| head`, is no failure.
            (Some(io::ErrorKind::BrokenPipe), None) => exit,
            _ => {
                self.error(&error);
                error.exit
            }
        }
    }
}

/// Standard output as a file: unlike the runtime's own, it does not take a closed one for written.
fn stdout(choice: ColorChoice) -> Box<dyn Write> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;

        if let Ok(descriptor) = io::stdout().as_fd().try_clone_to_owned() {
            let file = std::fs::File::from(descriptor);
            // Both write what they are given at once, where `AutoStream` writes piece by piece.
            let choice = match choice {
                ColorChoice::Auto => AutoStream::choice(&file),
                told => told,
            };
            return match choice {
                ColorChoice::Never => Box::new(Plain { state: StripBytes::new(), to: file }),
                _ => Box::new(file),
            };
        }
    }
    Box::new(AutoStream::new(io::stdout(), choice))
}

/// Takes colour out.
#[cfg(unix)]
struct Plain {
    state: StripBytes,
    to: std::fs::File,
}

#[cfg(unix)]
impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept: Vec<&[u8]> = self.state.strip_next(bytes).collect();
        self.to.write_all(&kept.concat())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Keeps what is written until it is flushed: whether it can be written is found when the exit code
/// is known.
struct AtEnd {
    bytes: Vec<u8>,
    to: Box<dyn Write>,
}

impl Write for AtEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        self.to.write_all(&bytes)?;
        self.to.flush()
    }
}

/// A command that ended without doing what was asked.
#[derive(Debug)]
pub struct CliError {
    message: String,
    exit: Exit,
    /// Set when standard output could not be written.
    output: Option<io::ErrorKind>,
}

impl CliError {
    /// There is no answer.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), exit: Exit::NoAnswer, output: None }
    }

    /// With the file it is about.
    pub fn at(path: &Path, message: impl fmt::Display) -> Self {
        Self::new(format_args!("{}: {message}", path.display()))
    }

    /// The answer is no.
    pub fn denied(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), exit: Exit::No, output: None }
    }

    /// With what was done before it; whether standard output is at fault no longer matters.
    pub fn after(self, done: &str) -> Self {
        Self::new(format_args!("{done}; the result could not be written: {self}"))
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
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
        // A message may have lines.
        f.write_str(&escaped(&self.message, |character| matches!(character, '\n' | '\t')))
    }
}

impl From<KeystoreError> for CliError {
    fn from(error: KeystoreError) -> Self {
        Self::new(error)
    }
}

/// Errors of reading and writing files carry the file's name, so what is left is standard output.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self { output: Some(error.kind()), ..Self::new(format_args!("standard output: {error}")) }
    }
}

/// Where the bytes of a result go.
#[derive(Debug)]
pub enum Target {
    /// A file, made ready before anything runs.
    File(Pending),
    /// Standard output.
    Out,
}

impl Target {
    /// Refuses, before anything is opened, what cannot be a target.
    pub fn check(path: Option<&PathBuf>) -> Result<(), CliError> {
        match path {
            Some(path) if path.as_os_str() != "-" => place::writable(path).map(drop),
            _ if goes_nowhere() => Err(CliError::new(
                "standard output is closed, the result would be lost: name a file with --output",
            )),
            _ => Ok(()),
        }
    }

    /// Opens the target; `secret` tells whether others may read a new file.
    pub fn open(path: Option<&PathBuf>, secret: bool) -> Result<Self, CliError> {
        match path {
            Some(path) if path.as_os_str() != "-" => Pending::open(path, secret).map(Self::File),
            _ => Ok(Self::Out),
        }
    }

    /// Writes all of the result.
    pub fn write(self, io: &mut Io, bytes: &[u8]) -> Result<(), CliError> {
        match self {
            Self::File(file) => file.finish(bytes),
            Self::Out => {
                io.out.write_all(bytes)?;
                Ok(io.out.flush()?)
            }
        }
    }
}

/// Whether standard output was closed when the program began. The runtime then puts a null device
/// there, open for reading and writing, so that no file of ours gets its number.
#[cfg(target_os = "linux")]
fn goes_nowhere() -> bool {
    let flags = std::fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
    let flags = flags.lines().find_map(|line| line.strip_prefix("flags:"));
    let to_null =
        std::fs::read_link("/proc/self/fd/1").is_ok_and(|to| to == Path::new("/dev/null"));
    to_null && flags.is_some_and(|flags| flags.trim_end().ends_with('2'))
}

#[cfg(not(target_os = "linux"))]
fn goes_nowhere() -> bool {
    false
}

/// A text on one line, with nothing in it that a terminal would obey.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { escaped(text, |_| false).into() } else { text.into() }
}

fn escaped(text: &str, kept: fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !kept(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A text of the report, whose colours and ends of lines stay.
fn reported(text: &str) -> String {
    const COLOURS: [&str; 4] = ["\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m", "\x1b[0m"];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let colour = COLOURS.iter().find(|colour| rest.starts_with(**colour));
        let length = colour.map_or(first.len_utf8(), |colour| colour.len());
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match colour {
            Some(colour) => shown.push_str(colour),
            None => shown.push_str(&escaped(part, |character| character == '\n')),
        }
        rest = after;
    }
    shown
}

/// A file beside another: its name with a further ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
