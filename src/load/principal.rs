//! From an ARN to the principal of a request.

use crate::compile::{Caller, EntityLookup, Snapshot};
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

/// The caller that an identity stands for: the ARN that STS's GetCallerIdentity told of credentials
/// somebody has proved to hold, the session ARN of a token, or the principal that a service's own
/// authentication gives its user. Nothing of the environment or of this process's credentials goes
/// into it.
///
/// What else is known of the call, such as [`direct_call`](super::direct_call), is for the service
/// to state in its `context`.
///
/// ```
/// use keyproof::compile::{Epoch, Snapshot};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # std::env::set_current_dir(env!("CARGO_MANIFEST_DIR"))?;
/// let world = keyproof::load::world("policies/demo".as_ref())?.snapshot(Epoch::new(1))?;
/// let tenant = "arn:aws:sts::111122223333:assumed-role/orders/i-1";
/// let caller = keyproof::load::verified_caller(tenant, &world)?;
/// assert_eq!(caller.principal.to_string(), tenant);
/// assert!(keyproof::load::verified_caller("somebody", &world).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When it is no principal's ARN, or the role or user behind a session is not known.
pub fn verified_caller(arn: &str, snapshot: &Snapshot) -> Result<Caller, String> {
    let identity: PrincipalArn = parse(arn)?;
    caller_principal(identity.as_str(), None, None, snapshot).map(Caller::new)
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
