//! Values held against what they mean (control 1.1), arguments of tools and prompts and URIs of resources: the
//! text of each, and where a path leads on a disk
//! that this machine shares with the server. Nobody else is asked: where a name leads is looked up once
//! policies have let the call through (see [`names`](super::names)).

use super::names::{FORBIDDEN, Name, Names, UNJUDGED, UNRESOLVED, Wrong};
use super::values;
use crate::catalog::Tool;
use crate::content::{self, Content, Meanings};
use crate::egress::Network;
use crate::route::Served;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::Subject;
use crate::stages::validate::Valid;
use ::inspect::meaning::{
    Asked, Basis, Consequence, Expectation, Host, Judged, Roots, Target, Weight,
};
use controls::{Action, Finding, Severity};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LINKED: Wrong = Wrong {
    rule: "path.link_outside",
    remedy: "name a place that no link leads out of the directories this tool may use",
    certain: true,
};

/// What was found, what the call is refused for, and which names are still to be looked up.
#[derive(Debug)]
pub(super) struct Held<'c> {
    /// What matters most of what was found.
    pub(super) findings: Vec<Finding>,
    /// Every rule that found something.
    pub(super) rules: BTreeSet<Cow<'static, str>>,
    pub(super) refused: Option<Refused>,
    pub(super) names: Names,
    /// How a refusal is told.
    refuse: fn(&str, &'static str, &'static str) -> Refused,
    content: &'c Content,
}

impl<'c> Held<'c> {
    /// Nothing yet, of a message about this whose content is treated so.
    pub(super) fn of(subject: &Subject, content: &'c Content) -> Held<'c> {
        Held {
            findings: Vec::new(),
            rules: BTreeSet::new(),
            refused: None,
            names: Names::default(),
            refuse: match subject {
                Subject::Tool(_) => refused::argument_meaning,
                Subject::Task(_) | Subject::Other => refused::value_meaning,
            },
            content,
        }
    }

    /// Writes down what is wrong at a place of the message, once.
    pub(super) fn found(
        &mut self,
        place: &str,
        (rule, severity, remedy): (&'static str, Severity, &'static str),
        consequence: Consequence,
    ) {
        let place = self.content.shown(place);
        // Decided before it is asked what is told already: a place is cut, and two that are told alike may be
        // declared otherwise.
        if consequence == Consequence::Refuse && self.refused.is_none() {
            self.refused = Some((self.refuse)(&place, rule, remedy));
        }
        let mut known = self.findings.iter_mut();
        let known = known.find(|finding| finding.rule == rule && finding.place == place);
        if let Some(finding) = known {
            if consequence == Consequence::Refuse {
                finding.action = Action::Refuse;
            }
            return;
        }
        self.rules.insert(Cow::Borrowed(rule));
        let finding = Finding {
            control: controls::N1_1,
            rule: Cow::Borrowed(rule),
            severity,
            place: Cow::Owned(place),
            count: 1,
            action: match consequence {
                Consequence::Refuse => Action::Refuse,
                Consequence::Report => Action::Report,
            },
        };
        content::keep(&mut self.findings, finding);
    }

    /// The same for what is wrong beyond the text of a value.
    pub(super) fn leads(&mut self, place: &str, wrong: Wrong, consequence: Consequence) {
        let severity = match wrong.certain {
            true => Severity::High,
            false => Severity::Medium,
        };
        self.found(place, (wrong.rule, severity, wrong.remedy), consequence);
    }
}

/// What stands in values that nobody sees, before they are cleaned of it: such a value would arrive as
/// another one, which nobody wrote.
pub(super) fn unseen(valid: &Valid, held: &mut Held<'_>) {
    let meanings = valid.raw().route().content(valid.served()).meanings();
    for value in values::all(valid, meanings, Asked::Unseen) {
        flaws(meanings, &value, held);
    }
}

/// Holds the values of a message against what they mean, as the server gets them.
pub(super) async fn hold(valid: &Valid, held: &mut Held<'_>) {
    let Some(served) = valid.served() else {
        return;
    };
    let content = valid.raw().route().content(Some(served));
    let meanings = content.meanings();
    if let (Subject::Tool(tool), Some(arguments)) = (valid.subject(), valid.sent())
        && let Err(violations) = meanings.fits(tool, arguments, &|name| content.hush(name))
    {
        held.refused = Some(refused::arguments(violations.to_string()));
        return;
    }
    for value in values::all(valid, meanings, Asked::Everything) {
        flaws(meanings, &value, held);
        // What is refused anyway makes nobody look anywhere.
        if held.refused.is_some() {
            continue;
        }
        let expected = value.judged.expected;
        let wrong = match &value.judged.outcome.target {
            Some(target) => reached(target, meanings, &value, &mut held.names),
            None => linked(served, meanings.roots(expected), &value.judged).await,
        };
        if let Some(wrong) = wrong {
            let consequence = consequence(meanings, expected, wrong.certain);
            held.leads(&value.place, wrong, consequence);
        }
    }
}

/// What comes of holding arguments of a call that is over against what they mean: what was found, by which
/// rules, and what it is refused for.
pub(in crate::stages) type Over = (Vec<Finding>, BTreeSet<Cow<'static, str>>, Option<Refused>);

impl Held<'_> {
    fn over(self) -> Over {
        (self.findings, self.rules, self.refused)
    }
}

/// Holds the arguments of a call that is over against what they mean, as far as no disk has to be looked at.
pub(in crate::stages) fn hold_alone(
    content: &Content,
    tool: &Arc<Tool>,
    arguments: &Map<String, Value>,
    asked: Asked,
) -> Over {
    let meanings = content.meanings();
    let mut held = Held::of(&Subject::Tool(Arc::clone(tool)), content);
    if asked == Asked::Everything
        && let Err(violations) = meanings.fits(tool, arguments, &|name| content.hush(name))
    {
        held.refused = Some(refused::arguments(violations.to_string()));
        return held.over();
    }
    for judged in meanings.judge(tool, arguments, asked) {
        let value = values::Meant {
            place: format!("/params/arguments{}", judged.pointer).into(),
            judged,
            is_partial: false,
        };
        flaws(meanings, &value, &mut held);
        if asked == Asked::Everything && held.refused.is_none() {
            leads(meanings, &value, &mut held);
        }
    }
    held.over()
}

/// Writes down what is wrong with where an address leads, as far as nobody has to be asked.
fn leads(meanings: &Meanings, value: &values::Meant<'_>, held: &mut Held) {
    let Some(target) = &value.judged.outcome.target else {
        return;
    };
    if let Some(wrong) = reached(target, meanings, value, &mut held.names) {
        let consequence = consequence(meanings, value.judged.expected, wrong.certain);
        held.leads(&value.place, wrong, consequence);
    }
}

/// Whether the URI of a resource is one that would be refused, as far as its text tells.
pub(in crate::stages) fn refuses_uri(content: &Content, uri: &str) -> bool {
    let meanings = content.meanings();
    let mut held = Held::of(&Subject::Other, content);
    for judged in meanings.judge_uri(uri, Asked::Everything) {
        let value = values::Meant {
            place: "/params/uri".into(),
            judged,
            is_partial: false,
        };
        flaws(meanings, &value, &mut held);
        leads(meanings, &value, &mut held);
    }
    held.refused.is_some()
}

/// Writes down what is wrong with the text of a value. Of one that is still being written less is asked.
fn flaws(meanings: &Meanings, value: &values::Meant<'_>, held: &mut Held) {
    let expected = value.judged.expected;
    for flaw in &value.judged.outcome.flaws {
        let as_said = match (value.is_partial, flaw.rule.weight) {
            (true, Weight::Strict) => Consequence::Report,
            _ => expected.consequence(flaw.rule),
        };
        let consequence = meanings.consequence(expected, as_said);
        let told = (flaw.rule.name, flaw.rule.severity(), flaw.rule.remedy);
        held.found(&value.place, told, consequence);
    }
}

/// What becomes of a value that leads where it should not, for certain or perhaps.
fn consequence(meanings: &Meanings, expected: &Expectation, certain: bool) -> Consequence {
    let as_said = match (expected.basis, certain) {
        (Basis::Recognised, false) => Consequence::Report,
        _ => expected.otherwise,
    };
    meanings.consequence(expected, as_said)
}

/// What is wrong with where an address leads, as far as nobody has to be asked; a name that has to be
/// looked up is kept for that.
fn reached(
    target: &Target,
    meanings: &Meanings,
    value: &values::Meant<'_>,
    names: &mut Names,
) -> Option<Wrong> {
    let expected = value.judged.expected;
    let network = meanings.network(expected);
    match &target.host {
        Host::Address(address) => network.admit(*address).is_err().then_some(FORBIDDEN),
        // A name of this machine or its network is nowhere public, whoever looks it up.
        Host::Local(_) => (network == Network::Public).then_some(FORBIDDEN),
        Host::Name(_) if expected.basis == Basis::Recognised && network == Network::Private => None,
        Host::Name(_) if value.is_partial => None,
        Host::Name(name) => {
            let kept = names.keep(Name {
                place: value.place.clone(),
                name: name.as_str().into(),
                network,
                forbidden: consequence(meanings, expected, FORBIDDEN.certain),
                unresolved: consequence(meanings, expected, UNRESOLVED.certain),
            });
            (!kept).then_some(UNJUDGED)
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
    let (roots, found) = (roots.clone(), found.clone());
    let inside = tokio::task::spawn_blocking(move || {
        // Some programs take `..` away before they open a path, and others leave it to the system.
        let is_inside = |place: &str| is_inside(&roots, Path::new(place));
        is_inside(&found.place) && (found.written == found.place || is_inside(&found.written))
    });
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
    use crate::content::sample;
    use crate::egress::{Egress, EgressSettings, Resolve, Resolving};
    use crate::house::still::Still;
    use serde_json::json;

    #[test]
    fn n1_1_a_flaw_is_told_once_and_the_first_refuses() {
        let content = Content::of_nobody(config::settled::HiddenText::Remove);
        let mut held = Held::of(&Subject::Other, &content);
        for (place, rule, consequence) in [
            ("/params/uri", "path.double_slash", Consequence::Report),
            ("/params/uri", "path.nul", Consequence::Refuse),
            ("/params/uri", "path.nul", Consequence::Refuse),
            ("/params/uri", "path.control", Consequence::Refuse),
            ("/params/name", "path.nul", Consequence::Report),
        ] {
            held.found(place, (rule, Severity::High, "leave it out"), consequence);
        }
        let rules: Vec<_> = held.findings.iter().map(|it| &*it.rule).collect();
        let expected = ["path.double_slash", "path.nul", "path.control", "path.nul"];
        assert_eq!(rules, expected);
        let reason = held.refused.unwrap().refusal.reason.clone();
        assert!(reason.contains("path.nul"), "{reason}");
    }

    #[test]
    fn n1_1_what_is_told_already_refuses_all_the_same() {
        let content = Content::of_nobody(config::settled::HiddenText::Remove);
        let long = "n".repeat(200);
        let (reported, refused) = (Consequence::Report, Consequence::Refuse);
        for (places, consequences, expected) in [
            (["a", "b"], [reported, refused], Some(Action::Refuse)),
            (["a", "b"], [refused, reported], Some(Action::Refuse)),
            (["a", "a"], [reported, refused], Some(Action::Refuse)),
            (["a", "b"], [reported, reported], None),
        ] {
            let mut held = Held::of(&Subject::Other, &content);
            for (name, consequence) in places.iter().zip(consequences) {
                let place = format!("/params/arguments/{long}/{name}");
                held.found(
                    &place,
                    ("path.dots", Severity::Low, "leave it out"),
                    consequence,
                );
            }
            assert_eq!(held.findings.len(), 1, "{:?}", held.findings);
            let action = held.findings.first().map(|finding| finding.action);
            assert_eq!(
                held.refused.is_some(),
                expected.is_some(),
                "{consequences:?}"
            );
            assert_eq!(
                action,
                Some(expected.unwrap_or(Action::Report)),
                "{consequences:?}"
            );
        }
    }

    /// Whatever it is called, it is here.
    struct Here;

    impl Resolve for Here {
        fn resolve(&self, _: &str, port: u16) -> Resolving {
            Box::pin(async move { Ok(vec![([127, 0, 0, 1], port).into()]) })
        }
    }

    #[tokio::test]
    async fn n1_1_where_a_name_leads_comes_to_what_is_said_of_its_value() {
        let settings = EgressSettings {
            resolver: Arc::new(Here),
            ..EgressSettings::default()
        };
        let egress = Egress::new(&settings).unwrap();
        for (arguments, expected) in [
            (json!({ "network": "public" }), Some(true)),
            (
                json!({ "network": "public", "recognised": "report" }),
                Some(false),
            ),
            (json!({ "network": "private" }), None),
            (
                json!({ "prompts": { "p": { "/url": { "is": "url" } } } }),
                Some(true),
            ),
            (
                json!({ "prompts": { "p": { "/url": { "is": "url", "otherwise": "report" } } } }),
                Some(false),
            ),
        ] {
            let settled = sample::settled(&json!({ "arguments": arguments }));
            let content = Content::of_nobody(config::settled::HiddenText::Remove);
            let content = content.meant(&settled).unwrap();
            let said = Map::from_iter([("url".to_owned(), json!("https://name.example/"))]);
            let mut names = Names::default();
            let meanings = content.meanings();
            for judged in meanings.judge_prompt("p", &said, Asked::Everything) {
                let value = values::Meant {
                    place: "/params/arguments/url".into(),
                    judged,
                    is_partial: false,
                };
                let target = value.judged.outcome.target.as_ref().unwrap();
                assert_eq!(reached(target, meanings, &value, &mut names), None);
            }
            let held = names.look_up(&egress, &content, &Subject::Other).await;
            let refused = held.findings.first().map(|_| held.refused.is_some());
            assert_eq!(refused, expected, "{arguments}");
        }
    }

    #[tokio::test]
    async fn n1_1_a_path_is_followed_plainly_and_as_it_is_written() {
        let tree = tempfile::tempdir().unwrap();
        let base = tree.path();
        let root = base.join("root");
        std::fs::create_dir_all(root.join("in")).unwrap();
        std::fs::create_dir_all(base.join("out")).unwrap();
        std::fs::write(root.join("in/file"), "x").unwrap();
        std::os::unix::fs::symlink(base.join("out"), root.join("out")).unwrap();
        let path = json!({ "is": "path", "roots": [root.to_str().unwrap()] });
        for (upstream, follows) in [
            (
                json!({ "stdio": { "command": ["x"], "confinement": "none" } }),
                true,
            ),
            // It has a disk of its own.
            (
                json!({ "http": { "url": "https://s.example.com/mcp" } }),
                false,
            ),
        ] {
            let mut server = upstream;
            server["name"] = json!("s");
            server["content"] = json!({ "arguments": { "prompts": { "p": { "/path": path } } } });
            let still = Still::before(&server.to_string(), "").await;
            let route = still.gate().route("/s").unwrap();
            let served = route.served(0).unwrap();
            let meanings = route.content(Some(served)).meanings();
            for (name, is_inside) in [
                ("in/file", true),
                ("in/../in/file", true),
                // A program that takes `..` away opens a file of the root, and the system another one.
                ("out/../in/file", false),
                ("out/../new", false),
                ("out/file", false),
            ] {
                let said = Map::from_iter([("path".to_owned(), json!(root.join(name)))]);
                let judged = meanings.judge_prompt("p", &said, Asked::Everything);
                let judged = judged.first().unwrap();
                let wrong = linked(served, meanings.roots(judged.expected), judged).await;
                let expected = (follows && !is_inside).then_some(LINKED);
                assert_eq!(wrong, expected, "{name} {server}");
            }
        }
    }

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
            // Behind a link, `..` leads to where the link leads from there.
            ("inner/../in/file", true),
            ("in/../in/file", true),
            ("new/../in/file", true),
            ("out/../in/file", false),
            ("out/../secret", false),
            ("in/../out/../new", false),
        ] {
            assert_eq!(is_inside(&roots, &root.join(name)), expected, "{name}");
        }
        let elsewhere = Roots::new(["/nowhere/to/be/seen"]).unwrap();
        assert!(is_inside(&elsewhere, Path::new("/nowhere/to/be/seen/x")));
    }
}
