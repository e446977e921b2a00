//! A client of the gateway's own authorization server: registers, sends a person there with their browser,
//! and turns what comes back into tokens. It does every step by itself, so that a test can do any of them
//! wrong.

use crate::browser::{Browser, Page};
use crate::wire::{Outgoing, Reply};
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

/// The verifier of RFC 7636, appendix B, and its challenge.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// See [`VERIFIER`].
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where its answers go: a program on this machine that nobody runs.
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
/// How many redirects in a row a browser follows.
const REDIRECTS: usize = 10;

/// A client.
#[derive(Clone, Debug)]
pub struct Dancer {
    base: Url,
    resource: String,
    /// Its id.
    pub id: String,
    /// Where its answers go.
    pub redirect: String,
}

/// What came back to its address.
pub type Answer = BTreeMap<String, String>;

impl Dancer {
    /// A client with this id that wants tokens for the usual endpoint of this world.
    pub fn new(world: &World, id: &str) -> Result<Self> {
        Ok(Dancer {
            base: world.gateway.at("/")?,
            resource: world.resource()?,
            id: id.to_owned(),
            redirect: REDIRECT.to_owned(),
        })
    }

    /// One that has registered itself.
    pub async fn registered(world: &World) -> Result<Self> {
        let mut dancer = Dancer::new(world, "")?;
        let reply = dancer.register(&registration(REDIRECT)).await?;
        ensure!(reply.status == 201, "not registered: {reply:?}");
        let id = text_of(&reply.json()?, "client_id");
        dancer.id = id.context("no id")?;
        Ok(dancer)
    }

    /// Asks to be registered.
    pub async fn register(&self, members: &Value) -> Result<Reply> {
        let request = Outgoing::new(Method::POST, &self.at("/register")?);
        let request = request.header("content-type", "application/json");
        request.body(members.to_string()).send().await
    }

    /// A place of the authorization server.
    pub fn at(&self, path: &str) -> Result<Url> {
        Ok(self.base.join(path)?)
    }

    /// Where it sends a person, with these parameters changed; an empty one is left out.
    pub fn way(&self, changes: &[(&str, &str)]) -> Result<Url> {
        let mut fields = vec![
            ("client_id", self.id.as_str()),
            ("redirect_uri", &self.redirect),
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "of-the-client"),
            ("resource", &self.resource),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        let mut url = self.at("/authorize")?;
        url.query_pairs_mut().extend_pairs(fields);
        Ok(url)
    }

    /// The page that asks the person.
    pub async fn asks(&self, browser: &Browser) -> Result<Page> {
        let page = browser.open(&self.way(&[])?).await?;
        ensure!(page.reply.status == 200, "not asked: {}", page.html());
        Ok(page)
    }

    /// The address that the identity provider sends the browser back to, once the person has agreed.
    pub async fn agreed(&self, browser: &Browser) -> Result<Url> {
        let page = self.asks(browser).await?;
        let page = browser.decide(&page, "agree").await?;
        let onward = page.attribute("<a rel=\"noreferrer\" ", "href");
        let onward = onward.with_context(|| format!("no way on: {}", page.html()))?;
        let back = self.at("/authority/signed-in")?;
        stops_at(browser, onward.parse()?, back.as_str()).await
    }

    /// What comes back to its address, once the person has agreed and signed in.
    pub async fn answered(&self, browser: &Browser) -> Result<Answer> {
        let back = self.agreed(browser).await?;
        let to = stops_at(browser, back, &self.redirect).await?;
        Ok(to.query_pairs().into_owned().collect())
    }

    /// A code.
    pub async fn code(&self, browser: &Browser) -> Result<String> {
        let answer = self.answered(browser).await?;
        let issuer = self.base.as_str().trim_end_matches('/');
        ensure!(answer.get("iss").map(String::as_str) == Some(issuer));
        ensure!(answer.get("state").map(String::as_str) == Some("of-the-client"));
        let code = answer.get("code").cloned();
        code.with_context(|| format!("no code: {answer:?}"))
    }

    /// Posts a form to a place, with further headers.
    pub async fn post(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Reply> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Outgoing::new(Method::POST, &self.at(path)?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let add = |request: Outgoing, (name, value): &(&str, &str)| request.header(name, value);
        headers.iter().fold(request, add).send().await
    }

    /// The fields that redeem a code, with some changed; an empty one is left out.
    pub async fn redeem_with(&self, code: &str, changes: &[(&str, &str)]) -> Result<Reply> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.id),
            ("code_verifier", VERIFIER),
            ("redirect_uri", &self.redirect),
            ("resource", &self.resource),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        self.post("/token", &fields, &[]).await
    }

    /// The tokens for a code.
    pub async fn redeem(&self, code: &str) -> Result<Tokens> {
        Tokens::of(&self.redeem_with(code, &[]).await?)
    }

    /// What a refresh token gets.
    pub async fn refresh(&self, token: &str) -> Result<Reply> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &*self.id),
        ];
        self.post("/token", &fields, &[]).await
    }

    /// Gives a token back.
    pub async fn revoke(&self, token: &str) -> Result<Reply> {
        let fields = [("token", token), ("client_id", &*self.id)];
        self.post("/revoke", &fields, &[]).await
    }
}

/// What a client gets.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// Everything it was answered.
    pub answer: Value,
}

impl Tokens {
    /// The tokens in an answer.
    pub fn of(reply: &Reply) -> Result<Self> {
        ensure!(reply.status == 200, "no tokens: {reply:?}");
        let answer = reply.json()?;
        let text = |name: &str| text_of(&answer, name).unwrap_or_default();
        Ok(Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
            answer,
        })
    }
}

/// What a person does whom a client sends here: they agree, sign in, and come to the client's own address.
pub async fn agrees(browser: &Browser, way: &Url) -> Result<Url> {
    let page = browser.open(way).await?;
    ensure!(page.reply.status == 200, "not asked: {}", page.html());
    let page = browser.decide(&page, "agree").await?;
    let onward = page.attribute("<a rel=\"noreferrer\" ", "href");
    let onward = onward.with_context(|| format!("no way on: {}", page.html()))?;
    stops_at(browser, onward.parse()?, REDIRECT).await
}

fn text_of(members: &Value, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_owned)
}

/// What a client says of itself to be registered.
pub fn registration(redirect: &str) -> Value {
    json!({
        "client_name": "Editor", "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "application_type": "native",
    })
}

/// Follows redirects until one leads to an address that begins like this, and says which.
pub async fn stops_at(browser: &Browser, mut url: Url, stop: &str) -> Result<Url> {
    for _ in 0..REDIRECTS {
        if url.as_str().starts_with(stop) {
            return Ok(url);
        }
        let reply = browser.once(Method::GET, &url, String::new()).await?;
        let to = reply.header("location");
        let to = to.with_context(|| format!("{url} leads nowhere: {reply:?}"))?;
        url = url.join(to)?;
    }
    anyhow::bail!("too many redirects, the last to {url}")
}

/// The members of a configuration with an authorization server like this.
pub fn authority(members: Value) -> Value {
    let usual = json!({ "registration": "open", "tokens": { "access": "5m" } });
    json!({ "authorization_server": crate::issuer::overlaid(usual, &members) })
}
