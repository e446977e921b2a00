//! One server of an editor's list: what of it can be carried over, and what must not be.

use super::Import;
use crate::init::Reach;
use crate::secret::{is_variable, looks_secret, sounds_secret};
use crate::words::Network;
use serde_json::{Map, Value};
use std::net::IpAddr;
use url::{Host, Url};

/// What stands for an argument that looked like a secret.
const REMOVED: &str = "REMOVED";

impl Import {
    /// How the server is reached, and the comments it earns.
    pub(super) fn reach(
        &mut self,
        name: &str,
        entry: &Map<String, Value>,
    ) -> Option<(Reach, Vec<String>)> {
        let url = ["url", "serverUrl", "httpUrl"]
            .into_iter()
            .find_map(|it| entry.get(it));
        match (entry.get("command"), url) {
            (Some(Value::String(command)), None) if !command.is_empty() => {
                Some(self.stdio(name, command, entry))
            }
            (None, Some(Value::String(url))) => self.http(name, url, entry),
            (Some(_), Some(_)) => {
                self.note(name, "left out: it has a command and an address");
                None
            }
            _ => {
                self.note(name, "left out: it has neither a command nor an address");
                None
            }
        }
    }

    fn stdio(
        &mut self,
        name: &str,
        command: &str,
        entry: &Map<String, Value>,
    ) -> (Reach, Vec<String>) {
        let mut about = Vec::new();
        let mut words = vec![command.to_owned()];
        let args = entry.get("args").and_then(Value::as_array);
        words.extend(args.into_iter().flatten().map(plain));
        let words = self.arguments(name, words, &mut about);
        let mut environment = Vec::new();
        let pairs = entry.get("env").and_then(Value::as_object);
        for (key, value) in pairs.into_iter().flatten() {
            if !is_variable(key) {
                self.note(name, "a variable whose name is none was left out");
                continue;
            }
            let value = self.value(name, key, &plain(value), &mut about);
            environment.push((key.clone(), value));
        }
        let directory = entry
            .get("cwd")
            .and_then(Value::as_str)
            .filter(|it| !it.is_empty());
        let reach = Reach::Stdio {
            command: words,
            environment,
            directory: directory.map(str::to_owned),
        };
        self.note(
            name,
            "runs as a process of this machine, and nothing confines it",
        );
        (reach, about)
    }

    /// Arguments are visible to every user of a machine: a secret does not belong there, and is not
    /// copied.
    fn arguments(
        &mut self,
        name: &str,
        words: Vec<String>,
        about: &mut Vec<String>,
    ) -> Vec<String> {
        let mut promised = false;
        let mut kept = Vec::with_capacity(words.len());
        for word in words {
            let flag = word
                .split_once('=')
                .filter(|(flag, _)| flag.starts_with('-'));
            let secret = match flag {
                Some((flag, value)) => {
                    (sounds_secret(flag) && !value.is_empty()) || looks_secret(value)
                }
                None => looks_secret(&word) || (promised && !word.starts_with('-')),
            };
            let safe = match flag {
                Some((flag, _)) if secret => format!("{flag}="),
                None if secret => REMOVED.to_owned(),
                _ => word.clone(),
            };
            if secret {
                let text = "an argument that looked like a secret was not copied: pass it in `environment` \
                            as a reference";
                about.push(format!("{text}."));
                self.note(name, text);
            }
            promised = flag.is_none() && word.starts_with('-') && sounds_secret(&word);
            kept.push(safe);
        }
        kept
    }

    /// The value of a variable: as it is, or a reference where it is or might be a secret.
    fn value(&mut self, name: &str, key: &str, value: &str, about: &mut Vec<String>) -> String {
        if let Some(variable) = substituted(value) {
            let text = format!("export {variable} before the gateway starts");
            self.note(name, text);
            return format!("env:{variable}");
        }
        let scheme = ["env:", "file:", "vault:", "aws-sm:", "azure-kv:"];
        let confusing = scheme.iter().any(|it| value.starts_with(it)) || value.contains("${");
        if value.is_empty() || !(sounds_secret(key) || looks_secret(value) || confusing) {
            return value.to_owned();
        }
        let variable = self.variable(name, key, value);
        self.not_copied(name, &variable, about);
        format!("env:{variable}")
    }

    fn not_copied(&mut self, name: &str, variable: &str, about: &mut Vec<String>) {
        about.push(format!(
            "The value of {variable} was not copied: export it before the start."
        ));
        let text = format!("a secret was not copied: export {variable} before the gateway starts");
        self.note(name, text);
    }

    fn http(
        &mut self,
        name: &str,
        address: &str,
        entry: &Map<String, Value>,
    ) -> Option<(Reach, Vec<String>)> {
        let mut about = Vec::new();
        let kind = entry
            .get("type")
            .or(entry.get("transport"))
            .and_then(Value::as_str);
        let Ok(mut url) = Url::parse(address) else {
            self.note(name, "left out: its address cannot be read");
            return None;
        };
        let local = matches!(reach_of(&url), Place::Here);
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            self.note(
                name,
                "left out: its address is unencrypted and not on this machine",
            );
            return None;
        }
        self.cleaned(name, &mut url);
        let network = match reach_of(&url) {
            Place::Here | Place::Inside => Network::Private,
            Place::Outside => Network::Public,
        };
        let (credential, header) = self.headers(name, entry, &mut about);
        let url = url.into();
        let reach = if kind == Some("sse") {
            let text = "speaks the old HTTP+SSE transport in the editor: write `http` instead of `sse` if \
                        it speaks Streamable HTTP too";
            self.note(name, text);
            Reach::Sse {
                url,
                network,
                credential,
                header,
            }
        } else {
            Reach::Http {
                url,
                network,
                credential,
                header,
            }
        };
        Some((reach, about))
    }

    /// Takes out of an address what does not belong there.
    fn cleaned(&mut self, name: &str, url: &mut Url) {
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            // Neither can fail: the address has a host.
            let _ = (url.set_username(""), url.set_password(None));
            self.note(
                name,
                "user and password in its address were not copied: use a `credential`",
            );
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let bad = |(key, value): &(String, String)| {
            sounds_secret(key) || looks_secret(value) || value.contains("${")
        };
        if pairs.iter().any(bad) {
            let kept: Vec<_> = pairs.iter().filter(|it| !bad(it)).collect();
            url.set_query(None);
            if !kept.is_empty() {
                url.query_pairs_mut().extend_pairs(kept);
            }
            self.note(
                name,
                "a secret in its address was not copied: use a `credential`",
            );
        }
        let steps: Vec<String> = url
            .path_segments()
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        if steps.iter().any(|it| looks_secret(it)) {
            let kept = steps.iter().map(|it| {
                if looks_secret(it) {
                    REMOVED
                } else {
                    it.as_str()
                }
            });
            let path: Vec<_> = kept.collect();
            url.set_path(&path.join("/"));
            self.note(
                name,
                "something like a secret in the path of its address was not copied: put it back if \
                             it is part of the address",
            );
        }
    }

    /// One credential can be carried; other headers have no place here.
    fn headers(
        &mut self,
        name: &str,
        entry: &Map<String, Value>,
        about: &mut Vec<String>,
    ) -> (Option<String>, Option<String>) {
        let mut carried = (None, None);
        let pairs = entry.get("headers").and_then(Value::as_object);
        for (key, value) in pairs.into_iter().flatten() {
            let value = plain(value);
            let is_authorization = key.eq_ignore_ascii_case("authorization");
            let bearer = value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let secret = match (is_authorization, bearer) {
                (true, Some((_, token))) => token.trim(),
                (true, None) => {
                    self.note(
                        name,
                        "its `Authorization` is not a bearer token and was not carried over",
                    );
                    continue;
                }
                (false, _) => value.as_str(),
            };
            let is_secret = is_authorization || sounds_secret(key) || looks_secret(secret);
            if !is_secret || carried.0.is_some() || !is_header(key) {
                self.note(
                    name,
                    "a header was not carried over: one credential is all that is sent",
                );
                continue;
            }
            let variable = match substituted(secret) {
                Some(variable) => {
                    self.note(name, format!("export {variable} before the gateway starts"));
                    variable
                }
                None => {
                    let variable = self.variable(name, &format!("{name}_{}", short(key)), secret);
                    self.not_copied(name, &variable, about);
                    variable
                }
            };
            let header = (!is_authorization).then(|| key.clone());
            carried = (Some(format!("env:{variable}")), header);
        }
        carried
    }
}

fn short(header: &str) -> &str {
    if header.eq_ignore_ascii_case("authorization") {
        "TOKEN"
    } else {
        header
    }
}

fn is_header(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let lower = name.to_ascii_lowercase();
    let taken = ["cookie", "host", "origin", "proxy-authorization"].contains(&lower.as_str());
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(plain)
        && !taken
        && !lower.starts_with("mcp-")
}

/// The variable that an editor would put in the place of the whole value.
fn substituted(value: &str) -> Option<String> {
    let inner = value
        .strip_prefix("${")
        .and_then(|it| it.strip_suffix('}'))
        .or_else(|| value.strip_prefix('$'))?;
    let name = inner
        .strip_prefix("env:")
        .or_else(|| inner.strip_prefix("input:"))
        .unwrap_or(inner);
    let name = super::variable_name(name);
    is_variable(&name).then_some(name)
}

/// Numbers and truths are text to a process.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\0', ""),
        other => other.to_string(),
    }
}

enum Place {
    Here,
    Inside,
    Outside,
}

fn reach_of(url: &Url) -> Place {
    match url.host() {
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            Place::Here
        }
        Some(Host::Domain(name)) => {
            let inside =
                !name.contains('.') || name.ends_with(".internal") || name.ends_with(".local");
            if inside {
                Place::Inside
            } else {
                Place::Outside
            }
        }
        Some(Host::Ipv4(ip)) => of_ip(IpAddr::V4(ip), ip.is_private()),
        Some(Host::Ipv6(ip)) => of_ip(IpAddr::V6(ip), ip.is_unique_local()),
        None => Place::Outside,
    }
}

fn of_ip(ip: IpAddr, private: bool) -> Place {
    match (ip.is_loopback(), private) {
        (true, _) => Place::Here,
        (false, true) => Place::Inside,
        (false, false) => Place::Outside,
    }
}
