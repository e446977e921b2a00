//! Texts that hold nothing, and what only reads like something.

use super::draw::{ALNUM, DIGITS, Draw};
use crate::data::pack::Pack;
use crate::data::{Confidence, Kind, Rules, Sight, is_placeholder};

/// What people and machines write every day. The words, and the labels that may be seen in it with
/// low confidence, which no default does anything about.
const TEXTS: &[&str] = &[
    "The quick brown fox jumps over the lazy dog. Tokens are counted, keys are pressed, secrets kept.",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b\nAuthor: nobody\n\n    password handling: require 8 characters",
    "\"integrity\": \"sha512-bRISgCIjP20/tbWSPWMEi54QVPRZExkuD9lJL+UIxUKtwVJA8wW1Trb1jMs1RFXo1CBTNZ/5hpC9QvmKWdopKw==\"",
    "id 550e8400-e29b-41d4-a716-446655440000, trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "openssl 3.0.13-1ubuntu1, chromium 124.0.6367.201, node v20.11.1, 1.2.3.4 is a version",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCARwCCQC0\n-----END CERTIFICATE-----\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9 root",
    "const apiKey = process.env.API_KEY; const password = config.get('password');",
    "def login(username: str, password: str) -> Token:\n    token = self.tokens.get(username)\n    return token",
    "curl -H 'Authorization: Bearer $TOKEN' https://api.example.com:8443/v1/items?page=2&per_page=100",
    "{\"nextPageToken\": \"CAUQAAoVMTcyMzQ1Njc4OTAxMjM0NTY3ODkSBgoCCAEQAQ\", \"kind\": \"list\"}",
    "Rechnung Nr. RE-2026-0001234567, Kundennummer 12345678901, Betrag 1.234.567,89 EUR, Referenz RF18539007547034",
    "2026-11-29T03:54:37.123456Z INFO 17643884771234 request id=8f14e45fceea167a took 1234567 ns",
    "pi 3.14159265358979323846, e 2.718281828459045, 4.111111111111111111, 0.4111111111111111",
    "| 1000 | 2000 | 3000 | 4000 | 5000 | 6000 | 7000 | 8000 |\n| 4111 | 1111 | 1111 | 1112 | 55 | 66 | 77 |",
    "ISBN 978-3-16-148410-0, EAN 4006381333931, ISSN 2049-3630, VIN 1M8GDM9AXKP042788",
    "see RFC 7519 and RFC 6749; a JWT looks like eyJhbGciOi... and ends early",
    "the passport office; an ID card is needed; social security is a topic; our NHS is good; a BSN has nine digits",
    "@app.route('/x')\n@dataclass\nclass A: pass\nnpm i @types/node@20.11.30 && git clone git@github.com:a/b.git",
    "color: #1a2b3c; width: calc(100% - 12px); background: url(https://cdn.test/a.png?v=1234567890)",
    "sk-learn and sk-toggleable appear in CSS; key-value; api-version; hf_hub; npm_config_registry; dapi",
    "0x7fffffffffffffff 0xdeadbeefcafebabe 18446744073709551615 9223372036854775807",
    "postgres://localhost:5432/app and redis://cache:6379/0 and https://host:8080/path@2x.png",
    "password: string, required, at least 12 characters; \"password\": {\"type\": \"string\", \"format\": \"password\"}",
    "Der Schlüssel liegt unter der Matte. Das Kennwort wird nie angezeigt. Die Ausweise sind da.",
    "パスワードは八文字以上で入力してください。会員番号は後で送ります。",
    "كلمة المرور مطلوبة ويجب أن تكون ثمانية أحرف على الأقل",
    "lat 52.5200066, lon 13.404954; 8.5417 E; 1e-10; 6.02214076e23; 299792458 m/s",
    "git diff: @@ -120,7 +130,9 @@ +1234567890 lines, +0.5, a+b, C++17",
    "AKIA is a prefix; ghp_ too; xoxb- as well; AIza begins Google's; SG. is a company form; sk_live_ is Stripe's",
];

/// Whether a default does something about it.
fn is_acted_on(sight: &Sight<'_>) -> bool {
    match sight.rule.kind {
        Kind::Secret => sight.confidence > Confidence::Low,
        // By default nothing is done about personal data: what is sure must still be so.
        Kind::Personal => sight.confidence == Confidence::High,
    }
}

#[test]
fn everyday_texts_hold_nothing_that_a_default_would_act_on() {
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    for text in TEXTS {
        for sight in rules.scan(text) {
            let value = text.get(sight.at.clone()).unwrap();
            let acted = is_acted_on(&sight);
            assert!(!acted, "{} sees `{value}` in {text}", sight.rule.id);
        }
    }
}

type Make = fn(&mut Draw) -> String;

/// What is made by machines in great number and is nobody's secret.
const MADE: [(&str, Make); 13] = [
    ("a UUID", |draw| {
        let signs = "0123456789abcdef";
        let parts = [8, 4, 3, 3, 12].map(|count| draw.of(signs, count));
        let [a, b, c, d, e] = parts;
        format!("{a}-{b}-4{c}-9{d}-{e}")
    }),
    ("a commit", |draw| draw.of("0123456789abcdef", 40)),
    ("a short commit", |draw| draw.of("0123456789abcdef", 7)),
    ("a digest", |draw| {
        format!("sha256:{}", draw.of("0123456789abcdef", 64))
    }),
    ("words", |draw| {
        let words = [
            "lorem",
            "ipsum",
            "dolor",
            "sit",
            "amet",
            "tincidunt",
            "born",
            "sin",
            "pass",
        ];
        let words: Vec<&str> = (0..30).map(|_| *draw.one(&words)).collect();
        words.join(" ")
    }),
    ("an order", |draw| {
        format!("ORD-2026-{}", draw.of(DIGITS, 8))
    }),
    ("an invoice", |draw| {
        format!("Rechnung RE{}/26", draw.of(DIGITS, 10))
    }),
    ("a version", |draw| {
        let parts: Vec<String> = (0..3).map(|_| draw.next(100).to_string()).collect();
        format!(
            "v{}-rc.{}+build.{}",
            parts.join("."),
            draw.next(9),
            draw.of(DIGITS, 9)
        )
    }),
    ("a time", |draw| format!("17{}", draw.of(DIGITS, 11))),
    ("a picture", |draw| {
        format!(
            "data:image/png;base64,iVBORw0KGgo{}",
            draw.of(&format!("{ALNUM}+/"), 300)
        )
    }),
    ("integrity", |draw| {
        format!("sha512-{}==", draw.of(&format!("{ALNUM}+/"), 86))
    }),
    ("coordinates", |draw| {
        format!(
            "{}.{}, -{}.{}",
            draw.next(90),
            draw.of(DIGITS, 7),
            draw.next(180),
            draw.of(DIGITS, 7)
        )
    }),
    ("a path", |draw| {
        format!(
            "/var/lib/{}/{}.json",
            draw.of(ALNUM, 22),
            draw.of(DIGITS, 6)
        )
    }),
];

#[test]
fn what_machines_make_in_great_number_is_nothing_that_a_default_would_act_on() {
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    let mut draw = Draw(0xbe9);
    for (what, make) in MADE {
        for _ in 0..300 {
            let text = format!("id: {}, next", make(&mut draw));
            let seen = rules.scan(&text);
            let acted = seen.iter().find(|sight| is_acted_on(sight));
            assert!(
                acted.is_none(),
                "{what}: {:?} in {text}",
                acted.map(|it| &it.rule.id)
            );
        }
    }
}

#[test]
fn examples_and_blanks_are_nothing_to_be_sure_of() {
    let blanks = [
        "AKIAIOSFODNN7EXAMPLE",
        "changeme",
        "<your-token>",
        "${TOKEN}",
        "{{ token }}",
        "xxxxxxxxxxxxxxxx",
        "aaaaaaaa",
        "sk_live_0000000000000000000000",
        "************",
        "my-dummy-key",
        "",
    ];
    for blank in blanks {
        assert!(is_placeholder(blank), "{blank}");
    }
    for real in [
        "Kq8v-20pmL",
        "wJalrXUtnFEMIK7MDENGbPxRfiCY",
        "hunter2-blue",
        "S3n0ra!",
    ] {
        assert!(!is_placeholder(real), "{real}");
    }
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    let seen = rules.scan("aws_access_key_id = AKIAIOSFODNN7EXAMPLE");
    let found: Vec<_> = seen
        .iter()
        .map(|it| (&*it.rule.label, it.confidence))
        .collect();
    assert_eq!(found, [("secret.aws_access_key_id", Confidence::Low)]);
}
