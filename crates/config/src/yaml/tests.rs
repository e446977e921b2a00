//! What a hostile or broken text may cost, and that it is told and never panics.

use super::*;
use proptest::prelude::*;

fn message(text: &str) -> String {
    let problems = read(text).expect_err("refused");
    problems.iter().map(|it| format!("{it}\n")).collect()
}

/// Each line uses the line above it ten times.
fn bomb(lines: usize) -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for line in 1..lines {
        let uses = vec![format!("*a{}", line - 1); 10].join(", ");
        text.push_str(&format!("a{line}: &a{line} [{uses}]\n"));
    }
    text
}

#[test]
fn n4_4_a_text_costs_no_more_than_its_budget() {
    let deep = |depth: usize| {
        format!(
            "version: 1\nservers: {}{}\n",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let block =
        |depth: usize| -> String { (0..depth).map(|it| format!("{:it$}a:\n", "")).collect() };
    let anchors: String = (0..300).map(|it| format!("a{it}: &a{it} 1\n")).collect();
    let many = format!("policies: [{}]\n", "a,".repeat(60_000));
    let used = format!("a: &a 1\nb: [{}]\n", "*a,".repeat(300));
    for (text, expected) in [
        (bomb(10), "more values than any configuration"),
        (deep(17), "deeper than any configuration"),
        (deep(100_000), "deeper than any configuration"),
        (block(17), "deeper than any configuration"),
        (anchors, "too many anchors"),
        (used, "too often"),
        (many, "more values than any configuration"),
        (
            "x".repeat(bounds::FILE_BYTES + 1),
            "the file has 1048577 bytes",
        ),
    ] {
        let told = message(&text);
        let start: String = text.chars().take(40).collect();
        assert!(told.contains(expected), "{start}: {told}");
        assert!(told.len() < 2_000, "{start}: {told}");
    }
}

#[test]
fn the_deepest_setting_fits_into_the_budget() {
    let text = "a: {b: {c: {d: {e: {f: {g: 1}}}}}}";
    assert!(message(text).contains("is not a setting here"));
}

#[test]
fn a_tag_is_refused_where_it_stands() {
    // `!!binary` would let a command stand in the file in a form nobody reads.
    let text = "version: 1\nservers:\n  - name: !!binary ZmlsZXM=\n";
    let problems = read(text).expect_err("refused");
    let tag = problems
        .iter()
        .find(|it| it.message.contains("tag"))
        .expect("told");
    assert_eq!((tag.line, tag.column), (3, 20));
}

#[test]
fn a_scalar_is_its_own_text() {
    let text = "version: 1\nroutes: []\nservers:\n  - name: 007\n    stdio:\n      command: [sleep, 010, 1.50, yes, 0x1F, '5']\n      environment: { A: on, B: 1e3, C: '' }\n";
    let config = read(text).unwrap_or_else(|it| panic!("{it:?}"));
    let server = &config.servers[0];
    assert_eq!(server.name, "007");
    let stdio = server.stdio.as_ref().expect("there");
    assert_eq!(stdio.command, ["sleep", "010", "1.50", "yes", "0x1F", "5"]);
    let values: Vec<_> = stdio.environment.values().map(|it| it.as_str()).collect();
    assert_eq!(values, ["on", "1e3", ""]);
}

#[test]
fn anchors_and_byte_order_marks_are_read() {
    let text = "\u{feff}version: 1\nservers: []\nroutes: []\nlimits:\n  user: &few { rate: 1/s }\n  tool: *few\n";
    let config = read(text).unwrap_or_else(|it| panic!("{it:?}"));
    let tool = config.limits.tool.and_then(|it| it.rate).expect("there");
    assert_eq!(tool.as_str(), "1/s");
}

#[test]
fn n6_3_nothing_that_might_be_a_secret_is_printed_for_debugging() {
    let text = "version: 1\nroutes: []\nservers:\n  - name: a\n    http: { url: 'https://a', credential: hunter2 }\n    stdio: { command: [x], environment: { A: hunter2 } }\n";
    let config = read(text).unwrap_or_else(|it| panic!("{it:?}"));
    assert!(!format!("{config:?}").contains("hunter2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_panics_on_arbitrary_text(text in "\\PC{0,200}|[\0-\u{7f}]{0,200}|[-:{}\\[\\]&*!|>'\"%@`,#? \na0]{0,200}") {
        let _ = crate::load(&text);
    }

    #[test]
    fn never_panics_on_a_changed_configuration(at in 0usize..400, cut in 0usize..40, put in "\\PC{0,12}|[-:{}\\[\\]&*!|>'\"%@`,#? \n]{0,6}") {
        let fine = include_str!("../../../../examples/demo/ringwall.yaml");
        let chars: Vec<char> = fine.chars().collect();
        let at = at * chars.len() / 400;
        let end = (at + cut).min(chars.len());
        let text: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[end..].iter().copied()).collect();
        if let Err(problems) = crate::load(&text) {
            for problem in problems {
                prop_assert!(!problem.message.contains('\n') && !problem.fix.contains('\n'), "{problem}");
                prop_assert!(problem.message.len() < 400, "{problem}");
            }
        }
    }
}
