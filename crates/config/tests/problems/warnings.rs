//! What is taken, with a warning. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
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
];
