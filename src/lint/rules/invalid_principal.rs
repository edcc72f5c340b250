//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds principals that are neither an account, user, role, session, service nor unique id: groups,
    /// ARNs with wildcards in them, names outside an object.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy: a wildcard stands for every principal or for none, and groups are
    /// no principals.
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
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"},
    ///       "Action": "kms:Decrypt",
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static INVALID_PRINCIPAL = {
        code: "SYN006",
        name: "invalid-principal",
        summary: "a principal that cannot be named so",
        level: Error,
        since: "0.1.0",
        covers: ["L36"],
        analyzer: ["INVALID_PRINCIPAL_FORMAT", "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"],
        check: Check::Syntax,
    }
}
