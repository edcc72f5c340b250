//! Key policies of related multi-Region keys, compared.

use super::finding::Finding;
use super::hash::ContentHash;
use super::subject::{Collection, Document};
use crate::model::{
    ActionSet, Condition, ConditionEntry, ConditionValue, Element, KeyArn, PolicyKind, Region,
    Spanned, Statement,
};

/// A statement that a related key lacks.
pub(super) struct Lacking<'c> {
    /// The policy that has it.
    pub document: &'c Document,
    /// The statement.
    pub statement: &'c Statement,
    /// Its actions.
    pub actions: ActionSet,
    /// The policy that lacks it, and the Region of its key.
    pub lacks: (&'c Document, &'c Region),
}

impl Lacking<'_> {
    /// A finding at the statement, beside the policy that lacks it.
    pub(super) fn finding(&self, message: String) -> Finding {
        let finding = Finding::at(self.statement.span, message);
        let (document, _) = self.lacks;
        match document.syntax().and_then(|it| it.statements.first()) {
            Some(first) => finding.related_in(document, first.span, "the other policy"),
            None => finding,
        }
    }
}

/// The statements that one of two related keys has and the other lacks: compared with the key's own
/// Region left out, whatever their names and their order.
pub(super) fn lacking(collection: &Collection) -> Vec<Lacking<'_>> {
    let policies: Vec<(&Document, &KeyArn)> = collection
        .documents
        .iter()
        .filter(|one| {
            one.kind == PolicyKind::Key && one.is_whole() && !one.name.ends_with("AWS_RAM")
        })
        .filter_map(|one| Some((one, one.key.as_ref()?.arn.as_ref()?)))
        .collect();
    let mut found = Vec::new();
    for (document, arn) in &policies {
        for (other, related) in &policies {
            if !arn.is_related_to(related) || arn == related {
                continue;
            }
            let theirs: Vec<ContentHash> = statements(other).map(|it| hash(it, related)).collect();
            let compiled = document.policy().map(|policy| policy.statements()).unwrap_or_default();
            for (statement, compiled) in statements(document).zip(compiled) {
                if !theirs.contains(&hash(statement, arn)) {
                    let lacks = (*other, related.region());
                    found.push(Lacking { document, statement, actions: compiled.actions, lacks });
                }
            }
        }
    }
    found
}

fn statements(document: &Document) -> impl Iterator<Item = &Statement> {
    document.syntax().into_iter().flat_map(|syntax| &syntax.statements)
}

/// Of a statement without its name and its key's Region, its lists sorted.
fn hash(statement: &Statement, arn: &KeyArn) -> ContentHash {
    let region = arn.region().as_str();
    let neutral = |text: &str| text.replace(region, "<region>");
    let element = |element: &Element| {
        let mut entries: Vec<Spanned<String>> = element
            .entries()
            .iter()
            .map(|entry| Spanned::new(neutral(&entry.value), entry.span))
            .collect();
        entries.sort_by(|a, b| a.value.cmp(&b.value));
        match element {
            Element::Is(_) => Element::Is(entries),
            Element::IsNot(_) => Element::IsNot(entries),
        }
    };
    let condition = |entry: &ConditionEntry| {
        let conditions = entry.conditions.iter().map(|one| {
            let mut values: Vec<Spanned<ConditionValue>> = one
                .values
                .iter()
                .map(|value| {
                    let text = ConditionValue::String(neutral(value.value.as_str()));
                    Spanned::new(text, value.span)
                })
                .collect();
            values.sort_by(|a, b| a.value.as_str().cmp(b.value.as_str()));
            Condition { values, ..one.clone() }
        });
        ConditionEntry { conditions: conditions.collect(), ..entry.clone() }
    };
    ContentHash::of_statement(&Statement {
        sid: None,
        action: statement.action.as_ref().map(element),
        resource: statement.resource.as_ref().map(element),
        condition: statement.condition.iter().map(condition).collect(),
        ..statement.clone()
    })
}
