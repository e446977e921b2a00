//! What comes of one code: a line of refresh tokens, each good once (RFC 9700, section 4.14.2). Whoever
//! brings one that was used before shows that two hold the line, and nobody can tell which of them should:
//! it ends for both. A line also ends at its age, and when nobody uses it.

use super::code::same_resource;
use super::{AuthorityError, Code, CodeText, ErrorCode, Parameters, Person};
use crate::base64url;
use crate::client::Scopes;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The text of a refresh token.
pub type RefreshText = CodeText;

/// The most access tokens of a family that are good at a time. Each is remembered by name: one that was
/// forgotten would outlive its family.
const TOKENS_MAX: usize = 64;

/// A line of refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The client it belongs to.
    pub client_id: String,
    /// What the person agreed to, by its name.
    pub consent: String,
    /// The person.
    pub person: Person,
    /// The resource.
    pub resource: String,
    /// The scopes.
    pub scopes: String,
    /// The key that the tokens of a public client are bound to.
    pub key: Option<String>,
    /// When it began, in unix seconds.
    pub began_s: u64,
    /// When it was used last, in unix seconds.
    pub used_s: u64,
    /// The digest of the code that began it.
    code: String,
    /// The digest of the refresh token that is good, if there is one.
    current: Option<String>,
    /// Access tokens that may still be good: their names, and until when.
    tokens: Vec<(String, u64)>,
}

/// What somebody brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The code that began the family, once more.
    Code,
    /// The refresh token that is good.
    Current,
    /// One that was used before, or that somebody made up who knows the family: nobody does who did
    /// not hold a token of it.
    Used,
}

impl Family {
    /// The family that this code begins, with no token in it yet.
    pub fn begin(code: &Code, text: &CodeText, key: Option<&str>, now: u64) -> Self {
        Family {
            client_id: code.request.client_id.clone(),
            consent: code.consent.clone(),
            person: code.person.clone(),
            resource: code.request.resource.clone(),
            scopes: code.request.scopes.clone(),
            key: key.map(str::to_owned),
            began_s: now,
            used_s: now,
            code: base64url::encode(&text.digest()),
            current: None,
            tokens: Vec::new(),
        }
    }

    /// What is to be kept.
    pub fn to_kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Zeroizing::new)
    }

    /// The family that was kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        serde_json::from_slice(kept).ok()
    }

    /// What this is, of a text that names this family.
    pub fn presented(&self, text: &CodeText) -> Presented {
        let digest = base64url::encode(&text.digest());
        let same = |kept: &str| verify_slices_are_equal(kept.as_bytes(), digest.as_bytes()).is_ok();
        match &self.current {
            Some(current) if same(current) => Presented::Current,
            _ if same(&self.code) => Presented::Code,
            _ => Presented::Used,
        }
    }

    /// From now on this is the refresh token that is good.
    pub fn turn_to(&mut self, text: &RefreshText, now: u64) {
        self.current = Some(base64url::encode(&text.digest()));
        self.used_s = now;
    }

    /// Remembers that this access token came of it, good until then in unix seconds. Where too many could
    /// still be good it must not be handed out.
    pub fn issued(&mut self, token_id: &str, until_s: u64, now: u64) -> Result<(), AuthorityError> {
        self.tokens.retain(|(_, until_s)| *until_s > now);
        if self.tokens.len() >= TOKENS_MAX {
            let says = "too many access tokens that came of this are still good: use one of them";
            return Err(ErrorCode::TemporarilyUnavailable.because(says));
        }
        self.tokens.push((token_id.to_owned(), until_s));
        Ok(())
    }

    /// The access tokens that may still be good, by their names.
    pub fn tokens(&self, now: u64) -> impl Iterator<Item = &str> {
        let lasting = self
            .tokens
            .iter()
            .filter(move |(_, until_s)| *until_s > now);
        lasting.map(|(name, _)| name.as_str())
    }

    /// When it ends if nobody uses it, in unix seconds, for these ages in seconds.
    pub fn ends_s(&self, age_s: u64, idle_s: u64) -> u64 {
        let age = self.began_s.saturating_add(age_s);
        age.min(self.used_s.saturating_add(idle_s))
    }

    /// That this client may go on with it, for what was agreed to or less (RFC 6749, section 6), with the
    /// key it is bound to. The scopes that the new access token gets.
    pub fn refresh(
        &self,
        client_id: &str,
        parameters: &Parameters,
        key: Option<&str>,
    ) -> Result<String, AuthorityError> {
        let refused = |says| ErrorCode::InvalidGrant.because(says);
        if client_id != self.client_id {
            return Err(refused("the refresh token was issued to another client"));
        }
        match (&self.key, key) {
            (Some(bound), Some(key)) if bound == key => {}
            (None, _) => {}
            (Some(_), _) => return Err(refused("the refresh token is bound to another key")),
        }
        same_resource(parameters, &self.resource)?;
        let Some(asked) = parameters.get("scope") else {
            return Ok(self.scopes.clone());
        };
        let granted = Scopes::read(&self.scopes).unwrap_or_default();
        let asked = Scopes::read(asked);
        let asked = asked.filter(|asked| granted.contains_all(asked));
        let says = "nobody agreed to that scope";
        Ok(asked
            .ok_or(ErrorCode::InvalidScope.because(says))?
            .to_string())
    }
}
