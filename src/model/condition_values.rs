//! What the values of condition keys can be.

use super::{
    EncryptionAlgorithm, GrantOperation, KeyOrigin, KeySpec, KeyUsage, KnownKey,
    MultiRegionKeyType, PolicyName,
};

impl KnownKey {
    /// All values that requests carry, for keys whose values KMS names one by one (kms developer
    /// guide, "AWS KMS condition keys"; kms API reference).
    #[must_use]
    pub fn values(self) -> Option<Vec<&'static str>> {
        let algorithms = |usage: KeyUsage| {
            let specs = KeySpec::ALL.iter();
            Some(specs.flat_map(|spec| spec.algorithms(usage)).copied().collect())
        };
        match self {
            Self::AwsPrincipalType => {
                Some(vec!["Account", "Anonymous", "AssumedRole", "FederatedUser", "User"])
            }
            Self::KmsCustomerMasterKeySpec | Self::KmsKeySpec => {
                Some(KeySpec::ALL.iter().map(|it| it.as_str()).collect())
            }
            Self::KmsCustomerMasterKeyUsage | Self::KmsKeyUsage => {
                Some(KeyUsage::ALL.iter().map(|it| it.as_str()).collect())
            }
            Self::KmsEncryptionAlgorithm => {
                Some(EncryptionAlgorithm::ALL.iter().map(|it| it.as_str()).collect())
            }
            Self::KmsExpirationModel => {
                Some(vec!["KEY_MATERIAL_DOES_NOT_EXPIRE", "KEY_MATERIAL_EXPIRES"])
            }
            Self::KmsGrantConstraintType => {
                Some(vec!["EncryptionContextEquals", "EncryptionContextSubset"])
            }
            Self::KmsGrantOperations => {
                Some(GrantOperation::ALL.iter().map(|it| it.name()).collect())
            }
            Self::KmsKeyAgreementAlgorithm => algorithms(KeyUsage::KeyAgreement),
            Self::KmsKeyOrigin => Some(KeyOrigin::ALL.iter().map(|it| it.as_str()).collect()),
            Self::KmsMacAlgorithm => algorithms(KeyUsage::GenerateVerifyMac),
            Self::KmsMessageType => Some(vec!["DIGEST", "EXTERNAL_MU", "RAW"]),
            Self::KmsMultiRegionKeyType => {
                Some(MultiRegionKeyType::ALL.iter().map(|it| it.as_str()).collect())
            }
            Self::KmsPolicyName => Some(PolicyName::ALL.iter().map(|it| it.as_str()).collect()),
            Self::KmsSigningAlgorithm => algorithms(KeyUsage::SignVerify),
            _ => None,
        }
    }
}

/// The services that forward requests to KMS, as `kms:ViaService` names them before the Region
/// (kms developer guide, "Services that support the `kms:ViaService` condition key"; `logs` by the
/// guide of CloudWatch Logs). The list grows: a name that is not here may be one.
pub const VIA_SERVICES: &[&str] = &[
    "aiops",
    "airflow",
    "aoss",
    "appfabric",
    "appflow",
    "apprunner",
    "apptest",
    "ards",
    "athena",
    "auditmanager",
    "backup",
    "backup-gateway",
    "bedrock",
    "cassandra",
    "chimevoiceconnector",
    "cleanrooms-ml",
    "codeartifact",
    "codeguru-reviewer",
    "comprehend",
    "connect",
    "custom-packages",
    "dax",
    "deepracer",
    "directoryservice",
    "dms",
    "docdb-elastic",
    "dynamodb",
    "ec2",
    "ecr",
    "elasticache",
    "elasticfilesystem",
    "entityresolution",
    "es",
    "events",
    "finspace",
    "firehose",
    "forecast",
    "fsx",
    "geo",
    "glue",
    "groundstation",
    "healthlake",
    "importexport",
    "iotsitewise",
    "kafka",
    "kendra",
    "kinesis",
    "kinesisvideo",
    "lambda",
    "lex",
    "license-manager",
    "logs",
    "lookoutequipment",
    "lookoutmetrics",
    "lookoutvision",
    "m2",
    "macie",
    "malware-protection",
    "managedblockchain",
    "mediatailor",
    "memorydb",
    "mgn",
    "monitron",
    "mq",
    "nimble",
    "omics",
    "profile",
    "proton",
    "qldb",
    "rds",
    "redshift",
    "redshift-serverless",
    "rekognition",
    "s3",
    "s3tables",
    "sagemaker",
    "secretsmanager",
    "securitylake",
    "ses",
    "sns",
    "sqlworkbench",
    "sqs",
    "ssm",
    "ssm-contacts",
    "ssm-incidents",
    "states",
    "storagegateway",
    "thinclient",
    "timestream",
    "translate",
    "verified-access",
    "wisdom",
    "workmail",
    "workspaces",
    "workspaces-web",
    "xray",
];

/// Names that services go by in the AWS CLI, or without `Amazon` in the same table, and how
/// `kms:ViaService` names them.
pub const OTHER_SERVICE_NAMES: &[(&str, &str)] = &[
    ("aurora", "rds"),
    ("ds", "directoryservice"),
    ("ebs", "ec2"),
    ("efs", "elasticfilesystem"),
    ("eventbridge", "events"),
    ("keyspaces", "cassandra"),
    ("location", "geo"),
    ("macie2", "macie"),
    ("msk", "kafka"),
    ("mwaa", "airflow"),
    ("neptune", "rds"),
    ("opensearch", "es"),
    ("opensearchserverless", "aoss"),
    ("stepfunctions", "states"),
];
