//! The small algebras that evaluation is written over.

/// True, false, or dependent on a fact nobody gave. Ordered: `False < Unknown < True`, so that
/// conjunction is the minimum and disjunction the maximum (Kleene's strong logic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It cannot be known from what was given.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// It does not hold; unknown stays unknown.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`!` on a three-valued type reads as two-valued"
    )]
    pub fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }

    /// Whether it surely holds.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// Whether it surely does not hold.
    #[must_use]
    pub fn is_false(self) -> bool {
        self == Self::False
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// How conjunction, disjunction, negation and constants are represented.
///
/// The layers are combined once, over any such algebra.
pub trait Algebra {
    /// A truth value, or what stands for one.
    type T: Clone;

    /// A plain truth value.
    fn constant(&mut self, holds: bool) -> Self::T;
    /// Both hold.
    fn and(&mut self, left: Self::T, right: Self::T) -> Self::T;
    /// At least one holds.
    fn or(&mut self, left: Self::T, right: Self::T) -> Self::T;
    /// It does not hold.
    fn not(&mut self, value: Self::T) -> Self::T;
    /// Surely false, so that the rest of a conjunction need not be asked.
    fn is_false(&self, value: &Self::T) -> bool;
    /// Surely true, so that the rest of a disjunction need not be asked.
    fn is_true(&self, value: &Self::T) -> bool;
}

/// Plain truth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boolean;

impl Algebra for Boolean {
    type T = bool;

    fn constant(&mut self, holds: bool) -> bool {
        holds
    }

    fn and(&mut self, left: bool, right: bool) -> bool {
        left && right
    }

    fn or(&mut self, left: bool, right: bool) -> bool {
        left || right
    }

    fn not(&mut self, value: bool) -> bool {
        !value
    }

    fn is_false(&self, value: &bool) -> bool {
        !*value
    }

    fn is_true(&self, value: &bool) -> bool {
        *value
    }
}

/// Truth with unknown facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kleene;

impl Algebra for Kleene {
    type T = Truth;

    fn constant(&mut self, holds: bool) -> Truth {
        holds.into()
    }

    fn and(&mut self, left: Truth, right: Truth) -> Truth {
        left.and(right)
    }

    fn or(&mut self, left: Truth, right: Truth) -> Truth {
        left.or(right)
    }

    fn not(&mut self, value: Truth) -> Truth {
        value.not()
    }

    fn is_false(&self, value: &Truth) -> bool {
        value.is_false()
    }

    fn is_true(&self, value: &Truth) -> bool {
        value.is_true()
    }
}
