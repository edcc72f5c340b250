//! F7: where operations really happen.

pub mod embedded;
