//! Arguments of a tool that travel in headers too: the `x-mcp-header` annotations of its input
//! schema (rule H9), the headers they ask for, and whether those that came agree (H10). It reads a
//! schema as far as annotations go; it never holds arguments against it.

use super::value::{self, MirrorError};
use super::{Mirrored, Mismatch, PARAM_PREFIX, Required, Sent, check_coded};
use crate::accept::is_token;
use crate::document::{Kind, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

const ANNOTATION: &str = "x-mcp-header";

/// Longest name in an annotation, in bytes.
const NAME_MAX: usize = 128;

/// Longest way to a mirrored argument: the names of its properties together, in bytes.
const PATH_MAX: usize = 1024;

/// The largest integer that JavaScript holds exactly.
const SAFE_MAX: i64 = (1 << 53) - 1;

/// Longest place in an error, in characters: the schema is a stranger's.
const PLACE_MAX: usize = 128;

/// The arguments of one tool that are mirrored. Owns what it holds, so that it can be kept beside
/// the definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    list: Vec<Param>,
}

/// One mirrored argument.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    header: Box<str>,
    path: Vec<Box<str>>,
}

/// Why a tool's annotations are none: the tool must be left out of the list (H9). Each names where
/// in the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// There are more than [`Params::MAX`].
    #[error("`{0}`: more than {max} `x-mcp-header` in one tool", max = Params::MAX)]
    Count(Box<str>),
    /// The name is longer than any that is meant for a header.
    #[error("`{0}`: an `x-mcp-header` longer than {NAME_MAX} bytes")]
    Long(Box<str>),
    /// The names of the properties that lead to it are too long.
    #[error("`{0}`: an `x-mcp-header` on a property whose way there is over {PATH_MAX} bytes")]
    Path(Box<str>),
    /// Not a property that is reached through `properties` alone.
    #[error(
        "`{0}`: an `x-mcp-header` that is not on a property reached through `properties` alone"
    )]
    Place(Box<str>),
    /// Another one has the same name, but for case.
    #[error("`{0}`: an `x-mcp-header` that another property has too")]
    Repeated(Box<str>),
    /// Not a text, or not one that can be part of a header's name.
    #[error("`{0}`: an `x-mcp-header` that is no token of HTTP")]
    Token(Box<str>),
    /// Not an integer, string or boolean.
    #[error("`{0}`: an `x-mcp-header` on something else than an integer, string or boolean")]
    Type(Box<str>),
}

impl Params {
    /// Mirrored arguments of one tool.
    pub const MAX: usize = 32;

    /// Reads the annotations of an input schema, or says why the tool must not be offered.
    pub fn read(input_schema: Value<'_>) -> Result<Params, ParamsError> {
        let mut walk = Walk::default();
        walk.schema(input_schema, true)?;
        Ok(Params { list: walk.found })
    }

    /// Whether nothing is mirrored.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The headers that a call with these arguments needs: whole names, encoded values. What is
    /// null, absent, or nothing that a header can carry has none.
    pub fn headers(
        &self,
        arguments: Option<Value<'_>>,
    ) -> Result<Vec<(String, String)>, MirrorError> {
        let mut headers = Vec::with_capacity(self.list.len());
        for param in &self.list {
            let text = match param.argument(arguments) {
                Argument::Integer(number) => Cow::Owned(number.to_string()),
                Argument::Text(text) => text,
                Argument::None | Argument::Other => continue,
            };
            headers.push((param.header.to_string(), value::sendable(&text)?));
        }
        Ok(headers)
    }

    /// Whether the headers that came agree with the arguments. `sent` is asked by the whole name of
    /// the header; headers that no annotation names are not looked at (H11).
    ///
    /// Integers are compared as numbers. An argument that no header can carry, such as an object,
    /// must have none: what it is worth is for the schema to say.
    pub fn check<'h>(
        &self,
        arguments: Option<Value<'_>>,
        sent: impl Fn(&str) -> Sent<'h>,
    ) -> Result<(), Mismatch> {
        for param in &self.list {
            let argument = param.argument(arguments);
            let in_body = matches!(argument, Argument::Integer(_) | Argument::Text(_));
            let is_same = |text: &str| match &argument {
                Argument::Integer(number) => integer(text) == Some(*number),
                Argument::Text(body) => text == body,
                Argument::None | Argument::Other => false,
            };
            let header = Mirrored::Param(param.header.clone());
            check_coded(header, Required::Yes, in_body, sent(&param.header), is_same)?;
        }
        Ok(())
    }
}

/// What the body has where a header mirrors it.
enum Argument<'a> {
    Integer(i64),
    /// Absent or null.
    None,
    /// What no header can carry: a list, an object, a fraction.
    Other,
    Text(Cow<'a, str>),
}

impl Param {
    fn argument<'a>(&self, arguments: Option<Value<'a>>) -> Argument<'a> {
        let mut steps = self.path.iter();
        let found = arguments.and_then(|root| steps.try_fold(root, |here, step| here.get(step)));
        let Some(value) = found else {
            return Argument::None;
        };
        match value.kind() {
            Kind::Null => Argument::None,
            Kind::Boolean if value.boolean() == Some(true) => Argument::Text("true".into()),
            Kind::Boolean => Argument::Text("false".into()),
            Kind::String => value.text().map_or(Argument::Other, Argument::Text),
            Kind::Number => match value.integer().or_else(|| whole(value.number()?)) {
                Some(number) => Argument::Integer(number),
                None => Argument::Other,
            },
            Kind::Array | Kind::Object => Argument::Other,
        }
    }
}

/// The integer that a number such as `42.0` or `1e3` is, if it is one that every peer holds exactly.
fn whole(number: f64) -> Option<i64> {
    let is_safe = number.fract() == 0.0 && number.abs() <= SAFE_MAX as f64;
    is_safe.then_some(number as i64)
}

/// The integer that a header writes: decimal, perhaps with a fraction of zeros.
fn integer(text: &str) -> Option<i64> {
    let (whole, zeros) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_canonical = digits == "0" || !digits.starts_with('0');
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=16).contains(&digits.len())
        && !zeros.is_empty()
        && zeros.bytes().all(|byte| byte == b'0');
    let number: i64 = (is_canonical && is_plain).then(|| whole.parse().ok())??;
    (number.abs() <= SAFE_MAX).then_some(number)
}

/// The walk over a schema. It goes no deeper than the document does, and that is bounded.
#[derive(Default)]
struct Walk<'a> {
    found: Vec<Param>,
    names: BTreeSet<String>,
    path: Vec<Cow<'a, str>>,
}

impl<'a> Walk<'a> {
    /// A schema; `chain` says whether it was reached through `properties` alone.
    fn schema(&mut self, schema: Value<'a>, chain: bool) -> Result<(), ParamsError> {
        for (key, value) in schema.members() {
            match &*key.decoded() {
                ANNOTATION => self.annotation(schema, value, chain)?,
                "properties" => self.named(value, chain)?,
                "$defs" | "definitions" | "dependencies" | "dependentSchemas"
                | "patternProperties" => self.named(value, false)?,
                // Values, not schemas: whatever looks like an annotation in them is data.
                "const" | "default" | "enum" | "examples" => {}
                // A keyword nobody here knows may hold schemas, so that it is looked into.
                _ => self.elsewhere(value)?,
            }
        }
        Ok(())
    }

    /// Schemas by names, which are no keywords.
    fn named(&mut self, schemas: Value<'a>, chain: bool) -> Result<(), ParamsError> {
        for (name, schema) in schemas.members() {
            self.path.push(name.decoded());
            self.schema(schema, chain)?;
            self.path.pop();
        }
        Ok(())
    }

    /// A schema off the chain, or a list of them.
    fn elsewhere(&mut self, value: Value<'a>) -> Result<(), ParamsError> {
        for element in value.elements() {
            self.elsewhere(element)?;
        }
        self.schema(value, false)
    }

    fn annotation(
        &mut self,
        schema: Value<'_>,
        annotation: Value<'_>,
        chain: bool,
    ) -> Result<(), ParamsError> {
        let place = || place(schema);
        if !chain || self.path.is_empty() {
            return Err(ParamsError::Place(place()));
        }
        let name = annotation.text().unwrap_or_default();
        if !is_token(&name) {
            return Err(ParamsError::Token(place()));
        }
        if name.len() > NAME_MAX {
            return Err(ParamsError::Long(place()));
        }
        let kind = schema.get("type").and_then(Value::text);
        if !matches!(kind.as_deref(), Some("boolean" | "integer" | "string")) {
            return Err(ParamsError::Type(place()));
        }
        if !self.names.insert(name.to_ascii_lowercase()) {
            return Err(ParamsError::Repeated(place()));
        }
        if self.found.len() >= Params::MAX {
            return Err(ParamsError::Count(place()));
        }
        let way: usize = self.path.iter().map(|step| step.len()).sum();
        if way > PATH_MAX {
            return Err(ParamsError::Path(place()));
        }
        self.found.push(Param {
            header: format!("{PARAM_PREFIX}{name}").into(),
            path: self.path.iter().map(|step| (**step).into()).collect(),
        });
        Ok(())
    }
}

/// Where a schema stands, for reports.
fn place(schema: Value<'_>) -> Box<str> {
    let pointer: String = schema.pointer().chars().take(PLACE_MAX).collect();
    pointer.into()
}

#[cfg(test)]
mod tests;
