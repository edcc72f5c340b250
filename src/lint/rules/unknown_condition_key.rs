//! Access Analyzer.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;
use crate::syntax::closest;

declare_rule! {
    /// ## What it does
    /// Finds condition keys of KMS that do not exist, names without their prefix, and misspelt
    /// global keys.
    ///
    /// ## Why is this bad?
    /// No request carries such a key. IAM stores the policy nevertheless, and the condition is never
    /// met, or always, when it is negated.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaServices": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNKNOWN_CONDITION_KEY = {
        code: "CON402",
        name: "unknown-condition-key",
        summary: "a condition key that does not exist",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_SERVICE_CONDITION_KEY", "INVALID_GLOBAL_CONDITION_KEY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        for one in &entry.conditions {
            let name = one.key.value.as_str();
            if one.key.value.known().is_some() {
                continue;
            }
            let Some(near) = judged(name) else { continue };
            let mut finding =
                Finding::at(one.key.span, format!("there is no condition key `{name}`"));
            if let Some(right) = near {
                finding = finding.help(format!("write `{right}`"));
                let is_taken = entry.conditions.iter().any(|it| it.key.value.as_str() == right);
                if !is_taken {
                    let title = format!("write `{right}`");
                    let fix = condition::fix(view, Change::Unknown, title);
                    finding = finding.fix(fix.replace_string(one.key.span, &right));
                }
            }
            findings.push(finding);
        }
    }
}

/// Whether a name is surely no key, and which one it was meant to be.
fn judged(name: &str) -> Option<Option<String>> {
    let of = |prefix: &str| -> Vec<&'static str> {
        let all = KnownKey::ALL.iter().map(|key| key.as_str());
        all.filter(|key| key.starts_with(prefix)).collect()
    };
    let lower = name.to_ascii_lowercase();
    // A family's key goes on after its separator.
    let cut = |text: &str| text.trim_end_matches([':', '/']).to_ascii_lowercase();
    if KnownKey::ALL.iter().any(|key| key.is_family() && cut(key.as_str()) == cut(name)) {
        return Some(None);
    }
    if lower.starts_with("kms:") {
        return Some(
            closest(name, &of("kms:")).filter(|it| !it.ends_with([':', '/'])).map(str::to_owned),
        );
    }
    if lower.starts_with("aws:") {
        // There are more global keys than the engine looks into: only what is nearly one it knows.
        let near = closest(name, &of("aws:"))?;
        let is_near = !near.ends_with('/')
            && near.len().abs_diff(name.len()) <= 1
            && near.get(..near.len() / 2).is_some_and(|start| {
                name.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
            });
        return is_near.then(|| Some(near.to_owned()));
    }
    if name.contains(':') {
        return None;
    }
    let whole = |prefix: &str| {
        let full = format!("{prefix}{name}");
        of(prefix).into_iter().find(|key| key.eq_ignore_ascii_case(&full)).map(str::to_owned)
    };
    Some(whole("kms:").or_else(|| whole("aws:")))
}
