//! The message itself, read once and strictly: what two parsers could read differently is refused
//! before anybody decides anything on it (controls 1.1, 3.4). The bytes that were read are the bytes
//! that go on.

use crate::content;
use crate::stages::admit::Knocked;
use crate::stages::draft::{Draft, Stage};
use crate::stages::identify;
use crate::stages::raw::{self, Door, Raw, Verb};
use crate::stages::refused::{self, Refused};
use http::header;
use protocol::modern::{Envelope, VERSION_KEY};
use protocol::{Act, Document, Message, Method, Revision, Sender, Shape, Target, Value, mirror};

/// Characters of a method that nobody knows, in its record.
const METHOD: usize = 128;
/// Bytes of what a client says it can do.
const CAPABILITIES_BYTES: usize = 16 * 1024;
/// Bytes of what it says it is.
const INFO_BYTES: usize = 4 * 1024;

/// A message that can be read in one way only.
#[derive(Debug)]
pub struct Framed {
    raw: Raw,
    ask: Ask,
    version: Option<Revision>,
    modern: bool,
    mismatches: Vec<mirror::Mismatch>,
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

    /// Whether the message is complete in itself: it names its version and capabilities, and there is
    /// no session behind it.
    pub fn is_modern(&self) -> bool {
        self.modern
    }

    /// What the message says about its sender, if it is complete in itself.
    pub fn envelope(&self) -> Option<Envelope<'_>> {
        let message = self.message().filter(|_| self.modern)?;
        // INVARIANT: `read` let only requests with a whole envelope through.
        Envelope::read(message.params()).ok()
    }

    /// What the headers say that the body does not.
    pub(super) fn mismatches(&self) -> &[mirror::Mismatch] {
        &self.mismatches
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
    let named = version(&raw)?;
    let (ask, version) = match raw.verb {
        Verb::Post => post(&raw, named, draft)?,
        Verb::Get | Verb::Delete => (without_body(&raw)?, named?),
    };
    draft.method = Some(match &ask {
        Ask::Call(_, method) => method.name.into(),
        Ask::Response(_) => "response".into(),
        Ask::Listen { .. } => "listen".into(),
        Ask::End => "end".into(),
    });
    let modern = version.is_some_and(|version| version.rules().modern_meta);
    let mut framed = Framed {
        raw,
        ask,
        version,
        modern,
        mismatches: Vec::new(),
    };
    if modern {
        framed.mismatches = mismatches(&framed);
        // Whoever hangs up does not want the answer any more (rule H13).
        draft.line.hanging_up_cancels();
    }
    let target = framed.target();
    if target != Target::None {
        draft.is_about(target.name());
    }
    draft.ran(controls::N3_4);
    draft.done(Stage::Frame);
    Ok(framed)
}

/// What a `GET` or `DELETE` asks. The stateless era has neither streams to open nor sessions to end
/// (rule H2).
fn without_body(raw: &Raw) -> Result<Ask, Refused> {
    let stateless = |revision: Revision| revision.rules().modern_meta;
    let named = raw.header(&raw::VERSION)?.and_then(Revision::named);
    if named.is_some_and(stateless) || stateless(raw.route.floor) {
        return Err(refused::verb_stateless());
    }
    if raw.verb == Verb::Delete {
        return Ok(Ask::End);
    }
    accepts(raw, &["text/event-stream"])?;
    Ok(Ask::Listen {
        after: raw.header(&raw::LAST_EVENT)?.map(Into::into),
    })
}

/// The message, and the revision it is known to be of by now.
fn post(
    raw: &Raw,
    named: Result<Option<Revision>, Refused>,
    draft: &mut Draft,
) -> Result<(Ask, Option<Revision>), Refused> {
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
    draft.shape = Some(message.shape());
    let version = spoken(raw, named, &message)?;
    let modern = version.is_some_and(|version| version.rules().modern_meta);
    if modern {
        draft.revision = version.map(Revision::date);
    }
    if message.shape() == Shape::Response {
        // A stateless server asks nothing, so there is nothing to answer (rule H3).
        return match modern {
            true => Err(refused::unasked()),
            false => Ok((Ask::Response(Box::new(message)), version)),
        };
    }
    let Some(method) = method(&message, modern) else {
        draft.method = Some(
            content::hushed(message.method())
                .chars()
                .take(METHOD)
                .collect(),
        );
        return Err(refused::method_unknown(message.method()));
    };
    if method.shape != message.shape() {
        return Err(refused::shape_wrong(method.name));
    }
    if method.target(message.params()).is_none() {
        return Err(refused::params_missing(method.name));
    }
    if method.act == Act::Initialize {
        let member = |name: &str| message.params().and_then(|params| params.get(name));
        introduced(member("capabilities"), member("clientInfo"))?;
    }
    Ok((Ask::Call(Box::new(message), method), version))
}

/// The method's row. Which legacy revision is spoken is known once the session is; `resolve` holds
/// the method against it.
fn method(message: &Message, modern: bool) -> Option<&'static Method> {
    if modern {
        return Method::find(message.method(), Revision::V2026_07_28, Sender::Client);
    }
    let legacy = Revision::NEGOTIABLE.iter().rev();
    legacy
        .clone()
        .find_map(|revision| Method::find(message.method(), *revision, Sender::Client))
}

/// The revision the message is known to be of: the stateless one if the message says so itself or its
/// version header does (rule V9), and then it must say all that such a message has to say (rules V1 to
/// V3, H7); otherwise what the header names.
fn spoken(
    raw: &Raw,
    named: Result<Option<Revision>, Refused>,
    message: &Message,
) -> Result<Option<Revision>, Refused> {
    let stateless = |revision: &Revision| revision.rules().modern_meta;
    let declared = Envelope::is_declared(message);
    let by_header = matches!(&named, Ok(Some(revision)) if stateless(revision));
    // A notification need not say of which era it is (rule V1). Over a pipe without a session it can
    // only be of the one that knows none; so a stateless client takes back a call (section 2.6).
    let without = matches!(raw.door, Door::Stdio { session: None, .. });
    let alone = without && message.shape() == Shape::Notification;
    if !declared && !by_header && !alone {
        let named = named?;
        return match stateless(&raw.route.floor) {
            true => Err(refused::era_unsupported(
                &asked(message),
                &raw.route.spoken(),
            )),
            false => Ok(named),
        };
    }
    if message.shape() != Shape::Request {
        return unasking(raw, message).map(Some);
    }
    let envelope = Envelope::read(message.params());
    let envelope = envelope.map_err(|error| refused::envelope(&error))?;
    introduced(Some(envelope.capabilities), envelope.client_info)?;
    if let Some(meta) = message.meta() {
        // What goes on into somebody's traces is what the standard says it is (rule B6).
        protocol::modern::check_trace(meta).map_err(|error| refused::trace(&error))?;
    }
    if raw.has_headers() {
        mirror::check_version(&envelope.version, raw.sent(mirror::VERSION))
            .map_err(|mismatch| refused::header_mismatch(&mismatch))?;
    }
    let revision = Revision::named(&envelope.version).filter(stateless);
    match revision {
        Some(revision) => Ok(Some(revision)),
        None => Err(refused::version_unsupported(
            &envelope.version,
            &raw.route.spoken(),
        )),
    }
}

/// What a client says of itself is kept for as long as it is served, and told to servers again and
/// again: it is short, or not heard at all.
fn introduced(capabilities: Option<Value<'_>>, info: Option<Value<'_>>) -> Result<(), Refused> {
    let parts = [
        (
            "the client's capabilities",
            capabilities,
            CAPABILITIES_BYTES,
        ),
        ("`clientInfo`", info, INFO_BYTES),
    ];
    let size = |value: Option<Value<'_>>| value.map_or(0, |value| value.raw().len());
    let long = parts
        .into_iter()
        .find(|(_, part, most)| size(*part) > *most);
    match long {
        Some((what, _, most)) => Err(refused::introduction_long(what, most)),
        None => Ok(()),
    }
}

/// The version that a message of the era of sessions asks for, if it opens one.
fn asked(message: &Message) -> String {
    let params = message
        .params()
        .filter(|_| message.method() == "initialize");
    let version = params.and_then(|params| params.get("protocolVersion")?.text());
    version
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default()
}

/// The revision of a stateless message that asks nothing. It need not say anything of itself, but
/// what it says must be what its header says: a message of two eras is of none.
fn unasking(raw: &Raw, message: &Message) -> Result<Revision, Refused> {
    let meta = message.params().and_then(|params| params.get("_meta"));
    let Some(written) = meta.and_then(|meta| meta.get(VERSION_KEY)) else {
        return Ok(Revision::V2026_07_28);
    };
    let version = written.text().unwrap_or_default();
    if raw.has_headers() {
        mirror::check_version(&version, raw.sent(mirror::VERSION))
            .map_err(|mismatch| refused::header_mismatch(&mismatch))?;
    }
    match Revision::named(&version).filter(|revision| revision.rules().modern_meta) {
        Some(revision) => Ok(revision),
        None => Err(refused::version_unsupported(&version, &raw.route.spoken())),
    }
}

/// Where `Mcp-Method` and `Mcp-Name` do not say what the body says (rules H6 to H8). Whether a mistake
/// is forgiven depends on who made it, so `identify` has the last word.
fn mismatches(framed: &Framed) -> Vec<mirror::Mismatch> {
    let (Some(message), true) = (framed.message(), framed.raw.has_headers()) else {
        return Vec::new();
    };
    let required = match message.shape() {
        Shape::Request => mirror::Required::Yes,
        _ => mirror::Required::IfSent,
    };
    let expected = mirror::expected(message.method(), message.params());
    // The method is looked at first, so nothing hides behind the name.
    let right = [(mirror::METHOD.to_owned(), message.method().to_owned())];
    let sent = |name: &str| framed.raw.sent(name);
    identify::mismatches(&right, sent, |sent| expected.check(required, sent))
}

/// `MCP-Protocol-Version`, if it is there: a revision that exists and the route's floor admits. What
/// is wrong with it is told unless the message itself knows better.
fn version(raw: &Raw) -> Result<Result<Option<Revision>, Refused>, Refused> {
    let Some(text) = raw.header(&raw::VERSION)? else {
        return Ok(Ok(None));
    };
    let floor = raw.route.floor;
    Ok(match Revision::named(text) {
        Some(revision) if revision < floor => Err(refused::version_below_floor(text, floor.date())),
        Some(revision) => Ok(Some(revision)),
        None => Err(refused::version_unknown(text, &raw.route.spoken())),
    })
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
