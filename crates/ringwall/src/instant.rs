//! Moments as people write them: ISO 8601 in UTC when shown, and dates, times or "so long ago" when
//! read. It never asks what time it is.

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment, in milliseconds since 1970, as `2026-11-22T21:05:26.123Z`.
pub(crate) fn shown(unix_ms: u64) -> String {
    let (year, month, day) = date(unix_ms / DAY);
    let of_day = unix_ms % DAY;
    let (hour, minute, second) = (
        of_day / HOUR,
        of_day % HOUR / MINUTE,
        of_day % MINUTE / SECOND,
    );
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        of_day % SECOND
    )
}

/// Reads `10m` (so long before `now_ms`), `2026-11-22`, or `2026-11-22T21:05[:26[.123]]`, in UTC or
/// with an offset.
pub(crate) fn read(text: &str, now_ms: u64) -> Option<u64> {
    if let Some(ago) = ago(text) {
        return Some(now_ms.saturating_sub(ago));
    }
    let (day, rest) = match text.split_once(['T', ' ']) {
        Some((day, rest)) => (day, Some(rest)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let (year, month, day) = (
        number(parts.next()?, 4)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days(year, month, day);
    if date(days) != (year, month, day) {
        return None;
    }
    let at = days.checked_mul(DAY)?;
    match rest {
        None => Some(at),
        Some(rest) => clock(rest)
            .and_then(|(of_day, offset)| at.checked_add(of_day)?.checked_add_signed(offset)),
    }
}

fn ago(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain
        .then(|| digits.parse::<u64>().ok()?.checked_mul(unit))
        .flatten()
}

/// Milliseconds into the day, and what has to be added to be in UTC.
fn clock(text: &str) -> Option<(u64, i64)> {
    let (text, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text, 0),
        None => match text.rfind(['+', '-']) {
            Some(at) => (text.get(..at)?, offset(text.get(at..)?)?),
            None => (text, 0),
        },
    };
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = match parts.next() {
        None => 0,
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            let plain =
                !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
            let millis: String = fraction.chars().chain("00".chars()).take(3).collect();
            let millis = plain.then(|| millis.parse::<u64>().ok()).flatten()?;
            number(whole, 2).filter(|second| *second < 60)? * SECOND + millis
        }
    };
    let fits = parts.next().is_none() && hour < 24 && minute < 60;
    fits.then_some((hour * HOUR + minute * MINUTE + seconds, offset))
}

fn offset(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('+') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('-')?),
    };
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    let millis = i64::try_from(hour * HOUR + minute * MINUTE).ok()?;
    (hour < 24 && minute < 60).then_some(sign * millis)
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let plain = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Days since 1970 of a date. The year begins in March here, so that the leap day is its last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.saturating_sub(1);
    let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
    (year / 400 * 146_097 + of_era).saturating_sub(719_468)
}

/// The date so many days after 1970-01-01: year, month, day.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_era_years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_years + of_era_years / 4 - of_era_years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + of_era_years + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_moments_as_calendars_do() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_763_845_526_123, "2025-11-22T21:05:26.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(shown(ms), text);
            assert_eq!(read(text, 0), Some(ms), "{text}");
        }
    }

    #[test]
    fn every_day_reads_back() {
        for day in (0..80_000).map(|day| day * DAY) {
            assert_eq!(read(shown(day).get(..10).unwrap(), 0), Some(day));
        }
    }

    #[test]
    fn reads_what_people_write() {
        let now = 1_763_845_526_123;
        for (text, expected) in [
            ("10m", Some(now - 600_000)),
            ("2h", Some(now - 7_200_000)),
            ("1d", Some(now - DAY)),
            ("0s", Some(now)),
            ("2025-11-22", Some(1_763_769_600_000)),
            ("2025-11-22T21:05", Some(1_763_845_500_000)),
            ("2025-11-22 21:05:26.1Z", Some(1_763_845_526_100)),
            ("2025-11-22T22:05:26.123+01:00", Some(now)),
            ("2025-11-22T16:05:26.123-05:00", Some(now)),
        ] {
            assert_eq!(read(text, now), expected, "{text}");
        }
        for wrong in [
            "",
            "m",
            "-1m",
            "10",
            "10w",
            "2025-02-29",
            "2025-13-01",
            "2025-1-1",
            "1969-01-01",
            "2025-11-22T25:00",
            "2025-11-22T21",
            "2025-11-22T21:05:60",
            "99999999999999999999d",
            "é",
            "2025-11-22T21:05+1:00",
        ] {
            assert_eq!(read(wrong, now), None, "{wrong}");
        }
    }
}
