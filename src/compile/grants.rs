//! The grants of a key, found by whom they name and what they want of an encryption context.

use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::principal::{ANY_UNIQUE, CallerKeys, arn_key};
use crate::model::{
    ContextMap, EncryptionContext, EncryptionContextConstraint, Grant, GrantPrincipal, fingerprint,
    lower, lower_char,
};

/// Grants with an index by grantee, and by constraint for grantees with many. Copies are shared, and
/// no grants take no memory.
#[derive(Clone, Debug, Default)]
pub struct Grants(Option<Arc<Indexed>>);

#[derive(Debug)]
struct Indexed {
    all: Box<[Grant]>,
    /// `None` for few grants: looking them up is no faster than asking them all.
    index: Option<Index>,
}

/// Any grants, with or without an index.
#[derive(Clone, Copy, Debug)]
pub struct GrantsRef<'a> {
    all: &'a [Grant],
    index: Option<&'a Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    /// The places of grants, those of one grantee together, and of these, those with one
    /// constraint.
    order: Box<[u32]>,
    /// By the number of a grantee.
    by_grantee: HashMap<u64, Named, FixedState>,
}

#[derive(Clone, Debug)]
struct Named {
    all: Range<u32>,
    /// For grantees with many grants: by the number of a constraint; [`UNCONSTRAINED`] for grants
    /// that are found by none.
    #[expect(clippy::box_collection, reason = "few grantees have one, and all pay for its place")]
    by_constraint: Option<Box<HashMap<u64, Range<u32>, FixedState>>>,
}

/// The pairs of a request's encryption context, wherever they are kept.
#[derive(Clone, Copy, Debug)]
pub enum Pairs<'a> {
    /// The operation's.
    Context(&'a EncryptionContext),
    /// Those that are stated as keys `kms:EncryptionContext:…`.
    Stated(&'a ContextMap),
}

impl<'a> Pairs<'a> {
    /// Names and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (context, stated) = match self {
            Self::Context(context) => (Some(context), None),
            Self::Stated(stated) => (None, Some(stated)),
        };
        let stated = stated.into_iter().flat_map(ContextMap::encryption_pairs);
        context.into_iter().flat_map(EncryptionContext::iter).chain(stated)
    }
}

/// Up to this many grants are asked one after the other.
const FEW: usize = 8;

/// Where grants stand whose constraint cannot be looked up.
const UNCONSTRAINED: u64 = 0;

impl From<Vec<Grant>> for Grants {
    fn from(all: Vec<Grant>) -> Self {
        if all.is_empty() {
            return Self(None);
        }
        let index = (all.len() > FEW).then(|| Index::new(&all));
        Self(Some(Arc::new(Indexed { all: all.into(), index })))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        grants.into_iter().collect::<Vec<_>>().into()
    }
}

impl Deref for Grants {
    type Target = [Grant];

    fn deref(&self) -> &[Grant] {
        self.0.as_ref().map_or(&[], |own| &own.all)
    }
}

impl<'a> From<&'a [Grant]> for GrantsRef<'a> {
    fn from(all: &'a [Grant]) -> Self {
        Self { all, index: None }
    }
}

impl<'a> From<&'a Grants> for GrantsRef<'a> {
    fn from(grants: &'a Grants) -> Self {
        let index = grants.0.as_ref().and_then(|own| own.index.as_ref());
        Self { all: grants, index }
    }
}

impl<'a> GrantsRef<'a> {
    /// No grants.
    pub const NONE: Self = Self { all: &[], index: None };

    /// All of them.
    #[must_use]
    pub fn all(self) -> &'a [Grant] {
        self.all
    }

    /// Calls `visit` with every grant that can name the caller, until it says stop. With a context,
    /// grants that are surely not met by it may be left out.
    pub fn visit(
        self,
        caller: impl FnOnce() -> CallerKeys<'a>,
        context: Option<Pairs<'_>>,
        mut visit: impl FnMut(&'a Grant) -> bool,
    ) {
        let Some(index) = self.index else {
            self.all.iter().any(visit);
            return;
        };
        let mut range = |places: &Range<u32>| {
            let places = index.order.get(places.start as usize..places.end as usize);
            let mut places = places.into_iter().flatten();
            places.any(|place| self.all.get(*place as usize).is_some_and(&mut visit))
        };
        for named in caller().iter().filter_map(|key| index.by_grantee.get(&key)) {
            let stop = match (&named.by_constraint, context) {
                (Some(table), Some(context)) => {
                    let wanted = [UNCONSTRAINED, whole(context.iter())].into_iter();
                    let pairs = context.iter().map(|(name, value)| pair(name, value));
                    wanted.chain(pairs).filter_map(|key| table.get(&key)).any(&mut range)
                }
                _ => range(&named.all),
            };
            if stop {
                return;
            }
        }
    }
}

impl Index {
    fn new(grants: &[Grant]) -> Self {
        // A grantee by unique id stands twice: callers whose id is not known are told of it, too.
        let mut sorted: Vec<(u64, u64, u32)> = Vec::with_capacity(grants.len());
        for (grant, place) in grants.iter().zip(0_u32..) {
            let constraint = constraint_key(grant.constraints.encryption_context.as_ref());
            let mut put = |key| sorted.push((key, constraint, place));
            match &grant.grantee {
                GrantPrincipal::Principal(arn) => put(arn_key(arn)),
                GrantPrincipal::Service(service) => put(fingerprint(service.as_str())),
                GrantPrincipal::Unique(id) => {
                    put(fingerprint(id.as_str()));
                    put(ANY_UNIQUE);
                }
                GrantPrincipal::Other(_) => {}
            }
        }
        sorted.sort_unstable();
        let mut by_grantee: HashMap<u64, Named, FixedState> = HashMap::default();
        let mut start = 0;
        for group in sorted.chunk_by(|a, b| a.0 == b.0) {
            let Some((grantee, ..)) = group.first() else { continue };
            let all = start..start + length(group);
            let by_constraint = (group.len() > FEW).then(|| {
                let mut start = start;
                let ranges = group.chunk_by(|a, b| a.1 == b.1).filter_map(|same| {
                    let range = start..start + length(same);
                    start = range.end;
                    same.first().map(|(_, constraint, _)| (*constraint, range))
                });
                Box::new(ranges.collect())
            });
            start = all.end;
            by_grantee.insert(*grantee, Named { all, by_constraint });
        }
        Self { order: sorted.into_iter().map(|(.., place)| place).collect(), by_grantee }
    }
}

fn length<T>(slice: &[T]) -> u32 {
    u32::try_from(slice.len()).unwrap_or(u32::MAX)
}

/// The number that a context has which meets the constraint: of the whole context for `Equals`, of
/// one pair for `Subset`. Names count in any case, as a reading may say so.
fn constraint_key(constraint: Option<&EncryptionContextConstraint>) -> u64 {
    match constraint {
        Some(EncryptionContextConstraint::Equals(pairs)) => {
            // Names that differ in case alone may be met by one pair: no number tells of that.
            let mut names: Vec<String> = pairs.names().map(lower).collect();
            names.sort_unstable();
            if names.windows(2).any(|two| two.first() == two.last()) {
                UNCONSTRAINED
            } else {
                whole(pairs.iter())
            }
        }
        Some(EncryptionContextConstraint::Subset(pairs)) => {
            pairs.iter().next().map_or(UNCONSTRAINED, |(name, value)| pair(name, value))
        }
        None => UNCONSTRAINED,
    }
}

/// The same for the same pairs, whatever the case of their names and hence their order.
fn whole<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    pairs.fold(2, |sum, (name, value)| sum.wrapping_add(pair(name, value)))
}

fn pair(name: &str, value: &str) -> u64 {
    // Lower case letter by letter, without a copy of the name.
    let name = name.chars().fold(3, |hash: u64, letter| {
        let mut buffer = [0; 4];
        let letter = lower_char(letter).encode_utf8(&mut buffer);
        hash.rotate_left(5) ^ fingerprint(letter)
    });
    name.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ fingerprint(value)
}
