//! Which clauses an answer came by.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static REACHED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes that the question came to a clause.
pub fn reach(clause: &'static str) {
    REACHED.with_borrow_mut(|reached| reached.insert(clause));
}

/// The clauses noted since the last call.
pub fn take() -> BTreeSet<&'static str> {
    REACHED.with_borrow_mut(std::mem::take)
}
