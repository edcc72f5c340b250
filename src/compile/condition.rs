//! Conditions with typed operands.

use super::operand::{Cidr, Date, DecimalOperand, parse_bool};
use crate::model::{Condition, ConditionKey, ConditionOperator, Operator, Span};
use crate::pattern::{ArnPattern, Template, Variable};

/// One key of one operator, ready to evaluate.
#[derive(Clone, Debug)]
pub struct CompiledCondition {
    /// The operator as written.
    pub operator: ConditionOperator,
    /// The key.
    pub key: ConditionKey,
    /// The values.
    pub operands: Operands,
    /// Whether the key or a variable is about the tags or aliases of the KMS key.
    pub reads_tags: bool,
    /// Where the key and its values stand.
    pub span: Span,
}

/// The values of a condition in the type of its operator. `None` is a value that is not of that
/// type; it equals nothing.
#[derive(Clone, Debug)]
pub enum Operands {
    /// ARN operators.
    Arn(Box<[ArnPattern]>),
    /// `BinaryEquals`: base64, or texts that are not.
    Binary(Box<[Box<str>]>),
    /// `Bool`; `Err` is a value written in another case than AWS documents.
    Bool(Box<[Option<Result<bool, bool>>]>),
    /// Date operators.
    Date(Box<[Option<Date>]>),
    /// `IpAddress`, `NotIpAddress`.
    Ip(Box<[Option<Cidr>]>),
    /// `Null`: whether the key must be missing.
    Null(Box<[Option<Result<bool, bool>>]>),
    /// Numeric operators.
    Number(Box<[Option<DecimalOperand>]>),
    /// String operators.
    Text(Box<[Template]>),
}

impl CompiledCondition {
    pub(super) fn compile(
        operator: ConditionOperator,
        condition: &Condition,
        variables: bool,
    ) -> Self {
        let operands = Operands::compile(operator.operator, condition, variables);
        let is_of_tags = |key: &ConditionKey| key.known().is_some_and(|known| known.is_of_tags());
        Self {
            reads_tags: is_of_tags(&condition.key.value)
                || operands.variables().any(|variable| is_of_tags(&variable.key)),
            operator,
            key: condition.key.value.clone(),
            operands,
            span: condition.span,
        }
    }
}

impl CompiledCondition {
    /// How much work it is to judge, to judge the cheapest first: comparisons, then searches in
    /// texts, then what reads the request's value as something else.
    pub(super) fn cost(&self) -> u8 {
        match &self.operands {
            Operands::Binary(_) | Operands::Bool(_) | Operands::Null(_) => 0,
            Operands::Text(values) => values.iter().map(Template::cost).max().unwrap_or_default(),
            Operands::Arn(_) | Operands::Date(_) | Operands::Ip(_) | Operands::Number(_) => 3,
        }
    }
}

impl Operands {
    /// Whether the list of values is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Arn(values) => values.is_empty(),
            Self::Binary(values) => values.is_empty(),
            Self::Bool(values) | Self::Null(values) => values.is_empty(),
            Self::Date(values) => values.is_empty(),
            Self::Ip(values) => values.is_empty(),
            Self::Number(values) => values.is_empty(),
            Self::Text(values) => values.is_empty(),
        }
    }

    /// The variables of all values.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let (texts, arns): (&[Template], &[ArnPattern]) = match self {
            Self::Text(values) => (values, &[]),
            Self::Arn(values) => (&[], values),
            _ => (&[], &[]),
        };
        let texts = texts.iter().flat_map(Template::variables);
        texts.chain(arns.iter().flat_map(ArnPattern::variables))
    }

    fn compile(operator: Operator, condition: &Condition, variables: bool) -> Self {
        let values = || condition.values.iter().map(|value| value.value.as_str());
        match operator {
            Operator::StringEquals | Operator::StringNotEquals => {
                Self::Text(values().map(|text| Template::equal(text, variables, false)).collect())
            }
            Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => {
                Self::Text(values().map(|text| Template::equal(text, variables, true)).collect())
            }
            Operator::StringLike | Operator::StringNotLike => {
                Self::Text(values().map(|text| Template::like(text, variables)).collect())
            }
            Operator::ArnEquals
            | Operator::ArnLike
            | Operator::ArnNotEquals
            | Operator::ArnNotLike => {
                Self::Arn(values().map(|text| ArnPattern::new(text, variables)).collect())
            }
            Operator::NumericEquals
            | Operator::NumericGreaterThan
            | Operator::NumericGreaterThanEquals
            | Operator::NumericLessThan
            | Operator::NumericLessThanEquals
            | Operator::NumericNotEquals => {
                Self::Number(values().map(DecimalOperand::parse).collect())
            }
            Operator::DateEquals
            | Operator::DateGreaterThan
            | Operator::DateGreaterThanEquals
            | Operator::DateLessThan
            | Operator::DateLessThanEquals
            | Operator::DateNotEquals => Self::Date(values().map(Date::parse).collect()),
            Operator::Bool => Self::Bool(values().map(parse_bool).collect()),
            Operator::Null => Self::Null(values().map(parse_bool).collect()),
            Operator::BinaryEquals => Self::Binary(values().map(Into::into).collect()),
            Operator::IpAddress | Operator::NotIpAddress => {
                Self::Ip(values().map(Cidr::parse).collect())
            }
        }
    }
}
