//! Instants as IAM writes them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! (W3C NOTE-datetime profiles of ISO 8601, or epoch seconds).

use std::fmt;
use std::str::FromStr;

use super::InvalidText;

/// An instant, exact to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
    /// 0 to 999,999,999.
    nanoseconds: u32,
}

impl Timestamp {
    /// An instant at a whole second.
    #[must_use]
    pub fn from_epoch_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }

    /// An instant; nanoseconds beyond 999,999,999 are cut to that.
    #[must_use]
    pub fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self { seconds, nanoseconds: nanoseconds.min(999_999_999) }
    }

    /// The first instant of the year that a text of four digits names: the W3C's profile `YYYY`,
    /// which [`str::parse`] reads as seconds.
    #[must_use]
    pub fn of_year(text: &str) -> Option<Self> {
        if text.len() != 4 {
            return None;
        }
        let days = days_of_date(digits(text, 4, 4)?, 1, 1);
        Some(Self::from_epoch_seconds(days.checked_mul(86_400)?))
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn epoch_seconds(self) -> i64 {
        self.seconds
    }
}

impl FromStr for Timestamp {
    type Err = InvalidText;

    /// Reads `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh[:mm[:ss[.f]]]` with `Z`, `±hh`, `±hh:mm` or no
    /// zone (UTC), or epoch seconds. A text without `-` after its first character is a number, so
    /// `2026` is an epoch second here; [`Timestamp::of_year`] reads it as a year.
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        parse(text).ok_or_else(|| InvalidText::new(text, "an ISO 8601 date or epoch seconds"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.seconds.div_euclid(86_400);
        let rest = self.seconds.rem_euclid(86_400);
        let (year, month, day) = date_of_days(days);
        let sign = if year < 0 { "-" } else { "" };
        write!(
            f,
            "{sign}{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            year.abs(),
            rest / 3600,
            rest / 60 % 60,
            rest % 60
        )?;
        if self.nanoseconds > 0 {
            let fraction = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let after_sign = text.get(1..)?;
    if !after_sign.contains('-') && !text.contains([':', 'T', 't']) {
        return parse_epoch(text);
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(place) => (text.get(..place)?, Some(text.get(place + 1..)?)),
        None => (text, None),
    };
    let (negative, date) = match date.strip_prefix('-') {
        Some(date) => (true, date),
        None => (false, date),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4, 9)?;
    let month = digits(parts.next()?, 2, 2)?;
    let day = match parts.next() {
        Some(day) => digits(day, 2, 2)?,
        None => 1,
    };
    if parts.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    let year = if negative { -year } else { year };
    if day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let (seconds, nanoseconds) = match time {
        Some(time) => parse_time(time)?,
        None => (0, 0),
    };
    let seconds = days_of_date(year, month, day).checked_mul(86_400)?.checked_add(seconds)?;
    Some(Timestamp { seconds, nanoseconds })
}

fn parse_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds = parse_fraction(fraction)?;
    if negative && nanoseconds > 0 {
        return Some(Timestamp {
            seconds: seconds.checked_sub(1)?,
            nanoseconds: 1_000_000_000 - nanoseconds,
        });
    }
    Some(Timestamp { seconds, nanoseconds })
}

/// Seconds from midnight UTC (negative or beyond a day after the offset) and nanoseconds.
fn parse_time(text: &str) -> Option<(i64, u32)> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else if let Some(place) = text.rfind(['+', '-']) {
        let (hours, minutes) = match text.get(place + 1..)? {
            zone if zone.contains(':') => zone.split_once(':')?,
            zone if zone.len() == 4 => (zone.get(..2)?, zone.get(2..)?),
            zone => (zone, "00"),
        };
        let (hours, minutes) = (digits(hours, 1, 2)?, digits(minutes, 2, 2)?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        let offset = hours * 3600 + minutes * 60;
        (text.get(..place)?, if text.get(place..)?.starts_with('-') { -offset } else { offset })
    } else {
        (text, 0)
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 1, 2)?;
    let minute = parts.next().map_or(Some(0), |part| digits(part, 1, 2))?;
    let (second, fraction) = match parts.next() {
        Some(second) => second.split_once(['.', ',']).unwrap_or((second, "")),
        None => ("0", ""),
    };
    let second = digits(second, 1, 2)?;
    // 23:59:60 is a leap second; it is taken as the next second.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((hour * 3600 + minute * 60 + second - offset, parse_fraction(fraction)?))
}

fn parse_fraction(text: &str) -> Option<u32> {
    if text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<9}").parse().ok()
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: years are counted from March, in
/// eras of 400 years of 146,097 days.
fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn date_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().epoch_seconds()
    }

    #[test]
    fn every_documented_profile_is_read() {
        assert_eq!(seconds("2020-01-01T00:00:01Z"), 1_577_836_801);
        assert_eq!(seconds("2020-04-01T02:00:00+02:00"), seconds("2020-04-01T00:00Z"));
        assert_eq!(seconds("2020-04"), seconds("2020-04-01"));
        assert_eq!(seconds("2016-12-13t2:00:00.593194+23"), seconds("2016-12-12T03:00:00Z"));
        assert_eq!(seconds("1577836800"), 1_577_836_800);
        assert_eq!(seconds("2026"), 2026);
        assert_eq!(seconds("-0001-01-01"), -62_198_755_200);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "x",
            "2020-13-01",
            "2020-02-30",
            "2020-01-01T25:00Z",
            "1e5",
            "1.2.3",
            "2020-01-01T",
            "é-",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn printing_and_reading_agree() {
        for seconds in [-62_198_755_200, -1, 0, 1_577_836_801, 253_402_300_799] {
            let instant = Timestamp::new(seconds, 120_000_000);
            assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
        }
    }
}
