//! Both ceremonies with keys of each kind, and everything that is not one of them.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::json;

const PARTY: RelyingParty<'static> = RelyingParty {
    id: "gateway.example.com",
    origin: "https://gateway.example.com",
};
const CHALLENGE: &[u8] = &[7; 32];
const ID: &[u8] = &[9; 16];

/// An authenticator with one key.
enum Authenticator {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

fn bytes(value: &[u8]) -> Vec<u8> {
    let mut out = match value.len() {
        length @ 0..=23 => vec![0x40 | u8::try_from(length).unwrap()],
        length @ 24..=255 => vec![0x58, u8::try_from(length).unwrap()],
        length => [&[0x59][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    out.extend_from_slice(value);
    out
}

impl Authenticator {
    fn all() -> [Self; 3] {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        [
            Authenticator::Ed(Ed25519KeyPair::generate().unwrap()),
            Authenticator::Ec(ec),
            Authenticator::Rsa(Box::new(rsa)),
        ]
    }

    /// Its key as COSE has it.
    fn cose(&self) -> Vec<u8> {
        match self {
            Authenticator::Ed(pair) => {
                let x = bytes(pair.public_key().as_ref());
                [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &x].concat()
            }
            Authenticator::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (bytes(&point[1..33]), bytes(&point[33..]));
                [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..], &x, &[0x22], &y].concat()
            }
            Authenticator::Rsa(pair) => {
                let n = pair.public_key().modulus();
                let e = pair.public_key().exponent();
                let head = [0xa4, 1, 3, 3, 0x39, 1, 0, 0x20];
                let (n, e) = (
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                );
                [&head[..], &bytes(n), &[0x21], &bytes(e)].concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Authenticator::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Authenticator::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
            Authenticator::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .unwrap();
                signature
            }
        }
    }
}

fn client(ceremony: &str, change: &Value) -> Vec<u8> {
    let mut data = json!({
        "type": ceremony, "challenge": base64url::encode(CHALLENGE), "origin": PARTY.origin,
        "crossOrigin": false, "other_keys_can_be_added_here": "as browsers do",
    });
    for (name, value) in change.as_object().unwrap() {
        data[name] = value.clone();
    }
    data.to_string().into_bytes()
}

fn data(id: &str, flags: u8, count: u32, rest: &[u8]) -> Vec<u8> {
    let party = digest(&SHA256, id.as_bytes());
    [party.as_ref(), &[flags], &count.to_be_bytes(), rest].concat()
}

fn made(cose: &[u8]) -> Vec<u8> {
    made_as(ID, cose)
}

fn made_as(id: &[u8], cose: &[u8]) -> Vec<u8> {
    let length = u16::try_from(id.len()).unwrap().to_be_bytes();
    [&[0; 16][..], &length, id, cose].concat()
}

fn attestation(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let format = [
        &[0x60 | u8::try_from(format.len()).unwrap()],
        format.as_bytes(),
    ]
    .concat();
    [
        &[0xa3, 0x63][..],
        b"fmt",
        &format,
        &[0x67],
        b"attStmt",
        statement,
        &[0x68],
        b"authData",
        &bytes(data),
    ]
    .concat()
}

fn registered(client: &[u8], attestation: &[u8]) -> Result<Passkey, PasskeyError> {
    let answer = Registration {
        client_data: client,
        attestation,
    };
    PARTY.registered(CHALLENGE, answer)
}

/// A passkey of this authenticator, made as it should be.
fn passkey(authenticator: &Authenticator) -> Passkey {
    let data = data(PARTY.id, 0x45, 1, &made(&authenticator.cose()));
    let client = client("webauthn.create", &json!({}));
    registered(&client, &attestation("none", &[0xa0], &data)).unwrap()
}

fn asserted(
    authenticator: &Authenticator,
    passkey: &Passkey,
    (client, data): (&[u8], &[u8]),
) -> Result<Passkey, PasskeyError> {
    let hash = digest(&SHA256, client);
    let signature = authenticator.sign(&[data, hash.as_ref()].concat());
    let answer = Assertion {
        client_data: client,
        authenticator_data: data,
        signature: &signature,
    };
    PARTY.asserted(CHALLENGE, passkey, answer)
}

#[test]
fn n2_4_a_passkey_of_each_kind_is_made_and_used_and_nobody_elses_is() {
    let [ed, ec, rsa] = Authenticator::all();
    let client = client("webauthn.get", &json!({}));
    let used = data(PARTY.id, 0x05, 2, &[]);
    for (authenticator, other) in [(&ed, &ec), (&ec, &rsa), (&rsa, &ed)] {
        let passkey = passkey(authenticator);
        assert_eq!(passkey.id, base64url::encode(ID));
        let kept = serde_json::to_string(&passkey).unwrap();
        let passkey: Passkey = serde_json::from_str(&kept).unwrap();
        let after = asserted(authenticator, &passkey, (&client, &used)).unwrap();
        assert_eq!((after.count, &after.key), (2, &passkey.key));
        let theirs = asserted(other, &passkey, (&client, &used));
        assert_eq!(theirs, Err(PasskeyError::Signature));
    }
}

/// A registration with these client data and this attestation comes to this.
fn refuses(change: &Value, attested: &[u8], expected: PasskeyError) {
    let client = client("webauthn.create", change);
    let found = registered(&client, attested).err();
    assert_eq!(found, Some(expected), "{change} {attested:02x?}");
}

fn none(data: &[u8]) -> Vec<u8> {
    attestation("none", &[0xa0], data)
}

#[test]
fn n2_4_a_passkey_that_is_made_for_another_question_or_page_is_not_taken() {
    let [_, ec, _] = Authenticator::all();
    let good = none(&data(PARTY.id, 0x45, 0, &made(&ec.cose())));
    let ceremony = PasskeyError::Form("the answer is to another ceremony");
    let other = base64url::encode(&[8; 32]);
    for (change, expected) in [
        (json!({ "type": "webauthn.get" }), ceremony),
        (json!({ "challenge": other }), PasskeyError::Challenge),
        (json!({ "challenge": "" }), PasskeyError::Challenge),
        (json!({ "challenge": 7 }), PasskeyError::Challenge),
        (json!({ "crossOrigin": true }), PasskeyError::Origin),
        (json!({ "crossOrigin": "false" }), PasskeyError::Origin),
        (
            json!({ "topOrigin": "https://e.example" }),
            PasskeyError::Origin,
        ),
    ] {
        refuses(&change, &good, expected);
    }
    for origin in [
        "https://evil.example",
        "https://gateway.example.com/",
        "http://gateway.example.com",
    ] {
        refuses(&json!({ "origin": origin }), &good, PasskeyError::Origin);
    }
    let twice = br#"{"type":"webauthn.create","type":"webauthn.create"}"#;
    let wrong = PasskeyError::Form("the client data are no JSON object");
    assert_eq!(registered(twice, &good).err(), Some(wrong));
    // Without a challenge nothing was asked.
    let client = client("webauthn.create", &json!({ "challenge": "" }));
    let answer = Registration {
        client_data: &client,
        attestation: &good,
    };
    let found = PARTY.registered(&[], answer).err();
    assert_eq!(found, Some(PasskeyError::Challenge));
}

#[test]
fn n2_4_a_passkey_that_is_not_made_as_it_should_be_is_not_taken() {
    let [_, ec, _] = Authenticator::all();
    let no = json!({});
    let good = data(PARTY.id, 0x45, 0, &made(&ec.cose()));
    for attested in [
        attestation("packed", &[0xa0], &good),
        attestation("none", &[0xa1, 1, 2], &good),
    ] {
        refuses(&no, &attested, PasskeyError::Attestation);
    }
    let unreadable = PasskeyError::Form("the authenticator data cannot be read");
    for (data, expected) in [
        (
            data("evil.example", 0x45, 0, &made(&ec.cose())),
            PasskeyError::Party,
        ),
        (
            data(PARTY.id, 0x44, 0, &made(&ec.cose())),
            PasskeyError::Verification,
        ),
        (
            data(PARTY.id, 0x41, 0, &made(&ec.cose())),
            PasskeyError::Verification,
        ),
        (
            data(PARTY.id, 0x55, 0, &made(&ec.cose())),
            PasskeyError::Backup,
        ),
        (
            data(PARTY.id, 0x05, 0, &[]),
            PasskeyError::Form("no credential was made"),
        ),
        ([good.clone(), vec![0]].concat(), unreadable),
    ] {
        refuses(&no, &none(&data), expected);
    }
    // A key of another kind, a curve that is not its algorithm's, a coordinate that is too short.
    for cose in [
        vec![0xa5, 1, 2, 3, 0x38, 34, 0x20, 2, 0x21, 0x40, 0x22, 0x40],
        vec![0xa0],
        vec![0xa4, 1, 1, 3, 0x27, 0x20, 1, 0x21, 0x40],
        vec![0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x40, 0x22, 0x40],
    ] {
        let data = data(PARTY.id, 0x45, 0, &made(&cose));
        refuses(&no, &none(&data), PasskeyError::Algorithm);
    }
    let more = [none(&good), vec![0]].concat();
    refuses(&no, &more, PasskeyError::Form("the attestation is no CBOR"));
}

#[test]
fn n2_4_a_passkey_that_is_not_used_as_it_should_be_opens_nothing() {
    let [_, ec, _] = Authenticator::all();
    let mut passkey = passkey(&ec);
    let good = client("webauthn.get", &json!({}));
    let check = |passkey: &Passkey, (client, data): (&[u8], &[u8]), expected| {
        assert_eq!(
            asserted(&ec, passkey, (client, data)).err(),
            expected,
            "{data:02x?}"
        );
    };
    let used = |flags: u8, count: u32| data(PARTY.id, flags, count, &[]);
    check(&passkey, (&good, &used(0x05, 2)), None);
    // A count that does not rise: there are two of it.
    for count in [0, 1] {
        check(
            &passkey,
            (&good, &used(0x05, count)),
            Some(PasskeyError::Count),
        );
    }
    for flags in [0x01, 0x04, 0x00] {
        check(
            &passkey,
            (&good, &used(flags, 2)),
            Some(PasskeyError::Verification),
        );
    }
    check(
        &passkey,
        (&good, &used(0x0d, 2)),
        Some(PasskeyError::Backup),
    );
    check(
        &passkey,
        (&good, &used(0x15, 2)),
        Some(PasskeyError::Backup),
    );
    let other = data("evil.example", 0x05, 2, &[]);
    check(&passkey, (&good, &other), Some(PasskeyError::Party));
    // Extensions that nobody asked for do no harm; what is behind them does.
    let extended = [used(0x85, 2), vec![0xa0]].concat();
    check(&passkey, (&good, &extended), None);
    let behind = [extended, vec![0xa0]].concat();
    let unreadable = PasskeyError::Form("the authenticator data cannot be read");
    check(&passkey, (&good, &behind), Some(unreadable));
    let made_again = data(PARTY.id, 0x45, 2, &made(&ec.cose()));
    let wrong = PasskeyError::Form("a credential was made, not used");
    check(&passkey, (&good, &made_again), Some(wrong));
    for (change, expected) in [
        (
            json!({ "challenge": base64url::encode(&[8; 32]) }),
            PasskeyError::Challenge,
        ),
        (
            json!({ "origin": "https://evil.example" }),
            PasskeyError::Origin,
        ),
    ] {
        let client = client("webauthn.get", &change);
        check(&passkey, (&client, &used(0x05, 2)), Some(expected));
    }
    // One that does not count is never behind.
    passkey.count = 0;
    check(&passkey, (&good, &used(0x05, 0)), None);
    // What was signed is what is said.
    let signature = ec.sign(b"something else");
    let answer = Assertion {
        client_data: &good,
        authenticator_data: &used(0x05, 2),
        signature: &signature,
    };
    let found = PARTY.asserted(CHALLENGE, &passkey, answer).err();
    assert_eq!(found, Some(PasskeyError::Signature));
}

#[test]
fn n2_4_a_key_of_another_curve_or_algorithm_is_not_taken_however_long_it_is() {
    let whole = bytes(&[1; 32]);
    let (x, y) = ([&[0x21], &*whole].concat(), [&[0x22], &*whole].concat());
    for (head, coordinates) in [
        // Ed25519 with the curve of Ed448, and with none.
        (&[0xa4, 1, 1, 3, 0x27, 0x20, 7][..], x.clone()),
        (&[0xa3, 1, 1, 3, 0x27], x.clone()),
        // ES384 with P-256, and ES256 with P-384.
        (&[0xa5, 1, 2, 3, 0x38, 34, 0x20, 1], [&*x, &y].concat()),
        (&[0xa5, 1, 2, 3, 0x26, 0x20, 2], [&*x, &y].concat()),
    ] {
        let cose = [head, &coordinates].concat();
        let data = data(PARTY.id, 0x45, 0, &made(&cose));
        refuses(&json!({}), &none(&data), PasskeyError::Algorithm);
    }
}

#[test]
fn n2_4_no_part_of_an_answer_is_longer_than_it_may_be() {
    let [_, ec, _] = Authenticator::all();
    let (no, long) = (json!({}), vec![0; PART_MAX]);
    let good = data(PARTY.id, 0x45, 1, &made(&ec.cose()));
    let text = "x".repeat(PART_MAX);
    for (change, attested, part) in [
        (
            &json!({ "more": text }),
            &none(&good),
            "the client data are too long",
        ),
        (
            &no,
            &none(&[&*good, &*long].concat()),
            "the attestation is too long",
        ),
    ] {
        refuses(change, attested, PasskeyError::Form(part));
    }
    let name = PasskeyError::Form("the identifier is empty or too long");
    for length in [0, ID_MAX + 1] {
        let data = data(PARTY.id, 0x45, 1, &made_as(&vec![7; length], &ec.cose()));
        refuses(&no, &none(&data), name);
    }
    let longest = data(PARTY.id, 0x45, 1, &made_as(&[7; ID_MAX], &ec.cose()));
    let client = client("webauthn.create", &no);
    assert!(registered(&client, &none(&longest)).is_ok());
    let used = [data(PARTY.id, 0x05, 2, &[]), long].concat();
    let client = self::client("webauthn.get", &no);
    let found = asserted(&ec, &passkey(&ec), (&client, &used)).err();
    let expected = PasskeyError::Form("the authenticator data are too long");
    assert_eq!(found, Some(expected));
}

#[test]
fn n2_4_extensions_are_a_map_or_are_none() {
    let [_, ec, _] = Authenticator::all();
    let client = client("webauthn.get", &json!({}));
    let unreadable = PasskeyError::Form("the authenticator data cannot be read");
    for (extensions, expected) in [
        (0xa0, None),
        (0x80, Some(unreadable)),
        (0x00, Some(unreadable)),
    ] {
        let used = data(PARTY.id, 0x85, 2, &[extensions]);
        let found = asserted(&ec, &passkey(&ec), (&client, &used)).err();
        assert_eq!(found, expected, "{extensions:02x}");
    }
}
