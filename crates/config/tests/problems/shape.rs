//! What does not have the shape of the format: unknown and missing names, wrong kinds, broken YAML. Nothing here is read but by the table's test.

use crate::Case;

pub(crate) const CASES: &[Case] = &[
    (
        "version: 1",
        "version: 2",
        &[
            ":1:10: error: version: version 2 of the format is not known to this release => write `version: 1`, or use the release it was written for",
        ],
    ),
    (
        "version: 1",
        "version: one",
        &[
            ":1:10: error: version: is not a version of the format => write `version: 1`, or use the release it was written for",
        ],
    ),
    (
        "version: 1",
        "# none",
        &[":2:1: error: version: is missing => add `version`: The version of this format"],
    ),
    (
        "version: 1",
        "version:",
        &[
            ":1:8: error: version: is not a version of the format => write `version: 1`, or use the release it was written for",
        ],
    ),
    (
        "issuers:",
        "isuers:",
        &[":2:1: error: isuers: `isuers` is not a setting here => did you mean `issuers`?"],
    ),
    (
        "policies:",
        "Policies:",
        &[":11:1: error: Policies: `Policies` is not a setting here => did you mean `policies`?"],
    ),
    (
        "    server: files",
        "    sever: files",
        &[":10:5: error: routes[0].sever: `sever` is not a setting here => did you mean `server`?"],
    ),
    (
        "      url: https",
        "      uri: https",
        &[
            ":7:7: error: servers[0].http.uri: `uri` is not a setting here => did you mean `url`?",
            ":7:7: error: servers[0].http.url: is missing => add `url`: Its MCP endpoint",
        ],
    ),
    (
        "    http:\n      url: https://files.example.com/mcp",
        "    url: https://files.example.com/mcp",
        &[":6:5: error: servers[0].url: `url` is not a setting here => `url` belongs under `http`"],
    ),
    (
        "    http:\n      url: https://files.example.com/mcp",
        "    http: https://files.example.com/mcp",
        &[
            ":6:11: error: servers[0].http: must be names with values, not text => write `name: value` lines below it, indented",
        ],
    ),
    (
        "    http:",
        "    pins: aproval\n    http:",
        &[
            ":6:11: error: servers[0].pins: `aproval` is not one of the words known here => did you mean `approval`? it must be one of `approval`, `first_use`",
        ],
    ),
    (
        "    http:",
        "    pins: [approval]\n    http:",
        &[":6:11: error: servers[0].pins: must be a word => write one of `approval`, `first_use`"],
    ),
    (
        "    http:",
        "    hidden_text: drop\n    http:",
        &[
            ":6:18: error: servers[0].hidden_text: `drop` is not one of the words known here => write one of `remove`, `refuse`, `report`",
        ],
    ),
    (
        "    http:",
        "    labels: finance\n    http:",
        &[
            ":6:13: error: servers[0].labels: must be a list, not text => write `[one, two]`, or one entry a line with `- ` before it",
        ],
    ),
    (
        "    http:",
        "    labels:\n    http:",
        &[
            ":6:11: error: servers[0].labels: has no value => give it a value, or remove the line for the default",
        ],
    ),
    (
        "    http:",
        "    labels: [a, {b: c}]\n    http:",
        &[
            ":6:17: error: servers[0].labels[1]: must be one value, not names with values => write a single value after the colon",
        ],
    ),
    (
        "    http:",
        "    database: x\n    http:",
        &[
            ":6:5: error: servers[0].database: `database` is not a setting here => known here are `name`, `http`, `sse`, `stdio`, `era`, `pins`, `accept_drift`, `schema`, `hidden_text`, `content`, `timeout`, `labels`, `tools`",
        ],
    ),
    (
        "routes:\n  - path: /files\n    server: files",
        "routes:\n  path: /files",
        &[
            ":9:3: error: routes: must be a list, not names with values => write `[one, two]`, or one entry a line with `- ` before it",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "limits: { depth: deep }",
        &[":11:18: error: limits.depth: must be a whole number, not text => write digits only"],
    ),
    (
        "policies: [p/*.cedar]",
        "limits: { depth: -1 }",
        &[
            ":11:18: error: limits.depth: must be a whole number, not a number with a sign or a fraction => write digits only",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "limits: { depth: 6.5 }",
        &[
            ":11:18: error: limits.depth: must be a whole number, not a number with a sign or a fraction => write digits only",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "limits: { user: { per_second: 5 } }",
        &[
            ":11:19: error: limits.user.per_second: `per_second` is not a setting here => known here are `rate`, `burst`, `concurrent`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "limits: { tol: { rate: 5/s } }\nlog: { level: loud }",
        &[
            ":11:11: error: limits.tol: `tol` is not a setting here => did you mean `tool`?",
            ":12:15: error: log.level: `loud` is not one of the words known here => write one of `error`, `warn`, `info`, `debug`, `trace`",
        ],
    ),
    (
        "  - issuer: https://id.example.com",
        "  - issuer: https://id.example.com\n    algorithms: [HS256]",
        &[
            ":4:18: error: issuers[0].algorithms[0]: `HS256` is not one of the words known here => did you mean `ES256`? it must be one of `ES256`, `EdDSA`, `PS256`, `RS256`",
        ],
    ),
    (
        "  - issuer: https://id.example.com",
        "  - issuer: https://id.example.com\n    algorithms: [none]",
        &[
            ":4:18: error: issuers[0].algorithms[0]: `none` is not one of the words known here => write one of `ES256`, `EdDSA`, `PS256`, `RS256`",
        ],
    ),
    (
        "  - issuer: https://id.example.com",
        "  - {}",
        &[
            ":3:5: error: issuers[0].issuer: is missing => add `issuer`: The issuer's identifier, byte for byte as its tokens and its metadata name it",
        ],
    ),
    (
        "    server: files",
        "    server: files\n    server: other",
        &[":11:5: error: `server` is written twice => keep one of them"],
    ),
    (
        "    server: files",
        "   server: files",
        &[
            ":10:4: error: while parsing a block collection, did not find expected '-' indicator => look at quotes, brackets and indentation at this place",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar",
        &[
            ":11:11: error: unclosed bracket '[' => look at quotes, brackets and indentation at this place",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: [p/*.cedar]\n---\nversion: 1",
        &[":12:1: error: there is more than one document => keep one: remove the `---` line"],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: &a [*a]",
        &[":11:15: error: an anchor refers to itself => write the value out"],
    ),
    (
        "policies: [p/*.cedar]",
        "policies: *gone",
        &[
            ":11:11: error: `*` refers to an anchor that is not there => put quotes around text that begins with `*`",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "<<: { data: x }",
        &[
            ":11:1: error: `<<` is not read here => write the settings out: what `<<` brings in is easily overlooked",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "data: !!binary aGk=",
        &[
            ":11:16: error: a value carries a tag, and tags are not read here => remove the `!` and the word after it, or put quotes around all of it",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "data: !ours x",
        &[
            ":11:13: error: unsupported tag `!ours` => look at quotes, brackets and indentation at this place",
        ],
    ),
    (
        "policies: [p/*.cedar]",
        "data: \"a\n  b",
        &[":11:7: error: unclosed quote => look at quotes, brackets and indentation at this place"],
    ),
];
