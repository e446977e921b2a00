//! The judges of what protects against servers and confines them (controls 9 and 10).

use super::{Status, View, Way, data, missing, output, providers, reports_hidden_text};
use crate::{catalog, squats};
use config::settled::{Confinement, Drift, Mode, Network, Pins, Upstream};

pub(in crate::posture) fn n9_2(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = Vec::new();
    if way.server.pins == Pins::FirstUse {
        missing.push(
            "nobody looks at a definition seen for the first time (`pins: first_use`)".to_owned(),
        );
    }
    if way.server.accept_drift == Drift::Low {
        let taken = "slight changes of a definition are taken over unseen (`accept_drift: low`)";
        missing.push(taken.to_owned());
    }
    missing.extend(let_go(way));
    missing.extend(squats::of(way.server).into_iter().map(|it| {
        let server = &way.server.name;
        format!(
            "server `{server}`: `{}` may be taken for the well-known `{}`",
            it.name, it.known
        )
    }));
    Status::lacking(missing)
}

/// The rules whose suspicions hold no definition here. A definition is the same on every route, so what a
/// route says of them counts for nothing.
fn let_go(way: &Way<'_>) -> Vec<String> {
    let modes = &way.server.content.modes;
    let weakened = catalog::holding().filter_map(|rule| {
        let mode = modes
            .get(rule.name)
            .filter(|mode| **mode != Mode::Enforce)?;
        Some(format!(
            "a definition is not held for what `{0}` suspects (`content.modes.{0}: {mode}`)",
            rule.name
        ))
    });
    weakened.collect()
}

/// What runs in a pipeline and finds something before anybody serves it.
pub(in crate::posture) fn n11_1(_: &View<'_>) -> Status {
    Status::lacking(missing(&[
        "a command that attacks a running gateway",
        "workflow files that are ready to use",
    ]))
}

pub(in crate::posture) fn n9_3(view: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = Vec::new();
    missing.extend(providers::harm(view, way));
    missing.extend(reports_hidden_text(way));
    missing.extend(output::addresses(way));
    missing.extend(data::answers(way));
    Status::lacking(missing)
}

pub(in crate::posture) fn n9_4(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = missing(&["labels of where a value came from, and rules on how it may flow"]);
    missing.extend(output::unframed(way));
    missing.extend(output::floods(way));
    Status::lacking(missing)
}

pub(in crate::posture) fn n10_1(_: &View<'_>, way: &Way<'_>) -> Status {
    if is_unconfined(way) {
        return Status::off(format!(
            "`confinement: none` of server `{}`",
            way.server.name
        ));
    }
    Status::NotBuilt
}

pub(in crate::posture) fn n10_2(_: &View<'_>, way: &Way<'_>) -> Status {
    match way.server.upstream {
        Upstream::Http(_) | Upstream::Sse(_) => {
            Status::lacking(missing(&["the accounts of a server that runs elsewhere"]))
        }
        Upstream::Stdio(_) => Status::lacking(missing(&[
            "an account of its own: the server runs as the user of the gateway",
            "declared mounts: it sees every file of that user",
        ])),
    }
}

pub(in crate::posture) fn n10_3(_: &View<'_>, way: &Way<'_>) -> Status {
    match &way.server.upstream {
        Upstream::Stdio(_) => Status::off(format!(
            "`confinement: none` of server `{}`: it reaches any network",
            way.server.name
        )),
        Upstream::Http(http) | Upstream::Sse(http) => {
            let mut missing = missing(&["the network of a server that runs elsewhere"]);
            if http.network == Network::Private {
                let server = &way.server.name;
                missing.push(format!(
                    "`{server}` may lie in our own network (`network: private`)"
                ));
            }
            Status::lacking(missing)
        }
    }
}

fn is_unconfined(way: &Way<'_>) -> bool {
    matches!(&way.server.upstream, Upstream::Stdio(stdio) if stdio.confinement == Confinement::None)
}
