//! Arguments held against what they mean (control 1.1): the text of each, where a path leads on a disk
//! that this machine shares with the server, and where a name leads, by the look-up and the rules of the
//! one egress path.
//!
//! The server looks a name up again for itself, and may be told something else. What is judged here is
//! what the name says now; only a network that lets the server go nowhere else prevents the rest.

use crate::content::{self, Content};
use crate::egress::{EgressError, Network};
use crate::route::Served;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::Subject;
use crate::stages::validate::Valid;
use ::inspect::meaning::{Basis, Consequence, Host, Judged, Roots, Target};
use controls::{Action, Finding, Severity};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How long the names of one call are looked up together.
const LOOKING: Duration = Duration::from_secs(5);
/// Names that are looked up for one call; one more is as one that cannot be looked up.
const NAMES: usize = 16;

/// What is wrong with a value beyond its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wrong {
    rule: &'static str,
    remedy: &'static str,
    /// Whether no honest value does it.
    certain: bool,
}

const FORBIDDEN: Wrong = Wrong {
    rule: "host.forbidden_address",
    remedy: "use an address on the public internet",
    certain: true,
};
const UNRESOLVED: Wrong = Wrong {
    rule: "host.unresolved",
    remedy: "use a name that can be looked up",
    certain: false,
};
const LINKED: Wrong = Wrong {
    rule: "path.link_outside",
    remedy: "name a place that no link leads out of the directories this tool may use",
    certain: true,
};

/// What was found, and what the call is refused for.
#[derive(Debug)]
pub(super) struct Held<'c> {
    /// What matters most of what was found.
    pub(super) findings: Vec<Finding>,
    /// Every rule that found something.
    pub(super) rules: BTreeSet<Cow<'static, str>>,
    pub(super) refused: Option<Refused>,
    content: &'c Content,
}

impl<'c> Held<'c> {
    fn new(content: &'c Content) -> Held<'c> {
        Held {
            findings: Vec::new(),
            rules: BTreeSet::new(),
            refused: None,
            content,
        }
    }

    fn found(
        &mut self,
        pointer: &str,
        (rule, severity, remedy): (&'static str, Severity, &'static str),
        consequence: Consequence,
    ) {
        self.rules.insert(Cow::Borrowed(rule));
        let place = || self.content.shown(&format!("/params/arguments{pointer}"));
        if content::has_room(&self.findings, severity) {
            let finding = Finding {
                control: controls::N1_1,
                rule: Cow::Borrowed(rule),
                severity,
                place: Cow::Owned(place()),
                count: 1,
                action: match consequence {
                    Consequence::Refuse => Action::Refuse,
                    Consequence::Report => Action::Report,
                },
            };
            content::keep(&mut self.findings, finding);
        }
        if consequence == Consequence::Refuse && self.refused.is_none() {
            self.refused = Some(refused::argument_meaning(&place(), rule, remedy));
        }
    }
}

/// Holds the arguments of a call against what they mean, as they are now.
pub(super) async fn hold<'c>(
    valid: &Valid,
    arguments: Option<&Map<String, Value>>,
    content: &'c Content,
) -> Held<'c> {
    let mut held = Held::new(content);
    let (Subject::Tool(tool), Some(arguments)) = (valid.subject(), arguments) else {
        return held;
    };
    let Some(served) = valid.served() else {
        return held;
    };
    let meanings = content.meanings();
    if let Err(violations) = meanings.fits(tool, arguments) {
        held.refused = Some(refused::arguments(violations.to_string()));
        return held;
    }
    let deadline = Instant::now() + LOOKING;
    let mut names = NAMES;
    for judged in meanings.judge(tool, arguments) {
        let expected = judged.expected;
        for flaw in &judged.outcome.flaws {
            let consequence = meanings.consequence(expected, expected.consequence(flaw.rule));
            let told = (flaw.rule.name, flaw.rule.severity(), flaw.rule.remedy);
            held.found(&judged.pointer, told, consequence);
        }
        // What is refused anyway makes nobody look anything up.
        if held.refused.is_some() {
            continue;
        }
        let network = meanings.network(expected);
        let wrong = match &judged.outcome.target {
            Some(target) => reached(served, target, (network, &judged), &mut names, deadline).await,
            None => linked(served, meanings.roots(expected), &judged).await,
        };
        if let Some(wrong) = wrong {
            let as_said = match (expected.basis, wrong.certain) {
                (Basis::Recognised, false) => Consequence::Report,
                _ => expected.otherwise,
            };
            let consequence = meanings.consequence(expected, as_said);
            let severity = match wrong.certain {
                true => Severity::High,
                false => Severity::Medium,
            };
            held.found(
                &judged.pointer,
                (wrong.rule, severity, wrong.remedy),
                consequence,
            );
        }
    }
    held
}

/// What is wrong with where an address leads.
async fn reached(
    served: &Served,
    target: &Target,
    (network, judged): (Network, &Judged<'_>),
    names: &mut usize,
    deadline: Instant,
) -> Option<Wrong> {
    match &target.host {
        Host::Address(address) => network.admit(*address).is_err().then_some(FORBIDDEN),
        // A name of this machine or its network is nowhere public, whoever looks it up.
        Host::Local(_) => (network == Network::Public).then_some(FORBIDDEN),
        Host::Name(_)
            if judged.expected.basis == Basis::Recognised && network == Network::Private =>
        {
            None
        }
        Host::Name(name) => {
            let Some(left) = names.checked_sub(1) else {
                return Some(UNRESOLVED);
            };
            *names = left;
            match served.egress.admits(name, network, deadline).await {
                Ok(()) => None,
                Err(EgressError::Forbidden { .. }) => Some(FORBIDDEN),
                Err(_) => Some(UNRESOLVED),
            }
        }
    }
}

/// What is wrong with where a path leads on the disk, if the server is a process of this machine.
async fn linked(served: &Served, roots: Option<&Roots>, judged: &Judged<'_>) -> Option<Wrong> {
    let found = judged.outcome.path.as_ref()?;
    let roots = roots?;
    if !matches!(served.settled.upstream, config::settled::Upstream::Stdio(_)) {
        return None;
    }
    let (roots, place) = (roots.clone(), PathBuf::from(&found.place));
    let inside = tokio::task::spawn_blocking(move || is_inside(&roots, &place));
    match inside.await {
        Ok(true) => None,
        Ok(false) | Err(_) => Some(LINKED),
    }
}

/// Whether a place lies in one of the roots once every link on the way is followed. What is not there
/// yet lies where its directory does; a link that leads nowhere may lead anywhere.
fn is_inside(roots: &Roots, place: &Path) -> bool {
    let mut place = place;
    let there = loop {
        match place.canonicalize() {
            Ok(there) => break there,
            Err(_) if place.symlink_metadata().is_ok() => return false,
            Err(_) => match place.parent() {
                Some(parent) => place = parent,
                None => return false,
            },
        }
    };
    let seen: Vec<_> = roots
        .iter()
        .filter_map(|root| PathBuf::from(root).canonicalize().ok())
        .collect();
    // A root that is not here is not on a disk that this machine can see.
    seen.is_empty() || seen.iter().any(|root| there.starts_with(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_1_no_link_leads_out_of_the_roots() {
        let tree = tempfile::tempdir().unwrap();
        let base = tree.path();
        let root = base.join("root");
        std::fs::create_dir_all(root.join("in")).unwrap();
        std::fs::create_dir_all(base.join("out")).unwrap();
        std::fs::write(base.join("out/secret"), "x").unwrap();
        std::fs::write(root.join("in/file"), "x").unwrap();
        let link =
            |to: PathBuf, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link(base.join("out"), "out");
        link(base.join("out/secret"), "secret");
        link(root.join("in"), "inner");
        link(base.join("nowhere"), "dangling");
        let roots = Roots::new([root.to_str().unwrap()]).unwrap();
        for (name, expected) in [
            ("", true),
            ("in/file", true),
            ("in/new", true),
            ("new/deeper/still", true),
            ("inner/file", true),
            ("out", false),
            ("out/secret", false),
            ("out/new", false),
            ("secret", false),
            ("dangling", false),
            ("dangling/x", false),
        ] {
            assert_eq!(is_inside(&roots, &root.join(name)), expected, "{name}");
        }
        let elsewhere = Roots::new(["/nowhere/to/be/seen"]).unwrap();
        assert!(is_inside(&elsewhere, Path::new("/nowhere/to/be/seen/x")));
    }
}
