//! What somebody looks for in the ledger, and whether a record is it.
//!
//! The index and the export share this: the index finds quickly, this says exactly.

use crate::record::{Record, Verdict};
use std::collections::HashSet;

/// How many hits are given when nobody says.
const LIMIT: usize = 100;
/// How many hits are given at most.
const LIMIT_MAX: usize = 10_000;
/// How much of a kept value is searched.
const KEPT_BYTES: usize = 8 << 10;
/// How much of a word counts.
const WORD_BYTES: usize = 64;
/// How many words a query has at most.
const WORDS_MAX: usize = 32;

/// What somebody looks for. Everything that is given has to be true of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words that all occur somewhere in it; `word*` is any word that begins so.
    pub text: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The tool, prompt or resource.
    pub tool: Option<String>,
    /// The route.
    pub route: Option<String>,
    /// How it ended.
    pub verdict: Option<Verdict>,
    /// The code of the refusal.
    pub code: Option<String>,
    /// The control that refused or found something.
    pub control: Option<String>,
    /// Not before this time, in milliseconds since 1970.
    pub since: Option<u64>,
    /// Not after this time.
    pub until: Option<u64>,
    /// How many, newest first.
    pub limit: Option<usize>,
    /// Only records with a smaller number: where the last page ended.
    pub before: Option<u64>,
}

impl Query {
    /// Whether the record is what is looked for. Limit and page are not its business.
    pub fn admits(&self, record: &Record<'_>) -> bool {
        let who = record.who.as_ref();
        let refusal = record.refusal.as_ref();
        is(&self.user, who.and_then(|who| who.user.as_deref()))
            && is(&self.tool, record.subject.as_deref())
            && is(&self.route, record.route.as_deref())
            && is(&self.code, refusal.map(|refusal| &*refusal.code))
            && self.verdict.is_none_or(|verdict| verdict == record.verdict)
            && self.since.is_none_or(|since| record.at_ms >= since)
            && self.until.is_none_or(|until| record.at_ms <= until)
            && (self.control.as_deref())
                .is_none_or(|control| controls(record).any(|named| named == control))
            && self.has_words(record)
    }

    /// How many hits to give.
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT).min(LIMIT_MAX)
    }

    /// The words looked for.
    pub(crate) fn words(&self) -> Vec<Wanted> {
        let text = self.text.as_deref().unwrap_or_default();
        text.split_whitespace()
            .flat_map(|part| {
                let is_start = part.ends_with('*');
                let mut wanted: Vec<_> = words(part)
                    .map(|word| Wanted {
                        word,
                        is_start: false,
                    })
                    .collect();
                if let Some(last) = wanted.last_mut() {
                    last.is_start = is_start;
                }
                wanted
            })
            .take(WORDS_MAX)
            .collect()
    }

    fn has_words(&self, record: &Record<'_>) -> bool {
        let wanted = self.words();
        if wanted.is_empty() {
            return true;
        }
        let mut there = HashSet::new();
        each_text(record, |text| there.extend(words(text)));
        wanted.iter().all(|wanted| {
            there.contains(&wanted.word)
                || (wanted.is_start && there.iter().any(|word| word.starts_with(&wanted.word)))
        })
    }
}

/// A word looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) word: String,
    /// Any word that begins so will do.
    pub(crate) is_start: bool,
}

/// The controls that refused a record or found something in it.
pub(crate) fn controls<'r>(record: &'r Record<'_>) -> impl Iterator<Item = &'r str> {
    let refusing = record.refusal.iter().map(|refusal| &*refusal.control);
    refusing.chain(record.findings.iter().map(|finding| &*finding.control))
}

/// The words of a text: runs of letters and digits, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let end = (0..=WORD_BYTES)
                .rev()
                .find(|end| word.is_char_boundary(*end));
            word.get(..end.unwrap_or(0)).unwrap_or(word).to_lowercase()
        })
}

/// Every text of a record that can be searched.
pub(crate) fn each_text(record: &Record<'_>, mut visit: impl FnMut(&str)) {
    let mut maybe = |text: &Option<std::borrow::Cow<'_, str>>| {
        if let Some(text) = text {
            visit(text);
        }
    };
    for text in [
        &record.route,
        &record.server,
        &record.source,
        &record.transport,
        &record.method,
        &record.subject,
        &record.definition,
        &record.trace,
    ] {
        maybe(text);
    }
    if let Some(who) = &record.who {
        for text in [
            &who.user,
            &who.issuer,
            &who.subject,
            &who.actor,
            &who.client,
            &who.session_digest,
        ] {
            maybe(text);
        }
    }
    if let Some(event) = &record.event {
        for text in [&event.detail, &event.before, &event.after] {
            maybe(text);
        }
        visit(&event.name);
    }
    visit(&record.id);
    visit(record.kind.word());
    visit(record.verdict.word());
    if let Some(policy) = &record.policy {
        policy.determining.iter().for_each(|text| visit(text));
    }
    for finding in &record.findings {
        visit(&finding.rule);
        visit(&finding.control);
        visit(&finding.place);
    }
    for score in &record.scores {
        visit(&score.rule);
        visit(&score.control);
        visit(&score.detector);
    }
    if let Some(refusal) = &record.refusal {
        visit(&refusal.code);
        visit(&refusal.control);
        visit(&refusal.reason);
    }
    if let Some(kept) = &record.kept {
        for text in [&kept.arguments, &kept.answer].into_iter().flatten() {
            let end = (0..=KEPT_BYTES)
                .rev()
                .find(|end| text.is_char_boundary(*end));
            visit(text.get(..end.unwrap_or(0)).unwrap_or(text));
        }
    }
}

fn is(wanted: &Option<String>, there: Option<&str>) -> bool {
    wanted.as_deref().is_none_or(|wanted| there == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Finding, Refusal, Who};

    fn record() -> Record<'static> {
        Record {
            at_ms: 1000,
            id: "01J-A".into(),
            verdict: Verdict::Refused,
            route: Some("/files".into()),
            subject: Some("read_file".into()),
            who: Some(Who {
                user: Some("alice@example.com".into()),
                ..Who::default()
            }),
            refusal: Some(Refusal {
                code: "policy_denied".into(),
                control: "2.2".into(),
                reason: "no policy allows `read_file`".into(),
                ..Refusal::default()
            }),
            findings: vec![Finding {
                control: "1.1".into(),
                rule: "hidden_text.tags".into(),
                ..Finding::default()
            }],
            ..Record::default()
        }
    }

    #[test]
    fn admits_what_every_given_part_is_true_of() {
        let some = |text: &str| Some(text.to_owned());
        let with = |change: &dyn Fn(&mut Query)| {
            let mut query = Query::default();
            change(&mut query);
            query
        };
        let text = |text: &str| with(&|query| query.text = some(text));
        let user = |user: &str| with(&|query| query.user = some(user));
        let code = |code: &str| with(&|query| query.code = some(code));
        let control = |id: &str| with(&|query| query.control = some(id));
        let time = |since, until| with(&|query| (query.since, query.until) = (since, until));
        for (query, expected) in [
            (Query::default(), true),
            (text("READ alice"), true),
            (text("read_file"), true),
            (text("hidd* example"), true),
            (text("hidd"), false),
            (text("read bob"), false),
            (control("2.2"), true),
            (control("1.1"), true),
            (control("1.2"), false),
            (user("alice"), false),
            (user("alice@example.com"), true),
            (time(Some(1000), Some(1000)), true),
            (time(Some(1001), None), false),
            (time(None, Some(999)), false),
            (with(&|query| query.verdict = Some(Verdict::Allowed)), false),
            (with(&|query| query.route = some("/files")), true),
            (with(&|query| query.tool = some("read_file")), true),
            (code("policy_denied"), true),
            (code("policy"), false),
        ] {
            assert_eq!(query.admits(&record()), expected, "{query:?}");
        }
    }

    #[test]
    fn bounds_words_and_their_number() {
        let query = Query {
            text: Some(format!("{} {}", "ä".repeat(500), "a ".repeat(500))),
            ..Query::default()
        };
        let words = query.words();
        assert_eq!(words.len(), WORDS_MAX);
        assert_eq!(words[0].word, "ä".repeat(32));
    }
}
