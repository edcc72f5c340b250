//! L42.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings};
use crate::model::{KnownKey, Operator, Span, eq_ignore_case};

declare_rule! {
    /// ## What it does
    /// Finds names of encryption context keys that a policy writes in two ways which differ by case
    /// alone, in `kms:EncryptionContext:…` and in values of `kms:EncryptionContextKeys`.
    ///
    /// ## Why is this bad?
    /// In the name of a condition key case does not count, so that both conditions look at the same
    /// pair; in the encryption context itself it does, and ciphertext made with `Tenant` does not
    /// decrypt with `tenant`. One of the two spellings is not the application's.
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
    ///       "Sid": "Write",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Encrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:Tenant": "a"}}
    ///     },
    ///     {
    ///       "Sid": "Read",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    ///       "Sid": "Write",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Encrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     },
    ///     {
    ///       "Sid": "Read",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static CONTEXT_KEY_IN_TWO_CASES = {
        code: "CON042",
        name: "context-key-in-two-cases",
        summary: "encryption context keys that differ by case alone",
        level: Warning,
        since: "0.1.0",
        covers: ["L42"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for statement in view.statements() {
        for (operator, one) in statement.conditions() {
            match one.key.value.known() {
                Some(KnownKey::KmsEncryptionContext) => {
                    let length = KnownKey::KmsEncryptionContext.as_str().len();
                    let name = one.key.value.as_str().get(length..).unwrap_or_default();
                    judge(&mut seen, name, one.key.span, findings);
                }
                Some(KnownKey::KmsEncryptionContextKeys) if is_exact(operator.value.operator) => {
                    for value in &one.values {
                        judge(&mut seen, value.value.as_str(), value.span, findings);
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_exact(operator: Operator) -> bool {
    matches!(operator, Operator::StringEquals | Operator::StringNotEquals)
}

fn judge<'c>(
    seen: &mut Vec<(&'c str, Span)>,
    name: &'c str,
    span: Span,
    findings: &mut Findings<'_>,
) {
    let mut same = seen.iter().filter(|(it, _)| eq_ignore_case(it, name));
    match same.next() {
        None => seen.push((name, span)),
        Some((first, at)) if *first != name => {
            let message = format!("`{name}` is `{first}` in another case");
            findings.push(
                Finding::at(span, message)
                    .related(*at, "written so here")
                    .help("write the name as the application does, everywhere"),
            );
        }
        Some(_) => {}
    }
}
