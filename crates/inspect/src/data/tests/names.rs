//! Names that somebody wrote and secrets that somebody drew, told apart by the checks alone.

use super::draw::{ALNUM, DIGITS, Draw};
use crate::data::check::Check;

/// Secrets of each form that are drawn.
const DRAWN: usize = 4_000;
/// How many of them may read like names.
const MISSED: usize = 24;

fn holds(check: &str, value: &str) -> bool {
    let judged = Check::named(check).unwrap().judge(value);
    judged.is_some()
}

/// A check, a value, and whether it holds.
const JUDGED: &[(&str, &str, bool)] = &[
    // Constants, types, members, expressions.
    ("mixed", "SHA256_DIGEST_LENGTH", false),
    ("mixed", "*/X25519_PRIVATE_KEY_LEN", false),
    ("mixed", "TLS13_CHACHA20_POLY1305_SHA256_INTERNAL", false),
    ("mixed", "x25519_generate_private_key", false),
    ("mixed", "ed25519.Ed25519PrivateKey", false),
    ("mixed", "openid4vciIssueCredential", false),
    ("mixed", "Curve25519SeedBin", false),
    ("mixed", "EcPrivateKeyRfc5915Der", false),
    ("mixed", "rust_openssl.hpke.MLKEM768X25519PrivateKey", false),
    ("mixed", "MSV1_0_CREDENTIAL_KEY_TYPE", false),
    ("mixed", "X509CertificateTemplatePrivateKeyFlag", false),
    ("mixed", "params.shared_secret_len/2", false),
    ("mixed", "&request.headers_v2.token", false),
    ("mixed", "this.config.oauth2Key", false),
    ("mixed", "s3Client.secretKey", false),
    ("mixed", "import.meta.env.VITE_API_KEY_2", false),
    ("mixed", "tls_private_key.example2.private_key_pem", false),
    ("mixed", "corev1.SecretVolumeSource", false),
    // Slugs, paths, addresses in a registry.
    ("mixed", "db-credentials-x7k2p", false),
    ("mixed", "my-app-secret-5f4d7c9b8d", false),
    ("mixed", "app-secret-8mbdf7882g", false),
    ("mixed", "letsencrypt-prod-tls-2024", false),
    ("mixed", "kv/data/team-7/stripe", false),
    ("mixed", "secret/data/db#password1", false),
    (
        "mixed",
        "projects/123456789012/secrets/db-pass/versions/3",
        false,
    ),
    ("mixed", "@scope/credentials-provider-v3", false),
    ("mixed", "certs/server-01/private.pem", false),
    // What somebody chose or drew.
    ("mixed", "Tr0ub4dorAnd3xyzzy", true),
    ("mixed", "MyP4ssw0rdIsTh1sOne", true),
    ("mixed", "mysupersecretpw2024", true),
    ("mixed", "SuperSecretKey2024", true),
    ("mixed", "kq8v-2lxz-9pm4-a7dd", true),
    ("mixed", "ABCDE-48213-FGHIJ-77213", true),
    ("mixed", "550e8400-e29b-41d4-a716-446655440000", true),
    ("mixed", "prod_9f3aQ1c8ZkW2xT7b", true),
    ("mixed", "prod-api-key-9f3a1c8e", true),
    ("mixed", "key-8mbdf7882g-x7k2p", true),
    ("mixed", "pk.7fLq2WxN8vTzR4mK", true),
    ("mixed", "live.a1b2c3d4e5f6g7h8", true),
    ("mixed", "db/9f3aQ1c8ZkW2xT7b", true),
    ("password", "DEFAULT_PASSWORD_2", false),
    ("password", "self._options[", false),
    ("password", "row->field3", false),
    ("password", "std::env::var2", false),
    ("password", "options.smtpServer2.password", false),
    ("password", "\"{password}\"", false),
    ("password", "hunter2.blue", true),
    ("password", "HUNTER2-BLUE", true),
    ("password", "hunter2_blue", true),
    ("password", "Tr0ub4dor&3", true),
    ("password", "Qz[81]kk", true),
    ("not_path", "/home/anna", false),
    ("not_path", "/", false),
    ("not_path", "~", false),
    ("not_path", "~/work", false),
    ("not_path", "../keys", false),
    ("not_path", "C:\\Users\\anna", false),
    ("not_path", "/fQ8xT0mZ1bK4nW+7cVy", true),
    ("not_path", "open sesame", true),
    ("not_path", "server-01.pem", true),
    ("not_named", "/etc/ssl/private/a.pem", false),
    ("not_named", "keys/server-01.pem", false),
    ("not_named", "API_KEY_STAGING_1", false),
    ("not_named", "0e8b", true),
    ("not_named", "correct-horse-7", true),
];

#[test]
fn names_of_code_and_manifests_are_no_secrets_and_what_people_choose_is_one() {
    for (check, value, expected) in JUDGED {
        assert_eq!(holds(check, value), *expected, "{check}: {value}");
    }
}

#[test]
fn what_a_machine_draws_is_seldom_read_as_a_name() {
    // Signs in a part, and parts.
    const FORMS: [(usize, usize); 9] = [
        (16, 1),
        (20, 1),
        (32, 1),
        (43, 1),
        (4, 5),
        (5, 4),
        (6, 3),
        (8, 3),
        (8, 2),
    ];
    let small = "abcdefghijklmnopqrstuvwxyz0123456789";
    let large = small.to_ascii_uppercase();
    let (url, base64) = (format!("{ALNUM}-_"), format!("{ALNUM}+/"));
    let mut draw = Draw(0xc0de);
    for (what, signs) in [
        ("letters and digits", ALNUM),
        ("base64", &base64),
        ("base64 of URLs", &url),
        ("small letters and digits", small),
        ("capitals and digits", &large),
        ("hexadecimal", "0123456789abcdef"),
    ] {
        for (length, parts) in FORMS {
            let mut missed = Vec::new();
            for _ in 0..DRAWN {
                let all: Vec<String> = (0..parts).map(|_| draw.of(signs, length)).collect();
                let value = all.join("-");
                let has = |of: fn(&u8) -> bool| value.as_bytes().iter().any(of);
                let is_any = has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit);
                if is_any && !value.starts_with('/') && !holds("mixed", &value) {
                    missed.push(value);
                }
            }
            let (count, some) = (missed.len(), missed.first());
            assert!(
                count <= MISSED,
                "{what}, {parts} of {length}: {count}, as {some:?}"
            );
        }
    }
    assert!(holds("mixed", &format!("k{}", draw.of(DIGITS, 15))));
}
