//! The traffic that is run again: records of a ledger, or a file with a message a line
//! (`docs/replay.md` has its shape).

use crate::data::ledgers_in;
use crate::policies::recorded;
use anyhow::Context as _;
use audit::{Content, Follower, From, OwnedRecord, Verdict};
use config::settled::Settled;
use gateway::stages::replay::{Over, SaidThen};
use policy::cases::{Case, CaseClaim, CaseContext, CasePrincipal};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// The longest line of a file that is read, in bytes.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// One message, and what became of it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) over: Over,
    pub(super) then: Then,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It went its way.
    Allowed,
    /// It was refused.
    Refused,
    /// Nobody says.
    Unknown,
}

/// Why a record cannot be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is about a part of a message, or of several servers.
    Elsewhere,
    /// It was refused by what no rule decides, such as a token or a limit.
    Early,
    /// The configuration in force has no such route.
    Nowhere,
}

impl Unusable {
    pub(super) fn words(self) -> &'static str {
        match self {
            Unusable::Early => "refused by what no rule decides: a token, a limit",
            Unusable::Nowhere => "of the configuration: there is no such route",
            Unusable::Elsewhere => "concerns no single server, or nobody in particular",
        }
    }
}

/// The calls that the ledgers in this directory hold, of this time.
pub(super) fn of_ledger(
    data: &Path,
    since: Option<u64>,
    until: Option<u64>,
) -> anyhow::Result<Vec<Result<Item, Unusable>>> {
    let mut items = Vec::new();
    for ledger in ledgers_in(data)? {
        let mut follower = Follower::open(&ledger, From::Start)?;
        while let Some(entry) = follower.poll()? {
            let Content::Record(record) = entry.content else {
                continue;
            };
            let is_in_time = since.is_none_or(|since| since <= record.at_ms)
                && until.is_none_or(|until| record.at_ms <= until);
            if is_in_time && record.kind == audit::Kind::Call && record.method.is_some() {
                items.push(of_record(&record));
            }
        }
    }
    Ok(items)
}

fn of_record(record: &OwnedRecord) -> Result<Item, Unusable> {
    let then = match (record.verdict, &record.refusal) {
        (Verdict::Allowed | Verdict::Failed, _) => Then::Allowed,
        (Verdict::Refused, Some(refusal)) if is_of_rules(refusal) || is_denied(record) => {
            Then::Refused
        }
        (Verdict::Refused, _) => return Err(Unusable::Early),
    };
    let (Some(route), Some(server)) = (&record.route, &record.server) else {
        return Err(Unusable::Elsewhere);
    };
    let case = recorded::question(record).map_err(|_| Unusable::Elsewhere)?;
    let kept = record.kept.as_ref();
    let text = |text: Option<&std::borrow::Cow<'_, str>>| text.map(|text| text.to_string());
    Ok(Item {
        over: Over {
            route: route.to_string(),
            server: server.to_string(),
            arguments: text(kept.and_then(|kept| kept.arguments.as_ref())),
            answer: text(kept.and_then(|kept| kept.answer.as_ref())),
            said: record.scores.iter().map(said).collect(),
            case,
        },
        then,
    })
}

/// Whether policies refused it. What a caller may not even see is refused as if it were not there.
fn is_denied(record: &OwnedRecord) -> bool {
    let policy = record.policy.as_ref();
    policy.and_then(|policy| policy.verdict.as_deref()) == Some("deny")
}

/// Whether rules of text, detectors or policies refused it.
fn is_of_rules(refusal: &audit::Refusal<'_>) -> bool {
    let code = &*refusal.code;
    let ours = [
        "content",
        "answer_content",
        "answer_suspected",
        "hidden_text",
        "answer_hidden_text",
        "answer_data_refused",
        "answer_schema",
        "argument_meaning",
        "arguments_schema",
        "data_refused",
        "definition_unusable",
        "purpose_unknown",
    ];
    code.starts_with("policy_")
        || code.starts_with("content_")
        || code.starts_with("approval_")
        || code.starts_with("step_up_")
        || ours.contains(&code)
}

fn said(score: &audit::Score<'_>) -> SaidThen {
    SaidThen {
        detector: score.detector.to_string(),
        rule: score.rule.to_string(),
        value: u16::try_from(score.value).unwrap_or(u16::MAX),
        place: score.place.to_string(),
    }
}

/// A line of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    route: String,
    #[serde(default)]
    server: Option<String>,
    issuer: String,
    user: String,
    #[serde(default)]
    client: String,
    #[serde(default)]
    groups: Option<Vec<String>>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, CaseClaim>,
    #[serde(default)]
    at_ms: i64,
    message: Request,
    #[serde(default)]
    answer: Option<Box<RawValue>>,
    #[serde(default)]
    scores: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: String,
    #[serde(default)]
    params: Params,
}

#[derive(Debug, Default, Deserialize)]
struct Params {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    arguments: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    detector: String,
    rule: String,
    value: u16,
    place: String,
}

/// The messages of a file.
pub(super) fn of_file(
    path: &Path,
    settled: &Settled,
) -> anyhow::Result<Vec<Result<Item, Unusable>>> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut items = Vec::new();
    for number in 1.. {
        let mut text = String::new();
        let read = reader.by_ref().take(LINE_BYTES).read_line(&mut text);
        let read = read.with_context(|| format!("cannot read `{}`", path.display()))?;
        if read == 0 {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        // What some editors write before a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let line: Line = serde_json::from_str(text)
            .with_context(|| format!("`{}`, line {number}", path.display()))?;
        items.push(of_line(number, line, settled));
    }
    Ok(items)
}

fn of_line(number: u64, line: Line, settled: &Settled) -> Result<Item, Unusable> {
    let mut routes = settled.routes.iter();
    let route = routes.find(|route| route.path == line.route);
    let only = route.and_then(|route| match route.servers.as_slice() {
        [only] => Some(only.as_str().to_owned()),
        _ => None,
    });
    let server = line.server.or(only).ok_or(match route {
        Some(_) => Unusable::Elsewhere,
        None => Unusable::Nowhere,
    })?;
    let Params {
        name,
        uri,
        arguments,
    } = line.message.params;
    let subject = name.or(uri).unwrap_or_default();
    let (action, resource) = recorded::asked(&line.message.method, &server, &subject);
    let arguments = arguments.map(|raw| raw.get().to_owned());
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    Ok(Item {
        over: Over {
            route: line.route,
            server,
            case: Case {
                name: format!("line {number}"),
                principal: CasePrincipal {
                    client: line.client,
                    groups: line.groups,
                    scopes: line.scopes,
                    claims: line.claims,
                    ..recorded::somebody(line.issuer, line.user)
                },
                action,
                resource,
                arguments: arguments.as_deref().and_then(object),
                context: CaseContext {
                    method: line.message.method,
                    now_ms: line.at_ms,
                    ..CaseContext::default()
                },
                expect: policy::Verdict::Allow,
                by: None,
                lift: None,
            },
            arguments,
            answer: line.answer.map(|raw| raw.get().to_owned()),
            said: line
                .scores
                .into_iter()
                .map(|told| SaidThen {
                    detector: told.detector,
                    rule: told.rule,
                    value: told.value,
                    place: told.place,
                })
                .collect(),
        },
        then: Then::Unknown,
    })
}
