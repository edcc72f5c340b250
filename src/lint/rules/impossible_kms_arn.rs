//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, identity};
use crate::model::{AccountId, KeyId};
use crate::pattern::split_arn_pattern;

declare_rule! {
    /// ## What it does
    /// Finds resources of KMS in policies other than key policies that can be no key and no alias:
    /// without Region or account, with an account that has not twelve digits, or with something else
    /// than `key/<key id>` or `alias/<name>` at the end.
    ///
    /// ## Why is this bad?
    /// A statement for such an ARN matches nothing: what it should allow is denied, and what it should
    /// deny is not.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IMPOSSIBLE_KMS_ARN = {
        code: "IAM408",
        name: "impossible-kms-arn",
        summary: "an ARN that no key and no alias has",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_ARN_ACCOUNT", "INVALID_ARN_RESOURCE", "MISSING_ARN_ACCOUNT", "MISSING_ARN_REGION"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(element) =
        view.statement.resource.as_ref().filter(|_| identity::names_resources(view))
    else {
        return;
    };
    for entry in element.entries() {
        let Some([_, partition, "kms", region, account, resource]) =
            split_arn_pattern(&entry.value)
        else {
            continue;
        };
        let Some((message, help)) = problem([partition, region, account, resource]) else {
            continue;
        };
        findings.push(Finding::at(entry.span, message).help(help));
    }
}

/// What is wrong with the parts, and what to write. Other texts than digits may be placeholders.
fn problem([partition, region, account, resource]: [&str; 4]) -> Option<(String, String)> {
    let open = |part: &str| part.contains(['*', '?', '$', '<', '{']);
    let arn = |resource: &str| {
        let region = if region.is_empty() { "<region>" } else { region };
        let account = if account.is_empty() { "<account>" } else { account };
        format!("write `arn:{partition}:kms:{region}:{account}:{resource}`")
    };
    if region.is_empty() {
        return Some(("the ARN has no Region, as every key's has".to_owned(), arn(resource)));
    }
    if account.is_empty()
        && let Some((account, rest)) = resource.split_once(':')
        && account.parse::<AccountId>().is_ok()
    {
        let message = "there is one `:` too many before the account".to_owned();
        return Some((message, format!("write `arn:{partition}:kms:{region}:{account}:{rest}`")));
    }
    if account.is_empty() {
        return Some(("the ARN has no account, as every key's has".to_owned(), arn(resource)));
    }
    if account.bytes().all(|byte| byte.is_ascii_digit()) && account.len() != 12 {
        let message = format!("`{account}` is no account: it has {} digits, not 12", account.len());
        return Some((message, arn(resource).replace(account, "<account>")));
    }
    if let Some(id) = resource.strip_prefix("key/") {
        let alias = id.strip_prefix("alias/");
        return match alias {
            Some(_) => Some(("no key id holds `alias/`".to_owned(), arn("key/<key id>"))),
            None if id.is_empty() => {
                Some(("the key id is missing".to_owned(), arn("key/<key id>")))
            }
            None => None,
        };
    }
    // What is not closed before the slash can be either.
    let literal = resource.split(['*', '?', '$', '<', '{']).next().unwrap_or_default();
    let could_be = |start: &str| start.starts_with(literal) && open(resource);
    if resource.starts_with("alias/") || could_be("key/") || could_be("alias/") {
        return None;
    }
    let message = format!("`{resource}` is neither `key/<key id>` nor `alias/<name>`");
    let is_id = resource.parse::<KeyId>().is_ok() && resource.contains('-');
    let help = if is_id { arn(&format!("key/{resource}")) } else { arn("key/<key id>") };
    Some((message, help))
}
