//! The servers behind the gateway.
//!
//! A process of this machine is named word by word, never as a line for a shell, and its lack of
//! confinement has to be spelled out.

use super::address::{self, Query};
use super::oauth::{self, Known};
use super::words::Thing;
use super::{limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::secret::{SecretRef, is_variable, looks_secret, sounds_secret};
use crate::settled::{
    Credential, Drift, Era, HiddenText, Http, Pins, Process, Schema, Server, ServerName, Stdio,
    ToolLabels, Upstream, Variable,
};
use crate::words::{Confinement, Network};
use crate::written;
use controls::{N1_2, N1_4, N3_4, N6_3, N7_1, N9_2, N10_1};
use std::collections::BTreeMap;

/// The servers, each name once.
pub(super) fn settle(
    problems: &mut Problems,
    written: &[written::Server],
    known: Known<'_>,
) -> Vec<Server> {
    words::count(problems, "servers", written.len(), bounds::SERVERS);
    let mut named = BTreeMap::new();
    let mut servers = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let path = format!("servers[{index}]");
        if let Some(first) = named.insert(written.name.as_str(), index) {
            let message = format!("is the name of servers[{first}] already");
            problems.refuse(
                None,
                &format!("{path}.name"),
                message,
                "give each server its own name",
            );
        }
        servers.extend(server(problems, &path, known, written));
    }
    servers
}

fn server(
    problems: &mut Problems,
    path: &str,
    known: Known<'_>,
    written: &written::Server,
) -> Option<Server> {
    let at = |name: &str| format!("{path}.{name}");
    if !is_server_name(&written.name) {
        let fix = "write up to 63 lowercase letters, digits, `-` and `_`, a letter or digit first";
        problems.refuse(None, &at("name"), "is not a name for a server", fix);
    }
    let upstream = upstream(problems, path, known, written);
    let era = era(problems, path, written);
    let pins = written.pins.unwrap_or(Pins::Approval);
    let schema = written.schema.unwrap_or(Schema::Strict);
    let hidden_text = written.hidden_text.unwrap_or(HiddenText::Remove);
    weakened(problems, path, pins, schema, hidden_text);
    Some(Server {
        name: ServerName(written.name.clone()),
        upstream: upstream?,
        era,
        pins,
        accept_drift: written.accept_drift.unwrap_or(Drift::None),
        schema,
        hidden_text,
        content: super::content::server(problems, &at("content"), &written.content),
        timeout: limits::time(
            problems,
            &at("timeout"),
            written.timeout.as_ref(),
            bounds::TIMEOUT,
        ),
        labels: words::labels(problems, &at("labels"), &written.labels),
        tools: tools(problems, &at("tools"), &written.tools),
    })
}

/// How the server is reached: in one way of the three.
fn upstream(
    problems: &mut Problems,
    path: &str,
    known: Known<'_>,
    written: &written::Server,
) -> Option<Upstream> {
    let at = |name: &str| format!("{path}.{name}");
    let ways = [
        ("http", written.http.is_some()),
        ("sse", written.sse.is_some()),
        ("stdio", written.stdio.is_some()),
    ];
    let mut said = ways.iter().filter(|(_, said)| *said).map(|(way, _)| *way);
    let Some(first) = said.next() else {
        let fix = "add `http: { url: … }` or `stdio: { command: […] }`";
        problems.refuse(None, path, "has neither `http` nor `stdio`", fix);
        return None;
    };
    let mut several = false;
    for other in said {
        let message = format!("stands beside `{first}`: a server is one or the other");
        let fix = "keep one of them, or make two servers of it";
        problems.refuse(None, &at(other), message, fix);
        several = true;
    }
    if several {
        return None;
    }
    match (&written.http, &written.sse, &written.stdio) {
        (Some(it), ..) => http(problems, &at("http"), known, it).map(Upstream::Http),
        (_, Some(it), _) => {
            let message = "speaks the transport of 2024-11-05, which is deprecated: its answers can be lost \
                           and are not resumed";
            let fix = "write `http` as soon as the server speaks Streamable HTTP";
            problems.warn(N3_4, &at("sse"), message, fix);
            http(problems, &at("sse"), known, it).map(Upstream::Sse)
        }
        (.., Some(it)) => stdio(problems, &at("stdio"), it).map(Upstream::Stdio),
        (None, None, None) => None,
    }
}

/// The era; the old transport knows only one.
fn era(problems: &mut Problems, path: &str, written: &written::Server) -> Era {
    let era = written.era.unwrap_or(Era::Auto);
    if written.sse.is_none() {
        return era;
    }
    if era == Era::Modern {
        let message = "is an era that has no HTTP+SSE: no server could be met";
        let fix = "remove the line, or reach the server over `http`";
        problems.refuse(N3_4, &format!("{path}.era"), message, fix);
    }
    Era::Legacy
}

/// What each weaker setting costs, and the combination that is one too many.
fn weakened(problems: &mut Problems, path: &str, pins: Pins, schema: Schema, hidden: HiddenText) {
    if hidden == HiddenText::Report {
        let path = format!("{path}.hidden_text");
        if pins == Pins::FirstUse {
            let message = "`report` with `pins: first_use` lets definitions reach a model that nobody has \
                           looked at, with text in them that nobody sees";
            let fix = "write `hidden_text: remove`, or `pins: approval`";
            problems.refuse(N9_2, &path, message, fix);
        } else {
            let message = "lets invisible text reach the model unless a policy refuses it";
            let fix = "write `remove`, or refuse the finding in a policy";
            problems.warn(N1_4, &path, message, fix);
        }
    }
    if schema == Schema::Declared {
        let message = "lets arguments pass that the tool's schema does not name";
        let fix = "write `strict`, or have the server describe its arguments";
        problems.warn(N1_2, &format!("{path}.schema"), message, fix);
    }
}

pub(super) fn is_server_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let begins = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    begins && name.len() <= 63 && name.bytes().all(plain)
}

fn http(
    problems: &mut Problems,
    path: &str,
    known: Known<'_>,
    written: &written::Http,
) -> Option<Http> {
    let at = |name: &str| format!("{path}.{name}");
    let network = written.network.unwrap_or(Network::Public);
    let url = address::read(problems, &at("url"), &written.url, Query::Allowed);
    if let Some(url) = &url {
        address::within(problems, &at("url"), "network", url, network);
        let mut steps = url.path_segments().into_iter().flatten();
        if steps.any(looks_secret) {
            let message = "has something like a secret in its path, which ends up in logs";
            problems.warn(
                N6_3,
                &at("url"),
                message,
                "ask for an address that takes a `credential`",
            );
        }
    }
    let credential = match &written.oauth {
        Some(it) => granted(problems, path, (url.as_ref(), known), (written, it)),
        None => credential(problems, path, written),
    };
    Some(Http {
        url: url?,
        network,
        credential: credential?,
    })
}

/// Tokens, and nothing beside them.
fn granted(
    problems: &mut Problems,
    path: &str,
    (url, known): (Option<&url::Url>, Known<'_>),
    (written, it): (&written::Http, &written::Oauth),
) -> Option<Credential> {
    let beside = [
        ("credential", written.credential.is_some()),
        ("header", written.header.is_some()),
    ];
    for (name, _) in beside.iter().filter(|(_, said)| *said) {
        let message = "stands beside `oauth`: a server is shown one or the other";
        problems.refuse(N7_1, &format!("{path}.{name}"), message, "keep one of them");
    }
    let oauth = oauth::settle(problems, &format!("{path}.oauth"), url, known, it);
    oauth.map(|oauth| Credential::Oauth(Box::new(oauth)))
}

fn credential(problems: &mut Problems, path: &str, written: &written::Http) -> Option<Credential> {
    let header = match &written.header {
        Some(name) => Some(header(problems, &format!("{path}.header"), name)?),
        None => None,
    };
    match (&written.credential, header) {
        (Some(text), header) => {
            let secret = words::secret(problems, &format!("{path}.credential"), text)?;
            Some(match header {
                Some(name) => Credential::Header { name, secret },
                None => Credential::Bearer(secret),
            })
        }
        (None, Some(_)) => {
            let fix = "add `credential: env:NAME`, or remove the header";
            problems.refuse(
                None,
                &format!("{path}.header"),
                "has no credential to carry",
                fix,
            );
            None
        }
        (None, None) => Some(Credential::None),
    }
}

/// A header of its own for a credential: none that means something to HTTP or MCP.
fn header(problems: &mut Problems, path: &str, name: &str) -> Option<String> {
    const TAKEN: [&str; 19] = [
        "accept",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "last-event-id",
        "origin",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || name.len() > bounds::WORD_LENGTH || !name.bytes().all(plain) {
        problems.refuse(
            None,
            path,
            "is not the name of a header",
            "write a name such as `X-Api-Key`",
        );
        return None;
    }
    if lower == "authorization" {
        let fix = "remove the line: a credential is sent as `Authorization: Bearer …` anyway";
        problems.refuse(N7_1, path, "is where a credential goes by itself", fix);
        return None;
    }
    if TAKEN.contains(&lower.as_str()) || lower.starts_with("mcp-") {
        let message = "has a meaning of its own and cannot carry a credential";
        problems.refuse(N7_1, path, message, "write a name such as `X-Api-Key`");
        return None;
    }
    Some(lower)
}

fn stdio(problems: &mut Problems, path: &str, written: &written::Stdio) -> Option<Stdio> {
    let at = |name: &str| format!("{path}.{name}");
    command(problems, &at("command"), &written.command);
    words::count(
        problems,
        &at("environment"),
        written.environment.len(),
        bounds::WORDS,
    );
    let mut environment = BTreeMap::new();
    for (name, value) in &written.environment {
        let path = at("environment");
        let path = format!("{path}{}", crate::yaml::step_name(&path, name));
        if let Some(value) = variable(problems, &path, name, value.as_str()) {
            environment.insert(name.clone(), value);
        }
    }
    let directory = words::path(
        problems,
        &at("directory"),
        written.directory.as_deref().unwrap_or("."),
    );
    let confinement = match written.confinement {
        Some(Confinement::None) => {
            let message = "runs unconfined: it can do whatever the user that runs Ringwall can do";
            let fix = "run it elsewhere and reach it over `http`, or run Ringwall as a user that owns nothing";
            problems.warn(N10_1, &at("confinement"), message, fix);
            Some(Confinement::None)
        }
        None => {
            let message =
                "does not say that the process runs unconfined, and confinement is not built yet";
            let fix =
                "add `confinement: none` if you trust the program with everything this user can do";
            problems.refuse(N10_1, &at("confinement"), message, fix);
            None
        }
    };
    Some(Stdio {
        command: written.command.clone(),
        environment,
        directory,
        process: written.process.unwrap_or(Process::User),
        confinement: confinement?,
    })
}

fn command(problems: &mut Problems, path: &str, command: &[String]) {
    words::count(problems, path, command.len(), bounds::WORDS);
    let Some(program) = command.first() else {
        let fix = "name program and arguments: `[mcp-server-time, --local-timezone, UTC]`";
        problems.refuse(None, path, "is empty", fix);
        return;
    };
    let is_line = command.len() == 1 && program.contains(' ') && !program.contains(['/', '\\']);
    if program.is_empty() {
        problems.refuse(
            None,
            &format!("{path}[0]"),
            "names no program",
            "name the program first",
        );
    } else if is_line {
        let fix = "write each word as an entry of its own: `[program, argument]`";
        problems.refuse(
            None,
            &format!("{path}[0]"),
            "is a line for a shell, and no shell reads it",
            fix,
        );
    }
    for (index, word) in command.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let flag = word
            .split_once('=')
            .filter(|(name, value)| name.starts_with('-') && !value.is_empty());
        let given = flag.map_or(word.as_str(), |(_, value)| value);
        if word.contains('\0') || word.len() > bounds::ADDRESS_LENGTH {
            problems.refuse(
                None,
                &path,
                "is no argument a program can be given",
                "shorten it",
            );
        } else if looks_secret(given) || flag.is_some_and(|(name, _)| sounds_secret(name)) {
            let message =
                "holds what looks like a secret, and every user of this machine can read arguments";
            let fix = "pass it in `environment` as `NAME: env:NAME`, and replace the secret";
            problems.refuse(N6_3, &path, message, fix);
        }
    }
}

fn variable(problems: &mut Problems, path: &str, name: &str, value: &str) -> Option<Variable> {
    if !is_variable(name) {
        let fix = "write letters, digits and `_`, no digit first";
        problems.refuse(
            None,
            path,
            "is not the name of an environment variable",
            fix,
        );
        return None;
    }
    let scheme = value.split_once(':').map(|(scheme, _)| scheme);
    if matches!(
        scheme,
        Some("env" | "file" | "vault" | "aws-sm" | "azure-kv")
    ) {
        return match SecretRef::parse(value) {
            Ok(secret) => Some(Variable::Secret(secret)),
            Err(error) => {
                problems.refuse(N6_3, path, error.to_string(), error.fix());
                None
            }
        };
    }
    if (sounds_secret(name) && !value.is_empty()) || looks_secret(value) {
        let message = "holds what looks like a secret instead of a reference to one";
        let fix =
            format!("write `{name}: env:{name}`, and replace the secret: it was written down");
        problems.refuse(N6_3, path, message, fix);
        return None;
    }
    if value.contains('\0') {
        problems.refuse(
            None,
            path,
            "is no value of a variable",
            "remove the zero byte",
        );
    }
    Some(Variable::Literal(value.to_owned()))
}

fn tools(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, written::ToolLabels>,
) -> Vec<ToolLabels> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let mut tools = Vec::new();
    for (pattern, labels) in written {
        let path = format!("{path}{}", crate::yaml::step_name(path, pattern));
        let labels = words::labels(problems, &format!("{path}.labels"), &labels.labels);
        let tools_named = words::names(problems, &path, pattern, Thing::Tool);
        tools.push(ToolLabels {
            tools: tools_named,
            labels,
        });
    }
    tools
}
