//! The matrix says what a pre-flight of each of its cells says.

use std::path::Path;

use keyproof::authorize::{Authorizer, KeyIdentifier, Preflight, PreflightKey, PreflightOperation};
use keyproof::compile::Epoch;
use keyproof::load;
use keyproof::model::{EncryptionAlgorithm, EncryptionContext};

#[test]
fn every_cell_is_what_a_preflight_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/demo");
    let world = load::world(&folder).unwrap();
    let snapshot = world.snapshot(Epoch::new(0)).unwrap();
    let authorizer = Authorizer::new(&snapshot);
    let contexts: [EncryptionContext; 2] = [
        EncryptionContext::new(),
        [("tenant".to_owned(), "blue".to_owned())].into_iter().collect(),
    ];
    let mut outcomes = std::collections::BTreeSet::new();
    for name in world.callers() {
        let caller = world.caller(&snapshot, name).unwrap();
        for entry in snapshot.keys() {
            for context in &contexts {
                for cell in authorizer.cells(entry, context, &caller) {
                    let question = Preflight {
                        operation: PreflightOperation::Action {
                            action: cell.action,
                            key: PreflightKey {
                                name: KeyIdentifier::Arn(entry.key.arn.clone()),
                                context: context.clone(),
                                algorithm: EncryptionAlgorithm::SymmetricDefault,
                            },
                        },
                        region: None,
                        grant_tokens: Vec::new(),
                        dry_run: false,
                    };
                    let answer = authorizer.preflight(question, &caller).unwrap();
                    let place = format!("{name} {} {}", cell.action, entry.key.arn);
                    assert_eq!(cell.outcome(), answer.outcome(), "{place}");
                    outcomes.insert(cell.outcome());
                }
            }
        }
    }
    assert!(outcomes.len() > 3, "{outcomes:?}");
}
