//! The report against configurations that differ in one setting each.

mod providers;

use super::rows::{Judge, ROWS};
use super::{Line, Report, Status, catalog, report};
use config::settled::Settled;
use controls::Control;
use policy::{Policies, Source};
use std::collections::HashSet;
use std::path::Path;

/// A configuration in which nothing is weaker than it could be.
const STRICT: &str = r#"
version: 1
public_url: https://mcp.example.com
listeners:
  - address: 0.0.0.0:443
    tls: { certificate: /etc/chain.pem, key: "file:/etc/key.pem" }
issuers:
  - issuer: https://login.example.com
servers:
  - name: files
    http: { url: "https://files.example.com/mcp", credential: "env:FILES" }
    content:
      providers: [{ use: shields }, { use: safety, on: [results] }]
      arguments: { roots: [/srv/data], network: public }
      data: { personal: { answers: redact } }
      output: { markup: neutralise, links: neutralise, repetition: cut, emptiness: cut }
      spotlight: delimit
      minimise: { "*": [{ results: { drop: [/internal] } }] }
routes:
  - path: /files
    server: files
policies: [policy.cedar]
providers:
  - name: shields
    prompt_shields: { endpoint: "https://shields.example.com", key: "env:SHIELDS" }
  - name: safety
    content_safety: { endpoint: "https://safety.example.com", key: "env:SAFETY", blocklists: [ours] }
"#;

const CAREFUL: &str = r#"permit (principal in Ringwall::Group::"https://login.example.com#staff", action, resource);"#;

fn settled(text: &str) -> Settled {
    match config::load(text) {
        Ok((settled, _)) => settled,
        Err(problems) => panic!("{problems:?}\n{text}"),
    }
}

fn policies(settled: &Settled, text: &str) -> Policies {
    let source = Source {
        name: "policy.cedar".into(),
        text: text.into(),
    };
    Policies::compile(&[source], &catalog(settled)).unwrap()
}

fn of(text: &str) -> Report {
    let settled = settled(text);
    report(&settled, Some(&policies(&settled, CAREFUL)), None)
}

fn line(report: &Report, control: Control) -> &Line {
    report
        .controls
        .iter()
        .find(|line| line.control == control)
        .unwrap()
}

fn shortfalls(report: &Report, control: Control) -> String {
    line(report, control).status.shortfalls().join("\n")
}

#[test]
fn every_control_has_one_row_in_the_order_of_the_catalogue() {
    let rows: Vec<Control> = ROWS.iter().map(|row| row.control).collect();
    assert_eq!(rows, Control::all().collect::<Vec<_>>());
    assert!(ROWS.iter().all(|row| !row.why.is_empty()));
}

/// Every setting that weakens a control, and the words that then appear in its row.
#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn a_weaker_setting_shows_in_its_row() {
    let server = "http: { url: \"https://files.example.com/mcp\", credential: \"env:FILES\" }";
    let stdio = "stdio: { command: [server], directory: /srv, confinement: none }";
    let issuer = "issuer: https://login.example.com";
    let route = "    server: files";
    let tls = "  - address: 0.0.0.0:443\n    tls: { certificate: /etc/chain.pem, key: \"file:/etc/key.pem\" }";
    let plain = "  - address: 127.0.0.1:7400";
    let provider = "  - name: shields";
    let uses = "use: shields";
    let more = |line: &str, more: &str| format!("{line}\n    {more}");
    for (control, from, to, word) in [
        (
            controls::N1_1,
            server,
            more(server, "hidden_text: report"),
            "hidden_text: report",
        ),
        (
            controls::N1_2,
            server,
            more(server, "schema: declared"),
            "schema: declared",
        ),
        (
            controls::N1_4,
            server,
            more(server, "hidden_text: report"),
            "hidden_text: report",
        ),
        (
            controls::N2_1,
            issuer,
            "issuer: http://127.0.0.1:7401\n    network: private".to_owned(),
            "unencrypted",
        ),
        (
            controls::N2_3,
            issuer,
            more(issuer, "lifetime_max: 24h"),
            "24.0 h",
        ),
        (
            controls::N3_1,
            tls,
            plain.to_owned(),
            "plaintext on loopback `127.0.0.1:7400`",
        ),
        (
            controls::N3_4,
            route,
            more(route, "protocol: { minimum: \"2024-11-05\" }"),
            "back to 2024-11-05",
        ),
        (
            controls::N4_3,
            server,
            stdio.to_owned(),
            "memory and processor",
        ),
        (
            controls::N5_1,
            route,
            more(route, "ledger: { durability: interval }"),
            "durability: interval",
        ),
        (
            controls::N5_3,
            route,
            more(route, "ledger: { keep: [arguments] }"),
            "arguments are kept",
        ),
        (
            controls::N9_2,
            server,
            more(server, "pins: first_use"),
            "pins: first_use",
        ),
        (
            controls::N9_2,
            server,
            more(server, "accept_drift: low"),
            "accept_drift: low",
        ),
        (
            controls::N9_3,
            server,
            more(server, "hidden_text: report"),
            "hidden_text: report",
        ),
        (
            controls::N1_3,
            provider,
            more(provider, "on_failure: allow"),
            "on_failure: allow",
        ),
        (
            controls::N1_3,
            uses,
            "use: shields, mode: shadow".to_owned(),
            "mode: shadow",
        ),
        (
            controls::N10_1,
            server,
            stdio.to_owned(),
            "confinement: none",
        ),
        (
            controls::N10_2,
            server,
            stdio.to_owned(),
            "an account of its own",
        ),
        (
            controls::N10_3,
            server,
            stdio.to_owned(),
            "confinement: none",
        ),
    ] {
        let public = if to == plain {
            ("https://mcp.example.com", "http://127.0.0.1:7400")
        } else {
            ("", "")
        };
        shows(control, &[(from, &to), public], word);
    }
}

/// Checks that these changes take from a strict configuration what the row of the control then says.
fn shows(control: Control, changes: &[(&str, &str)], word: &str) {
    let mut weaker = STRICT.to_owned();
    for (from, to) in changes {
        assert!(weaker.contains(from), "{control}: there is no `{from}`");
        weaker = weaker.replace(from, to);
    }
    let (before, after) = (of(STRICT), of(&weaker));
    assert!(
        !shortfalls(&before, control).contains(word),
        "{control}: `{word}` is there without the setting"
    );
    assert!(
        shortfalls(&after, control).contains(word),
        "{control}: `{word}` is not in {:?}",
        line(&after, control).status
    );
    assert_ne!(line(&before, control).status, line(&after, control).status);
}

/// What the content of messages may be weakened by: what stands in the place of what, and what is then
/// said, by the row of each of these controls.
#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn weaker_content_shows_in_each_row_that_it_weakens() {
    use controls::{N1_1, N1_3, N1_4, N9_1, N9_2, N9_3, N9_4, P1};
    let personal = "personal: { answers: redact }";
    let arguments = "arguments: { roots: [/srv/data], network: public }";
    let spotlight = "spotlight: delimit";
    let uses = "[{ use: shields }, { use: safety, on: [results] }]";
    let minimise = "\"*\": [{ results: { drop: [/internal] } }]";
    let more = |line: &str, more: &str| format!("{line}\n      {more}");
    let (declared, unfit) = (
        "arguments: { roots: [/srv/data], network: public, tools: { \"get_*\": { /at: { is: url, otherwise: report } } } }",
        "`/at` of `get_*` passes where it is no url",
    );
    let safety = "name: safety";
    let failing = "name: safety\n    on_failure: allow";
    let cases: &[(&[Control], &str, &str, &str)] = &[
        // Arguments.
        (
            &[N1_1],
            arguments,
            &arguments.replace("roots", "recognised: report, roots"),
            "recognised: report",
        ),
        (
            &[N1_1],
            arguments,
            &arguments.replace("roots", "recognised: ignore, roots"),
            "recognised: ignore",
        ),
        (&[N1_1], "roots: [/srv/data], ", "", "names no directory"),
        (
            &[N1_1],
            ", network: public }\n      data",
            " }\n      data",
            "network: private",
        ),
        (&[N1_1], arguments, declared, unfit),
        (
            &[N1_1],
            arguments,
            &declared.replace("tools", "prompts"),
            "of `get_*` passes where it is no url (`content.arguments.prompts`",
        ),
        (
            &[N1_1],
            arguments,
            &declared.replace("tools: { \"get_*\"", "resources: { \"a://{at}\""),
            "of `a://{at}` passes where it is no url (`content.arguments.resources`",
        ),
        (
            &[N1_1],
            personal,
            "secrets: { arguments: ignore }, personal: { answers: redact }",
            "secrets in arguments pass (`content.data.secrets.arguments: ignore`)",
        ),
        (
            &[N1_1],
            personal,
            "rules: { secret.jwt: { arguments: report } }, personal: { answers: redact }",
            "`secret.jwt` in arguments passes",
        ),
        // Answers.
        (
            &[N1_4, N9_3],
            personal,
            "secrets: { answers: report }, personal: { answers: redact }",
            "secrets in answers pass (`content.data.secrets.answers: report`)",
        ),
        (
            &[N1_4, N9_3],
            personal,
            "rules: { secret.github_token: { answers: ignore } }, personal: { answers: redact }",
            "`secret.github_token` in answers passes (`content.data.rules.secret.github_token.answers: ignore`)",
        ),
        (
            &[N1_4, N9_3],
            personal,
            "rules: { personal.iban: { answers: ignore } }, personal: { answers: redact }",
            "`personal.iban` in answers passes",
        ),
        (
            &[N1_4, N9_3],
            personal,
            "",
            "content.data.personal.answers: report",
        ),
        (
            &[N1_4, N9_3],
            personal,
            "personal: { answers: ignore }",
            "content.data.personal.answers: ignore",
        ),
        (
            &[N1_4],
            "markup: neutralise",
            "markup: report",
            "content.output.markup: report",
        ),
        (
            &[N1_4, N9_3],
            "links: neutralise",
            "links: \"off\"",
            "content.output.links: off",
        ),
        (
            &[N1_4, N9_3],
            "links: neutralise",
            "links: neutralise, images: report",
            "content.output.images: report",
        ),
        (
            &[N9_4],
            "repetition: cut",
            "repetition: report",
            "content.output.repetition: report",
        ),
        (
            &[N9_4],
            "emptiness: cut",
            "emptiness: \"off\"",
            "content.output.emptiness: off",
        ),
        (
            &[N9_1, N9_4],
            spotlight,
            "spotlight: \"off\"",
            "content.spotlight: off",
        ),
        // Definitions.
        (
            &[N9_2],
            spotlight,
            &more(spotlight, "modes: { poison.secrecy: shadow }"),
            "content.modes.poison.secrecy: shadow",
        ),
        (
            &[N9_2],
            spotlight,
            &more(spotlight, "modes: { likeness.shadowed_name: warn }"),
            "content.modes.likeness.shadowed_name: warn",
        ),
        (
            &[N9_2],
            "url: \"https://files.example.com/mcp\"",
            "url: \"https://mcp.notlon.com/mcp\"",
            "may be taken for the well-known",
        ),
        // Providers.
        (
            &[N1_3],
            uses,
            "[{ use: shields, mode: shadow }, { use: safety }]",
            "`shields` suspects by `injection` changes nothing (`mode: shadow`)",
        ),
        (
            &[N1_3],
            spotlight,
            &more(spotlight, "modes: { injection: shadow }"),
            "`injection` changes nothing (`content.modes.injection: shadow`)",
        ),
        (
            &[N1_3],
            uses,
            "[{ use: shields, on: [notices] }, { use: safety, on: [results] }]",
            "asked about arguments",
        ),
        (
            &[N1_3],
            uses,
            "[]",
            "nobody is asked what they think of text",
        ),
        (
            &[N1_3],
            uses,
            "[{ use: shields, on: [arguments] }, { use: safety, on: [notices] }]",
            "asked about answers",
        ),
        (
            &[N1_3, N9_3],
            safety,
            failing,
            "messages go on that `safety` said nothing of",
        ),
        (
            &[N9_3],
            uses,
            "[{ use: shields }, { use: safety, mode: shadow }]",
            "`safety` suspects by `harm.hate` changes nothing (`mode: shadow`)",
        ),
        (
            &[N9_3],
            spotlight,
            &more(spotlight, "modes: { harm.violence: shadow }"),
            "`harm.violence` changes nothing (`content.modes.harm.violence: shadow`)",
        ),
        (
            &[N9_3],
            uses,
            "[{ use: shields }, { use: safety, on: [arguments] }]",
            "categories of harm",
        ),
        (
            &[N9_3],
            ", blocklists: [ours]",
            "",
            "blocklists of one's own",
        ),
        // Fields.
        (&[P1], minimise, "", "`content.minimise` is not said"),
        (&[P1], minimise, "\"*\": [{}]", "lets every field go on"),
        (
            &[P1],
            minimise,
            "\"*\": [{ results: { keep: [\"/*\"] } }]",
            "lets every field go on",
        ),
        (
            &[P1],
            minimise,
            "\"*\": [{ purposes: [audit] }]",
            "lets every field go on",
        ),
        (
            &[P1],
            minimise,
            "find: [{ results: { keep: [/id] } }]",
            "tools other than `find` pass whole",
        ),
        (
            &[P1],
            minimise,
            "\"fi*\": [{ arguments: { drop: [/x] } }], note: [{ results: { keep: [] } }]",
            "tools other than `note`, `fi*` pass whole",
        ),
        (
            &[P1],
            minimise,
            "\"*\": [{ results: { drop: [/internal] } }], find: [{}]",
            "every field of `find` goes on",
        ),
        (
            &[P1],
            minimise,
            "\"*\": [{ purposes: [a], results: { keep: [/id] } }, {}], find: [{ results: { keep: [/id] } }]",
            "every field of `*` goes on",
        ),
    ];
    for (controls, from, to, word) in cases {
        for control in *controls {
            shows(*control, &[(from, to)], word);
        }
    }
    // What is strict in the same places is enforced.
    let kept = declared.replace(", otherwise: report", "");
    for (control, from, to) in [
        (N1_1, arguments, &*kept),
        // What names a person may reach a server.
        (
            N1_1,
            personal,
            "rules: { personal.iban: { arguments: ignore } }, personal: { answers: redact }",
        ),
        (
            N1_1,
            personal,
            "rules: { secret.jwt: { arguments: redact } }, personal: { answers: tokenise }",
        ),
        (
            N9_2,
            spotlight,
            &*more(
                spotlight,
                "modes: { poison.secrecy: enforce, likeness.same_words: shadow, likeness.typosquat: shadow }",
            ),
        ),
        (
            N9_3,
            uses,
            "[{ use: shields }, { use: safety, mode: enforce }]",
        ),
        (
            P1,
            minimise,
            "\"*\": [{ purposes: [audit] }, { arguments: { drop: [/x] } }], find: [{ results: { tokenise: { /mail: personal.email } } }]",
        ),
    ] {
        assert!(STRICT.contains(from), "{control}: there is no `{from}`");
        let report = of(&STRICT.replace(from, to));
        assert_eq!(line(&report, control).status, Status::Enforced, "{control}");
    }
}

#[test]
fn strict_settings_enforce_what_is_whole() {
    let report = of(STRICT);
    for control in [
        controls::M1,
        controls::M2,
        controls::M4,
        controls::N1_1,
        controls::N1_2,
        controls::N1_4,
        controls::N3_1,
        controls::N5_1,
        controls::N7_1,
        controls::N7_2,
        controls::N8_1,
        controls::N8_2,
        controls::N9_2,
        controls::N9_3,
        controls::P1,
    ] {
        let line = line(&report, control);
        assert_eq!(line.status, Status::Enforced, "{control}");
        assert!(!line.tests.is_empty(), "{control}");
    }
    for control in [controls::N6_1, controls::N10_1, controls::IR1] {
        assert_eq!(line(&report, control).status, Status::NotBuilt, "{control}");
    }
    let counts = report.counts;
    assert_eq!(
        counts.enforced + counts.partial + counts.off + counts.not_built,
        controls::ALL.len()
    );
}

#[test]
fn what_nothing_shows_is_never_enforced() {
    for line in of(STRICT)
        .controls
        .iter()
        .filter(|line| line.status == Status::Enforced)
    {
        assert!(!line.tests.is_empty(), "{}", line.control);
    }
}

#[test]
fn a_wrapped_server_asks_for_no_token_and_says_so() {
    let (settled, _) = config::wrap::around(&["server".to_owned()], "/data", &[]).unwrap();
    let report = report(&settled, None, None);
    for control in [controls::M1, controls::M2, controls::N3_1, controls::N7_2] {
        let Status::Off { setting } = &line(&report, control).status else {
            panic!("{control}")
        };
        assert!(setting.contains("ringwall wrap"), "{setting}");
    }
    assert!(matches!(
        line(&report, controls::N10_1).status,
        Status::Off { .. }
    ));
    assert!(shortfalls(&report, controls::N2_2).contains("not looked at"));
}

#[test]
fn a_policy_that_lets_everybody_do_everything_shows() {
    let settled = settled(STRICT);
    for (text, word) in [
        (
            "@id(\"open\") permit (principal, action, resource);",
            "keeps back (policy `open`)",
        ),
        (CAREFUL, ""),
        (
            "@id(\"open\") permit (principal, action, resource); @id(\"shut\") forbid (principal, action, resource);",
            "",
        ),
    ] {
        let report = report(&settled, Some(&policies(&settled, text)), None);
        let told = shortfalls(&report, controls::N2_2);
        assert_eq!(
            told.contains("every caller may call"),
            !word.is_empty(),
            "{told}"
        );
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn routes_that_differ_are_named() {
    let clock = "  - name: clock\n    stdio: { command: [clock], directory: /srv, confinement: none }\nroutes:\n  - path: /clock\n    server: clock\n";
    let report = of(&STRICT.replace("routes:\n", clock));
    // Nothing confines anything on either route: that is no part of a control.
    let confinement = line(&report, controls::N10_1);
    assert_eq!(
        confinement.status,
        Status::off("`confinement: none` of server `clock`")
    );
    assert_eq!(confinement.routes.len(), 2);
    let network = shortfalls(&report, controls::N10_3);
    assert!(
        network.contains("`/clock`: off by `confinement: none`"),
        "{network}"
    );
    assert!(
        network.contains("`/files`: the network of a server that runs elsewhere"),
        "{network}"
    );
    let quotas = shortfalls(&report, controls::N4_3);
    assert!(
        quotas.contains("budgets of model tokens\n`/clock`: limits of memory"),
        "{quotas}"
    );
}

#[test]
fn reads_as_json_with_one_word_per_status() {
    let json = serde_json::to_value(of(STRICT)).unwrap();
    assert_eq!(json["controls"][0]["control"], "M1");
    assert_eq!(json["controls"][0]["status"], "enforced");
    assert_eq!(json["controls"][0]["routes"][0]["route"], "/files");
    let partial = json["controls"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["control"] == "4.1")
        .unwrap();
    assert_eq!(partial["status"], "partial");
    assert!(
        partial["missing"]
            .as_array()
            .is_some_and(|missing| !missing.is_empty())
    );
}

/// A control that a stage says it ran on a call cannot be one of which nothing is built.
#[test]
fn what_the_stages_run_is_built() {
    let stages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stages");
    let mut ran = HashSet::new();
    each_source(&stages, &mut |text| {
        for rest in text.split("draft.ran(controls::").skip(1) {
            ran.insert(
                rest.split(')')
                    .next()
                    .unwrap()
                    .trim_start_matches('N')
                    .replace('_', "."),
            );
        }
    });
    assert!(ran.len() > 8, "{ran:?}");
    for row in ROWS.iter().filter(|row| ran.contains(row.control.id())) {
        assert!(
            !matches!(row.judge, Judge::Absent),
            "{} runs and is called absent",
            row.control
        );
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut known = HashSet::new();
    each_source(root, &mut |text| {
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") && line.contains("test") {
                attributed = true;
            } else if let Some(rest) = line.split("fn ").nth(1).filter(|_| attributed) {
                known.insert(rest.split('(').next().unwrap().to_owned());
                attributed = false;
            }
        }
    });
    let named = ROWS
        .iter()
        .flat_map(|row| row.tests.iter().map(move |test| (row.control, *test)));
    let gone: Vec<_> = named.filter(|(_, test)| !known.contains(*test)).collect();
    assert!(
        gone.is_empty(),
        "named in the posture report and not in the tree: {gone:?}"
    );
}

fn each_source(folder: &Path, visit: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir()
            && path
                .file_name()
                .is_some_and(|name| name != "target" && name != "node_modules")
        {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            visit(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
