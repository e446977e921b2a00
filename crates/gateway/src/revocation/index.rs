//! Revocations as they are asked for: a few look-ups by name, without a copy of anything. It is built
//! whole from what is written and never changed.

use crate::revocation::register::{Entry, Origin, Target};
use identity::{Actor, Caller, UserKey};
use std::collections::HashMap;

/// Everything that is in force.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// What it was made of, by id.
    known: HashMap<Box<str>, Stamp>,
    /// How many of them each issuer told.
    told: HashMap<Box<str>, usize>,
    by_issuer: HashMap<Box<str>, OfIssuer>,
    /// Clients, whichever issuer names them.
    clients: HashMap<Box<str>, Cut>,
    users: HashMap<Box<str>, Cut>,
    sessions: HashMap<Box<str>, Cut>,
    digests: HashMap<[u8; 32], Cut>,
    grants: HashMap<Box<str>, Cut>,
}

/// What of an entry changes what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    at_ms: u64,
    block: bool,
}

#[derive(Clone, Debug, Default)]
struct OfIssuer {
    users: HashMap<Box<str>, Cut>,
    clients: HashMap<Box<str>, Cut>,
    tokens: HashMap<Box<str>, Cut>,
    logins: HashMap<Box<str>, Cut>,
    /// Users of whose tokens those count that do not say which login they came from.
    unattributed: HashMap<Box<str>, Cut>,
}

/// What was issued at or before this moment, in unix seconds, is good no more.
#[derive(Clone, Copy, Debug)]
struct Cut(u64);

/// What is asked about a token, or about what one opened.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The issuer's name for the user.
    pub subject: &'a str,
    /// The name that state is kept under.
    pub user: &'a str,
    /// The client.
    pub client: Option<&'a str>,
    /// Who acts for the user.
    pub actors: &'a [Actor],
    /// `jti` of the token.
    pub token_id: Option<&'a str>,
    /// SHA-256 of the token.
    pub token_digest: &'a [u8; 32],
    /// The login at the issuer that the token came from: `sid`.
    pub login: Option<&'a str>,
    /// When the token was issued, in unix seconds.
    pub issued_s: u64,
    /// What records call the session, if it is about one.
    pub session: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// Those of a caller and the token of this very message.
    pub fn of(caller: &'a Caller) -> Self {
        Facts {
            issuer: caller.issuer(),
            subject: caller.subject(),
            user: caller.user().as_str(),
            client: caller.client(),
            actors: caller.actors(),
            token_id: caller.token_id(),
            token_digest: caller.token_digest(),
            login: login_of(caller),
            issued_s: caller.issued_at(),
            session: None,
        }
    }
}

/// `sid` of the token (OpenID Connect Front-Channel Logout 1.0 section 3), if it has one.
pub(crate) fn login_of(caller: &Caller) -> Option<&str> {
    caller.claims().get("sid")?.as_str()
}

impl Index {
    /// What these entries mean together.
    pub fn of(entries: &[Entry]) -> Self {
        let mut index = Index::default();
        entries.iter().for_each(|entry| index.add(entry));
        index
    }

    /// The same with one more entry, which only adds to what is barred.
    pub(super) fn with(&self, entry: &Entry) -> Self {
        let mut index = self.clone();
        index.add(entry);
        index
    }

    /// Whether it was made of the same entries.
    pub(super) fn is_same(&self, other: &Index) -> bool {
        self.known == other.known
    }

    /// How many entries this issuer told, and how many all issuers did.
    pub(super) fn told_by(&self, issuer: &str) -> (usize, usize) {
        let told = self.told.get(issuer).copied().unwrap_or_default();
        (told, self.told.values().sum())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.by_issuer.is_empty()
            && self.clients.is_empty()
            && self.users.is_empty()
            && self.sessions.is_empty()
            && self.digests.is_empty()
    }

    /// Whether any entry is about this. A moment is one of our clock, and a token bears one of its
    /// issuer's, which may be this many seconds ahead.
    pub fn bars(&self, facts: &Facts<'_>, skew_s: u64) -> bool {
        let issued = facts.issued_s.saturating_sub(skew_s);
        let anywhere = hits(&self.users, Some(facts.user), issued)
            || hits(&self.clients, facts.client, issued)
            || hits(&self.sessions, facts.session, issued)
            || self
                .digests
                .get(facts.token_digest)
                .is_some_and(|cut| issued <= cut.0);
        // Whoever acts for somebody is as good as gone when they are revoked, as a user or as a client.
        let acting = facts.actors.iter().any(|actor| {
            let its = self.by_issuer.get(actor.issuer());
            let name = Some(actor.subject());
            hits(&self.clients, name, issued)
                || its.is_some_and(|its| {
                    hits(&its.users, name, issued) || hits(&its.clients, name, issued)
                })
        });
        anywhere
            || acting
            || self.by_issuer.get(facts.issuer).is_some_and(|its| {
                hits(&its.users, Some(facts.subject), issued)
                    || hits(&its.clients, facts.client, issued)
                    || hits(&its.tokens, facts.token_id, issued)
                    || hits(&its.logins, facts.login, issued)
                    || (facts.login.is_none()
                        && (hits(&its.unattributed, Some(facts.subject), issued)
                            || hits(&its.unattributed, Some(facts.user), issued)))
            })
    }

    pub(super) fn bars_grant(&self, name: &str, granted_s: u64) -> bool {
        hits(&self.grants, Some(name), granted_s)
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        if entry.lifted.is_some() {
            return;
        }
        let stamp = Stamp {
            at_ms: entry.at_ms,
            block: entry.block,
        };
        let before = self.known.insert(entry.id.as_str().into(), stamp);
        if let (None, Origin::Issuer, Some(issuer)) = (before, entry.origin, entry.target.issuer())
        {
            *self.told.entry(issuer.into()).or_default() += 1;
        }
        // A second that has begun counts whole: issuers tell seconds only.
        let cut = match entry.block {
            true => Cut(u64::MAX),
            false => Cut(entry.at_ms / 1000),
        };
        let (map, name) = match &entry.target {
            Target::User {
                issuer: Some(issuer),
                name,
            } => {
                // By either name: `sub`, and what the issuer's claim says the user is called.
                for key in UserKey::all_of(issuer, name) {
                    widen(&mut self.users, key.as_str(), cut);
                }
                (&mut self.at(issuer).users, name)
            }
            Target::User { issuer: None, name } => (&mut self.users, name),
            Target::Client {
                issuer: Some(issuer),
                name,
            } => (&mut self.at(issuer).clients, name),
            Target::Client { issuer: None, name } => (&mut self.clients, name),
            // What one token, login or session was good for is over for ever.
            Target::Token { issuer, name } => {
                widen(&mut self.at(issuer).tokens, name, Cut(u64::MAX));
                return;
            }
            Target::Digest { name } => {
                if let Some(digest) = read_digest(name) {
                    self.digests.insert(digest, Cut(u64::MAX));
                }
                return;
            }
            Target::Login { issuer, name, user } => {
                let its = self.at(issuer);
                widen(&mut its.logins, name, Cut(u64::MAX));
                if let Some(user) = user {
                    let key = UserKey::of(issuer, user);
                    widen(&mut its.unattributed, user, cut);
                    widen(&mut its.unattributed, key.as_str(), cut);
                }
                return;
            }
            Target::Session { name } => {
                widen(&mut self.sessions, name, Cut(u64::MAX));
                return;
            }
            Target::Grant { name } => (&mut self.grants, name),
        };
        widen(map, name, cut);
    }

    fn at(&mut self, issuer: &str) -> &mut OfIssuer {
        self.by_issuer.entry(issuer.into()).or_default()
    }
}

fn hits(map: &HashMap<Box<str>, Cut>, name: Option<&str>, issued_s: u64) -> bool {
    let cut = name
        .filter(|_| !map.is_empty())
        .and_then(|name| map.get(name));
    cut.is_some_and(|cut| issued_s <= cut.0)
}

fn widen(map: &mut HashMap<Box<str>, Cut>, name: &str, cut: Cut) {
    let known = map.entry(name.into()).or_insert(cut);
    known.0 = known.0.max(cut.0);
}

/// A digest as 64 hexadecimal digits.
pub(super) fn read_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0u8; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}
