//! The judges of who is asked what they think of text (control 1.3), and of what that takes away from what
//! 9.3 lacks. A provider counts for what its own rules can change, as where messages are heard.

use super::{Status, View, Way, missing};
use crate::providers::{BLOCKLIST, HARM, rules};
use config::settled::{
    Content, Mode, OnFailure, Provider, ProviderKind, ProviderUse, Settled, Surface,
};
use inspect::{likeness, poison};
use std::collections::BTreeSet;

pub(in crate::posture) fn n1_3(view: &View<'_>, way: &Way<'_>) -> Status {
    let content = way.content();
    let mut missing = missing(&["a detector of attacks that needs nobody else"]);
    if content.providers.is_empty() {
        missing.push("nobody is asked what they think of text (`content.providers`)".to_owned());
        return Status::lacking(missing);
    }
    let uses = Use::all(view.settled, &content);
    for it in &uses {
        missing.extend(it.unheeded());
        missing.extend(it.let_silent());
    }
    for (surface, what) in [
        (Surface::Arguments, "arguments"),
        (Surface::Results, "answers"),
    ] {
        let is_asked = |it: &Use<'_>| it.is_heeded() && it.used.on.contains(&surface);
        if !uses.iter().any(is_asked) {
            missing.push(format!(
                "nobody whose word counts is asked about {what} (`content.providers[].on`)"
            ));
        }
    }
    Status::lacking(missing)
}

/// What of harm is not looked for in answers, or comes to nothing.
pub(super) fn harm(view: &View<'_>, way: &Way<'_>) -> Vec<String> {
    let content = way.content();
    let heard = |it: &Use<'_>| {
        let is_safety = matches!(it.provider.kind, ProviderKind::ContentSafety(_));
        is_safety && it.used.on.contains(&Surface::Results)
    };
    let mut uses = Use::all(view.settled, &content);
    uses.retain(heard);
    if uses.is_empty() {
        return missing(&["categories of harm", "blocklists of one's own"]);
    }
    let rules = uses.iter().filter_map(|it| rules(it.provider)).flatten();
    let rules: BTreeSet<&str> = rules.filter(|rule| rule.starts_with(HARM)).collect();
    let mut lacking = Vec::new();
    // Where one of them is heeded about a rule, another one may be tried out beside it.
    for rule in &rules {
        if !uses.iter().any(|it| it.heeds(rule)) {
            lacking.extend(uses.iter().filter_map(|it| it.comes_to_nothing(rule)));
        }
    }
    if !rules.contains(BLOCKLIST) {
        lacking.push("blocklists of one's own".to_owned());
    }
    let is_sure = |it: &Use<'_>| it.is_heeded() && it.let_silent().is_none();
    if !uses.iter().any(is_sure) {
        lacking.extend(uses.iter().filter_map(Use::let_silent));
    }
    lacking
}

/// A provider that is asked here.
struct Use<'a> {
    used: &'a ProviderUse,
    provider: &'a Provider,
    content: &'a Content,
}

impl<'a> Use<'a> {
    fn all(settled: &'a Settled, content: &'a Content) -> Vec<Use<'a>> {
        let uses = content.providers.iter().filter_map(|used| {
            let mut providers = settled.providers.iter();
            let provider = providers.find(|it| it.name == used.provider)?;
            Some(Use {
                used,
                provider,
                content,
            })
        });
        uses.collect()
    }

    /// What a suspicion of its under this rule comes to.
    fn mode(&self, rule: &str) -> Mode {
        let said = self.content.modes.get(rule).copied();
        said.unwrap_or(self.used.mode)
    }

    /// Whether it speaks of this rule, and is heeded.
    fn heeds(&self, rule: &str) -> bool {
        let speaks = rules(self.provider).is_none_or(|rules| rules.contains(&rule));
        speaks && self.mode(rule) > Mode::Shadow
    }

    /// Whether anything it says may change anything.
    fn is_heeded(&self) -> bool {
        match rules(self.provider) {
            Some(rules) => rules.iter().any(|rule| self.mode(rule) > Mode::Shadow),
            None => {
                let mut own = self.own();
                self.used.mode > Mode::Shadow || own.any(|(_, mode)| mode > Mode::Shadow)
            }
        }
    }

    /// What of it comes to nothing. Of whom it is not known which rules it has, it is those that are named
    /// and all others.
    fn unheeded(&self) -> Vec<String> {
        let name = &self.used.provider;
        if let Some(rules) = rules(self.provider) {
            let each = rules.iter().filter_map(|rule| self.comes_to_nothing(rule));
            return each.collect();
        }
        let own = self
            .own()
            .filter_map(|(rule, _)| self.comes_to_nothing(rule));
        let mut all: Vec<String> = own.collect();
        if self.used.mode == Mode::Shadow {
            all.push(format!(
                "what `{name}` suspects changes nothing (`mode: shadow`)"
            ));
        }
        all
    }

    /// That what it suspects by this rule changes nothing, if it is so.
    fn comes_to_nothing(&self, rule: &str) -> Option<String> {
        if self.mode(rule) > Mode::Shadow {
            return None;
        }
        let setting = match self.content.modes.contains_key(rule) {
            true => format!("content.modes.{rule}: shadow"),
            false => "mode: shadow".to_owned(),
        };
        let name = &self.used.provider;
        Some(format!(
            "what `{name}` suspects by `{rule}` changes nothing (`{setting}`)"
        ))
    }

    /// The modes of rules that it may have, beside those of the rules about definitions.
    fn own(&self) -> impl Iterator<Item = (&'a str, Mode)> {
        let modes = self.content.modes.iter();
        let is_ours = |rule: &str| poison::named(rule).is_some() || likeness::named(rule).is_some();
        modes
            .filter(move |(rule, _)| !is_ours(rule))
            .map(|(rule, mode)| (rule.as_str(), *mode))
    }

    /// That its silence lets messages through, if it is so.
    fn let_silent(&self) -> Option<String> {
        let name = &self.used.provider;
        (self.provider.on_failure == OnFailure::Allow)
            .then(|| format!("messages go on that `{name}` said nothing of (`on_failure: allow`)"))
    }
}
