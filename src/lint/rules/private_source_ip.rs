//! Access Analyzer.

use std::net::IpAddr;

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds ranges of private addresses as values of `aws:SourceIp`.
    ///
    /// ## Why is this bad?
    /// The key is the address that KMS sees, which is public; requests through a VPC endpoint do not
    /// carry it. Private addresses are in `aws:VpcSourceIp`.
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static PRIVATE_SOURCE_IP = {
        code: "CON405",
        name: "private-source-ip",
        summary: "`aws:SourceIp` with private addresses",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["PRIVATE_IP_ADDRESS"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        let is_ip = matches!(operator.value.operator, Operator::IpAddress | Operator::NotIpAddress);
        if !is_ip || one.key.value.known() != Some(KnownKey::AwsSourceIp) {
            continue;
        }
        for value in &one.values {
            let text = value.value.as_str();
            let address = text.split('/').next().and_then(|it| it.parse::<IpAddr>().ok());
            if address.is_some_and(is_private) {
                let message = format!("no request comes to KMS from the private address `{text}`");
                findings.push(Finding::at(value.span, message).help(
                    "write the public addresses, or compare `aws:VpcSourceIp` beside `aws:SourceVpc`",
                ));
            }
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_private() || it.is_loopback() || it.is_link_local(),
        IpAddr::V6(it) => it.is_unique_local() || it.is_loopback() || it.is_unicast_link_local(),
    }
}
