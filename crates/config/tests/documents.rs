//! Every piece of configuration that the pages of `docs/` show is one that settles, once what a page leaves
//! out is there: other servers, a route, an issuer.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

use ringwall_config as config;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Pages that are written from definitions, and show no configuration.
const WRITTEN: [&str; 3] = ["admin-api.md", "cli.md", "configuration.md"];

/// A tenant of Entra.
const TENANT: &str = "0f4ae8d8-1c6c-4b52-9d4e-3a0c8f5d7b11";

/// What readers put their own in the place of.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("<tenant>", TENANT),
    ("<client id>", "9b1d"),
    ("<application id of the server's API>", "api://files"),
    ("9b1d…", "9b1d"),
    (
        "5A:0C:…",
        "5A:0C:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
    ),
    ("…", ""),
];

/// Members of a configuration, in its order.
const WHOLE: [&str; 17] = [
    "version",
    "public_url",
    "data",
    "listeners",
    "issuers",
    "authorization_server",
    "dpop",
    "servers",
    "routes",
    "providers",
    "policies",
    "step_up",
    "approvals",
    "administration",
    "limits",
    "ledger",
    "log",
];

/// A piece of a page that looks like YAML.
struct Piece {
    page: PathBuf,
    line: usize,
    text: String,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/content"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("there are pages") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str());
            let is_written = name.is_some_and(|name| WRITTEN.contains(&name));
            if path.extension().is_some_and(|it| it == "md") && !is_written {
                pages.push(path);
            }
        }
    }
    pages
}

/// The blocks of a page: between fences, or indented behind an empty line.
fn pieces(page: &Path) -> Vec<Piece> {
    let text = std::fs::read_to_string(page).expect("it can be read");
    let mut pieces = Vec::new();
    let mut fence = None;
    let mut open: Option<(usize, Vec<&str>)> = None;
    let mut before = "";
    for (number, line) in text.lines().enumerate().chain([(0, "")]) {
        let is_fence = line.trim_start().starts_with("```");
        let goes_on = match fence {
            Some(()) => !is_fence,
            None => line.starts_with("    "),
        };
        match (&mut open, goes_on) {
            (Some((_, lines)), true) => lines.push(line),
            (None, true) if fence.is_some() || before.trim().is_empty() => {
                open = Some((number + 1, vec![line]));
            }
            (_, true) => {}
            (_, false) => {
                pieces.extend(open.take().map(|(line, lines)| Piece {
                    page: page.to_owned(),
                    line,
                    text: outdented(&lines),
                }));
            }
        }
        if is_fence {
            fence = match fence {
                None => Some(()),
                Some(()) => None,
            };
        }
        before = line;
    }
    pieces
}

fn outdented(lines: &[&str]) -> String {
    let indent = |line: &&&str| line.len() - line.trim_start().len();
    let written = lines.iter().filter(|line| !line.trim().is_empty());
    let least = written.map(|line| indent(&line)).min().unwrap_or(0);
    let lines = lines
        .iter()
        .map(|line| line.get(least..).unwrap_or_default());
    lines.map(|line| format!("{line}\n")).collect()
}

impl Piece {
    /// Its members, if it is of a configuration.
    fn members(&self) -> Option<Map<String, Value>> {
        let first = self.text.lines().next()?;
        let (name, rest) = first.split_once(':')?;
        let is_name = name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
        let is_yaml = rest.is_empty() || rest.starts_with(' ');
        let others = ["content", "front", "oauth", "tls"];
        if !is_name || !is_yaml || !(WHOLE.contains(&name) || others.contains(&name)) {
            return None;
        }
        let mut text = self.text.clone();
        for (placeholder, own) in PLACEHOLDERS {
            text = text.replace(placeholder, own);
        }
        // `off` is a word.
        let options = serde_saphyr::options! { strict_booleans: true };
        let read: Value = serde_saphyr::from_str_with_options(&text, options)
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", self.place()));
        read.as_object().cloned()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page.display(), self.line)
    }
}

fn base() -> Value {
    json!({
        "version": 1,
        "public_url": "https://mcp.example.com",
        "listeners": [{ "address": "127.0.0.1:8443" }],
        "issuers": [
            { "issuer": "https://id.example.com",
                "sign_in": { "client": "ringwall", "secret": "env:SIGN_IN" } },
            { "issuer": "https://login.microsoftonline.com/{tenant}/v2.0", "profile": "entra",
                "tenants": [TENANT] },
            { "issuer": "https://sts.windows.net/{tenant}/", "profile": "entra", "tenants": [TENANT] },
        ],
        "policies": ["policies/*.cedar"],
    })
}

/// What a page leaves out, put beside what it shows; once with what it says of content at the server, and
/// once at the route.
fn completed(members: &Map<String, Value>) -> Vec<Value> {
    let mut config = base();
    let (mut server, mut content) = (json!({}), None);
    for (name, value) in members {
        match name.as_str() {
            "content" => content = Some(value.clone()),
            "front" | "tls" => config["listeners"][0][name] = value.clone(),
            "oauth" => server = json!({ "oauth": value }),
            _ => config[name] = value.clone(),
        }
    }
    let mut servers = config["servers"].as_array().cloned().unwrap_or_default();
    let mut routes = config["routes"].as_array().cloned().unwrap_or_default();
    for route in &routes {
        let names = route.get("server").into_iter();
        let names = names.chain(route["servers"].as_array().into_iter().flatten());
        for name in names {
            if !servers.iter().any(|server| server["name"] == *name) {
                servers.push(json!({ "name": name }));
            }
        }
    }
    if servers.is_empty() {
        servers.push(json!({ "name": "files" }));
    }
    for one in &mut servers {
        let is_reached = ["http", "sse", "stdio"]
            .iter()
            .any(|way| one.get(way).is_some());
        if !is_reached {
            one["http"] = json!({ "url": "https://mcp.example.com/mcp" });
        }
    }
    if let (Some(oauth), Some(first)) = (server.get("oauth"), servers.first_mut()) {
        first["http"]["oauth"] = oauth.clone();
    }
    if routes.is_empty() {
        let route = |server: &Value| {
            let name = server["name"].as_str().unwrap_or_default();
            json!({ "path": format!("/{name}"), "server": name })
        };
        routes.extend(servers.iter().map(route));
    }
    let with = |at_route: bool| {
        let (mut config, mut servers, mut routes) =
            (config.clone(), servers.clone(), routes.clone());
        let place = match at_route {
            true => routes.first_mut(),
            false => servers.first_mut(),
        };
        if let (Some(content), Some(place)) = (&content, place) {
            place["content"] = content.clone();
        }
        config["servers"] = servers.into();
        config["routes"] = routes.into();
        config
    };
    match content {
        Some(_) => vec![with(false), with(true)],
        None => vec![with(false)],
    }
}

#[test]
fn every_piece_of_configuration_on_a_page_settles() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for piece in pages().iter().flat_map(|page| pieces(page)) {
        let Some(members) = piece.members() else {
            continue;
        };
        count += 1;
        for config in completed(&members) {
            if let Err(problems) = config::load(&config.to_string()) {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                wrong.push(format!("{}\n{}", piece.place(), told.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 15, "only {count} pieces were found");
}
