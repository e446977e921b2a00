//! What is scanned, and how it is read: a gateway is made of it that listens nowhere and keeps its data
//! in a folder that is gone afterwards.

use super::Scan;
use anyhow::{Context as _, bail};
use config::settled::{Credential, Http, Network, Settled, SigningKey, Upstream};
use gateway::clock::SystemClock;
use gateway::house::House;
use gateway::load::{self, Loaded};
use gateway::pins::Kind;
use gateway::scan::{self, Examined, Offer, Offered, Subject};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use url::{Host, Url};

/// What some editors write before a text.
const BOM: &[u8] = "\u{feff}".as_bytes();
/// Bytes of a file of definitions.
const FILE: u64 = 16 * 1024 * 1024;

/// What is scanned.
#[derive(Debug)]
pub(super) enum Target<'a> {
    Command(&'a [String], &'a [String]),
    Config(&'a Path, &'a [String]),
    Definitions(&'a Path),
    Url(&'a str),
}

impl Scan {
    pub(super) fn target(&self) -> Target<'_> {
        match (&self.url, &self.config, &self.definitions) {
            (Some(url), ..) => Target::Url(url),
            (_, Some(file), _) => Target::Config(file, &self.server),
            (.., Some(file)) => Target::Definitions(file),
            (None, None, None) => Target::Command(&self.command, &self.env),
        }
    }
}

impl Target<'_> {
    /// Reads it and examines what was read.
    pub(super) fn examined(&self) -> anyhow::Result<Examined> {
        if let Target::Definitions(file) = self {
            return Ok(scan::examine(&[written(file)?]));
        }
        let data = tempfile::tempdir().context("cannot make a folder to work in")?;
        let loaded = self.loaded(&data)?;
        let names = self.names(&loaded.settled)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let subjects = runtime.block_on(read(loaded, names));
        // A process that does not end holds up nobody.
        runtime.shutdown_background();
        Ok(scan::examine(&subjects?))
    }

    /// A configuration in which nothing listens and nothing is kept.
    fn loaded(&self, data: &TempDir) -> anyhow::Result<Loaded> {
        let mut loaded = match self {
            Target::Config(file, _) => load::load(file)?,
            Target::Command(command, env) => around(command, env, data)?,
            Target::Url(url) => toward(url, data)?,
            Target::Definitions(_) => bail!("a file is not a server"),
        };
        loaded.settled.data = data.path().to_owned();
        // Nothing that is kept for good is signed, so no key of the operator's is opened.
        loaded.settled.ledger.key = SigningKey::Made(data.path().join("ledger.key"));
        loaded.settled.listeners.clear();
        Ok(loaded)
    }

    /// Which of its servers are scanned.
    fn names(&self, settled: &Settled) -> anyhow::Result<Vec<String>> {
        let all: Vec<String> = settled
            .servers
            .iter()
            .map(|it| it.name.to_string())
            .collect();
        let wanted: &[String] = match self {
            Target::Config(_, wanted) => wanted,
            _ => &[],
        };
        if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
            bail!(
                "there is no server `{unknown}`: known are {}",
                all.join(", ")
            );
        }
        Ok(match wanted.is_empty() {
            true => all,
            false => wanted.to_vec(),
        })
    }
}

/// The tools in a file, as `tools/list` answers them.
fn written(file: &Path) -> anyhow::Result<Subject> {
    let told = || format!("`{}` cannot be read", file.display());
    // What a file says of its length is not true of a pipe.
    let opened = std::fs::File::open(file).with_context(told)?;
    let mut bytes = Vec::new();
    opened
        .take(FILE + 1)
        .read_to_end(&mut bytes)
        .with_context(told)?;
    if bytes.len() as u64 > FILE {
        bail!(
            "`{}` is larger than {} MiB",
            file.display(),
            FILE / 1024 / 1024
        );
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
    let list: Value = serde_json::from_slice(text).with_context(told)?;
    let list = list.get("result").unwrap_or(&list);
    let definitions: Vec<Offered> = [Kind::Tool, Kind::Prompt, Kind::Resource, Kind::Template]
        .into_iter()
        .filter(|kind| {
            let member = kind.listed().map_or("", |(member, _)| member);
            list.get(member).is_some() || (list.is_array() && *kind == Kind::Tool)
        })
        .flat_map(|kind| Offered::of_list(kind, list))
        .collect();
    if definitions.is_empty() {
        bail!(
            "`{}` has no definitions: it must be an answer to `tools/list`",
            file.display()
        );
    }
    let goes_on = list.get("nextCursor").is_some_and(Value::is_string);
    let missing = goes_on.then(|| {
        let why = "the answer has a `nextCursor`: put the tools of all pages into one file";
        ("the next page", why.to_owned())
    });
    Ok(Subject {
        offer: Offer {
            server: "file".to_owned(),
            definitions,
            missing: missing.into_iter().collect(),
            ..Offer::default()
        },
        ..Subject::default()
    })
}

async fn read(loaded: Loaded, names: Vec<String>) -> anyhow::Result<Vec<Subject>> {
    let ways = loaded.settled.servers.iter().map(|server| {
        let way = match &server.upstream {
            Upstream::Stdio(stdio) => (stdio.command.clone(), None),
            Upstream::Http(http) | Upstream::Sse(http) => {
                (Vec::new(), http.url.host_str().map(str::to_owned))
            }
        };
        (server.name.to_string(), (way, Some(server.schema)))
    });
    let mut ways: HashMap<_, _> = ways.collect();
    let house = House::build(loaded, Arc::new(SystemClock::default())).await?;
    let gate = Arc::clone(house.gate());
    let mut subjects = Vec::new();
    for name in names {
        let offer = match scan::read(&gate, &name).await {
            Ok(offer) => offer,
            Err(error) => Offer {
                server: name.clone(),
                missing: vec![("initialize", error.to_string())],
                ..Offer::default()
            },
        };
        let ((command, host), schema) = ways.remove(&name).unwrap_or_default();
        subjects.push(Subject {
            offer,
            command,
            host,
            schema,
        });
    }
    house.serve(std::future::ready(())).await?;
    Ok(subjects)
}

/// A gateway around a command, which sees what a wrapped one sees.
fn around(command: &[String], env: &[String], data: &TempDir) -> anyhow::Result<Loaded> {
    let here = std::env::current_dir().context("cannot tell where we are")?;
    let data = data
        .path()
        .to_str()
        .context("the folder for temporary files has no name in UTF-8")?;
    let settled = config::wrap::around(command, data, &[]).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    });
    let mut settled = settled?.0.rooted_at(&here);
    crate::wrap::surround(&mut settled, env);
    Ok(bare(settled))
}

/// A gateway to a server that runs.
fn toward(url: &str, data: &TempDir) -> anyhow::Result<Loaded> {
    let url = Url::parse(url).with_context(|| format!("`{url}` is no URL"))?;
    let is_near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => bail!("`{url}` names no host"),
    };
    if !["http", "https"].contains(&url.scheme()) {
        bail!("`{url}` is not met over HTTP: a URL begins with `https://`");
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_near) {
        bail!("`{url}` is not encrypted: only a server on this machine is reached over http");
    }
    // Any command will do: its place is taken.
    let command = ["none".to_owned()];
    let mut loaded = around(&command, &[], data)?;
    for server in &mut loaded.settled.servers {
        server.upstream = Upstream::Http(Http {
            url: url.clone(),
            network: match is_near {
                true => Network::Private,
                false => Network::Public,
            },
            credential: Credential::None,
        });
    }
    Ok(loaded)
}

fn bare(settled: Settled) -> Loaded {
    Loaded {
        settled,
        policies: Vec::new(),
        administration: vec![policy::Administration::built_in()],
        warnings: Vec::new(),
    }
}
