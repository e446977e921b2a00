//! The judge of what is sent to servers (control 1.1): hidden text, secrets, and values that are not what
//! their parameters mean.

use super::{Status, View, Way, data, reports_hidden_text};
use config::settled::{Arguments, Misfit, Network, Parameter, Recognised};
use std::collections::BTreeMap;
use std::fmt::Display;

pub(in crate::posture) fn n1_1(_: &View<'_>, way: &Way<'_>) -> Status {
    let arguments = way.content().arguments;
    let mut missing = Vec::new();
    missing.extend(reports_hidden_text(way));
    missing.extend(data::arguments(way));
    missing.extend(recognised(&arguments));
    missing.extend(declared("tools", &arguments.tools));
    missing.extend(declared("prompts", &arguments.prompts));
    missing.extend(declared("resources", &arguments.resources));
    Status::lacking(missing)
}

/// What passes of values whose meaning is recognised. A recognised path may lie anywhere and a recognised
/// address in one's own network until somebody says where.
fn recognised(arguments: &Arguments) -> Vec<String> {
    let passes = match arguments.recognised {
        Recognised::Refuse => None,
        Recognised::Report => Some("are reported and pass"),
        Recognised::Ignore => {
            return vec![
                "arguments are not held against what their parameters seem to mean \
                 (`content.arguments.recognised: ignore`)"
                    .to_owned(),
            ];
        }
    };
    let mut missing = Vec::new();
    missing.extend(passes.map(|passes| {
        format!(
            "arguments that cannot be what their parameters seem to mean {passes} \
             (`content.arguments.recognised: report`)"
        )
    }));
    if arguments.roots.is_empty() {
        let text =
            "a recognised path may lie anywhere (`content.arguments.roots` names no directory)";
        missing.push(text.to_owned());
    }
    if arguments.network == Network::Private {
        let text = "a recognised address may lie in our own network (`content.arguments.network: private`)";
        missing.push(text.to_owned());
    }
    missing
}

/// The parameters that are declared and pass where they do not fit.
fn declared<Of: Display>(
    kind: &str,
    all: &BTreeMap<Of, BTreeMap<String, Parameter>>,
) -> Vec<String> {
    let places = all
        .iter()
        .flat_map(|(of, places)| places.iter().map(move |(place, it)| (of, place, it)));
    let weak = places.filter(|(.., it)| it.otherwise == Misfit::Report);
    let told = weak.map(|(of, place, it)| {
        format!(
            "`{place}` of `{of}` passes where it is no {} (`content.arguments.{kind}`: `otherwise: report`)",
            it.is
        )
    });
    told.collect()
}
