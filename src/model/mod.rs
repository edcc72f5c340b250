//! F0: the words of IAM and KMS as plain data. No I/O, no clock, no other module of ours.

mod account;
mod action;
mod alias;
mod arn;
mod ciphertext;
mod condition;
mod condition_values;
mod context;
mod data_key;
mod decision;
mod encryption_context;
mod grant;
mod key;
mod policy;
mod principal;
mod reading;
mod span;
mod text;
mod timestamp;
mod truth;

pub use account::AccountId;
pub use action::{Action, ActionSet, ResourceKind};
pub use alias::{AliasArn, AliasName};
pub use arn::{KeyArn, PrincipalArn, PrincipalArnKind, Region, split_arn};
pub use ciphertext::{CiphertextBlob, Plaintext};
pub use condition::{ConditionKey, ConditionOperator, KeyType, KnownKey, Operator, SetQualifier};
pub use condition_values::{OTHER_SERVICE_NAMES, VIA_SERVICES};
pub use context::{ContextMap, ContextValue};
pub use data_key::DataKeyLength;
pub use decision::Decision;
pub use encryption_context::EncryptionContext;
pub use grant::{
    EncryptionContextConstraint, Grant, GrantConstraints, GrantId, GrantOperation, GrantPrincipal,
    GrantToken, GrantVisibility,
};
pub use key::{
    EncryptionAlgorithm, Key, KeyId, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage,
    MultiRegionKeyType,
};
pub use policy::{
    Condition, ConditionEntry, ConditionValue, Effect, Element, PolicyDocument, PolicyKind,
    PolicyName, Principal, PrincipalElement, Statement, Version,
};
pub use principal::{CallerPrincipal, ServiceName, UniqueId};
pub use reading::{Reading, Readings};
pub use span::{Span, Spanned};
pub use text::{InvalidText, eq_ignore_case, fingerprint, lower, lower_char};
pub use timestamp::Timestamp;
pub use truth::{Algebra, Boolean, Kleene, Truth};
