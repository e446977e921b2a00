//! Values of every rule, drawn: of its form, and right by its check.
//!
//! Most checks agree with one of some hundred texts of their form, so that drawing until they agree
//! does. Of those that do not, the value is made as its issuer makes it.

use super::draw::{ALNUM, DIGITS, Draw, part};
use super::form::{Drawn, Form, Length};
use crate::data::is_placeholder;
use crate::data::rule::{Anchor, Rule};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Draws until a check has to have agreed.
const DRAWS: usize = 200_000;

/// What a rule has to find.
pub(super) struct Values<'r> {
    rule: &'r Rule,
    form: Form,
}

impl<'r> Values<'r> {
    /// Nothing for a rule that goes by the names of members alone.
    pub(super) fn of(rule: &'r Rule) -> Option<Values<'r>> {
        (!rule.pattern.is_empty()).then(|| Values {
            rule,
            form: Form::of(&rule.pattern),
        })
    }

    /// One of them. The range is that of what the rule reports.
    pub(super) fn draw(&self, length: Length, draw: &mut Draw) -> Drawn {
        for round in 0..DRAWS {
            // The longest may be longer than the rule lets, and the shortest too short for its check.
            let length = if round < 100 { length } else { Length::Any };
            let mut drawn = self.form.draw(length, draw);
            if let Some(make) = self.rule.check.and_then(|check| maker(check.name())) {
                drawn = drawn.with(&make(draw));
            }
            if let Some(drawn) = self.right(drawn) {
                return drawn;
            }
        }
        panic!(
            "`{}`: no text of its form is one that it finds",
            self.rule.id
        )
    }

    /// The text, if everything holds that has to hold of it.
    fn right(&self, drawn: Drawn) -> Option<Drawn> {
        let value = part(&drawn.text, drawn.value.clone());
        let within = self.rule.judged(value)?;
        if self.rule.is_other(&drawn.text, 0..drawn.value.start) {
            return None;
        }
        let at = drawn.value.start + within.start..drawn.value.start + within.end;
        // A made value leaves the form where the form is narrower than its check.
        let fits =
            drawn.text.len() <= self.rule.longest && !is_placeholder(part(&drawn.text, at.clone()));
        fits.then_some(Drawn {
            text: drawn.text,
            value: at,
        })
    }

    /// What has to stand before the text for the rule to be asked.
    pub(super) fn word(&self, text: &str, draw: &mut Draw) -> Option<String> {
        let Anchor::Near { words, .. } = &self.rule.anchor else {
            return None;
        };
        let lower = text.to_ascii_lowercase();
        let holds = |word: &str| lower.contains(&word.to_ascii_lowercase());
        match words.iter().any(|word| holds(word)) {
            true => None,
            false => Some(draw.one(words).to_string()),
        }
    }
}

type Make = fn(&mut Draw) -> String;

fn maker(check: &str) -> Option<Make> {
    Some(match check {
        "age_key" => age_key,
        "base64_credentials" => credentials,
        "email" => address,
        "github_crc" => github,
        "iban" => account,
        "jwt" => jwt,
        "payment_card" => card,
        "pem" => key,
        _ => return None,
    })
}

/// BIP 173: the checksum is what makes the polynomial 1.
fn age_key(draw: &mut Draw) -> String {
    const SIGNS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const TERMS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let human = "age-secret-key-";
    let body = draw.of(SIGNS, 52);
    let high = human.bytes().map(|byte| u32::from(byte) >> 5);
    let low = human.bytes().map(|byte| u32::from(byte) & 31);
    let value = |sign: char| u32::try_from(SIGNS.find(sign).unwrap()).unwrap();
    let all = high
        .chain([0])
        .chain(low)
        .chain(body.chars().map(value))
        .chain([0; 6]);
    let sum = all.fold(1u32, |sum, value| {
        let next = ((sum & 0x01ff_ffff) << 5) ^ value;
        let terms = TERMS
            .iter()
            .enumerate()
            .filter(|(bit, _)| (sum >> (25 + bit)) & 1 == 1);
        terms.fold(next, |next, (_, term)| next ^ term)
    }) ^ 1;
    let check: String = (0..6)
        .map(|at| char::from(SIGNS.as_bytes()[((sum >> (5 * (5 - at))) & 31) as usize]))
        .collect();
    format!("{human}1{body}{check}").to_ascii_uppercase()
}

fn credentials(draw: &mut Draw) -> String {
    STANDARD.encode(format!("{}:{}", draw.of("abcdefgh", 5), draw.of(ALNUM, 11)))
}

fn address(draw: &mut Draw) -> String {
    let name = [draw.of("abcdefghij", 5), draw.of(DIGITS, 1)].concat();
    let host = draw.of("abcdefghij-", 5).replace('-', "k");
    let last = draw.one(&["test", "com", "co.uk", "de", "museum"]);
    let between = draw.one(&["", ".o", "+list", "_x", "'n"]);
    format!("{name}{between}@{host}.{last}")
}

fn github(draw: &mut Draw) -> String {
    let random = draw.of(ALNUM, 30);
    let step = |crc: u32| match crc & 1 {
        1 => (crc >> 1) ^ 0xedb8_8320,
        _ => crc >> 1,
    };
    let sum = random.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc))
    });
    let digits: Vec<char> = [DIGITS, part(ALNUM, ..52)].concat().chars().collect();
    let mut left = sum ^ u32::MAX;
    let mut written = String::new();
    for _ in 0..6 {
        written.insert(0, digits[(left % 62) as usize]);
        left /= 62;
    }
    let prefix = draw.one(&["ghp", "gho", "ghu", "ghs", "ghr"]);
    format!("{prefix}_{random}{written}")
}

/// ISO 13616: the check digits are 98 less the number with zeros in their place, modulo 97.
fn account(draw: &mut Draw) -> String {
    const COUNTRIES: [(&str, &str, usize); 10] = [
        ("DE", "", 18),
        ("FR", "", 23),
        ("NL", "ABNA", 10),
        ("GB", "NWBK", 14),
        ("NO", "", 11),
        ("MT", "MALT", 23),
        ("ES", "", 20),
        ("CH", "", 17),
        ("BR", "", 23),
        ("LC", "HEMM", 24),
    ];
    let (country, bank, digits) = *draw.one(&COUNTRIES);
    let own = [bank, &draw.of(DIGITS, digits)].concat();
    let written: String = format!("{own}{country}00")
        .chars()
        .map(|sign| sign.to_digit(36).unwrap().to_string())
        .collect();
    let rest = written
        .bytes()
        .fold(0, |rest, byte| (rest * 10 + u64::from(byte - b'0')) % 97);
    let plain = format!("{country}{:02}{own}", 98 - rest);
    let between = *draw.one(&["", " "]);
    grouped(&plain, between)
}

fn jwt(draw: &mut Draw) -> String {
    let header = format!("{{\"alg\":\"ES256\",\"kid\":\"{}\"}}", draw.of(ALNUM, 4));
    let claims = format!("{{\"sub\":\"{}\"}}", draw.of(ALNUM, 9));
    let [header, claims] = [header, claims].map(|text| URL_SAFE_NO_PAD.encode(text));
    format!("{header}.{claims}.{}", draw.of(ALNUM, 43))
}

/// ISO/IEC 7812-1: an issuer, a length of its own, and the check digit of Luhn.
fn card(draw: &mut Draw) -> String {
    const ISSUERS: [(&str, usize); 17] = [
        ("4", 16),
        ("4", 19),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("6011", 16),
        ("644", 16),
        ("65", 16),
        ("62", 16),
        ("62", 19),
        ("3528", 16),
        ("3589", 16),
        ("36", 14),
        ("305", 14),
    ];
    let (issuer, length) = *draw.one(&ISSUERS);
    let body = [issuer, &draw.of(DIGITS, length - 1 - issuer.len())].concat();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| match place % 2 {
            0 => doubled(u32::from(byte - b'0')),
            _ => u32::from(byte - b'0'),
        })
        .sum();
    let plain = format!("{body}{}", (10 - sum % 10) % 10);
    let between = *draw.one(&["", " ", "-"]);
    grouped(&plain, between)
}

/// RFC 7468, with lines of 64 signs, or with the escapes that JSON and shells write for their ends.
fn key(draw: &mut Draw) -> String {
    let kind = draw.one(&["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "]);
    let end = draw.one(&["\n", "\r\n", "\\n"]);
    let lines: Vec<String> = (0..3).map(|_| draw.of(ALNUM, 64)).collect();
    let body = lines.join(end);
    format!("-----BEGIN {kind}PRIVATE KEY-----{end}{body}=={end}-----END {kind}PRIVATE KEY-----")
}

/// In groups of four.
fn grouped(plain: &str, between: &str) -> String {
    let signs: Vec<char> = plain.chars().collect();
    let groups: Vec<String> = signs
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(between)
}
