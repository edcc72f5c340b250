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
        let failed = |error: &dyn std::fmt::Display| AuditError(error.to_string());
        let mut line = event(record, &event_id(self.run, record.call)).to_string();
        line.push('\n');
        let mut file = self.file.lock().map_err(|error| failed(&error))?;
        file.write_all(line.as_bytes()).map_err(|error| failed(&error))?;
        file.sync_data().map_err(|error| failed(&error))
    }
}

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

/// More than a record has.
const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// A UUID (RFC 9562, version 4) of each call of a run.
fn event_id(run: u128, call: u64) -> String {
    let bits = run & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{:032x}", bits ^ u128::from(call & !(0x3 << 62)));
    let mut id = String::with_capacity(36);
    for (place, digit) in digits.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
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
            // CloudTrail writes the code of a denial without its ending.
            let code = code.strip_suffix("Exception").unwrap_or(code);
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
        AuditOutcome::Failed { message } => {
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
    use super::{JsonLines, event_id};

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
