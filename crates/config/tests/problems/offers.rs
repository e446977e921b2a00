//! Routes with several servers, and what they offer of them. Nothing here is read but by the table's test.

use crate::Case;

/// A second server beside the one that is there.
const TWO: &str = "routes:\n  - path: /files\n    server: files";

pub(crate) const CASES: &[Case] = &[
    (
        "    server: files\n",
        "",
        &[
            ":9:5: error: routes[0]: leads to no server => add `server: name`, or `servers: [one, two]`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    servers: [files]",
        &[
            ":11:14: error: routes[0].servers: stands beside `server` => keep one of them: `servers` if there are several",
        ],
    ),
    (
        "    server: files",
        "    servers: []",
        &[
            ":10:14: error: routes[0].servers: is empty, so no server could be reached => name the servers, or one as `server: name`",
        ],
    ),
    ("    server: files", "    servers: [files]", &[]),
    (
        "    server: files",
        "    servers: [files, file, weather]",
        &[
            ":10:22: error: routes[0].servers[1]: there is no server `file` => did you mean `files`?",
            ":10:28: error: routes[0].servers[2]: there is no server `weather` => add a server of this name below `servers:`",
        ],
    ),
    (
        "    server: files",
        "    servers: [files, files]",
        &[
            ":10:22: error: routes[0].servers[1]: is routes[0].servers[0] already => name each server once",
        ],
    ),
    (
        TWO,
        "  - name: tickets\n    http: { url: https://tickets.example.com }\nroutes:\n  - path: /work\n    servers: [files, tickets]",
        &[],
    ),
    (
        TWO,
        "  - name: 2nd\n    http: { url: https://a.example.com }\nroutes:\n  - path: /second\n    server: 2nd\n  - path: /work\n    servers: [files, 2nd]",
        &[
            ":14:22: error: routes[1].servers[1]: `2nd` does not begin with a letter, as what stands before a resource URI must => rename it to begin with a letter",
        ],
    ),
    (
        TWO,
        "  - name: a__b\n    http: { url: https://a.example.com }\nroutes:\n  - path: /work\n    servers: [a__b, files]",
        &[
            ":12:15: error: routes[0].servers[0]: `a__b` holds `__`, which stands between a server and its tool => rename it with one `_`, or with `-`",
        ],
    ),
    (
        TWO,
        "  - name: my_x\n    http: { url: https://a.example.com }\n  - name: my-x\n    http: { url: https://b.example.com }\nroutes:\n  - path: /work\n    servers: [files, my_x, my-x]",
        &[
            ":14:28: error: routes[0].servers[2]: `my_x` and `my-x` are both written `my-x+` before a resource URI => rename one so that more than `-` and `_` differs",
        ],
    ),
    (
        TWO,
        "  - name: my_files\n    http: { url: https://a.example.com }\nroutes:\n  - path: /work\n    servers: [files, my_files]\n    tools: ['*', 'f*', 'files_*', 'my_files__read*', files__x]\n    prompts: []\n    resources: ['my-files+file:///*', 'files+*', 'my*']",
        &[],
    ),
    (
        TWO,
        "  - name: my_files\n    http: { url: https://a.example.com }\nroutes:\n  - path: /work\n    servers: [files, my_files]\n    tools: ['read_*', files, files_]\n    prompts: [daily]\n    resources: ['file:///*', 'my_files+file:///x']",
        &[
            ":13:13: error: routes[0].tools[0]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files__…`",
            ":13:23: error: routes[0].tools[1]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files__…`",
            ":13:30: error: routes[0].tools[2]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files__…`",
            ":14:15: error: routes[0].prompts[0]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files__…`",
            ":15:17: error: routes[0].resources[0]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files+…`",
            ":15:30: error: routes[0].resources[1]: names nothing: with several servers, names begin with the server's => begin with a server of the route: `files+…`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    tools: ['read_*', write]\n    prompts: ['*']\n    resources: ['file:///docs/*', 'file:///{+path}']",
        &[],
    ),
    (
        "    server: files",
        "    server: files\n    tools: ['a*b', '']\n    prompts: ['**']\n    resources: ['', \"a\\tb\"]",
        &[
            ":11:13: error: routes[0].tools[0]: is not the name of a tool => write a tool's name, or its beginning and one `*`: `transfer*`",
            ":11:20: error: routes[0].tools[1]: is not the name of a tool => write a tool's name, or its beginning and one `*`: `transfer*`",
            ":12:15: error: routes[0].prompts[0]: is not the name of a prompt => write a prompt's name, or its beginning and one `*`: `daily*`",
            ":13:17: error: routes[0].resources[0]: is not the URI of a resource => write a resource's URI, or its beginning and one `*`: `file:///docs/*`",
            ":13:21: error: routes[0].resources[1]: is not the URI of a resource => write a resource's URI, or its beginning and one `*`: `file:///docs/*`",
        ],
    ),
];
