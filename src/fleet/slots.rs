//! How many workers may have calls under way. The others read, decide and record meanwhile, so that
//! a quick backend never waits for a disk.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to have one call under way.
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    /// Waits for a slot; `None` when the run ends before.
    pub(super) fn take(&self, ends: impl Fn() -> bool) -> Option<Slot<'_>> {
        let mut free = self.free();
        while !ends() {
            if *free > 0 {
                *free -= 1;
                return Some(Slot(self));
            }
            let waited = self.freed.wait_timeout(free, SLICE);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        // A number: whoever panicked has not left it half-written.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.freed.notify_one();
    }
}

/// How soon a waiting worker sees that the run ends.
const SLICE: Duration = Duration::from_millis(100);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Slots;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let slots = Slots::new(2);
        let (one, other) = (slots.take(|| false).unwrap(), slots.take(|| false).unwrap());
        assert!(slots.take(|| true).is_none());
        std::thread::scope(|scope| {
            let third = scope.spawn(|| slots.take(|| false).is_some());
            drop(one);
            assert!(third.join().unwrap());
        });
        drop(other);
        assert!(slots.take(|| false).is_some());
    }
}
