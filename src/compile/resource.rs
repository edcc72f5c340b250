//! `Resource` and `NotResource`.

use std::borrow::Cow;

use crate::model::{Element, PolicyKind, Truth};
use crate::pattern::{Resolved, Template, Variable};

/// Which resources a statement speaks of.
#[derive(Clone, Debug)]
pub struct ResourceMatcher {
    negated: bool,
    /// Whether it speaks of every resource.
    any: bool,
    entries: Box<[Template]>,
    /// With its incomplete ARNs completed, where that is open.
    completed: Option<Box<Self>>,
}

impl ResourceMatcher {
    /// Compiles the entries.
    ///
    /// Variables count from the sixth ARN part on; in identity policies and boundaries an ARN with
    /// fewer than six parts is completed with `*` (iam user guide, "Grammar").
    #[must_use]
    pub fn compile(element: &Element, kind: PolicyKind, variables: bool) -> Self {
        let completes = matches!(kind, PolicyKind::Identity | PolicyKind::Boundary);
        let mut matcher = Self::of(element, completes, variables);
        if !completes && element.entries().iter().any(|entry| missing_parts(&entry.value) > 0) {
            matcher.completed = Some(Box::new(Self::of(element, true, variables)));
        }
        matcher
    }

    fn of(element: &Element, completes: bool, variables: bool) -> Self {
        let negated = matches!(element, Element::IsNot(_));
        let entries: Box<[Template]> = element
            .entries()
            .iter()
            .map(|entry| entry_template(&entry.value, completes, variables))
            .collect();
        let any = !negated && entries.iter().any(Template::is_any);
        Self { negated, any, entries, completed: None }
    }

    /// With its incomplete ARNs completed; `None` where it has none, or where AWS says whether they
    /// are.
    #[must_use]
    pub fn completed(&self) -> Option<&Self> {
        self.completed.as_deref()
    }

    /// The resources it speaks of, if it names each in full.
    pub(super) fn literals(&self) -> Option<impl Iterator<Item = &str>> {
        let named = !self.negated
            && self.completed.is_none()
            && self.entries.iter().all(|one| one.as_literal().is_some());
        named.then(|| self.entries.iter().filter_map(Template::as_literal))
    }

    /// Whether the statement speaks of `resource`.
    pub fn matches<'v>(
        &'v self,
        resource: &str,
        wildcards_in_values: bool,
        resolve: impl Fn(&'v Variable) -> Resolved<'v>,
    ) -> Truth {
        if self.any {
            return Truth::True;
        }
        let mut any = Truth::False;
        for entry in &self.entries {
            any = any.or(entry.matches(resource, wildcards_in_values, &resolve));
            if any.is_true() {
                break;
            }
        }
        // An empty list gives its statement no effect, under either name (R8).
        if self.entries.is_empty() {
            Truth::False
        } else if self.negated {
            any.not()
        } else {
            any
        }
    }

    /// Whether it is `NotResource`.
    #[must_use]
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Whether an entry has a variable.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.entries.iter().any(Template::has_variables)
    }

    /// The variables of all entries.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.entries.iter().flat_map(Template::variables)
    }
}

/// How many of its six parts an ARN lacks.
fn missing_parts(entry: &str) -> usize {
    if entry.starts_with("arn:") { 6_usize.saturating_sub(entry.split(':').count()) } else { 0 }
}

fn entry_template(entry: &str, completes: bool, variables: bool) -> Template {
    if entry == "*" {
        return Template::glob("*");
    }
    let missing = missing_parts(entry);
    let completed: Cow<'_, str> = if completes && missing > 0 {
        Cow::Owned(format!("{entry}{}", ":*".repeat(missing)))
    } else {
        Cow::Borrowed(entry)
    };
    // A variable before the sixth part is not one: AWS documents variables for the
    // resource-specific part alone.
    let early = completed.find("${").is_some_and(|at| {
        completed.get(..at).is_some_and(|before| before.matches(':').count() < 5)
    });
    Template::resource(&completed, variables && !early)
}
