//! Codes (RFC 6749, section 4.1.2): good once, for a minute, for the client, the address, the key and
//! the resource they were issued for. A code names the family of tokens that comes of it, so that a
//! second use is known for what it is, and ends that family.

use super::{AuthorityError, ErrorCode, Parameters, Person, Request};
use crate::audience::sha_256;
use crate::{Audience, UserKey, base64url};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// The digits that 32 bytes take.
const PART: usize = 43;

/// The text of a code or of a refresh token: whose it is, which family, and the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeText {
    text: Zeroizing<String>,
}

/// What a code was issued for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// What was asked for.
    pub request: Request,
    /// Who agreed.
    pub person: Person,
    /// What they agreed to, by its name.
    pub consent: String,
    /// When, in unix seconds.
    pub issued_s: u64,
}

/// What whoever redeems a code brings.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    /// The client that was authenticated, or says it is.
    pub client_id: &'a str,
    /// The parameters of the request.
    pub parameters: &'a Parameters,
    /// The key that a proof of possession came with, by its thumbprint.
    pub key: Option<&'a str>,
    /// Now, in unix seconds.
    pub now: u64,
}

impl CodeText {
    /// A text for this family of this person. Both of the others are 256 bits that nobody can guess.
    pub fn new(user: &UserKey, family: &str, secret: &[u8; 32]) -> Self {
        let secret = Zeroizing::new(base64url::encode(secret));
        // Reserved in one piece: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(3 * PART + 2));
        for part in [user.as_str(), ".", family, ".", &secret] {
            text.push_str(part);
        }
        CodeText { text }
    }

    /// Reads one that came back: three parts, each of 32 bytes in their one spelling.
    pub fn read(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            part.len() == PART && base64url::decode(part).is_some_and(|bytes| bytes.len() == 32)
        };
        let mut parts = text.split('.');
        let all = [parts.next()?, parts.next()?, parts.next()?];
        let whole = parts.next().is_none() && all.into_iter().all(is_part);
        whole.then(|| CodeText {
            text: Zeroizing::new(text.to_owned()),
        })
    }

    /// The text, for the one who gets it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whose it is: the name that state is kept under.
    pub fn user(&self) -> &str {
        self.part(0)
    }

    /// The family.
    pub fn family(&self) -> &str {
        self.part(1)
    }

    /// What is kept of it: its SHA-256.
    pub fn digest(&self) -> [u8; 32] {
        sha_256(digest::digest(&digest::SHA256, self.text.as_bytes()).as_ref())
    }

    fn part(&self, place: usize) -> &str {
        self.text.split('.').nth(place).unwrap_or_default()
    }
}

/// Says nothing of it: whoever knows a family can end it.
impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeText")
    }
}

impl Code {
    /// How long a code is good, in seconds (RFC 6749, section 4.1.2: ten minutes at most).
    pub const LIFETIME_S: u64 = 60;

    /// What is to be kept.
    pub fn to_kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Zeroizing::new)
    }

    /// The code that was kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        serde_json::from_slice(kept).ok()
    }

    /// That this is who may redeem it, with what it takes: the same client, the same address, the key
    /// of the challenge (RFC 7636, section 4.6), the same resource, and the key it was bound to.
    pub fn redeem(&self, by: &Redemption<'_>) -> Result<(), AuthorityError> {
        let refused = |says| ErrorCode::InvalidGrant.because(says);
        if by.now >= self.issued_s.saturating_add(Code::LIFETIME_S) || by.now < self.issued_s {
            return Err(refused("the code has expired"));
        }
        if by.client_id != self.request.client_id {
            return Err(refused("the code was issued to another client"));
        }
        // The current text leaves it out, since PKCE does its work; where it is sent it has to agree.
        let redirect = by.parameters.get("redirect_uri");
        if redirect.is_some_and(|uri| uri != self.request.redirect_uri) {
            return Err(refused(
                "the redirect_uri is not the one the code was sent to",
            ));
        }
        let verifier = by.parameters.get("code_verifier");
        let verifier =
            verifier.ok_or(ErrorCode::InvalidRequest.because("there is no code_verifier"))?;
        if !is_verifier(verifier) || !self.is_met_by(verifier) {
            return Err(refused(
                "the code_verifier does not meet the code_challenge",
            ));
        }
        same_resource(by.parameters, &self.request.resource)?;
        match (&self.request.key, by.key) {
            (Some(bound), Some(key)) if bound == key => Ok(()),
            (None, _) => Ok(()),
            (Some(_), _) => Err(refused("the code is bound to another key")),
        }
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
        let met = base64url::encode(digest.as_ref());
        verify_slices_are_equal(met.as_bytes(), self.request.challenge.as_bytes()).is_ok()
    }
}

/// That a token request names the resource that was agreed to, or none (RFC 8707, section 2.2).
pub(super) fn same_resource(parameters: &Parameters, granted: &str) -> Result<(), AuthorityError> {
    let granted = Audience::of(granted);
    match parameters.get("resource") {
        None => Ok(()),
        Some(named) if Audience::of(named).is_ok() && granted.is_ok_and(|it| it.is(named)) => {
            Ok(())
        }
        Some(_) => Err(ErrorCode::InvalidTarget.because("nobody agreed to that resource")),
    }
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}
