//! Checks of accounts and cards.

use std::ops::Range;

/// Lengths of IBANs by country (the registry of ISO 13616 that SWIFT keeps).
const IBANS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// The IBAN at the beginning of a text: as long as its country says, and 1 modulo 97 (ISO 7064).
pub(super) fn iban(text: &str) -> Option<Range<usize>> {
    let country = text.get(..2)?;
    let known = IBANS.binary_search_by(|(known, _)| (*known).cmp(country));
    let (_, length) = *IBANS.get(known.ok()?)?;
    let mut letters = Vec::with_capacity(length);
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() {
            letters.push(byte);
            end = at + 1;
        }
        if letters.len() == length {
            break;
        }
    }
    let goes_on = text
        .as_bytes()
        .get(end)
        .is_some_and(u8::is_ascii_alphanumeric);
    let (head, account) = letters.split_at_checked(4)?;
    let number = account.iter().chain(head).fold(0, |rest, byte| {
        let number = match byte {
            b'0'..=b'9' => rest * 10 + u64::from(byte - b'0'),
            _ => rest * 100 + u64::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10,
        };
        // Divided where there is no room for two more digits: each time waits for the one before.
        match number < u64::MAX / 1000 {
            true => number,
            false => number % 97,
        }
    });
    (letters.len() == length && !goes_on && number % 97 == 1).then_some(0..end)
}

/// Digits whose last is the check digit of Luhn.
pub(super) fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| u32::from(byte - b'0'))
        .collect();
    super::luhn(&digits) && digits.iter().any(|digit| *digit != 0)
}

/// A business identifier code (ISO 9362): its country is one.
pub(super) fn bic(text: &str) -> bool {
    const MORE: [&str; 18] = [
        "US", "CA", "AU", "NZ", "JP", "CN", "HK", "SG", "IN", "KR", "MX", "ZA", "RU", "TH", "MY",
        "ID", "PH", "VN",
    ];
    let country = text.get(4..6).unwrap_or_default();
    MORE.contains(&country) || IBANS.iter().any(|(known, _)| *known == country)
}

/// A US employer identification number: its prefix is one of those that the IRS gives.
pub(super) fn ein(text: &str) -> bool {
    let never = [
        "00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89",
        "96", "97",
    ];
    text.get(..2).is_some_and(|prefix| !never.contains(&prefix))
}
