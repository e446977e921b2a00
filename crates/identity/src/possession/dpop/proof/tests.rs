//! Proofs that are right and proofs that are not, each with the answer it gets. Every row changes one
//! thing of a proof that is accepted, and signs it again unless it says otherwise.

use super::*;
use crate::fixture::{EC, ED, NOW, RESOURCE, RSA, Signer, spelt};
use crate::possession::dpop;
use proptest::prelude::*;
use serde_json::json;

const TOKEN: &str = "a.good.token";

fn rules() -> Rules {
    Rules {
        algorithms: Algorithm::ALL.to_vec(),
        age_s: 60,
        skew_s: 5,
        nonce: NonceRule::Off,
        nonce_age_s: 300,
    }
}

fn nonces() -> Nonces {
    Nonces::new(&[7; 32])
}

fn header(signer: &Signer, algorithm: Algorithm) -> Value {
    let mut jwk = signer.public_jwk("any");
    let members = jwk.as_object_mut().unwrap();
    members.remove("kid");
    members.remove("use");
    json!({"typ": "dpop+jwt", "alg": algorithm.name(), "jwk": jwk})
}

fn claims() -> Value {
    json!({
        "jti": "one", "htm": "POST", "htu": RESOURCE, "iat": NOW,
        "ath": base64url::encode(&crate::caller::token_digest(TOKEN)),
    })
}

/// What becomes of these headers, for a token that is bound to the key of this signer.
fn answer(
    headers: &[&[u8]],
    bound_to: &Signer,
    rules: &Rules,
    now: u64,
) -> Result<Proof, ProofError> {
    let jwk = bound_to.public_jwk("any");
    let key = Thumbprint::of_key(jwk.as_object().unwrap()).unwrap();
    let request = Request {
        method: "POST",
        target: &Target::of(RESOURCE).unwrap(),
        token: &crate::caller::token_digest(TOKEN),
        key: &key,
        since_s: 0,
    };
    verify(headers.iter().copied(), &request, rules, &nonces(), now)
}

fn of(proof: &str) -> Result<(), ProofError> {
    answer(&[proof.as_bytes()], &EC, &rules(), NOW).map(drop)
}

fn changed(object: &Value, changes: &Value) -> Value {
    let mut object = object.clone();
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    object
}

fn with_claims(changes: Value) -> Result<(), ProofError> {
    let claims = changed(&claims(), &changes);
    of(&EC.token(&header(&EC, Algorithm::Es256), &claims))
}

fn with_header(changes: Value) -> Result<(), ProofError> {
    let header = changed(&header(&EC, Algorithm::Es256), &changes);
    of(&EC.token(&header, &claims()))
}

fn good() -> String {
    EC.token(&header(&EC, Algorithm::Es256), &claims())
}

#[test]
fn n7_4_accepts_a_good_proof_of_every_algorithm() {
    for (signer, algorithm) in [
        (&*EC, Algorithm::Es256),
        (&*ED, Algorithm::EdDsa),
        (&*RSA, Algorithm::Ps256),
        (&*RSA, Algorithm::Rs256),
    ] {
        let proof = signer.token(&header(signer, algorithm), &claims());
        let proof = answer(&[proof.as_bytes()], signer, &rules(), NOW).unwrap();
        assert_eq!(proof.until_s, NOW + 61, "{algorithm}");
        // The same algorithm, not listed.
        let others = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm);
        let rules = Rules {
            algorithms: others.collect(),
            ..rules()
        };
        let proof = signer.token(&header(signer, algorithm), &claims());
        let found = answer(&[proof.as_bytes()], signer, &rules, NOW);
        assert_eq!(found, Err(ProofError::Algorithm));
    }
}

#[test]
fn n7_4_accepts_what_our_own_signer_makes() {
    let signer = dpop::Signer::generate().unwrap();
    let url = url::Url::parse(RESOURCE).unwrap();
    let nonce = nonces().at(NOW).unwrap();
    let proof = signer.proof("POST", &url, NOW, Some(TOKEN), Some(&nonce));
    let request = Request {
        method: "POST",
        target: &Target::of(RESOURCE).unwrap(),
        token: &crate::caller::token_digest(TOKEN),
        key: &Thumbprint::parse(signer.thumbprint()).unwrap(),
        since_s: NOW,
    };
    let rules = Rules {
        nonce: NonceRule::Required,
        ..rules()
    };
    let found = verify(
        [proof.unwrap().as_bytes()],
        &request,
        &rules,
        &nonces(),
        NOW,
    );
    assert!(found.is_ok(), "{found:?}");
}

/// The example of RFC 9449, section 7.1: somebody else's signature.
#[test]
fn n7_4_accepts_the_example_of_the_standard() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMz\
                 R0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG\
                 10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtI\
                 joiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhd\
                 CI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.\
                 2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let request = Request {
        method: "GET",
        target: &Target::of("https://resource.example.org/protectedresource").unwrap(),
        token: &crate::caller::token_digest(token),
        key: &Thumbprint::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").unwrap(),
        since_s: 0,
    };
    let found = verify(
        [proof.as_bytes()],
        &request,
        &rules(),
        &nonces(),
        1_562_262_620,
    );
    assert_eq!(found.map(|it| it.until_s), Ok(1_562_262_618 + 61));
}

#[test]
fn n7_4_wants_exactly_one_proof_of_bounded_size() {
    let good = good();
    let good = good.as_bytes();
    let check = |headers: &[&[u8]], expected: Result<(), ProofError>| {
        assert_eq!(answer(headers, &EC, &rules(), NOW).map(drop), expected);
    };
    check(&[good], Ok(()));
    check(&[], Err(ProofError::Missing));
    check(&[good, good], Err(ProofError::Repeated));
    check(&[good, b""], Err(ProofError::Repeated));
    check(&[&vec![b'a'; PROOF_MAX + 1]], Err(ProofError::Size));
    check(&[&vec![b'.'; 1 << 20]], Err(ProofError::Size));
    check(&[b"\xff.\xff.\xff"], Err(ProofError::Malformed("not text")));
    // Two in one header, as a proxy may join them.
    let joined = [good, b", ", good].concat();
    check(&[&joined], Err(ProofError::Malformed("not three parts")));
}

#[test]
fn n7_4_reads_only_a_compact_proof_of_strict_json() {
    let good = good();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let parts = ProofError::Malformed("not three parts");
    let base64 = ProofError::Malformed("not base64url");
    let header = ProofError::Malformed("the header is not a strict object");
    let payload = ProofError::Malformed("the payload is not a strict object");
    let check = |proof: &str, expected: ProofError| {
        assert_eq!(of(proof), Err(expected), "{proof}");
    };
    check("", parts);
    check(signed, parts);
    check(&format!("{good}."), parts);
    check(&format!("{signed}."), ProofError::Malformed("not signed"));
    check(&format!("{good}="), base64);
    check(&format!(" {good}"), base64);
    check(&format!("{good}\u{e9}"), base64);
    check(&format!("{good}\u{202e}"), base64);
    check(&format!("DPoP {good}"), base64);
    check(&format!("e30x.{signature}.AAAA"), header);
    let jwk = self::header(&EC, Algorithm::Es256).to_string();
    let twice = jwk.replacen('{', r#"{"alg":"none","#, 1);
    check(&EC.token_of(&twice, &claims().to_string()), header);
    let twice = claims().to_string().replacen('{', r#"{"htm":"GET","#, 1);
    check(&EC.token_of(&jwk, &twice), payload);
    check(&EC.token_of(&jwk, "[]"), payload);
    check(&EC.token_of(&jwk, "{\"jti\":\"\\ud800\"}"), payload);
    let general = format!(r#"{{"payload":"e30","signatures":[{{"protected":"{signed}"}}]}}"#);
    assert!(of(&general).is_err());
}

#[test]
fn n7_4_refuses_a_header_that_is_not_that_of_a_proof() {
    let check = |changes: Value, expected: Result<(), ProofError>| {
        assert_eq!(with_header(changes.clone()), expected, "{changes}");
    };
    check(json!({"typ": "DPOP+JWT"}), Ok(()));
    for typ in [
        json!(null),
        json!("JWT"),
        json!("at+jwt"),
        json!("application/dpop+jwt"),
        json!(7),
    ] {
        check(json!({"typ": typ}), Err(ProofError::Type));
    }
    for alg in [
        "none", "NONE", "", "HS256", "HS512", "ES384", "ES256K", "RS512",
    ] {
        check(json!({"alg": alg}), Err(ProofError::Algorithm));
    }
    check(json!({"alg": null}), Err(ProofError::Header("alg")));
    check(json!({"alg": ["ES256"]}), Err(ProofError::Header("alg")));
    check(json!({"jwk": null}), Err(ProofError::Header("jwk")));
    check(json!({"jwk": "x"}), Err(ProofError::Header("jwk")));
    for name in REFUSED.into_iter().filter(|name| *name != "jwk") {
        check(
            json!({name: "https://evil.example/keys"}),
            Err(ProofError::Header(name)),
        );
    }
    // A key id names nothing: the key is the one in the proof.
    check(json!({"kid": "ed"}), Ok(()));
    check(json!({"kid": "../../etc/passwd"}), Ok(()));
}

#[test]
fn n7_4_refuses_a_key_that_is_not_a_public_key_of_the_algorithm() {
    let check = |changes: Value, expected: ProofError| {
        let jwk = changed(&header(&EC, Algorithm::Es256)["jwk"], &changes);
        assert_eq!(with_header(json!({"jwk": jwk})), Err(expected), "{changes}");
    };
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        check(json!({name: "AAAA"}), ProofError::Key);
    }
    check(json!({"kty": "RSA"}), ProofError::Key);
    check(json!({"kty": "oct", "k": "AAAA"}), ProofError::Key);
    check(json!({"crv": "P-384"}), ProofError::Key);
    check(json!({"x": null}), ProofError::Key);
    check(json!({"y": "AAAA"}), ProofError::Key);
    check(json!({"alg": "RS256"}), ProofError::Key);
    check(json!({"use": "enc"}), ProofError::Key);
    check(json!({"key_ops": ["sign"]}), ProofError::Key);
    // A point that is not on the curve.
    let x = header(&EC, Algorithm::Es256)["jwk"]["x"].clone();
    check(json!({"y": x}), ProofError::Key);
    // An RSA number with a zero in front would be another spelling of the same key.
    let mut jwk = header(&RSA, Algorithm::Rs256)["jwk"].clone();
    jwk["e"] = json!("AAEAAQ");
    let padded = json!({"typ": "dpop+jwt", "alg": "RS256", "jwk": jwk});
    let padded = RSA.token(&padded, &claims());
    let found = answer(&[padded.as_bytes()], &RSA, &rules(), NOW);
    assert_eq!(found.map(drop), Err(ProofError::Key));
}

#[test]
fn n7_4_refuses_another_key_and_another_signature() {
    // A thief with a key of their own.
    let other = Signer::ec();
    let stolen = other.token(&header(&other, Algorithm::Es256), &claims());
    assert_eq!(of(&stolen), Err(ProofError::OtherKey));
    // The right key in the header, signed with another.
    let forged = other.token(&header(&EC, Algorithm::Es256), &claims());
    assert_eq!(of(&forged), Err(ProofError::Signature));
    // A public key used as a shared secret.
    let hs256 = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": EC.public_jwk("a")});
    assert_eq!(of(&EC.token(&hs256, &claims())), Err(ProofError::Algorithm));
    // Another proof's signature, and a signature that is none.
    let (signed, _) = good()
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let elsewhere = EC.token(&header(&EC, Algorithm::Es256), &json!({}));
    let (_, signature) = elsewhere.rsplit_once('.').unwrap();
    assert_eq!(
        of(&format!("{signed}.{signature}")),
        Err(ProofError::Signature)
    );
    assert_eq!(of(&format!("{signed}.AAAA")), Err(ProofError::Signature));
    let zero = base64url::encode(&[0; 64]);
    assert_eq!(of(&format!("{signed}.{zero}")), Err(ProofError::Signature));
}

#[test]
fn n7_4_a_proof_is_for_one_method_one_url_and_one_token() {
    let check = |changes: Value, expected: Result<(), ProofError>| {
        assert_eq!(with_claims(changes.clone()), expected, "{changes}");
    };
    check(json!({}), Ok(()));
    check(json!({"more": {"is": "fine"}}), Ok(()));
    for htm in ["GET", "post", "Post", "", "POST ", "POST,GET", "DELETE"] {
        check(json!({"htm": htm}), Err(ProofError::Method));
    }
    check(json!({"htu": format!("{RESOURCE}?a=b#c")}), Ok(()));
    check(json!({"htu": "HTTPS://MCP.EXAMPLE.COM:443/files"}), Ok(()));
    for htu in [
        "",
        "/files",
        "https://mcp.example.com/",
        "http://mcp.example.com/files",
        "https://mcp.example.com/Files",
        "https://mcp.example.com/files/",
        "https://evil.example/files",
    ] {
        check(json!({"htu": htu}), Err(ProofError::Url));
    }
    let other = base64url::encode(&crate::caller::token_digest("another.good.token"));
    let ours = claims()["ath"].as_str().unwrap().to_owned();
    for ath in [
        &*other,
        "",
        TOKEN,
        &format!("{ours}="),
        ours.get(1..).unwrap(),
    ] {
        check(json!({"ath": ath}), Err(ProofError::OtherToken));
    }
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        for wrong in [json!(null), json!(["a"]), json!({}), json!(true)] {
            check(json!({name: wrong}), Err(ProofError::Claim(name)));
        }
    }
    check(json!({"jti": ""}), Err(ProofError::Claim("jti")));
    check(json!({"jti": "j".repeat(ID_MAX)}), Ok(()));
    check(
        json!({"jti": "j".repeat(ID_MAX + 1)}),
        Err(ProofError::Claim("jti")),
    );
    check(json!({"jti": "\u{1f511}\u{202e}\u{0}"}), Ok(()));
    for iat in [
        json!("1800000000"),
        json!(1_800_000_000.5),
        json!(-1),
        json!(1e300),
    ] {
        check(json!({"iat": iat}), Err(ProofError::Claim("iat")));
    }
}

#[test]
fn n7_4_a_proof_is_good_for_a_short_time() {
    let rules = rules();
    let check = |iat: u64, expected: Result<u64, ProofError>| {
        let claims = changed(&claims(), &json!({"iat": iat}));
        let proof = EC.token(&header(&EC, Algorithm::Es256), &claims);
        let found = answer(&[proof.as_bytes()], &EC, &rules, NOW);
        assert_eq!(found.map(|it| it.until_s), expected, "{iat}");
    };
    check(NOW, Ok(NOW + 61));
    check(NOW - 60, Ok(NOW + 1));
    check(NOW - 61, Err(ProofError::Stale));
    check(0, Err(ProofError::Stale));
    check(NOW + 5, Ok(NOW + 66));
    check(NOW + 6, Err(ProofError::Future));
    check(u64::MAX, Err(ProofError::Future));
}

#[test]
fn n7_4_a_nonce_is_required_where_it_is_and_good_wherever_it_is() {
    let fresh = nonces().at(NOW).unwrap();
    let stale = nonces().at(NOW - 1000).unwrap();
    let check = |nonce: NonceRule, said: Value, expected: Result<(), ProofError>| {
        let claims = changed(&claims(), &json!({"nonce": said.clone()}));
        let proof = EC.token(&header(&EC, Algorithm::Es256), &claims);
        let rules = Rules { nonce, ..rules() };
        let found = answer(&[proof.as_bytes()], &EC, &rules, NOW);
        assert_eq!(found.map(drop), expected, "{nonce:?} {said}");
    };
    let wrong = |error: NonceError| Err(ProofError::Nonce(error));
    use NonceRule::{Off, Offered, Required};
    for rule in [Off, Offered, Required] {
        check(rule, json!(fresh), Ok(()));
        check(rule, json!(7), Err(ProofError::Claim("nonce")));
    }
    check(Off, json!(null), Ok(()));
    check(Off, json!("anything"), Ok(()));
    check(Offered, json!(null), Ok(()));
    check(Required, json!(null), wrong(NonceError::Missing));
    for rule in [Offered, Required] {
        check(rule, json!(stale), wrong(NonceError::Stale));
        check(rule, json!("anything"), wrong(NonceError::Foreign));
        check(rule, json!(""), wrong(NonceError::Foreign));
    }
    assert_eq!(
        ProofError::from(NonceError::Stale).challenge_error(),
        "use_dpop_nonce"
    );
}

#[test]
fn n7_4_a_proof_of_before_anything_was_remembered_needs_a_nonce() {
    let jwk = EC.public_jwk("any");
    let key = Thumbprint::of_key(jwk.as_object().unwrap()).unwrap();
    let check =
        |rule: NonceRule, made: u64, nonce: Option<&str>, expected: Result<(), ProofError>| {
            let claims = changed(&claims(), &json!({ "iat": made, "nonce": nonce }));
            let proof = EC.token(&header(&EC, Algorithm::Es256), &claims);
            let request = Request {
                method: "POST",
                target: &Target::of(RESOURCE).unwrap(),
                token: &crate::caller::token_digest(TOKEN),
                key: &key,
                since_s: NOW - 20,
            };
            let rules = Rules {
                nonce: rule,
                ..rules()
            };
            let found = verify([proof.as_bytes()], &request, &rules, &nonces(), NOW);
            assert_eq!(found.map(drop), expected, "{rule:?} {made} {nonce:?}");
        };
    let nonce = nonces().at(NOW).unwrap();
    let missing = Err(ProofError::Nonce(NonceError::Missing));
    use NonceRule::{Off, Offered, Required};
    // The skew of five seconds counts: the clock that dated the proof may have been ahead.
    check(Off, NOW - 15, None, Ok(()));
    check(Off, NOW - 16, None, Err(ProofError::Stale));
    check(Off, NOW - 16, Some(&nonce), Err(ProofError::Stale));
    check(Offered, NOW - 15, None, Ok(()));
    check(Offered, NOW - 16, None, missing);
    for rule in [Offered, Required] {
        check(rule, NOW - 16, Some(&nonce), Ok(()));
    }
}

#[test]
fn n7_4_an_id_is_told_from_every_other() {
    let id = |jti: &str| {
        let claims = changed(&claims(), &json!({ "jti": jti }));
        let proof = EC.token(&header(&EC, Algorithm::Es256), &claims);
        answer(&[proof.as_bytes()], &EC, &rules(), NOW).unwrap().id
    };
    assert_eq!(id("one"), id("one"));
    assert_ne!(id("one"), id("One"));
    assert_ne!(id("one"), id("one "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn n7_4_no_changed_byte_leaves_a_proof_good(at in 0usize..400, by in 1u8..64) {
        let good = good();
        let at = at % good.len();
        let mut bytes = good.clone().into_bytes();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = alphabet.iter().position(|byte| *byte == bytes[at]);
        bytes[at] = place.map_or(b'A', |place| alphabet[(place + usize::from(by)) % 64]);
        prop_assert!(of(std::str::from_utf8(&bytes).unwrap()).is_err());
    }

    #[test]
    fn n7_4_whatever_comes_never_panics(text in "\\PC{0,200}", header in "\\PC{0,40}") {
        prop_assert!(of(&text).is_err());
        let proof = format!("{}.AAAA", spelt(&header, &text));
        prop_assert!(of(&proof).is_err());
    }
}
