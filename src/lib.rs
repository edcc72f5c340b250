#![doc = include_str!("../README.md")]
#![warn(unreachable_pub)]

#[cfg(feature = "rim")]
pub mod audit;
pub mod authorize;
#[cfg(any(feature = "aws", feature = "embedded"))]
pub mod backend;
#[cfg(feature = "aws")]
pub mod collect;
pub mod compile;
pub mod evaluate;
pub mod execute;
#[cfg(feature = "fleet")]
pub mod fleet;
pub mod lint;
#[cfg(feature = "rim")]
pub mod load;
pub mod model;
pub mod pattern;
pub mod remedy;
#[cfg(feature = "rim")]
pub mod report;
pub mod syntax;
