//! Compiled policies.

use std::sync::Arc;

use super::index::{Numbers, StatementIndex};
use super::{CompiledCondition, Location, PrincipalMatcher, ResourceMatcher, Source};
use crate::model::{
    Action, ActionSet, Effect, Element, PolicyDocument, PolicyKind, Span, Statement, Version,
};
use crate::pattern;

/// Why a statement can never apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inert {
    /// It has no `Action`, or an empty one.
    NoAction,
    /// It has no `Principal`, or an empty one, although its policy type needs one.
    NoPrincipal,
    /// It has no `Resource`, or an empty one.
    NoResource,
}

/// One statement, ready to evaluate.
#[derive(Clone, Debug)]
pub struct CompiledStatement {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its name.
    pub sid: Option<Box<str>>,
    /// What it does.
    pub effect: Effect,
    /// The KMS actions it names.
    pub actions: ActionSet,
    /// Whom it names; `None` in policies that name no principals.
    pub principal: Option<PrincipalMatcher>,
    /// The resources it names.
    pub resource: ResourceMatcher,
    /// Its conditions, all of which must hold.
    pub conditions: Box<[CompiledCondition]>,
    /// The places of the conditions, the cheapest first; empty when they stand so.
    by_cost: Box<[u16]>,
    /// Set when it can never apply.
    pub inert: Option<Inert>,
    /// Where it stands.
    pub span: Span,
}

/// A policy, ready to evaluate.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it is used as.
    pub kind: PolicyKind,
    /// Its name for people: `key policy default`, `inline policy reencrypt`.
    pub name: Arc<str>,
    /// Where it came from.
    pub source: Source,
    body: Arc<Body>,
}

/// What policies with one text share.
#[derive(Debug)]
struct Body {
    statements: Box<[CompiledStatement]>,
    allows: StatementIndex,
    denies: StatementIndex,
}

impl Policy {
    /// Compiles a parsed document. Total: what can be parsed can be compiled.
    #[must_use]
    pub fn compile(
        document: &PolicyDocument,
        kind: PolicyKind,
        name: &str,
        source: Source,
    ) -> Self {
        // Variables exist only in documents that say 2012-10-17 themselves (iam user guide,
        // "Policy variables").
        let variables =
            document.version.as_ref().is_some_and(|version| version.value == Version::V2012);
        let statements = document.statements.iter().enumerate();
        let statements: Box<[CompiledStatement]> = statements
            .map(|(index, statement)| compile_statement(index, statement, kind, variables))
            .collect();
        let body = Body {
            allows: StatementIndex::new(&statements, Effect::Allow),
            denies: StatementIndex::new(&statements, Effect::Deny),
            statements,
        };
        Self { kind, name: name.into(), source, body: Arc::new(body) }
    }

    /// The same policy in another place: nothing is compiled again, and the text is kept once.
    #[must_use]
    pub fn at(&self, file: &str) -> Self {
        Self { source: self.source.at(file), ..self.clone() }
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> &[CompiledStatement] {
        &self.body.statements
    }

    /// Calls `visit` with every statement of an effect that names the action and can apply to what
    /// is asked, until it says stop; some are visited twice.
    pub fn visit<'p>(
        &'p self,
        effect: Effect,
        action: Action,
        numbers: &impl Numbers,
        visit: impl FnMut(&'p CompiledStatement) -> bool,
    ) {
        let index = match effect {
            Effect::Allow => &self.body.allows,
            Effect::Deny => &self.body.denies,
        };
        index.visit(&self.body.statements, action, numbers, visit);
    }

    /// Where one of its statements stands.
    #[must_use]
    pub fn locate(&self, statement: &CompiledStatement) -> Location<'_> {
        self.source.locate(statement.span)
    }
}

fn compile_statement(
    index: usize,
    statement: &Statement,
    kind: PolicyKind,
    variables: bool,
) -> CompiledStatement {
    let nothing = Element::Is(Vec::new());
    let empty =
        |element: &Option<Element>| element.as_ref().is_none_or(|it| it.entries().is_empty());
    // A key policy's statement without Action or Resource is accepted and has no effect
    // (kms developer guide, "Key policy overview").
    let inert = if empty(&statement.action) {
        Some(Inert::NoAction)
    } else if empty(&statement.resource) {
        Some(Inert::NoResource)
    } else if kind.has_principals()
        && statement.principal.as_ref().is_none_or(|element| element.entries().is_empty())
    {
        Some(Inert::NoPrincipal)
    } else {
        None
    };
    let resource = statement.resource.as_ref().unwrap_or(&nothing);
    let conditions = statement.condition.iter().flat_map(|entry| {
        let operator = entry.operator.value;
        entry.conditions.iter().map(move |one| CompiledCondition::compile(operator, one, variables))
    });
    let conditions: Box<[CompiledCondition]> = conditions.collect();
    CompiledStatement {
        by_cost: by_cost(&conditions),
        index,
        sid: statement.sid.as_ref().map(|sid| sid.value.as_str().into()),
        effect: statement.effect.value,
        actions: statement.action.as_ref().map_or(ActionSet::NONE, compile_actions),
        principal: statement.principal.as_ref().map(PrincipalMatcher::compile),
        resource: ResourceMatcher::compile(resource, kind, variables),
        conditions,
        inert,
        span: statement.span,
    }
}

impl CompiledStatement {
    /// The conditions, the cheapest first.
    pub fn conditions_by_cost(&self) -> impl Iterator<Item = &CompiledCondition> {
        let written: &[CompiledCondition] =
            if self.by_cost.is_empty() { &self.conditions } else { &[] };
        let ordered = self.by_cost.iter();
        written.iter().chain(ordered.filter_map(|place| self.conditions.get(usize::from(*place))))
    }
}

fn by_cost(conditions: &[CompiledCondition]) -> Box<[u16]> {
    if conditions.is_sorted_by_key(CompiledCondition::cost) {
        return Box::default();
    }
    let mut places: Vec<(u8, u16)> =
        conditions.iter().map(CompiledCondition::cost).zip(0_u16..=u16::MAX).collect();
    if places.len() < conditions.len() {
        return Box::default();
    }
    places.sort_by_key(|(cost, _)| *cost);
    places.into_iter().map(|(_, place)| place).collect()
}

fn compile_actions(element: &Element) -> ActionSet {
    let named = element
        .entries()
        .iter()
        .fold(ActionSet::NONE, |set, entry| set.union(pattern::actions(&entry.value)));
    match element {
        Element::Is(_) => named,
        Element::IsNot(entries) if entries.is_empty() => ActionSet::NONE,
        Element::IsNot(_) => named.complement(),
    }
}

/// A policy that is attached somewhere, whether or not it could be read.
#[derive(Clone, Debug)]
pub enum PolicySlot {
    /// Ready to evaluate; shared where several entities have it.
    Compiled(Arc<Policy>),
    /// It exists, but what it says is not known: it may allow and it may deny.
    Unreadable {
        /// Its name for people.
        name: Box<str>,
        /// Why it could not be read, and what to do.
        reason: Box<str>,
    },
}

impl PolicySlot {
    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Compiled(policy) => &policy.name,
            Self::Unreadable { name, .. } => name,
        }
    }
}
