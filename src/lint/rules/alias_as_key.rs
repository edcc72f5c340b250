//! L11.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView, identity};
use crate::model::{AliasName, Element, KeyArn, ResourceKind, Spanned};
use crate::pattern::split_arn_pattern;

declare_rule! {
    /// ## What it does
    /// Finds `Resource` entries that are ARNs of aliases in statements whose actions are on keys.
    ///
    /// ## Why is this bad?
    /// In a policy the ARN of an alias is the alias itself, never the key it points to. Only creating,
    /// changing and deleting aliases is decided on it, so that everything else is neither allowed nor
    /// denied.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "UseOrders",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:alias/orders"
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
    ///       "Sid": "UseOrders",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/*",
    ///       "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ALIAS_AS_KEY = {
        code: "IAM011",
        name: "alias-as-key",
        summary: "an alias ARN as the resource of actions on keys",
        level: Error,
        since: "0.1.0",
        covers: ["L11"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(actions) = identity::actions(view).filter(|_| identity::names_resources(view)) else {
        return;
    };
    // An entry such as `kms:Create*` means the alias for one of its actions.
    let is_on_keys = |entry: &&Spanned<String>| {
        identity::is_some(&entry.value, ResourceKind::Key)
            && !identity::is_some(&entry.value, ResourceKind::AliasAndKey)
    };
    let Some(action) = actions.iter().find(is_on_keys) else { return };
    let manages =
        actions.iter().any(|one| identity::is_some(&one.value, ResourceKind::AliasAndKey));
    let Some(element) = &view.statement.resource else { return };
    let entries = element.entries();
    // Beside a key, an alias stands for the actions on aliases.
    if manages && entries.iter().any(|one| identity::reach(&one.value).keys) {
        return;
    }
    for entry in entries {
        let reach = identity::reach(&entry.value);
        if !reach.aliases || reach.keys {
            continue;
        }
        let effect = match (element, view.is_allow()) {
            (Element::Is(_), true) => format!("`{}` is not allowed by it", action.value),
            (Element::Is(_), false) => format!("`{}` is not denied by it", action.value),
            (Element::IsNot(_), _) => "no key is left out".to_owned(),
        };
        let message = format!("`{}` is the alias, not its key: {effect}", entry.value);
        let mut finding = Finding::at(entry.span, message).related(action.span, "is on keys");
        let target = target(view, &entry.value);
        finding = finding.help(match target {
            Some(key) => format!("write the ARN of the key it points to, `{key}`"),
            None => instead(&entry.value),
        });
        if let Some(key) = target {
            let fix = Fix::unsafe_(format!("write `{key}`"));
            finding = finding.fix(fix.replace_string(entry.span, key.as_str()));
        }
        findings.push(finding);
    }
}

/// The key an alias points to, where the input tells.
fn target<'c>(view: &StatementView<'c>, alias: &str) -> Option<&'c KeyArn> {
    let aliases = &view.document.collection.aliases;
    let keys =
        aliases.iter().filter_map(|one| Some((&one.name, one.target.as_ref()?.arn.as_ref()?)));
    let is_it = |name: &AliasName, key: &KeyArn| {
        split_arn_pattern(alias).is_some_and(|[_, partition, _, region, account, resource]| {
            key.is_of_partition(partition)
                && region == key.region().as_str()
                && account == key.account().as_str()
                && resource == name.as_str()
        })
    };
    keys.into_iter().find(|(name, key)| is_it(name, key)).map(|(_, key)| key)
}

/// What to write for an alias.
fn instead(alias: &str) -> String {
    let Some([_, partition, _, region, account, name]) = split_arn_pattern(alias) else {
        return "write the ARN of the key".to_owned();
    };
    let operator = if name.contains(['*', '?']) { "StringLike" } else { "StringEquals" };
    format!(
        "write the ARN of the key, or `arn:{partition}:kms:{region}:{account}:key/*` with the condition \
         `\"ForAnyValue:{operator}\": {{\"kms:ResourceAliases\": \"{name}\"}}`"
    )
}
