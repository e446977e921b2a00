//! What it costs to know who is calling, on this machine: each algorithm, tokens never seen and seen
//! before, with and without a DPoP proof, and what many distinct tokens take in memory. One line each;
//! `TOKENS` sets how many distinct tokens there are of each algorithm, `FLIGHT` how many in the last part.
//!
//! `cargo run --release -p ringwall-identity --example verification`

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwall_identity::possession::Thumbprint;
use ringwall_identity::possession::dpop::{
    self, NonceRule, Nonces, Request, Rules, Signer, Target,
};
use ringwall_identity::{
    Audience, BoxFuture, Fetch, FetchError, Fetched, IssuerRules, Issuers, Outbound,
};
use serde_json::{Value, json};
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ISSUER: &str = "https://id.example.com";
const RESOURCE: &str = "https://mcp.example.com/files";
const NOW: u64 = 1_800_000_000;
const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "PS256", "RS256"];

fn main() -> Outcome {
    let count = |name, usual| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(usual)
    };
    let signers = Signers::generate()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        for algorithm in ALGORITHMS {
            compare(&signers, algorithm, count("TOKENS", 2_000)).await?;
        }
        flight(&signers, count("FLIGHT", 100_000)).await
    })
}

/// Tokens of one algorithm: seen for the first time, seen again, and each with a proof of its own.
async fn compare(signers: &Signers, algorithm: &str, count: usize) -> Outcome {
    let (issuers, audience) = (signers.issuers()?, Audience::of(RESOURCE)?);
    let holder = Signer::generate()?;
    let tokens: Vec<String> = (0..count)
        .map(|number| signers.token(algorithm, number, Some(holder.thumbprint())))
        .collect::<Outcome<_>>()?;
    // The keys are fetched by whoever comes first.
    let first = signers.token(algorithm, count, None)?;
    issuers.verify(&first, &audience, NOW).await?;
    let begun = Instant::now();
    for token in &tokens {
        black_box(issuers.verify(token, &audience, NOW).await?);
    }
    let fresh = each(begun, count);
    let begun = Instant::now();
    for token in &tokens {
        let caller = issuers.verify_cached(token, &audience, NOW);
        black_box(caller.ok_or("forgotten")?);
    }
    let seen = each(begun, count);
    let proven = prove(&issuers, &audience, &holder, &tokens)?;
    println!(
        "{algorithm}: never seen {fresh:?}, seen {seen:?}, seen with a proof {proven:?} \
         ({:.2} x a token never seen)",
        proven.as_secs_f64() / fresh.as_secs_f64()
    );
    Ok(())
}

/// A remembered token and an ES256 proof made for this very request.
fn prove(
    issuers: &Issuers,
    audience: &Audience,
    holder: &Signer,
    tokens: &[String],
) -> Outcome<Duration> {
    let rules = Rules {
        algorithms: vec![ringwall_identity::Algorithm::Es256],
        age_s: 60,
        skew_s: 5,
        nonce: NonceRule::Off,
        nonce_age_s: 300,
    };
    let nonces = Nonces::generate()?;
    let target = Target::of(RESOURCE).ok_or("no target")?;
    let key = Thumbprint::parse(holder.thumbprint()).ok_or("no thumbprint")?;
    let url: Url = RESOURCE.parse()?;
    let proofs: Vec<String> = tokens
        .iter()
        .map(|token| Ok(holder.proof("POST", &url, NOW, Some(token), None)?))
        .collect::<Outcome<_>>()?;
    let begun = Instant::now();
    for (token, proof) in tokens.iter().zip(&proofs) {
        let caller = issuers.verify_cached(token, audience, NOW);
        let caller = caller.ok_or("forgotten")?;
        let request = Request {
            method: "POST",
            target: &target,
            token: caller.token_digest(),
            key: &key,
            since_s: 0,
        };
        let proof = [proof.as_bytes()];
        black_box(dpop::verify(proof, &request, &rules, &nonces, NOW)?);
    }
    Ok(each(begun, tokens.len()))
}

/// Many distinct tokens, each twice: what is remembered is bounded, so memory is.
async fn flight(signers: &Signers, count: usize) -> Outcome {
    let (issuers, audience) = (signers.issuers()?, Audience::of(RESOURCE)?);
    let before = resident_kib();
    let mut most = before;
    let mut again = 0;
    for number in 0..count {
        let token = signers.token("EdDSA", number, None)?;
        issuers.verify(&token, &audience, NOW).await?;
        let seen = issuers.verify_cached(&token, &audience, NOW);
        again += usize::from(seen.is_some());
        if number % 1_000 == 0 {
            most = most.max(resident_kib());
        }
    }
    println!(
        "{count} distinct tokens: {} KiB more than before at most, {again} of them known when \
         they came again at once",
        most.saturating_sub(before)
    );
    Ok(())
}

fn each(begun: Instant, count: usize) -> Duration {
    begun.elapsed() / u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A key of every kind.
struct Signers {
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Signers {
    fn generate() -> Outcome<Self> {
        Ok(Signers {
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            ed: Ed25519KeyPair::generate()?,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
        })
    }

    fn issuers(&self) -> Outcome<Issuers> {
        let mut rules = IssuerRules::new(ISSUER);
        rules.keys = Some(format!("{ISSUER}/keys").parse()?);
        let keys = Keys(self.key_set()?.to_string());
        Ok(Issuers::new(vec![rules], Arc::new(keys))?)
    }

    fn key_set(&self) -> Outcome<Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.ec.public_key().as_ref();
        let (x, y) = point.get(1..65).ok_or("no point")?.split_at(32);
        let ed = text(self.ed.public_key().as_ref());
        let rsa = self.rsa.public_key();
        let n = text(rsa.modulus().big_endian_without_leading_zero());
        let e = text(rsa.exponent().big_endian_without_leading_zero());
        Ok(json!({ "keys": [
            { "kid": "ES256", "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) },
            { "kid": "EdDSA", "kty": "OKP", "crv": "Ed25519", "x": ed },
            { "kid": "PS256", "alg": "PS256", "kty": "RSA", "n": n, "e": e },
            { "kid": "RS256", "alg": "RS256", "kty": "RSA", "n": n, "e": e },
        ] }))
    }

    fn token(&self, algorithm: &str, number: usize, bound_to: Option<&str>) -> Outcome<String> {
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": algorithm });
        let mut claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": format!("user-{}", number % 1_000),
            "client_id": "editor", "iat": NOW - 10, "exp": NOW + 600,
            "jti": format!("t-{number}"), "scope": "mcp:tools", "groups": ["support", "leads"],
        });
        if let (Some(jkt), Some(claims)) = (bound_to, claims.as_object_mut()) {
            claims.insert("cnf".to_owned(), json!({ "jkt": jkt }));
        }
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(&header), text(&claims));
        let signature = self.sign(algorithm, signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, algorithm: &str, text: &[u8]) -> Outcome<Vec<u8>> {
        let random = SystemRandom::new();
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        let rsa = &self.rsa;
        match algorithm {
            "ES256" => return Ok(self.ec.sign(&random, text)?.as_ref().to_vec()),
            "EdDSA" => return Ok(self.ed.sign(text).as_ref().to_vec()),
            "PS256" => rsa.sign(&RSA_PSS_SHA256, &random, text, &mut signature)?,
            _ => rsa.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)?,
        }
        Ok(signature)
    }
}

/// A provider that has one document.
struct Keys(String);

impl Fetch for Keys {
    fn send(&self, _: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        let answer = Fetched::of(200, self.0.clone());
        Box::pin(async move { Ok(answer) })
    }
}
