//! The mistakes people make with KMS, and which rule finds each.

/// A kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `L01` …
    pub id: &'static str,
    /// What is done.
    pub title: &'static str,
    /// Why it cannot be decided from files, for those that no rule covers.
    pub undecidable: Option<&'static str>,
}

/// All that are known; rules name the ones they find.
pub static MISTAKES: &[Mistake] = &[
    mistake("L01", "a key policy that allows every principal without a condition"),
    mistake(
        "L02",
        "a key policy that allows every principal under conditions that limit nobody's identity",
    ),
    mistake("L03", "a key policy that nobody can change"),
    mistake(
        "L04",
        "a key policy without the account's root principal: IAM policies have no effect",
    ),
    mistake("L05", "a key policy that delegates everything to IAM"),
    mistake("L06", "`kms:*` for a principal that does not manage the key, or of another account"),
    mistake("L07", "the action `kms:ReEncrypt`"),
    mistake("L08", "re-encryption allowed on one side only"),
    mistake("L09", "an identity policy that lets decrypt or re-encrypt from every key"),
    mistake(
        "L10",
        "an identity policy that lets encrypt or re-encrypt to every key, those of strangers included",
    ),
    mistake("L11", "an alias ARN as the resource of an operation on keys"),
    mistake("L12", "a bare key id or alias name as a resource"),
    mistake("L13", "a key ARN as the resource of an action that is on no key"),
    mistake("L14", "one half of the permissions that alias operations need"),
    mistake("L15", "an action in a key policy that only identity policies can allow"),
    mistake("L16", "a condition key that the action never supplies"),
    mistake("L17", "a condition key in a key policy that only identity policies see"),
    mistake("L18", "`ForAllValues:` on a condition key with one value"),
    mistake("L19", "a condition key with several values without a set operator"),
    mistake("L20", "an `Allow` under `ForAllValues:` alone"),
    mistake("L21", "`ForAnyValue:kms:GrantOperations` as a limit"),
    mistake("L22", "`kms:CreateGrant` without a limit"),
    mistake("L23", "`kms:GrantIsForAWSResource` on an action that does not supply it"),
    mistake("L24", "grants limited by grantee but not by grantee service"),
    mistake("L25", "`kms:GrantConstraintType` expected to require a source ARN"),
    mistake("L26", "a value of `kms:ViaService` that is too broad or never occurs"),
    mistake("L27", "`kms:ViaService` in a statement for a service principal"),
    mistake("L28", "every principal through a service, without `kms:CallerAccount`"),
    mistake("L29", "a service principal without source ARN, account or organization"),
    mistake("L30", "`NotPrincipal` with `Allow`"),
    mistake(
        "L31",
        "`NotPrincipal` with `Deny` that lists a principal but not its session or account",
    ),
    mistake("L32", "`NotAction` with `Allow`"),
    mistake(
        "L33",
        "another account's root where a role would do; actions that do not work across accounts",
    ),
    mistake("L34", "access across accounts that one side alone allows"),
    mistake("L35", "a principal that was deleted"),
    mistake("L36", "a group, a pattern or an organization as a principal"),
    mistake("L37", "a statement without effect: no action, no resource, or another key's"),
    mistake("L38", "a condition value of the wrong type or form"),
    mistake("L39", "a network condition in a `Deny` that hits services acting for the caller"),
    mistake("L40", "a `Deny` that locks out whoever manages the key"),
    mistake(
        "L41",
        "a `Deny` on every action under a negated condition that most actions do not supply",
    ),
    mistake(
        "L42",
        "encryption context keys that differ by case alone, or values that cannot be compared",
    ),
    mistake("L43", "a multi-Region replica whose policy differs from its primary's"),
    mistake("L44", "tags or aliases that whoever is limited by them can change"),
    mistake("L45", "deleting or disabling a key without a guard"),
    mistake("L46", "`kms:BypassPolicyLockoutSafetyCheck` not denied"),
    mistake("L47", "a policy near its size limit, repeated statements or ids, no version"),
    mistake("L48", "deprecated condition keys"),
    mistake(
        "L49",
        "attestation conditions on operations without attestation, or beside an unattested way",
    ),
    mistake(
        "L50",
        "a grant that is too broad: to another account's root, of `CreateGrant`, of decryption without a context",
    ),
    mistake("L51", "grants that repeat each other, are stale, or that nobody can retire"),
    mistake("L52", "service grants for re-encryption with two source ARNs"),
    mistake("L53", "`kms:ReEncrypt*` for a service without a limit on the destination"),
    mistake("L54", "a key shared through RAM, whose other policy is not seen"),
];

const fn mistake(id: &'static str, title: &'static str) -> Mistake {
    Mistake { id, title, undecidable: None }
}
