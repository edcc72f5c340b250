//! F5: what would have to change for a refused request to be allowed, and nothing but that.
//!
//! For a side without an allow, the fewest statements that give one: each names the caller alone,
//! the action alone and the key alone, and with an encryption context its pairs. For a side that a
//! statement denies, which statement and why; a Deny is never proposed to be taken away.
//!
//! A proposal is decided before it is told: its statements are added to a copy of the world as they
//! are printed, and the whole request is decided there. What is not a sure allow then is not
//! proposed. So where a policy cannot be read or a fact is missing, there is no proposal.
//!
//! ```
//! use keyproof::authorize::Authorizer;
//! use keyproof::compile::{Caller, Snapshot};
//! use keyproof::authorize::{Preflight, PreflightError};
//! use keyproof::remedy::{Fix, remedies};
//!
//! fn advise(world: &Snapshot, caller: &Caller, question: &Preflight) -> Result<(), PreflightError> {
//!     let answer = Authorizer::new(world).preflight(question.clone(), caller)?;
//!     for side in remedies(world, caller, question, &answer).sides {
//!         if let Fix::Add(additions) = side.fix {
//!             println!("{} statements to add on side {}", additions.len(), side.index + 1);
//!         }
//!     }
//!     Ok(())
//! }
//! ```

mod refusal;
mod search;
mod statement;
mod world;

use std::sync::Arc;

use crate::authorize::{Preflight, PreflightAnswer};
use crate::compile::{Caller, Policy, Snapshot};
use crate::evaluate::{StatementFinding, UnknownFinding};
use crate::model::{
    AccountId, ConditionKey, ConditionOperator, Decision, KeyArn, PrincipalArn, Statement,
};
use search::Request;
pub use world::apply;

/// What would have to change, side by side.
#[derive(Debug)]
pub struct Remedies {
    /// One for each refused side; a side that is allowed or undetermined has none.
    pub sides: Vec<Remedy>,
    /// The answer for the whole operation with all proposed statements added; `None` when none is
    /// proposed.
    pub fixed: Option<PreflightAnswer>,
}

/// What would have to change on one side.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// The side's place in the answer.
    pub index: usize,
    /// The change of policies.
    pub fix: Fix,
    /// Allow statements that only a condition keeps from allowing the request.
    pub or_request: Vec<Instead>,
}

/// A change of policies.
#[derive(Clone, Debug)]
pub enum Fix {
    /// With these statements, and with none of them left out, the side is allowed.
    Add(Vec<Addition>),
    /// These statements deny; nothing that is added helps (E1).
    Denied {
        /// The statements.
        denials: Vec<Denial>,
        /// What would be decided if none of them applied.
        otherwise: Decision,
    },
    /// No change is proposed.
    Nothing(Obstacle),
}

/// Why no change is proposed.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// KMS refuses the call whatever policies say (E0).
    Service,
    /// No statement allows it in the policies that can be changed.
    Unreachable,
    /// With every missing allow added, the answer would still depend on what is not known.
    Unknown(Vec<UnknownFinding>),
}

/// A statement to add to one document.
#[derive(Clone, Debug)]
pub struct Addition {
    /// Which policy.
    pub place: Place,
    /// For SCPs: what the document is, or has to be, attached to.
    pub level: Option<Level>,
    /// The document.
    pub document: Document,
    /// Who can change it.
    pub owner: Owner,
    /// Set when that is another account than the caller's, or than the key's.
    pub elsewhere: Option<Elsewhere>,
    /// The statement, written for a document of this version.
    pub statement: Statement,
}

/// A policy that can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The boundary of a user or role.
    Boundary(PrincipalArn),
    /// The policy of a VPC endpoint.
    Endpoint(Box<str>),
    /// An identity policy of a user or role.
    Identity(PrincipalArn),
    /// The policy of a key.
    KeyPolicy(KeyArn),
    /// An RCP that reaches this account; RCPs only deny, so no statement is added to one.
    ResourceControl(AccountId),
    /// An SCP that reaches this account.
    ServiceControl(AccountId),
    /// A session policy of the caller.
    Session,
}

impl Place {
    /// `key-policy`, `identity`, …: the word of the layer.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Boundary(_) => "boundary",
            Self::Endpoint(_) => "vpc-endpoint",
            Self::Identity(_) => "identity",
            Self::KeyPolicy(_) => "key-policy",
            Self::ResourceControl(_) => "rcp",
            Self::ServiceControl(_) => "scp",
            Self::Session => "session",
        }
    }
}

/// A level of SCPs, from the root of the organization to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// From 0, the root.
    pub index: usize,
    /// How many levels there are.
    pub of: usize,
    /// The id of the root, OU or account, where it is known.
    pub target: Option<Box<str>>,
}

/// A document that a statement is added to.
#[derive(Clone, Debug)]
pub enum Document {
    /// One that the world has.
    Existing(Arc<Policy>),
    /// One to be made, with the statement alone.
    Further {
        /// What it is: `a further inline policy of role app`.
        name: Box<str>,
        /// The file that tells of its owner, where there is one.
        file: Option<Box<str>>,
    },
}

/// Who can change a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An account.
    Account(AccountId),
    /// The owner of the VPC endpoint, which `aws:VpceAccount` would tell.
    Endpoint,
    /// The management account of this organization.
    Organization(Box<str>),
    /// Whoever makes the session: session policies are parameters of that call.
    SessionMaker,
}

/// How the account of a document differs from those of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// It is not the caller's.
    NotCallers,
    /// It is the caller's, and not the key's.
    NotKeys,
}

/// A statement that denies the request.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The statement as it was judged.
    pub finding: StatementFinding,
    /// Who can change it.
    pub owner: Owner,
    /// Set when that is another account than the caller's, or than the key's.
    pub elsewhere: Option<Elsewhere>,
    /// Its conditions, all of which hold; without any, no request of the caller escapes it.
    pub conditions: Vec<Wanted>,
}

/// A statement that would allow the request, were it not for a condition.
#[derive(Clone, Debug)]
pub struct Instead {
    /// The statement as it was judged.
    pub finding: StatementFinding,
    /// The conditions that fail.
    pub conditions: Vec<Wanted>,
}

/// A condition, and what the request carries.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The operator.
    pub operator: ConditionOperator,
    /// The key.
    pub key: ConditionKey,
    /// The values as the policy has them.
    pub values: Vec<String>,
    /// What the request says of the key: `None` when nobody said, no values when it is absent.
    pub found: Option<Vec<String>>,
}

/// What would have to change for each refused side of `answer`, which is the answer to `question`
/// by `caller` in `snapshot`.
#[must_use]
pub fn remedies(
    snapshot: &Snapshot,
    caller: &Caller,
    question: &Preflight,
    answer: &PreflightAnswer,
) -> Remedies {
    let mut sides = Vec::new();
    for index in 0..answer.sides.len() {
        let Some(request) = Request::new(snapshot, caller, question, answer, index) else {
            continue;
        };
        let fix = match request.side.explanation.decision {
            Decision::ImplicitDeny => request.missing(),
            Decision::ExplicitDeny => request.denied(),
            Decision::Allow | Decision::Undetermined => continue,
        };
        let or_request = request.near_misses();
        sides.push(Remedy { index, fix, or_request });
    }
    let additions: Vec<&Addition> = sides
        .iter()
        .flat_map(|side| match &side.fix {
            Fix::Add(additions) => additions.as_slice(),
            Fix::Denied { .. } | Fix::Nothing(_) => &[],
        })
        .collect();
    let fixed = (!additions.is_empty())
        .then(|| apply(snapshot, caller, &additions))
        .flatten()
        .and_then(|(snapshot, caller)| search::answer(&snapshot, &caller, question));
    Remedies { sides, fixed }
}
