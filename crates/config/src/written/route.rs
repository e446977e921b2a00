//! One MCP endpoint of the gateway, as somebody wrote it. Nothing here is checked beyond its shape.

use super::{Content, Limits, Time};
use crate::bounds;
use crate::words::{Durability, HeaderMistake, Keep, Possession, Revision};
use schemars::JsonSchema;
use serde::Deserialize;

/// One MCP endpoint of the gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its path: `/files`. No path may lie below another one's.
    pub path: String,
    /// The name of the server it leads to. Names of tools, prompts and resources are then those of the
    /// server.
    pub server: Option<String>,
    /// The names of the servers it leads to, instead of `server`. With more than one, tools and prompts
    /// are called `<server>__<name>`, resources `<server>+<uri>`, and lists come in this order.
    #[schemars(length(min = 1, max = bounds::ROUTE_SERVERS))]
    pub servers: Option<Vec<String>>,
    /// The only tools that are offered here, by the names callers see; `read_*` names all that begin with
    /// `read_`. What is not offered does not exist here, whatever policies permit. Not said: all. An
    /// empty list: none.
    #[schemars(length(max = bounds::WORDS))]
    pub tools: Option<Vec<String>>,
    /// The only prompts that are offered here, likewise.
    #[schemars(length(max = bounds::WORDS))]
    pub prompts: Option<Vec<String>>,
    /// The only resources that are offered here, by the URIs callers see; `file:///docs/*` names all that
    /// begin so, but none that steps up (`..`). A template is named by its own text. Not said: all. An
    /// empty list: none.
    #[schemars(length(max = bounds::WORDS))]
    pub resources: Option<Vec<String>>,
    /// The audience a token must have. Not said: `public_url` and the path. Each route has its own.
    pub resource: Option<String>,
    /// Further names of this audience that tokens may have in `aud`, letter for letter, from any issuer that
    /// is accepted here.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub audiences: Vec<String>,
    /// Whose tokens are accepted here, by identifier. Not said: those of every issuer above.
    #[schemars(length(min = 1, max = bounds::ISSUERS))]
    pub issuers: Option<Vec<String>>,
    /// Scopes a token must have; callers without one are told to ask for them.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub scopes: Vec<String>,
    /// What a token must be bound to. Policies can demand the same of single tools and arguments, by
    /// `principal.possession`.
    #[schemars(extend("default" = Possession::None))]
    pub possession: Option<Possession>,
    /// Revisions of the protocol.
    #[serde(default)]
    pub protocol: Protocol,
    /// What is written down, and when.
    #[serde(default)]
    pub ledger: Recording,
    /// Sessions.
    #[serde(default)]
    pub sessions: Sessions,
    /// What is held to translate between the two eras of MCP.
    #[serde(default)]
    pub bridge: Bridge,
    /// What servers may ask of users.
    #[serde(default)]
    pub elicitation: Elicitation,
    /// What is looked for in text here, where it differs from what the servers say.
    #[serde(default)]
    pub content: Content,
    /// Limits of a call here, where they differ from those of the gateway.
    #[serde(default)]
    pub limits: Limits,
}

/// Revisions of the protocol that a route speaks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The oldest revision that is spoken with clients. Those before 2025-06-18 know nothing of
    /// audiences; with 2026-07-28 there are no sessions.
    #[schemars(extend("default" = Revision::R20250618))]
    pub minimum: Option<Revision>,
    /// Which mistakes in headers are let pass for which clients. From 2026-07-28 on, headers repeat what a
    /// message says, and one that does not agree is refused. For a client named here the message alone
    /// counts, and each mistake is recorded.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub leniency: Vec<Leniency>,
}

/// A client whose mistakes in headers are known and let pass.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leniency {
    /// The client, exactly as its token names it, of whichever issuer. There is no way to name all of
    /// them.
    pub client: String,
    /// Its mistakes. A wrong header is one that does not say what the message says, or cannot be decoded.
    /// A version that is missing or wrong and a header that is sent twice are refused in any case.
    #[schemars(length(min = 1))]
    pub allow: Vec<HeaderMistake>,
}

/// What a route's records hold, and when they are on disk.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// When a record is on disk.
    #[schemars(extend("default" = Durability::BeforeAnswer))]
    pub durability: Option<Durability>,
    /// What a record keeps beside digests and sizes. Nothing: values may be personal data.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub keep: Vec<Keep>,
}

/// How long sessions live, and how many there may be.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// A session without a message for this long ends.
    #[schemars(transform = bounds::SESSION_IDLE.told())]
    pub idle: Option<Time>,
    /// A session ends after this long in any case.
    #[schemars(transform = bounds::SESSION_ABSOLUTE.told())]
    pub absolute: Option<Time>,
    /// How many sessions one user may have on a route.
    #[schemars(transform = bounds::SESSIONS_PER_USER.told())]
    pub per_user: Option<u64>,
}

/// What is held between two messages to translate a call: a question of a server of the older era cannot
/// be handed to a client of the newer one while the call goes on, so the call is parked until the client
/// comes back with the answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// How many calls of one user may be parked, on this route and all others. Each keeps a stream of a server open.
    #[schemars(transform = bounds::PARKED_PER_USER.told())]
    pub parked_per_user: Option<u64>,
    /// How long a call is parked. Then the server is told that nobody answers: a person may think, and
    /// may have gone home.
    #[schemars(transform = bounds::PARKED_TIME.told())]
    pub parked_time: Option<Time>,
    /// How long further questions of a server are waited for once it has asked one, so that the client
    /// gets them together. Longer is slower, shorter makes more rounds.
    #[schemars(transform = bounds::GATHER.told())]
    pub gather: Option<Time>,
}

/// What servers may ask of users.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elicitation {
    /// The only hosts to which a server may send a user's browser (elicitation in URL mode), by `https`.
    /// Not said: any host, because servers send users to sign-in pages of their own choice. An empty
    /// list: none.
    #[schemars(length(max = bounds::WORDS))]
    pub urls: Option<Vec<String>>,
}
