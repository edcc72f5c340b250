//! Matching as sets of positions: every token moves the set of places the pattern so far can end
//! at. The work is at most tokens × text, whatever the pattern; nothing backtracks.

use smallvec::SmallVec;

/// The places in a text, one bit a byte offset, the end included.
pub(super) struct Positions<'t> {
    text: &'t str,
    words: SmallVec<[u64; 8]>,
}

impl<'t> Positions<'t> {
    /// Only the start.
    pub(super) fn at_start(text: &'t str) -> Self {
        let mut words = SmallVec::from_elem(0, text.len() / 64 + 1);
        if let Some(first) = words.first_mut() {
            *first = 1;
        }
        Self { text, words }
    }

    /// Whether the end is reached.
    pub(super) fn at_end(&self) -> bool {
        let end = self.text.len();
        self.words.get(end / 64).is_some_and(|word| word >> (end % 64) & 1 == 1)
    }

    /// Whether no place is left.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// This very text.
    pub(super) fn literal(&mut self, literal: &str) {
        let bytes = self.text.as_bytes();
        self.advance(|at| {
            count(literal.len());
            bytes.get(at..)?.starts_with(literal.as_bytes()).then_some(at + literal.len())
        });
    }

    /// This text in any case.
    pub(super) fn literal_ignore_case(&mut self, literal: &str) {
        let text = self.text;
        self.advance(|at| {
            count(literal.len());
            let mut rest = text.get(at..)?.chars();
            for wanted in literal.chars() {
                let mut buffers = ([0; 4], [0; 4]);
                let found = rest.next()?;
                let same = crate::model::eq_ignore_case(
                    found.encode_utf8(&mut buffers.0),
                    wanted.encode_utf8(&mut buffers.1),
                );
                if !same {
                    return None;
                }
            }
            Some(text.len() - rest.as_str().len())
        });
    }

    /// Any run, also an empty one.
    pub(super) fn any(&mut self) {
        let Some(first) = self.words.iter().position(|word| *word != 0) else {
            return;
        };
        let end = self.text.len();
        count(self.words.len());
        for (index, word) in self.words.iter_mut().enumerate().skip(first) {
            // From the lowest place on; bits inside a character are harmless: no literal and no
            // single-character token starts there.
            *word = if index == first { !0 << word.trailing_zeros() } else { !0 };
            if index == end / 64 && end % 64 < 63 {
                *word &= (1 << (end % 64 + 1)) - 1;
            }
        }
    }

    /// Any run without a colon, also an empty one.
    pub(super) fn any_but_colon(&mut self) {
        let bytes = self.text.as_bytes();
        let mut open = false;
        count(bytes.len());
        for at in 0..=bytes.len() {
            if let Some(word) = self.words.get_mut(at / 64) {
                let bit = 1 << (at % 64);
                open |= *word & bit != 0;
                if open {
                    *word |= bit;
                }
            }
            open &= bytes.get(at) != Some(&b':');
        }
    }

    /// One character; `but_colon` excludes the colon.
    pub(super) fn one(&mut self, but_colon: bool) {
        let text = self.text;
        self.advance(|at| {
            let next = text.get(at..)?.chars().next()?;
            (!but_colon || next != ':').then_some(at + next.len_utf8())
        });
    }

    fn advance(&mut self, step: impl Fn(usize) -> Option<usize>) {
        let mut next: SmallVec<[u64; 8]> = SmallVec::from_elem(0, self.words.len());
        count(self.words.len());
        for (index, word) in self.words.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let at = index * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                count(1);
                if let Some(to) = step(at)
                    && let Some(target) = next.get_mut(to / 64)
                {
                    *target |= 1 << (to % 64);
                }
            }
        }
        self.words = next;
    }
}

#[cfg(test)]
thread_local! {
    /// Bytes and words looked at by this thread, so that tests can bound the work by a count.
    pub(super) static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn count(work: usize) {
    WORK.with(|all| all.set(all.get() + work));
}

#[cfg(not(test))]
#[inline(always)]
const fn count(_: usize) {}
