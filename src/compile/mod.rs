//! F2: documents → policies in which everything that can be decided once is decided, and the
//! frozen world they stand in.

mod caller;
mod condition;
mod grants;
mod index;
mod operand;
mod policy;
mod principal;
mod resource;
mod snapshot;
mod source;

#[cfg(test)]
mod tests;

pub use caller::{Caller, SessionPolicies};
pub use condition::{CompiledCondition, Operands};
pub use grants::{Grants, GrantsRef, Pairs};
pub use index::Numbers;
pub use operand::{Cidr, Date, Decimal, DecimalOperand, parse_bool};
pub use policy::{CompiledStatement, Inert, Policy, PolicySlot};
pub use principal::{
    CallerKeys, PrincipalClass, PrincipalClasses, PrincipalMatcher, class_of, class_of_granted,
};
pub use resource::ResourceMatcher;
pub use snapshot::{
    AliasTarget, Endpoint, Entity, EntityLookup, Epoch, KeyEntry, KeyFacts, Known, Membership,
    Snapshot, SnapshotBuilder, SnapshotError,
};
pub use source::{DocumentText, Location, Source};
