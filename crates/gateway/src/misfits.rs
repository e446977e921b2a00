//! Approved tools that `content.minimise` of a server or a route breaks: something that their own schemas
//! require would be left out, or a token stand where none can (control P1). There they are not listed and
//! not to be had. Whoever configures that, or approves the tool afterwards, is told before somebody calls.
//! Nobody is asked anything, and nothing is refused here.

use crate::catalog::Tool;
use crate::content::Minimising;
use crate::gate::Gate;
use crate::pins::{Kind, Pin, Pins};
use crate::route::{Route, Served};
use crate::state::Database;
use config::settled::{self, Settled};
use config::{Problem, Severity};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What is said of the fields that go on of one server's tools, and where.
struct Said<'s> {
    setting: String,
    server: &'s str,
    minimising: Minimising,
}

/// What has to be said of the tools that are approved in this data directory, if there is one. That pins
/// cannot be read is told by whoever needs them.
pub(crate) fn problems(settled: &Settled, data: &Path) -> Vec<Problem> {
    let said = all_said(settled);
    if said.is_empty() || !data.join(Database::NAME).is_file() {
        return Vec::new();
    }
    let Ok(pins) = Pins::open(data) else {
        return Vec::new();
    };
    let each = said.iter().flat_map(|said| {
        let pinned = pins.of(said.server).unwrap_or_default();
        said.problems(&pinned)
    });
    each.collect()
}

/// What is said at each route that says something of its own, and at each server for the other routes.
fn all_said(settled: &Settled) -> Vec<Said<'_>> {
    let mut all = Vec::new();
    for (place, server) in settled.servers.iter().enumerate() {
        let mut say = |setting: String, content: &settled::Content| {
            // What cannot be read keeps the routes from being built, and is told then.
            let minimising = Minimising::new(content).ok();
            all.extend(
                minimising
                    .filter(|it| !it.is_empty())
                    .map(|minimising| Said {
                        setting: format!("{setting}.content.minimise"),
                        server: server.name.as_str(),
                        minimising,
                    }),
            );
        };
        let mut counts = false;
        for (at, route) in settled.routes.iter().enumerate() {
            match &route.content.minimise {
                _ if !route.servers.contains(&server.name) => {}
                Some(_) => say(format!("routes[{at}]"), &server.content.on(&route.content)),
                None => counts = true,
            }
        }
        if counts {
            say(format!("servers[{place}]"), &server.content);
        }
    }
    all
}

impl Said<'_> {
    fn problems(&self, pinned: &HashMap<String, Pin>) -> Vec<Problem> {
        let tools = pinned
            .iter()
            .filter(|(key, _)| Kind::of_key(key).0 == Kind::Tool);
        let mut broken: Vec<(&str, String)> = tools
            .filter_map(|(name, pin)| {
                let why = self.minimising.breaks(name, &pin.definition)?;
                Some((name.as_str(), why))
            })
            .collect();
        broken.sort();
        let problem = |(tool, why): (&str, String)| {
            Problem {
            line: 0,
            column: 0,
            path: self.setting.clone(),
            message: format!(
                "the approved tool `{}/{tool}` is not to be had with this: {why}",
                self.server
            ),
            fix: "let that field go on as it is, or take the approval back if nobody is to call the tool"
                .to_owned(),
            severity: Severity::Warning,
            control: Some(controls::P1),
        }
        };
        broken.into_iter().map(problem).collect()
    }
}

/// Writes down where a tool that comes into force is not to be had, and why.
pub(crate) fn note(gate: &Gate, served: &Served, tool: &Tool) {
    let runtime = gate.runtime();
    let mut routes: Vec<&Arc<Route>> = runtime.routes.values().collect();
    routes.sort_by(|one, other| one.path.cmp(&other.path));
    for route in routes {
        let mut servers = route.servers.iter();
        let Some(here) = servers.find(|it| std::ptr::eq(&***it, served)) else {
            continue;
        };
        let minimising = route.content(Some(here)).minimising();
        if let Some(why) = minimising.breaks(&tool.name, &tool.definition) {
            let (route, server, tool) = (&*route.path, &*served.name, &*tool.name);
            tracing::warn!(route, server, tool, "not to be had there: {why}");
            gate.note_misfit(route, (server, tool), &why);
        }
    }
}

#[cfg(test)]
mod tests;
