//! The JSON-RPC envelope of one MCP message.
//!
//! A [`Message`] is a document in which exactly one reading as request, notification or response is
//! possible. Members it does not know are kept as they are, unless they could be taken for a member
//! it knows. What the method means, and whether it is allowed, is said elsewhere.

mod batch;
mod id;

pub use id::Id;

use crate::document::{Document, Kind, Limits, Value};
use crate::flaw::{Flaw, FlawKind};
use crate::revision::Rules;
use crate::spelling;
use bytes::Bytes;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Has no id, and is never answered.
    Notification,
    /// Has a method and an id.
    Request,
    /// Answers a request: a result or an error.
    Response,
}

/// One message, read strictly.
#[derive(Clone, Debug)]
pub struct Message {
    document: Document,
    shape: Shape,
    id: Option<Id>,
    method: Option<Name>,
    params: Option<u32>,
    result: Option<u32>,
    error: Option<u32>,
}

/// Longest method name in bytes. The longest of the specification has 36.
const METHOD_MAX: usize = 128;

/// A method: a place in the document, or its text where an escape had to be undone.
#[derive(Clone, Debug)]
enum Name {
    Place(u32),
    Text(Box<str>),
}

impl Message {
    /// Reads the envelope, or says what is wrong with it.
    pub fn read(document: Document) -> Result<Message, Flaw> {
        let envelope = Envelope::find(&document)?;
        envelope.check_version()?;
        let shape = envelope.shape()?;
        let id = envelope.id(shape)?;
        let method = envelope.method()?;
        envelope.check_params()?;
        envelope.check_result()?;
        envelope.check_error()?;
        let index = |value: Option<Value<'_>>| value.map(Value::index);
        let params = index(envelope.params);
        let result = index(envelope.result);
        let error = index(envelope.error);
        Ok(Message {
            shape,
            id,
            method,
            params,
            result,
            error,
            document,
        })
    }

    /// Reads one message, or a batch of them where the revision has batches. Every message of a
    /// batch is read from its own slice of the text.
    pub fn read_batch(
        document: Document,
        rules: &Rules,
        limits: &Limits,
    ) -> Result<Vec<Message>, Flaw> {
        batch::read(document, rules, limits)
    }

    /// The id of a message that may be flawed, so that the refusal can carry it.
    pub fn id_of(document: &Document) -> Option<Id> {
        Id::read(document.root().get("id")?).ok()
    }

    /// What the message is.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The id; a notification has none, and an error that answers an unreadable message neither.
    pub fn id(&self) -> Option<Id> {
        self.id.clone()
    }

    /// The method of a request or notification; empty for a response.
    pub fn method(&self) -> &str {
        match &self.method {
            Some(Name::Text(text)) => text,
            Some(Name::Place(index)) => {
                let string = Value::new(&self.document, *index).string();
                let raw = string.map(|string| string.raw()).unwrap_or_default();
                std::str::from_utf8(raw).unwrap_or_default()
            }
            None => "",
        }
    }

    /// The params, always an object.
    pub fn params(&self) -> Option<Value<'_>> {
        self.value(self.params)
    }

    /// The result, always an object.
    pub fn result(&self) -> Option<Value<'_>> {
        self.value(self.result)
    }

    /// The error, an object with an integer `code` and a text `message`.
    pub fn error(&self) -> Option<Value<'_>> {
        self.value(self.error)
    }

    /// The `_meta` of params or result, always an object.
    pub fn meta(&self) -> Option<Value<'_>> {
        self.params().or(self.result())?.get("_meta")
    }

    /// The progress token of `_meta`, a string or an integer.
    pub fn progress_token(&self) -> Option<Value<'_>> {
        let token = self.params()?.get("_meta")?.get("progressToken")?;
        (token.string().is_some() || token.integer().is_some()).then_some(token)
    }

    /// The whole text as a document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The bytes as they came: what was checked is what is sent.
    pub fn bytes(&self) -> &Bytes {
        self.document.bytes()
    }

    fn value(&self, index: Option<u32>) -> Option<Value<'_>> {
        Some(Value::new(&self.document, index?))
    }
}

/// The six members, each perhaps present, before they are judged together.
#[derive(Default)]
struct Envelope<'a> {
    start: usize,
    version: Option<Value<'a>>,
    id: Option<Value<'a>>,
    method: Option<Value<'a>>,
    params: Option<Value<'a>>,
    result: Option<Value<'a>>,
    error: Option<Value<'a>>,
}

impl<'a> Envelope<'a> {
    fn find(document: &'a Document) -> Result<Self, Flaw> {
        let root = document.root();
        let mut envelope = Envelope {
            start: root.range().start,
            ..Envelope::default()
        };
        match root.kind() {
            Kind::Object => {}
            Kind::Array => return Err(Flaw::at(FlawKind::Batch, envelope.start)),
            _ => return Err(Flaw::at(FlawKind::NotAnObject, envelope.start)),
        }
        for (key, value) in root.members() {
            let name = key.decoded();
            let slot = match &*name {
                "jsonrpc" => &mut envelope.version,
                "id" => &mut envelope.id,
                "method" => &mut envelope.method,
                "params" => &mut envelope.params,
                "result" => &mut envelope.result,
                "error" => &mut envelope.error,
                _ if spelling::variant(key, spelling::ENVELOPE).is_some() => {
                    return Err(Flaw::at(FlawKind::Variant, key.range().start));
                }
                _ => continue,
            };
            *slot = Some(value);
        }
        Ok(envelope)
    }

    fn check_version(&self) -> Result<(), Flaw> {
        let string = self.version.and_then(Value::string);
        match string.is_some_and(|version| version.is("2.0")) {
            true => Ok(()),
            false => Err(self.flaw(FlawKind::Version, self.version)),
        }
    }

    fn shape(&self) -> Result<Shape, Flaw> {
        let members = (self.method, self.result, self.error, self.params);
        match members {
            (Some(_), None, None, _) if self.id.is_some() => Ok(Shape::Request),
            (Some(_), None, None, _) => Ok(Shape::Notification),
            (None, Some(_), None, None) | (None, None, Some(_), None) => Ok(Shape::Response),
            _ => Err(Flaw::at(FlawKind::Shape, self.start)),
        }
    }

    fn id(&self, shape: Shape) -> Result<Option<Id>, Flaw> {
        match (shape, self.id) {
            (Shape::Notification, _) => Ok(None),
            // JSON-RPC answers what it could not read with a null id, MCP with none.
            (Shape::Response, None) if self.error.is_some() => Ok(None),
            (Shape::Response, Some(id)) if self.error.is_some() && id.is_null() => Ok(None),
            (_, Some(id)) => Id::read(id).map(Some),
            (_, None) => Err(Flaw::at(FlawKind::Id, self.start)),
        }
    }

    fn method(&self) -> Result<Option<Name>, Flaw> {
        let Some(value) = self.method else {
            return Ok(None);
        };
        let name = match value.string() {
            Some(name) if (1..=METHOD_MAX).contains(&name.raw().len()) => name,
            _ => return Err(self.flaw(FlawKind::Method, self.method)),
        };
        let name = match name.is_escaped() {
            true => Name::Text(name.decoded().into()),
            false => Name::Place(value.index()),
        };
        Ok(Some(name))
    }

    fn check_params(&self) -> Result<(), Flaw> {
        let Some(params) = self.params else {
            return Ok(());
        };
        if params.kind() != Kind::Object {
            return Err(self.flaw(FlawKind::Params, self.params));
        }
        spelling::check(params, spelling::PARAMS)?;
        spelling::parts::check(params)?;
        check_meta(params)?;
        match params.get("ref") {
            Some(reference) => spelling::check(reference, spelling::REFERENCE),
            None => Ok(()),
        }
    }

    fn check_result(&self) -> Result<(), Flaw> {
        match self.result {
            None => Ok(()),
            Some(result) if result.kind() == Kind::Object => {
                spelling::check(result, spelling::RESULT)?;
                spelling::parts::check(result)?;
                check_meta(result)
            }
            Some(_) => Err(self.flaw(FlawKind::Result, self.result)),
        }
    }

    fn check_error(&self) -> Result<(), Flaw> {
        let Some(error) = self.error else {
            return Ok(());
        };
        let code = error.get("code").and_then(Value::integer);
        let message = error.get("message").and_then(Value::string);
        match (code, message) {
            (Some(_), Some(_)) => spelling::check(error, &["code", "message", "data"]),
            _ => Err(self.flaw(FlawKind::Error, self.error)),
        }
    }

    fn flaw(&self, kind: FlawKind, value: Option<Value<'_>>) -> Flaw {
        let offset = value.map_or(self.start, |value| value.range().start);
        Flaw::at(kind, offset)
    }
}

/// `_meta` is an object or absent, and spelt as the specification spells it.
fn check_meta(owner: Value<'_>) -> Result<(), Flaw> {
    match owner.get("_meta") {
        None => Ok(()),
        Some(meta) if meta.kind() == Kind::Object => spelling::check(meta, spelling::META),
        Some(meta) => Err(Flaw::at(FlawKind::Params, meta.range().start)),
    }
}

#[cfg(test)]
mod tests;
