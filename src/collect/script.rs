//! What collecting needs besides this program: a policy, and commands of the AWS CLI.

use serde_json::{Value, json};

/// The least policy that [`collect`](super::collect) needs. Who the credentials belong to is asked
/// of STS, which takes no permission.
#[must_use]
pub fn policy() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ListKeysAndAliases",
                "Effect": "Allow",
                "Action": ["kms:ListAliases", "kms:ListKeys"],
                "Resource": "*",
            },
            {
                "Sid": "ReadKeys",
                "Effect": "Allow",
                "Action": [
                    "kms:DescribeKey",
                    "kms:GetKeyPolicy",
                    "kms:GetKeyRotationStatus",
                    "kms:ListGrants",
                    "kms:ListResourceTags",
                ],
                "Resource": "arn:*:kms:*:*:key/*",
            },
        ],
    })
}

/// The commands of the AWS CLI that write what [`facts`](super::facts()) reads, as a shell script
/// that takes the folder as its argument.
#[must_use]
pub fn commands() -> &'static str {
    COMMANDS
}

const COMMANDS: &str = r#"#!/usr/bin/env bash
# Writes what decides besides the keys: IAM of one account, and the organization.
# The first part runs in every account (iam:GetAccountAuthorizationDetails); the second in the
# management account or a delegated administrator's (organizations:Describe*, organizations:List*).
# Then: keyproof collect --world WORLD --facts FOLDER
set -euo pipefail
folder=${1:?usage: bash collect.sh FOLDER [organization]}
mkdir -p "$folder"
account=$(aws sts get-caller-identity --query Account --output text)
aws iam get-account-authorization-details --output json > "$folder/iam.$account.json"

if [ "${2:-}" = organization ]; then
  policies() {
    for type in SERVICE_CONTROL_POLICY RESOURCE_CONTROL_POLICY; do
      aws organizations list-policies-for-target --target-id "$1" --filter "$type" --output json > "$folder/policies.$type.$1.json"
      for policy in $(aws organizations list-policies-for-target --target-id "$1" --filter "$type" --query 'Policies[].Id' --output text); do
        aws organizations describe-policy --policy-id "$policy" --output json > "$folder/policy.$policy.json"
      done
    done
  }
  walk() {
    policies "$1"
    aws organizations list-accounts-for-parent --parent-id "$1" --output json > "$folder/accounts.$1.json"
    for member in $(aws organizations list-accounts-for-parent --parent-id "$1" --query 'Accounts[].Id' --output text); do
      policies "$member"
    done
    aws organizations list-organizational-units-for-parent --parent-id "$1" --output json > "$folder/units.$1.json"
    for unit in $(aws organizations list-organizational-units-for-parent --parent-id "$1" --query 'OrganizationalUnits[].Id' --output text); do
      walk "$unit"
    done
  }
  aws organizations describe-organization --output json > "$folder/organization.json"
  aws organizations list-roots --output json > "$folder/roots.json"
  for root in $(aws organizations list-roots --query 'Roots[].Id' --output text); do
    walk "$root"
  done
fi
"#;
