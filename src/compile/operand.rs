//! Typed values of conditions.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::model::Timestamp;

/// An exact decimal number: no rounding, any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    negative: bool,
    /// INVARIANT (normal): no leading zeros here, no trailing zeros in `fraction`.
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads an integer or decimal, with or without sign; no exponents.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }
}

/// A [`Decimal`] of a policy, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecimalOperand {
    negative: bool,
    whole: Box<str>,
    fraction: Box<str>,
}

impl DecimalOperand {
    /// Reads what [`Decimal::parse`] reads.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Decimal { negative, whole, fraction } = Decimal::parse(text)?;
        Some(Self { negative, whole: whole.into(), fraction: fraction.into() })
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> Decimal<'_> {
        Decimal { negative: self.negative, whole: &self.whole, fraction: &self.fraction }
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            let whole = self.whole.len().cmp(&other.whole.len()).then(self.whole.cmp(other.whole));
            // Fractions without trailing zeros compare as text: a proper prefix is smaller.
            whole.then(self.fraction.cmp(other.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A date as AWS's pages let one read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// With a text of digits alone as seconds since 1970.
    pub seconds: Timestamp,
    /// With four digits as a year; the same for every other text.
    pub year: Timestamp,
}

impl Date {
    /// Reads what [`Timestamp`] reads.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let seconds = text.parse().ok()?;
        Some(Self { seconds, year: Timestamp::of_year(text).unwrap_or(seconds) })
    }
}

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Reads `a.b.c.d/n` or `x::y/n`; without a length, one address. Host bits are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match length {
            Some(length) if length.bytes().all(|b| b.is_ascii_digit()) => length.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Whether it has bits beyond its length, as `203.0.113.7/24` has.
    #[must_use]
    pub fn has_host_bits(&self) -> bool {
        let (bits, width) = match self.address {
            IpAddr::V4(address) => (u32::from(address).into(), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let host = u32::from(width - self.prefix);
        bits.trailing_zeros() < host && bits != 0
    }

    /// The same range, as IPv4 where it holds IPv4 addresses written as IPv6 alone.
    #[must_use]
    pub fn canonical(&self) -> Self {
        match (self.address.to_canonical(), self.prefix.checked_sub(96)) {
            (address @ IpAddr::V4(_), Some(prefix)) if self.address.is_ipv6() => {
                Self { address, prefix }
            }
            _ => *self,
        }
    }

    /// Whether an address lies inside; IPv4 and IPv6 never contain each other.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let differing = u128::from(u32::from(range) ^ u32::from(address));
                differing >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let differing = u128::from(range) ^ u128::from(address);
                differing.checked_shr(u32::from(128 - self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// `true` or `false` in lower case; `Some(Err(_))` when only the case is wrong.
#[must_use]
pub fn parse_bool(text: &str) -> Option<Result<bool, bool>> {
    match text {
        "true" => Some(Ok(true)),
        "false" => Some(Ok(false)),
        _ if text.eq_ignore_ascii_case("true") => Some(Err(true)),
        _ if text.eq_ignore_ascii_case("false") => Some(Err(false)),
        _ => None,
    }
}
