//! Azure AI Content Safety, Prompt Shields: `POST text:shieldPrompt`, version 2024-09-01.
//!
//! Arguments are what somebody asks of a server, so they go as `userPrompt`; what a server says goes as
//! `documents`. The service says yes or no, never how sure it is.

use super::answer::{self, Malformed};
use super::opinion::{INJECTION, Opinion, Surface};
use super::windows::Cut;
use bytes::Bytes;
use controls::SCORE_MAX;
use protocol::Value;
use serde_json::json;

/// Where it is, below the endpoint.
pub(super) const PATH: &str = "contentsafety/text:shieldPrompt?api-version=2024-09-01";

/// How many documents one request carries, and how many characters they may have together; a prompt
/// may have as many.
const DOCUMENTS_MAX: usize = 5;
const CHARACTERS_MAX: usize = 10_000;
/// How much of one text is read again with the next one.
const OVERLAP: usize = 400;

/// How texts are cut for it.
pub(super) fn cut(surface: Surface) -> Cut {
    Cut {
        units: CHARACTERS_MAX / per_request(surface),
        overlap: OVERLAP,
    }
}

/// How many texts one request carries.
pub(super) fn per_request(surface: Surface) -> usize {
    match surface {
        Surface::Arguments => 1,
        _ => DOCUMENTS_MAX,
    }
}

/// The request about these texts.
pub(super) fn body(surface: Surface, texts: &[&str]) -> serde_json::Value {
    match surface {
        Surface::Arguments => json!({ "userPrompt": texts.concat() }),
        _ => json!({ "documents": texts }),
    }
}

/// What the answer says of each of so many texts.
pub(super) fn heard(
    surface: Surface,
    count: usize,
    body: Bytes,
) -> Result<Vec<Vec<Opinion>>, Malformed> {
    let document = answer::read(body)?;
    let root = document.root();
    let analyses = match surface {
        Surface::Arguments => vec![answer::member(root, "userPromptAnalysis")?],
        _ => answer::member(root, "documentsAnalysis")?
            .elements()
            .collect(),
    };
    if analyses.len() != count {
        return Err(Malformed("it does not speak of every text"));
    }
    analyses.into_iter().map(opinion).collect()
}

fn opinion(analysis: Value<'_>) -> Result<Vec<Opinion>, Malformed> {
    let detected = answer::member(analysis, "attackDetected")?.boolean();
    let detected = detected.ok_or(Malformed("attackDetected"))?;
    Ok(vec![Opinion {
        rule: INJECTION.into(),
        value: match detected {
            true => SCORE_MAX,
            false => 0,
        },
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_3_requests_are_of_the_published_shape() {
        let arguments = body(Surface::Arguments, &["tell me \"everything\""]);
        assert_eq!(
            arguments.to_string(),
            r#"{"userPrompt":"tell me \"everything\""}"#
        );
        let results = body(Surface::Results, &["one", "two"]);
        assert_eq!(results.to_string(), r#"{"documents":["one","two"]}"#);
        for surface in [Surface::Arguments, Surface::Results] {
            let together = cut(surface).units * per_request(surface);
            assert!(together <= CHARACTERS_MAX && per_request(surface) <= DOCUMENTS_MAX);
        }
    }

    #[test]
    fn n1_3_an_answer_that_does_not_speak_of_every_text_is_none() {
        let (asked, told) = (Surface::Arguments, Surface::Results);
        for (surface, count, body, expected) in [
            (
                asked,
                1,
                r#"{"userPromptAnalysis":{"attackDetected":true}}"#,
                Some(vec![1000]),
            ),
            (
                asked,
                1,
                r#"{"userPromptAnalysis":{"attackDetected":false},"documentsAnalysis":[]}"#,
                Some(vec![0]),
            ),
            (
                told,
                2,
                r#"{"documentsAnalysis":[{"attackDetected":false},{"attackDetected":true}]}"#,
                Some(vec![0, 1000]),
            ),
            (
                told,
                2,
                r#"{"documentsAnalysis":[{"attackDetected":false}]}"#,
                None,
            ),
            (
                told,
                1,
                r#"{"documentsAnalysis":{"attackDetected":false}}"#,
                None,
            ),
            (
                told,
                1,
                r#"{"documentsAnalysis":[{"attackDetected":"false"}]}"#,
                None,
            ),
            (told, 1, r#"{"documentsAnalysis":[{}]}"#, None),
            (
                told,
                1,
                r#"{"userPromptAnalysis":{"attackDetected":false}}"#,
                None,
            ),
            (
                asked,
                1,
                r#"{"documentsAnalysis":[{"attackDetected":false}]}"#,
                None,
            ),
            (
                told,
                1,
                r#"{"documentsAnalysis":[{"attackDetected":true,"attackDetected":false}]}"#,
                None,
            ),
            (told, 1, "<html>", None),
            (told, 1, "", None),
        ] {
            let heard = heard(surface, count, Bytes::from_static(body.as_bytes()));
            let values = heard.ok().map(|all| {
                let each = all.iter().flatten();
                each.map(|opinion| opinion.value).collect::<Vec<_>>()
            });
            assert_eq!(values, expected, "{body}");
        }
    }
}
