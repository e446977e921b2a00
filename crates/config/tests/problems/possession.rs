//! What callers cannot be asked to hold, and proxies nobody should believe. Nothing here is read but by
//! the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: {}",
        &[],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: { nonce: off, age: 1m, skew: 0s, algorithms: [ES256], per_user: 16 }",
        &[
            ":12:71: warning: dpop.per_user: is less than the 7300 proofs that one user may send while they are remembered (control 7.4) => write more, a shorter `dpop.age`, or a lower `limits.user`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: { algorithms: [] }",
        &[
            ":12:21: error: dpop.algorithms: is empty, so no proof could be accepted (control 7.4) => name the algorithms clients sign with, or remove the line",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: { algorithms: [HS256] }",
        &[
            ":12:22: error: dpop.algorithms[0]: `HS256` is not one of the words known here => did you mean `ES256`? it must be one of `ES256`, `EdDSA`, `PS256`, `RS256`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: { age: 1h }",
        &[
            ":12:14: error: dpop.age: is more than 5m (control 4.1) => write something from 5s to 5m",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndpop: { nonce: sometimes }",
        &[
            ":12:16: error: dpop.nonce: `sometimes` is not one of the words known here => write one of `required`, `offered`, `off`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    possession: dpop",
        &[],
    ),
    (
        "    server: files",
        "    server: files\n    possession: certificate",
        &[
            ":11:17: error: routes[0].possession: asks for a certificate, and no listener ever sees one (control 7.4) => add `clients: {}` to the `tls` of a listener, or ask for `dpop`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    possession: certificate\nlisteners:\n  - tls: { certificate: c.pem, key: file:k.pem, clients: {} }",
        &[],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - front: { header: client-cert, proxies: ['AA:bb'] }",
        &[
            ":13:12: error: listeners[0].front: believes a proxy that shows no certificate, so anybody could be the proxy (control 7.4) => add `clients: { mode: required }` to the listener's `tls`",
            ":13:45: error: listeners[0].front.proxies[0]: is no SHA-256 fingerprint (control 7.4) => write the 64 hexadecimal digits that `openssl x509 -noout -fingerprint -sha256` prints",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: c.pem, key: file:k.pem }\n    front: { header: client-cert, proxies: [] }",
        &[
            ":14:12: error: listeners[0].front: believes a proxy that shows no certificate, so anybody could be the proxy (control 7.4) => add `clients: { mode: required }` to the listener's `tls`",
            ":14:44: error: listeners[0].front.proxies: is empty, so the header would be refused from everybody (control 7.4) => name the fingerprints of the proxies' certificates, or remove `front`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: c.pem, key: file:k.pem, clients: { mode: required } }\n    front: { header: x-real-cert, proxies: [] }",
        &[
            ":14:22: error: listeners[0].front.header: `x-real-cert` is not one of the words known here => write one of `client-cert`, `x-forwarded-client-cert`, `x-ssl-client-cert`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: c.pem, key: file:k.pem, clients: { authorities: ca.pem } }\n    front:\n      header: x-ssl-client-cert\n      proxies: [0000000000000000000000000000000000000000000000000000000000000000]",
        &[],
    ),
];
