//! How the oracle reads values, patterns and variables.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wild {
    None,
    Plain,
    Segments,
}

pub fn wildcards(text: &str, wild: Wild) -> String {
    text.chars()
        .map(|character| match (character, wild) {
            ('*', Wild::Plain) => ".*".to_owned(),
            ('?', Wild::Plain) => ".".to_owned(),
            _ => regex::escape(&character.to_string()),
        })
        .collect()
}

pub fn glob(pattern: &str) -> Regex {
    Regex::new(&format!("(?s)^{}$", wildcards(pattern, Wild::Plain))).unwrap()
}

pub enum Variable {
    Character(char),
    Key(String, Option<String>),
}

/// A variable at the start of a text (C17 to C20).
pub fn variable(text: &str) -> Option<(Variable, &str)> {
    static PLAIN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\$\{([*?$])\}").unwrap());
    static KEYED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)^\$\{\s*([^{},]*[^{},\s])\s*\}").unwrap());
    static DEFAULTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)^\$\{\s*([^{},]*[^{},\s])\s*,\s*'(.*?)'\}").unwrap());
    if !text.starts_with("${") {
        return None;
    }
    if let Some(found) = PLAIN.captures(text) {
        let character = found[1].chars().next().unwrap();
        return Some((Variable::Character(character), &text[found[0].len()..]));
    }
    if let Some(found) = KEYED.captures(text) {
        return Some((Variable::Key(found[1].to_owned(), None), &text[found[0].len()..]));
    }
    let found = DEFAULTED.captures(text)?;
    Some((Variable::Key(found[1].to_owned(), Some(found[2].to_owned())), &text[found[0].len()..]))
}

/// The six parts of an ARN; colons inside variables do not count.
pub fn arn_parts(text: &str, variables: bool) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    let mut before = ' ';
    for character in text.chars() {
        if variables && text.contains("${") {
            if character == '{' && before == '$' {
                inside = true;
            } else if character == '}' {
                inside = false;
            }
        }
        if character == ':' && !inside && parts.len() < 6 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(character);
        }
        before = character;
    }
    (parts.len() == 6).then_some(parts)
}

/// Whole and fraction as digits of one scale: compared as big integers in text.
pub type Number = (bool, String, String);

pub fn fraction(text: &str) -> Option<Number> {
    static SHAPE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^([+-]?)(\d*)(?:\.(\d*))?$").unwrap());
    let found = SHAPE.captures(text)?;
    let (whole, part) = (found[2].to_owned(), found.get(3).map_or("", |it| it.as_str()).to_owned());
    (!(whole.is_empty() && part.is_empty())).then_some((&found[1] == "-", whole, part))
}

pub fn instant(text: &str) -> Option<Number> {
    static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(\d{4})-(\d\d)(?:-(\d\d)(?:[Tt](\d\d?)(?::(\d\d?)(?::(\d\d?)(?:\.(\d{1,9}))?)?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?)?)?$",
        )
        .unwrap()
    });
    static EPOCH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^-?\d+(\.\d{1,9})?$").unwrap());
    if EPOCH.is_match(text) {
        return fraction(text);
    }
    let found = SHAPE.captures(text)?;
    let part = |index: usize| found.get(index).map_or(0, |it| it.as_str().parse::<i64>().unwrap());
    let (year, month) = (part(1), part(2));
    let day = if found.get(3).is_some() { part(3) } else { 1 };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = lengths.get(usize::try_from(month - 1).ok()?)?;
    if day < 1 || day > *length || part(4) > 23 || part(5) > 59 || part(6) > 60 {
        return None;
    }
    // Counted day by day from the year 0.
    let mut days: i64 = (0..year)
        .map(|year| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 })
        .sum();
    days += lengths.iter().take(usize::try_from(month - 1).ok()?).sum::<i64>() + day - 1;
    let offset = part(10) * 3600 + part(11) * 60;
    let offset =
        if found.get(9).is_some_and(|sign| sign.as_str() == "-") { -offset } else { offset };
    let seconds = (days - 719_528) * 86_400 + part(4) * 3600 + part(5) * 60 + part(6) - offset;
    let fraction = found.get(7).map_or("", |it| it.as_str()).to_owned();
    // Instants before the epoch with a fraction do not occur in the tests.
    Some((seconds < 0, seconds.abs().to_string(), fraction))
}

pub fn ordered(name: &str, value: &Number, operand: &Number) -> bool {
    let scale = |number: &Number| {
        let digits = format!("{:0>40}{:0<40}", number.1, number.2);
        let zero = digits.bytes().all(|digit| digit == b'0');
        (number.0 && !zero, digits)
    };
    let (value, operand) = (scale(value), scale(operand));
    let ordering = match (value.0, operand.0) {
        (false, false) => value.1.cmp(&operand.1),
        (true, true) => operand.1.cmp(&value.1),
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
    };
    if name.ends_with("LessThan") {
        ordering.is_lt()
    } else if name.ends_with("LessThanEquals") {
        ordering.is_le()
    } else if name.ends_with("GreaterThan") {
        ordering.is_gt()
    } else if name.ends_with("GreaterThanEquals") {
        ordering.is_ge()
    } else {
        ordering.is_eq()
    }
}

/// Bit by bit.
/// An IPv4 address that is written as IPv6.
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address.to_string().strip_prefix("::ffff:") {
        Some(text) if text.contains('.') => text.parse().unwrap(),
        _ => address,
    }
}

pub fn unmapped_range(range: &str) -> String {
    let (text, length) = range.split_once('/').unwrap_or((range, "128"));
    match (text.parse::<IpAddr>(), length.parse::<u32>()) {
        (Ok(address), Ok(length)) if length >= 96 && unmapped(address) != address => {
            format!("{}/{}", unmapped(address), length - 96)
        }
        _ => range.to_owned(),
    }
}

pub fn has_host_bits(range: &str) -> bool {
    let Some((text, length)) = range.split_once('/') else { return false };
    let bits = match text.parse::<IpAddr>().unwrap() {
        IpAddr::V4(address) => format!("{:032b}", u32::from(address)),
        IpAddr::V6(address) => format!("{:0128b}", u128::from(address)),
    };
    bits[length.parse().unwrap()..].contains('1')
}

pub fn cidr(range: &str, address: IpAddr) -> Option<bool> {
    let bits = |address: IpAddr| -> Vec<bool> {
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect()
    };
    let (text, length) = range.split_once('/').unwrap_or((range, ""));
    let network = bits(text.parse().ok()?);
    let length: usize = if range.contains('/') { length.parse().ok()? } else { network.len() };
    if length > network.len() {
        return None;
    }
    let own = bits(address);
    Some(own.len() == network.len() && own.iter().zip(&network).take(length).all(|(a, b)| a == b))
}
