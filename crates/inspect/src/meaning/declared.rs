//! Meanings that an operator writes into a schema of their own, beside the server's: the keyword
//! `x-ringwall`, as in `{"type": "string", "x-ringwall": {"is": "path", "roots": ["/srv/data"]}}`.
//!
//! Nobody else's keyword is believed: whether there is one is told, and that is all.

use super::{
    Basis, Consequence, Expectation, HostPattern, Kind, Meaning, Reach, Roots, RootsError,
};
use crate::pointer::Pattern;
use serde_json::{Map, Value};
use thiserror::Error;

/// The keyword.
pub const KEYWORD: &str = "x-ringwall";

/// Subschemas that are looked at.
const VISITED: usize = 4096;
/// Levels of nesting.
const DEPTH: usize = 16;

/// Why a declaration is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeclarationError {
    /// The keyword stands where no place can be told.
    #[error("`{KEYWORD}` must stand below `properties`, `items` or `additionalProperties`")]
    Place,
    /// It has the wrong shape.
    #[error("`{member}` of `{KEYWORD}` must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// It has a member that means nothing.
    #[error("`{KEYWORD}` has no member `{0}`, or not for this meaning")]
    Unknown(String),
    /// The roots are none.
    #[error("`roots` of `{KEYWORD}`: {0}")]
    Roots(#[from] RootsError),
    /// There is too much to look at.
    #[error("the schema has more than {VISITED} parts or {DEPTH} levels")]
    TooLarge,
}

/// Whether the keyword stands anywhere in a definition.
pub fn declares(definition: &Value) -> bool {
    let mut open = vec![definition];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                if members.contains_key(KEYWORD) {
                    return true;
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    false
}

/// What an operator's schema declares.
pub fn declared(schema: &Value) -> Result<Vec<(Pattern, Expectation)>, DeclarationError> {
    let mut found = Vec::new();
    let mut open = vec![(schema, Pattern::whole(), 0)];
    let mut visited = 0;
    while let Some((schema, place, depth)) = open.pop() {
        visited += 1;
        if visited > VISITED || depth > DEPTH {
            return Err(DeclarationError::TooLarge);
        }
        let Some(keywords) = schema.as_object() else {
            continue;
        };
        if let Some(said) = keywords.get(KEYWORD) {
            if place.is_empty() {
                return Err(DeclarationError::Place);
            }
            found.push((place.clone(), expectation(said)?));
        }
        for (keyword, inner) in keywords {
            match (keyword.as_str(), inner) {
                ("properties", Value::Object(properties)) => {
                    let inner = properties.iter();
                    open.extend(inner.map(|(name, inner)| (inner, place.member(name), depth + 1)));
                }
                ("items" | "additionalProperties", inner) => {
                    open.push((inner, place.every(), depth + 1));
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(alternatives)) => {
                    let inner = alternatives.iter();
                    open.extend(inner.map(|inner| (inner, place.clone(), depth + 1)));
                }
                (KEYWORD, _) => {}
                // A declaration that nobody would ask is a mistake.
                (_, inner) if declares(inner) => return Err(DeclarationError::Place),
                _ => {}
            }
        }
    }
    Ok(found)
}

fn expectation(said: &Value) -> Result<Expectation, DeclarationError> {
    let expected = "an object with `is`";
    let said = said.as_object().ok_or(DeclarationError::Member {
        member: "x-ringwall",
        expected,
    })?;
    let meaning = said
        .get("is")
        .and_then(Value::as_str)
        .and_then(Meaning::named);
    let meaning = meaning.ok_or(DeclarationError::Member {
        member: "is",
        expected: "one of the meanings",
    })?;
    let mut kind = Kind::of(meaning);
    for (name, value) in said {
        match (name.as_str(), &mut kind) {
            ("is" | "otherwise", _) => {}
            ("network", Kind::Url(addresses) | Kind::Host(addresses)) => {
                addresses.reach = match value.as_str() {
                    Some("public") => Reach::Public,
                    Some("private") => Reach::Private,
                    _ => return Err(member("network", "`public` or `private`")),
                };
            }
            ("roots", Kind::Path(roots)) => {
                *roots = Roots::new(texts(said, "roots")?)?;
            }
            ("schemes", Kind::Url(addresses)) => {
                let schemes = texts(said, "schemes")?;
                addresses.schemes = schemes
                    .into_iter()
                    .map(|scheme| scheme.to_ascii_lowercase().into())
                    .collect();
            }
            ("hosts", Kind::Url(addresses) | Kind::Host(addresses)) => {
                addresses.hosts = hosts(texts(said, "hosts")?)?;
            }
            ("ports", Kind::Url(addresses) | Kind::Host(addresses)) => {
                addresses.ports = ports(value)?
            }
            ("also", Kind::Identifier(letters)) => letters.also = text(value, "also")?.into(),
            ("longest", Kind::Identifier(letters)) => letters.longest = longest(value)?,
            _ => return Err(DeclarationError::Unknown(name.chars().take(64).collect())),
        }
    }
    Ok(Expectation {
        basis: Basis::Declared,
        otherwise: match said.get("otherwise").map(Value::as_str) {
            None | Some(Some("refuse")) => Consequence::Refuse,
            Some(Some("report")) => Consequence::Report,
            Some(_) => return Err(member("otherwise", "`refuse` or `report`")),
        },
        kind,
    })
}

fn member(member: &'static str, expected: &'static str) -> DeclarationError {
    DeclarationError::Member { member, expected }
}

fn texts<'v>(
    said: &'v Map<String, Value>,
    member: &'static str,
) -> Result<Vec<&'v str>, DeclarationError> {
    let wrong = DeclarationError::Member {
        member,
        expected: "a list of texts, at least one",
    };
    let items = said.get(member).and_then(Value::as_array);
    let items = items
        .filter(|items| !items.is_empty())
        .ok_or(wrong.clone())?;
    let texts = items.iter().map(|item| item.as_str().ok_or(wrong.clone()));
    texts.collect()
}

fn text<'v>(value: &'v Value, member: &'static str) -> Result<&'v str, DeclarationError> {
    value.as_str().ok_or(DeclarationError::Member {
        member,
        expected: "a text",
    })
}

fn longest(value: &Value) -> Result<usize, DeclarationError> {
    let number = value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    number
        .filter(|number| *number > 0)
        .ok_or(DeclarationError::Member {
            member: "longest",
            expected: "a number of characters",
        })
}

fn hosts(texts: Vec<&str>) -> Result<Vec<HostPattern>, DeclarationError> {
    let wrong = DeclarationError::Member {
        member: "hosts",
        expected: "a list of hosts, such as `example.com` and `*.example.com`",
    };
    let hosts = texts
        .into_iter()
        .map(|text| HostPattern::parse(text).ok_or(wrong.clone()));
    hosts.collect()
}

fn ports(value: &Value) -> Result<Vec<u16>, DeclarationError> {
    let wrong = DeclarationError::Member {
        member: "ports",
        expected: "a list of port numbers",
    };
    let items = value.as_array().ok_or(wrong.clone())?;
    let ports = items.iter().map(|item| {
        let port = item.as_u64().and_then(|port| u16::try_from(port).ok());
        port.filter(|port| *port > 0).ok_or(wrong.clone())
    });
    ports.collect()
}
