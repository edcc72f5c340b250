//! Large worlds: how long one takes to build, what a key costs, and what a decision in it takes
//! beside one in a small world.
//!
//! `cargo bench --bench worlds`; `-- KEYS POLICIES PRINCIPALS` for another size.
#![expect(clippy::unwrap_used, reason = "a bench")]

#[path = "fixture.rs"]
mod fixture;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyproof::authorize::{Authorizer, Leg, LegResource, Side};
use keyproof::compile::{Caller, KeyEntry, Known, Policy, PolicySlot, Snapshot, SnapshotBuilder};
use keyproof::evaluate::OperationFacts;
use keyproof::model::{
    AccountId, Action, AliasName, CallerPrincipal, ContextMap, EncryptionAlgorithm, Key, KeyArn,
    KeyId, PolicyKind, Region,
};

use fixture::{ACCOUNT, REGION, slot, tenant};

struct Large {
    keys: usize,
    policies: usize,
    principals: usize,
}

fn main() {
    let mut sizes = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let test = std::env::args().any(|text| text == "--test");
    let mut next = |full, least| sizes.next().unwrap_or(if test { least } else { full });
    let large = Large {
        keys: next(1_000_000, 1_000),
        policies: next(10_000, 10),
        principals: next(100_000, 100),
    };
    let before = memory();
    let start = Instant::now();
    let policies = policies(&large);
    let compiled = start.elapsed();
    let with_policies = memory();
    let start = Instant::now();
    let mut builder = build(&large, &policies);
    let keys = start.elapsed();
    let with_keys = memory();
    let start = Instant::now();
    principals(&mut builder, &large);
    let roles = start.elapsed();
    let with_principals = memory();
    let start = Instant::now();
    let world = builder.build();
    let frozen = start.elapsed();
    let at_last = memory();
    println!("{} keys of {} policies, {} principals", large.keys, large.policies, large.principals);
    let seconds = |name, time: Duration| println!("{name:<32}{:>8.2} s", time.as_secs_f64());
    seconds("policies parsed and compiled", compiled);
    seconds("keys added", keys);
    seconds("principals added", roles);
    seconds("world frozen", frozen);
    seconds("all of it", compiled + keys + roles + frozen);
    let bytes = |name, more: usize, of: usize| println!("{name:<32}{:>8} bytes", more / of);
    bytes("a distinct policy", with_policies - before, large.policies);
    bytes("a principal", with_principals - with_keys, large.principals);
    let of_keys = (with_keys - with_policies) + at_last.saturating_sub(with_principals);
    bytes("a key", of_keys, large.keys);
    let small = Large { keys: 3, policies: 3, principals: 5 };
    let mut builder = build(&small, &self::policies(&small));
    principals(&mut builder, &small);
    let (little, much) = (decisions(&builder.build(), &small), decisions(&world, &large));
    println!("{:<32}{:>8} ns", "a decision in a small world", little.as_nanos());
    let ratio = much.as_secs_f64() / little.as_secs_f64();
    println!("{:<32}{:>8} ns (x{ratio:.1})", "a decision in this world", much.as_nanos());
}

/// The distinct key policies, compiled by all cores.
fn policies(large: &Large) -> Vec<Policy> {
    let texts: Vec<String> = (0..large.policies).map(|number| policy_text(number, large)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = texts.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let shares: Vec<_> = texts
            .chunks(share)
            .map(|texts| scope.spawn(move || texts.iter().map(|text| compiled(text)).collect()))
            .collect();
        shares.into_iter().flat_map(|one| one.join().unwrap_or_else(|_| Vec::new())).collect()
    })
}

fn compiled(text: &str) -> Policy {
    match slot(text, PolicyKind::Key, "key policy default") {
        PolicySlot::Compiled(policy) => Policy::clone(&policy),
        PolicySlot::Unreadable { .. } => unreachable!("it was just compiled"),
    }
}

/// The documents' key policy, for other principals.
fn policy_text(number: usize, large: &Large) -> String {
    let principal = number % large.principals;
    fixture::KEY_POLICY
        .replace("role/orders", &format!("role/service-{principal}"))
        .replace("\"orders\"", &format!("\"policy-{number}\""))
        .replace(ACCOUNT, &account(principal))
}

/// A thousand principals an account; keys are in the account of the principal they are for.
fn account(principal: usize) -> String {
    format!("{:012}", 100_000_000_000 + principal / 1_000)
}

/// The keys, each with a tag and an alias, and the principals.
fn build(large: &Large, policies: &[Policy]) -> SnapshotBuilder {
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None));
    let mut aliases = BTreeMap::<AccountId, Vec<(AliasName, KeyId)>>::new();
    for number in 0..large.keys {
        let policy = number % policies.len();
        let arn = key(number, policy % large.principals);
        let (account, id) = (arn.account(), arn.id().clone());
        let file = format!("world/accounts/{account}/regions/{REGION}/keys/{id}/policy.json");
        let slot = policies.get(policy).unwrap().at(&file);
        let tag = ("team".to_owned(), format!("team-{}", number % 500));
        let entry = KeyEntry {
            key: Key::symmetric(arn),
            policies: [PolicySlot::Compiled(Arc::new(slot))].into(),
            grants: Known::Known(Vec::new().into()),
            tags: Known::Known([tag].into()),
            aliases: Known::Known(Vec::new().into()),
        };
        let name = format!("alias/application/key-{number}").parse().unwrap();
        aliases.entry(account).or_default().push((name, id));
        builder.key(entry).unwrap();
    }
    for (account, names) in aliases {
        builder.aliases(account, REGION.parse().unwrap(), Known::Known(names));
    }
    builder
}

/// Roles, each with the documents' identity policy for a key of its own; a hundred such policies
/// are different.
fn principals(builder: &mut SnapshotBuilder, large: &Large) {
    let policies: Vec<PolicySlot> = (0..100.min(large.principals))
        .map(|number| {
            let text = fixture::IDENTITY_POLICY
                .replace(fixture::KEY, key(number, number % large.principals).as_str());
            slot(&text, PolicyKind::Identity, "inline policy")
        })
        .collect();
    for number in 0..large.principals {
        let account = account(number);
        let policy = policies.get(number % policies.len()).unwrap().clone();
        let mut entity = fixture::entity(&role(number), vec![policy]);
        entity.id = Some(format!("AROAEXAMPLE{number:09}").parse().unwrap());
        builder.account(account.parse().unwrap(), Known::Known(()));
        builder.entity(entity).unwrap();
    }
}

fn role(number: usize) -> String {
    format!("arn:aws:iam::{}:role/service-{number}", account(number))
}

/// The mean time of a decision, over callers and keys from all over the world; half of them allow. A
/// request was just made when it is decided, so what is slow to reach is the world alone.
fn decisions(world: &Snapshot, large: &Large) -> Duration {
    let region: Region = REGION.parse().unwrap();
    let context = tenant("blue");
    let mut random = 1_u64;
    let mut pick = |most: usize| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % most
    };
    let authorizer = Authorizer::new(world);
    let mut spent = Duration::ZERO;
    for _ in 0..ROUNDS {
        let asks: Vec<(KeyArn, Caller)> = (0..REQUESTS)
            .map(|round| {
                let number = pick(large.keys);
                let owner = number % large.policies % large.principals;
                let caller = if round % 2 == 0 { owner } else { pick(large.principals) };
                (key(number, owner), session(caller))
            })
            .collect();
        let start = Instant::now();
        for (arn, caller) in &asks {
            let leg = Leg {
                side: Side::Key,
                action: Action::Decrypt,
                resource: LegResource::Key(arn),
                region: &region,
                facts: OperationFacts {
                    encryption_context: Some(&context),
                    encryption_algorithm: Some(EncryptionAlgorithm::SymmetricDefault),
                    ..OperationFacts::default()
                },
                grant_tokens: &[],
            };
            let _ = black_box(authorizer.decide_leg(&leg, caller));
        }
        spent += start.elapsed();
    }
    spent / (ROUNDS * REQUESTS)
}

const ROUNDS: u32 = 2_000;
const REQUESTS: u32 = 50;

fn session(number: usize) -> Caller {
    let session =
        format!("arn:aws:sts::{}:assumed-role/service-{number}/i-0a1b2c3d4e", account(number));
    Caller {
        context: ContextMap::new().complete(),
        ..Caller::new(CallerPrincipal::RoleSession {
            session: session.parse().unwrap(),
            role: role(number).parse().unwrap(),
            id: Some(format!("AROAEXAMPLE{number:09}").parse().unwrap()),
        })
    }
}

/// Bytes of memory the process has.
fn memory() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}

fn key(number: usize, principal: usize) -> KeyArn {
    let account = account(principal);
    format!("arn:aws:kms:{REGION}:{account}:key/{number:08x}-0000-4000-8000-{number:012x}")
        .parse()
        .unwrap()
}
