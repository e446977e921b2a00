//! Checks against numbers that their issuers publish as examples, and against each other.

use super::*;

/// A check, an example that its issuer prints, and the same with a sign changed.
const PUBLISHED: &str = "
    github_crc | 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 | ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18
    iban | GB82 WEST 1234 5698 7654 32 | GB82 WEST 1234 5698 7654 33
    iban | DE89370400440532013000 | DE89370400440532013001
    payment_card | 4111 1111 1111 1111 | 4111 1111 1111 1112
    payment_card | 378282246310005 | 378282246310006
    de_steuer_id | 86095742719 | 86095742718
    de_rvnr | 15070649C103 | 15070649C104
    de_id_card | L01X00T471 | L01X00T472
    at_svnr | 1237 010180 | 1238 010180
    ch_ahv | 756.9217.0769.85 | 756.9217.0769.84
    fr_nir | 295109912611193 | 295109912611192
    uk_nhs | 943 476 5919 | 943 476 5918
    uk_utr | 1955839661 | 2955839661
    us_npi | 1234567893 | 1234567894
    it_codice_fiscale | RSSMRA85T10A562S | RSSMRA85T10A562T
    es_dni | 12345678Z | 12345678A
    es_dni | X2482300W | X2482300A
    nl_bsn | 111222333 | 111222334
    be_nn | 85.07.30-033.28 | 85.07.30-033.29
    pl_pesel | 44051401359 | 44051401358
    pt_nif | 501964843 | 501964842
    br_cpf | 390.533.447-05 | 390.533.447-06
    verhoeff | 2363 | 2364
    se_pnr | 811218-9876 | 811218-9875
    no_fnr | 15108695088 | 15108695089
    fi_hetu | 131052-308T | 131052-308U
    us_ssn | 536-22-8741 | 666-22-8741
    uk_nino | AB123456C | GB123456C
    jwt | eyJhbGciOiJIUzI1NiJ9.e30.c2ln | eyJ4IjoxfQ.e30.c2ln
    base64_credentials | YWxhZGRpbjpvcGVuc2VzYW1l | YWxhZGRpbm9wZW5zZXNhbWU=
    age_key | AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX | AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEQ
    date | 31.12.1999 | 32.13.1999
    phone | +49 30 901820 | +0 30 901820
    ipv4_public | 81.169.145.88 | 10.1.2.3
    ipv6_public | 2a02:8071:2184:5c00:1c3e:9bff:fe21:7d04 | 2001:db8::1
    ipv6_public | 2003:c2::1 | fd12:3456:789a::1
    ipv6_public | 2001:4c08::1 | 2001:2f:1::1
    ipv6_public | 2001:2:1::1 | 2001:2::1
    ipv6_public | 2600:1f18:: | 2600:1f18::1::
    ipv6_public | 3ffe:1::1 | 3fff:abc::1
    ein | 12-3456789 | 07-3456789
    bic | DEUTDEFF | DEUTXQFF
    luhn | 79927398713 | 79927398714
    us_itin | 912-72-8741 | 912-49-8741
    fr_spi | 30 23 217 600 053 | 30 23 217 600 054
    dk_cpr | 131052-4184 | 321352-4184
";

#[test]
fn checks_hold_for_published_examples() {
    for line in PUBLISHED.lines().filter(|line| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, right, wrong] = parts[..] else {
            panic!("{line}");
        };
        let check = Check::named(name).unwrap();
        assert!(check.judge(right).is_some(), "{name}: {right}");
        assert!(check.judge(wrong).is_none(), "{name}: {wrong}");
    }
}

/// Anything at all is judged without harm.
#[test]
fn checks_judge_any_text() {
    let texts = [
        "",
        "-",
        "é",
        "日本語テキスト",
        "00000000000000000",
        "AAAAAAAAAAAAAAAA",
        "1a2b3c",
        "\u{0}",
        "....",
        "ÄÖÜ12",
    ];
    for name in Check::names() {
        let check = Check::named(name).unwrap();
        for text in texts {
            if let Some(part) = check.judge(text) {
                assert!(text.get(part).is_some(), "{name}: {text}");
            }
        }
    }
}

#[test]
fn entropy_is_in_bits_a_character() {
    assert!(entropy("aaaa") < 0.01);
    assert!((entropy("abcd") - 2.0).abs() < 0.01);
}
