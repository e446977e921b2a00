//! The gateway as a running whole: built from a settled configuration, rebuilt when it changes,
//! swept now and then, and stopped without losing a record. A configuration that cannot be built
//! changes nothing.

mod credentials;
#[cfg(test)]
pub(crate) mod still;
mod trust;

use crate::admin::{self, FirstCodeError, Office, OfficeError};
use crate::approvals;
use crate::authority::{Authority, Desk, SigningKeys};
use crate::catalog::{Others, Shelves};
use crate::claims::Attributes;
use crate::clock::Clock;
use crate::content::{Tokens, TokensError};
use crate::control::Control;
use crate::credential::{OwnClient, OwnClientError};
use crate::definitions::suspected;
use crate::egress::{Destination, DestinationError, Egress, EgressError, EgressSettings};
use crate::events::Events;
use crate::gate::{Gate, Parts, Runtime};
use crate::key_sets::KeySets;
use crate::listener::{ListenError, Listener};
use crate::load::Loaded;
use crate::pins::{Pins, PinsError};
use crate::possession::Proofs;
use crate::providers::{self, ProviderError, Providers};
use crate::revocation::Revocations;
use crate::route::{Route, RouteError, Served};
use crate::seal::{Seal, SealError};
use crate::secret::SecretError;
use crate::squats;
use crate::state::{Database, Memory, Rows, StateError};
use crate::upstream::{self, UpstreamError};
use crate::{egress, secret};
use audit::{KeyError, Ledger, LedgerError, SigningKey};
use config::settled::{self, Settled};
use credentials::Workshop;
use identity::RulesError;
use identity::client::ClientKey;
use identity::possession::dpop::Nonces;
use policy::{Policies, PolicyError};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use zeroize::Zeroizing;

/// A gateway that listens.
#[derive(Debug)]
pub struct House {
    gate: Arc<Gate>,
    listeners: Vec<Listener>,
    control: Option<Control>,
    makings: Makings,
    /// The code that registers the passkey for emergencies, until it was told.
    first_code: Option<Zeroizing<String>>,
    stop: watch::Sender<bool>,
}

/// What a configuration is built with, the same before and after a reload.
#[derive(Clone, Debug)]
struct Makings {
    egress: Arc<Egress>,
    clock: Arc<dyn Clock>,
    rows: Rows,
    revocations: Arc<Revocations>,
    key_sets: Arc<KeySets>,
    /// The key of the gateway as a client of others.
    key: Arc<ClientKey>,
    /// The key of tokens that stand for values.
    tokens: Arc<Tokens>,
    /// What it keeps as the authorization server of its clients.
    desk: Arc<Desk>,
}

/// Why a gateway cannot start, or cannot take over a changed configuration.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant says what its error says")]
pub enum HouseError {
    #[error("`{what}` is no address: {error}")]
    Address {
        what: &'static str,
        error: url::ParseError,
    },
    #[error("secret `{reference}`: {error}")]
    ClientKey {
        reference: String,
        error: identity::client::ClientKeyError,
    },
    #[error("`{path}` cannot be made: {error}")]
    Data { path: String, error: std::io::Error },
    #[error("server `{server}`: {error}")]
    Destination {
        server: String,
        error: DestinationError,
    },
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("the operating system gave no random bits")]
    Entropy,
    #[error("the ledger's key: {0}")]
    Key(#[from] KeyError),
    #[error("secret `{reference}` is no Ed25519 private key in PEM")]
    NoKey { reference: String },
    #[error("the ledger: {0}")]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("the account for emergencies: {0}")]
    FirstCode(#[from] FirstCodeError),
    #[error(transparent)]
    Office(#[from] OfficeError),
    #[error("server `{server}`: {what} cannot be used")]
    Oauth { server: String, what: &'static str },
    #[error(transparent)]
    OwnClient(#[from] OwnClientError),
    #[error(transparent)]
    Pins(#[from] PinsError),
    #[error("the policies: {0}")]
    Policies(#[from] PolicyError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("limit: {0}")]
    Rate(#[from] watch_limits::RateError),
    #[error("changed parts that need a restart: {0}")]
    Restart(String),
    #[error(transparent)]
    Route(#[from] RouteError),
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error("the key of handles: {0}")]
    Seal(#[from] SealError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("issuer `{issuer}`: its `sign_in` cannot be used")]
    SignIn { issuer: String },
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Tokens(#[from] TokensError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("the key of what is kept: {0}")]
    Vault(#[from] vault::KeyFileError),
}

use ::watch as watch_limits;

impl House {
    /// How often sessions are swept, in milliseconds.
    pub const SWEEP: Duration = Duration::from_secs(5);
    /// How often the store of pins is asked whether somebody approved something.
    pub const PINS: Duration = Duration::from_millis(500);

    /// Binds every listener and opens every store. Nothing is served yet.
    pub async fn build(loaded: Loaded, clock: Arc<dyn Clock>) -> Result<House, HouseError> {
        House::with_way_out(loaded, clock, &EgressSettings::default()).await
    }

    /// The same, where names become what whoever tests says.
    pub(crate) async fn with_way_out(
        loaded: Loaded,
        clock: Arc<dyn Clock>,
        way_out: &EgressSettings,
    ) -> Result<House, HouseError> {
        let Loaded {
            settled,
            policies,
            administration,
            ..
        } = loaded;
        let sources = (policies, administration);
        let connections = Arc::new(Semaphore::new(settled.limits.connections as usize));
        let mut listeners = Vec::new();
        for listener in &settled.listeners {
            listeners
                .push(Listener::bind(listener, &settled.limits, Arc::clone(&connections)).await?);
        }
        let settled = match listeners.first() {
            Some(first) => settled.bound_to(first.address()),
            None => settled,
        };
        make(&settled.data)?;
        let ledger = ledger(&settled)?;
        let control = control(&settled).await;
        let database = Database::open(&settled.data)?;
        let rows = rows(&settled, &database)?;
        let revocations = Revocations::read(rows.clone(), clock.unix_ms()).await?;
        let revocations = Arc::new(revocations);
        let seal = seal(&settled)?;
        let nonces = Nonces::generate().map_err(|_| HouseError::Entropy)?;
        let since_s = clock.unix_ms() / 1000;
        let egress = Arc::new(Egress::new(way_out)?);
        let makings = Makings {
            egress,
            clock: Arc::clone(&clock),
            rows: rows.clone(),
            revocations: Arc::clone(&revocations),
            key_sets: Arc::new(KeySets::new(rows.clone())),
            key: OwnClient::key_of(&rows, clock.unix_ms()).await?,
            tokens: Tokens::kept(&rows, clock.unix_ms()).await?,
            desk: desk(&rows, &clock),
        };
        let runtime = runtime(settled, sources, &makings, None)?;
        let policies = Policies::compile(&runtime.sources, &runtime.policy_catalog(&[]))?;
        for warning in policies.warnings() {
            tracing::warn!("policy: {warning}");
        }
        let boot = identity::session_id().map_err(|_| HouseError::Entropy)?;
        let gate = Gate::new(Parts {
            clock,
            ledger,
            pins: Pins::within(database),
            rows,
            marks: Arc::new(Memory::default()),
            revocations,
            limits: Box::new(watch_limits::Local::default()),
            runtime,
            policies,
            seal,
            proofs: Proofs::new(nonces, since_s),
            boot: boot.chars().take(10).collect(),
        });
        begun(&gate);
        let first_code = admin::first_code(&gate).await?;
        Ok(House {
            gate,
            first_code,
            listeners,
            control,
            makings,
            stop: watch::Sender::new(false),
        })
    }

    /// The state of the gateway.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Where the passkey of the account for emergencies is registered, and the code for it, once: to be
    /// shown on the terminal and kept nowhere.
    pub fn first_code(&mut self) -> Option<(String, Zeroizing<String>)> {
        let code = self.first_code.take()?;
        Some((self.gate.address_of("/admin/first"), code))
    }

    /// Where it listens, and whether encrypted.
    pub fn addresses(&self) -> Vec<(SocketAddr, bool)> {
        self.listeners
            .iter()
            .map(|listener| (listener.address(), listener.is_encrypted()))
            .collect()
    }

    /// Puts a changed configuration in force, or leaves everything as it is and says why.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            gate: Arc::clone(&self.gate),
            makings: self.makings.clone(),
            address: self.listeners.first().map(Listener::address),
        }
    }

    /// Serves until `stop` resolves, then drains, ends every session and closes the ledger.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> Result<(), HouseError> {
        let House {
            gate,
            listeners,
            control,
            makings,
            stop: told,
            ..
        } = self;
        let mut serving = Vec::new();
        for listener in listeners {
            serving.push(tokio::spawn(
                listener.serve(Arc::clone(&gate), told.subscribe()),
            ));
        }
        let sweeper = tokio::spawn(sweep(Arc::clone(&gate), makings.key_sets));
        let pins = tokio::spawn(watch_pins(Arc::clone(&gate)));
        let suspected = tokio::spawn(suspected::keep(Arc::clone(&gate)));
        let revocations = tokio::spawn(Revocations::keep(Arc::clone(&gate)));
        let approvals = tokio::spawn(approvals::keep(Arc::clone(&gate)));
        let control = control.map(|control| tokio::spawn(control.serve(Arc::clone(&gate))));
        stop.await;
        told.send_replace(true);
        gate.sessions.hush();
        for task in serving {
            let _ = task.await;
        }
        let ended = gate.sessions.end_where(|_| true).await;
        sweeper.abort();
        pins.abort();
        suspected.abort();
        revocations.abort();
        approvals.abort();
        let runtime = Arc::clone(&gate.runtime());
        for served in runtime.servers.values() {
            served.upstream.close().await;
        }
        gate.note(
            "gateway.stopped",
            "",
            env!("CARGO_PKG_VERSION"),
            &format!("{ended} sessions ended"),
        );
        // Before the ledger is free: until then no other gateway makes a socket here.
        if let Some(control) = control {
            control.abort();
            let _ = control.await;
        }
        Ok(gate.ledger.close()?)
    }
}

/// Takes over changed configurations.
#[derive(Clone, Debug)]
pub struct Reloader {
    gate: Arc<Gate>,
    makings: Makings,
    address: Option<SocketAddr>,
}

impl Reloader {
    /// Builds everything the changed configuration needs, then swaps it in. Any failure leaves the
    /// last good one in force. False if nothing differs from what is in force.
    pub async fn reload(&self, loaded: Loaded) -> Result<bool, HouseError> {
        let Loaded {
            settled,
            policies,
            administration,
            ..
        } = loaded;
        let before = Arc::clone(&self.gate.runtime());
        let settled = match self.address {
            Some(address) => settled.bound_to(address),
            None => settled,
        };
        let same_policies = policies == before.sources && administration == before.office.sources();
        if settled == *before.settled && same_policies {
            return Ok(false);
        }
        let fixed = settled.differs_statically(&before.settled);
        if !fixed.is_empty() {
            return Err(HouseError::Restart(fixed.join(", ")));
        }
        let sources = (policies, administration);
        let runtime = runtime(settled, sources, &self.makings, Some(&before))?;
        let routes: HashMap<Arc<str>, Arc<Route>> = runtime.routes.clone();
        self.gate.install(runtime)?;
        let digest = self.gate.policies().digest().to_owned();
        // A session belongs to its route and server: where those changed, it has to begin again.
        let ended = self
            .gate
            .sessions
            .end_where(|session| {
                let route = routes.get(session.route());
                !route.is_some_and(|route| session.is_of(&route.servers))
            })
            .await;
        let runtime = Arc::clone(&self.gate.runtime());
        for gone in before
            .servers
            .values()
            .filter(|served| !runtime.serves(served))
        {
            gone.upstream.close().await;
        }
        self.gate.note(
            "configuration.reloaded",
            "",
            "",
            &format!("policies {digest}, {ended} sessions ended"),
        );
        squats::note(&self.gate, Some(&before.settled));
        Ok(true)
    }
}

/// Writes down that a gateway begins, and what is suspected of its servers.
fn begun(gate: &Gate) {
    gate.note("gateway.started", "", env!("CARGO_PKG_VERSION"), "");
    squats::note(gate, None);
}

async fn sweep(gate: Arc<Gate>, key_sets: Arc<KeySets>) {
    let mut tick = tokio::time::interval(House::SWEEP);
    loop {
        tick.tick().await;
        gate.sessions.sweep(gate.clock().unix_ms()).await;
        gate.parked.sweep(gate.clock().unix_ms()).await;
        gate.people.sweep(gate.clock().unix_ms());
        key_sets.tell(&gate);
        if let Err(error) = gate.rows.sweep(gate.clock().unix_ms()).await {
            tracing::error!(%error, "what has expired could not be removed");
        }
    }
}

/// Notices approvals that `ringwall tools approve` wrote into the store.
async fn watch_pins(gate: Arc<Gate>) {
    let mut tick = tokio::time::interval(House::PINS);
    let mut seen = gate.pins.version().ok();
    loop {
        tick.tick().await;
        let now = gate.pins.version().ok();
        if now != seen {
            seen = now;
            for served in gate.runtime().servers.values() {
                served.distrust();
                if let Some(agent) = served.upstream.agent() {
                    agent.distrust();
                }
            }
        }
    }
}

fn make(path: &Path) -> Result<(), HouseError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| HouseError::Data {
        path: path.display().to_string(),
        error,
    })
}

/// The key of the handles that clients are given. It is kept, so that they survive a restart.
fn seal(settled: &Settled) -> Result<Seal, HouseError> {
    let folder = settled.data.join("keys");
    make(&folder)?;
    Ok(Seal::load_or_create(&folder.join("handles.key"))?)
}

/// What outlives a restart. The key of the secrets among it lies beside the key of handles.
fn rows(settled: &Settled, database: &Database) -> Result<Rows, HouseError> {
    let folder = settled.data.join("keys");
    make(&folder)?;
    let vault = vault::Vault::load_or_create(&folder.join(Rows::KEY))?;
    Ok(Rows::new(Arc::new(database.clone()), Arc::new(vault)))
}

/// The socket on which a gateway that listens is asked what it holds. Nothing it protects depends on
/// that, so it runs without one if need be.
async fn control(settled: &Settled) -> Option<Control> {
    if settled.listeners.is_empty() {
        return None;
    }
    match Control::open(&settled.data).await {
        Ok(control) => Some(control),
        Err(error) => {
            tracing::warn!("`ringwall sessions` cannot ask this gateway: {error}");
            None
        }
    }
}

/// Chains that gateways around local servers keep side by side in one data directory.
const CHAINS: u32 = 32;

/// Opens the ledger. A gateway that listens has one. Around a local server there may be several
/// gateways at once, one per window of an editor: they share the pins, and each writes a chain of its
/// own (`ledger`, `ledger-2`, …).
fn ledger(settled: &Settled) -> Result<Ledger, HouseError> {
    let chains = if settled.listeners.is_empty() {
        CHAINS
    } else {
        1
    };
    let mut chain = 1;
    loop {
        match ledger_in(settled, chain) {
            Err(HouseError::Ledger(LedgerError::Locked { .. })) if chain < chains => chain += 1,
            opened => return opened,
        }
    }
}

fn ledger_in(settled: &Settled, chain: u32) -> Result<Ledger, HouseError> {
    let key = match &settled.ledger.key {
        settled::SigningKey::Made(path) => {
            if let Some(folder) = path.parent() {
                make(folder)?;
            }
            SigningKey::load_or_create(path)?
        }
        settled::SigningKey::Given(reference) => {
            let text = secret::resolve(&reference.to_string())?;
            SigningKey::from_pem(text.expose()).ok_or_else(|| HouseError::NoKey {
                reference: reference.to_string(),
            })?
        }
    };
    let name = if chain == 1 {
        "ledger".to_owned()
    } else {
        format!("ledger-{chain}")
    };
    let folder = settled.data.join(name);
    make(&folder)?;
    // For whoever verifies: it stands beside the segments, and should be copied away from there.
    key.public().save(&settled.data.join("ledger.pub"))?;
    let settings = audit::Settings {
        segment_bytes: settled.ledger.segment_bytes,
        interval: settled.ledger.interval,
        checkpoint_records: u64::from(settled.ledger.checkpoint_records),
        ..audit::Settings::default()
    };
    Ok(Ledger::open(&folder, settings, key)?)
}

/// Builds what calls need. Servers and issuers that did not change are taken over as they run.
fn runtime(
    settled: Settled,
    (sources, administration): (Vec<policy::Source>, Vec<policy::Source>),
    makings: &Makings,
    before: Option<&Arc<Runtime>>,
) -> Result<Runtime, HouseError> {
    let own = Arc::new(OwnClient::at(&settled.public_url, &makings.key)?);
    let workshop = Workshop {
        makings: makings.clone(),
        own: Arc::clone(&own),
        private: credentials::private(&settled),
    };
    // Whoever gets tokens knows where people come back to, and whose callers there are.
    let stays = |it: &&Arc<Served>| {
        let alike = |before: &Arc<Runtime>| {
            before.settled.public_url == settled.public_url
                && before.settled.issuers == settled.issuers
        };
        it.upstream.agent().is_none() || before.is_some_and(alike)
    };
    let limits = &settled.limits.call;
    let answers = crate::route::reading(limits, limits.answer_bytes);
    let mut servers = HashMap::new();
    for server in &settled.servers {
        let name: Arc<str> = server.name.as_str().into();
        let running = before.and_then(|before| before.servers.get(&name));
        let served = match running
            .filter(|served| served.is_made_of(server, answers))
            .filter(stays)
        {
            Some(served) => Arc::clone(served),
            None => Arc::new(served(server, &workshop, answers)?),
        };
        servers.insert(name, served);
    }
    let workbench = providers::Workbench {
        egress: &makings.egress,
        clock: &makings.clock,
    };
    let running = before.map(|before| &before.providers);
    let providers = providers::providers(&settled.providers, workbench, running)?;
    let routes = routes(&settled, &servers, &providers, &makings.tokens)?;
    let issuers = match before.filter(|before| trust::is_alike(&before.settled, &settled)) {
        Some(before) => Arc::clone(&before.issuers),
        None => Arc::new(trust::issuers(&settled, makings)?),
    };
    let events = Events::of(&settled)?;
    let sign_ins = workshop.sign_ins(&settled)?;
    let office = Office::of(settled.administration.as_ref(), administration)?;
    let authority = Authority::of(
        &settled,
        workshop.strangers(&settled),
        Arc::clone(&makings.desk),
    );
    Ok(Runtime {
        authority: authority.map(Arc::new),
        attributes: Attributes::of(&settled.issuers),
        settled: Arc::new(settled),
        routes,
        servers,
        providers,
        issuers,
        events,
        sign_ins,
        own,
        sources,
        office,
    })
}

/// The endpoints, each with the servers behind it.
fn routes(
    settled: &Settled,
    servers: &HashMap<Arc<str>, Arc<Served>>,
    providers: &Providers,
    tokens: &Arc<Tokens>,
) -> Result<HashMap<Arc<str>, Arc<Route>>, HouseError> {
    let mut routes = HashMap::new();
    for route in &settled.routes {
        let behind = route.servers.iter().map(|name| {
            let served = servers.get(name.as_str());
            served.cloned().ok_or_else(|| RouteError::Server {
                path: route.path.clone(),
                server: name.to_string(),
            })
        });
        let behind = behind.collect::<Result<Vec<_>, _>>()?;
        let issuers = trust::accepted(settled, route);
        let route = Route::new(settled, route, (behind, providers), issuers)?;
        let route = Arc::new(route.keyed(tokens));
        routes.insert(Arc::clone(&route.path), route);
    }
    Ok(routes)
}

fn desk(rows: &Rows, clock: &Arc<dyn Clock>) -> Arc<Desk> {
    let keys = SigningKeys::new(rows.clone(), Arc::clone(clock));
    Arc::new(Desk::new(Arc::new(keys)))
}

fn served(
    server: &settled::Server,
    workshop: &Workshop,
    answers: protocol::Limits,
) -> Result<Served, HouseError> {
    let transport = match &server.upstream {
        settled::Upstream::Http(http) => upstream::Transport::Http(remote(server, http, workshop)?),
        settled::Upstream::Sse(http) => upstream::Transport::Sse(remote(server, http, workshop)?),
        settled::Upstream::Stdio(stdio) => upstream::Transport::Stdio(local(stdio)?),
    };
    let spec = upstream::ServerSpec {
        name: server.name.as_str().into(),
        transport,
        timeout: server.timeout,
        answer_bytes: answers.bytes,
        era: match server.era {
            settled::Era::Auto => upstream::EraChoice::Auto,
            settled::Era::Legacy => upstream::EraChoice::Legacy,
            settled::Era::Modern => upstream::EraChoice::Modern,
        },
    };
    Ok(Served {
        name: server.name.as_str().into(),
        upstream: Arc::new(upstream::Server::new(&workshop.makings.egress, spec)?),
        shelves: Shelves::new(server),
        others: Others::default(),
        hidden_text: server.hidden_text,
        timeout: server.timeout,
        reading_answers: answers,
        reading: tokio::sync::Mutex::new(()),
        labels: server.labels.clone(),
        egress: Arc::clone(&workshop.makings.egress),
        settled: server.clone(),
    })
}

fn remote(
    server: &settled::Server,
    http: &settled::Http,
    workshop: &Workshop,
) -> Result<upstream::HttpSpec, HouseError> {
    let destination = Destination::new(http.url.clone(), network(http.network));
    let destination = destination.map_err(|error| HouseError::Destination {
        server: server.name.to_string(),
        error,
    })?;
    Ok(upstream::HttpSpec {
        destination,
        credential: workshop.source(server, http)?,
    })
}

fn local(stdio: &settled::Stdio) -> Result<upstream::StdioSpec, HouseError> {
    let mut environment = Vec::new();
    for (name, value) in &stdio.environment {
        let value = match value {
            settled::Variable::Literal(text) => upstream::Variable::Literal(text.clone()),
            settled::Variable::Secret(reference) => {
                upstream::Variable::Secret(secret::resolve(&reference.to_string())?)
            }
        };
        environment.push((name.clone(), value));
    }
    Ok(upstream::StdioSpec {
        command: stdio.command.clone(),
        environment,
        directory: stdio.directory.clone(),
        sharing: match stdio.process {
            settled::Process::User => upstream::Sharing::User,
            settled::Process::Session => upstream::Sharing::Session,
        },
        ..upstream::StdioSpec::default()
    })
}

fn network(network: settled::Network) -> egress::Network {
    match network {
        settled::Network::Public => egress::Network::Public,
        settled::Network::Private => egress::Network::Private,
    }
}

/// The routes of a configuration, for tests of what stands on them. Nothing is listened to or met.
#[cfg(test)]
pub(crate) fn routes_of(settled: Settled) -> Result<HashMap<Arc<str>, Arc<Route>>, HouseError> {
    let folder = tempfile::tempdir().map_err(|error| HouseError::Data {
        path: String::new(),
        error,
    })?;
    let rows = Rows::new(
        Arc::new(Database::open(folder.path())?),
        Arc::new(vault::Vault::ephemeral().map_err(|_| HouseError::Entropy)?),
    );
    let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::default());
    let makings = Makings {
        egress: Arc::new(Egress::new(&EgressSettings::default())?),
        desk: desk(&rows, &clock),
        clock,
        revocations: Arc::new(Revocations::none(rows.clone())),
        key_sets: Arc::new(KeySets::new(rows.clone())),
        rows,
        tokens: Tokens::ephemeral()?,
        key: OwnClient::fresh_key()?,
    };
    Ok(runtime(settled, Default::default(), &makings, None)?.routes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gateway around a local server shares its directory with others of its kind.
    #[tokio::test]
    async fn only_a_gateway_that_listens_can_be_asked_what_it_holds() {
        let text = "version: 1\nlisteners: [{ address: '127.0.0.1:0' }]\n\
             issuers: [{ issuer: 'https://id.example.com' }]\n\
             servers: [{ name: s, http: { url: 'https://mcp.example.com/mcp' } }]\n\
             routes: [{ path: /s, server: s }]\n";
        let folder = tempfile::tempdir().unwrap();
        let (mut settled, _) = config::load(text).unwrap();
        settled.data = folder.path().to_owned();
        let listens = control(&settled).await;
        let path = listens.as_ref().map(|control| control.path().to_owned());
        assert_eq!(path, Some(folder.path().join(Control::NAME)));
        // What is in its way does not stop it.
        assert!(control(&settled).await.is_none());
        drop(listens);
        settled.listeners.clear();
        assert!(control(&settled).await.is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
