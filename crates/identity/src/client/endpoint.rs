//! One token endpoint, spoken to as one client: the place where every grant passes. It exists only
//! for a client of that very authorization server, authenticates it, adds a proof where tokens are
//! to be bound to a key, and asks again once if only the nonce of that proof was missing.

use super::answer::{self, Expected};
use super::{
    At, AuthorizationServer, ClientError, Identity, Outside, Proofs, Resource, Scopes, TokenKind,
    Tokens,
};
use crate::Fetched;
use serde_json::{Map, Value};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// The fields that hold secrets, which no error may repeat.
const SECRETS: [&str; 6] = [
    "actor_token",
    "assertion",
    "code",
    "code_verifier",
    "refresh_token",
    "subject_token",
];

/// The fields of a form.
pub(crate) type Fields = Vec<(&'static str, Zeroizing<String>)>;

/// A token endpoint, and who speaks to it.
#[derive(Clone, Copy)]
pub struct TokenEndpoint<'a> {
    pub(crate) outside: Outside<'a>,
    pub(crate) server: &'a AuthorizationServer,
    pub(crate) identity: &'a Identity,
    pub(crate) proofs: Option<&'a Proofs>,
}

/// What tokens are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// For which server.
    pub resource: &'a Resource,
    /// With which scopes; none means those that the authorization server finds right.
    pub scopes: &'a Scopes,
}

impl<'a> TokenEndpoint<'a> {
    /// The token endpoint of this server for this client. With `proofs` tokens are bound to their
    /// key, and tokens that are not are refused.
    pub fn new(
        outside: Outside<'a>,
        server: &'a AuthorizationServer,
        identity: &'a Identity,
        proofs: Option<&'a Proofs>,
    ) -> Result<Self, ClientError> {
        if identity.issuer() != server.issuer() {
            return Err(ClientError::OtherIssuer(server.issuer().to_owned()));
        }
        if proofs.is_some() && !server.takes_proofs() {
            return Err(ClientError::DpopAlgorithm);
        }
        Ok(TokenEndpoint {
            outside,
            server,
            identity,
            proofs,
        })
    }

    /// The kind of tokens that are asked for.
    pub(crate) fn kind(&self) -> TokenKind {
        match self.proofs {
            Some(_) => TokenKind::Dpop,
            None => TokenKind::Bearer,
        }
    }

    /// What a token for this server has to be.
    pub(crate) fn expected(&self, want: &Want<'a>) -> Expected<'a> {
        Expected {
            resource: Some(want.resource.as_str()),
            ..self.expected_of(want.scopes)
        }
    }

    /// What a token with these scopes has to be, for whatever it is.
    pub(crate) fn expected_of(&self, asked: &'a Scopes) -> Expected<'a> {
        Expected {
            kind: self.kind(),
            issued: None,
            asked,
            issuer: self.server.issuer(),
            client_id: self.identity.client_id(),
            resource: None,
            now: self.outside.now,
        }
    }

    /// Asks for tokens.
    pub(crate) async fn ask(
        &self,
        fields: Fields,
        expected: &Expected<'_>,
    ) -> Result<Tokens, ClientError> {
        let answer = self.answer(fields).await?;
        answer::tokens(answer, expected)
    }

    /// The answer to this form.
    pub(crate) async fn answer(&self, fields: Fields) -> Result<Map<String, Value>, ClientError> {
        let url = self.server.token_endpoint()?;
        let answer = self.post(url, fields.clone()).await?;
        let secrets = fields.iter().filter(|(name, _)| SECRETS.contains(name));
        let secrets = secrets.map(|(_, value)| value.as_str());
        let secrets: Vec<&str> = secrets.chain(self.identity.secret()).collect();
        answer::read(&answer, &secrets)
    }

    /// Posts a form with a proof, once more if the nonce of the proof was not the one wanted
    /// (RFC 9449, section 8). A refused request was not acted on, so it may be repeated.
    pub(crate) async fn post(&self, url: &Url, fields: Fields) -> Result<Fetched, ClientError> {
        let (answer, outdated) = self.post_once(url, fields.clone()).await?;
        if !outdated || !wants_nonce(&answer) {
            return Ok(answer);
        }
        let (answer, _) = self.post_once(url, fields).await?;
        Ok(answer)
    }

    /// The answer, and whether the proof would have another nonce by now.
    async fn post_once(&self, url: &Url, fields: Fields) -> Result<(Fetched, bool), ClientError> {
        let form = self.identity.form(self.server, self.outside, url, fields)?;
        let Some(proofs) = self.proofs else {
            return Ok((self.outside.fetch.send(form).await?, false));
        };
        let now = self.outside.now;
        let proof = proofs.proof(At::AuthorizationServer, "POST", url, now, None)?;
        let form = form.header("dpop", Zeroizing::new(proof.as_str().to_owned()));
        let answer = self.outside.fetch.send(form).await?;
        if let Some(nonce) = &answer.dpop_nonce {
            proofs.hear(At::AuthorizationServer, nonce);
        }
        Ok((answer, proofs.is_outdated(&proof)))
    }
}

impl fmt::Debug for TokenEndpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("issuer", &self.server.issuer())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

fn wants_nonce(answer: &Fetched) -> bool {
    let error = super::OAuthError::read(&answer.body, &[]);
    matches!(answer.status, 400 | 401) && error.is_some_and(|e| e.code() == "use_dpop_nonce")
}

/// One field.
pub(crate) fn field(name: &'static str, value: &str) -> (&'static str, Zeroizing<String>) {
    (name, Zeroizing::new(value.to_owned()))
}
