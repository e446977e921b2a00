//! What parameters of tools, arguments of prompts and parts of URIs mean: what belongs to which meaning, and the beginning of every pointer.

use super::super::words::{self, Thing};
use super::{each, pointer};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Arguments, Parameter, SchemaFile, ToolPattern, UriForm};
use crate::words::{Meaning, Misfit, Network, Recognised};
use crate::written;
use controls::N1_1;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &written::Arguments,
) -> Arguments {
    let at = |name: &str| format!("{path}.{name}");
    let recognised = written.recognised.unwrap_or(Recognised::Refuse);
    if recognised == Recognised::Ignore {
        let message = "values are not held against what their parameters seem to mean";
        let fix = "write `report`, or declare single parameters `text`";
        problems.warn(N1_1, &at("recognised"), message, fix);
    }
    let mut settled = Arguments {
        recognised,
        network: written.network.unwrap_or(Network::Private),
        roots: roots(problems, path, written.roots.as_deref()),
        ..Arguments::default()
    };
    for (name, all, thing, into) in [
        ("tools", &written.tools, Thing::Tool, &mut settled.tools),
        (
            "prompts",
            &written.prompts,
            Thing::Prompt,
            &mut settled.prompts,
        ),
    ] {
        words::count(problems, &at(name), all.len(), bounds::WORDS);
        for (called, parameters) in all {
            let path = each(&at(name), called);
            let named = words::names(problems, &path, called, thing);
            into.insert(named, self::parameters(problems, &path, parameters));
        }
    }
    settled.resources = resources(problems, &at("resources"), &written.resources);
    settled.schemas = schemas(problems, &at("schemas"), &written.schemas);
    settled.schema_files = schema_files(problems, path, written);
    settled
}

fn parameters(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, written::Parameter>,
) -> BTreeMap<String, Parameter> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let parameters = written.iter().map(|(place, parameter)| {
        let path = each(path, place);
        pointer(problems, &path, place);
        (place.clone(), self::parameter(problems, &path, parameter))
    });
    parameters.collect()
}

fn resources(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, BTreeMap<String, written::Parameter>>,
) -> BTreeMap<UriForm, BTreeMap<String, Parameter>> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let mut settled = BTreeMap::new();
    for (text, parameters) in written {
        let path = each(path, text);
        let own = self::parameters(problems, &path, parameters);
        let form = match UriForm::read(text) {
            Ok(form) if text.len() <= bounds::ADDRESS_LENGTH => form,
            Ok(_) => {
                let message = format!("has more than {} bytes", bounds::ADDRESS_LENGTH);
                problems.refuse(N1_1, &path, message, "write a shorter one");
                continue;
            }
            Err(error) => {
                let fix = "write a URI with variables, such as `file://{+path}` or `repo://{owner}/{name}`";
                problems.refuse(N1_1, &path, error.to_string(), fix);
                continue;
            }
        };
        for place in own.keys() {
            let named = |name: &str| place.strip_prefix('/') == Some(name);
            if !form.variables().any(named) && !named(UriForm::WHOLE) {
                let path = each(&path, place);
                let fix = "write `/` and the name of a variable of the URI, such as `/path`, or `/uri` for all of it";
                problems.refuse(N1_1, &path, "is no variable of the URI", fix);
            }
        }
        settled.insert(form, own);
    }
    settled
}

/// Schemas that are written here.
fn schemas(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, String>,
) -> BTreeMap<ToolPattern, String> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let mut settled = BTreeMap::new();
    for (tool, schema) in written {
        let path = each(path, tool);
        let named = words::names(problems, &path, tool, Thing::Tool);
        if !serde_json::from_str::<Value>(schema).is_ok_and(|schema| schema.is_object()) {
            let fix = "write a JSON Schema as JSON text: `'{\"properties\": {…}}'`";
            problems.refuse(N1_1, &path, "is no JSON Schema", fix);
        }
        settled.insert(named, schema.clone());
    }
    settled
}

/// Schemas that lie in files: what is in them is read later.
fn schema_files(
    problems: &mut Problems,
    path: &str,
    written: &written::Arguments,
) -> BTreeMap<ToolPattern, SchemaFile> {
    let at = format!("{path}.schema_files");
    words::count(problems, &at, written.schema_files.len(), bounds::WORDS);
    let mut settled = BTreeMap::new();
    for (tool, file) in &written.schema_files {
        let path = each(&at, tool);
        if written.schemas.contains_key(tool) {
            let fix = "write the schema in one of the two places";
            problems.refuse(N1_1, &path, "is there in `schemas` as well", fix);
        }
        let named = words::names(problems, &path, tool, Thing::Tool);
        let file = words::path(problems, &path, file);
        settled.insert(named, SchemaFile { file, text: None });
    }
    settled
}

fn parameter(problems: &mut Problems, path: &str, written: &written::Parameter) -> Parameter {
    let is = written.is;
    let addressed = matches!(is, Meaning::Url | Meaning::Host);
    let identifies = is == Meaning::Identifier;
    for (name, said, belongs) in [
        ("roots", written.roots.is_some(), is == Meaning::Path),
        ("schemes", written.schemes.is_some(), is == Meaning::Url),
        ("hosts", written.hosts.is_some(), addressed),
        ("ports", written.ports.is_some(), addressed),
        ("network", written.network.is_some(), addressed),
        ("also", written.also.is_some(), identifies),
        ("longest", written.longest.is_some(), identifies),
    ] {
        if said && !belongs {
            let message = format!("does not belong to `is: {is}`");
            problems.refuse(None, &format!("{path}.{name}"), message, "remove the line");
        }
    }
    Parameter {
        is,
        otherwise: written.otherwise.unwrap_or(Misfit::Refuse),
        roots: roots(problems, path, written.roots.as_deref()),
        schemes: schemes(problems, path, written),
        hosts: hosts(problems, path, written),
        ports: ports(problems, path, written),
        network: written.network,
        also: written.also.clone(),
        longest: written
            .longest
            .map(|longest| bounded(problems, path, longest)),
    }
}

fn bounded(problems: &mut Problems, path: &str, longest: u64) -> u32 {
    let path = format!("{path}.longest");
    super::super::limits::number(problems, &path, Some(longest), bounds::IDENTIFIER)
}

fn roots(problems: &mut Problems, path: &str, written: Option<&[String]>) -> Vec<String> {
    let roots = written.unwrap_or_default().to_vec();
    for (index, root) in roots.iter().enumerate() {
        let unclear = |name: &str| matches!(name, "." | "..") || name.contains(['\\', '\0']);
        if !root.starts_with('/') || root.split('/').any(unclear) || root.contains(char::is_control)
        {
            let fix = "write an absolute path without `.` and `..`, such as `/srv/data`";
            problems.refuse(
                N1_1,
                &format!("{path}.roots[{index}]"),
                "is not a directory",
                fix,
            );
        }
    }
    roots
}

fn schemes(problems: &mut Problems, path: &str, written: &written::Parameter) -> Vec<String> {
    let schemes = written.schemes.clone().unwrap_or_default();
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    for (index, scheme) in schemes.iter().enumerate() {
        if scheme.is_empty() || !scheme.bytes().all(belongs) {
            let path = format!("{path}.schemes[{index}]");
            problems.refuse(
                None,
                &path,
                "is not a scheme",
                "write a scheme such as `https`",
            );
        }
    }
    let lower = schemes.iter().map(|scheme| scheme.to_ascii_lowercase());
    lower.collect()
}

fn hosts(problems: &mut Problems, path: &str, written: &written::Parameter) -> Vec<String> {
    let hosts = written.hosts.clone().unwrap_or_default();
    for (index, host) in hosts.iter().enumerate() {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_host = url::Host::parse(name).is_ok_and(|host| match host {
            url::Host::Domain(name) => !name.is_empty() && !name.contains('*'),
            _ => true,
        });
        if !is_host {
            let fix = "write a host without port, such as `example.com` or `*.example.com`";
            problems.refuse(
                None,
                &format!("{path}.hosts[{index}]"),
                "is not a host",
                fix,
            );
        }
    }
    hosts
}

fn ports(problems: &mut Problems, path: &str, written: &written::Parameter) -> Vec<u16> {
    let mut ports = Vec::new();
    for (index, port) in written.ports.iter().flatten().enumerate() {
        match u16::try_from(*port) {
            Ok(port) if port > 0 => ports.push(port),
            _ => {
                let path = format!("{path}.ports[{index}]");
                problems.refuse(
                    None,
                    &path,
                    "is not a port",
                    "write a number from 1 to 65535",
                );
            }
        }
    }
    ports
}
