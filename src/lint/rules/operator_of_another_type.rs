//! L38.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, ConditionValue, KeyType, KnownKey, Operator, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds condition keys under operators of another type: `StringEquals` with a key that is true
    /// or false, `NumericEquals` with one that is a text.
    ///
    /// ## Why is this bad?
    /// Values are compared as the operator says. A string operator on a boolean, number, date or
    /// address only finds the very text that AWS happens to send; most other mismatches find nothing
    /// at all.
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
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:GrantIsForAWSResource": "true"}}
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
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static OPERATOR_OF_ANOTHER_TYPE = {
        code: "CON038",
        name: "operator-of-another-type",
        summary: "an operator for another type than the condition key's",
        level: Warning,
        since: "0.1.0",
        covers: ["L38"],
        analyzer: ["TYPE_MISMATCH"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        for one in &entry.conditions {
            let Some(key) = one.key.value.known() else { continue };
            if takes(operator.operator, key) {
                continue;
            }
            let name = &one.key.value;
            let kind = word(key.value_type());
            let message = format!("`{operator}` does not compare {kind}, as `{name}` is");
            let is_whole = entry.conditions.len() == 1;
            let span = if is_whole { entry.operator.span } else { one.key.span };
            let mut finding = Finding::at(span, message);
            if is_whole {
                finding = finding.related(one.key.span, kind);
            }
            if let Some(right) = counterpart(operator.operator, key.value_type()) {
                let right = ConditionOperator { operator: right, ..operator };
                let text = |value: &Spanned<ConditionValue>| {
                    matches!(value.value.as_str(), "true" | "false")
                };
                let is_same = right.operator == Operator::Bool
                    && operator.operator == Operator::StringEquals
                    && one.values.iter().all(text);
                let change = if is_same { Change::None } else { Change::Unknown };
                finding = finding.help(format!("write `{right}`"));
                let fix = condition::with_operator(view, entry, right, change);
                let reads = |value: &Spanned<ConditionValue>| {
                    let text = value.value.as_str();
                    // Seconds under an operator on dates are a finding of their own.
                    let is_seconds = key.value_type() == KeyType::Date && !text.contains('-');
                    condition::reads(right.operator, text) && !is_seconds
                };
                finding = finding.fix(fix.filter(|_| is_whole && one.values.iter().all(reads)));
            }
            findings.push(finding);
        }
    }
}

/// Whether an operator compares the values of a key.
fn takes(operator: Operator, key: KnownKey) -> bool {
    let name = operator.as_str();
    let is_text = name.starts_with("String");
    let is_arn = name.starts_with("Arn");
    let is_date = name.starts_with("Date");
    let is_number = name.starts_with("Numeric");
    if operator == Operator::Null {
        return true;
    }
    match key.value_type() {
        KeyType::Arn => is_arn || is_text,
        KeyType::Boolean => operator == Operator::Bool,
        KeyType::Date => is_date,
        KeyType::Ip => matches!(operator, Operator::IpAddress | Operator::NotIpAddress),
        KeyType::Number => is_number,
        KeyType::UnixTime => is_date || is_number,
        KeyType::Text => match key {
            // Whoever sets them decides what they are.
            KnownKey::AwsPrincipalTag
            | KnownKey::AwsRequestTag
            | KnownKey::AwsResourceTag
            | KnownKey::KmsEncryptionContext => true,
            // Texts that are ARNs.
            KnownKey::AwsFederatedProvider
            | KnownKey::KmsGranteePrincipal
            | KnownKey::KmsRetiringPrincipal => is_text || is_arn,
            _ => is_text,
        },
    }
}

/// The operator of another type that compares in the same way.
fn counterpart(operator: Operator, to: KeyType) -> Option<Operator> {
    let name = operator.as_str();
    let prefixes = ["String", "Arn", "Date", "Numeric"];
    let how = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    let how = match operator {
        Operator::Bool | Operator::IpAddress => "Equals",
        Operator::NotIpAddress => "NotEquals",
        _ => how?.trim_end_matches("IgnoreCase"),
    };
    let is_negated = how.starts_with("Not");
    let exact = if is_negated { "NotEquals" } else { "Equals" };
    let how = if how.ends_with("Like") && to != KeyType::Text { exact } else { how };
    match to {
        KeyType::Boolean if how == "Equals" => Some(Operator::Bool),
        KeyType::Boolean => None,
        KeyType::Ip if how == "Equals" => Some(Operator::IpAddress),
        KeyType::Ip if how == "NotEquals" => Some(Operator::NotIpAddress),
        KeyType::Ip => None,
        KeyType::Arn => format!("Arn{how}").parse().ok(),
        KeyType::Date => format!("Date{how}").parse().ok(),
        KeyType::Number | KeyType::UnixTime => format!("Numeric{how}").parse().ok(),
        KeyType::Text => format!("String{how}").parse().ok(),
    }
}

fn word(kind: KeyType) -> &'static str {
    match kind {
        KeyType::Arn => "an ARN",
        KeyType::Boolean => "true or false",
        KeyType::Date => "a date",
        KeyType::Ip => "an IP address",
        KeyType::Number => "a number",
        KeyType::UnixTime => "a time in seconds",
        KeyType::Text => "a text",
    }
}
