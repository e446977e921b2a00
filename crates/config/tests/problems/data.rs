//! Secrets and personal data.

use super::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "routes:",
        "    content: { data: { secrets: { arguments: redact }, reveal: [personal.email] } }\nroutes:",
        &[],
    ),
    (
        "routes:",
        "    content: { data: { secrets: { arguments: delete } } }\nroutes:",
        &[
            ":8:46: error: servers[0].content.data.secrets.arguments: `delete` is not one of the words known here => write one of `refuse`, `redact`, `tokenise`, `report`, `ignore`",
        ],
    ),
    (
        "routes:",
        "    content: { data: { rules: { email: { answers: redact } } } }\nroutes:",
        &[
            ":8:40: error: servers[0].content.data.rules.email: is not the name of a kind of data => write `secret.…` or `personal.…` as `ringwall rules list` has it",
        ],
    ),
    (
        "routes:",
        "    content: { data: { reveal: [personal.] } }\nroutes:",
        &[
            ":8:33: error: servers[0].content.data.reveal[0]: is not the name of a kind of data => write `secret.…` or `personal.…` as `ringwall rules list` has it",
        ],
    ),
    (
        "routes:",
        "    content: { data: { packs: [{ file: '', key: k.pem }] } }\nroutes:",
        &[
            ":8:40: error: servers[0].content.data.packs[0].file: is not a path => write a path such as `tls/cert.pem`",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    content: { data: { secrets: { answers: ignore } } }",
        &[
            ":11:44: warning: routes[0].content.data.secrets.answers: secrets in answers reach the model, and nothing is written down about it (control 1.4) => write `report` to let them pass and see them, or remove the line to have them redacted",
        ],
    ),
];
