//! The grants that need no person at a browser: the client's own, refreshing, and acting for a
//! caller by exchange, on behalf of, or by an assertion of their identity provider. A caller's
//! token is sent to the issuer that issued it, and to nobody else; the types hold that.

use super::answer::{self, Expected};
use super::endpoint::{Fields, TokenEndpoint, Want, field};
use super::{
    AuthorizationServer, ClientError, IdJag, Scopes, Speaks, SubjectToken, Tokens, WorkloadToken,
};
use serde_json::Value;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";

/// Further words about whom an exchanged token is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// `audience`, for authorization servers that know servers by a name (RFC 8693, section 2.1).
    pub audience: Option<&'a str>,
    /// Our own token of the same issuer, so that the exchanged one says who acts (`act`).
    pub actor: Option<&'a Tokens>,
}

impl<'a> TokenEndpoint<'a> {
    /// A token for ourselves (RFC 6749, section 4.4).
    pub async fn client_credentials(&self, want: Want<'a>) -> Result<Tokens, ClientError> {
        let mut fields = vec![field("grant_type", "client_credentials")];
        add_want(&mut fields, &want);
        self.own(fields, &self.expected(&want)).await
    }

    /// The same for what is named by its scopes alone, as Entra ID has it.
    pub(crate) async fn client_credentials_for(
        &self,
        scopes: &'a Scopes,
    ) -> Result<Tokens, ClientError> {
        let grant = field("grant_type", "client_credentials");
        let fields = vec![grant, field("scope", &scopes.to_string())];
        self.own(fields, &self.expected_of(scopes)).await
    }

    async fn own(&self, fields: Fields, expected: &Expected<'_>) -> Result<Tokens, ClientError> {
        let mut tokens = self.ask(fields, expected).await?;
        // RFC 6749, section 4.4.3: there is nothing to refresh where the secret is at hand.
        tokens.refresh = None;
        Ok(tokens)
    }

    /// Other tokens for the refresh token of these (RFC 6749, section 6). The old one may be dead
    /// afterwards: what comes back is what is to be kept, and only one may ask at a time.
    /// [`ClientError::Lost`] says that the person has to agree again.
    pub async fn refresh(&self, tokens: &'a Tokens) -> Result<Tokens, ClientError> {
        if *tokens.issuer != *self.server.issuer() {
            return Err(ClientError::OtherIssuer(self.server.issuer().to_owned()));
        }
        // A refresh token is bound to its client (RFC 6749, section 6): whoever took its place since
        // gets tokens of their own.
        if tokens.client_id.as_deref() != self.identity.client_id() {
            return Err(ClientError::OtherClient(self.server.issuer().to_owned()));
        }
        let refresh = tokens.refresh.as_ref().ok_or(ClientError::Lost)?;
        let mut fields = vec![
            field("grant_type", "refresh_token"),
            ("refresh_token", refresh.clone()),
        ];
        if let Some(resource) = &tokens.resource {
            fields.push(field("resource", resource));
        }
        let expected = Expected {
            kind: self.kind(),
            issued: None,
            asked: &tokens.granted,
            issuer: self.server.issuer(),
            client_id: self.identity.client_id(),
            resource: tokens.resource.as_deref(),
            now: self.outside.now,
        };
        let mut fresh = match self.ask(fields, &expected).await {
            Err(ClientError::Denied(error)) if error.code() == "invalid_grant" => {
                return Err(ClientError::Lost);
            }
            other => other?,
        };
        fresh.asked = tokens.asked.clone();
        if fresh.refresh.is_none() {
            fresh.refresh = Some(refresh.clone());
        }
        Ok(fresh)
    }

    /// A token for a caller, from theirs (RFC 8693).
    pub async fn exchange(
        &self,
        subject: &SubjectToken,
        want: Want<'a>,
        target: Target<'_>,
    ) -> Result<Tokens, ClientError> {
        let mut fields = self.exchange_fields(subject, ACCESS_TOKEN)?;
        add_want(&mut fields, &want);
        if let Some(audience) = target.audience {
            fields.push(field("audience", audience));
        }
        if let Some(actor) = target.actor {
            if *actor.issuer != *self.server.issuer() {
                return Err(ClientError::OtherIssuer(self.server.issuer().to_owned()));
            }
            fields.push(("actor_token", actor.access.clone()));
            fields.push(field("actor_token_type", ACCESS_TOKEN));
        }
        let expected = Expected {
            issued: Some(&[ACCESS_TOKEN, JWT]),
            ..self.expected(&want)
        };
        let mut tokens = self.ask(fields, &expected).await?;
        // It would outlive the caller's token, and with it their session.
        tokens.refresh = None;
        Ok(tokens)
    }

    /// A token for a caller, from theirs, as Entra ID does it ("on behalf of"). The scopes name
    /// the server; this grant knows no `resource`. Only for people: an application that calls has
    /// rights of its own. [`OAuthError::claims`](super::OAuthError::claims) of the error is what
    /// the caller has to prove first.
    pub async fn on_behalf_of(
        &self,
        subject: &SubjectToken,
        want: Want<'a>,
    ) -> Result<Tokens, ClientError> {
        if subject.speaks() != Speaks::Person {
            return Err(ClientError::AppOnly);
        }
        let assertion = subject.at(self.server)?.clone();
        let mut fields = vec![
            field("grant_type", JWT_BEARER),
            ("assertion", assertion),
            field("requested_token_use", "on_behalf_of"),
        ];
        add_scopes(&mut fields, &want);
        let mut tokens = self.ask(fields, &self.expected(&want)).await?;
        tokens.refresh = None;
        Ok(tokens)
    }

    /// Asks the identity provider of a person for an assertion about them, made for the
    /// authorization server of another server
    /// (draft-ietf-oauth-identity-assertion-authz-grant, section 4.3).
    pub async fn id_jag(
        &self,
        subject: &SubjectToken,
        upstream: &AuthorizationServer,
        want: Want<'_>,
    ) -> Result<IdJag, ClientError> {
        let mut fields = self.exchange_fields(subject, ID_JAG)?;
        fields.push(field("audience", upstream.issuer()));
        add_want(&mut fields, &want);
        let mut answer = self.answer(fields).await?;
        answer::issued(&answer, Some(&[ID_JAG]))?;
        // It is no access token, and says so (RFC 8693, section 2.2.1).
        let kind = answer.get("token_type").and_then(Value::as_str);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("N_A")) {
            return Err(ClientError::TokenType);
        }
        let expires_at = answer::expires_at(&answer, self.outside.now)?;
        let assertion = answer::token(&mut answer, "access_token")?;
        Ok(IdJag {
            assertion: assertion.ok_or(ClientError::Answer("`access_token` is missing"))?,
            audience: upstream.issuer().into(),
            resource: want.resource.as_str().into(),
            expires_at,
        })
    }

    /// A token for a person, for the assertion of their identity provider (the same draft, section
    /// 4.4; RFC 7523, section 2.1).
    pub async fn redeem_id_jag(
        &self,
        assertion: &IdJag,
        want: Want<'a>,
    ) -> Result<Tokens, ClientError> {
        let assertion = assertion.at(self.server, want.resource)?.clone();
        self.jwt_bearer(assertion, want).await
    }

    /// A token for the workload that we are, for the token that its platform gave it (RFC 7523,
    /// section 2.1).
    pub async fn workload(
        &self,
        workload: &WorkloadToken,
        want: Want<'a>,
    ) -> Result<Tokens, ClientError> {
        let assertion = workload.at(self.server)?.clone();
        self.jwt_bearer(assertion, want).await
    }

    /// Tells the authorization server that tokens are no longer used (RFC 7009). Nothing is done
    /// where it takes no such word; a failure changes nothing here, so it is only reported.
    pub async fn revoke(&self, tokens: &Tokens) -> Result<(), ClientError> {
        if *tokens.issuer != *self.server.issuer() {
            return Err(ClientError::OtherIssuer(self.server.issuer().to_owned()));
        }
        let Some(url) = self.server.revocation_endpoint() else {
            return Ok(());
        };
        // With a refresh token goes the whole grant (RFC 7009, section 2.1).
        let (token, hint) = match &tokens.refresh {
            Some(refresh) => (refresh, "refresh_token"),
            None => (&tokens.access, "access_token"),
        };
        let fields = vec![("token", token.clone()), field("token_type_hint", hint)];
        match self.post(url, fields).await?.status {
            200 => Ok(()),
            status => Err(ClientError::Status(status)),
        }
    }

    fn exchange_fields(
        &self,
        subject: &SubjectToken,
        requested: &str,
    ) -> Result<Fields, ClientError> {
        Ok(vec![
            field("grant_type", EXCHANGE),
            field("requested_token_type", requested),
            ("subject_token", subject.at(self.server)?.clone()),
            field("subject_token_type", subject.kind()),
        ])
    }

    async fn jwt_bearer(
        &self,
        assertion: zeroize::Zeroizing<String>,
        want: Want<'a>,
    ) -> Result<Tokens, ClientError> {
        let mut fields = vec![field("grant_type", JWT_BEARER), ("assertion", assertion)];
        add_want(&mut fields, &want);
        let mut tokens = self.ask(fields, &self.expected(&want)).await?;
        // RFC 7521, section 4.1: the assertion is what is brought again.
        tokens.refresh = None;
        Ok(tokens)
    }
}

/// `resource` (RFC 8707, section 2.2) and the scopes.
fn add_want(fields: &mut Fields, want: &Want<'_>) {
    fields.push(field("resource", want.resource.as_str()));
    add_scopes(fields, want);
}

fn add_scopes(fields: &mut Fields, want: &Want<'_>) {
    if !want.scopes.is_empty() {
        fields.push(field("scope", &want.scopes.to_string()));
    }
}

#[cfg(test)]
mod tests;
