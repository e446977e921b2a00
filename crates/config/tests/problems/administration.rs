//! Administration that anybody could do, or nobody. Nothing here is read but by the table's test.

use crate::Case;

const ISSUER: &str = "  - issuer: https://id.example.com";

pub(crate) const CASES: &[Case] = &[
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { roles: [{ role: admin, users: [a] }] }",
        &[
            ":5:17: error: administration: does not say how strongly administrators are authenticated (control 2.4) => add `amr: [mfa]`, or the `acr` of strong sign-ins at your provider",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\nadministration: { amr: [mfa], roles: [{ role: admin, users: [a] }] }",
        &[
            ":4:17: error: administration: does not say where administrators sign in (control 2.4) => add `sign_in: { client: … }` to an issuer",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { amr: [mfa], issuer: 'https://other.example.com', roles: [{ role: admin, users: [a] }] }",
        &[
            ":5:39: error: administration.issuer: is no issuer where anybody can sign in with a browser (control 2.4) => name one of `issuers` exactly, with its tenant, and add `sign_in: { client: … }` there",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { amr: [mfa], roles: [{ role: admin }] }",
        &[
            ":5:39: error: administration.roles[0]: does not say who has the role (control 2.2) => add `users`, `groups`, or `claim` and `values`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { amr: [mfa], roles: [{ role: admin, claim: x }] }",
        &[
            ":5:39: error: administration.roles[0]: has a `claim` without `values`, or `values` without a `claim` (control 2.2) => write both, or neither",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { amr: [mfa], policies: [x.txt] }",
        &[
            ":5:42: error: administration.policies[0]: names no Cedar policy files => name files that end in `.cedar`, such as `policies/*.cedar`",
        ],
    ),
    (
        ISSUER,
        "  - issuer: https://id.example.com\n    sign_in: { client: web, secret: env:S }\nadministration: { amr: [mfa], break_glass: on }",
        &[
            ":5:44: error: administration.break_glass: needs a name of the gateway: passkeys are for names, never for addresses (control 2.4) => write a `public_url` with a name, such as `http://localhost:8080`",
        ],
    ),
];
