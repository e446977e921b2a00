//! The endpoints of the gateway, and everything they refer to.
//!
//! Every route has an audience of its own: a token for one is worth nothing at another. What a route
//! offers can only be less than what its servers have.

mod profile;
mod protocol;

use super::address::{self, Query};
use super::{Callers, limits, words};
use crate::bounds;
use crate::naming;

use crate::problem::Problems;
use crate::settled::{
    AuthorizationServer, Bridge, Elicitation, Exact, Issuer, Limits, Recording, Route, Server,
    ServerName, Sessions,
};
use crate::words::{Durability, Possession};
use crate::written;
use controls::{M1, M2, N6_4, N8_3};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// What routes refer to.
pub(super) struct Routes<'a> {
    pub(super) callers: Callers,
    pub(super) public_url: Option<&'a Url>,
    pub(super) issuers: &'a [written::Issuer],
    pub(super) authority: Option<&'a written::AuthorizationServer>,
    pub(super) servers: &'a [written::Server],
    pub(super) limits: &'a Limits,
}

impl Routes<'_> {
    /// The routes, each path and each audience once.
    pub(super) fn settle(&self, problems: &mut Problems, written: &[written::Route]) -> Vec<Route> {
        if written.is_empty() {
            let fix = "add `- path: /name` and `server: name` below `routes:`";
            problems.refuse(
                None,
                "routes",
                "is empty, so no server could be reached",
                fix,
            );
        }
        words::count(problems, "routes", written.len(), bounds::ROUTES);
        let mut audiences = BTreeMap::new();
        let mut routes = Vec::new();
        for (index, written) in written.iter().enumerate() {
            let path = format!("routes[{index}]");
            let Some(route) = self.route(problems, &path, written) else {
                continue;
            };
            // The same path twice is told once, below.
            if let Some((first, its_path)) =
                audiences.insert(route.resource.clone(), (index, route.path.clone()))
                && its_path != route.path
            {
                let message = format!(
                    "is the audience of routes[{first}] already: a token for one would open both"
                );
                problems.refuse(
                    M1,
                    &format!("{path}.resource"),
                    message,
                    "give each route its own",
                );
            }
            routes.push(route);
        }
        overlaps(problems, written);
        routes
    }

    fn route(
        &self,
        problems: &mut Problems,
        path: &str,
        written: &written::Route,
    ) -> Option<Route> {
        let at = |name: &str| format!("{path}.{name}");
        let well_formed = is_path(&written.path);
        if !well_formed {
            let fix = "write `/` and words of letters, digits, `-`, `_`, `~` and `.`: `/files`; no `/` at \
                       the end, no word that begins with `.`";
            problems.refuse(None, &at("path"), "is not a path for a route", fix);
        }
        let servers = self.servers(problems, path, written);
        let profile = profile::settle(
            problems,
            path,
            written,
            servers.as_deref().unwrap_or_default(),
        );
        let resource = self.resource(problems, &at("resource"), written);
        let issuers = self.accepted(problems, path, written.issuers.as_deref());
        super::issuers::one_introspects(problems, path, self.issuers, &issuers);
        let audiences = super::issuers::audiences(problems, &at("audiences"), &written.audiences);
        let all = self.issuers.iter();
        let accepted: Vec<_> = all.filter(|it| issuers.contains(&it.issuer)).collect();
        super::issuers::not_signed_in(problems, &at("audiences"), &audiences, &accepted);
        let scopes = scopes(problems, &at("scopes"), &written.scopes);
        let protocol = protocol::settle(problems, &at("protocol"), &written.protocol);
        let ledger = recording(problems, &at("ledger.keep"), &written.ledger);
        let sessions = sessions(problems, &at("sessions"), &written.sessions);
        let bridge = bridge(problems, &at("bridge"), &written.bridge);
        let elicitation = elicitation(problems, &at("elicitation.urls"), &written.elicitation);
        let content = super::content::route(problems, &at("content"), &written.content);
        let limits = limits::route(problems, &at("limits"), &written.limits, &self.limits.call);
        if !well_formed {
            return None;
        }
        Some(Route {
            path: written.path.clone(),
            servers: servers?,
            tools: profile.tools,
            prompts: profile.prompts,
            resources: profile.resources,
            resource: resource?,
            audiences,
            issuers,
            scopes,
            possession: written.possession.unwrap_or(Possession::None),
            protocol,
            ledger,
            sessions,
            bridge,
            elicitation,
            content,
            limits,
        })
    }

    /// The servers of a route: one or several, never both ways of saying it.
    fn servers(
        &self,
        problems: &mut Problems,
        path: &str,
        written: &written::Route,
    ) -> Option<Vec<ServerName>> {
        let at = format!("{path}.servers");
        let list = match (&written.server, &written.servers) {
            (Some(one), None) => {
                let server = self.server(problems, &format!("{path}.server"), one)?;
                return Some(vec![server]);
            }
            (None, Some(list)) => list,
            (Some(_), Some(_)) => {
                let fix = "keep one of them: `servers` if there are several";
                problems.refuse(None, &at, "stands beside `server`", fix);
                return None;
            }
            (None, None) => {
                let fix = "add `server: name`, or `servers: [one, two]`";
                problems.refuse(None, path, "leads to no server", fix);
                return None;
            }
        };
        if list.is_empty() {
            let fix = "name the servers, or one as `server: name`";
            problems.refuse(None, &at, "is empty, so no server could be reached", fix);
        }
        words::count(problems, &at, list.len(), bounds::ROUTE_SERVERS);
        let mut servers = Vec::new();
        let mut known = BTreeMap::new();
        for (index, name) in list.iter().enumerate() {
            let path = format!("{at}[{index}]");
            if let Some(first) = known.insert(name.as_str(), index) {
                let message = format!("is {at}[{first}] already");
                problems.refuse(None, &path, message, "name each server once");
                continue;
            }
            servers.extend(self.server(problems, &path, name));
        }
        let names: Vec<_> = servers.iter().map(ServerName::as_str).collect();
        if let ([_, _, ..], Err(error)) = (names.as_slice(), naming::check_servers(&names)) {
            let index = list.iter().rposition(|it| it == error.server());
            let path = index.map_or(at.clone(), |index| format!("{at}[{index}]"));
            problems.refuse(None, &path, error.to_string(), error.fix());
        }
        (servers.len() == list.len()).then_some(servers)
    }

    fn server(&self, problems: &mut Problems, path: &str, name: &str) -> Option<ServerName> {
        let names = || self.servers.iter().map(|it| it.name.as_str());
        if names().any(|it| it == name) {
            return Some(ServerName(name.to_owned()));
        }
        let fix = match crate::nearest::nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add a server of this name below `servers:`".to_owned(),
        };
        let message = format!("there is no server `{}`", crate::yaml::shortened(name));
        problems.refuse(None, path, message, fix);
        None
    }

    fn resource(
        &self,
        problems: &mut Problems,
        path: &str,
        written: &written::Route,
    ) -> Option<String> {
        let Some(text) = &written.resource else {
            // Without a public address its own problem has been told.
            let base = address::canonical(self.public_url?);
            return Some(format!("{base}{}", written.path.trim_end_matches('/')));
        };
        let url = address::read(problems, path, text, Query::None)?;
        if self
            .public_url
            .is_some_and(|public| public.origin() != url.origin())
        {
            let message = "is not under `public_url`: clients refuse metadata that names another resource \
                           than the address they were given";
            problems.warn(
                M1,
                path,
                message,
                "remove the line, or set `public_url` to what callers use",
            );
        }
        Some(address::canonical(&url))
    }

    fn accepted(
        &self,
        problems: &mut Problems,
        path: &str,
        said: Option<&[String]>,
    ) -> Vec<String> {
        if self.callers == Callers::Local {
            return Vec::new();
        }
        // Our own first: where there is one, clients are to go there.
        let own = self.public_url.filter(|_| self.authority.is_some());
        let own = own.map(|url| url.as_str().trim_end_matches('/'));
        let others = self.issuers.iter().map(|it| it.issuer.as_str());
        let all: Vec<&str> = own.into_iter().chain(others).collect();
        let known: BTreeSet<_> = all.iter().copied().collect();
        let Some(said) = said else {
            if known.is_empty() {
                let message = "accepts no issuer's tokens, and nobody is let in without one";
                let fix = "add an issuer below `issuers:`; for trying things out, `ringwall demo` brings one";
                problems.refuse(M2, path, message, fix);
            }
            return all.into_iter().map(str::to_owned).collect();
        };
        let path = format!("{path}.issuers");
        if said.is_empty() {
            let message = "is empty, and nobody is let in without a token";
            problems.refuse(
                M2,
                &path,
                message,
                "name an issuer, or remove the line for all of them",
            );
        }
        words::count(problems, &path, said.len(), bounds::ISSUERS);
        for (index, name) in said.iter().enumerate() {
            if !known.contains(name.as_str()) {
                let trimmed = name.trim_end_matches('/');
                let near = known.iter().find(|it| it.trim_end_matches('/') == trimmed);
                let fix = match near {
                    Some(near) => format!("write it exactly: `{near}`"),
                    None => "name one of those below `issuers:`, byte for byte".to_owned(),
                };
                let path = format!("{path}[{index}]");
                problems.refuse(M1, &path, "is no issuer of this configuration", fix);
            }
        }
        words::once(said)
    }
}

/// Warns of what no route uses.
pub(super) fn unused(
    problems: &mut Problems,
    routes: &[Route],
    (issuers, own): (&[Issuer], Option<&AuthorizationServer>),
    servers: &[Server],
) {
    let used: BTreeSet<_> = routes.iter().flat_map(|it| &it.servers).collect();
    for (index, _) in servers
        .iter()
        .enumerate()
        .filter(|(_, it)| !used.contains(&it.name))
    {
        let fix = "add a route to it, or remove it";
        problems.warn(
            None,
            &format!("servers[{index}]"),
            "no route leads to this server",
            fix,
        );
    }
    let used: BTreeSet<_> = routes.iter().flat_map(|it| &it.issuers).collect();
    for (index, _) in issuers
        .iter()
        .enumerate()
        .filter(|(_, it)| !used.contains(&it.issuer))
        // Where people sign in for tokens of ours, no token of its own need be accepted.
        .filter(|(_, it)| {
            let signs_in = |exact: &Exact| own.is_some_and(|own| own.sign_in == exact.issuer);
            !it.exact().iter().any(signs_in)
        })
    {
        let fix = "name it in a route's `issuers`, or remove it";
        problems.warn(
            None,
            &format!("issuers[{index}]"),
            "no route accepts this issuer",
            fix,
        );
    }
}

pub(super) fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_~.".contains(&b);
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    // Words that begin with a dot are steps up, or the well-known documents of the gateway itself.
    let word = |it: &str| !it.is_empty() && !it.starts_with('.') && it.bytes().all(plain);
    path.len() <= 256 && (rest.is_empty() || rest.split('/').all(word))
}

/// Refuses a path that lies below another one's, or differs from it in case only: what stands in front
/// of the gateway may treat both as one.
fn overlaps(problems: &mut Problems, written: &[written::Route]) {
    let mut all: Vec<(Vec<String>, usize)> = written
        .iter()
        .enumerate()
        .filter(|(_, it)| is_path(&it.path))
        .map(|(index, it)| {
            let lower = it.path.to_ascii_lowercase();
            let words = lower.split('/').filter(|it| !it.is_empty());
            (words.map(str::to_owned).collect(), index)
        })
        .collect();
    all.sort();
    // In this order everything below a path follows it directly.
    let mut above: Option<(Vec<String>, usize)> = None;
    for (words, index) in all {
        let Some((prefix, first)) = above
            .as_ref()
            .filter(|(prefix, _)| words.starts_with(prefix))
        else {
            above = Some((words, index));
            continue;
        };
        let message = if prefix.len() == words.len() {
            format!("is the path of routes[{first}] already")
        } else {
            format!("lies below the path of routes[{first}]")
        };
        let fix = "give each route a path that begins with a word of its own";
        problems.refuse(None, &format!("routes[{index}].path"), message, fix);
    }
}

fn scopes(problems: &mut Problems, path: &str, written: &[String]) -> Vec<String> {
    words::count(problems, path, written.len(), bounds::WORDS);
    for (index, scope) in written.iter().enumerate() {
        words::word(problems, &format!("{path}[{index}]"), scope, "a scope");
    }
    words::once(written)
}

fn recording(problems: &mut Problems, path: &str, written: &written::Recording) -> Recording {
    let keep = words::once(&written.keep);
    if !keep.is_empty() {
        let message = "writes values into the ledger that may be personal data or secrets";
        let fix = "keep digests only, unless you must show what was said";
        problems.warn(N6_4, path, message, fix);
    }
    Recording {
        durability: written.durability.unwrap_or(Durability::BeforeAnswer),
        keep,
    }
}

fn sessions(problems: &mut Problems, path: &str, written: &written::Sessions) -> Sessions {
    let at = |name: &str| format!("{path}.{name}");
    let idle = limits::time(
        problems,
        &at("idle"),
        written.idle.as_ref(),
        bounds::SESSION_IDLE,
    );
    let absolute = limits::time(
        problems,
        &at("absolute"),
        written.absolute.as_ref(),
        bounds::SESSION_ABSOLUTE,
    );
    if idle > absolute {
        let message = "is longer than `absolute`, which would end the session first";
        problems.refuse(
            N8_3,
            &at("idle"),
            message,
            "write a shorter time, or a longer `absolute`",
        );
    }
    Sessions {
        idle,
        absolute,
        per_user: limits::number(
            problems,
            &at("per_user"),
            written.per_user,
            bounds::SESSIONS_PER_USER,
        ),
    }
}

fn bridge(problems: &mut Problems, path: &str, written: &written::Bridge) -> Bridge {
    let at = |name: &str| format!("{path}.{name}");
    Bridge {
        parked_per_user: limits::number(
            problems,
            &at("parked_per_user"),
            written.parked_per_user,
            bounds::PARKED_PER_USER,
        ),
        parked_time: limits::time(
            problems,
            &at("parked_time"),
            written.parked_time.as_ref(),
            bounds::PARKED_TIME,
        ),
        gather: limits::time(
            problems,
            &at("gather"),
            written.gather.as_ref(),
            bounds::GATHER,
        ),
    }
}

fn elicitation(problems: &mut Problems, path: &str, written: &written::Elicitation) -> Elicitation {
    let Some(list) = &written.urls else {
        return Elicitation { hosts: None };
    };
    words::count(problems, path, list.len(), bounds::WORDS);
    let mut hosts = Vec::new();
    for (index, text) in list.iter().enumerate() {
        if let Some(host) = address::host(text) {
            hosts.push(host);
            continue;
        }
        let fix = if text.contains('*') {
            "name each host: a pattern would let in what others put up there"
        } else {
            "write a name without scheme, port and path: `login.example.com`"
        };
        problems.refuse(None, &format!("{path}[{index}]"), "is not a host name", fix);
    }
    Elicitation {
        hosts: Some(words::once(&hosts)),
    }
}
