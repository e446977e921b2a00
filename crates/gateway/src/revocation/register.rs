//! What is written down: who or what was revoked, when, by whom and why. The gateway and
//! `ringwall revoke` write the same rows; whoever serves takes them up. An entry is no secret.

use crate::revocation::index::read_digest;
use crate::small::{hex, sha256};
use crate::state::{Database, Kind, Rows, StateError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use vault::Vault;

/// The rows of revocations.
#[derive(Clone, Debug)]
pub struct Register(Rows);

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Target {
    /// A client, as tokens name it: of one issuer or of all.
    Client {
        /// The issuer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// `client_id`.
        name: String,
    },
    /// One token, by what it is.
    Digest {
        /// SHA-256, in 64 hexadecimal digits.
        name: String,
    },
    /// What a user granted Ringwall.
    Grant {
        /// What it is called in the store.
        name: String,
    },
    /// A login at the issuer, and every token that came from it.
    Login {
        /// The issuer.
        issuer: String,
        /// `sid`.
        name: String,
        /// `sub`: of this user's tokens those count, too, that do not say which login they came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// A session here.
    Session {
        /// What records call it.
        name: String,
    },
    /// One token, by its name.
    Token {
        /// The issuer.
        issuer: String,
        /// `jti`.
        name: String,
    },
    /// A user.
    User {
        /// The issuer; without one the name is the key that records have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// The issuer's name for the user.
        name: String,
    },
}

/// A revocation as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is revoked.
    pub target: Target,
    /// What was issued at or before this moment is refused, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Whether what is issued later is refused too, until somebody lifts it.
    pub block: bool,
    /// Whether somebody here or an issuer says so.
    pub origin: Origin,
    /// Why, for people.
    pub why: String,
    /// Who says so.
    pub by: String,
}

/// Who revokes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An issuer, by an event.
    Issuer,
    /// Whoever runs the gateway.
    #[default]
    Operator,
}

/// A revocation as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called: the same for every revocation of the same thing.
    pub id: String,
    /// What is revoked.
    pub target: Target,
    /// What was issued at or before this moment is refused, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Whether what is issued later is refused too.
    pub block: bool,
    /// Who said so, an issuer or somebody here.
    #[serde(default)]
    pub origin: Origin,
    /// Why.
    pub why: String,
    /// Who said so.
    pub by: String,
    /// Whether it is in the ledger.
    pub recorded: bool,
    /// Who took it back, once somebody did: it is kept until that is in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Lifted>,
}

/// Who took a revocation back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Who.
    pub by: String,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// No later token of it can come, so there is nothing to block.
    #[error("a {0} cannot be blocked, only revoked: none is issued again")]
    Blocked(&'static str),
    /// It is no digest.
    #[error("`{0}` is no SHA-256 digest, which has 64 hexadecimal digits")]
    Digest(String),
    /// A text is empty or too long.
    #[error("{0} must have between 1 and {max} characters", max = Register::TEXT)]
    Text(&'static str),
    /// The key of the store's secrets is not there.
    #[error("the key of what is kept: {0}")]
    Key(#[from] vault::KeyFileError),
    /// The store failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Target {
    /// This very token. Only its digest is kept.
    pub fn token(token: &str) -> Self {
        Target::Digest {
            name: hex(&sha256(token.as_bytes())),
        }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Target::Client { .. } => "client",
            Target::Digest { .. } | Target::Token { .. } => "token",
            Target::Grant { .. } => "grant",
            Target::Login { .. } => "login",
            Target::Session { .. } => "session",
            Target::User { .. } => "user",
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Target::Client { name, .. }
            | Target::Digest { name }
            | Target::Grant { name }
            | Target::Login { name, .. }
            | Target::Session { name }
            | Target::Token { name, .. }
            | Target::User { name, .. } => name,
        }
    }

    /// Whose name it is, if an issuer's.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Target::Client { issuer, .. } | Target::User { issuer, .. } => issuer.as_deref(),
            Target::Login { issuer, .. } | Target::Token { issuer, .. } => Some(issuer),
            Target::Digest { .. } | Target::Grant { .. } | Target::Session { .. } => None,
        }
    }

    /// Whether it is about one token, whose own end nobody here knows.
    fn is_one_token(&self) -> bool {
        matches!(self, Target::Digest { .. } | Target::Token { .. })
    }

    /// Whether more of it can be issued later.
    fn can_be_blocked(&self) -> bool {
        matches!(
            self,
            Target::Client { .. } | Target::Grant { .. } | Target::User { .. }
        )
    }

    /// The same for the same thing, in every process: borders count.
    fn id(&self) -> String {
        let mut whole = Vec::new();
        let form = match self {
            Target::Digest { .. } => "digest",
            other => other.kind(),
        };
        // A logout that names the user as well is about more than one that does not: both stand.
        let user = match self {
            Target::Login { user, .. } => user.as_deref(),
            _ => None,
        };
        let issuer = self.issuer().unwrap_or_default();
        for part in [form, issuer, self.name(), user.unwrap_or_default()] {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part.as_bytes());
        }
        whole.push(u8::from(self.issuer().is_some()));
        hex(sha256(&whole).get(..8).unwrap_or_default())
    }
}

/// As records and tables have it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())?;
        match self.issuer() {
            Some(issuer) => write!(f, " of {issuer}"),
            None => Ok(()),
        }
    }
}

impl Register {
    /// The register in this data directory, also while a gateway runs on it.
    pub fn open(data: &Path) -> Result<Self, RegisterError> {
        let database = Database::open(data)?;
        let vault = Vault::load_or_create(&data.join("keys").join(Rows::KEY))?;
        Ok(Register(Rows::new(Arc::new(database), Arc::new(vault))))
    }

    /// How long what an issuer told is kept, in milliseconds: no token that says when it was issued
    /// lives longer than a day (`issuers[].lifetime_max`), and clocks differ by five minutes at most. The
    /// signed tokens of an issuer with `events` have to say so; of others it says itself whether they
    /// are active, whenever it is asked.
    pub const KEPT_MS: u64 = 25 * 3600 * 1000;
    /// How long what somebody here revoked is kept if it blocks nothing: a token that does not say when
    /// it was issued may come into its last day long after.
    pub const KEPT_LONG_MS: u64 = 366 * 24 * 3600 * 1000;
    /// Characters of a reason, and of a name.
    pub const TEXT: usize = 512;

    /// The register in these rows.
    pub fn new(rows: Rows) -> Self {
        Register(rows)
    }

    /// The rows it lies in.
    pub fn rows(&self) -> &Rows {
        &self.0
    }

    /// Writes a revocation down. What was revoked later, or blocked, stays so.
    pub async fn add(&self, order: Order, now_ms: u64) -> Result<Entry, RegisterError> {
        check(&order)?;
        let id = order.target.id();
        let before = self.entry(&id, now_ms).await?;
        let before = before.filter(|before| before.lifted.is_none());
        let entry = Entry {
            at_ms: before
                .as_ref()
                .map_or(order.at_ms, |before| before.at_ms.max(order.at_ms)),
            block: order.block || before.as_ref().is_some_and(|before| before.block),
            // What somebody here revoked does not become an issuer's to forget.
            origin: match before {
                Some(before) if before.origin == Origin::Operator => Origin::Operator,
                _ => order.origin,
            },
            id,
            target: order.target,
            why: order.why,
            by: order.by,
            recorded: false,
            lifted: None,
        };
        self.write(&entry, now_ms).await?;
        self.drop_grant(&entry).await?;
        Ok(entry)
    }

    /// Takes a revocation back, and says which it was; nothing if there is none with this id.
    pub async fn lift(
        &self,
        id: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<Option<Entry>, RegisterError> {
        if !is_text(by) {
            return Err(RegisterError::Text("who lifts"));
        }
        let Some(mut entry) = self.entry(id, now_ms).await? else {
            return Ok(None);
        };
        if entry.lifted.is_some() {
            return Ok(None);
        }
        entry.lifted = Some(Lifted {
            at_ms: now_ms,
            by: by.to_owned(),
        });
        entry.recorded = false;
        self.write(&entry, now_ms).await?;
        Ok(Some(entry))
    }

    /// Everything that is written, what was lifted and is not in the ledger yet among it.
    pub async fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StateError> {
        let rows = self.0.list(Kind::Revocation, "", now_ms).await?;
        rows.iter().map(|row| read(&row.key, &row.value)).collect()
    }

    /// Says that an entry is in the ledger, unless it has changed since. One that was lifted is
    /// forgotten.
    pub(super) async fn recorded(&self, entry: &Entry, now_ms: u64) -> Result<(), StateError> {
        if self.entry(&entry.id, now_ms).await?.as_ref() != Some(entry) {
            return Ok(());
        }
        if entry.lifted.is_some() {
            return self.0.remove(Kind::Revocation, &entry.id).await.map(drop);
        }
        let entry = Entry {
            recorded: true,
            ..entry.clone()
        };
        self.write(&entry, now_ms).await
    }

    /// Removes what was granted, if that is what was revoked. Whoever was about to write it again is
    /// answered by the entry.
    pub(super) async fn drop_grant(&self, entry: &Entry) -> Result<(), StateError> {
        match (&entry.target, &entry.lifted) {
            (Target::Grant { name }, None) => self.0.remove(Kind::Connection, name).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn entry(&self, id: &str, now_ms: u64) -> Result<Option<Entry>, StateError> {
        let row = self.0.get(Kind::Revocation, id, now_ms).await?;
        row.map(|row| read(&row.key, &row.value)).transpose()
    }

    async fn write(&self, entry: &Entry, now_ms: u64) -> Result<(), StateError> {
        let value = serde_json::to_vec(entry);
        let value = value.map_err(|_| StateError::malformed(Kind::Revocation, &entry.id))?;
        let from_ms = entry.lifted.as_ref().map_or(entry.at_ms, |it| it.at_ms);
        // From when it was written, too, so that the ledger hears of what is long past.
        let kept = |kept_ms| Some(from_ms.max(now_ms).saturating_add(kept_ms));
        let expires_ms = match (entry.lifted.is_some(), entry.origin) {
            (true, _) => kept(Self::KEPT_MS),
            (false, _) if entry.block || entry.target.is_one_token() => None,
            (false, Origin::Operator) => kept(Self::KEPT_LONG_MS),
            (false, Origin::Issuer) => kept(Self::KEPT_MS),
        };
        let kind = Kind::Revocation;
        self.0
            .put(kind, &entry.id, &value, expires_ms, now_ms)
            .await
    }
}

/// A row that does not read is not left out: what it says is not known.
fn read(key: &str, value: &[u8]) -> Result<Entry, StateError> {
    let entry: Option<Entry> = serde_json::from_slice(value).ok();
    let entry = entry.filter(|entry| entry.id == key && entry.target.id() == key);
    entry.ok_or_else(|| StateError::malformed(Kind::Revocation, key))
}

fn check(order: &Order) -> Result<(), RegisterError> {
    let target = &order.target;
    if order.block && !target.can_be_blocked() {
        return Err(RegisterError::Blocked(target.kind()));
    }
    if let Target::Digest { name } = target
        && read_digest(name).is_none()
    {
        return Err(RegisterError::Digest(name.chars().take(80).collect()));
    }
    let texts = [
        ("the name", Some(target.name())),
        ("the issuer", target.issuer()),
        ("the reason", Some(order.why.as_str())),
        ("who revokes", Some(order.by.as_str())),
    ];
    let wrong = |(_, text): &(&str, Option<&str>)| text.is_some_and(|text| !is_text(text));
    match texts.into_iter().find(wrong) {
        Some((what, _)) => Err(RegisterError::Text(what)),
        None => Ok(()),
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= Register::TEXT
}
