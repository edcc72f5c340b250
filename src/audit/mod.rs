//! F7: audit records as JSON lines, with CloudTrail's field names where it has them.
//!
//! Source of the names:
//! <https://docs.aws.amazon.com/kms/latest/developerguide/ct-reencrypt.html>.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::authorize::Side;
use crate::execute::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
use crate::model::CallerPrincipal;

/// Appends one JSON object a line to a file; each is on the disk before the call returns.
#[derive(Debug)]
pub struct JsonLines {
    file: Mutex<File>,
    run: u128,
}

impl JsonLines {
    /// Opens a file for appending, or makes it, readable by its owner alone. `run` is 16 random
    /// bytes that tell the records of this log from all others in the file: event ids are made of
    /// them and the number of the call.
    ///
    /// # Errors
    /// When it can be neither opened nor made, is no regular file, or holds something else than
    /// records.
    pub fn append(path: &Path, run: [u8; 16]) -> io::Result<Self> {
        // A pipe would wait for somebody to read.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other("is no regular file, so it cannot keep audit records"));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        if !holds_records(&file)? {
            return Err(io::Error::other(
                "holds something else than audit records: name another file for them",
            ));
        }
        Ok(Self { file: Mutex::new(file), run: u128::from_be_bytes(run) })
    }
}

impl AuditLog for JsonLines {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        self.record_all(std::slice::from_ref(record))
    }

    fn record_all(&self, records: &[AuditRecord<'_>]) -> Result<(), AuditError> {
        let failed = |error: &dyn std::fmt::Display| AuditError(error.to_string());
        let mut lines = String::with_capacity(PIECE + PIECE / 4);
        let mut shared: Option<Shared<'_>> = None;
        let mut file = self.file.lock().map_err(|error| failed(&error))?;
        for record in records {
            let common = match shared.take() {
                Some(common) if common.fits(record) => common,
                _ => Shared::of(record),
            };
            common.write(record, &event_id(self.run, record.call), &mut lines);
            shared = Some(common);
            if lines.len() >= PIECE {
                file.write_all(lines.as_bytes()).map_err(|error| failed(&error))?;
                lines.clear();
            }
        }
        file.write_all(lines.as_bytes()).map_err(|error| failed(&error))?;
        file.sync_data().map_err(|error| failed(&error))
    }
}

/// What records of one batch have in common is made into text once.
struct Shared<'r> {
    record: &'r AuditRecord<'r>,
    /// The members after those of [`Self::write`], with the brace that closes the object.
    text: String,
}

impl<'r> Shared<'r> {
    fn of(record: &'r AuditRecord<'r>) -> Self {
        let mut members = event(record, "");
        if let Some(members) = members.as_object_mut() {
            for own in OWN {
                members.remove(*own);
            }
        }
        let text = members.to_string().split_off(1);
        Self { record, text }
    }

    fn fits(&self, other: &AuditRecord<'_>) -> bool {
        let one = self.record;
        (one.time, one.operation, one.epoch) == (other.time, other.operation, other.epoch)
            && one.region == other.region
            && one.principal == other.principal
            && (std::ptr::eq(one.sides, other.sides) || one.sides == other.sides)
    }

    fn write(&self, record: &AuditRecord<'_>, id: &str, lines: &mut String) {
        let mut own = Map::new();
        outcome(&record.outcome, &mut own);
        lines.push_str("{\"eventID\":\"");
        lines.push_str(id);
        lines.push_str("\",\"outcome\":\"");
        lines.push_str(record.outcome.as_str());
        lines.push_str("\",");
        if !own.is_empty() {
            let own = Value::Object(own).to_string();
            lines.extend(own.strip_prefix('{').and_then(|own| own.strip_suffix('}')));
            lines.push(',');
        }
        lines.push_str(&self.text);
        lines.push('\n');
    }
}

/// The members in which records of a batch differ.
const OWN: &[&str] = &["additionalEventData", "errorCode", "errorMessage", "eventID", "outcome"];

/// Whether the file is empty or begins with a record.
fn holds_records(file: &File) -> io::Result<bool> {
    let mut first = Vec::new();
    BufReader::new(file).take(MAX_RECORD_BYTES).read_until(b'\n', &mut first)?;
    let is_record = |record: Value| {
        record
            .get("schema")
            .and_then(Value::as_str)
            .is_some_and(|schema| schema.starts_with("keyproof/audit/"))
    };
    Ok(first.is_empty() || serde_json::from_slice(&first).is_ok_and(is_record))
}

/// Text is written when there is so much of it.
const PIECE: usize = 64 * 1024;
/// More than a record has.
const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// A UUID (RFC 9562, version 4) of each call of a run.
fn event_id(run: u128, call: u64) -> String {
    let bits = run & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let bits = bits ^ u128::from(call & !(0x3 << 62));
    let part = |from: u32, digits: u32| bits >> from & ((1 << (digits * 4)) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 8),
        part(80, 4),
        part(64, 4),
        part(48, 4),
        part(0, 12)
    )
}

/// One record as JSON.
#[must_use]
pub fn event(record: &AuditRecord<'_>, id: &str) -> Value {
    let resources: Vec<Value> = record
        .sides
        .iter()
        .map(|side| {
            json!({"ARN": side.key.as_str(), "accountId": side.key.account().as_str(), "type": "AWS::KMS::Key"})
        })
        .collect();
    let decisions: Vec<Value> = record
        .sides
        .iter()
        .map(|side| {
            json!({
                "side": side.side.as_str(),
                "action": side.action.as_str(),
                "key": side.key.as_str(),
                "decision": side.decision.as_str(),
            })
        })
        .collect();
    let mut event = json!({
        "schema": "keyproof/audit/1",
        "eventID": id,
        "eventTime": record.time.to_string(),
        "eventSource": "kms.amazonaws.com",
        "eventName": record.operation,
        "awsRegion": record.region.as_str(),
        "userIdentity": identity(record.principal),
        "requestParameters": parameters(record.sides),
        "resources": resources,
        "epoch": record.epoch.count(),
        "outcome": record.outcome.as_str(),
        "decisions": decisions,
    });
    if let Some(event) = event.as_object_mut() {
        outcome(&record.outcome, event);
    }
    event
}

fn outcome(outcome: &AuditOutcome, event: &mut Map<String, Value>) {
    match outcome {
        AuditOutcome::Denied { code } => {
            // CloudTrail writes this one without its ending, and the others as they are.
            let code = if *code == "AccessDeniedException" { "AccessDenied" } else { code };
            event.insert("errorCode".into(), json!(code));
        }
        AuditOutcome::Disagreed { side, message, request_id } => {
            event.insert("errorCode".into(), json!("AccessDenied"));
            event.insert("errorMessage".into(), json!(message));
            let data = json!({
                "refusedBy": "backend",
                "refusedSide": side.map(Side::as_str),
                "requestID": request_id,
            });
            event.insert("additionalEventData".into(), data);
        }
        AuditOutcome::Failed { code, message } => {
            if let Some(code) = code {
                event.insert("errorCode".into(), json!(code));
            }
            event.insert("errorMessage".into(), json!(message));
        }
        AuditOutcome::Intended => {}
        AuditOutcome::Succeeded { key_materials } => {
            let name = |side: Side| match side {
                Side::Source => "sourceKeyMaterialId",
                Side::Destination => "destinationKeyMaterialId",
                _ => "keyMaterialId",
            };
            let data: Map<String, Value> = key_materials
                .iter()
                .map(|(side, id)| (name(*side).to_owned(), json!(id)))
                .collect();
            event.insert("additionalEventData".into(), Value::Object(data));
        }
    }
}

fn identity(principal: &CallerPrincipal) -> Value {
    let kind = match principal {
        CallerPrincipal::Anonymous => "Unknown",
        CallerPrincipal::FederatedUser { .. } => "FederatedUser",
        CallerPrincipal::RoleSession { .. } => "AssumedRole",
        CallerPrincipal::Root(_) => "Root",
        CallerPrincipal::Service { .. } => "AWSService",
        CallerPrincipal::User { .. } => "IAMUser",
    };
    let mut identity = json!({"type": kind, "arn": principal.to_string()});
    if let (Some(object), Some(account)) = (identity.as_object_mut(), principal.account()) {
        object.insert("accountId".into(), json!(account.as_str()));
    }
    if let (Some(object), CallerPrincipal::RoleSession { role, .. }) =
        (identity.as_object_mut(), principal)
    {
        object.insert("sessionContext".into(), json!({"sessionIssuer": {"arn": role.as_str()}}));
    }
    identity
}

fn parameters(sides: &[AuditSide]) -> Value {
    let mut parameters = Map::new();
    for side in sides {
        let (context, algorithm, key) = match side.side {
            Side::Key | Side::Alias | Side::Current | Side::Target | Side::Account => {
                ("encryptionContext", "encryptionAlgorithm", "keyId")
            }
            Side::Source => ("sourceEncryptionContext", "sourceEncryptionAlgorithm", "sourceKeyId"),
            Side::Destination => (
                "destinationEncryptionContext",
                "destinationEncryptionAlgorithm",
                "destinationKeyId",
            ),
        };
        if let Some(used) = side.encryption_algorithm {
            let pairs: Map<String, Value> = side
                .encryption_context
                .iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            parameters.insert(context.into(), Value::Object(pairs));
            parameters.insert(algorithm.into(), json!(used.as_str()));
        }
        parameters.insert(key.into(), json!(side.key.as_str()));
    }
    Value::Object(parameters)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{JsonLines, event, event_id};
    use crate::authorize::Side;
    use crate::compile::Epoch;
    use crate::execute::{AuditLog as _, AuditOutcome, AuditRecord, AuditSide};
    use crate::model::{
        Action, CallerPrincipal, Decision, EncryptionAlgorithm, EncryptionContext, Timestamp,
    };

    #[test]
    fn lines_written_together_are_those_written_one_by_one() {
        let region = "eu-central-1".parse().unwrap();
        let principal =
            CallerPrincipal::Service { names: vec!["s3.amazonaws.com".parse().unwrap()] };
        let side = |value: &str| AuditSide {
            side: Side::Source,
            action: Action::ReEncryptFrom,
            key: "arn:aws:kms:eu-central-1:111122223333:key/a-b".parse().unwrap(),
            decision: Decision::Allow,
            encryption_context: EncryptionContext::from_iter([("a\"".into(), value.into())]),
            encryption_algorithm: Some(EncryptionAlgorithm::SymmetricDefault),
        };
        let sides = [vec![side("b")], vec![side("b")], vec![side("c")], vec![]];
        let outcomes = [
            AuditOutcome::Intended,
            AuditOutcome::Failed {
                code: Some("InvalidCiphertextException".into()),
                message: "\"}\n".into(),
            },
            AuditOutcome::Denied { code: "AccessDeniedException" },
            AuditOutcome::Succeeded { key_materials: vec![(Side::Source, "m".into())] },
        ];
        let records: Vec<AuditRecord<'_>> = sides
            .iter()
            .flat_map(|sides| outcomes.iter().map(move |outcome| (sides, outcome)))
            .zip(1..)
            .map(|((sides, outcome), call)| AuditRecord {
                call,
                time: Timestamp::from_epoch_seconds(1_780_000_000),
                operation: "ReEncrypt",
                region: &region,
                principal: &principal,
                epoch: Epoch::new(1),
                sides,
                outcome: outcome.clone(),
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        JsonLines::append(&path, [3; 16]).unwrap().record_all(&records).unwrap();
        let written: Vec<serde_json::Value> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let run = u128::from_be_bytes([3; 16]);
        let expected: Vec<serde_json::Value> =
            records.iter().map(|record| event(record, &event_id(run, record.call))).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn files_of_other_things_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (text, fits) in [
            ("", true),
            ("{\"schema\":\"keyproof/audit/1\"}\n", true),
            ("{\"schema\":\"keyproof/audit/1\"}\n{torn", true),
            ("{\n}\n", false),
            ("{}\n", false),
            ("secret", false),
            ("\n", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(JsonLines::append(&path, [0; 16]).is_ok(), fits, "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(JsonLines::append(folder.path(), [0; 16]).is_err());
    }

    #[test]
    fn event_ids_are_uuids_and_differ_by_run_and_call() {
        assert_eq!(event_id(0, 1), "00000000-0000-4000-8000-000000000001");
        assert_eq!(event_id(u128::MAX, 1), "ffffffff-ffff-4fff-bfff-fffffffffffe");
        assert_eq!(event_id(u128::MAX, u64::MAX), "ffffffff-ffff-4fff-8000-000000000000");
    }
}
