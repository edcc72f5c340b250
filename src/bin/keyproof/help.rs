//! What stands under each command's help: examples that can be typed as they are, in a folder with
//! `policies/demo`, and the exit codes. No line is as long as a terminal is wide.

pub const TOP: &str = "\
Example:
  keyproof demo

Exit codes: 0 yes or done; 1 the answer is no; 2 no answer (usage, bad input, a
missing fact, I/O).";

pub const CHECK: &str = "\
Examples:
  keyproof check --world policies/demo --caller orders \\
      --source-key-id alias/orders --source-encryption-context tenant=blue \\
      --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \\
      --destination-encryption-context tenant=blue
  keyproof check --world policies/demo --caller operator \\
      --operation kms:DescribeKey --key-id alias/orders --region eu-central-1
  keyproof check --format junit tests/scenarios/re-encrypt/*.toml > report.xml

Exit codes: 0 allowed, or every expectation met; 1 denied, or an expectation
not met; 2 no answer.";

pub const EXPLAIN: &str = "\
Example:
  keyproof explain --world policies/demo --caller reporting \\
      --source-key-id alias/orders --source-encryption-context tenant=blue \\
      --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \\
      --destination-encryption-context tenant=blue

Exit codes: 0 allowed; 1 denied; 2 no answer.";

pub const SIMULATE: &str = "\
Examples:
  keyproof simulate --principal arn:aws:iam::111122223333:user/alice \\
      --action kms:Decrypt --identity-policy alice.json --fill \\
      --key-policy policy.json \\
      --resource arn:aws:kms:eu-central-1:111122223333:key/1234abcd-0000
  keyproof simulate --batch questions.jsonl > answers.jsonl

Exit codes: 0 allowed, or every line of a batch answered; 1 denied; 2 no
answer, or a line of a batch that is no question.";

pub const LINT: &str = "\
Examples:
  keyproof lint policies/samples
  keyproof lint 'policies/hazards/re-*.json' --select IAM,KEY --format sarif \\
      --output findings.sarif --exit-zero
  keyproof lint policies/hazards/re-*.json --write-baseline baseline.json
  keyproof lint policies/hazards/re-*.json --baseline baseline.json
  keyproof lint policy.json --fix --exit-zero
  keyproof lint - --stdin-filename policies/orders.json < policy.json \\
      --exit-zero

Exit codes: 0 clean; 1 findings of the fail level or above; with --diff, there
would be changes; 2 something could not be read; the other files are linted all
the same.";

pub const RULES: &str = "\
Examples:
  keyproof rules
  keyproof rules re-encrypt-without-star
  keyproof rules IAM --format json

Exit codes: 0 done; 2 no such rule.";

pub const RE_ENCRYPT: &str = "\
Example:
  keyproof re-encrypt --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller orders --ciphertext-blob blue.bin \\
      --source-encryption-context tenant=blue \\
      --destination-key-id arn:aws:kms:eu-central-1:444455556666:alias/inbox \\
      --destination-encryption-context tenant=blue --output moved.bin

Exit codes: 0 done; 1 denied, and nothing is written; 2 no answer.";

pub const ENCRYPT: &str = "\
Example:
  keyproof encrypt --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller orders --key-id alias/orders \\
      --plaintext secret.txt --encryption-context tenant=blue --output blue.bin

Exit codes: 0 done; 1 denied, and nothing is written; 2 no answer.";

pub const DECRYPT: &str = "\
Example:
  keyproof decrypt --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller partner --ciphertext-blob moved.bin \\
      --encryption-context tenant=blue --output opened.txt

Exit codes: 0 done; 1 denied, and nothing is written; 2 no answer.";

pub const FLEET: &str = "\
Example:
  keyproof fleet plan --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller orders --input fleet.jsonl \\
      --destination-key-id alias/archive

Exit codes: 0 yes or done; 1 some items are refused; 2 no answer, or not all
done.";

pub const KEYS: &str = "\
Example:
  keyproof keys import --keystore demo.redb --world policies/demo

Exit codes: 0 done; 2 not done.";

#[cfg(feature = "aws")]
pub const COLLECT: &str = "\
Examples:
  keyproof collect --print-policy > collector.json
  keyproof collect --commands > collect.sh

With credentials, `keyproof collect --world world --region eu-central-1` reads
one account and Region; run again, it goes on where it was interrupted.

Exit codes: 0 done, and what could not be read is told; 2 not done, or the
folder cannot be read as a world.";

pub const READINGS: &str = "\
Example:
  keyproof readings --format json

Exit codes: 0 done; 2 not done.";

pub const DEMO: &str = "\
Example:
  keyproof demo --folder demo

Exit codes: 0 done; 2 not done.";

pub const COMPLETIONS: &str = "\
Example:
  keyproof completions bash > keyproof.bash

Exit codes: 0 done; 2 not done.";

pub const MAN: &str = "\
Example:
  keyproof man > keyproof.1

Exit codes: 0 done; 2 not done.";

/// Those of `fleet …`.
pub mod fleet {
    pub const PLAN: &str = "\
Examples:
  printf '{\"ciphertext\":\"%s\",\"sourceContext\":{\"tenant\":\"blue\"}}' \\
      \"$(base64 < blue.bin | tr -d '\\n')\" > fleet.jsonl
  keyproof fleet plan --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller orders --input fleet.jsonl \\
      --destination-key-id alias/archive

Exit codes: 0 every item may be moved; 1 some are refused; 2 no answer.";
    pub const RUN: &str = "\
A run that ends early is gone on with by the same command.

Example:
  keyproof fleet run --world policies/demo --keystore demo.redb \\
      --region eu-central-1 --caller orders --input fleet.jsonl \\
      --destination-key-id alias/archive --output archived.jsonl

With AWS KMS, in a world that `keyproof collect` made:
  keyproof fleet run --backend aws --world world --region eu-central-1 \\
      --caller orders --input fleet.jsonl --source-key-id alias/orders \\
      --destination-key-id alias/archive --output archived.jsonl \\
      --concurrency 8 --requests-per-second 200

Exit codes: 0 done; 1 some items are refused, and nothing was run; 2 not all
done.";
    pub const STATUS: &str = "\
Example:
  keyproof fleet status --journal archived.jsonl.journal

Exit codes: 0 told; 2 no answer.";
}

/// Those of `keys …`.
pub mod keys {
    pub const CREATE: &str = "\
A policy must let the key's account (or the caller of --world and --caller)
replace it, as KMS demands; --bypass-policy-lockout-safety-check skips that.

Examples:
  keyproof keys create --keystore demo.redb --account 111122223333 \\
      --region eu-central-1 --alias alias/invoices
  keyproof keys create --keystore demo.redb --account 111122223333 \\
      --region eu-central-1 --alias alias/everywhere --multi-region

Exit codes: 0 done; 2 not done.";
    pub const IMPORT: &str = "\
Example:
  keyproof keys import --keystore demo.redb --world policies/demo

Exit codes: 0 done; 2 not done.";
    pub const REPLICATE: &str = "\
Example:
  keyproof keys replicate --keystore demo.redb --key-id alias/everywhere \\
      --replica-region eu-west-1

Exit codes: 0 done; 2 not done.";
    pub const LIST: &str = "\
Example:
  keyproof keys list --keystore demo.redb

Exit codes: 0 done; 2 not done.";
    pub const DESCRIBE: &str = "\
Example:
  keyproof keys describe --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const GET_POLICY: &str = "\
Example:
  keyproof keys get-policy --keystore demo.redb --key-id alias/invoices \\
      > policy.json

Exit codes: 0 done; 2 not done.";
    pub const PUT_POLICY: &str = "\
The policy must let the key's account (or the caller of --world and --caller)
replace it, as KMS demands; --bypass-policy-lockout-safety-check skips that.

Example:
  keyproof keys put-policy --keystore demo.redb --key-id alias/invoices \\
      --policy policy.json

Exit codes: 0 done; 2 not done.";
    pub const CREATE_GRANT: &str = "\
Example:
  keyproof keys create-grant --keystore demo.redb --key-id alias/invoices \\
      --grantee-principal arn:aws:iam::444455556666:role/mover \\
      --operations ReEncryptFrom --encryption-context-subset tenant=blue

Exit codes: 0 done; 2 not done.";
    pub const LIST_GRANTS: &str = "\
Example:
  keyproof keys list-grants --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const REVOKE_GRANT: &str = "\
Example:
  keyproof keys revoke-grant --keystore demo.redb --key-id alias/invoices \\
      --grant-id $(keyproof keys list-grants --keystore demo.redb \\
      --key-id alias/invoices | head -n 1 | cut -d \" \" -f 1)

Exit codes: 0 done; 2 not done.";
    pub const RETIRE_GRANT: &str = "\
Example:
  keyproof keys retire-grant --keystore demo.redb --key-id alias/invoices \\
      --grant-id $(keyproof keys list-grants --keystore demo.redb \\
      --key-id alias/invoices | head -n 1 | cut -d \" \" -f 1)

Exit codes: 0 done; 2 not done.";
    pub const CREATE_ALIAS: &str = "\
Example:
  keyproof keys create-alias --keystore demo.redb --alias-name alias/bills \\
      --target-key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const UPDATE_ALIAS: &str = "\
Example:
  keyproof keys update-alias --keystore demo.redb --alias-name alias/bills \\
      --target-key-id alias/archive

Exit codes: 0 done; 2 not done.";
    pub const DELETE_ALIAS: &str = "\
Example:
  keyproof keys delete-alias --keystore demo.redb --alias-name alias/bills

Exit codes: 0 done; 2 not done.";
    pub const LIST_ALIASES: &str = "\
Example:
  keyproof keys list-aliases --keystore demo.redb

Exit codes: 0 done; 2 not done.";
    pub const ENABLE: &str = "\
Example:
  keyproof keys enable --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const DISABLE: &str = "\
Example:
  keyproof keys disable --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const ROTATE: &str = "\
Example:
  keyproof keys rotate --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
    pub const SCHEDULE_DELETION: &str = "\
Example:
  keyproof keys schedule-deletion --keystore demo.redb \\
      --key-id alias/invoices --pending-window-in-days 7

Exit codes: 0 done; 2 not done.";
    pub const CANCEL_DELETION: &str = "\
Example:
  keyproof keys cancel-deletion --keystore demo.redb --key-id alias/invoices

Exit codes: 0 done; 2 not done.";
}
