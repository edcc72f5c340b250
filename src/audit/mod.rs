//! F7: audit records as JSON lines, with CloudTrail's field names where it has them.
//!
//! Source of the names:
//! <https://docs.aws.amazon.com/kms/latest/developerguide/ct-reencrypt.html>.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::authorize::Side;
use crate::execute::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
use crate::model::CallerPrincipal;

/// Appends one JSON object a line to a file; each is on the disk before the call returns.
///
/// Who writes while another waits for the disk is waited for together with the next ones.
#[derive(Debug)]
pub struct JsonLines {
    file: File,
    written: Mutex<Written>,
    synced: Mutex<Synced>,
    run: u128,
}

/// What was handed to the system.
#[derive(Debug)]
struct Written {
    /// How many writes there were.
    count: u64,
    /// Whether the file ends within a line: a write failed, or a process was killed in one.
    torn: bool,
}

/// What of it is on the disk.
#[derive(Debug, Default)]
struct Synced {
    /// This many writes are.
    count: u64,
    /// Of these the system has told, once and to one caller, that some may not be.
    lost: u64,
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
            return Err(io::Error::other(
                "is no regular file, so it cannot keep audit records: name another file for them",
            ));
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
        let torn = ends_within_a_line(&file)?;
        Ok(Self {
            file,
            written: Mutex::new(Written { count: 0, torn }),
            synced: Mutex::default(),
            run: u128::from_be_bytes(run),
        })
    }
}

impl AuditLog for JsonLines {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        self.record_all(std::slice::from_ref(record))
    }

    fn record_all(&self, records: &[AuditRecord<'_>]) -> Result<(), AuditError> {
        let mut lines = String::new();
        let mut shared: Option<Shared<'_>> = None;
        let mut count = None;
        for record in records {
            let common = match shared.take() {
                Some(common) if common.fits(record) => common,
                _ => Shared::of(record),
            };
            common.write(record, &event_id(self.run, record.call), &mut lines);
            shared = Some(common);
            if lines.len() >= PIECE {
                count = Some(self.write(&lines)?);
                lines.clear();
            }
        }
        if !lines.is_empty() {
            count = Some(self.write(&lines)?);
        }
        count.map_or(Ok(()), |count| self.sync(count))
    }
}

impl JsonLines {
    /// Hands whole lines to the system; tells which write it was.
    fn write(&self, lines: &str) -> Result<u64, AuditError> {
        let mut written = self.written.lock().map_err(|error| failed(&error))?;
        let mut file = &self.file;
        if written.torn {
            file.write_all(b"\n").map_err(|error| failed(&error))?;
        }
        let result = file.write_all(lines.as_bytes());
        written.torn = result.is_err();
        result.map_err(|error| failed(&error))?;
        written.count += 1;
        Ok(written.count)
    }

    /// Returns when this write, and those before it, are on the disk.
    fn sync(&self, count: u64) -> Result<(), AuditError> {
        let mut synced = self.synced.lock().map_err(|error| failed(&error))?;
        if count <= synced.lost {
            return Err(AuditError("the disk did not take what was written".into()));
        }
        // Another one waited for the disk after this was written.
        if count <= synced.count {
            return Ok(());
        }
        let through = self.written.lock().map_err(|error| failed(&error))?.count;
        let result = self.file.sync_data();
        match &result {
            Ok(()) => synced.count = through,
            Err(_) => synced.lost = through,
        }
        result.map_err(|error| failed(&error))
    }
}

fn failed(error: &dyn std::fmt::Display) -> AuditError {
    AuditError(error.to_string())
}

fn ends_within_a_line(mut file: &File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(io::SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
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
        lines.push_str("{\"eventID\":\"");
        lines.push_str(id);
        lines.push_str("\",\"outcome\":\"");
        lines.push_str(record.outcome.as_str());
        lines.push_str("\",");
        match &record.outcome {
            AuditOutcome::Intended => {}
            // Nearly every outcome; ids of key materials are texts of any kind all the same.
            AuditOutcome::Succeeded { key_materials } => {
                lines.push_str("\"additionalEventData\":{");
                for (number, (side, id)) in key_materials.iter().enumerate() {
                    lines.push_str(if number == 0 { "\"" } else { ",\"" });
                    lines.push_str(material_name(*side));
                    lines.push_str("\":");
                    push_text(id, lines);
                }
                lines.push_str("},");
            }
            other => {
                let mut own = Map::new();
                outcome(other, &mut own);
                let own = Value::Object(own).to_string();
                lines.extend(own.strip_prefix('{').and_then(|own| own.strip_suffix('}')));
                lines.push(',');
            }
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
const PIECE: usize = 256 * 1024;
/// More than a record has.
const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// A UUID (RFC 9562, version 4) of each call of a run.
fn event_id(run: u128, call: u64) -> String {
    let bits = run & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let bits = bits ^ u128::from(call & !(0x3 << 62));
    let mut id = String::with_capacity(36);
    for (number, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&number) {
            id.push('-');
        }
        // Twice a record: the standard library's formatting takes ten times as long.
        for digit in [byte >> 4, byte & 0xf] {
            id.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        }
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
            let data: Map<String, Value> = key_materials
                .iter()
                .map(|(side, id)| (material_name(*side).to_owned(), json!(id)))
                .collect();
            event.insert("additionalEventData".into(), Value::Object(data));
        }
    }
}

fn material_name(side: Side) -> &'static str {
    match side {
        Side::Source => "sourceKeyMaterialId",
        Side::Destination => "destinationKeyMaterialId",
        _ => "keyMaterialId",
    }
}

/// A JSON string.
fn push_text(text: &str, lines: &mut String) {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte)) {
        lines.push('"');
        lines.push_str(text);
        lines.push('"');
    } else {
        lines.push_str(&Value::from(text).to_string());
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
    fn a_torn_line_costs_no_record_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = "{\"schema\":\"keyproof/audit/1\"}\n{\"torn";
        std::fs::write(&path, first).unwrap();
        let log = JsonLines::append(&path, [3; 16]).unwrap();
        let region = "eu-central-1".parse().unwrap();
        let record = AuditRecord {
            call: 1,
            time: Timestamp::from_epoch_seconds(1_780_000_000),
            operation: "ReEncrypt",
            region: &region,
            principal: &CallerPrincipal::Anonymous,
            epoch: Epoch::new(1),
            sides: &[],
            outcome: AuditOutcome::Intended,
        };
        log.record(&record).unwrap();
        log.record(&record).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let added: Vec<&str> = text.strip_prefix(first).unwrap().lines().collect();
        assert_eq!(added.len(), 3, "{text}");
        assert_eq!(added.first(), Some(&""));
        for line in added.into_iter().skip(1) {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }

    #[test]
    fn what_the_disk_did_not_take_is_told_to_everybody_who_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = JsonLines::append(&folder.path().join("file"), [3; 16]).unwrap();
        let (one, other) = (log.write("{}\n").unwrap(), log.write("{}\n").unwrap());
        // The system tells a failure once; the first to ask is told, and keeps it for the others.
        log.synced.lock().unwrap().lost = other;
        assert!(log.sync(one).is_err() && log.sync(other).is_err());
        let next = log.write("{}\n").unwrap();
        log.sync(next).unwrap();
        assert!(log.sync(other).is_err());
        log.sync(next).unwrap();
    }

    #[test]
    fn event_ids_are_uuids_and_differ_by_run_and_call() {
        assert_eq!(event_id(0, 1), "00000000-0000-4000-8000-000000000001");
        assert_eq!(event_id(u128::MAX, 1), "ffffffff-ffff-4fff-bfff-fffffffffffe");
        assert_eq!(event_id(u128::MAX, u64::MAX), "ffffffff-ffff-4fff-8000-000000000000");
    }
}
