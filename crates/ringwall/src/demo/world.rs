//! Everything the demo runs: issuer, servers and gateway, on loopback, in one folder.

use super::caller::Caller;
use super::files::{self, Ports, SHIPPED};
use super::web::{self, Served};
use super::workshop::Workshop;
use crate::token;
use anyhow::{Context, bail};
use gateway::clock::{Clock, SystemClock};
use gateway::egress::{Egress, EgressSettings};
use gateway::gate::Gate;
use gateway::house::{House, HouseError};
use gateway::load;
use identity::development::{DevelopmentClaims, DevelopmentIssuer};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a token of the demo is good, in seconds.
const LIFETIME_S: u64 = 600;
/// How often another port is tried for the gateway when somebody else takes the chosen one.
const TRIES: usize = 3;

/// A user of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
}

pub(super) const ALICE: User = User {
    name: "alice",
    group: "support",
};
pub(super) const BOB: User = User {
    name: "bob",
    group: "intern",
};

/// The scope that the routes ask for.
pub(super) const SCOPE: &str = "mcp:tools";

/// Everything, running.
pub(super) struct World {
    folder: PathBuf,
    data: PathBuf,
    ports: Ports,
    workshop: Arc<Workshop>,
    issuer: Arc<DevelopmentIssuer>,
    egress: Arc<Egress>,
    gate: Arc<Gate>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), HouseError>>,
    _pages: [Served; 2],
}

impl World {
    /// Starts everything in this folder.
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let issuer_socket = bound(SHIPPED.issuer).await?;
        let workshop_socket = bound(SHIPPED.workshop).await?;
        let (issuer_port, workshop_port) = (
            issuer_socket.local_addr()?.port(),
            workshop_socket.local_addr()?.port(),
        );
        let key = folder.join("issuer.key");
        let url = format!("http://127.0.0.1:{issuer_port}");
        let issuer = if key.exists() {
            token::kept(&url, &key)?
        } else {
            token::new_key(&url, &key)?
        };
        let issuer = Arc::new(issuer);
        let workshop = Arc::new(Workshop::turning_after(None));
        let pages = [
            web::issuer(issuer_socket, Arc::clone(&issuer)),
            web::workshop(workshop_socket, Arc::clone(&workshop)),
        ];
        let (house, ports) = open(folder, issuer_port, workshop_port).await?;
        let gate = Arc::clone(house.gate());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(house.serve(async move {
            let _ = stopped.await;
        }));
        Ok(World {
            folder: folder.to_owned(),
            // Without the `.` that the shipped file has in it.
            data: gate.runtime().settled.data.components().collect(),
            ports,
            workshop,
            issuer,
            egress: Arc::new(Egress::new(&EgressSettings::default())?),
            gate,
            stop,
            serving,
            _pages: pages,
        })
    }

    /// Drains, closes the ledger and waits until everything is down.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        // That nobody listens any more is what `serving` tells.
        let _ = self.stop.send(());
        self.serving
            .await?
            .context("the gateway did not end as it should")
    }

    /// Somebody without a token, before this route.
    pub(super) fn stranger(&self, route: &str) -> anyhow::Result<Caller> {
        Caller::stranger(&self.egress, &self.resource(route))
    }

    /// A user with a good token for this route.
    pub(super) fn caller(&self, user: User, route: &str) -> anyhow::Result<Caller> {
        Ok(self.stranger(route)?.with_token(self.token(user, route)?))
    }

    /// A good token for this route.
    pub(super) fn token(&self, user: User, route: &str) -> anyhow::Result<String> {
        Ok(self.issuer.mint(&DevelopmentClaims {
            subject: user.name.to_owned(),
            audience: self.resource(route),
            client: Some("ringwall-demo".to_owned()),
            scopes: vec![SCOPE.to_owned()],
            groups: vec![user.group.to_owned()],
            issued_at: SystemClock::default().unix_s(),
            lifetime_s: LIFETIME_S,
            ..DevelopmentClaims::default()
        })?)
    }

    /// The URI of a route, which is what its tokens are for.
    pub(super) fn resource(&self, route: &str) -> String {
        format!("http://127.0.0.1:{}{route}", self.ports.gateway)
    }

    pub(super) fn workshop(&self) -> &Workshop {
        &self.workshop
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(super) fn issuer(&self) -> &str {
        self.issuer.issuer()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where pins and ledger lie.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }
}

/// The gateway, with the shipped configuration fitted to these ports.
async fn open(folder: &Path, issuer: u16, workshop: u16) -> anyhow::Result<(House, Ports)> {
    let program = std::env::current_exe().context("cannot tell which program this is")?;
    for _ in 0..TRIES {
        let gateway = bound(SHIPPED.gateway).await?.local_addr()?.port();
        let ports = Ports {
            gateway,
            issuer,
            workshop,
        };
        let config = files::write(folder, ports, &program)?;
        match House::build(load::load(&config)?, Arc::new(SystemClock::default())).await {
            Ok(house) => return Ok((house, ports)),
            // Somebody took the port in between.
            Err(HouseError::Listen(error)) => tracing::info!(%error, "another port is tried"),
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no port of this machine could be had for the gateway")
}

/// A socket on this port, or on any if somebody has it.
async fn bound(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(socket) => Ok(socket),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no port on loopback is free"),
    }
}
