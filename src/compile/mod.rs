//! F2: documents → policies in which everything that can be decided once is decided, and the
//! frozen world they stand in.

mod caller;
mod condition;
mod operand;
mod policy;
mod principal;
mod resource;
mod snapshot;
mod source;

#[cfg(test)]
mod tests;

pub use caller::{Caller, SessionPolicies};
pub use condition::{BinaryOperand, CompiledCondition, Operands};
pub use operand::{Cidr, Decimal, decode_base64, parse_bool};
pub use policy::{CompiledStatement, Inert, Policy, PolicySlot};
pub use principal::{PrincipalClass, PrincipalClasses, PrincipalMatcher, class_of};
pub use resource::ResourceMatcher;
pub use snapshot::{
    AliasTarget, Endpoint, Entity, EntityLookup, Epoch, KeyEntry, KeyFacts, Known, Membership,
    Snapshot, SnapshotBuilder, SnapshotError,
};
pub use source::{Location, Source};
