//! A person who is signed in: who the issuer says they are, what revocations and policies are asked
//! about them, and the tokens of the forms that only their browser can send.

use crate::gate::Gate;
use crate::revocation::Facts;
use crate::small::{hex, sha256};
use aws_lc_rs::{constant_time, hmac};
use identity::{Groups, SignedIn, Strength, Weakness};
use policy::{Principal, PrincipalError};
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// Somebody who is signed in with one browser.
pub struct Person {
    who: SignedIn,
    /// What records call the session: a digest of what the browser holds.
    session: Box<str>,
    /// Signs the tokens of forms.
    forms: hmac::Key,
    since_ms: u64,
    used_ms: AtomicU64,
}

impl Person {
    /// Whoever signed in with the browser that holds this value of 256 random bits.
    pub(super) fn new(who: SignedIn, cookie: &str, now_ms: u64) -> Self {
        // Another one than the name has: from the name nothing about it follows.
        let seed = Zeroizing::new(sha256(&[b"forms of ", cookie.as_bytes()].concat()));
        Person {
            who,
            session: name_of(cookie),
            forms: hmac::Key::new(hmac::HMAC_SHA256, &*seed),
            since_ms: now_ms,
            used_ms: AtomicU64::new(now_ms),
        }
    }

    /// What records call the session.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// When they signed in here, in milliseconds since the Unix epoch.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// When they last came, likewise.
    pub fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    pub(super) fn touch(&self, now_ms: u64) {
        self.used_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// The token of this form, such as `sign-out`: nobody but this browser is given it, and it is good
    /// for as long as its session.
    pub(crate) fn form_token(&self, form: &str) -> String {
        hex(hmac::sign(&self.forms, form.as_bytes()).as_ref())
    }

    /// Whether this is that token.
    pub(crate) fn is_form_token(&self, form: &str, sent: &str) -> bool {
        let token = self.form_token(form);
        constant_time::verify_slices_are_equal(token.as_bytes(), sent.as_bytes()).is_ok()
    }

    /// What revocations are asked about.
    pub(crate) fn facts(&self) -> Facts<'_> {
        let subject = self.who.claims().get("sub");
        Facts {
            issuer: self.who.issuer(),
            subject: subject.and_then(|it| it.as_str()).unwrap_or_default(),
            user: self.who.user().as_str(),
            client: None,
            actors: &[],
            token_id: None,
            token_digest: &[0; 32],
            login: self.who.login(),
            issued_s: self.who.issued_at(),
            session: Some(&self.session),
        }
    }

    /// As records name them.
    pub(crate) fn who(&self) -> audit::Who<'_> {
        audit::Who {
            user: Some(self.who.user().as_str().into()),
            issuer: Some(self.who.issuer().into()),
            subject: Some(self.who.user_name().into()),
            session_digest: Some((&*self.session).into()),
            ..audit::Who::default()
        }
    }

    /// As policies see them: as they see a caller of the same name, whom no client and no scope speaks
    /// for.
    pub fn principal(&self, gate: &Gate) -> Result<Principal, PrincipalError> {
        let runtime = gate.runtime();
        Principal::new(policy::Caller {
            issuer: self.who.issuer().to_owned(),
            user: self.who.user_name().to_owned(),
            groups: match self.who.groups() {
                Groups::Known(groups) => policy::Groups::Known(groups.clone()),
                Groups::Unknown(_) => policy::Groups::Unknown,
            },
            claims: runtime
                .attributes
                .read_of(self.who.issuer(), self.who.claims()),
            ..policy::Caller::default()
        })
    }

    /// That they were authenticated as strongly as that, at this moment in unix seconds.
    pub(crate) fn shows(&self, strength: &Strength, now_s: u64) -> Result<(), Weakness> {
        self.who.shows(strength, now_s)
    }
}

/// What the issuer says.
impl Deref for Person {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.who
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("who", &self.who)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

fn name_of(cookie: &str) -> Box<str> {
    let digest = sha256(cookie.as_bytes());
    hex(digest.get(..8).unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    use super::super::roster::tests::someone;
    use super::*;

    #[test]
    fn n8_4_a_form_token_is_of_one_session_and_one_form() {
        let (one, other) = (
            Person::new(someone("alice"), "cookie one", 0),
            Person::new(someone("alice"), "cookie two", 0),
        );
        let token = one.form_token("sign-out");
        assert!(one.is_form_token("sign-out", &token));
        assert!(!one.is_form_token("revoke", &token));
        assert!(!other.is_form_token("sign-out", &token));
        for sent in ["", "x", token.get(1..).unwrap(), &token.to_uppercase()] {
            assert!(!one.is_form_token("sign-out", sent), "{sent}");
        }
    }

    #[test]
    fn a_person_is_printed_without_what_their_browser_holds() {
        let person = Person::new(someone("alice"), "the cookie itself", 0);
        let printed = format!("{person:?}");
        assert!(printed.contains(person.session()), "{printed}");
        assert!(!printed.contains("cookie"), "{printed}");
        assert!(!person.form_token("x").contains(person.session()));
    }
}
