//! Files of cases: a list of cases, or cases with descriptions of tools that nobody approved yet.

use anyhow::Context;
use policy::ToolEntry;
use policy::cases::Case;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use std::path::Path;

/// The cases of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Suite {
    /// Tools the cases are about, where no approved definition is there.
    #[serde(default)]
    pub(super) tools: Vec<ToolEntry>,
    /// The cases.
    pub(super) cases: Vec<Case>,
}

/// Reads a file. JSON is YAML.
pub(super) fn read(path: &Path) -> anyhow::Result<Suite> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    parse(&text).with_context(|| format!("`{name}` is no file of cases"))
}

fn parse(text: &str) -> anyhow::Result<Suite> {
    // Read as strictly as the configuration: `no` is a word, and nothing is said twice.
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
    };
    Ok(
        match serde_saphyr::from_str_with_options::<Value>(text, options)? {
            list @ Value::Array(_) => Suite {
                tools: Vec::new(),
                cases: serde_json::from_value(list)?,
            },
            other => serde_json::from_value(other)?,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_list_and_a_whole_file_in_yaml_and_json() {
        let case = r#"{"name": "n", "principal": {"issuer": "i", "user": "u"}, "action": "call", "resource": {"tool": "s/t"}, "expect": "deny"}"#;
        let yaml = "- name: n\n  principal: { issuer: i, user: u, groups: [g] }\n  action: call\n  resource: { tool: s/t }\n  arguments: { n: 7 }\n  expect: deny\n";
        for text in [
            format!("[{case}]"),
            format!("{{\"cases\": [{case}]}}"),
            yaml.to_owned(),
        ] {
            assert_eq!(parse(&text).unwrap().cases.len(), 1, "{text}");
        }
        let with_tool =
            format!("{{\"tools\": [{{\"server\": \"s\", \"name\": \"t\"}}], \"cases\": [{case}]}}");
        assert_eq!(parse(&with_tool).unwrap().tools.len(), 1);
        for wrong in [
            "",
            "7",
            "{\"cases\": [], \"more\": 1}",
            "[{\"name\": \"n\"}]",
            "- [",
            "cases: []\ncases: []",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
