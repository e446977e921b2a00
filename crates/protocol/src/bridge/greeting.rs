//! What a server said at first: its answer to `initialize` or to `server/discover`, read the same
//! way whichever it was. What of it is told to clients is said in `offer`.

use super::{BridgeError, must_be, reread};
use crate::document::{Document, Kind, Value};
use crate::message::{Message, Shape};
use crate::method::Capability;
use crate::modern::SERVER_INFO_KEY;
use crate::revision::{Era, Revision};
use std::borrow::Cow;

/// A server's greeting. Nothing in it is verified: names and texts are the server's own words (B7).
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The result object.
    document: Document,
    revision: Revision,
    supported: Vec<Revision>,
    silent: bool,
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
        let info = match self.era() {
            Era::Legacy => root.get("serverInfo"),
            Era::Modern => root.get("_meta")?.get(SERVER_INFO_KEY),
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
        let text = self.document.root().get("instructions")?.text()?;
        (!text.is_empty()).then_some(text)
    }
}

/// The result as a document of its own, so that the rest of the message need not be kept.
fn result_of(answer: &Message) -> Result<Document, BridgeError> {
    must_be(answer, Shape::Response)?;
    let result = answer.result().ok_or(BridgeError::Greeting)?;
    must_be_object(result.get("capabilities"))?;
    let instructions = result.get("instructions");
    match instructions.is_none_or(|text| text.string().is_some()) {
        true => reread(&bytes::Bytes::copy_from_slice(result.raw())),
        false => Err(BridgeError::Greeting),
    }
}

fn must_be_object(value: Option<Value<'_>>) -> Result<(), BridgeError> {
    match value.is_some_and(|value| value.kind() == Kind::Object) {
        true => Ok(()),
        false => Err(BridgeError::Greeting),
    }
}
