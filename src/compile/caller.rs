//! Who calls, with everything that is stated of the call.

use super::PolicySlot;
use crate::model::{CallerPrincipal, ContextMap};

/// The policies passed when a session was made.
#[derive(Clone, Debug, Default)]
pub enum SessionPolicies {
    /// The session has none.
    #[default]
    None,
    /// Their Allows are a union, which caps the session; any Deny denies.
    Some(Vec<PolicySlot>),
}

/// A principal and the facts of the request it makes, whatever the operation.
///
/// There is none by default, and none that stands for the process: who is judged must be said.
/// ```compile_fail,E0277
/// fn nobody<T: Default>() -> T {
///     T::default()
/// }
/// let caller: keyproof::compile::Caller = nobody();
/// ```
/// ```compile_fail,E0599
/// let caller = keyproof::compile::Caller::from_env();
/// ```
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who calls.
    pub principal: CallerPrincipal,
    /// Values of context keys that do not follow from principal, key and operation.
    pub context: ContextMap,
    /// Only sessions have them.
    pub session_policies: SessionPolicies,
}

impl Caller {
    /// A caller without session policies, of whose request nothing else is known.
    #[must_use]
    pub fn new(principal: CallerPrincipal) -> Self {
        Self { principal, context: ContextMap::default(), session_policies: SessionPolicies::None }
    }
}
