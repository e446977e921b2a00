//! Routes that lead nowhere, to two places, or in without a token. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "routes:\n  - path: /files\n    server: files",
        "routes: []",
        &[
            ":8:9: error: routes: is empty, so no server could be reached => add `- path: /name` and `server: name` below `routes:`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: files",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: /files/",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: /a//b",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: /a/../b",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: /.well-known/x",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: /fi%6ces",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "  - path: /files",
        "  - path: '/files?x'",
        &[
            ":9:11: error: routes[0].path: is not a path for a route => write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at the end, no word that begins with `.`",
        ],
    ),
    (
        "    server: files",
        "    server: file",
        &[":10:13: error: routes[0].server: there is no server `file` => did you mean `files`?"],
    ),
    (
        "    server: files",
        "    server: weather",
        &[
            ":10:13: error: routes[0].server: there is no server `weather` => add a server of this name below `servers:`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n  - path: /files\n    server: files",
        &[
            ":11:11: error: routes[1].path: is the path of routes[0] already => give each route a path that begins with a word of its own",
        ],
    ),
    (
        "    server: files",
        "    server: files\n  - path: /Files\n    server: files",
        &[
            ":11:11: error: routes[1].path: is the path of routes[0] already => give each route a path that begins with a word of its own",
        ],
    ),
    (
        "    server: files",
        "    server: files\n  - path: /files/deep\n    server: files\n  - path: /files-2\n    server: files",
        &[
            ":11:11: error: routes[1].path: lies below the path of routes[0] => give each route a path that begins with a word of its own",
        ],
    ),
    (
        "    server: files",
        "    server: files\n  - path: /\n    server: files",
        &[
            ":9:11: error: routes[0].path: lies below the path of routes[1] => give each route a path that begins with a word of its own",
        ],
    ),
    (
        "    server: files",
        "    server: files\n  - path: /b\n    server: files\n    resource: http://127.0.0.1:8080/files",
        &[
            ":13:15: error: routes[1].resource: is the audience of routes[0] already: a token for one would open both (control M1) => give each route its own",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    resource: http://mcp.example.com/files",
        &[
            ":11:15: error: routes[0].resource: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    resource: 'https://mcp.example.com/files#x'",
        &[
            ":11:15: error: routes[0].resource: has a fragment => remove the `#` and what follows it",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    issuers: []",
        &[
            ":11:14: error: routes[0].issuers: is empty, and nobody is let in without a token (control M2) => name an issuer, or remove the line for all of them",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    issuers: [https://other.example.com]",
        &[
            ":11:15: error: routes[0].issuers[0]: is no issuer of this configuration (control M1) => name one of those below `issuers:`, byte for byte",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    issuers: [https://id.example.com/]",
        &[
            ":11:15: error: routes[0].issuers[0]: is no issuer of this configuration (control M1) => write it exactly: `https://id.example.com`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    scopes: ['a b']",
        &[
            ":11:14: error: routes[0].scopes[0]: is not a scope => write one word of printable characters, without spaces, quotes and backslashes",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    protocol: { minimum: '2025-06-19' }",
        &[
            ":11:26: error: routes[0].protocol.minimum: `2025-06-19` is not one of the words known here => did you mean `2025-06-18`? it must be one of `2024-11-05`, `2025-03-26`, `2025-06-18`, `2025-11-25`, `2026-07-28`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    protocol: { minimum: 2026-07-28 }",
        &[],
    ),
    (
        "    server: files",
        "    server: files\n    bridge: { parked_per_user: 0, parked_time: 9s, gather: 3s }",
        &[
            ":11:32: error: routes[0].bridge.parked_per_user: is less than 1 (control 4.1) => write something from 1 to 256",
            ":11:48: error: routes[0].bridge.parked_time: is less than 10s (control 4.1) => write something from 10s to 1h",
            ":11:60: error: routes[0].bridge.gather: is more than 2s (control 4.1) => write something from 0s to 2s",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    bridge: { parked_per_user: 257, parked_time: 61m }",
        &[
            ":11:32: error: routes[0].bridge.parked_per_user: is more than 256 (control 4.1) => write something from 1 to 256",
            ":11:50: error: routes[0].bridge.parked_time: is more than 1h (control 4.1) => write something from 10s to 1h",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    elicitation: { urls: ['https://login.example.com', '*.example.com', login.example.com] }",
        &[
            ":11:27: error: routes[0].elicitation.urls[0]: is not a host name => write a name without scheme, port and path: `login.example.com`",
            ":11:56: error: routes[0].elicitation.urls[1]: is not a host name => name each host: a pattern would let in what others put up there",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    protocol: { leniency: [{ client: '*', allow: [missing_name] }, { client: ' a', allow: [] }] }",
        &[
            ":11:28: warning: routes[0].protocol.leniency[0]: lets this client leave headers out: what reads headers in front of the gateway does not see its calls (control 3.4) => remove it once the client sends what MCP asks for",
            ":11:38: error: routes[0].protocol.leniency[0].client: names clients by a pattern, and none but a known one is let off (control 3.4) => name the client exactly as its tokens do",
            ":11:78: error: routes[0].protocol.leniency[1].client: is not a client => write the client's identifier, exactly as its tokens name it",
            ":11:91: error: routes[0].protocol.leniency[1].allow: is empty => name a mistake, or remove the client",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    protocol: { leniency: [{ client: a, allow: [missing_version] }, { client: b, allow: [wrong_name] }] }",
        &[
            ":11:49: error: routes[0].protocol.leniency[0].allow[0]: `missing_version` is not one of the words known here => write one of `missing_method`, `missing_name`, `missing_params`, `wrong_method`, `wrong_name`, `wrong_params`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    protocol:\n      leniency:\n        - { client: a, allow: [wrong_name] }\n        - { client: a, allow: [missing_name] }",
        &[
            ":13:11: warning: routes[0].protocol.leniency[0]: lets this client's headers say another call than its messages make: what reads headers in front of the gateway can be deceived (control 3.4) => remove it once the client sends what MCP asks for",
            ":14:11: warning: routes[0].protocol.leniency[1]: lets this client leave headers out: what reads headers in front of the gateway does not see its calls (control 3.4) => remove it once the client sends what MCP asks for",
            ":14:21: error: routes[0].protocol.leniency[1].client: is the client of routes[0].protocol.leniency[0] already => name each client once, with all of its mistakes",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    sessions: { idle: 2h, absolute: 1h, per_user: 0 }",
        &[
            ":11:23: error: routes[0].sessions.idle: is longer than `absolute`, which would end the session first (control 8.3) => write a shorter time, or a longer `absolute`",
            ":11:51: error: routes[0].sessions.per_user: is less than 1 (control 4.1) => write something from 1 to 4096",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    sessions: { idle: 1s, absolute: 8d, per_user: 5000 }",
        &[
            ":11:23: error: routes[0].sessions.idle: is less than 10s (control 4.1) => write something from 10s to 24h",
            ":11:37: error: routes[0].sessions.absolute: is more than 7d (control 4.1) => write something from 1m to 7d",
            ":11:51: error: routes[0].sessions.per_user: is more than 4096 (control 4.1) => write something from 1 to 4096",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    limits: { connections: 5, header_time: 5s, header_bytes: 8KiB }",
        &[
            ":11:28: error: routes[0].limits.connections: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.connections`",
            ":11:44: error: routes[0].limits.header_time: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.header_time`",
            ":11:62: error: routes[0].limits.header_bytes: applies before it is known which route a request wants (control 4.1) => move it to the `limits` of the whole gateway: `limits.header_bytes`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    limits: { tool: { rate: 0/s, burst: 0, concurrent: 70000 } }",
        &[
            ":11:29: error: routes[0].limits.tool.rate: is not a rate => write how many in which time: `50/s`, `600/m` or `100/h`",
            ":11:41: error: routes[0].limits.tool.burst: is less than 1 (control 4.1) => write something from 1 to 1000000",
            ":11:56: error: routes[0].limits.tool.concurrent: is more than 65536 (control 4.1) => write something from 1 to 65536",
        ],
    ),
];
