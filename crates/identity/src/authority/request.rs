//! What a client asks a person for (RFC 6749, section 4.1.1; RFC 7636; RFC 8707). It is read in two
//! steps, because nothing may be sent to an address before it is known to be the client's own: first
//! who asks and where the answer is to go, then all the rest.

use super::{AuthorityError, Client, ErrorCode, Parameters};
use crate::base64url;
use crate::client::Scopes;
use crate::possession::Thumbprint;
use serde::{Deserialize, Serialize};

/// The longest `state`, in bytes.
const STATE_MAX: usize = 2048;
/// The longest `acr_values` and the longest `claims`, in bytes.
const STRENGTH_MAX: usize = 2048;
/// The scope that asks for a refresh token. It opens nothing.
const OFFLINE: &str = "offline_access";

/// Who asks, and where the answer is to go. Neither is believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The client id.
    pub client_id: &'a str,
    /// The redirect URI.
    pub redirect_uri: &'a str,
}

/// A resource that tokens are issued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its canonical URI.
    pub resource: String,
    /// What it is called.
    pub name: String,
    /// The scopes that it needs: what is asked for where nobody says.
    pub needed: Scopes,
    /// The scopes that exist there.
    pub scopes: Scopes,
}

/// A request that can be granted, if a person agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The client.
    pub client_id: String,
    /// Where the answer goes: an address that the client registered.
    pub redirect_uri: String,
    /// What the answer repeats.
    pub state: Option<String>,
    /// The S256 challenge that whoever redeems the code has to meet.
    pub challenge: String,
    /// The resource, by its canonical URI.
    pub resource: String,
    /// The scopes, of those that exist there.
    pub scopes: String,
    /// The key that a proof has to be made with when the code is redeemed (RFC 9449, section 10).
    pub key: Option<String>,
    /// How the person has to sign in, as the client was told to ask (RFC 9470).
    pub contexts: Option<String>,
    /// The same, in the words of Entra ID.
    pub claims: Option<String>,
    /// How long ago they may have signed in, in seconds.
    pub max_age_s: Option<u64>,
}

impl<'a> Opening<'a> {
    /// Reads who asks and where the answer is to go. On an error, whoever asked is told on a page, and
    /// nobody is sent anywhere.
    pub fn read(parameters: &'a Parameters) -> Result<Self, AuthorityError> {
        Ok(Opening {
            client_id: parameters
                .require("client_id", "there is no client_id, or more than one")?,
            redirect_uri: parameters
                .require("redirect_uri", "there is no redirect_uri, or more than one")?,
        })
    }
}

impl Request {
    /// Reads the rest, now that the client is known and the address is one of its own. The resource has
    /// to be one of those offered, the scopes of those that it has.
    pub fn read(
        parameters: &Parameters,
        client: &Client,
        offered: &[Offered],
    ) -> Result<Self, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidRequest.because(says);
        parameters.once_each()?;
        let opening = Opening::read(parameters)?;
        let text = |name, max: usize, says| match parameters.get(name) {
            Some(text) if text.len() > max => Err(invalid(says)),
            text => Ok(text.map(str::to_owned)),
        };
        let ours = opening.client_id == client.id();
        if !ours || client.redirect(opening.redirect_uri).is_none() {
            return Err(invalid("the redirect_uri is not one of the client"));
        }
        match parameters.get("response_type") {
            Some("code") => {}
            None => return Err(invalid("there is no response_type")),
            Some(_) => {
                let says = "response_type is code, and nothing else";
                return Err(ErrorCode::UnsupportedResponseType.because(says));
            }
        }
        if parameters
            .get("response_mode")
            .is_some_and(|mode| mode != "query")
        {
            return Err(invalid("response_mode is query, and nothing else"));
        }
        if parameters
            .get("request")
            .or(parameters.get("request_uri"))
            .is_some()
        {
            return Err(invalid("requests in a token or at an address are not read"));
        }
        // People are always asked, so that nothing can be granted without a page.
        if parameters
            .get("prompt")
            .is_some_and(|all| all.split(' ').any(|one| one == "none"))
        {
            let says = "nothing is granted without asking the person";
            return Err(ErrorCode::InteractionRequired.because(says));
        }
        let offer = offer(parameters.get("resource"), offered)?;
        Ok(Request {
            client_id: client.id().to_owned(),
            redirect_uri: opening.redirect_uri.to_owned(),
            state: text("state", STATE_MAX, "the state is too long")?,
            challenge: challenge(parameters)?,
            resource: offer.resource.clone(),
            scopes: scopes(parameters.get("scope"), offer)?,
            key: match parameters.get("dpop_jkt") {
                None => None,
                Some(text) => match Thumbprint::parse(text) {
                    Some(key) => Some(key.to_string()),
                    None => return Err(invalid("dpop_jkt is no thumbprint of a key")),
                },
            },
            contexts: text("acr_values", STRENGTH_MAX, "acr_values are too long")?,
            claims: text("claims", STRENGTH_MAX, "claims are too long")?,
            max_age_s: match parameters.get("max_age") {
                None => None,
                Some(text) => Some(
                    text.parse()
                        .map_err(|_no| invalid("max_age is a number of seconds"))?,
                ),
            },
        })
    }
}

/// The challenge of RFC 7636. `plain`, and none at all, would let whoever steals a code use it.
fn challenge(parameters: &Parameters) -> Result<String, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidRequest.because(says);
    let challenge = parameters.require("code_challenge", "PKCE is required: no code_challenge")?;
    // RFC 7636, section 4.3: without a method it would be `plain`.
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(invalid("PKCE is required with code_challenge_method S256"));
    }
    match base64url::decode(challenge) {
        Some(digest) if digest.len() == 32 => Ok(challenge.to_owned()),
        _ => Err(invalid("the code_challenge is no SHA-256")),
    }
}

/// The resource that is meant: the one that is named, or the only one there is.
fn offer<'a>(
    resource: Option<&str>,
    offered: &'a [Offered],
) -> Result<&'a Offered, AuthorityError> {
    let target = |says| ErrorCode::InvalidTarget.because(says);
    match (resource, offered) {
        (None, [only]) => Ok(only),
        (None, _) => Err(target("there is no resource, and several could be meant")),
        (Some(named), all) => {
            let same = |offer: &&Offered| {
                crate::Audience::of(&offer.resource).is_ok_and(|audience| audience.is(named))
            };
            // What has a part that names no resource is none, whatever it begins with.
            let is_one = crate::Audience::of(named).is_ok();
            let found = all.iter().find(same).filter(|_| is_one);
            found.ok_or(target("no such resource takes tokens from here"))
        }
    }
}

/// The scopes that are asked for, or all that the resource needs where none is named. A refresh token
/// is given or not whatever is asked for here.
fn scopes(asked: Option<&str>, offer: &Offered) -> Result<String, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidScope.because(says);
    let Some(asked) = asked else {
        return Ok(offer.needed.to_string());
    };
    let asked = Scopes::read(asked).ok_or(invalid("the scope cannot be read"))?;
    let named = asked.iter().filter(|scope| *scope != OFFLINE);
    let named = Scopes::of(named).ok_or(invalid("the scope cannot be read"))?;
    match (offer.scopes.contains_all(&named), named.is_empty()) {
        (false, _) => Err(invalid("a scope does not exist at this resource")),
        (true, true) => Ok(offer.needed.to_string()),
        (true, false) => Ok(named.to_string()),
    }
}
