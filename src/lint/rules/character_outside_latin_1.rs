//! L42.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Finds names and values of conditions, and names of statements, with characters that AWS does
    /// not take in a policy: outside of Latin-1.
    ///
    /// ## Why is this bad?
    /// KMS and IAM refuse such a document. An encryption context may hold any character, but a
    /// condition can only speak of those that policies can hold.
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
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:city": "Łódź"}}
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
    ///       "Condition": {"Null": {"kms:EncryptionContext:city": "false"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static CHARACTER_OUTSIDE_LATIN_1 = {
        code: "CON142",
        name: "character-outside-latin-1",
        summary: "characters that policies cannot hold",
        level: Error,
        since: "0.1.0",
        covers: ["L42"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let outside = |text: &str| text.chars().find(|c| u32::from(*c) > 0xff);
    if let Some((sid, character)) =
        view.statement.sid.as_ref().and_then(|sid| Some((sid, outside(&sid.value)?)))
    {
        let message = format!("no policy can hold the character `{character}`");
        findings.push(Finding::at(sid.span, message).help("write the name in Latin-1"));
    }
    for (_, one) in view.conditions() {
        let name = std::iter::once((one.key.value.as_str(), one.key.span));
        let values = one.values.iter().map(|value| (value.value.as_str(), value.span));
        for (text, span) in name.chain(values) {
            let Some(character) = outside(text) else { continue };
            let message = format!("no policy can hold the character `{character}`");
            findings.push(Finding::at(span, message).help(
                "use Latin-1 in the encryption context, or require only that the key is there",
            ));
        }
    }
}
