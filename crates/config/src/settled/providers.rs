//! Services that are asked about the text of messages, settled. Nothing here is refused or looked up.

use super::{Harm, Network, OnFailure, SecretRef, form};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// A service that is asked what it thinks of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Which service it is.
    #[serde(flatten)]
    pub kind: ProviderKind,
    /// Where it may lie.
    pub network: Network,
    /// How long all it is asked about one message may take.
    #[serde(serialize_with = "form::time")]
    pub timeout: Duration,
    /// How many requests it is sent at a time.
    pub concurrent: u32,
    /// How many characters of one message are sent to it.
    pub characters: u32,
    /// What it means that it says nothing.
    pub on_failure: OnFailure,
}

/// Which service a provider is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Azure AI Content Safety, text analysis.
    ContentSafety(ContentSafety),
    /// Anything else.
    Http(HttpProvider),
    /// Azure AI Content Safety, Prompt Shields.
    PromptShields(PromptShields),
}

/// Prompt Shields of Azure AI Content Safety.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptShields {
    /// The endpoint of the resource.
    #[serde(serialize_with = "form::address")]
    pub endpoint: Url,
    /// What is shown.
    #[serde(flatten)]
    pub credential: AzureCredential,
}

/// Text analysis of Azure AI Content Safety.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentSafety {
    /// The endpoint of the resource.
    #[serde(serialize_with = "form::address")]
    pub endpoint: Url,
    /// What is shown.
    #[serde(flatten)]
    pub credential: AzureCredential,
    /// Each kind of harm, and from which severity on it is a suspicion.
    pub severity: BTreeMap<Harm, u16>,
    /// Blocklists of the resource.
    pub blocklists: Vec<String>,
}

/// What is shown to a service of Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AzureCredential {
    /// A token of Entra ID.
    Entra(EntraClient),
    /// A key of the resource.
    Key(SecretRef),
}

/// A client of the gateway's own in Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntraClient {
    /// Where it gets its token.
    #[serde(serialize_with = "form::address")]
    pub token_url: Url,
    /// Its id.
    pub client: String,
    /// Its secret.
    pub secret: SecretRef,
    /// What the token is for.
    pub scope: String,
}

/// A service that speaks our own shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpProvider {
    /// Where it is asked.
    #[serde(serialize_with = "form::address")]
    pub url: Url,
    /// What is shown as a bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<SecretRef>,
    /// The key with which each request is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac: Option<SecretRef>,
    /// From which score on a text is a suspicion, in thousandths.
    pub threshold: u16,
    /// The same of single rules.
    pub thresholds: BTreeMap<String, u16>,
}

impl Provider {
    /// Every secret it names.
    pub(super) fn secrets(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let [one, other] = match &mut self.kind {
            ProviderKind::ContentSafety(it) => [Some(it.credential.secret()), None],
            ProviderKind::PromptShields(it) => [Some(it.credential.secret()), None],
            ProviderKind::Http(it) => [it.bearer.as_mut(), it.hmac.as_mut()],
        };
        one.into_iter().chain(other)
    }
}

impl AzureCredential {
    fn secret(&mut self) -> &mut SecretRef {
        match self {
            AzureCredential::Entra(client) => &mut client.secret,
            AzureCredential::Key(secret) => secret,
        }
    }
}
