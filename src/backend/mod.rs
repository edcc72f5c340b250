//! F6: where operations really happen.

pub mod embedded;
