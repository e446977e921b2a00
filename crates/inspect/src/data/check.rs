//! What a form alone does not say: checksums, lengths by country, dates that exist.
//!
//! Each check is a function of the text that a pattern found. It says which part of it is the value,
//! or that none is. The arithmetic is what issuers publish; nothing is guessed.

pub(super) mod cards;
mod code;
mod codes;
mod finance;
mod north;
mod people;

use std::ops::Range;
use std::sync::LazyLock;

/// Finds every value in a text from a place on: those that stand alone, in order, and no two at one
/// place.
pub(super) type Every = fn(&str, usize) -> Vec<Range<usize>>;

/// A check by its name.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    name: &'static str,
    judge: fn(&str) -> Option<Range<usize>>,
}

impl Check {
    /// The check of this name.
    pub fn named(name: &str) -> Option<Check> {
        ALL.iter().find(|check| check.name == name).copied()
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|check| check.name)
    }

    /// A pattern whose matches the check finds by itself, many times faster, and how.
    pub(super) fn every(self) -> Option<(&'static str, Every)> {
        match self.name {
            "payment_card" => Some((cards::PATTERN, cards::every)),
            _ => None,
        }
    }

    /// Whether what reads like an example ([`super::is_placeholder`]) does not hold either. Whoever asks the
    /// check asks that: it is the same for every rule at one place.
    pub(super) fn refuses_examples(self) -> bool {
        self.name == "password"
    }

    /// What packs call it.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// The part of what was found that is the value, if there is one.
    pub(super) fn judge(self, found: &str) -> Option<Range<usize>> {
        (self.judge)(found)
    }
}

/// A check that takes or leaves all of what was found.
macro_rules! whole_check {
    ($name:literal, $judge:path) => {
        Check {
            name: $name,
            judge: |found| $judge(found).then_some(0..found.len()),
        }
    };
}

/// Every check there is.
const ALL: &[Check] = &[
    whole_check!("age_key", codes::age_key),
    whole_check!("base64_credentials", codes::base64_credentials),
    whole_check!("email", codes::email),
    whole_check!("github_crc", codes::github_crc),
    whole_check!("jwt", codes::jwt),
    whole_check!("mixed", codes::mixed),
    whole_check!("password", codes::password),
    whole_check!("not_named", codes::not_named),
    whole_check!("not_path", codes::not_path),
    whole_check!("pem", codes::pem),
    whole_check!("url_password", codes::url_password),
    whole_check!("bic", finance::bic),
    whole_check!("ein", finance::ein),
    Check {
        name: "iban",
        judge: finance::iban,
    },
    Check {
        name: "payment_card",
        judge: cards::first,
    },
    whole_check!("luhn", finance::luhn),
    whole_check!("ipv4_public", codes::ipv4_public),
    whole_check!("ipv6_public", codes::ipv6_public),
    whole_check!("date", people::date),
    whole_check!("phone", people::phone),
    whole_check!("at_svnr", people::at_svnr),
    whole_check!("be_nn", people::be_nn),
    whole_check!("br_cpf", people::br_cpf),
    whole_check!("ch_ahv", people::ch_ahv),
    whole_check!("de_id_card", people::de_id_card),
    whole_check!("de_rvnr", people::de_rvnr),
    whole_check!("de_steuer_id", people::de_steuer_id),
    whole_check!("es_dni", people::es_dni),
    whole_check!("fr_nir", people::fr_nir),
    whole_check!("fr_spi", people::fr_spi),
    whole_check!("it_codice_fiscale", people::it_codice_fiscale),
    whole_check!("nl_bsn", people::nl_bsn),
    whole_check!("pl_pesel", people::pl_pesel),
    whole_check!("pt_nif", people::pt_nif),
    whole_check!("uk_nhs", people::uk_nhs),
    whole_check!("uk_nino", people::uk_nino),
    whole_check!("uk_utr", people::uk_utr),
    whole_check!("us_itin", people::us_itin),
    whole_check!("us_npi", people::us_npi),
    whole_check!("us_ssn", people::us_ssn),
    whole_check!("verhoeff", people::verhoeff),
    whole_check!("dk_cpr", north::dk_cpr),
    whole_check!("fi_hetu", north::fi_hetu),
    whole_check!("no_fnr", north::no_fnr),
    whole_check!("se_pnr", north::se_pnr),
];

/// Bytes of a text whose information is counted.
const COUNTED: usize = 1024;
/// How much more there is of a character that occurs once more, in bits, by how often it did before.
static ONCE_MORE: LazyLock<[f32; 64]> = LazyLock::new(|| {
    let mut steps = [0.0; 64];
    let bits = |count: u16| f32::from(count) * f32::from(count.max(1)).log2();
    for (count, step) in (0..).zip(&mut steps) {
        *step = bits(count + 1) - bits(count);
    }
    steps
});
/// What sums of these are off by at most.
const ROUGH: f32 = 0.01;

/// Whether each character has this many bits of information at least.
pub(super) fn is_dense(text: &str, least: f32) -> bool {
    match roughly(text).filter(|bits| (bits - least).abs() > ROUGH) {
        Some(bits) => bits > least,
        None => entropy(text) >= least,
    }
}

/// The same as [`entropy`] but for a little, and without a look at what does not occur. Nothing where a
/// character occurs too often for that.
fn roughly(text: &str) -> Option<f32> {
    let mut counts = [0u8; 256];
    let mut bits = 0.0;
    for byte in text.bytes().take(COUNTED) {
        let count = counts.get_mut(usize::from(byte))?;
        bits += ONCE_MORE.get(usize::from(*count))?;
        *count += 1;
    }
    let all = u16::try_from(text.len().min(COUNTED)).ok()?;
    let all = f32::from(all.max(1));
    Some(all.log2() - bits / all)
}

/// Bits of information in each character, by how often each of them occurs.
pub(super) fn entropy(text: &str) -> f32 {
    let mut counts = [0u16; 256];
    let mut all = 0u16;
    for byte in text.bytes().take(COUNTED) {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
        all += 1;
    }
    let all = f32::from(all.max(1));
    let share = |count: &u16| f32::from(*count) / all;
    let bits = |share: f32| -share * share.log2();
    counts
        .iter()
        .filter(|it| **it > 0)
        .map(share)
        .map(bits)
        .sum()
}

/// The digits of a text, whatever stands between them: `N` of them, no more and no fewer.
pub(super) fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let mut out = [0; N];
    let mut found = text.bytes().filter(u8::is_ascii_digit);
    for place in &mut out {
        *place = u32::from(found.next()? - b'0');
    }
    found.next().is_none().then_some(out)
}

/// The number that digits write.
pub(super) fn number(digits: &[u32]) -> u64 {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(*digit))
}

/// The sum of digits, each with its weight.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum()
}

/// The check of Luhn (ISO/IEC 7812-1, annex B): the last digit is the check digit.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| match digit * 2 {
        twice @ 0..=9 => twice,
        twice => twice - 9,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => doubled(*digit),
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// Whether a day exists, in some year: a two-digit year says no century.
pub(super) fn is_day(day: u64, month: u64) -> bool {
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=longest).contains(&day)
}

#[cfg(test)]
mod tests;
