#![doc = "keyproof decides who may do what with AWS KMS keys."]

pub mod compile;
pub mod model;
pub mod pattern;
