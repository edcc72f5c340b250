//! What a key policy tells of itself: whose key it is on, whether it is all of it, and whom its
//! statements are for.

use super::subject::{DocumentView, StatementView, Subject as _};
use crate::model::{
    AccountId, Action, Condition, ConditionOperator, KeyId, KeyManager, KnownKey, Operator,
    PolicyKind, Principal, PrincipalArn, PrincipalArnKind, PrincipalElement, ResourceKind,
    ServiceName, SetQualifier, Span, Spanned, split_arn,
};
use crate::pattern::Template;
use crate::syntax::{self, json::Value};

/// Whether this is a policy that the owner of a key writes: AWS writes those of its own keys, and
/// RAM writes those of shared ones.
pub(super) fn is_written(view: &DocumentView<'_>) -> bool {
    let document = view.document;
    let by_aws = document.key.as_ref().is_some_and(|key| key.manager == Some(KeyManager::Aws));
    document.kind == PolicyKind::Key && !by_aws && !is_of_ram(view)
}

/// Whether this is the policy that RAM keeps of a shared key.
pub(super) fn is_of_ram(view: &DocumentView<'_>) -> bool {
    view.document.kind == PolicyKind::Key && view.document.name.ends_with("AWS_RAM")
}

/// The account that owns the key: where that is not known, the one whose root principal may change
/// the policy, as no other account's ever can (kms developer guide, "Allowing users in other accounts
/// to use a KMS key"). Of several it is the one that most principals are of, and then the first.
pub(super) fn owner(view: &DocumentView<'_>) -> Option<AccountId> {
    let document = view.document;
    let known = document.account.or_else(|| document.key.as_ref().and_then(|key| key.account));
    if known.is_some() {
        return known;
    }
    let manages = |one: &StatementView<'_>| {
        one.is_allow()
            && one.statement.condition.is_empty()
            && one.actions().contains(Action::PutKeyPolicy)
    };
    let is_known = |one: &&Spanned<Principal>| document.is_known(one.span);
    let allows = view.statements().filter(manages);
    let mut accounts: Vec<AccountId> = Vec::new();
    for principal in allows.flat_map(|one| one.principals()).filter(is_known) {
        if let Principal::Account { account, .. } = &principal.value
            && !accounts.contains(account)
        {
            accounts.push(*account);
        }
    }
    if let [] | [_] = accounts.as_slice() {
        return accounts.first().copied();
    }
    let named: Vec<AccountId> = view
        .statements()
        .flat_map(|one| one.principals())
        .filter_map(|one| account_of(&one.value))
        .collect();
    let count = |account: &AccountId| named.iter().filter(|one| *one == account).count();
    // Of equals, the last of a reversed list is the first.
    accounts.into_iter().rev().max_by_key(count)
}

/// Whether the document is surely all of a key's policy: it came with its key, or it has a statement
/// for somebody to manage the key beside others. Guides and modules also print statements to be put
/// into a policy, some of them with an `Id` such as the console's.
pub(super) fn is_complete(view: &DocumentView<'_>) -> bool {
    let document = view.document;
    if document.key.is_some() || document.account.is_some() {
        return true;
    }
    let manages = |one: &StatementView<'_>| {
        let managing = one.actions().iter().filter(|action| {
            action.resource_kind() == ResourceKind::Key
                && !action.works_across_accounts()
                && !tells(action.name())
        });
        one.is_allow() && managing.count() > 3
    };
    view.syntax.statements.len() > 1 && view.statements().any(|one| manages(&one))
}

/// Whether an action only tells of a key.
fn tells(action: &str) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb))
}

/// The account of a principal that has one.
pub(super) fn account_of(principal: &Principal) -> Option<AccountId> {
    match principal {
        Principal::Account { account, .. } => Some(*account),
        Principal::Arn(arn) => Some(arn.account()),
        _ => None,
    }
}

/// The entry that stands for everybody, if there is one.
pub(super) fn everybody<'c>(view: &StatementView<'c>) -> Option<&'c Spanned<Principal>> {
    let mut entries = view.principals().iter();
    entries.find(|one| matches!(one.value, Principal::EveryAws | Principal::Everyone))
}

/// The entry by which a key policy, written as a whole, allows everybody something.
pub(super) fn allows_everybody<'c>(view: &StatementView<'c>) -> Option<&'c Spanned<Principal>> {
    let allows = is_written(&view.document) && view.is_allow() && !view.actions().is_empty();
    everybody(view).filter(|_| allows)
}

/// What `NotPrincipal` with `Deny` lists without what belongs to it, with the word for what is not
/// listed (iam user guide, "NotPrincipal").
pub(super) fn unlisted<'c>(
    view: &StatementView<'c>,
) -> Vec<(&'c Spanned<Principal>, &'static str)> {
    let Some(PrincipalElement::IsNot(listed)) = &view.statement.principal else {
        return Vec::new();
    };
    if view.is_allow() || listed.iter().any(|one| !view.is_known(one.span)) {
        return Vec::new();
    }
    let has_account = |of: &PrincipalArn| {
        listed.iter().any(|one| {
            matches!(&one.value, Principal::Account { account, .. } if *account == of.account())
        })
    };
    let has = |of: &PrincipalArn, kind: PrincipalArnKind| {
        listed.iter().any(|one| match &one.value {
            Principal::Arn(arn) => {
                arn.kind() == kind
                    && arn.account() == of.account()
                    && arn.role_name() == of.role_name()
            }
            _ => false,
        })
    };
    let missing = |arn: &PrincipalArn| match arn.kind() {
        PrincipalArnKind::Role if !has(arn, PrincipalArnKind::AssumedRole) => Some("session"),
        PrincipalArnKind::AssumedRole if !has(arn, PrincipalArnKind::Role) => Some("role"),
        _ if !has_account(arn) => Some("account"),
        _ => None,
    };
    let entries = listed.iter().filter_map(|one| match &one.value {
        Principal::Arn(arn) => missing(arn).map(|word| (one, word)),
        _ => None,
    });
    entries.collect()
}

/// Whether a request that does not carry the key meets a condition under this operator; `None` when
/// that hangs on the value, as for `Null`.
pub(super) fn met_by_absence(operator: ConditionOperator, condition: &Condition) -> Option<bool> {
    if operator.if_exists || operator.qualifier == Some(SetQualifier::ForAllValues) {
        return Some(true);
    }
    // None of no values matches, whatever is asked of it.
    if operator.qualifier == Some(SetQualifier::ForAnyValue) {
        return Some(false);
    }
    match operator.operator {
        Operator::Null => match condition.values.as_slice() {
            [one] => match one.value.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        },
        other => Some(other.is_negated()),
    }
}

/// Whom the conditions of an `Allow` for everybody let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is no condition.
    Anybody,
    /// Conditions, but none on who calls.
    Unlimited,
    /// Callers of certain accounts, of an organization, from certain networks or resources.
    Limited,
}

/// Whom the conditions of a statement let through.
pub(super) fn reach(view: &StatementView<'_>) -> Reach {
    if view.conditions().next().is_none() {
        return Reach::Anybody;
    }
    let limits = view
        .conditions()
        .any(|(operator, condition)| limits(view, operator.value, condition, is_identity));
    if limits { Reach::Limited } else { Reach::Unlimited }
}

/// Whether a statement says for whose resource a service may act.
pub(super) fn names_source(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(operator, condition)| {
        limits(view, operator.value, condition, is_source)
            || (condition.key.value.known() == Some(KnownKey::KmsEncryptionContext)
                && met_by_absence(operator.value, condition) == Some(false)
                && condition.values.iter().all(|value| {
                    let text = value.value.as_str();
                    names_account(text) || is_pinned(KnownKey::AwsSourceArn, text, true)
                }))
    })
}

/// Whether a condition holds only for callers that one of its values pins down.
fn limits(
    view: &StatementView<'_>,
    operator: ConditionOperator,
    condition: &Condition,
    counts: fn(KnownKey) -> bool,
) -> bool {
    let Some(key) = condition.key.value.known().filter(|key| counts(*key)) else { return false };
    let is_bool = operator.operator == Operator::Bool;
    let compares = matches!(
        operator.operator,
        Operator::ArnEquals
            | Operator::ArnLike
            | Operator::StringEquals
            | Operator::StringEqualsIgnoreCase
            | Operator::StringLike
    );
    let met = met_by_absence(operator, condition) != Some(false);
    if !(compares || is_bool) || (met && !is_always_there(key)) {
        return false;
    }
    let has_wildcards =
        matches!(operator.operator, Operator::ArnEquals | Operator::ArnLike | Operator::StringLike);
    condition.values.iter().all(|value| {
        let text = value.value.as_str();
        !view.is_known(value.span)
            || match is_bool {
                true => {
                    key == KnownKey::AwsPrincipalIsAwsService && text.eq_ignore_ascii_case("true")
                }
                false => is_pinned(key, text, has_wildcards),
            }
    })
}

/// Keys that tell who calls, by whom the caller's account is known, or which network or resource the
/// call comes from.
fn is_identity(key: KnownKey) -> bool {
    use KnownKey as K;
    is_source(key)
        || matches!(
            key,
            K::AwsPrincipalAccount
                | K::AwsPrincipalArn
                | K::AwsPrincipalOrgId
                | K::AwsPrincipalOrgPaths
                | K::AwsSourceVpc
                | K::AwsSourceVpcArn
                | K::AwsSourceVpce
                | K::AwsUserId
                | K::AwsVpceAccount
                | K::AwsVpceOrgId
                | K::AwsVpceOrgPaths
                | K::KmsCallerAccount
        )
}

/// Keys that tell for whose resource a service acts.
pub(super) const SOURCES: &[KnownKey] = &[
    KnownKey::AwsSourceAccount,
    KnownKey::AwsSourceArn,
    KnownKey::AwsSourceOrgId,
    KnownKey::AwsSourceOrgPaths,
];

/// Whether a key tells for whose resource a service acts.
pub(super) fn is_source(key: KnownKey) -> bool {
    SOURCES.contains(&key)
}

/// Keys that every request of a user or role carries.
fn is_always_there(key: KnownKey) -> bool {
    use KnownKey as K;
    matches!(key, K::AwsPrincipalAccount | K::AwsPrincipalArn | K::AwsUserId | K::KmsCallerAccount)
}

/// Whether a value names one caller, account, organization or network, rather than any.
fn is_pinned(key: KnownKey, text: &str, has_wildcards: bool) -> bool {
    use KnownKey as K;
    // `${aws:ResourceAccount}` is the key's own account; other variables are the caller's to choose.
    if text.contains("${aws:Resource") {
        return true;
    }
    if text.contains("${") {
        return false;
    }
    let wild = |part: &str| has_wildcards && part.contains(['*', '?']);
    match key {
        K::AwsPrincipalArn | K::AwsSourceArn | K::AwsSourceVpcArn => {
            let mut parts = text.splitn(6, ':').skip(4);
            let account = parts.next().unwrap_or_default();
            let resource = parts.next().unwrap_or_default();
            // Buckets have no account in their ARN, but a name that nobody else can have.
            match account {
                "" => !resource.is_empty() && !resource.starts_with(['*', '?']),
                account => !wild(account),
            }
        }
        K::AwsPrincipalOrgPaths | K::AwsSourceOrgPaths | K::AwsVpceOrgPaths => {
            text.split_once('/').is_some_and(|(organization, _)| !wild(organization))
        }
        // `AROA…:session`: the id is one role's.
        K::AwsUserId => !text.split(':').next().is_none_or(wild),
        _ => !wild(text),
    }
}

/// Whether a text holds an account id, as ARNs of resources do.
fn names_account(text: &str) -> bool {
    let mut parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| part.parse::<AccountId>().is_ok())
}

/// The principals that conditions on `aws:PrincipalArn` name, wildcards filled with something.
pub(super) fn in_conditions(view: &DocumentView<'_>) -> Vec<PrincipalArn> {
    let mut found = Vec::new();
    for statement in view.statements() {
        for (_, condition) in statement.conditions() {
            if condition.key.value.known() != Some(KnownKey::AwsPrincipalArn) {
                continue;
            }
            let texts =
                condition.values.iter().map(|value| value.value.as_str().replace(['*', '?'], "x"));
            found.extend(texts.filter_map(|text| text.parse().ok()));
        }
    }
    found
}

/// How many bytes KMS stores of a key policy (kms developer guide, "Key policy format").
pub(super) const LARGEST: usize = 32_768;

/// The size of a key policy, when it is larger than a limit: as its text stands, or, where it is an
/// object in a larger file, without white space.
pub(super) fn size_over(view: &DocumentView<'_>, limit: usize) -> Option<usize> {
    let text = view.document.text();
    if text.len() <= limit || !is_written(view) || !view.document.is_whole() {
        return None;
    }
    let root = syntax::json::read_up_to(text, usize::MAX).ok();
    let is_own = root.is_some_and(|root| match root.value {
        Value::Object(members) => members.iter().any(|member| member.key.value == "Statement"),
        _ => false,
    });
    let size = if is_own { text.trim().len() } else { syntax::print(view.syntax).len() };
    (size > limit).then_some(size)
}

/// Whether a `Resource` entry of a key policy can be the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyMatch {
    /// It can.
    Maybe,
    /// It cannot.
    Never,
}

/// Whether a `Resource` entry of a key policy can be the key the policy is on, by what is known of
/// the key.
pub(super) fn matches_key(view: &DocumentView<'_>, entry: &str) -> KeyMatch {
    if entry == "*" {
        return KeyMatch::Maybe;
    }
    let pattern = Template::resource(entry, false);
    if entry.contains("${") {
        return KeyMatch::Maybe;
    }
    let facts = view.document.key.as_ref();
    if let Some(arn) = facts.and_then(|key| key.arn.as_ref()) {
        return if pattern.matches_text(arn.as_str()) { KeyMatch::Maybe } else { KeyMatch::Never };
    }
    let Some([arn, _, service, region, account, resource]) = split_arn(entry) else {
        // What is neither may be a placeholder, or `arn:*`.
        let is_id = entry.starts_with("mrk-")
            || (entry.len() == 36 && entry.bytes().filter(|byte| *byte == b'-').count() == 4);
        let is_other = entry.starts_with("alias/") || (is_id && entry.parse::<KeyId>().is_ok());
        return if is_other { KeyMatch::Never } else { KeyMatch::Maybe };
    };
    let fits = |part: &str, text: &str| Template::glob(part).matches_text(text);
    let owner = owner(view);
    let known_region = facts.and_then(|key| key.region.as_ref());
    let is_key = resource.starts_with("key/")
        || resource.starts_with(['*', '?'])
        || resource.starts_with("k*");
    // Placeholders of guides are no account: nothing follows from them.
    let is_account = account.parse::<AccountId>().is_ok();
    let matches = fits(arn, "arn")
        && fits(service, "kms")
        && is_key
        && known_region.is_none_or(|known| fits(region, known.as_str()))
        && owner.is_none_or(|owner| !is_account || account == owner.as_str());
    if matches { KeyMatch::Maybe } else { KeyMatch::Never }
}

/// Whether the document is a policy that could stand alone: all of one, or one that somebody can
/// change by what it says.
pub(super) fn is_policy(view: &DocumentView<'_>) -> bool {
    is_complete(view) || owner(view).is_some()
}

/// The services that a statement lets do more with the key than describe it, without saying for
/// whose resource.
pub(super) fn unbound_services<'c>(view: &StatementView<'c>) -> Vec<(&'c ServiceName, Span)> {
    let uses = view
        .actions()
        .iter()
        .any(|action| action.resource_kind() != ResourceKind::Any && !tells(action.name()));
    if !is_written(&view.document) || !view.is_allow() || !uses || names_source(view) {
        return Vec::new();
    }
    // What no service can meet lets none in, and rules of its own say so.
    let never = view.conditions().any(|(operator, condition)| {
        let key = condition.key.value.known();
        let is_of_callers = matches!(
            key,
            Some(
                KnownKey::AwsPrincipalAccount
                    | KnownKey::AwsPrincipalArn
                    | KnownKey::AwsPrincipalOrgId
                    | KnownKey::AwsPrincipalOrgPaths
                    | KnownKey::AwsPrincipalTag
                    | KnownKey::KmsViaService
            )
        );
        is_of_callers && met_by_absence(operator.value, condition) == Some(false)
    });
    if never {
        return Vec::new();
    }
    let services = view.principals().iter().filter_map(|one| match &one.value {
        Principal::Service(name) => Some((name, one.span)),
        _ => None,
    });
    services.collect()
}

/// Whether a service is documented to send neither source ARN nor source account to KMS:
/// EventBridge does not (sns developer guide, "Managing Amazon SNS encryption keys and costs").
pub(super) fn sends_no_source(service: &ServiceName) -> bool {
    service.as_str() == "events.amazonaws.com"
}
