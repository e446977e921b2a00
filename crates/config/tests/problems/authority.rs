//! An authorization server of the gateway's own that nobody could use, or that would be at the place of
//! something else. Nothing here is read but by the table's test.

const SIGN_IN: &str = "  - issuer: https://id.example.com\n    sign_in: { client: ringwall }";

/// What is said of `authorization_server` beside an issuer that people can sign in at.
pub(crate) const SERVERS: &[(&str, &[&str])] = &[
    ("{ registration: open }", &[]),
    (
        "{ documents: [any], scopes: { files: Read your files } }",
        &[],
    ),
    (
        "{ documents: [vscode.dev, claude.ai], tokens: { access: 10m, refresh: 1d, idle: 1h } }",
        &[],
    ),
    (
        "{}",
        &[
            "authorization_server: knows no client, so that nobody can use it (control M3) => name the hosts of clients in `documents`, or write `registration: open`",
        ],
    ),
    (
        "{ registration: open, sign_in: 'https://other.example.com' }",
        &[
            "authorization_server.sign_in: is none of `issuers` (control M3) => name one of those below `issuers:`, byte for byte",
        ],
    ),
    (
        "{ documents: ['https://vscode.dev/'] }",
        &[
            "authorization_server.documents[0]: is no host (control M3) => write the host alone, as in `vscode.dev`, or `any`",
        ],
    ),
    (
        "{ documents: [any, vscode.dev] }",
        &[
            "authorization_server.documents[0]: stands beside hosts that it makes no difference to (control M3) => write `[any]`, or only the hosts you mean",
        ],
    ),
    (
        "{ registration: open, tokens: { access: 1d } }",
        &[
            "authorization_server.tokens.access: is more than 1h (control 4.1) => write something from 1m to 1h",
        ],
    ),
    (
        "{ registration: open, tokens: { refresh: 1h, idle: 2h } }",
        &[
            "authorization_server.tokens.idle: is longer than `refresh`, and ends nothing (control 2.3) => write less than `refresh`",
        ],
    ),
    (
        "{ registration: open, scopes: { files: '' } }",
        &[
            "authorization_server.scopes.files: says nothing that people can read (control M3) => say in one short line what somebody lets a client do",
        ],
    ),
    (
        "{ registration: sometimes }",
        &[
            "authorization_server.registration: `sometimes` is not one of the words known here => write one of `off`, `open`",
        ],
    ),
];

/// The whole file with such a server.
pub(crate) fn with(server: &str) -> String {
    crate::FINE
        .replace("  - issuer: https://id.example.com", SIGN_IN)
        .replace(
            "policies:",
            &format!("authorization_server: {server}\npolicies:"),
        )
}
