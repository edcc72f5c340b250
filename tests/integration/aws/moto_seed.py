"""An account in moto's server: three keys, grants, aliases, a user and a role.

Prints what was made as JSON, and writes what `aws iam get-account-authorization-details` prints.
"""

import json
import sys

import boto3

endpoint, facts = sys.argv[1:]
made = {}


def client(name):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
    )


kms, iam, sts = client("kms"), client("iam"), client("sts")
account = sts.get_caller_identity()["Account"]


def statement(principal, action):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


root = f"arn:aws:iam::{account}:root"
app = f"arn:aws:iam::{account}:role/app"
alice = f"arn:aws:iam::{account}:user/alice"
policies = {
    "orders": document(statement(root, "kms:*")),
    "archive": document(statement(app, ["kms:Encrypt", "kms:ReEncryptTo"]), statement(root, "kms:PutKeyPolicy")),
    "old": document(statement(root, "kms:*")),
}
for name, policy in policies.items():
    key = kms.create_key(
        Policy=policy, KeyUsage="ENCRYPT_DECRYPT", Tags=[{"TagKey": "name", "TagValue": name}]
    )["KeyMetadata"]
    made[name] = key["Arn"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
kms.disable_key(KeyId=made["old"].rsplit("/", 1)[1])
kms.create_grant(
    KeyId=made["archive"],
    GranteePrincipal=alice,
    Operations=["Decrypt"],
    Constraints={"EncryptionContextSubset": {"tenant": "blue"}},
)

trust = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}],
    }
)


def allow(*actions):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    )


iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)
iam.put_role_policy(
    RoleName="app", PolicyName="keys", PolicyDocument=allow("kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey")
)
iam.create_user(UserName="alice")
iam.put_user_policy(UserName="alice", PolicyName="keys", PolicyDocument=allow("kms:Decrypt"))
made["alice"] = iam.create_access_key(UserName="alice")["AccessKey"]
made["session"] = sts.assume_role(RoleArn=app, RoleSessionName="i-1")["Credentials"]

details = iam.get_account_authorization_details()
details.pop("ResponseMetadata")
with open(f"{facts}/iam.json", "w") as file:
    json.dump(details, file, default=str)
made["account"] = account
print(json.dumps(made, default=str))
