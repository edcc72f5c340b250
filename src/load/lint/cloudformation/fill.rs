//! A policy of a template with something well-formed in the place of what nobody knows yet, and
//! where that is.

use super::intrinsic::{Eval, Template, is_call};
use super::{Json, Span, Spanned, Value, elements};
use crate::model::{AccountId, PrincipalArn};
use crate::syntax::json::Member;

/// The document and its holes; `None` when no statement of it is known.
pub(super) fn document<'f>(
    template: &Template<'_, '_, 'f>,
    json: &Json<'f>,
) -> Option<(Json<'f>, Vec<Span>)> {
    let mut filler = Filler { template, holes: Vec::new(), spoilt: false };
    let filled = filler.document(json)?;
    Some((filled, filler.holes))
}

struct Filler<'t, 'p, 'v, 'f> {
    template: &'t Template<'p, 'v, 'f>,
    holes: Vec<Span>,
    /// The statement at hand has something unknown that all of its meaning hangs on.
    spoilt: bool,
}

/// What stands for a principal that nobody knows.
const PRINCIPAL: &str = "arn:aws:iam::000000000000:role/unknown";

/// What stands for a resource that nobody knows.
const RESOURCE: &str =
    "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000";

/// What stands for a service.
const SERVICE: &str = "lambda.amazonaws.com";

/// What stands for a service that calls for somebody.
const VIA_SERVICE: &str = "lambda.us-east-1.amazonaws.com";

/// An action that says little.
const ACTION: &str = "kms:DescribeKey";

impl<'f> Filler<'_, '_, '_, 'f> {
    fn document(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        let Value::Object(members) = &json.value else { return Some(json.clone()) };
        let mut filled = Vec::with_capacity(members.len());
        for member in members {
            let value = match &*member.key.value {
                "Statement" => Some(self.statements(&member.value)?),
                "Version" => self.scalar(&member.value, "2012-10-17"),
                _ => self.scalar(&member.value, "unknown"),
            };
            filled.extend(value.map(|value| Member { key: member.key.clone(), value }));
        }
        Some(Spanned::new(Value::Object(filled), json.span))
    }

    fn statements(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        let Eval::Known(json) = self.template.evaluate(json) else { return None };
        let Value::Array(listed) = &json.value else { return self.statement(&json) };
        let mut filled = Vec::with_capacity(listed.len());
        for one in listed {
            filled.extend(self.statement(one));
        }
        // A list that is empty as written is the author's mistake.
        (!filled.is_empty() || listed.is_empty())
            .then(|| Spanned::new(Value::Array(filled), json.span))
    }

    /// `None` when nothing of it is known.
    fn statement(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        let known = match self.template.evaluate(json) {
            Eval::Absent => return None,
            Eval::Known(known) => known,
            Eval::Partial { .. } | Eval::Unknown => {
                self.holes.push(json.span);
                return None;
            }
        };
        let Value::Object(members) = &known.value else { return Some(known) };
        let before = self.holes.len();
        self.spoilt = false;
        let mut filled = Vec::with_capacity(members.len());
        for member in members {
            let value = match &*member.key.value {
                "Action" | "NotAction" => {
                    let before = self.holes.len();
                    let value = self.list(&member.value, ACTION);
                    self.spoilt |= self.holes.len() > before;
                    value
                }
                "Condition" => self.condition(&member.value),
                "NotPrincipal" | "Principal" => self.principal(&member.value),
                "NotResource" | "Resource" => self.list(&member.value, RESOURCE),
                "Effect" => {
                    let before = self.holes.len();
                    let value = self.scalar(&member.value, "Deny");
                    self.spoilt |= self.holes.len() > before;
                    value
                }
                _ => self.scalar(&member.value, "unknown"),
            };
            filled.extend(value.map(|value| Member { key: member.key.clone(), value }));
        }
        if self.spoilt {
            self.holes.truncate(before);
            self.holes.push(known.span);
        }
        Some(Spanned::new(Value::Object(filled), known.span))
    }

    fn principal(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        let known = match self.template.evaluate(json) {
            Eval::Absent => return None,
            Eval::Known(known) => known,
            Eval::Partial { .. } | Eval::Unknown => {
                self.holes.push(json.span);
                let key = Spanned::new("AWS".into(), json.span);
                let value = string(PRINCIPAL, json.span);
                return Some(Spanned::new(Value::Object(vec![Member { key, value }]), json.span));
            }
        };
        let Value::Object(members) = &known.value else { return Some(known) };
        let mut filled = Vec::with_capacity(members.len());
        for member in members {
            let stand_in = match &*member.key.value {
                "Service" => SERVICE,
                "AWS" => PRINCIPAL,
                _ => "unknown",
            };
            let value = self.list(&member.value, stand_in);
            filled.extend(value.map(|value| Member { key: member.key.clone(), value }));
        }
        Some(Spanned::new(Value::Object(filled), known.span))
    }

    /// Operators, keys, values: only a value can be unknown without all being so.
    fn condition(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        let known = self.needed(json)?;
        let Value::Object(operators) = &known.value else { return Some(known) };
        let mut filled = Vec::with_capacity(operators.len());
        for operator in operators {
            let Some(conditions) = self.needed(&operator.value) else { continue };
            let value = match &conditions.value {
                Value::Object(members) => {
                    let mut values = Vec::with_capacity(members.len());
                    for member in members {
                        let is_via = member.key.value.eq_ignore_ascii_case("kms:ViaService");
                        let stand_in = if is_via { VIA_SERVICE } else { "unknown" };
                        let value = self.list(&member.value, stand_in);
                        values.extend(value.map(|value| Member { key: member.key.clone(), value }));
                    }
                    Spanned::new(Value::Object(values), conditions.span)
                }
                _ => conditions,
            };
            filled.push(Member { key: operator.key.clone(), value });
        }
        Some(Spanned::new(Value::Object(filled), known.span))
    }

    /// A value without which the statement means nothing.
    fn needed(&mut self, json: &Json<'f>) -> Option<Json<'f>> {
        match self.template.evaluate(json) {
            Eval::Absent => None,
            Eval::Known(known) => Some(known),
            Eval::Partial { .. } | Eval::Unknown => {
                self.holes.push(json.span);
                self.spoilt = true;
                None
            }
        }
    }

    /// A text or a list of texts.
    fn list(&mut self, json: &Json<'f>, stand_in: &str) -> Option<Json<'f>> {
        if is_call(json) || !matches!(json.value, Value::Array(_)) {
            let evaluated = self.scalar(json, stand_in)?;
            let Value::Array(_) = evaluated.value else { return Some(evaluated) };
            return self.list(&evaluated, stand_in);
        }
        let mut filled = Vec::new();
        for one in elements(json) {
            filled.extend(self.scalar(one, stand_in));
        }
        Some(Spanned::new(Value::Array(filled), json.span))
    }

    fn scalar(&mut self, json: &Json<'f>, stand_in: &str) -> Option<Json<'f>> {
        match self.template.evaluate(json) {
            Eval::Absent => None,
            Eval::Known(known) => Some(known),
            // Which keys a policy is for hardly depends on where the template goes.
            Eval::Partial { text, only_where: true }
                if match stand_in {
                    RESOURCE => text.starts_with("arn:"),
                    VIA_SERVICE => true,
                    // What is no principal is none anywhere.
                    PRINCIPAL => {
                        text.parse::<PrincipalArn>().is_err() && text.parse::<AccountId>().is_err()
                    }
                    _ => false,
                } =>
            {
                Some(string(&text, json.span))
            }
            Eval::Partial { text, .. } => {
                self.holes.push(json.span);
                // The known parts tell what it is, as long as the whole is well-formed.
                let fits = match stand_in {
                    PRINCIPAL => text.parse::<PrincipalArn>().is_ok(),
                    RESOURCE => text.starts_with("arn:"),
                    "unknown" | SERVICE | VIA_SERVICE => true,
                    _ => false,
                };
                Some(string(if fits { &text } else { stand_in }, json.span))
            }
            Eval::Unknown => {
                self.holes.push(json.span);
                Some(string(stand_in, json.span))
            }
        }
    }
}

fn string<'f>(text: &str, span: Span) -> Json<'f> {
    Spanned::new(Value::String(text.to_owned().into()), span)
}
