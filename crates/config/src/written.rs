//! The configuration as somebody wrote it: what is here was said, what is `None` was not.
//!
//! Every field's comment is the documentation of a setting; the reference page and the JSON Schema
//! are generated from it, with the bounds of [`crate::bounds`]. Nothing here is checked beyond its
//! shape, and nothing but [`crate::settle`] reads it.

mod administration;
mod approval;
mod authority;
mod content;
mod events;
mod issuer;
mod oauth;
mod possession;
mod providers;
mod route;
mod text;

pub use administration::{Administration, RoleRule};
pub use approval::{Approvals, StepUp};
pub use authority::{AuthorityTokens, AuthorizationServer};
pub use content::{
    Arguments, Content, Data, DataHandling, Fields, Minimise, Minimised, Output, Parameter,
    ProviderUse, Purpose, RulePack,
};
pub use events::Events;
pub(crate) use events::PATH as EVENTS_PATH;
pub use issuer::{Attribute, Graph, Introspection};
pub(crate) use issuer::{GRAPH, GRAPH_TOKENS};
pub use oauth::{IdentityProvider, Oauth, OauthClient, SignIn};
pub use possession::{Clients, Dpop, Front};
pub(crate) use providers::COGNITIVE_SERVICES;
pub use providers::{
    ContentSafety, EntraClient, HttpProvider, PromptShields, Provider, Severities,
};
pub use route::{Bridge, Elicitation, Leniency, Protocol, Recording, Route, Sessions};
pub use text::{Reference, Rhythm, Size, Time, Value};

use crate::bounds;
use crate::problem::Positions;
use crate::words::{
    Algorithm, Confinement, Drift, Era, Format, HiddenText, Level, Network, Pins, Process, Profile,
    Schema,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The configuration of one gateway: `ringwall.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this format. There is one so far, and it must be named, so that a file never
    /// changes its meaning with a release.
    #[schemars(extend("const" = 1))]
    pub version: u64,
    /// How callers reach the gateway. The resource URI of a route, which is the audience its tokens
    /// must have, is this and the route's path. `https`, or `http` on a loopback host. Not said: the
    /// address of the first listener.
    pub public_url: Option<String>,
    /// The folder of the ledger, the pins and the keys, relative to this file.
    #[schemars(extend("default" = DATA))]
    pub data: Option<String>,
    /// Where the gateway listens. Not said: `127.0.0.1:8080`, unencrypted, on this machine only.
    #[schemars(length(max = bounds::LISTENERS))]
    pub listeners: Option<Vec<Listener>>,
    /// Whose access tokens are accepted. At least one, because no route is open to callers without a
    /// token.
    #[serde(default)]
    #[schemars(length(max = bounds::ISSUERS))]
    pub issuers: Vec<Issuer>,
    /// The gateway itself as the authorization server of its clients. Not said: they get their tokens
    /// from `issuers`.
    pub authorization_server: Option<AuthorizationServer>,
    /// Proofs that whoever brings a token holds the key it is bound to.
    #[serde(default)]
    pub dpop: Dpop,
    /// The MCP servers behind the gateway.
    #[schemars(length(max = bounds::SERVERS))]
    pub servers: Vec<Server>,
    /// The endpoints of the gateway: which path leads to which servers.
    #[schemars(length(max = bounds::ROUTES))]
    pub routes: Vec<Route>,
    /// Services that are asked what they think of the text of messages. Each is asked where `content.providers`
    /// of a server or a route says so.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::PROVIDERS))]
    pub providers: Vec<Provider>,
    /// Cedar policy files, relative to this file, with `*` in the file name. Without a policy that
    /// permits it, nothing may be listed or called.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub policies: Vec<String>,
    /// What policies ask callers to prove, by name.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub step_up: BTreeMap<String, StepUp>,
    /// Calls that wait for somebody's approval.
    #[serde(default)]
    pub approvals: Approvals,
    /// Who administers the gateway with a browser. Not said: nobody does.
    pub administration: Option<Administration>,
    /// Limits of the whole gateway. A route can have its own for what concerns its calls.
    #[serde(default)]
    pub limits: Limits,
    /// The ledger: what happened, in a form nobody can quietly rewrite.
    #[serde(default)]
    pub ledger: Ledger,
    /// The log of the gateway itself. It holds no arguments, results or tokens.
    #[serde(default)]
    pub log: Log,
    /// Where each setting stands in the text.
    #[serde(skip)]
    pub positions: Positions,
}

/// Where `data` lies unless somebody says otherwise.
pub(crate) const DATA: &str = "./ringwall-data";
/// Where the gateway listens unless somebody says otherwise: on this machine only.
pub(crate) const ADDRESS: &str = "127.0.0.1:8080";

/// One address the gateway listens on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// IP address and port. Port 0 lets the system choose. An address that is not loopback needs
    /// `tls`.
    #[schemars(extend("default" = ADDRESS))]
    pub address: Option<String>,
    /// The certificate. With it the listener speaks TLS 1.3 and nothing else.
    pub tls: Option<Tls>,
    /// A proxy in front that tells of its clients' certificates. It needs `tls.clients`: without a
    /// certificate of its own, nobody knows a proxy from a caller.
    pub front: Option<Front>,
    /// Further names that a request's `Host` may carry, without a port. The address itself, the host
    /// of `public_url` and, on a loopback address, `localhost`, `127.0.0.1` and `[::1]` are accepted
    /// anyway; everything else is refused, because a web page can point its own name at this machine.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub hosts: Vec<String>,
    /// Web origins whose pages may call the gateway, such as `https://app.example.com`. The gateway's
    /// own is accepted anyway; requests without an `Origin` do not come from a web page.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub origins: Vec<String>,
}

/// The certificate of a listener.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The PEM file with the certificate and the chain above it, relative to this file.
    pub certificate: String,
    /// The private key in PEM form.
    pub key: Reference,
    /// Certificates that clients show. Not said: none is asked for.
    pub clients: Option<Clients>,
}

/// Whose access tokens are accepted, and which of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The issuer's identifier, byte for byte as its tokens and its metadata name it. `https`, or
    /// `http` on a loopback host. Where a provider gives each tenant an issuer of its own, `{tenant}`
    /// stands for the tenant: `https://login.microsoftonline.com/{tenant}/v2.0`.
    pub issuer: String,
    /// Which text its tokens follow.
    #[schemars(extend("default" = Profile::Rfc9068))]
    pub profile: Option<Profile>,
    /// The tenants whose tokens are accepted, for an issuer with `{tenant}` in it. Each is an issuer of
    /// its own, with its own keys; for `entra` they are GUIDs, and `tid` of a token must be the same.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::TENANTS))]
    pub tenants: Vec<String>,
    /// Where the metadata is that tenants share. Its `issuer` may have `{tenantid}` where the tenant stands.
    /// Not said: each tenant's own, where RFC 8414 and OpenID Connect say.
    pub metadata: Option<String>,
    /// Further names that its tokens may have in `aud`, letter for letter, on every route that accepts it:
    /// a GUID or `api://…` where the issuer does not put into `aud` what it was asked for.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub audiences: Vec<String>,
    /// Signature algorithms that are accepted.
    #[schemars(extend("default" = DEFAULT_ALGORITHMS), length(min = 1))]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Values of a token's `typ` that are accepted instead of those of the profile. `JWT` must be named to be accepted: identity
    /// tokens carry it too, and they are not meant for us.
    #[schemars(extend("default" = [TOKEN_TYPE]), length(min = 1, max = bounds::WORDS))]
    pub token_types: Option<Vec<String>>,
    /// The most that may lie between a token's `iat` and its `exp`. A stolen token is good for that
    /// long.
    /// With `profile: entra`, 2 hours unless said.
    #[schemars(transform = bounds::LIFETIME.told())]
    pub lifetime_max: Option<Time>,
    /// How far the issuer's clock may be off.
    #[schemars(transform = bounds::CLOCK_SKEW.told())]
    pub clock_skew: Option<Time>,
    /// What it tells the gateway unasked: that users logged out, lost a device, changed a password. What
    /// they opened before ends then. Not said: nothing is listened to.
    pub events: Option<Events>,
    /// Where the issuer may lie. Its name is looked up by the gateway, and a public one that resolves
    /// to a private address is not contacted.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// The address of its signing keys (a JWK Set). Not said: where its metadata says.
    pub keys: Option<String>,
    /// Which claim of a token says what.
    #[serde(default)]
    pub claims: Claims,
    /// Further claims that policies see as `principal.claims.<name>`. `acr`, `acrs`, `amr`,
    /// `auth_time`, `email`, `email_verified`, `roles` and `tid` are among them anyway, and can be taken
    /// from elsewhere.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub attributes: BTreeMap<String, Attribute>,
    /// How many actors a token may name (`act`, RFC 8693): 1 is an agent that acts for a user, 2 an agent
    /// for which another one acts. A token with more is refused.
    #[schemars(transform = bounds::ACTORS.told())]
    pub actors: Option<u64>,
    /// How it is asked about opaque tokens. Not said: they are refused.
    pub introspection: Option<Introspection>,
    /// Where groups are looked up that a token of `entra` leaves out. Not said: they stay unknown.
    pub graph: Option<Graph>,
    /// How its users sign in with a browser. Needed where they are asked to connect a server.
    pub sign_in: Option<SignIn>,
}

/// Accepted unless somebody says otherwise; every one the gateway can verify.
pub(crate) const DEFAULT_ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Ps256,
    Algorithm::Rs256,
];
/// The type of an access token (RFC 9068).
pub(crate) const TOKEN_TYPE: &str = "at+jwt";
/// The claim that names the user.
pub(crate) const CLAIM_USER: &str = "sub";
/// The claim that names the client (RFC 9068).
pub(crate) const CLAIM_CLIENT: &str = "client_id";
/// The claim that lists groups.
pub(crate) const CLAIM_GROUPS: &str = "groups";
/// The claim that lists scopes (RFC 9068).
pub(crate) const CLAIM_SCOPES: &str = "scope";

/// Which claim of a token says what.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who calls.
    #[schemars(extend("default" = CLAIM_USER))]
    pub user: Option<String>,
    /// With which client.
    #[schemars(extend("default" = CLAIM_CLIENT))]
    pub client: Option<String>,
    /// As a member of which groups.
    #[schemars(extend("default" = CLAIM_GROUPS))]
    pub groups: Option<String>,
    /// With which scopes.
    #[schemars(extend("default" = CLAIM_SCOPES))]
    pub scopes: Option<String>,
}

/// One MCP server: `http`, `sse` or `stdio`, one of the three.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name: lowercase letters, digits, `-` and `_`. Policies, records and commands use it.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,62}$"))]
    pub name: String,
    /// A server over Streamable HTTP.
    pub http: Option<Http>,
    /// A server over HTTP+SSE, the transport of 2024-11-05. It is deprecated: answers come on a stream
    /// of their own, and the server says where messages are to be sent; only its own origin is believed.
    pub sse: Option<Http>,
    /// A server that is a process of this machine.
    pub stdio: Option<Stdio>,
    /// Which era of MCP it speaks. Where it is not the client's, the gateway translates. With `legacy` and
    /// `grant: connection` its own host may issue its tokens, if it publishes no metadata at all (2025-03-26).
    #[schemars(extend("default" = Era::Auto))]
    pub era: Option<Era>,
    /// When a tool definition is trusted. A changed definition is never taken over silently.
    #[schemars(extend("default" = Pins::Approval))]
    pub pins: Option<Pins>,
    /// Which changes of an approved definition are taken over without anybody looking.
    #[schemars(extend("default" = Drift::None))]
    pub accept_drift: Option<Drift>,
    /// How strictly arguments are held against the tool's own schema.
    #[schemars(extend("default" = Schema::Strict))]
    pub schema: Option<Schema>,
    /// What happens to invisible text in what the server says: the reader of it is a model, and people
    /// do not see it.
    #[schemars(extend("default" = HiddenText::Remove))]
    pub hidden_text: Option<HiddenText>,
    /// What else is looked for in text that goes to it and comes from it.
    #[serde(default)]
    pub content: Content,
    /// How long a whole call may take.
    #[schemars(transform = bounds::TIMEOUT.told())]
    pub timeout: Option<Time>,
    /// Labels on all of its tools, for policies: lowercase letters, digits, `-`, `_` and `.`.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub labels: Vec<String>,
    /// Further labels on single tools, by name; `transfer*` names all that begin with `transfer`.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub tools: BTreeMap<String, ToolLabels>,
}

/// A server that is reached over the network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Its MCP endpoint. `https`, or `http` on a loopback host. Over HTTP+SSE: the address of its stream.
    pub url: String,
    /// Where it may lie. A public server that resolves to a private address is not contacted.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// What the gateway shows the server, sent as `Authorization: Bearer …`. The caller's own token is
    /// never passed on. Not said: nothing is shown.
    pub credential: Option<Reference>,
    /// The header that carries the credential instead; the secret is then its whole value.
    pub header: Option<String>,
    /// How the gateway gets tokens for the server instead of a credential that never changes.
    pub oauth: Option<Oauth>,
}

/// A server that is a process of this machine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stdio {
    /// Program and arguments, one entry each. No shell reads them.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub command: Vec<String>,
    /// All that the process finds in its environment beside `PATH`. A secret is written as a reference.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub environment: BTreeMap<String, Value>,
    /// Where it runs, relative to this file.
    #[schemars(extend("default" = "."))]
    pub directory: Option<String>,
    /// Who shares the process.
    #[schemars(extend("default" = Process::User))]
    pub process: Option<Process>,
    /// What confines it. It must be said: there is no confinement in this release, and the process can
    /// do whatever the user that runs Ringwall can do.
    pub confinement: Option<Confinement>,
}

/// Further labels on tools.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolLabels {
    /// The labels.
    #[schemars(length(min = 1, max = bounds::WORDS))]
    pub labels: Vec<String>,
}

/// Limits. Each one has a default; there is no way to have none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Of one network address, before anybody is known.
    #[schemars(transform = bounds::SOURCE.told())]
    pub source: Option<Rate>,
    /// Of one user.
    #[schemars(transform = bounds::USER.told())]
    pub user: Option<Rate>,
    /// Of one session.
    #[schemars(transform = bounds::SESSION.told())]
    pub session: Option<Rate>,
    /// Of one user on one tool.
    #[schemars(transform = bounds::TOOL.told())]
    pub tool: Option<Rate>,
    /// Of one user on one resource or prompt.
    #[schemars(transform = bounds::RESOURCE.told())]
    pub resource: Option<Rate>,
    /// Bytes of a request's body.
    #[schemars(transform = bounds::REQUEST_BYTES.told())]
    pub request_bytes: Option<Size>,
    /// Bytes of an answer, or of one event of a stream.
    #[schemars(transform = bounds::ANSWER_BYTES.told())]
    pub answer_bytes: Option<Size>,
    /// How deep a message may nest.
    #[schemars(transform = bounds::DEPTH.told())]
    pub depth: Option<u64>,
    /// How many members one object of a message may have.
    #[schemars(transform = bounds::MEMBERS.told())]
    pub members: Option<u64>,
    /// Connections open at a time, on all listeners together. Not on a route: no route is known yet.
    #[schemars(transform = bounds::CONNECTIONS.told())]
    pub connections: Option<u64>,
    /// Bytes of a request's header. Not on a route: no route is known yet.
    #[schemars(transform = bounds::HEADER_BYTES.told())]
    pub header_bytes: Option<Size>,
    /// How long a request's header may take to arrive. Not on a route: no route is known yet.
    #[schemars(transform = bounds::HEADER_TIME.told())]
    pub header_time: Option<Time>,
    /// How long a request's body may take to arrive.
    #[schemars(transform = bounds::BODY_TIME.told())]
    pub body_time: Option<Time>,
}

/// How often, how many at once after a pause, and how many at a time. What is not said stays as it is
/// one level above.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How often in the long run: so many a second (`/s`), minute (`/m`) or hour (`/h`).
    #[schemars(transform = bounds::PACE.told_bare())]
    pub rate: Option<Rhythm>,
    /// How many may come at once after a pause.
    #[schemars(transform = bounds::BURST.told_bare())]
    pub burst: Option<u64>,
    /// How many may be under way at a time.
    #[schemars(transform = bounds::CONCURRENT.told_bare())]
    pub concurrent: Option<u64>,
}

/// The ledger.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The Ed25519 key that signs checkpoints. Not said: one is made under `data` on the first start.
    pub key: Option<Reference>,
    /// A segment is sealed at this size.
    #[schemars(transform = bounds::SEGMENT_BYTES.told())]
    pub segment_bytes: Option<Size>,
    /// How long a record may be unwritten where a route asks for `interval` durability.
    #[schemars(transform = bounds::INTERVAL.told())]
    pub interval: Option<Time>,
    /// A checkpoint is signed after so many records.
    #[schemars(transform = bounds::CHECKPOINT_RECORDS.told())]
    pub checkpoint_records: Option<u64>,
}

/// The log of the gateway itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How much is logged.
    #[schemars(extend("default" = Level::Info))]
    pub level: Option<Level>,
    /// The shape of its lines.
    #[schemars(extend("default" = Format::Text))]
    pub format: Option<Format>,
}
