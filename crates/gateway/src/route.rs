//! The settled configuration turned into what the stages use: routes with their limits, audiences
//! and servers. Nothing here is looked up twice on the path of a call.

use crate::catalog::{Others, Shelves};
use crate::content::{Content, ContentError, Tokens};
use crate::egress::Egress;
use crate::naming::Naming;
use crate::providers::{self, Providers};
use crate::sessions::Lifetime;
use crate::upstream;
use bytes::Bytes;
use config::settled::{self, ProofNonce, Settled};
use identity::possession::dpop::{self, NonceRule, Target};
use identity::resource_metadata::{Certificates, Possession, ProofRequired};
use identity::{Audience, ResourceMetadata};
use protocol::Revision;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use watch::{Rate, RateError};

/// One MCP endpoint.
#[derive(Debug)]
pub struct Route {
    /// Its path.
    pub path: Arc<str>,
    /// The servers behind it, in the order of the configuration. Never none.
    pub servers: Box<[Arc<Served>]>,
    /// How their tools and resources are called here.
    pub naming: Naming,
    /// What it was made from: profile, leniency, elicitation.
    pub settled: settled::Route,
    /// What is done about hidden text where no single server is concerned: the strictest of theirs.
    pub hidden_text: settled::HiddenText,
    /// What is done with the text of each server's messages, in the order of `servers`.
    contents: Box<[Content]>,
    /// The same where no single server is concerned: the strictest of theirs.
    whole: Content,
    /// The same for words of several servers that were looked at one by one before they were joined.
    joined: Content,
    /// What tokens must be issued for, and by whom.
    pub audience: Audience,
    /// Where its RFC 9728 metadata lies.
    pub metadata_url: String,
    /// That metadata.
    pub metadata: Bytes,
    /// Scopes a token needs.
    pub scopes: Vec<String>,
    /// What a token must be bound to.
    pub possession: settled::Possession,
    /// Which proofs of possession are accepted.
    pub proofs: dpop::Rules,
    /// How many proofs of one user are remembered.
    pub proofs_per_user: u32,
    /// What a proof must be made for: the URL as callers see it.
    pub target: Target,
    /// The oldest revision it speaks.
    pub floor: Revision,
    /// When sessions end.
    pub lifetime: Lifetime,
    /// Limits of a call.
    pub limits: Paces,
    /// What a message may cost to read.
    pub reading: protocol::Limits,
    /// What an answer may cost to read.
    pub reading_answers: protocol::Limits,
    /// How long a body may take.
    pub body_time: Duration,
    /// When a record is durable.
    pub durability: audit::Durability,
    /// Whether records keep the arguments themselves.
    pub keeps_arguments: bool,
    /// Whether records keep the answers themselves.
    pub keeps_answers: bool,
}

/// Rates and concurrency per dimension.
#[derive(Clone, Copy, Debug)]
pub struct Paces {
    /// Per network address.
    pub source: Pace,
    /// Per user.
    pub user: Pace,
    /// Per session.
    pub session: Pace,
    /// Per user and tool.
    pub tool: Pace,
    /// Per user and resource or prompt.
    pub resource: Pace,
}

/// How often, and how many at a time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often.
    pub rate: Rate,
    /// How many at a time.
    pub concurrent: NonZeroU32,
}

/// A server and what is known of it.
#[derive(Debug)]
pub struct Served {
    /// Its name.
    pub name: Arc<str>,
    /// The way to it.
    pub upstream: Arc<upstream::Server>,
    /// What it offers, in each revision.
    pub shelves: Shelves,
    /// What else it says of itself.
    pub others: Others,
    /// What is done about hidden text.
    pub hidden_text: settled::HiddenText,
    /// How long a whole call may take.
    pub timeout: Duration,
    /// What an answer of it may cost to read, when the gateway itself asks.
    pub reading_answers: protocol::Limits,
    /// Held by whoever reads its definitions.
    pub reading: tokio::sync::Mutex<()>,
    /// Labels on all of it.
    pub labels: Vec<String>,
    /// By which names are looked up that arguments hold.
    pub egress: Arc<Egress>,
    /// What it was made from: on a reload it stays as it runs if that is the same.
    pub settled: settled::Server,
}

/// Why a configuration that is fine in itself cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The URL at which callers find a route is none that a proof can name.
    #[error("route `{path}` has no address that a proof of possession can name")]
    Address {
        /// The route.
        path: String,
    },
    /// The resource URI of a route is none.
    #[error("route `{path}`: {error}")]
    Audience {
        /// The route.
        path: String,
        /// What is wrong.
        error: identity::AudienceError,
    },
    /// What is said of the content of messages cannot be kept.
    #[error("route `{path}`: {error}")]
    Content {
        /// The route.
        path: String,
        /// What is wrong.
        error: ContentError,
    },
    /// A limit of a route cannot be kept.
    #[error("route `{path}`: {error}")]
    Rate {
        /// The route.
        path: String,
        /// What is wrong.
        error: RateError,
    },
    /// The rules for its texts cannot be used.
    #[error("route `{path}`: {error}")]
    Rules {
        /// The route.
        path: String,
        /// What is wrong.
        error: crate::content::PackError,
    },
    /// The server of a route is not there.
    #[error("route `{path}` leads to `{server}`, which is not there")]
    Server {
        /// The route.
        path: String,
        /// The server.
        server: String,
    },
    /// A route without servers.
    #[error("route `{path}` leads nowhere")]
    Nowhere {
        /// The route.
        path: String,
    },
}

impl Route {
    /// Whether the token of its callers is exchanged for one that a server is shown.
    pub fn exchanges(&self) -> bool {
        let mut agents = self
            .servers
            .iter()
            .filter_map(|served| served.upstream.agent());
        agents.any(|agent| agent.exchanges())
    }

    /// A route of the settled configuration, leading to these servers, for callers of these issuers.
    pub fn new(
        settled: &Settled,
        route: &settled::Route,
        (servers, providers): (Vec<Arc<Served>>, &Providers),
        issuers: Vec<String>,
    ) -> Result<Self, RouteError> {
        let Some(first) = servers.first() else {
            return Err(RouteError::Nowhere {
                path: route.path.clone(),
            });
        };
        // A metadata document has one name: that of the only server, or that of the route.
        let name = match servers.len() {
            1 => first.name.to_string(),
            _ => route.path.clone(),
        };
        let strictest = servers.iter().map(|served| served.hidden_text);
        let hidden_text = strictest
            .max_by_key(|treatment| strictness(*treatment))
            .unwrap_or(settled::HiddenText::Refuse);
        let audience = Audience::of(&route.resource)
            .map_err(|error| RouteError::Audience {
                path: route.path.clone(),
                error,
            })?
            .only_from(&issuers)
            .also(&route.audiences);
        let limits = &route.limits;
        // A route that no issuer may enter (a local pipe) has nobody to send callers to.
        let metadata = ResourceMetadata::new(&audience, issuers);
        let proofs = proofs(&settled.dpop);
        let possession = told(settled, route, &proofs);
        let metadata = metadata.map(|page| {
            let page = page.scopes(&route.scopes).name(&name);
            page.possession(possession).to_json()
        });
        Ok(Route {
            contents: contents(route, &servers, providers)?,
            whole: whole(route, &servers, hidden_text)?,
            joined: Content::of_nobody(match hidden_text {
                // What is left in joined words keeps no route from opening.
                settled::HiddenText::Refuse => settled::HiddenText::Remove,
                treatment => treatment,
            }),
            path: route.path.as_str().into(),
            naming: Naming::of(servers.len()),
            servers: servers.into_boxed_slice(),
            settled: route.clone(),
            hidden_text,
            metadata_url: identity::resource_metadata::well_known_url(&audience),
            metadata: metadata.map(Bytes::from).unwrap_or_default(),
            audience,
            scopes: route.scopes.clone(),
            possession: route.possession,
            proofs,
            proofs_per_user: settled.dpop.per_user,
            target: target(settled, route)?,
            floor: revision(route.protocol.minimum),
            lifetime: Lifetime {
                idle_ms: millis(route.sessions.idle),
                absolute_ms: millis(route.sessions.absolute),
                per_user: route.sessions.per_user as usize,
            },
            limits: paces(&route.path, limits)?,
            reading: reading(limits, limits.request_bytes),
            reading_answers: reading(limits, limits.answer_bytes),
            body_time: limits.body_time,
            durability: match route.ledger.durability {
                settled::Durability::BeforeAnswer => audit::Durability::BeforeAnswer,
                settled::Durability::Interval => audit::Durability::Interval,
            },
            keeps_arguments: route.ledger.keep.contains(&settled::Keep::Arguments),
            keeps_answers: route.ledger.keep.contains(&settled::Keep::Results),
        })
    }
}

impl Route {
    /// Takes the key that tokens are made with.
    pub(crate) fn keyed(mut self, tokens: &Arc<Tokens>) -> Route {
        for content in self.contents.iter_mut().chain([&mut self.whole]) {
            content.keyed(tokens);
        }
        self
    }

    /// What is done with the text of messages that go to this server and come from it; with none, of
    /// those that concern no single one.
    pub(crate) fn content(&self, served: Option<&Arc<Served>>) -> &Content {
        let place = served.and_then(|served| {
            let mut servers = self.servers.iter();
            servers.position(|it| Arc::ptr_eq(it, served))
        });
        place
            .and_then(|place| self.contents.get(place))
            .unwrap_or(&self.whole)
    }

    /// The ways in which text is marked here, in the order of the servers.
    pub(crate) fn spotlights(&self) -> impl Iterator<Item = inspect::spotlight::Spotlight> {
        self.contents.iter().filter_map(Content::spotlight)
    }

    /// What is done with words of several servers that were looked at one by one.
    pub(crate) fn joined(&self) -> &Content {
        &self.joined
    }

    /// The server at this place.
    pub fn served(&self, place: usize) -> Option<&Arc<Served>> {
        self.servers.get(place)
    }

    /// The only server, if it is.
    pub fn only(&self) -> Option<&Arc<Served>> {
        match &*self.servers {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Every server with its place.
    pub fn places(&self) -> impl Iterator<Item = (usize, &Arc<Served>)> {
        self.servers.iter().enumerate()
    }

    /// The revisions it speaks, oldest first.
    pub fn spoken(&self) -> Vec<&'static str> {
        let spoken = Revision::ALL.iter();
        spoken
            .filter(|revision| **revision >= self.floor)
            .map(|revision| revision.date())
            .collect()
    }

    /// What the record of a message names that concerns no single server.
    pub fn server_name(&self) -> &str {
        self.only().map_or("", |served| &served.name)
    }
}

impl Served {
    /// Says that somebody changed the pins: everything it offers is looked at again.
    pub fn distrust(&self) {
        self.shelves.distrust();
        self.others.distrust();
    }

    /// Whether it is reached the way of 2024-11-05, which knows no newer revision. Whoever configured
    /// that has lowered the floor for this server.
    pub fn is_old_transport(&self) -> bool {
        matches!(self.settled.upstream, settled::Upstream::Sse(_))
    }

    /// Whether a server of this configuration, read within these limits, would be the same.
    pub(crate) fn is_made_of(&self, server: &settled::Server, answers: protocol::Limits) -> bool {
        self.settled == *server && self.reading_answers == answers
    }

    /// The operator's labels of one of its tools.
    pub fn labels_of(server: &settled::Server, tool: &str) -> Vec<String> {
        let named = server
            .tools
            .iter()
            .filter(|labels| labels.tools.names(tool));
        let mut labels: Vec<String> = server
            .labels
            .iter()
            .chain(named.flat_map(|labels| &labels.labels))
            .cloned()
            .collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

/// A signature algorithm, as tokens and proofs name it.
pub(crate) fn algorithm(algorithm: settled::Algorithm) -> identity::Algorithm {
    match algorithm {
        settled::Algorithm::Es256 => identity::Algorithm::Es256,
        settled::Algorithm::EdDsa => identity::Algorithm::EdDsa,
        settled::Algorithm::Rs256 => identity::Algorithm::Rs256,
        settled::Algorithm::Ps256 => identity::Algorithm::Ps256,
    }
}

/// Which proofs of possession are accepted.
pub(crate) fn proofs(settled: &settled::Dpop) -> dpop::Rules {
    dpop::Rules {
        algorithms: settled.algorithms.iter().map(|it| algorithm(*it)).collect(),
        age_s: settled.age.as_secs(),
        skew_s: settled.skew.as_secs(),
        nonce: match settled.nonce {
            ProofNonce::Off => NonceRule::Off,
            ProofNonce::Offered => NonceRule::Offered,
            ProofNonce::Required => NonceRule::Required,
        },
        nonce_age_s: settled.nonce_age.as_secs(),
    }
}

/// What is done with the text of each server's messages on a route, in the order of its servers.
fn contents(
    route: &settled::Route,
    servers: &[Arc<Served>],
    providers: &Providers,
) -> Result<Box<[Content]>, RouteError> {
    let path: Arc<str> = route.path.as_str().into();
    let each = servers.iter().map(|served| {
        let content = served.settled.content.on(&route.content);
        let panel = providers::panel(&content, providers);
        let made = Content::new(served.hidden_text, &content, &path);
        let made = made.map_err(|error| rules_of(route, error))?;
        let content = made.meant(&content);
        let content = content.map_err(|error| RouteError::Content {
            path: route.path.clone(),
            error,
        })?;
        Ok(content.heard_by(panel))
    });
    each.collect()
}

/// What is done with the text of messages that concern all servers of a route.
fn whole(
    route: &settled::Route,
    servers: &[Arc<Served>],
    hidden_text: settled::HiddenText,
) -> Result<Content, RouteError> {
    let all = servers.iter();
    let all: Vec<_> = all
        .map(|served| served.settled.content.on(&route.content))
        .collect();
    let made = Content::of_all(hidden_text, &all, &route.path.as_str().into());
    made.map_err(|error| rules_of(route, error))
}

fn rules_of(route: &settled::Route, error: crate::content::PackError) -> RouteError {
    RouteError::Rules {
        path: route.path.clone(),
        error,
    }
}

/// What the metadata of a route tells of keys that tokens are bound to.
fn told(settled: &Settled, route: &settled::Route, proofs: &dpop::Rules) -> Possession {
    let mut listeners = settled.listeners.iter();
    Possession {
        proof_algorithms: proofs.algorithms.clone(),
        proof_required: match route.possession {
            settled::Possession::Dpop => ProofRequired::Yes,
            _ => ProofRequired::No,
        },
        certificates: match listeners.any(settled::Listener::knows_certificates) {
            true => Certificates::Known,
            false => Certificates::Unknown,
        },
    }
}

/// Where callers find the route, whatever its audience is called.
fn target(settled: &Settled, route: &settled::Route) -> Result<Target, RouteError> {
    let public = settled.public_url.as_str().trim_end_matches('/');
    Target::of(&format!("{public}{}", route.path)).ok_or_else(|| RouteError::Address {
        path: route.path.clone(),
    })
}

/// What a message of at most so many bytes may cost to read.
pub(crate) fn reading(limits: &settled::CallLimits, bytes: u64) -> protocol::Limits {
    protocol::Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        depth: limits.depth as usize,
        members: limits.members as usize,
        ..protocol::Limits::default()
    }
}

/// The limits of the route at this path.
fn paces(path: &str, limits: &settled::CallLimits) -> Result<Paces, RouteError> {
    let rate = |rate| {
        pace(rate).map_err(|error| RouteError::Rate {
            path: path.to_owned(),
            error,
        })
    };
    Ok(Paces {
        source: rate(limits.source)?,
        user: rate(limits.user)?,
        session: rate(limits.session)?,
        tool: rate(limits.tool)?,
        resource: rate(limits.resource)?,
    })
}

fn pace(rate: settled::Rate) -> Result<Pace, RateError> {
    // INVARIANT: none of them is 0 (the configuration's bounds); 1 is the strictest there is.
    let count = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    let span = Duration::from_secs(u64::from(rate.rate.period.seconds()));
    let pace = Rate::new(count(rate.rate.count), span, count(rate.burst))?;
    Ok(Pace {
        rate: pace,
        concurrent: count(rate.concurrent),
    })
}

/// How much a treatment takes from what a server says.
fn strictness(treatment: settled::HiddenText) -> u8 {
    match treatment {
        settled::HiddenText::Report => 0,
        settled::HiddenText::Remove => 1,
        settled::HiddenText::Refuse => 2,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn revision(revision: settled::Revision) -> Revision {
    // INVARIANT: both enums name the same five dates (tested); the newest is the strictest floor.
    Revision::named(revision.as_str()).unwrap_or(Revision::V2025_11_25)
}
