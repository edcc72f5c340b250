//! F7: a live account → a world folder, by reading alone.
//!
//! - [`collect`] reads keys, both key policies, grants, aliases, tags and rotation of one account
//!   and Region through aws-sdk-kms.
//! - [`facts()`] takes over what the AWS CLI has written of IAM and Organizations.
//! - [`commands`] are the AWS CLI's commands that write it, and [`policy`] is the least policy that
//!   [`collect`] needs.
//!
//! Files are written whole or not at all. What could not be read has no file and stands in
//! `collected.json` with its reason, so a world says `undetermined` where it could matter.

mod facts;
mod folder;
mod json;
mod pace;
mod region;
mod script;

pub use facts::{Facts, facts};
pub use pace::Pace;
pub use region::{CollectError, Collected, Place, Progress, Unread, collect};
pub use script::{commands, policy};
