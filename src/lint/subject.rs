//! What rules look at: documents, grants, aliases and keys with their places, and the collections
//! they come in.

use std::sync::{Arc, OnceLock};

use super::hash::ContentHash;
use super::origin::Origin;
use crate::compile::{CompiledStatement, Policy, PolicySlot, Snapshot, Source};
use crate::model::{
    AccountId, ActionSet, AliasName, Condition, ConditionOperator, Effect, Grant, KeyArn,
    KeyManager, KeyOrigin, KeySpec, KeyUsage, MultiRegionKeyType, PolicyDocument, PolicyKind,
    Principal, PrincipalArn, PrincipalElement, Region, Span, Spanned, Statement,
};
use crate::syntax::{Parsed, SyntaxError};

/// A thing with a place that findings can be on. Sealed.
pub trait Subject: sealed::Sealed {
    /// Where it came from.
    fn origin(&self) -> &Arc<Origin>;

    /// The statement a place is in, if the subject has statements.
    fn statement_at(&self, _span: Span) -> Option<StatementRef> {
        None
    }

    /// Whether what stands there is told, rather than known only once it is applied.
    fn is_known(&self, _span: Span) -> bool {
        true
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Document {}
    impl Sealed for super::GrantSubject {}
    impl Sealed for super::AliasSubject {}
    impl Sealed for super::KeySubject {}
    impl Sealed for super::EntitySubject {}
}

/// What names a statement whatever else changes in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its name.
    pub sid: Option<Box<str>>,
    /// Of its canonical text.
    pub hash: ContentHash,
}

/// What is known of a key without asking anybody; everything may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its ARN.
    pub arn: Option<KeyArn>,
    /// The account that owns it.
    pub account: Option<AccountId>,
    /// The Region it is in.
    pub region: Option<Region>,
    /// The kind of material.
    pub spec: Option<KeySpec>,
    /// What it may be used for.
    pub usage: Option<KeyUsage>,
    /// Where its material comes from.
    pub origin: Option<KeyOrigin>,
    /// Who manages it.
    pub manager: Option<KeyManager>,
    /// `Some(None)` for a key that is known to be in one Region alone.
    pub multi_region: Option<Option<MultiRegionKeyType>>,
    /// The aliases that point to it, when all are known.
    pub aliases: Option<Vec<AliasName>>,
}

impl KeyFacts {
    /// What follows from an ARN.
    #[must_use]
    pub fn of(arn: &KeyArn) -> Self {
        Self {
            account: Some(arn.account()),
            region: Some(arn.region().clone()),
            arn: Some(arn.clone()),
            ..Self::default()
        }
    }
}

/// A policy document.
#[derive(Debug)]
pub struct Document {
    /// What it is used as.
    pub kind: PolicyKind,
    /// Its name for people: "key policy", "inline policy reencrypt".
    pub name: Box<str>,
    /// The key it is on, for a key policy.
    pub key: Option<Arc<KeyFacts>>,
    /// The account it is in, where known.
    pub account: Option<AccountId>,
    /// The user, role or group it is attached to, where known.
    pub entity: Option<PrincipalArn>,
    origin: Arc<Origin>,
    parsed: Parsed,
    holes: Vec<Span>,
    unknown_because: &'static str,
    policy: OnceLock<Arc<Policy>>,
}

impl Document {
    /// A document as [`syntax::parse`](crate::syntax::parse) or
    /// [`parse_value`](crate::syntax::parse_value) read it; its spans point into `origin`'s text.
    #[must_use]
    pub fn new(kind: PolicyKind, origin: Arc<Origin>, parsed: Parsed) -> Self {
        Self {
            kind,
            name: kind.as_str().into(),
            key: None,
            account: None,
            entity: None,
            origin,
            parsed,
            holes: Vec::new(),
            unknown_because: "",
            policy: OnceLock::new(),
        }
    }

    /// The places whose contents are known only once the thing is applied. Each is a whole string
    /// or value in which something well-formed was put for it, such as
    /// `arn:aws:iam::000000000000:role/unknown`. No finding is made inside. `because` says when
    /// they will be known: "known only once it is deployed".
    #[must_use]
    pub fn with_holes(mut self, holes: Vec<Span>, because: &'static str) -> Self {
        self.holes = holes;
        self.unknown_because = because;
        self
    }

    /// What could be read; `None` when there was no statement.
    #[must_use]
    pub fn syntax(&self) -> Option<&PolicyDocument> {
        self.parsed.document.as_ref()
    }

    /// What could not.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.parsed.errors
    }

    /// The places whose contents are known only once the thing is applied.
    #[must_use]
    pub fn holes(&self) -> &[Span] {
        &self.holes
    }

    /// When those will be known.
    #[must_use]
    pub fn unknown_because(&self) -> &'static str {
        self.unknown_because
    }

    /// Whether all of it is understood and known: only then does what is not in it mean anything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.parsed.errors.is_empty() && self.holes.is_empty() && self.parsed.document.is_some()
    }

    /// The text that its spans point into.
    #[must_use]
    pub fn text(&self) -> &str {
        self.origin.text()
    }

    /// The compiled policy, made when it is first asked for. Of a document that is not
    /// [whole](Self::is_whole) it lacks statements: do not decide by it then.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        let document = self.syntax()?;
        Some(self.policy.get_or_init(|| {
            let source = Source::file(&self.origin.source_file().name, "");
            Arc::new(Policy::compile(document, self.kind, &self.name, source))
        }))
    }

    /// The compiled policy as the evaluator takes it.
    #[must_use]
    pub fn slot(&self) -> Option<PolicySlot> {
        self.policy().map(|policy| PolicySlot::Compiled(Arc::clone(policy)))
    }
}

impl Subject for Document {
    fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    fn statement_at(&self, span: Span) -> Option<StatementRef> {
        let statements = self.syntax()?.statements.iter().enumerate();
        let (index, statement) =
            statements.into_iter().find(|(_, statement)| statement.span.contains(span))?;
        Some(StatementRef {
            index,
            sid: statement.sid.as_ref().map(|sid| sid.value.as_str().into()),
            hash: ContentHash::of_statement(statement),
        })
    }

    fn is_known(&self, span: Span) -> bool {
        !self.holes.iter().any(|hole| hole.contains(span))
    }
}

/// A grant and where its parts stand; a part that is not there has the place of the whole.
#[derive(Clone, Debug)]
pub struct GrantSubject {
    /// The grant. Its `key` means something only when `facts.arn` is known.
    pub grant: Grant,
    /// What is known of its key.
    pub facts: Arc<KeyFacts>,
    /// All of it.
    pub span: Span,
    /// The grantee.
    pub grantee: Span,
    /// The list of operations.
    pub operations: Span,
    /// The constraints.
    pub constraints: Span,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl Subject for GrantSubject {
    fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

/// An alias.
#[derive(Clone, Debug)]
pub struct AliasSubject {
    /// Its name.
    pub name: AliasName,
    /// The key it points to, where known.
    pub target: Option<Arc<KeyFacts>>,
    /// All of it.
    pub span: Span,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl Subject for AliasSubject {
    fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

/// A key. Its policies are the documents, and its grants the grants, that have the same facts.
#[derive(Clone, Debug)]
pub struct KeySubject {
    /// What is known of it.
    pub facts: Arc<KeyFacts>,
    /// Whether every grant on it is among the grants of the collection.
    pub knows_grants: bool,
    /// All of it.
    pub span: Span,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl Subject for KeySubject {
    fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

/// A user or role. Its policies are the documents whose `entity` it is.
#[derive(Clone, Debug)]
pub struct EntitySubject {
    /// Its ARN.
    pub arn: PrincipalArn,
    /// Policies that it has but that are not among the documents, such as AWS's own.
    pub unread: Vec<Box<str>>,
    /// All of it.
    pub span: Span,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

impl Subject for EntitySubject {
    fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

/// Something that cannot be judged before it is applied, or at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// Where it stands.
    pub span: Span,
    /// What is not known: "`policy` is known after apply".
    pub reason: Box<str>,
}

/// Everything that one input tells together: a file, a world folder, a stack. Pairs are looked for
/// inside one collection, never across.
#[derive(Debug, Default)]
pub struct Collection {
    /// Policy documents.
    pub documents: Vec<Document>,
    /// Keys.
    pub keys: Vec<KeySubject>,
    /// Grants.
    pub grants: Vec<GrantSubject>,
    /// Aliases.
    pub aliases: Vec<AliasSubject>,
    /// Users and roles.
    pub entities: Vec<EntitySubject>,
    /// Accounts of which every user and role is among the entities, with all their policies.
    pub whole_accounts: Vec<AccountId>,
    /// What could not be judged.
    pub unknown: Vec<Unknown>,
    /// The same facts frozen, where the input told a world; see [`Self::world`].
    pub snapshot: Option<Snapshot>,
    pub(super) frozen: OnceLock<Option<Snapshot>>,
}

impl Collection {
    /// The key policies of a key, by its facts.
    pub fn policies_of<'c>(
        &'c self,
        facts: &'c Arc<KeyFacts>,
    ) -> impl Iterator<Item = &'c Document> {
        self.documents
            .iter()
            .filter(move |document| document.key.as_ref().is_some_and(|key| is_same(key, facts)))
    }

    /// Says that no fix may be written into the file: it records what was made elsewhere, where
    /// the mistake would come back from.
    pub fn forbid_edits(&mut self) {
        for document in &mut self.documents {
            Arc::make_mut(&mut document.origin).forbid_edits();
        }
    }

    /// Takes everything of another collection but its snapshot.
    pub fn append(&mut self, mut other: Self) {
        self.documents.append(&mut other.documents);
        self.keys.append(&mut other.keys);
        self.grants.append(&mut other.grants);
        self.aliases.append(&mut other.aliases);
        self.entities.append(&mut other.entities);
        self.whole_accounts.append(&mut other.whole_accounts);
        self.unknown.append(&mut other.unknown);
        self.frozen = OnceLock::new();
    }
}

/// Whether two tellings are of one key: two keys without an ARN may well be told alike.
pub(super) fn is_same(left: &Arc<KeyFacts>, right: &Arc<KeyFacts>) -> bool {
    Arc::ptr_eq(left, right) || (left.arn.is_some() && left == right)
}

/// A document and what it stands among.
#[derive(Clone, Copy, Debug)]
pub struct DocumentView<'c> {
    /// The document.
    pub document: &'c Document,
    /// Its parsed form.
    pub syntax: &'c PolicyDocument,
    /// What else the input tells.
    pub collection: &'c Collection,
}

impl<'c> DocumentView<'c> {
    /// Its statements.
    pub fn statements(&self) -> impl Iterator<Item = StatementView<'c>> {
        let view = *self;
        self.syntax.statements.iter().enumerate().map(move |(index, statement)| StatementView {
            document: view,
            index,
            statement,
        })
    }
}

/// A statement and the document it stands in.
#[derive(Clone, Copy, Debug)]
pub struct StatementView<'c> {
    /// The document.
    pub document: DocumentView<'c>,
    /// Its place in the document, from 0.
    pub index: usize,
    /// The statement: every element has its span.
    pub statement: &'c Statement,
}

impl<'c> StatementView<'c> {
    /// What the policy is used as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.document.document.kind
    }

    /// Whether it allows.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.statement.effect.value == Effect::Allow
    }

    /// The compiled statement: actions as a set, typed conditions.
    #[must_use]
    pub fn compiled(&self) -> Option<&'c CompiledStatement> {
        self.document.document.policy()?.statements().get(self.index)
    }

    /// The KMS actions it speaks of, wildcards and `NotAction` resolved.
    #[must_use]
    pub fn actions(&self) -> ActionSet {
        self.compiled().map_or(ActionSet::NONE, |statement| statement.actions)
    }

    /// The principals it names with `Principal`; none for `NotPrincipal`.
    #[must_use]
    pub fn principals(&self) -> &'c [Spanned<Principal>] {
        match &self.statement.principal {
            Some(PrincipalElement::Is(principals)) => principals,
            _ => &[],
        }
    }

    /// Its conditions: each operator with each of its keys.
    pub fn conditions(
        &self,
    ) -> impl Iterator<Item = (&'c Spanned<ConditionOperator>, &'c Condition)> {
        self.statement.condition.iter().flat_map(|entry| {
            entry.conditions.iter().map(move |condition| (&entry.operator, condition))
        })
    }

    /// The source text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &'c str {
        self.document.document.text().get(span.start()..span.end()).unwrap_or_default()
    }

    /// Whether what stands there is told, rather than known only once it is applied. Findings
    /// inside of what is not known are dropped without asking.
    #[must_use]
    pub fn is_known(&self, span: Span) -> bool {
        self.document.document.is_known(span)
    }
}

/// A grant and what it stands among.
#[derive(Clone, Copy, Debug)]
pub struct GrantView<'c> {
    /// The grant.
    pub subject: &'c GrantSubject,
    /// What else the input tells.
    pub collection: &'c Collection,
}
