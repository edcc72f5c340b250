//! The canonical text of a document.

use std::borrow::Cow;

use super::json::is_number;
use crate::model::{
    ConditionEntry, ConditionValue, Element, PolicyDocument, Principal, PrincipalElement, Spanned,
    Statement,
};

/// The canonical text of a document: two spaces a level, members in one order, a list of one as
/// its element, no line feed at the end.
///
/// For a document that [`parse`](super::parse) made, parsing the text again gives the same document
/// at other places, and printing that gives the same text. What no text can say (`"*"` among other
/// principals, principals of one type apart from each other) is printed as what means the same.
#[must_use]
pub fn print(document: &PolicyDocument) -> String {
    let mut members = Vec::new();
    if let Some(version) = &document.version {
        members.push(("Version", Node::text(version.value.as_str())));
    }
    if let Some(id) = &document.id {
        members.push(("Id", Node::text(&id.value)));
    }
    let statements = document.statements.iter().map(statement).collect();
    members.push(("Statement", Node::Array(statements)));
    let mut text = String::new();
    Node::object(members).write(&mut text, 0);
    text
}

/// The canonical text of one statement, on one line.
#[must_use]
pub fn print_statement(one: &Statement) -> String {
    let mut text = String::new();
    statement(one).write_line(&mut text);
    text
}

/// A JSON value about to be written.
enum Node<'p> {
    Array(Vec<Self>),
    /// A number or a word.
    Literal(&'p str),
    Object(Vec<(Cow<'p, str>, Self)>),
    Text(Cow<'p, str>),
}

impl<'p> Node<'p> {
    fn text(text: &'p str) -> Self {
        Self::Text(text.into())
    }

    fn object(members: Vec<(&'p str, Self)>) -> Self {
        Self::Object(members.into_iter().map(|(name, node)| (name.into(), node)).collect())
    }

    /// A list; one element stands without brackets.
    fn list(nodes: impl IntoIterator<Item = Self>) -> Self {
        let mut nodes: Vec<Self> = nodes.into_iter().collect();
        match (nodes.pop(), nodes.is_empty()) {
            (Some(one), true) => one,
            (last, _) => {
                nodes.extend(last);
                Self::Array(nodes)
            }
        }
    }

    fn write(&self, out: &mut String, level: usize) {
        match self {
            Self::Array(nodes) => block(out, level, ['[', ']'], nodes, |out, node| {
                node.write(out, level + 1);
            }),
            Self::Literal(literal) => out.push_str(literal),
            Self::Object(members) => block(out, level, ['{', '}'], members, |out, (name, node)| {
                quote(out, name);
                out.push_str(": ");
                node.write(out, level + 1);
            }),
            Self::Text(text) => quote(out, text),
        }
    }

    fn write_line(&self, out: &mut String) {
        let separate = |out: &mut String, index: usize| {
            if index > 0 {
                out.push(',');
            }
        };
        match self {
            Self::Array(nodes) => {
                out.push('[');
                for (index, node) in nodes.iter().enumerate() {
                    separate(out, index);
                    node.write_line(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, node)) in members.iter().enumerate() {
                    separate(out, index);
                    quote(out, name);
                    out.push(':');
                    node.write_line(out);
                }
                out.push('}');
            }
            Self::Literal(_) | Self::Text(_) => self.write(out, 0),
        }
    }
}

fn block<T>(
    out: &mut String,
    level: usize,
    [open, close]: [char; 2],
    items: &[T],
    write: impl Fn(&mut String, &T),
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(level + 1));
        write(out, item);
    }
    if !items.is_empty() {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    }
    out.push(close);
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    escape_json(out, text);
    out.push('"');
}

/// A text as it stands between the quotes of a JSON string.
pub(crate) fn escape_json(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut after = special.chars();
        let Some(c) = after.next() else { break };
        rest = after.as_str();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push_str(rest);
}

fn statement(statement: &Statement) -> Node<'_> {
    let mut members = Vec::new();
    if let Some(sid) = &statement.sid {
        members.push(("Sid", Node::text(&sid.value)));
    }
    members.push(("Effect", Node::text(statement.effect.value.as_str())));
    members.extend(statement.principal.as_ref().map(|element| match element {
        PrincipalElement::Is(list) => ("Principal", principals(list)),
        PrincipalElement::IsNot(list) => ("NotPrincipal", principals(list)),
    }));
    members.extend(statement.action.as_ref().map(|element| match element {
        Element::Is(list) => ("Action", strings(list)),
        Element::IsNot(list) => ("NotAction", strings(list)),
    }));
    members.extend(statement.resource.as_ref().map(|element| match element {
        Element::Is(list) => ("Resource", strings(list)),
        Element::IsNot(list) => ("NotResource", strings(list)),
    }));
    if !statement.condition.is_empty() {
        members.push(("Condition", condition(&statement.condition)));
    }
    Node::object(members)
}

fn strings(list: &[Spanned<String>]) -> Node<'_> {
    Node::list(list.iter().map(|entry| Node::text(&entry.value)))
}

fn principals(list: &[Spanned<Principal>]) -> Node<'_> {
    if let [Spanned { value: Principal::Everyone, .. }] = list {
        return Node::text("*");
    }
    let mut groups: Vec<(&str, Vec<Node>)> = Vec::new();
    for principal in list {
        let (group, node) = principal_node(&principal.value);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, nodes)) => nodes.push(node),
            None => groups.push((group, vec![node])),
        }
    }
    Node::object(groups.into_iter().map(|(name, nodes)| (name, Node::list(nodes))).collect())
}

fn principal_node(principal: &Principal) -> (&'static str, Node<'_>) {
    match principal {
        Principal::Account { account, partition: None } => ("AWS", Node::text(account.as_str())),
        Principal::Account { account, partition: Some(partition) } => {
            ("AWS", Node::Text(format!("arn:{partition}:iam::{account}:root").into()))
        }
        Principal::Arn(arn) => ("AWS", Node::text(arn.as_str())),
        Principal::CanonicalUser(id) => ("CanonicalUser", Node::text(id)),
        Principal::EveryAws | Principal::Everyone => ("AWS", Node::text("*")),
        Principal::Federated(name) => ("Federated", Node::text(name)),
        Principal::Service(name) => ("Service", Node::text(name.as_str())),
        Principal::Unique(id) => ("AWS", Node::text(id.as_str())),
    }
}

fn condition(entries: &[ConditionEntry]) -> Node<'_> {
    Node::Object(entries.iter().map(operator).collect())
}

fn operator(entry: &ConditionEntry) -> (Cow<'_, str>, Node<'_>) {
    let keys = entry.conditions.iter().map(|condition| {
        let values = condition.values.iter().map(|value| value_node(&value.value));
        (condition.key.value.as_str(), Node::list(values))
    });
    (entry.operator.value.to_string().into(), Node::object(keys.collect()))
}

fn value_node(value: &ConditionValue) -> Node<'_> {
    match value {
        ConditionValue::Boolean(_) => Node::Literal(value.as_str()),
        // A number that was not read from JSON might be none; its text means the same.
        ConditionValue::Number(text) if is_number(text) => Node::Literal(text),
        ConditionValue::Number(text) | ConditionValue::String(text) => Node::text(text),
    }
}

#[cfg(test)]
mod tests;
