//! What servers say to models. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "    server: files",
        "    server: files\n    content: { output: { hosts: ['https://a.example', '*.ok.example', '*.*.example', ok.example] } }",
        &[
            ":11:34: error: routes[0].content.output.hosts[0]: is not a host name (control 1.4) => write a name without scheme, port and path: `cdn.example.com`, or `*.example.com` for all names below it",
            ":11:71: error: routes[0].content.output.hosts[2]: is not a host name (control 1.4) => write a name without scheme, port and path: `cdn.example.com`, or `*.example.com` for all names below it",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    content: { output: { images: off, text_bytes: 9MiB, text_tokens: 1 } }",
        &[
            ":11:34: warning: routes[0].content.output.images: lets a server have its images loaded with what it was told in their addresses (control 1.4) => remove the line, and name hosts that may be reached in `hosts`",
            ":11:51: warning: routes[0].content.output.text_bytes: is more than all texts of one message may be together (control 9.4) => write less, or more for `routes[0].content.output.message_bytes`",
            ":11:70: error: routes[0].content.output.text_tokens: is less than 256 (control 4.1) => write something from 256 to 268435456",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    content: { output: { elsewhere: always } }",
        &[
            ":11:37: error: routes[0].content.output.elsewhere: `always` is not one of the words known here => write one of `judge`, `never`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    content: { output: { markup: escape } }",
        &[
            ":11:34: error: routes[0].content.output.markup: `escape` is not one of the words known here => write one of `off`, `report`, `neutralise`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    content: { spotlight: base64 }",
        &[
            ":11:27: error: routes[0].content.spotlight: `base64` is not one of the words known here => write one of `off`, `delimit`, `datamark`, `encode`",
        ],
    ),
];
