//! From an ARN to the principal of a request.

use crate::compile::{EntityLookup, Snapshot};
use crate::model::{CallerPrincipal, PrincipalArn, PrincipalArnKind, ServiceName};

/// The principal that `text` names: an ARN, a service, or `anonymous`. The ARN of a role stands for
/// a session of it.
///
/// A session's ARN does not have its role's path, so `role` names the role where `snapshot` does not
/// have exactly one of the name; `user` names the user behind a federated user.
///
/// # Errors
/// What is missing or does not fit together.
pub fn caller_principal(
    text: &str,
    role: Option<&str>,
    user: Option<&str>,
    snapshot: &Snapshot,
) -> Result<CallerPrincipal, String> {
    if text == "anonymous" {
        return Ok(CallerPrincipal::Anonymous);
    }
    if !text.starts_with("arn:") {
        let name: ServiceName = parse(text)?;
        return Ok(CallerPrincipal::Service { names: vec![name] });
    }
    let arn: PrincipalArn = parse(text)?;
    let id = |arn: &PrincipalArn| match snapshot.entity(arn) {
        EntityLookup::Found(entity) => entity.id.clone(),
        EntityLookup::Missing | EntityLookup::Unknown(_) => None,
    };
    let principal = match arn.kind() {
        PrincipalArnKind::Root => CallerPrincipal::Root(arn),
        PrincipalArnKind::User => CallerPrincipal::User { id: id(&arn), arn },
        PrincipalArnKind::FederatedUser => {
            let user = user.ok_or("a federated user acts for a user: name it with `user`")?;
            CallerPrincipal::FederatedUser { arn, user: parse(user)? }
        }
        PrincipalArnKind::Role => {
            let (partition, account, role) = (arn.partition(), arn.account(), arn.name());
            let session = format!("arn:{partition}:sts::{account}:assumed-role/{role}/keyproof");
            CallerPrincipal::RoleSession { session: parse(&session)?, id: id(&arn), role: arn }
        }
        PrincipalArnKind::AssumedRole => {
            let role = match role {
                Some(role) => parse(role)?,
                None => role_of(&arn, snapshot)?,
            };
            CallerPrincipal::RoleSession { session: arn, id: id(&role), role }
        }
    };
    principal.checked().map_err(|error| error.to_string())
}

/// The role behind a session.
fn role_of(session: &PrincipalArn, snapshot: &Snapshot) -> Result<PrincipalArn, String> {
    let (name, account) = (session.role_name().unwrap_or_default(), session.account());
    let mut roles = snapshot.roles_named(account, name);
    match (roles.next(), roles.next()) {
        (Some(role), None) => Ok(role.arn.clone()),
        (Some(_), Some(_)) => Err(format!(
            "account {account} has several roles named `{name}`: name the one with `role`"
        )),
        (None, _) => Err(format!(
            "no role `{name}` of account {account} is known: add accounts/{account}/iam.json to \
             the world, or name the role with `role`"
        )),
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}
