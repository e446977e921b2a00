//! The client leg of the official conformance suite, played by the gateway: for each scenario the
//! suite is a server, the gateway stands before it, and a client asks the gateway for what the
//! scenario is about. What the suite sees of the client is the gateway alone.
//!
//! It judges nothing: the suite does. What comes back to the client is looked at only where a call
//! that never reached the suite would pass for a good one.

mod authority;
mod caller;
mod plays;
mod run;
mod turns;

pub use caller::Era;
pub use run::{Leg, Played};

use crate::world::Peers;
use anyhow::{Context as _, Result};
use caller::Caller;
use serde_json::{Value, json};
use url::Url;

/// What the program that plays a scenario says when it could play it to its end.
pub const THROUGH: &str = "played through";

/// The name of the suite's server in the configuration, and of the route to it.
const SERVER: &str = "suite";

/// When the gateway gives up a call: long after any that can succeed.
const TIMEOUT: &str = "60s";

/// The user all scenarios are played as.
const USER: &str = "alice";

/// One scenario, as the suite tells its client about it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What the suite has to say besides: which calls to make, or which credentials to use.
    pub context: Value,
    /// Where its server is.
    pub server: Url,
}

impl Scenario {
    /// Starts a gateway before the suite's server and plays the scenario through it, as a client of
    /// this era.
    pub async fn play(&self, era: Era) -> Result<()> {
        let _turn = turns::turn(&self.name)?;
        let secrets = tempfile::tempdir()?;
        let mut http = json!({ "url": self.server.as_str(), "network": "private" });
        if let Some(oauth) = authority::oauth(self, secrets.path()).await?
            && let Some(members) = http.as_object_mut()
        {
            members.insert("oauth".to_owned(), oauth);
        }
        let server = json!({
            "name": SERVER, "http": http, "pins": "first_use", "timeout": TIMEOUT, "era": self.era()
        });
        let mut peers = Peers::start(vec![server]).await?;
        let played = self.through(&peers, era).await;
        let played = played.with_context(|| peers.gateway.complaints());
        // The suite waits until nobody is connected to its server any more.
        peers.gateway.terminate().await?;
        played
    }

    /// What the operator says of the server's era: that a server is of the first revisions with tokens is
    /// theirs to say, and of all others it is found out.
    fn era(&self) -> &'static str {
        match self.name.starts_with("auth/2025-03-26-") {
            true => "legacy",
            false => "auto",
        }
    }

    async fn through(&self, peers: &Peers, era: Era) -> Result<()> {
        let url = peers.gateway.at(&format!("/{SERVER}"))?;
        let token = peers.issuer.token(url.as_str(), USER)?;
        match self.name.starts_with("auth/") {
            true => authority::play(self, era, &url, &token).await,
            false => plays::play(self, &Caller::connect(era, &url, &token).await?).await,
        }
    }
}
