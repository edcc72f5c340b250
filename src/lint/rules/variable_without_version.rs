//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings};
use crate::model::Version;

declare_rule! {
    /// ## What it does
    /// Finds `${…}` in resources and conditions of policies that do not say `"Version": "2012-10-17"`.
    ///
    /// ## Why is this bad?
    /// Without this version a policy has no variables. The characters stand for themselves, and match
    /// nothing that there is.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Statement": [
    ///     {
    ///       "Sid": "Name",
    ///       "Effect": "Allow",
    ///       "Action": "kms:CreateAlias",
    ///       "Resource": [
    ///         "arn:aws:kms:eu-central-1:111122223333:alias/${aws:username}-*",
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///       ]
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
    ///       "Sid": "Name",
    ///       "Effect": "Allow",
    ///       "Action": "kms:CreateAlias",
    ///       "Resource": [
    ///         "arn:aws:kms:eu-central-1:111122223333:alias/${aws:username}-*",
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///       ]
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static VARIABLE_WITHOUT_VERSION = {
        code: "IAM410",
        name: "variable-without-version",
        summary: "a policy variable in a policy without the version that has them",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["VARIABLE_UNSUPPORTED_IN_VERSION"],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let version = view.syntax.version.as_ref();
    if version.is_some_and(|version| version.value == Version::V2012) {
        return;
    }
    let help = r#"write `"Version": "2012-10-17"`"#;
    for one in view.statements() {
        let resources = one.statement.resource.iter().flat_map(|it| it.entries());
        let resources = resources.map(|entry| (entry.value.as_str(), entry.span));
        let values = one.conditions().flat_map(|(_, condition)| &condition.values);
        let values = values.map(|value| (value.value.as_str(), value.span));
        // `${*}` and its kin stand for characters, and a guide's placeholders have no colon.
        let mut texts = resources.chain(values);
        let is_variable = |text: &str| {
            text.split("${")
                .skip(1)
                .any(|rest| rest.split_once('}').is_some_and(|(name, _)| name.contains(':')))
        };
        let Some((_, span)) = texts.find(|(text, _)| is_variable(text)) else { continue };
        let message = "this policy has no variables: `${` stands for itself";
        findings.push(Finding::at(span, message).help(help));
        return;
    }
}
