//! What nobody could prove, and approvals that nobody could give. Nothing here is read but by the
//! table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nstep_up: { mfa: { acr: [phr], acrs: c1, max_age: 5m }, fresh: { max_age: 30s } }\napprovals: { expires: 1h, per_user: 4, in_all: 10 }",
        &[],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nstep_up: { mfa: {} }",
        &[
            ":12:17: error: step_up.mfa: asks for nothing, so everybody would have shown it (control 2.4) => write `acr`, `acrs` or `max_age`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nstep_up: { 'a=b': { acr: ['two words'] } }",
        &[
            ":12:10: error: step_up.a=b: is not the name of a step-up (control 2.4) => write a name without `=` and `;`, which policies write in its place",
            ":12:10: error: step_up.a=b.acr[0]: is not a value of `acr` => write one word of printable characters, without spaces, quotes and backslashes",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nstep_up: { mfa: { max_age: 1s } }\napprovals: { expires: 1s, per_user: 0, in_all: 100000 }",
        &[
            ":12:28: error: step_up.mfa.max_age: is less than 30s (control 4.1) => write something from 30s to 24h",
            ":13:23: error: approvals.expires: is less than 1m (control 4.1) => write something from 1m to 24h",
            ":13:37: error: approvals.per_user: is less than 1 (control 4.1) => write something from 1 to 1000",
            ":13:48: error: approvals.in_all: is more than 10000 (control 4.1) => write something from 1 to 10000",
        ],
    ),
];
