//! Tokens for servers that could go to the wrong party, or be asked for by nobody. Nothing here is read
//! but by the table's test.

use crate::Case;

const HTTP: &str = "      url: https://files.example.com/mcp\n";

pub(crate) const CASES: &[Case] = &[
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      credential: env:A\n      oauth: { grant: workload, assertion: file:a }\n",
        &[
            ":8:19: error: servers[0].http.credential: stands beside `oauth`: a server is shown one or the other (control 7.1) => keep one of them",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: connection }\n",
        &[
            ":8:23: error: servers[0].http.oauth.grant: lets users of `https://id.example.com` be asked to connect, and they cannot show who they are (control 7.4) => add `sign_in: { client: … }` to that issuer, or choose another grant",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: client_credentials }\n",
        &[
            ":8:14: error: servers[0].http.oauth: has no client that can prove itself, which this grant is good for only with (control 7.1) => add `client: { id: … }` and `secret: env:NAME` or `key: file:PATH`",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: client_credentials, client: { id: a }, secret: env:A }\n",
        &[
            ":8:14: error: servers[0].http.oauth: has a client and does not say whose it is: a server could name any authorization server and be given what proves it (control 7.1) => add `issuer: …`, where the client is registered",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: token_exchange, issuer: https://other.example.com, client: { id: a }, secret: env:A }\n",
        &[
            ":8:47: error: servers[0].http.oauth.issuer: is none of `issuers`, and would be given tokens that it did not issue (control 7.1) => name the issuer of the callers' tokens",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: workload, actor: gateway, secret: hunter2 }\n",
        &[
            ":8:14: error: servers[0].http.oauth: does not say which workload the gateway is => add `assertion: file:PATH`",
            ":8:40: error: servers[0].http.oauth.actor: means nothing but with `grant: token_exchange` => remove it",
            ":8:57: error: servers[0].http.oauth.secret: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: on_behalf_of, issuer: https://other.example.com, subject_issuer: https://id.example.com, client: { id: a }, secret: env:A, assertion_audience: token_endpoint }\n",
        &[
            ":8:88: error: servers[0].http.oauth.subject_issuer: is no tenant's issuer of `issuers` with `profile: entra` (control 7.1) => name the issuer of the callers' tokens, with the tenant in it",
            ":8:166: error: servers[0].http.oauth.assertion_audience: means nothing but with `key`, which signs assertions => remove it",
        ],
    ),
    (
        HTTP,
        "      url: https://files.example.com/mcp\n      oauth: { grant: token_exchange, issuer: https://id.example.com, subject_issuer: https://id.example.com, client: { id: a }, key: file:a }\n",
        &[
            ":8:87: error: servers[0].http.oauth.subject_issuer: means nothing but with `grant: on_behalf_of` => remove it",
        ],
    ),
];

/// A tenant of Entra ID has two issuers, and what is signed as one may be exchanged at the other.
#[test]
fn n7_1_one_tenant_has_two_names_and_two_tenants_have_nothing_in_common() {
    let (north, south) = (
        "0f4ae8d8-1c6c-4b52-9d4e-3a0c8f5d7b11",
        "1f4ae8d8-1c6c-4b52-9d4e-3a0c8f5d7b11",
    );
    let told = |issuer: &str, subjects: &str| {
        let entra = format!(
            "  - {{ issuer: 'https://sts.example/{{tenant}}/', profile: entra, tenants: [{north}, {south}], audiences: ['api://x'] }}\n"
        );
        let oauth = format!(
            "{HTTP}      oauth: {{ grant: on_behalf_of, issuer: '{issuer}', subject_issuer: '{subjects}', client: {{ id: a }}, secret: env:A }}\n"
        );
        let text = crate::FINE.replacen("  - issuer: https://id.example.com\n", &entra, 1);
        crate::told(&text.replacen(HTTP, &oauth, 1))
    };
    let issuer = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
    let subjects = |tenant: &str| format!("https://sts.example/{tenant}/");
    assert_eq!(told(&issuer(north), &subjects(north)), Vec::<String>::new());
    for (issuer, subjects, expected) in [
        (issuer(south), subjects(north), "is of another tenant"),
        (issuer(""), subjects(north), "is of another tenant"),
        (issuer(north), subjects("{tenant}"), "is no tenant's issuer"),
        (issuer(north), subjects("other"), "is no tenant's issuer"),
    ] {
        let told = told(&issuer, &subjects);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(expected), "{told:?}");
    }
}
