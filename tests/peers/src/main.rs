//! One table: how long one decision takes in this engine and in its peers, on the same documents
//! and requests, in one process. An engine that gives another answer than the expected one gets no
//! time: a wrong answer is not slow or fast.
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml`

#[path = "../../bench/fixture.rs"]
mod fixture;

mod engine;

use std::hint::black_box;
use std::time::{Duration, Instant};

use keyproof::authorize::{Authorizer, NoInspector};

use engine::{Awsim, Cedar, Engine, IamRs, Ours, OursFromWorld};
use fixture::{SMALL, Size};

/// What AWS answers, in the words all engines share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
}

/// One request with the answer that is expected.
pub struct Case {
    name: &'static str,
    action: keyproof::model::Action,
    tenant: &'static str,
    expected: Answer,
}

fn cases() -> [Case; 4] {
    use keyproof::model::Action;
    let case = |name, action, tenant, expected| Case { name, action, tenant, expected };
    [
        case("allow", Action::Decrypt, "blue", Answer::Allow),
        case("explicit deny", Action::Decrypt, "red", Answer::ExplicitDeny),
        case("implicit deny", Action::Decrypt, "white", Answer::ImplicitDeny),
        // The key policy only lets the account delegate; IAM says nothing.
        case("delegated, not given", Action::ListKeyPolicies, "blue", Answer::ImplicitDeny),
    ]
}

fn main() {
    println!("nanoseconds for one decision, the least of {ROUNDS} rounds (x ours)");
    for statements in [5, 1_000] {
        let size = Size { statements, ..SMALL };
        let world = fixture::world(size);
        let ours = Ours::new(size);
        let from_world = OursFromWorld::new(&world);
        let awsim = Awsim::new(size);
        let iam_rs = IamRs::new(size);
        let cedar = Cedar::new(size);
        let engines: [&dyn Engine; 5] = [&ours, &from_world, &awsim, &iam_rs, &cedar];
        println!(
            "\nkey policy of {statements} statements, identity policy of {}",
            statements.max(5) - 3
        );
        print!("{:<24}", "");
        engines.iter().for_each(|engine| print!("{:>24}", engine.name()));
        println!();
        for case in cases() {
            row(&case, &engines);
        }
        if statements == 5 {
            judgement(&world);
        }
    }
}

fn row(case: &Case, engines: &[&dyn Engine]) {
    let asks: Vec<_> = engines.iter().map(|engine| engine.prepare(case)).collect();
    let answers: Vec<Answer> = asks.iter().map(|ask| ask()).collect();
    let mut best = vec![Duration::MAX; asks.len()];
    let counts: Vec<u32> = asks.iter().map(|ask| repetitions(ask.as_ref())).collect();
    // Round by round, so that a busy machine is busy for all of them.
    for _ in 0..ROUNDS {
        for ((ask, best), count) in asks.iter().zip(&mut best).zip(&counts) {
            let start = Instant::now();
            for _ in 0..*count {
                black_box(ask());
            }
            *best = (*best).min(start.elapsed() / *count);
        }
    }
    // Whole nanoseconds are too coarse for a ratio of what takes tens of them, not for a table.
    let ours = best.first().map_or(1.0, Duration::as_secs_f64);
    print!("{:<24}", case.name);
    for (answer, time) in answers.iter().zip(&best) {
        if *answer == case.expected {
            let cell = format!("{} (x{:.1})", time.as_nanos(), time.as_secs_f64() / ours);
            print!("{cell:>24}");
        } else {
            print!("{:>24}", format!("WRONG: {answer:?}"));
        }
    }
    println!();
}

/// Enough repetitions for about ten milliseconds.
fn repetitions(ask: &dyn Fn() -> Answer) -> u32 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < Duration::from_millis(10) {
        black_box(ask());
        count += 1;
    }
    count.max(2)
}

/// The whole judgement of a ReEncrypt, which no peer has: names, contexts, both sides with grants,
/// keys, proof.
fn judgement(world: &keyproof::compile::Snapshot) {
    let authorizer = Authorizer::new(world);
    let caller = fixture::caller();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS * 4 {
        let requests: Vec<_> = (0..1_000).map(|_| fixture::re_encrypt()).collect();
        let mut proofs = Vec::with_capacity(requests.len());
        let start = Instant::now();
        for request in requests {
            let operation = authorizer.resolve_re_encrypt(request, &caller, &NoInspector).unwrap();
            proofs.push(authorizer.authorize(operation, &caller).unwrap());
        }
        best = best.min(start.elapsed().as_secs_f64() / 1_000.0);
        drop(black_box(proofs));
    }
    println!("{:<24}{:>24}", "whole ReEncrypt", format!("{:.0}", best * 1e9));
}

const ROUNDS: u32 = 40;
