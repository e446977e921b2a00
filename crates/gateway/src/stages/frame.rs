//! The message itself, read once and strictly: what two parsers could read differently is refused
//! before anybody decides anything on it (controls 1.1, 3.4). The bytes that were read are the bytes
//! that go on.

use crate::stages::admit::Knocked;
use crate::stages::draft::{Draft, Stage};
use crate::stages::raw::{self, Door, Raw, Verb};
use crate::stages::refused::{self, Refused};
use http::header;
use protocol::{Act, Document, Message, Method, Revision, Sender, Shape, Target};

/// A message that can be read in one way only.
#[derive(Debug)]
pub struct Framed {
    raw: Raw,
    ask: Ask,
    version: Option<Revision>,
}

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    /// A message with a method of the table.
    Call(Box<Message>, &'static Method),
    /// An answer to something the server asked.
    Response(Box<Message>),
    /// The server's own messages, perhaps from where a stream broke off.
    Listen {
        /// The event the client saw last.
        after: Option<Box<str>>,
    },
    /// The end of the session.
    End,
}

impl Framed {
    /// How and where it came in.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    /// What is asked.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// The revision the header names, if it names one.
    pub fn version(&self) -> Option<Revision> {
        self.version
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.ask {
            Ask::Call(message, _) | Ask::Response(message) => Some(message),
            Ask::Listen { .. } | Ask::End => None,
        }
    }

    /// The method's row of the table.
    pub fn method(&self) -> Option<&'static Method> {
        match &self.ask {
            Ask::Call(_, method) => Some(method),
            _ => None,
        }
    }

    /// Whether the message opens a session.
    pub fn opens(&self) -> bool {
        self.method()
            .is_some_and(|method| method.act == Act::Initialize)
    }

    /// What the message acts on.
    pub fn target(&self) -> Target<'_> {
        let params = self.message().and_then(Message::params);
        self.method()
            .and_then(|method| method.target(params))
            .unwrap_or(Target::None)
    }

    /// Puts a message in the place of the one that was read. It is read as strictly as the first.
    pub(super) fn replace(&mut self, bytes: bytes::Bytes) -> Result<(), Refused> {
        let fresh = Document::read(bytes, &self.raw.route.reading).and_then(Message::read);
        let fresh = fresh.map_err(|flaw| refused::malformed(&flaw))?;
        match &mut self.ask {
            Ask::Call(message, _) | Ask::Response(message) => **message = fresh,
            Ask::Listen { .. } | Ask::End => {}
        }
        Ok(())
    }
}

/// Reads the message and the headers that speak about it.
pub fn read(knocked: Knocked, draft: &mut Draft) -> Result<Framed, Refused> {
    let raw = knocked.into_raw();
    let version = version(&raw)?;
    let ask = match raw.verb {
        Verb::Post => post(&raw, draft)?,
        Verb::Get => {
            accepts(&raw, &["text/event-stream"])?;
            Ask::Listen {
                after: raw.header(&raw::LAST_EVENT)?.map(Into::into),
            }
        }
        Verb::Delete => Ask::End,
    };
    draft.method = Some(match &ask {
        Ask::Call(_, method) => method.name.into(),
        Ask::Response(_) => "response".into(),
        Ask::Listen { .. } => "listen".into(),
        Ask::End => "end".into(),
    });
    let framed = Framed { raw, ask, version };
    let target = framed.target();
    if target != Target::None {
        draft.subject = Some(
            target
                .name()
                .chars()
                .take(256)
                .collect::<String>()
                .into_boxed_str(),
        );
    }
    draft.ran(controls::N3_4);
    draft.done(Stage::Frame);
    Ok(framed)
}

fn post(raw: &Raw, draft: &mut Draft) -> Result<Ask, Refused> {
    if let Door::Http { .. } = raw.door {
        let declared = raw.header(&header::CONTENT_TYPE)?;
        if !declared.is_some_and(protocol::content_type::is_json) {
            return Err(refused::not_json());
        }
        accepts(raw, &["application/json", "text/event-stream"])?;
    }
    let document = Document::read(raw.body.clone(), &raw.route.reading);
    let document = document.map_err(|flaw| refused::malformed(&flaw))?;
    draft.message = Message::id_of(&document);
    let message = Message::read(document).map_err(|flaw| refused::malformed(&flaw))?;
    if message.shape() == Shape::Response {
        return Ok(Ask::Response(Box::new(message)));
    }
    // Which revision is spoken is known once the session is; `resolve` holds the method against it.
    let named = Revision::ALL.iter().rev();
    let method = named
        .clone()
        .find_map(|revision| Method::find(message.method(), *revision, Sender::Client));
    let Some(method) = method else {
        draft.method = Some(
            message
                .method()
                .chars()
                .take(128)
                .collect::<String>()
                .into(),
        );
        return Err(refused::method_unknown(message.method()));
    };
    if method.shape != message.shape() {
        return Err(refused::shape_wrong(method.name));
    }
    if method.target(message.params()).is_none() {
        return Err(refused::params_missing(method.name));
    }
    Ok(Ask::Call(Box::new(message), method))
}

/// `MCP-Protocol-Version`, if it is there: a revision that exists and the route's floor admits.
fn version(raw: &Raw) -> Result<Option<Revision>, Refused> {
    let Some(text) = raw.header(&raw::VERSION)? else {
        return Ok(None);
    };
    let floor = raw.route.floor;
    match Revision::named(text) {
        Some(revision) if !Revision::NEGOTIABLE.contains(&revision) => {
            Err(refused::version_unknown(text, floor))
        }
        Some(revision) if revision < floor => Err(refused::version_below_floor(text, floor.date())),
        Some(revision) => Ok(Some(revision)),
        None => Err(refused::version_unknown(text, floor)),
    }
}

/// Whether the caller takes every form the answer may have. No header means that they do.
fn accepts(raw: &Raw, forms: &[&'static str]) -> Result<(), Refused> {
    let Door::Http { headers, .. } = &raw.door else {
        return Ok(());
    };
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Ok(());
    }
    let values: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let refused = forms.iter().find(|form| {
        !values
            .iter()
            .any(|value| protocol::accept::admits(value, form))
    });
    refused.map_or(Ok(()), |form| Err(refused::not_acceptable(form)))
}
