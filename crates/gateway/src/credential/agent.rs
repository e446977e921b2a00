//! Gets the tokens for one server: by which grant, for which party, once for all who wait, renewed in
//! time and never shown past its end.

use super::connections::{About, Connected};
use super::discovered::{self, Bound, Idp, Known, Lead};
use super::slots::{Held, Key, Slot, Slots};
use super::step_ups::{Asked, Operation};
use super::{Connections, Need, OwnClient, Subject};
use crate::clock::Clock;
use crate::revocation::Revocations;
use crate::state::{Rows, StateError};
use crate::upstream::{Owner, UpstreamError};
use config::settled::{self, Actor, TokenKind};
use identity::client::{
    ClientError, Demand, Offline, Outside, Proofs, Reason, Scopes, SystemEntropy, Target,
    TokenEndpoint, Tokens, Want, WorkloadToken, first_scopes, stepped_up,
};
use identity::possession::dpop::Signer;
use identity::{Authentication, Fetch};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A token is renewed when it has less than this left, in seconds.
const EARLY_S: u64 = 30;

/// Whoever gets the tokens for one server.
pub struct Agent {
    pub(super) server: Arc<str>,
    spec: Spec,
    world: World,
    known: tokio::sync::Mutex<Option<Arc<Known>>>,
    slots: Slots,
    actor: Slot,
}

/// What tokens are asked for.
#[derive(Debug)]
pub struct Spec {
    /// By which grant.
    pub grant: Grant,
    /// Of whom, for what, as whom.
    pub bound: Bound,
    /// The scopes that the operator set.
    pub scopes: Option<Scopes>,
    /// Whether they are to be bound to a key.
    pub kind: TokenKind,
}

/// A grant, with what it takes.
#[derive(Debug)]
pub enum Grant {
    /// The gateway's own.
    ClientCredentials,
    /// The user's, granted in a browser.
    Connection,
    /// By an assertion of the callers' identity provider.
    IdJag(Idp),
    /// On behalf of the caller, at Entra ID.
    OnBehalfOf,
    /// By exchange of the caller's token.
    TokenExchange {
        /// The audience to ask for besides the resource.
        audience: Option<String>,
        /// Whether the gateway is named as who acts.
        actor: Actor,
    },
    /// By a token that says which workload the gateway is.
    Workload(settled::SecretRef),
}

/// What an agent works with.
#[derive(Clone)]
pub struct World {
    /// The way to the server's metadata and its authorization server.
    pub fetch: Arc<dyn Fetch>,
    /// The way to the identity provider of the callers.
    pub provider: Arc<dyn Fetch>,
    /// Where time is read.
    pub clock: Arc<dyn Clock>,
    /// What outlives a restart.
    pub rows: Rows,
    /// Whose grants are good no more.
    pub revocations: Arc<Revocations>,
    /// The gateway as a client.
    pub own: Arc<OwnClient>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("server", &self.server)
            .field("spec", &self.spec)
            .field("held", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// Why a token was not got.
#[derive(Debug)]
pub(crate) enum Lack {
    Client(ClientError),
    State(StateError),
}

impl From<ClientError> for Lack {
    fn from(error: ClientError) -> Self {
        Lack::Client(error)
    }
}

impl From<StateError> for Lack {
    fn from(error: StateError) -> Self {
        Lack::State(error)
    }
}

impl From<Lack> for UpstreamError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Client(error) => UpstreamError::Token { error },
            Lack::State(error) => UpstreamError::Settings {
                reason: error.to_string(),
            },
        }
    }
}

impl Agent {
    /// An agent for this server. It asks nobody anything yet.
    pub fn new(server: &str, spec: Spec, world: World) -> Arc<Self> {
        Arc::new(Agent {
            server: server.into(),
            spec,
            world,
            known: tokio::sync::Mutex::default(),
            slots: Slots::default(),
            actor: Slot::default(),
        })
    }

    /// Now, in unix seconds.
    pub(crate) fn now(&self) -> u64 {
        self.world.clock.unix_s()
    }

    /// Whether users are asked to connect the server.
    pub fn connects(&self) -> bool {
        matches!(self.spec.grant, Grant::Connection)
    }

    /// Whether the callers' own tokens are exchanged.
    pub fn exchanges(&self) -> bool {
        matches!(
            self.spec.grant,
            Grant::IdJag(_) | Grant::OnBehalfOf | Grant::TokenExchange { .. }
        )
    }

    /// Forgets what is held: somebody's session or token was revoked. What is kept is looked for again,
    /// the rest is soon had again by whoever may still have it.
    pub fn forget(&self) {
        match self.connects() {
            true => self.slots.distrust(),
            false => self.slots.clear(),
        }
    }

    /// Says that somebody else may have changed what is kept.
    pub fn distrust(&self) {
        self.slots.distrust();
    }

    /// The token there is for this party, renewed if it is about to end. Nothing if there is none and
    /// the server has to say first whose tokens it wants.
    pub(super) async fn token(
        self: &Arc<Self>,
        owner: &Owner,
    ) -> Result<(Arc<Slot>, Option<Arc<Held>>), UpstreamError> {
        let key = match self.key(owner) {
            Some(key) => key,
            // Nobody's call is under way that a token could be got for.
            None => return Err(UpstreamError::Subject),
        };
        let slot = self.slots.of(key)?;
        if self.connects() && !slot.is_looked_for() {
            self.look(&slot, owner).await?;
        }
        let now = self.now();
        let held = match slot.held() {
            Some(held) if held.is_good_at(now, EARLY_S) => Some(held),
            Some(held) => match self.renewed(&slot, owner, Some(&held), None).await {
                // What is left of it is better than nothing.
                Err(_) if held.is_good_at(now, 0) => Some(held),
                Err(UpstreamError::Token {
                    error: ClientError::Lost | ClientError::OtherClient(_),
                }) => None,
                other => Some(other?),
            },
            None if self.connects() || self.spec.bound.issuer().is_none() => None,
            None => Some(self.renewed(&slot, owner, None, None).await?),
        };
        Ok((slot, held))
    }

    /// That the caller has to log in as the server, or whoever issues its tokens, wants it. It is for them
    /// only where it is their token that is exchanged; of everything else the server knows nothing of
    /// theirs, and is not to send anybody to log in.
    pub(super) fn passed_on(&self, wanted: Option<&Authentication>) -> Option<UpstreamError> {
        let wanted = wanted.filter(|_| self.exchanges())?;
        Some(UpstreamError::Authentication(Arc::new(wanted.clone())))
    }

    /// Another token, after the server turned down what it was shown (or that it was shown nothing).
    /// Nothing if no token would change its mind.
    pub(super) async fn better(
        self: &Arc<Self>,
        owner: &Owner,
        shown: Option<Arc<Held>>,
        (demand, asked): (&Demand, &Asked<'_>),
    ) -> Result<Option<Arc<Held>>, UpstreamError> {
        let slot = self
            .slots
            .of(self.key(owner).ok_or(UpstreamError::Subject)?)?;
        let current = slot.held();
        let is_newer = |held: &Arc<Held>| !shown.as_ref().is_some_and(|it| Arc::ptr_eq(it, held));
        if let Some(newer) = current.filter(is_newer)
            && demand.reason() != Reason::InsufficientScope
        {
            return Ok(Some(newer));
        }
        match demand.reason() {
            Reason::InsufficientScope => self.more(&slot, owner, shown, (demand, asked)).await,
            Reason::NoToken | Reason::InvalidToken => match shown {
                // A 403 that asks for nothing more than what was shown.
                Some(held)
                    if demand
                        .scopes()
                        .is_some_and(|it| !held.tokens.granted().contains_all(it)) =>
                {
                    self.more(&slot, owner, Some(held), (demand, asked)).await
                }
                shown => self.another(&slot, owner, shown, demand).await,
            },
            Reason::Authentication | Reason::InvalidProof | Reason::Nonce | Reason::Other => {
                Ok(None)
            }
        }
    }

    /// Another token with the same scopes: the server does not take the one there is, or there is none.
    async fn another(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        owner: &Owner,
        shown: Option<Arc<Held>>,
        demand: &Demand,
    ) -> Result<Option<Arc<Held>>, UpstreamError> {
        if !self.connects() {
            let known = self.known(demand).await?;
            let scopes = self.scopes(&known, Some(demand), Offline::Unwanted)?;
            return self
                .renewed(slot, owner, shown.as_ref(), Some(scopes))
                .await
                .map(Some);
        }
        let before = shown.as_ref().map(|held| held.tokens.issuer().to_owned());
        let known = match &before {
            Some(_) => self.found(demand, self.world.clock.unix_ms()).await?,
            None => self.known(demand).await?,
        };
        let same = before.as_deref() == Some(known.server.issuer());
        if let Some(held) = shown.filter(|held| same && held.tokens.can_refresh()) {
            match self.renewed(slot, owner, Some(&held), None).await {
                Err(UpstreamError::Token {
                    error: ClientError::Lost | ClientError::OtherClient(_),
                }) => {}
                other => return other.map(Some),
            }
        }
        let scopes = self.scopes(&known, Some(demand), Offline::Wanted)?;
        Err(self.need(&known, &scopes))
    }

    /// A token with more scopes, a few times for each operation.
    async fn more(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        owner: &Owner,
        shown: Option<Arc<Held>>,
        (demand, request): (&Demand, &Asked<'_>),
    ) -> Result<Option<Arc<Held>>, UpstreamError> {
        let Some(held) = shown else {
            return self.another(slot, owner, None, demand).await;
        };
        let token = |error| UpstreamError::Token { error };
        let (asked, granted) = (held.tokens.asked(), held.tokens.granted());
        let most = self.spec.scopes.as_ref();
        let scopes = match stepped_up(asked, granted, demand, most) {
            Ok(scopes) => scopes,
            // It does not name the error, and names scopes that were not granted.
            Err(ClientError::StepUp) if demand.reason() != Reason::InsufficientScope => {
                let wanted = demand.scopes().cloned().unwrap_or_default();
                if most.is_some_and(|most| !most.contains_all(&wanted)) {
                    return Err(token(ClientError::Beyond));
                }
                let both = asked.union(&wanted);
                both.ok_or_else(|| token(ClientError::Scopes))?
            }
            Err(error) => return Err(token(error)),
        };
        let operation = Operation::of(request);
        let counted = slot.step_ups.another(operation, self.now());
        counted.map_err(token)?;
        if self.connects() {
            let known = self.known(demand).await?;
            return Err(self.need(&known, &scopes));
        }
        self.renewed(slot, owner, Some(&held), Some(scopes))
            .await
            .map(Some)
    }

    fn need(&self, known: &Known, scopes: &Scopes) -> UpstreamError {
        UpstreamError::Connect(Arc::new(Need {
            server: Arc::clone(&self.server),
            issuer: known.server.issuer().to_owned(),
            scopes: scopes.to_string(),
        }))
    }

    /// The token, got or renewed once for all who wait. It is a task of its own: who goes away in
    /// between does not lose a refresh token that was used up.
    async fn renewed(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        owner: &Owner,
        seen: Option<&Arc<Held>>,
        scopes: Option<Scopes>,
    ) -> Result<Arc<Held>, UpstreamError> {
        let (agent, slot, owner) = (Arc::clone(self), Arc::clone(slot), owner.clone());
        let (seen, subject) = (seen.cloned(), Subject::of_this_call());
        let work = tokio::spawn(async move {
            let _turn = slot.turn.lock().await;
            let current = slot.held();
            let is_other =
                |held: &Arc<Held>| !seen.as_ref().is_some_and(|it| Arc::ptr_eq(it, held));
            if let Some(other) = current.filter(is_other) {
                return Ok(other);
            }
            let got = match (&agent.spec.grant, &seen) {
                (Grant::Connection, Some(held)) => agent.refresh(&slot, &owner, held).await,
                (Grant::Connection, None) => Err(ClientError::Lost.into()),
                _ => agent.get(&slot, subject.as_ref(), scopes).await,
            };
            got.map_err(|lack| match &lack {
                Lack::Client(ClientError::Denied(denied)) => agent
                    .passed_on(denied.authentication())
                    .unwrap_or_else(|| lack.into()),
                _ => lack.into(),
            })
        });
        match work.await {
            Ok(got) => got,
            Err(_) => Err(UpstreamError::Ended),
        }
    }

    /// Refreshes a connection, and keeps what came of it before anybody uses it.
    async fn refresh(
        &self,
        slot: &Slot,
        owner: &Owner,
        held: &Arc<Held>,
    ) -> Result<Arc<Held>, Lack> {
        let known = self.of_issuer(held.tokens.issuer()).await?;
        let proofs = held.proofs.clone();
        let at = self.endpoint(&known, proofs.as_deref())?;
        let fresh = match at.refresh(&held.tokens).await {
            Err(ClientError::Lost) => {
                tracing::info!(server = %self.server, "a connection is lost: its user is asked anew");
                let issuer = held.tokens.issuer();
                self.connections()
                    .forget(&self.server, &owner.user, issuer)
                    .await?;
                slot.put(None);
                return Err(ClientError::Lost.into());
            }
            // It stays where it is kept: the client that it was given to may come back.
            Err(error @ ClientError::OtherClient(_)) => {
                tracing::info!(server = %self.server, "{error}: its user is asked anew");
                slot.put(None);
                return Err(error.into());
            }
            other => other?,
        };
        let now_ms = self.world.clock.unix_ms();
        let issuer = Some(held.tokens.issuer());
        let kept = self
            .connections()
            .find(&self.server, &owner.user, issuer, now_ms)
            .await?;
        // Somebody revoked it meanwhile: what was just got is not used.
        let Some(kept) = kept.filter(|kept| self.may_use(&owner.user, kept)) else {
            slot.put(None);
            return Err(ClientError::Lost.into());
        };
        let connected = Connected {
            tokens: fresh.clone(),
            ..kept
        };
        self.connections()
            .keep(&self.server, &owner.user, &connected, now_ms)
            .await?;
        let fresh = Held::new(fresh, &known.resource, proofs, None)?;
        slot.put(Some(Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// Gets a token by any grant but a connection.
    async fn get(
        &self,
        slot: &Slot,
        subject: Option<&Subject>,
        scopes: Option<Scopes>,
    ) -> Result<Arc<Held>, Lack> {
        let known = self.of(Lead::Nothing).await?;
        let scopes = match scopes {
            Some(scopes) => scopes,
            None => self.first(&known, None, Offline::Unwanted)?,
        };
        let proofs = self.proofs(&known)?;
        let at = self.endpoint(&known, proofs.as_deref())?;
        let want = Want {
            resource: &known.resource,
            scopes: &scopes,
        };
        let theirs = || subject.map(Subject::token).ok_or(ClientError::Subject);
        let tokens = match &self.spec.grant {
            Grant::ClientCredentials => at.client_credentials(want).await?,
            Grant::Workload(reference) => at.workload(&workload(reference)?, want).await?,
            Grant::OnBehalfOf => at.on_behalf_of(theirs()?, want).await?,
            Grant::TokenExchange { audience, actor } => {
                let ours = match actor {
                    Actor::None => None,
                    Actor::Gateway => Some(self.actor(&at, want).await?),
                };
                let target = Target {
                    audience: audience.as_deref(),
                    actor: ours.as_deref().map(|held| &held.tokens),
                };
                at.exchange(theirs()?, want, target).await?
            }
            Grant::IdJag(idp) => {
                let outside = self.outside(&*self.world.provider);
                let provider = discovered::provider(outside, idp).await?;
                let asked = TokenEndpoint::new(outside, &provider, &idp.identity, None)?;
                let assertion = asked.id_jag(theirs()?, &known.server, want).await?;
                at.redeem_id_jag(&assertion, want).await?
            }
            Grant::Connection => return Err(ClientError::Lost.into()),
        };
        // What was got for a caller's token does not outlive it.
        let until = subject
            .filter(|_| self.exchanges())
            .map(Subject::expires_at);
        let held = Held::new(tokens, &known.resource, proofs, until)?;
        slot.put(Some(Arc::clone(&held)));
        Ok(held)
    }

    /// The gateway's own token, which says who acts.
    async fn actor<'a>(
        &self,
        at: &TokenEndpoint<'a>,
        want: Want<'a>,
    ) -> Result<Arc<Held>, ClientError> {
        let _turn = self.actor.turn.lock().await;
        let good = |held: &Arc<Held>| held.is_good_at(self.now(), EARLY_S);
        if let Some(held) = self.actor.held().filter(good) {
            return Ok(held);
        }
        let tokens = at.client_credentials(want).await?;
        let held = Held::new(tokens, want.resource, None, None)?;
        self.actor.put(Some(Arc::clone(&held)));
        Ok(held)
    }

    /// Looks for a connection where they are kept.
    async fn look(&self, slot: &Slot, owner: &Owner) -> Result<(), UpstreamError> {
        let _turn = slot.turn.lock().await;
        if slot.is_looked_for() {
            return Ok(());
        }
        let now_ms = self.world.clock.unix_ms();
        let issuer = self.spec.bound.issuer();
        let found = self
            .connections()
            .find(&self.server, &owner.user, issuer, now_ms)
            .await;
        let found = found.map_err(Lack::from)?;
        let held = match found.filter(|connected| self.may_use(&owner.user, connected)) {
            None => None,
            Some(connected) => {
                let known = self.of_issuer(connected.tokens.issuer()).await;
                let known = match known {
                    Ok(known) => known,
                    // It is still kept, and what is held of it is good: nobody has to be asked for that.
                    Err(_)
                        if slot
                            .held()
                            .is_some_and(|held| held.is_good_at(self.now(), 0)) =>
                    {
                        slot.put(slot.held());
                        return Ok(());
                    }
                    // The server has moved: what it granted there is of no more use here.
                    Err(ClientError::IssuerChanged { .. }) => {
                        slot.put(None);
                        return Ok(());
                    }
                    Err(error) => return Err(UpstreamError::Token { error }),
                };
                Some(self.held(&known, &connected)?)
            }
        };
        slot.put(held);
        Ok(())
    }

    /// Whether a connection that is kept is good: neither revoked nor blocked. What nobody can tell is no
    /// yes.
    fn may_use(&self, user: &str, connected: &Connected) -> bool {
        let name = super::connection_name(&self.server, user, connected.tokens.issuer());
        let granted_s = connected.about.at;
        let barred = self.world.revocations.check_grant(&name, granted_s);
        barred.is_ok()
    }

    fn held(&self, known: &Known, connected: &Connected) -> Result<Arc<Held>, UpstreamError> {
        let proofs = match &connected.key {
            Some(key) => Some(signer(key)?),
            None => None,
        };
        let held = Held::new(connected.tokens.clone(), &known.resource, proofs, None);
        held.map_err(|error| UpstreamError::Token { error })
    }

    /// Keeps what a user granted, and shows it from now on.
    pub(crate) async fn connected(
        &self,
        user: &Arc<str>,
        about: About,
        (tokens, signer): (Tokens, Option<&Signer>),
    ) -> Result<(), Lack> {
        let key = signer.map(Signer::pkcs8).transpose();
        let connected = Connected {
            about,
            key: key.map_err(ClientError::from)?,
            tokens,
        };
        let slot = self.slots.of(Key::User(Arc::clone(user)));
        let slot = slot.map_err(|_| StateError::Full("token"))?;
        let _turn = slot.turn.lock().await;
        let now_ms = self.world.clock.unix_ms();
        self.connections()
            .keep(&self.server, user, &connected, now_ms)
            .await?;
        // It is read from where it is kept when it is needed first.
        slot.put(None);
        self.slots.distrust();
        Ok(())
    }

    fn connections(&self) -> Connections {
        Connections::new(self.world.rows.clone())
    }

    fn key(&self, owner: &Owner) -> Option<Key> {
        match &self.spec.grant {
            Grant::ClientCredentials | Grant::Workload(_) => Some(Key::Gateway),
            Grant::Connection => Some(Key::User(Arc::clone(&owner.user))),
            Grant::IdJag(_) | Grant::OnBehalfOf | Grant::TokenExchange { .. } => {
                Subject::of_this_call().map(|subject| Key::Token(*subject.digest()))
            }
        }
    }

    fn scopes(
        &self,
        known: &Known,
        demand: Option<&Demand>,
        offline: Offline,
    ) -> Result<Scopes, UpstreamError> {
        let scopes = self.first(known, demand, offline);
        scopes.map_err(|error| UpstreamError::Token { error })
    }

    fn first(
        &self,
        known: &Known,
        demand: Option<&Demand>,
        offline: Offline,
    ) -> Result<Scopes, ClientError> {
        let (protected, server) = (&known.protected, &known.server);
        first_scopes(
            self.spec.scopes.as_ref(),
            demand,
            protected,
            server,
            offline,
        )
    }

    fn proofs(&self, known: &Known) -> Result<Option<Arc<Proofs>>, ClientError> {
        match self.binds(known) {
            true => Ok(Some(Arc::new(Proofs::new(Signer::generate()?)))),
            false => Ok(None),
        }
    }

    /// Whether tokens are bound to a key: where the operator or the server wants it.
    pub(crate) fn binds(&self, known: &Known) -> bool {
        self.spec.kind == TokenKind::Dpop || known.protected.wants_dpop()
    }

    pub(crate) fn endpoint<'a>(
        &'a self,
        known: &'a Known,
        proofs: Option<&'a Proofs>,
    ) -> Result<TokenEndpoint<'a>, ClientError> {
        let outside = self.outside(&*self.world.fetch);
        TokenEndpoint::new(outside, &known.server, &known.identity, proofs)
    }

    fn outside<'a>(&self, fetch: &'a dyn Fetch) -> Outside<'a> {
        Outside {
            fetch,
            entropy: &SystemEntropy,
            now: self.now(),
        }
    }

    async fn known(&self, demand: &Demand) -> Result<Arc<Known>, UpstreamError> {
        let known = self.of(Lead::Demand(demand)).await;
        known.map_err(|error| UpstreamError::Token { error })
    }

    /// The same, asked anew unless somebody did since `moment_ms`: the server does not take the tokens
    /// of who was found before.
    async fn found(&self, demand: &Demand, moment_ms: u64) -> Result<Arc<Known>, UpstreamError> {
        let old = |known: &mut Arc<Known>| !known.is_newer_than(moment_ms);
        self.known.lock().await.take_if(old);
        self.known(demand).await
    }

    /// Who issues tokens for the server, found once for all who wait.
    async fn of(&self, lead: Lead<'_>) -> Result<Arc<Known>, ClientError> {
        let mut known = self.known.lock().await;
        let now = self.now();
        if let Some(known) = known.as_ref().filter(|known| known.is_believed_at(now)) {
            return Ok(Arc::clone(known));
        }
        let outside = self.outside(&*self.world.fetch);
        let with = (&*self.world.own, &self.world.rows);
        let at_ms = self.world.clock.unix_ms();
        let found = Arc::new(self.spec.bound.find(outside, lead, at_ms, with).await?);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// The same, if it is still this issuer.
    pub(crate) async fn of_issuer(&self, issuer: &str) -> Result<Arc<Known>, ClientError> {
        let known = self.of(Lead::Issuer(issuer)).await?;
        match known.server.issuer() == issuer {
            true => Ok(known),
            false => Err(ClientError::IssuerChanged {
                expected: issuer.to_owned(),
            }),
        }
    }

    /// Where the server is, for people to read.
    pub(crate) fn host(&self) -> &str {
        self.spec.bound.url.host_str().unwrap_or_default()
    }

    /// Where people are sent back to, exactly. A server that does not name itself in its answers has
    /// a place of its own for them, so that no other one's are taken for its (RFC 9700, section 4.4.2);
    /// so has every server that registered the gateway.
    pub(crate) fn redirect_uri(&self, known: &Known) -> String {
        let own = &self.world.own;
        match known.identity.redirect_uris().first() {
            Some(uri) => uri.clone(),
            None if known.server.says_issuer() => own.redirect_uri().to_owned(),
            None => own.redirect_uri_of(known.server.issuer()),
        }
    }
}

pub(crate) fn signer(key: &Zeroizing<Vec<u8>>) -> Result<Arc<Proofs>, UpstreamError> {
    let signer = Signer::from_pkcs8(key).map_err(ClientError::from);
    let signer = signer.map_err(|error| UpstreamError::Token { error })?;
    Ok(Arc::new(Proofs::new(signer)))
}

/// The token that says which workload the gateway is, as it is now: its platform keeps it fresh.
fn workload(reference: &settled::SecretRef) -> Result<WorkloadToken, ClientError> {
    let secret = crate::secret::resolve(&reference.to_string());
    let secret = secret.map_err(|error| {
        tracing::warn!("the workload's token cannot be read: {error}");
        ClientError::Subject
    })?;
    WorkloadToken::new(Zeroizing::new(secret.expose().to_owned()))
}
