//! How long one decision takes: `cargo bench --bench evaluate`.
#![expect(clippy::unwrap_used, reason = "a bench")]

#[path = "fixture.rs"]
mod fixture;

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use keyproof::authorize::{Authorizer, NoInspector};

use fixture::{SMALL, Size, asks, caller, re_encrypt, world};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let caller = caller();
    let sizes = [
        ("5 statements, 5 grants", SMALL),
        ("1,000 statements, 5 grants", Size { statements: 1_000, ..SMALL }),
        ("5 statements, 50,000 grants", Size { grants: 50_000, ..SMALL }),
    ];
    for (name, size) in sizes {
        let world = world(size);
        let authorizer = Authorizer::new(&world);
        let mut group = criterion.benchmark_group(format!("one side: {name}"));
        for (outcome, ask) in asks() {
            group.bench_function(outcome, |bencher| {
                bencher.iter(|| authorizer.decide_leg(black_box(&ask.leg()), &caller));
            });
        }
        group.finish();
    }
    let world = world(SMALL);
    let authorizer = Authorizer::new(&world);
    criterion.bench_function("ReEncrypt: names, both sides, keys, proof", |bencher| {
        bencher.iter_batched(
            re_encrypt,
            |request| {
                let operation =
                    authorizer.resolve_re_encrypt(request, &caller, &NoInspector).unwrap();
                authorizer.authorize(operation, &caller).unwrap()
            },
            BatchSize::SmallInput,
        );
    });
    criterion.bench_function("explain one side", |bencher| {
        let [(_, ask), ..] = asks();
        bencher.iter(|| authorizer.explain_leg(black_box(&ask.leg()), &caller));
    });
    criterion.final_summary();
}
