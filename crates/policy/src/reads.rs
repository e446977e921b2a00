//! What a policy reads, found by looking at it and not at requests. It decides what has to be put
//! into a request at all, and which answers may be remembered.
//!
//! It may say that something is read which is not; it never says the opposite.

use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// On which circumstances decisions can depend, beside caller, action and thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dependence {
    /// Which call is to be approved.
    pub approving: bool,
    /// The arguments of the call.
    pub arguments: bool,
    /// How long ago the caller authenticated.
    pub auth_age: bool,
    /// What the client software calls itself.
    pub client: bool,
    /// The findings in the message.
    pub findings: bool,
    /// The labels of the data that flows in.
    pub labels: bool,
    /// The MCP method.
    pub method: bool,
    /// What the message is for.
    pub purpose: bool,
    /// The session.
    pub session: bool,
    /// The source address.
    pub source: bool,
    /// What detectors suspect.
    pub suspicions: bool,
    /// The time.
    pub time: bool,
}

impl Dependence {
    const ALL: Dependence = Dependence {
        approving: true,
        arguments: true,
        auth_age: true,
        client: true,
        findings: true,
        labels: true,
        method: true,
        purpose: true,
        session: true,
        source: true,
        suspicions: true,
        time: true,
    };

    /// Whether the answer can differ from call to call although caller, thing, findings, labels,
    /// suspicions, method, purpose and client are the same. Such answers are never remembered.
    pub fn is_volatile(self) -> bool {
        self.approving
            || self.arguments
            || self.auth_age
            || self.session
            || self.source
            || self.time
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Dependence {
            approving: self.approving || other.approving,
            arguments: self.arguments || other.arguments,
            auth_age: self.auth_age || other.auth_age,
            client: self.client || other.client,
            findings: self.findings || other.findings,
            labels: self.labels || other.labels,
            method: self.method || other.method,
            purpose: self.purpose || other.purpose,
            session: self.session || other.session,
            source: self.source || other.source,
            suspicions: self.suspicions || other.suspicions,
            time: self.time || other.time,
        }
    }
}

/// What one or several policies read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reads {
    pub(crate) depends: Dependence,
    pub(crate) arguments: Wanted,
    /// Whether any condition asks for the groups of the caller.
    pub(crate) groups: bool,
}

/// How much of a value is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Wanted {
    #[default]
    Nothing,
    /// Only whether it is there.
    Presence,
    /// Only these fields of it.
    Fields(BTreeMap<String, Wanted>),
    All,
}

impl Wanted {
    pub(crate) fn merge(&mut self, other: &Wanted) {
        match (&mut *self, other) {
            (Wanted::All, _) | (_, Wanted::Nothing) => {}
            (Wanted::Fields(mine), Wanted::Fields(theirs)) => {
                for (name, wanted) in theirs {
                    mine.entry(name.clone()).or_default().merge(wanted);
                }
            }
            (Wanted::Presence | Wanted::Fields(_), Wanted::Presence) => {}
            (_, other) => *self = other.clone(),
        }
    }

    fn path(path: &[&str], end: Wanted) -> Self {
        match path {
            [] => end,
            [first, rest @ ..] => Wanted::Fields(BTreeMap::from([(
                (*first).to_owned(),
                Wanted::path(rest, end),
            )])),
        }
    }

    /// The names of the fields that are read, if only fields are.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &str> {
        let fields = match self {
            Wanted::Fields(fields) => Some(fields),
            _ => None,
        };
        fields.into_iter().flatten().map(|(name, _)| name.as_str())
    }
}

impl Reads {
    /// What the conditions of a policy in Cedar's JSON form read. Its scope reads nothing here.
    pub(crate) fn of_policy(policy: &Value) -> Self {
        let mut reads = Reads::default();
        let conditions = policy.get("conditions").and_then(Value::as_array);
        for condition in conditions.into_iter().flatten() {
            reads.walk(condition);
        }
        reads
    }

    pub(crate) fn merge(&mut self, other: &Reads) {
        self.depends = self.depends.or(other.depends);
        self.arguments.merge(&other.arguments);
        self.groups |= other.groups;
    }

    fn walk(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(object) => {
                if let Some(access) = Access::of(object) {
                    return self.note(&access);
                }
                // `principal in X`, and `principal is User in X`, whatever else is in there.
                for operator in ["in", "is"] {
                    if let Some(operation) = object.get(operator)
                        && mentions_principal(operation.get("left"))
                    {
                        self.groups = true;
                    }
                }
                object.values().for_each(|value| self.walk(value));
            }
            _ => {}
        }
    }

    fn note(&mut self, access: &Access<'_>) {
        match (access.variable, access.path.as_slice()) {
            ("principal", ["groups", ..]) => self.groups = true,
            ("context", []) => {
                self.depends = Dependence::ALL;
                self.arguments = Wanted::All;
            }
            ("context", [first, rest @ ..]) => {
                self.depends = self.depends.or(dependence(first));
                if *first == "arguments" {
                    let end = match access.only_presence {
                        true => Wanted::Presence,
                        false => Wanted::All,
                    };
                    self.arguments.merge(&Wanted::path(rest, end));
                }
            }
            _ => {}
        }
    }
}

fn dependence(attribute: &str) -> Dependence {
    let none = Dependence::default();
    match attribute {
        "arguments" => Dependence {
            arguments: true,
            ..none
        },
        "auth_age_s" => Dependence {
            auth_age: true,
            ..none
        },
        "client" => Dependence {
            client: true,
            ..none
        },
        "findings" => Dependence {
            findings: true,
            ..none
        },
        "labels" => Dependence {
            labels: true,
            ..none
        },
        "method" => Dependence {
            method: true,
            ..none
        },
        "needs" | "requester" => Dependence {
            approving: true,
            ..none
        },
        "now" => Dependence { time: true, ..none },
        "purpose" => Dependence {
            purpose: true,
            ..none
        },
        "session" => Dependence {
            session: true,
            ..none
        },
        "source" => Dependence {
            source: true,
            ..none
        },
        "suspicions" => Dependence {
            suspicions: true,
            ..none
        },
        // The schema knows no other; if one slips through, everything may matter.
        _ => Dependence::ALL,
    }
}

/// `variable.a.b`, `variable has a.b`, or the bare variable.
struct Access<'a> {
    variable: &'a str,
    path: Vec<&'a str>,
    only_presence: bool,
}

impl<'a> Access<'a> {
    fn of(node: &'a Map<String, Value>) -> Option<Self> {
        if let Some(variable) = node.get("Var").and_then(Value::as_str) {
            return Some(Access {
                variable,
                path: Vec::new(),
                only_presence: false,
            });
        }
        let (operation, only_presence) = match (node.get("."), node.get("has")) {
            (Some(operation), _) => (operation, false),
            (_, Some(operation)) => (operation, true),
            _ => return None,
        };
        let mut access = Access::of(operation.get("left")?.as_object()?)?;
        if access.only_presence {
            // Something of a truth value: not an access.
            return None;
        }
        match operation.get("attr")? {
            Value::String(name) => access.path.push(name),
            Value::Array(names) => {
                for name in names {
                    access.path.push(name.as_str()?);
                }
            }
            _ => return None,
        }
        access.only_presence = only_presence;
        Some(access)
    }
}

fn mentions_principal(node: Option<&Value>) -> bool {
    match node {
        Some(Value::Array(items)) => items.iter().any(|item| mentions_principal(Some(item))),
        Some(Value::Object(object)) => {
            object.get("Var").and_then(Value::as_str) == Some("principal")
                || object.values().any(|value| mentions_principal(Some(value)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Policy;

    fn reads(condition: &str) -> Reads {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        let policy = Policy::parse(None, text).expect("parses");
        Reads::of_policy(&policy.to_json().expect("has a JSON form"))
    }

    fn depends(condition: &str) -> String {
        let json = serde_json::to_value(reads(condition).depends).expect("serialises");
        let object = json.as_object().expect("an object");
        let names = object.iter().filter(|(_, on)| **on == Value::Bool(true));
        names
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn sees_what_a_condition_depends_on() {
        let everything = "approving arguments auth_age client findings labels method purpose session source suspicions time";
        for (condition, expected) in [
            ("true", ""),
            ("principal.user == resource.name", ""),
            ("context.arguments.path like \"/tmp/*\"", "arguments"),
            ("context.arguments has path", "arguments"),
            ("context has arguments.path", "arguments"),
            (
                "context has source && context.source.isLoopback()",
                "source",
            ),
            ("context.findings.contains(\"x\")", "findings"),
            ("context.suspicions.contains(\"x\")", "suspicions"),
            ("context.session.age_s < 10", "session"),
            ("context.now > datetime(\"2026-01-01\")", "time"),
            ("context.method == \"ping\"", "method"),
            ("context has client", "client"),
            (
                "context has purpose && context.purpose == \"audit\"",
                "purpose",
            ),
            (
                "context has auth_age_s && context.auth_age_s < 9",
                "auth_age",
            ),
            ("context.requester != principal.user", "approving"),
            ("context.needs == \"owners\"", "approving"),
            ("[context.labels].contains([\"a\"])", "labels"),
            (
                "if context.labels.isEmpty() then true else context has source",
                "labels source",
            ),
            ("{a: context.now}.a > datetime(\"2026-01-01\")", "time"),
            ("context == {}", everything),
            ("context has unheard_of", everything),
            (
                "(if true then context else context).arguments.a",
                everything,
            ),
        ] {
            assert_eq!(depends(condition), expected, "{condition}");
        }
    }

    #[test]
    fn sees_which_arguments_are_read() {
        let fields = |names: &[(&str, Wanted)]| {
            Wanted::Fields(
                names
                    .iter()
                    .map(|(n, w)| ((*n).to_owned(), w.clone()))
                    .collect(),
            )
        };
        for (condition, expected) in [
            ("true", Wanted::Nothing),
            ("context.arguments.a == 1", fields(&[("a", Wanted::All)])),
            (
                "context.arguments has a",
                fields(&[("a", Wanted::Presence)]),
            ),
            (
                "context.arguments has a && context.arguments.a == 1",
                fields(&[("a", Wanted::All)]),
            ),
            (
                "context.arguments has a.b && context.arguments.a.c == 1",
                fields(&[("a", fields(&[("b", Wanted::Presence), ("c", Wanted::All)]))]),
            ),
            ("context.arguments == {}", Wanted::All),
            ("context has arguments", Wanted::Presence),
            ("{x: context.arguments}.x.a == 1", Wanted::All),
            ("context == {}", Wanted::All),
            (
                "context.arguments[\"a b\"].contains(\"x\")",
                fields(&[("a b", Wanted::All)]),
            ),
        ] {
            assert_eq!(reads(condition).arguments, expected, "{condition}");
        }
    }

    #[test]
    fn n7_3_sees_whether_groups_matter() {
        for (condition, expected) in [
            ("principal.user == \"a\"", false),
            ("principal == Ringwall::User::\"a\"", false),
            ("principal is Ringwall::User", true), // not really, but it costs nothing
            ("principal.groups.contains(\"a\")", true),
            ("principal has groups", true),
            ("principal in Ringwall::Group::\"a\"", true),
            (
                "principal is Ringwall::User in Ringwall::Group::\"a\"",
                true,
            ),
            (
                "(if true then principal else principal) in Ringwall::Group::\"a\"",
                true,
            ),
            ("resource in Ringwall::Server::\"a\"", false),
        ] {
            assert_eq!(reads(condition).groups, expected, "{condition}");
        }
    }
}
