//! L54.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::model::Statement;

declare_rule! {
    /// ## What it does
    /// Finds principals that the policy `AWS_RAM` of a key allows something and that its policy
    /// `default` does not name.
    ///
    /// ## Why is this bad?
    /// A key can have two policies: its owner's, named `default`, and one that AWS RAM keeps for
    /// those the key is shared with. Whoever reads only the first does not see that they may use
    /// the key.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.AWS_RAM.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Ram",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "444455556666"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json
    /// {
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static SHARED_THROUGH_RAM = {
        code: "KEY054",
        name: "shared-through-ram",
        summary: "a key shared through RAM",
        level: Note,
        since: "0.1.0",
        covers: ["L54"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let Some(facts) = view.document.key.as_ref().filter(|_| key_policy::is_of_ram(view)) else {
        return;
    };
    let own = view.collection.policies_of(facts).find(|one| !one.name.ends_with("AWS_RAM"));
    let Some(own) = own else { return };
    let statements = own.syntax().map(|syntax| syntax.statements.as_slice()).unwrap_or_default();
    let entries = |one: &Statement| {
        one.principal.iter().flat_map(|it| it.entries().to_vec()).collect::<Vec<_>>()
    };
    let named: Vec<_> = statements.iter().flat_map(entries).map(|one| one.value).collect();
    for statement in view.statements().filter(StatementView::is_allow) {
        for entry in statement.principals().iter().filter(|one| !named.contains(&one.value)) {
            let message = "the key is shared through AWS RAM: its own policy does not tell of this";
            let finding = Finding::at(entry.span, message);
            findings.push(
                finding.help("see the share in AWS RAM before the policies of the key change"),
            );
        }
    }
}
