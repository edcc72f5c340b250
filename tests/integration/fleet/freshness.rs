//! Runs that take longer than the facts of their keys may be old.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keyproof::execute::{Freshness, Refresh};
use keyproof::fleet::{self, FleetError};

use super::{Act, COUNT, Home};

/// A fleet whose facts may be 10 s old, at one item a second.
fn aging(refresh: Refresh) -> Home {
    let mut home = Home::new();
    home.freshness = Freshness { max_age: Some(Duration::from_secs(10)), refresh };
    home.options.requests_per_second = Some(1.0);
    home
}

#[test]
fn a_run_that_is_longer_than_its_facts_may_be_old_reads_them_again() {
    let home = aging(Refresh::WhenStale);
    home.finishes();
    let count = home.reads();
    // Two keys, every 11 s at most; no more often than each worker meets old facts.
    assert!((30..=44).contains(&count), "{count}");
}

#[test]
fn nobody_waits_while_another_pauses_before_it_reads_again() {
    let mut home = aging(Refresh::WhenStale);
    // Two keys are read before the run begins, and the third reading is one of the run.
    home.reads.fails_once.store(3, Ordering::SeqCst);
    let (reads, waited_in_vain) = (home.reads.clone(), Arc::new(AtomicBool::new(false)));
    let in_vain = Arc::clone(&waited_in_vain);
    home.time.sleeps = Some(Box::new(move || {
        let failed = *reads.failed.lock().unwrap();
        if failed != Some(std::thread::current().id()) {
            return;
        }
        // This one pauses: the other worker, whose facts are as old, must be able to read them.
        let since = Instant::now();
        while reads.count.load(Ordering::SeqCst) == 3 {
            if since.elapsed() > Duration::from_secs(5) {
                in_vain.store(true, Ordering::SeqCst);
                break;
            }
            std::thread::yield_now();
        }
        *reads.failed.lock().unwrap() = None;
    }));
    home.finishes();
    assert!(home.reads() > 3 && !waited_in_vain.load(Ordering::SeqCst));
}

#[test]
fn facts_that_are_too_old_end_the_run_where_they_are_not_read_again() {
    let home = aging(Refresh::Never);
    let error = home.stops(|_, _, _| Act::Answer);
    assert!(matches!(error, FleetError::Outdated(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("may be 10 s old: read the world again"), "{text}");
    assert!(text.contains("--refresh when-stale") && text.contains("same command"), "{text}");
    let status = fleet::status(&home.path("journal"), 3).unwrap();
    assert!(status.tally.moved > 5 && status.tally.failed == 0, "{:?}", status.tally);
    assert_eq!(home.reads(), 0);
}

#[test]
fn keys_that_cannot_be_read_again_end_the_run_and_nothing_is_lost() {
    let home = aging(Refresh::WhenStale);
    home.reads.fails_from.store(5, Ordering::SeqCst);
    let error = home.stops(|_, _, _| Act::Answer);
    assert!(matches!(error, FleetError::NotRefreshed(_)), "{error}");
    assert!(error.to_string().contains("the line is cut"), "{error}");
    home.reads.fails_from.store(0, Ordering::SeqCst);
    home.finishes();
}

#[test]
fn what_is_refused_since_the_keys_were_read_again_is_not_moved() {
    let mut home = aging(Refresh::WhenStale);
    home.reads.disabled_from.store(5, Ordering::SeqCst);
    let error = home.stops(|_, _, _| Act::Answer);
    assert!(matches!(error, FleetError::RefusedSince { .. }), "{error}");
    assert!(error.to_string().contains("DisabledException"), "{error}");
    home.options.skip_refused = true;
    let report = home.run(|_, _, _| panic!("nothing may run")).unwrap();
    assert!(report.tally.refused > 0 && report.tally.failed == 0, "{:?}", report.tally);
    assert_eq!(report.tally.moved + report.tally.refused, COUNT);
}

#[test]
fn facts_are_read_before_each_batch_where_that_is_asked_for() {
    let mut home = Home::new();
    home.freshness = Freshness { max_age: None, refresh: Refresh::BeforeEach };
    home.finishes();
    let count = home.reads();
    assert!((4..=2 * COUNT + 2).contains(&count), "{count}");
}
