//! Profiles, tenants, introspection and attributes that cannot be meant. Nothing here is read but by
//! the table's test.

use crate::Case;

const ISSUER: &str = "  - issuer: https://id.example.com";

pub(crate) const CASES: &[Case] = &[
    (
        "  - issuer: https://id.example.com\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /files\n",
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /files\n    audiences: [web]\n",
        &[
            ":11:16: error: routes[0].audiences: names the client that users sign in with: their ID tokens have this audience (control 7.2) => remove it; access tokens are for the resource",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    audiences: [web]\n    sign_in: { client: web, secret: env:S }",
        &[
            ":4:16: error: issuers[0].audiences: names the client that users sign in with: their ID tokens have this audience (control 7.2) => remove it; access tokens are for the resource",
        ],
    ),
    (
        "  - issuer: https://id.example.com\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /files\n",
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nservers:\n  - name: files\n    http:\n      url: https://files.example.com/mcp\nroutes:\n  - path: /Connections/x\n",
        &[
            ":10:11: error: routes[0].path: is where people with a browser have their pages => write another path",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    profile: oidc",
        &[
            ":4:14: error: issuers[0].profile: `oidc` is not one of the words known here => write one of `rfc9068`, `jwt`, `entra`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    profile: entra",
        &[
            ":3:13: error: issuers[0].issuer: names no tenant, and each tenant is an issuer of its own (control M1) => write `https://login.microsoftonline.com/{tenant}/v2.0`, or `https://sts.windows.net/{tenant}/` for tokens of version 1.0, and the `tenants`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}",
        &[
            ":3:13: error: issuers[0].issuer: has `{tenant}` in it, and no tenant is named: none is accepted unsaid (control M1) => name the tenants you trust below `tenants`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    tenants: [north]",
        &[
            ":4:14: error: issuers[0].tenants: are named, but nothing in the issuer stands for them (control M1) => write `{tenant}` where the tenant stands in the issuer, or remove them",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://{tenant}.example.com\n    tenants: [north]",
        &[
            ":3:13: error: issuers[0].issuer: has `{tenant}` elsewhere than once in its path (control M1) => write it as one word of the path",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/x{tenant}\n    tenants: [north]",
        &[
            ":3:13: error: issuers[0].issuer: has `{tenant}` elsewhere than once in its path (control M1) => write it as one word of the path",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}/{tenant}\n    tenants: [north]",
        &[
            ":3:13: error: issuers[0].issuer: has `{tenant}` elsewhere than once in its path (control M1) => write it as one word of the path",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}\n    tenants: [north, 'a/b', '*', '..', '']",
        &[
            ":4:22: error: issuers[0].tenants[1]: is not a tenant (control M1) => write letters, digits, `-`, `_` and `.`",
            ":4:29: error: issuers[0].tenants[2]: is not a tenant (control M1) => write letters, digits, `-`, `_` and `.`",
            ":4:34: error: issuers[0].tenants[3]: is not a tenant (control M1) => write letters, digits, `-`, `_` and `.`",
            ":4:40: error: issuers[0].tenants[4]: is not a tenant (control M1) => write letters, digits, `-`, `_` and `.`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}\n    tenants: [north, north]",
        &[
            ":4:14: error: issuers[0].tenants: names an issuer that is there already (control M1) => keep one of them",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/north\n  - issuer: https://id.example.com/{tenant}\n    tenants: [north]",
        &[
            ":5:14: error: issuers[1].tenants: names an issuer that is there already (control M1) => keep one of them",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}/v2.0\n    profile: entra\n    tenants: [contoso, 0F4AE8D8-1c6c-4b52-9d4e-3a0c8f5d7b11]",
        &[
            ":5:15: error: issuers[0].tenants[0]: is not a tenant (control M1) => write the tenant's GUID in lowercase",
            ":5:24: error: issuers[0].tenants[1]: is not a tenant (control M1) => write the tenant's GUID in lowercase",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    metadata: https://id.example.com/common",
        &[
            ":4:15: error: issuers[0].metadata: is for metadata that tenants share, and this issuer has none (control M1) => remove the line: its own metadata is found by its name",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    audiences: ['api://*', 'a b', '']",
        &[
            ":4:17: error: issuers[0].audiences[0]: holds a `*`, and audiences are compared letter for letter (control 7.2) => write each name in full",
            ":4:28: error: issuers[0].audiences[1]: is not the name of an audience => write one word of printable characters, without spaces, quotes and backslashes",
            ":4:35: error: issuers[0].audiences[2]: is not the name of an audience => write one word of printable characters, without spaces, quotes and backslashes",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    actors: 9",
        &[
            ":4:13: error: issuers[0].actors: is more than 8 (control 4.1) => write something from 0 to 8",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: ringwall, secret: hunter2 }",
        &[
            ":4:48: error: issuers[0].introspection.secret: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: ringwall, secret: env:S, cache: 6m, url: 'http://id.example.com/i' }",
        &[
            ":4:62: error: issuers[0].introspection.cache: is more than 5m (control 4.1) => write something from 0s to 5m",
            ":4:71: error: issuers[0].introspection.url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: a, secret: env:S }\n  - issuer: https://b.example.com\n    introspection: { client: a, secret: env:S }",
        &[
            ":12:5: error: routes[0].issuers: accepts opaque tokens of more than one issuer, and they do not say whose they are (control M1) => name one issuer with `introspection` in the route's `issuers`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}\n    tenants: [north]\n    introspection: { client: a, secret: env:S }",
        &[
            ":5:20: error: issuers[0].introspection: asks an issuer of many tenants, and an opaque token does not say of which it is (control M1) => remove it, or write one issuer for the tenant whose opaque tokens are accepted",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    graph: { client: a, secret: env:S }",
        &[
            ":4:12: error: issuers[0].graph: is for tokens of `entra` only (control 7.3) => remove it: other issuers put the groups into the token",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    attributes: { Big: { claim: a, kind: text }, client_auth: { claim: a, kind: text }, roles: { claim: a, kind: text }, d: { claim: a..b, kind: text }, e: { claim: a, kind: list } }",
        &[
            ":4:175: error: issuers[0].attributes.e.kind: `list` is not one of the words known here => write one of `flag`, `number`, `text`, `texts`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    attributes: { Big: { claim: a, kind: text }, client_auth: { claim: a, kind: text }, roles: { claim: a, kind: text }, d: { claim: a..b, kind: text } }",
        &[
            ":4:24: error: issuers[0].attributes.Big: is not a name that policies can read => write lowercase letters, digits and `_`, a letter first",
            ":4:63: error: issuers[0].attributes.client_auth: is what the gateway itself says of the client (control 7.3) => give it another name",
            ":4:96: error: issuers[0].attributes.roles: is `texts` wherever it comes from (control 7.3) => give it that kind, or another name",
            ":4:134: error: issuers[0].attributes.d.claim: is no way to a claim => write the names of members with one `.` between them",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    attributes: { d: { claim: a, kind: text } }\n  - issuer: https://b.example.com\n    attributes: { d: { claim: a, kind: number } }",
        &[
            ":6:22: error: issuers[1].attributes.d: is `text` for issuers[0] (control 7.3) => give it the same kind, or another name",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com/{tenant}/v2.0\n    profile: entra\n    tenants: [0f4ae8d8-1c6c-4b52-9d4e-3a0c8f5d7b11]\n    claims: { user: preferred_username, client: azp }",
        &[
            ":6:21: error: issuers[0].claims.user: is not for `entra` to choose: `oid` is the person, `azp` or `appid` the client (control 2.1) => remove the line",
            ":6:21: warning: issuers[0].claims.user: names a claim that can pass from one person to another (control 2.1) => write `sub`, or another claim that is never given to somebody else",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: a }",
        &[
            ":4:20: error: issuers[0].introspection: has no way to show who asks (control M1) => write `secret: env:NAME` or `key: file:path`, one of the two",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: a, secret: env:S, key: file:k.pem }",
        &[
            ":4:20: error: issuers[0].introspection: has two ways to show who asks (control M1) => write `secret: env:NAME` or `key: file:path`, one of the two",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    introspection: { client: a, key: hunter2 }",
        &[
            ":4:38: error: issuers[0].introspection.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
];
