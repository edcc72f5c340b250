//! How fast: a rate that falls when the backend throttles and grows again when it does not.

use std::sync::Mutex;
use std::time::Duration;

use crate::execute::Wait;

/// Waits for futures and for time; a test brings its own time.
pub trait Driver: Wait {
    /// Time since some moment that does not change.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn sleep(&self, time: Duration);
}

/// The rate of all workers together.
#[derive(Debug)]
pub struct Pace {
    /// The rate never goes above it.
    ceiling: Option<f64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Calls a second; `None` while nothing has limited them.
    rate: Option<f64>,
    /// When the next call may start.
    next: Duration,
    /// When the rate was last changed.
    changed: Duration,
    /// Calls since `since`, to know the rate at the first throttling.
    calls: u64,
    since: Duration,
    random: u64,
}

impl Pace {
    /// At most `ceiling` calls a second; `seed` scatters the pauses of fleets that run at once.
    #[must_use]
    pub fn new(ceiling: Option<f64>, seed: u64) -> Self {
        let state = State {
            rate: ceiling,
            next: Duration::ZERO,
            changed: Duration::ZERO,
            calls: 0,
            since: Duration::ZERO,
            random: seed | 1,
        };
        Self { ceiling, state: Mutex::new(state) }
    }

    /// Takes the next place in the row of calls: how long to wait for it.
    pub fn turn(&self, now: Duration) -> Duration {
        let mut state = self.state();
        state.calls += 1;
        let Some(rate) = state.rate else { return Duration::ZERO };
        let grown = grown(rate, self.ceiling, now.saturating_sub(state.changed));
        if grown > rate {
            state.rate = Some(grown);
            state.changed = now;
        }
        let turn = state.next.max(now);
        state.next = turn + Duration::from_secs_f64(1.0 / grown);
        turn.saturating_sub(now)
    }

    /// The backend throttled: half the rate, once for all calls that were under way.
    pub fn throttled(&self, now: Duration) {
        let mut state = self.state();
        if now.saturating_sub(state.changed) < SETTLE && state.changed > Duration::ZERO {
            return;
        }
        let measured = || {
            let seconds = now.saturating_sub(state.since).as_secs_f64().max(0.1);
            state.calls as f64 / seconds
        };
        let rate = state.rate.unwrap_or_else(measured);
        state.rate = Some((rate / 2.0).max(FLOOR));
        state.changed = now;
    }

    /// How long to wait before the `attempt`th repetition: between half and all of a time that
    /// doubles.
    pub fn backoff(&self, attempt: u32) -> Duration {
        let full = FIRST_PAUSE.saturating_mul(1 << attempt.min(16)).min(LONGEST_PAUSE);
        let mut state = self.state();
        // xorshift64: which pause it is need not be secret.
        state.random ^= state.random << 13;
        state.random ^= state.random >> 7;
        state.random ^= state.random << 17;
        let part = (state.random >> 11) as f64 / (1_u64 << 53) as f64;
        full.mul_f64(0.5 + part / 2.0)
    }

    /// The current limit, if there is one.
    pub fn rate(&self) -> Option<f64> {
        self.state().rate
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Numbers alone: whoever panicked left none of them half-written.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A tenth more each second.
fn grown(rate: f64, ceiling: Option<f64>, quiet: Duration) -> f64 {
    if quiet < SETTLE {
        return rate;
    }
    let seconds = quiet.as_secs_f64().min(60.0);
    (rate * GROWTH.powf(seconds)).min(ceiling.unwrap_or(f64::MAX)).min(UNLIMITED)
}

const SETTLE: Duration = Duration::from_secs(1);
const GROWTH: f64 = 1.1;
/// One call in ten seconds.
const FLOOR: f64 = 0.1;
const UNLIMITED: f64 = 1e9;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    #[test]
    fn calls_keep_their_distance() {
        let pace = Pace::new(Some(10.0), 1);
        let now = Duration::from_secs(5);
        let waits: Vec<u128> = (0..4).map(|_| pace.turn(now).as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 300]);
    }

    #[test]
    fn throttling_halves_the_rate_once_and_quiet_brings_it_back() {
        let pace = Pace::new(Some(100.0), 1);
        for _ in 0..5 {
            pace.throttled(Duration::from_secs(10));
        }
        assert_eq!(pace.rate(), Some(50.0));
        pace.turn(Duration::from_secs(12));
        assert!(pace.rate().is_some_and(|rate| rate > 60.0 && rate < 61.0), "{:?}", pace.rate());
        pace.turn(Duration::from_secs(60));
        assert_eq!(pace.rate(), Some(100.0));
    }

    #[test]
    fn a_rate_that_nobody_set_is_measured() {
        let pace = Pace::new(None, 1);
        for _ in 0..400 {
            assert_eq!(pace.turn(Duration::from_secs(1)), Duration::ZERO);
        }
        pace.throttled(Duration::from_secs(2));
        assert_eq!(pace.rate(), Some(100.0));
    }

    #[test]
    fn pauses_double_and_are_scattered() {
        let pace = Pace::new(None, 7);
        for (attempt, full) in [(0, 100), (1, 200), (4, 1600), (30, 20_000)] {
            let pause = pace.backoff(attempt).as_millis();
            assert!((full / 2..=full).contains(&pause), "{attempt}: {pause}");
        }
        assert_ne!(pace.backoff(5), pace.backoff(5));
    }
}
