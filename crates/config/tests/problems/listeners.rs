//! Where the gateway may not listen, and names it may not answer to. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners: []",
        &[
            ":12:12: error: listeners: is empty, so nobody could reach the gateway => remove the line for `127.0.0.1:8080`, or add a listener",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - address: localhost:8080",
        &[
            ":13:14: error: listeners[0].address: is not an IP address with a port => write an IP address and a port: `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8443`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - address: 127.0.0.1",
        &[
            ":13:14: error: listeners[0].address: is not an IP address with a port => write an IP address and a port: `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8443`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - address: 0.0.0.0:8080",
        &[
            ":1:1: error: public_url: cannot be derived: the first listener is on all addresses of this machine => add `public_url: https://…` with the name callers use",
            ":13:14: error: listeners[0].address: `0.0.0.0:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: 0.0.0.0:8080",
        &[
            ":14:14: error: listeners[0].address: `0.0.0.0:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: '[::]:8080'",
        &[
            ":14:14: error: listeners[0].address: `[::]:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: https://mcp.example.com\nlisteners:\n  - address: '[::ffff:127.0.0.1]:8080'",
        &[
            ":14:14: error: listeners[0].address: `[::ffff:127.0.0.1]:8080` can be reached from other machines, and is unencrypted (control 3.1) => add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - address: 127.0.0.1:8080\n  - address: 127.0.0.1:8080",
        &[
            ":14:14: error: listeners[1].address: `127.0.0.1:8080` is the address of another listener => give it another port",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem, key: key.pem }",
        &[
            ":13:40: error: listeners[0].tls.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: file:cert.pem, key: file:key.pem }",
        &[
            ":13:25: error: listeners[0].tls.certificate: is a reference where a path may stand => write the path alone, without `file:`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls:\n      certificate: |\n        -----BEGIN CERTIFICATE-----\n      key: |\n        -----BEGIN PRIVATE KEY-----\n        hunter2",
        &[
            ":15:9: error: listeners[0].tls.certificate: holds a key or certificate where a path may stand (control 6.3) => put it into a file and write the file's path",
            ":17:9: error: listeners[0].tls.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem, key: 'vault:kv/tls' }",
        &[
            ":13:40: error: listeners[0].tls.key: refers to `vault:`, which is not built yet (control 6.3) => write `env:NAME` or `file:path` for now",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - tls: { certificate: cert.pem }",
        &[
            ":13:10: error: listeners[0].tls.key: is missing => add `key`: The private key in PEM form",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - hosts: ['*.example.com', 'mcp.example.com:443', 'https://a', '', 'a/b', '::1']",
        &[
            ":13:13: error: listeners[0].hosts[0]: is not a host name (control 1.1) => name each host: a pattern would let strangers' names in",
            ":13:30: error: listeners[0].hosts[1]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
            ":13:53: error: listeners[0].hosts[2]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
            ":13:66: error: listeners[0].hosts[3]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
            ":13:70: error: listeners[0].hosts[4]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
            ":13:77: error: listeners[0].hosts[5]: is not a host name (control 1.1) => write a name without scheme, port and path: `mcp.example.com`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlisteners:\n  - origins: ['*', 'null', 'http://app.example.com', 'https://app.example.com/x', app]",
        &[
            ":13:15: error: listeners[0].origins[0]: would let every web page call the gateway (control 1.1) => name each origin: `https://app.example.com`",
            ":13:20: error: listeners[0].origins[1]: would let every web page call the gateway (control 1.1) => name each origin: `https://app.example.com`",
            ":13:28: error: listeners[0].origins[2]: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
            ":13:54: error: listeners[0].origins[3]: has a path => write scheme, host and port only: an origin has no path",
            ":13:83: error: listeners[0].origins[4]: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: http://mcp.example.com",
        &[
            ":12:13: error: public_url: is unencrypted and not on this machine (control 3.1) => write `https`; unencrypted connections stay on this machine",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: https://mcp.example.com/gate",
        &[
            ":12:13: error: public_url: has a path => write scheme, host and port only; paths are those of the routes",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\npublic_url: mcp.example.com",
        &[
            ":12:13: error: public_url: is not an `https` address => write a whole address, such as `https://mcp.example.com`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\ndata: ' x'",
        &[":12:7: error: data: is not a path => write a path such as `tls/cert.pem`"],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: ['', 'p/*', 'p*/x.cedar']",
        &[
            ":11:12: error: policies[0]: names no Cedar policy files => name files that end in `.cedar`, such as `policies/*.cedar`",
            ":11:16: error: policies[1]: names no Cedar policy files => name files that end in `.cedar`, such as `policies/*.cedar`",
            ":11:23: error: policies[2]: has a `*` in the name of a folder => name each folder: `*` stands for a part of a file name only",
        ],
    ),
];
