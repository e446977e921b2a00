//! Numbers outside their bounds. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { depth: 0, members: 1, connections: 0 }",
        &[
            ":12:18: error: limits.depth: is less than 8 (control 4.1) => write something from 8 to 128",
            ":12:30: error: limits.members: is less than 16 (control 4.1) => write something from 16 to 65536",
            ":12:46: error: limits.connections: is less than 1 (control 4.1) => write something from 1 to 65536",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { depth: 1000, members: 100000, connections: 99999999999 }",
        &[
            ":12:18: error: limits.depth: is more than 128 (control 4.1) => write something from 8 to 128",
            ":12:33: error: limits.members: is more than 65536 (control 4.1) => write something from 16 to 65536",
            ":12:54: error: limits.connections: is more than 65536 (control 4.1) => write something from 1 to 65536",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { request_bytes: 10, answer_bytes: 1TiB, header_bytes: 4MB }",
        &[
            ":12:26: error: limits.request_bytes: is less than 1KiB (control 4.1) => write something from 1KiB to 64MiB",
            ":12:44: error: limits.answer_bytes: is not a size => write a whole number and a unit: `512B`, `16KiB`, `4MiB` or `1GiB`",
            ":12:64: error: limits.header_bytes: is not a size => write a whole number and a unit: `512B`, `16KiB`, `4MiB` or `1GiB`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { request_bytes: 65MiB, answer_bytes: 257MiB, header_bytes: 65KiB }",
        &[
            ":12:26: error: limits.request_bytes: is more than 64MiB (control 4.1) => write something from 1KiB to 64MiB",
            ":12:47: error: limits.answer_bytes: is more than 256MiB (control 4.1) => write something from 1KiB to 256MiB",
            ":12:69: error: limits.header_bytes: is more than 64KiB (control 4.1) => write something from 8KiB to 64KiB",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { header_time: 0s, body_time: 11m }",
        &[
            ":12:24: error: limits.header_time: is less than 1s (control 4.1) => write something from 1s to 1m",
            ":12:39: error: limits.body_time: is more than 10m (control 4.1) => write something from 1s to 10m",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nlimits: { user: { rate: 200000/s }, session: { rate: 5 }, source: { burst: 1000001 } }",
        &[
            ":12:25: error: limits.user.rate: is more than 100000/s (control 4.1) => write something from 1/h to 100000/s",
            ":12:54: error: limits.session.rate: is not a rate => write how many in which time: `50/s`, `600/m` or `100/h`",
            ":12:76: error: limits.source.burst: is more than 1000000 (control 4.1) => write something from 1 to 1000000",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\nledger: { key: hunter2, segment_bytes: 1KiB, interval: 1ms, checkpoint_records: 0 }",
        &[
            ":12:16: error: ledger.key: holds a literal value where only a reference to a secret may stand (control 6.3) => keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that was ever written here known to others, and replace it",
            ":12:40: error: ledger.segment_bytes: is less than 1MiB (control 4.1) => write something from 1MiB to 4GiB",
            ":12:56: error: ledger.interval: is less than 10ms (control 4.1) => write something from 10ms to 1m",
            ":12:81: error: ledger.checkpoint_records: is less than 1 (control 4.1) => write something from 1 to 1000000",
        ],
    ),
];
