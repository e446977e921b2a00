//! Values made from a fixed seed: what is right is found wherever it stands, and the same with one
//! sign changed is not.

use crate::data::pack::Pack;
use crate::data::{Rules, mark, redacted};
use std::sync::Arc;

/// A sequence that is the same in every run (xorshift).
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn of(&mut self, letters: &str, count: usize) -> String {
        let all: Vec<char> = letters.chars().collect();
        (0..count)
            .map(|_| all[usize::try_from(self.next(all.len() as u64)).unwrap()])
            .collect()
    }
}

const DIGITS: &str = "0123456789";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn luhn(body: &str) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match place % 2 {
                0 if digit > 4 => digit * 2 - 9,
                0 => digit * 2,
                _ => digit,
            }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn iban(country: &str, account: &str) -> String {
    let digits: String = format!("{account}{country}00")
        .chars()
        .map(|sign| sign.to_digit(36).unwrap().to_string())
        .collect();
    let rest = digits
        .bytes()
        .fold(0, |rest, byte| (rest * 10 + u64::from(byte - b'0')) % 97);
    format!("{country}{:02}{account}", 98 - rest)
}

fn card(draw: &mut Draw) -> (String, String) {
    let (prefix, length) = [
        ("4", 16),
        ("52", 16),
        ("37", 15),
        ("6011", 16),
        ("3530", 16),
    ][usize::try_from(draw.next(5)).unwrap()];
    let body = format!("{prefix}{}", draw.of(DIGITS, length - 1 - prefix.len()));
    let good = luhn(&body);
    (good.clone(), changed(&good))
}

fn account(draw: &mut Draw) -> (String, String) {
    let made = match draw.next(3) {
        0 => iban("DE", &draw.of(DIGITS, 18)),
        1 => iban("NL", &format!("ABNA{}", draw.of(DIGITS, 10))),
        _ => iban("FR", &draw.of(DIGITS, 23)),
    };
    (made.clone(), changed(&made))
}

fn github(draw: &mut Draw) -> (String, String) {
    let random = draw.of(ALNUM, 30);
    let mut left = random.bytes().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
        crc
    }) ^ u32::MAX;
    let digits: Vec<char> = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        .chars()
        .collect();
    let mut sum = Vec::new();
    for _ in 0..6 {
        sum.insert(0, digits[(left % 62) as usize]);
        left /= 62;
    }
    let good = format!("ghp_{random}{}", sum.into_iter().collect::<String>());
    (good.clone(), changed(&good))
}

fn aws(draw: &mut Draw) -> (String, String) {
    let good = format!("AKIA{}", draw.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16));
    (good.clone(), format!("{good}A"))
}

fn mail(draw: &mut Draw) -> (String, String) {
    let good = format!(
        "{}@{}.test",
        draw.of("abcdefghij.k", 7).replace('.', "x"),
        draw.of("abcdefghij", 6)
    );
    (good.clone(), good.replace('@', "(at)"))
}

/// The last digit, one more.
fn changed(value: &str) -> String {
    let (head, last) = value.split_at(value.len() - 1);
    let last = last.chars().next().unwrap();
    let next = match last {
        '9' => '0',
        'z' => 'a',
        other => char::from_u32(u32::from(other) + 1).unwrap(),
    };
    format!("{head}{next}")
}

type Make = fn(&mut Draw) -> (String, String);

const TYPES: [(&str, Make); 5] = [
    ("personal.payment_card", card),
    ("personal.iban", account),
    ("secret.github_token", github),
    ("secret.aws_access_key_id", aws),
    ("personal.email", mail),
];

fn rules() -> Arc<Rules> {
    Rules::of(Pack::built_in().unwrap(), |_| true).unwrap()
}

#[test]
fn made_values_are_found_wherever_they_stand_and_near_misses_are_not() {
    let (rules, mut draw) = (rules(), Draw(0x5eed));
    for (label, make) in TYPES {
        for round in 0..200 {
            let (good, bad) = make(&mut draw);
            let around = [
                ("", ""),
                ("see ", "."),
                ("日本", "語"),
                ("(\"", "\")"),
                ("a\n", "\nb"),
            ];
            let (before, after) = around[round % around.len()];
            let text = format!("{before}{good}{after}");
            let seen = rules.scan(&text);
            let at: Vec<_> = seen
                .iter()
                .filter(|it| &*it.rule.label == label)
                .map(|it| it.at.clone())
                .collect();
            assert_eq!(
                at,
                vec![before.len()..before.len() + good.len()],
                "{label}: {text}"
            );
            let text = format!("{before}{bad}{after}");
            let seen = rules.scan(&text);
            assert!(
                seen.iter().all(|it| &*it.rule.label != label),
                "{label}: {text}"
            );
        }
    }
}

#[test]
fn redaction_keeps_what_stands_around_and_json_valid() {
    let (rules, mut draw) = (rules(), Draw(0xabcd));
    for (label, make) in TYPES {
        for _ in 0..50 {
            let (good, _) = make(&mut draw);
            let text = format!("{{\"a\": \"{good}\", \"ü\": [\"{good} and {good}\"]}}");
            let seen = rules.scan(&text);
            let out = redacted(&text, &seen, |sight, _| Some(mark(&sight.rule.label)));
            let word = format!("[redacted: {label}]");
            assert_eq!(*out, text.replace(&good, &word));
            serde_json::from_str::<serde_json::Value>(&out).unwrap();
        }
    }
    let clean = "nothing here";
    let seen = rules.scan(clean);
    assert!(matches!(
        redacted(clean, &seen, |_, _| None),
        std::borrow::Cow::Borrowed(_)
    ));
}

/// Texts that are made to cost: what is looked at grows with the text and not faster. Counted in
/// sights and by being done, never by a clock.
#[test]
fn hostile_texts_are_gone_through_once() {
    let rules = rules();
    let parts = [
        "@",
        "://",
        "password=",
        "sk-",
        "eyJ",
        "eyJaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "4111 ",
        "1",
        "+1",
        "AKIA",
        "DE89",
        "dob ",
        "ghp_",
        "a@a.",
        "\"auth\":\"",
        "born 1 ",
        "basic ",
        "ssn 1-",
        "jdbc:a:",
        "xoxb-0-",
        "machine a login a ",
        "é",
        "{rw:",
    ];
    for part in parts {
        let text = part.repeat(200_000 / part.len());
        let seen = rules.scan(&text);
        assert!(seen.len() <= text.len() / 4, "{part}");
    }
    let all: String = rules
        .iter()
        .flat_map(|rule| rule.id.split('.').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    rules.scan(&all.repeat(50));
}

#[test]
fn the_name_of_a_member_labels_its_value() {
    let rules = rules();
    let cases = [
        ("dateOfBirth", "12 April", Some("personal.date_of_birth")),
        ("date_of_birth", "12 April", Some("personal.date_of_birth")),
        ("DATE-OF-BIRTH", "12 April", Some("personal.date_of_birth")),
        ("password", "open sesame", Some("secret.password")),
        ("password", "<password>", None),
        ("password", "", None),
        ("client_secret", "0e8b", Some("secret.key")),
        ("nextPageToken", "CAUQAAoVMTcy", None),
        ("token", "CAUQAAoVMTcy", None),
        ("name", "anything", None),
        ("IBAN", "unknown form", Some("personal.iban")),
        (&"x".repeat(500), "value", None),
    ];
    for (name, text, label) in cases {
        let seen = rules.of_field(name, text);
        let found = seen.map(|sight| sight.rule.label.to_string());
        assert_eq!(found.as_deref(), label, "{name}: {text}");
    }
}
