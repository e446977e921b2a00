//! The kinds of providers there are: what each is sent, and how its answer is read. Nothing here sends
//! anything.

use super::answer::Malformed;
use super::open::{self, Thresholds};
use super::opinion::{INJECTION, Opinion, Surface};
use super::safety::{self, Wanted};
use super::shields;
use super::windows::Cut;
use bytes::Bytes;
use config::settled::{self, ProviderKind};
use controls::SCORE_MAX;

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Azure AI Content Safety, text analysis.
    ContentSafety(Wanted),
    /// Anybody who speaks our own shape.
    Http(Thresholds),
    /// Azure AI Content Safety, Prompt Shields.
    PromptShields,
}

/// Every rule that this provider speaks of, where that is known.
pub(crate) fn rules(settled: &settled::Provider) -> Option<Vec<&'static str>> {
    Kind::of(settled).rules()
}

impl Kind {
    /// The kind of this configuration.
    pub(super) fn of(settled: &settled::Provider) -> Self {
        match &settled.kind {
            ProviderKind::PromptShields(_) => Kind::PromptShields,
            ProviderKind::ContentSafety(it) => Kind::ContentSafety(Wanted {
                categories: it.severity.iter().map(|(k, v)| (*k, *v)).collect(),
                blocklists: it.blocklists.clone(),
            }),
            ProviderKind::Http(it) => Kind::Http(Thresholds {
                rules: it.thresholds.clone(),
                other: it.threshold,
            }),
        }
    }

    /// How texts are cut for it.
    pub(super) fn cut(&self, surface: Surface) -> Cut {
        match self {
            Kind::ContentSafety(_) => safety::CUT,
            Kind::Http(_) => open::CUT,
            Kind::PromptShields => shields::cut(surface),
        }
    }

    /// How many texts one request carries.
    pub(super) fn per_request(&self, surface: Surface) -> usize {
        match self {
            Kind::ContentSafety(_) => 1,
            Kind::Http(_) => open::TEXTS_MAX,
            Kind::PromptShields => shields::per_request(surface),
        }
    }

    /// The request about these texts, as it is sent.
    pub(super) fn body(&self, surface: Surface, texts: &[&str]) -> Bytes {
        let body = match self {
            Kind::ContentSafety(wanted) => wanted.body(&texts.concat()),
            Kind::Http(_) => open::body(surface, texts),
            Kind::PromptShields => shields::body(surface, texts),
        };
        body.to_string().into()
    }

    /// What the answer says of each of so many texts.
    pub(super) fn heard(
        &self,
        surface: Surface,
        count: usize,
        body: Bytes,
    ) -> Result<Vec<Vec<Opinion>>, Malformed> {
        match self {
            Kind::ContentSafety(wanted) => Ok(vec![wanted.heard(body)?]),
            Kind::Http(_) => open::heard(count, body),
            Kind::PromptShields => shields::heard(surface, count, body),
        }
    }

    /// From which value on this rule is a suspicion.
    pub(super) fn threshold(&self, rule: &str) -> u16 {
        match self {
            Kind::ContentSafety(wanted) => wanted.threshold(rule),
            Kind::Http(thresholds) => thresholds.of(rule),
            Kind::PromptShields => SCORE_MAX,
        }
    }

    /// Every rule it speaks of, where that is known.
    pub(super) fn rules(&self) -> Option<Vec<&'static str>> {
        match self {
            Kind::ContentSafety(wanted) => Some(wanted.rules().collect()),
            Kind::Http(_) => None,
            Kind::PromptShields => Some(vec![INJECTION]),
        }
    }
}
