//! The account for emergencies with an authenticator of ours and with time passed in: what its code, its challenges and its
//! passkey are good for, and for what they are not.

use super::*;
use crate::admin::break_glass::first_code;
use crate::house::still::{Still, cookies_of, document_of};
use crate::small::sha256;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use identity::Caller;

const ORIGIN: &str = "https://mcp.example.com";
const ID: &[u8] = &[9; 16];

/// An authenticator with one key, that counts.
struct Authenticator(EcdsaKeyPair);

async fn still() -> Still {
    Still::with("administration: { amr: [mfa], break_glass: 'on' }").await
}

fn client_data(ceremony: &str, challenge: &str) -> String {
    object!({ "type": ceremony, "challenge": challenge, "origin": ORIGIN, "crossOrigin": false })
        .to_string()
}

fn data(flags: u8, count: u32, rest: &[u8]) -> Vec<u8> {
    let party = sha256(b"mcp.example.com");
    [&party[..], &[flags], &count.to_be_bytes(), rest].concat()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

impl Authenticator {
    fn new() -> Self {
        Authenticator(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// The answer to a challenge to make a passkey.
    fn makes(&self, code: &str, asked: &Value) -> First {
        let point = self.0.public_key().as_ref();
        let cose = [
            &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..],
            &point[1..33],
            &[0x22, 0x58, 32],
            &point[33..],
        ]
        .concat();
        let made = [&[0; 16][..], &[0, 16], ID, &cose].concat();
        let data = data(0x45, 1, &made);
        let length = u8::try_from(data.len()).unwrap();
        let attestation = [
            &b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"[..],
            &[length],
            &data,
        ]
        .concat();
        First {
            code: code.to_owned(),
            sealed: text(asked, "sealed"),
            client_data: BASE64.encode(client_data("webauthn.create", &text(asked, "challenge"))),
            attestation: BASE64.encode(attestation),
        }
    }

    /// The answer to a challenge to use it.
    fn uses(&self, asked: &Value, count: u32) -> Used {
        let client_data = client_data("webauthn.get", &text(asked, "challenge"));
        let data = data(0x05, count, &[]);
        let signed = [&data[..], &sha256(client_data.as_bytes())].concat();
        let signature = self.0.sign(&SystemRandom::new(), &signed).unwrap();
        Used {
            sealed: text(asked, "sealed"),
            id: BASE64.encode(ID),
            client_data: BASE64.encode(client_data),
            authenticator_data: BASE64.encode(data),
            signature: BASE64.encode(signature),
        }
    }
}

/// A new code, as a start prints one.
fn code_of(gate: &Gate) -> String {
    let code = gate.codes.renew(gate.clock().unix_ms()).unwrap();
    code.as_str().to_owned()
}

async fn options(gate: &Gate, code: &str) -> Value {
    let code = code.to_owned();
    let answer = first_options(gate, FirstOptions { code }).await;
    document_of(answer.unwrap()).await
}

async fn challenged(gate: &Gate) -> Value {
    document_of(passkey_options(gate).await.unwrap()).await
}

/// The code of a refusal; none if there is an answer.
fn refusal(done: Result<Response<Body>, AdminRefusal>) -> Option<&'static str> {
    done.err().map(|refused| refused.refusal.code)
}

async fn registers(gate: &Gate, authenticator: &Authenticator, code: &str) -> Option<&'static str> {
    let asked = options(gate, code).await;
    refusal(first(gate, authenticator.makes(code, &asked)).await)
}

async fn signs_in(gate: &Gate, input: Used) -> Option<&'static str> {
    refusal(used(gate, &HeaderMap::new(), input).await)
}

#[tokio::test]
async fn n2_4_a_passkey_is_used_under_its_own_name_for_each_challenge_once() {
    let (still, key) = (still().await, Authenticator::new());
    let gate = still.gate();
    assert_eq!(registers(gate, &key, &code_of(gate)).await, None);
    let asked = challenged(gate).await;
    let mut other = key.uses(&asked, 2);
    other.id = BASE64.encode([8; 16]);
    assert_eq!(signs_in(gate, other).await, Some("passkey_none"));
    let answer = used(gate, &HeaderMap::new(), key.uses(&asked, 2)).await;
    let cookies = cookies_of(&answer.unwrap());
    let person = people::signed_in(gate, &cookies).unwrap();
    assert_eq!(person.user_name(), USER);
    // A higher count makes no other answer of it.
    let again = key.uses(&asked, 3);
    assert_eq!(signs_in(gate, again).await, Some("passkey_challenge"));
    // One that was copied before it was used counts from there.
    let copied = key.uses(&challenged(gate).await, 2);
    assert_eq!(signs_in(gate, copied).await, Some("passkey_count"));
}

#[tokio::test]
async fn n2_4_a_challenge_is_for_one_ceremony_and_five_minutes() {
    let (still, key) = (still().await, Authenticator::new());
    let gate = still.gate();
    let code = code_of(gate);
    assert_eq!(registers(gate, &key, &code).await, None);
    // Whoever has a code asks for challenges to make a passkey, and they are good for nothing else.
    let to_make = options(gate, &code_of(gate)).await;
    let crossed = key.uses(&to_make, 2);
    assert_eq!(signs_in(gate, crossed).await, Some("passkey_challenge"));
    let to_use = challenged(gate).await;
    let code = code_of(gate);
    let crossed = first(gate, key.makes(&code, &to_use)).await;
    assert_eq!(refusal(crossed), Some("passkey_challenge"));
    still.clock.advance_ms(PATIENCE_MS);
    let late = key.uses(&to_use, 2);
    assert_eq!(signs_in(gate, late).await, Some("passkey_challenge"));
    let in_time = key.uses(&challenged(gate).await, 2);
    assert_eq!(signs_in(gate, in_time).await, None);
}

#[tokio::test]
async fn n2_4_a_code_registers_one_passkey_and_no_second() {
    let (still, key) = (still().await, Authenticator::new());
    let gate = still.gate();
    let code = code_of(gate);
    // Nothing that is sent along is looked at before the code is right.
    let mut guessed = key.makes("0000", &options(gate, &code).await);
    "AAAA".clone_into(&mut guessed.sealed);
    assert_eq!(refusal(first(gate, guessed).await), Some("passkey_code"));
    assert_eq!(registers(gate, &key, &code).await, None);
    assert!(!gate.codes.is(&code, gate.clock().unix_ms()), "once");
    // Also with a code that is good, and whoever starts the gateway again is given none.
    let other = Authenticator::new();
    let there = registers(gate, &other, &code_of(gate)).await;
    assert_eq!(there, Some("passkey_there"));
    assert!(first_code(gate).await.unwrap().is_none());
    let asked = challenged(gate).await;
    let theirs = other.uses(&asked, 2);
    assert_eq!(signs_in(gate, theirs).await, Some("passkey_signature"));
    assert_eq!(signs_in(gate, key.uses(&asked, 2)).await, None);
}

#[tokio::test]
async fn n5_1_a_passkey_that_cannot_be_written_down_is_not_registered() {
    let (still, key) = (still().await, Authenticator::new());
    let gate = still.gate();
    let code = code_of(gate);
    still.loses_its_ledger();
    let registered = registers(gate, &key, &code).await;
    assert_eq!(registered, Some("admin_unrecorded"));
    assert!(passkey(gate).await.unwrap().is_none());
}

#[tokio::test]
async fn n8_3_the_account_for_emergencies_can_be_revoked_too() {
    let (still, key) = (still().await, Authenticator::new());
    let gate = still.gate();
    assert_eq!(registers(gate, &key, &code_of(gate)).await, None);
    still.revokes(Caller::LOCAL_ISSUER, USER).await;
    let used = key.uses(&challenged(gate).await, 2);
    assert_eq!(signs_in(gate, used).await, Some("passkey_barred"));
}

#[test]
fn n8_4_only_a_page_of_ours_takes_a_step() {
    let uri: Uri = "/admin/first".parse().unwrap();
    let own = [("host", "mcp.example.com"), ("origin", ORIGIN)];
    let site = |site: &'static str| [own[0], own[1], ("sec-fetch-site", site)];
    let foreign = Some("admin_foreign");
    for (method, sent, expected) in [
        (Method::POST, &own[..], None),
        (Method::POST, &site("same-origin"), None),
        (Method::GET, &own, Some("admin_method")),
        (Method::PUT, &own, Some("admin_method")),
        (Method::POST, &own[..1], foreign),
        (
            Method::POST,
            &[own[0], ("origin", "https://evil.example")],
            foreign,
        ),
        (Method::POST, &site("same-site"), foreign),
        (Method::POST, &site("cross-site"), foreign),
        (Method::POST, &site("none"), foreign),
    ] {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.insert(*name, value.parse().unwrap());
        }
        let found = ours(&method, &uri, &headers).err();
        let code = found.map(|refused| refused.refusal.code);
        assert_eq!(code, expected, "{method} {sent:?}");
    }
}
