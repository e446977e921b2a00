//! One upstream end: a server as met by one party, in the era the two settled on. It knows which ids
//! and progress tokens are in use there, so that two requests of one party never collide (rule B1).

use super::Introduction;
use super::attention::Asides;
use super::drift::Drift;
use super::feed::Feed;
use crate::catalog;
use crate::gate::Gate;
use crate::route::Served;
use crate::small::lock;
use crate::upstream::{Greeting, Link, OWN_IDS, Outgoing, Owner, Reply, UpstreamError};
use bytes::Bytes;
use controls::Score;
use protocol::bridge::{self, BridgeError, Stamp, Welcome};
use protocol::log_level::LogLevel;
use protocol::revision::Era;
use protocol::{Document, Id, Message, Revision, Shape, codes, write};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// What the gateway calls itself where a client said nothing of itself.
const OURSELVES: &[u8] = concat!(
    "{\"name\":\"ringwall\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"}"
)
.as_bytes();

/// How ids begin under which a client's request goes on if it cannot keep its own.
const CALL_IDS: &str = "call-";

/// A server as met by one party.
#[derive(Debug)]
pub(crate) struct Far {
    served: Arc<Served>,
    link: Link,
    welcome: Welcome,
    revision: Revision,
    /// The client's capabilities, as this server may know them.
    capabilities: Bytes,
    info: Bytes,
    numbers: AtomicU64,
    in_use: Mutex<HashSet<Id>>,
    level: Mutex<Option<LogLevel>>,
    drift: Drift,
    /// What it says it is, if clients are not told.
    withheld: Option<Withheld>,
    pub(super) feed: Feed,
    pub(super) asides: Asides,
}

impl Far {
    /// Meets the server in an era it speaks, the client's own if it can be.
    pub(super) async fn meet(
        served: &Arc<Served>,
        owner: &Owner,
        client: &Introduction,
        floor: Revision,
    ) -> Result<Arc<Self>, UpstreamError> {
        let info = client.info.clone().unwrap_or(Bytes::from_static(OURSELVES));
        let declared = client.capabilities.as_ref().map(Document::root);
        let offered = |era| bridge::client_capabilities(declared, client.revision, era);
        let (legacy, modern) = (offered(Era::Legacy), offered(Era::Modern));
        let revision = match client.era() {
            Era::Legacy => client.revision,
            Era::Modern => Revision::newest_with_handshake(),
        };
        let greeting = Greeting {
            discover: discover(&modern, &info)?,
            initialize: initialize(revision, &legacy, &info),
            prefer: client.era(),
        };
        let met = served.upstream.meet(owner, greeting).await?;
        let era = met.link.era();
        let said = Document::read(met.said, &served.reading_answers)
            .and_then(Message::read)
            .map_err(|flaw| UpstreamError::Malformed {
                reason: flaw.kind.code().to_owned(),
            })?;
        let (welcome, revision) = welcomed(&said, era)?;
        let (welcome, withheld) = presentable(served, welcome)?;
        if revision < floor && !served.is_old_transport() {
            met.link.close().await;
            return Err(UpstreamError::Floor {
                spoken: revision.date(),
                floor: floor.date(),
            });
        }
        let far = Arc::new(Far {
            served: Arc::clone(served),
            link: met.link,
            welcome,
            revision,
            capabilities: match era {
                Era::Legacy => legacy,
                Era::Modern => modern,
            },
            info,
            numbers: AtomicU64::new(1),
            in_use: Mutex::default(),
            level: Mutex::default(),
            drift: Drift::default(),
            withheld,
            feed: Feed::default(),
            asides: Asides::default(),
        });
        if era == Era::Legacy {
            far.tell("notifications/initialized", None).await?;
        }
        Ok(far)
    }

    /// The server.
    pub(crate) fn served(&self) -> &Arc<Served> {
        &self.served
    }

    /// The way to it.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// What it said when it was met.
    pub(crate) fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Writes down, once, why clients are not told what it says it is.
    pub(crate) fn suspected(&self, gate: &Gate) {
        let Some(withheld) = &self.withheld else {
            return;
        };
        if !withheld.noted.swap(true, Ordering::AcqRel) {
            let about = (&*self.served.name, "serverInfo");
            gate.note_scored("server.suspected", about, "not told", &withheld.scores);
        }
    }

    /// What it says it is, whether clients are told or not: for whoever examines it.
    pub(crate) fn says_it_is(&self) -> Option<Json> {
        match &self.withheld {
            Some(withheld) => Some(withheld.info.clone()),
            None => serde_json::from_slice(self.welcome.server_info()?.raw()).ok(),
        }
    }

    /// What it showed otherwise than it is pinned.
    pub(crate) fn drift(&self) -> &Drift {
        &self.drift
    }

    /// The revision spoken with it.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// The era spoken with it.
    pub(crate) fn era(&self) -> Era {
        self.revision.rules().era
    }

    /// What every request to a modern server carries (rule V1).
    pub(crate) fn stamp<'a>(&'a self, level: Option<&'a str>) -> Stamp<'a> {
        Stamp {
            capabilities: &self.capabilities,
            client_info: Some(&self.info),
            log_level: level,
        }
    }

    /// An id that no request under way has here: the one that is wanted, or a name of ours.
    pub(crate) fn claim(self: &Arc<Self>, wanted: &Id) -> Claim {
        let mut in_use = lock(&self.in_use);
        // What only we hand out is never taken from a client, so that none of ours is there twice.
        if is_ours(wanted) || !in_use.insert(wanted.clone()) {
            drop(in_use);
            return self.claim_fresh();
        }
        drop(in_use);
        Claim {
            far: Arc::clone(self),
            id: wanted.clone(),
        }
    }

    /// An id of ours for a client's request: no other request has or had it here.
    pub(crate) fn claim_fresh(self: &Arc<Self>) -> Claim {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let id = Id::from(format!("{CALL_IDS}{number}").as_str());
        lock(&self.in_use).insert(id.clone());
        Claim {
            far: Arc::clone(self),
            id,
        }
    }

    /// An id of ours.
    pub(crate) fn next_id(&self) -> Id {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Id::from(format!("{OWN_IDS}{number}").as_str())
    }

    /// The client's log level, as this server knows it.
    pub(crate) fn level(&self) -> Option<LogLevel> {
        *lock(&self.level)
    }

    /// Remembers the level; true if it has to be told to the server.
    pub(crate) fn set_level(&self, level: LogLevel) -> bool {
        lock(&self.level).replace(level) != Some(level)
    }

    /// Sends a notification of the gateway's own.
    pub(crate) async fn tell(
        &self,
        method: &'static str,
        params: Option<&[u8]>,
    ) -> Result<(), UpstreamError> {
        let message = Outgoing {
            bytes: write::notification(method, params),
            shape: Shape::Notification,
            id: None,
            method,
            headers: Vec::new(),
        };
        self.link.send(message, self.deadline()).await.map(drop)
    }

    /// Asks for something the gateway itself wants to know, and reads the answer strictly. What the
    /// server says besides is nobody's, and what it asks is declined: it may be waiting.
    pub(crate) async fn ask(
        &self,
        method: &'static str,
        params: Option<&[u8]>,
    ) -> Result<Message, UpstreamError> {
        self.ask_framed(method, params)
            .await
            .map(|(answer, _)| answer)
    }

    /// The same, and whether the answer came as a stream.
    pub(crate) async fn ask_framed(
        &self,
        method: &'static str,
        params: Option<&[u8]>,
    ) -> Result<(Message, bool), UpstreamError> {
        let id = self.next_id();
        let mut bytes = write::request(&id, method, params);
        if self.era() == Era::Modern {
            bytes = stamped(bytes, &self.stamp(None))?;
        }
        let message = Outgoing {
            bytes,
            shape: Shape::Request,
            id: Some(id.clone()),
            method,
            headers: Vec::new(),
        };
        let reply = self.link.send(message, self.deadline()).await?;
        let streamed = matches!(reply, Reply::Stream(_));
        let answer = self.final_answer(reply).await?;
        if answer.shape() != Shape::Response || answer.id() != Some(id) {
            return Err(UpstreamError::Malformed {
                reason: "it answers another request".to_owned(),
            });
        }
        Ok((answer, streamed))
    }

    /// The response of a reply, whatever form it takes.
    async fn final_answer(&self, reply: Reply) -> Result<Message, UpstreamError> {
        match reply {
            Reply::Message(bytes) => self.read(bytes),
            Reply::Stream(mut events) => loop {
                let event = events.next().await?.ok_or(UpstreamError::Ended)?;
                let message = self.read(event.data)?;
                match message.shape() {
                    Shape::Response => {
                        events.finish();
                        return Ok(message);
                    }
                    Shape::Request => self.decline(&message).await?,
                    Shape::Notification => {}
                }
            },
            Reply::Accepted => Err(UpstreamError::Ended),
        }
    }

    /// Says that a question is for nobody here. A modern server asks nothing (rule H3).
    async fn decline(&self, question: &Message) -> Result<(), UpstreamError> {
        let Some(id) = question.id().filter(|_| self.era() == Era::Legacy) else {
            return Ok(());
        };
        let why = "there is no client behind this request";
        let answer = Outgoing {
            bytes: write::error(Some(&id), codes::METHOD_NOT_FOUND, why, None),
            shape: Shape::Response,
            id: Some(id),
            method: "",
            headers: Vec::new(),
        };
        match self.link.send(answer, self.deadline()).await {
            // Whether the server takes it is its own affair.
            Ok(_) | Err(UpstreamError::Status { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads one message of this server as strictly as one of a caller.
    pub(crate) fn read(&self, bytes: Bytes) -> Result<Message, UpstreamError> {
        let read = Document::read(bytes, &self.served.reading_answers).and_then(Message::read);
        read.map_err(|flaw| UpstreamError::Malformed {
            reason: flaw.to_string(),
        })
    }

    /// When an answer to something sent now is given up.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.served.timeout
    }

    /// Nothing that it says unasked is heard any more.
    pub(super) fn mute(&self) {
        self.feed.end();
    }

    pub(super) async fn close(&self) {
        self.mute();
        self.link.close().await;
    }
}

/// An id in use at a server, free again once this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    far: Arc<Far>,
    id: Id,
}

impl Claim {
    /// The id.
    pub(crate) fn id(&self) -> &Id {
        &self.id
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.far.in_use).remove(&self.id);
    }
}

/// Whether only the gateway hands out such ids.
fn is_ours(id: &Id) -> bool {
    let text = id.text();
    text.is_some_and(|text| text.starts_with(OWN_IDS) || text.starts_with(CALL_IDS))
}

fn initialize(revision: Revision, capabilities: &[u8], info: &[u8]) -> Bytes {
    let date = write::string(revision.date());
    let parts: [&[u8]; 7] = [
        b"{\"protocolVersion\":",
        &date,
        b",\"capabilities\":",
        capabilities,
        b",\"clientInfo\":",
        info,
        b"}",
    ];
    let id = Id::from("ringwall-0");
    write::request(&id, "initialize", Some(&parts.concat()))
}

fn discover(capabilities: &[u8], info: &[u8]) -> Result<Bytes, UpstreamError> {
    let stamp = Stamp {
        capabilities,
        client_info: Some(info),
        log_level: None,
    };
    let bare = write::request(&Id::from("ringwall-0"), "server/discover", None);
    stamped(bare, &stamp)
}

/// A request of the gateway's own with what every modern request carries.
pub(super) fn stamped(bytes: Bytes, stamp: &Stamp<'_>) -> Result<Bytes, UpstreamError> {
    let ours = |reason: String| UpstreamError::Message { reason };
    let message = Document::read(bytes, &protocol::Limits::default())
        .and_then(Message::read)
        .map_err(|flaw| ours(flaw.to_string()))?;
    bridge::request_for_modern(&message, &bridge::Relabel::default(), stamp, None)
        .map_err(|error| ours(error.to_string()))
}

/// What a server says it is, and why clients are not told.
#[derive(Debug)]
struct Withheld {
    info: Json,
    scores: Vec<Score>,
    /// Whether it was written down.
    noted: AtomicBool,
}

/// What a server said first, without what it says it is if it speaks to the model instead: no list has it, and nobody
/// approves it (control 9.2). With what is suspected of it then.
fn presentable(
    served: &Served,
    welcome: Welcome,
) -> Result<(Welcome, Option<Withheld>), UpstreamError> {
    let info = welcome.server_info();
    let info: Option<Json> = info.and_then(|info| serde_json::from_slice(info.raw()).ok());
    let suspected = info.and_then(|info| Some((catalog::speaks(&served.settled, &info)?, info)));
    let Some((scores, info)) = suspected else {
        return Ok((welcome, None));
    };
    let text = welcome.instructions().map(Cow::into_owned);
    let words = serde_json::json!({ "instructions": text.unwrap_or_default() });
    let words = Document::read(words.to_string().into(), &served.reading_answers);
    let words = words.map_err(|flaw| UpstreamError::Malformed {
        reason: flaw.to_string(),
    })?;
    let withheld = Withheld {
        info,
        scores,
        noted: AtomicBool::new(false),
    };
    Ok((welcome.saying(words), Some(withheld)))
}

/// What the server said of itself, and the revision that is spoken with it from now on.
fn welcomed(said: &Message, era: Era) -> Result<(Welcome, Revision), UpstreamError> {
    let malformed = |reason: &BridgeError| UpstreamError::Malformed {
        reason: reason.to_string(),
    };
    if said.result().is_none() {
        let code = said.error().and_then(|error| error.get("code")?.integer());
        return Err(UpstreamError::Declined {
            code: code.unwrap_or(0),
        });
    }
    let welcome = match era {
        Era::Legacy => Welcome::of_initialize(said),
        Era::Modern => Welcome::of_discover(said),
    };
    let welcome = welcome.map_err(|error| malformed(&error))?;
    let revision = welcome.revision();
    Ok((welcome, revision))
}
