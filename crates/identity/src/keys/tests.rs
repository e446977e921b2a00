//! Which keys are taken from a key set, and what they say of signatures.

use super::*;
use crate::fixture::{EC, ED, RSA};
use serde_json::json;

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn with(mut jwk: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        jwk[*name] = value.clone();
    }
    jwk
}

#[test]
fn m1_a_key_is_for_the_algorithms_of_its_kind_and_no_other() {
    let keys = set(&[
        EC.public_jwk("ec"),
        ED.public_jwk("ed"),
        RSA.public_jwk("rsa"),
    ]);
    for (id, algorithms) in [
        ("ec", &[Algorithm::Es256][..]),
        ("ed", &[Algorithm::EdDsa]),
        ("rsa", &[Algorithm::Ps256, Algorithm::Rs256]),
        ("other", &[]),
        ("", &[]),
        ("EC", &[]),
    ] {
        for algorithm in Algorithm::ALL {
            let found = keys.pick(Some(id), algorithm).is_some();
            assert_eq!(found, algorithms.contains(&algorithm), "{id} {algorithm}");
        }
    }
}

#[test]
fn m1_leaves_out_keys_that_are_for_something_else() {
    let (ec, rsa) = (|| EC.public_jwk("k"), || RSA.public_jwk("k"));
    let check = |jwk: Value, expected: &[Algorithm]| {
        let keys = set(std::slice::from_ref(&jwk));
        let found: Vec<Algorithm> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| keys.pick(Some("k"), *algorithm).is_some())
            .collect();
        assert_eq!(found, expected, "{jwk}");
    };
    let es = &[Algorithm::Es256][..];
    check(ec(), es);
    check(with(ec(), &[("alg", json!("ES256"))]), es);
    check(with(ec(), &[("key_ops", json!(["verify"]))]), es);
    check(with(ec(), &[("x5c", json!(["MIIB"]))]), es);
    check(with(rsa(), &[("alg", json!("RS256"))]), &[Algorithm::Rs256]);
    check(with(rsa(), &[("alg", json!("PS256"))]), &[Algorithm::Ps256]);
    for change in [
        ("use", json!("enc")),
        ("use", json!(null)),
        ("use", json!(["sig"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("alg", json!("RS256")),
        ("alg", json!("ES384")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!(1)),
        ("kid", json!(1)),
        ("kid", json!("other")),
        ("kty", json!("oct")),
        ("kty", json!("ec")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("d", json!("AAAA")),
        ("k", json!("AAAA")),
    ] {
        check(with(ec(), &[change]), &[]);
    }
    check(with(rsa(), &[("alg", json!("RS512"))]), &[]);
    check(with(rsa(), &[("alg", json!("RSA-OAEP"))]), &[]);
    check(with(rsa(), &[("p", json!("AAAA"))]), &[]);
}

#[test]
fn m1_refuses_weak_and_malformed_keys() {
    let number = |bytes: &[u8]| json!(base64url::encode(bytes));
    let check = |jwk: Value, good: bool| {
        assert_eq!(!set(std::slice::from_ref(&jwk)).is_empty(), good, "{jwk}");
    };
    let modulus = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        number(&n)
    };
    let rsa = |n: Value, e: Value| with(RSA.public_jwk("k"), &[("n", n), ("e", e)]);
    let e = || number(&[1, 0, 1]);
    check(rsa(modulus(2048), e()), true);
    check(rsa(modulus(4096), e()), true);
    for bits in [512, 1024, 2047, 8193, 16384] {
        check(rsa(modulus(bits), e()), false);
    }
    for bad in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[1, 0, 0],
        &[0, 1, 0, 1],
        &[1, 0, 0, 0, 1],
    ] {
        check(rsa(modulus(2048), number(bad)), false);
    }
    check(rsa(json!("AAAA"), e()), false);
    check(rsa(json!(""), e()), false);
    check(rsa(json!(7), e()), false);

    let ec = EC.public_jwk("k");
    let x = base64url::decode(ec["x"].as_str().unwrap()).unwrap();
    let off_curve: Vec<u8> = x.iter().map(|byte| byte ^ 1).collect();
    check(with(ec.clone(), &[("x", number(&off_curve))]), false);
    check(with(ec.clone(), &[("x", number(&x[1..]))]), false);
    check(
        with(ec.clone(), &[("x", number(&[&[0], x.as_slice()].concat()))]),
        false,
    );
    check(
        with(
            ec.clone(),
            &[("x", number(&[0; 32])), ("y", number(&[0; 32]))],
        ),
        false,
    );
    check(
        with(
            ec.clone(),
            &[("x", json!(format!("{}=", ec["x"].as_str().unwrap())))],
        ),
        false,
    );
    check(with(ED.public_jwk("k"), &[("x", number(&[1; 31]))]), false);
    check(with(ED.public_jwk("k"), &[("crv", json!("X25519"))]), false);
}

#[test]
fn m1_two_keys_that_fit_are_none() {
    let other = crate::fixture::Signer::ec();
    let twice = set(&[EC.public_jwk("k"), other.public_jwk("k")]);
    assert!(twice.pick(Some("k"), Algorithm::Es256).is_none());
    let apart = set(&[EC.public_jwk("a"), other.public_jwk("b")]);
    assert!(apart.pick(Some("a"), Algorithm::Es256).is_some());
    assert!(apart.pick(None, Algorithm::Es256).is_none());
    // RFC 7517 allows one id for keys of different kinds.
    let kinds = set(&[EC.public_jwk("k"), RSA.public_jwk("k")]);
    assert!(kinds.pick(Some("k"), Algorithm::Es256).is_some());
    assert!(kinds.pick(Some("k"), Algorithm::Rs256).is_some());
    assert!(kinds.pick(None, Algorithm::Es256).is_some());
}

#[test]
fn refuses_a_key_set_over_its_limits() {
    let parses = |text: &str| KeySet::parse(text.as_bytes()).is_some();
    let of = |count: usize| {
        let keys: Vec<Value> = (0..count)
            .map(|id| EC.public_jwk(&id.to_string()))
            .collect();
        json!({ "keys": keys }).to_string()
    };
    assert!(parses(&of(KEYS_MAX)));
    assert!(!parses(&of(KEYS_MAX + 1)));
    let padded = |size: usize| {
        let set = of(1);
        let padding = " ".repeat(size - set.len());
        set + &padding
    };
    assert!(parses(&padded(KEY_SET_MAX)));
    assert!(!parses(&padded(KEY_SET_MAX + 1)));
    for other in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html>",
    ] {
        assert!(!parses(other), "{other}");
    }
    assert!(set(&[json!(1), json!("x"), json!({}), json!(null)]).is_empty());
}

#[test]
fn a_withdrawn_or_replaced_key_is_noticed() {
    let other = crate::fixture::Signer::ec();
    let one = set(&[EC.public_jwk("a")]);
    let both = set(&[EC.public_jwk("a"), other.public_jwk("b")]);
    let replaced = set(&[other.public_jwk("a")]);
    assert!(one.is_within(&one) && one.is_within(&both));
    assert!(!both.is_within(&one) && !one.is_within(&replaced));
}

/// The signature vectors of Project Wycheproof, through the same key reader and verifier as
/// tokens. Only "valid" is accepted: what is merely "acceptable" no signer needs.
mod wycheproof_vectors {
    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        let text = value.as_str().unwrap();
        let digits: Vec<u32> = text
            .chars()
            .map(|digit| digit.to_digit(16).unwrap())
            .collect();
        let pairs = digits
            .chunks(2)
            .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap());
        pairs.collect()
    }

    fn number(value: &Value) -> Value {
        let bytes = bytes(value);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        json!(base64url::encode(&bytes[zeros..]))
    }

    fn jwk(algorithm: Algorithm, group: &Value) -> Value {
        let key = &group["publicKey"];
        let text = |bytes: &[u8]| base64url::encode(bytes);
        match algorithm {
            Algorithm::EdDsa => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(&bytes(&key["pk"]))})
            }
            Algorithm::Es256 => {
                let point = bytes(&key["uncompressed"]);
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Algorithm::Ps256 | Algorithm::Rs256 => {
                json!({"kty": "RSA", "n": number(&key["modulus"]), "e": number(&key["publicExponent"])})
            }
        }
    }

    /// Runs a set; every one of its tests must come out as the set says.
    fn check(algorithm: Algorithm, vectors: &str, expected: usize) {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let mut wrong = Vec::new();
        let mut count = 0;
        for group in vectors["testGroups"].as_array().unwrap() {
            let keys = set(&[jwk(algorithm, group)]);
            let key = keys.pick(None, algorithm);
            for test in group["tests"].as_array().unwrap() {
                count += 1;
                let verifies = |key: &Arc<VerificationKey>| {
                    key.verifies(&bytes(&test["msg"]), &bytes(&test["sig"]))
                };
                let accepted = key.is_some_and(verifies);
                if accepted != (test["result"] == "valid") {
                    wrong.push(format!("{} {}", test["tcId"], test["result"]));
                }
            }
        }
        assert!(wrong.is_empty(), "{algorithm}: {wrong:?}");
        assert_eq!(count, expected, "{algorithm}: the set has changed");
    }

    #[test]
    fn m1_es256_verdicts_are_exact() {
        let set = wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
        check(Algorithm::Es256, set.json_data(), 262);
    }

    #[test]
    fn m1_eddsa_verdicts_are_exact() {
        let set = wycheproof::eddsa::TestName::Ed25519;
        check(Algorithm::EdDsa, set.json_data(), 151);
    }

    #[test]
    fn m1_rs256_verdicts_are_exact() {
        let set = wycheproof::rsa_pkcs1_verify::TestName::Rsa2048Sha256;
        check(Algorithm::Rs256, set.json_data(), 259);
    }

    #[test]
    fn m1_ps256_verdicts_are_exact() {
        let set = wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32;
        check(Algorithm::Ps256, set.json_data(), 108);
    }

    /// Signatures that are right, but not with the parameters that PS256 fixes.
    #[test]
    fn m1_ps256_takes_no_other_salt_or_mask() {
        let mut right = 0;
        for vectors in [
            wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen0,
            wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1Sha1_20,
            wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha1Mgf1SaltLen20,
            wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha512_256Mgf1SaltLen32,
        ] {
            let sets: Value = serde_json::from_str(vectors.json_data()).unwrap();
            for group in sets["testGroups"].as_array().unwrap() {
                let keys = set(&[jwk(Algorithm::Ps256, group)]);
                let key = keys.pick(None, Algorithm::Ps256).unwrap();
                let tests = group["tests"].as_array().unwrap();
                for test in tests.iter().filter(|test| test["result"] == "valid") {
                    let accepted = key.verifies(&bytes(&test["msg"]), &bytes(&test["sig"]));
                    assert!(!accepted, "{vectors:?} {}", test["tcId"]);
                    right += 1;
                }
            }
        }
        assert!(right > 100, "only {right} signatures were tried");
    }
}
