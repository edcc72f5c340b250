//! Patterns with variables.

use super::positions::Positions;
use crate::model::{ConditionKey, Truth};

/// A policy variable: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The key whose value is put in.
    pub key: ConditionKey,
    /// What is put in when the key has no value; taken literally.
    pub default: Option<Box<str>>,
}

/// What a variable stands for in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// The key has no single value, and there is no default: the pattern matches nothing.
    Nothing,
    /// The text put in: these pieces, one after the other.
    Text([&'a str; 3]),
    /// Whether the key has a value is not known.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Any,
    AnyButColon,
    Literal(Box<str>),
    One,
    OneButColon,
    Variable(Box<Variable>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Strategy {
    Any,
    General(Box<[Token]>),
    Literal(Box<str>),
    LiteralIgnoreCase(Box<str>),
    Prefix(Box<str>),
    /// Literals with any run between them, the first at the start and the last at the end.
    Runs(Box<[Box<str>]>),
    Suffix(Box<str>),
}

/// A text to match: literal, with wildcards, with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    strategy: Strategy,
    ignore_case: bool,
}

impl Template {
    /// Wildcards, no variables: an action name, a `StringLike` value of a 2008 document.
    #[must_use]
    pub fn glob(text: &str) -> Self {
        Self::like(text, false)
    }

    /// `StringLike`: wildcards, and variables where the document has them.
    #[must_use]
    pub fn like(text: &str, variables: bool) -> Self {
        Self::new(tokens(text, variables, Wildcards::Plain), false)
    }

    /// `StringEquals`: no wildcards, variables where the document has them.
    #[must_use]
    pub fn equal(text: &str, variables: bool, ignore_case: bool) -> Self {
        Self::new(tokens(text, variables, Wildcards::None), ignore_case)
    }

    /// A `Resource` entry: a `*` that ends its segment may run across colons, any other `*` and
    /// every `?` stays inside its segment (iam user guide, "Resource").
    #[must_use]
    pub fn resource(text: &str, variables: bool) -> Self {
        Self::new(tokens(text, variables, Wildcards::Segments), false)
    }

    fn new(tokens: Vec<Token>, ignore_case: bool) -> Self {
        let strategy = match (tokens.as_slice(), ignore_case) {
            ([], _) => Strategy::Literal("".into()),
            ([Token::Literal(text)], true) => Strategy::LiteralIgnoreCase(text.clone()),
            ([Token::Literal(text)], false) => Strategy::Literal(text.clone()),
            ([Token::Any], _) => Strategy::Any,
            ([Token::Literal(text), Token::Any], false) => Strategy::Prefix(text.clone()),
            ([Token::Any, Token::Literal(text)], false) => Strategy::Suffix(text.clone()),
            (tokens, false)
                if tokens.iter().all(|it| matches!(it, Token::Any | Token::Literal(_))) =>
            {
                Strategy::Runs(runs(tokens))
            }
            _ => Strategy::General(tokens.into()),
        };
        Self { strategy, ignore_case }
    }

    /// The text it stands for, if it stands for one alone.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match &self.strategy {
            Strategy::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    /// Whether it matches every text.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.strategy == Strategy::Any
    }

    /// How much work a match is, to ask the cheapest first: 0 for a comparison, 1 for a search, 2
    /// for everything else.
    #[must_use]
    pub fn cost(&self) -> u8 {
        match &self.strategy {
            Strategy::Any | Strategy::Literal(_) | Strategy::Prefix(_) | Strategy::Suffix(_) => 0,
            Strategy::LiteralIgnoreCase(_) | Strategy::Runs(_) => 1,
            Strategy::General(_) => 2,
        }
    }

    /// Whether it has a variable.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.variables().next().is_some()
    }

    /// The variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let tokens: &[Token] = match &self.strategy {
            Strategy::General(tokens) => tokens,
            _ => &[],
        };
        tokens.iter().filter_map(|token| match token {
            Token::Variable(variable) => Some(variable.as_ref()),
            _ => None,
        })
    }

    /// Whether a text matches a template without variables; with variables, none does.
    #[must_use]
    pub fn matches_text(&self, text: &str) -> bool {
        self.matches(text, false, |_| Resolved::Nothing).is_true()
    }

    /// Whether a text matches, with `resolve` giving the values of variables. `wildcards_in_values`
    /// makes `*` and `?` of those values wildcards.
    pub fn matches<'v>(
        &'v self,
        text: &str,
        wildcards_in_values: bool,
        resolve: impl Fn(&'v Variable) -> Resolved<'v>,
    ) -> Truth {
        let holds = match &self.strategy {
            Strategy::Any => true,
            Strategy::Literal(literal) => literal.as_ref() == text,
            Strategy::LiteralIgnoreCase(literal) => crate::model::eq_ignore_case(literal, text),
            Strategy::Prefix(prefix) => text.starts_with(prefix.as_ref()),
            Strategy::Runs(literals) => matches_runs(literals, text),
            Strategy::Suffix(suffix) => text.ends_with(suffix.as_ref()),
            Strategy::General(tokens) => {
                return self.matches_tokens(tokens, text, wildcards_in_values, resolve);
            }
        };
        holds.into()
    }

    fn matches_tokens<'v>(
        &self,
        tokens: &'v [Token],
        text: &str,
        wildcards_in_values: bool,
        resolve: impl Fn(&'v Variable) -> Resolved<'v>,
    ) -> Truth {
        let mut places = Positions::at_start(text);
        let mut unknown = false;
        for token in tokens {
            match token {
                Token::Any => places.any(),
                Token::AnyButColon => places.any_but_colon(),
                Token::Literal(literal) => self.literal(&mut places, literal),
                Token::One => places.one(false),
                Token::OneButColon => places.one(true),
                Token::Variable(variable) => match resolve(variable) {
                    // An unresolved variable matches nothing, also in the middle of a pattern.
                    Resolved::Nothing => return Truth::False,
                    Resolved::Text(value) if wildcards_in_values => {
                        value.iter().for_each(|piece| self.glob_in(&mut places, piece));
                    }
                    Resolved::Text(value) => {
                        value.iter().for_each(|piece| self.literal(&mut places, piece));
                    }
                    Resolved::Unknown => {
                        // Any text may stand here; what follows can still rule a match out.
                        unknown = true;
                        places.any();
                    }
                },
            }
            if places.is_empty() {
                return Truth::False;
            }
        }
        match (places.at_end(), unknown) {
            (false, _) => Truth::False,
            (true, true) => Truth::Unknown,
            (true, false) => Truth::True,
        }
    }

    /// The pattern as text, with the values of its variables put in; what stands for itself there
    /// is written `${*}`. `Err` when a variable has no value, or none that is known.
    pub(super) fn substituted<'v>(
        &'v self,
        wildcards_in_values: bool,
        resolve: impl Fn(&'v Variable) -> Resolved<'v>,
    ) -> Result<String, Truth> {
        let Strategy::General(tokens) = &self.strategy else { return Err(Truth::False) };
        let mut text = String::new();
        let mut unknown = false;
        for token in tokens {
            match token {
                Token::Any | Token::AnyButColon => text.push('*'),
                Token::One | Token::OneButColon => text.push('?'),
                Token::Literal(literal) => push_literal(&mut text, literal),
                Token::Variable(variable) => match resolve(variable) {
                    Resolved::Nothing => return Err(Truth::False),
                    Resolved::Text(pieces) if wildcards_in_values => {
                        pieces.iter().for_each(|piece| text.push_str(piece));
                    }
                    Resolved::Text(pieces) => {
                        pieces.iter().for_each(|piece| push_literal(&mut text, piece));
                    }
                    Resolved::Unknown => unknown = true,
                },
            }
        }
        if unknown { Err(Truth::Unknown) } else { Ok(text) }
    }

    /// A text in which `*` and `?` are wildcards.
    fn glob_in(&self, places: &mut Positions<'_>, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['*', '?']) {
            let (literal, wildcard) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.literal(places, literal);
            if wildcard.starts_with('*') {
                places.any();
            } else {
                places.one(false);
            }
            rest = wildcard.get(1..).unwrap_or_default();
        }
        self.literal(places, rest);
    }

    fn literal(&self, places: &mut Positions<'_>, literal: &str) {
        if self.ignore_case {
            places.literal_ignore_case(literal);
        } else {
            places.literal(literal);
        }
    }
}

/// The literals between the runs; empty ones where a run starts or ends the pattern.
fn runs(tokens: &[Token]) -> Box<[Box<str>]> {
    let mut literals: Vec<Box<str>> = vec![Box::default()];
    for token in tokens {
        match token {
            Token::Literal(text) => {
                if let Some(last) = literals.last_mut() {
                    *last = text.clone();
                }
            }
            _ => literals.push(Box::default()),
        }
    }
    literals.into()
}

/// Each literal in the middle is taken where it is found first: a later place leaves less text for
/// the rest.
fn matches_runs(literals: &[Box<str>], text: &str) -> bool {
    let [first, middle @ .., last] = literals else { return false };
    let Some(rest) = text.strip_prefix(first.as_ref()) else { return false };
    let Some(mut rest) = rest.strip_suffix(last.as_ref()) else { return false };
    for literal in middle {
        match rest.split_once(literal.as_ref()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

fn push_literal(text: &mut String, literal: &str) {
    for character in literal.chars() {
        match character {
            '*' | '?' | '$' => text.extend(['$', '{', character, '}']),
            other => text.push(other),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcards {
    None,
    Plain,
    Segments,
}

fn tokens(text: &str, variables: bool, wildcards: Wildcards) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    // Where the last default can end: without one ahead, none is looked for.
    let last_default = text.rfind("'}").unwrap_or_default();
    while let Some(next) = rest.chars().next() {
        if variables
            && next == '$'
            && let Some((piece, after)) = variable(rest, text.len() - rest.len() < last_default)
        {
            match piece {
                Piece::Literal(character) => literal.push(character),
                Piece::Variable(found) => {
                    flush(&mut literal, &mut tokens);
                    tokens.push(Token::Variable(Box::new(found)));
                }
            }
            rest = after;
            continue;
        }
        let after = rest.get(next.len_utf8()..).unwrap_or_default();
        let token = match (next, wildcards) {
            ('*', Wildcards::Plain) => Some(Token::Any),
            ('*', Wildcards::Segments) => {
                // R3: only the last token of a segment crosses colons.
                let ends_segment = after.is_empty() || after.starts_with(':');
                Some(if ends_segment { Token::Any } else { Token::AnyButColon })
            }
            ('?', Wildcards::Plain) => Some(Token::One),
            ('?', Wildcards::Segments) => Some(Token::OneButColon),
            _ => None,
        };
        match token {
            Some(token) => {
                flush(&mut literal, &mut tokens);
                if !(token == Token::Any && tokens.last() == Some(&Token::Any)) {
                    tokens.push(token);
                }
            }
            None => literal.push(next),
        }
        rest = after;
    }
    flush(&mut literal, &mut tokens);
    tokens
}

fn flush(literal: &mut String, tokens: &mut Vec<Token>) {
    if !literal.is_empty() {
        tokens.push(Token::Literal(std::mem::take(literal).into()));
    }
}

enum Piece {
    Literal(char),
    Variable(Variable),
}

/// Reads a variable at the start of `text`; a malformed one is ordinary text. No key has a brace, so
/// the search for its end stops at the next variable's.
fn variable(text: &str, may_have_default: bool) -> Option<(Piece, &str)> {
    let body = text.strip_prefix("${")?;
    for special in ['*', '?', '$'] {
        if let Some(after) = body.strip_prefix(special).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Piece::Literal(special), after));
        }
    }
    let end = body.find(['{', '}', ','])?;
    let key = body.get(..end)?.trim();
    let after_key = body.get(end..)?;
    if key.is_empty() || after_key.starts_with('{') {
        return None;
    }
    let key = ConditionKey::new(key);
    if let Some(after) = after_key.strip_prefix('}') {
        return Some((Piece::Variable(Variable { key, default: None }), after));
    }
    // The default runs to the quote that is followed by the brace, so it may hold commas.
    let quoted = after_key
        .strip_prefix(',')
        .filter(|_| may_have_default)?
        .trim_start()
        .strip_prefix('\'')?;
    let (default, after) = quoted.split_once("'}")?;
    Some((Piece::Variable(Variable { key, default: Some(default.into()) }), after))
}
