//! Certificates, well formed and not, as TLS and as proxies hand them over.

use super::*;
use crate::possession::dpop;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use std::sync::LazyLock;

/// From 2026-01-01 to 2060-03-01: the first time is written in one form, the second in the other.
static DER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 3, 1);
    params.self_signed(&key).unwrap().der().to_vec()
});
const FROM: u64 = 1_767_225_600;
const UNTIL: u64 = 2_845_324_800;

fn pem(line: usize) -> String {
    let text = STANDARD.encode(&*DER);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(line)
        .map(|it| std::str::from_utf8(it).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn hex() -> String {
    let certificate = Certificate::read(&DER).unwrap();
    let bytes = certificate.thumbprint().as_bytes().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn n7_4_a_certificate_is_good_from_its_first_to_its_last_second() {
    let certificate = Certificate::read(&DER).unwrap();
    for (now, expected) in [
        (0, false),
        (FROM - 1, false),
        (FROM, true),
        (UNTIL, true),
        (UNTIL + 1, false),
        (u64::MAX, false),
    ] {
        assert_eq!(certificate.is_in_force(now), expected, "{now}");
    }
    let again = Certificate::read(&DER).unwrap();
    assert_eq!(again.thumbprint(), certificate.thumbprint());
}

#[test]
fn n7_4_what_is_no_certificate_has_no_thumbprint() {
    assert_eq!(Certificate::read(b""), None);
    assert_eq!(Certificate::read(&DER[1..]), None);
    assert_eq!(Certificate::read(&[&**DER, b"\0"].concat()), None);
    assert_eq!(Certificate::read(&vec![0x30; CERTIFICATE_MAX + 1]), None);
    for end in 0..DER.len() {
        assert_eq!(Certificate::read(&DER[..end]), None, "{end}");
    }
}

#[test]
fn n7_4_reads_what_each_kind_of_proxy_writes() {
    let expected = Certificate::read(&DER).unwrap();
    let check = |form: Form, value: &str| {
        let found = forwarded(form, value.as_bytes());
        assert_eq!(found, Ok(expected), "{form:?} {value}");
    };
    let base64 = STANDARD.encode(&*DER);
    check(Form::ClientCert, &format!(":{base64}:"));
    check(Form::ClientCert, &format!(" :{base64}: "));
    check(Form::EscapedPem, &escaped(&pem(64)));
    check(Form::EscapedPem, &escaped(&pem(76).replace('\n', "\r\n")));
    let (cert, hash) = (escaped(&pem(64)), hex());
    check(Form::Envoy, &format!("Cert=\"{cert}\""));
    check(Form::Envoy, &format!("Hash={hash};Cert=\"{cert}\""));
    check(
        Form::Envoy,
        &format!(
            "By=spiffe://a;Hash={hash};Cert=\"{cert}\";Subject=\"CN=\\\"a\\\",O=b;Hash=x\";URI=spiffe://c"
        ),
    );
    // The hash alone says nothing about time: the proxy has looked at it.
    let found = forwarded(Form::Envoy, format!("Hash={hash};Subject=\"\"").as_bytes()).unwrap();
    assert_eq!(found.thumbprint(), expected.thumbprint());
    assert!(found.is_in_force(UNTIL + 1));
}

#[test]
fn n7_4_refuses_what_is_not_exactly_one_certificate_in_that_form() {
    let check = |form: Form, value: &str| {
        let found = forwarded(form, value.as_bytes());
        assert_eq!(found, Err(ForwardedError), "{form:?} {value}");
    };
    let base64 = STANDARD.encode(&*DER);
    let (cert, hash) = (escaped(&pem(64)), hex());
    for value in [
        "",
        ":",
        "::",
        ":AAAA:",
        &base64,
        &format!(":{base64}"),
        &format!("{base64}:"),
        &format!(":{base64}:;a=1"),
        &format!(":{base64}:, :{base64}:"),
        &format!("\"{base64}\""),
        &format!(":{}:", base64.replace('A', " A")),
        "(null)",
        ":\u{e9}:",
    ] {
        check(Form::ClientCert, value);
    }
    for value in [
        "",
        "(null)",
        &pem(64).replace("BEGIN", "begin"),
        cert.get(..cert.len() - 20).unwrap(),
        &cert.replace('%', ""),
        &format!("{cert}{cert}"),
        // A number with a sign is not two digits.
        &cert.replace("%0A", "%+A"),
        "%",
        "%4",
        "%+41",
        "%FF",
        &format!(":{base64}:"),
    ] {
        check(Form::EscapedPem, value);
    }
    let other = "00".repeat(32);
    for value in [
        "",
        "Hash",
        "Hash=",
        "Hash=abc",
        "By=a",
        "Subject=\"CN=a\"",
        &format!("Hash={hash},Hash={hash}"),
        &format!("Hash={hash};Hash={other}"),
        &format!("Hash={hash}, By=b"),
        &format!("Hash={other};Cert=\"{cert}\""),
        &format!("Cert=\"{cert}"),
        &format!("Subject=\"CN=a;Hash={hash}"),
        &format!("Hash={hash};"),
        &format!("Hash={hash};Evil=a"),
        &format!("Hash={}", hash.get(..20).unwrap()),
        &format!("Subject=a\"b;Hash={hash}"),
        &format!("Subject=\"a\"b;Hash={hash}"),
        &format!("Subject=\"\u{e9}\";Hash={hash}"),
        &format!(
            "Subject=\"{}\";Hash={hash}",
            "a".repeat(6 * CERTIFICATE_MAX)
        ),
    ] {
        check(Form::Envoy, value);
    }
    for form in [Form::ClientCert, Form::Envoy, Form::EscapedPem] {
        check(form, &"A".repeat(1 << 20));
        assert_eq!(forwarded(form, b"\xff"), Err(ForwardedError));
    }
}

proptest! {
    #[test]
    fn n7_4_whatever_comes_is_read_or_not_and_never_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0usize..4096, byte in any::<u8>(),
    ) {
        let _ = Certificate::read(&bytes);
        for form in [Form::ClientCert, Form::Envoy, Form::EscapedPem] {
            let _ = forwarded(form, &bytes);
        }
        let mut changed = DER.clone();
        let at = at % changed.len();
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        // Every byte counts for the thumbprint, whether or not it is read.
        if let Some(found) = Certificate::read(&changed) {
            let before = Certificate::read(&DER).unwrap();
            prop_assert_ne!(found.thumbprint(), before.thumbprint());
        }
        let _ = dpop::Target::of(&String::from_utf8_lossy(&bytes));
    }
}
