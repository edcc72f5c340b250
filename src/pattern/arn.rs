//! Values of the ARN condition operators.

use super::{Resolved, Template, Variable};
use crate::model::{Truth, split_arn};

/// Six parts, each a pattern of its own; no wildcard crosses a colon, except in the sixth part,
/// which may hold colons itself.
///
/// Source: iam user guide, "Condition operators", ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArnPattern {
    /// Not six parts: matches nothing.
    Malformed,
    /// The parts.
    Parts(Box<[Template; 6]>),
    /// Fewer parts as written, but variables may bring the others: split once they are put in.
    Whole(Box<Template>),
    /// `*` alone; what it matches is a reading.
    Star,
}

impl ArnPattern {
    /// Splits a value at its first five colons.
    #[must_use]
    pub fn new(text: &str, variables: bool) -> Self {
        if text == "*" {
            return Self::Star;
        }
        match split_outside_variables(text, variables) {
            Some(parts) => Self::Parts(Box::new(parts.map(|part| Template::like(part, variables)))),
            None => {
                let whole = Template::like(text, variables);
                match whole.has_variables() {
                    true => Self::Whole(Box::new(whole)),
                    false => Self::Malformed,
                }
            }
        }
    }

    /// Whether an ARN matches, part by part; [`Self::Star`] and [`Self::Malformed`] never do here.
    pub fn matches<'v>(
        &'v self,
        value: &str,
        wildcards_in_values: bool,
        resolve: impl Fn(&'v Variable) -> Resolved<'v>,
    ) -> Truth {
        match self {
            Self::Parts(patterns) => part_by_part(patterns, value, wildcards_in_values, &resolve),
            Self::Whole(whole) => match whole.substituted(wildcards_in_values, resolve) {
                Ok(text) => match Self::new(&text, true) {
                    // What is left of `${…}` are characters that stand for themselves.
                    Self::Parts(patterns) => {
                        part_by_part(&patterns, value, false, &|_: &Variable| Resolved::Nothing)
                    }
                    _ => Truth::False,
                },
                Err(truth) => truth,
            },
            Self::Malformed | Self::Star => Truth::False,
        }
    }

    /// The variables of all parts.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let parts: &[Template] = match self {
            Self::Parts(parts) => parts.as_slice(),
            Self::Whole(whole) => std::slice::from_ref(whole.as_ref()),
            Self::Malformed | Self::Star => &[],
        };
        parts.iter().flat_map(Template::variables)
    }
}

fn part_by_part<'v>(
    patterns: &'v [Template; 6],
    value: &str,
    wildcards_in_values: bool,
    resolve: &impl Fn(&'v Variable) -> Resolved<'v>,
) -> Truth {
    let Some(parts) = split_arn(value) else { return Truth::False };
    let mut all = Truth::True;
    for (pattern, part) in patterns.iter().zip(parts) {
        all = all.and(pattern.matches(part, wildcards_in_values, resolve));
        if all.is_false() {
            break;
        }
    }
    all
}

/// Like [`split_arn`], but a colon inside `${…}` belongs to the variable's name.
#[must_use]
pub fn split_arn_pattern(text: &str) -> Option<[&str; 6]> {
    split_outside_variables(text, true)
}

fn split_outside_variables(text: &str, variables: bool) -> Option<[&str; 6]> {
    if !variables || !text.contains("${") {
        return split_arn(text);
    }
    let mut parts = Vec::with_capacity(6);
    let mut start = 0;
    let mut inside = false;
    for (at, character) in text.char_indices() {
        match character {
            '{' if text.get(..at).is_some_and(|before| before.ends_with('$')) => inside = true,
            '}' => inside = false,
            ':' if !inside && parts.len() < 5 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    parts.try_into().ok()
}
