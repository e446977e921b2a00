//! Signing in: the code flow of OpenID Connect, as far as a client sees it. Whoever is at the browser is
//! the user that the test says it is; they agree to everything at once.

use super::{Key, compact, encoded};
use crate::place;
use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// Who is at the browser, and the codes that are out.
#[derive(Debug)]
pub(super) struct SignIns {
    user: Mutex<String>,
    codes: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Whether they are good once, as they should be.
    forgets: AtomicBool,
    /// What browsers came with.
    requests: Mutex<Vec<BTreeMap<String, String>>>,
    /// The forms that were not about signing in.
    exchanges: Mutex<Vec<BTreeMap<String, String>>>,
    /// What a caller has to prove before anybody may act for them.
    claims: Mutex<Option<String>>,
    /// Members of the next identity tokens that are not as they should be.
    changes: Mutex<Value>,
}

impl Default for SignIns {
    fn default() -> Self {
        SignIns {
            user: Mutex::new("alice".to_owned()),
            codes: Mutex::default(),
            forgets: AtomicBool::new(true),
            requests: Mutex::default(),
            exchanges: Mutex::default(),
            claims: Mutex::default(),
            changes: Mutex::new(json!({})),
        }
    }
}

impl SignIns {
    pub(super) fn at_the_browser(&self, user: &str) {
        user.clone_into(&mut lock(&self.user));
    }

    pub(super) fn forgets_no_code(&self) {
        self.forgets.store(false, Ordering::Relaxed);
    }

    pub(super) fn requests(&self) -> Vec<BTreeMap<String, String>> {
        lock(&self.requests).clone()
    }

    pub(super) fn exchanges(&self) -> Vec<BTreeMap<String, String>> {
        lock(&self.exchanges).clone()
    }

    pub(super) fn wants(&self, claims: Option<&str>) {
        *lock(&self.claims) = claims.map(str::to_owned);
    }

    /// A token for another server, for one of ours: by exchange (RFC 8693), on behalf of (in the shape of
    /// Entra ID), or for the client itself.
    fn exchanged(&self, sent: BTreeMap<String, String>) -> Value {
        let acts = sent.contains_key("assertion") || sent.contains_key("subject_token");
        let wanted = sent.get("requested_token_type").cloned();
        let mut all = lock(&self.exchanges);
        let number = all.len();
        all.push(sent);
        if let Some(claims) = lock(&self.claims).as_ref().filter(|_| acts) {
            return json!({ "error": "interaction_required", "claims": claims });
        }
        let kind = if acts { "exchanged" } else { "own" };
        let wanted = wanted.unwrap_or("urn:ietf:params:oauth:token-type:access_token".to_owned());
        let shown = if wanted.ends_with(":id-jag") {
            "N_A"
        } else {
            "Bearer"
        };
        json!({
            "access_token": format!("{kind}-{number}-token"), "token_type": shown, "expires_in": 600,
            "issued_token_type": wanted
        })
    }

    pub(super) fn change(&self, members: Value) {
        *lock(&self.changes) = members;
    }

    /// Where the browser is sent back to.
    pub(super) fn authorize(&self, query: &str, issuer: &str) -> Result<String> {
        let mut asked: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        lock(&self.requests).push(asked.clone());
        let member = |name: &str| asked.get(name).with_context(|| format!("no `{name}`"));
        let mut back: Url = member("redirect_uri")?.parse()?;
        ensure!(
            member("code_challenge_method")? == "S256",
            "PKCE is not as it should be"
        );
        let state = member("state")?.clone();
        let mut codes = lock(&self.codes);
        let code = format!("sign-in-code-{}", codes.len());
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &state)
            .append_pair("iss", issuer);
        asked.insert("user".to_owned(), lock(&self.user).clone());
        codes.insert(code, asked);
        Ok(back.into())
    }

    /// What the token endpoint answers to a code.
    pub(super) fn redeem(&self, form: &[u8], issuer: &str, key: &Key) -> Result<Value> {
        let sent: BTreeMap<String, String> =
            url::form_urlencoded::parse(form).into_owned().collect();
        let member = |name: &str| sent.get(name).with_context(|| format!("no `{name}`"));
        if member("grant_type")? != "authorization_code" {
            return Ok(self.exchanged(sent));
        }
        let code = member("code")?;
        let asked = match self.forgets.load(Ordering::Relaxed) {
            true => lock(&self.codes).remove(code),
            false => lock(&self.codes).get(code).cloned(),
        };
        let asked = asked.context("no such code")?;
        let of = |name: &str| asked.get(name).with_context(|| format!("no `{name}`"));
        let hashed = digest::digest(&digest::SHA256, member("code_verifier")?.as_bytes());
        ensure!(
            *of("code_challenge")? == encoded(hashed),
            "the verifier is another one"
        );
        ensure!(
            of("redirect_uri")? == member("redirect_uri")?,
            "another place to go back to"
        );
        let now = place::now();
        let claims = json!({
            "iss": issuer, "aud": of("client_id")?, "sub": of("user")?, "nonce": of("nonce")?,
            "iat": now, "exp": now + 300
        });
        let claims = super::overlaid(claims, &lock(&self.changes));
        let header = json!({ "alg": key.algorithm(), "typ": "JWT", "kid": key.name() });
        let token = compact(&header, &claims, |input| key.sign(key.algorithm(), input))?;
        Ok(json!({
            "access_token": "of-no-use-to-anybody", "token_type": "Bearer", "expires_in": 60,
            "id_token": token
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
