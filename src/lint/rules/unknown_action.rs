//! Access Analyzer.

use std::collections::BTreeSet;

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{Action, Element};
use crate::pattern;
use crate::syntax::closest;

declare_rule! {
    /// ## What it does
    /// Finds entries of `Action` and `NotAction` that begin with `kms:` and name no action.
    ///
    /// ## Why is this bad?
    /// They are stored, and mean nothing: an `Allow` lacks what was meant, and a `Deny` does not
    /// deny it.
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDatakeys"],
    ///       "Resource": "*"
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNKNOWN_ACTION = {
        code: "IAM403",
        name: "unknown-action",
        summary: "an action that AWS KMS does not have",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_ACTION"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let entries = view.statement.action.as_ref().map(Element::entries).unwrap_or_default();
    for entry in entries {
        let Some((service, name)) = entry.value.split_once(':') else { continue };
        let is_ours = service.eq_ignore_ascii_case("kms");
        // `kms:ReEncrypt` has a rule of its own.
        if !is_ours
            || !pattern::actions(&entry.value).is_empty()
            || name.eq_ignore_ascii_case("ReEncrypt")
            || !view.is_known(entry.span)
        {
            continue;
        }
        let message = format!("`{}` names no action of AWS KMS", entry.value);
        let mut finding = Finding::at(entry.span, message);
        if let Some(meant) = meant(name) {
            let written = format!("{service}:{meant}");
            let fix = Fix::unsafe_(format!("write `{written}`"));
            finding = finding
                .help(format!("did you mean `{written}`?"))
                .fix(fix.replace_string(entry.span, &written));
        }
        findings.push(finding);
    }
}

/// The action, or the beginning of some, that a name was probably meant to be.
fn meant(name: &str) -> Option<String> {
    let names = Action::ALL.iter().map(|action| action.name());
    let Some(start) = name.strip_suffix('*') else {
        let names: Vec<&str> = names.collect();
        return closest(name, &names).map(str::to_owned);
    };
    // Beginnings are compared with those of the actions' names, up to their next word.
    let verbs: BTreeSet<&str> = names
        .flat_map(|name| {
            let ends = name.char_indices().skip(1).filter(|(_, c)| c.is_ascii_uppercase());
            let ends = ends.map(|(at, _)| at).chain([name.len()]);
            ends.filter_map(|end| name.get(..end)).collect::<Vec<_>>()
        })
        .collect();
    let verbs: Vec<&str> = verbs.into_iter().collect();
    closest(start, &verbs).map(|verb| format!("{verb}*"))
}
