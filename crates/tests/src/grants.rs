//! A certified OpenID provider as the authorization server of a server behind the gateway: npm
//! `oidc-provider`, and what it and that server were sent, to the last byte.

use crate::place;
use crate::program::{Command, Program, json_lines};
use crate::provider::driver;
use crate::wire::Outgoing;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use serde_json::Value;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use tempfile::TempDir;
use url::Url;

/// A running authorization server, and a server that wants its tokens and verifies none.
#[derive(Debug)]
pub struct Grants {
    program: Program,
    issuer: String,
    server: Program,
    directory: TempDir,
}

impl Grants {
    /// Starts both. Tokens are issued for that server, and for resources added later.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut program = driver("grants.mjs")?
            .argument(place::free_port()?.to_string())
            .argument(directory.path())
            .start("issuer ")
            .await?;
        let issuer = program.ready().trim_start_matches("issuer ").to_owned();
        let server = Command::new(place::built("fixture-upstream")?)
            .argument("--log")
            .argument(directory.path().join("server.jsonl"))
            .start("http://")
            .await?;
        program.say(&format!("resource {}", server.ready())).await?;
        program.line_starting("added").await?;
        Ok(Grants {
            program,
            issuer,
            server,
            directory,
        })
    }

    /// Its identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the server is.
    pub fn server(&self) -> &str {
        self.server.ready()
    }

    /// Issues tokens for this resource too.
    pub async fn add_resource(&mut self, resource: &str) -> Result<()> {
        self.program.say(&format!("resource {resource}")).await?;
        self.program.line_starting("added").await?;
        Ok(())
    }

    /// A token of `alice-agent` for this resource.
    pub async fn token(&self, resource: &str) -> Result<String> {
        let url = Url::parse(&self.issuer)?.join("/token")?;
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", "mcp:tools")
            .append_pair("resource", resource)
            .finish();
        let basic = STANDARD.encode("alice-agent:alice-agent-secret");
        let request = Outgoing::new(Method::POST, &url)
            .header("authorization", &format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await?.json()?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token
            .with_context(|| format!("no token in {answer}"))?
            .to_owned())
    }

    /// A reference to a file with this secret, which only its owner may read.
    pub fn secret(&self, text: &str) -> Result<String> {
        let path = self.directory.path().join(format!("secret-{}", text.len()));
        let mut options = std::fs::File::options();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        std::io::Write::write_all(&mut options.open(&path)?, text.as_bytes())?;
        Ok(format!("file:{}", path.display()))
    }

    /// A reference to the key of the client `keyed`.
    pub fn key(&self) -> String {
        format!("file:{}", self.path("client-key.pem").display())
    }

    /// Every request that the authorization server had.
    pub fn asked(&self) -> Result<Vec<Value>> {
        json_lines(&self.path("asked.jsonl"))
    }

    /// Every request that the server had.
    pub fn served(&self) -> Result<Vec<Value>> {
        json_lines(&self.path("server.jsonl"))
    }

    /// All that the server was sent, as text.
    pub fn served_text(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path("server.jsonl"))?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The header and the claims of a JWT, believed.
pub fn jwt(token: &str) -> Result<(Value, Value)> {
    let part = |index: usize| -> Result<Value> {
        let part = token.split('.').nth(index).context("no JWT")?;
        Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
    };
    Ok((part(0)?, part(1)?))
}
