//! An authorization that a person gives in a browser (RFC 6749, section 4.1): begun with PKCE, a
//! state, and the issuer that was asked; answered once, in time, by that issuer. Whoever calls
//! keeps the [`Flow`] in between, sealed, and takes it out before the answer is looked at.

use super::answer::Expected;
use super::endpoint::{Fields, TokenEndpoint, field};
use super::metadata::Pkce;
use super::tokens::{secret, written};
use super::{ClientError, OAuthError, Resource, Scopes, Tokens};
use crate::{Strength, base64url, members};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use serde_json::{Value, json};
use std::fmt;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

/// How long a person has to agree, in seconds.
const FLOW_TIME_S: u64 = 600;
/// The longest query of an answer that is read, in bytes.
const QUERY_MAX: usize = 8 * 1024;
/// The most parameters it may have.
const PARAMETERS_MAX: usize = 32;
/// The longest code, in bytes.
const CODE_MAX: usize = 4 * 1024;
/// The largest answer of a pushed request that is read, in bytes.
const PUSHED_MAX: usize = 16 * 1024;

/// What a person is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// That we use this server for them.
    Access(&'a Resource),
    /// That they say who they are (OpenID Connect). The answer has a token about them, bound to
    /// this flow by its nonce.
    SignIn,
}

/// How they are asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What for.
    pub purpose: Purpose<'a>,
    /// With which scopes.
    pub scopes: &'a Scopes,
    /// Where the answer goes: exactly as it is registered.
    pub redirect_uri: &'a str,
    /// What has to be proved, as an earlier error said.
    pub claims: Option<&'a str>,
    /// How whoever signs in has to be authenticated (OpenID Connect Core, section 3.1.2.1). Asking
    /// proves nothing: what comes back is held against it.
    pub strength: Option<&'a Strength>,
}

/// An authorization that was begun and not answered.
pub struct Flow {
    state: Zeroizing<String>,
    verifier: Zeroizing<String>,
    nonce: Option<String>,
    issuer: Box<str>,
    says_issuer: bool,
    client_id: Box<str>,
    redirect_uri: Box<str>,
    resource: Option<Box<str>>,
    scopes: Scopes,
    expires_at: u64,
}

/// A begun authorization, and where the person goes to give it.
#[derive(Debug)]
pub struct Begun {
    /// What is to be kept until the answer comes.
    pub flow: Flow,
    /// Where the person is sent.
    pub url: Url,
}

/// A code of a flow that was answered as it should be. It can be redeemed only where, by whom and
/// with what its flow was begun.
pub struct Code {
    code: Zeroizing<String>,
    flow: Flow,
}

impl Flow {
    /// Begins an authorization at the server of this endpoint. Nothing has been agreed to yet, and
    /// nothing but the request itself was pushed anywhere.
    pub async fn begin(at: &TokenEndpoint<'_>, ask: Ask<'_>) -> Result<Begun, ClientError> {
        let server = at.server;
        let client_id = at.identity.client_id();
        let client_id = client_id.ok_or(ClientError::Authentication)?;
        match (server.pkce(), ask.purpose) {
            (Pkce::Offered | Pkce::Required, _) => {}
            // MCP's rule is for its own authorizations. Who signs in is bound to the flow by the
            // nonce as well, and large providers check challenges without saying so.
            (Pkce::Unsaid, Purpose::SignIn) => {}
            (Pkce::Refused | Pkce::Unsaid, _) => return Err(ClientError::Pkce),
        }
        if !at.identity.is_answered_at(ask.redirect_uri) {
            return Err(ClientError::Callback("nobody registered where it goes"));
        }
        let random = || {
            at.outside
                .entropy
                .bits()
                .map(|bits| base64url::encode(&bits))
        };
        let flow = Flow {
            state: Zeroizing::new(random()?),
            verifier: Zeroizing::new(random()?),
            nonce: match ask.purpose {
                Purpose::SignIn => Some(random()?),
                Purpose::Access(_) => None,
            },
            issuer: server.issuer().into(),
            says_issuer: server.says_issuer(),
            client_id: client_id.into(),
            redirect_uri: ask.redirect_uri.into(),
            resource: match ask.purpose {
                Purpose::SignIn => None,
                Purpose::Access(resource) => Some(resource.as_str().into()),
            },
            scopes: ask.scopes.clone(),
            expires_at: at.outside.now.saturating_add(FLOW_TIME_S),
        };
        let fields = flow.request(at, ask);
        let mut url = server.authorization_endpoint()?.clone();
        if server.must_push() {
            let pushed = push(at, fields).await?;
            let mut query = url.query_pairs_mut();
            query.append_pair("client_id", client_id);
            query.append_pair("request_uri", &pushed);
        } else {
            let mut query = url.query_pairs_mut();
            query.append_pair("client_id", client_id);
            query.extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
        }
        Ok(Begun { flow, url })
    }

    /// What the answer brings back, to find this flow by.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The issuer that was asked.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the token about the person has to repeat.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// When it is too late, in unix seconds.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Reads the query of the answer (RFC 6749, section 4.1.2; RFC 9207, section 2.4) that came to
    /// this address, at this time in unix seconds. The flow is used up, whatever the answer says.
    pub fn answer(self, at: &str, query: &str, now: u64) -> Result<Code, ClientError> {
        // Where servers do not name themselves, each answers at an address of its own (RFC 9700,
        // section 4.4.2).
        if *at != *self.redirect_uri {
            return Err(ClientError::Issuer);
        }
        let answer = Answer::read(query)?;
        if now >= self.expires_at {
            return Err(ClientError::Callback("it came too late"));
        }
        let state = answer.state.as_ref().map_or("", |state| state.as_str());
        if verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).is_err() {
            return Err(ClientError::Callback(
                "its state is not the one that was sent",
            ));
        }
        // Before anything else is looked at, an error included: what another issuer says is
        // neither acted on nor shown.
        match answer.issuer.as_deref() {
            Some(issuer) if *issuer == *self.issuer => {}
            None if !self.says_issuer => {}
            _ => return Err(ClientError::Issuer),
        }
        if let Some(error) = &answer.error {
            let told = [self.state.as_str()];
            let description = answer.description.as_ref().map(|text| text.as_str());
            let error = OAuthError::of(error, description, &told);
            return Err(ClientError::Denied(Box::new(error)));
        }
        match answer.code {
            Some(code) => Ok(Code { code, flow: self }),
            None => Err(ClientError::Callback("it has no code")),
        }
    }

    /// What is to be kept, with its secrets: to be sealed.
    pub fn to_kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        written(&json!({
            "state": self.state.as_str(), "verifier": self.verifier.as_str(),
            "nonce": self.nonce, "issuer": self.issuer, "says_issuer": self.says_issuer,
            "client_id": self.client_id, "redirect_uri": self.redirect_uri,
            "resource": self.resource, "scopes": self.scopes.to_string(),
            "expires_at": self.expires_at,
        }))
    }

    /// The flow that was kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let mut kept = members::object(kept)?;
        let (state, verifier) = (secret(&mut kept, "state")?, secret(&mut kept, "verifier")?);
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        Some(Flow {
            state,
            verifier,
            nonce: text("nonce").map(str::to_owned),
            issuer: text("issuer")?.into(),
            says_issuer: kept.get("says_issuer")?.as_bool()?,
            client_id: text("client_id")?.into(),
            redirect_uri: text("redirect_uri")?.into(),
            resource: text("resource").map(Into::into),
            scopes: Scopes::read(text("scopes")?)?,
            expires_at: kept.get("expires_at")?.as_u64()?,
        })
    }

    /// The parameters of the request, but for the client id.
    fn request(&self, at: &TokenEndpoint<'_>, ask: Ask<'_>) -> Fields {
        let mut fields = vec![
            field("response_type", "code"),
            field("redirect_uri", &self.redirect_uri),
            ("state", self.state.clone()),
            field("code_challenge", &challenge(&self.verifier)),
            field("code_challenge_method", "S256"),
        ];
        if !self.scopes.is_empty() {
            fields.push(field("scope", &self.scopes.to_string()));
        }
        if let Some(resource) = &self.resource {
            fields.push(field("resource", resource));
        }
        if let Some(nonce) = &self.nonce {
            fields.push(field("nonce", nonce));
        }
        if let Some(claims) = ask.claims {
            fields.push(field("claims", claims));
        }
        if let Some(strength) = ask.strength {
            if !strength.contexts.is_empty() {
                fields.push(field("acr_values", &strength.contexts.join(" ")));
            }
            let age = strength.max_age_s.map(|age_s| age_s.to_string());
            fields.extend(age.map(|age| field("max_age", &age)));
        }
        // The code is then of use only with our key (RFC 9449, section 10).
        if let Some(proofs) = at.proofs {
            fields.push(field("dpop_jkt", proofs.signer().thumbprint()));
        }
        // OpenID Connect Core, section 11: otherwise a refresh token need not be given.
        if self.scopes.contains("offline_access") {
            fields.push(field("prompt", "consent"));
        }
        fields
    }
}

impl Code {
    /// The issuer that gave it.
    pub fn issuer(&self) -> &str {
        &self.flow.issuer
    }

    /// What the token about the person has to repeat.
    pub fn nonce(&self) -> Option<&str> {
        self.flow.nonce()
    }

    /// Redeems it (RFC 6749, section 4.1.3), once, at the issuer that gave it and as the client it
    /// was given to.
    pub async fn redeem(self, at: &TokenEndpoint<'_>) -> Result<Tokens, ClientError> {
        let flow = &self.flow;
        let ours = at.identity.client_id() == Some(&*flow.client_id);
        if *flow.issuer != *at.server.issuer() || !ours {
            return Err(ClientError::OtherIssuer(at.server.issuer().to_owned()));
        }
        let mut fields = vec![
            field("grant_type", "authorization_code"),
            ("code", self.code.clone()),
            field("redirect_uri", &flow.redirect_uri),
            ("code_verifier", flow.verifier.clone()),
        ];
        if let Some(resource) = &flow.resource {
            fields.push(field("resource", resource));
        }
        let expected = Expected {
            kind: at.kind(),
            issued: None,
            asked: &flow.scopes,
            issuer: &flow.issuer,
            client_id: Some(&flow.client_id),
            resource: flow.resource.as_deref(),
            now: at.outside.now,
        };
        at.ask(fields, &expected).await
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("resource", &self.resource)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code")
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}

/// The `state` in the query of an answer, to find its flow by; nothing if it is not there exactly
/// once.
pub fn state_of(query: &str) -> Option<String> {
    let state = Answer::read(query).ok()?.state?;
    Some(state.as_str().to_owned())
}

/// The parameters of an answer.
#[derive(Default)]
struct Answer {
    state: Option<Zeroizing<String>>,
    issuer: Option<Zeroizing<String>>,
    code: Option<Zeroizing<String>>,
    error: Option<Zeroizing<String>>,
    description: Option<Zeroizing<String>>,
}

impl Answer {
    /// Reads a query. A parameter that is there twice (RFC 6749, section 3.1), and a code beside an
    /// error, could be read differently by two readers.
    fn read(query: &str) -> Result<Self, ClientError> {
        if query.len() > QUERY_MAX {
            return Err(ClientError::Callback("it is too long"));
        }
        let mut answer = Answer::default();
        for (count, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
            if count >= PARAMETERS_MAX {
                return Err(ClientError::Callback("it is too long"));
            }
            let slot = match &*name {
                "state" => &mut answer.state,
                "iss" => &mut answer.issuer,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "error_description" => &mut answer.description,
                _ => continue,
            };
            let value = Zeroizing::new(value.into_owned());
            if slot.replace(value).is_some() {
                return Err(ClientError::Callback("a parameter is there twice"));
            }
        }
        let visible = |code: &str| code.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let usable = |code: &str| !code.is_empty() && code.len() <= CODE_MAX && visible(code);
        if answer.code.as_ref().is_some_and(|code| !usable(code)) {
            return Err(ClientError::Callback("its code is none"));
        }
        if answer.code.is_some() && answer.error.is_some() {
            return Err(ClientError::Callback("it has a code and an error"));
        }
        Ok(answer)
    }
}

/// `S256` of RFC 7636, section 4.2.
fn challenge(verifier: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref())
}

/// Pushes a request (RFC 9126, section 2). Gives the URI that stands for it.
async fn push(at: &TokenEndpoint<'_>, mut fields: Fields) -> Result<String, ClientError> {
    fields.extend(at.identity.client_id().map(|id| field("client_id", id)));
    let endpoint = at.server.pushed_endpoint();
    let endpoint = endpoint.ok_or_else(|| ClientError::Metadata(at.server.issuer().to_owned()))?;
    let answer = at.post(endpoint, fields).await?;
    if answer.status != 201 {
        let secret: Vec<&str> = at.identity.secret().into_iter().collect();
        return Err(match OAuthError::read(&answer.body, &secret) {
            Some(error) => ClientError::Denied(Box::new(error)),
            None => ClientError::Status(answer.status),
        });
    }
    let wrong = ClientError::Answer("`request_uri`");
    if answer.body.len() > PUSHED_MAX {
        return Err(wrong);
    }
    let answer = members::object(&answer.body).ok_or(ClientError::Answer("`request_uri`"))?;
    let uri = answer.get("request_uri").and_then(Value::as_str);
    let visible = |uri: &&str| !uri.is_empty() && uri.bytes().all(|byte| byte.is_ascii_graphic());
    uri.filter(visible).map(str::to_owned).ok_or(wrong)
}

#[cfg(test)]
mod tests;
