//! Servers that are not to be reached or started so, and secrets where none may stand. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
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
        "    http:\n",
        "    sse: { url: https://a.example.com }\n    stdio: { command: [x], confinement: none }\n    http:\n",
        &[
            ":6:10: error: servers[0].sse: stands beside `http`: a server is one or the other => keep one of them, or make two servers of it",
            ":7:12: error: servers[0].stdio: stands beside `http`: a server is one or the other => keep one of them, or make two servers of it",
        ],
    ),
    (
        "    http:\n",
        "    era: modern\n    sse:\n",
        &[
            ":6:10: error: servers[0].era: is an era that has no HTTP+SSE: no server could be met (control 3.4) => remove the line, or reach the server over `http`",
            ":8:7: warning: servers[0].sse: speaks the transport of 2024-11-05, which is deprecated: its answers can be lost and are not resumed (control 3.4) => write `http` as soon as the server speaks Streamable HTTP",
        ],
    ),
    (
        "    http:\n      url: https://files.example.com/mcp",
        "    sse: { url: http://10.0.0.1/sse, header: X-Key }",
        &[
            ":6:10: warning: servers[0].sse: speaks the transport of 2024-11-05, which is deprecated: its answers can be lost and are not resumed (control 3.4) => write `http` as soon as the server speaks Streamable HTTP",
            ":6:17: error: servers[0].sse.url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ":6:46: error: servers[0].sse.header: has no credential to carry => add `credential: env:NAME`, or remove the header",
        ],
    ),
    (
        "    http:\n",
        "    era: old\n    http:\n",
        &[
            ":6:10: error: servers[0].era: `old` is not one of the words known here => write one of `auto`, `legacy`, `modern`",
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
];
