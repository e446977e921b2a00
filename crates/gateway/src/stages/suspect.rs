//! Puts the text of a message before the detectors of its server (controls 1.3, 9.3), and writes down what
//! they say. A score refuses only where the operator says so of its rule; else policies hear of it. What
//! a detector that says nothing would have said is unknown, and the operator declares what that means.
//!
//! Where nothing that is said can change anything, nobody waits for it until it is to be written down.

use crate::providers::{Hearing, Panel, Quiet, Reading, Surface};
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use controls::{Fault, N1_3, N9_3, Score};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Scores kept of one message and its answer.
const SCORES: usize = 64;

/// What detectors suspect, for policies: each rule once.
pub(super) async fn hear(
    panel: &Panel,
    surface: Surface,
    reading: Reading,
    draft: &mut Draft,
) -> Result<Vec<Cow<'static, str>>, Refused> {
    let hearing = panel.hear(surface, &Arc::new(reading)).await;
    note(surface, &hearing, draft);
    if let Some(score) = hearing.refusing() {
        return Err(match surface.is_of_server() {
            false => refused::suspected(score),
            true => refused::answer_suspected(score),
        });
    }
    if let Some(quiet) = hearing.missing() {
        return Err(refused::unheard_detector(quiet));
    }
    Ok(suspicions(&hearing.scores))
}

/// A hearing that goes on beside the call it is about; it ends with its receipt at the latest.
#[derive(Debug)]
pub(super) struct Beside(JoinSet<(Surface, Hearing)>);

/// Puts a message before detectors that can change nothing, and waits for none of them.
pub(super) fn beside(panel: &Arc<Panel>, surface: Surface, reading: Reading) -> Option<Beside> {
    if reading.is_empty() {
        return None;
    }
    let (panel, reading) = (Arc::clone(panel), Arc::new(reading));
    let mut hearing = JoinSet::new();
    hearing.spawn(async move { (surface, panel.hear(surface, &reading).await) });
    Some(Beside(hearing))
}

/// Writes down what was said beside the call. That a call is recorded before it is answered is worth to
/// wait for it, as long as a detector may take; a call that was taken back is not.
pub(super) async fn join(draft: &mut Draft) {
    let Some(Beside(mut hearing)) = draft.beside.take() else {
        return;
    };
    let line = Arc::clone(&draft.line);
    let heard = tokio::select! {
        biased;
        heard = hearing.join_next() => heard.and_then(Result::ok),
        () = line.taken_back() => None,
    };
    match heard {
        Some((surface, hearing)) => note(surface, &hearing, draft),
        None => draft.skipped(N1_3, "the call was over before anything was said"),
    }
}

/// Writes down what was said, and what was not. Of what a server says in passing, which may be much, only
/// what is suspected.
fn note(surface: Surface, hearing: &Hearing, draft: &mut Draft) {
    for quiet in &hearing.silences {
        tell(quiet);
        let why = format!("`{}` said nothing: {}", quiet.detector, quiet.why);
        draft.skipped(N1_3, why);
    }
    if hearing.silences.is_empty() {
        draft.ran(N1_3);
    }
    if hearing.scores.iter().any(|score| score.control == N9_3) {
        draft.ran(N9_3);
    }
    let room = SCORES.saturating_sub(draft.scores.len());
    let scores = hearing.scores.iter();
    let scores = scores.filter(|score| surface != Surface::Notices || score.is_suspicion());
    draft.scores.extend(scores.take(room).cloned());
}

/// What only the operator can put right is said where an operator looks first, too.
fn tell(quiet: &Quiet) {
    let (detector, why) = (&quiet.detector, &quiet.why);
    match why.fault() {
        Fault::Operator => tracing::warn!(%detector, "a provider said nothing: {why}"),
        _ => tracing::debug!(%detector, "a provider said nothing: {why}"),
    }
}

/// The rules whose suspicions policies hear of, each once.
pub(super) fn suspicions(scores: &[Score]) -> Vec<Cow<'static, str>> {
    let warning = scores.iter().filter(|score| score.warns());
    let mut rules: Vec<_> = warning.map(|score| score.rule.clone()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use crate::providers::Silence;
    use config::settled::OnFailure;
    use controls::{Control, Mode};

    fn score(control: Control, value: u16) -> Score {
        Score {
            control,
            detector: "them".into(),
            rule: "a.rule".into(),
            value,
            threshold: 500,
            mode: Mode::Warn,
            place: "/result".into(),
        }
    }

    #[tokio::test]
    async fn n1_3_what_was_heard_and_what_was_not_is_written_down() {
        let still = Still::with("").await;
        let results = Surface::Results;
        for (surface, scores, quiet, ran, kept) in [
            (results, vec![score(N1_3, 10)], 0, &[N1_3][..], 1),
            (results, vec![score(N9_3, 10)], 0, &[N1_3, N9_3], 1),
            (results, vec![], 1, &[], 0),
            (results, vec![score(N9_3, 10)], 1, &[N9_3], 1),
            (
                results,
                vec![score(N1_3, 10); SCORES + 1],
                0,
                &[N1_3],
                SCORES,
            ),
            // Of what is said in passing only what is suspected.
            (
                Surface::Notices,
                vec![score(N1_3, 10), score(N1_3, 900)],
                0,
                &[N1_3],
                1,
            ),
        ] {
            let row = format!("{surface:?} {}", scores.len());
            let silence = Quiet {
                detector: "them".into(),
                why: Silence::Late,
                then: OnFailure::Allow,
            };
            let silences = vec![silence; quiet];
            let hearing = Hearing { scores, silences };
            let mut draft = Draft::begin(still.gate(), [127, 0, 0, 1].into(), "http");
            note(surface, &hearing, &mut draft);
            let all = [N1_3, N9_3].into_iter();
            let all = all.filter(|control| draft.controls_run().any(|it| it == *control));
            assert_eq!(all.collect::<Vec<_>>(), ran, "{row}");
            assert_eq!(draft.controls_skipped().len(), quiet, "{row}");
            assert_eq!(draft.scores.len(), kept, "{row}");
            // There is room for so many of one message and its answer.
            for _ in 0..SCORES {
                note(surface, &hearing, &mut draft);
            }
            assert!(draft.scores.len() <= SCORES, "{row}");
        }
    }
}
