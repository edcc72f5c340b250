#![doc = "keyproof decides who may do what with AWS KMS keys."]

#[cfg(feature = "embedded")]
pub mod backend;
pub mod model;
