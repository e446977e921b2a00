//! Proofs of possession, the addresses they name and the certificates proxies tell of: reading never
//! breaks, nothing but the one good proof is accepted, and an address is its own name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_identity::Algorithm;
use ringwall_identity::possession::Thumbprint;
use ringwall_identity::possession::certificate::{self, Certificate, Form};
use ringwall_identity::possession::dpop::{self, NonceRule, Nonces, Request, Rules, Target};

/// The example of RFC 9449, section 7.1.
const GOOD: &str = include_str!("../seeds/dpop/rfc9449.txt");
const KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const URL: &str = "https://resource.example.org/protectedresource";
const MADE: u64 = 1_562_262_618;
/// SHA-256 of its token.
const TOKEN: [u8; 32] = [
    0x7d, 0x41, 0xf2, 0x3b, 0x6a, 0xf6, 0x67, 0x70, 0xd9, 0xe7, 0x71, 0x2c, 0x36, 0xb5, 0x81, 0x6f,
    0x4c, 0x56, 0x5e, 0x86, 0x8d, 0xcb, 0x9f, 0x48, 0x88, 0xa0, 0x80, 0xaa, 0x4b, 0x26, 0x40, 0x4a,
];

fuzz_target!(|data: &[u8]| {
    let (Some(target), Some(key)) = (Target::of(URL), Thumbprint::parse(KEY)) else {
        panic!("the example is readable");
    };
    let request = Request {
        method: "GET",
        target: &target,
        token: &TOKEN,
        key: &key,
        since_s: 0,
    };
    let rules = Rules {
        algorithms: Algorithm::ALL.to_vec(),
        age_s: 60,
        skew_s: 5,
        nonce: NonceRule::Offered,
        nonce_age_s: 300,
    };
    let nonces = Nonces::new(&[7; 32]);
    if dpop::verify([data], &request, &rules, &nonces, MADE).is_ok() {
        // A signature of this curve has a twin; what is signed has none.
        let signed = |text: &str| text.rsplit_once('.').map(|(signed, _)| signed.to_owned());
        let text = std::str::from_utf8(data).unwrap_or_default();
        assert_eq!(signed(text), signed(GOOD.trim_end()));
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(target) = Target::of(text)
    {
        assert!(target.is_named(text));
        assert_eq!(Target::of(target.as_str()), Some(target.clone()));
    }
    let _ = Certificate::read(data);
    for form in [Form::ClientCert, Form::Envoy, Form::EscapedPem] {
        let _ = certificate::forwarded(form, data);
    }
});
