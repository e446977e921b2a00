//! The product's conscience: for every control of the catalogue, whether this configuration enforces
//! it, enforces a part of it, has it switched off, or cannot enforce it because it is not built.
//!
//! Every status is computed from the settled configuration, the policies and, where there is one,
//! the running gateway. None is set by hand to look good: a row that claims to be enforced and names
//! no test that shows it is reported as partial. It decides nothing about a call.

mod judges;
mod rows;
#[cfg(test)]
mod tests;

use crate::claims::Attributes;
use crate::gate::Gate;
use config::settled::{Content, Route, Server, Settled};
use controls::Control;
use policy::{Catalog, Policies, ServerEntry, ToolEntry};
use rows::{Judge, ROWS, Row};
use serde::Serialize;

/// How every control stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version that says so.
    pub version: &'static str,
    /// Whether a running gateway was asked, beside its configuration.
    pub live: bool,
    /// How many controls stand how.
    pub counts: Counts,
    /// Every control, in the order of the catalogue.
    pub controls: Vec<Line>,
}

/// How one control stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its id.
    pub control: Control,
    /// The area it belongs to.
    pub area: &'static str,
    /// The practice, as asked.
    pub practice: &'static str,
    /// How it stands, taken over all routes.
    #[serde(flatten)]
    pub status: Status,
    /// What there is, or why there is nothing.
    pub why: String,
    /// Tests of this source tree that show it.
    pub tests: Vec<&'static str>,
    /// How it stands route by route, where it can differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteLine>,
}

/// How one control stands on one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteLine {
    /// The route.
    pub route: String,
    /// How it stands there.
    #[serde(flatten)]
    pub status: Status,
}

/// How a control stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// All of it is enforced, and tests show it.
    Enforced,
    /// A setting switches it off.
    Off {
        /// The setting.
        setting: String,
    },
    /// Some of it is enforced.
    Partial {
        /// What is missing.
        missing: Vec<String>,
    },
    /// This version has nothing of it.
    NotBuilt,
}

/// How many controls stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Enforced.
    pub enforced: usize,
    /// Enforced in part.
    pub partial: usize,
    /// Switched off.
    pub off: usize,
    /// Not built yet.
    pub not_built: usize,
}

/// How every control stands under this configuration. Without policies nothing is said about what
/// they permit; without a running gateway nothing is said about its state. Policies of no running
/// gateway are compiled with [`catalog`].
pub fn report(settled: &Settled, policies: Option<&Policies>, live: Option<&Gate>) -> Report {
    let view = View {
        settled,
        policies,
        live,
    };
    let controls: Vec<Line> = Control::all().map(|control| view.line(control)).collect();
    let mut counts = Counts::default();
    for line in &controls {
        match line.status {
            Status::Enforced => counts.enforced += 1,
            Status::Off { .. } => counts.off += 1,
            Status::Partial { .. } => counts.partial += 1,
            Status::NotBuilt => counts.not_built += 1,
        }
    }
    Report {
        version: env!("CARGO_PKG_VERSION"),
        live: live.is_some(),
        counts,
        controls,
    }
}

/// A tool that no server has.
const NOBODYS_TOOL: &str = "ringwall-no-such-tool";

/// What policies are compiled with to be judged without a running gateway: every server, each with
/// one tool that nobody has, so that it can be asked whether anybody may call anything.
pub fn catalog(settled: &Settled) -> Catalog {
    let mut catalog = Catalog {
        claims: Attributes::of(&settled.issuers).entries(),
        step_ups: settled.step_up.keys().cloned().collect(),
        ..Catalog::default()
    };
    for server in &settled.servers {
        let (name, labels) = (server.name.to_string(), server.labels.clone());
        catalog.servers.push(ServerEntry {
            name: name.clone(),
            labels,
        });
        let input_schema = serde_json::json!({ "type": "object" });
        let tool = NOBODYS_TOOL.to_owned();
        catalog.tools.push(ToolEntry {
            server: name,
            name: tool,
            input_schema,
            ..ToolEntry::default()
        });
    }
    catalog
}

impl Status {
    /// The word in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Status::Enforced => "enforced",
            Status::Off { .. } => "off",
            Status::Partial { .. } => "partial",
            Status::NotBuilt => "not built",
        }
    }

    /// Enforced if nothing is missing.
    fn lacking(missing: Vec<String>) -> Self {
        if missing.is_empty() {
            Status::Enforced
        } else {
            Status::Partial { missing }
        }
    }

    fn off(setting: impl Into<String>) -> Self {
        Status::Off {
            setting: setting.into(),
        }
    }

    /// What keeps it from being enforced, in words.
    fn shortfalls(&self) -> Vec<String> {
        match self {
            Status::Enforced => Vec::new(),
            Status::Off { setting } => vec![format!("off by {setting}")],
            Status::Partial { missing } => missing.clone(),
            Status::NotBuilt => vec!["not built".to_owned()],
        }
    }
}

impl RouteLine {
    /// What switches it off there.
    fn setting(&self) -> Option<&str> {
        match &self.status {
            Status::Off { setting } => Some(setting),
            _ => None,
        }
    }
}

/// Everything a judgement may look at.
#[derive(Clone, Copy, Debug)]
struct View<'a> {
    settled: &'a Settled,
    policies: Option<&'a Policies>,
    live: Option<&'a Gate>,
}

/// One way through the gateway: a route and the server it leads to.
#[derive(Clone, Copy, Debug)]
struct Way<'a> {
    route: &'a Route,
    server: &'a Server,
}

impl Way<'_> {
    /// Whether the caller is whoever started the gateway around a local server.
    fn is_local(&self) -> bool {
        self.route.issuers.is_empty()
    }

    /// What counts for the text of the server's messages on this route.
    fn content(&self) -> Content {
        self.server.content.on(&self.route.content)
    }
}

impl<'a> View<'a> {
    fn ways(&self) -> impl Iterator<Item = Way<'a>> + use<'a> {
        let settled = self.settled;
        settled.routes.iter().flat_map(|route| {
            let behind = |server: &&Server| route.servers.contains(&server.name);
            let servers = settled.servers.iter().filter(behind);
            servers.map(move |server| Way { route, server })
        })
    }

    fn line(&self, control: Control) -> Line {
        let entry = control.entry();
        let row = ROWS.iter().find(|row| row.control == control);
        let (status, routes) = row.map_or((Status::NotBuilt, Vec::new()), |row| self.judged(row));
        let mut why = row.map_or("", |row| row.why).to_owned();
        for note in judges::notes(self, control) {
            why.push_str("; ");
            why.push_str(&note);
        }
        Line {
            control,
            area: entry.area,
            practice: entry.practice,
            status,
            why,
            tests: row.map(|row| row.tests.to_vec()).unwrap_or_default(),
            routes,
        }
    }

    fn judged(&self, row: &Row) -> (Status, Vec<RouteLine>) {
        let (status, routes) = match row.judge {
            Judge::Absent => (Status::NotBuilt, Vec::new()),
            Judge::Gateway(judge) => (judge(self), Vec::new()),
            Judge::Route(judge) => {
                let lines: Vec<RouteLine> = self
                    .ways()
                    .map(|way| RouteLine {
                        route: way.route.path.clone(),
                        status: judge(self, &way),
                    })
                    .collect();
                (joined(&lines), lines)
            }
        };
        // A claim that nothing shows is no claim.
        if status == Status::Enforced && row.tests.is_empty() {
            return (
                Status::lacking(vec!["a test that shows it".to_owned()]),
                routes,
            );
        }
        (status, routes)
    }
}

/// One status for all routes: the same everywhere, or partial with what is missing where.
fn joined(lines: &[RouteLine]) -> Status {
    let Some(first) = lines.first() else {
        return Status::off("`routes`: there is none");
    };
    if lines.iter().all(|line| line.status == first.status) {
        return first.status.clone();
    }
    // Nothing of it anywhere is not a part of it.
    let nowhere = |line: &RouteLine| matches!(line.status, Status::Off { .. } | Status::NotBuilt);
    if lines.iter().all(nowhere) {
        let mut settings: Vec<&str> = lines.iter().filter_map(RouteLine::setting).collect();
        settings.dedup();
        return Status::off(settings.join("; "));
    }
    let each: Vec<(&str, Vec<String>)> = lines
        .iter()
        .map(|line| (line.route.as_str(), line.status.shortfalls()))
        .collect();
    let is_common = |shortfall: &String| each.iter().all(|(_, all)| all.contains(shortfall));
    let first = each
        .first()
        .map(|(_, all)| all.as_slice())
        .unwrap_or_default();
    let mut missing: Vec<String> = first.iter().filter(|it| is_common(it)).cloned().collect();
    for (route, shortfalls) in &each {
        let own = shortfalls.iter().filter(|shortfall| !is_common(shortfall));
        missing.extend(own.map(|shortfall| format!("`{route}`: {shortfall}")));
    }
    Status::Partial { missing }
}
