//! A certified OpenID provider as identity provider: npm `oidc-provider`, which issues ES256 access
//! tokens with resource indicators. The tests only speak to its endpoints.

use crate::place;
use crate::program::{Command, Program};
use crate::wire::{Outgoing, Reply};
use crate::world::{Plan, World};
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use url::Url;

/// A running provider.
#[derive(Debug)]
pub struct Provider {
    program: Program,
    issuer: String,
}

impl Provider {
    /// Starts it on a port of its own. It issues tokens for these resources, and those added later.
    pub async fn start(resources: &[&str]) -> Result<Self> {
        let program = driver("provider.mjs")?
            .argument(place::free_port()?.to_string())
            .arguments(resources)
            .start("issuer ")
            .await?;
        let issuer = program.ready().trim_start_matches("issuer ").to_owned();
        Ok(Provider { program, issuer })
    }

    /// Its identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A token for this resource, by client credentials. The clients are `alice-agent` and
    /// `bob-agent`; the secret of each is its name and `-secret`.
    pub async fn token(&self, client: &str, resource: &str) -> Result<String> {
        let answer = self.ask(client, resource).await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token
            .with_context(|| format!("no token in {answer}"))?
            .to_owned())
    }

    /// A token that is bound to what this header of the request shows: a proof in `dpop`, a certificate
    /// in `x-ssl-client-cert` (for the client `certified-agent`).
    pub async fn bound_token(
        &self,
        client: &str,
        resource: &str,
        header: (&str, &str),
    ) -> Result<String> {
        let answer = self.ask_with(client, resource, &[header]).await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token
            .with_context(|| format!("no token in {answer}"))?
            .to_owned())
    }

    /// Where proofs for tokens are sent.
    pub fn token_endpoint(&self) -> Result<Url> {
        Ok(Url::parse(&self.issuer)?.join("/token")?)
    }

    /// What the token endpoint answers.
    pub async fn ask(&self, client: &str, resource: &str) -> Result<Value> {
        self.ask_with(client, resource, &[]).await
    }

    async fn ask_with(
        &self,
        client: &str,
        resource: &str,
        headers: &[(&str, &str)],
    ) -> Result<Value> {
        let grant = [("grant_type", "client_credentials"), ("scope", "mcp:tools")];
        let fields = [grant.as_slice(), &[("resource", resource)]].concat();
        let answer = self.post("/token", client, &fields, headers).await?;
        answer.json()
    }

    /// A form from this client, with further headers.
    async fn post(
        &self,
        path: &str,
        client: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Reply> {
        let url = Url::parse(&self.issuer)?.join(path)?;
        let basic = STANDARD.encode(format!("{client}:{client}-secret"));
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Outgoing::new(Method::POST, &url)
            .header("authorization", &format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let add = |request: Outgoing, (name, value): &(&str, &str)| request.header(name, value);
        headers.iter().fold(request, add).send().await
    }

    /// Issues tokens for this resource too.
    pub async fn add_resource(&mut self, resource: &str) -> Result<()> {
        self.program.say(&format!("resource {resource}")).await?;
        self.program.line_starting("added").await?;
        Ok(())
    }

    /// Issues tokens for this resource too, and they are opaque.
    pub async fn add_opaque(&mut self, resource: &str) -> Result<()> {
        self.program.say(&format!("opaque {resource}")).await?;
        self.program.line_starting("added").await?;
        Ok(())
    }

    /// Takes a token back (RFC 7009), as the client it was issued to.
    pub async fn revoke(&self, client: &str, token: &str) -> Result<()> {
        let fields = [("token", token)];
        let reply = self.post("/token/revocation", client, &fields, &[]).await?;
        anyhow::ensure!(reply.status == 200, "not revoked: {reply:?}");
        Ok(())
    }

    /// Lets people sign in for the client `ringwall-signs-in`, which is answered at this address. Whoever
    /// is at the browser is `alice`, and agrees to everything: with a password, whose `acr` is `pwd`, or
    /// with a key where `acr_values` asks for `phr`.
    pub async fn signs_in(&mut self, redirect_uri: &str) -> Result<()> {
        self.program
            .say(&format!("signs-in {redirect_uri}"))
            .await?;
        self.program.line_starting("signs in").await?;
        Ok(())
    }

    /// Answers nothing but 503 from now on.
    pub async fn goes_away(&mut self) -> Result<()> {
        self.program.say("away").await?;
        self.program.line_starting("is away").await?;
        Ok(())
    }

    /// Is not there any more.
    pub async fn ends(&mut self) -> Result<()> {
        self.program.kill().await
    }

    /// Answers again.
    pub async fn comes_back(&mut self) -> Result<()> {
        self.program.say("back").await?;
        self.program.line_starting("is back").await?;
        Ok(())
    }

    /// How often it was asked what a token means.
    pub async fn asked(&mut self) -> Result<usize> {
        self.program.say("asked").await?;
        let line = self.program.line_starting("asked ").await?;
        Ok(line.trim_start_matches("asked ").trim().parse()?)
    }

    /// Signs with a new key from now on; the old one stays published.
    pub async fn rotate(&mut self) -> Result<()> {
        self.program.say("rotate").await?;
        self.program.line_starting("rotated").await?;
        Ok(())
    }
}

/// A world whose people sign in at a certified provider.
pub async fn certified(plan: Plan) -> Result<(World, Provider)> {
    let mut provider = Provider::start(&[]).await?;
    let issuer = json!({
        "issuer": provider.issuer(), "network": "private", "algorithms": ["ES256"],
        "sign_in": { "client": "ringwall-signs-in", "secret": "env:PROVIDER_SECRET" }
    });
    let world = World::start(plan.whole(json!({ "issuers": [issuer] }))).await?;
    let back = world.gateway.at("/authority/signed-in")?;
    provider.signs_in(back.as_str()).await?;
    Ok((world, provider))
}

/// Lets a program of Node.js listen on loopback only, whatever it would do by itself.
pub fn loopback_only(script: &str) -> Result<Command> {
    Ok(Command::new(place::node()?)
        .argument("--import")
        .argument(place::own("js/loopback.mjs"))
        .argument(place::installed(script)?))
}

/// A JavaScript driver of this crate, with the packages in `.deps` at hand.
pub fn driver(file: &str) -> Result<Command> {
    let modules = place::installed("node_modules")?;
    Ok(Command::new(place::node()?)
        .argument("--import")
        .argument(place::own("js/packages.mjs"))
        .argument(place::own("js").join(file))
        .variable("RINGWALL_PACKAGES", modules.display().to_string())
        .variable("NODE_NO_WARNINGS", "1"))
}
