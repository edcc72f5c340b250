//! The engines behind one face.

use std::collections::HashMap;
use std::str::FromStr;

use awsim_iam_policy as awsim;
use keyproof::authorize::Authorizer;
use keyproof::compile::{Caller, PolicySlot, Snapshot};
use keyproof::evaluate::{GrantSubject, Attached, Policies, Question, RequestContext, decide};
use keyproof::model::{Decision, PolicyKind, Readings};

use crate::fixture::{self, Ask, Size};
use crate::{Answer, Case};

/// An engine with its policies ready.
pub trait Engine {
    fn name(&self) -> &'static str;

    /// A decision that can be repeated: everything that a caller would keep is prepared.
    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a>;
}

fn answer(decision: Decision) -> Answer {
    match decision {
        Decision::Allow => Answer::Allow,
        Decision::ExplicitDeny => Answer::ExplicitDeny,
        Decision::ImplicitDeny => Answer::ImplicitDeny,
        Decision::Undetermined => unreachable!("nothing is unknown here"),
    }
}

/// This engine, as the peers are asked: policies and a stated context.
pub struct Ours {
    key: Vec<PolicySlot>,
    identity: Vec<PolicySlot>,
    caller: Caller,
    readings: Readings,
}

impl Ours {
    pub fn new(size: Size) -> Self {
        let identity = fixture::identity_policy(size.statements.max(5) - 3);
        Self {
            key: vec![fixture::slot(&fixture::key_policy(size.statements), PolicyKind::Key, "key")],
            identity: vec![fixture::slot(&identity, PolicyKind::Identity, "identity")],
            caller: fixture::caller(),
            readings: Readings::default(),
        }
    }
}

impl Engine for Ours {
    fn name(&self) -> &'static str {
        "keyproof, stated"
    }

    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a> {
        let stated = fixture::stated(case.tenant);
        let action = case.action;
        let none = Attached::NotApplicable;
        Box::new(move || {
            let question = Question {
                principal: &self.caller.principal,
                resource: fixture::KEY,
                region_disabled: false,
                resource_account: self.caller.principal.account(),
                context: RequestContext { action, stated: &stated, facts: None, grant: GrantSubject::None },
                policies: Policies {
                    key: Attached::Union(&self.key),
                    identity: Attached::Union(&self.identity),
                    boundary: none,
                    session: none,
                    service_control: none,
                    resource_control: none,
                    endpoint: none,
                    grants: Ok(keyproof::compile::GrantsRef::NONE),
                },
                grant_tokens: &[],
                readings: &self.readings,
            };
            answer(decide(&question))
        })
    }
}

/// This engine as its users ask it: policies, grants and facts looked up in a world of keys and
/// principals, context keys derived.
pub struct OursFromWorld<'w> {
    authorizer: Authorizer<'w>,
    caller: Caller,
}

impl<'w> OursFromWorld<'w> {
    pub fn new(world: &'w Snapshot) -> Self {
        Self { authorizer: Authorizer::new(world), caller: fixture::caller() }
    }
}

impl Engine for OursFromWorld<'_> {
    fn name(&self) -> &'static str {
        "keyproof, from a world"
    }

    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a> {
        let ask = Ask::new(case.action, case.tenant);
        Box::new(move || answer(self.authorizer.decide_leg(&ask.leg(), &self.caller)))
    }
}

/// awsim-iam-policy.
pub struct Awsim {
    key: awsim::PolicyDocument,
    identity: Vec<awsim::PolicyDocument>,
}

impl Awsim {
    pub fn new(size: Size) -> Self {
        let identity = fixture::identity_policy(size.statements.max(5) - 3);
        Self {
            key: awsim::parse(&fixture::key_policy(size.statements)).unwrap(),
            identity: vec![awsim::parse(&identity).unwrap()],
        }
    }
}

impl Engine for Awsim {
    fn name(&self) -> &'static str {
        "awsim-iam-policy"
    }

    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a> {
        let tenant = awsim::ContextValue::String(case.tenant.to_owned());
        let context = HashMap::from([("kms:EncryptionContext:tenant".to_owned(), tenant)]);
        let action = case.action.as_str();
        Box::new(move || {
            let request = awsim::AuthzRequest {
                principal_arn: fixture::ROLE,
                principal_account: fixture::ACCOUNT,
                action,
                resource_arn: fixture::KEY,
                context: &context,
            };
            let policies = awsim::EvalContext {
                identity_policies: &self.identity,
                resource_policy: Some(&self.key),
                ..awsim::EvalContext::default()
            };
            match awsim::evaluate(&request, &policies) {
                awsim::Decision::Allow => Answer::Allow,
                awsim::Decision::ExplicitDeny => Answer::ExplicitDeny,
                awsim::Decision::ImplicitDeny => Answer::ImplicitDeny,
            }
        })
    }
}

/// iam-rs.
pub struct IamRs {
    evaluator: iam_rs::PolicyEvaluator,
}

impl IamRs {
    pub fn new(size: Size) -> Self {
        let identity = fixture::identity_policy(size.statements.max(5) - 3);
        let policies = [fixture::key_policy(size.statements), identity];
        let policies =
            policies.iter().map(|text| iam_rs::IAMPolicy::from_json(text).unwrap()).collect();
        let options = iam_rs::EvaluationOptions { max_statements: 1_000_000, ..Default::default() };
        Self { evaluator: iam_rs::PolicyEvaluator::with_policies(policies).with_options(options) }
    }
}

impl Engine for IamRs {
    fn name(&self) -> &'static str {
        "iam-rs"
    }

    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a> {
        let mut context = iam_rs::Context::new();
        context.insert(
            "kms:EncryptionContext:tenant".to_owned(),
            iam_rs::ContextValue::String(case.tenant.to_owned()),
        );
        let principal = iam_rs::PrincipalId::String(fixture::ROLE.to_owned());
        let request = iam_rs::IAMRequest::new_with_context(
            iam_rs::Principal::Aws(principal),
            case.action.as_str(),
            iam_rs::Arn::parse(fixture::KEY).unwrap(),
            context,
        );
        Box::new(move || match self.evaluator.evaluate(&request).unwrap().decision {
            iam_rs::Decision::Allow => Answer::Allow,
            iam_rs::Decision::Deny => Answer::ExplicitDeny,
            iam_rs::Decision::NotApplicable => Answer::ImplicitDeny,
        })
    }
}

/// Cedar, with the statements written in its language.
pub struct Cedar {
    authorizer: cedar_policy::Authorizer,
    policies: cedar_policy::PolicySet,
    entities: cedar_policy::Entities,
}

impl Cedar {
    pub fn new(size: Size) -> Self {
        let mut text = include_str!("../../bench/documents/policies.cedar").to_owned();
        for number in 5..size.statements {
            text += &format!(
                "permit (principal == Role::\"arn:aws:iam::111122223333:role/worker-{number}\", \
                 action in [Action::\"kms:Decrypt\", Action::\"kms:ReEncryptFrom\", Action::\"kms:ReEncryptTo\"], resource) \
                 when {{ context has tenant && context.tenant == \"tenant-{number}\" }};\n"
            );
        }
        for number in 2..size.statements.max(5) - 3 {
            text += &format!(
                "permit (principal == Role::\"{}\", \
                 action in [Action::\"kms:Decrypt\", Action::\"kms:ReEncryptFrom\", Action::\"kms:ReEncryptTo\"], \
                 resource == Key::\"arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-{number:012}\");\n",
                fixture::ROLE
            );
        }
        Self {
            authorizer: cedar_policy::Authorizer::new(),
            policies: cedar_policy::PolicySet::from_str(&text).unwrap(),
            entities: cedar_policy::Entities::empty(),
        }
    }
}

impl Engine for Cedar {
    fn name(&self) -> &'static str {
        "cedar-policy"
    }

    fn prepare<'a>(&'a self, case: &Case) -> Box<dyn Fn() -> Answer + 'a> {
        let uid = |kind: &str, id: &str| {
            cedar_policy::EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap()
        };
        let tenant = cedar_policy::RestrictedExpression::new_string(case.tenant.to_owned());
        let context = cedar_policy::Context::from_pairs([("tenant".to_owned(), tenant)]).unwrap();
        let request = cedar_policy::Request::new(
            uid("Role", fixture::ROLE),
            uid("Action", case.action.as_str()),
            uid("Key", fixture::KEY),
            context,
            None,
        )
        .unwrap();
        Box::new(move || {
            let response = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
            match response.decision() {
                cedar_policy::Decision::Allow => Answer::Allow,
                // Cedar names the policies that forbid.
                _ if response.diagnostics().reason().next().is_some() => Answer::ExplicitDeny,
                _ => Answer::ImplicitDeny,
            }
        })
    }
}
