//! Signing in: the code flow of OpenID Connect, as far as a client sees it. Whoever is at the browser is
//! the user that the test says it is; they agree to everything at once.

use super::{Key, compact, encoded};
use crate::place;
use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// Who is at the browser, and the codes that are out.
#[derive(Debug)]
pub(super) struct SignIns {
    user: Mutex<String>,
    codes: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Members of the next identity tokens that are not as they should be.
    changes: Mutex<Value>,
}

impl Default for SignIns {
    fn default() -> Self {
        SignIns {
            user: Mutex::new("alice".to_owned()),
            codes: Mutex::default(),
            changes: Mutex::new(json!({})),
        }
    }
}

impl SignIns {
    pub(super) fn at_the_browser(&self, user: &str) {
        user.clone_into(&mut lock(&self.user));
    }

    pub(super) fn change(&self, members: Value) {
        *lock(&self.changes) = members;
    }

    /// Where the browser is sent back to.
    pub(super) fn authorize(&self, query: &str, issuer: &str) -> Result<String> {
        let mut asked: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
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
        let asked = lock(&self.codes)
            .remove(member("code")?)
            .context("no such code")?;
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
