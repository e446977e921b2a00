//! Times, sizes and paces as people write them, and back.
//!
//! Only whole numbers with a unit: `1.5h` or `90` could be read in two ways and are refused.

use serde::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Why a time, size or pace could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum UnitError {
    /// Not a time.
    #[error("is not a time")]
    Time,
    /// Not a size.
    #[error("is not a size")]
    Size,
    /// Not a pace.
    #[error("is not a rate")]
    Pace,
}

impl UnitError {
    /// What to write instead.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            UnitError::Time => {
                "write a whole number and a unit: `500ms`, `30s`, `5m`, `12h` or `7d`"
            }
            UnitError::Size => "write a whole number and a unit: `512B`, `16KiB`, `4MiB` or `1GiB`",
            UnitError::Pace => "write how many in which time: `50/s`, `600/m` or `100/h`",
        }
    }
}

/// The time a pace counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// One second.
    Second,
    /// One minute.
    Minute,
    /// One hour.
    Hour,
}

impl Period {
    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Period::Second => 1,
            Period::Minute => 60,
            Period::Hour => 3600,
        }
    }
}

/// So many in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// How many; never 0.
    pub count: u32,
    /// In which time.
    pub period: Period,
}

impl Pace {
    /// The time from one to the next at this pace, in nanoseconds, rounded up.
    pub fn interval_ns(self) -> u64 {
        (u64::from(self.period.seconds()) * 1_000_000_000).div_ceil(u64::from(self.count.max(1)))
    }

    /// How many in an hour: the same scale for all of them.
    pub fn per_hour(self) -> u64 {
        u64::from(self.count) * u64::from(3600 / self.period.seconds())
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.period {
            Period::Second => "s",
            Period::Minute => "m",
            Period::Hour => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl Serialize for Pace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const TIMES: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZES: [(&str, u64); 5] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads `30s`.
pub(crate) fn time(text: &str) -> Result<Duration, UnitError> {
    scaled(text, &TIMES)
        .map(Duration::from_millis)
        .ok_or(UnitError::Time)
}

/// Reads `4MiB`.
pub(crate) fn size(text: &str) -> Result<u64, UnitError> {
    scaled(text, &SIZES).ok_or(UnitError::Size)
}

/// Reads `50/s`.
pub(crate) fn pace(text: &str) -> Result<Pace, UnitError> {
    let (count, unit) = text.split_once('/').ok_or(UnitError::Pace)?;
    let period = match unit.trim() {
        "s" => Period::Second,
        "m" => Period::Minute,
        "h" => Period::Hour,
        _ => return Err(UnitError::Pace),
    };
    let count = whole(count.trim()).ok_or(UnitError::Pace)?;
    match u32::try_from(count) {
        Ok(count) if count > 0 => Ok(Pace { count, period }),
        _ => Err(UnitError::Pace),
    }
}

/// Writes a time so that [`time`] reads the same.
pub(crate) fn show_time(it: Duration) -> String {
    let ms = u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    show(ms, &TIMES)
}

/// Writes a size so that [`size`] reads the same.
pub(crate) fn show_size(it: u64) -> String {
    show(it, &SIZES)
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.trim();
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    whole(number)?.checked_mul(*scale)
}

fn whole(digits: &str) -> Option<u64> {
    // A leading zero is octal to some readers; a sign is allowed by `parse` but means nothing here.
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let leading = digits.len() > 1 && digits.starts_with('0');
    (plain && !leading).then(|| digits.parse().ok()).flatten()
}

fn show(number: u64, units: &[(&str, u64)]) -> String {
    let best = units
        .iter()
        .rfind(|(name, scale)| !name.is_empty() && number.is_multiple_of(*scale));
    match best {
        // 0 fits every unit; the smallest one says it best.
        Some((name, scale)) if number > 0 => format!("{}{name}", number / scale),
        _ => {
            let name = units
                .iter()
                .map(|(name, _)| *name)
                .find(|it| !it.is_empty());
            format!("{number}{}", name.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_times() {
        for (text, ms) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("5 m", Some(300_000)),
            ("12h", Some(43_200_000)),
            ("7d", Some(604_800_000)),
            ("0s", Some(0)),
            ("30", None),
            ("1.5h", None),
            ("-1s", None),
            ("+1s", None),
            ("010s", None),
            ("s", None),
            ("", None),
            ("5M", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("٣s", None),
        ] {
            assert_eq!(time(text).ok(), ms.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("4MiB", Some(4 << 20)),
            ("16 KiB", Some(16 << 10)),
            ("1GiB", Some(1 << 30)),
            ("512B", Some(512)),
            ("4096", Some(4096)),
            ("4MB", None),
            ("4mib", None),
            ("4.5MiB", None),
            ("18446744073709551615GiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
    }

    #[test]
    fn reads_paces() {
        for (text, expected) in [
            ("50/s", Some((50, Period::Second))),
            ("10 / m", Some((10, Period::Minute))),
            ("1/h", Some((1, Period::Hour))),
            ("0/s", None),
            ("50", None),
            ("50/d", None),
            ("-5/s", None),
            ("4294967296/s", None),
        ] {
            let expected = expected.map(|(count, period)| Pace { count, period });
            assert_eq!(pace(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn knows_the_time_between_two_at_a_pace() {
        for (text, ns) in [
            ("50/s", 20_000_000),
            ("3/s", 333_333_334),
            ("1/h", 3_600_000_000_000),
        ] {
            assert_eq!(pace(text).map(Pace::interval_ns), Ok(ns), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_the_same(number in 0u64..u64::MAX / 2, count in 1u32.., text in ".{0,12}") {
            prop_assert_eq!(size(&show_size(number)), Ok(number));
            let length = Duration::from_millis(number);
            prop_assert_eq!(time(&show_time(length)), Ok(length));
            let it = Pace { count, period: Period::Minute };
            prop_assert_eq!(pace(&it.to_string()), Ok(it));
            let _ = (size(&text), time(&text), pace(&text));
        }
    }
}
