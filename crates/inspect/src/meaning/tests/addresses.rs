//! Addresses: the spellings by which a server is led where it should not go, and honest ones.

use super::*;
use std::net::IpAddr;

fn url() -> Kind {
    Kind::of(Meaning::Url)
}

fn target(kind: &Kind, text: &str) -> Option<Host> {
    let expectation = Expectation {
        basis: Basis::Declared,
        otherwise: Consequence::Refuse,
        kind: kind.clone(),
    };
    expectation.check(text).target.map(|target| target.host)
}

/// Hosts in the spellings that clients understand, and the address each of them means.
const SPELLINGS: &[(&str, &str)] = &[
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.1", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("127.0.0.01", "127.0.0.1"),
    ("127.000.000.001", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("2130706433.", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0X7F000001", "127.0.0.1"),
    ("0x7f.0.0.1", "127.0.0.1"),
    ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("0177.0.0.01", "127.0.0.1"),
    ("00177.1", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("127.0x0.00.1", "127.0.0.1"),
    ("%31%32%37.0.0.1", "127.0.0.1"),
    ("127%2e0%2e0%2e1", "127.0.0.1"),
    ("１２７.０.０.１", "127.0.0.1"),
    ("127。0。0。1", "127.0.0.1"),
    ("127．0．0．1", "127.0.0.1"),
    ("127｡0｡0｡1", "127.0.0.1"),
    ("①②⑦.⓪.⓪.①", "127.0.0.1"),
    ("0", "0.0.0.0"),
    ("0.0.0.0", "0.0.0.0"),
    ("0x0", "0.0.0.0"),
    ("00", "0.0.0.0"),
    ("10.1", "10.0.0.1"),
    ("012.1", "10.0.0.1"),
    ("0xa.1", "10.0.0.1"),
    ("167772161", "10.0.0.1"),
    ("172.16.1", "172.16.0.1"),
    ("2886729729", "172.16.0.1"),
    ("192.168.257", "192.168.1.1"),
    ("3232235777", "192.168.1.1"),
    ("0xc0a80101", "192.168.1.1"),
    ("169.254.169.254", "169.254.169.254"),
    ("2852039166", "169.254.169.254"),
    ("0xa9fea9fe", "169.254.169.254"),
    ("0251.0376.0251.0376", "169.254.169.254"),
    ("169.254.43518", "169.254.169.254"),
    ("0xa9.0xfe.0xa9.0xfe", "169.254.169.254"),
    ("0xa9fe.0xa9fe", ""),
    ("169.16689662", "169.254.169.254"),
    ("100.100.100.200", "100.100.100.200"),
    ("[::1]", "::1"),
    ("[0:0:0:0:0:0:0:1]", "::1"),
    ("[0000:0000:0000:0000:0000:0000:0000:0001]", "::1"),
    ("[::]", "::"),
    ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
    ("[::ffff:7f00:1]", "::ffff:127.0.0.1"),
    ("[::FFFF:A9FE:A9FE]", "::ffff:169.254.169.254"),
    ("[::127.0.0.1]", "::127.0.0.1"),
    ("[0:0:0:0:0:ffff:127.0.0.1]", "::ffff:127.0.0.1"),
    ("[64:ff9b::7f00:1]", "64:ff9b::7f00:1"),
    ("[64:ff9b::169.254.169.254]", "64:ff9b::a9fe:a9fe"),
    ("[2002:7f00:1::]", "2002:7f00:1::"),
    ("[2001:0:7f00:1::]", "2001:0:7f00:1::"),
    ("[fe80::1]", "fe80::1"),
    ("[fd00:ec2::254]", "fd00:ec2::254"),
    ("[ff02::1]", "ff02::1"),
    ("8.8.8.8", "8.8.8.8"),
    ("134744072", "8.8.8.8"),
    ("[2606:4700::1111]", "2606:4700::1111"),
];

/// Names that stay here, and names that go out.
const NAMES: &[(&str, bool)] = &[
    ("localhost", true),
    ("LOCALHOST", true),
    ("localhost.", true),
    ("LocalHost.", true),
    ("ⓛocalhost", true),
    ("ｌｏｃａｌｈｏｓｔ", true),
    ("local\u{ad}host", true),
    ("%6cocalhost", true),
    ("a.localhost", true),
    ("localhost.localdomain", true),
    ("ip6-localhost", true),
    ("printer.local", true),
    ("db.internal", true),
    ("nas.lan", true),
    ("router.home.arpa", true),
    ("api.svc.cluster.local", true),
    ("kubernetes.default.svc", true),
    ("intranet", true),
    ("redis", true),
    ("example.com", false),
    ("EXAMPLE.com", false),
    ("www.example.com.", false),
    ("münchen.de", false),
    ("xn--mnchen-3ya.de", false),
    ("例え.jp", false),
    ("пример.рф", false),
    ("localhost.example.com", false),
    ("local.example.com", false),
    ("internal.example.com", false),
    ("homework.example", false),
    ("www.notlocal", false),
    ("a.mylan", false),
    ("a_b.example.com", false),
    ("1.example.com", false),
    ("127.0.0.1.example.com", false),
];

/// URLs that are wrong however the meaning is known.
const WRONG: &[&str] = &[
    "http://good.example\\@evil.example/",
    "http://good.example\\.evil.example/",
    "http:\\\\evil.example/",
    "http:/\\evil.example/",
    "http:/evil.example/",
    "http:evil.example",
    "https:///evil.example/",
    "https:////evil.example/",
    "http://good.example\\evil.example/",
    "http://a@good.example\\@evil.example/",
    "\\\\evil.example\\x",
    "/\\evil.example/x",
    "\\/evil.example/x",
    "http://evil.example/\r\nHost: x",
    "http://evil.example/\nx",
    "http://evil.example/\tx",
    "ht\ntp://evil.example/",
    "http://evil\r.example/",
    "http://evil.example/\0",
    "\u{1}http://evil.example/",
    "http://evil.example/\u{7f}",
    "gopher://127.0.0.1:6379/_SET%20x",
    "GOPHER://x/",
    "dict://127.0.0.1:11211/stats",
    "ldap://x/",
    "ldaps://x/",
    "jar:http://x!/",
    "netdoc:///etc/passwd",
    "phar://x",
    "php://filter/read=x",
    "expect://id",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "vbscript:x",
    "view-source:http://x/",
    "tftp://x/",
    "zip://x",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata/",
    "http://metadata.goog/",
    "http://instance-data/latest/",
    "http://instance-data.ec2.internal/",
    "http://metadata.tencentyun.com/",
    "///evil.example/x",
    "URL:http://metadata.google.internal/",
    "<http://metadata.google.internal/>",
    "metadata.google.internal/computeMetadata/v1/",
    "metadata.google.internal:80/x",
    "http://[metadata.google.internal]/",
    "http://metadata:+80/",
    "x:gopher://y/",
    "url:javascript:alert(1)",
];

/// Addresses that some reader gets to, behind what it takes off or leaves out.
const LENIENT: &[(&str, &str)] = &[
    ("URL:http://169.254.169.254/latest/", "169.254.169.254"),
    ("url: http://169.254.169.254/", "169.254.169.254"),
    ("URL:URL:http://169.254.169.254/", "169.254.169.254"),
    ("<http://169.254.169.254/latest/>", "169.254.169.254"),
    (" < URL:http://169.254.169.254/ > ", "169.254.169.254"),
    ("<169.254.169.254>", "169.254.169.254"),
    ("scm:git:http://169.254.169.254/", "169.254.169.254"),
    ("feed:https://169.254.169.254/", "169.254.169.254"),
    ("http://169.254.169.254:+80/", "169.254.169.254"),
    ("http://169.254.169.254:8_0/", "169.254.169.254"),
    ("http://169.254.169.254:99999/", "169.254.169.254"),
    ("http://169.254.169.254: 80/", "169.254.169.254"),
    ("http://169.254.169.254:80:80/", "169.254.169.254"),
    ("http://[::1]:x/", "::1"),
    ("http://[::1]x/", "::1"),
    ("http://[fe80::1%25eth0]/", "fe80::1"),
    ("http://[fe80::1%eth0]:80/", "fe80::1"),
    ("http://[169.254.169.254]/", "169.254.169.254"),
    ("http://[0xa9fea9fe]/", "169.254.169.254"),
    ("http://169.254.169.254 /", "169.254.169.254"),
    ("169.254.169.254", "169.254.169.254"),
    ("169.254.169.254/latest/meta-data", "169.254.169.254"),
    ("169.254.169.254:80/latest", "169.254.169.254"),
    ("x@169.254.169.254/", "169.254.169.254"),
    ("169.254.43518/x", "169.254.169.254"),
    ("2852039166/latest", "169.254.169.254"),
    ("0xa9fea9fe", "169.254.169.254"),
    ("[::1]/x", "::1"),
    ("[fe80::1%25eth0]:80/x", "fe80::1"),
    ("0.0.0.0:8080", "0.0.0.0"),
];

/// The same of a host alone.
const LENIENT_HOSTS: &[(&str, &str)] = &[
    ("169.254.169.254:+80", "169.254.169.254"),
    ("169.254.169.254:8_0", "169.254.169.254"),
    ("169.254.169.254:99999", "169.254.169.254"),
    ("169.254.169.254:80:80", "169.254.169.254"),
    ("169.254.169.254:", "169.254.169.254"),
    ("[169.254.169.254]", "169.254.169.254"),
    ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:80", "fe80::1"),
    ("http://169.254.169.254/", "169.254.169.254"),
    ("URL:http://169.254.169.254/", "169.254.169.254"),
    ("<169.254.169.254>", "169.254.169.254"),
    ("169.254.169.254/latest", "169.254.169.254"),
    ("x@169.254.169.254", "169.254.169.254"),
    (" 169.254.169.254 ", "169.254.169.254"),
    ("//169.254.169.254/x", "169.254.169.254"),
    ("169.254.169.254?x", "169.254.169.254"),
];

/// What says nowhere that it is a host, and is none.
const NO_HOSTS: &[&str] = &[
    "docs/index.html",
    "readme.md",
    "localhost.md",
    "metadata/x",
    "2024/report.html",
    "1/items",
    "0/x",
    "0.9.1/docs",
    "v1/users",
    "/a/b",
    "?page=2",
    "#top",
    "a:b",
    "tel:123",
    "tel:2130706433",
    "mailto:a@169.254.169.254",
    "urn:isbn:9780306406157",
    "data:text/plain,http://169.254.169.254/",
    "about:blank",
    "",
];

/// URLs that break a rule where the meaning is declared.
const DECLARED: &[(&str, &str)] = &[
    ("ftp://example.com/", "url.scheme"),
    ("ssh://example.com/", "url.scheme"),
    ("ws://example.com/", "url.scheme"),
    ("mailto:a@example.com", "url.scheme"),
    ("about:blank", "url.scheme"),
    ("tel:123", "url.scheme"),
    ("file:///etc/passwd", "url.local_scheme"),
    ("FILE:///etc/passwd", "url.local_scheme"),
    ("file://host/x", "url.local_scheme"),
    ("data:text/html,x", "url.local_scheme"),
    ("blob:https://x/y", "url.local_scheme"),
    ("http://user@example.com/", "url.userinfo"),
    ("http://user:password@example.com/", "url.userinfo"),
    ("http://good.example@evil.example/", "url.userinfo"),
    ("http://good.example%2f@evil.example/", "url.userinfo"),
    ("http://@evil.example/", "url.userinfo"),
    ("http://a@b@evil.example/", "url.userinfo"),
    ("/relative", "url.relative"),
    ("relative", "url.relative"),
    ("//example.com/x", "url.relative"),
    ("", "url.relative"),
    ("?q", "url.relative"),
    ("http://example.com/a b", "url.space"),
    (" http://example.com/", "url.space"),
    ("http://example.com/ ", "url.space"),
    ("http://example.com/\\", "url.backslash"),
    (
        "http://example.com/%0d%0aSet-Cookie:x",
        "url.encoded_line_break",
    ),
    ("http://example.com/%0Ax", "url.encoded_line_break"),
    ("http://example.com%0d%0a/", "url.encoded_line_break"),
    ("http://example.com/%250d%250a", "url.encoded_line_break"),
    ("http://example.com/%00", "url.encoded_line_break"),
    ("http://example.com/a%20b%0a", "url.encoded_line_break"),
    ("http://10.0.0.1.nip.io/", "host.rebinding"),
    ("http://127-0-0-1.sslip.io/", "host.rebinding"),
    ("http://x.localtest.me/", "host.rebinding"),
    ("http://lvh.me/", "host.rebinding"),
    ("http://7f000001.c0a80001.rbndr.us/", "host.rebinding"),
    ("http://p\u{430}ypal.com/", "host.homograph"),
    ("http://xn--pypal-4ve.com/", "host.homograph"),
    // Like nothing else, and of two scripts.
    ("http://p\u{436}b.com/", "host.homograph"),
    ("http://\u{441}\u{43e}\u{441}\u{430}.com/", "host.homograph"),
    ("http://g\u{3bf}\u{3bf}gle.com/", "host.homograph"),
    ("http://example.com./", "host.trailing_dot"),
    ("http://127.1/", "host.disguised"),
    ("http://0x7f000001/", "host.disguised"),
    ("http://2130706433/", "host.disguised"),
    ("http://0177.0.0.1/", "host.disguised"),
    ("http://%31%32%37.0.0.1/", "host.disguised"),
    ("http://１２７.0.0.1/", "host.disguised"),
    ("http://ex%61mple.com/", "host.disguised"),
    ("http://[fe80::1%25eth0]/", "host.unreadable"),
    ("http://example.com:+80/", "host.unreadable"),
    ("http://[93.184.216.34]/", "host.unreadable"),
    ("<https://example.com/>", "url.wrapped"),
    ("URL:https://example.com/", "url.wrapped"),
    ("see: https://example.com/", "url.wrapped"),
    ("x:https://example.com/", "url.scheme"),
    ("93.184.216.34/x", "url.relative"),
    ("localhost:3000/x", "url.scheme"),
    ("http://[::1/", "host.unreadable"),
    ("http://a..b/", "host.unreadable"),
    ("http://{host}/", "host.unreadable"),
    ("http://256.256.256.256/", "host.unreadable"),
    ("http://1.2.3.4.5/", "host.unreadable"),
    ("http://0x1ffffffff/", "host.unreadable"),
    ("http://example.com:99999/", "host.unreadable"),
    ("http://example.com:80x/", "host.unreadable"),
    ("http://example.com:@evil.example/", "url.userinfo"),
];

/// Honest addresses.
const HONEST: &[&str] = &[
    "https://example.com",
    "https://example.com/",
    "https://example.com/a/b?c=d&e=f#g",
    "https://example.com:8443/x",
    "http://example.com/",
    "HTTPS://EXAMPLE.COM/",
    "https://example.com/?next=https://other.example/",
    "https://example.com/#https://other.example/",
    "https://example.com/a@b",
    "https://example.com/?mail=a@example.org",
    "https://example.com/?text=one%0d%0atwo",
    "https://example.com/100%25",
    "https://example.com/caf%C3%A9",
    "https://example.com/a%20b",
    "https://example.com//double",
    "https://example.com/..a",
    "https://münchen.de/straße",
    "https://例え.jp/",
    "https://пример.рф/",
    "https://xn--mnchen-3ya.de/",
    "https://93.184.216.34/",
    "https://[2606:4700::1111]/",
    "https://a_b.example.com/",
    "https://docs.internal.example.com/x",
    "https://gopher.example.com/",
    "https://my-metadata.example.com/",
    "https://nip.io.example.com/",
    "https://notnip.io/",
    "https://notlvh.me/",
];

#[test]
fn n1_1_every_spelling_of_an_address_is_understood() {
    for (spelling, meant) in SPELLINGS {
        let meant: Option<IpAddr> = meant.parse().ok();
        let meant = meant.map(Host::Address);
        for text in [
            format!("http://{spelling}/x"),
            format!("https://{spelling}"),
            format!("http://{spelling}:8080/"),
            format!("http://user@{spelling}/"),
            format!("http://a@b@{spelling}/"),
            format!("gopher://{spelling}:6379/"),
        ] {
            assert_eq!(target(&url(), &text), meant, "{text}");
        }
        let host = Kind::of(Meaning::Host);
        assert_eq!(target(&host, spelling), meant, "{spelling}");
    }
    // A bare address of IPv6 is a host, too.
    let six = Some(Host::Address("::1".parse().unwrap()));
    assert_eq!(target(&Kind::of(Meaning::Host), "::1"), six);
    assert_eq!(target(&Kind::of(Meaning::Host), "[::1]:80"), six);
}

#[test]
fn n1_1_a_host_is_judged_however_a_reader_gets_to_it() {
    let address = |text: &str| Some(Host::Address(text.parse().unwrap()));
    for (text, meant) in LENIENT {
        assert_eq!(target(&url(), text), address(meant), "{text}");
        let flaws = broken(&url(), Basis::Declared, text);
        assert!(!flaws.is_empty(), "{text} is not written plainly");
    }
    let host = Kind::of(Meaning::Host);
    for (text, meant) in LENIENT_HOSTS {
        assert_eq!(target(&host, text), address(meant), "{text}");
    }
    for text in NO_HOSTS {
        assert_eq!(target(&url(), text), None, "{text}");
    }
    for name in ["localhost/x", "localhost:3000/x", "a.localhost:80"] {
        let host = target(&url(), name);
        assert!(matches!(host, Some(Host::Local(_))), "{name}: {host:?}");
    }
    // Of a text that is no host at all, a host is asked only what is certain.
    passes(
        &host,
        &["the main one", "a/b", "\\\\nas", "see https://example.com/"],
    );
    refuses(
        &host,
        &[
            "http://metadata.google.internal/",
            "metadata.google.internal/x",
        ],
    );
    let at = |text: &str| {
        Expectation {
            basis: Basis::Declared,
            otherwise: Consequence::Refuse,
            kind: url(),
        }
        .check(text)
        .target
        .map(|target| target.at)
    };
    assert_eq!(at(" <URL:http://u@10.0.0.1:80/>"), Some(15..23));
    assert_eq!(at("10.0.0.1:80"), Some(0..8));
}

#[test]
fn n1_1_a_number_leads_where_its_digits_do() {
    let told = |meaning, value: Value| {
        let mut parameters = Parameters::default();
        let expectation = Expectation {
            basis: Basis::Declared,
            otherwise: Consequence::Refuse,
            kind: Kind::of(meaning),
        };
        parameters.expect(&crate::pointer::Pattern::parse("/x").unwrap(), expectation);
        let arguments = serde_json::json!({ "x": value });
        let judged = parameters.check(arguments.as_object().unwrap());
        let first = judged
            .first()
            .map(|it| it.outcome.clone())
            .unwrap_or_default();
        let rules: Vec<_> = first.flaws.iter().map(|flaw| flaw.rule.name).collect();
        (first.target.map(|target| target.host), rules)
    };
    use serde_json::json;
    let loopback = Some(Host::Address("127.0.0.1".parse().unwrap()));
    for number in ["2130706433", "2130706433.0", "2.130706433e9"] {
        let number: Value = serde_json::from_str(number).unwrap();
        for meaning in [Meaning::Host, Meaning::Url] {
            let (host, rules) = told(meaning, number.clone());
            assert_eq!(host, loopback, "{number}");
            assert!(rules.contains(&"host.disguised"), "{number}: {rules:?}");
        }
        let (host, _) = told(Meaning::Host, json!([[number]]));
        assert_eq!(host, loopback);
    }
    for (meaning, number, expected) in [
        (Meaning::Identifier, json!(7), &[][..]),
        (Meaning::SqlValue, json!(-1.5), &[]),
        (Meaning::Path, json!(7), &[]),
        (Meaning::Shell, json!(-1), &["shell.option"]),
        (Meaning::Email, json!(7), &["email.malformed"]),
        (Meaning::Text, json!(-1), &[]),
    ] {
        assert_eq!(
            told(meaning, number.clone()).1,
            expected,
            "{meaning} {number}"
        );
    }
    assert_eq!(told(Meaning::Url, json!(42)).0, None);
}

#[test]
fn n1_1_names_that_stay_on_this_network_are_told_from_others() {
    for (name, local) in NAMES {
        for (kind, text) in [
            (url(), format!("http://{name}/")),
            (url(), format!("http://{name}:8080/x")),
            (Kind::of(Meaning::Host), (*name).to_owned()),
        ] {
            let host = target(&kind, &text);
            let is_local = matches!(host, Some(Host::Local(_)));
            assert!(host.is_some(), "{text}");
            assert_eq!(is_local, *local, "{text}: {host:?}");
        }
    }
}

#[test]
fn n1_1_a_url_that_two_readers_understand_differently_is_refused() {
    refuses(&url(), WRONG);
}

#[test]
fn n1_1_a_declared_url_is_plain_and_whole() {
    check(&url(), DECLARED);
    let honest: Vec<_> = DECLARED.iter().map(|(text, _)| *text).collect();
    passes(&url(), &honest);
}

#[test]
fn n1_1_an_honest_url_passes() {
    let rows: Vec<_> = HONEST.iter().map(|text| (*text, "-")).collect();
    check(&url(), &rows);
    let hostile = SPELLINGS.len() + NAMES.len() + WRONG.len() + DECLARED.len();
    assert!(hostile >= 150 && HONEST.len() >= 20, "{hostile}");
}

#[test]
fn n1_1_only_declared_schemes_hosts_and_ports_pass() {
    let hosts = ["example.com", "*.example.org", "10.1.2.3"];
    let kind = Kind::Url(Addresses {
        schemes: vec!["https".into()],
        ports: vec![443, 8443],
        reach: Reach::Public,
        hosts: hosts
            .iter()
            .map(|host| HostPattern::parse(host).unwrap())
            .collect(),
    });
    check(
        &kind,
        &[
            ("https://example.com/", "-"),
            ("https://EXAMPLE.com:8443/", "-"),
            ("https://a.example.org/", "-"),
            ("https://10.1.2.3/", "-"),
            ("http://example.com/", "url.scheme"),
            ("https://example.com:444/", "url.port"),
            ("https://a.example.com/", "host.not_allowed"),
            ("https://example.org/", "host.not_allowed"),
            ("https://evil.example/example.com", "host.not_allowed"),
            ("https://example.com.evil.example/", "host.not_allowed"),
            ("https://example.com@evil.example/", "host.not_allowed"),
            ("https://evil.example#example.com", "host.not_allowed"),
            ("https://10.1.2.4/", "host.not_allowed"),
            ("https://167838211/", "host.disguised"),
        ],
    );
    refuses(&kind, &["https://evil.example/"]);
}

#[test]
fn n1_1_a_host_has_a_declared_port_or_none() {
    let kind = Kind::Host(Addresses {
        ports: vec![443],
        ..Addresses::default()
    });
    let rows = [
        ("example.com", "-"),
        ("example.com:443", "-"),
        ("[2606:4700::1111]:443", "-"),
        ("example.com:22", "host.port"),
        ("[2606:4700::1111]:22", "host.port"),
    ];
    check(&kind, &rows);
}

#[test]
fn n1_1_a_host_is_no_longer_than_names_are() {
    let labels = format!("{0}.{0}.{0}.", "a".repeat(63));
    for (last, rule) in [(61, "-"), (62, "host.unreadable")] {
        let name = format!("{labels}{}", "a".repeat(last));
        check(&Kind::of(Meaning::Host), &[(&*name, rule)]);
        check(&url(), &[(&*format!("https://{name}/"), rule)]);
    }
}

#[test]
fn n1_1_a_host_is_a_host_and_nothing_else() {
    let kind = Kind::of(Meaning::Host);
    check(
        &kind,
        &[
            ("example.com", "-"),
            ("example.com:443", "-"),
            ("8.8.8.8", "-"),
            ("2606:4700::1111", "-"),
            ("[2606:4700::1111]:443", "-"),
            ("db", "-"),
            ("-oProxyCommand=x", "host.option"),
            ("\u{2013}x", "host.option"),
            ("a\nb", "host.control"),
            ("a\0", "host.control"),
            ("a b", "host.malformed"),
            ("a/b", "host.malformed"),
            ("user@host", "host.malformed"),
            ("http://x", "host.malformed"),
            ("a;b", "host.malformed"),
            ("$(x)", "host.malformed"),
            ("a`b`", "host.malformed"),
            ("a|b", "host.malformed"),
            ("", "host.malformed"),
            ("x:port", "host.malformed"),
            ("x:70000", "host.malformed"),
            ("metadata.google.internal", "host.metadata"),
            ("a..b", "host.unreadable"),
        ],
    );
    refuses(&kind, &["-oProxyCommand=x", "a\r\nb", "metadata"]);
    passes(
        &kind,
        &["a b", "http://x", "user@host", "", "localhost:5432"],
    );
}
