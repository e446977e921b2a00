//! The judge of who is asked what they think of text (control 1.3), and what that takes away from what
//! 9.3 lacks.

use super::{Status, View, Way, missing};
use config::settled::{Mode, OnFailure, Provider, ProviderKind, ProviderUse, Settled, Surface};

pub(in crate::posture) fn n1_3(view: &View<'_>, way: &Way<'_>) -> Status {
    let content = way.server.content.on(&way.route.content);
    let mut missing = missing(&["a detector of attacks that needs nobody else"]);
    if content.providers.is_empty() {
        missing.push("nobody is asked what they think of text (`content.providers`)".to_owned());
    }
    for used in &content.providers {
        let name = &used.provider;
        let modes = content.modes.values();
        if used.mode == Mode::Shadow && !modes.into_iter().any(|mode| *mode > Mode::Shadow) {
            missing.push(format!(
                "what `{name}` suspects changes nothing (`mode: shadow`)"
            ));
        }
        let provider = named(view.settled, used);
        if provider.is_some_and(|it| it.on_failure == OnFailure::Allow) {
            missing.push(format!(
                "messages go on that `{name}` said nothing of (`on_failure: allow`)"
            ));
        }
    }
    Status::lacking(missing)
}

/// What of harm is not looked for in answers.
pub(super) fn harm(view: &View<'_>, way: &Way<'_>) -> Vec<String> {
    let content = way.server.content.on(&way.route.content);
    let mut safety = content.providers.iter().filter_map(|used| {
        let is_heard = used.on.contains(&Surface::Results);
        match &named(view.settled, used)?.kind {
            ProviderKind::ContentSafety(it) if is_heard => Some(it),
            _ => None,
        }
    });
    match safety.next() {
        None => missing(&["categories of harm", "blocklists of one's own"]),
        Some(it) if it.blocklists.is_empty() => missing(&["blocklists of one's own"]),
        Some(_) => Vec::new(),
    }
}

fn named<'a>(settled: &'a Settled, used: &ProviderUse) -> Option<&'a Provider> {
    let mut providers = settled.providers.iter();
    providers.find(|it| it.name == used.provider)
}
