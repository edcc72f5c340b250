//! Functions of a template: what they give as far as it is certain before it is deployed. A
//! parameter is not, whatever its default: whoever deploys may give another value.

use super::{Json, Spanned, Value, elements, get, members, path, text};
use crate::model::{AccountId, Region, Span};

/// What is known of where a template goes.
#[derive(Clone, Debug, Default)]
pub(in crate::load::lint) struct Environment {
    pub(in crate::load::lint) account: Option<AccountId>,
    pub(in crate::load::lint) region: Option<Region>,
}

impl Environment {
    fn partition(&self) -> Option<&'static str> {
        let region = self.region.as_ref()?.as_str();
        Some(match region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            Some("us" | "eu" | "ap" | "sa" | "ca" | "me" | "af" | "il" | "mx")
                if !region.contains("-iso") && !region.starts_with("eu-isoe") =>
            {
                "aws"
            }
            _ => return None,
        })
    }
}

/// A template and where it goes.
pub(super) struct Template<'t, 'v, 'f> {
    pub(super) root: &'v Json<'f>,
    pub(super) environment: &'t Environment,
}

/// What a value is before the template is deployed.
pub(super) enum Eval<'f> {
    /// Not there: `AWS::NoValue`.
    Absent,
    /// This.
    Known(Json<'f>),
    /// A text of which parts are not known; they are filled with something. `only_where` says that
    /// these are only where the template goes: account, Region, partition.
    Partial { text: String, only_where: bool },
    /// Nobody knows.
    Unknown,
}

/// Whether a value is the call of a function.
pub(super) fn is_call(json: &Json<'_>) -> bool {
    let Value::Object(members) = &json.value else { return false };
    match members.as_slice() {
        [one] => one.key.value == "Ref" || one.key.value.starts_with("Fn::"),
        _ => false,
    }
}

impl<'f> Template<'_, '_, 'f> {
    /// What a value gives. Of objects and lists, only the function that makes them is looked at.
    pub(super) fn evaluate(&self, json: &Json<'f>) -> Eval<'f> {
        if !is_call(json) {
            return match json.value {
                Value::Null => Eval::Absent,
                _ => Eval::Known(json.clone()),
            };
        }
        let Some((function, argument)) = members(json).next() else { return Eval::Unknown };
        match function {
            "Ref" => match text(argument) {
                Some(name) => self.reference(name, json.span),
                None => Eval::Unknown,
            },
            "Fn::Sub" => self.substitute(argument, json.span),
            "Fn::Join" => self.join(argument, json.span),
            "Fn::If" => match elements(argument) {
                [_, yes, no] => match (self.evaluate(yes), self.evaluate(no)) {
                    (Eval::Known(yes), Eval::Known(no)) if is_same(&yes, &no) => Eval::Known(yes),
                    (Eval::Absent, Eval::Absent) => Eval::Absent,
                    _ => Eval::Unknown,
                },
                _ => Eval::Unknown,
            },
            "Fn::FindInMap" => self.find(argument).map_or(Eval::Unknown, |found| {
                Eval::Known(Spanned::new(found.value.clone(), json.span))
            }),
            "Fn::Select" => match elements(argument) {
                [index, list] => {
                    let index = text(index).or(match &index.value {
                        Value::Number(number) => Some(*number),
                        _ => None,
                    });
                    let index: Option<usize> = index.and_then(|index| index.parse().ok());
                    match index.and_then(|index| elements(list).get(index)) {
                        Some(element) => self.evaluate(element),
                        None => Eval::Unknown,
                    }
                }
                _ => Eval::Unknown,
            },
            _ => Eval::Unknown,
        }
    }

    fn reference(&self, name: &str, span: Span) -> Eval<'f> {
        let environment = self.environment;
        let region = environment.region.as_ref().map(Region::as_str);
        let account = environment.account.map(|account| account.to_string());
        let suffix = environment.partition().map(|it| match it {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        });
        let (known, filler) = match name {
            "AWS::NoValue" => return Eval::Absent,
            "AWS::AccountId" => (account.as_deref(), "000000000000"),
            "AWS::Partition" => (environment.partition(), "aws"),
            "AWS::Region" => (region, "us-east-1"),
            "AWS::URLSuffix" => (suffix, "amazonaws.com"),
            _ => return Eval::Unknown,
        };
        match known {
            Some(known) => Eval::Known(Spanned::new(Value::String(known.to_owned().into()), span)),
            None => Eval::Partial { text: filler.to_owned(), only_where: true },
        }
    }

    /// `Fn::Sub`, with names of its own or without.
    fn substitute(&self, argument: &Json<'f>, span: Span) -> Eval<'f> {
        let (pattern, own) = match elements(argument) {
            [pattern, own] => (text(pattern), Some(own)),
            _ => (text(argument), None),
        };
        let Some(mut rest) = pattern else { return Eval::Unknown };
        let mut parts = Parts::default();
        while let Some((before, after)) = rest.split_once("${") {
            parts.known(before);
            let Some((name, after)) = after.split_once('}') else {
                parts.known("${");
                rest = after;
                continue;
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                parts.known("${");
                parts.known(literal);
                parts.known("}");
                continue;
            }
            let name = name.trim();
            let value = match own.and_then(|own| get(own, name)) {
                Some(value) => self.evaluate(value),
                None => self.reference(name, span),
            };
            parts.add(&value);
        }
        parts.known(rest);
        parts.finish(span)
    }

    fn join(&self, argument: &Json<'f>, span: Span) -> Eval<'f> {
        let [delimiter, list] = elements(argument) else { return Eval::Unknown };
        let (Some(delimiter), Value::Array(list)) = (text(delimiter), &list.value) else {
            return Eval::Unknown;
        };
        let mut parts = Parts::default();
        let mut is_first = true;
        for one in list {
            let value = self.evaluate(one);
            if matches!(value, Eval::Absent) {
                continue;
            }
            if !is_first {
                parts.known(delimiter);
            }
            is_first = false;
            parts.add(&value);
        }
        parts.finish(span)
    }

    fn find(&self, argument: &Json<'f>) -> Option<&Json<'f>> {
        let [map, first, second] = elements(argument) else { return None };
        let known = |json: &Json<'f>| match self.evaluate(json) {
            Eval::Known(json) => text(&json).map(str::to_owned),
            _ => None,
        };
        let (map, first, second) = (known(map)?, known(first)?, known(second)?);
        path(self.root, &["Mappings", &map, &first, &second])
    }
}

/// A text as it is put together.
#[derive(Default)]
struct Parts {
    text: String,
    is_partial: bool,
    /// Something else than where the template goes is not known.
    lacks_more: bool,
}

impl Parts {
    fn known(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn add(&mut self, value: &Eval<'_>) {
        match value {
            Eval::Absent => {}
            Eval::Known(json) => match &json.value {
                Value::String(text) => self.known(text),
                Value::Number(text) => self.known(text),
                Value::Boolean(value) => self.known(if *value { "true" } else { "false" }),
                _ => self.unknown("unknown"),
            },
            Eval::Partial { text, only_where } => {
                self.is_partial = true;
                self.lacks_more |= !only_where;
                self.known(text);
            }
            Eval::Unknown => self.unknown("unknown"),
        }
    }

    fn unknown(&mut self, filler: &str) {
        self.is_partial = true;
        self.lacks_more = true;
        self.text.push_str(filler);
    }

    fn finish<'f>(self, span: Span) -> Eval<'f> {
        match self.is_partial {
            true => Eval::Partial { text: self.text, only_where: !self.lacks_more },
            false => Eval::Known(Spanned::new(Value::String(self.text.into()), span)),
        }
    }
}

/// Whether two values are alike, wherever they stand. Calls are not looked into.
fn is_same(left: &Json<'_>, right: &Json<'_>) -> bool {
    match (&left.value, &right.value) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(a, b)| a.key.value == b.key.value && is_same(&a.value, &b.value))
        }
        (left, right) => left == right,
    }
}
