//! Makes throw-away keys, a JWKS and signed access tokens for the benchmark.
//!
//!   mcpb-token --out DIR [--count 64] [--iss URL] [--aud X] [--sub X] [--users N] [--ttl SECS] [--claims JSON]
//!
//! With `--users N` the tokens are those of N users in turn: and so on.
//!
//! Writes DIR/jwks.json (one EdDSA and one ES256 key), DIR/tokens.EdDSA and DIR/tokens.ES256 (one token
//! a line, each with its own jti), and DIR/tokens.bad (signature broken) for a negative check; and of
//! tokens that are bound to a key DIR/tokens.DPoP (signed ES256) and the key, DIR/dpop.p8.
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as sig, KeyPair};
use ringwall_bench::{b64, new_key, Holder};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let (mut out, mut count, mut iss, mut aud, mut sub, mut users, mut ttl) =
        (String::new(), 64usize, "http://127.0.0.1:9000".to_string(), "mcpbench".to_string(), "bench-user".to_string(), 1usize, 86400u64);
    let mut extra = serde_json::Map::new();
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        let v = a.next().expect("value");
        match k.as_str() {
            "--out" => out = v,
            "--count" => count = v.parse().unwrap(),
            "--iss" => iss = v,
            "--aud" => aud = v,
            "--sub" => sub = v,
            "--users" => users = v.parse::<usize>().unwrap().max(1),
            "--ttl" => ttl = v.parse().unwrap(),
            "--claims" => extra = serde_json::from_str(&v).expect("claims json object"),
            _ => panic!("unknown option {k}"),
        }
    }
    std::fs::create_dir_all(&out).unwrap();
    let rng = SystemRandom::new();
    let ed = sig::Ed25519KeyPair::from_pkcs8(sig::Ed25519KeyPair::generate_pkcs8(&rng).unwrap().as_ref()).unwrap();
    let alg = &sig::ECDSA_P256_SHA256_FIXED_SIGNING;
    let ec = sig::EcdsaKeyPair::from_pkcs8(alg, sig::EcdsaKeyPair::generate_pkcs8(alg, &rng).unwrap().as_ref()).unwrap();
    let p = ec.public_key().as_ref();
    let keys = vec![
        serde_json::json!({"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"ed1","x":b64(ed.public_key().as_ref())}),
        serde_json::json!({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"ec1","x":b64(&p[1..33]),"y":b64(&p[33..])}),
    ];
    std::fs::write(format!("{out}/jwks.json"), serde_json::to_string_pretty(&serde_json::json!({"keys": keys})).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut bad = String::new();
    let key = new_key();
    let bound = serde_json::json!({"cnf": {"jkt": Holder::of(&key).thumbprint()}});
    std::fs::write(format!("{out}/dpop.p8"), key).unwrap();
    for (file, name, kid) in [("EdDSA", "EdDSA", "ed1"), ("ES256", "ES256", "ec1"), ("DPoP", "ES256", "ec1")] {
        let mut all = String::new();
        for i in 0..count {
            let sub = if users == 1 { sub.clone() } else { format!("{sub}-{}", i % users) };
            let mut c = serde_json::json!({"iss": iss, "aud": aud, "sub": sub, "client_id": "bench", "iat": now, "nbf": now - 5, "exp": now + ttl, "jti": format!("{kid}-{i}"), "scope": "mcp:tools mcp:read"});
            c.as_object_mut().unwrap().extend(extra.clone());
            if file == "DPoP" {
                c.as_object_mut().unwrap().extend(bound.as_object().unwrap().clone());
            }
            let msg = format!("{}.{}", b64(format!("{{\"alg\":\"{name}\",\"typ\":\"at+jwt\",\"kid\":\"{kid}\"}}").as_bytes()), b64(c.to_string().as_bytes()));
            let s = match name {
                "EdDSA" => ed.sign(msg.as_bytes()).as_ref().to_vec(),
                _ => ec.sign(&rng, msg.as_bytes()).unwrap().as_ref().to_vec(),
            };
            all += &format!("{msg}.{}\n", b64(&s));
            if i == 0 && name == "EdDSA" {
                let mut s = s;
                s[10] ^= 1;
                bad = format!("{msg}.{}\n", b64(&s));
            }
        }
        std::fs::write(format!("{out}/tokens.{file}"), all).unwrap();
    }
    std::fs::write(format!("{out}/tokens.bad"), bad).unwrap();
}
