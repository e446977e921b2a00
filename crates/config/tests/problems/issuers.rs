//! Issuers whose tokens are not to be accepted. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
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
        &[":3:13: error: issuers[0].issuer: has a fragment => remove the `#` and what follows it"],
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
        &[":4:13: error: issuers[1].issuer: is the issuer of issuers[0] again => keep one of them"],
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
];
