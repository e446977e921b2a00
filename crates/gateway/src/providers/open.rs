//! The shape in which anybody else can be asked: a JSON request with up to five texts, and for each of them
//! scores by rule. It is described in `docs/content/providers.md`, and has a version of its own.

use super::answer::{self, Malformed};
use super::opinion::{Opinion, Surface};
use super::windows::Cut;
use bytes::Bytes;
use controls::SCORE_MAX;
use protocol::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// The version of the shape.
const VERSION: i64 = 1;

/// How many texts one request carries, and how they are cut.
pub(super) const TEXTS_MAX: usize = 5;
pub(super) const CUT: Cut = Cut {
    units: 2_000,
    overlap: 400,
};

/// The most rules that are told of one text, and the longest name of one, in bytes.
const RULES_MAX: usize = 32;
const RULE_BYTES_MAX: usize = 64;

/// From which value on a score is a suspicion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thresholds {
    /// Of single rules.
    pub(super) rules: BTreeMap<String, u16>,
    /// Of every other one.
    pub(super) other: u16,
}

impl Thresholds {
    pub(super) fn of(&self, rule: &str) -> u16 {
        self.rules.get(rule).copied().unwrap_or(self.other)
    }
}

/// The request about these texts.
pub(super) fn body(surface: Surface, texts: &[&str]) -> serde_json::Value {
    let texts = texts.iter().enumerate();
    let texts = texts.map(|(id, text)| json!({ "id": id, "text": text }));
    json!({
        "version": VERSION,
        "surface": surface.name(),
        "texts": texts.collect::<Vec<_>>(),
    })
}

/// What the answer says of each of so many texts.
pub(super) fn heard(count: usize, body: Bytes) -> Result<Vec<Vec<Opinion>>, Malformed> {
    let document = answer::read(body)?;
    let root = document.root();
    if answer::member(root, "version")?.integer() != Some(VERSION) {
        return Err(Malformed("it is of another version"));
    }
    let results: Vec<_> = answer::member(root, "results")?.elements().collect();
    if results.len() != count {
        return Err(Malformed("it does not speak of every text once"));
    }
    (0..count)
        .map(|id| {
            let id = i64::try_from(id).ok();
            let mut mine = results.iter();
            let mine = mine.find(|it| it.get("id").and_then(Value::integer) == id);
            opinions(*mine.ok_or(Malformed("it does not speak of every text once"))?)
        })
        .collect()
}

fn opinions(result: Value<'_>) -> Result<Vec<Opinion>, Malformed> {
    let scores = answer::member(result, "scores")?;
    if scores.count() > RULES_MAX {
        return Err(Malformed("it tells of too many rules"));
    }
    if scores.kind() != protocol::Kind::Array {
        return Err(Malformed("scores"));
    }
    let each = scores.elements().map(|score| {
        let rule = answer::member(score, "rule")?.text();
        let rule = rule.filter(|rule| is_rule(rule)).ok_or(Malformed("rule"))?;
        Ok(Opinion {
            rule: rule.into_owned().into(),
            value: answer::number(score, "value", SCORE_MAX)?,
        })
    });
    each.collect()
}

/// Names that stand in records and policies without anybody being surprised.
fn is_rule(text: &str) -> bool {
    let word = |word: &str| {
        let mut bytes = word.bytes();
        let usual = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        !word.is_empty() && bytes.all(usual)
    };
    text.len() <= RULE_BYTES_MAX && text.split('.').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_3_requests_say_which_way_each_text_goes() {
        let body = body(Surface::Results, &["one", "two"]);
        assert_eq!(
            body,
            json!({
                "version": 1, "surface": "results",
                "texts": [{"id": 0, "text": "one"}, {"id": 1, "text": "two"}],
            })
        );
    }

    #[test]
    fn n1_3_an_answer_speaks_of_every_text_exactly_once_in_the_words_of_the_shape() {
        let told =
            |scores: &str| format!(r#"{{"version":1,"results":[{{"id":0,"scores":{scores}}}]}}"#);
        let many = vec![r#"{"rule":"r","value":1}"#; RULES_MAX + 1].join(",");
        let long = "r".repeat(RULE_BYTES_MAX + 1);
        for (body, is_good) in [
            (told("[]"), true),
            (told(r#"[{"rule":"harm.politics_2","value":1000}]"#), true),
            (told(r#"[{"rule":"r","value":1001}]"#), false),
            (told(r#"[{"rule":"r","value":-1}]"#), false),
            (told(r#"[{"rule":"r","value":0.5}]"#), false),
            (told(r#"[{"rule":"R","value":1}]"#), false),
            (told(r#"[{"rule":"a..b","value":1}]"#), false),
            (told(r#"[{"rule":"","value":1}]"#), false),
            (told(&format!(r#"[{{"rule":"{long}","value":1}}]"#)), false),
            (told(r#"[{"value":1}]"#), false),
            (told("{}"), false),
            (told(&format!("[{many}]")), false),
            (told("[]").replace("\"id\":0", "\"id\":1"), false),
            (told("[]").replace("\"version\":1", "\"version\":2"), false),
            (r#"{"version":1,"results":[]}"#.to_owned(), false),
            ("[]".to_owned(), false),
        ] {
            let heard = heard(1, body.clone().into());
            assert_eq!(heard.is_ok(), is_good, "{body}");
        }
        let both = r#"{"version":1,"results":[{"id":1,"scores":[{"rule":"b","value":2}]},{"id":0,"scores":[{"rule":"a","value":1}]}]}"#;
        let heard = heard(2, Bytes::from_static(both.as_bytes())).unwrap();
        let rules: Vec<_> = heard.iter().flatten().map(|it| &*it.rule).collect();
        assert_eq!(rules, ["a", "b"], "by their ids, whatever their order");
    }

    #[test]
    fn a_rule_has_its_own_threshold_or_the_common_one() {
        let thresholds = Thresholds {
            rules: BTreeMap::from([("injection".to_owned(), 800)]),
            other: 500,
        };
        assert_eq!((thresholds.of("injection"), thresholds.of("x")), (800, 500));
    }
}
