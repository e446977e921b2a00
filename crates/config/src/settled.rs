//! What a configuration means: nothing left to interpret, every default filled in, everything
//! parsed. Secrets are references, never values. It serialises in the shape of the file it came
//! from, so that what `ringwall check` prints can be read again and settles to the same.
//!
//! Nothing here reads a file or refuses anything: [`crate::settle`] makes it.

mod administration;
mod approval;
mod authority;
mod content;
mod events;
mod form;
mod issuer;
mod oauth;
mod pattern;
mod place;
mod possession;
mod providers;
mod reload;
mod route;
mod uri_form;

pub use administration::{Administration, RoleRule};
pub use approval::{Approvals, StepUp};
pub use authority::{AuthorityTokens, AuthorizationServer};
pub use content::{
    Arguments, Content, Data, DataHandling, Fields, Minimise, Minimised, Output, Parameter,
    ProviderUse, Purpose, RouteContent, RulePack, SchemaFile,
};
pub use events::Events;
pub(crate) use issuer::TENANT;
pub use issuer::{Attribute, ClientProof, Exact, Graph, Introspection};
pub use oauth::{Authentication, Authority, Client, Grant, IdentityProvider, Oauth, SignIn};
pub use pattern::{ToolPattern, UriPattern};
pub use possession::{Clients, Dpop, Front};
pub use providers::{
    AzureCredential, ContentSafety, EntraClient, HttpProvider, PromptShields, Provider,
    ProviderKind,
};
pub use route::{Bridge, Elicitation, Leniency, Protocol, Recording, Route, Sessions};
pub use uri_form::{UriForm, UriFormError};

pub use crate::secret::{SecretRef, SecretRefError};
pub use crate::units::{Pace, Period};
pub use crate::words::{
    Actor, Algorithm, AssertionAudience, BreakGlass, ClaimKind, ClientCertificates, Confinement,
    DataAction, Drift, Durability, Elsewhere, Era, Excess, Format, FrontHeader, Harm,
    HeaderMistake, HiddenText, Keep, Level, Meaning, Misfit, Mode, Network, OnFailure, OtherText,
    Pins, Possession, Process, Profile, ProofNonce, Recognised, Registration, Revision, Role,
    Schema, Spotlight, Surface, TokenKind, Treatment,
};

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// A whole configuration, settled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settled {
    /// The version of the file's format.
    pub version: u64,
    /// How callers reach the gateway. Resource URIs derive from it.
    #[serde(serialize_with = "form::address")]
    pub public_url: Url,
    /// Where ledger, pins and keys lie.
    pub data: PathBuf,
    /// Where the gateway listens.
    pub listeners: Vec<Listener>,
    /// Whose tokens are accepted.
    pub issuers: Vec<Issuer>,
    /// The gateway itself as the authorization server of its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<AuthorizationServer>,
    /// Proofs of possession.
    pub dpop: Dpop,
    /// What stands behind the gateway.
    pub servers: Vec<Server>,
    /// Which path leads to which servers.
    pub routes: Vec<Route>,
    /// Services that are asked about the text of messages.
    pub providers: Vec<Provider>,
    /// Patterns of the policy files, relative to the configuration file.
    pub policies: Vec<String>,
    /// What policies ask callers to prove, by name.
    pub step_up: BTreeMap<String, StepUp>,
    /// Calls that wait for somebody's approval.
    pub approvals: Approvals,
    /// Who administers the gateway with a browser, if anybody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administration: Option<Administration>,
    /// Limits of the whole gateway. A route has its own copy of those that concern a call.
    pub limits: Limits,
    /// The ledger.
    pub ledger: Ledger,
    /// The log.
    pub log: Log,
}

/// One address the gateway listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// The address; port 0 lets the system choose one.
    pub address: SocketAddr,
    /// How bytes travel.
    #[serde(flatten)]
    pub transport: Transport,
    /// A proxy in front that tells of its clients' certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front: Option<Front>,
    /// Every name a `Host` header may carry: lowercase, without a port, IPv6 in brackets.
    pub hosts: Vec<String>,
    /// Every `Origin` that is accepted beside the gateway's own, which is the one whose host and
    /// port are those of the `Host` header.
    pub origins: Vec<String>,
}

/// How bytes travel on a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Unencrypted. Only ever on a loopback address.
    Plaintext,
    /// TLS 1.3.
    Tls(Tls),
}

/// The certificate of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// The PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// The private key of its first certificate, PEM.
    pub key: SecretRef,
    /// Certificates that clients show; none is asked for where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
}

impl Listener {
    /// Whether certificates of callers are ever seen here.
    pub fn knows_certificates(&self) -> bool {
        matches!(&self.transport, Transport::Tls(tls) if tls.clients.is_some())
    }
}

/// Whose tokens are accepted, and which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issuer {
    /// The issuer, exactly as tokens and metadata must name it, or with `{tenant}` for each tenant.
    pub issuer: String,
    /// Which text its tokens follow.
    pub profile: Profile,
    /// Its tenants, if `{tenant}` stands in it.
    pub tenants: Vec<String>,
    /// Where the metadata is that they share.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "form::place"
    )]
    pub metadata: Option<Url>,
    /// Further names that its tokens may have in `aud`.
    pub audiences: Vec<String>,
    /// Signature algorithms accepted.
    pub algorithms: Vec<Algorithm>,
    /// Values of a token's `typ` accepted.
    pub token_types: Vec<String>,
    /// The most that may lie between a token's `iat` and its `exp`.
    #[serde(serialize_with = "form::time")]
    pub lifetime_max: Duration,
    /// How far the issuer's clock may be off.
    #[serde(serialize_with = "form::time")]
    pub clock_skew: Duration,
    /// What it tells unasked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Where the issuer may lie.
    pub network: Network,
    /// Where its signing keys are.
    #[serde(flatten)]
    pub keys: Keys,
    /// Which claim says what.
    pub claims: Claims,
    /// Which claims policies see, by the names they have there.
    pub attributes: BTreeMap<String, Attribute>,
    /// How many actors a token may name.
    pub actors: u32,
    /// How it is asked about opaque tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection: Option<Introspection>,
    /// Where groups are looked up that its tokens leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<Graph>,
    /// How its users sign in with a browser, if they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
}

/// Where an issuer's signing keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Where its metadata says.
    Discovered,
    /// Here.
    At(Url),
}

/// Which claim of a token says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who calls.
    pub user: String,
    /// With which client.
    pub client: String,
    /// As a member of what.
    pub groups: String,
    /// With which scopes.
    pub scopes: String,
}

/// The name of a server: lowercase letters, digits, `-` and `_`. Safe in file names and headers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ServerName(pub(crate) String);

impl ServerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One MCP server behind the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its name.
    pub name: ServerName,
    /// How it is reached.
    #[serde(flatten)]
    pub upstream: Upstream,
    /// Which era of MCP it speaks. The old HTTP+SSE transport has one only.
    pub era: Era,
    /// When its definitions are trusted.
    pub pins: Pins,
    /// Which changes of an approved definition are taken over without anybody looking.
    pub accept_drift: Drift,
    /// How strictly arguments are held against its schemas.
    pub schema: Schema,
    /// What happens to invisible text in what it says.
    pub hidden_text: HiddenText,
    /// What else is looked for in text that goes to it and comes from it.
    pub content: Content,
    /// How long a call of it may take.
    #[serde(serialize_with = "form::time")]
    pub timeout: Duration,
    /// Labels on all of its tools.
    pub labels: Vec<String>,
    /// Labels on some of its tools.
    #[serde(serialize_with = "form::tools")]
    pub tools: Vec<ToolLabels>,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    /// Over the network: Streamable HTTP.
    Http(Http),
    /// Over the network: HTTP+SSE, the transport of 2024-11-05.
    Sse(Http),
    /// As a process of this machine.
    Stdio(Stdio),
}

/// A server that is reached over the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Http {
    /// Its MCP endpoint; over HTTP+SSE the address of its stream.
    #[serde(serialize_with = "form::address")]
    pub url: Url,
    /// Where it may lie.
    pub network: Network,
    /// What the gateway shows it. Never the caller's token.
    #[serde(flatten)]
    pub credential: Credential,
}

/// What the gateway shows a server to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretRef),
    /// A header of its own; the secret is its whole value.
    Header {
        /// The header's name, lowercase.
        name: String,
        /// Its value.
        secret: SecretRef,
    },
    /// Tokens that are issued for this server.
    Oauth(Box<Oauth>),
}

impl Upstream {
    /// What the gateway shows it; nothing stands for a process, which is shown nothing.
    pub fn credential(&self) -> Option<&Credential> {
        match self {
            Upstream::Http(http) | Upstream::Sse(http) => Some(&http.credential),
            Upstream::Stdio(_) => None,
        }
    }
}

/// A server as a process of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stdio {
    /// Program and arguments; never empty, never a shell line.
    pub command: Vec<String>,
    /// All the process finds in its environment beside `PATH`.
    pub environment: BTreeMap<String, Variable>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Who shares it.
    pub process: Process,
    /// What confines it.
    pub confinement: Confinement,
}

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Variable {
    /// A value that is no secret.
    Literal(String),
    /// A secret.
    Secret(SecretRef),
}

/// Labels on the tools that a pattern names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolLabels {
    /// Which tools.
    pub tools: ToolPattern,
    /// Their further labels.
    pub labels: Vec<String>,
}

/// Limits of the whole gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// What a route's calls may do unless the route says otherwise.
    #[serde(flatten)]
    pub call: CallLimits,
    /// Connections open at a time, on all listeners together.
    pub connections: u32,
    /// Bytes of a request's header.
    #[serde(serialize_with = "form::size")]
    pub header_bytes: u64,
    /// How long a request's header may take to arrive.
    #[serde(serialize_with = "form::time")]
    pub header_time: Duration,
}

/// Limits of the calls of one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallLimits {
    /// Of one network address.
    pub source: Rate,
    /// Of one user.
    pub user: Rate,
    /// Of one session.
    pub session: Rate,
    /// Of one user on one tool.
    pub tool: Rate,
    /// Of one user on one resource or prompt.
    pub resource: Rate,
    /// Bytes of a request's body.
    #[serde(serialize_with = "form::size")]
    pub request_bytes: u64,
    /// Bytes of an answer, or of one event of a stream.
    #[serde(serialize_with = "form::size")]
    pub answer_bytes: u64,
    /// How deep a message may nest.
    pub depth: u32,
    /// How many members one object of a message may have.
    pub members: u32,
    /// How long a request's body may take to arrive.
    #[serde(serialize_with = "form::time")]
    pub body_time: Duration,
}

/// How often, how many at once after a pause, and how many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// How often in the long run.
    pub rate: Pace,
    /// How many may come at once after a pause.
    pub burst: u32,
    /// How many may be under way at a time.
    pub concurrent: u32,
}

/// The ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The key that signs checkpoints.
    #[serde(flatten)]
    pub key: SigningKey,
    /// A segment is sealed at this size.
    #[serde(serialize_with = "form::size")]
    pub segment_bytes: u64,
    /// How long `interval` durability may leave a record unwritten.
    #[serde(serialize_with = "form::time")]
    pub interval: Duration,
    /// A checkpoint is signed after so many records.
    pub checkpoint_records: u32,
}

/// Where the key that signs the ledger's checkpoints comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// It is made in this file on the first start.
    Made(PathBuf),
    /// It is there already.
    Given(SecretRef),
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// In which shape.
    pub format: Format,
}
