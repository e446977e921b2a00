//! What providers take away from what is enforced, and whose word counts.

use super::*;

/// A mode of a rule counts for whoever may speak of it, and for nobody else.
#[test]
fn n1_3_a_provider_counts_for_its_own_rules() {
    let shadows = "[{ use: shields, mode: shadow }, { use: safety, mode: shadow }]";
    let uses = "[{ use: shields }, { use: safety, on: [results] }]";
    let open = "\n  - name: open\n    http: { url: \"https://open.example.com/\", bearer: \"env:OPEN\" }\n";
    for (all, modes, is_asked) in [
        (shadows, "likeness.typosquat: enforce", false),
        (shadows, "poison.secrecy: enforce", false),
        (shadows, "anything: enforce", false),
        (shadows, "harm.blocklist: warn", true),
        (shadows, "injection: enforce", true),
        (
            "[{ use: open, mode: shadow }]",
            "likeness.typosquat: enforce",
            false,
        ),
        ("[{ use: open, mode: shadow }]", "anything: enforce", true),
        ("[{ use: open }]", "anything: shadow", true),
    ] {
        let text = STRICT.replace(uses, all).replace(
            "spotlight: delimit",
            &format!("spotlight: delimit\n      modes: {{ {modes} }}"),
        );
        let told = shortfalls(&of(&format!("{text}{open}")), controls::N1_3);
        let nobody = told.contains("nobody whose word counts is asked about arguments");
        assert_eq!(nobody, !is_asked, "{all} {modes}: {told}");
        for (it, word) in [
            (
                "open, mode: shadow",
                "what `open` suspects changes nothing (`mode: shadow`)",
            ),
            (
                "anything: shadow",
                "`anything` changes nothing (`content.modes.anything: shadow`)",
            ),
        ] {
            let is_said = format!("{all} {modes}").contains(it);
            assert_eq!(told.contains(word), is_said, "{all} {modes}: {told}");
        }
    }
}

#[test]
fn n9_3_a_detector_that_is_tried_out_beside_another_takes_nothing_away() {
    let (lists, none) = (", blocklists: [ours]", "");
    let allows = "\n    on_failure: allow";
    // What the other one has, how each is used, and whose silence lets messages through.
    for (of_other, safety, other, silent, word) in [
        (lists, "warn", "shadow", "", ""),
        (lists, "warn", "warn", "other", ""),
        (
            lists,
            "warn",
            "shadow",
            "safety",
            "`safety` said nothing of",
        ),
        (
            none,
            "shadow",
            "warn",
            "",
            "`safety` suspects by `harm.blocklist` changes nothing",
        ),
    ] {
        let name = |it: &str| {
            let silent = if silent == it { allows } else { "" };
            format!("name: {it}{silent}\n")
        };
        let uses = format!(
            "{{ use: safety, mode: {safety}, on: [results] }}, {{ use: other, mode: {other}, on: [results] }}]"
        );
        let text = STRICT
            .replace("{ use: safety, on: [results] }]", &uses)
            .replace("name: safety\n", &name("safety"));
        let other = format!(
            "  - {}    content_safety: {{ endpoint: \"https://other.example.com\", key: \"env:OTHER\"{of_other} }}\n",
            name("other")
        );
        let report = of(&format!("{}\n{other}", text.trim_end()));
        let line = line(&report, controls::N9_3);
        assert_eq!(line.status == Status::Enforced, word.is_empty(), "{line:?}");
        let told = shortfalls(&report, controls::N9_3);
        assert!(told.contains(word), "{safety} {silent}: {told}");
    }
}
