//! Instants as text, both ways, without a calendar library: what policies compare are Cedar
//! datetimes, and those are made from text.

/// RFC 3339 in UTC with milliseconds, or nothing outside the years 0 to 9999.
pub(crate) fn to_text(ms: i64) -> Option<String> {
    const DAY: i64 = 86_400_000;
    let (days, rest) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
    let (year, month, day) = civil(days)?;
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
    ))
}

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar.
/// Years start in March here, which puts the leap day at their end.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    const ERA: i64 = 146_097; // days in 400 years
    let days = days.checked_add(719_468)?; // since 0000-03-01
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = match from_march {
        0..=9 => from_march + 3,
        _ => from_march - 9,
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (0..=9_999).contains(&year).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_instants_as_calendars_do() {
        for (ms, expected) in [
            (0, Some("1970-01-01T00:00:00.000Z")),
            (-1, Some("1969-12-31T23:59:59.999Z")),
            (951_782_400_000, Some("2000-02-29T00:00:00.000Z")),
            (951_868_800_000, Some("2000-03-01T00:00:00.000Z")),
            (4_107_542_399_999, Some("2100-02-28T23:59:59.999Z")),
            (1_792_065_845_678, Some("2026-10-15T12:04:05.678Z")),
            (253_402_300_799_999, Some("9999-12-31T23:59:59.999Z")),
            (253_402_300_800_000, None),
            (-62_167_219_200_000, Some("0000-01-01T00:00:00.000Z")),
            (-62_167_219_200_001, None),
            (i64::MAX, None),
            (i64::MIN, None),
        ] {
            assert_eq!(to_text(ms).as_deref(), expected, "{ms}");
        }
    }
}
