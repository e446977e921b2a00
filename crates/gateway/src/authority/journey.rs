//! What a browser is on its way to. Before a person has agreed nothing is kept: the page itself carries
//! what it asks, sealed for this browser alone. Afterwards it is kept under what only this browser's cookie
//! and the answer of the identity provider say together, and taken out before the answer is looked at.

use super::answer::{BROKEN, state};
use super::{At, PATIENCE_S};
use crate::pages::browser::Cookie;
use crate::small::sha256;
use crate::state::{Mark, Once, Space};
use http::HeaderMap;
use identity::authority::{AuthorityError, ErrorCode, Request};
use identity::client::Flow;
use serde::{Deserialize, Serialize};
use vault::{Purpose, Sealed};
use zeroize::Zeroizing;

/// What a browser is known by: 256 random bits, for as long as it is open.
pub(super) const COOKIE: Cookie = Cookie("__Host-ringwall-authority");

/// What a page asks a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) request: Request,
    /// What the client said of itself then, as a digest.
    pub(super) client_digest: String,
    /// When it was asked, in unix seconds.
    pub(super) asked_s: u64,
    /// Tells two pages that ask the same apart.
    nonce: String,
    /// Who agreed to it before, where nobody was asked this time.
    only_of: Option<String>,
}

/// A browser that was sent to sign in, because somebody at it agreed.
pub(super) struct Journey {
    pub(super) asked: Asked,
    pub(super) flow: Flow,
}

/// The browser of a request: its cookie if it has one that is ours, or a new one.
pub(super) fn browser(headers: &HeaderMap) -> Result<(String, Known), AuthorityError> {
    match known(headers) {
        Some(known) => Ok((known.to_owned(), Known::Before)),
        None => Ok((
            identity::session_id().map_err(|_| BROKEN)?,
            Known::FromNowOn,
        )),
    }
}

/// The cookie of a browser, if it has the form of ours.
pub(super) fn known(headers: &HeaderMap) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_ours = |value: &&str| value.len() == 43 && value.bytes().all(plain);
    COOKIE.of(headers).filter(is_ours)
}

/// Whether a browser had its cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Before,
    FromNowOn,
}

impl Asked {
    pub(super) fn new(
        at: &At<'_>,
        request: Request,
        client_digest: String,
    ) -> Result<Self, AuthorityError> {
        Ok(Asked {
            request,
            client_digest,
            asked_s: at.now,
            nonce: identity::session_id().map_err(|_| BROKEN)?,
            only_of: None,
        })
    }

    /// The same, of which nobody is asked: it is for this person, who agreed to it before.
    pub(super) fn only_of(self, user: String) -> Self {
        Asked {
            only_of: Some(user),
            ..self
        }
    }

    /// Whether nobody was asked, because they had agreed before.
    pub(super) fn is_silent(&self) -> bool {
        self.only_of.is_some()
    }

    /// Whether this person may go on with it.
    pub(super) fn is_of(&self, user: &str) -> bool {
        self.only_of.as_deref().is_none_or(|only| only == user)
    }

    /// As a page carries it: for this browser, and nobody can read or change it.
    pub(super) fn sealed(&self, at: &At<'_>, cookie: &str) -> Result<String, AuthorityError> {
        let plain = serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| BROKEN)?;
        let vault = at.gate.rows.vault();
        let sealed = vault.seal(Purpose::Agreements, cookie.as_bytes(), &plain);
        sealed
            .map(|sealed| crate::small::hex(&sealed.0))
            .map_err(|error| {
                tracing::error!("no page can be made: {error}");
                BROKEN
            })
    }

    /// What the form of a page brings back, from the browser it was for, in time and for the first time.
    pub(super) async fn open(
        at: &At<'_>,
        cookie: &str,
        text: &str,
    ) -> Result<Self, AuthorityError> {
        let foreign = ErrorCode::AccessDenied.because("this form is not of a page of this browser");
        let sealed = Sealed(unhex(text).ok_or(foreign)?);
        let vault = at.gate.rows.vault();
        let plain = vault.open(Purpose::Agreements, cookie.as_bytes(), &sealed);
        let plain = plain.map_err(|_| foreign)?;
        let asked: Asked = serde_json::from_slice(&plain).map_err(|_| foreign)?;
        let until_s = asked.asked_s.saturating_add(PATIENCE_S);
        if at.now >= until_s {
            return Err(ErrorCode::AccessDenied.because("this page has expired"));
        }
        let mark = Mark::of(&[b"authority page", &sha256(text.as_bytes())]);
        let until_ms = until_s.saturating_mul(1000);
        let marks = &at.gate.marks;
        let seen = marks.insert_once(Space::Agreement, mark, until_ms, at.now_ms());
        match seen.await.map_err(state)? {
            Once::Fresh => Ok(asked),
            Once::Replayed => Err(ErrorCode::AccessDenied.because("this page was answered before")),
        }
    }
}

impl Journey {
    fn mark(cookie: &str, state: &str) -> Mark {
        Mark::of(&[b"authority journey", cookie.as_bytes(), state.as_bytes()])
    }

    /// Keeps it until the browser comes back.
    pub(super) async fn leave(&self, at: &At<'_>, cookie: &str) -> Result<(), AuthorityError> {
        let asked = serde_json::to_vec(&self.asked)
            .map(Zeroizing::new)
            .map_err(|_| BROKEN)?;
        let flow = self.flow.to_kept().ok_or(BROKEN)?;
        let length = u32::try_from(asked.len()).map_err(|_| BROKEN)?;
        let mut kept = Zeroizing::new(Vec::with_capacity(4 + asked.len() + flow.len()));
        kept.extend_from_slice(&length.to_be_bytes());
        kept.extend_from_slice(&asked);
        kept.extend_from_slice(&flow);
        let until_ms = at.now.saturating_add(PATIENCE_S).saturating_mul(1000);
        let mark = Journey::mark(cookie, self.flow.state());
        let marks = &at.gate.marks;
        let left = marks.leave(Space::Journey, mark, kept, until_ms, at.now_ms());
        left.await.map(drop).map_err(state)
    }

    /// The journey that this browser comes back from with this state. It is taken out with this, and
    /// nothing is for any other browser or state.
    pub(super) async fn take(
        at: &At<'_>,
        cookie: &str,
        state_of: &str,
    ) -> Result<Option<Self>, AuthorityError> {
        let mark = Journey::mark(cookie, state_of);
        let marks = &at.gate.marks;
        let kept = marks.take(Space::Journey, mark, at.now_ms()).await;
        Ok(kept.map_err(state)?.and_then(|kept| Journey::read(&kept)))
    }

    fn read(kept: &[u8]) -> Option<Self> {
        let (length, rest) = kept.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (asked, flow) = rest.split_at_checked(length)?;
        Some(Journey {
            asked: serde_json::from_slice(asked).ok()?,
            flow: Flow::from_kept(flow)?,
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits = text.as_bytes().chunks_exact(2).map(|pair| {
        let [high, low] = pair else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        u8::try_from(digit(high)? << 4 | digit(low)?).ok()
    });
    digits.collect()
}
