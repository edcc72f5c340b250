//! Many answers by all cores, written one after the other in the order of their questions.

use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use crate::output::{CliError, Io};

/// Shares that wait for a core, and answers that wait to be written, for each core: enough that no
/// core waits for another, and no more is kept of an endless input.
const WAITING: usize = 4;

/// Counts answers and the time they take.
pub struct Rate {
    since: Instant,
    answers: u64,
}

impl Rate {
    /// From now on.
    pub fn start() -> Self {
        Self { since: Instant::now(), answers: 0 }
    }

    /// Whether there was nothing to answer.
    pub fn is_empty(&self) -> bool {
        self.answers == 0
    }

    /// Tells how many there were and how fast they came.
    pub fn tell(&self, io: &mut Io, what: impl fmt::Display) -> io::Result<()> {
        io.out.flush()?;
        let seconds = self.since.elapsed().as_secs_f64();
        let rate = self.answers as f64 / seconds.max(1e-9);
        let (answers, cores) = (self.answers, cores());
        writeln!(
            io.err,
            "{answers} {what} in {seconds:.3} s: {rate:.0} a second on {cores} {}",
            if cores == 1 { "core" } else { "cores" }
        )
    }
}

/// What came of one share of the questions.
pub struct Answers {
    /// The lines to write.
    pub text: Vec<u8>,
    /// How many answers they are.
    pub count: u64,
    /// Whether any of them is an error.
    pub has_error: bool,
}

/// Has every share worked on by some core, and writes the answers in the order of the shares as they
/// come. Tells whether any was an error.
pub fn answer<T: Send>(
    shares: impl Iterator<Item = Result<T, CliError>> + Send,
    work: impl Fn(T) -> Answers + Sync,
    io: &mut Io,
    rate: &mut Rate,
) -> Result<bool, CliError> {
    let cores = cores();
    let work = &work;
    thread::scope(|scope| {
        let (mut to_cores, mut from_cores) = (Vec::new(), Vec::new());
        for _ in 0..cores {
            let (to_core, shares) = sync_channel::<Result<T, CliError>>(WAITING);
            let (answers, from_core) = sync_channel(WAITING);
            scope.spawn(move || {
                for share in shares {
                    if answers.send(share.map(work)).is_err() {
                        return;
                    }
                }
            });
            to_cores.push(to_core);
            from_cores.push(from_core);
        }
        scope.spawn(move || {
            for (share, to_core) in shares.zip(to_cores.iter().cycle()) {
                if to_core.send(share).is_err() {
                    return;
                }
            }
        });
        // Each core answers its shares in order, so taking turns gives the order of all; the first
        // without an answer has had no further share, nor has any after it.
        let mut has_error = false;
        let mut is_read = true;
        for from_core in from_cores.iter().cycle() {
            let Ok(answers) = from_core.recv() else { break };
            let answers = answers?;
            has_error |= answers.has_error;
            rate.answers += answers.count;
            if is_read {
                let written = io.out.write_all(&answers.text).and_then(|()| io.out.flush());
                match written {
                    // A reader that has seen enough changes no answer.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => is_read = false,
                    other => other?,
                }
            }
        }
        Ok(has_error)
    })
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
