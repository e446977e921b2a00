//! What is wrong with what is said of arguments, fields and purposes.

use super::{Case, FINE, check, told};

/// Each text stands under `content` of the server; what is told of it begins with this.
fn cases(rows: &[(&str, &[&str])]) {
    for (content, expected) in rows {
        let after = format!("/mcp\n    content: {{ {content} }}");
        let text = FINE.replacen("/mcp", &after, 1);
        let told = told(&text);
        let told: Vec<_> = told
            .iter()
            .map(|line| {
                line.split_once("servers[0].content.")
                    .map_or(&**line, |(_, rest)| rest)
            })
            .collect();
        assert_eq!(&told, expected, "{text}");
    }
}

#[test]
fn what_parameters_mean() {
    const FIX: &str =
        "write a JSON Pointer such as `/path` or `/items/*/name`; `~0` is `~`, `~1` is `/`";
    cases(&[
        ("arguments: {}", &[]),
        (
            "arguments: { recognised: report, network: public, roots: [/srv] }",
            &[],
        ),
        (
            "arguments: { roots: [srv] }",
            &[
                "arguments.roots[0]: is not a directory (control 1.1) => write an absolute path without `.` and `..`, such as `/srv/data`",
            ],
        ),
        (
            "arguments: { recognised: ignore }",
            &[
                "arguments.recognised: values are not held against what their parameters seem to mean (control 1.1) => write `report`, or declare single parameters `text`",
            ],
        ),
        (
            "arguments: { tools: { t: { /a: { is: path, roots: [/srv] } } } }",
            &[],
        ),
        (
            "arguments: { tools: { 't*': { '/a/*': { is: url, hosts: ['*.example.com'], ports: [443], schemes: [https], network: private } } } }",
            &[],
        ),
        (
            "arguments: { tools: { t: { a: { is: text } } } }",
            &[&format!(
                "arguments.tools.t.a: is not a JSON Pointer => {FIX}"
            )],
        ),
        (
            "arguments: { tools: { t: { /a~2: { is: text } } } }",
            &[&format!(
                "arguments.tools.t[\"/a~2\"]: is not a JSON Pointer => {FIX}"
            )],
        ),
        (
            "arguments: { tools: { t: { /a: { is: url, roots: [/x] } } } }",
            &["arguments.tools.t[\"/a\"].roots: does not belong to `is: url` => remove the line"],
        ),
        (
            "arguments: { tools: { t: { /a: { is: path, roots: [x, /a/../b] } } } }",
            &[
                "arguments.tools.t[\"/a\"].roots[0]: is not a directory (control 1.1) => write an absolute path without `.` and `..`, such as `/srv/data`",
                "arguments.tools.t[\"/a\"].roots[1]: is not a directory (control 1.1) => write an absolute path without `.` and `..`, such as `/srv/data`",
            ],
        ),
        (
            "arguments: { tools: { t: { /a: { is: host, hosts: ['*'], ports: [70000] } } } }",
            &[
                "arguments.tools.t[\"/a\"].hosts[0]: is not a host => write a host without port, such as `example.com` or `*.example.com`",
                "arguments.tools.t[\"/a\"].ports[0]: is not a port => write a number from 1 to 65535",
            ],
        ),
        (
            "arguments: { schemas: { t: 'no' } }",
            &[
                "arguments.schemas.t: is no JSON Schema (control 1.1) => write a JSON Schema as JSON text: `'{\"properties\": {…}}'`",
            ],
        ),
    ]);
}

#[test]
fn what_prompts_and_resources_mean() {
    cases(&[
        (
            "arguments: { prompts: { 'p*': { /a: { is: path } } }, resources: { 'file://{+path}': { /path: { is: path, roots: [/srv] } }, 'https://{+rest}': { /uri: { is: url } }, 'notes://{+rest}': {} }, schema_files: { t: t.json } }",
            &[],
        ),
        (
            "arguments: { resources: { 'x://{a}': { /b: { is: path } } } }",
            &[
                "arguments.resources[\"x://{a}\"][\"/b\"]: is no variable of the URI (control 1.1) => write `/` and the name of a variable of the URI, such as `/path`, or `/uri` for all of it",
            ],
        ),
        (
            "arguments: { resources: { 'x://{a}{b}': {} } }",
            &[
                "arguments.resources[\"x://{a}{b}\"]: has two variables without a `/` between them (control 1.1) => write a URI with variables, such as `file://{+path}` or `repo://{owner}/{name}`",
            ],
        ),
        (
            "arguments: { schemas: { t: '{}' }, schema_files: { t: t.json } }",
            &[
                "arguments.schema_files.t: is there in `schemas` as well (control 1.1) => write the schema in one of the two places",
            ],
        ),
    ]);
}

#[test]
fn which_fields_go_on() {
    cases(&[
        (
            "minimise: { t: [{ arguments: { keep: [/a] }, results: { drop: [/b/*/c] }, other_text: keep }] }",
            &[],
        ),
        (
            "minimise: { t: [{ purposes: [support] }, {}] }, purpose: { is: support }",
            &[],
        ),
        ("purpose: { claim: purpose }", &[]),
        (
            "minimise: { t: [{}, { purposes: [support] }] }",
            &[
                "minimise.t[1]: counts for no call: the entry before is for any purpose (control P1) => put the entry for any purpose last",
            ],
        ),
        (
            "minimise: { t: [{ arguments: { keep: [a] } }] }",
            &[
                "minimise.t[0].arguments.keep[0]: is not a JSON Pointer => write a JSON Pointer such as `/path` or `/items/*/name`; `~0` is `~`, `~1` is `/`",
            ],
        ),
        (
            "minimise: { t: [{ arguments: { tokenise: { /a: personal.name } }, results: { tokenise: { '/b/*/c': secret.key } } }] }",
            &[],
        ),
        (
            "minimise: { t: [{ results: { drop: [/a], tokenise: { a: personal.name, /a: personal.name, /b: name } } }] }",
            &[
                "minimise.t[0].results.tokenise.a: is not a JSON Pointer => write a JSON Pointer such as `/path` or `/items/*/name`; `~0` is `~`, `~1` is `/`",
                "minimise.t[0].results.tokenise[\"/a\"]: does not go on at all: it is in `drop` (control P1) => write the field in one of the two lists",
                "minimise.t[0].results.tokenise[\"/b\"]: is not the name of a kind of data => write `secret.…` or `personal.…` as `ringwall rules list` has it",
            ],
        ),
        (
            "data: { reveal: [personal.email] }, minimise: { t: [{ arguments: { tokenise: { /a: personal.email } }, results: { tokenise: { /a: personal.email } } }] }",
            &[
                "minimise.t[0].arguments.tokenise[\"/a\"]: is for nothing: `personal.email` is turned back by `data.reveal` (control P1) => use a label of its own, such as `personal.customer`, or drop the field",
            ],
        ),
        (
            "purpose: { is: a, claim: b }",
            &[
                "purpose: needs one of `is` and `claim` (control P1) => write `is: support`, or `claim: purpose`",
            ],
        ),
        (
            "purpose: {}",
            &[
                "purpose: needs one of `is` and `claim` (control P1) => write `is: support`, or `claim: purpose`",
            ],
        ),
    ]);
}

#[test]
fn a_route_is_told_the_same() {
    const CASES: &[Case] = &[(
        "server: files\n",
        "server: files\n    content: { purpose: {} }\n",
        &[
            ":11:25: error: routes[0].content.purpose: needs one of `is` and `claim` (control P1) => write `is: support`, or `claim: purpose`",
        ],
    )];
    check(CASES);
}
