#![doc = include_str!("../README.md")]
#![warn(unreachable_pub)]

#[cfg(feature = "rim")]
pub mod audit;
pub mod authorize;
#[cfg(feature = "embedded")]
pub mod backend;
pub mod compile;
pub mod evaluate;
pub mod execute;
#[cfg(feature = "fleet")]
pub mod fleet;
#[cfg(feature = "rim")]
pub mod load;
pub mod model;
pub mod pattern;
pub mod remedy;
#[cfg(feature = "rim")]
pub mod report;
pub mod syntax;
