//! One result as a line. What most lines of a batch have in common is made into text once.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{FleetError, Item};
use crate::execute::ReEncrypted;

/// Lines of results.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    /// What the last answer said of its keys, and the members for that.
    last: Option<(ReEncrypted, Vec<u8>)>,
}

/// The members that most lines have in common.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys<'a> {
    source_key_id: &'a str,
    source_key_material_id: Option<&'a str>,
    destination_key_id: &'a str,
    destination_key_material_id: Option<&'a str>,
    source_encryption_algorithm: &'a str,
    destination_encryption_algorithm: &'a str,
}

impl Lines {
    /// Adds a line; with the ciphertext, if it is to hold it.
    pub(super) fn add(
        &mut self,
        item: &Item,
        answer: ReEncrypted,
        with_ciphertext: bool,
    ) -> Result<(), FleetError> {
        let failed = |error: serde_json::Error| FleetError::Backend(error.to_string());
        let lines = &mut self.bytes;
        // A vector takes everything that is written.
        let _ = write!(lines, "{{\"position\":{},\"id\":", item.position + 1);
        serde_json::to_writer(&mut *lines, &item.id).map_err(failed)?;
        if with_ciphertext {
            lines.extend_from_slice(b",\"ciphertext\":\"");
            push_base64(answer.ciphertext.as_bytes(), lines);
            lines.push(b'"');
        }
        lines.push(b',');
        let members = match self.last.take() {
            Some((last, members)) if are_alike(&last, &answer) => members,
            _ => {
                let keys = Keys {
                    source_key_id: answer.source_key.as_str(),
                    source_key_material_id: answer.source_material.as_deref(),
                    destination_key_id: answer.destination_key.as_str(),
                    destination_key_material_id: answer.destination_material.as_deref(),
                    source_encryption_algorithm: answer.source_algorithm.as_str(),
                    destination_encryption_algorithm: answer.destination_algorithm.as_str(),
                };
                // Without the brace that opens an object of their own.
                serde_json::to_vec(&keys).map_err(failed)?.split_off(1)
            }
        };
        self.bytes.extend_from_slice(&members);
        self.bytes.push(b'\n');
        self.last = Some((answer, members));
        Ok(())
    }
}

/// Whether two answers differ in nothing but their ciphertexts.
fn are_alike(one: &ReEncrypted, other: &ReEncrypted) -> bool {
    one.source_key == other.source_key
        && one.destination_key == other.destination_key
        && one.source_material == other.source_material
        && one.destination_material == other.destination_material
        && one.source_algorithm == other.source_algorithm
        && one.destination_algorithm == other.destination_algorithm
}

fn push_base64(bytes: &[u8], lines: &mut Vec<u8>) {
    let before = lines.len();
    lines.resize(before + bytes.len().div_ceil(3) * 4, 0);
    let room = lines.get_mut(before..).unwrap_or_default();
    // The room is what standard base64 needs, with its padding.
    let written = STANDARD.encode_slice(bytes, room).unwrap_or_default();
    lines.truncate(before + written);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::Lines;
    use crate::execute::ReEncrypted;
    use crate::fleet::Item;
    use crate::model::{CiphertextBlob, EncryptionAlgorithm, EncryptionContext};

    const ONE: &str = "arn:aws:kms:eu-central-1:111122223333:key/one";
    const OTHER: &str = "arn:aws:kms:eu-central-1:111122223333:key/other";

    #[test]
    fn each_line_tells_its_own_item_and_keys() {
        let item = |position, id: &str| Item {
            position,
            id: id.into(),
            ciphertext: CiphertextBlob::new(*b"old").unwrap(),
            source_key: None,
            destination_key: OTHER.parse().unwrap(),
            source_context: EncryptionContext::new(),
            destination_context: EncryptionContext::new(),
        };
        let answer = |bytes: &[u8], source: &str, material: Option<&str>| ReEncrypted {
            ciphertext: CiphertextBlob::new(bytes).unwrap(),
            source_key: source.parse().unwrap(),
            destination_key: OTHER.parse().unwrap(),
            source_algorithm: EncryptionAlgorithm::SymmetricDefault,
            destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
            source_material: material.map(str::to_owned),
            destination_material: Some("m\"".into()),
        };
        let mut lines = Lines::default();
        lines.add(&item(0, "a\"\n"), answer(b"n", ONE, None), true).unwrap();
        lines.add(&item(1, "b"), answer(b"ne", ONE, None), true).unwrap();
        lines.add(&item(2, "c"), answer(b"new", ONE, Some("x")), true).unwrap();
        lines.add(&item(3, "d"), answer(b"newe", OTHER, Some("x")), false).unwrap();
        let read: Vec<Value> = String::from_utf8(lines.bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let keys = |source: &str, material: Value, mut line: Value| {
            let members = json!({
                "sourceKeyId": source, "sourceKeyMaterialId": material,
                "destinationKeyId": OTHER, "destinationKeyMaterialId": "m\"",
                "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            });
            line.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            line
        };
        let expected = [
            keys(ONE, Value::Null, json!({"position": 1, "id": "a\"\n", "ciphertext": "bg=="})),
            keys(ONE, Value::Null, json!({"position": 2, "id": "b", "ciphertext": "bmU="})),
            keys(ONE, json!("x"), json!({"position": 3, "id": "c", "ciphertext": "bmV3"})),
            keys(OTHER, json!("x"), json!({"position": 4, "id": "d"})),
        ];
        assert_eq!(read, expected);
    }
}
