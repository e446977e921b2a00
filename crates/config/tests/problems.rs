//! What is wrong with a file, where it stands, what to write instead: one table a part of the file.
//!
//! Every case changes one place of a configuration that is fine, and names everything that is then
//! reported, errors and warnings, in the order of the text.

use ringwall_config as config;

/// A configuration with nothing wrong in it.
const FINE: &str = "\
version: 1
issuers:
  - issuer: https://id.example.com
servers:
  - name: files
    http:
      url: https://files.example.com/mcp
routes:
  - path: /files
    server: files
policies: [p/*.cedar]
";

fn told(text: &str) -> Vec<String> {
    let problems = match config::load(text) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems
        .iter()
        .map(|it| it.in_file("").to_string().replace("\n  fix: ", " => "))
        .collect()
}

/// Holds every case against what is told of it.
fn check(cases: &[(&str, &str, &[&str])]) {
    for (before, after, expected) in cases {
        assert!(FINE.contains(before), "{before}");
        let text = FINE.replacen(before, after, 1);
        let told = told(&text);
        assert_eq!(&told, expected, "\n{text}");
        assert!(told.iter().all(|it| !it.contains("hunter2")), "{told:?}");
    }
}

#[test]
fn nothing_is_wrong_with_the_configuration_the_cases_start_from() {
    assert_eq!(told(FINE), Vec::<String>::new());
}

#[test]
fn reports_what_does_not_have_the_shape_of_the_format() {
    check(&[
        (
            "version: 1",
            "version: 2",
            &[
                ":1:10: error: version: version 2 of the format is not known to this release => write `version: 1`, or use the release it was written for",
            ],
        ),
        (
            "version: 1",
            "version: one",
            &[
                ":1:10: error: version: is not a version of the format => write `version: 1`, or use the release it was written for",
            ],
        ),
        (
            "version: 1",
            "# none",
            &[":2:1: error: version: is missing => add `version`: The version of this format"],
        ),
        (
            "version: 1",
            "version:",
            &[
                ":1:8: error: version: is not a version of the format => write `version: 1`, or use the release it was written for",
            ],
        ),
        (
            "issuers:",
            "isuers:",
            &[":2:1: error: isuers: `isuers` is not a setting here => did you mean `issuers`?"],
        ),
        (
            "policies:",
            "Policies:",
            &[
                ":11:1: error: Policies: `Policies` is not a setting here => did you mean `policies`?",
            ],
        ),
        (
            "    server: files",
            "    sever: files",
            &[
                ":9:5: error: routes[0].server: is missing => add `server`: The name of the server it leads to",
                ":10:5: error: routes[0].sever: `sever` is not a setting here => did you mean `server`?",
            ],
        ),
        (
            "      url: https",
            "      uri: https",
            &[
                ":7:7: error: servers[0].http.uri: `uri` is not a setting here => did you mean `url`?",
                ":7:7: error: servers[0].http.url: is missing => add `url`: Its MCP endpoint",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    url: https://files.example.com/mcp",
            &[
                ":6:5: error: servers[0].url: `url` is not a setting here => `url` belongs under `http`",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    http: https://files.example.com/mcp",
            &[
                ":6:11: error: servers[0].http: must be names with values, not text => write `name: value` lines below it, indented",
            ],
        ),
        (
            "    http:",
            "    pins: aproval\n    http:",
            &[
                ":6:11: error: servers[0].pins: `aproval` is not one of the words known here => did you mean `approval`? it must be one of `approval`, `first_use`",
            ],
        ),
        (
            "    http:",
            "    pins: [approval]\n    http:",
            &[
                ":6:11: error: servers[0].pins: must be a word => write one of `approval`, `first_use`",
            ],
        ),
        (
            "    http:",
            "    hidden_text: drop\n    http:",
            &[
                ":6:18: error: servers[0].hidden_text: `drop` is not one of the words known here => write one of `remove`, `refuse`, `report`",
            ],
        ),
        (
            "    http:",
            "    labels: finance\n    http:",
            &[
                ":6:13: error: servers[0].labels: must be a list, not text => write `[one, two]`, or one entry a line with `- ` before it",
            ],
        ),
        (
            "    http:",
            "    labels:\n    http:",
            &[
                ":6:11: error: servers[0].labels: has no value => give it a value, or remove the line for the default",
            ],
        ),
        (
            "    http:",
            "    labels: [a, {b: c}]\n    http:",
            &[
                ":6:17: error: servers[0].labels[1]: must be one value, not names with values => write a single value after the colon",
            ],
        ),
        (
            "    http:",
            "    database: x\n    http:",
            &[
                ":6:5: error: servers[0].database: `database` is not a setting here => known here are `name`, `http`, `stdio`, `pins`, `schema`, `hidden_text`, `timeout`, `labels`, `tools`",
            ],
        ),
        (
            "routes:\n  - path: /files\n    server: files",
            "routes:\n  path: /files",
            &[
                ":9:3: error: routes: must be a list, not names with values => write `[one, two]`, or one entry a line with `- ` before it",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "limits: { depth: deep }",
            &[":11:18: error: limits.depth: must be a whole number, not text => write digits only"],
        ),
        (
            "policies: [p/*.cedar]",
            "limits: { depth: -1 }",
            &[
                ":11:18: error: limits.depth: must be a whole number, not a number with a sign or a fraction => write digits only",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "limits: { depth: 6.5 }",
            &[
                ":11:18: error: limits.depth: must be a whole number, not a number with a sign or a fraction => write digits only",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "limits: { user: { per_second: 5 } }",
            &[
                ":11:19: error: limits.user.per_second: `per_second` is not a setting here => known here are `rate`, `burst`, `concurrent`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "limits: { tol: { rate: 5/s } }\nlog: { level: loud }",
            &[
                ":11:11: error: limits.tol: `tol` is not a setting here => did you mean `tool`?",
                ":12:15: error: log.level: `loud` is not one of the words known here => write one of `error`, `warn`, `info`, `debug`, `trace`",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    algorithms: [HS256]",
            &[
                ":4:18: error: issuers[0].algorithms[0]: `HS256` is not one of the words known here => did you mean `ES256`? it must be one of `ES256`, `EdDSA`, `PS256`, `RS256`",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    algorithms: [none]",
            &[
                ":4:18: error: issuers[0].algorithms[0]: `none` is not one of the words known here => write one of `ES256`, `EdDSA`, `PS256`, `RS256`",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - {}",
            &[
                ":3:5: error: issuers[0].issuer: is missing => add `issuer`: The issuer's identifier, byte for byte as its tokens and its metadata name it",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    server: other",
            &[":11:5: error: `server` is written twice => keep one of them"],
        ),
        (
            "    server: files",
            "   server: files",
            &[
                ":10:4: error: while parsing a block collection, did not find expected '-' indicator => look at quotes, brackets and indentation at this place",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar",
            &[
                ":11:11: error: unclosed bracket '[' => look at quotes, brackets and indentation at this place",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\n---\nversion: 1",
            &[":12:1: error: there is more than one document => keep one: remove the `---` line"],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: &a [*a]",
            &[":11:15: error: an anchor refers to itself => write the value out"],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: *gone",
            &[
                ":11:11: error: `*` refers to an anchor that is not there => put quotes around text that begins with `*`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "<<: { data: x }",
            &[
                ":11:1: error: `<<` is not read here => write the settings out: what `<<` brings in is easily overlooked",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "data: !!binary aGk=",
            &[
                ":11:16: error: a value carries a tag, and tags are not read here => remove the `!` and the word after it, or put quotes around all of it",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "data: !ours x",
            &[
                ":11:13: error: unsupported tag `!ours` => look at quotes, brackets and indentation at this place",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "data: \"a\n  b",
            &[
                ":11:7: error: unclosed quote => look at quotes, brackets and indentation at this place",
            ],
        ),
    ]);
}

#[test]
fn n3_1_reports_what_is_wrong_with_listeners() {
    check(&[
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners: []",
            &[
                ":12:12: error: listeners: is empty, so nobody could reach the gateway => remove the line for `127.0.0.1:8080`, or add a listener",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - address: localhost:8080",
            &[
                ":13:14: error: listeners[0].address: is not an IP address with a port => write an IP address and a port: `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8443`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - address: 127.0.0.1",
            &[
                ":13:14: error: listeners[0].address: is not an IP address with a port => write an IP address and a port: `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8443`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - address: 0.0.0.0:8080",
            &[
                ":1:1: error: public_url: cannot be derived: the first listener is on all addresses of this machine => add `public_url: https://…` with the name callers use",
                ":13:14: error: listeners[0].address: `0.0.0.0:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: 0.0.0.0:8080",
            &[
                ":14:14: error: listeners[0].address: `0.0.0.0:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: '[::]:8080'",
            &[
                ":14:14: error: listeners[0].address: `[::]:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: '[::ffff:127.0.0.1]:8080'",
            &[
                ":14:14: error: listeners[0].address: `[::ffff:127.0.0.1]:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - address: 127.0.0.1:8080\n  - address: 127.0.0.1:8080",
            &[
                ":14:14: error: listeners[1].address: `127.0.0.1:8080` is the address of another listener => give it another port",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem, key: key.pem }",
            &[
                ":13:40: error: listeners[0].tls.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: file:cert.pem, key: file:key.pem }",
            &[
                ":13:25: error: listeners[0].tls.certificate: is a reference where a path may stand => write the path alone, without `file:`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - tls:\n      certificate: |\n        -----BEGIN CERTIFICATE-----\n      key: |\n        -----BEGIN PRIVATE KEY-----\n        hunter2",
            &[
                ":15:9: error: listeners[0].tls.certificate: holds a key or certificate where a path may stand (control 6.3) => put it into a file and write the file's path",
                ":17:9: error: listeners[0].tls.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem, key: 'vault:kv/tls' }",
            &[
                ":13:40: error: listeners[0].tls.key: refers to `vault:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem }",
            &[
                ":13:10: error: listeners[0].tls.key: is missing => add `key`: The private key in PEM form",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - hosts: ['*.example.com', 'mcp.example.com:443', 'https://a', '', 'a/b', '::1']",
            &[
                ":13:13: error: listeners[0].hosts[0]: is not a host name (control 1.1) => name each host: a pattern would let strangers' names in",
                ":13:30: error: listeners[0].hosts[1]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
                ":13:53: error: listeners[0].hosts[2]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
                ":13:66: error: listeners[0].hosts[3]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
                ":13:70: error: listeners[0].hosts[4]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
                ":13:77: error: listeners[0].hosts[5]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlisteners:\n  - origins: ['*', 'null', 'http://app.example.com', 'https://app.example.com/x', app]",
            &[
                ":13:15: error: listeners[0].origins[0]: would let every web page call the gateway (control 1.1) => name each origin: `https://app.example.com`",
                ":13:20: error: listeners[0].origins[1]: would let every web page call the gateway (control 1.1) => name each origin: `https://app.example.com`",
                ":13:28: error: listeners[0].origins[2]: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
                ":13:54: error: listeners[0].origins[3]: has a path => write scheme, host and port only: an origin has no path",
                ":13:83: error: listeners[0].origins[4]: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: http://mcp.example.com",
            &[
                ":12:13: error: public_url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: https://mcp.example.com/gate",
            &[
                ":12:13: error: public_url: has a path => write scheme, host and port only; paths are those of the routes",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\npublic_url: mcp.example.com",
            &[
                ":12:13: error: public_url: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\ndata: ' x'",
            &[":12:7: error: data: is not a path => write a path such as `tls/cert.pem`"],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: ['', 'p/*', 'p*/x.cedar']",
            &[
                ":11:12: error: policies[0]: names no Cedar policy files => name files that end in `.cedar`, such as `policies/*.cedar`",
                ":11:16: error: policies[1]: names no Cedar policy files => name files that end in `.cedar`, such as `policies/*.cedar`",
                ":11:23: error: policies[2]: has a `*` in the name of a folder => name each folder: `*` stands for a part of a file name only",
            ],
        ),
    ]);
}

#[test]
fn m1_reports_what_is_wrong_with_issuers() {
    check(&[
        (
            "issuers:\n  - issuer: https://id.example.com",
            "issuers: []",
            &[
                ":8:5: error: routes[0]: accepts no issuer's tokens, and nobody is let in without one (control M2) => add an issuer below `issuers:`; for trying things out, `ringwall demo` brings one",
            ],
        ),
        (
            "issuers:\n  - issuer: https://id.example.com",
            "# no issuers",
            &[
                ":8:5: error: routes[0]: accepts no issuer's tokens, and nobody is let in without one (control M2) => add an issuer below `issuers:`; for trying things out, `ringwall demo` brings one",
            ],
        ),
        (
            "https://id.example.com",
            "http://id.example.com",
            &[
                ":3:13: error: issuers[0].issuer: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ],
        ),
        (
            "https://id.example.com",
            "http://127.0.0.1:9000",
            &[
                ":3:13: error: issuers[0].issuer: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `issuers[0].network: private`",
            ],
        ),
        (
            "https://id.example.com",
            "https://10.0.0.1",
            &[
                ":3:13: error: issuers[0].issuer: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `issuers[0].network: private`",
            ],
        ),
        (
            "https://id.example.com",
            "https://[::ffff:10.0.0.1]",
            &[
                ":3:13: error: issuers[0].issuer: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `issuers[0].network: private`",
            ],
        ),
        (
            "https://id.example.com",
            "https://169.254.169.254",
            &[
                ":3:13: error: issuers[0].issuer: is a link-local address (control 1.1) => write another address: this one belongs to the network or the cloud, not to a server",
            ],
        ),
        (
            "https://id.example.com",
            "https://0.0.0.0",
            &[
                ":3:13: error: issuers[0].issuer: is no address of a single machine (control 1.1) => write its real address",
            ],
        ),
        (
            "https://id.example.com",
            "https://u:hunter2@id.example.com",
            &[
                ":3:13: error: issuers[0].issuer: holds a user or password (control 6.3) => remove what stands before the `@`; credentials are references of their own",
            ],
        ),
        (
            "https://id.example.com",
            "https://id.example.com?x=1",
            &[":3:13: error: issuers[0].issuer: has a query => remove the `?` and what follows it"],
        ),
        (
            "https://id.example.com",
            "'https://id.example.com#x'",
            &[
                ":3:13: error: issuers[0].issuer: has a fragment => remove the `#` and what follows it",
            ],
        ),
        (
            "https://id.example.com",
            "id.example.com",
            &[
                ":3:13: error: issuers[0].issuer: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
            ],
        ),
        (
            "https://id.example.com",
            "'https://id.example.com\\x'",
            &[
                ":3:13: error: issuers[0].issuer: has characters that no address has, or too many of them => write it in ASCII, such as `https://mcp.example.com`",
            ],
        ),
        (
            "https://id.example.com",
            "ftp://id.example.com",
            &[
                ":3:13: error: issuers[0].issuer: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n  - issuer: https://id.example.com",
            &[
                ":4:13: error: issuers[1].issuer: is the issuer of issuers[0] again => keep one of them",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    algorithms: []\n    token_types: []",
            &[
                ":4:17: error: issuers[0].algorithms: is empty, so no token could be accepted (control M1) => name the algorithms this issuer signs with, or remove the line",
                ":5:18: error: issuers[0].token_types: is empty, so no token could be accepted (control M1) => write `[at+jwt]`, or remove the line",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    token_types: [a b, '']\n    claims: { user: '', groups: a b }",
            &[
                ":4:19: error: issuers[0].token_types[0]: is not a token type => write one word of printable characters, without spaces, quotes and backslashes",
                ":4:24: error: issuers[0].token_types[1]: is not a token type => write one word of printable characters, without spaces, quotes and backslashes",
                ":5:21: error: issuers[0].claims.user: is not the name of a claim => write one word of printable characters, without spaces, quotes and backslashes",
                ":5:33: error: issuers[0].claims.groups: is not the name of a claim => write one word of printable characters, without spaces, quotes and backslashes",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    lifetime_max: 25h\n    clock_skew: 6m",
            &[
                ":4:19: error: issuers[0].lifetime_max: is more than 24h (control 4.1) => write something from 1m to 24h",
                ":5:17: error: issuers[0].clock_skew: is more than 5m (control 4.1) => write something from 0s to 5m",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    lifetime_max: 1m\n    clock_skew: 2m",
            &[
                ":5:17: error: issuers[0].clock_skew: is longer than `lifetime_max`: tokens would live longer after their end than before (control 2.3) => write `30s`, or keep the clocks in step",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    lifetime_max: 90\n    clock_skew: 1.5m",
            &[
                ":4:19: error: issuers[0].lifetime_max: is not a time => write a whole number and a unit: `500ms`, `30s`, `5m`, `12h` or `7d`",
                ":5:17: error: issuers[0].clock_skew: is not a time => write a whole number and a unit: `500ms`, `30s`, `5m`, `12h` or `7d`",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    keys: http://id.example.com/jwks",
            &[
                ":4:11: error: issuers[0].keys: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    keys: https://127.0.0.1/jwks",
            &[
                ":4:11: error: issuers[0].keys: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `issuers[0].network: private`",
            ],
        ),
    ]);
}

#[test]
fn n6_3_reports_what_is_wrong_with_servers() {
    check(&[
        (
            "  - name: files",
            "  - name: Files",
            &[
                ":5:11: error: servers[0].name: is not a name for a server => write up to 63 lowercase letters, digits, `-` and `_`, a letter or digit first",
                ":10:13: error: routes[0].server: there is no server `files` => did you mean `Files`?",
            ],
        ),
        (
            "  - name: files\n",
            "  - name: files\n    http: { url: https://a.example.com }\n  - name: files\n",
            &[
                ":7:11: error: servers[1].name: is the name of servers[0] already => give each server its own name",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    pins: approval",
            &[
                ":5:5: error: servers[0]: has neither `http` nor `stdio` => add `http: { url: … }` or `stdio: { command: […] }`",
            ],
        ),
        (
            "    http:\n",
            "    stdio: { command: [x], confinement: none }\n    http:\n",
            &[
                ":6:12: error: servers[0].stdio: stands beside `http`: a server is one or the other => keep one of them, or make two servers of it",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "http://files.example.com/mcp",
            &[
                ":7:12: error: servers[0].http.url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "http://127.0.0.1:9000/mcp",
            &[
                ":7:12: error: servers[0].http.url: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `network: private`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "http://2130706433/mcp",
            &[
                ":7:12: error: servers[0].http.url: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `network: private`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "http://0x7f.1/mcp",
            &[
                ":7:12: error: servers[0].http.url: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `network: private`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://100.64.0.1/mcp",
            &[
                ":7:12: error: servers[0].http.url: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `network: private`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://[fe80::1]/mcp",
            &[
                ":7:12: error: servers[0].http.url: is a link-local address (control 1.1) => write another address: this one belongs to the network or the cloud, not to a server",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://localhost./mcp",
            &[
                ":7:12: error: servers[0].http.url: lies on this machine or in a private network, which is not expected of it (control 1.1) => add `network: private`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp?api_key=hunter2",
            &[
                ":7:12: error: servers[0].http.url: holds what looks like a secret in its query (control 6.3) => send the secret as a `credential`; addresses end up in logs",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://user:hunter2@files.example.com/mcp",
            &[
                ":7:12: error: servers[0].http.url: holds a user or password (control 6.3) => remove what stands before the `@`; credentials are references of their own",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: hunter2",
            &[
                ":8:19: error: servers[0].http.credential: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: aws-sm:prod/token",
            &[
                ":8:19: error: servers[0].http.credential: refers to `aws-sm:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: azure-kv:token",
            &[
                ":8:19: error: servers[0].http.credential: refers to `azure-kv:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: 'env:MY TOKEN'",
            &[
                ":8:19: error: servers[0].http.credential: names no environment variable after `env:` (control 6.3) => write `env:NAME` with letters, digits and `_` only",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      header: X-Api-Key",
            &[
                ":8:15: error: servers[0].http.header: has no credential to carry => add `credential: env:NAME`, or remove the header",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: env:A\n      header: Authorization",
            &[
                ":9:15: error: servers[0].http.header: is where a credential goes by itself (control 7.1) => remove the line: a credential is sent as `Authorization: Bearer …` anyway",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: env:A\n      header: Mcp-Session-Id",
            &[
                ":9:15: error: servers[0].http.header: has a meaning of its own and cannot carry a credential (control 7.1) => write a name such as `X-Api-Key`",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/mcp\n      credential: env:A\n      header: 'X Api'",
            &[
                ":9:15: error: servers[0].http.header: is not the name of a header => write a name such as `X-Api-Key`",
            ],
        ),
        (
            "    http:",
            "    hidden_text: report\n    pins: first_use\n    http:",
            &[
                ":6:18: error: servers[0].hidden_text: `report` with `pins: first_use` lets definitions reach a model that nobody has looked at, with text in them that nobody sees (control 9.2) => write `hidden_text: remove`, or `pins: approval`",
            ],
        ),
        (
            "    http:",
            "    timeout: 2h\n    http:",
            &[
                ":6:14: error: servers[0].timeout: is more than 1h (control 4.1) => write something from 100ms to 1h",
            ],
        ),
        (
            "    http:",
            "    timeout: 10ms\n    http:",
            &[
                ":6:14: error: servers[0].timeout: is less than 100ms (control 4.1) => write something from 100ms to 1h",
            ],
        ),
        (
            "    http:",
            "    labels: [Finance, '']\n    http:",
            &[
                ":6:14: error: servers[0].labels[0]: is not a label => write lowercase letters, digits, `-`, `_` and `.`, a letter or digit first",
                ":6:23: error: servers[0].labels[1]: is not a label => write lowercase letters, digits, `-`, `_` and `.`, a letter or digit first",
            ],
        ),
        (
            "    http:",
            "    tools: { 'a*b': { labels: [x] }, '': { labels: [x] }, ok: { labels: [x y] } }\n    http:",
            &[
                ":6:21: error: servers[0].tools[\"a*b\"]: is not the name of a tool => write a tool's name, or its beginning and one `*`: `transfer*`",
                ":6:42: error: servers[0].tools[\"\"]: is not the name of a tool => write a tool's name, or its beginning and one `*`: `transfer*`",
                ":6:74: error: servers[0].tools.ok.labels[0]: is not a label => write lowercase letters, digits, `-`, `_` and `.`, a letter or digit first",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [x] }",
            &[
                ":6:12: error: servers[0].stdio.confinement: does not say that the process runs unconfined, and confinement is not built yet (control 10.1) => add `confinement: none` if you trust the program with everything this user can do",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [x], confinement: sandbox }",
            &[
                ":6:41: error: servers[0].stdio.confinement: `sandbox` is not one of the words known here => write `none`",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [], confinement: none }",
            &[
                ":6:23: error: servers[0].stdio.command: is empty => name program and arguments: `[mcp-server-time, --local-timezone, UTC]`",
                ":6:40: warning: servers[0].stdio.confinement: runs unconfined: it can do whatever the user that runs Ringwall can do (control 10.1) => run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [npx some-server], confinement: none }",
            &[
                ":6:24: error: servers[0].stdio.command[0]: is a line for a shell, and no shell reads it => write each word as an entry of its own: `[program, argument]`",
                ":6:55: warning: servers[0].stdio.confinement: runs unconfined: it can do whatever the user that runs Ringwall can do (control 10.1) => run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: npx, confinement: none }",
            &[
                ":6:23: error: servers[0].stdio.command: must be a list, not text => write `[one, two]`, or one entry a line with `- ` before it",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [x, --api-key=hunter2, ghp_0123456789abcdefghij], confinement: none }",
            &[
                ":6:27: error: servers[0].stdio.command[1]: holds what looks like a secret, and every user of this machine can read arguments (control 6.3) => pass it in `environment` as `NAME: env:NAME`, and replace the secret",
                ":6:46: error: servers[0].stdio.command[2]: holds what looks like a secret, and every user of this machine can read arguments (control 6.3) => pass it in `environment` as `NAME: env:NAME`, and replace the secret",
                ":6:86: warning: servers[0].stdio.confinement: runs unconfined: it can do whatever the user that runs Ringwall can do (control 10.1) => run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio:\n      command: [x]\n      confinement: none\n      environment:\n        API_KEY: hunter2\n        DATABASE: postgresql://u:hunter2@db/x\n        OTHER: vault:kv/x\n        'A B': c",
            &[
                ":8:20: warning: servers[0].stdio.confinement: runs unconfined: it can do whatever the user that runs Ringwall can do (control 10.1) => run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing",
                ":10:18: error: servers[0].stdio.environment.API_KEY: holds what looks like a secret instead of a reference to one (control 6.3) => write `API_KEY: env:API_KEY`, and replace the secret: it was written down",
                ":11:19: error: servers[0].stdio.environment.DATABASE: holds what looks like a secret instead of a reference to one (control 6.3) => write `DATABASE: env:DATABASE`, and replace the secret: it was written down",
                ":12:16: error: servers[0].stdio.environment.OTHER: refers to `vault:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
                ":13:16: error: servers[0].stdio.environment[\"A B\"]: is not the name of an environment variable => write letters, digits and `_`, no digit first",
            ],
        ),
    ]);
}

#[test]
fn m2_reports_what_is_wrong_with_routes() {
    check(&[
        (
            "routes:\n  - path: /files\n    server: files",
            "routes: []",
            &[
                ":8:9: error: routes: is empty, so no server could be reached => add `- path: /name` and `server: name` below `routes:`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: files",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: /files/",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: /a//b",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: /a/../b",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: /.well-known/x",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: /fi%6ces",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "  - path: /files",
            "  - path: '/files?x'",
            &[
                ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
            ],
        ),
        (
            "    server: files",
            "    server: file",
            &[
                ":10:13: error: routes[0].server: there is no server `file` => did you mean `files`?",
            ],
        ),
        (
            "    server: files",
            "    server: weather",
            &[
                ":10:13: error: routes[0].server: there is no server `weather` => add a server of this name below `servers:`",
            ],
        ),
        (
            "    server: files",
            "    server: files\n  - path: /files\n    server: files",
            &[
                ":11:11: error: routes[1].path: is the path of routes[0] already => give each route a path that begins with a word of its own",
            ],
        ),
        (
            "    server: files",
            "    server: files\n  - path: /Files\n    server: files",
            &[
                ":11:11: error: routes[1].path: is the path of routes[0] already => give each route a path that begins with a word of its own",
            ],
        ),
        (
            "    server: files",
            "    server: files\n  - path: /files/deep\n    server: files\n  - path: /files-2\n    server: files",
            &[
                ":11:11: error: routes[1].path: lies below the path of routes[0] => give each route a path that begins with a word of its own",
            ],
        ),
        (
            "    server: files",
            "    server: files\n  - path: /\n    server: files",
            &[
                ":9:11: error: routes[0].path: lies below the path of routes[1] => give each route a path that begins with a word of its own",
            ],
        ),
        (
            "    server: files",
            "    server: files\n  - path: /b\n    server: files\n    resource: http://127.0.0.1:8080/files",
            &[
                ":13:15: error: routes[1].resource: is the audience of routes[0] already: a token for one would open both (control M1) => give each route its own",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    resource: http://mcp.example.com/files",
            &[
                ":11:15: error: routes[0].resource: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    resource: 'https://mcp.example.com/files#x'",
            &[
                ":11:15: error: routes[0].resource: has a fragment => remove the `#` and what follows it",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    issuers: []",
            &[
                ":11:14: error: routes[0].issuers: is empty, and nobody is let in without a token (control M2) => name an issuer, or remove the line for all of them",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    issuers: [https://other.example.com]",
            &[
                ":11:15: error: routes[0].issuers[0]: is no issuer of this configuration (control M1) => name one of those below `issuers:`, byte for byte",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    issuers: [https://id.example.com/]",
            &[
                ":11:15: error: routes[0].issuers[0]: is no issuer of this configuration (control M1) => write it exactly: `https://id.example.com`",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    scopes: ['a b']",
            &[
                ":11:14: error: routes[0].scopes[0]: is not a scope => write one word of printable characters, without spaces, quotes and backslashes",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    protocol: { minimum: '2025-06-19' }",
            &[
                ":11:26: error: routes[0].protocol.minimum: `2025-06-19` is not one of the words known here => did you mean `2025-06-18`? it must be one of `2024-11-05`, `2025-03-26`, `2025-06-18`, `2025-11-25`, `2026-07-28`",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    protocol: { minimum: 2026-07-28 }",
            &[
                ":11:26: error: routes[0].protocol.minimum: is a revision that is not built yet, so nothing could be spoken => write \"2025-11-25\" or older",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    sessions: { idle: 2h, absolute: 1h, per_user: 0 }",
            &[
                ":11:23: error: routes[0].sessions.idle: is longer than `absolute`, which would end the session first (control 8.3) => write a shorter time, or a longer `absolute`",
                ":11:51: error: routes[0].sessions.per_user: is less than 1 (control 4.1) => write something from 1 to 4096",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    sessions: { idle: 1s, absolute: 8d, per_user: 5000 }",
            &[
                ":11:23: error: routes[0].sessions.idle: is less than 10s (control 4.1) => write something from 10s to 24h",
                ":11:37: error: routes[0].sessions.absolute: is more than 7d (control 4.1) => write something from 1m to 7d",
                ":11:51: error: routes[0].sessions.per_user: is more than 4096 (control 4.1) => write something from 1 to 4096",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    limits: { connections: 5, header_time: 5s, header_bytes: 8KiB }",
            &[
                ":11:28: error: routes[0].limits.connections: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.connections`",
                ":11:44: error: routes[0].limits.header_time: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.header_time`",
                ":11:62: error: routes[0].limits.header_bytes: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.header_bytes`",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    limits: { tool: { rate: 0/s, burst: 0, concurrent: 70000 } }",
            &[
                ":11:29: error: routes[0].limits.tool.rate: is not a rate => write how many in which time: `50/s`, `600/m` or `100/h`",
                ":11:41: error: routes[0].limits.tool.burst: is less than 1 (control 4.1) => write something from 1 to 1000000",
                ":11:56: error: routes[0].limits.tool.concurrent: is more than 65536 (control 4.1) => write something from 1 to 65536",
            ],
        ),
    ]);
}

#[test]
fn n4_1_refuses_numbers_outside_their_bounds() {
    check(&[
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { depth: 0, members: 1, connections: 0 }",
            &[
                ":12:18: error: limits.depth: is less than 8 (control 4.1) => write something from 8 to 128",
                ":12:30: error: limits.members: is less than 16 (control 4.1) => write something from 16 to 65536",
                ":12:46: error: limits.connections: is less than 1 (control 4.1) => write something from 1 to 65536",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { depth: 1000, members: 100000, connections: 99999999999 }",
            &[
                ":12:18: error: limits.depth: is more than 128 (control 4.1) => write something from 8 to 128",
                ":12:33: error: limits.members: is more than 65536 (control 4.1) => write something from 16 to 65536",
                ":12:54: error: limits.connections: is more than 65536 (control 4.1) => write something from 1 to 65536",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { request_bytes: 10, answer_bytes: 1TiB, header_bytes: 4MB }",
            &[
                ":12:26: error: limits.request_bytes: is less than 1KiB (control 4.1) => write something from 1KiB to 64MiB",
                ":12:44: error: limits.answer_bytes: is not a size => write a whole number and a unit: `512B`, `16KiB`, `4MiB` or `1GiB`",
                ":12:64: error: limits.header_bytes: is not a size => write a whole number and a unit: `512B`, `16KiB`, `4MiB` or `1GiB`",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { request_bytes: 65MiB, answer_bytes: 257MiB, header_bytes: 65KiB }",
            &[
                ":12:26: error: limits.request_bytes: is more than 64MiB (control 4.1) => write something from 1KiB to 64MiB",
                ":12:47: error: limits.answer_bytes: is more than 256MiB (control 4.1) => write something from 1KiB to 256MiB",
                ":12:69: error: limits.header_bytes: is more than 64KiB (control 4.1) => write something from 8KiB to 64KiB",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { header_time: 0s, body_time: 11m }",
            &[
                ":12:24: error: limits.header_time: is less than 1s (control 4.1) => write something from 1s to 1m",
                ":12:39: error: limits.body_time: is more than 10m (control 4.1) => write something from 1s to 10m",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nlimits: { user: { rate: 200000/s }, session: { rate: 5 }, source: { burst: 1000001 } }",
            &[
                ":12:25: error: limits.user.rate: is more than 100000/s (control 4.1) => write something from 1/h to 100000/s",
                ":12:54: error: limits.session.rate: is not a rate => write how many in which time: `50/s`, `600/m` or `100/h`",
                ":12:76: error: limits.source.burst: is more than 1000000 (control 4.1) => write something from 1 to 1000000",
            ],
        ),
        (
            "policies: [p/*.cedar]",
            "policies: [p/*.cedar]\nledger: { key: hunter2, segment_bytes: 1KiB, interval: 1ms, checkpoint_records: 0 }",
            &[
                ":12:16: error: ledger.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
                ":12:40: error: ledger.segment_bytes: is less than 1MiB (control 4.1) => write something from 1MiB to 4GiB",
                ":12:56: error: ledger.interval: is less than 10ms (control 4.1) => write something from 10ms to 1m",
                ":12:81: error: ledger.checkpoint_records: is less than 1 (control 4.1) => write something from 1 to 1000000",
            ],
        ),
    ]);
}

#[test]
fn warns_of_what_is_weaker_than_it_could_be() {
    check(&[
        (
            "policies: [p/*.cedar]",
            "",
            &[
                ":1:1: warning: policies: there is no policy, so nothing may be listed or called (control 2.2) => write a policy and add `policies: [policies/*.cedar]`",
            ],
        ),
        (
            "    http:",
            "    hidden_text: report\n    schema: declared\n    http:",
            &[
                ":6:18: warning: servers[0].hidden_text: lets invisible text reach the model unless a policy refuses it (control 1.4) => write `remove`, or refuse the finding in a policy",
                ":7:13: warning: servers[0].schema: lets arguments pass that the tool's schema does not name (control 1.2) => write `strict`, or have the server describe its arguments",
            ],
        ),
        (
            "    http:\n      url: https://files.example.com/mcp",
            "    stdio: { command: [x], confinement: none }",
            &[
                ":6:41: warning: servers[0].stdio.confinement: runs unconfined: it can do whatever the user that runs Ringwall can do (control 10.1) => run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing",
            ],
        ),
        (
            "  - issuer: https://id.example.com",
            "  - issuer: https://id.example.com\n    token_types: [at+jwt, JWT]\n    claims: { user: email }",
            &[
                ":4:27: warning: issuers[0].token_types[1]: lets identity tokens pass for access tokens where their audience fits (control M1) => have the issuer mark access tokens `at+jwt` (RFC 9068) and remove it",
                ":5:21: warning: issuers[0].claims.user: names a claim that can pass from one person to another (control 2.1) => write `sub`, or another claim that is never given to somebody else",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    protocol: { minimum: \"2025-03-26\" }\n    ledger: { keep: [results] }",
            &[
                ":11:26: warning: routes[0].protocol.minimum: lets clients in that ask for tokens without an audience (control M1) => write \"2025-06-18\" once all clients speak it",
                ":12:21: warning: routes[0].ledger.keep: writes values into the ledger that may be personal data or secrets (control 6.4) => keep digests only, unless you must show what was said",
            ],
        ),
        (
            "    server: files",
            "    server: files\n    resource: https://other.example.com/files",
            &[
                ":11:15: warning: routes[0].resource: is not under `public_url`: clients refuse metadata that names another resource than the address they were given (control M1) => remove the line, or set `public_url` to what callers use",
            ],
        ),
        (
            "routes:",
            "  - name: idle\n    http: { url: https://idle.example.com }\nroutes:",
            &[
                ":8:5: warning: servers[1]: no route leads to this server => add a route to it, or remove it",
            ],
        ),
        (
            "servers:",
            "  - issuer: https://b.example.com\nservers:",
            &[],
        ),
        (
            "  - issuer: https://id.example.com\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /files\n    server: files",
            "  - issuer: https://id.example.com\n  - issuer: https://b.example.com\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /files\n    server: files\n    issuers: [https://id.example.com]",
            &[
                ":4:5: warning: issuers[1]: no route accepts this issuer => name it in a route's `issuers`, or remove it",
            ],
        ),
        (
            "https://files.example.com/mcp",
            "https://files.example.com/s/Abcdefghij0123456789KLMNOPQRSTUV/mcp",
            &[
                ":7:12: warning: servers[0].http.url: has something like a secret in its path, which ends up in logs (control 6.3) => ask for an address that takes a `credential`",
            ],
        ),
    ]);
}
