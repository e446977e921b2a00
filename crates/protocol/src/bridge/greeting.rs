//! What a server said at first: its answer to `initialize` or to `server/discover`, read the same
//! way whichever it was. What of it is told to clients is said in `offer`.

use super::amend::Amend;
use super::{BridgeError, must_be, reread};
use crate::document::{Document, Kind, Value};
use crate::message::{Message, Shape};
use crate::method::Capability;
use crate::modern::SERVER_INFO_KEY;
use crate::revision::{Era, Revision};
use crate::write;
use bytes::Bytes;
use std::borrow::Cow;

/// A server's greeting. Nothing in it is verified: names and texts are the server's own words (B7).
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The result object.
    document: Document,
    revision: Revision,
    supported: Vec<Revision>,
    silent: bool,
    /// What is told in the place of its own words, once these were looked at.
    words: Option<Document>,
    frame: Option<Frame>,
}

/// Two lines between which the instructions of a server stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The line before them.
    pub before: String,
    /// The line behind them.
    pub behind: String,
}

impl Welcome {
    /// Reads the answer to `initialize`. A version without a handshake is a fault of the server (L2).
    pub fn of_initialize(answer: &Message) -> Result<Welcome, BridgeError> {
        let document = result_of(answer)?;
        let result = document.root();
        must_be_object(result.get("serverInfo"))?;
        let version = result.get("protocolVersion").and_then(Value::text);
        let version = version.ok_or(BridgeError::Greeting)?;
        let revision = Revision::named(&version)
            .filter(|revision| Revision::NEGOTIABLE.contains(revision))
            .ok_or(BridgeError::Version)?;
        Ok(Welcome {
            supported: vec![revision],
            revision,
            document,
            silent: false,
            words: None,
            frame: None,
        })
    }

    /// Reads the answer to `server/discover`. It must name the revision it was asked in.
    pub fn of_discover(answer: &Message) -> Result<Welcome, BridgeError> {
        let document = result_of(answer)?;
        let result = document.root();
        let kind = result.get("resultType").map(Value::text);
        if kind.is_some_and(|kind| kind.as_deref() != Some("complete")) {
            return Err(BridgeError::ResultType);
        }
        let named = result
            .get("supportedVersions")
            .filter(|versions| versions.kind() == Kind::Array)
            .ok_or(BridgeError::Greeting)?;
        let named: Vec<Cow<'_, str>> = named.elements().filter_map(Value::text).collect();
        let is_named = |revision: &Revision| named.iter().any(|name| name == revision.date());
        let supported: Vec<Revision> = Revision::ALL.iter().copied().filter(is_named).collect();
        if !supported.contains(&Revision::V2026_07_28) {
            return Err(BridgeError::Version);
        }
        Ok(Welcome {
            revision: Revision::V2026_07_28,
            supported,
            document,
            silent: false,
            words: None,
            frame: None,
        })
    }

    /// The era in which the server spoke.
    pub fn era(&self) -> Era {
        self.revision.rules().era
    }

    /// The revision in which the server spoke.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The revisions the server named that we know, oldest first.
    pub fn supported_versions(&self) -> &[Revision] {
        &self.supported
    }

    /// What the server can do, always an object.
    pub fn capabilities(&self) -> Value<'_> {
        let root = self.document.root();
        root.get("capabilities").unwrap_or(root)
    }

    /// Whether the server declared this capability.
    pub fn has(&self, capability: Capability) -> bool {
        capability.is_in(self.capabilities())
    }

    /// What the server says it is: an object with a name and a version, if it said that.
    pub fn server_info(&self) -> Option<Value<'_>> {
        let root = self.document.root();
        let info = match (&self.words, self.era()) {
            (Some(words), _) => words.root().get("serverInfo"),
            (None, Era::Legacy) => root.get("serverInfo"),
            (None, Era::Modern) => root.get("_meta")?.get(SERVER_INFO_KEY),
        };
        let is_text = |info: Value<'_>, name| info.get(name).and_then(Value::string).is_some();
        info.filter(|info| is_text(*info, "name") && is_text(*info, "version"))
    }

    /// The same without instructions.
    #[must_use]
    pub fn silent(&self) -> Welcome {
        Welcome {
            silent: true,
            ..self.clone()
        }
    }

    /// What the server wants models to know about it.
    pub fn instructions(&self) -> Option<Cow<'_, str>> {
        if self.silent {
            return None;
        }
        let words = self.words.as_ref().unwrap_or(&self.document);
        let text = words.root().get("instructions")?.text()?;
        (!text.is_empty()).then_some(text)
    }

    /// What clients may be told in the server's own words, an object: what it says it is, and its
    /// instructions.
    pub fn words(&self) -> Bytes {
        let mut words = Amend::new();
        if let Some(info) = self.server_info() {
            words = words.set("serverInfo", Bytes::copy_from_slice(info.raw()));
        }
        if let Some(text) = self.instructions() {
            words = words.set("instructions", write::string(&text));
        }
        words.alone().unwrap_or_else(|| Bytes::from_static(b"{}"))
    }

    /// The same with such words in the place of its own.
    #[must_use]
    pub fn saying(&self, words: Document) -> Welcome {
        Welcome {
            words: Some(words),
            ..self.clone()
        }
    }

    /// The same with its instructions between two lines.
    #[must_use]
    pub fn framed(&self, frame: Frame) -> Welcome {
        Welcome {
            frame: Some(frame),
            ..self.clone()
        }
    }

    /// The lines between which its instructions stand, if they do.
    pub fn frame(&self) -> Option<&Frame> {
        self.frame.as_ref()
    }
}

/// The result as a document of its own, so that the rest of the message need not be kept.
fn result_of(answer: &Message) -> Result<Document, BridgeError> {
    must_be(answer, Shape::Response)?;
    let result = answer.result().ok_or(BridgeError::Greeting)?;
    must_be_object(result.get("capabilities"))?;
    let instructions = result.get("instructions");
    match instructions.is_none_or(|text| text.string().is_some()) {
        true => reread(&Bytes::copy_from_slice(result.raw())),
        false => Err(BridgeError::Greeting),
    }
}

fn must_be_object(value: Option<Value<'_>>) -> Result<(), BridgeError> {
    match value.is_some_and(|value| value.kind() == Kind::Object) {
        true => Ok(()),
        false => Err(BridgeError::Greeting),
    }
}
