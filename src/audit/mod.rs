//! F7: audit records as JSON lines, with CloudTrail's field names where it has them.
//!
//! Source of the names:
//! <https://docs.aws.amazon.com/kms/latest/developerguide/ct-reencrypt.html>.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
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
}

impl JsonLines {
    /// Opens a file for appending, or makes it, readable by its owner alone.
    ///
    /// # Errors
    /// When it can be neither opened nor made.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: Mutex::new(options.open(path)?) })
    }
}

impl AuditLog for JsonLines {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        let failed = |error: &dyn std::fmt::Display| AuditError(error.to_string());
        let mut line = event(record).to_string();
        line.push('\n');
        let mut file = self.file.lock().map_err(|error| failed(&error))?;
        file.write_all(line.as_bytes()).map_err(|error| failed(&error))?;
        file.sync_data().map_err(|error| failed(&error))
    }
}

/// One record as JSON.
#[must_use]
pub fn event(record: &AuditRecord<'_>) -> Value {
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
        "eventID": record.event_id,
        "eventTime": record.time.to_string(),
        "eventSource": "kms.amazonaws.com",
        "eventName": record.operation,
        "awsRegion": record.region.as_str(),
        "userIdentity": identity(record.principal),
        "requestParameters": parameters(record.sides),
        "resources": resources,
        "epoch": record.epoch.0,
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
        AuditOutcome::Failed { message } => {
            event.insert("errorMessage".into(), json!(message));
        }
        AuditOutcome::Intended => {}
        AuditOutcome::Succeeded { key_materials } => {
            let names: &[&str] = match key_materials.len() {
                2 => &["sourceKeyMaterialId", "destinationKeyMaterialId"],
                _ => &["keyMaterialId"],
            };
            let data: Map<String, Value> = names
                .iter()
                .zip(key_materials)
                .map(|(name, id)| ((*name).to_owned(), json!(id)))
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
        let pairs: Map<String, Value> = side
            .encryption_context
            .iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        parameters.insert(context.into(), Value::Object(pairs));
        parameters.insert(algorithm.into(), json!(side.encryption_algorithm.as_str()));
        parameters.insert(key.into(), json!(side.key.as_str()));
    }
    Value::Object(parameters)
}
