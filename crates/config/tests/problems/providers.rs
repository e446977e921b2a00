//! Services that are asked about the text of messages. Nothing here is read but by the table's test.

use crate::Case;

const POLICIES: &str = "policies: [p/*.cedar]";
const SERVER: &str = "  - name: files\n";

pub(crate) const CASES: &[Case] = &[
    (
        POLICIES,
        "policies: [p/*.cedar]\nproviders: [{ name: Shields, prompt_shields: { endpoint: 'https://x.example', key: env:K } }]",
        &[
            ":12:21: error: providers[0].name: is not a name for a provider => write up to 63 lowercase letters, digits, `-` and `_`, a letter or digit first",
        ],
    ),
    (
        POLICIES,
        "policies: [p/*.cedar]\nproviders:\n  - { name: a, prompt_shields: { endpoint: 'https://x.example', key: hunter2 } }\n  - { name: a, prompt_shields: { endpoint: 'https://x.example/a', key: env:K } }",
        &[
            ":13:70: error: providers[0].prompt_shields.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
            ":14:13: error: providers[1].name: is the name of another provider, too: `a` => give each its own name",
            ":14:44: error: providers[1].prompt_shields.endpoint: has a path (control 1.3) => write the endpoint alone: `https://NAME.cognitiveservices.azure.com`",
        ],
    ),
    (
        POLICIES,
        "policies: [p/*.cedar]\nproviders:\n  - { name: a }\n  - { name: b, content_safety: { endpoint: 'https://x.example' } }\n  - { name: c, http: { url: 'https://x.example' } }\n  - { name: d, http: { url: 'https://x.example', bearer: env:A, hmac: env:B } }",
        &[
            ":13:5: error: providers[0]: is not exactly one of `prompt_shields`, `content_safety` and `http` (control 1.3) => write one of the three",
            ":14:32: error: providers[1].content_safety: has not exactly one way to show who asks (control 1.3) => write `key` or `entra`, one of the two",
            ":15:22: error: providers[2].http: has no way to show who asks, so anybody could (control 1.3) => write `bearer` or `hmac`",
            ":16:22: error: providers[3].http: has two ways to show who asks (control 1.3) => write `bearer` or `hmac`, one of the two",
        ],
    ),
    (
        POLICIES,
        "policies: [p/*.cedar]\nproviders:\n  - { name: a, http: { url: 'http://10.0.0.1/x', bearer: env:A, threshold: 1001 }, concurrent: 0 }",
        &[
            ":13:29: error: providers[0].http.url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ":13:76: error: providers[0].http.threshold: is more than 1000 (control 4.1) => write something from 1 to 1000",
            ":13:96: error: providers[0].concurrent: is less than 1 (control 4.1) => write something from 1 to 1024",
        ],
    ),
    (
        SERVER,
        "  - name: files\n    content:\n      modes: { injection: enforce }\n      providers: [{ use: shield }, { use: shield, on: [] }]\n",
        &[
            ":8:26: error: servers[0].content.providers[0].use: names `shield`, which is none of the `providers` (control 1.3) => add it to `providers`",
            ":8:43: error: servers[0].content.providers[1].use: asks `shield` twice (control 1.3) => name each provider once, with everything it is asked about in `on`",
            ":8:43: error: servers[0].content.providers[1].use: names `shield`, which is none of the `providers` (control 1.3) => add it to `providers`",
            ":8:55: error: servers[0].content.providers[1].on: is empty: it is asked about nothing (control 1.3) => write what it is asked about, such as `arguments`, or remove the entry",
        ],
    ),
    (
        "server: files\n",
        "server: files\n    content: { providers: [{ use: shield, on: [definitions] }] }\n",
        &[
            ":11:35: error: routes[0].content.providers[0].use: names `shield`, which is none of the `providers` (control 1.3) => add it to `providers`",
            ":11:47: error: routes[0].content.providers[0].on: names `definitions`, which are those of a server on every route (control 1.3) => name it in the `content` of the server",
        ],
    ),
    (
        "server: files\n",
        "server: files\n    content:\n      modes:\n        injection: enforce\n        poison.secrecy: shadow\n        likeness.near_name: enforce\n",
        &[
            ":14:25: error: routes[0].content.modes[\"poison.secrecy\"]: is a rule about definitions, which are pinned once for every route of a server, so a mode at a route changes nothing (control 9.2) => write it in `content.modes` of the server",
            ":15:29: error: routes[0].content.modes[\"likeness.near_name\"]: is a rule about definitions, which are pinned once for every route of a server, so a mode at a route changes nothing (control 9.2) => write it in `content.modes` of the server",
        ],
    ),
    (
        SERVER,
        "  - name: files\n    content: { modes: { injection: enforce, poison.secrecy: shadow, likeness.near_name: enforce } }\n",
        &[],
    ),
    (
        SERVER,
        "  - name: files\n    content: { modes: { \"a rule\": shadow } }\n",
        &[
            ":6:35: error: servers[0].content.modes[\"a rule\"]: is not the name of a rule => write one word of printable characters, without spaces, quotes and backslashes",
        ],
    ),
    (
        POLICIES,
        "policies: [p/*.cedar]\nproviders: [{ name: shields, on_failure: allow, prompt_shields: { endpoint: 'https://x.example', key: env:K } }]",
        &[
            ":12:13: warning: providers[0]: `shields` is asked about nothing (control 1.3) => add `content: { providers: [{ use: shields }] }` to a server or a route",
            ":12:42: warning: providers[0].on_failure: lets messages go on that it said nothing of (control 1.3) => remove it, unless an answer is worth more than the check",
        ],
    ),
];
