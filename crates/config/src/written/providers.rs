//! Services that are asked about the text of messages, as somebody wrote it. Nothing here is checked
//! beyond its shape.

use super::{Reference, Time};
use crate::bounds;
use crate::words::{Network, OnFailure};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A service that is asked what it thinks of a text: `prompt_shields`, `content_safety` or `http`, one of
/// the three. The texts of messages leave the gateway for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name: lowercase letters, digits, `-` and `_`. Records say by it who thought so.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,62}$"))]
    pub name: String,
    /// Azure AI Content Safety, Prompt Shields: attacks on whoever reads the text.
    pub prompt_shields: Option<PromptShields>,
    /// Azure AI Content Safety, text analysis: what harms, and the operator's blocklists.
    pub content_safety: Option<ContentSafety>,
    /// Anything else that speaks the shape of `docs/content/providers.md`.
    pub http: Option<HttpProvider>,
    /// Where it may lie. A public one that resolves to a private address is not asked.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// How long all it is asked about one message may take.
    #[schemars(transform = bounds::PROVIDER_TIMEOUT.told())]
    pub timeout: Option<Time>,
    /// How many requests it is sent at a time.
    #[schemars(transform = bounds::PROVIDER_CONCURRENT.told())]
    pub concurrent: Option<u64>,
    /// How many characters of one message are sent to it. Of a message with more it says nothing, which
    /// is a failure.
    #[schemars(transform = bounds::PROVIDER_CHARACTERS.told())]
    pub characters: Option<u64>,
    /// What it means that it says nothing: it cannot be reached, takes too long, or fails.
    #[schemars(extend("default" = OnFailure::Refuse))]
    pub on_failure: Option<OnFailure>,
}

/// Prompt Shields of Azure AI Content Safety.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptShields {
    /// The endpoint of the resource: `https://NAME.cognitiveservices.azure.com`.
    pub endpoint: String,
    /// A key of the resource. Either this or `entra`.
    pub key: Option<Reference>,
    /// The gateway's own client in Entra ID instead.
    pub entra: Option<EntraClient>,
}

/// Text analysis of Azure AI Content Safety.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentSafety {
    /// The endpoint of the resource: `https://NAME.cognitiveservices.azure.com`.
    pub endpoint: String,
    /// A key of the resource. Either this or `entra`.
    pub key: Option<Reference>,
    /// The gateway's own client in Entra ID instead.
    pub entra: Option<EntraClient>,
    /// From which severity on (1 to 7) a text is a suspicion.
    #[serde(default)]
    pub severity: Severities,
    /// Blocklists of the resource; a text with a word of one is a suspicion.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::BLOCKLISTS))]
    pub blocklists: Vec<String>,
}

/// From which severity on a text is a suspicion.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Severities {
    /// Attacks on people for what they are.
    #[schemars(transform = bounds::SEVERITY.told())]
    pub hate: Option<u64>,
    /// Hurting oneself.
    #[schemars(transform = bounds::SEVERITY.told())]
    pub self_harm: Option<u64>,
    /// Sexual content.
    #[schemars(transform = bounds::SEVERITY.told())]
    pub sexual: Option<u64>,
    /// Hurting others.
    #[schemars(transform = bounds::SEVERITY.told())]
    pub violence: Option<u64>,
}

/// A client of the gateway's own in Entra ID, with the role Cognitive Services User.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntraClient {
    /// Where it gets its token: `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`.
    pub token_url: String,
    /// Its id.
    pub client: String,
    /// Its secret.
    pub secret: Reference,
    /// What the token is for.
    #[schemars(extend("default" = COGNITIVE_SERVICES))]
    pub scope: Option<String>,
}

/// What tokens for Azure AI services are for.
pub(crate) const COGNITIVE_SERVICES: &str = "https://cognitiveservices.azure.com/.default";

/// A service that speaks the shape of `docs/content/providers.md`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProvider {
    /// Where it is asked.
    pub url: String,
    /// What the gateway shows it as `Authorization: Bearer …`. Either this or `hmac`, unless it lies on this
    /// machine or in a private network.
    pub bearer: Option<Reference>,
    /// A key with which each request is signed instead (HMAC with SHA-256).
    pub hmac: Option<Reference>,
    /// From which score on, in thousandths, a text is a suspicion.
    #[schemars(transform = bounds::THRESHOLD.told())]
    pub threshold: Option<u64>,
    /// The same of single rules, by name.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub thresholds: BTreeMap<String, u64>,
}
