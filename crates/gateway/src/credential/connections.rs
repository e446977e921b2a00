//! Connections that outlive a restart: what a user granted the gateway at the authorization server of
//! one server. Each is sealed before any store sees it, bound to the server, the user and the issuer,
//! so that a row that somebody moves to another user does not open.

use crate::state::{Kind, Rows, StateError};
use identity::client::Tokens;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// The store of connections.
#[derive(Clone, Debug)]
pub struct Connections(Rows);

/// One connection.
pub(crate) struct Connected {
    /// Who granted what, when, for people to read.
    pub(crate) about: About,
    /// The private key that the tokens are bound to, if they are.
    pub(crate) key: Option<Zeroizing<Vec<u8>>>,
    /// The tokens.
    pub(crate) tokens: Tokens,
}

/// What is told of a connection. No secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Who knows the user.
    pub user_issuer: String,
    /// The issuer's name for the user.
    pub subject: String,
    /// The client that asked for it, if it is known.
    pub client: Option<String>,
    /// The route it was asked for on.
    pub route: String,
    /// When it was granted, in unix seconds.
    pub at: u64,
    /// What was granted, with spaces between the scopes.
    pub scopes: String,
}

/// A connection as it is listed.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// What it is revoked by: `ringwall revoke grant NAME`.
    pub name: String,
    /// The server.
    pub server: String,
    /// The name for the user that state is kept under.
    pub user: String,
    /// The authorization server that granted it.
    pub issuer: String,
    /// What is told of it.
    #[serde(flatten)]
    pub about: About,
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("about", &self.about)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// Those in these rows.
    pub fn new(rows: Rows) -> Self {
        Connections(rows)
    }

    /// The user's connection to this server; the one of this issuer, if it is known which.
    pub(crate) async fn find(
        &self,
        server: &str,
        user: &str,
        issuer: Option<&str>,
        now_ms: u64,
    ) -> Result<Option<Connected>, StateError> {
        if let Some(issuer) = issuer {
            let row = self.0.get(KIND, &key(server, user, issuer), now_ms).await?;
            return Ok(row.and_then(|row| read(&row.value)));
        }
        let rows = self.0.list(KIND, &of_user(server, user), now_ms).await?;
        Ok(rows.iter().find_map(|row| read(&row.value)))
    }

    /// Keeps a connection, instead of any other one of this user to this server.
    pub(crate) async fn keep(
        &self,
        server: &str,
        user: &str,
        connected: &Connected,
        now_ms: u64,
    ) -> Result<(), StateError> {
        let key = key(server, user, connected.tokens.issuer());
        let value = written(connected).ok_or(StateError::Long("connection"))?;
        self.0.put(KIND, &key, &value, None, now_ms).await?;
        // Where the server has moved to another issuer, what the old one granted is of no more use.
        for row in self.0.list(KIND, &of_user(server, user), now_ms).await? {
            if row.key != key {
                self.0.remove(KIND, &row.key).await?;
            }
        }
        Ok(())
    }

    /// Forgets the connection of this issuer, and says whether there was one.
    pub(crate) async fn forget(
        &self,
        server: &str,
        user: &str,
        issuer: &str,
    ) -> Result<bool, StateError> {
        self.0.remove(KIND, &key(server, user, issuer)).await
    }

    /// Those of one user, without what they open.
    pub async fn of_user(&self, user: &str, now_ms: u64) -> Result<Vec<Listed>, StateError> {
        let mut all = self.all(now_ms).await?;
        all.retain(|one| one.user == user);
        Ok(all)
    }

    /// Every connection, without what it opens.
    pub async fn all(&self, now_ms: u64) -> Result<Vec<Listed>, StateError> {
        let rows = self.0.list(KIND, "", now_ms).await?;
        let listed = rows.iter().filter_map(|row| {
            let (server, rest) = row.key.split_once('/')?;
            let (user, issuer) = rest.split_once('/')?;
            Some(Listed {
                name: row.key.clone(),
                server: server.to_owned(),
                user: user.to_owned(),
                issuer: issuer.to_owned(),
                about: read(&row.value)?.about,
            })
        });
        Ok(listed.collect())
    }
}

const KIND: Kind = Kind::Connection;

/// What a connection is called. No server and no user has a slash in its name.
pub(crate) fn key(server: &str, user: &str, issuer: &str) -> String {
    format!("{server}/{user}/{issuer}")
}

fn of_user(server: &str, user: &str) -> String {
    format!("{server}/{user}/")
}

/// Three parts, the first two with their length before them: what is secret is not copied through a
/// document of another form.
fn written(connected: &Connected) -> Option<Zeroizing<Vec<u8>>> {
    let about = serde_json::to_vec(&connected.about).ok()?;
    let tokens = connected.tokens.to_kept()?;
    let none = Zeroizing::new(Vec::new());
    let key = connected.key.as_ref().unwrap_or(&none);
    let mut value = Zeroizing::new(Vec::with_capacity(
        8 + about.len() + key.len() + tokens.len(),
    ));
    for part in [&about, &**key] {
        value.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        value.extend_from_slice(part);
    }
    value.extend_from_slice(&tokens);
    Some(value)
}

fn read(value: &[u8]) -> Option<Connected> {
    let part = |bytes: &mut &[u8]| -> Option<Zeroizing<Vec<u8>>> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        *bytes = rest;
        Some(Zeroizing::new(part.to_vec()))
    };
    let mut rest = value;
    let about = part(&mut rest)?;
    let key = part(&mut rest)?;
    Some(Connected {
        about: serde_json::from_slice(&about).ok()?,
        key: Some(key).filter(|key| !key.is_empty()),
        tokens: Tokens::from_kept(rest)?,
    })
}
