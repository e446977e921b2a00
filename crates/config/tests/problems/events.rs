//! Events of issuers that could not be taken, or that anybody could send. Nothing here is read but by
//! the table's test.

use crate::Case;

const ISSUER: &str = "issuer: https://id.example.com\n";

pub(crate) const CASES: &[Case] = &[
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: https://gateway.example.com }\n",
        &[],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, path: /id/events, secret: env:PUSH }\n",
        &[],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, secret: hunter2 }\n",
        &[
            ":4:37: error: issuers[0].events.secret: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, secret: vault:push }\n",
        &[
            ":4:37: error: issuers[0].events.secret: refers to `vault:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: two words }\n",
        &[
            ":4:25: error: issuers[0].events.audience: is not an audience => write one word of printable characters, without spaces, quotes and backslashes",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: {}\n",
        &[
            ":4:13: error: issuers[0].events.audience: is missing => add `audience`: What its events and logout tokens must have in `aud`: what the gateway is called there",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, path: events }\n",
        &[
            ":4:35: error: issuers[0].events.path: is not a path that events can be delivered at (control 8.3) => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/events`",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, path: / }\n",
        &[
            ":4:35: error: issuers[0].events.path: is not a path that events can be delivered at (control 8.3) => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/events`",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, path: /files }\n",
        &[
            ":4:35: error: issuers[0].events.path: takes the path of the route `/files`, itself or with `/logout` (control 8.3) => write a path of its own",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw, path: /.well-known/x }\n",
        &[
            ":4:35: error: issuers[0].events.path: is not a path that events can be delivered at (control 8.3) => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/events`",
        ],
    ),
    (
        ISSUER,
        "issuer: https://id.example.com\n    events: { audience: gw }\n  - issuer: https://b.example.com\n    events: { audience: gw, path: /events/logout }\n",
        &[
            ":4:13: error: issuers[0].events.path: has its logout tokens where another issuer has its events (control 8.3) => write a path of its own",
        ],
    ),
];
