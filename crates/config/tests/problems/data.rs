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
];
